#include "reporter/symbolize/worker.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "reporter/symbolize/resolver.h"
#include "reporter/symbolize/wire.h"

namespace umaskaudit::symbolize {
namespace {

// A trace can name many bad files; each costs time until the limits end its child.
constexpr unsigned kMaxEnded = 16;
constexpr std::uint64_t kLeastMemory = 1u << 30;
// Debug files of large programs have some gigabytes.
constexpr int kDownloadMs = 900'000;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kLimitMemory = false;  // the shadow memory alone is 16 TiB of address space
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kLimitMemory = false;
#else
constexpr bool kLimitMemory = true;
#endif
#else
constexpr bool kLimitMemory = true;
#endif

void set_limit(__rlimit_resource resource, rlim_t value) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0) return;
  limit.rlim_cur = std::min(value, limit.rlim_max);
  setrlimit(resource, &limit);
}

// The child begins as a copy of the reporter, which may have mapped a large trace.
std::uint64_t mapped_bytes() {
  const Descriptor file(open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
  char text[64] = {};
  if (!file || read(file.get(), text, sizeof text - 1) <= 0) return 0;
  return std::strtoull(text, nullptr, 10) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::uint64_t default_memory() {
  const auto pages = static_cast<std::uint64_t>(std::max(sysconf(_SC_PHYS_PAGES), 0L));
  const std::uint64_t ram = pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return std::max(ram / 4 * 3, kLeastMemory);
}

void allow_cpu(unsigned seconds) {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const long so_far = used.ru_utime.tv_sec + used.ru_stime.tv_sec + 1;
  set_limit(RLIMIT_CPU, static_cast<rlim_t>(so_far) + seconds);
}

void confine(const WorkerLimits& limits, bool network) {
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  // ^C is for the reporter, which may still need names. When the reporter ends, its socket closes.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGQUIT, SIG_IGN);
  for (const int number : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGXCPU}) {
    std::signal(number, SIG_DFL);
  }
  // If memory runs out, the kernel should kill the child.
  if (const Descriptor score(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)); score) {
    (void)!write(score.get(), "1000", 4);
  }
  set_limit(RLIMIT_CORE, 0);
  if (!network) {
    set_limit(RLIMIT_FSIZE, 0);  // with it, libdebuginfod fills its cache
    // Our own code does not use it; this keeps other code in libdwfl from doing so.
    unsetenv("DEBUGINFOD_URLS");
  }
  if (kLimitMemory) {
    const std::uint64_t more = limits.memory_bytes != 0 ? limits.memory_bytes : default_memory();
    set_limit(RLIMIT_AS, mapped_bytes() + more);
  }
}

WorkerLimits limits_for(const SymbolOptions& options) {
  WorkerLimits limits;
  if (options.debuginfod) limits.silence_ms = kDownloadMs;
  return limits;
}

// How a child ended without a valid answer.
struct End {
  std::string how;     // for people
  bool final = false;  // a second child would end likewise
};

End end_of(std::optional<int> status) {
  if (!status) return {"gave no answer", true};
  if (!WIFSIGNALED(*status)) {
    return {"ended with code " + std::to_string(WEXITSTATUS(*status)), false};
  }
  const int number = WTERMSIG(*status);
  if (number == SIGXCPU) return {"took too long", true};
  if (number == SIGKILL) return {"gave no answer", true};
  return {std::string("ended by SIG") + sigabbrev_np(number), false};
}

}  // namespace

Worker::Worker(const SymbolOptions& options)
    : Worker(
          [options]() -> Resolve {
            auto resolver = std::make_shared<Resolver>(options);
            return [resolver](const ModuleKey& key, std::span<const std::uint64_t> addresses) {
              return resolver->resolve(key, addresses);
            };
          },
          options.debuginfod, limits_for(options)) {}

Worker::Worker(MakeResolve make, bool network, WorkerLimits limits)
    : make_(std::move(make)), network_(network), limits_(limits) {}

Worker::~Worker() { stop(); }

void Worker::serve(int socket) noexcept {
  confine(limits_, network_);
  const Resolve resolve = make_();
  for (;;) {
    const std::optional<std::string> bytes = receive_message(socket, -1);
    if (!bytes) _exit(0);  // the reporter closed the socket
    const std::optional<ModuleQuery> request = decode_request(*bytes);
    if (!request) _exit(1);
    allow_cpu(limits_.cpu_seconds);
    if (!send_message(socket, encode_answer(resolve(request->key, request->addresses)))) _exit(0);
  }
}

bool Worker::start() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return false;
  socket_ = Descriptor(ends[0]);
  Descriptor theirs(ends[1]);
  child_ = fork();
  if (child_ == 0) {
    // Close the reporter's descriptors: another process may wait for the end of a pipe that only
    // this child holds open.
    const int socket = theirs.get() == 3 ? 3 : dup2(theirs.get(), 3);
    // Error messages of libraries are not shown: the note says how the child ended.
    if (const Descriptor null(open("/dev/null", O_RDWR | O_CLOEXEC)); null) {
      for (int standard = 0; standard <= 2; ++standard) dup2(null.get(), standard);
    }
    close_range(4, ~0u, 0);
    serve(socket);
  }
  if (child_ < 0) {
    child_ = -1;
    socket_.reset();
  }
  return child_ > 0;
}

std::optional<int> Worker::stop() {
  if (child_ <= 0) return std::nullopt;
  socket_.reset();
  // If it crashed, its status has that signal: SIGKILL has no effect on an ended process.
  kill(child_, SIGKILL);
  int status = 0;
  pid_t reaped = 0;
  do {
    reaped = waitpid(child_, &status, 0);
  } while (reaped < 0 && errno == EINTR);
  if (reaped != std::exchange(child_, -1)) return std::nullopt;  // another waitpid(2) reaped it
  return status;
}

ModulePlaces Worker::resolve(const ModuleKey& key, std::span<const std::uint64_t> addresses) {
  ModulePlaces nothing;
  nothing.places.resize(addresses.size());
  if (poison_.contains(key) || ended_ >= kMaxEnded) return nothing;
  End end;
  // Tried twice: earlier modules may have used up the memory.
  for (int attempt = 0; attempt < 2 && !end.final; ++attempt) {
    if (child_ <= 0 && !start()) {
      nothing.note = std::string("cannot start the symboliser (") + std::strerror(errno) + ")";
      return nothing;
    }
    if (send_message(socket_.get(), encode_request(key, addresses))) {
      const std::optional<std::string> bytes = receive_message(socket_.get(), limits_.silence_ms);
      if (bytes) {
        if (std::optional<ModulePlaces> answer = decode_answer(*bytes, addresses.size()))
          return *answer;
      }
    }
    end = end_of(stop());
    ++ended_;
  }
  poison_.insert(key);
  nothing.note = key.path + ": its symbols cannot be read safely (their reader " + end.how + ")";
  if (ended_ >= kMaxEnded) nothing.note += "; no more symbols are looked up in this run";
  return nothing;
}

}  // namespace umaskaudit::symbolize
