// One thread loads and unloads a library that creates; others create, and a timer's handler too.
// Ground truth: it ends; fstat of what the library made. Usage: dlopen_storm DIR LIBRARY [ROUNDS]
// An unwinder that walks the list of libraries under the loader's lock deadlocks or crashes here.
#include <dlfcn.h>
#include <sys/time.h>

#include <csignal>
#include <thread>

#include "victim.h"

namespace {

std::atomic<bool> done{false};

// Each handler asks for the next: where one takes longer than the time between them, the code below
// it goes on all the same.
void ask_for_an_alarm() {
  const itimerval soon{{0, 0}, {0, 300}};
  victim::need(setitimer(ITIMER_REAL, &soon, nullptr), "setitimer");
}

void on_alarm(int) {
  const int saved = errno;
  umask(0022);
  if (!done) ask_for_an_alarm();
  errno = saved;
}

void load_and_unload(const std::string& dir, const char* library, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) victim::die(dlerror());
    auto create = reinterpret_cast<void (*)(const char*)>(dlsym(handle, "storm_create"));
    const std::string path = dir + "/l" + std::to_string(i);
    create(path.c_str());
    dlclose(handle);
  }
  done = true;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  if (argc < 3) victim::die("LIBRARY is missing");
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 500;
  umask(0022);
  struct sigaction action {};
  action.sa_handler = on_alarm;
  action.sa_flags = SA_RESTART;
  victim::need(sigaction(SIGALRM, &action, nullptr), "sigaction");
  ask_for_an_alarm();
  std::thread loader([&] { load_and_unload(dir, argv[2], rounds); });
  const std::string made = dir + "/made";
  while (!done) {
    mkdir(made.c_str(), 0777);
    rmdir(made.c_str());
  }
  loader.join();
  const itimerval never{};
  victim::need(setitimer(ITIMER_REAL, &never, nullptr), "setitimer");
  for (int i = 0; i < rounds; ++i) {
    const std::string path = dir + "/l" + std::to_string(i);
    victim::print({path, victim::mode_of(path), "open", nullptr, -1, 0666, 0022});
  }
  return 0;
}
