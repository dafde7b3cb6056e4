// The run of fixture_run.h, record by record.
// Must never change without the golden files: tests/golden/update shows what a change does.
// Called by tests.
#include "tests/unit/render/fixture_run.h"

#include <cerrno>

namespace umaskaudit::testing {
namespace {

enum Call : std::uint16_t { kOpen, kMkdir, kUmask, kExecve, kFork, kChmod, kRename };

constexpr std::uint64_t kStart = 1000000000;
constexpr std::uint64_t ms(std::uint64_t count) { return kStart + count * 1000000; }
constexpr std::uint64_t frame(std::uint64_t module, std::uint64_t offset) {
  return module << trace::kFrameModuleShift | offset;
}

void define_names(SegmentBuilder& segment) {
  const Author author{100, kStart};
  trace::Module module{};
  module.id = 1;
  module.start = 0x1000;
  module.end = 0x9000;
  segment.module(author, module, "\xab\xcd\x12\x34", "/opt/none/bin/server");
  module.id = 2;
  segment.module(author, module, "", "/lib/none/libc.so.6");
  segment.stack(author, {1, 3, 0}, {frame(2, 0x500), frame(1, 0x1111), frame(1, 0x2000)});
  segment.stack(author, {2, 2, trace::kStackTruncated}, {frame(2, 0x600), frame(1, 0x2222)});
  segment.path(author, 1, "/srv");
  segment.thread({101, kStart}, {101, 1, 0, {}}, "toggler");
  segment.thread({102, kStart}, {102, 1, 0, {}}, "writer\x1b[2J");
}

void change(SegmentBuilder& segment, const Author& author, std::uint64_t number,
            std::uint16_t before, std::uint16_t after, std::uint16_t cached) {
  trace::Umask fixed{};
  fixed.context = 1;
  fixed.stack = 1;
  fixed.change = number;
  fixed.argument = after;
  fixed.old_mask = before;
  fixed.new_mask = after;
  fixed.cached = cached;
  fixed.call = kUmask;
  segment.umask(author, fixed);
}

trace::Create creation(trace::Kind kind, std::uint16_t call, std::uint32_t requested,
                       std::uint16_t mask, std::uint64_t change, std::uint64_t ino) {
  trace::Create fixed{};
  fixed.context = 1;
  fixed.stack = 2;
  fixed.base = 1;
  fixed.change_before = fixed.change_after = change;
  fixed.mask_before = fixed.mask_after = mask;
  fixed.call = call;
  fixed.kind = static_cast<std::uint8_t>(kind);
  fixed.created = static_cast<std::uint8_t>(trace::Created::yes);
  fixed.requested = requested;
  fixed.final_mode = (kind == trace::Kind::dir ? 040000u : 0100000u) | (requested & ~mask & 07777u);
  fixed.dev = 8;
  fixed.ino = ino;
  fixed.uid = fixed.gid = 1000;
  return fixed;
}

void create_objects(SegmentBuilder& segment) {
  using trace::Kind;
  segment.create({102, ms(1)}, creation(Kind::file, kOpen, 0666, 022, 0, 11), "before");
  change(segment, {101, ms(2)}, 1, 022, 0, 022);
  segment.create({102, ms(3)}, creation(Kind::file, kOpen, 0666, 0, 1, 12), "hit");
  trace::Create directory = creation(Kind::dir, kMkdir, 0777, 0, 1, 13);
  directory.base = 0;
  segment.create({102, ms(4)}, directory, "/srv/hit dir");
  change(segment, {101, ms(5)}, 2, 0, 022, 0);
  trace::Create moved = creation(Kind::file, kOpen, 0666, 022, 2, 14);
  moved.change_after = 4;
  moved.final_mode = 0100666;
  change(segment, {101, ms(6)}, 3, 022, 0, 022);
  change(segment, {101, ms(7)}, 4, 0, 022, 0);
  segment.create({102, ms(8)}, moved, "=cmd|'moved'");
  segment.create({102, ms(9)}, creation(Kind::file, kOpen, 0600, 022, 4, 15),
                 "esc\x1b[31m\n\xff\xe2\x80\xae`|<b>");
  trace::Create existing = creation(Kind::file, kOpen, 0666, 022, 4, 11);
  existing.created = static_cast<std::uint8_t>(trace::Created::no);
  segment.create({102, ms(10)}, existing, "before");
  trace::Create failed = creation(Kind::file, kOpen, 0666, 022, 4, 0);
  failed.created = static_cast<std::uint8_t>(trace::Created::no);
  failed.base = 0;
  failed.final_mode = 0;
  failed.error = EACCES;
  segment.create({102, ms(11)}, failed, "/root/secret");
  change(segment, {101, ms(12), trace::kDrift}, 5, 077, 022, 022);  // an unseen call had set 0077
}

void finish(SegmentBuilder& segment) {
  trace::Chmod chmod{};
  chmod.context = 1;
  chmod.requested = 0640;
  chmod.final_mode = 0100640;
  chmod.dev = 8;
  chmod.ino = 12;
  chmod.call = kChmod;
  segment.chmod({102, ms(13)}, chmod, "/srv/hit");
  trace::Rename rename{};
  rename.context = 1;
  rename.dev = 8;
  rename.ino = 12;
  rename.call = kRename;
  rename.action = 1;
  segment.rename({102, ms(14)}, rename, "/srv/hit", "/srv/final");
  segment.note({102, ms(15)}, 0, "phase two\x07");
  trace::Fork fork{};
  fork.child = 200;
  fork.context = 1;
  fork.change = 5;
  fork.call = kFork;
  fork.origin = static_cast<std::uint8_t>(trace::Origin::fork);
  segment.fork({100, ms(16)}, fork);
  trace::BlindSpot blind{};
  blind.reason = static_cast<std::uint16_t>(trace::Blind::exec_static);
  blind.call = kExecve;
  blind.context = 1;
  segment.blind_spot({100, ms(17)}, blind, "/opt/none/bin/busybox");
  segment.header().lost[static_cast<unsigned>(trace::Loss::segment_full)] = 3;
}

}  // namespace

void write_fixture_run(const RunDirectory& directory) {
  SegmentBuilder segment(100, kStart);
  segment.header().real_ns = 1700000000ull * 1000000000;
  begin_image(&segment, "server");
  define_names(segment);
  create_objects(segment);
  finish(segment);
  directory.add(segment);
}

}  // namespace umaskaudit::testing
