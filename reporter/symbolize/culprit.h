// The one frame of a stack that people want to see, and which frames they do not.
// Must never look at a file: frames are symbolised already.
#pragma once

#include <string>
#include <vector>

#include "reporter/symbolize/symbolizer.h"

namespace umaskaudit {

// Of a script the innermost frame that is not in the library that came with its runtime; the
// innermost of all when every one is. Else the innermost native frame that is not the shim's,
// libc's, of the standard library of C++ or Rust, or of the packages that came with Go: the code
// that did it. The innermost of all when every frame is theirs; null for an empty stack.
const Frame* culprit(const std::vector<Frame>& stack);
// The same, but a template of the standard library counts as code of the program that it was
// compiled into. Fingerprints of the second version began there.
const Frame* innermost_code(const std::vector<Frame>& stack);

// For each frame: is it code of the program's own? The others are frames of libraries, which a
// reader is not interested in: libc and the C++ run time, what starts a program or a thread, the
// standard library of a language, an interpreter. Where there is no other frame, the innermost ones
// count as own.
std::vector<bool> own_frames(const std::vector<Frame>& stack);

// A native frame: of the standard library of C++ or Rust, compiled into the program.
bool is_standard_library(const Frame& frame);
// A frame of a script: of the standard library of its language.
bool is_library(const Frame& frame);
// A frame of a script that is no file: its text was an argument ("sh -c"), or made by the program.
bool is_given_text(const Frame& frame);
// Of a module: the shim, libc, or the C++ run time.
bool is_c_runtime(const std::string& module);
// Of a module: a program or a library that runs other people's scripts.
bool is_interpreter(const std::string& module);

// The name behind the last slash.
std::string base_name(const std::string& path);

}  // namespace umaskaudit
