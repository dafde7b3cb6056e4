// The table of runtimes, and the records of scripts' frames; see script.h.

#include "preload/script/script.h"

#include <atomic>
#include <cstring>
#include <new>

#include "preload/record/intern.h"
#include "preload/script/runtime.h"
#include "preload/sys/scratch.h"

namespace umaskaudit::shim {

namespace {

constexpr Runtime kRuntimes[] = {
#define RUNTIME(identifier, language)                                                        \
  {trace::Language::language, identifier##_runtime::describe, identifier##_runtime::capture, \
   identifier##_runtime::decode},
#include "preload/script/runtimes.def"
#undef RUNTIME
};

// A runtime in a module. Taken by one thread and published by its module's number, which is stored
// last.
struct Met {
  std::atomic<std::uint32_t> module = 0;
  const Runtime* runtime = nullptr;
  std::uintptr_t evaluator = 0;
  std::size_t evaluator_size = 0;
  std::atomic<bool> proven = false;  // a capture has found what the layout promises
  std::atomic<bool> off = false;     // a capture has not
  Layout layout = {};
};
constinit Met met[kMostRuntimes] = {};
constinit std::atomic<unsigned> taken = 0;

constinit InternTable frames;  // by their places' keys
constinit InternTable stacks;  // by native stack and places

struct Writer {
  const Author& author;
  Met& in;
  Moment moment;
  ScriptSpace& space;
};

std::uint32_t write_frame(const Writer& writer, const PlaceText& text) {
  trace::ScriptFrame record{};
  record.id = next_id(trace::IdSpace::script_frame);
  record.line = text.line;
  record.language = static_cast<std::uint8_t>(writer.in.runtime->language);
  record.flags = text.flags;
  record.function_length = static_cast<std::uint16_t>(text.function_length);
  if (text.file_length != 0) {
    record.file = intern_path(writer.author, text.file, text.file_length);
  }
  const bool written = write_record(trace::RecordType::script_frame, writer.author, record,
                                    {text.function, text.function_length});
  return written ? record.id : 0;
}

// 0: its text cannot be had, or the record was lost.
std::uint32_t intern_place(const Writer& writer, const ScriptPlace& place, PlaceText& text) {
  std::uint32_t id = frames.find(place.key);
  if (id != 0) return id;
  text.file_length = text.function_length = text.line = 0;
  text.flags = 0;
  const Met& in = writer.in;
  if (!in.runtime->decode(in.layout, writer.moment, place, text, writer.space.window)) return 0;
  id = write_frame(writer, text);
  if (id != 0) frames.insert(place.key, id);
  return id;
}

std::uint32_t write_script(const Writer& writer, std::uint32_t native, const std::uint32_t* words) {
  trace::ScriptStack record{};
  record.id = next_id(trace::IdSpace::stack);
  record.native = native;
  record.count = static_cast<std::uint16_t>(writer.space.count);
  if (writer.space.truncated) record.flags |= trace::kStackTruncated;
  if (writer.space.partial) record.flags |= trace::kStackPartial;
  record.runtime = writer.in.module.load(std::memory_order_relaxed);
  const auto size = static_cast<std::uint32_t>(writer.space.count * sizeof words[0]);
  const bool written =
      write_record(trace::RecordType::script_stack, writer.author, record, {words, size});
  if (!written) count_loss(trace::Loss::stack_dropped);
  return written ? record.id : 0;
}

// What the records of a new stack are made of.
struct TextSpace {
  std::uint32_t words[kMostPlaces];
  PlaceText text;
};
static_assert(sizeof(TextSpace) <= Scratch::kSize);

[[gnu::noinline]] std::uint32_t intern_script(const Writer& writer, std::uint32_t native) {
  const Scratch buffer;
  if (buffer.get() == nullptr) return 0;
  auto& room = *new (buffer.get()) TextSpace;
  for (unsigned i = 0; i < writer.space.count; ++i) {
    const ScriptPlace& place = writer.space.places[i];
    const std::uint32_t id = intern_place(writer, place, room.text);
    if (id == 0) return 0;
    room.words[i] = id | (place.entry ? trace::kScriptEntry : 0);
  }
  return write_script(writer, native, room.words);
}

std::uint64_t hash_of(const ScriptSpace& space, std::uint32_t native) {
  std::uint64_t hash = mix(native, space.count);
  for (unsigned i = 0; i < space.count; ++i) {
    hash = mix(hash, space.places[i].key + (space.places[i].entry ? 1 : 0));
  }
  return hash | 1;
}

// The first capture is the layout's test: where it fails, there is none after it.
void learn(const Author& author, Met& in, Captured result, const ScriptSpace& space) {
  if (result == Captured::frames && space.count != 0) {
    in.proven.store(true, std::memory_order_relaxed);
  }
  if (result != Captured::refused || in.proven.load(std::memory_order_relaxed)) return;
  if (in.off.exchange(true)) return;
  trace::Runtime record{};
  record.module = in.module.load(std::memory_order_relaxed);
  record.language = static_cast<std::uint8_t>(in.runtime->language);
  record.state = static_cast<std::uint16_t>(trace::RuntimeState::unknown_layout);
  write_record(trace::RecordType::runtime, author, record);
}

std::uint32_t capture(const Author& author, std::uint32_t native, Met& in, bool interrupted,
                      ScriptSpace& space) {
  const Moment moment = interrupted ? Moment::interrupted : Moment::in_call;
  space.count = 0;
  space.truncated = space.partial = false;
  const Captured result = in.runtime->capture(in.layout, moment, space);
  if (__builtin_expect(!in.proven.load(std::memory_order_relaxed) && !interrupted, 0)) {
    learn(author, in, result, space);
  }
  if (result != Captured::frames) {
    count_loss(trace::Loss::script_unread);
    return native;
  }
  if (space.count == 0) return native;
  const std::uint64_t hash = hash_of(space, native);
  std::uint32_t id = stacks.find(hash);
  if (id != 0) return id;
  id = intern_script({author, in, moment, space}, native);
  if (id == 0) return native;
  stacks.insert(hash, id);
  return id;
}

// For stacks that have room: a buffer of Scratch costs two operations on a word of all threads.
[[gnu::noinline]] std::uint32_t capture_here(const Author& author, std::uint32_t native, Met& in,
                                             bool interrupted) {
  ScriptSpace space;
  static_assert(sizeof space <= kRoomForScript / 2);
  return capture(author, native, in, interrupted, space);
}

[[gnu::noinline]] std::uint32_t capture_apart(const Author& author, std::uint32_t native, Met& in,
                                              bool interrupted) {
  const Scratch buffer;
  static_assert(sizeof(ScriptSpace) <= Scratch::kSize);
  if (buffer.get() == nullptr) return native;
  return capture(author, native, in, interrupted, *new (buffer.get()) ScriptSpace);
}

void write_runtime(const Author& author, std::uint32_t module, const Runtime& runtime,
                   std::uintptr_t bias, const RuntimeFacts& facts) {
  trace::Runtime record{};
  record.module = module;
  record.language = static_cast<std::uint8_t>(runtime.language);
  record.state = static_cast<std::uint16_t>(facts.state);
  if (facts.evaluator_size != 0) record.evaluator = facts.evaluator - bias;
  record.evaluator_size = facts.evaluator_size;
  record.text_length = static_cast<std::uint32_t>(strnlen(facts.text, sizeof facts.text));
  write_record(trace::RecordType::runtime, author, record, {facts.text, record.text_length});
}

}  // namespace

void meet_module(const Author& author, const NewModule& module) {
  if (process.options.scripts == Stacks::none || module.dynamic == nullptr) return;
  const Scratch buffer;
  if (buffer.get() == nullptr) return;
  struct Parts {
    Exports exports;
    Layout layout;
    RuntimeFacts facts;
  };
  static_assert(sizeof(Parts) <= Scratch::kSize);
  auto& parts = *new (buffer.get()) Parts{
      Exports(module.bias, module.dynamic, module.path, module.path_length), {}, {}};
  for (const Runtime& runtime : kRuntimes) {
    if (!runtime.describe(parts.exports, parts.layout, parts.facts)) continue;
    write_runtime(author, module.id, runtime, module.bias, parts.facts);
    if (parts.facts.state != trace::RuntimeState::read) return;
    const unsigned number = taken.fetch_add(1, std::memory_order_relaxed);
    if (number >= kMostRuntimes) return taken.store(kMostRuntimes, std::memory_order_relaxed);
    Met& in = met[number];
    in.runtime = &runtime;
    in.evaluator = parts.facts.evaluator;
    in.evaluator_size = parts.facts.evaluator_size;
    in.layout = parts.layout;
    in.module.store(module.id, std::memory_order_release);
    return;
  }
}

Shown runtime_of_frame(std::uint32_t module, std::uintptr_t pc) {
  const unsigned count = taken.load(std::memory_order_relaxed);
  for (unsigned i = 0; i < count && i < kMostRuntimes; ++i) {
    const Met& in = met[i];
    if (in.module.load(std::memory_order_acquire) != module) continue;
    const auto number = static_cast<RuntimeNumber>(i + 1);
    // A return address: behind the call.
    const bool runs = in.evaluator_size == 0 || pc - 1 - in.evaluator < in.evaluator_size;
    return {runs ? number : RuntimeNumber{0}, number};
  }
  return {};
}

std::uint32_t add_script(const Author& author, std::uint32_t native,
                         const ScriptQuestion& question) {
  Met& in = met[question.runtime - 1];
  if (in.off.load(std::memory_order_relaxed)) return native;
  if (question.roomy) return capture_here(author, native, in, question.interrupted);
  return capture_apart(author, native, in, question.interrupted);
}

}  // namespace umaskaudit::shim
