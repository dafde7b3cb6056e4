// keep=latest and max_run=: writers count what they wrote in memory of the test's own; what is read
// back, from the file's bytes alone, is held against that. Run by meson.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "preload/mask/fold.h"
#include "preload/record/recorder.h"
#include "preload/record/segment.h"
#include "preload/state.h"
#include "preload/trace/checksum.h"

namespace umaskaudit {
namespace {

using namespace shim;  // NOLINT: what is under test
namespace fs = std::filesystem;

class Directory {
 public:
  Directory() {
    char name[] = "/tmp/umaskaudit.ring.XXXXXX";
    path_ = mkdtemp(name);
  }
  ~Directory() { fs::remove_all(path_); }
  std::string run() const { return path_ + "/run"; }
  // Bytes on the disk of all that the run has.
  std::uint64_t on_disk() const {
    std::uint64_t bytes = 0;
    std::error_code gone;
    for (const auto& entry : fs::directory_iterator(run(), gone)) {
      struct stat facts {};
      if (stat(entry.path().c_str(), &facts) == 0)
        bytes += static_cast<std::uint64_t>(facts.st_blocks) * 512;
    }
    return bytes;
  }
  std::vector<std::string> segments() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(run())) {
      if (entry.path().extension() == ".seg") found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  std::string path_;
};

// Records by their checksums, wherever they are: what is left of a chunk that was used again would
// be found here too.
struct Contents {
  trace::SegmentHeader header{};
  trace::Ring ring{};
  std::vector<trace::RecordHeader> heads;
  std::vector<std::uint64_t> serials;  // of creations and changes; else 0
  std::vector<trace::Total> totals;
  std::uint64_t totalled() const {
    std::uint64_t sum = 0;
    for (const trace::Total& total : totals) sum += total.count;
    return sum;
  }
};

Contents read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  Contents contents;
  if (bytes.size() < sizeof contents.header) return contents;
  memcpy(&contents.header, bytes.data(), sizeof contents.header);
  const std::uint64_t ring = contents.header.ring;
  const std::uint64_t totals = contents.header.totals;
  if (ring != 0) memcpy(&contents.ring, bytes.data() + ring, sizeof contents.ring);
  if (totals != 0) {
    for (unsigned i = 0; i < trace::kTotals; ++i) {
      trace::Total total{};
      memcpy(&total, bytes.data() + totals + i * sizeof total, sizeof total);
      if (total.key != 0) contents.totals.push_back(total);
    }
  }
  const auto use_of = [&](std::uint64_t at, std::uint32_t& dropped) {
    dropped = 0;
    if (ring == 0 || at < trace::kFirstChunk) return trace::ChunkUse::kept;
    const std::uint64_t chunk = 1 + (at - trace::kFirstChunk) / trace::kChunk;
    trace::RingChunk entry{};
    memcpy(&entry, bytes.data() + ring + sizeof(trace::Ring) + chunk * sizeof entry, sizeof entry);
    dropped = entry.dropped;
    return static_cast<trace::ChunkUse>(entry.word & 0xff);
  };
  for (std::uint64_t at = contents.header.header_length;
       at + sizeof(trace::RecordHeader) <= bytes.size();) {
    const bool control = (ring != 0 && at >= ring && at < ring + trace::kControl) ||
                         (totals != 0 && at >= totals && at < totals + trace::kControl);
    trace::RecordHeader head{};
    memcpy(&head, bytes.data() + at, sizeof head);
    const bool whole = !control && head.length >= sizeof head && at + head.length <= bytes.size();
    if (!whole || head.commit != trace::record_checksum(bytes.data() + at, head.length, at)) {
      at += trace::kRecordAlign;
      continue;
    }
    std::uint32_t dropped = 0;
    const trace::ChunkUse use = use_of(at, dropped);
    const std::uint64_t in_chunk = (at - trace::kFirstChunk) % trace::kChunk;
    const bool is_there = use == trace::ChunkUse::kept || use == trace::ChunkUse::events ||
                          use == trace::ChunkUse::changes ||
                          (use == trace::ChunkUse::dropping && in_chunk >= dropped);
    if (is_there) {
      std::uint64_t serial = 0;
      if (head.type == static_cast<std::uint16_t>(trace::RecordType::create)) {
        trace::Create create{};
        memcpy(&create, bytes.data() + at + sizeof head, sizeof create);
        serial = create.ino;
      }
      contents.heads.push_back(head);
      contents.serials.push_back(serial);
    }
    at += head.length;
  }
  return contents;
}

bool is(const trace::RecordHeader& head, trace::RecordType type) {
  return head.type == static_cast<std::uint16_t>(type);
}

// The creation number `serial` of a writer; the time is its own.
bool write_creation(std::uint32_t writer, std::uint64_t serial, std::uint64_t time = 0) {
  trace::Create create{};
  create.kind = static_cast<std::uint8_t>(trace::Kind::file);
  create.created = static_cast<std::uint8_t>(trace::Created::yes);
  create.final_mode = 0100644;
  create.requested = 0666;
  create.ino = serial;
  create.stack = 1;
  return write_record(trace::RecordType::create, Author{writer, 1, time, 0}, create);
}

bool open_with(const std::string& run, Keep keep, std::uint64_t max_size,
               std::uint64_t max_run = 0) {
  process.options.keep = keep;
  process.options.max_size = max_size;
  process.options.max_run = max_run;
  process.pid.store(static_cast<std::uint32_t>(getpid()));
  process.trace = open_segment(run.c_str(), static_cast<std::uint32_t>(getpid())) == 0;
  return process.trace;
}

// Runs in a process of its own, because a process has one segment. Returns its exit status.
pid_t start(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  return child;
}
int result_of(pid_t child) {
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

template <typename Value>
Value* shared(std::size_t count) {
  void* at = mmap(nullptr, count * sizeof(Value), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return at != MAP_FAILED ? static_cast<Value*>(at) : nullptr;
}

constexpr std::uint64_t kSize = 4 << 20;

TEST(Ring, TheEndOfARunStaysAndTheRestIsCounted) {
  const Directory directory;
  constexpr std::uint64_t kEvents = 200000;
  ASSERT_EQ(result_of(start([&] {
              if (!open_with(directory.run(), Keep::latest, kSize)) return 1;
              for (std::uint64_t i = 1; i <= kEvents; ++i) {
                if (!write_creation(7, i, 1000 + i)) return 2;
                const std::string path = std::string(3000, 'd') + std::to_string(i);
                if (i % 1000 == 0 && intern_path(Author{7}, path.c_str(),
                                                 static_cast<std::uint32_t>(path.size())) == 0) {
                  return 3;
                }
              }
              return 0;
            })),
            0);
  EXPECT_LE(directory.on_disk(), kSize + 8192);
  ASSERT_EQ(directory.segments().size(), 1u);
  const Contents contents = read(directory.segments()[0]);
  EXPECT_EQ(contents.header.lost[0], 0u);
  std::set<std::uint64_t> seen;
  unsigned paths = 0;
  for (std::size_t i = 0; i < contents.heads.size(); ++i) {
    if (is(contents.heads[i], trace::RecordType::path)) ++paths;
    if (contents.serials[i] != 0) {
      EXPECT_TRUE(seen.insert(contents.serials[i]).second);
    }
  }
  EXPECT_EQ(paths, kEvents / 1000);
  EXPECT_EQ(seen.size() + contents.totalled(), kEvents);
  EXPECT_EQ(contents.ring.dropped, contents.totalled());
  // From the moment that is told on, all of it is there, and before it nothing but the beginning.
  const std::uint64_t whole_since = contents.ring.whole_since_ns - 1000;
  EXPECT_GT(whole_since, kEvents / 2);
  EXPECT_LT(whole_since, kEvents - (kSize / 2 / 136));
  for (std::uint64_t i = whole_since + 1; i <= kEvents; ++i) ASSERT_TRUE(seen.contains(i)) << i;
  ASSERT_EQ(contents.totals.size(), 1u);
  EXPECT_EQ(contents.totals[0].mode, 0100644u);
  EXPECT_EQ(contents.totals[0].stack, 1u);
  EXPECT_EQ(contents.totals[0].last_ns, contents.ring.whole_since_ns);
}

std::uint64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1000000000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

TEST(Ring, ThreadsAndChildrenShareIt) {
  const Directory directory;
  constexpr unsigned kThreads = 4, kWriters = 2 * kThreads;
  constexpr std::uint64_t kEvents = 30000;
  auto* const times = shared<std::uint64_t>(kWriters * (kEvents + 1));
  ASSERT_NE(times, nullptr);
  ASSERT_EQ(result_of(start([&] {
              if (!open_with(directory.run(), Keep::latest, kSize)) return 1;
              const auto write_all = [&](unsigned first) {
                std::vector<std::thread> threads;
                std::atomic<bool> failed = false;
                for (unsigned t = 0; t < kThreads; ++t) {
                  threads.emplace_back([&, writer = first + t] {
                    for (std::uint64_t i = 1; i <= kEvents; ++i) {
                      const std::uint64_t time = times[writer * (kEvents + 1) + i] = now();
                      if (!write_creation(writer, i, time)) failed = true;
                    }
                  });
                }
                for (std::thread& thread : threads) thread.join();
                return failed ? 2 : 0;
              };
              const pid_t other = start([&] { return write_all(kThreads); });
              return write_all(0) + result_of(other);
            })),
            0);
  const Contents contents = read(directory.segments()[0]);
  std::set<std::pair<std::uint32_t, std::uint64_t>> seen;
  for (std::size_t i = 0; i < contents.heads.size(); ++i) {
    if (contents.serials[i] == 0) continue;
    EXPECT_TRUE(seen.emplace(contents.heads[i].tid, contents.serials[i]).second);
  }
  std::uint64_t later = 0;
  for (unsigned writer = 0; writer < kWriters; ++writer) {
    for (std::uint64_t i = 1; i <= kEvents; ++i) {
      if (times[writer * (kEvents + 1) + i] <= contents.ring.whole_since_ns) continue;
      ++later;
      ASSERT_TRUE(seen.contains({writer, i})) << writer << " " << i;
    }
  }
  EXPECT_GT(later, kSize / 136 / 4);
  EXPECT_EQ(seen.size() + contents.totalled(), kWriters * kEvents);
  munmap(times, kWriters * (kEvents + 1) * sizeof *times);
}

TEST(Ring, ChangesCrowdOutNoOtherEvents) {
  const Directory directory;
  constexpr std::uint64_t kEvents = 20000;
  ASSERT_EQ(result_of(start([&] {
              if (!open_with(directory.run(), Keep::latest, kSize)) return 1;
              for (std::uint64_t i = 1; i <= kEvents; ++i) {
                if (!write_creation(7, i)) return 2;
                trace::Umask change{};
                change.stack = 2 + i % 2;
                for (unsigned k = 0; k < 20; ++k) {
                  change.new_mask = static_cast<std::uint16_t>(k % 2 * 022);
                  if (!write_record(trace::RecordType::umask, 7, change)) return 3;
                }
              }
              return 0;
            })),
            0);
  const Contents contents = read(directory.segments()[0]);
  std::uint64_t creations = 0, changes = 0;
  for (const trace::RecordHeader& head : contents.heads) {
    if (is(head, trace::RecordType::create)) ++creations;
    if (is(head, trace::RecordType::umask)) ++changes;
  }
  EXPECT_GT(creations, kSize / 3 / sizeof(trace::Create) / 2);
  EXPECT_EQ(creations + changes + contents.totalled(), kEvents * 21);
  EXPECT_EQ(std::count_if(contents.totals.begin(), contents.totals.end(),
                          [](const trace::Total& total) { return total.type == 7; }),
            4);
}

// A fold counts for all its changes, and a repeated creation for its repeats.
TEST(Ring, TotalsCountWhatRecordsStandFor) {
  const Directory directory;
  ASSERT_EQ(result_of(start([&] {
              if (!open_with(directory.run(), Keep::latest, kSize)) return 1;
              for (std::uint64_t i = 0; i < 1000; ++i)
                write_creation(7, i + 1);  // past the first chunk
              trace::Fold fold{};
              fold.begin.first = 11;
              fold.begin.first_ns = 5;
              fold.begin.sites[0].new_mask = 077;
              fold.begin.sites[1].old_mask = 077;
              fold.state.last = 1015;
              write_record(trace::RecordType::fold, 7, fold);
              auto* const repeats = reinterpret_cast<trace::Repeat*>(segment_header() + 1);
              repeats[3] = {99, 41};
              trace::Create create{};
              create.call = 9;
              write_record(trace::RecordType::create, Author{7, 1, 0, 0, 4}, create);
              for (std::uint64_t i = 0; i < 100000; ++i) {
                trace::Umask change{};
                change.call = 3;
                write_creation(7, 1000 + i);
                write_record(trace::RecordType::umask, 7, change);
              }
              return repeats[3].place == 0 && repeats[3].count == 0 ? 0 : 2;
            })),
            0);
  std::map<std::pair<unsigned, unsigned>, std::uint64_t> folded;
  for (const trace::Total& total : read(directory.segments()[0]).totals) {
    if (total.type == 7 && total.call == 0) folded[{total.mask, total.mode}] += total.count;
    if (total.call == 9) {
      EXPECT_EQ(total.count, 42u);
    }
  }
  EXPECT_EQ((folded[{0, 077}]), 503u);
  EXPECT_EQ((folded[{077, 0}]), 502u);
}

TEST(Ring, KilledAtAnyMomentItHasTheEnd) {
  constexpr unsigned kThreads = 3, kWriters = 2 * kThreads;
  struct Progress {
    std::atomic<std::uint64_t> serial, time;
  };
  auto* const done = shared<Progress>(kWriters);
  ASSERT_NE(done, nullptr);
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  std::minstd_rand random(12345);
  for (unsigned round = 0; round < 60; ++round) {
    SCOPED_TRACE(round);
    const Directory directory;
    for (unsigned i = 0; i < kWriters; ++i) done[i].serial = 0;
    const pid_t child = start([&] {
      setpgid(0, 0);
      if (!open_with(directory.run(), Keep::latest, kSize / 2)) return 1;
      const auto write_on = [&](unsigned first) {
        std::vector<std::thread> threads;
        for (unsigned t = 0; t < kThreads; ++t) {
          threads.emplace_back([&, writer = first + t] {
            for (std::uint64_t i = 1;; ++i) {
              const std::uint64_t time = now();
              write_creation(writer, i, time);
              done[writer].time = time;
              done[writer].serial = i;
            }
          });
        }
        for (std::thread& thread : threads) thread.join();
        return 0;
      };
      start([&] { return write_on(kThreads); });
      return write_on(0);
    });
    const std::uint64_t enough = 1 + random() % 30000;
    const auto all_have = [&] {
      return std::all_of(done, done + kWriters,
                         [&](const auto& count) { return count.serial >= enough; });
    };
    while (!all_have()) ASSERT_EQ(waitpid(child, nullptr, WNOHANG), 0);
    ASSERT_EQ(kill(-child, SIGKILL), 0);
    // Both: what the child leaves comes to us.
    while (waitpid(-1, nullptr, 0) > 0) {
    }
    const Contents contents = read(directory.segments()[0]);
    std::map<std::uint32_t, std::set<std::uint64_t>> seen;
    for (std::size_t i = 0; i < contents.heads.size(); ++i) {
      if (contents.serials[i] == 0) continue;
      EXPECT_TRUE(seen[contents.heads[i].tid].insert(contents.serials[i]).second);
    }
    std::uint64_t present = 0, written = 0;
    for (unsigned writer = 0; writer < kWriters; ++writer) {
      const std::uint64_t last = done[writer].serial;
      EXPECT_TRUE(seen[writer].contains(last) || done[writer].time <= contents.ring.whole_since_ns)
          << writer;
      present += seen[writer].size();
      written += last;
    }
    // One of each writer may be there that it did not count yet; one that was being added to the
    // totals may be counted nowhere.
    EXPECT_LE(present + contents.totalled(), written + kWriters);
    EXPECT_GE(present + contents.totalled() + kWriters, written);
    EXPECT_LE(directory.on_disk(), kSize / 2 + 8192);
  }
  munmap(done, kWriters * sizeof *done);
}

TEST(MaxRun, EndedImagesMakeRoomForOthers) {
  const Directory directory;
  constexpr std::uint64_t kRun = 8 << 20, kImages = 400, kEvents = 2000;
  std::uint64_t most = 0;
  for (std::uint64_t image = 0; image < kImages; ++image) {
    ASSERT_EQ(result_of(start([&] {
                if (!open_with(directory.run(), Keep::latest, kSize, kRun)) return 1;
                for (std::uint64_t i = 1; i <= kEvents; ++i) {
                  if (!write_creation(7, i)) return 2;
                }
                return 0;
              })),
              0);
    most = std::max(most, directory.on_disk());
  }
  EXPECT_LE(most, kRun);
  EXPECT_GT(most, kRun / 2);
  std::uint64_t present = 0;
  for (const std::string& segment : directory.segments()) {
    const Contents contents = read(segment);
    present += contents.totalled();
    for (const std::uint64_t serial : contents.serials) present += serial != 0 ? 1 : 0;
  }
  trace::RunState state{};
  std::ifstream(directory.run() + "/run.state", std::ios::binary)
      .read(reinterpret_cast<char*>(&state), sizeof state);
  EXPECT_EQ(state.segments, kImages);
  EXPECT_EQ(state.dropped_segments, kImages - directory.segments().size());
  const auto file = static_cast<unsigned>(trace::Kind::file);
  EXPECT_EQ(present + state.dropped_created[file], kImages * kEvents);
  EXPECT_GT(state.dropped_whole_since_ns, 0u);
  EXPECT_EQ(state.max_run, kRun);
}

// An image that lives is never taken, and goes on with what it has.
TEST(MaxRun, ALivingImageStays) {
  const Directory directory;
  constexpr std::uint64_t kRun = 8 << 20;
  int ready[2], go[2];
  ASSERT_EQ(pipe(ready), 0);
  ASSERT_EQ(pipe(go), 0);
  char byte = 0;
  const pid_t service = start([&] {
    close(go[1]);
    if (!open_with(directory.run(), Keep::latest, 64 << 20, kRun)) return 1;
    for (std::uint64_t i = 1; i <= 100000; ++i) {
      if (!write_creation(7, i)) return 2;
    }
    if (write(ready[1], "x", 1) != 1 || ::read(go[0], &byte, 1) != 0) return 3;
    return write_creation(7, 100001) ? 0 : 4;
  });
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  std::uint64_t most = directory.on_disk();
  for (unsigned image = 0; image < 300; ++image) {
    EXPECT_EQ(result_of(start([&] {
                close(go[1]);
                if (!open_with(directory.run(), Keep::latest, 64 << 20, kRun)) return 1;
                return write_creation(8, 1) ? 0 : 2;
              })),
              0);
    most = std::max(most, directory.on_disk());
  }
  EXPECT_LE(most, kRun);
  close(go[1]);
  EXPECT_EQ(result_of(service), 0);
  bool found = false;
  for (const std::string& segment : directory.segments()) {
    const Contents contents = read(segment);
    const auto& serials = contents.serials;
    found |= std::find(serials.begin(), serials.end(), 100001u) != serials.end();
  }
  EXPECT_TRUE(found);
  for (const int fd : {ready[0], ready[1], go[0]}) close(fd);
}

TEST(MaxRun, WithKeepFirstTheRestIsALoss) {
  const Directory directory;
  ASSERT_EQ(result_of(start([&] {
              if (!open_with(directory.run(), Keep::first, 64 << 20, 2 << 20)) return 1;
              std::uint64_t written = 0;
              for (std::uint64_t i = 1; i <= 100000; ++i) written += write_creation(7, i) ? 1 : 0;
              const auto full = static_cast<unsigned>(trace::Loss::run_full);
              return segment_header()->lost[full] == 100000 - written && written > 5000 ? 0 : 2;
            })),
            0);
  EXPECT_LE(directory.on_disk(), 2u << 20);
}

// With keep=first, events for which the segment has no room are counted by call site.
TEST(Totals, OfChangesBeyondTheirHalf) {
  const Directory directory;
  constexpr std::uint64_t kChanges = 30000;
  ASSERT_EQ(result_of(start([&] {
              if (!open_with(directory.run(), Keep::first, 1 << 20)) return 1;
              const Task nobody{7, 1, nullptr};
              trace::Umask change{};
              for (std::uint64_t i = 1; i <= kChanges; ++i) {
                change.stack = 1 + i % 3;
                change.new_mask = static_cast<std::uint16_t>(i % 3);
                write_mask_change(nobody, Author{7, 1, 1000 + i, 0}, change);
              }
              return write_creation(7, 1) ? 0 : 2;
            })),
            0);
  const Contents contents = read(directory.segments()[0]);
  std::uint64_t recorded = 0;
  for (const trace::RecordHeader& head : contents.heads) {
    if (is(head, trace::RecordType::umask)) ++recorded;
  }
  EXPECT_EQ(contents.totals.size(), 3u);
  EXPECT_EQ(recorded + contents.totalled(), kChanges);
  EXPECT_EQ(contents.header.lost[0], contents.totalled());
  EXPECT_EQ(contents.serials.back(), 1u);
}

}  // namespace
}  // namespace umaskaudit
