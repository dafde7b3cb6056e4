// Reads a regular file as a whole, where the name may lead to anything: open(2) with O_NONBLOCK
// first. Must never read a device, a FIFO or an endless file. Called for what is read as far as it
// is there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace umaskaudit {

// From the descriptor's position on. Nothing: it is no regular file (or no descriptor), larger than
// `most` bytes, or cannot be read completely.
std::optional<std::string> read_regular_file(int fd, std::uint64_t most);

}  // namespace umaskaudit
