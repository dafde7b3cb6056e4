// Compression by the name of a file: *.gz as gzip(1), *.zst as zstd(1) reads them.
// Must never write anything but a whole stream: finish() ends it, and an empty text is one, too.
// Used by OutputFile.
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

  // Writes what is left and the end of the stream; nothing may follow. False: `sink` took not all.
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
