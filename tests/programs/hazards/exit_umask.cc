// Calls umask and creates where everything is being torn down: TLS destructors, a pthread key's,
// atexit, a static destructor, then quick_exit or _exit. Usage: exit_umask DIR [quick|now]
// Ground truth: stat of each object, by the caller, because the program has ended.
#include <thread>

#include "victim.h"

namespace {

std::string dir;

void create_under(mode_t mask, const char* name) {
  umask(mask);
  const int fd =
      victim::need(open((dir + "/" + name).c_str(), O_CREAT | O_EXCL | O_WRONLY, 0666), name);
  close(fd);
}

struct InThread {
  ~InThread() { create_under(0001, "tls-destructor"); }
  int used = 0;
};
thread_local InThread in_thread;

struct AtEnd {
  ~AtEnd() { create_under(0007, "static-destructor"); }
};

}  // namespace

int main(int argc, char** argv) {
  dir = victim::directory(argc, argv);
  static const AtEnd at_end;
  pthread_key_t key;
  pthread_key_create(&key, [](void*) { create_under(0002, "key-destructor"); });
  std::thread([&] {
    in_thread.used = 1;
    pthread_setspecific(key, &key);
  }).join();
  std::atexit([] { create_under(0003, "atexit"); });
  std::at_quick_exit([] { create_under(0004, "at-quick-exit"); });
  const std::string way = argc > 2 ? argv[2] : "";
  create_under(0005, "main");
  if (way == "quick") std::quick_exit(0);
  if (way == "now") _exit(0);
  return 0;
}
