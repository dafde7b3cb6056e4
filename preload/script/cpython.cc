// Frames of Python code: CPython 3.6 to 3.14, with the layouts of cpython_layout.cc.
// The frames of a thread change only while it runs the interpreter, and here it is inside a call.
// Two exceptions: a signal handler may have interrupted the interpreter, and another thread may
// finalize it during a call without the interpreter's lock.

#include <cstring>
#include <new>

#include "preload/record/intern.h"
#include "preload/script/cpython_threads.h"
#include "preload/script/peek_text.h"
#include "preload/script/utf8.h"
#include "preload/state.h"

namespace umaskaudit::shim::cpython_runtime {

namespace {

// PyObject, PyUnicodeObject and PyBytesObject, of every version.
struct ObjectHead {
  std::uint64_t references;
  std::uintptr_t type;
};
struct TextHead {
  ObjectHead object;
  std::int64_t length;
  std::int64_t hash;  // -1: not computed
  std::uint32_t state;
  std::uint32_t padding;
};
struct BytesHead {
  ObjectHead object;
  std::int64_t size;
  std::int64_t hash;
  std::uint64_t first;  // of the content
};

// size of the part of a frame that is read, in every version
constexpr std::size_t kFrameBytes = 128;
constexpr std::size_t kInnerFrameBytes = 72;
constexpr std::size_t kCodeBytes = 144;

template <typename T>
T field(const unsigned char* bytes, unsigned at) {
  T value;
  std::memcpy(&value, bytes + at, sizeof value);
  return value;
}

bool is_ending(const Structures& python) {
  return python.is_ending != nullptr && python.is_ending() != 0;
}

// The thread state that holds the interpreter's lock; 0: none, or not told.
std::uintptr_t lock_holder(const Structures& python) {
  return python.holder == nullptr ? 0 : reinterpret_cast<std::uintptr_t>(python.holder());
}

// How the structures of the calling thread can be read at the moment.
enum class Reading : std::uint8_t { direct, copied_frames, copies };
Reading reading_for(const Structures& python, Moment moment, bool holds_lock) {
  // The first capture tests the layout: only the kernel can say where no memory is.
  if (moment != Moment::in_call || is_ending(python)) return Reading::copies;
  if (holds_lock) return Reading::direct;
  // Interpreters are finalized by the first thread, which is this one.
  const bool first = thread_state.tid == process.pid.load(std::memory_order_relaxed);
  return first ? Reading::direct : Reading::copied_frames;
}

bool is_type(Peek& memory, std::uintptr_t object, std::uintptr_t type) {
  ObjectHead head{};
  return memory.get(object, head) && head.type == type;
}

// The beginning of a text of `length`; bytes that cannot be read are left out.
std::uint64_t mix_content(Peek& memory, std::uint64_t hash, std::uintptr_t at,
                          std::int64_t length) {
  constexpr std::int64_t kMost = 440;
  const std::int64_t some = length < 0 ? 0 : length < kMost ? length : kMost;
  mix_bytes(memory, at, static_cast<std::size_t>(some), hash);
  return hash;
}

// The content of a str object; its hash, if the interpreter has computed it. False: not readable.
bool hash_text(Peek& memory, const Structures& python, std::uintptr_t text, std::uint64_t& hash) {
  unsigned char room[sizeof(TextHead)];
  const unsigned char* const bytes = memory.view(text, room, sizeof room);
  if (bytes == nullptr) return false;
  hash = field<std::uint64_t>(bytes, offsetof(TextHead, hash));
  if (__builtin_expect(hash == UINT64_MAX, 0)) {
    const auto length = field<std::int64_t>(bytes, offsetof(TextHead, length));
    hash = mix_content(memory, text, text + python.ascii_text, length);
  }
  return true;
}

// A cache: most frames are in the same file as the one before.
struct LatestFile {
  std::uintptr_t text = 0;
  std::uint64_t hash = 0;
};

// A value that distinguishes a code object from others at the same address: the number that the
// interpreter gave it, else a hash of its parts. False: no code object.
bool identify(Peek& memory, const Structures& python, std::uintptr_t code, LatestFile& latest,
              std::uint64_t& key) {
  unsigned char room[kCodeBytes];
  const unsigned char* const bytes = memory.view(code, room, sizeof room);
  if (bytes == nullptr || field<std::uintptr_t>(bytes, 8) != python.code_type) return false;
  const auto line = field<std::uint32_t>(bytes, python.code_first_line);
  if (python.code_version != 0) {
    const auto version = field<std::uint32_t>(bytes, python.code_version);
    if (version != 0) {
      key = mix(code, std::uint64_t{version} << 32 | line);
      return true;
    }
  }
  key = mix(code, line);
  const auto file = field<std::uintptr_t>(bytes, python.code_file);
  if (file != latest.text && !hash_text(memory, python, file, latest.hash)) return false;
  latest.text = file;
  std::uint64_t name = 0;
  if (!hash_text(memory, python, field<std::uintptr_t>(bytes, python.code_name), name)) {
    return false;
  }
  key = mix(mix(key, latest.hash), name);
  const auto table = field<std::uintptr_t>(bytes, python.code_lines);
  unsigned char head_room[sizeof(BytesHead)];
  const unsigned char* const head = memory.view(table, head_room, sizeof head_room);
  if (head == nullptr) return false;
  const auto size = field<std::int64_t>(head, offsetof(BytesHead, size));
  const std::uintptr_t content = table + offsetof(BytesHead, first);
  if (size < 8) {
    key = mix_content(memory, mix(key, static_cast<std::uint64_t>(size)), content, size);
    return true;
  }
  std::uint64_t last = 0;
  if (!memory.get(content + static_cast<std::uintptr_t>(size) - sizeof last, last)) return false;
  key = mix(key, field<std::uint64_t>(head, offsetof(BytesHead, first)));
  key = mix(key, last + static_cast<std::uint64_t>(size));
  return true;
}

// Walks the frames of a thread.
class Walk {
 public:
  Walk(const Structures& python, Peek& memory, ScriptSpace& space)
      : python_(python), memory_(memory), space_(space) {}

  // Adds the frames of one thread state.
  bool from(std::uintptr_t thread, Reading reading) {
    std::uintptr_t frame = 0;
    if (!first_frame(memory_, python_, thread, frame)) return false;
    if (reading == Reading::copied_frames && !take_apart(frame)) return false;
    constexpr unsigned kMostSteps = 4 * kMostPlaces;
    for (unsigned steps = 0; frame != 0; ++steps) {
      if (space_.count == kMostPlaces || steps == kMostSteps) {
        space_.truncated = true;
        return true;
      }
      if (!step(frame)) return false;
    }
    // The outermost frame was called from C. Where a signal came in between, a generator's frame
    // may not be linked to its caller yet, or no longer.
    const bool unlinked = reading == Reading::copies && is_generator_;
    if ((!called_from_c_ || unlinked) && space_.count != 0) space_.partial = true;
    return true;
  }

 private:
  // Another thread may finalize the interpreter now. Memory that was not freed before the check
  // stays for the moment that the rest takes.
  bool take_apart(std::uintptr_t frame) {
    unsigned char bytes[kInnerFrameBytes];
    if (frame != 0 && !memory_.read(frame, bytes, sizeof bytes)) return false;
    if (!is_ending(python_)) memory_.read_directly();
    return true;
  }

  bool step(std::uintptr_t& frame) {
    unsigned char room[kFrameBytes];
    const std::size_t size = python_.has_frame_objects ? kFrameBytes : kInnerFrameBytes;
    const unsigned char* const bytes = memory_.view(frame, room, size);
    if (bytes == nullptr) return false;
    const std::uintptr_t self = frame;
    frame = field<std::uintptr_t>(bytes, python_.frame_previous);
    if (frame == self) return false;
    // Since 3.12, frames that represent a call from C lie in between.
    constexpr unsigned char kOwnedByGenerator = 1;
    constexpr unsigned char kOwnedByC = 3;
    called_from_c_ = python_.has_frame_objects;
    is_generator_ = python_.frame_owner != 0 && bytes[python_.frame_owner] == kOwnedByGenerator;
    if (python_.frame_owner != 0 && bytes[python_.frame_owner] >= kOwnedByC) {
      called_from_c_ = true;
      if (space_.count != 0) space_.places[space_.count - 1].entry = true;
      return true;
    }
    auto code = field<std::uintptr_t>(bytes, python_.frame_code);
    if (python_.minor >= 14) code &= ~std::uintptr_t{3};  // a tagged pointer
    return add(bytes, code);
  }

  bool add(const unsigned char* frame, std::uintptr_t code) {
    ScriptPlace& place = space_.places[space_.count];
    place = {};
    if (!identify(memory_, python_, code, latest_, place.key)) return false;
    std::int32_t offset = 0;
    if (python_.has_frame_objects) {
      offset = field<std::int32_t>(frame, python_.frame_instruction);
      if (python_.lines == LineTable::pairs) offset *= 2;  // instructions of two bytes
      place.entry = true;
    } else {
      const std::uintptr_t first = code + python_.code_bytes;
      offset = static_cast<std::int32_t>(field<std::uintptr_t>(frame, python_.frame_instruction) -
                                         first);
      place.entry = python_.frame_entry != 0 && frame[python_.frame_entry] != 0;
      called_from_c_ = place.entry;
    }
    place.object = code;
    place.at = static_cast<std::uint32_t>(offset);
    place.key = mix(place.key, place.at) | 1;
    ++space_.count;
    return true;
  }

  const Structures& python_;
  Peek& memory_;
  ScriptSpace& space_;
  LatestFile latest_;
  bool called_from_c_ = true;  // the latest frame
  bool is_generator_ = false;  // the latest frame
};

// A lone surrogate of the second half represents a byte of a name that is not UTF-8
// (os.fsdecode()): it is turned back into that byte.
unsigned encode(std::uint32_t character, char* out) {
  if (character < 0xdc80 || character > 0xdcff) return encode_utf8(character, out);
  *out = static_cast<char>(character - 0xdc00);
  return 1;
}

bool copy_text(Peek& memory, const Structures& python, std::uintptr_t object, char* out,
               std::uint32_t room, std::uint32_t& length) {
  constexpr std::int64_t kLongest = 1 << 20;
  TextHead head{};
  if (!memory.get(object, head) || head.object.type != python.text_type) return false;
  const unsigned size = head.state >> 2 & 7;  // bytes of a character
  const bool compact = (head.state >> 5 & 1) != 0;
  const bool ascii = (head.state >> 6 & 1) != 0;
  if (!compact || (size != 1 && size != 2 && size != 4)) return false;
  if (head.length < 0 || head.length > kLongest) return false;
  std::uintptr_t at = object + (ascii ? python.ascii_text : python.compact_text);
  length = 0;
  unsigned char piece[128];
  std::int64_t left = head.length;
  while (left > 0) {
    const std::int64_t fits = static_cast<std::int64_t>(sizeof piece / size);
    const std::int64_t count = left < fits ? left : fits;
    if (!memory.read(at, piece, static_cast<std::size_t>(count) * size)) return false;
    for (std::int64_t i = 0; i < count; ++i) {
      if (length + kLongestUtf8 > room) return true;
      std::uint32_t character = 0;
      std::memcpy(&character, piece + i * size, size);
      length += encode(character, out + length);
    }
    at += static_cast<std::uintptr_t>(count) * size;
    left -= count;
  }
  return true;
}

}  // namespace

bool describe(Exports& module, Layout& layout, RuntimeFacts& facts) {
  return find_structures(module, layout.make<Structures>(), facts);
}

Captured capture(const Layout& layout, Moment moment, ScriptSpace& space) {
  const Structures& python = layout.as<Structures>();
  const auto own = reinterpret_cast<std::uintptr_t>(python.this_thread());
  if (own == 0) return Captured::none;
  const std::uintptr_t holder = lock_holder(python);
  const ThreadStates threads = thread_states(python, own, holder, space.window);
  const Reading reading = reading_for(python, moment, holder == threads.states[0]);
  bool whole = true;
  bool barred = false;
  for (unsigned i = 0; whole && i < threads.count && !space.truncated; ++i) {
    Peek memory(reading == Reading::direct ? Peek::Way::direct : Peek::Way::copies, space.window);
    whole = Walk(python, memory, space).from(threads.states[i], reading);
    barred = memory.is_barred();
  }
  if (whole && !(space.partial && moment == Moment::interrupted)) {
    if (threads.partial) space.partial = true;
    return Captured::frames;
  }
  space.count = 0;
  return barred ? Captured::barred : Captured::refused;
}

bool decode(const Layout& layout, Moment moment, const ScriptPlace& place, PlaceText& text,
            Window& window) {
  const Structures& python = layout.as<Structures>();
  // In a subinterpreter to 3.11, the holder is not the thread's own state: then by copies.
  const auto own = reinterpret_cast<std::uintptr_t>(python.this_thread());
  const Reading reading = reading_for(python, moment, own == lock_holder(python));
  Peek memory(reading == Reading::copies ? Peek::Way::copies : Peek::Way::direct, window);
  std::uintptr_t file = 0;
  std::uintptr_t name = 0;
  if (!is_type(memory, place.object, python.code_type) ||
      !memory.get(place.object + python.code_file, file) ||
      !memory.get(place.object + python.code_name, name) ||
      !copy_text(memory, python, file, text.file, sizeof text.file, text.file_length) ||
      !copy_text(memory, python, name, text.function, sizeof text.function, text.function_length)) {
    return false;
  }
  text.line = line_of(memory, python, place.object, static_cast<std::int32_t>(place.at));
  return true;
}

}  // namespace umaskaudit::shim::cpython_runtime
