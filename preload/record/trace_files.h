// The directory and the files of a trace, before they are mapped: who may own them, how they are
// named. Must never depend on the umask or on a default ACL, which apply to us too.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>

namespace umaskaudit::shim {

// Opens the directory, made 0700 if it is missing and `make` says so; a negative errno where it is
// not this user's. In another user's directory everything could be removed or replaced; `run -o`
// refuses it too.
int open_directory(const char* directory, bool make = true);

// Creates "<pid>-<time>.seg" 0600 and returns its descriptor or a negative errno. The mode is set
// by fchmod(2).
inline constexpr std::size_t kSegmentNameSize = 48;
int create_segment(int directory, std::uint32_t pid, std::uint64_t now,
                   char (&name)[kSegmentNameSize]);

// A regular file of this user under one name, whose facts are filled in: a link would have us write
// into another file.
bool is_own_file(int fd, struct stat& facts);

// Growing a file past RLIMIT_FSIZE raises SIGXFSZ, which kills (setrlimit(2)): asked before
// anything grows.
std::uint64_t largest_file();

// Zeros where /proc is missing.
void read_boot_id(std::uint8_t (&out)[16]);

}  // namespace umaskaudit::shim
