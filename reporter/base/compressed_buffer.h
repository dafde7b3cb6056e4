// CompressedBuffer: a stream buffer that compresses, in the format that the file's name asks for:
// *.gz for gzip(1), *.zst for zstd(1).
// Must never leave a stream incomplete: finish() ends it, also after no text at all. Used by
// OutputFile.
#pragma once

#include <memory>
#include <streambuf>
#include <string>

namespace umaskaudit {

class CompressedBuffer : public std::streambuf {
 public:
  // Compresses into `sink`, which must outlive it. Null: the name asks for no compression.
  static std::unique_ptr<CompressedBuffer> for_name(const std::string& path, std::streambuf& sink);
  static bool is_asked_for(const std::string& path);

  // Writes the rest and the end of the stream; no text may follow. False: a write to `sink` failed.
  virtual bool finish() = 0;

 protected:
  explicit CompressedBuffer(std::streambuf& sink) : sink_(sink) {}
  bool put(const char* bytes, std::size_t count) {
    const auto wanted = static_cast<std::streamsize>(count);
    return sink_.sputn(bytes, wanted) == wanted;
  }

 private:
  std::streambuf& sink_;
};

}  // namespace umaskaudit
