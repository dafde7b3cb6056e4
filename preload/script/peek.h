// Peek: reads structures of a runtime, directly where they are certain to be mapped, else by copies
// that the kernel makes.
// Must never fault where the structures may be unmapped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace umaskaudit::shim {

// The bytes that were copied last: frames of a stack are adjacent, so one copy serves several
// reads.
struct Window {
  static constexpr std::size_t kSize = 2048;
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;  // not above `begin`: empty
  unsigned char bytes[kSize];
};

class Peek {
 public:
  enum class Way : std::uint8_t {
    direct,  // by loads: the caller knows that the memory is mapped
    copies,  // by process_vm_readv(2) on ourselves, a system call for each read outside the window
  };
  Peek(Way way, Window& window) : window_(window), way_(way) { forget(); }

  // False: not all of it can be read, or `at` is not a user-space address.
  bool read(std::uintptr_t at, void* to, std::size_t size) {
    if (at < kLowest || at > kHighest) return false;
    if (__builtin_expect(way_ == Way::direct, 1)) {
      std::memcpy(to, reinterpret_cast<const void*>(at), size);
      return true;
    }
    return copy(at, to, size);
  }
  // A pointer to the bytes: in place, or in `room` after a copy. Null: not readable.
  const unsigned char* view(std::uintptr_t at, unsigned char* room, std::size_t size) {
    if (at < kLowest || at > kHighest) return nullptr;
    if (__builtin_expect(way_ == Way::direct, 1)) return reinterpret_cast<unsigned char*>(at);
    return copy(at, room, size) ? room : nullptr;
  }
  template <typename T>
  bool get(std::uintptr_t at, T& out) {
    return read(at, &out, sizeof out);
  }

  void read_directly() { way_ = Way::direct; }
  // What was copied may have changed since.
  void forget() { window_.begin = window_.end = 0; }
  bool is_direct() const { return way_ == Way::direct; }
  // A copy failed because a seccomp filter bars the system call.
  bool is_barred() const { return barred_; }

 private:
  static constexpr std::uintptr_t kLowest = 4096;
  static constexpr std::uintptr_t kHighest = std::uintptr_t{1} << 47;

  bool copy(std::uintptr_t at, void* to, std::size_t size);

  Window& window_;
  Way way_;
  bool barred_ = false;
};

// Several places in one system call.
class Batch {
 public:
  static constexpr unsigned kMost = 24;

  // `to`: zeros where the memory is not readable. At most kMost items.
  void add(std::uintptr_t at, void* to, std::size_t size);
  void read();
  // The kernel, or a filter, refused to read at all: then what was asked for is zeros.
  bool is_barred() const { return barred_; }

 private:
  struct Piece {
    void* at;
    std::size_t size;
  };
  Piece from_[kMost];
  Piece to_[kMost];
  unsigned count_ = 0;
  bool barred_ = false;
};

}  // namespace umaskaudit::shim
