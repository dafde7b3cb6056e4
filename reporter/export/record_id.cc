#include "reporter/export/record_id.h"

#include <algorithm>

#include "reporter/text/uuid.h"

namespace umaskaudit::exports {
namespace {

// The finalizer of splitmix64: a bijection in which each bit of the input changes half the output.
std::uint64_t mixed(std::uint64_t value) {
  value ^= value >> 30;
  value *= 0xbf58476d1ce4e5b9;
  value ^= value >> 27;
  value *= 0x94d049bb133111eb;
  return value ^ value >> 31;
}

}  // namespace

RecordId& RecordId::add(std::uint64_t value) {
  high_ = mixed(high_ + value + 0x9e3779b97f4a7c15);
  low_ = mixed((low_ ^ value) + high_);
  return *this;
}

RecordId& RecordId::add(std::string_view bytes) {
  add(std::uint64_t{bytes.size()});
  while (!bytes.empty()) {
    const std::size_t count = std::min(bytes.size(), sizeof(std::uint64_t));
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < count; ++i)  // the same whatever the machine's byte order
      word |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << 8 * i;
    add(word);
    bytes.remove_prefix(count);
  }
  return *this;
}

std::string RecordId::text() const {
  UuidBytes bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::uint64_t half = i < 8 ? high_ : low_;
    bytes[i] = static_cast<std::uint8_t>(half >> (56 - 8 * (i % 8)));
  }
  return hash_uuid_text(bytes);
}

}  // namespace umaskaudit::exports
