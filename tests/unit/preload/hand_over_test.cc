// What is handed over to the tracer, and what is said where it refuses. The conversation itself is
// tested end to end (tests/e2e/test_hand_over.py). Run by meson.

#include "preload/process/hand_over.h"

#include <gtest/gtest.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace umaskaudit::shim {

namespace {

void set_tracer(const char* name) {
  Text& text = process.options.tracer;
  memset(text.bytes, 0, sizeof text.bytes);
  memcpy(text.bytes, name, strlen(name));
}

struct Tracer {
  explicit Tracer(const char* name) { set_tracer(name); }
  ~Tracer() { set_tracer(""); }
};

constexpr Obstacle kStatic{true, trace::Blind::exec_static};

std::string refusal(const HandOver& request) {
  char bytes[128];
  TextBuffer text(bytes, sizeof bytes);
  describe_refusal(request, text);
  return {text.begin(), text.length()};
}

TEST(HandOver, CoversWhatCannotLoadTheLibrary) {
  for (const auto reason :
       {trace::Blind::exec_static, trace::Blind::exec_abi, trace::Blind::exec_libc,
        trace::Blind::exec_library, trace::Blind::exec_run_directory, trace::Blind::go_runtime}) {
    EXPECT_TRUE(tracer_covers(reason)) << static_cast<int>(reason);
  }
  for (const auto reason : {trace::Blind::other, trace::Blind::exec_environment,
                            trace::Blind::io_uring, trace::Blind::seccomp, trace::Blind::no_mask}) {
    EXPECT_FALSE(tracer_covers(reason)) << static_cast<int>(reason);
  }
  EXPECT_EQ(tracer_covers(trace::Blind::exec_privileged), geteuid() == 0);
}

TEST(HandOver, AsksNobodyWithoutATracerOrAnObstacle) {
  EXPECT_FALSE(hand_over_call(trace::HandOverKind::take_exec, kStatic).asked());
  EXPECT_FALSE(hand_over_process(trace::HandOverScope::everything).asked());
  const Tracer tracer("umaskaudit-nobody.1");
  EXPECT_FALSE(hand_over_call(trace::HandOverKind::take_exec, {}).asked());
  EXPECT_FALSE(
      hand_over_call(trace::HandOverKind::take_exec, {true, trace::Blind::exec_environment})
          .asked());
}

TEST(HandOver, SaysWhyWhereNobodyListens) {
  const Tracer tracer("umaskaudit-nobody.1");
  errno = 4321;
  const HandOver call = hand_over_call(trace::HandOverKind::take_exec, kStatic);
  EXPECT_EQ(errno, 4321);
  EXPECT_TRUE(call.asked());
  EXPECT_FALSE(call.taken());
  EXPECT_EQ(call.error(), ECONNREFUSED);
  EXPECT_EQ(refusal(call), " (not traced: Connection refused)");
}

TEST(HandOver, ANameIsAsLongAsAnAddressHasRoom) {
  constexpr std::size_t kLongest = sizeof(sockaddr_un::sun_path) - 1;
  const std::string longest(kLongest, 'x');
  const Tracer tracer(longest.c_str());
  EXPECT_EQ(hand_over_call(trace::HandOverKind::take_exec, kStatic).error(), ECONNREFUSED);
  set_tracer((longest + "x").c_str());
  EXPECT_EQ(hand_over_call(trace::HandOverKind::take_exec, kStatic).error(), ENAMETOOLONG);
}

TEST(HandOver, SaysNothingOfWhatWasTaken) {
  EXPECT_EQ(refusal({}), "");
  EXPECT_EQ(refusal({0}), "");
  EXPECT_TRUE((HandOver{0}).taken());
  EXPECT_FALSE((HandOver{}).taken());
}

TEST(HandOver, ThePidStandsBehindTheLastDot) {
  EXPECT_EQ(pid_of_tracer("umaskaudit-1a2b.4711"), 4711);
  EXPECT_EQ(pid_of_tracer("a.b.c.7"), 7);
  EXPECT_EQ(pid_of_tracer("x.4194304"), 4194304);
  for (const char* name : {"", "x", "x.", "x.-1", "x.7a", "x.4194305", "x.99999999999999999999"}) {
    EXPECT_EQ(pid_of_tracer(name), 0) << name;
  }
}

}  // namespace

}  // namespace umaskaudit::shim
