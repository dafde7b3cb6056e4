// What the victims say about themselves, and the small tools of these tests.
// Must never ask the symboliser: everything here is ground truth.
// Used by all tests of this folder.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reporter/symbolize/symbolizer.h"

namespace umaskaudit::symbolize {

struct Expected {
  unsigned line = 0;
  std::string function;
};

struct Sample {
  std::string module;
  std::string build_id;
  std::uint64_t offset = 0;
  std::vector<Expected> places;  // innermost first
};

// Runs a victim program of this build directory with victim libraries of it.
std::vector<Sample> run_victim(const std::string& program,
                               const std::vector<std::string>& libraries);

// The samples within one victim, by its file name. Never empty: that fails the test.
std::vector<Sample> samples_of(const std::string& file);

// The path of a victim of this build.
std::string victim(const std::string& file);

// Default options but for one.
SymbolOptions with_debug_dir(const std::string& directory);
SymbolOptions with_sysroot(const std::string& directory);

// Expects that `frames` are what the compiler said: functions, lines, inlined marks.
void expect_frames(const Sample& sample, const std::vector<Frame>& frames);

// A new directory, removed with everything in it.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string path(const std::string& name = "") const;

 private:
  std::string path_;
};

bool has_tool(const std::string& name);
// Runs a program found in PATH and returns what it prints; fails the test when it fails.
std::string run_tool(const std::vector<std::string>& arguments);

std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& bytes);

}  // namespace umaskaudit::symbolize
