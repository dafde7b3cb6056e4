// Record: one record in a buffer, and bounds-checked access to it.
// Must never give out a byte beyond the record.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "preload/trace/checksum.h"
#include "preload/trace/format.h"

namespace umaskaudit::reader {

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

// The length word of the record at `bytes`; 0 when fewer than its header is there.
inline std::uint32_t length_at(const unsigned char* bytes, std::size_t available) {
  trace::RecordHeader head{};
  if (available >= sizeof head) std::memcpy(&head, bytes, sizeof head);
  return head.length;
}

// Parses a record that was found valid before.
inline void read_record(const unsigned char* bytes, std::uint64_t offset, Record* record) {
  std::memcpy(&record->head, bytes, sizeof record->head);
  record->offset = offset;
  record->payload = bytes + sizeof record->head;
  record->payload_length = record->head.length - static_cast<std::uint32_t>(sizeof record->head);
}

// True, and parses it, when a record of possible length is at `bytes`, which are at `offset` of the
// file, and all of it is there.
inline bool framed_record(const unsigned char* bytes, std::size_t available, std::uint64_t offset,
                          Record* record) {
  const std::uint32_t length = length_at(bytes, available);
  const bool framed = possible_length(length) && length <= available;
  if (framed) read_record(bytes, offset, record);
  return framed;
}

// The same for a valid record: committed, with the right checksum.
inline bool whole_record(const unsigned char* bytes, std::size_t available, std::uint64_t offset,
                         Record* record) {
  return framed_record(bytes, available, offset, record) && record->head.commit != 0 &&
         trace::record_checksum(bytes, record->head.length, offset) == record->head.commit;
}

}  // namespace umaskaudit::reader
