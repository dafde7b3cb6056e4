// The shapes of creating calls, one function template each. A row of interceptors.def names its
// shape; the wrapper passes REAL() as a callable.
// Must never be noexcept, catch exceptions, or own anything while `real` runs: these are
// cancellation points, and a forced unwind (pthread_cancel(3)) passes through these frames.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <type_traits>
#include <utility>

#include "preload/mask/mask_change.h"
#include "preload/object/create_predictor.h"
#include "preload/object/creation.h"
#include "preload/object/object_changes.h"
#include "preload/object/object_look.h"
#include "preload/record/recorder.h"
#include "preload/sys/format_text.h"
#include "preload/sys/own_stack.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

// Restores the program's errno: a success must not change it, and a retry must not be visible.
class ErrnoKeeper {
 public:
  ErrnoKeeper() : saved_(errno) {}
  int saved() const { return saved_; }
  void restore() const { errno = saved_; }

 private:
  int saved_;
};

inline bool may_create(int flags) {
  if ((flags & O_PATH) != 0) return false;  // open(2) then ignores the other flags
  return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
}

// The open(2) flags of an fopen(3) mode. "r" and invalid modes create nothing. glibc reads this
// many characters, including commas.
inline constexpr size_t kStreamModeRead = 7;
int stream_flags(const char* mode);

// True when the caller has too little stack for a full record: counted as a lost stack.
inline bool cannot_be_noted(std::uintptr_t least = kStackForCall) {
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  if (__builtin_expect(!is_short_of_stack(here, least), 1)) return false;
  count_loss(trace::Loss::stack_dropped);
  return true;
}

inline bool succeeded(long result) { return result >= 0; }
inline bool succeeded(const void* result) { return result != nullptr && result != SEM_FAILED; }

// Any creating call on a small stack (own_stack.h): made once, unchanged, and recorded without a
// look at the object.
template <typename Real>
[[gnu::noinline]] auto create_briefly(const Request& request, Real real) {
  if (cannot_be_noted(kStackForBrief)) return real();
  const BriefCreation creation;
  const auto result = real();
  const ErrnoKeeper keeper;
  creation.ended(request, succeeded(result) ? 0 : keeper.saved());
  keeper.restore();
  return result;
}

// Calls that always create a new object when they succeed. `ok(result)` tests success;
// `made(creation, result)` records it.
template <typename Real, typename Ok, typename Made>
auto create_new(const Request& request, Real real, Ok ok, Made made) {
  Creation creation(request);
  const auto result = real();
  const ErrnoKeeper keeper;
  if (ok(result)) {
    made(creation, result);
  } else {
    creation.failed(keeper.saved());
  }
  keeper.restore();
  return result;
}

// path -> 0 (mkdir, mkfifo, mknod).
template <typename Real>
auto create_path(const Request& request, Real real) {
  return create_new(
      request, real, [](int result) { return result == 0; },
      [](Creation& creation, int) { creation.made_at_path(trace::Created::yes); });
}

// The call fills in a template, so the name is known only afterwards.
template <typename Real>
int create_temp(const Request& request, Real real) {
  return create_new(
      request, real, [](int result) { return result >= 0; },
      [](Creation& creation, int result) { creation.made(result, trace::Created::yes); });
}

template <typename Real>
char* create_tempdir(const Request& request, Real real) {
  return create_new(
      request, real, [](const char* result) { return result != nullptr; },
      [](Creation& creation, const char*) { creation.made_at_path(trace::Created::yes); });
}

template <typename Real>
FILE* create_unnamed(const Request& request, Real real) {
  return create_new(
      request, real, [](FILE* result) { return result != nullptr; },
      [](Creation& creation, FILE* result) { creation.made(fileno(result), trace::Created::yes); });
}

// Calls that return a descriptor and may open an existing object. `real(flags)` makes the call;
// `ok(result)` tests success; `fd_of(result)` is the descriptor.
//
// "Created" must be told from "opened" exactly, even when threads race for one name. Where the
// kernel remembers which call created the object, it is asked (created_query.h). Otherwise the name
// is looked at first. If an object is there, the call cannot create it unless it is removed in
// between, which identity and birth time show. If none is there, the call is made with O_EXCL,
// whose success means created; if it fails because another task was faster, the call is made again
// as the program asked for it. README.md has the measured alternatives.
//
// `look_now(creation, look)` fills `look`.
template <typename Real, typename Ok, typename FdOf, typename Look>
auto create_or_open(const Request& request, Real real, Ok ok, FdOf fd_of, Look look_now) {
  const ErrnoKeeper before;
  Creation creation(request);
  const bool exclusive = (request.flags & O_EXCL) != 0 || (request.flags & O_TMPFILE) == O_TMPFILE;
  // Most kernels refuse O_DIRECTORY with O_CREAT, or worse: not retried with other flags. Nor is a
  // call that a seccomp filter may allow with the program's flags only.
  const bool divisible =
      !exclusive && (request.flags & O_DIRECTORY) == 0 && !sys::is_barred(request.number);
  CreatePredictor predictor(request.stack.pc);
  // O_DIRECT may be refused after the object was created: then there is no descriptor to ask, and
  // the result of an attempt with O_EXCL would look like an existing object. So the name is looked
  // at first.
  const bool direct = (request.flags & O_DIRECT) != 0;
  const bool create_first = divisible && !direct && predictor.expects_new();
  const bool ask = divisible && !direct && predictor.kernel_tells() && created_query::is_usable();
  Creation::Look look;
  const auto before_opening = [&] {
    if (ask) {
      Creation::look_at_clock(look);
    } else {
      look_now(std::as_const(creation), look);
    }
  };
  if ((!exclusive && !create_first) || (direct && (request.flags & O_EXCL) != 0)) {
    before_opening();
  }
  if (create_first || (divisible && !look.exists && look.known)) {
    const auto result = real(request.flags | O_EXCL);
    if (ok(result)) {
      const ErrnoKeeper keeper;
      const int fd = fd_of(result);
      creation.made(fd, trace::Created::yes);
      predictor.update(true, creation.is_told(fd));
      keeper.restore();
      return result;
    }
    // The name exists, or is a dangling symbolic link, which O_EXCL does not follow.
    if (create_first || errno == EEXIST) before_opening();
    before.restore();
    creation.again();
  }
  const auto result = real(request.flags);
  const ErrnoKeeper keeper;
  if (!ok(result)) {
    creation.failed_or_left(keeper.saved(), look);
  } else if (exclusive) {
    creation.made(fd_of(result), trace::Created::yes);
  } else {
    const int fd = fd_of(result);
    const bool created = ask && creation.made_or_met_as_told(fd, look);
    if (!ask) creation.made_or_met(fd, look);
    predictor.update(created && !create_first, creation.is_told(fd));
  }
  keeper.restore();
  return result;
}

inline void look_at_path(const Creation& creation, Creation::Look& out) { creation.look(out); }

// O_TMPFILE: always a new object.
template <typename Real>
[[gnu::noinline]] auto create_unnamed_fd(const Request& named, Real real) {
  Request request = named;
  request.kind = trace::Kind::tmpfile;
  return create_new(
      request, [&] { return real(request.flags); }, [](long result) { return result >= 0; },
      [](Creation& creation, long result) {
        creation.made(static_cast<int>(result), trace::Created::yes);
      });
}

// Not inlined, so that a wrapper that only passes its call on sets up no frame.
template <typename Real>
[[gnu::noinline]] auto create_fd(const Request& request, Real real) {
  if (!may_create(request.flags)) return real(request.flags);
  if ((request.flags & O_TMPFILE) == O_TMPFILE) return create_unnamed_fd(request, real);
  return create_or_open(
      request, real, [](long result) { return result >= 0; },
      [](long result) { return static_cast<int>(result); }, look_at_path);
}

// A call that may create or open, split into its two parts: the success of either says which
// happened, one certain error of each sends to the other part, and any other error is that of the
// whole call.
struct Part {
  int flags;
  trace::Created created;
  int otherwise;  // the errno that sends to the other part
};
inline Part creating_part(int flags) { return {flags | O_EXCL, trace::Created::yes, EEXIST}; }
inline Part opening_part(int flags) { return {flags & ~O_CREAT, trace::Created::no, ENOENT}; }

// Tries `first` and `second` in turn, because other tasks may create and remove the object all the
// time. `made(creation, result, created)` records a success. `allowed`: the parts may be called at
// all.
template <typename Real, typename Ok, typename Made>
auto create_in_parts(const Request& request, bool allowed, Part first, Part second, Real real,
                     Ok ok, Made made) {
  constexpr unsigned kTurns = 8;
  const ErrnoKeeper before;
  Creation creation(request);
  const bool exclusive = (request.flags & O_EXCL) != 0;
  const bool divisible = allowed && !exclusive;
  for (unsigned turn = 0; divisible && turn < kTurns; ++turn) {
    const Part& part = turn % 2 == 0 ? first : second;
    before.restore();
    const auto result = real(part.flags);
    if (ok(result)) {
      const ErrnoKeeper keeper;
      made(creation, result, part.created);
      keeper.restore();
      return result;
    }
    creation.again();
    if (errno != part.otherwise) break;
  }
  before.restore();
  const auto result = real(request.flags);
  const ErrnoKeeper keeper;
  if (ok(result)) {
    made(creation, result, exclusive ? trace::Created::yes : trace::Created::unknown);
  } else {
    creation.failed(keeper.saved());
  }
  keeper.restore();
  return result;
}

// mq_open(3): opening an existing queue follows the same rules with O_CREAT as without
// (prepare_open in the kernel's ipc/mqueue.c). Creating comes first, because it fails for every
// reason that opening fails for.
template <typename Real>
auto create_queue(const Request& request, Real real) {
  if ((request.flags & O_CREAT) == 0) return real(request.flags);
  return create_in_parts(
      request, !sys::is_barred(SYS_mq_open), creating_part(request.flags),
      opening_part(request.flags), real, [](int result) { return result >= 0; },
      [](Creation& creation, int result, trace::Created created) {
        creation.made(result, created);
      });
}

// sem_open(3) opens first, and if there is none, links a finished file to the name: the same two
// parts, by system calls that libc makes as well. A semaphore is a file in /dev/shm, but its
// descriptor is closed when the call returns.
template <typename Real>
sem_t* create_semaphore(const Request& request, Real real) {
  if ((request.flags & O_CREAT) == 0) return real(request.flags);
  return create_in_parts(
      request, true, opening_part(request.flags), creating_part(request.flags), real,
      [](sem_t* result) { return result != SEM_FAILED; },
      [](Creation& creation, sem_t*, trace::Created created) { creation.made_semaphore(created); });
}

// shm_open(3) is open(2) of a file in /dev/shm. It is not split: in a sticky directory O_CREAT is
// refused where plain opening is not (proc(5), protected_regular).
template <typename Real>
int create_shared_memory(const Request& request, Real real) {
  if ((request.flags & O_CREAT) == 0) return real(request.flags);
  char path[sizeof "/dev/shm/" + NAME_MAX];
  TextBuffer text(path, sizeof path);
  text.put("/dev/shm/");
  if (sys::Scout().can_read_text(request.path, sizeof path)) {
    text.put(request.path + strspn(request.path, "/"));
  }
  text.end();
  return create_or_open(
      request, real, [](int result) { return result >= 0; }, [](int result) { return result; },
      [&](const Creation& creation, Creation::Look& out) {
        creation.look(AT_FDCWD, path, 0, out);
      });
}

// Only one attempt: freopen(3) closes the old file first, even if it fails.
template <typename Real>
FILE* create_stream_at_once(const Request& request, Real real) {
  if (request.path == nullptr || (request.flags & O_CREAT) == 0) return real();
  Creation creation(request);
  Creation::Look look;
  creation.look(look);
  FILE* result = real();
  const ErrnoKeeper keeper;
  if (result == nullptr) {
    creation.failed_or_left(keeper.saved(), look);
  } else if ((request.flags & O_EXCL) != 0) {
    creation.made(fileno(result), trace::Created::yes);
  } else {
    creation.made_or_met_after_look(fileno(result), look);
  }
  keeper.restore();
  return result;
}

// libc opens a file whose name only it knows. A failed call may have created it too: lckpwdf(3)
// opens before it waits for the lock. For a function without a result, a new file is the only sign
// of success.
template <typename Real>
auto create_implied(const Request& request, Real real) {
  constexpr bool kSilent = std::is_void_v<decltype(real())>;
  Creation creation(request);
  Creation::Look look;
  creation.look(look);
  const auto note = [&](bool success) {
    const ErrnoKeeper keeper;
    Creation::Look now;
    if (look.known && !look.exists) creation.look(now);
    if (now.exists || success) {
      creation.made_or_met_at_path(look);
    } else if constexpr (!kSilent) {
      creation.failed(keeper.saved());
    }
    keeper.restore();
  };
  if constexpr (kSilent) {
    real();
    note(false);
  } else {
    const auto result = real();
    note(result == 0);
    return result;
  }
}

// Calls that return FILE*: the exclusive attempt adds 'x' to the mode (fopen(3), a glibc
// extension), where glibc still reads it without losing a later character.
template <typename Real>
FILE* create_stream(const Request& request, const char* mode, Real real) {
  if ((request.flags & O_CREAT) == 0) return real(mode);
  char exclusive_mode[kStreamModeRead + 1];
  const size_t length = strnlen(mode, kStreamModeRead);
  if (length == kStreamModeRead || strchr(mode, ',') != nullptr) {
    return create_stream_at_once(request, [&] { return real(mode); });
  }
  memcpy(exclusive_mode, mode, length);
  exclusive_mode[length] = 'x';
  exclusive_mode[length + 1] = '\0';
  return create_or_open(
      request, [&](int flags) { return real((flags & O_EXCL) != 0 ? exclusive_mode : mode); },
      [](FILE* result) { return result != nullptr; }, [](FILE* result) { return fileno(result); },
      look_at_path);
}

// The result of a bind(2).
void note_socket(Request& request, Creation& creation, const sockaddr* address, socklen_t length,
                 int error);

// unix(7): a path creates a socket file with 0777 & ~mask; an empty or abstract name, and other
// address families, create none. The address is read after the kernel has accepted it; for a failed
// call it is copied. Completes `request`.
template <typename Real>
auto create_socket(Request& request, int fd, const sockaddr* address, socklen_t length, Real real) {
  // The requested mode is the socket's own: 0777, unless fchmod(2) set another.
  ObjectFacts facts;
  if (look_at(fd, "", AT_EMPTY_PATH, facts) == 0) request.mode = facts.mode & 07777u;
  Creation creation(request);
  const auto result = real();
  const ErrnoKeeper keeper;
  note_socket(request, creation, address, length, result == 0 ? 0 : keeper.saved());
  keeper.restore();
  return result;
}

// Calls that return zero for success; only then `note` records.
template <typename Real, typename Note>
auto note_success(Real real, Note note) {
  const auto result = real();
  if (result == 0) {
    const ErrnoKeeper keeper;
    note();
    keeper.restore();
  }
  return result;
}

// chown(2) and its siblings. Only a file that has set-user-ID or set-group-ID loses bits: without
// them nothing is recorded.
template <typename Real>
auto change_owner(const Request& request, Real real) {
  const std::uint16_t before = set_id_bits(request);
  if (before == 0) return real();
  return note_success(real, [&] { record_lost_set_id(request, before); });
}

}  // namespace umaskaudit::shim
