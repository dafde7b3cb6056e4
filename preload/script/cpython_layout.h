// Where CPython's structures are: from its own tables where it has some, else as verified against
// the headers of each version.
// Must never name a version that it was not verified for. Of cpython.cc and cpython_lines.cc.
#pragma once

#include <cstdint>

#include "preload/script/runtime.h"

namespace umaskaudit::shim::cpython_runtime {

// How a code object tells lines (cpython_lines.cc).
enum class LineTable : std::uint8_t {
  lnotab,     // to 3.9: pairs of increments
  pairs,      // 3.10: the same with ranges that have no line
  locations,  // since 3.11: entries of variable length
};

// Offsets in bytes, unless a name says otherwise. 0 where the version has no such field.
struct Structures {
  // Types of the interpreter, which objects point to.
  std::uintptr_t code_type, text_type, bytes_type;
  // Exported functions. All but the first may be missing.
  void* (*this_thread)();  // thread state of the calling thread, null: none
  void* (*holder)();       // of the thread that holds the interpreter's lock
  int (*is_ending)();      // whether the interpreter is being finalized
  std::uint8_t minor;      // of version 3
  LineTable lines;
  bool has_frame_objects;  // to 3.10: each frame is an object and an entry
  bool has_c_frame;        // 3.11 and 3.12: the thread state leads to the frame by one step more
  std::uint16_t thread_frame, c_frame_frame;
  std::uint16_t frame_previous, frame_code, frame_instruction, frame_owner, frame_entry;
  std::uint16_t code_file, code_name, code_lines, code_first_line, code_bytes, code_version;
  std::uint16_t ascii_text, compact_text;  // where the characters of a str object begin
};

// False: the module is no CPython. True: it is, and `facts` say whether its structures are known.
bool find_structures(Exports& module, Structures& found, RuntimeFacts& facts);

// The line of the instruction at `offset` of the bytecode; 0: it has none, or it cannot be read.
std::uint32_t line_of(Peek& memory, const Structures& python, std::uintptr_t code,
                      std::int32_t offset);

}  // namespace umaskaudit::shim::cpython_runtime
