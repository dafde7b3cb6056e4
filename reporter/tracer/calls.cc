// Builds the index of calls by number; see calls.h.

#include "reporter/tracer/calls.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <sys/syscall.h>

#include <array>

// Headers may be older than the kernel, and aarch64 has only the *at calls.
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_open
#define SYS_open (-1)
#define SYS_creat (-1)
#define SYS_mkdir (-1)
#define SYS_mknod (-1)
#define SYS_chmod (-1)
#define SYS_chown (-1)
#define SYS_lchown (-1)
#define SYS_rename (-1)
#define SYS_link (-1)
#define SYS_symlink (-1)
#define SYS_unlink (-1)
#define SYS_rmdir (-1)
#endif
#ifndef SYS_renameat
#define SYS_renameat (-1)
#endif
#define NUMBER(name) SYS_##name

namespace umaskaudit::tracer {

const CallRow kCalls[] = {
#define TRACED(name, effect, native, i386, dirfd, path, flags, mode, dirfd2, path2) \
  {#name, Effect::effect, native, i386, dirfd, path, flags, mode, dirfd2, path2},
#include "reporter/tracer/calls.def"
#undef TRACED
};
const unsigned kCallCount = sizeof kCalls / sizeof *kCalls;

namespace {

constexpr unsigned kNumbers = 512;
using Index = std::array<std::uint8_t, kNumbers>;  // 1 + row; 0: not traced

Index index_of(int CallRow::*number) {
  Index index{};
  for (unsigned row = 0; row < kCallCount; ++row) {
    const int at = kCalls[row].*number;
    if (at >= 0) index[static_cast<unsigned>(at)] = static_cast<std::uint8_t>(row + 1);
  }
  return index;
}

}  // namespace

const CallRow* find_call(std::uint32_t arch, std::uint64_t number) {
  static const Index native = index_of(&CallRow::native);
  static const Index i386 = index_of(&CallRow::i386);
  constexpr std::uint64_t kX32 = 0x40000000;  // __X32_SYSCALL_BIT
  constexpr std::uint64_t kX32Execve = 520, kX32Execveat = 545;
  const Index* index = &native;
  if (arch == AUDIT_ARCH_I386) {
    index = &i386;
  } else if (arch == AUDIT_ARCH_X86_64 && (number & kX32) != 0) {
    number &= ~kX32;
    if (number == kX32Execve) number = SYS_execve;
    if (number == kX32Execveat) number = SYS_execveat;
  }
  if (number >= kNumbers || (*index)[number] == 0) return nullptr;
  return &kCalls[(*index)[number] - 1u];
}

std::string call_names() {
  std::string names;
  for (unsigned row = 0; row < kCallCount; ++row) (names += kCalls[row].name) += '\0';
  return names;
}

bool may_create(std::uint64_t flags) {
  if ((flags & O_PATH) != 0) return false;
  return (flags & O_CREAT) != 0 || is_unnamed(flags);
}

bool is_unnamed(std::uint64_t flags) { return (flags & O_TMPFILE) == O_TMPFILE; }

bool is_exclusive(std::uint64_t flags) { return (flags & O_EXCL) != 0 || is_unnamed(flags); }

}  // namespace umaskaudit::tracer
