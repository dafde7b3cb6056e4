// Starts a program with the largest environment that the kernel takes, found by trying.
// Ground truth: how many bytes that is, on stdout; the same number with and without a shim.
// A shim that adds a variable for the child makes an environment too big that was not (E2BIG).
#include <sys/resource.h>
#include <sys/wait.h>

#include <vector>

#include "victim.h"

namespace {

char program[] = "/bin/true";
char* arguments[] = {program, nullptr};

bool fits(std::size_t bytes) {
  constexpr std::size_t kLongest = 100000;  // one word may have 128 KiB, execve(2)
  std::vector<std::string> words;
  for (; bytes > kLongest; bytes -= kLongest) words.push_back("A=" + std::string(kLongest, 'x'));
  words.push_back("A=" + std::string(bytes, 'x'));
  std::vector<char*> environment;
  for (std::string& word : words) environment.push_back(word.data());
  environment.push_back(nullptr);
  const pid_t child = victim::need(vfork(), "vfork");
  if (child == 0) {
    execve(program, arguments, environment.data());
    _exit(errno == E2BIG ? 1 : 99);
  }
  int status = 0;
  victim::need(waitpid(child, &status, 0), "waitpid");
  if (status != 0 && status != 1 << 8) victim::die("child");
  return status == 0;
}

}  // namespace

int main() {
  const rlimit stack{1 << 20, 1 << 20};  // a quarter of it is for arguments and environment
  victim::need(setrlimit(RLIMIT_STACK, &stack), "setrlimit");
  std::size_t good = 0;
  std::size_t bad = 1 << 20;
  while (bad - good > 1) {
    const std::size_t middle = (good + bad) / 2;
    (fits(middle) ? good : bad) = middle;
  }
  std::printf("%zu\n", good);
  return 0;
}
