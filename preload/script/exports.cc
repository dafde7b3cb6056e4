// Reads DT_GNU_HASH; see exports.h.

#include "preload/script/exports.h"

#include <elf.h>
#include <sys/auxv.h>

#include <cstring>

namespace umaskaudit::shim {

Exports::Exports(std::uintptr_t bias, const ElfW(Dyn) * dynamic, const char* path)
    : bias_(bias), path_(path) {
  constexpr unsigned kMost = 512;  // of a section that does not end
  for (unsigned i = 0; dynamic != nullptr && i < kMost; ++i) {
    if (!dynamic_pages_.can_read(dynamic + i) || dynamic[i].d_tag == DT_NULL) return;
    const std::uintptr_t at = shim::address_of(bias, dynamic[i]);
    if (dynamic[i].d_tag == DT_SYMTAB) symbols_ = reinterpret_cast<const ElfW(Sym)*>(at);
    if (dynamic[i].d_tag == DT_STRTAB) strings_ = reinterpret_cast<const char*>(at);
    if (dynamic[i].d_tag == DT_GNU_HASH) hash_ = reinterpret_cast<const std::uint32_t*>(at);
  }
}

bool Exports::has_symbol(std::uint32_t index, const char* name, Symbol& out) {
  const ElfW(Sym)* const symbol = symbols_ + index;
  if (!symbol_pages_.can_read(symbol) || symbol->st_shndx == SHN_UNDEF) return false;
  const unsigned type = ELF64_ST_TYPE(symbol->st_info);
  if (type != STT_FUNC && type != STT_OBJECT) return false;
  if (!string_pages_.is_text(strings_ + symbol->st_name, name)) return false;
  out = {bias_ + symbol->st_value, symbol->st_size};
  return true;
}

// Bucket count, first symbol, words of the filter, its shift; filter, buckets, and for each symbol
// its hash, whose lowest bit ends the chain.
Exports::Symbol Exports::find(const char* name) {
  Symbol found;
  if (hash_ == nullptr || symbols_ == nullptr || strings_ == nullptr) return found;
  if (!hash_pages_.can_read(hash_, 16) || hash_[0] == 0 || hash_[2] == 0) return found;
  const std::uint32_t wanted = gnu_hash_of(name);
  constexpr unsigned kBits = 8 * sizeof(ElfW(Addr));
  const auto* const filter = reinterpret_cast<const ElfW(Addr)*>(hash_ + 4);
  const ElfW(Addr)* const word = filter + wanted / kBits % hash_[2];
  if (!bloom_pages_.can_read(word)) return found;
  const ElfW(Addr) bits = ElfW(Addr){1} << wanted % kBits | ElfW(Addr){1}
                                                                << (wanted >> hash_[3]) % kBits;
  if ((*word & bits) != bits) return found;
  const std::uint32_t* const buckets = hash_ + 4 + std::size_t{hash_[2]} * (sizeof(ElfW(Addr)) / 4);
  const std::uint32_t* const chains = buckets + hash_[0];
  const std::uint32_t* const bucket = buckets + wanted % hash_[0];
  if (!chain_pages_.can_read(bucket) || *bucket < hash_[1]) return found;
  constexpr unsigned kLongest = 4096;  // of a chain that does not end
  for (std::uint32_t i = *bucket - hash_[1], n = 0; n < kLongest; ++i, ++n) {
    if (!chain_pages_.can_read(chains + i)) break;
    if ((chains[i] | 1) == (wanted | 1) && has_symbol(i + hash_[1], name, found)) break;
    if ((chains[i] & 1) != 0) break;
  }
  return found;
}

bool Exports::is_program() {
  const std::uintptr_t at = getauxval(AT_PHDR);
  const std::size_t count = getauxval(AT_PHNUM);
  const auto* const headers = reinterpret_cast<const ElfW(Phdr)*>(at);
  if (at == 0 || !can_read(at, count * sizeof headers[0])) return false;
  for (std::size_t i = 0; i < count; ++i) {
    if (headers[i].p_type == PT_PHDR) return bias_ + headers[i].p_vaddr == at;
  }
  return false;
}

bool Exports::read(std::uintptr_t at, void* to, std::size_t size) {
  const auto* const from = reinterpret_cast<const void*>(at);
  if (!data_.can_read(from, size)) return false;
  std::memcpy(to, from, size);
  return true;
}

}  // namespace umaskaudit::shim
