// Decodes a few instructions; see code_sites.h.

#include "reporter/tracer/code_sites.h"

#include <cstring>

namespace umaskaudit::tracer {

namespace {

constexpr std::size_t kBefore = 8;
constexpr std::size_t kBehind = 9;

#if defined(__x86_64__)

// The length of an indirect `call` (opcode ff, /2), without a prefix, by its ModR/M and SIB bytes
// (Intel's manual, volume 2, section 2.1).
unsigned length_of_indirect(const std::uint8_t* code) {
  const unsigned mode = code[1] >> 6;
  const unsigned base = code[1] & 7;
  if (mode == 3) return 2;
  const bool sib = base == 4;
  unsigned length = sib ? 3 : 2;
  if (mode == 1) length += 1;
  if (mode == 2 || (mode == 0 && (base == 5 || (sib && (code[2] & 7) == 5)))) length += 4;
  return length;
}

// Follows an entry of a procedure linkage table (psABI, section 5.2): optional endbr64, and a jump
// through a pointer in the global offset table.
std::uint64_t behind_linkage(ProcessMemory memory, std::uint64_t target) {
  static constexpr std::uint8_t kEndbr[] = {0xf3, 0x0f, 0x1e, 0xfa};
  std::uint8_t code[12] = {};
  if (memory.read(target, code, sizeof code) != sizeof code) return target;
  std::size_t at = memcmp(code, kEndbr, sizeof kEndbr) == 0 ? sizeof kEndbr : 0;
  if (code[at] == 0xf2) ++at;  // bnd
  if (code[at] != 0xff || code[at + 1] != 0x25) return target;
  std::int32_t distance = 0;
  memcpy(&distance, code + at + 2, sizeof distance);
  const std::uint64_t slot = target + at + 6 + static_cast<std::uint64_t>(std::int64_t{distance});
  std::uint64_t pointer = 0;
  return memory.read(slot, &pointer, sizeof pointer) == sizeof pointer ? pointer : target;
}

void read_call(ProcessMemory memory, const std::uint8_t* at, std::uint64_t address,
               CodeSite& site) {
  if (at[-5] == 0xe8) {
    std::int32_t distance = 0;
    memcpy(&distance, at - 4, sizeof distance);
    site.behind_call = true;
    const std::uint64_t target = address + static_cast<std::uint64_t>(std::int64_t{distance});
    site.target = behind_linkage(memory, target);
    return;
  }
  for (unsigned length = 2; length <= 7; ++length) {
    const std::uint8_t* const code = at - length;
    if (code[0] != 0xff || (code[1] & 0x38) != 0x10) continue;
    if (length_of_indirect(code) == length) site.behind_call = true;
  }
}

// mov $15, %rax or %eax; syscall
bool is_signal_return(const std::uint8_t* at) {
  static constexpr std::uint8_t kLong[] = {0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05};
  static constexpr std::uint8_t kShort[] = {0xb8, 15, 0, 0, 0, 0x0f, 0x05};
  return memcmp(at, kLong, sizeof kLong) == 0 || memcmp(at, kShort, sizeof kShort) == 0;
}

#else

// bl, blr (Arm's manual, section C6.2).
void read_call(ProcessMemory, const std::uint8_t* at, std::uint64_t, CodeSite& site) {
  std::uint32_t code = 0;
  memcpy(&code, at - sizeof code, sizeof code);
  site.behind_call = (code & 0xfc000000) == 0x94000000 || (code & 0xfffffc1f) == 0xd63f0000;
}

bool is_signal_return(const std::uint8_t*) { return false; }

#endif

}  // namespace

CodeSite CodeSites::at(ProcessMemory memory, std::uint64_t address, unsigned generation) {
  if (generation != generation_ || known_.size() >= kMost) {
    known_.clear();
    sizes_.clear();
  }
  generation_ = generation;
  const auto [place, fresh] = known_.try_emplace(address);
  if (!fresh) return place->second;
  std::uint8_t code[kBefore + kBehind] = {};
  // Code may begin or end at a page border.
  if (memory.read(address - kBefore, code, sizeof code) < kBefore) return place->second;
  read_call(memory, code + kBefore, address, place->second);
  place->second.signal_return = is_signal_return(code + kBefore);
  return place->second;
}

}  // namespace umaskaudit::tracer
