// Wrappers that must leave no frame between the caller and the real function: dlopen(3) uses its
// return address to find the caller's RUNPATH and name space, so REAL must be jumped to, not
// called; syscall(2) is variadic, and most numbers are passed on. Each saves the argument
// registers, asks a C++ function for the address, and jumps there.

#include "preload/hooks/tail_calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/sched.h>
#include <string.h>

#include "preload/hooks/wrapper.h"
#include "preload/log/blind_spot.h"
#include "preload/mask/fs_context.h"
#include "preload/process/inline_calls.h"
#include "preload/process/liburing_probe.h"
#include "preload/sys/sys.h"

#define EXPORT_TAIL_CALL(name, route) \
  __asm__(                            \
      ".text\n"                       \
      ".globl " name                  \
      "\n"                            \
      ".type " name ", @function\n" name ":\n" TAIL_CALL(route) ".size " name ", .-" name "\n")

#if defined(__x86_64__)
// Seven pushes keep the stack 16-aligned at the call (it is 8 off on entry).
#define TAIL_CALL(route)                                                              \
  ".cfi_startproc\n"                                                                  \
  "endbr64\n"                                                                         \
  "push %rdi\n push %rsi\n push %rdx\n push %rcx\n push %r8\n push %r9\n push %rax\n" \
  ".cfi_adjust_cfa_offset 56\n"                                                       \
  "call " route                                                                       \
  "\n"                                                                                \
  "mov %rax, %r11\n"                                                                  \
  "pop %rax\n pop %r9\n pop %r8\n pop %rcx\n pop %rdx\n pop %rsi\n pop %rdi\n"        \
  ".cfi_adjust_cfa_offset -56\n"                                                      \
  "jmp *%r11\n"                                                                       \
  ".cfi_endproc\n"
#elif defined(__aarch64__)
#define TAIL_CALL(route)                                                 \
  ".cfi_startproc\n"                                                     \
  "bti c\n"                                                              \
  "stp x29, x30, [sp, #-80]!\n"                                          \
  ".cfi_def_cfa_offset 80\n .cfi_offset 29, -80\n .cfi_offset 30, -72\n" \
  "mov x29, sp\n"                                                        \
  "stp x0, x1, [sp, #16]\n stp x2, x3, [sp, #32]\n"                      \
  "stp x4, x5, [sp, #48]\n str x6, [sp, #64]\n"                          \
  "bl " route                                                            \
  "\n"                                                                   \
  "mov x16, x0\n"                                                        \
  "ldp x0, x1, [sp, #16]\n ldp x2, x3, [sp, #32]\n"                      \
  "ldp x4, x5, [sp, #48]\n ldr x6, [sp, #64]\n"                          \
  "ldp x29, x30, [sp], #80\n"                                            \
  ".cfi_def_cfa_offset 0\n"                                              \
  "br x16\n"                                                             \
  ".cfi_endproc\n"
#endif

EXPORT_TAIL_CALL("syscall", "umaskaudit_route_syscall");
EXPORT_TAIL_CALL("vfork", "umaskaudit_route_vfork");
EXPORT_TAIL_CALL("__vfork", "umaskaudit_route_vfork");
EXPORT_TAIL_CALL("clone", "umaskaudit_route_clone");
EXPORT_TAIL_CALL("__clone", "umaskaudit_route_clone");
EXPORT_TAIL_CALL("dlopen", "umaskaudit_route_dlopen");
EXPORT_TAIL_CALL("dlmopen", "umaskaudit_route_dlmopen");

using namespace umaskaudit::shim;  // NOLINT: the rest is extern "C"
namespace trace = umaskaudit::trace;

namespace {

void report_load(trace::Blind reason, Call call, const char* file) {
  if (!recording()) return;
  const int saved = errno;
  const Task task = enter();
  const char* name = sys::Scout().can_read_text(file, trace::kMaxPath) ? file : "";
  report_blind_spot({task.tid, task.pid}, reason, call, context_id(task), 0, name,
                    static_cast<std::uint32_t>(strlen(name)));
  errno = saved;
}

}  // namespace

void* umaskaudit_route_vfork(void) {
  expect_new_task(CLONE_VM | CLONE_VFORK);
  return real_function(Call::vfork);
}

void* umaskaudit_route_clone(int (*)(void*), void*, int flags) {
  expect_new_task(static_cast<unsigned>(flags));
  return real_function(Call::clone);
}

void* umaskaudit_route_dlopen(const char* file, int mode) {
  if ((mode & RTLD_DEEPBIND) != 0) report_load(trace::Blind::deepbind, Call::dlopen, file);
  if (recording()) {
    const int saved = errno;
    probe_liburing(file);
    look_for_inline_calls(file);
    errno = saved;
  }
  return real_function(Call::dlopen);
}

void* umaskaudit_route_dlmopen(long name_space, const char* file, int) {
  if (name_space != LM_ID_BASE) report_load(trace::Blind::dlmopen, Call::dlmopen, file);
  return real_function(Call::dlmopen);
}
