// Feeds bytes to the trace reader: whatever they are, it must neither crash, hang nor ask for
// memory that the bytes do not account for. A libFuzzer target; with PLAIN_DRIVER a program that
// runs the seeds, a fixed number of mutations of them, and the files below the directories it is
// given.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>

#include "preload/trace/checksum.h"
#include "reporter/reader/run.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/seeds.h"
#include "tests/unit/reader/segment_builder.h"

namespace umaskaudit {
namespace {

using testing::kSplit;
using testing::kSplitLength;
using testing::require;
using testing::touch;

// One directory for the life of the process; /dev/shm is memory.
const testing::RunDirectory& directory() {
  static const auto made = [] {
    if (::access("/dev/shm", W_OK) == 0) ::setenv("TMPDIR", "/dev/shm", 1);
    return std::make_unique<testing::RunDirectory>();
  }();
  return *made;
}

std::vector<std::string> parts_of(std::string_view input) {
  constexpr std::size_t kMostParts = 8;
  std::vector<std::string> parts;
  while (parts.size() + 1 < kMostParts) {
    const std::size_t at = input.find(std::string_view(kSplit, kSplitLength));
    if (at == std::string_view::npos) break;
    parts.emplace_back(input.substr(0, at));
    input.remove_prefix(at + kSplitLength);
  }
  parts.emplace_back(input);
  return parts;
}

// Mutations break checksums, and nothing behind them would be reached: put right the commit word of
// whatever looks like a record.
void seal(std::string* segment) {
  std::uint64_t at = sizeof(trace::SegmentHeader);
  while (at + sizeof(trace::RecordHeader) <= segment->size()) {
    trace::RecordHeader head;
    std::memcpy(&head, segment->data() + at, sizeof head);
    const bool possible = head.length >= sizeof head && head.length <= trace::kMaxRecord &&
                          head.length % trace::kRecordAlign == 0 &&
                          head.length <= segment->size() - at;
    if (!possible) {
      at += trace::kRecordAlign;
      continue;
    }
    head.commit = trace::record_checksum(segment->data() + at, head.length, at);
    std::memcpy(segment->data() + at, &head, sizeof head);
    at += head.length;
  }
}

void check_create(const CreateEvent& create) {
  touch(create.path);
  touch(create.path_arg);
  require(!create.steps.empty(), "a creation has steps");
  if (create.final_mode && create.error == 0) {
    require(create.steps.back().mode == *create.final_mode, "the last step is the final mode");
  }
  require(create.created != trace::Created::probably, "who made it is settled");
  require(create.ambiguous_masks.size() != 1, "one mask is not ambiguous");
}

void walk(const reader::Run& run) {
  std::uint64_t seq = 0;
  std::uint64_t told = 0;
  std::uint64_t last_id = 0;
  run.for_each_folded([&](const Event& event) {
    const EventBase& base = std::visit([](const auto& e) -> const EventBase& { return e; }, event);
    const auto* change = std::get_if<UmaskEvent>(&event);
    seq += change != nullptr ? change->folded.count : 1;
    require(base.seq == seq, "seq has no gaps");
    ++told;
    touch(base.thread);
    touch(base.call);
    for (const RawFrame& frame : run.stack(base.stack)) {
      const ModuleInfo* module = run.module(base.stack.segment, frame.module);
      if (module != nullptr) touch(module->path);
    }
    if (const std::optional<ScriptStack> script = run.script(base.stack)) {
      for (const ScriptFrame& frame : script->frames) {
        touch(frame.function);
        touch(frame.file);
      }
    }
    if (const auto* umask = std::get_if<UmaskEvent>(&event)) {
      require(umask->id != 0, "a mask change has an id");
      last_id = std::max(last_id, umask->id);
    } else if (const auto* create = std::get_if<CreateEvent>(&event)) {
      check_create(*create);
    } else if (const auto* process = std::get_if<ProcessEvent>(&event)) {
      touch(process->exe);
    } else if (const auto* note = std::get_if<NoteEvent>(&event)) {
      touch(note->text);
    } else if (const auto* exec = std::get_if<ExecEvent>(&event)) {
      touch(exec->path);
    }
    return true;
  });
  for (const ScriptRuntime& runtime : run.runtimes()) {
    touch(runtime.text);
    touch(runtime.module);
  }
  for (const DroppedEvents& events : run.dropped().events) {
    touch(events.call);
    require(events.count != 0, "a total counts something");
  }
  const reader::Completeness& all = run.completeness();
  require(last_id <= seq, "ids are not more than events");
  // A fold is told in seven events, and has a cell or a record.
  require(told <= 8 * all.records + 7 * trace::kFolds * all.segments + all.losses.size(),
          "events come from records");
}

void read_parts(const std::vector<std::string>& parts) {
  unsigned number = 0;
  for (const std::string& part : parts) {
    directory().write(std::to_string(++number) + "-1.seg", part);
  }
  const Result<reader::Run> run = reader::Run::open(directory().path());
  if (run) walk(run.value());
  for (; number > 0; --number) {
    const std::string path = directory().path() + "/" + std::to_string(number) + "-1.seg";
    ::unlink(path.c_str());
  }
}

void one_input(std::string_view input) {
  std::vector<std::string> parts = parts_of(input);
  read_parts(parts);
  for (std::string& part : parts) seal(&part);
  read_parts(parts);
}

}  // namespace
}  // namespace umaskaudit

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  umaskaudit::one_input({reinterpret_cast<const char*>(data), size});
  return 0;
}

#ifdef PLAIN_DRIVER

namespace {

// The same mutations in every run: a failure can be repeated.
void run_mutations() {
  std::mt19937_64 random(20240229);
  for (const auto& seed : umaskaudit::testing::trace_seeds()) {
    umaskaudit::one_input(seed.bytes);
    // Of a seed that is mostly hole, the bytes that say something.
    constexpr std::size_t kLong = 1 << 16;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < seed.bytes.size() && seed.bytes.size() > kLong; ++i) {
      if (seed.bytes[i] != 0) places.push_back(i);
    }
    for (int i = 0; i < 400; ++i) {
      std::string bytes = seed.bytes;
      for (std::uint64_t n = 1 + random() % 8; n > 0; --n) {
        const std::size_t place =
            places.empty() ? random() % bytes.size() : places[random() % places.size()];
        bytes[place] = static_cast<char>(random());
      }
      if (random() % 4 == 0) bytes.resize(random() % bytes.size());
      umaskaudit::one_input(bytes);
    }
  }
}

int write_seeds(const std::string& where) {
  std::filesystem::create_directories(where);
  for (const auto& seed : umaskaudit::testing::trace_seeds()) {
    std::ofstream(where + "/" + seed.name, std::ios::binary) << seed.bytes;
  }
  return 0;
}

}  // namespace

// fuzz_trace_reader_files [DIR...] | --write-seeds DIR
int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--write-seeds") == 0) return write_seeds(argv[2]);
  run_mutations();
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      umaskaudit::one_input(std::string(std::istreambuf_iterator<char>(file), {}));
    }
  }
  return 0;
}

#endif
