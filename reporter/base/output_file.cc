// Temporary name, fchmod(2), rename(2).
// Must never follow a symbolic link at the final name: rename replaces it.
// Called by the commands.
#include "reporter/base/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <streambuf>
#include <utility>

namespace umaskaudit {
namespace {

// A stream buffer over a descriptor that remembers why it failed.
class DescriptorBuffer : public std::streambuf {
 public:
  explicit DescriptorBuffer(int descriptor) : descriptor_(descriptor) {
    setp(bytes_.data(), bytes_.data() + bytes_.size());
  }
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

Error cannot_write(const std::string& path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return {"cannot write '" + path + "'", std::strerror(error),
          full ? "freeing some space there, or another place" : "another place with -o",
          ExitCode::usage};
}

// A device or a pipe: renaming a file onto it would put a file in its place.
bool is_special(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

}  // namespace

struct OutputFile::State {
  State(std::string final_path, std::string temporary_path, int descriptor)
      : path(std::move(final_path)),
        temporary(std::move(temporary_path)),
        fd(descriptor),
        buffer(descriptor),
        stream(&buffer) {}
  ~State() {
    if (fd >= 0) ::close(fd);
    if (!temporary.empty()) ::unlink(temporary.c_str());
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::string path, temporary;
  int fd;
  DescriptorBuffer buffer;
  std::ostream stream;
};

OutputFile::OutputFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
OutputFile::OutputFile(OutputFile&&) noexcept = default;
OutputFile& OutputFile::operator=(OutputFile&&) noexcept = default;
OutputFile::~OutputFile() = default;

Result<OutputFile> OutputFile::create(const std::string& path) {
  if (is_special(path)) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return cannot_write(path, errno);
    return OutputFile(std::make_unique<State>(path, "", fd));
  }
  std::string temporary = path + ".XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return cannot_write(path, errno);
  auto state = std::make_unique<State>(path, temporary, fd);
  // A default ACL of the directory may have widened what mkostemp(3) asked for.
  if (fchmod(fd, 0600) != 0) return cannot_write(path, errno);
  return OutputFile(std::move(state));
}

std::ostream& OutputFile::stream() { return state_->stream; }

const std::string& OutputFile::temporary_path() const { return state_->temporary; }

Status OutputFile::commit() {
  state_->stream.flush();
  int error = state_->buffer.error();
  // Some filesystems (NFS, quotas) report a full disk only here.
  if (::close(std::exchange(state_->fd, -1)) != 0 && error == 0) error = errno;
  const bool rename = error == 0 && !state_->temporary.empty();
  if (rename && std::rename(state_->temporary.c_str(), state_->path.c_str()) != 0) error = errno;
  if (error != 0) return cannot_write(state_->path, error);
  state_->temporary.clear();
  return Done{};
}

}  // namespace umaskaudit
