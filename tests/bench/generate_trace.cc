// Writes a run directory of N events without running anything: generate_trace DIR [EVENTS [WHAT]].
// Must never write what the shim could not have written: masks, change numbers and modes agree.
// Called by scripts/bench, to see how the reporter takes large traces.
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "tests/unit/reader/segment_builder.h"

namespace umaskaudit::bench {
namespace {

using testing::Author;
using testing::SegmentBuilder;

constexpr std::uint64_t kEventsOfImage = 500000;  // fits the shim's default max-size
constexpr std::uint32_t kThreads = 8;
constexpr std::uint32_t kStacks = 400;    // of one image, each for a call site and its callers
constexpr std::uint32_t kRareStacks = 4;  // of those, what changes masks and permissions
constexpr std::uint32_t kModules = 12;
constexpr std::uint32_t kFrames = 16;
constexpr std::uint32_t kDirectories = 64;
// Busy programs make the same names again and again: temporary files, caches, logs.
constexpr std::uint32_t kPaths = 20000;
constexpr std::uint32_t kPids = 100;         // numbers of one image's threads
constexpr std::uint32_t kRaceFiles = 10000;  // of one image, made again and again
constexpr std::uint64_t kStepNs = 2500;

// Numbers of the calls that begin_image() names.
enum CallNumber : std::uint16_t { kOpen = 0, kMkdir = 1, kUmask = 2, kChmod = 5, kRename = 6 };

// What the programs do: all kinds of things; mask changes that race with creations of files; one
// lock file, made and removed again and again; files that are replaced by temporary ones.
enum class Work { busy, race, lock, replace };

// xorshift64: the same trace each time.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
  std::uint32_t below(std::uint32_t bound) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<std::uint32_t>((state_ >> 32) * bound >> 32);
  }

 private:
  std::uint64_t state_;
};

// One program: some threads that create, one of which narrows the mask around what it creates. Now
// and then another one's creation falls into that window.
class Image {
 public:
  Image(std::uint32_t pid, std::uint64_t start_ns)
      : segment_(pid, start_ns), random_(pid), pid_(pid), now_ns_(start_ns) {
    segment_.header().limit = std::uint64_t{1} << 30;
    testing::begin_image(&segment_, "worker");
    define_modules();
    define_stacks();
    define_directories();
    for (std::uint32_t i = 1; i < kThreads; ++i) {
      trace::Thread thread{};
      thread.context = 1;
      segment_.thread(author(i), thread, "worker/" + std::to_string(i));
    }
  }

  // Writes one or more events; returns how many.
  std::uint64_t step(Work work) {
    switch (work) {
      case Work::busy:
        return busy();
      case Work::race:
        return race();
      case Work::lock:
        return lock();
      case Work::replace:
        return replace();
    }
    return 0;
  }

  const SegmentBuilder& segment() const { return segment_; }

 private:
  std::uint64_t busy() {
    const std::uint32_t dice = random_.below(100);
    if (dice < 4) return private_file();
    if (dice < 7) return chmod();
    if (dice < 12) return rename();
    create(1 + random_.below(kThreads - 1), dice < 15);
    return 1;
  }

  // One thread asks for the mask by changing it; the others' files meet that now and then.
  std::uint64_t race() {
    umask(0, 077);
    const bool made = random_.below(10) == 0;
    if (made)
      create(1 + random_.below(kThreads - 1),
             path_of(pid_ / kPids * kRaceFiles + files_++ % kRaceFiles), false);
    umask(0, 022);
    return made ? 3 : 2;
  }

  std::uint64_t lock() {
    const std::string name = "lock." + std::to_string(pid_);
    umask(0, 077);
    create(0, name, false);
    umask(0, 022);
    trace::Rename record = rename_record();
    record.action = 3;
    segment_.rename(author(0), record, name, "");
    return 4;
  }

  // mkstemp(3), fchmod(2), rename(2).
  std::uint64_t replace() {
    const std::uint32_t number = random_.below(kPaths);
    const std::string to = path_of(number);
    const std::string from = to + '.' + std::to_string(random_.below(1000000));
    create(1 + random_.below(kThreads - 1), from, false);
    chmod(to);
    segment_.rename(author(1), rename_record(), from, to);
    return 3;
  }

  void define_modules() {
    for (std::uint32_t id = 1; id <= kModules; ++id) {
      trace::Module module{};
      module.id = id;
      module.base = 0x7f0000000000 + std::uint64_t{id} * 0x1000000;
      module.start = module.base;
      module.end = module.base + 0x800000;
      const std::string build_id = "build-id-of-module-" + std::to_string(10 + id);
      segment_.module(author(0), module, build_id,
                      "/usr/lib/worker/libpart" + std::to_string(id) + ".so");
    }
  }

  void define_stacks() {
    for (std::uint32_t id = 1; id <= kStacks; ++id) {
      std::vector<std::uint64_t> frames;
      for (std::uint32_t i = 0; i < kFrames; ++i) {
        // The outer frames are few: threads start and loop in the same places.
        const std::uint32_t place = i < 6 ? random_.below(200000) : i * 977 + id % 7;
        const std::uint64_t module = 1 + (i < 6 ? random_.below(kModules) : i % kModules);
        frames.push_back(module << trace::kFrameModuleShift | (0x1000 + place * 16));
      }
      trace::Stack stack{};
      stack.id = id;
      segment_.stack(author(0), stack, frames);
    }
  }

  void define_directories() {
    segment_.path(author(0), 1, "/srv/worker");
    for (std::uint32_t id = 1; id <= kDirectories; ++id) {
      trace::Directory directory{};
      directory.id = id;
      directory.mode = S_IFDIR | 0755;
      directory.dev = 0x800001;
      directory.ino = 1000 + id;
      directory.fs_type = 0xEF53;  // ext4, statfs(2)
      segment_.directory(author(0), directory, "");
    }
  }

  Author author(std::uint32_t thread) {
    now_ns_ += kStepNs / 2 + random_.below(kStepNs);
    return {pid_ + thread, now_ns_, 0, pid_};
  }

  std::uint32_t stack() { return 1 + random_.below(kStacks); }
  std::uint32_t rare_stack() { return 1 + random_.below(kRareStacks); }

  std::string path_of(std::uint32_t number) const {
    return "cache/" + std::to_string(number % kDirectories) + "/object-" + std::to_string(number) +
           ".tmp";
  }

  // The same path has the same one.
  static std::uint32_t directory_of(std::string_view path) {
    return static_cast<std::uint32_t>(std::hash<std::string_view>()(path)) % kDirectories;
  }

  void create(std::uint32_t thread, bool directory) {
    create(thread, path_of(random_.below(kPaths)), directory);
  }

  void create(std::uint32_t thread, const std::string& path, bool directory) {
    const std::uint32_t requested = directory ? 0777 : 0666;
    trace::Create record{};
    record.context = 1;
    record.stack = stack();
    record.change_before = record.change_after = changes_;
    record.mask_before = record.mask_after = mask_;
    record.call = directory ? kMkdir : kOpen;
    record.kind = static_cast<std::uint8_t>(directory ? trace::Kind::dir : trace::Kind::file);
    record.created = static_cast<std::uint8_t>(trace::Created::yes);
    record.requested = requested;
    record.final_mode = (directory ? S_IFDIR : S_IFREG) | (requested & ~std::uint32_t{mask_});
    record.open_flags = directory ? 0 : 0301;  // O_WRONLY | O_CREAT | O_EXCL
    record.base = 1;
    record.directory = 1 + directory_of(path);
    record.dev = 0x800001;
    record.ino = ++inode_;
    const Author who = author(thread);
    record.birth_ns = static_cast<std::int64_t>(segment_.header().real_ns + who.time_ns -
                                                segment_.header().mono_ns);
    segment_.create(who, record, path);
  }

  void umask(std::uint32_t thread, std::uint16_t mask) {
    trace::Umask record{};
    record.context = 1;
    record.stack = rare_stack();
    record.change = ++changes_;
    record.argument = mask;
    record.old_mask = record.cached = mask_;
    record.new_mask = mask_ = mask;
    record.call = kUmask;
    segment_.umask(author(thread), record);
  }

  // The careful thread narrows the mask, and one time in a hundred another one is hit.
  std::uint64_t private_file() {
    umask(0, 077);
    create(0, false);
    const bool hit = random_.below(100) == 0;
    if (hit) create(1 + random_.below(kThreads - 1), false);
    umask(0, 022);
    return hit ? 4 : 3;
  }

  std::uint64_t chmod() { return chmod(path_of(random_.below(kPaths))); }

  std::uint64_t chmod(const std::string& path) {
    trace::Chmod record{};
    record.context = 1;
    record.stack = rare_stack();
    record.requested = 0640;
    record.final_mode = S_IFREG | 0640;
    record.dev = 0x800001;
    record.ino = inode_;
    record.base = 1;
    record.call = kChmod;
    segment_.chmod(author(1), record, path);
    return 1;
  }

  std::uint64_t rename() {
    const std::string from = path_of(random_.below(kPaths));
    segment_.rename(author(1), rename_record(), from, from.substr(0, from.size() - 4));
    return 1;
  }

  // Of the object that was made last.
  trace::Rename rename_record() const {
    trace::Rename record{};
    record.context = 1;
    record.from_base = record.to_base = 1;
    record.dev = 0x800001;
    record.ino = inode_;
    record.call = kRename;
    record.action = 1;
    return record;
  }

  SegmentBuilder segment_;
  Random random_;
  std::uint32_t pid_;
  std::uint64_t now_ns_;
  std::uint64_t changes_ = 0;
  std::uint64_t inode_ = std::uint64_t{pid_} * 1000000;  // no two images make one object
  std::uint32_t files_ = 0;                              // of race()
  std::uint16_t mask_ = 022;
};

bool save(const std::string& directory, const SegmentBuilder& segment) {
  std::ofstream file(directory + '/' + segment.name(), std::ios::binary);
  const std::string bytes = segment.bytes();
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  return static_cast<bool>(file);
}

int generate(const std::string& directory, std::uint64_t events, Work work) {
  mkdir(directory.c_str(), 0700);
  std::uint64_t written = 0;
  for (std::uint32_t pid = 1000; written < events; pid += kPids) {
    // All start within a second, and so overlap: the reader merges them.
    Image image(pid, 1000000000 + std::uint64_t{pid} * 1000);
    const std::uint64_t end = std::min(events, written + kEventsOfImage);
    while (written < end) written += image.step(work);
    if (!save(directory, image.segment())) {
      std::perror(directory.c_str());
      return 1;
    }
  }
  std::printf("%llu\n", static_cast<unsigned long long>(written));
  return 0;
}

}  // namespace
}  // namespace umaskaudit::bench

int main(int argc, char** argv) {
  using umaskaudit::bench::Work;
  const std::uint64_t events = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1000000;
  const std::string_view name = argc > 3 ? argv[3] : "busy";
  constexpr std::pair<std::string_view, Work> kWorks[] = {
      {"busy", Work::busy}, {"race", Work::race}, {"lock", Work::lock}, {"replace", Work::replace}};
  const auto* work = std::find_if(std::begin(kWorks), std::end(kWorks),
                                  [&](const auto& one) { return one.first == name; });
  if (argc < 2 || argc > 4 || events == 0 || work == std::end(kWorks)) {
    std::fprintf(stderr, "usage: %s DIR [EVENTS [busy|race|lock|replace]]\n", argv[0]);
    return 2;
  }
  return umaskaudit::bench::generate(argv[1], events, work->second);
}
