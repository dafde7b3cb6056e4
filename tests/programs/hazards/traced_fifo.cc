// A thread waits in open(2) of a FIFO, with O_CREAT, until the other one has changed the mask and
// opens it too. Linked statically.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

int main() {
  if (mkfifo("fifo", 0600) != 0) return 1;
  std::thread writer([] {
    const int fd = open("fifo", O_CREAT | O_WRONLY, 0600);
    if (fd < 0 || write(fd, "x", 1) != 1) std::perror("fifo");
    close(fd);
  });
  umask(077);
  const int fd = open("fifo", O_RDONLY);
  char byte = 0;
  const bool good = read(fd, &byte, 1) == 1 && byte == 'x';
  writer.join();
  close(open("after", O_CREAT | O_WRONLY, 0666));
  return good ? 0 : 2;
}
