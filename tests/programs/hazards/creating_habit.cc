// One call of open(2) with O_CREAT that meets new files, existing ones and dangling symbolic links,
// in runs and in turn: what it came to before must not decide what is said of it now.
// Ground truth: lstat(2) before the call, of the name or of the link's target; errno stays what it
// was. Usage: creating_habit DIR [OTHER]; DIR may hold files before0 to before5. OTHER: a directory
// on another filesystem, where every second run works, and where the links of the others lead to.
#include <sys/stat.h>

#include <cerrno>

#include "victim.h"

namespace {

bool exists(const std::string& path) {
  struct stat status;
  return lstat(path.c_str(), &status) == 0;
}

// The object is `path`, or what it points to.
[[gnu::noinline]] void open_one(const std::string& path, const std::string& object) {
  const bool there = exists(object);
  errno = EXFULL;
  const int fd = open(path.c_str(), O_CREAT | O_WRONLY, 0666);
  if (fd < 0 || errno != EXFULL) victim::die("open");
  if (!there)
    victim::print({object, victim::mode_of(fd), "open", nullptr, victim::tid(), 0666, 0022});
  std::printf("{\"met\": %s}\n", there ? "true" : "false");
  close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0022);
  const std::string dirs[] = {dir, argc > 2 ? argv[2] : dir};
  int number = 0;
  const auto next = [&](int run) { return dirs[run % 2] + "/f" + std::to_string(number++); };
  for (int run = 0; run < 6; ++run) {
    std::string path;
    for (int i = 0; i < run; ++i) open_one(path = next(run), path);
    // Made before the run, by no recorded process.
    open_one(path = dirs[run % 2] + "/before" + std::to_string(run), path);
    for (int i = 0; i < 5 - run; ++i) open_one(path, path);
    const std::string link = dirs[run % 2] + "/link" + std::to_string(run);
    const std::string target = next(run + 1);
    victim::need(symlink(target.c_str(), link.c_str()), "symlink");
    open_one(link, target);
    open_one(link, target);
  }
  return 0;
}
