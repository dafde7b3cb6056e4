// Frames of Ruby 3.1, as caller_locations() shows them, for methods and blocks of the script.
// Functions of extensions have no line, and are left out.
// A thread's frames belong to it, and the objects that they refer to stay alive. While the thread
// holds the interpreter's lock nothing else runs; without it another thread may compact the heap,
// so everything is copied and checked. Where a signal handler interrupted the interpreter, its
// current line is in a register, and is not recorded. Sources: vm_core.h, iseq.c, iseq.h,
// vm_backtrace.c and the public headers of Ruby 3.1.

#include <cstring>
#include <new>

#include "preload/record/intern.h"
#include "preload/script/named_places.h"
#include "preload/sys/format_text.h"

namespace umaskaudit::shim::ruby_runtime {

namespace {

// RBasic: the common part of heap objects.
constexpr std::uint64_t kTypeMask = 0x1f;
constexpr std::uint64_t kIsString = 0x05;
constexpr std::uint64_t kIsArray = 0x07;
constexpr std::uint64_t kIsData = 0x0c;
constexpr std::uint64_t kIsInternal = 0x1a;  // T_IMEMO
constexpr unsigned kInternalShift = 12;
constexpr std::uint64_t kInternalMask = 0x0f;
constexpr std::uint64_t kIsInstructions = 7;  // imemo_iseq

struct Object {  // RString, RArray, RTypedData: 5 words
  std::uint64_t flags;
  std::uintptr_t object_class;
  std::uint64_t words[3];
};
constexpr unsigned kContent = 16;            // of an object that has it within
constexpr std::uint64_t kFlag1 = 1 << 13;    // FL_USER1: of a string not within, of an array within
constexpr unsigned kStringLengthShift = 14;  // of 5 bits

struct Thread {  // rb_thread_t
  std::uint64_t list[2];
  std::uintptr_t self;
  std::uintptr_t ractor, machine;
  std::uintptr_t context;
};

struct ExecutionContext {  // rb_execution_context_t
  std::uintptr_t stack;
  std::uint64_t stack_size;  // in words
  std::uintptr_t frame;
  std::uint64_t words[3];
  std::uintptr_t thread;
};
static_assert(offsetof(ExecutionContext, thread) == 48);

struct Frame {                 // rb_control_frame_t: towards higher addresses lie the callers
  std::uintptr_t instruction;  // 0: of a function of C
  std::uintptr_t stack_pointer;
  std::uintptr_t instructions;
  std::uint64_t words[5];
};
static_assert(sizeof(Frame) == 64);

struct Instructions {  // rb_iseq_t
  std::uint64_t flags;
  std::uintptr_t wrapper;
  std::uintptr_t body;
};

struct InstructionsBody {  // struct rb_iseq_constant_body
  std::uint32_t type;
  std::uint32_t size;  // in words
  std::uintptr_t first;
  std::uint64_t parameters[6];
  std::uintptr_t path;  // a string, or an array of path and real path
  std::uintptr_t base_label;
  std::uintptr_t label;
  std::uint64_t location[4];
  std::uintptr_t lines;      // an InstructionInfo for each range
  std::uintptr_t positions;  // where ranges begin, while they are compiled
  std::uint32_t line_count;
  std::uint32_t padding;
  std::uintptr_t line_table;
};
static_assert(offsetof(InstructionsBody, path) == 64 && offsetof(InstructionsBody, lines) == 120);

struct InstructionInfo {  // struct iseq_insn_info_entry
  std::int32_t line;
  std::int32_t node;
  std::uint32_t events;
};

struct Structures {
  int (*is_ruby_thread)();             // ruby_native_thread_p
  int (*has_lock)();                   // ruby_thread_has_gvl_p
  std::uintptr_t (*current_thread)();  // rb_thread_current
  std::uintptr_t machine;              // ruby_current_vm_ptr: a null pointer after the end
};

Peek::Way way_at(const Structures& ruby, Moment moment) {
  return ruby.has_lock() != 0 ? shim::way_at(moment) : Peek::Way::copies;
}

struct Text {
  std::uintptr_t at = 0;
  std::uint32_t length = 0;
};

bool find_string(Peek& memory, std::uintptr_t string, Text& text) {
  constexpr std::uint64_t kLongest = 1 << 20;
  Object found{};
  if (!memory.get(string, found) || (found.flags & kTypeMask) != kIsString) return false;
  const bool is_within = (found.flags & kFlag1) == 0;
  const std::uint64_t length =
      is_within ? found.flags >> kStringLengthShift & 0x1f : found.words[0];
  text.at = is_within ? string + kContent : found.words[1];
  text.length = static_cast<std::uint32_t>(length);
  return length <= kLongest;
}

bool find_path(Peek& memory, std::uintptr_t path, Text& text) {
  Object found{};
  if (!memory.get(path, found)) return false;
  if ((found.flags & kTypeMask) == kIsString) return find_string(memory, path, text);
  if ((found.flags & kTypeMask) != kIsArray) return false;
  std::uintptr_t first = found.words[0];
  const bool is_within = (found.flags & kFlag1) != 0;
  if (!is_within && !memory.get(found.words[2], first)) return false;
  return find_string(memory, first, text);
}

bool mix_text(Peek& memory, const Text& text, std::uint64_t& key) {
  key = mix(key, text.length);
  return mix_bytes(memory, text.at, text.length < kLongestText ? text.length : kLongestText, key);
}

bool copy_text(Peek& memory, const Text& text, char* to, std::uint32_t room,
               std::uint32_t& length) {
  length = text.length < room ? text.length : room;
  return length == 0 || memory.read(text.at, to, length);
}

// succ_index_lookup(): the number of ranges that begin at or before `position`. The first positions
// have 7 bits each, 9 to a word; then come blocks of 512 bits, each with the count before the block
// and, in 9 bits each, the counts before its words.
bool find_range(Peek& memory, std::uintptr_t table, std::uint32_t position, std::uint32_t& range) {
  constexpr std::uint32_t kImmediate = 54;
  struct Block {
    std::uint32_t rank;
    std::uint32_t padding;
    std::uint64_t word_ranks;
    std::uint64_t bits[8];
  };
  if (position < kImmediate) {
    std::uint64_t word = 0;
    if (!memory.get(table + position / 9 * sizeof word, word)) return false;
    range = static_cast<std::uint32_t>(word >> position % 9 * 7 & 0x7f);
    return true;
  }
  const std::uint32_t at = position - kImmediate;
  const std::uint32_t word = at % 512 / 64;
  const std::uintptr_t block = table + kImmediate / 9 * sizeof(std::uint64_t);
  Block found{};
  if (!memory.get(block + std::uintptr_t{at / 512} * sizeof found, found)) return false;
  range = found.rank;
  if (word != 0) range += static_cast<std::uint32_t>(found.word_ranks >> (word - 1) * 9 & 0x1ff);
  range += static_cast<std::uint32_t>(__builtin_popcountll(found.bits[word] << (63 - at % 64)));
  return true;
}

struct Place {
  Text file, function;
  std::uint32_t line = 0;
};

class Callers {
 public:
  Callers(const Structures& ruby, Peek& memory) : memory_(memory) {
    std::uintptr_t machine = 0;
    if (ruby.is_ruby_thread() == 0 || !memory.get(ruby.machine, machine) || machine == 0) return;
    whole_ = open(ruby.current_thread());
  }

  bool next(Place& place) {
    constexpr unsigned kMostSteps = 10'000;
    for (; whole_ && frame_ < end_ && steps_ < kMostSteps; ++steps_) {
      Frame frame{};
      whole_ = memory_.get(frame_, frame);
      frame_ += sizeof frame;
      if (!whole_ || frame.instruction == 0 || frame.instructions == 0) continue;
      place = {};
      whole_ = fill(place, frame);
      return whole_;
    }
    return false;
  }
  bool is_malformed() const { return !whole_; }

 private:
  bool open(std::uintptr_t self) {
    Object data{};
    Thread thread{};
    ExecutionContext context{};
    if (!memory_.get(self, data) || (data.flags & kTypeMask) != kIsData) return false;
    const std::uintptr_t at = data.words[2];
    if (!memory_.get(at, thread) || thread.self != self || !memory_.get(thread.context, context) ||
        context.thread != at) {
      return false;
    }
    constexpr std::uint64_t kMostWords = 1 << 28;
    frame_ = context.frame;
    // The outermost frame is a dummy.
    end_ = context.stack + context.stack_size * sizeof(std::uint64_t) - sizeof(Frame);
    if (frame_ == 0) return end_ = 0, true;  // the thread has just started
    return context.stack_size > sizeof(Frame) && context.stack_size <= kMostWords &&
           frame_ > context.stack && frame_ <= end_ + sizeof(Frame);
  }

  bool fill(Place& place, const Frame& frame) {
    Instructions found{};
    InstructionsBody body{};
    if (!memory_.get(frame.instructions, found) || (found.flags & kTypeMask) != kIsInternal ||
        (found.flags >> kInternalShift & kInternalMask) != kIsInstructions ||
        !memory_.get(found.body, body)) {
      return false;
    }
    // The caller is mostly in the same file.
    if (body.path != path_ && !find_path(memory_, body.path, file_)) return false;
    path_ = body.path;
    place.file = file_;
    return find_string(memory_, body.label, place.function) &&
           find_line(body, frame.instruction, place.line);
  }

  // rb_iseq_line_no().
  bool find_line(const InstructionsBody& body, std::uintptr_t instruction, std::uint32_t& line) {
    std::uint64_t position = (instruction - body.first) / sizeof(std::uint64_t);
    if (position > body.size) return false;
    if (position != 0) --position;  // it is after the call
    std::uint32_t range = 1;
    if (body.line_count == 0) return true;
    if (body.line_count > 1 &&
        !find_range(memory_, body.line_table, static_cast<std::uint32_t>(position), range)) {
      return false;
    }
    InstructionInfo info{};
    if (range == 0 || range > body.line_count ||
        !memory_.get(body.lines + (range - 1) * sizeof info, info) || info.line < 0) {
      return false;
    }
    line = static_cast<std::uint32_t>(info.line);
    return true;
  }

  Peek& memory_;
  std::uintptr_t frame_ = 0;
  std::uintptr_t end_ = 0;
  std::uintptr_t path_ = 0;
  Text file_;
  unsigned steps_ = 0;
  bool whole_ = true;
};

// 0: its texts cannot be read.
std::uint64_t key_of(Peek& memory, const Place& place) {
  constexpr std::uint64_t kSeed = 0x72756279;  // "ruby"
  std::uint64_t key = mix(kSeed, place.line);
  if (!mix_text(memory, place.file, key) || !mix_text(memory, place.function, key)) return 0;
  return key | 1;
}

}  // namespace

bool describe(Exports& module, Layout& layout, RuntimeFacts& facts) {
  const std::uintptr_t version_at = module.address_of("ruby_api_version");
  if (version_at == 0) return false;
  auto& ruby = layout.make<Structures>();
  ruby.is_ruby_thread = reinterpret_cast<int (*)()>(module.address_of("ruby_native_thread_p"));
  ruby.has_lock = reinterpret_cast<int (*)()>(module.address_of("ruby_thread_has_gvl_p"));
  ruby.current_thread =
      reinterpret_cast<std::uintptr_t (*)()>(module.address_of("rb_thread_current"));
  ruby.machine = module.address_of("ruby_current_vm_ptr");
  std::int32_t version[2] = {};
  TextBuffer text(facts.text, sizeof facts.text);
  text.put("Ruby");
  bool known = module.get(version_at, version);
  if (known) {
    text.put(' ').decimal(static_cast<std::uint64_t>(version[0]));
    text.put('.').decimal(static_cast<std::uint64_t>(version[1]));
  }
  text.end();
  known = known && version[0] == 3 && version[1] == 1 && ruby.is_ruby_thread != nullptr &&
          ruby.has_lock != nullptr && ruby.current_thread != nullptr && ruby.machine != 0;
  facts.state = known ? trace::RuntimeState::read : trace::RuntimeState::unknown_version;
  return true;
}

Captured capture(const Layout& layout, Moment moment, ScriptSpace& space) {
  const Structures& ruby = layout.as<Structures>();
  if (moment == Moment::interrupted) return Captured::frames;
  Peek memory(way_at(ruby, moment), space.window);
  Callers callers(ruby, memory);
  const auto key = [&](const Place& place) { return key_of(memory, place); };
  return list_places<Place>(callers, memory, key, space);
}

bool decode(const Layout& layout, Moment moment, const ScriptPlace& place, PlaceText& text,
            Window& window) {
  const Structures& ruby = layout.as<Structures>();
  Peek memory(way_at(ruby, moment), window);
  Callers callers(ruby, memory);
  Place found;
  if (!find_place(callers, place, found)) return false;
  text.line = found.line;
  return copy_text(memory, found.file, text.file, sizeof text.file, text.file_length) &&
         copy_text(memory, found.function, text.function, sizeof text.function,
                   text.function_length);
}

}  // namespace umaskaudit::shim::ruby_runtime
