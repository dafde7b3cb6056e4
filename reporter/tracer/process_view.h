// Reads facts of a stopped thread from /proc and its memory.
// Must never trust a length or a pointer of the program's: all reads are bounded. No errors: what
// cannot be read is empty, zero or nothing.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace umaskaudit::tracer {

// Returns how many of the bytes at `address` could be read.
std::size_t read_memory(pid_t tid, std::uint64_t address, void* to, std::size_t size);
// The string at `address` up to its NUL or PATH_MAX; nothing if there is none.
std::optional<std::string> read_text(pid_t tid, std::uint64_t address);

struct TaskStatus {
  pid_t process = 0, parent = 0;
  std::optional<std::uint16_t> mask;
  std::uint32_t uid = 0, euid = 0, gid = 0, egid = 0;
};
// /proc/TID/status; nothing when the task is gone.
std::optional<TaskStatus> status_of(pid_t tid);

// Whether it sleeps in the kernel: not running, not runnable, not stopped by its tracer (proc(5)).
bool is_asleep(pid_t tid);
std::string executable_of(pid_t tid);   // the name of the program file
std::string name_of_thread(pid_t tid);  // comm, without its newline
std::vector<pid_t> threads_of(pid_t pid);
std::uint32_t pid_namespace_of(pid_t tid);  // the inode number; 0: not known
std::string working_directory_of(pid_t tid);
// The root directory if it differs from ours; else empty.
std::string root_of(pid_t tid);
std::string name_of_descriptor(pid_t tid, int fd);
// `path`, where it leads through a link of proc(5) to what the thread works in or has open
// ("/proc/self/fd/7/name"), as a path that means the same here: by the name of what the link leads
// to, or where that has none by the thread's own link. Any other path: as it is. Of a thread whose
// root is ours.
std::string without_proc_link(pid_t tid, std::string path);
// Whether both share an fs context (kcmp(2), KCMP_FS); nothing if the kernel does not tell.
std::optional<bool> share_context(pid_t a, pid_t b);

// The directory where a path of the thread's starts, by a name that works here.
class Place {
 public:
  // For a relative path below `dirfd` (AT_FDCWD: the working directory), or an absolute one.
  // `root`: root_of() the thread.
  Place(pid_t tid, int dirfd, std::string path, std::string root);

  const std::string& path() const { return path_; }
  // statx(2) of the object. False: not possible.
  bool look(bool follow, struct statx* out) const;
  // A name of the directory that contains it, for our own calls. `whole`: of the path itself, which
  // is a directory.
  std::string directory(bool whole = false) const;
  // The base of the path for a record; empty: none.
  std::string base() const;
  // The target of the path's last component if that is a symbolic link; nothing: it is not.
  std::optional<std::string> link() const;

 private:
  bool is_absolute() const { return !path_.empty() && path_[0] == '/'; }
  std::string own_name() const;

  pid_t tid_;
  int dirfd_;
  std::string path_, root_;
};

// Whether fcntl(2) supports F_CREATED_QUERY (Linux 6.12); tested with a file in a directory of
// ours.
bool kernel_tells_creations(const std::string& directory);

// A copy of a descriptor of the process; closes itself.
class TakenDescriptor {
 public:
  // `process`: a pidfd of it. If its leader has ended, or the thread has a descriptor table of its
  // own, the file is opened by its name in /proc instead, which tells less.
  TakenDescriptor(int process, pid_t tid, int fd);
  ~TakenDescriptor();
  TakenDescriptor(const TakenDescriptor&) = delete;
  TakenDescriptor& operator=(const TakenDescriptor&) = delete;

  bool valid() const { return fd_ >= 0; }
  bool look(struct statx* out) const;
  // Whether the open(2) that returned it created the object (F_CREATED_QUERY, Linux 6.12), on a
  // filesystem where the answer is exact; nothing: not known.
  std::optional<bool> was_created(const struct statx& facts) const;
  std::string name() const;  // the object's name; empty: none

 private:
  int fd_;
  bool shared_;  // the same open file, not another one of the same object
};

}  // namespace umaskaudit::tracer
