// syscall(2) for the numbers in the table: the same shapes, with the raw call as REAL.
// Must never read arguments that the number does not have. Reached by the tail call in
// wrap_tail_calls.cc, for the numbers that umaskaudit_route_syscall selects.

#include <linux/openat2.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>

#include <type_traits>
#include <utility>

#include "preload/hooks/request.h"
#include "preload/hooks/tail_calls.h"
#include "preload/hooks/wrapper.h"
#include "preload/log/blind_spot.h"
#include "preload/mask/root.h"
#include "preload/process/context_effects.h"
#include "preload/process/seccomp.h"
#include "preload/sys/own_table.h"
#include "preload/sys/scratch.h"
#include "preload/sys/sys.h"

using namespace umaskaudit::shim;  // NOLINT: the functions are extern "C"
namespace trace = umaskaudit::trace;

namespace {

using SyscallFunction = long (*)(long, ...);
SyscallFunction real_syscall() {
  return reinterpret_cast<SyscallFunction>(real_function(Call::syscall));
}

struct Arguments {
  long at[6];
};

int pass(long number, const Arguments& arguments) {
  const long* at = arguments.at;
  return static_cast<int>(real_syscall()(number, at[0], at[1], at[2], at[3], at[4], at[5]));
}

// For calls that are repeated with other flags; creat(2) has none.
bool is_open_call(long number) {
#if defined(SYS_open)
  if (number == SYS_open) return true;
#endif
  return number == SYS_openat;
}

mode_t raw_umask(mode_t mask) {
  return static_cast<mode_t>(real_syscall()(SYS_umask, static_cast<unsigned long>(mask)));
}

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
// Calls `function` with as many argument registers as it has parameters. Not inlined: the frame of
// all cases together would not fit on a small stack.
template <typename Function>
[[gnu::noinline]] long apply(const Function& function, const Arguments& arguments) {
  return apply(function, &Function::operator(), arguments);
}
template <typename Function, typename Ret, typename... Parameters>
long apply(const Function& function, Ret (Function::*call)(Parameters...) const,
           const Arguments& arguments) {
  return apply(function, call, arguments, std::index_sequence_for<Parameters...>{});
}

// openat2(2): the flags are in the program's memory, which may be unreadable.
class Openat2 {
 public:
  explicit Openat2(const Arguments& arguments)
      : dirfd_(static_cast<int>(arguments.at[0])),
        path_(reinterpret_cast<const char*>(arguments.at[1])),
        how_(reinterpret_cast<const open_how*>(arguments.at[2])),
        size_(static_cast<unsigned long>(arguments.at[3])) {
    readable_ = size_ == sizeof given_ && sys::readable(how_) && sys::readable(how_ + 1);
    if (readable_) given_ = *how_;
  }

  [[gnu::noinline]] long call(const StackStart& stack) const {
    if (!readable_ || !may_create(static_cast<int>(given_.flags))) return pass(how_);
    const Request request{Call::syscall,
                          trace::Kind::file,
                          dirfd_,
                          path_,
                          static_cast<int>(given_.flags),
                          static_cast<std::uint32_t>(given_.mode),
                          stack,
                          SYS_openat2};
    const auto real = [&](int flags) {
      open_how with = given_;
      with.flags = static_cast<unsigned>(flags) | (given_.flags & ~std::uint64_t{UINT32_MAX});
      return pass(&with);
    };
    if ((given_.resolve & RESOLVE_IN_ROOT) == 0) return create_fd(request, real);
    return call_in_root(request, real);
  }

 private:
  long pass(const open_how* how) const {
    return real_syscall()(SYS_openat2, dirfd_, path_, how, size_);
  }

  // The path and all links in it are resolved below the directory, so only the kernel knows the
  // result. The buffer is held across the call, which is no cancellation point.
  template <typename Real>
  long call_in_root(Request request, Real real) const {
    if ((request.flags & O_TMPFILE) == O_TMPFILE) request.kind = trace::Kind::tmpfile;
    const Scratch name;
    return create_or_open(
        request, real, [](long result) { return result >= 0; },
        [&](long result) {
          const auto fd = static_cast<int>(result);
          const bool named = request.kind == trace::Kind::file && name.get() != nullptr;
          if (named && name_of_open_file(fd, name.get(), Scratch::kSize) > 0) {
            request.path = name.get();
          }
          return fd;
        },
        [&](const Creation& creation, Creation::Look& out) { look_in_root(creation, out); });
  }

  struct LookInRoot {
    const Openat2& call;
    const Creation& creation;
    Creation::Look& look;
  };

  static void look_by_descriptor(void* argument) {
    auto* job = static_cast<LookInRoot*>(argument);
    const Openat2& call = job->call;
    open_how with{};
    with.flags = (call.given_.flags & O_NOFOLLOW) | O_PATH | O_CLOEXEC;
    with.resolve = call.given_.resolve;
    const auto fd = static_cast<int>(
        sys::call(SYS_openat2, call.dirfd_, sys::arg(call.path_), sys::arg(&with), sizeof with));
    // An empty path looks like ENOENT; a missing descriptor, like any other failure.
    job->creation.look(fd < 0 ? -1 : fd, "", fd == -ENOENT ? 0 : AT_EMPTY_PATH, job->look);
    if (fd >= 0) sys::close(fd);
  }

  // Not known where it cannot be looked at without a visible descriptor.
  void look_in_root(const Creation& creation, Creation::Look& out) const {
    Creation::look_at_clock(out);
    LookInRoot job{*this, creation, out};
    run_in_own_table(look_by_descriptor, &job, dirfd_ < 0 ? -1 : dirfd_);
  }

  int dirfd_;
  const char* path_;
  const open_how* how_;
  unsigned long size_;
  open_how given_{};
  bool readable_ = false;
};

[[gnu::noinline]] long openat2_call(const Arguments& arguments, const StackStart& stack) {
  return Openat2(arguments).call(stack);
}

// The kernel's mq_open takes the name without the leading slash (mq_open(3)).
[[gnu::noinline]] long mq_open_call(const Arguments& arguments, const StackStart& stack) {
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

[[gnu::noinline]] long chroot_call(const Arguments& arguments) {
  RootMove move(reinterpret_cast<const char*>(arguments.at[0]));
  return note_success([&] { return real_syscall()(SYS_chroot, arguments.at[0]); },
                      [&] { move.succeeded(Call::chroot); });
}

[[gnu::noinline]] long setns_call(const Arguments& arguments) {
  const NameSpaceMove move;
  return note_success([&] { return real_syscall()(SYS_setns, arguments.at[0], arguments.at[1]); },
                      [&] { move.succeeded(); });
}

// prctl(2) or seccomp(2) with a filter in the third argument if `given`.
[[gnu::noinline]] long filter_call(long number, const Arguments& arguments, bool given,
                                   unsigned long flags) {
  const long* at = arguments.at;
  return install_filter(given ? reinterpret_cast<const sock_fprog*>(at[2]) : nullptr, flags, [&] {
    return real_syscall()(number, at[0], at[1], at[2], at[3], at[4], at[5]);
  });
}

// Calls that create nothing but decide how a creation is read.
[[gnu::noinline]] void take_note(long number, const Arguments& arguments) {
  const ErrnoKeeper keeper;
  switch (number) {
    case SYS_unshare:
      note_unshare(static_cast<int>(arguments.at[0]));
      break;
    case SYS_prctl:
      if (static_cast<int>(arguments.at[0]) == PR_SET_NAME) note_thread_renamed();
      break;
    case SYS_pivot_root:
      note_root_lost(Call::pivot_root, "pivot_root");
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
#define SYS_chown NONE
#define SYS_lchown NONE
#define SYS_rename NONE
#define SYS_link NONE
#define SYS_symlink NONE
#define SYS_unlink NONE
#define SYS_rmdir NONE
#endif
#if !defined(SYS_fchmodat2)  // Linux 6.6
#define SYS_fchmodat2 452
#endif
#if !defined(SYS_setxattrat)  // Linux 6.13
#define SYS_setxattrat 463
#define SYS_removexattrat 466
#endif

void* umaskaudit_route_syscall(long number, unsigned long a) {
  switch (number) {
#define ROW(SHAPE, RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE, NUMBER) \
  case NUMBER:
#include "preload/interceptors.def"
#undef ROW
    case SYS_openat2:
    case SYS_mq_open:
    case SYS_fchmodat:
    case SYS_setxattrat:
    case SYS_removexattrat:
    case SYS_chroot:
    case SYS_pivot_root:
    case SYS_setns:
    case SYS_unshare:
    case SYS_io_uring_setup:
    case SYS_seccomp:
    case SYS_prctl:
      // umask(2) is recorded even on a small stack: a cache that missed a call is wrong from then
      // on.
      if (recording() && (number == SYS_umask || !cannot_be_noted())) {
        return reinterpret_cast<void*>(umaskaudit_wrapped_syscall);
      }
      break;
#if defined(SYS_vfork)
    case SYS_vfork:
      expect_new_task(CLONE_VM | CLONE_VFORK);
      break;
#endif
    case SYS_clone:
      expect_new_task(a);
      break;
    case SYS_clone3:  // its flags are in memory that may be unreadable
      expect_new_task(CLONE_VM | CLONE_FS);
      break;
    default:
      break;
  }
  return real_function(Call::syscall);
}

#define UNPARENTHESIZED(...) __VA_ARGS__
#define CASE(PARAMETERS, KIND, DIRFD, PATH, FLAGS, MODE, NAME, CALL)                       \
  return apply(                                                                            \
      [&] PARAMETERS {                                                                     \
        Request request = UMASKAUDIT_REQUEST(NAME, KIND, DIRFD, PATH, FLAGS, MODE, stack); \
        if (is_open_call(number)) request.number = number;                                 \
        if (is_part_of_a_creation(request)) return pass(number, arguments);                \
        return CALL;                                                                       \
      },                                                                                   \
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
#define CASE_owner(NUMBER, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE, NAME) \
  case NUMBER:                                                                          \
    CASE(PARAMETERS, KIND, DIRFD, PATH, FLAGS, MODE, NAME,                              \
         change_owner(request, [&] { return RAW_CALL(NUMBER, ARGUMENTS); }));
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
// Shapes of libc functions: the kernel has no such call.
#define CASE_plain(...)
#define CASE_stream(...)
#define CASE_restream(...)
#define CASE_unnamed(...)
#define CASE_implied(...)
#define CASE_temp(...)
#define CASE_tempdir(...)
#define CASE_queue(...)
#define CASE_shared(...)
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
      // fchmodat(3) without flags; the row's number has them.
      CASE_chmod(SYS_fchmodat, (int dirfd, const char* path, mode_t mode), (dirfd, path, mode),
                 unknown, dirfd, path, 0, mode, fchmodat);
      // Calls without a libc function.
      CASE_xattr(SYS_setxattrat,
                 (int dirfd, const char* path, int flags, const char* name, const void* value,
                  std::size_t size),
                 (dirfd, path, flags, name, value, size), unknown, dirfd, path, flags, 0, setxattr);
      // `e` and `f` have no meaning, but strace shows them if it does not know the call.
      CASE_xattr(SYS_removexattrat, (int dirfd, const char* path, int flags, const char* name),
                 (dirfd, path, flags, name, e, f), unknown, dirfd, path, flags, 0, removexattr);
    case SYS_chroot:
      return chroot_call(arguments);
    case SYS_setns:
      return setns_call(arguments);
    case SYS_prctl:
      if (static_cast<int>(a) == PR_SET_SECCOMP) {
        return filter_call(number, arguments, b == SECCOMP_MODE_FILTER, 0);
      }
      break;
    case SYS_seccomp:
      if (a == SECCOMP_SET_MODE_FILTER || a == SECCOMP_SET_MODE_STRICT) {
        return filter_call(number, arguments, a == SECCOMP_SET_MODE_FILTER,
                           static_cast<unsigned long>(b));
      }
      break;
    default:
      break;
  }
  if (number == SYS_unshare) expect_unshare(static_cast<int>(a));
  const long result = real_syscall()(number, a, b, c, d, e, f);
  if (result >= 0) take_note(number, arguments);
  return result;
}
