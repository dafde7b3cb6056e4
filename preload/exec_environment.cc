// Environments and exec targets; see exec_environment.h.

#include "preload/exec_environment.h"

#include <elf.h>
#include <link.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "preload/descriptor_guard.h"
#include "preload/format_text.h"
#include "preload/scratch.h"
#include "preload/start_environment.h"
#include "preload/sys.h"

namespace umaskaudit::shim {

namespace {

constexpr char kPreload[] = "LD_PRELOAD=";
constexpr char kOptions[] = "UMASKAUDIT_OPTIONS=";

char preload_value[4096];  // the whole of LD_PRELOAD as we were started
char own_entry[4096];      // the part of it that is us
char options_entry[2048];  // "UMASKAUDIT_OPTIONS=..."

// LD_PRELOAD is separated by colons or spaces (ld.so(8)).
bool contains_entry(const char* list, const char* entry) {
  const std::size_t length = strlen(entry);
  while (*list != '\0') {
    const std::size_t item = strcspn(list, ": ");
    if (item == length && memcmp(list, entry, length) == 0) return true;
    list += item;
    if (*list != '\0') ++list;
  }
  return false;
}

bool starts_with(const char* text, const char* prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

void find_own_entry() {
  const PreloadEntry own = own_preload_entry(preload_value);
  if (own.begin == nullptr) return;
  memcpy(own_entry, own.begin, own.length);
  own_entry[own.length] = '\0';
}

// The options as given, but with the file names as we resolved them.
void write_options(const char* given) {
  TextBuffer text(options_entry, sizeof options_entry);
  text.put(kOptions);
  bool first = true;
  while (*given != '\0') {
    const std::size_t item = strcspn(given, ":");
    if (!starts_with(given, "trace=") && !starts_with(given, "log=") && item != 0) {
      if (!first) text.put(':');
      text.put(given, item);
      first = false;
    }
    given += item;
    if (*given != '\0') ++given;
  }
  if (!process.options.trace.empty()) {
    text.put(first ? "" : ":").put("trace=").put(process.options.trace.bytes);
    first = false;
  }
  if (!process.options.log.empty()) {
    text.put(first ? "" : ":").put("log=").put(process.options.log.bytes);
  }
  text.end();
  if (text.overflow()) options_entry[0] = '\0';
}

Obstacle inspect(int fd, char* buffer, std::size_t size, bool follow_script);

Obstacle inspect_file(const char* path, char* buffer, std::size_t size, bool follow_script) {
  const int fd = sys::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return {};
  const Obstacle obstacle = inspect(fd, buffer, size, follow_script);
  sys::close(fd);
  return obstacle;
}

// What makes the kernel set AT_SECURE (getauxval(3)): other ids than the caller's, or capabilities.
bool gains_privilege(int fd, const struct statx& facts) {
  const auto uid = static_cast<std::uint32_t>(sys::call(SYS_getuid));
  const auto gid = static_cast<std::uint32_t>(sys::call(SYS_getgid));
  if ((facts.stx_mode & S_ISUID) != 0 && facts.stx_uid != uid) return true;
  if ((facts.stx_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && facts.stx_gid != gid) {
    return true;
  }
  return uid != 0 && sys::call(SYS_fgetxattr, fd, sys::arg("security.capability"), 0, 0) > 0;
}

Obstacle inspect_elf(const char* bytes, long size) {
  ElfW(Ehdr) header;
  if (size < static_cast<long>(sizeof header)) return {};
  memcpy(&header, bytes, sizeof header);
  if (header.e_ident[EI_CLASS] != ELFCLASS64) return {true, trace::Blind::exec_abi};
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const std::uint64_t at = header.e_phoff + std::uint64_t{i} * sizeof(ElfW(Phdr));
    ElfW(Phdr) segment;
    // The offset is the file's own word: nothing may be added to it before it is known to be small.
    const auto room = static_cast<std::uint64_t>(size) - sizeof segment;
    if (header.e_phoff > room || at > room) return {};
    memcpy(&segment, bytes + at, sizeof segment);
    if (segment.p_type == PT_INTERP) return {};
  }
  return {true, trace::Blind::exec_static};
}

Obstacle inspect(int fd, char* buffer, std::size_t size, bool follow_script) {
  struct statx facts {};
  if (sys::facts(fd, "", AT_EMPTY_PATH, &facts) != 0) return {};
  if ((facts.stx_mode & S_IFMT) != S_IFREG) return {};
  const long length = sys::read(fd, buffer, size - 1);
  if (length < 4) return {};
  if (buffer[0] == '#' && buffer[1] == '!' && follow_script) {
    buffer[length] = '\0';
    char* interpreter = buffer + 2 + strspn(buffer + 2, " \t");
    interpreter[strcspn(interpreter, " \t\n")] = '\0';
    char name[256];
    const std::size_t name_length = strlen(interpreter);
    if (name_length >= sizeof name) return {};
    memcpy(name, interpreter, name_length + 1);
    return inspect_file(name, buffer, size, false);
  }
  if (memcmp(buffer, ELFMAG, SELFMAG) != 0) return {};
  if (gains_privilege(fd, facts)) return {true, trace::Blind::exec_privileged};
  return inspect_elf(buffer, length);
}

}  // namespace

void remember_environment(bool options_moved) {
  const char* preload = start_variable("LD_PRELOAD");
  const std::size_t length = preload != nullptr ? strlen(preload) : 0;
  if (length != 0 && length < sizeof preload_value) {
    memcpy(preload_value, preload, length + 1);
    find_own_entry();
  }
  const char* options = start_variable("UMASKAUDIT_OPTIONS");
  if (options != nullptr) write_options(options);
  if (!options_moved || options_entry[0] == '\0') return;
  char** entry = start_environment();
  for (; entry != nullptr && *entry != nullptr; ++entry) {
    if (starts_with(*entry, kOptions)) *entry = options_entry;
  }
}

EnvironmentPlan plan_environment(char* const* environment) {
  constexpr std::size_t kLongest = 128 << 10;  // MAX_ARG_STRLEN, execve(2)
  sys::Scout array;
  sys::Scout text;
  EnvironmentPlan plan;
  bool preload_found = false;
  bool options_found = false;
  for (; environment != nullptr; ++plan.entries) {
    // What the kernel will refuse stays as it is.
    if (!array.can_read(environment + plan.entries)) return {};
    const char* entry = environment[plan.entries];
    if (entry == nullptr) break;
    if (!text.can_read_text(entry, kLongest)) return {};
    if (!preload_found && starts_with(entry, kPreload)) {
      preload_found = true;
      plan.preload_at = plan.entries;
    }
    options_found = options_found || starts_with(entry, kOptions);
  }
  if (!preload_found) plan.preload_at = plan.entries;
  plan.lacks_options = options_entry[0] != '\0' && !options_found;
  if (own_entry[0] == '\0') return plan;  // loaded in another way: ld.so.preload, dlopen
  const char* theirs = preload_found ? environment[plan.preload_at] + strlen(kPreload) : "";
  if (!contains_entry(theirs, own_entry)) {
    // Nothing left of it: as we were started. Changed: theirs stay in front.
    plan.preload_bytes = theirs[0] == '\0'
                             ? strlen(kPreload) + strlen(preload_value) + 1
                             : strlen(kPreload) + strlen(theirs) + 1 + strlen(own_entry) + 1;
  }
  return plan;
}

char** repair_environment(const EnvironmentPlan& plan, char* const* environment, char* memory) {
  auto** slots = reinterpret_cast<char**>(memory);
  char* bytes = memory + plan.slots() * sizeof(char*);
  std::size_t used = 0;
  for (; used < plan.entries; ++used) slots[used] = environment[used];
  if (plan.preload_bytes != 0) {
    const bool replace = plan.preload_at < plan.entries;
    const char* theirs = replace ? environment[plan.preload_at] + strlen(kPreload) : "";
    TextBuffer text(bytes, plan.preload_bytes);
    text.put(kPreload);
    if (theirs[0] == '\0') {
      text.put(preload_value);
    } else {
      text.put(theirs).put(':').put(own_entry);
    }
    text.end();
    slots[plan.preload_at] = bytes;
    if (!replace) ++used;
  }
  if (plan.lacks_options) slots[used++] = options_entry;
  slots[used] = nullptr;
  return slots;
}

Obstacle find_obstacle(const char* path) {
  const Scratch scratch;
  if (scratch.get() == nullptr) return {};
  const DescriptorGuard guard;
  return inspect_file(path, scratch.get(), Scratch::kSize, true);
}

Obstacle find_obstacle_in_path(const char* file, char* path, std::size_t size) {
  const char* list = getenv("PATH");
  if (list == nullptr) list = "/bin:/usr/bin";
  while (*list != '\0') {
    const std::size_t item = strcspn(list, ":");
    TextBuffer text(path, size);
    text.put(list, item).put(item != 0 ? "/" : "").put(file).end();
    if (!text.overflow() && sys::call(SYS_faccessat, AT_FDCWD, sys::arg(path), X_OK) == 0) {
      return find_obstacle(path);
    }
    list += item;
    if (*list != '\0') ++list;
  }
  return {};
}

}  // namespace umaskaudit::shim
