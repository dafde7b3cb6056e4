// Reads the offsets that HotSpot exports for debuggers; see java_layout.h. Source:
// src/hotspot/share/runtime/vmStructs.hpp of OpenJDK 17.

#include "preload/script/java_layout.h"

#include <cstddef>
#include <cstring>

#include "preload/sys/format_text.h"

namespace umaskaudit::shim::java_runtime {

namespace {

enum class Wanted : std::uint8_t { offset, address };
struct Field {
  const char* type;
  const char* name;
  Wanted wanted;
  std::size_t to;  // offset in Structures
};
#define OFFSET(type, name, member) \
  { #type, #name, Wanted::offset, offsetof(Structures, member) }
#define ADDRESS(type, name, member) \
  { #type, #name, Wanted::address, offsetof(Structures, member) }
constexpr Field kFields[] = {
    ADDRESS(CodeCache, _heaps, heaps),
    ADDRESS(ThreadsSMRSupport, _java_thread_list, thread_list),
    ADDRESS(StubRoutines, _call_stub_return_address, call_stub_return),
    OFFSET(JavaThread, _anchor, thread_anchor),
    OFFSET(JavaThread, _thread_state, thread_state),
    OFFSET(JavaThread, _osthread, thread_system),
    OFFSET(OSThread, _thread_id, system_id),
    OFFSET(JavaFrameAnchor, _last_Java_sp, anchor_sp),
    OFFSET(JavaFrameAnchor, _last_Java_pc, anchor_pc),
    OFFSET(JavaFrameAnchor, _last_Java_fp, anchor_fp),
    OFFSET(CodeHeap, _memory, heap_memory),
    OFFSET(CodeHeap, _segmap, heap_segments),
    OFFSET(CodeHeap, _log2_segment_size, heap_shift),
    OFFSET(VirtualSpace, _low, space_low),
    OFFSET(VirtualSpace, _high, space_high),
    OFFSET(CodeBlob, _name, blob_name),
    OFFSET(CodeBlob, _frame_size, blob_frame_size),
    OFFSET(CodeBlob, _code_begin, blob_code),
    OFFSET(CompiledMethod, _method, compiled_method),
    OFFSET(CompiledMethod, _scopes_data_begin, compiled_scopes),
    OFFSET(nmethod, _metadata_offset, compiled_metadata),
    OFFSET(nmethod, _scopes_pcs_offset, compiled_places),
    OFFSET(nmethod, _dependencies_offset, compiled_places_end),
    OFFSET(Method, _constMethod, method_const),
    OFFSET(ConstMethod, _constants, const_pool),
    OFFSET(ConstMethod, _flags, const_flags),
    OFFSET(ConstMethod, _code_size, const_code_size),
    OFFSET(ConstMethod, _name_index, const_name),
    OFFSET(ConstantPool, _pool_holder, pool_holder),
    OFFSET(ConstantPool, _source_file_name_index, pool_source),
    OFFSET(Klass, _name, class_name),
    OFFSET(Symbol, _length, symbol_length),
    OFFSET(Symbol, _body, symbol_text),
};
#undef OFFSET
#undef ADDRESS
constexpr unsigned kFieldCount = sizeof kFields / sizeof kFields[0];

// A table that libjvm exports: the variable that points to it, and those with an entry's layout.
class Table {
 public:
  Table(Exports& module, const char* table, const char* stride) : module_(module) {
    known_ = value(table, at_) && value(stride, stride_) && stride_ != 0;
  }
  bool value(const char* name, std::uint64_t& out) {
    const std::uintptr_t at = module_.address_of(name);
    return at != 0 && module_.get(at, out);
  }
  bool known() const { return known_; }
  void next() { at_ += stride_; }
  std::uint64_t word(std::uint64_t offset) {
    std::uint64_t word = 0;
    module_.get(at_ + offset, word);
    return word;
  }

 private:
  Exports& module_;
  std::uint64_t at_ = 0;
  std::uint64_t stride_ = 0;
  bool known_ = false;
};

constexpr unsigned kMostEntries = 8192;

[[gnu::noinline]] bool read_fields(Exports& module, Structures& found) {
  Table table(module, "gHotSpotVMStructs", "gHotSpotVMStructEntryArrayStride");
  std::uint64_t type_at = 0;
  std::uint64_t name_at = 0;
  std::uint64_t offset_at = 0;
  std::uint64_t address_at = 0;
  if (!table.known() || !table.value("gHotSpotVMStructEntryTypeNameOffset", type_at) ||
      !table.value("gHotSpotVMStructEntryFieldNameOffset", name_at) ||
      !table.value("gHotSpotVMStructEntryOffsetOffset", offset_at) ||
      !table.value("gHotSpotVMStructEntryAddressOffset", address_at)) {
    return false;
  }
  unsigned count = 0;
  auto* const to = reinterpret_cast<unsigned char*>(&found);
  for (unsigned i = 0; i < kMostEntries && table.word(type_at) != 0; ++i, table.next()) {
    const std::uint64_t type = table.word(type_at);
    const std::uint64_t name = table.word(name_at);
    for (const Field& field : kFields) {
      if (!module.is_text(type, field.type) || !module.is_text(name, field.name)) continue;
      if (field.wanted == Wanted::address) {
        const std::uintptr_t address = table.word(address_at);
        std::memcpy(to + field.to, &address, sizeof address);
      } else {
        const std::uint64_t offset = table.word(offset_at);
        if (offset > UINT16_MAX) return false;
        const auto narrow = static_cast<std::uint16_t>(offset);
        std::memcpy(to + field.to, &narrow, sizeof narrow);
      }
      ++count;
    }
  }
  return count == kFieldCount;
}

[[gnu::noinline]] bool read_sizes(Exports& module, Structures& found) {
  Table table(module, "gHotSpotVMTypes", "gHotSpotVMTypeEntryArrayStride");
  std::uint64_t name_at = 0;
  std::uint64_t size_at = 0;
  if (!table.known() || !table.value("gHotSpotVMTypeEntryTypeNameOffset", name_at) ||
      !table.value("gHotSpotVMTypeEntrySizeOffset", size_at)) {
    return false;
  }
  for (unsigned i = 0; i < kMostEntries && table.word(name_at) != 0; ++i, table.next()) {
    const std::uint64_t name = table.word(name_at);
    const auto size = static_cast<std::uint16_t>(table.word(size_at));
    if (module.is_text(name, "ConstMethod")) found.const_size = size;
    if (module.is_text(name, "ConstantPool")) found.pool_size = size;
    if (module.is_text(name, "PcDesc")) found.place_size = size;
  }
  return found.const_size != 0 && found.pool_size != 0 && found.place_size != 0;
}

}  // namespace

bool find_structures(Exports& module, Structures& found, RuntimeFacts& facts) {
  const std::uintptr_t machines = module.address_of("JNI_GetCreatedJavaVMs");
  if (machines == 0) return false;
  facts.owns_generated_code = true;
  found.created_machines = reinterpret_cast<int (*)(void**, int, int*)>(machines);
  TextBuffer(facts.text, sizeof facts.text).put("HotSpot JVM").end();
  facts.state = trace::RuntimeState::unknown_version;
  if (read_fields(module, found) && read_sizes(module, found)) {
    facts.state = trace::RuntimeState::read;
  }
  return true;
}

}  // namespace umaskaudit::shim::java_runtime
