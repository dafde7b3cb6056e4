// Plays one interleaving of threads into two recorders, one that folds and one that does not, and
// compares all that is read back. Which thread goes next is a seed's; time is counted, not read.
// The kernel's part (which mask a creation meets) is played too: it is what the findings, the masks
// and their setters are held against. Run by meson.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "preload/mask/fold.h"
#include "preload/mask/fs_context.h"
#include "preload/record/recorder.h"
#include "preload/record/segment.h"
#include "preload/state.h"
#include "preload/sys/real.h"
#include "reporter/analysis/summary.h"
#include "reporter/render/formats/findings_json.h"
#include "reporter/rules/find.h"

namespace umaskaudit {

namespace {

using namespace shim;         // NOLINT: what is under test
using ReadRun = reader::Run;  // inside a test `Run` is a member of gtest's own class

constexpr std::uint32_t kPid = 4242;
constexpr unsigned kThreads = 4;

mode_t kernel_mask = 022;
mode_t set_kernel_mask(mode_t mask) { return std::exchange(kernel_mask, mask & 0777); }

// What a thread does next: the steps between which others may run.
struct Actor {
  std::uint32_t tid = 0;
  std::uint16_t records = 0;  // its ThreadState::records
  enum class Does { idle, toggles, creates } does = Does::idle;
  unsigned step = 0;
  unsigned site = 0;  // of toggling: its two call sites and masks
  bool owes = false;  // a mask change that was made is not recorded
  Author author{0};
  trace::Umask change{};
  Snapshot before, after;
  std::uint32_t mode = 0;
  bool brief = false;  // the mask is met and seen in one step
};

class Play {
 public:
  explicit Play(unsigned seed) : random_(seed), seed_(seed) {}

  void run(unsigned steps) {
    begin();
    for (unsigned i = 0; i < steps; ++i) {
      // One runs alone for a while, or all in turn.
      if (left_ == 0) {
        left_ = chance(3) ? 1 + pick(400) : 1 + pick(8);
        alone_ = chance(2) ? static_cast<int>(pick(kThreads)) : -1;
      }
      --left_;
      turn(actors_[alone_ >= 0 ? static_cast<unsigned>(alone_) : pick(kThreads)]);
    }
    for (Actor& actor : actors_) {
      enter_as(actor);
      if (actor.owes) record(actor);
    }
  }

 private:
  unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }
  bool chance(unsigned one_in) { return pick(one_in) == 0; }
  std::uint64_t now() { return time_ += 100 + pick(5000); }

  static void enter_as(const Actor& actor) { thread_state.records = actor.records; }
  static void leave(Actor& actor) { actor.records = thread_state.records; }
  static Task task_of(const Actor& actor) { return {actor.tid, kPid, &contexts[0]}; }

  void begin() {
    contexts[0].id = 1;
    contexts[0].mask.store(022);
    trace::Process process{};
    process.pid = kPid;
    process.origin = static_cast<std::uint8_t>(trace::Origin::exec);
    process.mask = 022;
    process.mask_source = static_cast<std::uint8_t>(trace::MaskSource::proc);
    process.context = 1;
    write_record(trace::RecordType::process, Author{kPid, kPid, time_}, process);
    trace::Context context{};
    context.id = 1;
    context.owner = kPid;
    context.origin = process.origin;
    context.mask_source = process.mask_source;
    context.mask = 022;
    write_record(trace::RecordType::context, Author{kPid, kPid, time_}, context);
    write_call_names(kPid);
    for (std::uint32_t id = 1; id <= 40; ++id) {
      const trace::Stack stack{id, 2, 0};
      const std::uint64_t frames[2] = {0x1000 + id * 16, 0x100};
      write_record(trace::RecordType::stack, Author{kPid, kPid, time_}, stack,
                   {frames, sizeof frames});
    }
    for (unsigned i = 0; i < kThreads; ++i) {
      actors_.emplace_back();
      actors_[i].tid = kPid + i;
      trace::Thread thread{};
      thread.tid = actors_[i].tid;
      thread.context = 1;
      thread.handle = 0x7000 + i;
      write_record(trace::RecordType::thread, Author{actors_[i].tid, kPid, time_}, thread);
    }
  }

  void change(Actor& actor, std::uint32_t stack, mode_t mask) {
    const MaskChange made = change_mask(task_of(actor), mask, set_kernel_mask);
    actor.author = Author{actor.tid, kPid, now(), 0};
    if (made.old_mask != made.cached) actor.author.flags |= trace::kDrift;
    actor.change = {};
    actor.change.context = 1;
    actor.change.stack = stack;
    actor.change.change = made.change;
    actor.change.argument = mask;
    actor.change.old_mask = made.old_mask;
    actor.change.new_mask = mask & 0777;
    actor.change.cached = made.cached;
    actor.change.call = static_cast<std::uint16_t>(Call::umask);
    actor.owes = true;
    if (!chance(4)) record(actor);
  }

  void record(Actor& actor) {
    write_mask_change(task_of(actor), actor.author, actor.change);
    actor.owes = false;
  }

  void turn(Actor& actor) {
    enter_as(actor);
    if (actor.owes) {
      record(actor);
    } else if (actor.does == Actor::Does::toggles) {
      toggle(actor);
    } else if (actor.does == Actor::Does::creates) {
      create(actor);
    } else {
      begin_something(actor);
    }
    leave(actor);
  }

  void begin_something(Actor& actor) {
    const unsigned what = pick(40);
    actor.step = 0;
    if (what < 8) {
      actor.does = Actor::Does::toggles;
      actor.site = pick(3);
      rounds_[actor.tid - kPid] = chance(4) ? 1 + pick(150) : 1 + pick(6);
    } else if (what < 34) {
      actor.does = Actor::Does::creates;
      actor.brief = chance(2);
    } else {
      something_else(actor, what - 34);
    }
  }

  // A pair, or two of them inside each other as a handler's would be, or one with work inside.
  void toggle(Actor& actor) {
    static constexpr mode_t kInside[] = {077, 0, 027};
    const std::uint32_t stack = 1 + actor.site * 8 + (actor.tid - kPid) * 2;
    if (actor.step++ % 2 == 0) {
      saved_[actor.tid - kPid] = kernel_mask;
      change(actor, stack, kInside[actor.site]);
      if (chance(60)) something_else(actor, pick(2));
      return;
    }
    change(actor, stack + 1, saved_[actor.tid - kPid]);
    if (--rounds_[actor.tid - kPid] == 0) actor.does = Actor::Does::idle;
  }

  void create(Actor& actor) {
    const Task task = task_of(actor);
    if (actor.step == 0) actor.before = met_snapshot(task);
    if (actor.step == 1 || actor.brief) actor.mode = 0666 & ~kernel_mask;
    if (actor.step == 2 || actor.brief) actor.after = met_snapshot(task);
    if (!actor.brief && actor.step++ < 3) return;
    actor.does = Actor::Does::idle;
    trace::Create record{};
    record.context = 1;
    record.stack = 30 + actor.tid - kPid;
    record.change_before = actor.before.change;
    record.change_after = actor.after.change;
    record.mask_before = actor.before.mask;
    record.mask_after = actor.after.mask;
    record.call = static_cast<std::uint16_t>(Call::open);
    record.kind = static_cast<std::uint8_t>(trace::Kind::file);
    record.created = static_cast<std::uint8_t>(trace::Created::yes);
    record.requested = 0666;
    record.final_mode = 0100000 | actor.mode;
    record.dev = 1;
    record.ino = ++objects_;
    record.birth_ns = static_cast<std::int64_t>(time_);
    const std::string path = "/d/" + std::to_string(objects_);
    record.path_length = static_cast<std::uint32_t>(path.size());
    Author author{actor.tid, kPid, now(), 0};
    if (actor.after.busy) author.flags |= trace::kBusy;
    if (chance(2)) end_met_fold(task);
    write_record(trace::RecordType::create, author, record, {path.data(), record.path_length});
  }

  void something_else(Actor& actor, unsigned what) {
    const Task task = task_of(actor);
    if (what == 0) meet(task);
    const Author author{actor.tid, kPid, now(), 0};
    if (what == 0) {
      trace::Chmod record{};
      record.context = 1;
      record.stack = 36;
      record.requested = 0600;
      record.final_mode = 0100600;
      record.dev = 1;
      record.ino = objects_;
      record.call = static_cast<std::uint16_t>(Call::chmod);
      write_record(trace::RecordType::chmod, author, record);
    } else if (what == 1) {
      trace::Fork record{};
      record.child = 5000 + pick(1000);
      record.context = 1;
      record.change = changes(task);
      record.stack = 37;
      record.call = static_cast<std::uint16_t>(Call::fork);
      record.origin = static_cast<std::uint8_t>(trace::Origin::fork);
      write_record(trace::RecordType::fork, author, record);
    } else if (what == 2) {
      // For good: others put back what they saved before.
      change(actor, 38, chance(2) ? 027 : 022);
    }
  }

  std::mt19937 random_;
  [[maybe_unused]] unsigned seed_;
  std::uint64_t time_ = 1'000'000'000;
  std::vector<Actor> actors_;
  unsigned left_ = 0;
  int alone_ = -1;
  unsigned rounds_[kThreads] = {};
  mode_t saved_[kThreads] = {};
  std::uint64_t objects_ = 0;
};

// In a child, for there is one recorder in a process.
template <typename Work>
int in_child(const std::string& directory, bool fold, Work work) {
  const pid_t child = fork();
  if (child == 0) {
    process.pid.store(kPid);
    process.options.fold = fold;
    if (open_segment(directory.c_str(), kPid) != 0) _exit(1);
    process.trace = true;
    work();
    _exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return status;
}

class Directory {
 public:
  Directory() : path_("/tmp/umaskaudit-fold-XXXXXX") { EXPECT_NE(mkdtemp(path_.data()), nullptr); }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  std::string run(const std::string& name) const { return path_ + '/' + name; }

 private:
  std::string path_;
};

reader::Run open_run(const std::string& directory) {
  Result<reader::Run> run = reader::Run::open(directory);
  if (!run) std::abort();
  return std::move(run.value());
}

void put(std::ostream& out, const std::optional<std::uint64_t>& id) {
  out << (id ? std::to_string(*id) : "-") << ' ';
}

// Every event, by all that is said of it. The times of changes that nothing names are not kept:
// `times` has those that both have.
std::vector<std::string> events_of(const reader::Run& run, std::vector<std::uint64_t>* times) {
  std::vector<std::string> lines;
  run.for_each([&](const Event& event) {
    std::ostringstream out;
    const EventBase& base =
        std::visit([](const EventBase& one) -> const EventBase& { return one; }, event);
    out << event.index() << ' ' << base.seq << ' ' << base.tid << ' ' << base.fs << ' ' << base.call
        << ' ' << base.stack.id << ' ';
    const auto* change = std::get_if<UmaskEvent>(&event);
    if (change != nullptr) {
      out << change->id << ' ' << change->change << ' ' << change->old_mask << ' '
          << change->new_mask << ' ' << change->argument << ' ' << change->drift << ' ';
      put(out, change->old_set_by);
    } else {
      out << base.time_ns << ' ';
    }
    if (const auto* create = std::get_if<CreateEvent>(&event)) {
      out << create->path << ' ' << create->mask << ' ' << create->final_mode.value_or(0) << ' '
          << create->change_before << ' ' << create->change_after << ' ';
      put(out, create->mask_set_by);
      for (const Mode mask : create->ambiguous_masks) out << mask << ',';
    }
    lines.push_back(out.str());
    times->push_back(base.time_ns);
    return true;
  });
  return lines;
}

std::string findings_of(const reader::Run& run) {
  rules::FindOptions options;
  std::string hits;
  options.on_final_hit = [&](const rules::FinalHit& hit) { render::append_hit_json(hits, hit); };
  const rules::FindResult result = rules::find(run, options);
  for (const rules::Finding& finding : result.findings) render::append_finding_json(hits, finding);
  std::ostringstream out;
  const rules::FindStats& stats = result.stats;
  out << hits << stats.creations << ' ' << stats.mask_changes << ' ' << stats.windows << ' '
      << stats.ambiguous << ' ' << stats.resolved << ' ' << stats.unresolved;
  return out.str();
}

std::string summary_of(const reader::Run& run) {
  const analysis::Summary summary = analysis::summarize(run, {});
  std::ostringstream out;
  out << summary.events << ' ' << summary.threads << ' ' << summary.mask_changes << ' '
      << summary.created << ' ' << summary.ambiguous << ' ' << summary.unknown_masks << '\n';
  for (const analysis::MaskChanges& changes : summary.changes) {
    out << changes.who.tid << ' ' << changes.stack.id << ' ' << changes.count << ' '
        << changes.drifts << ' ' << changes.first_ns << ' ' << changes.last_ns << ' '
        << changes.held_ns << ' ' << changes.longest_ns;
    for (const auto& [masks, count] : changes.transitions)
      out << ' ' << masks.first << '>' << masks.second << '=' << count;
    out << '\n';
  }
  for (const ObjectLife& life : summary.objects) {
    out << life.id << ' ' << life.born.seq << ' ' << life.born_path << ' ' << life.born_mask << ' '
        << life.born_mode << ' ' << life.mode << ' ' << life.ambiguous << ' ';
    put(out, life.mask_set_by);
    out << '\n';
  }
  return out.str();
}

std::uint64_t bytes_of(const std::string& directory) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    trace::SegmentHeader header{};
    std::FILE* file = std::fopen(entry.path().c_str(), "rb");
    if (entry.path().extension() == ".seg" && std::fread(&header, sizeof header, 1, file) == 1)
      bytes += header.tail;
    std::fclose(file);
  }
  return bytes;
}

TEST(Fold, ReadsBackAsWithoutIt) {
  std::uint64_t folded_bytes = 0;
  std::uint64_t plain_bytes = 0;
  std::uint64_t objects = 0;
  for (unsigned seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Directory directory;
    const auto play = [seed] { Play(seed).run(6000); };
    ASSERT_EQ(in_child(directory.run("plain"), false, play), 0);
    ASSERT_EQ(in_child(directory.run("folded"), true, play), 0);
    plain_bytes += bytes_of(directory.run("plain"));
    folded_bytes += bytes_of(directory.run("folded"));
    const ReadRun plain = open_run(directory.run("plain"));
    const ReadRun folded = open_run(directory.run("folded"));
    EXPECT_TRUE(folded.completeness().losses.empty());
    objects += analysis::summarize(folded, {}).created;
    std::vector<std::uint64_t> plain_times, folded_times;
    const std::vector<std::string> expected = events_of(plain, &plain_times);
    const std::vector<std::string> told = events_of(folded, &folded_times);
    ASSERT_EQ(expected.size(), told.size());
    for (std::size_t i = 0; i < told.size(); ++i) ASSERT_EQ(expected[i], told[i]) << i;
    EXPECT_TRUE(std::is_sorted(folded_times.begin(), folded_times.end()));
    EXPECT_EQ(findings_of(plain), findings_of(folded));
    EXPECT_EQ(summary_of(plain), summary_of(folded));
  }
  // There was something to fold, and something that met it.
  EXPECT_GT(objects, 10'000u);
  EXPECT_LT(folded_bytes * 4, plain_bytes * 3);
}

// A pair of changes that no event meets, repeated by one thread or by two in turn.
void toggle_alone(unsigned times, std::atomic<std::uint64_t>* done = nullptr,
                  unsigned threads = 1) {
  contexts[0].id = 1;
  contexts[0].mask.store(022);
  std::uint64_t time = 1000;
  for (unsigned i = 0; i < times; ++i) {
    const Task task{kPid + i % threads, kPid, &contexts[0]};
    trace::Umask record{};
    const bool opens = i % 2 == 0;
    const MaskChange made = change_mask(task, opens ? 077 : 022, set_kernel_mask);
    record.context = 1;
    record.stack = opens ? 1 : 2;
    record.change = made.change;
    record.argument = opens ? 077 : 022;
    record.old_mask = record.cached = made.old_mask;
    record.new_mask = opens ? 077 : 022;
    write_mask_change(task, Author{task.tid, kPid, time += 10, 0}, record);
    if (done != nullptr) done->store(made.change, std::memory_order_release);
  }
}

TEST(Fold, TakesNoSpaceHoweverOftenItHappens) {
  const Directory directory;
  ASSERT_EQ(in_child(directory.run("few"), true, [] { toggle_alone(100); }), 0);
  ASSERT_EQ(in_child(directory.run("many"), true, [] { toggle_alone(1'000'000); }), 0);
  EXPECT_EQ(bytes_of(directory.run("few")), bytes_of(directory.run("many")));
  const analysis::Summary summary = analysis::summarize(open_run(directory.run("many")), {});
  EXPECT_EQ(summary.mask_changes, 1'000'000u);
}

// One sets and the other puts back, from the call sites that one thread would use.
TEST(Fold, KeepsThreadsApart) {
  const Directory directory;
  ASSERT_EQ(in_child(directory.run("two"), true, [] { toggle_alone(100, nullptr, 2); }), 0);
  std::uint64_t changes = 0;
  open_run(directory.run("two")).for_each([&](const Event& event) {
    const auto* change = std::get_if<UmaskEvent>(&event);
    if (change == nullptr) return true;
    EXPECT_EQ(change->tid, kPid + changes % 2);
    ++changes;
    return true;
  });
  EXPECT_EQ(changes, 100u);
}

// A SIGKILL amid the store of one copy leaves it torn; the other has all changes but the last one.
TEST(Fold, ReadsTheOlderCopyWhereTheNewerIsTorn) {
  const Directory directory;
  ASSERT_EQ(in_child(directory.run("torn"), true, [] { toggle_alone(1000); }), 0);
  std::string segment;
  for (const auto& entry : std::filesystem::directory_iterator(directory.run("torn")))
    if (entry.path().extension() == ".seg") segment = entry.path().string();
  std::stringstream content;
  content << std::ifstream(segment, std::ios::binary).rdbuf();
  std::string bytes = content.str();
  const std::uint64_t owner = std::uint64_t{kPid} << 32 | kPid;
  const std::size_t at =
      bytes.find(std::string(reinterpret_cast<const char*>(&owner), sizeof owner));
  ASSERT_NE(at, bytes.npos);
  trace::FoldCell cell;
  std::memcpy(&cell, bytes.data() + at, sizeof cell);
  trace::FoldCell::Copy& newer =
      cell.copies[0].state.last > cell.copies[1].state.last ? cell.copies[0] : cell.copies[1];
  ASSERT_EQ(newer.state.last, 1000u);
  newer.state.total_ns[0] ^= 1;  // what its checksum does not fit
  std::memcpy(bytes.data() + at, &cell, sizeof cell);
  std::ofstream(segment, std::ios::binary) << bytes;
  EXPECT_EQ(analysis::summarize(open_run(directory.run("torn")), {}).mask_changes, 999u);
}

// Changes that cannot be folded are counted before they cost a creation its record.
TEST(Fold, ChangesLeaveRoomForCreations) {
  constexpr unsigned kChanges = 40'000;
  constexpr unsigned kEvery = 20;
  const Directory directory;
  const auto noise = [] {
    contexts[0].id = 1;
    contexts[0].mask.store(022);
    std::uint64_t time = 1000;
    for (unsigned i = 1; i <= kChanges; ++i) {
      const Task task{kPid + i % 2, kPid, &contexts[0]};
      const MaskChange made = change_mask(task, i % 0777, set_kernel_mask);
      trace::Umask change{};
      change.context = 1;
      change.stack = 1 + i % 2;
      change.change = made.change;
      change.argument = i % 0777;
      change.old_mask = change.cached = made.old_mask;
      change.new_mask = i % 0777;
      write_mask_change(task, Author{task.tid, kPid, time += 10, 0}, change);
      if (i % kEvery != 0) continue;
      trace::Create create{};
      create.context = 1;
      create.change_before = create.change_after = made.change;
      create.mask_before = create.mask_after = change.new_mask;
      create.created = static_cast<std::uint8_t>(trace::Created::yes);
      create.kind = static_cast<std::uint8_t>(trace::Kind::file);
      create.requested = 0666;
      create.final_mode = 0100000 | (0666 & ~std::uint32_t{change.new_mask});
      create.dev = 1;
      create.ino = i;
      write_record(trace::RecordType::create, Author{task.tid, kPid, time += 10, 0}, create);
    }
  };
  process.options.max_size = 1 << 20;
  ASSERT_EQ(in_child(directory.run("full"), true, noise), 0);
  process.options.max_size = Options{}.max_size;
  const ReadRun run = open_run(directory.run("full"));
  const analysis::Summary summary = analysis::summarize(run, {});
  EXPECT_EQ(summary.created, kChanges / kEvery);
  const reader::Completeness& all = run.completeness();
  const std::uint64_t lost = all.lost[static_cast<unsigned>(trace::Loss::segment_full)];
  EXPECT_GT(lost, 0u);
  EXPECT_EQ(lost, all.total_lost());
  EXPECT_EQ(summary.mask_changes + lost, kChanges);
}

// Killed at any moment, it has every change but the last one, and none that was not made.
TEST(Fold, SurvivesSigkill) {
  for (unsigned round = 0; round < 40; ++round) {
    SCOPED_TRACE(round);
    const Directory directory;
    auto* done = static_cast<std::atomic<std::uint64_t>*>(
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(done, MAP_FAILED);
    const pid_t child = fork();
    if (child == 0) {
      process.pid.store(kPid);
      process.options.fold = true;
      if (open_segment(directory.run("killed").c_str(), kPid) != 0) _exit(1);
      process.trace = true;
      toggle_alone(UINT32_MAX, done);
      _exit(0);
    }
    // Somewhere behind that change.
    const std::uint64_t enough = 1 + round * round * 100;
    while (done->load(std::memory_order_acquire) < enough) {
      ASSERT_EQ(waitpid(child, nullptr, WNOHANG), 0);
    }
    ASSERT_EQ(kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    const ReadRun run = open_run(directory.run("killed"));
    const std::uint64_t recorded = done->load();
    munmap(done, 4096);
    std::uint64_t last = 0;
    run.for_each([&](const Event& event) {
      const auto* change = std::get_if<UmaskEvent>(&event);
      if (change == nullptr) return true;
      EXPECT_EQ(change->change, last + 1);
      EXPECT_EQ(change->new_mask, change->change % 2 != 0 ? 077u : 022u);
      last = change->change;
      return !HasFailure();
    });
    EXPECT_GE(last, recorded);
    EXPECT_LE(last, recorded + 1);
  }
}

}  // namespace

}  // namespace umaskaudit
