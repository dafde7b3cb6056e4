// gzip by zlib and zstd by libzstd behind one interface; see compressed_buffer.h.
#include "reporter/base/compressed_buffer.h"

#include <zlib.h>
#include <zstd.h>

#include <array>
#include <new>

namespace umaskaudit {
namespace {

constexpr std::size_t kBlock = 1 << 16;
constexpr char kGzip[] = ".gz";
constexpr char kZstandard[] = ".zst";

// Collects text until a block is full, then passes it to the library by `compress`.
class Blocks : public CompressedBuffer {
 protected:
  explicit Blocks(std::streambuf& sink) : CompressedBuffer(sink) { empty(); }

  virtual bool compress(const char* bytes, std::size_t count, bool last) = 0;

  bool take(bool last) {
    const bool done = compress(pbase(), static_cast<std::size_t>(pptr() - pbase()), last);
    empty();
    return done;
  }

  int_type overflow(int_type c) override {
    if (!take(false)) return traits_type::eof();
    if (!traits_type::eq_int_type(c, traits_type::eof())) {
      *pptr() = traits_type::to_char_type(c);
      pbump(1);
    }
    return traits_type::not_eof(c);
  }

  bool finish() override { return take(true); }

 private:
  void empty() { setp(text_.data(), text_.data() + text_.size()); }

  std::array<char, kBlock> text_;
};

class Gzip : public Blocks {
 public:
  explicit Gzip(std::streambuf& sink) : Blocks(sink) {
    constexpr int kGzipFormat = 16;  // added to the window's size: deflateInit2 in zlib.h
    if (deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + kGzipFormat, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  ~Gzip() override { deflateEnd(&stream_); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

 protected:
  bool compress(const char* bytes, std::size_t count, bool last) override {
    // zlib does not write to it
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes));
    stream_.avail_in = static_cast<uInt>(count);
    int state = Z_OK;
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(out_.data());
      stream_.avail_out = static_cast<uInt>(out_.size());
      state = deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH);
      if (!put(out_.data(), out_.size() - stream_.avail_out)) return false;
    } while (stream_.avail_out == 0 || (last && state == Z_OK));
    return !last || state == Z_STREAM_END;
  }

 private:
  z_stream stream_{};
  std::array<char, kBlock> out_;
};

class Zstandard : public Blocks {
 public:
  explicit Zstandard(std::streambuf& sink) : Blocks(sink), stream_(ZSTD_createCStream()) {
    if (stream_ == nullptr) throw std::bad_alloc();
  }
  ~Zstandard() override { ZSTD_freeCStream(stream_); }
  Zstandard(const Zstandard&) = delete;
  Zstandard& operator=(const Zstandard&) = delete;

 protected:
  bool compress(const char* bytes, std::size_t count, bool last) override {
    ZSTD_inBuffer in{bytes, count, 0};
    std::size_t left = 0;
    do {
      ZSTD_outBuffer out{out_.data(), out_.size(), 0};
      left = ZSTD_compressStream2(stream_, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
      if (ZSTD_isError(left) != 0 || !put(out_.data(), out.pos)) return false;
    } while (last ? left != 0 : in.pos != in.size);
    return true;
  }

 private:
  ZSTD_CStream* stream_;
  std::array<char, kBlock> out_;
};

}  // namespace

bool CompressedBuffer::is_asked_for(const std::string& path) {
  return path.ends_with(kGzip) || path.ends_with(kZstandard);
}

std::unique_ptr<CompressedBuffer> CompressedBuffer::for_name(const std::string& path,
                                                             std::streambuf& sink) {
  if (path.ends_with(kGzip)) return std::make_unique<Gzip>(sink);
  if (path.ends_with(kZstandard)) return std::make_unique<Zstandard>(sink);
  return nullptr;
}

}  // namespace umaskaudit
