/* How much stack one call takes: each is made on a thread of its own whose stack was painted
   before. Prints "NAME BYTES" for each. Usage: stack_probe DIR. Run with and without the preload:
   the difference is the shim's. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { kStack = 256 * 1024, kPaint = 0xa5 };

static char path[4096];
static int descriptor;
static char template[64] = "XXXXXX";

static void call_nothing(void) {}
static void call_umask(void) { umask(027); }
static void call_mkdir(void) { mkdir("stack-dir", 0777); }
static void call_mkdir_absolute(void) { mkdir(path, 0777); }
static void call_open(void) { close(open("stack-file", O_CREAT | O_WRONLY, 0666)); }
static void call_open_existing(void) { close(open("stack-file", O_CREAT | O_WRONLY, 0666)); }
static void call_open_exclusive(void) {
  close(open("stack-exclusive", O_CREAT | O_EXCL | O_WRONLY, 0666));
}
static void call_openat(void) { close(openat(descriptor, "stack-at", O_CREAT | O_WRONLY, 0666)); }
static void call_mkfifo(void) { mkfifo("stack-fifo", 0666); }
static void call_chmod(void) { chmod("stack-file", 0600); }
static void call_rename(void) { rename("stack-file", "stack-other"); }
static void call_mkstemp(void) { close(mkstemp(template)); }
static void call_failing(void) { mkdir("stack-none/x", 0777); }

static const struct {
  const char* name;
  void (*call)(void);
} kCalls[] = {
    {"nothing", call_nothing},
    {"umask", call_umask},
    {"mkdir", call_mkdir},
    {"mkdir-absolute", call_mkdir_absolute},
    {"open", call_open},
    {"open-existing", call_open_existing},
    {"open-exclusive", call_open_exclusive},
    {"openat", call_openat},
    {"mkfifo", call_mkfifo},
    {"chmod", call_chmod},
    {"rename", call_rename},
    {"mkstemp", call_mkstemp},
    {"failing", call_failing},
};

static void* run(void* call) {
  (*(void (*const*)(void))call)();
  return NULL;
}

static long stack_used(void (*const* call)(void)) {
  unsigned char* stack =
      mmap(NULL, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  pthread_attr_t attributes;
  pthread_t thread;
  size_t clean = 0;
  if (stack == MAP_FAILED) abort();
  memset(stack, kPaint, kStack);
  pthread_attr_init(&attributes);
  pthread_attr_setstack(&attributes, stack, kStack);
  if (pthread_create(&thread, &attributes, run, (void*)call) != 0) abort();
  pthread_join(thread, NULL);
  while (clean < kStack && stack[clean] == kPaint) ++clean;
  munmap(stack, kStack);
  return (long)(kStack - clean);
}

int main(int argc, char** argv) {
  if (argc != 2 || chdir(argv[1]) != 0) return 2;
  snprintf(path, sizeof path, "%s/stack-absolute", argv[1]);
  descriptor = open(".", O_RDONLY | O_DIRECTORY);
  for (size_t i = 0; i < sizeof kCalls / sizeof kCalls[0]; ++i) {
    printf("%s %ld\n", kCalls[i].name, stack_used(&kCalls[i].call));
  }
  return 0;
}
