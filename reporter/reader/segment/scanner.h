// Scanner: reads a segment once from its first record to its end, and finds the next record after
// damage.
// Must never accept a record with a wrong checksum, nor do more work than a fixed multiple of the
// bytes read, whatever they are.
#pragma once

#include <cstdint>
#include <vector>

#include "reporter/reader/segment/record.h"
#include "reporter/reader/segment/segment_file.h"

namespace umaskaudit::reader {

// Adjacent records without a gap: what the second pass reads.
struct Extent {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct ScanResult {
  std::vector<Extent> extents;
  std::uint64_t records = 0;
  std::uint64_t damaged_bytes = 0;  // skipped, and not explained by an unfinished record
  std::uint64_t damages = 0;        // places
  std::uint64_t unfinished = 0;     // reserved, never committed
  std::uint64_t searched = 0;       // bytes of candidates whose checksum was computed in searches
};

class Scanner {
 public:
  // `begin`: offset of the first record. Nothing at or behind `end` is looked at.
  Scanner(const SegmentFile::Reader& file, std::uint64_t begin, std::uint64_t end = UINT64_MAX);

  // The next valid record; its payload is valid until the next call. False at the end.
  bool next(Record* record);
  const ScanResult& result() const { return result_; }

 private:
  struct Gap;
  struct Start;

  std::size_t view(std::uint64_t offset, std::size_t need);
  const unsigned char* at(std::uint64_t offset) const;
  bool valid_at(std::uint64_t offset, Record* record);
  bool worth_checking(std::uint32_t length, std::uint64_t scanned);
  std::uint64_t skip_zeros(std::uint64_t offset);
  std::uint64_t skip_zeros_to(std::uint64_t offset);
  bool skip_gap();
  Gap find_next();
  void classify(const Gap& gap);
  Start start_at(std::uint64_t offset, std::uint64_t end);

  const SegmentFile::Reader& file_;
  ScanResult result_;
  std::uint64_t position_;
  std::uint64_t end_;
  std::vector<unsigned char> window_;
  std::uint64_t window_begin_ = 0;
  std::size_t window_size_ = 0;
};

}  // namespace umaskaudit::reader
