// Opens the ELF files that a trace names, which may be anything: FIFOs, devices, hostile bytes.
// Must never block in open(2), touch a device, or accept anything but a regular ELF file. Runs in
// the child process of worker.cc.
#pragma once

#include <cstdint>
#include <string>

#include "reporter/base/owned_descriptor.h"
#include "reporter/base/result.h"

namespace umaskaudit::symbolize {

// The facts about an ELF file before its symbols are read.
struct ElfFile {
  Descriptor fd;
  std::string path;      // as opened, below the root
  std::string build_id;  // lower-case hex; empty when it has none
  bool debug_info = false;
  std::string debuglink;  // file name in .gnu_debuglink; empty when it has none
  std::uint32_t debuglink_crc = 0;
};

// The kinds of ELF files that are accepted.
enum class ElfKind {
  loadable,  // programs, shared libraries, and their debug files
  any,       // also what dwz(1) makes: it calls its output a relocatable object
};

// Opens `path`; with a non-empty `root`, links and ".." stay below that directory. Error::why is a
// phrase for people: "No such file or directory", "not a regular file", "not an ELF program".
Result<ElfFile> open_elf(const std::string& root, const std::string& path,
                         ElfKind kind = ElfKind::loadable);

// The same checks for a descriptor that another function opened. `path` is for messages.
Result<ElfFile> inspect_elf(Descriptor fd, const std::string& path,
                            ElfKind kind = ElfKind::loadable);

// Everything before the last '/'; empty when there is none.
std::string directory_of(const std::string& path);

// False for files that must not be opened: FIFOs, devices, sockets.
bool harmless_to_open(const std::string& path);

// CRC-32 (IEEE 802.3) of the whole file, for .gnu_debuglink. False if it cannot be read, or is
// longer than `most` bytes.
bool file_crc32(int fd, std::uint64_t most, std::uint32_t& crc);

// The size in bytes; 0: unknown.
std::uint64_t file_size(int fd);

// Lower-case hex, as build ids are written.
std::string to_hex(const unsigned char* bytes, std::size_t size);

}  // namespace umaskaudit::symbolize
