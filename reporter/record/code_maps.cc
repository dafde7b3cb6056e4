#include "reporter/record/code_maps.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <map>

#include "reporter/base/code_map_name.h"
#include "reporter/base/owned_descriptor.h"
#include "reporter/record/run_directory.h"

namespace umaskaudit {
namespace {

// The owners of the segments, by process.
std::map<std::uint32_t, uid_t> processes_of(int directory) {
  std::map<std::uint32_t, uid_t> owners;
  const Directory stream(fdopendir(dup(directory)));
  if (!stream) return owners;
  rewinddir(stream.get());
  while (const dirent* entry = readdir(stream.get())) {
    const char* name = entry->d_name;
    std::uint32_t pid = 0;
    if (!is_segment(name) || std::from_chars(name, name + std::strlen(name), pid).ptr == name)
      continue;
    struct stat facts {};
    if (fstatat(directory, name, &facts, AT_SYMLINK_NOFOLLOW) == 0)
      owners.emplace(pid, facts.st_uid);
  }
  return owners;
}

void copy(int from, int to, off_t length) {
  while (length > 0) {
    const ssize_t sent =
        copy_file_range(from, nullptr, to, nullptr, static_cast<std::size_t>(length), 0);
    if (sent > 0) {
      length -= sent;
      continue;
    }
    char block[65536];
    const ssize_t got = read(from, block, sizeof block);
    if (got <= 0 || write(to, block, static_cast<std::size_t>(got)) != got) return;
    length -= got;
  }
}

}  // namespace

void keep_code_maps(const std::string& directory, std::uint64_t begin_real_ns,
                    const std::string& from) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  const Descriptor run(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (run.get() < 0) return;
  for (const auto& [pid, owner] : processes_of(run.get())) {
    const std::string name = code_map_name(pid);
    const Descriptor map(
        open((from + '/' + name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat facts {};
    if (map.get() < 0 || fstat(map.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) continue;
    // Filesystems keep times more coarsely than clocks.
    const auto written = static_cast<std::uint64_t>(facts.st_mtim.tv_sec);
    const auto size = static_cast<std::uint64_t>(facts.st_size);
    if (facts.st_uid != owner || size > kCodeMapMostBytes || written < begin_real_ns / kSecond)
      continue;
    const Descriptor kept(openat(run.get(), name.c_str(),
                                 O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (kept.get() >= 0 && fchmod(kept.get(), 0600) == 0)
      copy(map.get(), kept.get(), facts.st_size);
  }
}

}  // namespace umaskaudit
