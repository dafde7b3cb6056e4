// Limits itself once it runs: no more descriptors, no more memory, no more locked pages. Then goes
// on changing the mask and creating what needs none of these. Usage: limits_later DIR [DIRECTORIES]
// Ground truth: stat of each directory, and that descriptors and memory are refused to us as well.
#include <sys/mman.h>
#include <sys/resource.h>

#include "victim.h"

namespace {

void limit(__rlimit_resource resource, rlim_t value) {
  const rlimit both{value, value};
  victim::need(setrlimit(resource, &both), "setrlimit");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  const int directories = argc > 2 ? std::atoi(argv[2]) : 3000;
  char path[4096];
  limit(RLIMIT_NOFILE, 3);
  limit(RLIMIT_MEMLOCK, 0);
  limit(RLIMIT_AS, 1 << 20);
  if (open("/dev/null", O_RDONLY) != -1 || errno != EMFILE) victim::die("descriptors");
  if (mmap(nullptr, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) {
    victim::die("memory");
  }
  for (int i = 0; i < directories; ++i) {
    umask(static_cast<mode_t>(i & 0777));
    std::snprintf(path, sizeof(path), "%s/d%d", dir.c_str(), i);
    victim::need(mkdir(path, 0777), path);
    struct stat status;
    victim::need(stat(path, &status), path);
    if ((status.st_mode & 0777) != (0777u & ~static_cast<unsigned>(i))) victim::die("mode");
  }
  return 0;
}
