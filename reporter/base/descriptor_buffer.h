// DescriptorBuffer: a stream buffer over a descriptor that keeps the errno of a failed write, which
// a stream does not.
// Must be flushed before it is destroyed. Used by OutputFile and the console.
#pragma once

#include <unistd.h>

#include <array>
#include <cerrno>
#include <streambuf>

namespace umaskaudit {

class DescriptorBuffer : public std::streambuf {
 public:
  explicit DescriptorBuffer(int descriptor) : descriptor_(descriptor) {
    setp(bytes_.data(), bytes_.data() + bytes_.size());
  }
  // errno of the first write that failed; 0: none did.
  int error() const { return error_; }

 protected:
  int_type overflow(int_type next) override {
    if (sync() != 0) return traits_type::eof();
    if (!traits_type::eq_int_type(next, traits_type::eof())) {
      *pptr() = traits_type::to_char_type(next);
      pbump(1);
    }
    return traits_type::not_eof(next);
  }
  int sync() override {
    const char* at = pbase();
    while (at < pptr() && error_ == 0) {
      const ssize_t count = ::write(descriptor_, at, static_cast<std::size_t>(pptr() - at));
      if (count >= 0)
        at += count;
      else if (errno != EINTR)
        error_ = errno;
    }
    setp(bytes_.data(), bytes_.data() + bytes_.size());
    return error_ == 0 ? 0 : -1;
  }

 private:
  int descriptor_;
  int error_ = 0;
  std::array<char, 65536> bytes_;
};

}  // namespace umaskaudit
