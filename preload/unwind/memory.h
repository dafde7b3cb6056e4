// Reads words of the stack only where there is memory, and writes down what a walk depended on.
#pragma once

#include <cstdint>

#include "preload/sys.h"
#include "preload/unwind/own_stack.h"

namespace umaskaudit::shim {

// The words that decided how a walk went: as long as they are the same, and the code is, another
// walk from the same place goes the same way.
struct WalkWords {
  static constexpr unsigned kMost = 40;
  static constexpr std::uintptr_t kSpan = 1 << 20;  // how far from where the walk began

  unsigned count = 0;
  bool whole = false;             // false: something else decided too, or there were more words
  bool needs_fp = false;          // the frame pointer that the walk began with is one of them
  std::uint32_t distance[kMost];  // from the stack pointer that the walk began with
  std::uintptr_t value[kMost];
};

// The thread's own stack is known (own_stack.h); elsewhere, one system call for each page that is
// new to this walk.
class StackMemory {
 public:
  // `sp` is in use, so its page is there. `words` may be null.
  explicit StackMemory(std::uintptr_t sp, WalkWords* words = nullptr)
      : known_(known_stack(sp)), start_(sp), words_(words) {}

  bool read(std::uintptr_t address, std::uintptr_t& out) {
    if ((address & 7) != 0) return false;
    if (!known_.holds(address)) {
      if (address < kPage || !sys::readable(reinterpret_cast<void*>(address))) {
        forget_words();  // there may be memory another time
        return false;
      }
      const std::uintptr_t page = address & ~(kPage - 1);
      known_ = {page, page + kPage};
    }
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): page 0 was refused above
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
  // The walk depends on more than words.
  void forget_words() { words_ = nullptr; }
  // At the end of a walk.
  void finish_words() {
    if (words_ != nullptr) words_->whole = true;
  }

 private:
  static constexpr std::uintptr_t kPage = 4096;
  StackRange known_;
  std::uintptr_t start_;
  WalkWords* words_;
};

}  // namespace umaskaudit::shim
