/* Calls umask(2) some calls deep, and prints beforehand what it knows of its stack: the return
   address of each of its functions (the compiler's), its load bias and build id (the loader's).
   Usage: deep plain|large|callback|signal|fault|thread|vdso. Built in several ways; stopped by
   the test. */
#define _GNU_SOURCE
#include <elf.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LEVEL __attribute__((noinline, noclone)) void
#define AFTER_CALL __asm__ volatile("" ::: "memory") /* no jump instead of a call */
#define NOTE note(__builtin_return_address(0))

static uintptr_t truth[64];
static unsigned count;
static const char* how;
static void (*volatile by_pointer)(unsigned);
static char text[8192];
static size_t length;

/* Apart: no function keeps such an address in a register, which the next one would save. */
LEVEL note(void* address) { truth[count++] = (uintptr_t)address; }

static void print(const char* name, uintptr_t value) {
  length += (size_t)snprintf(text + length, sizeof text - length, "%s %lx\n", name, value);
}

static int print_program(struct dl_phdr_info* info, size_t size, void* unused) {
  (void)size;
  (void)unused;
  print("bias", info->dlpi_addr);
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    if (info->dlpi_phdr[i].p_type != PT_NOTE) continue;
    const char* at = (const char*)info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
    const char* end = at + info->dlpi_phdr[i].p_memsz;
    while (at < end) {
      const ElfW(Nhdr)* note = (const void*)at;
      const unsigned char* bytes = (const void*)(at + sizeof *note + (note->n_namesz + 3) / 4 * 4);
      for (unsigned k = 0; note->n_type == NT_GNU_BUILD_ID && k < note->n_descsz; ++k)
        print("id", bytes[k]);
      at = (const char*)bytes + (note->n_descsz + 3) / 4 * 4;
    }
  }
  return 1; /* the first one is the program */
}

LEVEL leaf(void) {
  NOTE;
  print("leaf", (uintptr_t)leaf);
  while (count > 0) print("return", truth[--count]);
  dl_iterate_phdr(print_program, NULL);
  if (write(STDOUT_FILENO, text, length) < 0) abort();
  struct timespec used; /* which the vDSO does not know: it makes the system call itself */
  if (strcmp(how, "vdso") == 0) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  umask(0);
  AFTER_CALL;
}

LEVEL inner(unsigned more) {
  NOTE;
  if (more > 0) inner(more - 1);
  else leaf();
  AFTER_CALL;
}

/* Of a size that only the running program knows: its frame is found by a frame pointer. */
LEVEL large(size_t size) {
  volatile char* room = __builtin_alloca(size);
  NOTE;
  room[0] = room[size - 1] = 1;
  inner(3);
  AFTER_CALL;
}

/* Called by libc. */
static int compare(const void* one, const void* other) {
  (void)one;
  (void)other;
  if (count < 20) {
    NOTE;
    inner(2);
  }
  AFTER_CALL;
  return 0;
}
static void handle(int number) {
  (void)number;
  NOTE;
  inner(2);
  AFTER_CALL;
}

/* Interrupted at its first instruction: there is nothing of it in front of that. */
#if defined(__x86_64__)
void faulting(void);
__asm__(
    ".text\n.p2align 4\n.type faulting, @function\n.globl faulting\nfaulting:\n"
    ".cfi_startproc\nud2\nret\n.cfi_endproc\n.size faulting, .-faulting");
#else
static void faulting(void) { raise(SIGILL); }
#endif

LEVEL outer(void) {
  NOTE;
  int numbers[2] = {1, 2};
  if (strcmp(how, "large") == 0) large(100 * 1000 + (size_t)getpid() % 2);
  else if (strcmp(how, "callback") == 0) qsort(numbers, 2, sizeof *numbers, compare);
  else if (strcmp(how, "signal") == 0) raise(SIGUSR1);
  else if (strcmp(how, "fault") == 0) faulting();
  else by_pointer(12);
  AFTER_CALL;
}

static void* run(void* unused) {
  outer();
  AFTER_CALL;
  return unused;
}

int main(int argc, char** argv) {
  NOTE;
  how = argc > 1 ? argv[1] : "plain";
  by_pointer = inner;
  signal(SIGUSR1, handle);
  signal(SIGILL, handle);
  if (strcmp(how, "thread") == 0) {
    pthread_t thread;
    count = 0;
    if (pthread_create(&thread, NULL, run, NULL) == 0) pthread_join(thread, NULL);
    return 0;
  }
  outer();
  AFTER_CALL;
  return 0;
}
