// The offsets in CPython's structures: from its own tables in versions that have some, else
// constants that were verified against the headers of each version.
// Must never use a version that was not verified.
#pragma once

#include <cstdint>

#include "preload/script/runtime.h"

namespace umaskaudit::shim::cpython_runtime {

// The format of a code object's line table (cpython_lines.cc).
enum class LineTable : std::uint8_t {
  lnotab,     // to 3.9: pairs of increments
  pairs,      // 3.10: the same with ranges that have no line
  locations,  // since 3.11: entries of variable length
};

// Offsets in bytes, unless the name says otherwise. 0: the version has no such field.
struct Structures {
  // Type objects of the interpreter, which other objects point to.
  std::uintptr_t code_type, text_type, bytes_type;
  // Exported functions. All but the first may be missing.
  void* (*this_thread)();        // thread state of the calling thread, null: none
  void* (*holder)();             // of the thread that holds the GIL
  int (*is_ending)();            // whether the interpreter is being finalized
  void* (*first_interpreter)();  // the list's head, and
  void* (*main_interpreter)();   // since 3.7, its last element
  std::uint8_t minor;            // of version 3
  LineTable lines;
  bool has_frame_objects;  // to 3.10: each frame is an object and an entry
  bool has_c_frame;  // 3.11 and 3.12: one more structure between the thread state and the frame
  std::uint16_t thread_frame, c_frame_frame;
  std::uint16_t thread_c_frame;  // 3.10 to 3.12: of the address of a structure on the C stack
  std::uint16_t thread_number;   // of pthread_self(3)
  std::uint16_t next_interpreter, threads_head;  // in an interpreter's state
  std::uint16_t frame_previous, frame_code, frame_instruction, frame_owner, frame_entry;
  std::uint16_t code_file, code_name, code_lines, code_first_line, code_bytes, code_version;
  std::uint16_t ascii_text, compact_text;  // where the characters of a str object begin
};

// False: the module is not CPython. True: it is, and `facts` say whether its layout is known.
bool find_structures(Exports& module, Structures& found, RuntimeFacts& facts);

// The line of the bytecode instruction at `offset`; 0: none, or not readable.
std::uint32_t line_of(Peek& memory, const Structures& python, std::uintptr_t code,
                      std::int32_t offset);

}  // namespace umaskaudit::shim::cpython_runtime
