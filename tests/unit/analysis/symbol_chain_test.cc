// Names of code for fingerprints: of a script its file and functions, whatever its interpreter
// does.
#include <gtest/gtest.h>

#include "reporter/analysis/symbol_chain.h"

namespace umaskaudit::analysis {
namespace {

symbolize::Frame native(const std::string& module, const std::string& symbol) {
  symbolize::Frame frame;
  frame.module = module;
  frame.symbol = symbol;
  return frame;
}

symbolize::Frame line(const std::string& file, const std::string& function, std::uint32_t number) {
  symbolize::Frame frame = native("/usr/bin/python3.11", function);
  frame.file = file;
  frame.line = number;
  frame.language = "Python";
  frame.script = true;
  return frame;
}

TEST(SymbolChain, OfAScriptHasNeitherLinesNorTheInterpreter) {
  const symbolize::Frame library = line("/usr/lib/python3.11/contextlib.py", "inner", 79);
  const std::vector<symbolize::Frame> cold = {native("/usr/bin/python3.11", "os_umask"),
                                              line("/srv/app.py", "set_mask", 12),
                                              library,
                                              native("/srv/_ext.so", "call"),
                                              line("/srv/lib/util.py", "work", 3),
                                              line("/srv/app.py", "<module>", 40),
                                              native("/lib/libc.so.6", "__libc_start_main")};
  const std::vector<symbolize::Frame> warm = {native("/usr/bin/python3.11", "cfunction_vectorcall"),
                                              native("/usr/bin/python3.11", "f"),
                                              line("/home/x/app.py", "set_mask", 13),
                                              line("/home/x/lib/util.py", "work", 4),
                                              library,
                                              line("/home/x/app.py", "<module>", 41)};
  EXPECT_EQ(symbol_chain(cold), "app.py!set_mask<util.py!work<app.py!<module>");
  EXPECT_EQ(symbol_chain(warm), symbol_chain(cold));
  EXPECT_EQ(place_of(cold), "app.py!set_mask");
  EXPECT_EQ(place_of(warm), place_of(cold));
  EXPECT_EQ(innermost_symbol(warm), innermost_symbol(cold));
}

TEST(SymbolChain, OfAScriptWithoutFunctionsIsItsFile) {
  symbolize::Frame shell = line("/srv/build.sh", "", 13);
  EXPECT_EQ(symbol_chain({shell}), "build.sh");
  EXPECT_EQ(place_of({shell}), "build.sh");
  shell.file.clear();
  shell.language = "shell";
  EXPECT_EQ(place_of({shell}), "shell");
}

TEST(SymbolChain, OfNativeCodeIsWhatItWas) {
  const std::vector<symbolize::Frame> stack = {native("/lib/libc.so.6", "umask"),
                                               native("/opt/app", "probe"),
                                               native("", ""),
                                               native("/usr/bin/python3.11", "eval"),
                                               native("/opt/app", "main"),
                                               native("/opt/app", "_start")};
  EXPECT_EQ(symbol_chain(stack), "app!probe<app!main");
  EXPECT_EQ(place_of(stack), "app!probe");
}

TEST(WithoutSignature, LeavesTheName) {
  const std::pair<const char*, const char*> names[] = {
      {"main", "main"},
      {"cfg::read_umask(int) [clone .isra.0]", "cfg::read_umask"},
      {"void save<std::vector<int> >(std::vector<int> const&)", "save<std::vector<int> >"},
      {"(anonymous namespace)::worker() const", "(anonymous namespace)::worker"},
      {"main::{lambda()#1}::operator()() const", "main::{lambda()#1}"},
      {"f(int, char (*)(int))::{lambda(int)#2}::operator()(int) const", "f::{lambda(int)#2}"},
      {"Set::operator()(int) const", "Set::operator()"},
      {"operator<<(Out&, int)", "operator<<"},
      {"Path::operator std::string() const", "Path::operator std::string"},
      {"text[abi:cxx11](int)", "text"},
      {"main.(*Config).Read", "main.(*Config).Read"},
      {"", ""}};
  for (const auto& [symbol, name] : names) EXPECT_EQ(without_signature(symbol), name);
}

}  // namespace
}  // namespace umaskaudit::analysis
