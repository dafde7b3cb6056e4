// A module for LD_AUDIT (rtld-audit(7)): the loader gives it a name space and a libc of its own,
// and takes the room for thread-local storage of both from what preloads have. Ground truth: it
// says on stderr that it is there. Used by tests/e2e/test_loading.py.
#include <link.h>
#include <unistd.h>

#include <cstdint>

extern "C" unsigned la_version(unsigned) {
  constexpr char kHere[] = "audit module is here\n";
  (void)!write(STDERR_FILENO, kHere, sizeof(kHere) - 1);
  return LAV_CURRENT;
}

extern "C" unsigned la_objopen(link_map*, Lmid_t, std::uintptr_t*) {
  return LA_FLG_BINDTO | LA_FLG_BINDFROM;
}
