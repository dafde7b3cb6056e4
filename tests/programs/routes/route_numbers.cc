// The rows of interceptors.def that are system calls too, by syscall(2): a route for each.
#include "route_given.h"

namespace route {
namespace {

constexpr bool has(long number) { return number >= 0; }

// A descriptor is looked at, all else by its name.
bool made(Attempt& attempt, long result, bool descriptor) {
  if (descriptor) attempt.fd = static_cast<int>(result);
  return result >= 0;
}

}  // namespace

#define NONE (-1)
#define UNPARENTHESIZED(...) __VA_ARGS__
#define BY_NUMBER(NAME, NUMBER, ARGUMENTS, DESCRIPTOR, ...)                             \
  if (has(NUMBER)) {                                                                    \
    routes.push_back({"syscall:" #NAME, #NAME, [](Attempt& attempt) {                   \
                        __VA_ARGS__;                                                    \
                        const long result = syscall(NUMBER, UNPARENTHESIZED ARGUMENTS); \
                        return made(attempt, result, DESCRIPTOR);                       \
                      }});                                                              \
  }
#define ROUTE_open(NAME, ARGUMENTS, KIND, DIRFD, NUMBER) \
  BY_NUMBER(NAME, NUMBER, ARGUMENTS, true, GIVEN(KIND, DIRFD))
#define ROUTE_creat ROUTE_open
#define ROUTE_path(NAME, ARGUMENTS, KIND, DIRFD, NUMBER) \
  BY_NUMBER(NAME, NUMBER, ARGUMENTS, false, GIVEN(KIND, DIRFD); UNUSED device = dev_t{})
#define ROUTE_bind(NAME, ARGUMENTS, KIND, DIRFD, NUMBER) \
  BY_NUMBER(NAME, NUMBER, ARGUMENTS, false, GIVEN_SOCKET)
// Libc's own, and calls that create nothing.
#define ROUTE_plain(...)
#define ROUTE_stream(...)
#define ROUTE_restream(...)
#define ROUTE_unnamed(...)
#define ROUTE_implied(...)
#define ROUTE_temp(...)
#define ROUTE_tempdir(...)
#define ROUTE_queue(...)
#define ROUTE_shared(...)
#define ROUTE_semaphore(...)
#define ROUTE_umask(...)
#define ROUTE_chmod(...)
#define ROUTE_owner(...)
#define ROUTE_xattr(...)
#define ROUTE_names(...)
#define ROUTE_custom(...)
#define ROUTE_raw(...)
#define ROW(SHAPE, RET, NAME, PARAMETERS, ARGUMENTS, KIND, DIRFD, PATH, FLAGS, MODE, NUMBER) \
  ROUTE_##SHAPE(NAME, ARGUMENTS, KIND, DIRFD, NUMBER)

std::vector<Route> of_numbers() {
  std::vector<Route> routes;
#include "preload/interceptors.def"
  return routes;
}

}  // namespace route
