// Selects the frame of a stack that a report shows (the cause), and the frames that belong to
// libraries.
// Must never read a file: frames are symbolised already.
#pragma once

#include <string>
#include <vector>

#include "reporter/symbolize/symbolizer.h"

namespace umaskaudit::symbolize {

// In a script stack, the innermost frame that is not in the library of its runtime; else the
// innermost of all script frames. In a native stack, the innermost frame that is not in the shim,
// libc, the standard library of C++ or Rust, or the packages that came with Go; else the innermost
// of all. Null for an empty stack.
const Frame* culprit(const std::vector<Frame>& stack);
// The same, but a template of the standard library counts as code of the program that it was
// compiled into. Fingerprints of version 2 began with that frame.
const Frame* innermost_code(const std::vector<Frame>& stack);

// For each frame: whether it is the program's own code. The others are frames of libraries, which
// are rarely of interest: libc and the C++ run time, the start of a program or a thread, the
// standard library of a language, an interpreter. If all are, the innermost ones count as own.
std::vector<bool> own_frames(const std::vector<Frame>& stack);

// Whether a native frame is in the standard library of C++ or Rust, compiled into the program.
bool is_standard_library(const Frame& frame);
// Whether a script frame is in the standard library of its language.
bool is_library(const Frame& frame);
// Whether a script frame is of text that is no file: an argument ("sh -c"), or made by the program.
bool is_given_text(const Frame& frame);
// Whether a module is the shim, libc, or the C++ run time.
bool is_c_runtime(const std::string& module);
// Whether a module is a program or library that runs scripts.
bool is_interpreter(const std::string& module);

// The part after the last slash.
std::string base_name(const std::string& path);

}  // namespace umaskaudit::symbolize
