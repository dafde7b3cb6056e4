// Functions run on stacks that are carved out of mappings shared with a thread's own stack, with a
// file, or with nothing, and whose other parts are given back while they run or between two runs.
// Ground truth: it ends as bare; fstat; a file's name begins with the function that made it.
// Usage: vanishing_stacks DIR below|inside|cloned|file|guard|deep|grown|storm|tables
#include <link.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <mutex>
#include <random>
#include <string_view>
#include <vector>

#include "victim.h"

namespace {

constexpr std::size_t kPage = 4096;
std::string dir;
std::mutex printing;

// What runs on the stack, and where it leaves what came of it. All on the page that `top` ends: no
// path is built there.
struct Visit {
  void (*body)(Visit*) = nullptr;
  std::string path;
  int fd = -1;
  char* free_at = nullptr;  // given back before the file is made
  std::size_t free_size = 0;
};

[[gnu::noinline]] void create_file(Visit* visit) {
  visit->fd = open(visit->path.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0666);
  __asm__ volatile("");
}

// Two callers of the same size, so that only their return addresses tell their stacks apart.
[[gnu::noinline]] void by_alice(Visit* visit) {
  if (visit->free_at != nullptr) munmap(visit->free_at, visit->free_size);
  create_file(visit);
  __asm__ volatile("");
}
[[gnu::noinline]] void by_bob(Visit* visit) {
  if (visit->free_at != nullptr) munmap(visit->free_at, visit->free_size);
  create_file(visit);
  __asm__ volatile("");
}

// What the compiler says about this frame is not true while the stack is another one: an unwinder
// looks for the caller above `top`, where nothing need be.
[[gnu::noinline]] void run_on(char* top, Visit* visit) {
#if defined(__x86_64__)
  __asm__ volatile(
      "mov %%rsp, %%rbx\n\tmov %0, %%rsp\n\tmov %2, %%rdi\n\tcall *%1\n\tmov %%rbx, %%rsp"
      :
      : "r"(top), "r"(visit->body), "r"(visit)
      : "rbx", "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
#else
  static_cast<void>(top);
  visit->body(visit);
#endif
}

void show(const Visit& visit) {
  if (visit.fd < 0) victim::die(visit.path.c_str());
  const std::lock_guard lock(printing);
  victim::print({visit.path, victim::mode_of(visit.fd), "open", nullptr, -1, 0666, -1});
  close(visit.fd);
}

void visit_on(char* top, unsigned number, const std::string& name, char* free_at = nullptr,
              std::size_t free_size = 0) {
  const bool alice = number % 2 == 0;
  Visit visit;
  visit.body = alice ? by_alice : by_bob;
  visit.path = dir + (alice ? "/alice-" : "/bob-") + name + "-" + std::to_string(number);
  visit.free_at = free_at;
  visit.free_size = free_size;
  run_on(top, &visit);
  show(visit);
}

char* map(std::size_t size, int flags = MAP_PRIVATE | MAP_ANONYMOUS, int fd = -1) {
  void* const at = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (at == MAP_FAILED) victim::die("mmap");
  return static_cast<char*>(at);
}

// The same place again and again, with less and less above it.
void use_up(char* pool, std::size_t size, const std::string& name) {
  unsigned number = 0;
  for (; number < 4; ++number) visit_on(pool + 4 * kPage, number, name);
  for (; size > 4 * kPage; size -= kPage) {
    visit_on(pool + 4 * kPage, number++, name, pool + size - kPage, kPage);
    visit_on(pool + 4 * kPage, number++, name);
  }
  munmap(pool, size);
}

void run_thread(void* (*body)(void*), void* argument, const pthread_attr_t& attributes) {
  pthread_t thread;
  if (pthread_create(&thread, &attributes, body, argument) != 0) victim::die("pthread_create");
  pthread_join(thread, nullptr);
}

// Nothing parts the pool from the stack above it, which has no guard page.
void* use_up_below(void*) {
  constexpr std::size_t kSize = 16 * kPage;
  pthread_attr_t attributes;
  void* stack = nullptr;
  std::size_t stack_size = 0;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) victim::die("pthread_getattr_np");
  pthread_attr_getstack(&attributes, &stack, &stack_size);
  pthread_attr_destroy(&attributes);
  void* const pool = mmap(static_cast<char*>(stack) - kSize, kSize, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pool == MAP_FAILED) victim::die("mmap");
  use_up(static_cast<char*>(pool), kSize, "below");
  return nullptr;
}

void run_below() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 64 * kPage);
  pthread_attr_setguardsize(&attributes, 0);
  run_thread(use_up_below, nullptr, attributes);
}

// The thread's stack is the whole pool, as far as libc knows.
void run_inside() {
  constexpr std::size_t kSize = 80 * kPage;
  char* const pool = map(kSize);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstack(&attributes, pool, kSize);
  run_thread(
      [](void* lowest) -> void* {
        use_up(static_cast<char*>(lowest), 16 * kPage, "inside");
        return nullptr;
      },
      pool, attributes);
  munmap(pool, kSize);
}

int run_body(void* visit) {
  static_cast<Visit*>(visit)->body(static_cast<Visit*>(visit));
  return 0;
}

// Tasks in this memory and on this thread's TLS.
void run_cloned() {
  char* const pool = map(16 * kPage);
  for (unsigned number = 0; number < 12; ++number) {
    Visit visit;
    visit.body = number % 2 == 0 ? by_alice : by_bob;
    visit.path = dir + (number % 2 == 0 ? "/alice-" : "/bob-") + std::to_string(number);
    visit.free_at = number < 4 ? nullptr : pool + (19 - number) * kPage;
    visit.free_size = kPage;
    const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD;
    const pid_t task = victim::need(clone(run_body, pool + 8 * kPage, flags, &visit), "clone");
    victim::need(waitpid(task, nullptr, 0), "waitpid");
    show(visit);
  }
  munmap(pool, 16 * kPage);
}

// What lies above the stack is a file's pages, and the file becomes shorter: SIGBUS for a reader.
void run_file() {
  const int fd = victim::need(static_cast<int>(syscall(SYS_memfd_create, "stack", 0)), "memfd");
  victim::need(ftruncate(fd, 8 * kPage), "ftruncate");
  char* const pool = map(8 * kPage, MAP_SHARED, fd);
  visit_on(pool + 4 * kPage, 0, "file");
  visit_on(pool + 4 * kPage, 1, "file");
  victim::need(ftruncate(fd, 4 * kPage), "ftruncate");
  for (unsigned number = 2; number < 6; ++number) visit_on(pool + 4 * kPage, number, "file");
  munmap(pool, 8 * kPage);
  close(fd);
}

void run_guard() {
  char* const pool = map(8 * kPage);
  visit_on(pool + 4 * kPage, 0, "guard");
  visit_on(pool + 4 * kPage, 1, "guard");
  victim::need(mprotect(pool + 4 * kPage, kPage, PROT_NONE), "mprotect");
  for (unsigned number = 2; number < 6; ++number) visit_on(pool + 4 * kPage, number, "guard");
  munmap(pool, 8 * kPage);
}

// A chain of frames over several pages: all of it is there, and wanted in the record.
[[gnu::noinline]] void go_deeper(unsigned levels, Visit* visit) {
  volatile char room[kPage / 2];
  room[levels % sizeof room] = 1;
  if (levels == 0) {
    visit->body(visit);
  } else {
    go_deeper(levels - 1, visit);
  }
  if (room[levels % sizeof room] != 1) std::abort();
}

void visit_deep(unsigned levels, unsigned number, const std::string& name) {
  Visit visit;
  visit.body = by_alice;
  visit.path = dir + "/alice-" + name + "-" + std::to_string(number);
  go_deeper(levels, &visit);
  show(visit);
}

void run_deep() {
  for (unsigned number = 0; number < 3; ++number) visit_deep(10, number, "deep");
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  run_thread(
      [](void*) -> void* {
        for (unsigned number = 3; number < 6; ++number) visit_deep(10, number, "deep");
        return nullptr;
      },
      nullptr, attributes);
}

// The first thread's stack grows past what it might have had when the program started.
void run_grown() {
  rlimit limit{};
  victim::need(getrlimit(RLIMIT_STACK, &limit), "getrlimit");
  limit.rlim_cur = limit.rlim_max < (32u << 20) ? limit.rlim_max : 32u << 20;
  victim::need(setrlimit(RLIMIT_STACK, &limit), "setrlimit");
  for (unsigned number = 0; number < 4; ++number) visit_deep(1400, number, "grown");
}

// The tables that say how to unwind, and what else is in their segment, cannot be read for a while.
void run_tables() {
  struct Segment {
    char* begin;
    std::size_t size;
  } segment{};
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* out) {
        std::uintptr_t table = 0;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const ElfW(Phdr)& header = info->dlpi_phdr[i];
          if (header.p_type == PT_GNU_EH_FRAME) table = header.p_vaddr;
        }
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const ElfW(Phdr)& header = info->dlpi_phdr[i];
          if (header.p_type != PT_LOAD || table - header.p_vaddr >= header.p_memsz) continue;
          const std::uintptr_t begin = (info->dlpi_addr + header.p_vaddr) & ~(kPage - 1);
          const std::uintptr_t end = info->dlpi_addr + header.p_vaddr + header.p_memsz;
          if (header.p_flags == PF_R) {
            *static_cast<Segment*>(out) = {reinterpret_cast<char*>(begin), end - begin};
          }
        }
        return 1;  // the program itself comes first
      },
      &segment);
  Visit visit;
  visit.path = dir + "/alice-tables";
  if (segment.size != 0) mprotect(segment.begin, segment.size, PROT_NONE);
  by_alice(&visit);
  if (segment.size != 0) mprotect(segment.begin, segment.size, PROT_READ);
  show(visit);
}

// Threads whose stacks, and what runs beside them, come and go at random.
void* storm(void* number_of_thread) {
  const auto thread = reinterpret_cast<std::uintptr_t>(number_of_thread);
  std::mt19937 choice(static_cast<unsigned>(thread));
  const std::string name = "storm-" + std::to_string(thread);
  unsigned number = 0;
  for (unsigned round = 0; round < 250; ++round) {
    const std::size_t pages = 6 + choice() % 24;
    char* const pool = map(pages * kPage);
    const std::size_t top = 5 + choice() % (pages - 5);
    const std::size_t runs = 1 + choice() % 3;
    for (std::size_t run = 0; run < runs; ++run) {
      visit_on(pool + top * kPage, number, name);
      number += choice() % 2 == 0 ? 1 : 2;
    }
    std::size_t kept = pages;
    if (top != pages) {
      kept = top + choice() % (pages - top);
      visit_on(pool + top * kPage, number++, name, pool + kept * kPage, (pages - kept) * kPage);
      visit_on(pool + top * kPage, number++, name);
    }
    munmap(pool, kept * kPage);  // no more than that: what was freed may be another thread's
  }
  return nullptr;
}

void run_storm() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 64 * kPage);
  pthread_attr_setguardsize(&attributes, 0);
  pthread_t threads[4];
  for (std::uintptr_t i = 0; i < 4; ++i) {
    if (pthread_create(&threads[i], &attributes, storm, reinterpret_cast<void*>(i)) != 0) {
      victim::die("pthread_create");
    }
  }
  for (const pthread_t thread : threads) pthread_join(thread, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  static const struct {
    std::string_view name;
    void (*run)();
  } kWays[] = {{"below", run_below}, {"inside", run_inside}, {"cloned", run_cloned},
               {"file", run_file},   {"guard", run_guard},   {"deep", run_deep},
               {"grown", run_grown}, {"storm", run_storm},   {"tables", run_tables}};
  if (argc != 3) return 2;
  dir = argv[1];
  umask(0022);
  for (const auto& way : kWays) {
    if (way.name == argv[2]) return way.run(), 0;
  }
  return 2;
}
