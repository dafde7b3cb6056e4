// Holes are found by SEEK_DATA (lseek(2)): a segment may be 256 MiB long and hold a few KiB.
#include "reporter/reader/segment/segment_file.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace umaskaudit::reader {
namespace {

// O_NONBLOCK: opening a FIFO must not wait for a writer. It also makes the open of a file fail on
// which `run` holds a lease, for a moment, to trim it (EWOULDBLOCK, open(2)).
Descriptor open_below(const Descriptor& directory, const std::string& name) {
  constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  int fd = -1;
  for (int tries = 0; tries < 1000 && fd < 0; ++tries) {
    fd = ::openat(directory.get(), name.c_str(), kFlags);
    if (fd < 0 && errno != EWOULDBLOCK) break;
    if (fd < 0) ::sched_yield();
  }
  return Descriptor(fd);
}

}  // namespace

Result<SegmentFile> SegmentFile::open(std::shared_ptr<const Descriptor> directory,
                                      std::string name) {
  SegmentFile file(std::move(directory), std::move(name));
  const Descriptor fd = open_below(*file.directory_, file.name_);
  struct stat facts {};
  if (fd.get() < 0 || ::fstat(fd.get(), &facts) != 0) {
    const std::string why = errno == ELOOP ? "it is a symbolic link" : std::strerror(errno);
    return Error{"cannot read segment '" + file.name_ + "'", why, "", ExitCode::unreadable};
  }
  if (!S_ISREG(facts.st_mode)) {
    return Error{"cannot read segment '" + file.name_ + "'", "it is not a regular file", "",
                 ExitCode::unreadable};
  }
  file.size_ = static_cast<std::uint64_t>(facts.st_size);
  file.device_ = facts.st_dev;
  file.inode_ = facts.st_ino;
  return file;
}

SegmentFile::Reader SegmentFile::open_same(bool growing) const {
  Descriptor fd = open_below(*directory_, name_);
  struct stat facts {};
  const bool same = fd.get() >= 0 && ::fstat(fd.get(), &facts) == 0 && facts.st_dev == device_ &&
                    facts.st_ino == inode_;
  if (!same) return {Descriptor(), 0};
  return {std::move(fd), growing ? static_cast<std::uint64_t>(facts.st_size) : size_};
}

SegmentFile::Reader SegmentFile::reader() const { return open_same(false); }

SegmentFile::Reader SegmentFile::growing_reader() const { return open_same(true); }

std::size_t SegmentFile::Reader::read(std::uint64_t offset, void* to, std::size_t size) const {
  if (offset >= size_ || size == 0) return 0;
  if (size > size_ - offset) size = size_ - offset;
  if (offset >= held_begin_ && offset - held_begin_ + size <= held_.size() && !held_.empty()) {
    std::memcpy(to, &held_[offset - held_begin_], size);
    return size;
  }
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(fd_.get(), static_cast<char*>(to) + done, size - done,
                                static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

void SegmentFile::Reader::hold(std::uint64_t begin, std::uint64_t end) {
  held_.clear();
  end = std::min(end, size_);
  if (begin >= end) return;
  std::vector<unsigned char> bytes(static_cast<std::size_t>(end - begin));
  bytes.resize(read(begin, bytes.data(), bytes.size()));
  held_ = std::move(bytes);
  held_begin_ = begin;
}

std::uint64_t SegmentFile::Reader::next_data(std::uint64_t offset) const {
  if (offset >= size_) return size_;
  if (offset >= held_begin_ && offset - held_begin_ < held_.size()) return offset;
  const off_t found = ::lseek(fd_.get(), static_cast<off_t>(offset), SEEK_DATA);
  // ENXIO: only a hole is left. Any other error: not supported here, so read on.
  if (found < 0) return errno == ENXIO ? size_ : offset;
  return static_cast<std::uint64_t>(found) < size_ ? static_cast<std::uint64_t>(found) : size_;
}

}  // namespace umaskaudit::reader
