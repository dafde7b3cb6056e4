// Frames of PHP, as debug_backtrace() shows them, for functions of the script; builds of 8.2
// without thread safety, with any server interface. Functions of extensions have no line, and are
// left out.
// Such a build runs scripts in one thread, and its frames are consistent during a call. Sources:
// zend_compile.h, zend_globals.h, zend_hash.h and zend_modules.h of PHP 8.2.

#include <cstring>
#include <new>

#include "preload/script/named_places.h"

namespace umaskaudit::shim::php_runtime {

namespace {

constexpr std::uint32_t kApi = 20220829;  // ZEND_MODULE_API_NO of 8.2

// executor_globals.
constexpr unsigned kCurrentFrame = 488;     // current_execute_data
constexpr unsigned kBeforeException = 880;  // opline_before_exception

struct Frame {  // zend_execute_data
  std::uintptr_t instruction;
  std::uint64_t words[2];
  std::uintptr_t function;
  std::uintptr_t object;  // $this, a zval
  std::uint8_t object_type;
  std::uint8_t bytes[7];
  std::uintptr_t previous;
};
constexpr std::uint8_t kIsObject = 8;  // IS_OBJECT
static_assert(offsetof(Frame, function) == 24 && offsetof(Frame, previous) == 48);

struct Function {  // zend_function
  std::uint8_t type;
  std::uint8_t bytes[7];
  std::uintptr_t name;
  std::uintptr_t scope;
};
constexpr std::uint8_t kHighestType = 4;  // ZEND_EVAL_CODE
constexpr std::uint8_t kIsInternal = 1;   // a bit of those that have no code of the script
constexpr unsigned kFile = 152;           // zend_op_array.filename

constexpr unsigned kTextLength = 16;  // of a zend_string
constexpr unsigned kText = 24;
constexpr unsigned kClassName = 8;  // of a zend_class_entry

struct InstructionEnd {  // of a zend_op
  std::uint32_t line;
  std::uint8_t code;
};
constexpr unsigned kInstructionEnd = 24;
constexpr std::uint8_t kHandleException = 149;  // ZEND_HANDLE_EXCEPTION

struct Structures {
  std::uintptr_t globals;
};

// The first registered module has the API number of the build.
bool is_known_build(Exports& module) {
  constexpr unsigned kBuckets = 16;  // of a HashTable: of 32 bytes each, the value first
  constexpr unsigned kUsed = 24;
  struct Module {  // zend_module_entry
    std::uint16_t size;
    std::uint32_t api;
    std::uint8_t debug;
    std::uint8_t thread_safe;
  } first{};
  const std::uintptr_t registry = module.address_of("module_registry");
  std::uintptr_t buckets = 0;
  std::uintptr_t entry = 0;
  std::uint32_t used = 0;
  return registry != 0 && module.get(registry + kUsed, used) && used != 0 &&
         module.get(registry + kBuckets, buckets) && module.get(buckets, entry) &&
         module.get(entry, first) && first.api == kApi && first.debug == 0 &&
         first.thread_safe == 0;
}

class Callers {
 public:
  Callers(const Structures& php, Peek& memory) : memory_(memory), globals_(php.globals) {
    whole_ = memory.get(globals_ + kCurrentFrame, frame_);
  }

  // Frames without a function only link others; with an object, a generator, they represent
  // generators that it delegates to (yield from).
  bool next(NamedPlace& place) {
    constexpr unsigned kMostSteps = 10'000;
    for (; whole_ && frame_ != 0 && steps_ < kMostSteps; ++steps_) {
      Frame frame{};
      Function function{};
      whole_ = memory_.get(frame_, frame) && frame.previous != frame_;
      frame_ = frame.previous;
      if (!whole_) break;
      if (frame.function == 0) {
        partial_ = partial_ || frame.object_type == kIsObject;
        continue;
      }
      whole_ = memory_.get(frame.function, function) && function.type != 0 &&
               function.type <= kHighestType;
      if (!whole_ || (function.type & kIsInternal) != 0) continue;
      place = {};
      whole_ = fill(place, frame, function);
      return whole_;
    }
    return false;
  }
  bool is_malformed() const { return !whole_; }
  bool is_partial() const { return partial_; }

 private:
  bool fill(NamedPlace& place, const Frame& frame, const Function& function) {
    std::uintptr_t file = 0;
    std::uintptr_t scope = 0;
    if (!memory_.get(frame.function + kFile, file) || !is_string(file)) return false;
    place.file = file + kText;
    if (function.name != 0) {
      if (!is_string(function.name)) return false;
      place.function = function.name + kText;
      if (function.scope != 0) {
        if (!memory_.get(function.scope + kClassName, scope) || !is_string(scope)) return false;
        place.scope = scope + kText;
      }
    }
    return find_line(frame.instruction, place.line);
  }

  bool is_string(std::uintptr_t at) {
    constexpr std::uint64_t kLongest = 1 << 20;
    std::uint64_t length = 0;
    return memory_.get(at + kTextLength, length) && length <= kLongest;
  }

  // 0: the frame has not begun.
  bool find_line(std::uintptr_t instruction, std::uint32_t& line) {
    if (instruction == 0) return true;
    InstructionEnd end{};
    if (!memory_.get(instruction + kInstructionEnd, end)) return false;
    if (end.code == kHandleException) {  // replaces the instruction that threw
      if (!memory_.get(globals_ + kBeforeException, instruction)) return false;
      if (instruction == 0) return true;
      if (!memory_.get(instruction + kInstructionEnd, end)) return false;
    }
    line = end.line;
    return true;
  }

  Peek& memory_;
  std::uintptr_t globals_;
  std::uintptr_t frame_ = 0;
  unsigned steps_ = 0;
  bool whole_ = false;
  bool partial_ = false;
};

}  // namespace

bool describe(Exports& module, Layout& layout, RuntimeFacts& facts) {
  auto& php = layout.make<Structures>();
  php.globals = module.address_of("executor_globals");
  const bool known = php.globals != 0 && is_known_build(module);
  const char* const name = known ? "PHP 8.2" : "PHP";
  std::memcpy(facts.text, name, std::strlen(name));
  facts.state = known ? trace::RuntimeState::read : trace::RuntimeState::unknown_version;
  return true;
}

Captured capture(const Layout& layout, Moment moment, ScriptSpace& space) {
  Peek memory(way_at(moment), space.window);
  Callers callers(layout.as<Structures>(), memory);
  constexpr std::uint64_t kSeed = 0x706870;  // "php"
  const Captured result = capture_named(callers, memory, kSeed, space);
  space.partial = callers.is_partial();
  return result;
}

bool decode(const Layout& layout, Moment moment, const ScriptPlace& place, PlaceText& text,
            Window& window) {
  return decode_named<Callers>(layout.as<Structures>(), moment, place, text, window);
}

}  // namespace umaskaudit::shim::php_runtime
