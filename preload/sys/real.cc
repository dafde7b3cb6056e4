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

#include "preload/sys/at_start.h"
#include "preload/sys/before_relocation.h"
#include "preload/sys/dynamic.h"
#include "preload/sys/libc_names.h"
#include "preload/sys/start_environment.h"
#include "preload/sys/symbol_table.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

constexpr char kCallNames[] =
#define ROW(shape, ret, name, ...) #name "\0"
#include "preload/interceptors.def"
#undef ROW
    ;
const unsigned kCallNamesBytes = sizeof kCallNames - 1;

UMASKAUDIT_AT_START(words) constinit std::atomic<void*> real_functions[kCalls] = {};

UMASKAUDIT_AT_START(words) constinit void* old_spawn_functions[2] = {};

namespace {

// For each call: the offset of its name, and the name's hash.
struct NameTable {
  std::uint16_t at[kCalls] = {};
  std::uint32_t hash[kCalls] = {};
};
constexpr NameTable make_name_table() {
  NameTable table;
  unsigned at = 0;
  for (unsigned call = 0; call < kCalls; ++call) {
    table.at[call] = static_cast<std::uint16_t>(at);
    table.hash[call] = gnu_hash_of(kCallNames + at);
    while (kCallNames[at++] != '\0') {
    }
  }
  return table;
}
constexpr NameTable kNames = make_name_table();

const char* name_of(unsigned call) { return kCallNames + kNames.at[call]; }

}  // namespace

const char* call_name(Call call) { return name_of(static_cast<unsigned>(call)); }

namespace {

// The first definition behind ours in the loader's list, which for objects loaded at the start is
// the search order. Takes the loader's lock, like dlsym(3).
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

bool holds_us(const dl_phdr_info& object) {
  return holds(object, reinterpret_cast<std::uintptr_t>(&real_functions));
}

int search_object(dl_phdr_info* object, std::size_t, void* given) {
  auto& search = *static_cast<Search*>(given);
  if (!search.behind_us) {
    search.behind_us = holds_us(*object);
    return 0;
  }
  search.found = find_symbol_address(symbols_of(*object), search.name, search.version);
  return search.found != 0 ? 1 : 0;
}

void* search_behind_us(const char* name, const char* version = nullptr) {
  Search search{name, version, false, 0};
  dl_iterate_phdr(search_object, &search);
  return reinterpret_cast<void*>(search.found);
}

// Before glibc 2.34 some wrapped functions are in libpthread, librt and libdl, which a plugin may
// load later into a scope of its own: RTLD_NEXT does not find them there.
void* next_definition(const char* name) {
  const auto ask = reinterpret_cast<decltype(&dlsym)>(find_in_loaded("dlsym"));
  void* found = ask != nullptr ? ask(RTLD_NEXT, name) : nullptr;
  return found != nullptr ? found : search_behind_us(name);
}

void* next_definition(const char* name, const char* version) {
  const auto ask = reinterpret_cast<decltype(&dlvsym)>(find_in_loaded("dlvsym"));
  return ask != nullptr ? ask(RTLD_NEXT, name, version) : search_behind_us(name, version);
}

// For a program that finds our export of a function that its libc lacks, by a weak reference or
// dlsym(3): the kernel's call of that name, or ENOSYS, as an older kernel would answer.
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

long no_answer() { return -1; }  // errno has no address yet

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

namespace {

#if defined(__x86_64__)  // the other architecture is younger than the change
constexpr const char* kOldSpawnNames[] = {"posix_spawn", "posix_spawnp"};
#endif

// One pass over the objects behind us for all names, with hashes made at compile time: ld.so's own
// search, one dlsym(3) for each name, takes ten times as many instructions.
struct Sweep {
  bool behind_us = false;
  bool by_loader[kCalls] = {};  // an IFUNC: only the loader may call its resolver
};

// False: every name is resolved.
bool take_definitions(const dl_phdr_info& object, Sweep& sweep) {
  bool missing = false;
  const SymbolTable table = symbols_of(object);
  for (unsigned call = 0; call < kCalls; ++call) {
    std::atomic<void*>& slot = real_functions[call];
    if (sweep.by_loader[call] || slot.load(std::memory_order_relaxed) != nullptr) continue;
    const ElfSymbol* symbol = find_symbol(table, name_of(call), kNames.hash[call]);
    if (symbol == nullptr) {
      missing = true;
    } else if (is_chosen_at_run_time(*symbol)) {
      sweep.by_loader[call] = true;
    } else {
      slot.store(reinterpret_cast<void*>(table.bias + symbol->st_value), std::memory_order_relaxed);
    }
  }
#if defined(__x86_64__)
  for (unsigned i = 0; i < 2; ++i) {
    if (old_spawn_functions[i] != nullptr) continue;
    const std::uintptr_t found = find_symbol_address(table, kOldSpawnNames[i], kOldSpawnVersion);
    old_spawn_functions[i] = reinterpret_cast<void*>(found);
  }
#endif
  return missing;
}

int sweep_object(dl_phdr_info* object, std::size_t, void* given) {
  auto& sweep = *static_cast<Sweep*>(given);
  if (sweep.behind_us) return take_definitions(*object, sweep) ? 0 : 1;
  sweep.behind_us = holds_us(*object);
  return 0;
}

void ask_loader_for(unsigned call) {
  std::atomic<void*>& slot = real_functions[call];
  if (slot.load(std::memory_order_relaxed) != nullptr) return;
  slot.store(next_definition(name_of(call)), std::memory_order_relaxed);
}

void ask_loader_for_all() {
  for (unsigned call = 0; call < kCalls; ++call) ask_loader_for(call);
#if defined(__x86_64__)
  for (unsigned i = 0; i < 2; ++i) {
    if (old_spawn_functions[i] != nullptr) continue;
    old_spawn_functions[i] = next_definition(kOldSpawnNames[i], kOldSpawnVersion);
  }
#endif
}

bool is_known(Call call) {
  return real_functions[static_cast<unsigned>(call)].load(std::memory_order_relaxed) != nullptr;
}

}  // namespace

void resolve_all() {
  // An auditor (rtld-audit(7)) may change what dlsym(3) returns, so the tables do not decide.
  if (start_variable("LD_AUDIT") != nullptr) return ask_loader_for_all();
  Sweep sweep;
  dl_iterate_phdr(sweep_object, &sweep);
  // dlopen(3) loaded us: libc is in front of us in the loader's list, but behind us in our scope.
  if (!is_known(Call::umask)) return ask_loader_for_all();
  for (unsigned call = 0; call < kCalls; ++call) {
    if (sweep.by_loader[call]) ask_loader_for(call);
  }
}

}  // namespace umaskaudit::shim
