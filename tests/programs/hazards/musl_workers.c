/* A C program for musl: two threads, a fork, a spawned and an executed copy of itself each make
   objects under masks of their own. Ground truth: a JSON line for each, with the mode by fstat or
   lstat; 15 objects. Usage: musl_workers DIR [SUBDIRECTORY]. Statically linked: the same. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

static const char* directory;

static void die(const char* what) {
  perror(what);
  _exit(99);
}

static void name(char path[4096], const char* prefix, const char* way) {
  snprintf(path, 4096, "%s/%s-%s", directory, prefix, way);
}

static void print(const char* path, const char* call) {
  struct stat status;
  if (lstat(path, &status) != 0) die(path);
  printf("{\"path\":\"%s\",\"final\":\"%04o\",\"call\":\"%s\"}\n", path,
         (unsigned)status.st_mode & 07777, call);
  fflush(stdout);
}

/* What goes through the kernel at once, through a stream, and by a template. */
static void make(const char* prefix) {
  char path[4096];
  name(path, prefix, "file");
  const int fd = open(path, O_CREAT | O_WRONLY, 0666);
  if (fd < 0) die(path);
  close(fd);
  print(path, "open");
  name(path, prefix, "directory");
  if (mkdir(path, 0777) != 0) die(path);
  print(path, "mkdir");
  name(path, prefix, "stream");
  FILE* stream = fopen(path, "w");
  if (stream == NULL) die(path);
  fclose(stream);
  print(path, "fopen");
}

static void* work(void* prefix) {
  make(prefix);
  return NULL;
}

static void wait_for(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) die("child");
}

int main(int argc, char** argv) {
  if (argc < 2) return 99;
  directory = argv[1];
  if (argc > 2) {  /* the copy */
    char path[4096];
    name(path, argv[2], "directory");
    if (mkdir(path, 0777) != 0) die(path);
    print(path, "mkdir");
    return 0;
  }
  umask(0027);
  pthread_t threads[2];
  if (pthread_create(&threads[0], NULL, work, "one") != 0) die("pthread_create");
  if (pthread_create(&threads[1], NULL, work, "two") != 0) die("pthread_create");
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
  umask(0002);
  pid_t child = fork();
  if (child < 0) die("fork");
  if (child == 0) {
    umask(0);
    make("forked");
    char* again[] = {argv[0], argv[1], "executed", NULL};
    execv(argv[0], again);
    die("execv");
  }
  wait_for(child);
  char* again[] = {argv[0], argv[1], "spawned", NULL};
  if (posix_spawn(&child, argv[0], NULL, NULL, again, environ) != 0) die("posix_spawn");
  wait_for(child);
  char path[4096];
  name(path, "template", "XXXXXX");
  if (mkdtemp(path) == NULL) die(path);
  print(path, "mkdtemp");
  make("main");
  return 0;
}
