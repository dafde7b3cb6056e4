// The offsets in HotSpot's structures: libjvm exports a table of them for debuggers (vmStructs),
// with the name of each field.
// Must never assume a field that the table does not have.
#pragma once

#include <cstdint>

#include "preload/script/runtime.h"

namespace umaskaudit::shim::java_runtime {

// Offsets in bytes.
struct Structures {
  // Addresses of static fields.
  std::uintptr_t heaps, thread_list, call_stub_return;
  int (*created_machines)(void** machines, int room, int* count);
  std::uint16_t thread_anchor, thread_state, thread_system, system_id;
  std::uint16_t anchor_sp, anchor_pc, anchor_fp;
  std::uint16_t heap_memory, heap_segments, heap_shift, space_low, space_high;
  std::uint16_t blob_name, blob_frame_size, blob_code;
  std::uint16_t compiled_method, compiled_scopes, compiled_metadata, compiled_places,
      compiled_places_end;
  std::uint16_t method_const, const_pool, const_flags, const_code_size, const_name;
  std::uint16_t pool_holder, pool_source, class_name, symbol_length, symbol_text;
  std::uint16_t const_size, pool_size, place_size;
};

// False: the module is not HotSpot. True: it is, and `facts` say whether all fields were found.
bool find_structures(Exports& module, Structures& found, RuntimeFacts& facts);

}  // namespace umaskaudit::shim::java_runtime
