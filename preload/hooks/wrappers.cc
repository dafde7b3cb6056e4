// The exported wrappers of all creating calls, generated from the rows of interceptors.def.
// Must never contain code for one function: that belongs to a shape, in shapes.h.

#include "preload/hooks/request.h"
#include "preload/hooks/wrapper.h"
#include "preload/state.h"
#include "preload/sys/own_stack.h"
#include "preload/sys/scratch.h"
#include "preload/sys/start_environment.h"

namespace umaskaudit::shim {

int stream_flags(const char* mode) {
  if (mode == nullptr || (mode[0] != 'w' && mode[0] != 'a')) return O_RDONLY;
  int flags = O_CREAT | O_WRONLY | (mode[0] == 'w' ? O_TRUNC : O_APPEND);
  for (size_t i = 1; i < kStreamModeRead && mode[i] != '\0'; ++i) {
    if (mode[i] == '+') flags = (flags & ~O_WRONLY) | O_RDWR;
    if (mode[i] == 'x') flags |= O_EXCL;
    if (mode[i] == 'e') flags |= O_CLOEXEC;
  }
  return flags;
}

void note_socket(Request& request, Creation& creation, const sockaddr* address, socklen_t length,
                 int error) {
  const Scratch room;
  char* const given = room.get();
  if (given == nullptr) return count_loss(trace::Loss::path_dropped);
  const size_t size = length < sizeof(sockaddr_un) ? length : sizeof(sockaddr_un);
  if (error == 0 || error == EADDRINUSE) {
    memcpy(given, address, size);
  } else if (error == EFAULT || sys::copy_memory(given, address, size) != static_cast<long>(size)) {
    return;
  }
  constexpr size_t kPath = offsetof(sockaddr_un, sun_path);
  given[size] = '\0';
  sa_family_t family = AF_UNSPEC;
  if (size <= kPath || given[kPath] == '\0') return;
  memcpy(&family, given, sizeof family);
  if (family != AF_UNIX) return;
  request.path = given + kPath;
  if (error == 0) {
    creation.made_at_path(trace::Created::yes);
  } else {
    creation.failed(error);
  }
}

namespace {

// The name that glibc's write_gmon uses: GMON_OUT_PREFIX.PID if that is set, else gmon.out. One
// static buffer is enough, because the program exits.
const char* profile_path() {
  static char name[1024];
  const char* prefix = start_variable("GMON_OUT_PREFIX");
  if (prefix == nullptr) return "gmon.out";
  TextBuffer text(name, sizeof name);
  text.put(prefix).put('.').decimal(static_cast<std::uint64_t>(sys::call(SYS_getpid))).end();
  return name;
}

}  // namespace
}  // namespace umaskaudit::shim

using namespace umaskaudit::shim;  // NOLINT: the rows' expressions are evaluated below

// Common to the creating shapes: pass the call on while not recording, else give the shape the
// request and a callable for REAL(). In CALL, `request` is in scope.
#define CREATING(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE, CALL)    \
  WRAPPER(RET, NAME, PARAMETERS) {                                                          \
    if (!recording()) return REAL(NAME) ARGUMENTS;                                          \
    Request request =                                                                       \
        UMASKAUDIT_REQUEST(NAME, KIND, DIRFD, PATH, FLAGS, MODE, UMASKAUDIT_STACK_START()); \
    if (is_short_of_stack(request.stack.sp)) return BRIEFLY(NAME, ARGUMENTS);               \
    return CALL;                                                                            \
  }
// The same for calls that create nothing: on a small stack they are only counted.
#define CHANGING(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE, CALL)    \
  WRAPPER(RET, NAME, PARAMETERS) {                                                          \
    if (!recording() || cannot_be_noted()) return REAL(NAME) ARGUMENTS;                     \
    const Request request =                                                                 \
        UMASKAUDIT_REQUEST(NAME, KIND, DIRFD, PATH, FLAGS, MODE, UMASKAUDIT_STACK_START()); \
    return CALL;                                                                            \
  }
#define ONCE(NAME, ARGUMENTS) [&] { return REAL(NAME) ARGUMENTS; }
// By value, as WITH below.
#define BRIEFLY(NAME, ARGUMENTS) create_briefly(request, [=] { return REAL(NAME) ARGUMENTS; })
// For an attempt with other flags (or another mode string), sets a copy of the wrapper's own
// parameter. By value: capturing a parameter by reference would force it into memory, even while
// not recording.
#define WITH(NAME, ARGUMENTS, TYPE, PARAMETER) \
  [=](TYPE attempt) mutable {                  \
    PARAMETER = attempt;                       \
    return REAL(NAME) ARGUMENTS;               \
  }

#define WRAP_umask(RET, NAME, PARAMETERS, ARGUMENTS, ...)                      \
  WRAPPER(RET, NAME, PARAMETERS) {                                             \
    if (!recording()) return REAL(NAME) ARGUMENTS;                             \
    return change_and_record_mask(mask, REAL(NAME), UMASKAUDIT_STACK_START()); \
  }
#define WRAP_plain(RET, NAME, PARAMETERS, ARGUMENTS, ...) \
  WRAPPER(RET, NAME, PARAMETERS) { return REAL(NAME) ARGUMENTS; }
#define WRAP_custom(...)
#define WRAP_raw(...)

// Opening without O_CREAT is by far the most frequent call, and is passed on before any set-up.
#define WRAP_open(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE)         \
  WRAPPER(RET, NAME, PARAMETERS) {                                                          \
    if (!may_create(flags) || !recording()) return REAL(NAME) ARGUMENTS;                    \
    const Request request =                                                                 \
        UMASKAUDIT_REQUEST(NAME, KIND, DIRFD, PATH, FLAGS, MODE, UMASKAUDIT_STACK_START()); \
    if (is_short_of_stack(request.stack.sp)) return BRIEFLY(NAME, ARGUMENTS);               \
    return create_fd(request, WITH(NAME, ARGUMENTS, int, flags));                           \
  }
#define WRAP_creat(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE)          \
  CREATING(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE,                  \
           create_fd(request, [&](int now) {                                                  \
             return (now & O_EXCL) != 0 ? REAL(open)(path, now, mode) : REAL(NAME) ARGUMENTS; \
           }))
#define WRAP_path(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE) \
  CREATING(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE,        \
           create_path(request, ONCE(NAME, ARGUMENTS)))
#define WRAP_bind(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE) \
  CREATING(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE,        \
           create_socket(request, fd, address, length, ONCE(NAME, ARGUMENTS)))
#define WRAP_stream(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE) \
  CREATING(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE,          \
           create_stream(request, mode, WITH(NAME, ARGUMENTS, const char*, mode)))
#define WRAP_restream(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE) \
  CREATING(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE,            \
           create_stream_at_once(request, ONCE(NAME, ARGUMENTS)))
#define WRAP_unnamed(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE) \
  CREATING(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE,           \
           create_unnamed(request, ONCE(NAME, ARGUMENTS)))
#define WRAP_implied(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE)      \
  WRAPPER(RET, NAME, PARAMETERS) {                                                          \
    if (!recording()) return REAL(NAME) ARGUMENTS;                                          \
    const Request request =                                                                 \
        UMASKAUDIT_REQUEST(NAME, KIND, DIRFD, PATH, FLAGS, MODE, UMASKAUDIT_STACK_START()); \
    return create_implied(request, ONCE(NAME, ARGUMENTS));                                  \
  }
#define WRAP_temp(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE) \
  CREATING(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE,        \
           create_temp(request, ONCE(NAME, ARGUMENTS)))
#define WRAP_tempdir(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE) \
  CREATING(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE,           \
           create_tempdir(request, ONCE(NAME, ARGUMENTS)))
#define WRAP_queue(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE) \
  CREATING(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE,         \
           create_queue(request, WITH(NAME, ARGUMENTS, int, flags)))
#define WRAP_shared(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE) \
  CREATING(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE,          \
           create_shared_memory(request, WITH(NAME, ARGUMENTS, int, flags)))
#define WRAP_semaphore(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE) \
  CREATING(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE,             \
           create_semaphore(request, WITH(NAME, ARGUMENTS, int, flags)))
#define WRAP_chmod(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE) \
  CHANGING(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE,         \
           note_success(ONCE(NAME, ARGUMENTS), [&] { record_permissions(request, nullptr); }))
#define WRAP_owner(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE) \
  CHANGING(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE,         \
           change_owner(request, ONCE(NAME, ARGUMENTS)))
#define WRAP_xattr(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE) \
  CHANGING(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE,         \
           note_success(ONCE(NAME, ARGUMENTS), [&] { record_permissions(request, name); }))
#define WRAP_names(RET, NAME, PARAMETERS, ARGUMENTS, ACTION, DIRFD, NAMES, ...)        \
  WRAPPER(RET, NAME, PARAMETERS) {                                                     \
    if (!recording() || cannot_be_noted()) return REAL(NAME) ARGUMENTS;                \
    return note_success(ONCE(NAME, ARGUMENTS),                                         \
                        [&] { record_names(Call::NAME, NameAction::ACTION, NAMES); }); \
  }

#define ROW(SHAPE, RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE, NUMBER) \
  WRAP_##SHAPE(RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE)
#include "preload/interceptors.def"
#undef ROW
