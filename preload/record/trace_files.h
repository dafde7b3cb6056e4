// Creates the directory and the files of a trace, before they are mapped. Must never depend on the
// umask or on a default ACL, which apply to us too.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>

namespace umaskaudit::shim {

// Opens the directory, created with 0700 if it is missing and `make` is set; a negative errno if
// another user owns it, who could remove or replace anything there. `run -o` refuses such a
// directory too.
int open_directory(const char* directory, bool make = true);

// Creates "<pid>-<time>.seg" 0600 and returns its descriptor or a negative errno. The mode is set
// by fchmod(2).
inline constexpr std::size_t kSegmentNameSize = 48;
int create_segment(int directory, std::uint32_t pid, std::uint64_t now,
                   char (&name)[kSegmentNameSize]);

// Whether the file is a regular one of this user with a single name; fills in its facts. A hard
// link would have us write into another file.
bool is_own_file(int fd, struct stat& facts);

// The greatest size that a file may have: growing one past RLIMIT_FSIZE raises SIGXFSZ, which kills
// (setrlimit(2)).
std::uint64_t largest_file();

// Reads the boot id; zeros without /proc.
void read_boot_id(std::uint8_t (&out)[16]);

}  // namespace umaskaudit::shim
