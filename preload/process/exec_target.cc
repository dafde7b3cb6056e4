// Examines files that are about to be executed; see exec_target.h.
//
// The kind of a file (static, another machine, dynamic) is cached by its identity and the time of
// its last change, so that a program that starts the same file again and again pays for one
// statx(2). Checks that depend on the root and the user are made each time, without a descriptor.

#include "preload/process/exec_target.h"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include <atomic>
#include <cstring>
#include <new>

#include "preload/process/libc_versions.h"
#include "preload/state.h"
#include "preload/sys/at_start.h"
#include "preload/sys/format_text.h"
#include "preload/sys/libc_names.h"
#include "preload/sys/own_table.h"
#include "preload/sys/scratch.h"
#include "preload/sys/start_environment.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

enum class Kind : std::uint8_t {
  unknown,      // missing, not readable, or not an executable format known here
  static_elf,   // no PT_INTERP
  foreign_elf,  // another word size or machine
  usual_elf,    // its interpreter is the loader that started us
  musl_elf,     // its interpreter is musl's loader, which loads us too
  other_elf,    // its interpreter is another loader
  script,
  text,  // a text file, which the kernel does not execute
};

// The interpreter that programs here name, and the file that it was when we were started.
UMASKAUDIT_AT_START(words) constinit char usual_loader[128] = {};
struct Identity {
  std::uint64_t inode;
  std::uint32_t major;
  std::uint32_t minor;
  bool operator==(const Identity&) const = default;
};
UMASKAUDIT_AT_START(words) constinit Identity usual_loader_file = {};

Identity identity_of(const struct statx& facts) {
  return {facts.stx_ino, facts.stx_dev_major, facts.stx_dev_minor};
}

// With the time of the last change, which sys::facts() does not return. "": the descriptor's file.
bool facts_of(int dirfd, const char* path, struct statx* out) {
  const int flags = path[0] == '\0' ? AT_EMPTY_PATH : 0;
  const long error =
      sys::call(SYS_statx, dirfd, sys::arg(path), flags, STATX_BASIC_STATS, sys::arg(out));
  return error == 0 || (error == -ENOSYS && sys::facts(dirfd, path, flags, out) == 0);
}

// One word a file, so that no lock is needed: 56 bits of a hash, and the kind.
constexpr unsigned kRemembered = 64;
constinit std::atomic<std::uint64_t> remembered[kRemembered] = {};

std::uint64_t mark_of(const struct statx& facts) {
  std::uint64_t mark = 0x9E3779B97F4A7C15u;
  const auto mix = [&](std::uint64_t word) {
    mark = (mark ^ word) * 0xFF51AFD7ED558CCDu;
    mark ^= mark >> 33;
  };
  mix(facts.stx_ino);
  mix(std::uint64_t{facts.stx_dev_major} << 32 | facts.stx_dev_minor);
  mix(static_cast<std::uint64_t>(facts.stx_ctime.tv_sec));
  mix(std::uint64_t{facts.stx_ctime.tv_nsec} << 32 | facts.stx_mode);
  mix(facts.stx_size);
  return mark | 0xFF;
}

// A change within the same clock tick leaves the same time: a file that changed just now is not
// cached.
bool is_settled(const struct statx& facts) {
  timespec now{};
  return sys::read_clock(CLOCK_REALTIME_COARSE, &now) == 0 &&
         now.tv_sec > facts.stx_ctime.tv_sec + 1;
}

Kind recall(std::uint64_t mark) {
  const std::uint64_t word = remembered[(mark >> 8) % kRemembered].load(std::memory_order_relaxed);
  return (word | 0xFF) == mark ? static_cast<Kind>(word & 0xFF) : Kind::unknown;
}

void remember(std::uint64_t mark, Kind kind) {
  remembered[(mark >> 8) % kRemembered].store(
      (mark & ~std::uint64_t{0xFF}) | static_cast<std::uint64_t>(kind), std::memory_order_relaxed);
}

// The working data of one file, in a Scratch because the stack may be small.
struct Look {
  static constexpr std::size_t kHead = 1024;
  int dirfd = AT_FDCWD;
  const char* path = nullptr;
  struct statx facts {};
  Kind kind = Kind::unknown;
  bool capable = false;       // the file has capabilities
  bool check_loader = false;  // in: `path` is a loader; out: `loads`
  bool loads = false;
  bool there = false;
  char name[256];  // the interpreter that the file asks for, an ELF loader or a script's
  char head[kHead];
  char more[3 * kHead];
};
static_assert(sizeof(Look) <= Scratch::kSize);

long read_at(int fd, void* to, std::size_t size, std::uint64_t offset) {
  return sys::call(SYS_pread64, fd, sys::arg(to), static_cast<long>(size),
                   static_cast<long>(offset));
}

int open_to_read(const char* path, int dirfd = AT_FDCWD) {
  return sys::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0, dirfd);
}

Kind judge_script(Look& look, long length) {
  look.head[length] = '\0';
  const char* interpreter = look.head + 2 + strspn(look.head + 2, " \t");
  const std::size_t size = strcspn(interpreter, " \t\n");
  if (size == 0 || size >= sizeof look.name) return Kind::text;  // as the kernel sees it
  memcpy(look.name, interpreter, size);
  look.name[size] = '\0';
  return Kind::script;
}

// A number from the file is checked to be small before anything is added to it.
bool read_loader_name(int fd, Look& look, const ElfW(Phdr) & segment) {
  if (segment.p_filesz == 0 || segment.p_filesz > sizeof look.name) return false;
  const long length = read_at(fd, look.name, segment.p_filesz, segment.p_offset);
  if (length <= 0) return false;
  look.name[length - 1] = '\0';
  return true;
}

Kind judge_elf(int fd, Look& look, long length) {
  ElfW(Ehdr) header;
  if (length < static_cast<long>(sizeof header)) return Kind::unknown;
  memcpy(&header, look.head, sizeof header);
#if defined(__x86_64__)
  constexpr unsigned kMachine = EM_X86_64;
#else
  constexpr unsigned kMachine = EM_AARCH64;
#endif
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_machine != kMachine) {
    return Kind::foreign_elf;
  }
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    ElfW(Phdr) segment;
    const std::uint64_t at = header.e_phoff + std::uint64_t{i} * sizeof segment;
    const auto room = static_cast<std::uint64_t>(length) - sizeof segment;
    if (header.e_phoff > room || at > room) return Kind::unknown;
    memcpy(&segment, look.head + at, sizeof segment);
    if (segment.p_type != PT_INTERP) continue;
    if (!read_loader_name(fd, look, segment)) return Kind::unknown;
    if (strcmp(look.name, usual_loader) == 0) return Kind::usual_elf;
    return strstr(look.name, "/ld-musl-") != nullptr ? Kind::musl_elf : Kind::other_elf;
  }
  return Kind::static_elf;
}

// libc is beside its loader, or beside the file that a link there leads to.
bool libc_beside(Look& look, const char* loader) {
  char* name = look.head;
  const char* slash = strrchr(loader, '/');
  if (slash == nullptr) return false;
  TextBuffer text(name, Look::kHead);
  text.put(loader, static_cast<std::size_t>(slash - loader)).put("/libc.so.6").end();
  if (text.overflow()) return false;
  const int fd = open_to_read(name);
  if (fd < 0) return false;
  const bool good = is_new_enough(fd, look.more, sizeof look.more);
  sys::close(fd);
  return good;
}

// The target of the loader's name, if that is a link.
bool libc_beside_target(Look& look) {
  char* target = look.name;
  const long length = sys::call(SYS_readlinkat, AT_FDCWD, sys::arg(look.path), sys::arg(target),
                                sizeof look.name - 1);
  if (length <= 0) return false;
  target[length] = '\0';
  if (target[0] == '/') return libc_beside(look, target);
  const char* slash = strrchr(look.path, '/');
  if (slash == nullptr) return false;
  char* joined = look.more;
  TextBuffer text(joined, sizeof look.more);
  text.put(look.path, static_cast<std::size_t>(slash - look.path)).put('/').put(target).end();
  if (text.overflow() || strlen(joined) >= sizeof look.name) return false;
  memcpy(target, joined, strlen(joined) + 1);
  return libc_beside(look, target);
}

// A copy of the usual loader, as small roots have, uses the usual library directories.
bool libc_in_usual_folder(Look& look) {
  if (strcmp(look.path, usual_loader) != 0) return false;
#if defined(__x86_64__)
  constexpr const char* kFolders[] = {"/lib/x86_64-linux-gnu/.", "/usr/lib/x86_64-linux-gnu/.",
                                      "/lib64/.", "/usr/lib64/.", "/usr/lib/."};
#else
  constexpr const char* kFolders[] = {"/lib/aarch64-linux-gnu/.", "/usr/lib/aarch64-linux-gnu/.",
                                      "/lib64/.", "/usr/lib64/.", "/usr/lib/."};
#endif
  for (const char* folder : kFolders) {
    if (libc_beside(look, folder)) return true;
  }
  return false;
}

bool loader_takes_us(Look& look) {
  return libc_beside(look, look.path) || libc_beside_target(look) || libc_in_usual_folder(look);
}

// Runs where descriptors are not seen.
void read_file(void* argument) {
  Look& look = *static_cast<Look*>(argument);
  if (look.check_loader) {
    look.loads = loader_takes_us(look);
    return;
  }
  // An open file may be readable by its number; one opened with O_PATH is not, and is opened by its
  // name in /proc.
  const bool by_number = look.path[0] == '\0';
  long length = by_number ? read_at(look.dirfd, look.head, Look::kHead - 1, 0) : -EBADF;
  int fd = look.dirfd;
  if (length < 0) {
    char link[32];
    TextBuffer text(link, sizeof link);
    text.put("/proc/self/fd/").decimal(static_cast<unsigned>(look.dirfd)).end();
    fd = by_number ? open_to_read(link) : open_to_read(look.path, look.dirfd);
    if (fd < 0) return;
    length = read_at(fd, look.head, Look::kHead - 1, 0);
  }
  if (length >= 4 && look.head[0] == '#' && look.head[1] == '!') {
    look.kind = judge_script(look, length);
  } else if (length >= 4 && memcmp(look.head, ELFMAG, SELFMAG) == 0) {
    look.kind = judge_elf(fd, look, length);
    look.capable = sys::call(SYS_fgetxattr, fd, sys::arg("security.capability"), 0, 0) > 0;
  } else if (length >= 0 && memchr(look.head, '\0', static_cast<std::size_t>(length)) == nullptr) {
    look.kind = Kind::text;
  }
  if (fd != look.dirfd) sys::close(fd);
}

bool run(Look& look) {
  return run_in_own_table(read_file, &look, look.dirfd < 0 ? -1 : look.dirfd);
}

// Whether the kernel will set AT_SECURE (getauxval(3)): other ids than the caller's, or
// capabilities.
bool gains_privilege(const Look& look) {
  const auto uid = static_cast<std::uint32_t>(sys::call(SYS_getuid));
  const auto gid = static_cast<std::uint32_t>(sys::call(SYS_getgid));
  const unsigned mode = look.facts.stx_mode;
  if ((mode & S_ISUID) != 0 && look.facts.stx_uid != uid) return true;
  if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && look.facts.stx_gid != gid) return true;
  return uid != 0 && look.capable;
}

// Whether the loader of that name, in the current root, can load our library.
bool loader_fits(Look& look, bool usual) {
  const char* name = usual ? usual_loader : look.name;
  struct statx facts {};
  if (!facts_of(AT_FDCWD, name, &facts)) return true;  // the exec will fail
  if (identity_of(facts) == usual_loader_file) return true;
  char* copy = look.head + Look::kHead - sizeof look.name;
  memcpy(copy, name, strlen(name) + 1);
  look.path = copy;
  look.check_loader = true;
  look.loads = true;  // assumed where it cannot be examined
  run(look);
  return look.loads;
}

constexpr unsigned kMostInterpreters = 4;

// `shell`: as in ExecTarget; musl's execvp(3) never tries a shell.
Obstacle judge(Look& look, bool shell) {
  if (!is_glibc()) shell = false;
  for (unsigned depth = 0; depth <= kMostInterpreters; ++depth) {
    if (!facts_of(look.dirfd, look.path, &look.facts)) return {};
    if ((look.facts.stx_mode & S_IFMT) != S_IFREG) return {};
    look.there = (look.facts.stx_mode & 0111) != 0;
    const std::uint64_t mark = mark_of(look.facts);
    look.kind = recall(mark);
    look.capable = false;
    if (look.kind == Kind::unknown) {
      if (!run(look)) return {};
      // For scripts, other loaders and capabilities the kind is not enough.
      const bool whole = look.kind != Kind::script && look.kind != Kind::other_elf;
      if (whole && !look.capable && look.kind != Kind::unknown && is_settled(look.facts)) {
        remember(mark, look.kind);
      }
    }
    if (look.kind == Kind::text && shell) {
      shell = false;
      look.path = "/bin/sh";
    } else if (look.kind == Kind::script) {
      memcpy(look.more, look.name, sizeof look.name);
      look.path = look.more;
    } else {
      break;
    }
    look.dirfd = AT_FDCWD;
  }
  if (look.kind == Kind::unknown || look.kind == Kind::script || look.kind == Kind::text) return {};
  if (gains_privilege(look)) return {true, trace::Blind::exec_privileged};
  switch (look.kind) {
    case Kind::static_elf:
      return {true, trace::Blind::exec_static};
    case Kind::foreign_elf:
      return {true, trace::Blind::exec_abi, true};
    case Kind::usual_elf:
    case Kind::other_elf:
      if (loader_fits(look, look.kind == Kind::usual_elf)) return {};
      return {true, trace::Blind::exec_libc, true};
    case Kind::musl_elf:
    case Kind::unknown:
    case Kind::script:
    case Kind::text:
      break;
  }
  return {};
}

Obstacle search_in_path(const ExecTarget& target, Look& look) {
  const char* list = start_variable("PATH");
  if (list == nullptr) list = "/bin:/usr/bin";
  while (*list != '\0') {
    const std::size_t item = strcspn(list, ":");
    TextBuffer text(look.more, sizeof look.more);
    text.put(list, item).put(item != 0 ? "/" : "").put(target.path).end();
    if (!text.overflow() && sys::call(SYS_faccessat, AT_FDCWD, sys::arg(look.more), X_OK) == 0) {
      look.path = look.more;
      return judge(look, target.shell);
    }
    list += item;
    if (*list != '\0') ++list;
  }
  return {};
}

}  // namespace

void remember_loader() {
  const auto* headers = reinterpret_cast<const ElfW(Phdr)*>(getauxval(AT_PHDR));
  const unsigned long count = getauxval(AT_PHNUM);
  if (headers == nullptr) return;
  std::uintptr_t bias = 0;
  for (unsigned long i = 0; i < count; ++i) {
    if (headers[i].p_type == PT_PHDR) {
      bias = reinterpret_cast<std::uintptr_t>(headers) - headers[i].p_vaddr;
    }
  }
  for (unsigned long i = 0; i < count; ++i) {
    if (headers[i].p_type != PT_INTERP || headers[i].p_memsz > sizeof usual_loader) continue;
    memcpy(usual_loader, reinterpret_cast<const char*>(bias + headers[i].p_vaddr),
           headers[i].p_memsz);
    usual_loader[sizeof usual_loader - 1] = '\0';
    struct statx facts {};
    if (facts_of(AT_FDCWD, usual_loader, &facts)) usual_loader_file = identity_of(facts);
    return;
  }
}

Obstacle find_obstacle(const ExecTarget& target) {
  const Scratch scratch;
  if (scratch.get() == nullptr) return {};
  Look& look = *new (scratch.get()) Look;
  look.dirfd = target.dirfd;
  look.path = target.path;
  const bool named = target.path[0] != '\0';
  if (!named && (target.search || target.dirfd == AT_FDCWD)) return {};
  const bool bare = target.search && strchr(target.path, '/') == nullptr;
  Obstacle obstacle = bare ? search_in_path(target, look) : judge(look, target.shell);
  obstacle.starts = look.there;
  return obstacle;
}

}  // namespace umaskaudit::shim
