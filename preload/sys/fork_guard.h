// Detects a fork that ran no handler of ours: _Fork(3), syscall(SYS_clone) and the like.
// Must never need a system call per event: the kernel clears one page in every child that gets a
// copy of our memory (MADV_WIPEONFORK, madvise(2), since Linux 4.14).
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

// Points at a word that is 1 in the process that set it up, and 0 in a fork of it.
extern volatile std::uint32_t* fork_guard;

void set_up_fork_guard();
inline bool fork_guard_intact() { return *fork_guard == 1; }

// In the child of fork(2), from the atfork handler or when the guard was found cleared (`unseen`):
// takes over the copied state and writes the child's process record.
void adopt_fork(bool unseen);
// After an unseen fork, by the first thread of the child that gets here; other threads wait for it.
[[gnu::cold]] void adopt_unseen_fork();

}  // namespace umaskaudit::shim
