// A route for each creating row of interceptors.def, made from the row itself. A shape that is not
// known here does not compile: it needs a route.
#include <mqueue.h>
#include <semaphore.h>
#include <sys/mman.h>

#include "route_given.h"

// libc's functions as their rows declare them: its headers have other types. Shapes that create
// nothing are not declared; posix_spawn_file_actions_addopen is in route_more.cc.
#define DECLARE(RET, NAME, PARAMETERS) extern "C" RET libc_##NAME PARAMETERS __asm__(#NAME);
#define DECLARE_open DECLARE
#define DECLARE_creat DECLARE
#define DECLARE_plain DECLARE
#define DECLARE_path DECLARE
#define DECLARE_bind DECLARE
#define DECLARE_stream DECLARE
#define DECLARE_restream DECLARE
#define DECLARE_unnamed DECLARE
#define DECLARE_temp DECLARE
#define DECLARE_tempdir DECLARE
#define DECLARE_queue DECLARE
#define DECLARE_shared DECLARE
#define DECLARE_semaphore DECLARE
#define DECLARE_implied(...)
#define DECLARE_umask(...)
#define DECLARE_chmod(...)
#define DECLARE_owner(...)
#define DECLARE_xattr(...)
#define DECLARE_names(...)
#define DECLARE_custom(...)
#define DECLARE_raw(...)
#define ROW(SHAPE, RET, NAME, PARAMETERS, ...) DECLARE_##SHAPE(RET, NAME, PARAMETERS)
#include "preload/interceptors.def"
#undef ROW

namespace route {
namespace {

constexpr char kSuffix[] = ".end";

// A device number, or a pointer to one, as the row's type wants it.
struct Device {
  dev_t number = 0;
  operator dev_t() const { return number; }  // NOLINT: either is meant to happen unsaid
  operator dev_t*() { return &number; }      // NOLINT
};

void fill_template(Attempt& attempt, std::string_view arguments) {
  const bool suffix = arguments.find("suffix") != std::string_view::npos;
  attempt.path += std::string(".XXXXXX") + (suffix ? kSuffix : "");
}

}  // namespace

#define ADD(NAME, ONCE, ...) \
  routes.push_back({#NAME, #NAME, [](Attempt& attempt) -> bool { __VA_ARGS__ }, ONCE});
#define ROUTE_open(NAME, ARGUMENTS, KIND, DIRFD) \
  ADD(NAME, false, GIVEN(KIND, DIRFD); return (attempt.fd = libc_##NAME ARGUMENTS) >= 0;)
#define ROUTE_creat ROUTE_open
#define ROUTE_path(NAME, ARGUMENTS, KIND, DIRFD)                       \
  ADD(NAME, false, GIVEN(KIND, DIRFD); [[maybe_unused]] Device device; \
      return libc_##NAME ARGUMENTS == 0;)
#define ROUTE_bind(NAME, ARGUMENTS, ...) \
  ADD(NAME, false, GIVEN_SOCKET; return libc_##NAME ARGUMENTS == 0;)
#define ROUTE_stream(NAME, ARGUMENTS, ...)                                                \
  ADD(NAME, false, attempt.requested = 0666; UNUSED path = given_path(attempt, AT_FDCWD); \
      UNUSED mode = "w"; return (attempt.fd = descriptor_of(libc_##NAME ARGUMENTS)) >= 0;)
#define ROUTE_restream(NAME, ARGUMENTS, ...)                                              \
  ADD(NAME, false, attempt.requested = 0666; UNUSED path = given_path(attempt, AT_FDCWD); \
      UNUSED mode = "w"; UNUSED stream = std::fopen("/dev/null", "r");                    \
      return (attempt.fd = descriptor_of(libc_##NAME ARGUMENTS)) >= 0;)
#define ROUTE_unnamed(NAME, ARGUMENTS, ...)                          \
  ADD(NAME, true, attempt.requested = 0600; attempt.nameless = true; \
      return (attempt.fd = descriptor_of(libc_##NAME ARGUMENTS)) >= 0;)
#define ROUTE_temp(NAME, ARGUMENTS, ...)                                        \
  ADD(NAME, true, attempt.requested = 0600; fill_template(attempt, #ARGUMENTS); \
      UNUSED path = attempt.path.data(); UNUSED flags = O_CLOEXEC;              \
      UNUSED suffix = static_cast<int>(sizeof kSuffix - 1);                     \
      return (attempt.fd = libc_##NAME ARGUMENTS) >= 0;)
#define ROUTE_tempdir(NAME, ARGUMENTS, ...)                                     \
  ADD(NAME, true, attempt.requested = 0700; fill_template(attempt, #ARGUMENTS); \
      UNUSED path = attempt.path.data(); return libc_##NAME ARGUMENTS != nullptr;)
#define GIVEN_IPC                                    \
  attempt.requested = kAsked;                        \
  attempt.recorded = ipc_name(attempt);              \
  const char* const path = attempt.recorded.c_str(); \
  const mode_t mode = kAsked;                        \
  const int flags = O_CREAT | O_RDWR
#define ROUTE_queue(NAME, ARGUMENTS, ...)                                                \
  ADD(NAME, false, GIVEN_IPC; mq_attr small = small_queue(); UNUSED attributes = &small; \
      return (attempt.fd = libc_##NAME ARGUMENTS) >= 0;)
#define ROUTE_shared ROUTE_queue
#define ROUTE_semaphore(NAME, ARGUMENTS, ...)                         \
  ADD(NAME, false, GIVEN_IPC; const unsigned value = 1;               \
      attempt.look_at = "/dev/shm/sem." + attempt.recorded.substr(1); \
      sem_t* const semaphore = libc_##NAME ARGUMENTS;                 \
      return semaphore != SEM_FAILED && sem_close(semaphore) == 0;)
// They open what is there or fail; neither is a creation.
#define ROUTE_plain(NAME, ARGUMENTS, KIND, ...)                                                   \
  ADD(NAME, true, attempt.silent = true; UNUSED dirfd = attempt.dirfd;                            \
      UNUSED path = std::string_view(#KIND) == "mqueue" ? "/umaskaudit-route-none" : "/dev/null"; \
      UNUSED flags = O_RDONLY; close(libc_##NAME ARGUMENTS); return true;)
// Their names are fixed, and most are in /etc: the victim implied_names goes them.
#define ROUTE_implied(...)
#define ROUTE_umask(...)
#define ROUTE_chmod(...)
#define ROUTE_owner(...)
#define ROUTE_xattr(...)
#define ROUTE_names(...)
#define ROUTE_custom(...)
#define ROUTE_raw(...)
#define ROW(SHAPE, RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE, NUMBER) \
  ROUTE_##SHAPE(NAME, ARGUMENTS, KIND, DIRFD)

std::vector<Route> of_rows() {
  std::vector<Route> routes;
#include "preload/interceptors.def"
  return routes;
}

}  // namespace route
