// Makes files without a name and links them to one, in both ways that open(2) describes; one stays
// without. Ground truth: lstat of the names.
#include "victim.h"

namespace {

int unnamed(const char* directory, int mode) {
  return victim::need(open(directory, O_TMPFILE | O_RDWR, mode), "O_TMPFILE");
}

void show(const std::string& path, int requested, int mask) {
  victim::print({path, victim::mode_of(path), "open", nullptr, victim::tid(), requested, mask});
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  victim::need(chdir(dir.c_str()), "chdir");
  umask(0027);
  const int by_link = unnamed(".", 0666);
  umask(0002);
  const std::string link = "/proc/self/fd/" + std::to_string(by_link);
  victim::need(linkat(AT_FDCWD, link.c_str(), AT_FDCWD, "by-link", AT_SYMLINK_FOLLOW), "linkat");
  show(dir + "/by-link", 0666, 0027);

  const int by_descriptor = unnamed(dir.c_str(), 0660);
  const int directory = victim::need(open(dir.c_str(), O_PATH | O_DIRECTORY), "O_PATH");
  // Without CAP_DAC_READ_SEARCH only the kernels since 6.10 allow this to the opener.
  if (linkat(by_descriptor, "", directory, "by-descriptor", AT_EMPTY_PATH) == 0) {
    show(dir + "/by-descriptor", 0660, 0002);
  }
  close(unnamed(".", 0600));
}
