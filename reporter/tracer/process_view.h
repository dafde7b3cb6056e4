// What /proc and the memory of a stopped thread say of it.
// Must never believe a length or a pointer of the program's: all of it is read with bounds.
// Called by the tracer. None of it fails: what cannot be read is empty, zero or nothing.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace umaskaudit::tracer {

// How many of the bytes at `address` could be read.
std::size_t read_memory(pid_t tid, std::uint64_t address, void* to, std::size_t size);
// The text at `address` up to its NUL or PATH_MAX; nothing where there is no such text.
std::optional<std::string> read_text(pid_t tid, std::uint64_t address);

struct TaskStatus {
  pid_t process = 0, parent = 0;
  std::optional<std::uint16_t> mask;
  std::uint32_t uid = 0, euid = 0, gid = 0, egid = 0;
};
// /proc/TID/status; nothing when the task is gone.
std::optional<TaskStatus> status_of(pid_t tid);

// Whether it waits in the kernel: neither running nor ready to, nor stopped by its tracer
// (proc(5)).
bool is_asleep(pid_t tid);
std::string executable_of(pid_t tid);   // the name of the program file
std::string name_of_thread(pid_t tid);  // comm, without its newline
std::vector<pid_t> threads_of(pid_t pid);
std::uint32_t pid_namespace_of(pid_t tid);  // the inode number; 0: not known
std::string working_directory_of(pid_t tid);
// The root directory, where it is another one than ours; else empty.
std::string root_of(pid_t tid);
std::string name_of_descriptor(pid_t tid, int fd);
// Whether both share an fs context (kcmp(2), KCMP_FS); nothing where the kernel does not say.
std::optional<bool> share_context(pid_t a, pid_t b);

// Where a path of the thread's starts, in our own words.
class Place {
 public:
  // Of a relative path below `dirfd` (AT_FDCWD: the working directory), or an absolute one. `root`:
  // root_of() the thread.
  Place(pid_t tid, int dirfd, std::string path, std::string root);

  const std::string& path() const { return path_; }
  // statx(2) of the object. False: it cannot be had.
  bool look(bool follow, struct statx* out) const;
  // The name of the directory that holds it, for calls of ours. `whole`: of the path itself, which
  // names a directory.
  std::string directory(bool whole = false) const;
  // What a record gives as the base of the path; empty: none.
  std::string base() const;
  // The text of the symbolic link that the path's last part is; nothing: it is none.
  std::optional<std::string> link() const;

 private:
  bool is_absolute() const { return !path_.empty() && path_[0] == '/'; }
  std::string own_name() const;

  pid_t tid_;
  int dirfd_;
  std::string path_, root_;
};

// Whether fcntl(2) knows F_CREATED_QUERY (Linux 6.12); tried with a file in a directory of ours.
bool kernel_tells_creations(const std::string& directory);

// A descriptor of the process as one of ours; it closes itself.
class TakenDescriptor {
 public:
  // `process`: a pidfd of it. Where its leader has ended, or the thread has a table of its own, it
  // is opened by its name in /proc, which tells less.
  TakenDescriptor(int process, pid_t tid, int fd);
  ~TakenDescriptor();
  TakenDescriptor(const TakenDescriptor&) = delete;
  TakenDescriptor& operator=(const TakenDescriptor&) = delete;

  bool valid() const { return fd_ >= 0; }
  bool look(struct statx* out) const;
  // Whether the open(2) that gave it made the object (F_CREATED_QUERY, Linux 6.12), where the
  // filesystem is one whose answer is exact; nothing: not known.
  std::optional<bool> was_created(const struct statx& facts) const;
  std::string name() const;  // the name that the object has; empty: none

 private:
  int fd_;
  bool shared_;  // the very descriptor, not another one of the same object
};

}  // namespace umaskaudit::tracer
