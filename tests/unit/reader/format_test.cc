// Holds format.md against the reader: its hex blocks are one segment, and are decoded here.
// Must never take the bytes from anywhere but the page.
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <string_view>

#include "tests/unit/reader/run_helpers.h"

namespace umaskaudit::reader {
namespace {

using testing::only;
using testing::open_or_die;
using testing::ReadRun;
using testing::RunDirectory;

struct Type {
  std::string_view name;
  bool event;
};
// By number.
constexpr auto kTypes = std::to_array<Type>({
#define RECORD(identifier, number, structure, event, ...) {#identifier, event},
#include "preload/trace/record_types.def"
#undef RECORD
});

constexpr std::size_t kFolded = 4;  // changes, in the record of that name

struct Block {
  std::string name;
  std::string bytes;
};

// Blocks by offset: "```hex NAME at OFFSET", lines of hex bytes with a comment behind '#'.
std::map<std::size_t, Block> blocks_of_page() {
  const char* path = std::getenv("FORMAT_MD");
  std::ifstream page(path == nullptr ? "preload/trace/format.md" : path);
  std::map<std::size_t, Block> blocks;
  Block* block = nullptr;
  for (std::string line; std::getline(page, line);) {
    std::istringstream words(line);
    std::string fence, name, at;
    std::size_t offset = 0;
    if (line.rfind("```hex ", 0) == 0) {
      words >> fence >> name >> at >> offset;
      block = &blocks[offset];
      block->name = name;
    } else if (line.rfind("```", 0) == 0) {
      block = nullptr;
    } else if (block != nullptr) {
      for (std::string byte; words >> byte && byte[0] != '#';) {
        block->bytes += static_cast<char>(std::stoi(byte, nullptr, 16));
      }
    }
  }
  return blocks;
}

// The checksum as the page tells it.
std::uint32_t told_checksum(const std::string& record, std::uint64_t offset) {
  const std::uint64_t prime = 0x9e3779b97f4a7c15;
  std::uint64_t hash = (offset + 1) * prime;
  for (std::size_t at = 0; at < record.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, record.data() + at, 8);
    if (at == 0) word >>= 32;
    hash = (hash ^ word) * prime;
    hash = hash ^ (hash >> 29);
  }
  const auto commit = static_cast<std::uint32_t>((hash * prime) >> 32);
  return commit == 0 ? 1 : commit;
}

class Page : public ::testing::Test {
 protected:
  Page() {
    for (const auto& [offset, block] : blocks_) bytes_ += block.bytes;
    directory_.write("4242-00000000000f4240.seg", bytes_);
  }
  std::map<std::size_t, Block> blocks_ = blocks_of_page();
  std::string bytes_;
  RunDirectory directory_;
};

TEST_F(Page, BlocksFollowEachOtherWithoutGaps) {
  ASSERT_FALSE(blocks_.empty());
  std::size_t expected = 0;
  for (const auto& [offset, block] : blocks_) {
    ASSERT_EQ(offset, expected) << block.name;
    expected += block.bytes.size();
  }
  trace::SegmentHeader header{};
  std::memcpy(&header, bytes_.data(), sizeof header);
  EXPECT_EQ(header.major, trace::kMajor);
  EXPECT_EQ(header.minor, trace::kMinor);
  EXPECT_EQ(header.tail, bytes_.size());
}

TEST_F(Page, EveryTypeHasItsBlockAndTheChecksumTold) {
  std::map<std::string, int> seen;
  for (const auto& [offset, block] : blocks_) {
    if (offset == 0) continue;
    trace::RecordHeader head;
    ASSERT_GE(block.bytes.size(), sizeof head);
    std::memcpy(&head, block.bytes.data(), sizeof head);
    ASSERT_LT(head.type, kTypes.size());
    EXPECT_EQ(block.name, kTypes[head.type].name);
    EXPECT_EQ(head.length, block.bytes.size()) << block.name;
    EXPECT_EQ(head.commit, told_checksum(block.bytes, offset)) << block.name;
    ++seen[block.name];
  }
  EXPECT_EQ(seen.size(), kTypes.size());
}

TEST_F(Page, TheReaderLosesNothing) {
  const ReadRun run = open_or_die(directory_.path());
  EXPECT_EQ(run.completeness().records, blocks_.size() - 1);
  EXPECT_EQ(run.completeness().total_lost(), 0u);
  EXPECT_TRUE(run.completeness().losses.empty());
  // The name of a thread is none by itself.
  const auto events = std::count_if(kTypes.begin(), kTypes.end(), [](const Type& type) {
    return type.event && type.name != "thread";
  });
  EXPECT_EQ(testing::events_of(run).size(), static_cast<std::size_t>(events) + kFolded);
}

TEST_F(Page, FoldedChanges) {
  const ReadRun run = open_or_die(directory_.path());
  const std::vector<UmaskEvent> changes = only<UmaskEvent>(run);
  ASSERT_EQ(changes.size(), 1 + kFolded);
  for (std::size_t i = 1; i < changes.size(); ++i) {
    EXPECT_EQ(changes[i].change, i + 1);
    EXPECT_EQ(changes[i].id, i + 1);
    EXPECT_EQ(changes[i].old_set_by, i);
    EXPECT_EQ(changes[i].new_mask, i % 2 != 0 ? 022u : 077u);
    EXPECT_EQ(changes[i].time_ns, 1005000 + (i - 1) * 100);
    EXPECT_EQ(changes[i].stack.id, 1u);
    EXPECT_EQ(changes[i].call, "umask");
  }
}

TEST_F(Page, ProcessThreadModuleAndStack) {
  const ReadRun run = open_or_die(directory_.path());
  const ProcessEvent process = only<ProcessEvent>(run).at(0);
  EXPECT_EQ(process.pid, 4242u);
  EXPECT_EQ(process.ppid, 1u);
  EXPECT_EQ(process.origin, trace::Origin::exec);
  EXPECT_EQ(process.mask_source, trace::MaskSource::proc);
  EXPECT_EQ(process.mask, 022u);
  EXPECT_EQ(process.uid, 1000u);
  EXPECT_EQ(process.gid, 100u);
  EXPECT_EQ(process.comm, "app");
  EXPECT_EQ(process.exe, "/usr/bin/app");
  EXPECT_EQ(process.thread, "app");
  const std::vector<RawFrame> frames = run.stack({0, 1});
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0].module, 1u);
  EXPECT_EQ(frames[0].offset, 0x1234u);
  EXPECT_EQ(frames[1].offset, 0x1080u);
  const ModuleInfo* module = run.module(0, 1);
  ASSERT_NE(module, nullptr);
  EXPECT_EQ(module->build_id, "deadbeef");
  EXPECT_EQ(module->path, "/usr/bin/app");
  EXPECT_EQ(module->base, 0x555500000000u);
  EXPECT_EQ(module->end, 0x555500003000u);
}

TEST_F(Page, RuntimeAndScriptStack) {
  const ReadRun run = open_or_die(directory_.path());
  ASSERT_EQ(run.runtimes().size(), 1u);
  EXPECT_EQ(run.runtimes()[0].text, "CPython 3.11.2");
  EXPECT_EQ(run.runtimes()[0].language, trace::Language::python);
  EXPECT_EQ(run.runtimes()[0].state, trace::RuntimeState::read);
  EXPECT_EQ(run.runtimes()[0].module, "/usr/bin/app");
  EXPECT_FALSE(run.script({0, 1}).has_value());
  const std::optional<ScriptStack> script = run.script({0, 2});
  ASSERT_TRUE(script);
  EXPECT_EQ(script->language, trace::Language::python);
  EXPECT_EQ(script->native, 1u);
  EXPECT_EQ(script->runtime, 1u);
  EXPECT_EQ(script->evaluator, 0x1060u);
  EXPECT_EQ(script->evaluator_size, 0x40u);
  EXPECT_FALSE(script->truncated || script->partial);
  ASSERT_EQ(script->frames.size(), 1u);
  EXPECT_EQ(script->frames[0].function, "set_mask");
  EXPECT_EQ(script->frames[0].file, "/home/user/app.py");
  EXPECT_EQ(script->frames[0].line, 12u);
  EXPECT_TRUE(script->frames[0].entry);
  EXPECT_EQ(script->frames[0].language, trace::Language::python);
  EXPECT_EQ(run.stack({0, 2}).size(), 2u);
}

TEST_F(Page, UmaskAndCreate) {
  const ReadRun run = open_or_die(directory_.path());
  const UmaskEvent umask = only<UmaskEvent>(run).at(0);
  EXPECT_EQ(umask.call, "umask");
  EXPECT_EQ(umask.change, 1u);
  EXPECT_EQ(umask.argument, 077u);
  EXPECT_EQ(umask.old_mask, 022u);
  EXPECT_EQ(umask.new_mask, 077u);
  EXPECT_EQ(umask.cached, 022u);
  EXPECT_FALSE(umask.drift);
  const CreateEvent create = only<CreateEvent>(run).at(0);
  EXPECT_EQ(create.call, "open");
  EXPECT_EQ(create.path, "/home/user/secret");
  EXPECT_EQ(create.path_arg, "secret");
  EXPECT_EQ(create.requested, 0666u);
  EXPECT_EQ(create.final_mode, 0640u);
  EXPECT_EQ(create.mask_set_by, umask.id);
  EXPECT_EQ(create.dev, 2049u);
  EXPECT_EQ(create.ino, 78u);
  EXPECT_EQ(create.birth_ns, 1700000000000000000);
  ASSERT_TRUE(create.parent && create.parent->acl);
  EXPECT_EQ(create.parent->mode, 02755u);
  EXPECT_EQ(create.parent->acl->group_obj, 5u);
  EXPECT_EQ(create.parent->fs_type, 0xEF53u);
  // u::rwx g::r-x o::--- in the mask's place makes 0666 into 0640.
  EXPECT_EQ(create.steps.back().rule, Rule::default_acl);
}

TEST_F(Page, TheOthers) {
  const ReadRun run = open_or_die(directory_.path());
  const ChmodEvent chmod = only<ChmodEvent>(run).at(0);
  EXPECT_EQ(chmod.path, "/home/user/secret");
  EXPECT_EQ(chmod.requested, 0600u);
  EXPECT_EQ(chmod.final_mode, 0600u);
  const RenameEvent rename = only<RenameEvent>(run).at(0);
  EXPECT_EQ(rename.from, "/home/user/secret");
  EXPECT_EQ(rename.to, "/home/user/key");
  EXPECT_EQ(rename.action, RenameEvent::Action::renamed);
  const ForkEvent fork = only<ForkEvent>(run).at(0);
  EXPECT_EQ(fork.child, 4243u);
  EXPECT_EQ(fork.origin, trace::Origin::vfork);
  const BlindSpotEvent spot = only<BlindSpotEvent>(run).at(0);
  EXPECT_EQ(spot.reason, trace::Blind::deepbind);
  EXPECT_EQ(spot.text, "libdeep.so");
  EXPECT_EQ(only<NoteEvent>(run).at(0).text, "ready");
  const ExecEvent exec = only<ExecEvent>(run).at(0);
  EXPECT_EQ(exec.path, "/bin/nothing");
  EXPECT_EQ(exec.error, 2);
  EXPECT_EQ(only<ThreadCreateEvent>(run).at(0).stack.id, 1u);
}

}  // namespace
}  // namespace umaskaudit::reader
