// SegmentFile: one segment file, read by pread(2): if it were mapped, a file that shrinks
// meanwhile, or a disk error, would raise SIGBUS. Must never follow a symbolic link, block on a
// FIFO or keep a descriptor per segment (a run may have thousands).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "reporter/base/owned_descriptor.h"
#include "reporter/base/result.h"

namespace umaskaudit::reader {

class SegmentFile {
 public:
  // `directory` stays open as long as the file object lives; `name` is looked up below it. Errors:
  // anything but a regular file that can be read.
  static Result<SegmentFile> open(std::shared_ptr<const Descriptor> directory, std::string name);

  const std::string& name() const { return name_; }
  std::uint64_t size() const { return size_; }

  // Between open() and close() below, reads use one descriptor.
  class Reader {
   public:
    // Bytes read at `offset`: fewer than `size` at the end of the file, 0 on errors.
    std::size_t read(std::uint64_t offset, void* to, std::size_t size) const;
    // The first offset >= `offset` that may hold something but zero; the file's size when there is
    // none.
    std::uint64_t next_data(std::uint64_t offset) const;
    std::uint64_t size() const { return size_; }
    // Reads these bytes now. Until the next call, reads within them are served from that copy.
    void hold(std::uint64_t begin, std::uint64_t end);

   private:
    friend class SegmentFile;
    Reader(Descriptor fd, std::uint64_t size) : fd_(std::move(fd)), size_(size) {}
    Descriptor fd_;
    std::uint64_t size_;
    std::vector<unsigned char> held_;
    std::uint64_t held_begin_ = 0;
  };

  // Reads nothing when the file is gone or replaced by another since open(), and nothing that was
  // added since.
  Reader reader() const;
  // The same, but up to where the file ends now.
  Reader growing_reader() const;

 private:
  SegmentFile(std::shared_ptr<const Descriptor> directory, std::string name)
      : directory_(std::move(directory)), name_(std::move(name)) {}

  Reader open_same(bool growing) const;

  std::shared_ptr<const Descriptor> directory_;
  std::string name_;
  std::uint64_t size_ = 0;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
};

}  // namespace umaskaudit::reader
