#include "reporter/symbolize/symbol_table.h"

#include <algorithm>
#include <string_view>
#include <tuple>

#include "reporter/symbolize/names.h"

namespace umaskaudit::symbolize {
namespace {

struct Candidate {
  GElf_Addr low = 0;
  GElf_Addr high = 0;
  GElf_Addr section_end = 0;
  int rank = 0;  // among names for one address, the highest is shown
  std::string_view name;
};

bool names_code(const GElf_Sym& symbol) {
  const int type = GELF_ST_TYPE(symbol.st_info);
  // Symbols of hand-written assembly often have no type.
  return type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE;
}

int rank_of(const GElf_Sym& symbol) {
  int rank = GELF_ST_TYPE(symbol.st_info) == STT_NOTYPE ? 0 : 4;
  if (symbol.st_size != 0) rank += 8;
  const int bind = GELF_ST_BIND(symbol.st_info);
  // "write" (weak) is the known name, "__GI___libc_write" (local) an internal one.
  if (bind == STB_GLOBAL) rank += 2;
  if (bind == STB_WEAK) rank += 1;
  return rank;
}

// The end of the executable section that holds the symbol: a symbol without a size ends there at
// the latest. 0 when it is no code.
GElf_Addr code_end(Dwfl_Module* module, GElf_Addr address) {
  GElf_Addr inside = address;
  GElf_Addr bias = 0;
  Elf_Scn* section = dwfl_module_address_section(module, &inside, &bias);
  GElf_Shdr header;
  if (section == nullptr || gelf_getshdr(section, &header) == nullptr ||
      (header.sh_flags & SHF_EXECINSTR) == 0) {
    return 0;
  }
  return header.sh_addr + header.sh_size + bias;
}

}  // namespace

SymbolTable::SymbolTable(Dwfl_Module* module) {
  std::vector<Candidate> found;
  const int count = dwfl_module_getsymtab(module);
  for (int i = 0; i < count; ++i) {
    GElf_Sym symbol;
    GElf_Addr address = 0;
    GElf_Word section = 0;
    const char* name =
        dwfl_module_getsym_info(module, i, &symbol, &address, &section, nullptr, nullptr);
    // "$x" and the like are mapping symbols of the ARM and RISC-V assemblers, not functions.
    if (name == nullptr || *name == '\0' || *name == '$' || section == SHN_UNDEF ||
        !names_code(symbol))
      continue;
    Candidate candidate;
    candidate.low = address;
    candidate.rank = rank_of(symbol);
    candidate.name = name;
    if (symbol.st_size != 0) {
      candidate.high = address + symbol.st_size;
      if (candidate.high <= address) continue;  // overflow
    } else {
      candidate.section_end = code_end(module, address);
      if (candidate.section_end == 0) continue;
    }
    found.push_back(candidate);
  }
  std::sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) {
    if (std::tie(a.low, b.rank) != std::tie(b.low, a.rank)) {
      return std::tie(a.low, b.rank) < std::tie(b.low, a.rank);
    }
    const std::size_t a_size = a.name.size();
    const std::size_t b_size = b.name.size();
    return std::tie(a_size, a.name) < std::tie(b_size, b.name);  // "openat" before "openat64"
  });
  // One name for an address, and none without a size inside a function that has one, which is a
  // label. A symbol without a size extends to the next one.
  GElf_Addr sized_end = 0;
  bool open_end = false;
  for (const Candidate& symbol : found) {
    const bool known = !symbols_.empty() && symbols_.back().low == symbol.low;
    if (known || (symbol.high == 0 && symbol.low < sized_end)) continue;
    if (open_end) symbols_.back().high = std::min(symbols_.back().high, symbol.low);
    open_end = symbol.high == 0;
    symbols_.push_back(
        {symbol.low, open_end ? symbol.section_end : symbol.high, symbol.name.data()});
    sized_end = std::max(sized_end, symbol.high);
  }
}

std::string SymbolTable::name_at(GElf_Addr address) const {
  const AddressRange<const char*>* found = range_at(symbols_, address);
  return found == nullptr ? "" : demangle(found->value);
}

}  // namespace umaskaudit::symbolize
