// ByteStream: reads a table of a runtime byte by byte, in pieces.
// Must never read beyond the end of the table.
#pragma once

#include <cstddef>
#include <cstdint>

#include "preload/script/peek.h"

namespace umaskaudit::shim {

class ByteStream {
 public:
  ByteStream(Peek& memory, std::uintptr_t at, std::size_t size)
      : memory_(memory), at_(at), end_(at + size) {}

  bool more() const { return at_ < end_ && !bad_; }
  // A byte was requested beyond the end, or could not be read.
  bool is_bad() const { return bad_; }

  std::uint8_t byte() {
    if (at_ >= upto_) fill();
    return bad_ ? std::uint8_t{0} : piece_[at_++ - from_];
  }
  void skip(std::uint64_t bytes) {
    at_ += bytes;
    if (at_ >= upto_) from_ = upto_ = at_;
  }

 protected:
  void set_bad() { bad_ = true; }

 private:
  void fill() {
    const std::uintptr_t left = end_ > at_ ? end_ - at_ : 0;
    const std::uintptr_t size = left < sizeof piece_ ? left : sizeof piece_;
    bad_ = bad_ || size == 0 || !memory_.read(at_, piece_, size);
    from_ = at_;
    upto_ = at_ + size;
  }

  Peek& memory_;
  std::uintptr_t at_;
  std::uintptr_t end_;
  std::uintptr_t from_ = 0;
  std::uintptr_t upto_ = 0;
  bool bad_ = false;
  unsigned char piece_[128] = {};
};

}  // namespace umaskaudit::shim
