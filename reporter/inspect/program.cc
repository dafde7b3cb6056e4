// Reads file headers: #! lines, ELF program headers, modes and capabilities.
// Must never loop or allocate by what a file claims: fixed buffers, bounded counts.
#include "reporter/inspect/program.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "reporter/inspect/launchers.h"

namespace umaskaudit::inspect {
namespace {

constexpr unsigned kMostInterpreters = 4;  // BINPRM_MAX_RECURSION of the kernel
constexpr unsigned kMostHeaders = 128;
constexpr std::size_t kHead = 256;  // BINPRM_BUF_SIZE

class File {
 public:
  explicit File(const std::string& path)
      : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }
  std::size_t read(void* to, std::size_t size, std::uint64_t offset) const {
    const ssize_t count = pread(fd_, to, size, static_cast<off_t>(offset));
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  }

 private:
  int fd_;
};

bool is_file(const std::string& path, int access_mode) {
  struct stat facts {};
  return stat(path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode) &&
         access(path.c_str(), access_mode) == 0;
}

// Like execvp(3): a file without execute permission is remembered while the search continues.
std::string find_in_path(const std::string& name) {
  if (name.find('/') != std::string::npos) return is_file(name, F_OK) ? name : "";
  const char* variable = std::getenv("PATH");
  const std::string path = variable != nullptr ? variable : "/bin:/usr/bin";
  std::string second_best;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find(':', at), path.size());
    const std::string folder = path.substr(at, end - at);
    std::string candidate = (folder.empty() ? "." : folder) + "/" + name;
    if (is_file(candidate, X_OK)) return candidate;
    if (second_best.empty() && is_file(candidate, F_OK)) second_best = candidate;
    at = end + 1;
  }
  return second_best;
}

// The words of a #! line: the interpreter and its argument.
std::vector<std::string> interpreter_words(std::string_view head) {
  std::vector<std::string> words;
  const std::string line(head.substr(2, head.find('\n') - 2));
  for (std::size_t at = 0; (at = line.find_first_not_of(" \t", at)) != std::string::npos;) {
    const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

bool is_privileged(const File& file) {
  struct stat facts {};
  if (fstat(file.fd(), &facts) != 0) return false;
  // AT_SECURE is set when the effective ids differ from the real ones after exec (ld.so(8)).
  if ((facts.st_mode & S_ISUID) != 0 && facts.st_uid != getuid()) return true;
  const bool setgid = (facts.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
  if (setgid && facts.st_gid != getgid()) return true;
  return getuid() != 0 && fgetxattr(file.fd(), "security.capability", nullptr, 0) > 0;
}

// Searches the notes of a segment (elf(5)) for one named "Go", which Go's linker writes with its
// build id.
bool has_go_note(const File& file, const Elf64_Phdr& header) {
  std::array<char, 4096> bytes{};
  const std::size_t size = file.read(
      bytes.data(), std::min<std::uint64_t>(bytes.size(), header.p_filesz), header.p_offset);
  const auto aligned = [](std::size_t length) { return (length + 3) / 4 * 4; };
  for (std::size_t at = 0; at + sizeof(Elf64_Nhdr) + 4 <= size;) {
    Elf64_Nhdr note{};
    std::memcpy(&note, bytes.data() + at, sizeof note);
    at += sizeof note;
    if (note.n_namesz == 3 || note.n_namesz == 4) {
      if (std::memcmp(bytes.data() + at, "Go\0", 3) == 0) return true;
    }
    at += aligned(note.n_namesz) + aligned(note.n_descsz);
  }
  return false;
}

// The loader itself, started as a command, processes LD_PRELOAD like any program: it has no
// interpreter, but unlike a static program it has a DT_SONAME.
bool is_loader(const File& file, const Elf64_Phdr& dynamic) {
  constexpr unsigned kMostEntries = 256;
  for (unsigned i = 0; i < kMostEntries; ++i) {
    Elf64_Dyn entry{};
    if ((i + 1) * sizeof entry > dynamic.p_filesz) return false;
    if (file.read(&entry, sizeof entry, dynamic.p_offset + i * sizeof entry) != sizeof entry ||
        entry.d_tag == DT_NULL)
      return false;
    if (entry.d_tag == DT_SONAME) return true;
  }
  return false;
}

// Sets *go for a Go program, however it is linked.
Obstacle judge_elf(const File& file, bool* is_go) {
  Elf64_Ehdr elf{};
  Elf64_Ehdr self{};
  const File own("/proc/self/exe");
  const std::size_t size = file.read(&elf, sizeof elf, 0);
  if (size < EI_NIDENT || std::memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0) return Obstacle::none;
  const bool known_self = own.read(&self, sizeof self, 0) == sizeof self;
  if (elf.e_ident[EI_CLASS] != ELFCLASS64 || size < sizeof elf ||
      (known_self && elf.e_machine != self.e_machine))
    return Obstacle::architecture;
  bool interpreted = false, known_libc = false, loader = false, go = false;
  for (unsigned i = 0; i < std::min<unsigned>(elf.e_phnum, kMostHeaders); ++i) {
    Elf64_Phdr header{};
    const std::uint64_t at = elf.e_phoff + std::uint64_t{i} * sizeof header;
    if (file.read(&header, sizeof header, at) != sizeof header) break;
    if (header.p_type == PT_NOTE) go = go || has_go_note(file, header);
    if (header.p_type == PT_DYNAMIC) loader = is_loader(file, header);
    if (header.p_type != PT_INTERP) continue;
    interpreted = true;
    std::array<char, kHead> name{};
    const std::size_t length = file.read(
        name.data(), std::min<std::uint64_t>(kHead - 1, header.p_filesz), header.p_offset);
    const std::string_view path(name.data(), length);
    known_libc = path.find("/ld-linux") != std::string_view::npos ||
                 path.find("/ld-musl-") != std::string_view::npos;
  }
  *is_go = go;
  if (!interpreted && loader) return Obstacle::none;
  if (!interpreted) return Obstacle::static_link;
  if (!known_libc) return Obstacle::foreign_libc;
  return go ? Obstacle::go_runtime : Obstacle::none;
}

}  // namespace

const char* obstacle_name(Obstacle obstacle) {
  switch (obstacle) {
    case Obstacle::none:
      return "none";
    case Obstacle::not_found:
      return "not-found";
    case Obstacle::not_executable:
      return "not-executable";
    case Obstacle::static_link:
      return "static";
    case Obstacle::privileged:
      return "privileged";
    case Obstacle::architecture:
      return "architecture";
    case Obstacle::foreign_libc:
      return "foreign-libc";
    case Obstacle::go_runtime:
      return "go-runtime";
  }
  return "none";
}

const char* obstacle_text(Obstacle obstacle) {
  switch (obstacle) {
    case Obstacle::none:
      return "it can be audited";
    case Obstacle::not_found:
      return "no such program";
    case Obstacle::not_executable:
      return "it may not be executed";
    case Obstacle::static_link:
      return "it is statically linked: no library can be preloaded";
    case Obstacle::privileged:
      return "it is setuid, setgid or has file capabilities: the loader drops LD_PRELOAD";
    case Obstacle::architecture:
      return "it is built for another machine or word size than libumaskaudit.so";
    case Obstacle::foreign_libc:
      return "its C library is neither glibc nor musl";
    case Obstacle::go_runtime:
      return "it is a Go program: its run time makes system calls past the C library";
  }
  return "";
}

bool can_audit(Obstacle obstacle) {
  return obstacle == Obstacle::none || obstacle == Obstacle::go_runtime;
}

bool can_load(Obstacle obstacle) {
  return obstacle != Obstacle::architecture && obstacle != Obstacle::foreign_libc;
}

ProgramFacts inspect_program(const std::string& name) {
  ProgramFacts facts;
  facts.path = find_in_path(name);
  std::string current = facts.path;
  for (unsigned depth = 0; depth <= kMostInterpreters; ++depth) {
    if (current.empty()) {
      facts.obstacle = Obstacle::not_found;
      return facts;
    }
    if (access(current.c_str(), X_OK) != 0) {
      const bool there = access(current.c_str(), F_OK) == 0;
      facts.obstacle = there ? Obstacle::not_executable : Obstacle::not_found;
      return facts;
    }
    const File file(current);
    if (file.fd() < 0) return facts;  // executable but not readable: unknown
    std::array<char, kHead> head{};
    const std::size_t size = file.read(head.data(), head.size(), 0);
    if (size < 2 || head[0] != '#' || head[1] != '!') {
      facts.obstacle = judge_elf(file, &facts.go);
      if (is_privileged(file)) facts.obstacle = Obstacle::privileged;
      return facts;
    }
    const auto words = interpreter_words({head.data(), size});
    if (words.empty()) return facts;
    current = words[0];
    facts.interpreters.push_back(current);
    if (const std::size_t started = started_program(words).program; started != 0) {  // env(1)
      current = find_in_path(words[started]);
      facts.interpreters.push_back(current);
    }
  }
  return facts;
}

}  // namespace umaskaudit::inspect
