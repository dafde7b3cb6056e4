#include "reporter/symbolize/debuginfod.h"

#include <dlfcn.h>

namespace umaskaudit::symbolize {
namespace {

using Begin = void*();
using End = void(void*);

template <typename Function>
Function* symbol_of(void* library, const char* name) {
  return reinterpret_cast<Function*>(dlsym(library, name));
}

}  // namespace

// Loaded on demand and not linked: it needs libcurl, which most users do not.
Debuginfod::Debuginfod() : library_(dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_LOCAL)) {
  if (library_ == nullptr) return;
  auto* begin = symbol_of<Begin>(library_, "debuginfod_begin");
  find_debug_info_ = symbol_of<Find>(library_, "debuginfod_find_debuginfo");
  find_program_ = symbol_of<Find>(library_, "debuginfod_find_executable");
  if (begin != nullptr && find_debug_info_ != nullptr && find_program_ != nullptr) {
    client_ = begin();
  }
}

// The library stays loaded: libcurl and its TLS back end do not support being unloaded.
Debuginfod::~Debuginfod() {
  if (client_ == nullptr) return;
  if (auto* end = symbol_of<End>(library_, "debuginfod_end"); end != nullptr) end(client_);
}

std::optional<ElfFile> Debuginfod::find(const std::string& build_id, Kind kind) {
  if (client_ == nullptr || build_id.empty()) return std::nullopt;
  Find* ask = kind == Kind::debug_info ? find_debug_info_ : find_program_;
  // Length 0: the id is a string of hex digits (debuginfod_find_debuginfo(3)).
  Descriptor fd(ask(client_, reinterpret_cast<const unsigned char*>(build_id.c_str()), 0, nullptr));
  if (!fd) return std::nullopt;
  Result<ElfFile> file = inspect_elf(std::move(fd), "debuginfod:" + build_id);
  if (!file || file->build_id != build_id) return std::nullopt;
  return std::move(*file);
}

}  // namespace umaskaudit::symbolize
