// Recognises V8 in node and finds the offsets of its structures; see v8_layout.h.
// Sources: src/objects/*.tq and src/execution/frame-constants.h of V8 9.4, 10.2, 11.3, 12.4 and
// 13.6, which are in node 16, 18, 20, 22 and 24.

#include "preload/script/v8_layout.h"

#include <cstring>

#include "preload/sys/format_text.h"

namespace umaskaudit::shim::v8_runtime {

namespace {

// The offsets that node does not export, by version.
struct Known {
  std::uint8_t major, minor, node;
  std::uint8_t alignment;  // of generated code
  std::uint8_t function_shared, shared_name, shared_script;
  std::uint8_t array_positions, array_data;
  std::uint8_t code_positions, code_deopt, code_start, code_size, code_flags, stream_start;
  std::uint8_t deopt_literals, deopt_inlining;
  std::uint8_t kind_baseline;
};
constexpr Known kKnown[] = {
    {9, 4, 16, 32, 24, 16, 32, 32, 54, 24, 16, 96, 40, 48, 96, 2, 7, 11},
    {10, 2, 18, 64, 24, 16, 32, 32, 54, 24, 16, 128, 40, 48, 128, 2, 7, 11},
    {11, 3, 20, 64, 24, 16, 32, 32, 54, 24, 16, 40, 52, 48, 16, 2, 7, 11},
    {12, 4, 22, 64, 32, 16, 32, 24, 64, 16, 8, 40, 52, 48, 32, 2, 7, 10},
    {13, 6, 24, 64, 32, 24, 40, 24, 64, 16, 8, 40, 56, 52, 32, 3, 8, 10},
};

// The value of the first of its names that is exported.
class Constants {
 public:
  explicit Constants(Exports& module) : module_(module) {}

  template <typename... Names>
  int value(int otherwise, Names... names) {
    for (const char* name : {names...}) {
      int found = 0;
      const std::uintptr_t at = module_.address_of(name);
      if (at != 0 && module_.get(at, found)) return found;
    }
    return otherwise;
  }
  // Records that a constant is missing.
  template <typename... Names>
  std::uint16_t type(Names... names) {
    const int found = value(-1, names...);
    if (found < 0 || found > UINT16_MAX) complete_ = false;
    return static_cast<std::uint16_t>(found);
  }
  // Where the module exports the constant too, the table must agree.
  template <typename... Names>
  void check(std::uint8_t known, Names... names) {
    if (value(known, names...) != known) agrees_ = false;
  }

  bool complete() const { return complete_; }
  bool agrees() const { return agrees_; }

 private:
  Exports& module_;
  bool complete_ = true;
  bool agrees_ = true;
};

const Known* find_known(int major, int minor) {
  for (const Known& known : kKnown) {
    if (known.major == major && known.minor == minor) return &known;
  }
  return nullptr;
}

void find_types(Constants& constants, Structures& v8) {
  v8.shared_type = constants.type("v8dbg_type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE");
  v8.script_type = constants.type("v8dbg_type_Script__SCRIPT_TYPE");
  v8.scope_type = constants.type("v8dbg_type_ScopeInfo__SCOPE_INFO_TYPE");
  v8.array_type = constants.type("v8dbg_type_BytecodeArray__BYTECODE_ARRAY_TYPE");
  v8.code_type = constants.type("v8dbg_type_Code__CODE_TYPE");
  v8.byte_array_type = constants.type("v8dbg_type_ByteArray__BYTE_ARRAY_TYPE");
  v8.first_other_type = constants.type("v8dbg_FirstNonstringType");
  v8.trusted_bytes_type = static_cast<std::uint16_t>(
      constants.value(v8.byte_array_type, "v8dbg_type_TrustedByteArray__TRUSTED_BYTE_ARRAY_TYPE"));
  v8.stream_type = static_cast<std::uint16_t>(
      constants.value(0, "v8dbg_type_InstructionStream__INSTRUCTION_STREAM_TYPE"));
  // The types of functions are consecutive; up to node 20 only that of a plain function is
  // exported.
  const int function = constants.type("v8dbg_type_JSFunction__JS_FUNCTION_TYPE");
  v8.first_function_type =
      static_cast<std::uint16_t>(constants.value(function - 12, "v8dbg_FirstJSFunctionType"));
  v8.last_function_type =
      static_cast<std::uint16_t>(constants.value(function + 20, "v8dbg_LastJSFunctionType"));
}

void take(const Known& known, Structures& v8) {
  v8.major = known.major;
  v8.has_streams = known.major >= 11;
  v8.code_alignment = known.alignment;
  v8.function_shared = known.function_shared;
  v8.shared_name = known.shared_name;
  v8.shared_script = known.shared_script;
  v8.array_positions = known.array_positions;
  v8.array_data = known.array_data;
  v8.code_positions = known.code_positions;
  v8.code_deopt = known.code_deopt;
  v8.code_start = known.code_start;
  v8.code_size = known.code_size;
  v8.code_flags = known.code_flags;
  v8.stream_start = known.stream_start;
  v8.deopt_literals = known.deopt_literals;
  v8.deopt_inlining = known.deopt_inlining;
  v8.kind_baseline = known.kind_baseline;
}

void check(Constants& constants, const Known& known) {
  constants.check(known.function_shared, "v8dbg_class_JSFunction__shared__SharedFunctionInfo");
  constants.check(known.shared_name, "v8dbg_class_SharedFunctionInfo__name_or_scope_info__Object",
                  "v8dbg_class_SharedFunctionInfo__name_or_scope_info__Tagged_Object_",
                  "v8dbg_class_SharedFunctionInfo__name_or_scope_info__Tagged_NameOrScopeInfoT_");
  constants.check(known.shared_script,
                  "v8dbg_class_SharedFunctionInfo__script_or_debug_info__HeapObject",
                  "v8dbg_class_SharedFunctionInfo__script__Tagged_HeapObject_");
  constants.check(kScriptName, "v8dbg_class_Script__name__Object");
  constants.check(kScriptSource, "v8dbg_class_Script__source__Object");
  constants.check(known.code_size, "v8dbg_class_Code__instruction_size__int");
  constants.check(known.code_flags, "v8dbg_class_Code__flags__uint32_t");
  constants.check(known.kind_baseline, "v8dbg_CodeKindBaseline");
  constants.check(known.stream_start,
                  "v8dbg_class_InstructionStream__instruction_start__uintptr_t");
  // A Smi is the upper half of a word: no compressed pointers.
  constants.check(31, "v8dbg_SmiShiftSize");
  constants.check(0, "v8dbg_SmiTag");
}

// Not inlined, because every new module is tested.
[[gnu::noinline]] void describe_v8(Exports& module, int major, Structures& found,
                                   RuntimeFacts& facts) {
  constexpr int kNone = -1;
  Constants constants(module);
  const int minor = constants.value(kNone, "_ZN2v88internal7Version6minor_E");
  facts.state = trace::RuntimeState::unknown_version;
  facts.has_linked_code = true;
  const Known* const known = find_known(major, minor);
  TextBuffer text(facts.text, sizeof facts.text);
  if (known != nullptr) text.put("Node.js ").decimal(known->node).put(", ");
  text.put("V8 ").decimal(static_cast<unsigned>(major)).put('.');
  text.decimal(static_cast<unsigned>(minor)).end();
  if (known == nullptr) return;
  take(*known, found);
  find_types(constants, found);
  found.scope_locals =
      static_cast<std::uint8_t>(constants.value(3, "v8dbg_scopeinfo_idx_first_vars"));
  found.shared_flags =
      static_cast<std::uint8_t>(constants.value(0, "v8dbg_class_SharedFunctionInfo__flags__int"));
  const Exports::Symbol sizes =
      module.find("_ZN2v88internal11interpreter9Bytecodes14kBytecodeSizesE");
  constexpr unsigned kScales = 3;
  found.bytecode_sizes = sizes.address;
  found.bytecodes = static_cast<std::uint16_t>(sizes.size / kScales);
  check(constants, *known);
  if (constants.complete() && constants.agrees()) facts.state = trace::RuntimeState::read;
}

}  // namespace

bool find_structures(Exports& module, Structures& found, RuntimeFacts& facts) {
  int major = 0;
  const std::uintptr_t version = module.address_of("_ZN2v88internal7Version6major_E");
  if (version == 0 || !module.get(version, major)) return false;
  describe_v8(module, major, found, facts);
  return true;
}

}  // namespace umaskaudit::shim::v8_runtime
