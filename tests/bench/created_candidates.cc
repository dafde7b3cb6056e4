// How to tell "created" from "opened" behind open(O_CREAT): what each candidate costs, as a ratio
// to the bare call. Must never measure one after the other: native and candidate alternate, and the
// ratio is taken pair by pair. Usage: created_candidates DIR (tmpfs, ext4, ...); run by hand.

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

namespace {

constexpr int kFiles = 200;
constexpr int kRounds = 101;
constexpr int kFlags = O_CREAT | O_WRONLY | O_CLOEXEC;

// All but the bare call end with the statx(2) that reads the mode: a record needs it anyway.
void facts_of(int fd) {
  struct statx facts;
  statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &facts);
}

int bare(const char* path) { return open(path, kFlags, 0666); }

int look_first(const char* path) {
  struct statx facts;
  const bool exists = statx(AT_FDCWD, path, 0, STATX_INO | STATX_BTIME, &facts) == 0;
  int fd = exists ? -1 : open(path, kFlags | O_EXCL, 0666);
  if (fd < 0) fd = open(path, kFlags, 0666);
  facts_of(fd);
  return fd;
}

int exclusive_first(const char* path) {
  int fd = open(path, kFlags | O_EXCL, 0666);
  if (fd < 0 && errno == EEXIST) fd = open(path, kFlags, 0666);
  facts_of(fd);
  return fd;
}

int birth_time_only(const char* path) {
  timespec before;
  clock_gettime(CLOCK_REALTIME_COARSE, &before);
  const int fd = open(path, kFlags, 0666);
  facts_of(fd);
  return fd;
}

double nanoseconds_each(const std::vector<std::string>& paths, int (*way)(const char*)) {
  timespec begin;
  timespec end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (const std::string& path : paths) close(way(path.c_str()));
  clock_gettime(CLOCK_MONOTONIC, &end);
  const auto elapsed = static_cast<double>(end.tv_sec - begin.tv_sec) * 1e9 +
                       static_cast<double>(end.tv_nsec - begin.tv_nsec);
  return elapsed / static_cast<double>(paths.size());
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + kRounds / 2, values.end());
  return values[kRounds / 2];
}

void compare(const char* name, const std::vector<std::string>& paths, int (*way)(const char*),
             bool existing) {
  const auto remove_all = [&] {
    for (const std::string& path : paths) unlink(path.c_str());
  };
  std::vector<double> natives;
  std::vector<double> ratios;
  for (int round = 0; round < kRounds; ++round) {
    if (!existing) remove_all();
    const double native = nanoseconds_each(paths, bare);
    if (!existing) remove_all();
    ratios.push_back(nanoseconds_each(paths, way) / native);
    natives.push_back(native);
  }
  std::printf("%-9s %-16s native %6.0f ns   ratio %.2f\n", existing ? "existing" : "new", name,
              median(natives), median(ratios));
  remove_all();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  sched_setaffinity(0, sizeof one, &one);
  std::vector<std::string> paths;
  for (int i = 0; i < kFiles; ++i) {
    paths.push_back(std::string(argv[1]) + "/candidate" + std::to_string(i));
  }
  const struct {
    const char* name;
    int (*way)(const char*);
  } ways[] = {{"bare", bare},
              {"look first", look_first},
              {"O_EXCL first", exclusive_first},
              {"birth time only", birth_time_only}};
  for (const bool existing : {false, true}) {
    for (const auto& way : ways) {
      nanoseconds_each(paths, bare);
      compare(way.name, paths, way.way, existing);
    }
  }
  return 0;
}
