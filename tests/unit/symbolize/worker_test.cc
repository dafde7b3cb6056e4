// The child that symbolises: whatever it does, the reporter goes on, and nothing is left behind.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>

#include "reporter/symbolize/wire.h"
#include "reporter/symbolize/worker.h"

namespace umaskaudit::symbolize {
namespace {

constexpr std::uint64_t kAddress = 4096;

ModulePlaces answer_with(const std::string& symbol) {
  ModulePlaces answer;
  answer.places.push_back({Location{symbol, "", 0, false, ""}});
  return answer;
}

// Does what the module's path says.
ModulePlaces misbehave(const ModuleKey& key, std::span<const std::uint64_t> addresses) {
  if (key.path == "abort") std::abort();
  if (key.path == "segv") std::raise(SIGSEGV);
  if (key.path == "exit") _exit(3);
  if (key.path == "sleep") pause();
  if (key.path == "short") return {};
  if (key.path == "new") return answer_with(std::string(std::size_t{1} << 29, 'x'));
  if (key.path == "spin") {
    while (getppid() >= 0) {
    }
  }
  if (key.path == "pid") return answer_with(std::to_string(getpid()));
  if (key.path == "urls") {
    const char* urls = std::getenv("DEBUGINFOD_URLS");
    return answer_with(urls == nullptr ? "unset" : urls);
  }
  if (key.path == "descriptors") {
    std::size_t count = 0;
    for (int fd = 0; fd < 1024; ++fd) count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    return answer_with(std::to_string(count));
  }
  ModulePlaces answer;
  for (const std::uint64_t address : addresses) {
    answer.places.push_back({Location{"at " + std::to_string(address), "", 0, false, ""}});
  }
  return answer;
}

Worker::Resolve make_misbehaving() { return misbehave; }

std::string symbol(Worker& worker, const std::string& module) {
  const ModulePlaces answer = worker.resolve({module, ""}, std::span(&kAddress, 1));
  EXPECT_EQ(answer.places.size(), 1u);
  return answer.places.at(0).empty() ? "" : answer.places[0][0].symbol;
}

std::string note(Worker& worker, const std::string& module) {
  const ModulePlaces answer = worker.resolve({module, ""}, std::span(&kAddress, 1));
  EXPECT_EQ(answer.places.size(), 1u);
  EXPECT_TRUE(answer.places.at(0).empty());
  return answer.note;
}

WorkerLimits quick_limits() {
  WorkerLimits limits;
  limits.cpu_seconds = 1;
  limits.silence_ms = 250'000;  // a busy machine is no silent child
  return limits;
}

TEST(Worker, OneChildAnswersAll) {
  Worker worker(make_misbehaving, false, quick_limits());
  const std::string child = symbol(worker, "pid");
  EXPECT_NE(child, std::to_string(getpid()));
  EXPECT_EQ(symbol(worker, "anything"), "at 4096");
  EXPECT_EQ(symbol(worker, "pid"), child);
}

TEST(Worker, CrashesAreReportedOnceAndDoNotSpread) {
  Worker worker(make_misbehaving, false, quick_limits());
  EXPECT_EQ(note(worker, "abort"),
            "abort: its symbols cannot be read safely (their reader ended by SIGABRT)");
  EXPECT_EQ(symbol(worker, "good"), "at 4096");
  EXPECT_EQ(note(worker, "segv"),
            "segv: its symbols cannot be read safely (their reader ended by SIGSEGV)");
  EXPECT_EQ(note(worker, "exit"),
            "exit: its symbols cannot be read safely (their reader ended with code 3)");
  const std::string child = symbol(worker, "pid");
  EXPECT_EQ(note(worker, "abort"), "");  // known: no child is risked again
  EXPECT_EQ(symbol(worker, "pid"), child);
}

TEST(Worker, AnAnswerThatDoesNotFitIsACrash) {
  Worker worker(make_misbehaving, false, quick_limits());
  EXPECT_NE(note(worker, "short"), "");
  EXPECT_EQ(symbol(worker, "good"), "at 4096");
}

TEST(Worker, EndlessWorkIsEnded) {
  Worker worker(make_misbehaving, false, quick_limits());
  EXPECT_EQ(note(worker, "spin"),
            "spin: its symbols cannot be read safely (their reader took too long)");
  EXPECT_EQ(symbol(worker, "good"), "at 4096");
}

TEST(Worker, SilenceIsEnded) {
  WorkerLimits limits;
  limits.silence_ms = 100;
  Worker worker(make_misbehaving, false, limits);
  EXPECT_EQ(note(worker, "sleep"),
            "sleep: its symbols cannot be read safely (their reader gave no answer)");
}

TEST(Worker, MemoryIsBounded) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "AddressSanitizer's shadow needs all of the address space";
#endif
  WorkerLimits limits = quick_limits();
  limits.memory_bytes = std::uint64_t{1} << 28;
  Worker worker(make_misbehaving, false, limits);
  EXPECT_EQ(note(worker, "new"),
            "new: its symbols cannot be read safely (their reader ended by SIGABRT)");
  EXPECT_EQ(symbol(worker, "good"), "at 4096");
}

TEST(Worker, GivesUpAfterManyCrashes) {
  Worker worker(make_misbehaving, false, quick_limits());
  std::string last;
  for (int i = 0; i < 8; ++i) {
    const ModulePlaces answer =
        worker.resolve({"abort", std::to_string(i)}, std::span(&kAddress, 1));
    EXPECT_NE(answer.note, "");
    last = answer.note;
  }
  EXPECT_TRUE(last.ends_with("no more symbols are looked up in this run")) << last;
  EXPECT_EQ(symbol(worker, "good"), "");
}

TEST(Worker, TheChildHasNoServersAndNoForeignDescriptors) {
  setenv("DEBUGINFOD_URLS", "http://127.0.0.1:1", 1);
  const int held = open("/dev/null", O_RDONLY);
  ASSERT_GE(held, 0);
  {
    Worker offline(make_misbehaving, false, quick_limits());
    EXPECT_EQ(symbol(offline, "urls"), "unset");
    EXPECT_EQ(symbol(offline, "descriptors"), "4");  // standard ones and the socket
    Worker online(make_misbehaving, true, quick_limits());
    EXPECT_EQ(symbol(online, "urls"), "http://127.0.0.1:1");
  }
  close(held);
  EXPECT_STREQ(std::getenv("DEBUGINFOD_URLS"), "http://127.0.0.1:1");
  unsetenv("DEBUGINFOD_URLS");
}

TEST(Worker, LeavesNoChildBehind) {
  {
    Worker worker(make_misbehaving, false, quick_limits());
    symbol(worker, "good");
    note(worker, "abort");
    symbol(worker, "good");
  }
  errno = 0;
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(Wire, RequestsAndAnswersComeBackAsTheyWere) {
  const std::vector<std::uint64_t> addresses{0, 1, ~std::uint64_t{0}};
  const auto request = decode_request(encode_request({"/a\nb", "00ff"}, addresses));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->key, (ModuleKey{"/a\nb", "00ff"}));
  EXPECT_EQ(request->addresses, addresses);

  ModulePlaces answer;
  answer.note = "note";
  answer.places = {{}, {{"f", "/x.c", 7, true, "C"}, {"g", "", 0, false, ""}}};
  const auto back = decode_answer(encode_answer(answer), 2);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->note, answer.note);
  EXPECT_EQ(back->places, answer.places);
}

TEST(Wire, DamagedAnswersAreRefusedOrHarmless) {
  ModulePlaces answer;
  answer.places = {{{"symbol", "/file.c", 7, true, "C"}}};
  const std::string good = encode_answer(answer);
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(decode_answer(good.substr(0, size), 1)) << size;
  }
  EXPECT_FALSE(decode_answer(good + "x", 1));
  EXPECT_FALSE(decode_answer(good, 2));
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0xFF);
    decode_answer(bad, 1);  // a sanitizer sees what it should not touch
  }
}

}  // namespace
}  // namespace umaskaudit::symbolize
