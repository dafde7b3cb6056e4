/* Forks while another thread opens and closes code: the children load a library of their own and
   create by it.
   Usage: musl_forks_while_loading DIR LIBRARY CHILDREN. Each child makes DIR/NUMBER by the
   library's make_directory(). Ground truth: the directories, and the library whose code made them.
   Built with musl-gcc: the shim keeps a list of loaded objects of its own there, and a thread that
   fills it does not exist in the children. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_int loads;
static atomic_int over;

static void* load_again_and_again(void* unused) {
  (void)unused;
  while (!atomic_load(&over)) {
    void* self = dlopen(NULL, RTLD_NOW);
    if (self == NULL || dlclose(self) != 0) abort();
    atomic_fetch_add(&loads, 1);
  }
  return NULL;
}

static void create_in_child(const char* library, const char* directory, int number) {
  char path[4096];
  void* loaded = dlopen(library, RTLD_NOW);
  if (loaded == NULL) _exit(97);
  int (*make)(const char*) = (int (*)(const char*))dlsym(loaded, "make_directory");
  snprintf(path, sizeof path, "%s/%d", directory, number);
  _exit(make == NULL || make(path) != 0 ? 98 : 0);
}

int main(int argc, char** argv) {
  pthread_t loader;
  int failed = 0;
  if (argc != 4 || pthread_create(&loader, NULL, load_again_and_again, NULL) != 0) return 2;
  while (atomic_load(&loads) == 0) sched_yield();
  for (int number = 0; number < atoi(argv[3]); ++number) {
    const pid_t child = fork();
    int status = 0;
    if (child == 0) create_in_child(argv[2], argv[1], number);
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) failed = 1;
  }
  atomic_store(&over, 1);
  pthread_join(loader, NULL);
  return failed;
}
