// The fs contexts, the recorder, the segment and the intern tables under threads that race freely:
// linked, not preloaded, so that ThreadSanitizer sees every access (README.md says how).
// Ground truth is the kernel's: the old mask that umask(2) returns. Run by meson.

#include <dirent.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "preload/mask/fs_context.h"
#include "preload/record/recorder.h"
#include "preload/record/segment.h"
#include "preload/stack/stacks.h"
#include "preload/sys/sys.h"
#include "segment_reader.h"

namespace umaskaudit::shim {

namespace {

using testing_support::read_segment;
using testing_support::RecordBytes;
using testing_support::SegmentContents;

constexpr unsigned kThreads = 4;
constexpr unsigned kRounds = 3000;
constexpr unsigned kPaths = 50;

struct Seen {
  std::uint32_t context;
  Snapshot snapshot;
};

// What one thread did and saw.
struct Worker {
  unsigned number;
  bool unshares;
  std::vector<Seen> snapshots;
  std::array<std::set<std::uint32_t>, kPaths> path_ids;
  unsigned changes = 0;
  unsigned notes = 0;
};

std::string path_of(unsigned number) { return "/a/directory/number/" + std::to_string(number); }

void change_once(const Task& task, Worker& worker, mode_t mask) {
  const MaskChange change = change_mask(task, mask, umask);
  trace::Umask record{};
  record.context = context_id(task);
  record.change = change.change;
  record.argument = mask;
  record.old_mask = change.old_mask;
  record.new_mask = static_cast<std::uint16_t>(mask & 0777);
  record.cached = change.cached;
  const Author author{task.tid, task.pid};
  CapturedStack stack;
  capture_stack(Event::mask_change, author, UMASKAUDIT_STACK_START(), stack);
  record.stack = stack.id;
  ASSERT_TRUE(write_record(trace::RecordType::umask, author, record));
  ++worker.changes;
}

void work(Worker& worker) {
  if (worker.unshares) {
    const Task before = enter();
    ASSERT_EQ(unshare(CLONE_FS), 0);
    make_unshared_context(before);
  }
  for (unsigned round = 0; round < kRounds; ++round) {
    const Task task = enter();
    change_once(task, worker, (worker.number * 64 + round) & 0777);
    for (unsigned i = 0; i < 3; ++i) {
      worker.snapshots.push_back({context_id(task), snapshot(task)});
    }
    const Author author{task.tid, task.pid};
    const unsigned path = (round * 7 + worker.number) % kPaths;
    const std::string name = path_of(path);
    worker.path_ids[path].insert(
        intern_path(author, name.c_str(), static_cast<std::uint32_t>(name.size())));
    // Records of all lengths, so that the ends of chunks are met in every way.
    const std::string text(round % 500, static_cast<char>('a' + worker.number));
    const trace::Note note{worker.number, static_cast<std::uint32_t>(text.size())};
    ASSERT_TRUE(write_record(trace::RecordType::note, author, note,
                             {text.data(), static_cast<std::uint32_t>(text.size())}));
    ++worker.notes;
  }
}

// What fork's handlers do, again and again.
void take_all_locks(const std::atomic<bool>& stop) {
  while (!stop.load()) {
    const sys::SignalSet old = sys::block_signals();
    lock_contexts();
    unlock_contexts();
    sys::restore_signals(old);
    sched_yield();
  }
}

class Race : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory_ = strdup("/tmp/umaskaudit-race-XXXXXX");
    ASSERT_NE(mkdtemp(directory_), nullptr);
    process.pid.store(static_cast<std::uint32_t>(getpid()));
    process.options.depth = 16;
    ASSERT_EQ(open_segment(directory_, static_cast<std::uint32_t>(getpid())), 0);
    process.trace = true;
    birth_ = make_first_context();
    workers_.resize(kThreads + 1);
    std::atomic<bool> stop = false;
    std::thread forker(take_all_locks, std::cref(stop));
    std::vector<std::thread> threads;
    for (unsigned i = 0; i <= kThreads; ++i) {
      workers_[i].number = i;
      workers_[i].unshares = i == kThreads;
      threads.emplace_back(work, std::ref(workers_[i]));
    }
    for (std::thread& thread : threads) thread.join();
    stop.store(true);
    forker.join();
    read_back();
  }
  static void TearDownTestSuite() {
    const std::string command = "rm -rf '" + std::string(directory_) + "'";
    EXPECT_EQ(system(command.c_str()), 0);
    free(directory_);
    umask(static_cast<mode_t>(birth_.mask));
  }

  template <typename Payload>
  static std::vector<const RecordBytes*> of(trace::RecordType type) {
    std::vector<const RecordBytes*> found;
    for (const RecordBytes& record : segment_.records) {
      if (record.header.type == static_cast<std::uint16_t>(type)) found.push_back(&record);
    }
    return found;
  }
  static std::vector<const RecordBytes*> umasks() {
    return of<trace::Umask>(trace::RecordType::umask);
  }

  inline static char* directory_;
  inline static trace::Context birth_;
  inline static std::vector<Worker> workers_;
  inline static SegmentContents segment_;

 private:
  static void read_back() {
    DIR* stream = opendir(directory_);
    ASSERT_NE(stream, nullptr);
    while (const dirent* entry = readdir(stream)) {
      const std::string name = entry->d_name;
      if (name.size() < 4 || name.substr(name.size() - 4) != trace::kSegmentSuffix) continue;
      segment_ = read_segment(std::string(directory_) + "/" + name);
    }
    closedir(stream);
  }
};

TEST_F(Race, EveryRecordIsThereAndWhole) {
  EXPECT_EQ(segment_.damaged, 0u);
  for (const std::uint64_t lost : segment_.header.lost) EXPECT_EQ(lost, 0u);
  std::size_t changes = 0;
  std::size_t notes = 0;
  for (const Worker& worker : workers_) {
    EXPECT_EQ(worker.changes, kRounds);
    changes += worker.changes;
    notes += worker.notes;
  }
  EXPECT_EQ(umasks().size(), changes);
  const auto note_records = of<trace::Note>(trace::RecordType::note);
  EXPECT_EQ(note_records.size(), notes);
  for (const RecordBytes* record : note_records) {
    const auto note = record->as<trace::Note>();
    const std::string text(note.text_length, static_cast<char>('a' + note.stack));
    ASSERT_EQ(record->rest<trace::Note>(note.text_length), text);
  }
  EXPECT_GT(segment_.header.tail, 1u << 20);  // several chunks were crossed
}

// masks[context][number]: what the kernel's mask was after that change.
using History = std::map<std::uint32_t, std::map<std::uint64_t, std::uint16_t>>;

TEST_F(Race, ChangesAreNumberedInTheKernelsOrder) {
  std::map<std::uint32_t, std::map<std::uint64_t, trace::Umask>> changes;
  for (const RecordBytes* record : umasks()) {
    const auto change = record->as<trace::Umask>();
    EXPECT_TRUE(changes[change.context].emplace(change.change, change).second)
        << "two changes with the number " << change.change;
    EXPECT_EQ(change.cached, change.old_mask);
  }
  ASSERT_EQ(changes.size(), 2u);
  for (const auto& [context, numbered] : changes) {
    EXPECT_EQ(numbered.begin()->first, 1u);
    EXPECT_EQ(numbered.rbegin()->first, numbered.size());
    for (auto later = std::next(numbered.begin()); later != numbered.end(); ++later) {
      ASSERT_EQ(later->second.old_mask, std::prev(later)->second.new_mask)
          << "change " << later->first << " of context " << context;
    }
  }
  EXPECT_EQ(changes[birth_.id].size(), kThreads * kRounds);
  EXPECT_EQ(changes[birth_.id][1].old_mask, birth_.mask);
}

TEST_F(Race, ASnapshotIsOneMoment) {
  History history;
  for (const RecordBytes* record : of<trace::Context>(trace::RecordType::context)) {
    const auto context = record->as<trace::Context>();
    history[context.id][0] = context.mask;
  }
  history[birth_.id][0] = birth_.mask;
  for (const RecordBytes* record : umasks()) {
    const auto change = record->as<trace::Umask>();
    history[change.context][change.change] = change.new_mask;
  }
  std::size_t quiet = 0;
  for (const Worker& worker : workers_) {
    std::uint64_t latest = 0;
    for (const Seen& seen : worker.snapshots) {
      EXPECT_GE(seen.snapshot.change, latest);
      latest = seen.snapshot.change;
      if (seen.snapshot.busy) continue;
      ++quiet;
      ASSERT_EQ(seen.snapshot.mask, history[seen.context][seen.snapshot.change])
          << "after change " << seen.snapshot.change;
    }
  }
  EXPECT_GT(quiet, kRounds);
}

TEST_F(Race, AnIdMeansOnePathForEverybody) {
  std::map<std::uint32_t, std::string> names;
  for (const RecordBytes* record : of<trace::Path>(trace::RecordType::path)) {
    const auto path = record->as<trace::Path>();
    EXPECT_TRUE(names.emplace(path.id, record->rest<trace::Path>(path.length)).second);
  }
  for (const Worker& worker : workers_) {
    for (unsigned path = 0; path < kPaths; ++path) {
      for (const std::uint32_t id : worker.path_ids[path]) EXPECT_EQ(names[id], path_of(path));
    }
  }
}

TEST_F(Race, EveryStackIsWritten) {
  std::set<std::uint32_t> known;
  for (const RecordBytes* record : of<trace::Stack>(trace::RecordType::stack)) {
    EXPECT_TRUE(known.insert(record->as<trace::Stack>().id).second);
  }
  std::set<std::uint32_t> modules;
  for (const RecordBytes* record : of<trace::Module>(trace::RecordType::module)) {
    EXPECT_TRUE(modules.insert(record->as<trace::Module>().id).second);
  }
  for (const RecordBytes* record : umasks()) {
    ASSERT_EQ(known.count(record->as<trace::Umask>().stack), 1u);
  }
  for (const RecordBytes* record : of<trace::Stack>(trace::RecordType::stack)) {
    const auto stack = record->as<trace::Stack>();
    const std::string bytes = record->rest<trace::Stack>(stack.count * sizeof(std::uint64_t));
    for (unsigned i = 0; i < stack.count; ++i) {
      std::uint64_t frame = 0;
      memcpy(&frame, bytes.data() + i * sizeof frame, sizeof frame);
      EXPECT_EQ(modules.count(static_cast<std::uint32_t>(frame >> trace::kFrameModuleShift)), 1u);
    }
  }
}

}  // namespace

}  // namespace umaskaudit::shim
