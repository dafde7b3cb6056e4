// See lake.h. The directory of a run is made whole and then renamed: who reads at the same time
// finds the old one or the new one.
#include "reporter/fleet/lake.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

// Without it the functions would be those of a shared library, which would be one more to load.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "reporter/text/percent.h"
#include "reporter/text/uuid.h"

namespace umaskaudit::fleet {
namespace {

namespace fs = std::filesystem;

constexpr char kHidden[] = "/.umaskaudit-XXXXXX";

// As Hive writes partitions: what a name of a directory may not or should not have, as %XX.
std::string partition_name(std::string_view value) { return percent_encoded(value, "._-"); }

Error cannot_write(const std::string& lake, int error) {
  return {"cannot write tables to '" + lake + "'", std::strerror(error),
          "another directory with -o", ExitCode::unreadable};
}

// 0, or an errno. One that is there already is as good.
int make_directory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0) return chmod(path.c_str(), 0700) == 0 ? 0 : errno;
  const int error = errno;
  struct stat facts {};
  return error == EEXIST && stat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) ? 0 : error;
}

// The directories below `root` whose names begin with `prefix`, sorted.
std::vector<std::string> directories(const std::string& root, std::string_view prefix) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(root, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    std::error_code ignored;
    if (name.starts_with(prefix) && at->is_directory(ignored)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::string uuid_of(const std::string& text) {
  XXH128_canonical_t hash;
  XXH128_canonicalFromHash(&hash, XXH3_128bits(text.data(), text.size()));
  return hash_uuid_text(std::to_array(hash.digest));
}

NewLakeRun::NewLakeRun(std::string lake, std::string place, std::string directory)
    : lake_(std::move(lake)), place_(std::move(place)), directory_(std::move(directory)) {}

NewLakeRun::NewLakeRun(NewLakeRun&& other) noexcept
    : lake_(std::move(other.lake_)),
      place_(std::move(other.place_)),
      directory_(std::exchange(other.directory_, {})) {}

NewLakeRun::~NewLakeRun() {
  std::error_code ignored;
  if (!directory_.empty()) fs::remove_all(directory_, ignored);
}

Result<NewLakeRun> NewLakeRun::create(const std::string& lake, const RunKey& key) {
  if (const int error = make_directory(lake); error != 0) return cannot_write(lake, error);
  std::string directory = lake + kHidden;
  if (mkdtemp(directory.data()) == nullptr) return cannot_write(lake, errno);
  NewLakeRun run(lake,
                 "host=" + partition_name(key.host) + "/date=" + partition_name(key.date) +
                     "/run=" + partition_name(key.run),
                 directory);
  if (chmod(directory.c_str(), 0700) != 0) return cannot_write(lake, errno);
  return run;
}

std::string NewLakeRun::file(const TableInfo& table) const {
  return directory_ + "/" + table.name + kTableEnding;
}

Status NewLakeRun::commit() {
  for (std::size_t slash = place_.find('/'); slash != std::string::npos;
       slash = place_.find('/', slash + 1))
    if (const int error = make_directory(lake_ + "/" + place_.substr(0, slash)); error != 0)
      return cannot_write(lake_, error);
  const std::string target = lake_ + "/" + place_;
  if (rename(directory_.c_str(), target.c_str()) == 0) {
    directory_.clear();
    return Done{};
  }
  if (errno != ENOTEMPTY && errno != EEXIST) return cannot_write(lake_, errno);
  if (renameat2(AT_FDCWD, directory_.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0)
    return Done{};  // what was there is removed with us
  // A filesystem that cannot exchange names.
  std::string old = lake_ + kHidden;
  if (mkdtemp(old.data()) == nullptr || rename(target.c_str(), old.c_str()) != 0 ||
      rename(directory_.c_str(), target.c_str()) != 0)
    return cannot_write(lake_, errno);
  directory_ = old;
  return Done{};
}

Result<std::vector<LakeRun>> runs_of_lake(const std::string& lake) {
  struct stat facts {};
  if (stat(lake.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode))
    return Error{"cannot open lake '" + lake + "'",
                 std::strerror(S_ISDIR(facts.st_mode) || facts.st_mode == 0 ? errno : ENOTDIR),
                 "umaskaudit export RUN --format tables -o LAKE", ExitCode::usage};
  std::vector<LakeRun> runs;
  for (const std::string& host : directories(lake, "host="))
    for (const std::string& date : directories(lake + "/" + host, "date="))
      for (const std::string& run : directories(lake + "/" + host + "/" + date, "run=")) {
        const std::string place = host + "/" + date + "/" + run;
        if (stat((lake + "/" + place).c_str(), &facts) != 0) continue;  // removed meanwhile
        runs.push_back({place, std::to_string(facts.st_dev) + ":" + std::to_string(facts.st_ino) +
                                   ":" + std::to_string(facts.st_mtim.tv_sec) + "." +
                                   std::to_string(facts.st_mtim.tv_nsec)});
      }
  return runs;
}

}  // namespace umaskaudit::fleet
