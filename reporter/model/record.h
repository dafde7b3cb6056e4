// One record as it lies in a buffer, and the bounds-checked ways to look into it.
// Must never hand out a byte beyond the record. Called by the scanner, the tables and the builder.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "preload/trace/format.h"

namespace umaskaudit::model {

struct Record {
  trace::RecordHeader head{};
  std::uint64_t offset = 0;                // in the file
  const unsigned char* payload = nullptr;  // behind the header
  std::uint32_t payload_length = 0;        // padding included

  trace::RecordType type() const { return static_cast<trace::RecordType>(head.type); }
};

// Copies the fixed part of the payload. False when the record is too short for its type.
template <typename T>
bool fixed_part(const Record& record, T* out) {
  const bool whole = record.payload_length >= sizeof(T);
  if (whole) std::memcpy(out, record.payload, sizeof(T));
  return whole;
}

// `length` bytes behind the fixed part and `skip` more. Empty when they are not all there.
template <typename T>
std::string_view bytes_after(const Record& record, std::uint32_t length, std::uint32_t skip = 0) {
  const std::uint64_t begin = sizeof(T) + std::uint64_t{skip};
  if (begin + length > record.payload_length) return {};
  return {reinterpret_cast<const char*>(record.payload) + begin, length};
}

// A fixed-size name, up to its first NUL.
template <std::size_t kSize>
std::string_view padded_text(const char (&text)[kSize]) {
  const void* end = std::memchr(text, 0, kSize);
  return {text,
          end == nullptr ? kSize : static_cast<std::size_t>(static_cast<const char*>(end) - text)};
}

// True for a length word that can belong to a record.
inline bool possible_length(std::uint32_t length) {
  return length >= sizeof(trace::RecordHeader) && length <= trace::kMaxRecord &&
         length % trace::kRecordAlign == 0;
}

}  // namespace umaskaudit::model
