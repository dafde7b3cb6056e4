// Calls the versions of libc's functions that programs of old were linked against. One of them does
// more than its successor: posix_spawn before glibc 2.15 hands a file that is no program to sh.
// Ground truth: fstat of what the calls made, and that the spawned file ran.
#include <mqueue.h>
#include <semaphore.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "victim.h"

#if defined(__x86_64__)  // the other architecture has one version of each
__asm__(".symver mq_open,mq_open@GLIBC_2.3.4");
__asm__(".symver shm_open,shm_open@GLIBC_2.2.5");
__asm__(".symver sem_open,sem_open@GLIBC_2.2.5");
__asm__(".symver pthread_create,pthread_create@GLIBC_2.2.5");
__asm__(".symver posix_spawn,posix_spawn@GLIBC_2.2.5");
#endif

namespace {

void show(const std::string& name, const char* call, unsigned mode, int mask) {
  victim::print({name, mode, call, nullptr, victim::tid(), 0666, mask});
}

void* make_objects(void* unused) {
  const std::string name = "/umaskaudit-old-" + std::to_string(getpid());
  umask(0027);
  const mqd_t queue =
      victim::need(mq_open(name.c_str(), O_CREAT | O_RDWR, 0666, victim::small_queue()), "mq");
  show(name, "mq_open", victim::mode_of(queue), 0027);
  mq_unlink(name.c_str());
  umask(0022);
  const int memory = victim::need(shm_open(name.c_str(), O_CREAT | O_RDWR, 0666), "shm_open");
  show(name + "-shm", "shm_open", victim::mode_of(memory), 0022);
  shm_unlink(name.c_str());
  umask(0077);
  if (sem_open(name.c_str(), O_CREAT, 0666, 1) == SEM_FAILED) victim::die("sem_open");
  show(name + "-sem", "sem_open", victim::mode_of("/dev/shm/sem." + name.substr(1)), 0077);
  sem_unlink(name.c_str());
  return unused;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  pthread_t thread;
  if (pthread_create(&thread, nullptr, make_objects, nullptr) != 0) victim::die("pthread_create");
  pthread_join(thread, nullptr);

  const std::string script = dir + "/no-interpreter-line";
  const int fd = victim::need(open(script.c_str(), O_CREAT | O_WRONLY, 0755), "script");
  victim::need(fchmod(fd, 0755), "fchmod");
  victim::need(write(fd, "exit 7\n", 7), "write");
  close(fd);
  char* arguments[] = {const_cast<char*>("script"), nullptr};
  pid_t child = 0;
  const int error = posix_spawn(&child, script.c_str(), nullptr, nullptr, arguments, environ);
  int status = 0;
  if (error == 0) victim::need(waitpid(child, &status, 0), "waitpid");
  std::printf(R"({"spawn_error":%d,"exit":%d})"
              "\n",
              error, WEXITSTATUS(status));
}
