// The table of runtimes, and the records of scripts' frames; see script.h.

#include "preload/script/script.h"

#include <atomic>
#include <cstring>
#include <new>

#include "preload/record/intern.h"
#include "preload/script/runtime.h"
#include "preload/sys/own_stack.h"
#include "preload/sys/scratch.h"

namespace umaskaudit::shim {

namespace {

constexpr Runtime kRuntimes[] = {
#define RUNTIME(identifier, language, symbol)                         \
  {trace::Language::language, symbol, identifier##_runtime::describe, \
   identifier##_runtime::capture, identifier##_runtime::decode},
#include "preload/script/runtimes.def"
#undef RUNTIME
};

// A runtime in a module. One thread claims an entry, and publishes it by storing the module's
// number last.
struct KnownRuntime {
  std::atomic<std::uint32_t> module = 0;
  const Runtime* runtime = nullptr;
  RuntimeFacts facts = {};
  std::uintptr_t bias = 0;
  std::atomic<bool> proven = false;       // a stack was captured and decoded: the layout is right
  std::atomic<bool> off = false;          // the layout is wrong: there are no more captures
  std::atomic<std::uint32_t> doubts = 0;  // failures before that which may have another reason
  Layout layout = {};
};
constinit KnownRuntime known_runtimes[kMostRuntimes] = {};
constinit std::atomic<unsigned> taken = 0;

// The first known runtime for which `is_it` is true. Null: none.
template <typename Predicate>
KnownRuntime* find_runtime(Predicate is_it) {
  const unsigned count = taken.load(std::memory_order_relaxed);
  for (unsigned i = 0; i < count && i < kMostRuntimes; ++i) {
    if (is_it(known_runtimes[i], known_runtimes[i].module.load(std::memory_order_acquire)))
      return &known_runtimes[i];
  }
  return nullptr;
}

constinit InternTable frames;  // by their places' keys
constinit InternTable stacks;  // by native stack and places

struct Writer {
  const Author& author;
  KnownRuntime& in;
  Moment moment;
  ScriptSpace& space;
  bool refused = false;  // a place could not be decoded
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

// The value for a place's key in the table of frames: id, and whether another frame of the same
// place follows.
constexpr std::uint32_t kMore = std::uint32_t{1} << 31;

void clear(PlaceText& text) {
  text.file_length = text.function_length = text.line = 0;
  text.flags = 0;
  text.more = false;
}

std::uint64_t key_of(const ScriptPlace& place, unsigned part) {
  return part == 0 ? place.key : mix(place.key, part) | 1;
}

// 0: its text could not be read, or the record was lost.
std::uint32_t intern_part(Writer& writer, const ScriptPlace& place, PlaceText& text) {
  const std::uint64_t key = key_of(place, text.part);
  const std::uint32_t known = frames.find(key);
  if (known != 0) return known;
  clear(text);
  const KnownRuntime& in = writer.in;
  if (!in.runtime->decode(in.layout, writer.moment, place, text, writer.space.window)) {
    writer.refused = true;
    return 0;
  }
  const std::uint32_t id = write_frame(writer, text);
  if (id == 0) return 0;
  const std::uint32_t word = id | (text.more ? kMore : 0);
  frames.insert(key, word);
  return word;
}

std::uint32_t write_script(const Writer& writer, std::uint32_t native, const std::uint32_t* words,
                           unsigned count) {
  trace::ScriptStack record{};
  record.id = next_id(trace::IdSpace::stack);
  record.native = native;
  record.count = static_cast<std::uint16_t>(count);
  if (writer.space.truncated) record.flags |= trace::kStackTruncated;
  if (writer.space.partial) record.flags |= trace::kStackPartial;
  record.runtime = writer.in.module.load(std::memory_order_relaxed);
  const auto size = static_cast<std::uint32_t>(count * sizeof words[0]);
  const bool written =
      write_record(trace::RecordType::script_stack, writer.author, record, {words, size});
  if (!written) count_loss(trace::Loss::stack_dropped);
  return written ? record.id : 0;
}

// The buffers for the records of a new stack.
struct TextSpace {
  std::uint32_t words[kMostPlaces];
  PlaceText text;
};
static_assert(sizeof(TextSpace) <= Scratch::kSize);

[[gnu::noinline]] std::uint32_t intern_script(Writer& writer, std::uint32_t native) {
  const Scratch buffer;
  if (buffer.get() == nullptr) return 0;
  auto& room = *new (buffer.get()) TextSpace;
  unsigned count = 0;
  for (unsigned i = 0; i < writer.space.count; ++i) {
    const ScriptPlace& place = writer.space.places[i];
    std::uint32_t word = kMore;
    for (room.text.part = 0; (word & kMore) != 0 && count < kMostPlaces; ++room.text.part) {
      word = intern_part(writer, place, room.text);
      if (word == 0) return 0;
      room.words[count++] = word & ~kMore;
    }
    if ((word & kMore) != 0) writer.space.truncated = true;
    if (place.entry && count != 0) room.words[count - 1] |= trace::kScriptEntry;
    if (count == kMostPlaces && i + 1 < writer.space.count) {
      writer.space.truncated = true;
      break;
    }
  }
  return write_script(writer, native, room.words, count);
}

std::uint64_t hash_of(const ScriptSpace& space, std::uint32_t native) {
  std::uint64_t hash = mix(native, space.count << 1 | (space.partial ? 1 : 0));
  for (unsigned i = 0; i < space.count; ++i) {
    hash = mix(hash, space.places[i].key + (space.places[i].entry ? 1 : 0));
  }
  return hash | 1;
}

void write_runtime(const Author& author, std::uint32_t module, trace::Language language,
                   std::uintptr_t bias, const RuntimeFacts& facts) {
  trace::Runtime record{};
  record.module = module;
  record.language = static_cast<std::uint8_t>(language);
  record.state = static_cast<std::uint16_t>(facts.state);
  if (facts.evaluator_size != 0) record.evaluator = facts.evaluator - bias;
  record.evaluator_size = facts.evaluator_size;
  record.text_length = static_cast<std::uint32_t>(strnlen(facts.text, sizeof facts.text));
  write_record(trace::RecordType::runtime, author, record, {facts.text, record.text_length});
}

Moment moment_of(const KnownRuntime& in, const ScriptQuestion& question) {
  if (question.interrupted) return Moment::interrupted;
  return in.proven.load(std::memory_order_relaxed) ? Moment::in_call : Moment::unproven;
}

// A stack that leads through the evaluator has a script frame at least.
Captured capture_places(KnownRuntime& in, const ScriptQuestion& question, Moment moment,
                        ScriptSpace& space) {
  space.linked = question.linked;
  const Captured result = in.runtime->capture(in.layout, moment, space);
  const bool is_empty = result == Captured::frames && space.count == 0;
  return is_empty && in.facts.evaluator_size != 0 ? Captured::missing : result;
}

void switch_off(const Author& author, KnownRuntime& in) {
  if (in.off.exchange(true)) return;
  RuntimeFacts facts = in.facts;
  facts.state = trace::RuntimeState::unknown_layout;
  write_runtime(author, in.module.load(std::memory_order_relaxed), in.runtime->language, in.bias,
                facts);
}

// Counts the event, and decides whether the layout is wrong: captures of other threads may succeed
// meanwhile.
void note_failure(const Author& author, KnownRuntime& in, Moment moment, Captured result) {
  count_loss(trace::Loss::script_unread);
  if (moment != Moment::unproven || in.proven.load(std::memory_order_relaxed)) return;
  constexpr std::uint32_t kTooMany = 8;
  const bool in_doubt = result == Captured::missing;
  if (in_doubt && in.doubts.fetch_add(1, std::memory_order_relaxed) + 1 < kTooMany) return;
  if (result != Captured::barred) switch_off(author, in);
}

std::uint32_t capture(const Author& author, std::uint32_t native, KnownRuntime& in,
                      const ScriptQuestion& question, ScriptSpace& space) {
  const Moment moment = moment_of(in, question);
  const Captured result = capture_places(in, question, moment, space);
  if (result != Captured::frames && result != Captured::none) {
    note_failure(author, in, moment, result);
    return native;
  }
  if (space.count == 0) return native;
  const std::uint64_t hash = hash_of(space, native);
  std::uint32_t id = stacks.find(hash);
  if (id != 0) return id;
  Writer writer{author, in, moment, space};
  id = intern_script(writer, native);
  if (id == 0) {
    if (writer.refused) note_failure(author, in, moment, Captured::missing);
    return native;
  }
  stacks.insert(hash, id);
  in.proven.store(true, std::memory_order_relaxed);
  return id;
}

// For callers with enough stack: a Scratch buffer costs two atomic operations on a word that all
// threads share.
[[gnu::noinline]] std::uint32_t capture_here(const Author& author, std::uint32_t native,
                                             KnownRuntime& in, const ScriptQuestion& question) {
  ScriptSpace space;
  static_assert(sizeof space <= kRoomForScript / 2);
  return capture(author, native, in, question, space);
}

[[gnu::noinline]] std::uint32_t capture_apart(const Author& author, std::uint32_t native,
                                              KnownRuntime& in, const ScriptQuestion& question) {
  const Scratch buffer;
  static_assert(sizeof(ScriptSpace) <= Scratch::kSize);
  if (buffer.get() == nullptr) return native;
  return capture(author, native, in, question, *new (buffer.get()) ScriptSpace);
}

// The most stack that a runtime needs: V8, which reads frames in batches.
constexpr std::uintptr_t kStackForScript = 2560;
bool is_short_here() {
  return is_short_of_stack(reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)),
                           kStackForScript);
}

}  // namespace

void meet_module(const Author& author, const NewModule& module) {
  if (process.options.scripts == Stacks::none || module.dynamic == nullptr) return;
  if (is_short_here()) return;
  const Scratch buffer;
  if (buffer.get() == nullptr) return;
  struct Parts {
    Exports exports;
    Layout layout;
    RuntimeFacts facts;
  };
  static_assert(sizeof(Parts) <= Scratch::kSize);
  auto& parts =
      *new (buffer.get()) Parts{Exports(module.bias, module.dynamic, module.path), {}, {}};
  bool is_known = false;  // the module is a runtime that cannot be read, which the trace says
  for (const Runtime& runtime : kRuntimes) {
    // The script's name is said of the program only where there is nothing better.
    const bool is_last = runtime.language == trace::Language::script;
    if (is_last ? taken.load(std::memory_order_relaxed) != 0 : is_known) continue;
    if (runtime.symbol != nullptr && parts.exports.address_of(runtime.symbol) == 0) continue;
    new (&parts.facts) RuntimeFacts;
    if (!runtime.describe(parts.exports, parts.layout, parts.facts)) continue;
    if (!is_known) write_runtime(author, module.id, runtime.language, module.bias, parts.facts);
    is_known = true;
    if (parts.facts.state != trace::RuntimeState::read) continue;
    const unsigned number = taken.fetch_add(1, std::memory_order_relaxed);
    if (number >= kMostRuntimes) return taken.store(kMostRuntimes, std::memory_order_relaxed);
    KnownRuntime& in = known_runtimes[number];
    in.runtime = &runtime;
    in.facts = parts.facts;
    in.bias = module.bias;
    in.layout = parts.layout;
    in.module.store(module.id, std::memory_order_release);
    return;
  }
}

Shown runtime_of_frame(std::uint32_t module, std::uintptr_t pc) {
  const KnownRuntime* const in = find_runtime([&](const KnownRuntime& one, std::uint32_t own) {
    return module == 0 ? own != 0 && one.facts.owns_generated_code : own == module;
  });
  if (in == nullptr) return {};
  const auto number = static_cast<RuntimeNumber>(in - known_runtimes + 1);
  const RuntimeFacts& facts = in->facts;
  if (facts.owns_generated_code) return {module == 0 ? number : RuntimeNumber{0}, number};
  // A return address is after the call.
  const bool runs = facts.evaluator_size == 0 || pc - 1 - facts.evaluator < facts.evaluator_size;
  return {runs ? number : RuntimeNumber{0}, number};
}

bool find_linked_code(const Author& author, std::uint32_t module, std::uintptr_t pc) {
  const KnownRuntime* const in = find_runtime(
      [&](const KnownRuntime&, std::uint32_t own) { return own != 0 && own == module; });
  if (in == nullptr || !in->facts.has_linked_code) return false;
  const CodeRange range = tableless_code(pc - 1);
  if (!follow_frame_pointers_in(range)) return false;
  RuntimeFacts facts = in->facts;
  facts.evaluator = range.begin;
  facts.evaluator_size = range.end - range.begin;
  write_runtime(author, module, in->runtime->language, in->bias, facts);
  return true;
}

std::uint32_t add_script(const Author& author, std::uint32_t native,
                         const ScriptQuestion& question) {
  KnownRuntime& in = known_runtimes[question.runtime - 1];
  if (in.off.load(std::memory_order_relaxed)) return native;
  if (question.roomy) return capture_here(author, native, in, question);
  if (is_short_here()) {
    count_loss(trace::Loss::script_unread);
    return native;
  }
  return capture_apart(author, native, in, question);
}

void show_script(const ScriptQuestion& question, ShowPlace show, void* to) {
  KnownRuntime& in = known_runtimes[question.runtime - 1];
  const Scratch space_buffer;
  const Scratch text_buffer;
  if (in.off.load(std::memory_order_relaxed) || space_buffer.get() == nullptr ||
      text_buffer.get() == nullptr) {
    return;
  }
  auto& space = *new (space_buffer.get()) ScriptSpace;
  auto& text = *new (text_buffer.get()) PlaceText;
  const Moment moment = moment_of(in, question);
  if (capture_places(in, question, moment, space) != Captured::frames) return;
  for (unsigned i = 0; i < space.count; ++i) {
    bool more = true;
    for (text.part = 0; more; ++text.part) {
      clear(text);
      if (!in.runtime->decode(in.layout, moment, space.places[i], text, space.window)) return;
      more = text.more;
      if (!show(to, text)) return;
    }
  }
  if (space.count != 0) in.proven.store(true, std::memory_order_relaxed);
}

}  // namespace umaskaudit::shim
