// Reads ELF headers, auxiliary vectors and environments; see image.h.

#include "reporter/tracer/image.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>

#include "reporter/tracer/proc_file.h"

namespace umaskaudit::tracer {

namespace {

// From the auxiliary vector (getauxval(3)): secure-execution mode, and the loader's address.
bool has_willing_loader(pid_t tid) {
  const std::string vector = read_proc(tid, "auxv");
  bool secure = false, loader = false;
  for (std::size_t at = 0; at + sizeof(Elf64_auxv_t) <= vector.size(); at += sizeof(Elf64_auxv_t)) {
    Elf64_auxv_t entry;
    std::memcpy(&entry, vector.data() + at, sizeof entry);
    if (entry.a_type == AT_SECURE) secure = entry.a_un.a_val != 0;
    if (entry.a_type == AT_BASE) loader = entry.a_un.a_val != 0;
  }
  return loader && !secure;
}

bool is_known_loader(const std::string& name) {
  return name.find("/ld-linux") != std::string::npos || name.find("/ld-musl-") != std::string::npos;
}

// The interpreter of a program of our word size; empty: none.
std::string loader_of(const std::string& file) {
  std::string head(4096, '\0');
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  const ssize_t size = fd >= 0 ? read(fd, head.data(), head.size()) : 0;
  if (fd >= 0) close(fd);
  head.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  Elf64_Ehdr header;
  if (head.size() < sizeof header) return "";
  std::memcpy(&header, head.data(), sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64)
    return "";
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    const std::uint64_t at = header.e_phoff + std::uint64_t{i} * sizeof segment;
    if (header.e_phoff > head.size() || at + sizeof segment > head.size()) return "";
    std::memcpy(&segment, head.data() + at, sizeof segment);
    if (segment.p_type != PT_INTERP) continue;
    if (segment.p_offset > head.size() || segment.p_filesz > head.size() - segment.p_offset)
      return "";
    return head.substr(segment.p_offset, segment.p_filesz);
  }
  return "";
}

bool names_library(const std::string& environment, const std::string& library) {
  constexpr std::string_view kVariable = "LD_PRELOAD=";
  for (std::size_t at = 0; at < environment.size();) {
    const std::size_t end = std::min(environment.find('\0', at), environment.size());
    const std::string_view entry(environment.data() + at, end - at);
    if (entry.starts_with(kVariable) && entry.find(library) != std::string_view::npos) return true;
    at = end + 1;
  }
  return false;
}

}  // namespace

bool loads_library(pid_t tid, const std::string& library) {
  struct stat facts {};
  return has_willing_loader(tid) && is_known_loader(loader_of(proc_name(tid, "exe"))) &&
         names_library(read_proc(tid, "environ"), library) &&
         stat((proc_name(tid, "root") + library).c_str(), &facts) == 0;
}

bool gains_rights(pid_t tid, const Place& program) {
  struct statx facts {};
  const auto status = status_of(tid);
  if (!status || !program.look(true, &facts)) return false;
  const unsigned mode = facts.stx_mode;
  if ((mode & S_ISUID) != 0 && facts.stx_uid != status->uid) return true;
  if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && facts.stx_gid != status->gid)
    return true;
  const std::string directory = program.directory();
  const std::string name = program.path().substr(program.path().rfind('/') + 1);
  return getxattr((directory + "/" + name).c_str(), "security.capability", nullptr, 0) > 0;
}

}  // namespace umaskaudit::tracer
