// See sandbox.h.
#include "tests/unit/mode/sandbox.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "reporter/mode/notation.h"

namespace umaskaudit::testing_support {
namespace {

constexpr char kAttribute[] = "system.posix_acl_default";

std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  ssize_t got = 0;
  while ((got = ::read(fd, buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

ScratchDirectory::ScratchDirectory(const std::string& base) {
  std::string name = base + "/umaskaudit-test-XXXXXX";
  if (::mkdtemp(name.data()) != nullptr) path_ = name;
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

std::string no_shared_memory_for_all() {
  struct stat facts {};
  if (::stat("/dev/shm", &facts) != 0) return "there is no /dev/shm";
  constexpr mode_t kOthersMayCreate = S_IWOTH | S_IXOTH;
  if ((facts.st_mode & kOthersMayCreate) == kOthersMayCreate) return "";
  return "/dev/shm is " + octal(facts.st_mode & 07777) +
         ", not 1777: other users can make nothing there";
}

std::string temporary_base() {
  const char* base = std::getenv("TMPDIR");
  return base != nullptr && *base != '\0' ? base : "/tmp";
}

std::string in_child(const std::function<std::string()>& body) {
  int pipe_fds[2];
  if (::pipe2(pipe_fds, O_CLOEXEC) != 0) return "pipe2 failed";
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string result = body();
    std::size_t done = 0;
    while (done < result.size()) {
      const ssize_t put = ::write(pipe_fds[1], result.data() + done, result.size() - done);
      if (put <= 0) ::_exit(1);
      done += static_cast<std::size_t>(put);
    }
    ::_exit(0);
  }
  ::close(pipe_fds[1]);
  std::string result = child < 0 ? "fork failed" : read_all(pipe_fds[0]);
  ::close(pipe_fds[0]);
  int status = 0;
  if (child > 0) ::waitpid(child, &status, 0);
  if (status != 0) result += "child ended with status " + std::to_string(status);
  return result;
}

ProgramResult run_program(const std::vector<std::string>& arguments) {
  ProgramResult result;
  int pipe_fds[2];
  if (::pipe2(pipe_fds, O_CLOEXEC) != 0) return result;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDERR_FILENO);
  std::vector<std::string> copies = arguments;
  std::vector<char*> argv;
  argv.reserve(copies.size() + 1);
  for (std::string& copy : copies) argv.push_back(copy.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(pipe_fds[1]);
  if (failed == 0) {
    result.output = read_all(pipe_fds[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  ::close(pipe_fds[0]);
  return result;
}

bool on_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::string rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::size_t end = rest.find(':');
    if (::access((rest.substr(0, end) + "/" + program).c_str(), X_OK) == 0) return true;
    rest = end == std::string::npos ? "" : rest.substr(end + 1);
  }
  return false;
}

std::vector<std::uint8_t> encode_acl(unsigned user, unsigned group, unsigned other,
                                     std::optional<unsigned> mask) {
  std::vector<std::uint8_t> bytes{2, 0, 0, 0};
  const auto entry = [&](unsigned tag, unsigned perm, std::uint8_t id) {
    const auto low = [](unsigned value) { return static_cast<std::uint8_t>(value); };
    const std::uint8_t packed[] = {low(tag), 0, low(perm), 0, id, id, id, id};
    for (const std::uint8_t byte : packed) bytes.push_back(byte);
  };
  entry(0x01, user, 0xff);
  if (mask) entry(0x02, 7, 1);  // user 0x01010101
  entry(0x04, group, 0xff);
  if (mask) entry(0x10, *mask, 0xff);
  entry(0x20, other, 0xff);
  return bytes;
}

bool set_default_acl(const std::string& directory, const std::vector<std::uint8_t>& acl) {
  return ::setxattr(directory.c_str(), kAttribute, acl.data(), acl.size(), 0) == 0;
}

std::vector<std::uint8_t> get_default_acl(const std::string& directory) {
  std::vector<std::uint8_t> bytes(4096);
  const ssize_t got = ::getxattr(directory.c_str(), kAttribute, bytes.data(), bytes.size());
  bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return bytes;
}

}  // namespace umaskaudit::testing_support
