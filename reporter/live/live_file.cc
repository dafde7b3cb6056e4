#include "reporter/live/live_file.h"

#include <fcntl.h>
#include <spdlog/details/file_helper.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <utility>

namespace umaskaudit::live {
namespace {

// A FIFO without a reader would block for ever.
constexpr int kFlags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;

std::string why_not(int error) {
  return error == ELOOP ? "it is a symbolic link" : std::strerror(error);
}

// In a directory such as /tmp other users may have put something of theirs there first.
std::string why_not_ours(const struct stat& status) {
  if (S_ISCHR(status.st_mode)) return "";
  if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode)) return "it is no file";
  if (status.st_uid != geteuid() && status.st_uid != 0) return "it belongs to another user";
  if (S_ISREG(status.st_mode) && status.st_nlink > 1) return "it has more than one name";
  return "";
}

}  // namespace

LiveFile::LiveFile(std::string path, std::size_t most, unsigned older)
    : path_(std::move(path)), most_(most), older_(older) {}

LiveFile::~LiveFile() {
  if (fd_ >= 0) close(fd_);
}

Result<std::shared_ptr<LiveFile>> LiveFile::open(const std::string& path, std::size_t most,
                                                 unsigned older) {
  std::shared_ptr<LiveFile> file(new LiveFile(path, most, older));
  if (const std::string why = file->reopen(); !why.empty())
    return Error{"cannot log to '" + path + "'", why, "another file", ExitCode::usage};
  return file;
}

// Empty, or what is wrong.
std::string LiveFile::reopen() {
  if (fd_ >= 0) close(fd_);
  fd_ = ::open(path_.c_str(), kFlags | O_CREAT | O_EXCL, 0600);
  if (fd_ >= 0) fchmod(fd_, 0600);  // our own umask may have taken bits away
  if (fd_ < 0 && errno == EEXIST) fd_ = ::open(path_.c_str(), kFlags);
  if (fd_ < 0) return why_not(errno);
  struct stat status {};
  std::string why = fstat(fd_, &status) != 0 ? std::strerror(errno) : why_not_ours(status);
  if (!why.empty()) {
    close(fd_);
    fd_ = -1;
    return why;
  }
  fcntl(fd_, F_SETFL, O_APPEND);  // writes may wait
  // Only what has a size of its own is kept to one.
  size_ = S_ISREG(status.st_mode) ? static_cast<std::size_t>(status.st_size) : 0;
  if (!S_ISREG(status.st_mode)) most_ = SIZE_MAX;
  return "";
}

// "live.log", "live.1.log", "live.2.log".
std::string LiveFile::name(unsigned number) const {
  if (number == 0) return path_;
  const auto [stem, extension] = spdlog::details::file_helper::split_by_extension(path_);
  return stem + "." + std::to_string(number) + extension;
}

void LiveFile::rotate() {
  for (unsigned number = older_; number > 0; --number) {
    const std::string from = name(number - 1);
    if (std::rename(from.c_str(), name(number).c_str()) != 0 && errno != ENOENT)
      spdlog::throw_spdlog_ex("cannot rename '" + from + "'", errno);
  }
  if (const std::string why = reopen(); !why.empty())
    spdlog::throw_spdlog_ex("cannot log to '" + path_ + "': " + why);
}

void LiveFile::sink_it_(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  if (size_ != 0 && line.size() > most_ - std::min(most_, size_)) rotate();
  std::size_t done = 0;
  while (done < line.size()) {
    const ssize_t written = ::write(fd_, line.data() + done, line.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) spdlog::throw_spdlog_ex("cannot write to '" + path_ + "'", errno);
    done += static_cast<std::size_t>(written);
  }
  size_ += done;
}

}  // namespace umaskaudit::live
