// OwnPlace: the line of the user's own code that led to a call, for editors and code scanning.
// Must never name a file that the user does not have: text given with -c has none, nor has libc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/analysis/stack_cache.h"
#include "reporter/symbolize/symbolizer.h"

namespace umaskaudit::render {

// Raw bytes.
struct OwnPlace {
  std::string file;  // as the compiler or the runtime had it, absolute where that is known
  std::uint32_t line = 0;
  std::string function;  // without parameters; empty: not known
  std::string module;    // the last component of its path; of a script empty
};

// The frame that a place names: the innermost one of the program's own with a line in a file; of a
// program without sources that a script started, that script's. Null where there is no stack.
const symbolize::Frame* own_frame(analysis::StackCache& stacks, StackRef ref);

// `root`: the directory that the run was started in; may be empty.
OwnPlace own_place(analysis::StackCache& stacks, StackRef ref, const std::string& root);

// The file of a frame. A script's is named as its runtime was given it, by default from `root`;
// "<string>", "-e", "node:fs" are no files, and the sources of libc and of the compiler's library
// are none that a user has.
std::string source_of(const symbolize::Frame& frame, const std::string& root);

// Relative to `directory` where it lies below it.
std::string_view path_below(std::string_view path, std::string_view directory);

// "src/race.cc:9 in cfg::read_umask", "cfg::read_umask (race)", "race"; escaped. The path is
// relative to `root` where it lies below it.
std::string own_place_text(const OwnPlace& place, const std::string& root);

}  // namespace umaskaudit::render
