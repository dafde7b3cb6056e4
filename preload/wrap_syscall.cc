// syscall(2) for the numbers of the table: the same shapes, with the raw call as REAL.
// Must never look at arguments that the number does not have.
// Reached by the tail call in wrap_tail_calls.cc, for the numbers that umaskaudit_route_syscall
// names.

#include <linux/openat2.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>

#include <type_traits>
#include <utility>

#include "preload/blind_spot.h"
#include "preload/context_effects.h"
#include "preload/request.h"
#include "preload/seccomp.h"
#include "preload/sys.h"
#include "preload/tail_calls.h"
#include "preload/wrapper.h"

using namespace umaskaudit::shim;  // NOLINT: the functions are extern "C"
namespace trace = umaskaudit::trace;

namespace {

using SyscallFunction = long (*)(long, ...);
SyscallFunction real_syscall() {
  return reinterpret_cast<SyscallFunction>(real_function(Call::syscall));
}

mode_t raw_umask(mode_t mask) {
  return static_cast<mode_t>(real_syscall()(SYS_umask, static_cast<unsigned long>(mask)));
}

struct Arguments {
  long at[6];
};

// An argument register as a parameter of the row's type.
template <typename T>
T as(long value) {
  if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<T>(value);
  } else {
    return static_cast<T>(value);
  }
}

template <typename Function, typename Ret, typename... Parameters, std::size_t... Index>
long apply(const Function& function, Ret (Function::*)(Parameters...) const,
           const Arguments& arguments, std::index_sequence<Index...>) {
  return static_cast<long>(function(as<Parameters>(arguments.at[Index])...));
}
// Calls `function` with as many argument registers as it has parameters.
template <typename Function>
long apply(const Function& function, const Arguments& arguments) {
  return apply(function, &Function::operator(), arguments);
}
template <typename Function, typename Ret, typename... Parameters>
long apply(const Function& function, Ret (Function::*call)(Parameters...) const,
           const Arguments& arguments) {
  return apply(function, call, arguments, std::index_sequence_for<Parameters...>{});
}

// openat2(2): the flags lie in memory, which is the program's and may not be there.
long openat2_call(const Arguments& arguments, const StackStart& stack) {
  const auto* how = reinterpret_cast<const open_how*>(arguments.at[2]);
  const auto size = static_cast<unsigned long>(arguments.at[3]);
  const auto pass = [&](const open_how* with) {
    return real_syscall()(SYS_openat2, arguments.at[0], arguments.at[1], with, size);
  };
  if (size != sizeof *how || !sys::readable(how) || !sys::readable(how + 1)) return pass(how);
  const open_how given = *how;
  if (!may_create(static_cast<int>(given.flags))) return pass(how);
  const Request request{Call::syscall,
                        trace::Kind::file,
                        static_cast<int>(arguments.at[0]),
                        reinterpret_cast<const char*>(arguments.at[1]),
                        static_cast<int>(given.flags),
                        static_cast<std::uint32_t>(given.mode),
                        stack};
  return create_fd(request, [&](int flags) {
    open_how with = given;
    with.flags = static_cast<unsigned>(flags) | (given.flags & ~std::uint64_t{UINT32_MAX});
    return pass(&with);
  });
}

// The kernel's mq_open takes the name without its slash (mq_open(3)).
long mq_open_call(const Arguments& arguments, const StackStart& stack) {
  const Request request{Call::syscall,
                        trace::Kind::mqueue,
                        AT_FDCWD,
                        reinterpret_cast<const char*>(arguments.at[0]),
                        static_cast<int>(arguments.at[1]),
                        static_cast<std::uint32_t>(arguments.at[2]),
                        stack};
  return create_queue(request, [&](int flags) {
    return static_cast<int>(
        real_syscall()(SYS_mq_open, arguments.at[0], flags, arguments.at[2], arguments.at[3]));
  });
}

// Calls that create nothing but decide what a creation means.
void take_note(long number, const Arguments& arguments) {
  const ErrnoKeeper keeper;
  switch (number) {
    case SYS_unshare:
      note_unshare(static_cast<int>(arguments.at[0]));
      break;
    case SYS_io_uring_setup: {
      const Task task = enter();
      report_blind_spot({task.tid, task.pid}, trace::Blind::io_uring, Call::syscall,
                        context_id(task), 0, "io_uring_setup", 14);
      break;
    }
    default:
      break;
  }
  keeper.restore();
}

}  // namespace

#define NONE (-2L - __LINE__)
#if !defined(SYS_open)  // architectures that were born with openat(2)
#define SYS_open NONE
#define SYS_creat NONE
#define SYS_mkdir NONE
#define SYS_mknod NONE
#define SYS_chmod NONE
#define SYS_rename NONE
#define SYS_link NONE
#define SYS_symlink NONE
#define SYS_unlink NONE
#define SYS_rmdir NONE
#endif
#if !defined(SYS_fchmodat2)  // Linux 6.6
#define SYS_fchmodat2 452
#endif

void* umaskaudit_route_syscall(long number) {
  switch (number) {
#define ROW(SHAPE, RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE, NUMBER) \
  case NUMBER:
#include "preload/interceptors.def"
#undef ROW
    case SYS_openat2:
    case SYS_mq_open:
    case SYS_unshare:
    case SYS_io_uring_setup:
    case SYS_seccomp:
    case SYS_prctl:
      if (recording()) return reinterpret_cast<void*>(umaskaudit_wrapped_syscall);
      break;
    default:
      break;
  }
  return real_function(Call::syscall);
}

#define UNPARENTHESIZED(...) __VA_ARGS__
#define CASE(PARAMETERS, KIND, DIRFD, PATH, FLAGS, MODE, NAME, CALL)                             \
  return apply(                                                                                  \
      [&] PARAMETERS {                                                                           \
        const Request request = UMASKAUDIT_REQUEST(NAME, KIND, DIRFD, PATH, FLAGS, MODE, stack); \
        return CALL;                                                                             \
      },                                                                                         \
      arguments)
#define RAW_CALL(NUMBER, ARGUMENTS) \
  static_cast<int>(real_syscall()(NUMBER, UNPARENTHESIZED ARGUMENTS))

#define CASE_umask(NUMBER, PARAMETERS, ...) \
  case NUMBER:                              \
    return change_and_record_mask(static_cast<mode_t>(a), raw_umask, stack);
#define CASE_open(NUMBER, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE, NAME)           \
  case NUMBER:                                                                                   \
    CASE(PARAMETERS, KIND, DIRFD, PATH, FLAGS, MODE, NAME, create_fd(request, [&](int attempt) { \
           flags = attempt;                                                                      \
           return RAW_CALL(NUMBER, ARGUMENTS);                                                   \
         }));
#define CASE_creat(NUMBER, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE, NAME)          \
  case NUMBER:                                                                                   \
    CASE(PARAMETERS, KIND, DIRFD, PATH, FLAGS, MODE, NAME, create_fd(request, [&](int attempt) { \
           return static_cast<int>(real_syscall()(SYS_openat, AT_FDCWD, PATH, attempt, MODE));   \
         }));
#define CASE_path(NUMBER, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE, NAME) \
  case NUMBER:                                                                         \
    CASE(PARAMETERS, KIND, DIRFD, PATH, FLAGS, MODE, NAME,                             \
         create_path(request, [&] { return RAW_CALL(NUMBER, ARGUMENTS); }));
#define CASE_bind(NUMBER, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE, NAME) \
  case NUMBER:                                                                         \
    CASE(                                                                              \
        PARAMETERS, KIND, DIRFD, PATH, FLAGS, MODE, NAME,                              \
        create_socket(request, fd, address, length, [&] { return RAW_CALL(NUMBER, ARGUMENTS); }));
#define CASE_chmod(NUMBER, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE, NAME) \
  case NUMBER:                                                                          \
    CASE(PARAMETERS, KIND, DIRFD, PATH, FLAGS, MODE, NAME,                              \
         note_success([&] { return RAW_CALL(NUMBER, ARGUMENTS); },                      \
                      [&] { record_permissions(request, nullptr); }));
#define CASE_xattr(NUMBER, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE, NAME) \
  case NUMBER:                                                                          \
    CASE(PARAMETERS, KIND, DIRFD, PATH, FLAGS, MODE, NAME,                              \
         note_success([&] { return RAW_CALL(NUMBER, ARGUMENTS); },                      \
                      [&] { record_permissions(request, name); }));
#define CASE_names(NUMBER, PARAMETERS, ARGUMENTS, ACTION, DIRFD, NAMES, FLAGS, MODE, NAME)   \
  case NUMBER:                                                                               \
    return apply(                                                                            \
        [&] PARAMETERS {                                                                     \
          return note_success([&] { return RAW_CALL(NUMBER, ARGUMENTS); },                   \
                              [&] { record_names(Call::NAME, NameAction::ACTION, NAMES); }); \
        },                                                                                   \
        arguments);
// Shapes of libc's own: the kernel has no such call.
#define CASE_plain(...)
#define CASE_stream(...)
#define CASE_restream(...)
#define CASE_unnamed(...)
#define CASE_temp(...)
#define CASE_tempdir(...)
#define CASE_queue(...)
#define CASE_semaphore(...)
#define CASE_custom(...)
#define CASE_raw(...)

long umaskaudit_wrapped_syscall(long number, long a, long b, long c, long d, long e, long f) {
  const StackStart stack = UMASKAUDIT_STACK_START();
  const Arguments arguments{{a, b, c, d, e, f}};
  switch (number) {
#define ROW(SHAPE, RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE, NUMBER) \
  CASE_##SHAPE(NUMBER, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE, NAME)
#include "preload/interceptors.def"
#undef ROW
    case SYS_openat2:
      return openat2_call(arguments, stack);
    case SYS_mq_open:
      return mq_open_call(arguments, stack);
    case SYS_prctl:
      if (static_cast<int>(a) == PR_SET_SECCOMP) {
        return install_filter(
            b == SECCOMP_MODE_FILTER ? reinterpret_cast<const sock_fprog*>(c) : nullptr,
            [&] { return real_syscall()(number, a, b, c, d, e, f); });
      }
      break;
    case SYS_seccomp:
      if (a == SECCOMP_SET_MODE_FILTER || a == SECCOMP_SET_MODE_STRICT) {
        return install_filter(
            a == SECCOMP_SET_MODE_FILTER ? reinterpret_cast<const sock_fprog*>(c) : nullptr,
            [&] { return real_syscall()(number, a, b, c, d, e, f); });
      }
      break;
    default:
      break;
  }
  const long result = real_syscall()(number, a, b, c, d, e, f);
  if (result >= 0) take_note(number, arguments);
  return result;
}
