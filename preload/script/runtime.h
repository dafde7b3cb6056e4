// What the table of runtimes (runtimes.def) asks of each: to recognise its module, to list the
// script's frames of the calling thread, and to say in text what a frame is.
// Must never lock, allocate, wait, or call what may: the program is inside a call of its own, in a
// signal handler or between vfork(2) and exec. Called by script.cc only.
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

// Where a runtime's structures are, in its own words (a structure of its source file).
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

// What a runtime says of itself when its module is met.
struct RuntimeFacts {
  trace::RuntimeState state = trace::RuntimeState::read;
  // Code addresses. Where there are some, only a stack with a return address in them has scripts;
  // else every stack has that leads through the module.
  std::uintptr_t evaluator = 0;
  std::size_t evaluator_size = 0;
  // The module has code without tables that runs scripts and keeps frame pointers. Its extent is
  // found when a walk first ends there, and becomes the evaluator of the record.
  bool has_linked_code = false;
  // Code of no module is this runtime's: a stack that shows some has scripts.
  bool owns_generated_code = false;
  char text[48] = {};  // name and version, NUL-terminated
};

// A frame of a script.
struct ScriptPlace {
  std::uint64_t key = 0;      // a hash of what tells this place from all others, not of addresses
                              // that are used again
  std::uintptr_t object = 0;  // the runtime's own: decode() gets them back within the same event
  std::uint64_t at : 63 = 0;
  std::uint64_t entry : 1 = 0;  // native code called into the script here
};

inline constexpr unsigned kMostPlaces = 64;

enum class Captured : std::uint8_t {
  frames,   // `count` of them, perhaps 0: no script runs in this thread
  refused,  // what was read is not what the layout promises
  barred,   // it could not be read: the kernel does not answer
};

// Where a runtime puts what it finds. On the caller's stack or in a buffer: about 4 KiB.
struct ScriptSpace {
  const LinkedFrames* linked = nullptr;  // of the native walk; null: there are none
  ScriptPlace places[kMostPlaces];
  unsigned count = 0;
  bool truncated = false;  // there are more frames
  bool partial = false;    // frames in between could not be told
  Window window;           // for reading (peek.h)
};

// How the thread's structures may be read.
enum class Moment : std::uint8_t {
  in_call,      // the runtime called out, in this thread: its structures are whole
  unproven,     // the same, but nothing was read yet that shows them to be where the layout says
  interrupted,  // a signal frame lies between: they may be half written
};

// For a runtime whose structures only its own thread changes.
inline Peek::Way way_at(Moment moment) {
  return moment == Moment::in_call ? Peek::Way::direct : Peek::Way::copies;
}

struct Runtime {
  trace::Language language;
  const char* symbol;  // describe() is asked about modules that export it; null: about all
  // False: the module is not this runtime. True with a state other than `read`: it is, and nothing
  // is ever captured. Reads only the module itself.
  bool (*describe)(Exports& module, Layout& layout, RuntimeFacts& facts);
  // Fills `space`, innermost first, and leaves the count in it.
  Captured (*capture)(const Layout& layout, Moment moment, ScriptSpace& space);
  // False: what is there is not what the layout promises.
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
