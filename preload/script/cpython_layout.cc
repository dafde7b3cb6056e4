// Recognises CPython and finds the offsets of its structures; see cpython_layout.h.
// Sources: Include/internal/pycore_{frame,runtime,debug_offsets}.h,
// Include/cpython/{code,pystate}.h and Objects/{code,frame}object.c of the versions named.

#include "preload/script/cpython_layout.h"

#include <cstring>

#include "preload/sys/format_text.h"

namespace umaskaudit::shim::cpython_runtime {

namespace {

// PyTypeObject, of every version: ob_refcnt, ob_type, ob_size, tp_name, tp_basicsize ...
constexpr unsigned kTypeName = 24;
constexpr unsigned kTypeBasicSize = 32;
constexpr unsigned kTypeMembers = 240;

// PyMemberDef: name, type, offset, flags, doc.
struct Member {
  std::uintptr_t name;
  std::int64_t type, offset, flags;
  std::uintptr_t doc;
};

bool is_type(Exports& module, std::uintptr_t type, const char* name) {
  std::uintptr_t at = 0;
  return type != 0 && module.get(type + kTypeName, at) && module.is_text(at, name);
}

bool member(Exports& module, std::uintptr_t type, const char* name, std::uint16_t& out) {
  constexpr unsigned kMost = 64;
  std::uintptr_t at = 0;
  if (!module.get(type + kTypeMembers, at) || at == 0) return false;
  for (unsigned i = 0; i < kMost; ++i, at += sizeof(Member)) {
    Member found{};
    if (!module.get(at, found) || found.name == 0) return false;
    if (!module.is_text(found.name, name)) continue;
    if (found.offset <= 0 || found.offset > UINT16_MAX) return false;
    out = static_cast<std::uint16_t>(found.offset);
    return true;
  }
  return false;
}

template <typename Function>
Function function(Exports& module, const char* name) {
  return reinterpret_cast<Function>(module.address_of(name));
}

// 3.6 to 3.10 export no version: symbols that each of them added identify it.
std::uint8_t minor_by_exports(Exports& module, bool has_line_pairs) {
  if (has_line_pairs) return 10;
  if (module.address_of("PyModule_AddType") != 0) return 9;
  if (module.address_of("PyCode_NewWithPosOnlyArgs") != 0) return 8;
  return module.address_of("PyContext_New") != 0 ? 7 : 6;
}

bool describe_frame_objects(Exports& module, Structures& python) {
  const std::uintptr_t frame_type = module.address_of("PyFrame_Type");
  if (!is_type(module, frame_type, "frame")) return false;
  const bool pairs = member(module, python.code_type, "co_linetable", python.code_lines);
  if (!pairs && !member(module, python.code_type, "co_lnotab", python.code_lines)) return false;
  python.has_frame_objects = true;
  python.lines = pairs ? LineTable::pairs : LineTable::lnotab;
  python.minor = minor_by_exports(module, pairs);
  python.code_name = 0;
  if (!member(module, python.code_type, "co_name", python.code_name)) return false;
  python.thread_frame = 24;
  python.thread_c_frame = python.minor == 10 ? 48 : 0;
  python.thread_number = python.minor == 6 ? 152 : 176;
  python.threads_head = 8;
  python.frame_previous = 24;
  python.frame_code = 32;
  if (python.minor == 6) {
    python.frame_instruction = 120;
  } else {
    python.frame_instruction = python.minor == 10 ? 96 : 104;
  }
  std::uint16_t said = 0;
  if (member(module, frame_type, "f_lasti", said) && said != python.frame_instruction) return false;
  return !member(module, frame_type, "f_back", said) || said == python.frame_previous;
}

// The words of _Py_DebugOffsets after its cookie: version, free_threaded, then structures, each
// beginning with its size.
bool describe_by_offsets(Exports& module, Structures& python, std::uint32_t version) {
  const std::uintptr_t runtime = module.address_of("_PyRuntime");
  constexpr unsigned kWords = 64;
  std::uint64_t words[kWords];
  char cookie[8];
  if (runtime == 0 || !module.get(runtime, cookie) ||
      std::memcmp(cookie, "xdebugpy", sizeof cookie) != 0 ||
      !module.get(runtime + sizeof cookie, words)) {
    return false;
  }
  const bool free_threaded = words[1] != 0;
  if (words[0] >> 16 != version >> 16 || free_threaded) return false;
  const unsigned thread = python.minor == 13 ? 18 : 21;
  const unsigned frame = thread + 9;
  const unsigned code = frame + (python.minor == 13 ? 6 : 8);
  constexpr unsigned kInterpreter = 5;
  python.next_interpreter = static_cast<std::uint16_t>(words[kInterpreter + 2]);
  python.threads_head = static_cast<std::uint16_t>(words[kInterpreter + 3]);
  python.thread_frame = static_cast<std::uint16_t>(words[thread + 4]);
  python.thread_number = static_cast<std::uint16_t>(words[thread + 5]);
  python.frame_previous = static_cast<std::uint16_t>(words[frame + 1]);
  python.frame_code = static_cast<std::uint16_t>(words[frame + 2]);
  python.frame_instruction = static_cast<std::uint16_t>(words[frame + 3]);
  python.frame_owner = static_cast<std::uint16_t>(words[frame + 5]);
  return words[code + 1] == python.code_file && words[code + 4] == python.code_lines &&
         words[code + 9] == python.code_bytes;
}

bool describe_inner_frames(Exports& module, Structures& python, std::uint32_t version) {
  std::uint64_t basic_size = 0;
  if (!member(module, python.code_type, "co_qualname", python.code_name) ||
      !member(module, python.code_type, "co_linetable", python.code_lines) ||
      !module.get(python.code_type + kTypeBasicSize, basic_size)) {
    return false;
  }
  python.lines = LineTable::locations;
  python.code_bytes = static_cast<std::uint16_t>(basic_size);  // offsetof(co_code_adaptive)
  switch (python.minor) {
    case 11:
      python.has_c_frame = true;
      python.thread_frame = python.thread_c_frame = 56;
      python.thread_number = 152;
      python.threads_head = 16;
      python.c_frame_frame = 8;
      python.frame_previous = 48;
      python.frame_code = 32;
      python.frame_instruction = 56;
      python.frame_entry = 68;
      python.frame_owner = 69;
      return basic_size == 184;
    case 12:
      python.has_c_frame = true;
      python.thread_frame = python.thread_c_frame = 56;
      python.thread_number = 136;
      python.threads_head = 72;
      python.frame_previous = 8;
      python.frame_instruction = 56;
      python.frame_owner = 70;
      python.code_version = 92;
      return basic_size == 192;
    case 13:
    case 14:
      python.code_version = 92;
      return describe_by_offsets(module, python, version);
    default:
      return false;
  }
}

void write_name(RuntimeFacts& facts, const Structures& python, std::uint32_t version) {
  TextBuffer text(facts.text, sizeof facts.text);
  text.put("CPython 3.").decimal(python.minor);
  if (version != 0) text.put('.').decimal(version >> 8 & 0xff);
  text.end();
}

// Not inlined, because every new module is tested.
[[gnu::noinline]] void describe_cpython(Exports& module, Structures& found, RuntimeFacts& facts) {
  facts.state = trace::RuntimeState::unknown_version;
  found.code_type = module.address_of("PyCode_Type");
  found.text_type = module.address_of("PyUnicode_Type");
  found.bytes_type = module.address_of("PyBytes_Type");
  found.this_thread = function<void* (*)()>(module, "PyGILState_GetThisThreadState");
  found.holder = function<void* (*)()>(module, "PyThreadState_GetUnchecked");  // since 3.13
  if (found.holder == nullptr) {
    found.holder = function<void* (*)()>(module, "_PyThreadState_UncheckedGet");
  }
  found.is_ending = function<int (*)()>(module, "Py_IsFinalizing");  // since 3.13
  if (found.is_ending == nullptr) {
    found.is_ending = function<int (*)()>(module, "_Py_IsFinalizing");
  }
  found.first_interpreter = function<void* (*)()>(module, "PyInterpreterState_Head");
  found.main_interpreter = function<void* (*)()>(module, "PyInterpreterState_Main");
  std::uint32_t version = 0;
  const std::uintptr_t version_at = module.address_of("Py_Version");  // since 3.11
  if (version_at != 0) module.get(version_at, version);
  found.minor = version >> 16 & 0xff;
  found.ascii_text = found.minor >= 12 ? 40 : 48;
  found.compact_text = found.minor >= 12 ? 56 : 72;
  const bool known = found.this_thread != nullptr && is_type(module, found.code_type, "code") &&
                     is_type(module, found.text_type, "str") &&
                     is_type(module, found.bytes_type, "bytes") &&
                     member(module, found.code_type, "co_filename", found.code_file) &&
                     member(module, found.code_type, "co_firstlineno", found.code_first_line) &&
                     (version == 0 ? describe_frame_objects(module, found)
                                   : describe_inner_frames(module, found, version));
  write_name(facts, found, version);
  if (known) facts.state = trace::RuntimeState::read;
}

}  // namespace

bool find_structures(Exports& module, Structures& found, RuntimeFacts& facts) {
  const Exports::Symbol evaluator = module.find("_PyEval_EvalFrameDefault");
  if (evaluator.size == 0) return false;
  facts.evaluator = evaluator.address;
  facts.evaluator_size = evaluator.size;
  describe_cpython(module, found, facts);
  return true;
}

}  // namespace umaskaudit::shim::cpython_runtime
