// Reads a segment file back, believing nothing but what checksums hold. A second reading of
// format.h beside the reporter's: this one takes only whole segments of this machine.
#pragma once

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "preload/trace/checksum.h"

namespace umaskaudit::testing_support {

struct RecordBytes {
  trace::RecordHeader header;
  std::string payload;  // with its padding

  template <typename Payload>
  Payload as() const {
    Payload value{};
    memcpy(&value, payload.data(), sizeof value);
    return value;
  }
  // What follows the fixed part.
  template <typename Payload>
  std::string rest(std::size_t length) const {
    return payload.substr(sizeof(Payload), length);
  }
};

struct SegmentContents {
  trace::SegmentHeader header{};
  std::vector<RecordBytes> records;
  unsigned damaged = 0;  // reserved, but never committed
};

inline SegmentContents read_segment(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  SegmentContents contents;
  if (bytes.size() < sizeof contents.header) return contents;
  memcpy(&contents.header, bytes.data(), sizeof contents.header);
  const std::size_t end = std::min<std::size_t>(bytes.size(), contents.header.tail);
  for (std::size_t at = sizeof contents.header; at + sizeof(trace::RecordHeader) <= end;) {
    trace::RecordHeader header{};
    memcpy(&header, bytes.data() + at, sizeof header);
    const bool whole = header.length >= sizeof header && at + header.length <= bytes.size();
    if (whole && header.commit == trace::record_checksum(bytes.data() + at, header.length, at)) {
      contents.records.push_back(
          {header, bytes.substr(at + sizeof header, header.length - sizeof header)});
      at += header.length;
      continue;
    }
    if (header.length != 0) ++contents.damaged;
    at += trace::kRecordAlign;  // a chunk's unused end
  }
  return contents;
}

}  // namespace umaskaudit::testing_support
