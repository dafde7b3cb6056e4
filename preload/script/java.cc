// Frames of Java: HotSpot, in a thread in native code, where all file operations of the JDK are.
// The frames and methods of such a thread do not move; objects do, and are not read.
// Sources: src/hotspot/share/runtime/{frame,javaFrameAnchor}, code/{codeBlob,nmethod,pcDesc},
// oops/{constMethod,method,symbol}, memory/heap, code/compressedStream of OpenJDK 17.

#include <cstring>
#include <new>

#include "preload/record/intern.h"
#include "preload/script/java_layout.h"
#include "preload/state.h"

namespace umaskaudit::shim::java_runtime {

namespace {

// The Java Native Interface: tables of functions, one of which is called (jni.h).
constexpr unsigned kGetEnv = 6;
constexpr int kVersion = 0x00010006;
using GetEnv = int (*)(void* machine, void** env, int version);

// The calling thread's JNIEnv, which is inside its JavaThread; 0: no Java thread.
std::uintptr_t environment(const Structures& java) {
  void* machine = nullptr;
  int count = 0;
  if (java.created_machines(&machine, 1, &count) != 0 || count != 1) return 0;
  void* env = nullptr;
  auto* const functions = *static_cast<GetEnv**>(machine);
  return functions[kGetEnv](machine, &env, kVersion) == 0 ? reinterpret_cast<std::uintptr_t>(env)
                                                          : 0;
}

// The offset of JNIEnv in a JavaThread, the same in all; 0: not known yet.
constinit std::atomic<std::uintptr_t> environment_offset = 0;

// Reads memory; 0 for what is not readable.
class Reader {
 public:
  explicit Reader(Peek& memory) : memory_(memory) {}
  template <typename T>
  T at(std::uintptr_t place) {
    T value{};
    if (place == 0 || !memory_.get(place, value)) failed_ = true;
    return value;
  }
  std::uintptr_t word(std::uintptr_t place) { return at<std::uintptr_t>(place); }
  bool copy(std::uintptr_t place, void* to, std::size_t size) {
    return memory_.read(place, to, size);
  }
  bool failed() const { return failed_; }

 private:
  Peek& memory_;
  bool failed_ = false;
};

// Finds the JavaThread by its id among all threads, once a process.
std::uintptr_t thread_of(const Structures& java, Reader& memory, std::uintptr_t env) {
  std::uintptr_t offset = environment_offset.load(std::memory_order_relaxed);
  if (offset != 0) return env - offset;
  // ThreadsList: a word, the count, a word, the threads.
  const std::uintptr_t list = memory.word(java.thread_list);
  const auto count = memory.at<std::uint32_t>(list + 4);
  const std::uintptr_t threads = memory.word(list + 16);
  constexpr std::uint32_t kMost = 10000;
  for (std::uint32_t i = 0; i < count && i < kMost; ++i) {
    const std::uintptr_t thread = memory.word(threads + std::uintptr_t{8} * i);
    const std::uintptr_t system = memory.word(thread + java.thread_system);
    if (memory.at<std::uint32_t>(system + java.system_id) != thread_state.tid) continue;
    environment_offset.store(env - thread, std::memory_order_relaxed);
    return thread;
  }
  return 0;
}

// The code blob that contains `pc`; 0: none. A heap's map has, for each segment, the distance back
// to where a block may begin; 0 is the beginning of one.
std::uintptr_t blob_of(const Structures& java, Reader& memory, std::uintptr_t pc) {
  const std::uintptr_t heaps = memory.word(java.heaps);  // GrowableArray: length, capacity, items
  const auto count = memory.at<std::uint32_t>(heaps);
  const std::uintptr_t items = memory.word(heaps + 8);
  constexpr std::uint32_t kMost = 8;
  for (std::uint32_t i = 0; i < count && i < kMost; ++i) {
    const std::uintptr_t heap = memory.word(items + std::uintptr_t{8} * i);
    const std::uintptr_t low = memory.word(heap + java.heap_memory + java.space_low);
    const std::uintptr_t high = memory.word(heap + java.heap_memory + java.space_high);
    if (memory.failed() || pc < low || pc >= high) continue;
    const auto shift = memory.at<std::uint32_t>(heap + java.heap_shift);
    const std::uintptr_t map = memory.word(heap + java.heap_segments + java.space_low);
    if (memory.failed() || shift >= 32) return 0;
    std::uintptr_t segment = (pc - low) >> shift;
    constexpr std::uint8_t kFree = 255;
    constexpr unsigned kMostSteps = 1000;
    for (unsigned steps = 0; steps < kMostSteps; ++steps) {
      const auto back = memory.at<std::uint8_t>(map + segment);
      if (back == kFree || back > segment || memory.failed()) return 0;
      constexpr std::uintptr_t kBlockHeader = 16;
      if (back == 0) return low + (segment << shift) + kBlockHeader;
      segment -= back;
    }
    return 0;
  }
  return 0;
}

enum class Code : std::uint8_t { other, interpreter, compiled };

Code code_of(const Structures& java, Reader& memory, std::uintptr_t blob) {
  char name[16] = {};
  memory.copy(memory.word(blob + java.blob_name), name, sizeof name - 1);
  if (strcmp(name, "Interpreter") == 0) return Code::interpreter;
  const bool method = strcmp(name, "nmethod") == 0 || strncmp(name, "native nmethod", 14) == 0;
  return method ? Code::compiled : Code::other;
}

// A place, as capture() passes it to decode().
constexpr std::uint32_t kNoBytecode = 0xffffffff;

std::uint64_t key_of(const Structures& java, Reader& memory, std::uintptr_t method) {
  const std::uintptr_t constant = memory.word(method + java.method_const);
  const std::uintptr_t pool = memory.word(constant + java.const_pool);
  std::uint64_t key = mix(mix(method, constant), pool);
  key = mix(key, memory.at<std::uint16_t>(constant + java.const_name));
  key = mix(key, memory.at<std::uint16_t>(constant + java.const_code_size));
  return mix(key, memory.word(memory.word(pool + java.pool_holder) + java.class_name));
}

class Walk {
 public:
  Walk(const Structures& java, Reader& memory, ScriptSpace& space)
      : java_(java), memory_(memory), space_(space) {}

  bool from(std::uintptr_t thread) {
    const std::uintptr_t anchor = thread + java_.thread_anchor;
    sp_ = memory_.word(anchor + java_.anchor_sp);
    fp_ = memory_.word(anchor + java_.anchor_fp);
    pc_ = memory_.word(anchor + java_.anchor_pc);
    if (sp_ == 0) return true;
    if (pc_ == 0) pc_ = memory_.word(sp_ - 8);
    const std::uintptr_t outermost = memory_.word(java_.call_stub_return);
    constexpr unsigned kMostSteps = 4 * kMostPlaces;
    for (unsigned steps = 0; pc_ != outermost && !memory_.failed(); ++steps) {
      if (space_.count == kMostPlaces || steps == kMostSteps) {
        space_.truncated = true;
        break;
      }
      if (!step()) break;
    }
    if (space_.count != 0) space_.places[space_.count - 1].entry = true;
    return !memory_.failed();
  }

 private:
  bool step() {
    const std::uintptr_t blob = blob_of(java_, memory_, pc_);
    if (blob == 0) return false;
    const std::uintptr_t sp = sp_;
    const Code code = code_of(java_, memory_, blob);
    if (code == Code::interpreter) {
      add_interpreted();
      sp_ = memory_.word(fp_ - 8);
      pc_ = memory_.word(fp_ + 8);
      fp_ = memory_.word(fp_);
    } else {
      const auto words = memory_.at<std::int32_t>(blob + java_.blob_frame_size);
      if (words <= 0) return false;
      if (code == Code::compiled) add_compiled(blob);
      sp_ += std::uintptr_t{8} * static_cast<std::uint32_t>(words);
      pc_ = memory_.word(sp_ - 8);
      fp_ = memory_.word(sp_ - 16);
    }
    return sp_ > sp;
  }

  void add(std::uintptr_t object, std::uint32_t at, std::uint64_t key) {
    ScriptPlace& place = space_.places[space_.count++];
    place = {};
    place.object = object;
    place.at = at;
    place.key = mix(key, at) | 1;
  }

  // Below its frame pointer an interpreter frame has its method, and the position in it.
  void add_interpreted() {
    constexpr unsigned kMethod = 24;
    constexpr unsigned kBytecode = 64;
    const std::uintptr_t method = memory_.word(fp_ - kMethod);
    const std::uintptr_t at = memory_.word(fp_ - kBytecode);
    const std::uintptr_t first = memory_.word(method + java_.method_const) + java_.const_size;
    constexpr std::uintptr_t kLargest = 65535;  // of a method's code
    std::uint32_t bytecode = kNoBytecode;
    if (at - first <= kLargest) {
      bytecode = static_cast<std::uint32_t>(at - first);
    } else if (at <= kLargest) {
      bytecode = static_cast<std::uint32_t>(at);
    }
    add(method, bytecode, key_of(java_, memory_, method));
  }

  // `object` is the address of the return address, which decode() reads again.
  void add_compiled(std::uintptr_t blob) {
    constexpr unsigned kCodeBytes = 16;
    std::uint64_t code[kCodeBytes / 8] = {};
    memory_.copy(pc_ - kCodeBytes, code, sizeof code);
    std::uint64_t key = key_of(java_, memory_, memory_.word(blob + java_.compiled_method));
    key = mix(mix(mix(key, pc_), code[0]), code[1]);
    add(pc_, kNoBytecode - 1, key);
  }

  const Structures& java_;
  Reader& memory_;
  ScriptSpace& space_;
  std::uintptr_t sp_ = 0, fp_ = 0, pc_ = 0;
};

// Numbers of one to five bytes: a byte below 192 is the last; of larger ones six bits count.
class Stream {
 public:
  Stream(Reader& memory, std::uintptr_t at) : memory_(memory), at_(at) {}
  unsigned byte() { return memory_.at<std::uint8_t>(at_++); }
  unsigned number() {
    constexpr unsigned kLast = 192;
    unsigned byte = this->byte();
    unsigned sum = byte;
    for (unsigned shift = 6; byte >= kLast && shift <= 24; shift += 6) {
      byte = this->byte();
      sum += byte << shift;
    }
    return sum;
  }
  int signed_number() {
    const unsigned value = number();
    return static_cast<int>(value >> 1) ^ -static_cast<int>(value & 1);
  }

 private:
  Reader& memory_;
  std::uintptr_t at_;
};

class Decoder {
 public:
  Decoder(const Structures& java, Reader& memory, PlaceText& text)
      : java_(java), memory_(memory), text_(text) {}

  bool decode(const ScriptPlace& place) {
    if (place.at != kNoBytecode - 1) return describe(place.object, place.at);
    const std::uintptr_t blob = blob_of(java_, memory_, place.object);
    return blob != 0 && compiled(blob, place.object);
  }

 private:
  // A scope has its caller's scope, which it is inlined into, its method, and the position in that.
  bool compiled(std::uintptr_t blob, std::uintptr_t pc) {
    std::uint32_t scope = scope_of(blob, pc);
    if (scope == 0) return describe(memory_.word(blob + java_.compiled_method), kNoBytecode);
    const std::uintptr_t data = memory_.word(blob + java_.compiled_scopes);
    const std::uintptr_t methods = blob + memory_.at<std::uint32_t>(blob + java_.compiled_metadata);
    for (unsigned part = 0;; ++part) {
      Stream stream(memory_, data + scope);
      scope = stream.number();
      const unsigned method = stream.number();
      const unsigned bytecode = stream.number() - 1;
      if (method == 0 || memory_.failed()) return false;
      if (part == text_.part) {
        text_.more = scope != 0;
        return describe(memory_.word(methods + std::uintptr_t{8} * (method - 1)), bytecode);
      }
      if (scope == 0) return false;
    }
  }

  // Code positions in order: offset, scope.
  std::uint32_t scope_of(std::uintptr_t blob, std::uintptr_t pc) {
    const std::uintptr_t begin = blob + memory_.at<std::uint32_t>(blob + java_.compiled_places);
    const std::uintptr_t end = blob + memory_.at<std::uint32_t>(blob + java_.compiled_places_end);
    const auto offset = static_cast<std::int32_t>(pc - memory_.word(blob + java_.blob_code));
    constexpr unsigned kMost = 1 << 16;
    unsigned count = 0;
    for (std::uintptr_t at = begin; at < end && count < kMost; at += java_.place_size, ++count) {
      if (memory_.failed()) return 0;
      if (memory_.at<std::int32_t>(at) >= offset) return memory_.at<std::uint32_t>(at + 4);
    }
    return 0;
  }

  bool describe(std::uintptr_t method, std::uint32_t bytecode) {
    const std::uintptr_t constant = memory_.word(method + java_.method_const);
    const std::uintptr_t pool = memory_.word(constant + java_.const_pool);
    const std::uintptr_t items = pool + java_.pool_size;
    const std::uintptr_t holder = memory_.word(pool + java_.pool_holder);
    const auto name = memory_.at<std::uint16_t>(constant + java_.const_name);
    const auto source = memory_.at<std::uint16_t>(pool + java_.pool_source);
    if (memory_.failed()) return false;
    std::uint32_t length = 0;
    if (!copy_symbol(memory_.word(holder + java_.class_name), text_.function,
                     sizeof text_.function - 64, length)) {
      return false;
    }
    for (std::uint32_t i = 0; i < length; ++i) {
      if (text_.function[i] == '/') text_.function[i] = '.';
    }
    text_.function[length++] = '.';
    std::uint32_t more = 0;
    const std::uint32_t room = sizeof text_.function - length;
    if (!copy_symbol(memory_.word(items + std::uintptr_t{8} * name), text_.function + length, room,
                     more)) {
      return false;
    }
    text_.function_length = length + more;
    if (source != 0) {
      copy_symbol(memory_.word(items + std::uintptr_t{8} * source), text_.file, sizeof text_.file,
                  text_.file_length);
    }
    if (bytecode != kNoBytecode) text_.line = line_of(constant, bytecode);
    return true;
  }

  // The lowest bit of a pointer in a constant pool says whether it is resolved.
  bool copy_symbol(std::uintptr_t symbol, char* to, std::uint32_t room, std::uint32_t& length) {
    symbol &= ~std::uintptr_t{1};
    const auto size = memory_.at<std::uint16_t>(symbol + java_.symbol_length);
    if (memory_.failed() || size == 0) return false;
    length = size < room ? size : room;
    return memory_.copy(symbol + java_.symbol_text, to, length);
  }

  // After the method's bytecode: increments of bytecode and line, in one byte where they are small.
  std::uint32_t line_of(std::uintptr_t constant, std::uint32_t bytecode) {
    constexpr unsigned kHasLines = 1;
    constexpr unsigned kLong = 255;
    constexpr unsigned kMost = 20000;
    if ((memory_.at<std::uint16_t>(constant + java_.const_flags) & kHasLines) == 0) return 0;
    const auto size = memory_.at<std::uint16_t>(constant + java_.const_code_size);
    Stream stream(memory_, constant + java_.const_size + size);
    int at = 0;
    int line = 0;
    int best = 0;
    int best_at = -1;
    for (unsigned i = 0; i < kMost && !memory_.failed(); ++i) {
      const unsigned step = stream.byte();
      if (step == 0) break;
      at += step == kLong ? stream.signed_number() : static_cast<int>(step >> 3);
      line += step == kLong ? stream.signed_number() : static_cast<int>(step & 7);
      if (at > static_cast<int>(bytecode) || at < best_at) continue;
      best_at = at;
      best = line;
    }
    return best > 0 ? static_cast<std::uint32_t>(best) : 0;
  }

  const Structures& java_;
  Reader& memory_;
  PlaceText& text_;
};

}  // namespace

bool describe(Exports& module, Layout& layout, RuntimeFacts& facts) {
  return find_structures(module, layout.make<Structures>(), facts);
}

Captured capture(const Layout& layout, Moment moment, ScriptSpace& space) {
  const Structures& java = layout.as<Structures>();
  if (moment == Moment::interrupted) return Captured::frames;
  const std::uintptr_t env = environment(java);
  if (env == 0) return Captured::frames;
  Peek peek(Peek::Way::copies, space.window);
  Reader memory(peek);
  const std::uintptr_t thread = thread_of(java, memory, env);
  // A thread in HotSpot's own code may change its frames.
  constexpr std::uint32_t kInNative = 4;
  if (thread == 0 || memory.at<std::uint32_t>(thread + java.thread_state) != kInNative) {
    return Captured::frames;
  }
  if (Walk(java, memory, space).from(thread)) return Captured::frames;
  space.count = 0;
  return peek.is_barred() ? Captured::barred : Captured::refused;
}

bool decode(const Layout& layout, Moment, const ScriptPlace& place, PlaceText& text,
            Window& window) {
  Peek peek(Peek::Way::copies, window);
  Reader memory(peek);
  return Decoder(layout.as<Structures>(), memory, text).decode(place);
}

}  // namespace umaskaudit::shim::java_runtime
