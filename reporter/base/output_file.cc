// Writes to a temporary name, then fchmod(2) and rename(2).
// Must never follow a symbolic link at the final name: rename replaces it.
#include "reporter/base/output_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "reporter/base/compressed_buffer.h"
#include "reporter/base/descriptor_buffer.h"

namespace umaskaudit {
namespace {

Error cannot_write(const std::string& path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return {"cannot write '" + path + "'", std::strerror(error),
          full ? "freeing some space there, or another place" : "another place with -o",
          ExitCode::usage};
}

// A device or a pipe: renaming a file over it would replace it.
bool is_special(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
}

// The last link of a chain that begins at `path` and ends in /proc/PID/fd, as /dev/stdout does;
// nothing when there is none. Such a link names a descriptor, not a file: proc(5).
std::optional<std::string> descriptor_link(std::string path) {
  for (int links = 0; links < 40; ++links) {  // path_resolution(7)
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) return std::nullopt;
    const std::size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    char* real = realpath(directory.c_str(), nullptr);
    if (real == nullptr) return std::nullopt;
    const std::string parent = real;
    std::free(real);
    struct statfs system {};
    if (statfs(parent.c_str(), &system) == 0 && system.f_type == PROC_SUPER_MAGIC)
      return parent + "/" + path.substr(slash == std::string::npos ? 0 : slash + 1);
    std::string target(4096, '\0');  // PATH_MAX
    const ssize_t length = readlink(path.c_str(), target.data(), target.size());
    if (length <= 0) return std::nullopt;
    target.resize(static_cast<std::size_t>(length));
    path = target[0] == '/' ? target : parent + "/" + target;
  }
  return std::nullopt;
}

// Opens the target of such a link. A descriptor of this process is duplicated: opened anew, it
// would begin at offset 0 and overwrite earlier output.
int open_descriptor(const std::string& link) {
  const std::string own = "/proc/" + std::to_string(getpid()) + "/fd/";
  if (link.rfind(own, 0) == 0) {
    const std::string number = link.substr(own.size());
    if (number.find_first_not_of("0123456789") == std::string::npos && number.size() < 9)
      return fcntl(std::atoi(number.c_str()), F_DUPFD_CLOEXEC, 0);
  }
  return ::open(link.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC | O_APPEND);
}

}  // namespace

struct OutputFile::State {
  State(std::string final_path, std::string temporary_path, int descriptor)
      : path(std::move(final_path)),
        temporary(std::move(temporary_path)),
        fd(descriptor),
        buffer(descriptor),
        compressed(CompressedBuffer::for_name(path, buffer)),
        stream(compressed ? static_cast<std::streambuf*>(compressed.get()) : &buffer) {}
  ~State() {
    if (fd >= 0) ::close(fd);
    if (!temporary.empty()) ::unlink(temporary.c_str());
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::string path, temporary;
  int fd;
  DescriptorBuffer buffer;
  std::unique_ptr<CompressedBuffer> compressed;  // null: no compression
  std::ostream stream;
};

OutputFile::OutputFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
OutputFile::OutputFile(OutputFile&&) noexcept = default;
OutputFile& OutputFile::operator=(OutputFile&&) noexcept = default;
OutputFile::~OutputFile() = default;

Status OutputFile::try_place(const std::string& path) {
  if (is_special(path)) return Done{};
  const auto tried = create(path);
  return tried ? Status(Done{}) : Status(tried.error());
}

Result<OutputFile> OutputFile::create(const std::string& path) {
  const std::optional<std::string> link = descriptor_link(path);
  if (link || is_special(path)) {
    const int fd =
        link ? open_descriptor(*link) : ::open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return cannot_write(path, errno);
    return OutputFile(std::make_unique<State>(path, "", fd));
  }
  std::string temporary = path + ".XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return cannot_write(path, errno);
  auto state = std::make_unique<State>(path, temporary, fd);
  // A default ACL of the directory may have widened the mode of mkostemp(3).
  if (fchmod(fd, 0600) != 0) return cannot_write(path, errno);
  return OutputFile(std::move(state));
}

std::ostream& OutputFile::stream() { return state_->stream; }

bool OutputFile::compresses(const std::string& path) {
  return CompressedBuffer::is_asked_for(path);
}

const std::string& OutputFile::temporary_path() const { return state_->temporary; }

Status OutputFile::commit() {
  if (state_->compressed) state_->compressed->finish();
  state_->buffer.pubsync();  // error() says what failed
  int error = state_->buffer.error();
  // Some filesystems (NFS, or with quotas) report a full disk only on close.
  if (::close(std::exchange(state_->fd, -1)) != 0 && error == 0) error = errno;
  const bool rename = error == 0 && !state_->temporary.empty();
  if (rename && std::rename(state_->temporary.c_str(), state_->path.c_str()) != 0) error = errno;
  if (error != 0) return cannot_write(state_->path, error);
  state_->temporary.clear();
  return Done{};
}

}  // namespace umaskaudit
