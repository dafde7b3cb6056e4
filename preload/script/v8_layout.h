// The offsets in V8's structures: from the constants that node exports for debuggers (v8dbg_*), and
// from a table by version for the rest.
// Must never use a version that was not verified.
#pragma once

#include <cstdint>

#include "preload/script/runtime.h"

namespace umaskaudit::shim::v8_runtime {

// Offsets in bytes from the beginning of an object, where its map is.
struct Structures {
  std::uint8_t major;
  bool has_streams;  // since 11: instructions are not in the Code object
  std::uint8_t code_alignment;
  std::uint8_t function_shared, shared_name, shared_script, shared_flags;
  std::uint8_t array_positions, array_data;
  std::uint8_t code_positions, code_deopt, code_start, code_size, code_flags;
  std::uint8_t stream_start, deopt_literals, deopt_inlining, scope_locals;
  std::uint8_t kind_baseline;
  // Instance types.
  std::uint16_t shared_type, script_type, scope_type, array_type, code_type, stream_type;
  std::uint16_t byte_array_type, trusted_bytes_type, first_function_type, last_function_type;
  std::uint16_t first_other_type;  // lower ones are strings
  // Sizes of bytecodes, by operand scale and bytecode.
  std::uintptr_t bytecode_sizes;
  std::uint16_t bytecodes;
};

// The same in every known version.
inline constexpr unsigned kMapType = 12;  // 16 bits
inline constexpr unsigned kScriptSource = 8;
inline constexpr unsigned kScriptName = 16;
inline constexpr unsigned kScriptLineOffset = 24;
inline constexpr unsigned kScriptId = 64;
inline constexpr unsigned kStringLength = 12;
inline constexpr unsigned kStringChars = 16;
inline constexpr unsigned kArrayLength = 8;
inline constexpr unsigned kArrayItems = 16;
// Below the frame pointer: context, or a Smi in frames of no function; function.
inline constexpr unsigned kFrameContext = 8;
inline constexpr unsigned kFrameFunction = 16;
inline constexpr unsigned kFrameArray = 32;
inline constexpr unsigned kFrameOffset = 40;

// False: the module has no V8. True: it has, and `facts` say whether its layout is known.
bool find_structures(Exports& module, Structures& found, RuntimeFacts& facts);

}  // namespace umaskaudit::shim::v8_runtime
