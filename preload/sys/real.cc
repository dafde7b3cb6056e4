// Resolves the REAL pointers; see real.h.

#include "preload/sys/real.h"

#include <errno.h>
#include <mqueue.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstring>
#include <type_traits>

#include "preload/sys/before_relocation.h"
#include "preload/sys/libc_names.h"
#include "preload/sys/symbol_table.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

const char kCallNames[] =
#define ROW(shape, ret, name, ...) #name "\0"
#include "preload/interceptors.def"
#undef ROW
    ;
const unsigned kCallNamesBytes = sizeof kCallNames - 1;

constinit std::atomic<void*> real_functions[kCalls] = {};

void* old_spawn_functions[2] = {};

const char* call_name(Call call) {
  const char* name = kCallNames;
  for (unsigned skip = static_cast<unsigned>(call); skip > 0; --skip) name += strlen(name) + 1;
  return name;
}

namespace {

// Where there is no dlsym(3): the first definition behind ours, in the loader's order (for what the
// program was started with, that is the order of its search). Takes the loader's lock like dlsym.
struct Search {
  const char* name;
  const char* version;  // null: the default one
  bool behind_us;
  std::uintptr_t found;
};

bool holds(const dl_phdr_info& object, std::uintptr_t address) {
  for (unsigned i = 0; i < object.dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object.dlpi_phdr[i];
    const std::uintptr_t start = object.dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD && address - start < segment.p_memsz) return true;
  }
  return false;
}

int search_object(dl_phdr_info* object, std::size_t, void* given) {
  auto& search = *static_cast<Search*>(given);
  if (!search.behind_us) {
    search.behind_us = holds(*object, reinterpret_cast<std::uintptr_t>(&real_functions));
    return 0;
  }
  for (unsigned i = 0; i < object->dlpi_phnum && search.found == 0; ++i) {
    if (object->dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
    const auto* dynamic =
        reinterpret_cast<const ElfW(Dyn)*>(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
    const SymbolTable table = read_symbol_table(object->dlpi_addr, dynamic, Addresses::by_loader);
    search.found = find_symbol_address(table, search.name, search.version);
  }
  return search.found != 0 ? 1 : 0;
}

void* search_behind_us(const char* name, const char* version = nullptr) {
  Search search{name, version, false, 0};
  dl_iterate_phdr(search_object, &search);
  return reinterpret_cast<void*>(search.found);
}

// In glibc before 2.34 a part of what we wrap is in libpthread, librt and libdl, which a plugin may
// bring later, for itself alone: RTLD_NEXT does not see it.
void* next_definition(const char* name) {
  void* found = &dlsym != nullptr ? dlsym(RTLD_NEXT, name) : nullptr;
  return found != nullptr ? found : search_behind_us(name);
}

void* next_definition(const char* name, const char* version) {
  return &dlvsym != nullptr ? dlvsym(RTLD_NEXT, name, version) : search_behind_us(name, version);
}

// What a program gets that found our export where its libc has no such function, by a weak
// reference or dlsym(3): the kernel's call of that name, or the answer of a kernel without it.
constexpr bool kReturnsPointer[] = {
#define ROW(shape, ret, name, ...) std::is_pointer_v<ret>,
#include "preload/interceptors.def"
#undef ROW
};

template <long kResult>
long not_there() {
  errno = ENOSYS;
  return kResult;
}

int error_not_there() { return ENOSYS; }

long no_answer() { return -1; }  // there is no errno yet

template <long kNumber>
long by_the_kernel(long a, long b, long c, long d, long e) {
  const long result = sys::call(kNumber, a, b, c, d, e);
  if (!sys::failed(result)) return result;
  errno = static_cast<int>(-result);
  return -1;
}

void* substitute(Call call) {
  switch (call) {
    case Call::renameat2:  // glibc 2.28
      return reinterpret_cast<void*>(&by_the_kernel<SYS_renameat2>);
    case Call::execveat:  // glibc 2.34
      return reinterpret_cast<void*>(&by_the_kernel<SYS_execveat>);
    case Call::posix_spawn:
    case Call::posix_spawnp:
    case Call::posix_spawn_file_actions_addopen:
    case Call::pthread_create:
    case Call::pthread_setname_np:
      return reinterpret_cast<void*>(&error_not_there);
    default:
      return kReturnsPointer[static_cast<unsigned>(call)] ? reinterpret_cast<void*>(&not_there<0>)
                                                          : reinterpret_cast<void*>(&not_there<-1>);
  }
}

}  // namespace

void* resolve_one(Call call) {
  if (!is_relocated()) {
    void* found = find_before_relocation(call);
    return found != nullptr ? found : reinterpret_cast<void*>(&no_answer);
  }
  void* function = next_definition(call_name(call));
  if (function == nullptr) return substitute(call);
  real_functions[static_cast<unsigned>(call)].store(function, std::memory_order_relaxed);
  return function;
}

void resolve_all() {
#if defined(__x86_64__)  // the other architecture is younger than the change
  old_spawn_functions[0] = next_definition("posix_spawn", kOldSpawnVersion);
  old_spawn_functions[1] = next_definition("posix_spawnp", kOldSpawnVersion);
#endif
  const char* name = kCallNames;
  for (auto& slot : real_functions) {
    if (slot.load(std::memory_order_relaxed) == nullptr) {
      slot.store(next_definition(name), std::memory_order_relaxed);
    }
    name += strlen(name) + 1;
  }
}

}  // namespace umaskaudit::shim
