// The race of the README: a thread reads the umask by writing it while another stores a secret.
// Ground truth: session.tok is 0666, though the umask is 0077. The barrier makes it so every time.
// Usage: race. By itself, for the README has it compiled.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <barrier>
#include <thread>

static std::barrier<> turn(2);

static void read_umask() {
  const mode_t mask = umask(0);  // now all threads create so
  turn.arrive_and_wait();
  turn.arrive_and_wait();
  umask(mask);
}

static void store_session() {
  turn.arrive_and_wait();
  close(open("session.tok", O_WRONLY | O_CREAT, 0666));
  turn.arrive_and_wait();
}

int main() {
  unlink("session.tok");  // of the run before: what is there keeps its mode
  umask(0077);
  std::thread config(read_umask);
  store_session();
  config.join();
}
