// StringPool: one copy of each distinct string of a run, so that events can hold views.
// Must never move or drop a string while the pool lives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace umaskaudit::reader {

class StringPool {
 public:
  StringPool();

  // The pool's own copy of `text`; equal texts give the same address.
  std::string_view intern(std::string_view text);

 private:
  struct Slot {
    const char* text = nullptr;
    std::uint32_t hash = 0;
    std::uint32_t length = 0;
  };

  void grow();
  const char* store(std::string_view text);

  std::vector<Slot> slots_;  // open addressing, a power of two
  std::size_t used_ = 0;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace umaskaudit::reader
