// See seeds.h: one segment with every record type, one damaged, one run of three processes, and
// one with a ring.
#include "tests/fuzz/seeds.h"

#include "tests/unit/reader/segment_builder.h"

namespace umaskaudit::testing {
namespace {

template <typename Enum>
std::uint8_t byte(Enum value) {
  return static_cast<std::uint8_t>(value);
}

trace::Umask change(std::uint32_t context, std::uint64_t number, std::uint16_t mask) {
  trace::Umask fixed{};
  fixed.context = context;
  fixed.change = number;
  fixed.argument = fixed.new_mask = mask;
  fixed.old_mask = fixed.cached = 022;
  fixed.call = 2;
  fixed.stack = 1;
  return fixed;
}

trace::Create file(std::uint32_t context, std::uint64_t before, std::uint64_t after,
                   trace::Created created) {
  trace::Create fixed{};
  fixed.context = context;
  fixed.change_before = before;
  fixed.change_after = after;
  fixed.mask_before = fixed.mask_after = 022;
  fixed.kind = byte(trace::Kind::file);
  fixed.created = byte(created);
  fixed.requested = 0666;
  fixed.final_mode = 0100644;
  fixed.base = 1;
  fixed.directory = 1;
  fixed.dev = 1;
  fixed.ino = 2;
  fixed.birth_ns = 3;
  fixed.stack = 1;
  return fixed;
}

SegmentBuilder every_type() {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  const Author author{100, 2000};
  trace::Module module{};
  module.id = 1;
  module.base = 0x5000;
  segment.module(author, module, "\x01\x02\x03\x04", "/usr/bin/app");
  trace::Stack stack{};
  stack.id = 1;
  segment.stack(author, stack, {std::uint64_t{1} << 48 | 0x10, 0x7f0000000000});
  segment.path(author, 1, "/home/user");
  trace::Runtime runtime{};
  runtime.module = 1;
  runtime.language = byte(trace::Language::python);
  runtime.evaluator = 8;
  runtime.evaluator_size = 16;
  segment.runtime(author, runtime, "CPython 3.11.2");
  trace::ScriptFrame place{};
  place.id = 1;
  place.line = 12;
  place.file = 1;
  place.language = byte(trace::Language::python);
  segment.script_frame(author, place, "set_mask");
  trace::ScriptStack script{};
  script.id = 2;
  script.native = 1;
  script.runtime = 1;
  segment.script_stack(author, script, {1, 1 | trace::kScriptEntry, 9});
  segment.note({100, 2050}, 2, "by a script");
  trace::Directory directory{};
  directory.id = 1;
  directory.mode = 042755;
  segment.directory(author, directory,
                    std::string("\2\0\0\0\1\0\7\0\377\377\377\377\4\0\5\0\377\377\377\377"
                                "\40\0\0\0\377\377\377\377",
                                28));
  trace::ThreadCreate birth{};
  birth.handle = 0x77;
  segment.thread_create({100, 2100}, birth);
  trace::Thread thread{};
  thread.handle = 0x77;
  segment.thread({101, 2200}, thread, "worker");
  segment.umask({101, 2300}, change(1, 2, 077));
  segment.umask({100, 2250, trace::kDrift}, change(1, 1, 0));
  segment.create({100, 2400, trace::kBusy}, file(1, 0, 2, trace::Created::probably), "./a//b");
  segment.create({101, 2500}, file(1, 2, 2, trace::Created::yes), "/abs");
  segment.note({100, 2600}, 1, "phase");
  trace::Chmod chmod{};
  chmod.base = 1;
  segment.chmod({100, 2700}, chmod, "b");
  trace::Rename rename{};
  rename.action = 3;
  rename.dev = 1;
  rename.ino = 2;
  segment.rename({100, 2800}, rename, "b", "c");
  trace::BlindSpot spot{};
  spot.reason = static_cast<std::uint16_t>(trace::Blind::exec_static);
  segment.blind_spot({100, 2900}, spot, "/bin/static");
  trace::Exec exec{};
  exec.context = 1;
  segment.exec({100, 3000}, exec, "/bin/static");
  segment.exec_failed({100, 3001}, 2);
  trace::Fork fork{};
  fork.child = 200;
  fork.context = 1;
  segment.fork({100, 3100}, fork);
  segment.pad(64);
  segment.record(900, author, "unknown");
  return segment;
}

Seed damaged() {
  SegmentBuilder segment = every_type();
  segment.unfinished(160, true);
  segment.unfinished(96, false);
  const std::uint64_t at = segment.note({100, 4000}, 0, "will be damaged");
  segment.note({100, 4001}, 0, "after");
  segment.zeros(512);
  std::string bytes = segment.bytes();
  bytes[at + 33] ^= 8;
  return {"damaged", bytes.substr(0, bytes.size() - 3)};
}

// fork, vfork and exec: three segments whose contexts hang together.
Seed family() {
  SegmentBuilder shell(100, 1000);
  begin_image(&shell, "sh");
  shell.umask({100, 2000}, change(1, 1, 027));
  trace::Process child{};
  child.pid = 200;
  child.ppid = 100;
  child.origin = byte(trace::Origin::fork);
  child.context = 2;
  child.parent_context = 1;
  child.parent_change = 1;
  shell.process({200, 2100, 0, 200}, child, "/bin/sh", "sh");
  trace::Exec exec{};
  exec.context = 2;
  shell.exec({200, 2200, 0, 200}, exec, "/bin/app");
  trace::Context borrower{};
  borrower.id = 3;
  borrower.parent = 1;
  borrower.parent_change = 1;
  borrower.owner = 300;
  borrower.origin = byte(trace::Origin::vfork);
  shell.context({300, 2300, 0, 300}, borrower);
  shell.umask({300, 2400, trace::kForeign, 300}, change(3, 1, 0));
  SegmentBuilder app(200, 2500);
  begin_image(&app, "app");
  app.create({200, 2600}, file(1, 0, 0, trace::Created::probably), "f");
  SegmentBuilder tool(300, 2700);
  begin_image(&tool, "tool");
  tool.create({300, 2800}, file(1, 0, 0, trace::Created::probably), "f");
  return {"family", shell.bytes() + kSplit + app.bytes() + kSplit + tool.bytes()};
}

}  // namespace

namespace {

// keep=latest: chunks of each use, out of their order in the file, one of them being dropped.
SegmentBuilder ring() {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  segment.add_ring(trace::kFirstChunk, 5);
  segment.take_chunk(3, trace::ChunkUse::dropping);
  segment.note({100, 1500}, 0, "counted");
  segment.entry(3).dropped = 48;
  segment.umask({100, 1600}, change(1, 3, 077));
  segment.take_chunk(1, trace::ChunkUse::changes);
  segment.seek(trace::kFirstChunk + 2 * trace::kControl);
  segment.umask({100, 2090}, change(1, 4, 027));
  segment.umask({100, 2110}, change(1, 6, 022));
  segment.take_chunk(2, trace::ChunkUse::events);
  segment.path({100, 2000}, 1, "/home/user");
  segment.create({100, 2100}, file(1, 4, 5, trace::Created::yes), "made");
  segment.create({100, 2050}, file(1, 3, 3, trace::Created::probably), "late");
  segment.ring().dropped = 4;
  segment.ring().whole_since_ns = 1990;
  trace::Total total{};
  total.key = 7;
  total.count = 3;
  total.first_ns = 1200;
  total.last_ns = 1990;
  total.type = static_cast<std::uint16_t>(trace::RecordType::umask);
  total.call = 2;
  total.mode = 027;
  segment.total(total);
  return segment;
}

}  // namespace

std::vector<Seed> trace_seeds() {
  SegmentBuilder small(100, 1000);
  begin_image(&small, "app");
  return {{"small", small.bytes()},
          {"every-type", every_type().bytes()},
          damaged(),
          family(),
          {"ring", ring().bytes()}};
}

}  // namespace umaskaudit::testing
