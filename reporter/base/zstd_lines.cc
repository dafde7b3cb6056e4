#include "reporter/base/zstd_lines.h"

#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "reporter/base/owned_descriptor.h"

namespace umaskaudit {
namespace {

constexpr std::size_t kLongest = 16 << 20;
constexpr std::size_t kBlock = 1 << 17;

struct Free {
  void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};

Error cannot_read(const std::string& path, const std::string& why) {
  return {"cannot read '" + path + "'", why, "", ExitCode::unreadable};
}

// Passes complete lines on; the rest is the beginning of the next line.
bool give_lines(std::string& text, const std::function<bool(std::string_view)>& visit) {
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
    if (!visit(std::string_view(text).substr(begin, end - begin))) return false;
  text.erase(0, begin);
  return true;
}

}  // namespace

Status for_each_zstd_line(const std::string& path,
                          const std::function<bool(std::string_view)>& visit) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) return cannot_read(path, std::strerror(errno));
  const std::unique_ptr<ZSTD_DStream, Free> stream(ZSTD_createDStream());
  std::vector<char> in(kBlock), out(kBlock);
  std::string text;
  std::size_t wanted = 1;  // 0: a frame has ended
  while (true) {
    const ssize_t got = read(file.get(), in.data(), in.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot_read(path, std::strerror(errno));
    if (got == 0) break;
    ZSTD_inBuffer source{in.data(), static_cast<std::size_t>(got), 0};
    bool full = false;
    while (source.pos < source.size || full) {
      ZSTD_outBuffer target{out.data(), out.size(), 0};
      wanted = ZSTD_decompressStream(stream.get(), &target, &source);
      if (ZSTD_isError(wanted) != 0) return cannot_read(path, ZSTD_getErrorName(wanted));
      full = target.pos == target.size;
      text.append(out.data(), target.pos);
      if (!give_lines(text, visit)) return Done{};
      if (text.size() > kLongest) return cannot_read(path, "a line is longer than 16 MiB");
      if (target.pos == 0 && source.pos == source.size) break;
    }
  }
  if (wanted != 0) return cannot_read(path, "it is cut off");
  if (!text.empty()) visit(text);
  return Done{};
}

}  // namespace umaskaudit
