// Names of functions as people say them, and which frames of a stack are shown.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "reporter/render/function_name.h"
#include "reporter/render/stack_text.h"
#include "reporter/symbolize/culprit.h"

namespace umaskaudit::render {
namespace {

std::string name_of(const std::string& symbol, const std::string& language = "C++") {
  symbolize::Frame frame;
  frame.symbol = symbol;
  frame.language = language;
  return function_name(frame);
}

TEST(FunctionName, HasNoParametersNoTypeAndNoArguments) {
  EXPECT_EQ(name_of("main"), "main");
  EXPECT_EQ(name_of("read_umask()"), "read_umask");
  EXPECT_EQ(name_of("cfg::read(char const*, int) const"), "cfg::read");
  EXPECT_EQ(name_of("int cfg::read<char>(std::vector<char, std::allocator<char> >&) const"),
            "cfg::read<...>");
  EXPECT_EQ(name_of("Cache<int, std::string>::put(std::pair<int, int>)"), "Cache<...>::put");
  EXPECT_EQ(name_of("(anonymous namespace)::save(int)"), "(anonymous namespace)::save");
  EXPECT_EQ(name_of("void (anonymous namespace)::save<int>(int)"),
            "(anonymous namespace)::save<...>");
  EXPECT_EQ(name_of("unsigned long a::f<b::c>(b::c)"), "a::f<...>");
}

TEST(FunctionName, KeepsOperators) {
  EXPECT_EQ(name_of("A::operator()(int) const"), "A::operator()");
  EXPECT_EQ(name_of("operator<<(A&, int)"), "operator<<");
  EXPECT_EQ(name_of("A::operator->() const"), "A::operator->");
  EXPECT_EQ(name_of("A::operator new(unsigned long)"), "A::operator new");
  EXPECT_EQ(name_of("bool operator< <int>(A<int> const&, A<int> const&)"), "operator< <int>");
}

TEST(FunctionName, OfALambdaIsThatOfWhatIsAroundIt) {
  EXPECT_EQ(name_of("main::{lambda()#1}::operator()() const"), "main::{lambda#1}");
  EXPECT_EQ(name_of("main::<lambda()>::operator()"), "main::{lambda}");
  EXPECT_EQ(name_of("save(int)::{lambda(int)#2}::operator()(int) const"), "save::{lambda#2}");
}

TEST(FunctionName, OfOtherLanguagesIsAsItIs) {
  EXPECT_EQ(name_of("main.(*T).Save", "Go"), "main.(*T).Save");
  EXPECT_EQ(name_of("main.(*T).Save", ""), "main.(*T).Save");
  EXPECT_EQ(name_of("<a::B as c::D>::write", ""), "<a::B as c::D>::write");
  EXPECT_EQ(name_of("app::run<T>", "Rust"), "app::run<T>");
}

TEST(FunctionName, IsNeverLostToBracketsThatDoNotMatch) {
  for (const char* odd : {"f(", "f<", "<", "(", ")", ">", "f>", "operator", "{lambda(", "f(<)",
                          "void ", " ", "a<b>(c"})
    EXPECT_FALSE(name_of(odd).empty()) << odd;
  EXPECT_EQ(name_of(std::string(1 << 20, '<')).size(), std::size_t{1} << 20);
  EXPECT_FALSE(name_of(std::string(4000, '<')).empty());
}

symbolize::Frame native(const std::string& module, const std::string& symbol,
                        const std::string& file = "", std::uint32_t line = 0) {
  symbolize::Frame frame;
  frame.module = module;
  frame.symbol = symbol;
  frame.file = file;
  frame.line = line;
  frame.language = "C++";
  frame.offset = 0x10;
  return frame;
}

TEST(OwnFrames, AreShownAndTheOthersCounted) {
  const std::string app = "/srv/app", libc = "/lib/x/libc.so.6";
  const std::vector<symbolize::Frame> stack = {
      native(libc, "umask"),
      native(app, "std::__invoke<int>", "/usr/include/c++/12/x.h", 3),
      native(app, "read()", "/src/app.cc", 9),
      native(app, "void std::f<int>(int)"),
      native("/srv/libown.so", "own::call(int)"),
      native(libc, "start_thread"),
      native(app, "_start")};
  EXPECT_EQ(own_stack_lines(stack, 2),
            "  #0 read /src/app.cc:9 (app)\n"
            "  #1 own::call (libown.so+0x10)\n"
            "  ... 5 library frames (--all-frames)\n");
  EXPECT_EQ(culprit(stack)->symbol, "read()");
}

TEST(OwnFrames, TheInnermostAreShownWhereThereAreNoOthers) {
  const std::string libc = "/lib/x/libc.so.6";
  const std::vector<symbolize::Frame> stack(5, native(libc, "umask"));
  EXPECT_EQ(own_stack_lines(stack, 0),
            "#0 umask (libc.so.6+0x10)\n#1 umask (libc.so.6+0x10)\n#2 umask (libc.so.6+0x10)\n"
            "... 2 library frames (--all-frames)\n");
  EXPECT_EQ(own_stack_lines({}, 0), "");
}

TEST(OwnFrames, ANamespaceOfTheProgramIsNoLibraryOfRust) {
  symbolize::Frame frame = native("/srv/app", "core::save(int)", "/src/core.cc", 3);
  EXPECT_FALSE(is_standard_library(frame));
  frame.symbol = "core::ops::function::FnOnce::call_once";
  frame.language = "Rust";
  EXPECT_TRUE(is_standard_library(frame));
}

}  // namespace
}  // namespace umaskaudit::render
