// Exports: the symbols that a module exports (elf(5)), looked up without the loader.
// Must never take the loader's lock, nor fault: the program may have made pages of the module
// unreadable, so each page of the tables is tested before it is read.
#pragma once

#include <link.h>

#include <cstdint>

#include "preload/sys/dynamic.h"

namespace umaskaudit::shim {

// For a module with a frame on the calling thread's stack: it is not unloaded meanwhile.
class Exports {
 public:
  Exports(std::uintptr_t bias, const ElfW(Dyn) * dynamic, const char* path);

  struct Symbol {
    std::uintptr_t address = 0;  // 0: the module does not export it
    std::size_t size = 0;
  };
  // Finds functions and data, of any version; not thread-local variables.
  Symbol find(const char* name);
  std::uintptr_t address_of(const char* name) { return find(name).address; }

  // Whether `size` bytes of the module from `at` on can be read.
  bool can_read(std::uintptr_t at, std::size_t size) {
    return data_.can_read(reinterpret_cast<const void*>(at), size);
  }
  // Reads data of the module. False: not readable.
  bool read(std::uintptr_t at, void* to, std::size_t size);
  template <typename T>
  bool get(std::uintptr_t at, T& out) {
    return read(at, &out, sizeof out);
  }
  // Whether the string at `at` equals `text`.
  bool is_text(std::uintptr_t at, const char* text) {
    return data_.is_text(reinterpret_cast<const char*>(at), text);
  }

  // Whether the module is the program itself, not a library.
  bool is_program();

  std::uintptr_t bias() const { return bias_; }
  const char* path() const { return path_; }

 private:
  bool has_symbol(std::uint32_t index, const char* name, Symbol& out);

  std::uintptr_t bias_;
  const char* path_;
  const ElfW(Sym) * symbols_ = nullptr;
  const char* strings_ = nullptr;
  const std::uint32_t* hash_ = nullptr;  // DT_GNU_HASH; null: none
  // The pages that were tested last, one for each table.
  ReadableTable dynamic_pages_, hash_pages_, bloom_pages_, chain_pages_, symbol_pages_,
      string_pages_, data_;
};

}  // namespace umaskaudit::shim
