// Helpers for tests that let the kernel decide: a directory of their own, a child process for
// everything that changes process-wide state (umask, user, working directory), and an encoder for
// default ACLs that shares no code with the decoder under test.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace umaskaudit::testing_support {

// A directory below `base` that goes away, with all it holds, when the object does. Empty path()
// when it could not be made: skip then.
class ScratchDirectory {
 public:
  explicit ScratchDirectory(const std::string& base);
  ~ScratchDirectory();
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// $TMPDIR or /tmp: on the machine's usual filesystem.
std::string temporary_base();

// Why users other than the directory's own cannot make POSIX shared memory here (shm_overview(7));
// empty: they can.
std::string no_shared_memory_for_all();

// Runs `body` in a forked child and returns what it returned. A child that dies returns "child
// ended with status N".
std::string in_child(const std::function<std::string()>& body);

// Output and exit code of a program found on PATH. Arguments reach it as they are, no shell.
struct ProgramResult {
  int exit_code = 127;
  std::string output;  // stdout, then stderr as they came
};
ProgramResult run_program(const std::vector<std::string>& arguments);
bool on_path(const std::string& program);

// system.posix_acl_default for these permissions; a mask comes with a named user, as acl(5) wants.
std::vector<std::uint8_t> encode_acl(unsigned user, unsigned group, unsigned other,
                                     std::optional<unsigned> mask);
bool set_default_acl(const std::string& directory, const std::vector<std::uint8_t>& acl);
std::vector<std::uint8_t> get_default_acl(const std::string& directory);

}  // namespace umaskaudit::testing_support
