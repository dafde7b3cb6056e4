// Finds the instructions by which code makes system calls itself, and the numbers that it loads.
// Must never take bytes inside another instruction for one: where disassembling backwards fails,
// there is none. x86-64 only; elsewhere nothing is found. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

namespace umaskaudit::shim {

inline constexpr long kUnknownNumber = -1;  // loaded from a register or memory

// `offset`: of the byte after the instruction.
using SeeCallSite = void (*)(void* argument, std::size_t offset, long number);

// How much code before and after an instruction is examined.
inline constexpr std::size_t kLookBack = 96;
inline constexpr std::size_t kLookAhead = 8;

void find_call_sites(const unsigned char* code, std::size_t size, SeeCallSite see, void* argument);

// The rows of trace/inline_calls.def, in order.
inline constexpr unsigned kNoInlineCall = 64;
unsigned inline_call_of(long number);  // kNoInlineCall: not in the table
extern const unsigned kInlineCalls;
struct InlineCall {
  const char* name;
  long number;
  int flags_argument;  // -1: none
};
extern const InlineCall kInlineCall[];

}  // namespace umaskaudit::shim
