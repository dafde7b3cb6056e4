// One arena and one open-addressing table; see string_pool.h. Hashes are stored, so growing does
// not read the strings again.
#include "reporter/reader/segment/string_pool.h"

#include <cstring>

namespace umaskaudit::reader {
namespace {

constexpr std::size_t kFirstSlots = 256;
constexpr std::size_t kBlock = std::size_t{64} << 10;

std::uint32_t hash_of(std::string_view text) {
  constexpr std::uint64_t kPrime = 0x9E3779B97F4A7C15u;
  std::uint64_t hash = (text.size() + 1) * kPrime;
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof word);
    hash = (hash ^ word) * kPrime;
    hash ^= hash >> 32;
  }
  std::uint64_t rest = 0;
  if (at < text.size()) std::memcpy(&rest, text.data() + at, text.size() - at);
  hash = (hash ^ rest) * kPrime;
  return static_cast<std::uint32_t>(hash >> 32);
}

}  // namespace

StringPool::StringPool() : slots_(kFirstSlots) {}

std::string_view StringPool::intern(std::string_view text) {
  if (text.empty()) return {};
  const std::uint32_t hash = hash_of(text);
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].text != nullptr) {
    const Slot& slot = slots_[at];
    if (slot.hash == hash && slot.length == text.size() &&
        std::memcmp(slot.text, text.data(), text.size()) == 0) {
      return {slot.text, slot.length};
    }
    at = (at + 1) & mask;
  }
  const char* copy = store(text);
  slots_[at] = {copy, hash, static_cast<std::uint32_t>(text.size())};
  if (++used_ * 3 > slots_.size() * 2) grow();
  return {copy, text.size()};
}

void StringPool::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.text == nullptr) continue;
    std::size_t at = slot.hash & mask;
    while (slots_[at].text != nullptr) at = (at + 1) & mask;
    slots_[at] = slot;
  }
}

const char* StringPool::store(std::string_view text) {
  if (text.size() > left_) {
    const std::size_t size = text.size() > kBlock ? text.size() : kBlock;
    blocks_.push_back(std::make_unique<char[]>(size));
    free_ = blocks_.back().get();
    left_ = size;
  }
  char* copy = free_;
  std::memcpy(copy, text.data(), text.size());
  free_ += text.size();
  left_ -= text.size();
  return copy;
}

}  // namespace umaskaudit::reader
