// Reads words of the stack only where there is memory, and writes down what a walk depended on.
#pragma once

#include <cstdint>

#include "preload/sys/own_stack.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

// The words that decided how a walk went, in the order in which it read them: as long as they are
// the same, and the code is, another walk from the same place goes the same way. Where the first of
// them are the same, the next one's place is the one that such a walk would read, too.
struct WalkWords {
  static constexpr unsigned kMost = 40;
  static constexpr std::uintptr_t kSpan = 1 << 20;  // how far from where the walk began

  unsigned count = 0;
  bool whole = false;             // false: something else decided too, or there were more words
  bool needs_fp = false;          // the frame pointer that the walk began with is one of them
  std::uint32_t distance[kMost];  // from the stack pointer that the walk began with
  std::uintptr_t value[kMost];

  void restart() {
    count = 0;
    whole = needs_fp = false;
  }
};

// Reads what is there: one system call for each page that is new to this walk, on the thread's own
// stack too, parts of which a program may unmap.
class StackMemory {
 public:
  // `sp` is in use, so its page is there. `words` may be null.
  explicit StackMemory(std::uintptr_t sp, WalkWords* words = nullptr)
      : known_(page_of(sp)), start_(sp), lowest_(sp), words_(words) {}

  bool read(std::uintptr_t address, std::uintptr_t& out) {
    if ((address & 7) != 0 || (!known_.holds(address) && !ask(address))) return false;
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): page 0 is refused
    out = *reinterpret_cast<const std::uintptr_t*>(address);
    return true;
  }

  // For a word whose value decides something.
  void depend_on(std::uintptr_t address, std::uintptr_t value) {
    if (words_ == nullptr) return;
    const std::uintptr_t distance = address - start_;
    if (words_->count == WalkWords::kMost || distance >= WalkWords::kSpan) return forget_words();
    words_->distance[words_->count] = static_cast<std::uint32_t>(distance);
    words_->value[words_->count++] = value;
  }
  bool read_and_depend(std::uintptr_t address, std::uintptr_t& out) {
    if (!read(address, out)) return false;
    depend_on(address, out);
    return true;
  }
  void depend_on_start_fp() {
    if (words_ != nullptr) words_->needs_fp = true;
  }
  // A signal frame leads to another stack, in use from `sp` upwards.
  void move_to(std::uintptr_t sp) { lowest_ = sp; }
  // The walk depends on more than words.
  void forget_words() { words_ = nullptr; }
  // At the end of a walk.
  void finish_words() {
    if (words_ != nullptr) words_->whole = true;
  }

 private:
  [[gnu::noinline]] bool ask(std::uintptr_t address) {
    // Below the stack pointer nothing is in use, and the question would make a stack with
    // MAP_GROWSDOWN grow. The red zone (psABI) is 128 bytes.
    constexpr std::uintptr_t kRedZone = 128;
    const StackRange page = page_of(address);
    if (page.begin == 0 || address + kRedZone < lowest_ ||
        !sys::readable(reinterpret_cast<void*>(address))) {
      forget_words();  // there may be memory another time
      return false;
    }
    known_ = page;
    return true;
  }

  StackRange known_;
  std::uintptr_t start_;
  std::uintptr_t lowest_;
  WalkWords* words_;
};

}  // namespace umaskaudit::shim
