/* How much stack one call takes: each is made on a stack that was painted before, of a thread or,
   as an alternate stack or a library of coroutines has it, known to nobody but the program.
   Prints "NAME BYTES" for each. Usage: stack_probe thread|coroutine DIR [NAME]. Run with and
   without the preload: the difference is the shim's. The first call of a process takes the most:
   with NAME, only that one is made. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

extern char** environ;

enum { kStack = 256 * 1024, kPaint = 0xa5 };

static char path[4096];
static int descriptor;
static char template[64] = "XXXXXX";
static char template_of_directory[64] = "XXXXXX";
static char ipc_name[64];
static char too_long[NAME_MAX + 2];

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
static void call_fchmod(void) { fchmod(descriptor, 0700); }
static void call_rename(void) { rename("stack-file", "stack-other"); }
static void call_mkstemp(void) { close(mkstemp(template)); }
static void call_failing(void) { mkdir("stack-none/x", 0777); }
static void call_failing_unread(void) { mkdir(too_long, 0777); }
static void call_creat(void) { close(creat("stack-creat", 0666)); }
static void call_mkdtemp(void) { mkdtemp(template_of_directory); }
static void call_bind(void) {
  static struct sockaddr_un address = {AF_UNIX, "stack-socket"};
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  bind(fd, (struct sockaddr*)&address, sizeof address);
  close(fd);
}
static void call_shm_open(void) { close(shm_open(ipc_name, O_CREAT | O_RDWR, 0666)); }
static void call_shm_unlink(void) { shm_unlink(ipc_name); }
static void call_raw_umask(void) { syscall(SYS_umask, 027); }
static void call_raw_openat(void) {
  close((int)syscall(SYS_openat, AT_FDCWD, "stack-raw", O_CREAT | O_WRONLY, 0666));
}
// The second call at one place is the one that asks the kernel afterwards who created the object.
static void call_raw_openat_existing(void) {
  for (volatile int i = 0; i < 2; ++i)
    close((int)syscall(SYS_openat, AT_FDCWD, "stack-raw", O_CREAT | O_WRONLY, 0666));
}
static void call_raw_mkdirat(void) { syscall(SYS_mkdirat, AT_FDCWD, "stack-raw-dir", 0777); }
static void call_raw_bind(void) {
  static struct sockaddr_un address = {AF_UNIX, "stack-raw-socket"};
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  syscall(SYS_bind, fd, &address, sizeof address);
  close(fd);
}
static void call_raw_fchmodat(void) { syscall(SYS_fchmodat, AT_FDCWD, "stack-raw", 0600); }
static void call_unlink(void) { unlink("stack-raw"); }
static void call_execve(void) {
  char* arguments[] = {NULL};
  execve("stack-none/x", arguments, environ);
}
static void call_vfork(void) {
  char* arguments[] = {"true", NULL};
  const pid_t child = vfork();
  if (child == 0) {
    execve("/bin/true", arguments, environ);
    _exit(1);
  }
  waitpid(child, NULL, 0);
}
static void call_posix_spawn(void) {
  char* arguments[] = {"true", NULL};
  pid_t child = 0;
  posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ);
  waitpid(child, NULL, 0);
}
static void call_fork(void) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, NULL, 0);
}

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
    {"fchmod", call_fchmod},
    {"rename", call_rename},
    {"mkstemp", call_mkstemp},
    {"failing", call_failing},
    {"failing-unread", call_failing_unread},
    {"creat", call_creat},
    {"mkdtemp", call_mkdtemp},
    {"bind", call_bind},
    {"shm_open", call_shm_open},
    {"shm_unlink", call_shm_unlink},
    {"raw-umask", call_raw_umask},
    {"raw-openat", call_raw_openat},
    {"raw-openat-existing", call_raw_openat_existing},
    {"raw-mkdirat", call_raw_mkdirat},
    {"raw-bind", call_raw_bind},
    {"raw-fchmodat", call_raw_fchmodat},
    {"unlink", call_unlink},
    {"execve", call_execve},
    {"vfork-execve", call_vfork},
    {"posix_spawn", call_posix_spawn},
    {"fork", call_fork},
};

static void* run(void* call) {
  (*(void (*const*)(void))call)();
  return NULL;
}

static void run_on_thread(void (*const* call)(void), unsigned char* stack) {
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  pthread_attr_setstack(&attributes, stack, kStack);
  if (pthread_create(&thread, &attributes, run, (void*)call) != 0) abort();
  pthread_join(thread, NULL);
}

static void run_as_coroutine(void (*const* call)(void), unsigned char* stack) {
  static ucontext_t here;
  static ucontext_t there;
  if (getcontext(&there) != 0) abort();
  there.uc_stack.ss_sp = stack;
  there.uc_stack.ss_size = kStack;
  there.uc_link = &here;
  makecontext(&there, *call, 0);
  if (swapcontext(&here, &there) != 0) abort();
}

static long stack_used(void (*const* call)(void), int coroutine) {
  unsigned char* stack =
      mmap(NULL, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  size_t clean = 0;
  if (stack == MAP_FAILED) abort();
  memset(stack, kPaint, kStack);
  (coroutine ? run_as_coroutine : run_on_thread)(call, stack);
  while (clean < kStack && stack[clean] == kPaint) ++clean;
  munmap(stack, kStack);
  return (long)(kStack - clean);
}

int main(int argc, char** argv) {
  if (argc < 3 || chdir(argv[2]) != 0) return 2;
  snprintf(path, sizeof path, "%s/stack-absolute", argv[2]);
  snprintf(ipc_name, sizeof ipc_name, "/stack-probe-%ld", (long)getpid());
  memset(too_long, 'n', sizeof too_long - 1);
  descriptor = open(".", O_RDONLY | O_DIRECTORY);
  for (size_t i = 0; i < sizeof kCalls / sizeof kCalls[0]; ++i) {
    if (argc > 3 && strcmp(argv[3], kCalls[i].name) != 0) continue;
    const long used = stack_used(&kCalls[i].call, strcmp(argv[1], "coroutine") == 0);
    printf("%s %ld\n", kCalls[i].name, used);
    fflush(stdout);
  }
  shm_unlink(ipc_name);  // asked for shm_open alone, nothing else takes it away
  return 0;
}
