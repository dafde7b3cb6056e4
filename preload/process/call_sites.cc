// Disassembles x86-64 backwards from a system call; see call_sites.h.

#include "preload/process/call_sites.h"

#include <sys/syscall.h>

#include <cstring>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace umaskaudit::shim {

#if !defined(SYS_fchmodat2)  // Linux 6.6
#define SYS_fchmodat2 452
#endif

const InlineCall kInlineCall[] = {
#define INLINE_CALL(name) {#name, SYS_##name, -1},
#define INLINE_CALL_WITH_FLAGS(name, index) {#name, SYS_##name, index},
#include "preload/trace/inline_calls.def"
#undef INLINE_CALL
#undef INLINE_CALL_WITH_FLAGS
};
const unsigned kInlineCalls = sizeof kInlineCall / sizeof kInlineCall[0];
static_assert(sizeof kInlineCall / sizeof kInlineCall[0] < kNoInlineCall);

unsigned inline_call_of(long number) {
  for (unsigned i = 0; i < kInlineCalls; ++i) {
    if (kInlineCall[i].number == number) return i;
  }
  return kNoInlineCall;
}

#if defined(__x86_64__)

namespace {

struct Instruction {
  std::size_t length = 0;  // 0: not an instruction known here
  int writes = -1;         // the register that is written as a whole; -1: none
  int copies = -1;         // the register that it copies
  long value = kUnknownNumber;
};

constexpr int kRax = 0;
constexpr std::size_t kLongest = 10;

std::uint32_t word_at(const unsigned char* at) {
  std::uint32_t word = 0;
  memcpy(&word, at, sizeof word);
  return word;
}

// The length of the operand that a ModRM byte begins (Intel SDM 2.1.5), and whether it is a
// register.
std::size_t operand_length(const unsigned char* modrm, bool& is_register) {
  const unsigned mod = *modrm >> 6;
  const unsigned rm = *modrm & 7;
  is_register = mod == 3;
  if (is_register) return 1;
  std::size_t length = rm == 4 ? 2 : 1;
  if (mod == 1) length += 1;
  if (mod == 2 || (mod == 0 && rm == 5)) length += 4;
  if (mod == 0 && rm == 4 && (modrm[1] & 7) == 5) length += 4;
  return length;
}

// Decodes instructions that compilers put between loading the number and the call: moves of
// arguments. kLongest bytes at `at` are readable.
Instruction decode(const unsigned char* at) {
  Instruction found;
  const unsigned char* const begin = at;
  const unsigned rex = (*at & 0xf0) == 0x40 ? *at++ : 0;
  const unsigned opcode = *at++;
  const auto extended = [&](unsigned low, unsigned bit) {
    return static_cast<int>(low | ((rex & bit) != 0 ? 8u : 0u));
  };
  if (opcode >= 0xb8 && opcode <= 0xbf) {  // mov reg, imm
    found.writes = extended(opcode & 7, 1);
    const bool wide = (rex & 8) != 0;
    found.value = wide ? kUnknownNumber : static_cast<long>(word_at(at));
    found.length = static_cast<std::size_t>(at - begin) + (wide ? 8 : 4);
    return found;
  }
  if (opcode >= 0x50 && opcode <= 0x5f) {  // push, pop
    if (opcode >= 0x58) found.writes = extended(opcode & 7, 1);
    found.length = static_cast<std::size_t>(at - begin);
    return found;
  }
  const bool to_operand = opcode == 0x89 || opcode == 0x31 || opcode == 0xc7;
  const bool to_register = opcode == 0x8b || opcode == 0x8d || opcode == 0x33 || opcode == 0x63;
  if (!to_operand && !to_register && opcode != 0x85) return found;
  const unsigned modrm = *at;
  bool is_register = false;
  at += operand_length(at, is_register);
  if (to_register) found.writes = extended(modrm >> 3 & 7, 4);
  if (to_operand && is_register) found.writes = extended(modrm & 7, 1);
  if (opcode == 0x89 && is_register) found.copies = extended(modrm >> 3 & 7, 4);
  if (opcode == 0x8b && is_register) found.copies = extended(modrm & 7, 1);
  const bool same = is_register && extended(modrm & 7, 1) == extended(modrm >> 3 & 7, 4);
  if ((opcode == 0x31 || opcode == 0x33) && same) found.value = 0;
  if (opcode == 0xc7) {
    if ((modrm >> 3 & 7) != 0) return {};
    found.value = static_cast<long>(word_at(at));
    at += 4;
  }
  found.length = static_cast<std::size_t>(at - begin);
  return found;
}

// Code that follows a system call: a test for failure, or a return.
bool looks_at_result(const unsigned char* at, std::size_t left) {
  constexpr struct {
    unsigned char size;
    unsigned char bytes[6];
  } kWays[] = {
      {6, {0x48, 0x3d, 0x00, 0xf0, 0xff, 0xff}},  // cmp rax, -4096
      {6, {0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff}},
      {5, {0x3d, 0x00, 0xf0, 0xff, 0xff}},
      {5, {0x3d, 0x01, 0xf0, 0xff, 0xff}},
      {3, {0x48, 0x85, 0xc0}},  // test rax, rax
      {1, {0xc3}},              // ret
  };
  for (const auto& way : kWays) {
    if (way.size <= left && memcmp(at, way.bytes, way.size) == 0) return true;
  }
  return false;
}

constexpr long kNone = -2;
constexpr long kLargestNumber = 1023;

// The number that the code before `end` loads into rax; kNone: this is no system call.
long number_before(const unsigned char* begin, const unsigned char* end, const unsigned char* top) {
  constexpr unsigned kMostSteps = 14;
  const unsigned char* at = end;
  int wanted = kRax;
  for (unsigned step = 0; step < kMostSteps; ++step) {
    Instruction found;
    // The longest instruction that ends here, because a prefix belongs to what follows it.
    for (std::size_t length = kLongest; length > 0 && found.length == 0; --length) {
      if (static_cast<std::size_t>(at - begin) < length) continue;
      if (static_cast<std::size_t>(top - (at - length)) < kLongest) continue;
      const Instruction tried = decode(at - length);
      if (tried.length == length) found = tried;
    }
    if (found.length == 0) break;
    at -= found.length;
    if (found.writes != wanted) continue;
    if (found.copies < 0) return found.value;
    wanted = found.copies;
  }
  return wanted == kRax ? kNone : kUnknownNumber;
}

// When disassembling backwards ends early, a nearby load of a number in inline_calls.def still
// counts.
long number_nearby(const unsigned char* begin, const unsigned char* end) {
  constexpr long kNear = 24;
  constexpr long kSize = 5;  // of mov eax, imm32
  const unsigned char* first = end - begin > kNear ? end - kNear : begin;
  for (const unsigned char* at = end - kSize; at >= first; --at) {
    if (*at != 0xb8 || (at > begin && (at[-1] & 0xf1) == 0x41)) continue;
    const auto number = static_cast<long>(word_at(at + 1));
    return inline_call_of(number) != kNoInlineCall ? number : kNone;
  }
  return kNone;
}

void judge(const unsigned char* code, std::size_t size, std::size_t at, SeeCallSite see,
           void* argument) {
  constexpr std::size_t kSyscall = 2;
  const unsigned char* end = code + at;
  const unsigned char* begin = at > kLookBack ? end - kLookBack : code;
  long number = number_before(begin, end, code + size);
  const bool is_certain = number >= 0;
  if (number == kNone) number = number_nearby(begin, end);
  if (number == kNone || number > kLargestNumber) return;
  if (!is_certain && !looks_at_result(end + kSyscall, size - at - kSyscall)) return;
  see(argument, at + kSyscall, number);
}

}  // namespace

void find_call_sites(const unsigned char* code, std::size_t size, SeeCallSite see, void* argument) {
  const __m128i first = _mm_set1_epi8(0x0f);
  const __m128i second = _mm_set1_epi8(0x05);
  constexpr std::size_t kStep = sizeof first;
  std::size_t at = 0;
  for (; at + kStep + 1 <= size; at += kStep) {
    const __m128i here = _mm_loadu_si128(reinterpret_cast<const __m128i*>(code + at));
    const __m128i next = _mm_loadu_si128(reinterpret_cast<const __m128i*>(code + at + 1));
    const __m128i both = _mm_and_si128(_mm_cmpeq_epi8(here, first), _mm_cmpeq_epi8(next, second));
    for (auto bits = static_cast<unsigned>(_mm_movemask_epi8(both)); bits != 0; bits &= bits - 1) {
      judge(code, size, at + static_cast<unsigned>(__builtin_ctz(bits)), see, argument);
    }
  }
  for (; at + 2 <= size; ++at) {
    if (code[at] == 0x0f && code[at + 1] == 0x05) judge(code, size, at, see, argument);
  }
}

#else

void find_call_sites(const unsigned char*, std::size_t, SeeCallSite, void*) {}

#endif

}  // namespace umaskaudit::shim
