// Runtime: the three functions of a row of runtimes.def: recognise the module, list the script
// frames of the calling thread, and format a frame as text.
// Must never lock, allocate, wait, or call a function that may: the program is inside a call of its
// own, in a signal handler or between vfork(2) and exec.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "preload/script/exports.h"
#include "preload/script/peek.h"
#include "preload/script/place_text.h"
#include "preload/trace/format.h"
#include "preload/unwind/unwind.h"

namespace umaskaudit::shim {

// The layout of a runtime's structures, in the form of its source file.
class Layout {
 public:
  template <typename Structures>
  Structures& make() {
    static_assert(sizeof(Structures) <= sizeof bytes_ && alignof(Structures) <= 8);
    return *new (bytes_) Structures{};
  }
  template <typename Structures>
  const Structures& as() const {
    return *std::launder(reinterpret_cast<const Structures*>(bytes_));
  }

 private:
  alignas(8) unsigned char bytes_[256] = {};
};

// The facts about a runtime, filled in when its module is first found.
struct RuntimeFacts {
  trace::RuntimeState state = trace::RuntimeState::read;
  // The evaluator's code. If it has an address, a stack contains script frames only if a return
  // address is in it; else every stack does that leads through the module.
  std::uintptr_t evaluator = 0;
  std::size_t evaluator_size = 0;
  // The module has code that runs scripts, keeps frame pointers and has no unwind tables. Its
  // extent is found when a walk first ends there, and becomes the evaluator in the record.
  bool has_linked_code = false;
  // Generated code is this runtime's: a stack with such a frame contains script frames.
  bool owns_generated_code = false;
  char text[48] = {};  // name and version, NUL-terminated
};

// A script frame.
struct ScriptPlace {
  // a hash that distinguishes this place from all others; not of addresses, which are reused
  std::uint64_t key = 0;
  std::uintptr_t object = 0;  // for decode(), within the same event
  std::uint64_t at : 63 = 0;
  std::uint64_t entry : 1 = 0;  // native code called into the script here
};

inline constexpr unsigned kMostPlaces = 64;

enum class Captured : std::uint8_t {
  frames,   // `count` of them
  none,     // no script runs in this thread
  missing,  // there should be some
  refused,  // what was read does not fit the layout
  barred,   // a seccomp filter bars reading
};

// Where a runtime stores what it finds. On the caller's stack or in a buffer: about 4 KiB.
struct ScriptSpace {
  const LinkedFrames* linked = nullptr;  // from the native walk; null: none
  ScriptPlace places[kMostPlaces];
  unsigned count = 0;
  bool truncated = false;  // there are more frames
  bool partial = false;    // some frames in between are missing
  Window window;           // for reading (peek.h)
};

// How the thread's structures may be read.
enum class Moment : std::uint8_t {
  in_call,      // inside a call of the runtime: its structures are consistent
  unproven,     // the same, but the layout is not verified yet
  interrupted,  // a signal frame lies between: they may be half written
};

// For a runtime whose structures only their own thread changes.
inline Peek::Way way_at(Moment moment) {
  return moment == Moment::in_call ? Peek::Way::direct : Peek::Way::copies;
}

struct Runtime {
  trace::Language language;
  const char* symbol;  // describe() is called for modules that export it; null: for all
  // False: the module is not this runtime. True with a state other than `read`: it is, and no
  // frames are captured. Reads only the module itself.
  bool (*describe)(Exports& module, Layout& layout, RuntimeFacts& facts);
  // Fills `space`, innermost first, and sets its count.
  Captured (*capture)(const Layout& layout, Moment moment, ScriptSpace& space);
  // False: what was read does not fit the layout.
  bool (*decode)(const Layout& layout, Moment moment, const ScriptPlace& place, PlaceText& text,
                 Window& window);
};

#define RUNTIME(identifier, ...)                                                                \
  namespace identifier##_runtime {                                                              \
    bool describe(Exports& module, Layout& layout, RuntimeFacts& facts);                        \
    Captured capture(const Layout& layout, Moment moment, ScriptSpace& space);                  \
    bool decode(const Layout& layout, Moment moment, const ScriptPlace& place, PlaceText& text, \
                Window& window);                                                                \
  }
#include "preload/script/runtimes.def"
#undef RUNTIME

}  // namespace umaskaudit::shim
