#include "reporter/record/code_maps.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <system_error>
#include <vector>

#include "reporter/base/code_map_name.h"
#include "reporter/base/owned_descriptor.h"
#include "reporter/base/regular_file.h"
#include "reporter/inspect/proc_status.h"
#include "reporter/record/run_directory.h"

namespace umaskaudit::record {
namespace {

// The owners of the segments, by process.
std::map<std::uint32_t, uid_t> processes_of(int directory) {
  std::map<std::uint32_t, uid_t> owners;
  for (const std::string& name : segment_names(directory).value_or(std::vector<std::string>())) {
    std::uint32_t pid = 0;
    struct stat facts {};
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec == std::errc{} &&
        fstatat(directory, name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0)
      owners.emplace(pid, facts.st_uid);
  }
  return owners;
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
    if (fstat(map.get(), &facts) != 0 || facts.st_uid != owner) continue;
    const std::uint64_t start = inspect::start_of_process(std::to_string(pid)).value_or(0);
    // Filesystems keep times more coarsely than clocks.
    const std::uint64_t begin = std::max(begin_real_ns, start) / kSecond;
    if (static_cast<std::uint64_t>(facts.st_mtim.tv_sec) < begin) continue;
    const auto text = read_regular_file(map.get(), kCodeMapMostBytes);
    if (!text) continue;
    const Descriptor kept(openat(run.get(), name.c_str(),
                                 O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (fchmod(kept.get(), 0600) != 0) continue;
    const ssize_t put = write(kept.get(), text->data(), text->size());
    if (put != static_cast<ssize_t>(text->size())) unlinkat(run.get(), name.c_str(), 0);
  }
}

}  // namespace umaskaudit::record
