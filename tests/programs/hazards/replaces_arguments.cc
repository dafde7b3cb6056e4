// Replaces its arguments by pointers that lead nowhere before it creates a file, as programs may
// that keep them elsewhere. Ground truth: it ends with 0, and FILE is there.
// Usage: replaces_arguments FILE
#include <fcntl.h>
#include <unistd.h>

#include <cstddef>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const char* const file = argv[1];
  for (int i = 0; i < argc; ++i) argv[i] = reinterpret_cast<char*>(std::size_t{16});
  const int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
  return fd < 0 || close(fd) != 0 ? 1 : 0;
}
