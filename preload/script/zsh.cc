// Frames of zsh scripts, as $funcfiletrace and $funcstack show them (zsh 5.9).
// A shell has one thread, and its variables are consistent during a call; where a signal handler
// interrupted it they may be half written, and zsh runs traps in handlers. Sources: zsh.h (struct
// funcstack), Modules/parameter.c, exec.c and utils.c of zsh.

#include <cstring>
#include <new>

#include "preload/script/named_places.h"

namespace umaskaudit::shim::zsh_runtime {

namespace {

// An entry for a function, a sourced file or an eval. On the C stack.
struct FunctionStack {
  std::uintptr_t previous;
  std::uintptr_t name;
  std::uintptr_t file;
  std::uintptr_t caller;  // the name of the caller; for the outermost entry, the script
  std::int64_t first_line;
  std::int64_t caller_line;  // counted from the beginning of the caller
  std::int32_t kind;
};
enum Kind : std::int32_t { kSourced = 0, kFunction = 1, kEval = 2 };

// Exported variables.
struct Structures {
  std::uintptr_t line;   // lineno
  std::uintptr_t file;   // scriptfilename: null where input is not a file
  std::uintptr_t name;   // argzero: $0
  std::uintptr_t stack;  // funcstack
};

bool is_line(std::int64_t line) { return line >= 0 && line < 1'000'000'000; }

// Lists places from the innermost outwards.
class Callers {
 public:
  Callers(const Structures& zsh, Peek& memory) : memory_(memory) {
    whole_ = memory.get(zsh.line, line_) && memory.get(zsh.file, script_) &&
             memory.get(zsh.stack, stack_) && is_line(line_);
    if (whole_ && script_ == 0) whole_ = memory.get(zsh.name, script_);
  }

  bool next(NamedPlace& place) {
    if (!whole_ || !more_) return false;
    place = {};
    more_ = stack_ != 0;
    if (more_) return whole_ = leave_one(place);
    place.file = script_;
    place.line = static_cast<std::uint32_t>(line_);
    return place.file != 0;
  }
  bool is_malformed() const { return !whole_; }

 private:
  bool leave_one(NamedPlace& place) {
    FunctionStack found{};
    if (!memory_.get(stack_, found) || found.kind < kSourced || found.kind > kEval ||
        found.name == 0 || found.previous == stack_ || !is_line(found.first_line) ||
        !is_line(found.caller_line)) {
      return false;
    }
    place.file = found.file;
    if (found.kind != kSourced) {
      line_ += found.first_line;
      place.function = found.name;
    }
    if (found.kind == kEval && line_ > 0) --line_;  // the lines of an eval are counted from 1
    place.line = static_cast<std::uint32_t>(line_);
    line_ = found.caller_line;
    stack_ = found.previous;
    if (stack_ == 0) script_ = found.caller;
    return true;
  }

  Peek& memory_;
  std::int64_t line_ = 0;      // of the next place
  std::uintptr_t script_ = 0;  // file of the outermost place
  std::uintptr_t stack_ = 0;
  bool whole_ = false;
  bool more_ = true;
};

// zsh encodes some bytes in its strings, after a marker.
std::uint32_t unmark(char* text, std::uint32_t length) {
  constexpr char kMeta = '\x83';
  std::uint32_t to = 0;
  for (std::uint32_t from = 0; from < length; ++from) {
    const bool marked = text[from] == kMeta && from + 1 < length;
    text[to++] = marked ? static_cast<char>(text[++from] ^ 32) : text[from];
  }
  return to;
}

}  // namespace

bool describe(Exports& module, Layout& layout, RuntimeFacts& facts) {
  auto& zsh = layout.make<Structures>();
  zsh.line = module.address_of("lineno");
  zsh.file = module.address_of("scriptfilename");
  zsh.name = module.address_of("argzero");
  zsh.stack = module.address_of("funcstack");
  std::memcpy(facts.text, "zsh", sizeof "zsh");
  const bool known = zsh.line != 0 && zsh.file != 0 && zsh.name != 0 && zsh.stack != 0;
  facts.state = known ? trace::RuntimeState::read : trace::RuntimeState::unknown_version;
  return true;
}

Captured capture(const Layout& layout, Moment moment, ScriptSpace& space) {
  constexpr std::uint64_t kSeed = 0x7a7368;  // "zsh"
  return capture_named<Callers>(layout.as<Structures>(), moment, kSeed, space);
}

bool decode(const Layout& layout, Moment moment, const ScriptPlace& place, PlaceText& text,
            Window& window) {
  if (!decode_named<Callers>(layout.as<Structures>(), moment, place, text, window)) return false;
  text.file_length = unmark(text.file, text.file_length);
  text.function_length = unmark(text.function, text.function_length);
  return true;
}

}  // namespace umaskaudit::shim::zsh_runtime
