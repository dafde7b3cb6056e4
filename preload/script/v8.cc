// Frames of JavaScript: V8 in node. Its code keeps frame pointers, so the native walk has found the
// frames; a function's frame contains the function, and the position in its code.
// Objects move when the thread allocates, which it does not during a capture. A place is identified
// by the script's number and name, the function's number in it, and the offset in its code. Source:
// src/execution/frames.cc, src/execution/frame-constants.h.

#include <cstring>
#include <new>

#include "preload/record/intern.h"
#include "preload/script/v8_heap.h"
#include "preload/state.h"
#include "preload/sys/loaded_objects.h"

namespace umaskaudit::shim::v8_runtime {

namespace {

// The words of a frame, which is on the thread's own stack.
struct FrameWords {
  std::uintptr_t context, function, array, offset;
};
FrameWords words_of(const LinkedFrames::One& frame) {
  const auto word = [&](unsigned below) {
    return *reinterpret_cast<const std::uintptr_t*>(frame.fp - below);
  };
  return {word(kFrameContext), word(kFrameFunction), word(kFrameArray), word(kFrameOffset)};
}

// Frames that lead into or out of a script have a number in place of the context.
bool is_function_frame(const FrameWords& words) {
  return object_of(words.context) != 0 && object_of(words.function) != 0;
}

bool is_generated(std::uintptr_t pc) {
  LoadedObject object;
  return !find_object(pc - 1, object);
}

// What is read of a frame to identify its place, each part by an address in the part before.
struct Parts {
  static constexpr unsigned kCodeBytes = 16;
  static constexpr unsigned kShared = 72;
  static constexpr unsigned kScript = 72;
  static constexpr unsigned kName = 16;
  static constexpr unsigned kMap = 16;
  unsigned char array[8];          // its map
  unsigned char map[kMap];         // with the type
  unsigned char code[kCodeBytes];  // before the return address, if it is generated code
  unsigned char function[40];
  unsigned char shared[kShared];
  unsigned char script[kScript];
  unsigned char name[kName];
};

std::uintptr_t word_in(const unsigned char* bytes, unsigned at) {
  std::uintptr_t word = 0;
  std::memcpy(&word, bytes + at, sizeof word);
  return word;
}

// The frames that are read in one batch: as many as fit in the buffer of a capture.
constexpr unsigned kTogether = 7;
struct Together {
  Parts parts[kTogether];
  LinkedFrames::One frames[kTogether];
  unsigned count = 0;
};
static_assert(sizeof(Together) <= Window::kSize);

class Capture {
 public:
  Capture(const Structures& v8, ScriptSpace& space)
      : v8_(v8), space_(space), together_(*new (space.window.bytes) Together) {}

  void all(const LinkedFrames& linked) {
    for (unsigned i = 0; i < linked.count(); ++i) {
      const LinkedFrames::One frame = linked.at(i);
      if (i != 0 && frame.place != linked.at(i - 1).place + 1) end_run();
      if (!is_function_frame(words_of(frame))) continue;
      together_.frames[together_.count++] = frame;
      if (together_.count == kTogether) add_places();
    }
    end_run();
    space_.truncated = space_.truncated || linked.more();
  }
  // Nothing could be read: all places have the same key, whatever their functions.
  bool is_barred() const { return barred_; }

 private:
  // Native code follows: the last function that was found called it.
  void end_run() {
    add_places();
    if (space_.count != 0) space_.places[space_.count - 1].entry = true;
  }

  void add_places() {
    Batch batch;
    for_each([&](Parts& parts, const LinkedFrames::One& frame) {
      const bool generated = is_generated(frame.pc);
      batch.add(generated ? frame.pc - Parts::kCodeBytes : 0, parts.code, sizeof parts.code);
      const FrameWords words = words_of(frame);
      batch.add(object_of(words.function), parts.function, sizeof parts.function);
      batch.add(object_of(words.array), parts.array, sizeof parts.array);
    });
    batch.read();
    for_each([&](Parts& parts, const LinkedFrames::One&) {
      batch.add(object_of(word_in(parts.array, 0)), parts.map, sizeof parts.map);
      const std::uintptr_t shared = object_of(word_in(parts.function, v8_.function_shared));
      batch.add(shared, parts.shared, sizeof parts.shared);
    });
    batch.read();
    for_each([&](Parts& parts, const LinkedFrames::One&) {
      const std::uintptr_t script = object_of(word_in(parts.shared, v8_.shared_script));
      batch.add(script, parts.script, sizeof parts.script);
    });
    batch.read();
    for_each([&](Parts& parts, const LinkedFrames::One&) {
      batch.add(object_of(word_in(parts.script, kScriptName)), parts.name, sizeof parts.name);
    });
    batch.read();
    barred_ = barred_ || batch.is_barred();
    for_each([&](Parts& parts, const LinkedFrames::One& frame) { add(parts, frame); });
    together_.count = 0;
  }

  template <typename Function>
  void for_each(Function function) {
    for (unsigned i = 0; i < together_.count; ++i)
      function(together_.parts[i], together_.frames[i]);
  }

  void add(const Parts& parts, const LinkedFrames::One& frame) {
    // A frame of V8's own code has another value in the function's place, which may lead nowhere.
    if (object_of(word_in(parts.function, v8_.function_shared)) == 0) return;
    if (space_.count == kMostPlaces) {
      space_.truncated = true;
      return;
    }
    const FrameWords words = words_of(frame);
    ScriptPlace& place = space_.places[space_.count++];
    place = {};
    // A script's name has a hash and a length, its source another.
    std::uint64_t key = mix(word_in(parts.script, kScriptId), word_in(parts.name, 8));
    key = mix(key, word_in(parts.script, kScriptLineOffset));
    key = mix(key, word_in(parts.shared, v8_.shared_flags));  // and the function's number
    const std::uintptr_t builtin = word_in(parts.shared, 8);
    if (is_number(builtin)) key = mix(key, builtin);
    key = mix(mix(key, frame.pc), word_in(parts.code, 0));
    key = mix(key, word_in(parts.code, 8));
    // Only interpreter frames have both.
    const auto type = static_cast<std::uint16_t>(word_in(parts.map, 8) >> 32);
    if (type == v8_.array_type && is_number(words.offset)) key = mix(key, words.offset);
    place.key = key | 1;
    place.object = frame.fp;
    place.at = frame.pc & (UINT64_MAX >> 1);
  }

  const Structures& v8_;
  ScriptSpace& space_;
  Together& together_;
  bool barred_ = false;
};

// A Code object and the position in it.
struct CodePlace {
  std::uintptr_t code = 0;  // 0: none
  std::int64_t offset = 0;
  unsigned kind = 0;
};

// Decodes one frame.
class Decoder {
 public:
  Decoder(const Structures& v8, Peek& memory, PlaceText& text)
      : v8_(v8), memory_(memory), heap_(v8, memory), text_(text) {}

  bool decode(const LinkedFrames::One& frame) {
    const FrameWords words = words_of(frame);
    const std::uintptr_t function = object_of(words.function);
    const unsigned type = heap_.type_of(function);
    if (type < v8_.first_function_type || type > v8_.last_function_type) return false;
    const std::uintptr_t shared = heap_.field(function, v8_.function_shared);
    if (heap_.type_of(shared) != v8_.shared_type) return false;
    if (!is_generated(frame.pc)) {
      describe(shared, interpreted(words));
      return true;
    }
    const CodePlace place = code_at(frame.pc - 1);
    // V8 also copies its interpreter to the region of generated code.
    if (place.code == 0) {
      describe(shared, interpreted(words));
      return true;
    }
    if (place.kind == v8_.kind_baseline) {
      describe(shared, baseline(words, place));
      return true;
    }
    return optimised(shared, place);
  }

 private:
  Position of_bytecode(std::uintptr_t array, std::int64_t offset) {
    return heap_.position(heap_.field(array, v8_.array_positions), offset);
  }

  // Builtins written in Torque or CSA have no bytecode.
  Position interpreted(const FrameWords& words) {
    const std::uintptr_t array = object_of(words.array);
    if (!is_number(words.offset) || heap_.type_of(array) != v8_.array_type) return {};
    return of_bytecode(array, std::int64_t{number_of(words.offset)} - v8_.array_data + 1);
  }

  Position baseline(const FrameWords& words, const CodePlace& place) {
    const std::uintptr_t array = object_of(words.array);
    if (heap_.type_of(array) != v8_.array_type) return {};
    const std::uintptr_t offsets = heap_.field(place.code, v8_.code_positions);
    const std::int64_t bytecode = heap_.bytecode_at(offsets, array, place.offset);
    return bytecode >= 0 ? of_bytecode(array, bytecode) : Position{};
  }

  // For functions that were inlined into each other: each position names its function, and the
  // entry of that function names the position of its call.
  bool optimised(std::uintptr_t outermost, const CodePlace& place) {
    Position at = heap_.position(heap_.field(place.code, v8_.code_positions), place.offset);
    if (!at.known()) {
      describe(outermost, {});
      return true;
    }
    const std::uintptr_t data = heap_.field(place.code, v8_.code_deopt);
    const std::uintptr_t literals = heap_.field(data, kArrayItems + 8u * v8_.deopt_literals);
    const std::uintptr_t entries = heap_.field(data, kArrayItems + 8u * v8_.deopt_inlining);
    for (unsigned part = 0;; ++part) {
      std::uintptr_t shared = outermost;
      std::int64_t caller = -1;
      if (at.inlined() != 0) {
        const std::uintptr_t entry =
            entries + kArrayItems + std::uintptr_t{16} * (at.inlined() - 1);
        std::int32_t literal = -1;
        if (entries == 0 || !memory_.get(entry, caller) || !memory_.get(entry + 8, literal)) {
          return false;
        }
        if (literal >= 0) {
          shared = heap_.field(literals, kArrayItems + 8u * static_cast<unsigned>(literal));
          if (heap_.type_of(shared) != v8_.shared_type) return false;
        }
      }
      if (part == text_.part) {
        describe(shared, at);
        text_.more = at.inlined() != 0;
        return true;
      }
      if (at.inlined() == 0) return false;
      at = {caller};
    }
  }

  // The object whose header precedes its instructions, found downwards in steps of its alignment.
  CodePlace code_at(std::uintptr_t pc) {
    constexpr std::uintptr_t kFurthest = 1 << 18;
    const std::uintptr_t step = v8_.code_alignment;
    for (std::uintptr_t at = pc & ~(step - 1); pc - at < kFurthest; at -= step) {
      std::uintptr_t code = at - v8_.stream_start;
      std::uintptr_t map = 0;
      if (!memory_.get(code, map)) break;
      if (object_of(map) == 0) continue;
      const unsigned type = heap_.type_of(code);
      if (v8_.has_streams) {
        if (type != v8_.stream_type) continue;
        code = heap_.field(code, 8);
      }
      if (heap_.type_of(code) != v8_.code_type) continue;
      std::uint32_t size = 0;
      std::uint32_t flags = 0;
      std::uintptr_t start = code + v8_.code_start;
      if (!memory_.get(code + v8_.code_size, size) || !memory_.get(code + v8_.code_flags, flags)) {
        continue;
      }
      if (v8_.has_streams && !memory_.get(code + v8_.code_start, start)) continue;
      if (pc < start || pc - start > size) continue;
      constexpr unsigned kKindMask = 15;
      return {code, static_cast<std::int64_t>(pc - start), flags & kKindMask};
    }
    return {};
  }

  void describe(std::uintptr_t shared, const Position& at) {
    text_.file_length = text_.function_length = 0;
    name_of(shared);
    std::uintptr_t script = heap_.field(shared, v8_.shared_script);
    // While it is debugged, this field leads to the script.
    for (const unsigned by : {8u, 16u}) {
      if (heap_.type_of(script) == v8_.script_type) break;
      const std::uintptr_t behind = heap_.field(script, by);
      if (heap_.type_of(behind) == v8_.script_type) script = behind;
    }
    if (heap_.type_of(script) != v8_.script_type) return;
    heap_.copy_text(heap_.field(script, kScriptName), text_.file, sizeof text_.file,
                    text_.file_length);
    if (!at.known() || at.offset() == 0) return;
    const std::int32_t lines =
        heap_.lines_before(heap_.field(script, kScriptSource), at.offset() - 1);
    std::int32_t first = 0;
    heap_.number(script, kScriptLineOffset, first);
    if (lines >= 0) text_.line = static_cast<std::uint32_t>(lines + 1 + first);
  }

  void name_of(std::uintptr_t shared) {
    const std::uintptr_t name = heap_.field(shared, v8_.shared_name);
    if (heap_.is_text(name)) return copy_name(name);
    if (heap_.type_of(name) != v8_.scope_type) return;
    // Flags, counts of parameters and context locals, [positions]; names and infos of the locals,
    // or a hash table for very many; then the function's name, the first string after them.
    std::int32_t locals = 0;
    constexpr unsigned kFields = 8;
    if (!heap_.number(name, kFields + 16, locals) || locals < 0 || locals > 4096) return;
    constexpr std::int32_t kInTable = 75;
    const auto count = static_cast<unsigned>(locals < kInTable ? 2 * locals : locals + 1);
    const unsigned first = v8_.scope_locals + count;
    constexpr unsigned kLookedAt = 6;
    for (unsigned i = first; i < first + kLookedAt; ++i) {
      const std::uintptr_t found = heap_.field(name, kFields + 8 * i);
      if (!heap_.is_text(found)) continue;
      copy_name(found);
      if (text_.function_length != 0) return;
    }
  }

  void copy_name(std::uintptr_t name) {
    heap_.copy_text(name, text_.function, sizeof text_.function, text_.function_length);
  }

  const Structures& v8_;
  Peek& memory_;
  Heap heap_;
  PlaceText& text_;
};

// Work that node does in threads of its own has no script on its stack: the caller has gone on.
constexpr char kPool[] = "(asynchronous call)";
void add_pool(ScriptSpace& space) {
  space.places[0] = {};
  space.places[0].key = 1;
  space.places[0].entry = true;
  space.count = 1;
}

}  // namespace

bool describe(Exports& module, Layout& layout, RuntimeFacts& facts) {
  return find_structures(module, layout.make<Structures>(), facts);
}

Captured capture(const Layout& layout, Moment moment, ScriptSpace& space) {
  // A signal handler may have interrupted a move of objects.
  if (moment == Moment::interrupted) return Captured::frames;
  if (space.linked != nullptr) {
    Capture capture(layout.as<Structures>(), space);
    capture.all(*space.linked);
    if (capture.is_barred()) {
      space.count = 0;
      return Captured::barred;
    }
  }
  const bool first = thread_state.tid == process.pid.load(std::memory_order_relaxed);
  if (space.count == 0 && !first) add_pool(space);
  return Captured::frames;
}

bool decode(const Layout& layout, Moment, const ScriptPlace& place, PlaceText& text,
            Window& window) {
  if (place.object == 0) {
    text.function_length = sizeof kPool - 1;
    std::memcpy(text.function, kPool, text.function_length);
    return true;
  }
  Peek memory(Peek::Way::copies, window);
  return Decoder(layout.as<Structures>(), memory, text).decode({place.at, place.object, 0});
}

}  // namespace umaskaudit::shim::v8_runtime
