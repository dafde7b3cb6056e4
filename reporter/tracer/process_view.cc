// Uses /proc, process_vm_readv(2) and pidfd_getfd(2); see process_view.h.

#include "reporter/tracer/process_view.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <regex>
#include <unordered_map>
#include <utility>

#include "preload/trace/filesystems.h"
#include "preload/trace/object_facts.h"
#include "reporter/tracer/proc_file.h"
#include "reporter/tracer/process_memory.h"

namespace umaskaudit::tracer {

namespace {

constexpr std::size_t kPage = 4096;
constexpr unsigned kFacts = STATX_BASIC_STATS | STATX_BTIME;
constexpr int kCreatedQuery = 1024 + 4;  // F_CREATED_QUERY, newer than the headers

std::string read_link(const std::string& name) {
  std::array<char, PATH_MAX> text;
  const ssize_t size = readlink(name.c_str(), text.data(), text.size());
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : "";
}

// The numbers after "KEY:" in a status file.
const char* field(const std::string& status, const char* key) {
  const std::size_t at = status.find(key);
  return at == std::string::npos ? nullptr : status.c_str() + at + std::strlen(key);
}

bool is_own_root(const std::string& root) {
  struct stat theirs {
  }, ours{};
  return stat(root.c_str(), &theirs) != 0 ||
         (stat("/", &ours) == 0 && theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino);
}

std::string parent_of(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return "";
  path.resize(std::max<std::size_t>(slash, 1));
  return path;
}

}  // namespace

std::size_t read_memory(pid_t tid, std::uint64_t address, void* to, std::size_t size) {
  return ProcessMemory(tid).read(address, to, size);
}

std::optional<std::string> read_text(pid_t tid, std::uint64_t address) {
  if (address == 0) return std::nullopt;
  std::string text;
  std::array<char, 256> part;
  while (text.size() < PATH_MAX) {
    // Never across a page border: the next page may not be mapped.
    const std::uint64_t at = address + text.size();
    const std::size_t size =
        std::min<std::size_t>({part.size(), kPage - (at & (kPage - 1)), PATH_MAX - text.size()});
    const std::size_t got = read_memory(tid, at, part.data(), size);
    if (got == 0) return std::nullopt;
    const void* end = std::memchr(part.data(), '\0', got);
    if (end != nullptr) return text.append(part.data(), std::strlen(part.data()));
    text.append(part.data(), got);
  }
  return std::nullopt;  // the kernel accepts no longer path either
}

std::optional<TaskStatus> status_of(pid_t tid) {
  const std::string text = read_proc(tid, "status");
  if (text.empty()) return std::nullopt;
  TaskStatus status;
  const auto number = [&](const char* key, int base) -> long {
    const char* at = field(text, key);
    return at != nullptr ? std::strtol(at, nullptr, base) : 0;
  };
  status.process = static_cast<pid_t>(number("\nTgid:", 10));
  status.parent = static_cast<pid_t>(number("\nPPid:", 10));
  if (field(text, "\nUmask:") != nullptr)
    status.mask = static_cast<std::uint16_t>(number("\nUmask:", 8));
  const auto two = [&](const char* key, std::uint32_t& real, std::uint32_t& effective) {
    const char* at = field(text, key);
    char* next = nullptr;
    if (at == nullptr) return;
    real = static_cast<std::uint32_t>(std::strtoul(at, &next, 10));
    effective = static_cast<std::uint32_t>(std::strtoul(next, nullptr, 10));
  };
  two("\nUid:", status.uid, status.euid);
  two("\nGid:", status.gid, status.egid);
  return status;
}

bool is_asleep(pid_t tid) {
  const std::string text = read_proc(tid, "stat");
  const std::size_t name = text.rfind(')');  // the name before it may contain anything
  if (name == std::string::npos || name + 2 >= text.size()) return false;
  const char state = text[name + 2];
  return state == 'S' || state == 'D' || state == 'T';
}

std::string executable_of(pid_t tid) { return read_link(proc_name(tid, "exe")); }

std::string name_of_thread(pid_t tid) {
  std::string name = read_proc(tid, "comm");
  if (!name.empty() && name.back() == '\n') name.pop_back();
  return name;
}

std::vector<pid_t> threads_of(pid_t pid) {
  std::vector<pid_t> threads;
  DIR* directory = opendir(proc_name(pid, "task").c_str());
  if (directory == nullptr) return threads;
  while (const dirent* entry = readdir(directory)) {
    if (const int tid = std::atoi(entry->d_name); tid > 0) threads.push_back(tid);
  }
  closedir(directory);
  return threads;
}

std::uint32_t pid_namespace_of(pid_t tid) {
  struct stat facts {};
  return stat(proc_name(tid, "ns/pid").c_str(), &facts) == 0
             ? static_cast<std::uint32_t>(facts.st_ino)
             : 0;
}

std::string working_directory_of(pid_t tid) { return read_link(proc_name(tid, "cwd")); }

std::string root_of(pid_t tid) {
  const std::string name = proc_name(tid, "root");
  return is_own_root(name + "/") ? "" : read_link(name);
}

std::string name_of_descriptor(pid_t tid, int fd) {
  return read_link(proc_name(tid, ("fd/" + std::to_string(fd)).c_str()));
}

std::string without_proc_link(pid_t tid, std::string path) {
  if (!path.starts_with("/proc/") && !path.starts_with("/dev/fd/")) return path;
  static const std::regex kLink(
      "(?:/dev/(fd/[0-9]+)|/proc/(self|thread-self|[0-9]+)(?:/task/[0-9]+)?/(cwd|root|fd/[0-9]+))"
      "(?=/|$)");
  std::smatch found;
  if (!std::regex_search(path, found, kLink, std::regex_constants::match_continuous)) return path;
  const bool own = !found[2].matched || found[2] == "self" || found[2] == "thread-self";
  const std::string what = found[1].matched ? found[1].str() : found[3].str();
  const std::string link = own ? proc_name(tid, what.c_str()) : found.str();
  const std::string rest = found.suffix();
  const std::string name = read_link(link);
  const bool has_name = name.starts_with('/') && !name.ends_with(" (deleted)");
  if (!has_name) return link + rest;
  return (name == "/" && !rest.empty() ? "" : name) + rest;
}

std::optional<bool> share_context(pid_t a, pid_t b) {
  const long order = syscall(SYS_kcmp, a, b, KCMP_FS, 0, 0);
  if (order < 0) return std::nullopt;
  return order == 0;
}

Place::Place(pid_t tid, int dirfd, std::string path, std::string root)
    : tid_(tid), dirfd_(dirfd), path_(std::move(path)), root_(std::move(root)) {}

std::string Place::own_name() const {
  if (is_absolute()) return root_.empty() ? path_ : proc_name(tid_, "root") + path_;
  if (dirfd_ == AT_FDCWD) return proc_name(tid_, "cwd/") + path_;
  return proc_name(tid_, "fd/") + std::to_string(dirfd_) + "/" + path_;
}

bool Place::look(bool follow, struct statx* out) const {
  if (!is_absolute() || root_.empty()) {
    const int flags = follow ? 0 : AT_SYMLINK_NOFOLLOW;
    return statx(AT_FDCWD, own_name().c_str(), flags, kFacts, out) == 0;
  }
  // Absolute links in the path start at the thread's root, not at ours.
  const int base = open(proc_name(tid_, "root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (base < 0) return false;
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC | (follow ? 0u : unsigned{O_NOFOLLOW});
  how.resolve = RESOLVE_IN_ROOT;
  const int fd = static_cast<int>(syscall(SYS_openat2, base, path_.c_str(), &how, sizeof how));
  close(base);
  if (fd < 0) return false;
  const bool known = statx(fd, "", AT_EMPTY_PATH, kFacts, out) == 0;
  close(fd);
  return known;
}

std::string Place::directory(bool whole) const {
  if (whole) return own_name();
  if (is_absolute()) return (root_.empty() ? "" : proc_name(tid_, "root")) + parent_of(path_);
  const std::string parent = parent_of(path_);
  const std::string start =
      dirfd_ == AT_FDCWD ? proc_name(tid_, "cwd") : proc_name(tid_, "fd/") + std::to_string(dirfd_);
  return start + "/" + (parent.empty() ? "." : parent);
}

std::string Place::base() const {
  if (is_absolute()) return root_;
  return dirfd_ == AT_FDCWD ? working_directory_of(tid_) : name_of_descriptor(tid_, dirfd_);
}

std::optional<std::string> Place::link() const {
  std::string text = read_link(own_name());
  if (text.empty()) return std::nullopt;
  return text;
}

TakenDescriptor::TakenDescriptor(int process, pid_t tid, int fd)
    : fd_(static_cast<int>(syscall(SYS_pidfd_getfd, process, fd, 0))), shared_(fd_ >= 0) {
  if (shared_) return;
  const std::string name = proc_name(tid, "fd/") + std::to_string(fd);
  fd_ = open(name.c_str(), O_PATH | O_CLOEXEC);
}

TakenDescriptor::~TakenDescriptor() {
  if (fd_ >= 0) close(fd_);
}

bool TakenDescriptor::look(struct statx* out) const {
  return fd_ >= 0 && statx(fd_, "", AT_EMPTY_PATH, kFacts, out) == 0;
}

std::optional<bool> TakenDescriptor::was_created(const struct statx& facts) const {
  if (!shared_) return std::nullopt;
  const int answer = fcntl(fd_, kCreatedQuery);
  if (answer < 0) return std::nullopt;
  static std::unordered_map<std::uint64_t, bool> exact;  // by device
  const auto [place, fresh] = exact.try_emplace(trace::device_of(facts), false);
  if (struct statfs filesystem{}; fresh && fstatfs(fd_, &filesystem) == 0)
    place->second = trace::creates_in_the_kernel(static_cast<std::uint32_t>(filesystem.f_type));
  if (!place->second) return std::nullopt;
  return answer != 0;
}

bool kernel_tells_creations(const std::string& directory) {
  std::string name = directory + "/probe.XXXXXX";
  const int fd = mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) return false;
  unlink(name.c_str());
  const bool known = fcntl(fd, kCreatedQuery) == 1;
  close(fd);
  return known;
}

std::string TakenDescriptor::name() const {
  constexpr char kUnlinked[] = " (deleted)";
  std::string text = read_link("/proc/self/fd/" + std::to_string(fd_));
  if (text.empty() || text[0] != '/' || text.ends_with(kUnlinked)) return "";
  return text;
}

}  // namespace umaskaudit::tracer
