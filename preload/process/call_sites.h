// Finds the instructions by which code makes system calls itself, and the numbers in front of them.
// Must never take bytes of another instruction for one: what cannot be read backwards is none.
// x86-64 only; elsewhere nothing is found. Pure. Called by inline_calls.cc.
#pragma once

#include <cstddef>
#include <cstdint>

namespace umaskaudit::shim {

inline constexpr long kUnknownNumber = -1;  // it comes from a register or from memory

// `offset`: of the byte behind the instruction.
using SeeCallSite = void (*)(void* argument, std::size_t offset, long number);

// How much code in front of an instruction, and behind it, is looked at.
inline constexpr std::size_t kLookBack = 96;
inline constexpr std::size_t kLookAhead = 8;

void find_call_sites(const unsigned char* code, std::size_t size, SeeCallSite see, void* argument);

// The calls of trace/inline_calls.def by their place there.
inline constexpr unsigned kNoInlineCall = 64;
unsigned inline_call_of(long number);  // kNoInlineCall: it does not matter
extern const unsigned kInlineCalls;
struct InlineCall {
  const char* name;
  long number;
  int flags_argument;  // -1: none
};
extern const InlineCall kInlineCall[];

}  // namespace umaskaudit::shim
