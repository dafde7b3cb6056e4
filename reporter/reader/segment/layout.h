// Layout: where the records of a segment are, and in which order to read them. Without a ring that
// is the order of the file, around the totals. With one (keep=latest) it is chunk by chunk, by use
// and turn: each use is a stream nearly in the order of time.
// Must never trust a number of the ring or the header: a wrong one may cost the order, never an
// access outside the file. Used by both passes over a run, and for a growing run.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "preload/trace/format.h"
#include "reporter/reader/segment/segment_file.h"

namespace umaskaudit::reader {

// In a ring, one lane for each use; `other`: chunks being dropped. Without a ring all is `kept`.
enum class Lane : std::uint8_t { kept, events, changes, other };
inline constexpr std::size_t kLanes = 4;

struct Part {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  Lane lane = Lane::kept;
  std::uint32_t chunk = 0;  // its entry in the ring; 0: none, it cannot change
  std::uint64_t word = 0;   // of that entry when the parts were listed
};

class Layout {
 public:
  Layout() = default;
  // `first`: offset of the first record.
  Layout(const SegmentFile::Reader& file, const trace::SegmentHeader& header, std::uint64_t first);

  bool has_ring() const { return !places_.empty(); }
  // Offsets of the control regions; 0: there is none.
  std::uint64_t ring() const { return ring_.begin; }
  std::uint64_t totals() const { return totals_.begin; }
  // The header names a ring, or totals, where there can be none.
  bool damaged() const { return damaged_; }
  // By lane, and within each in the order of writing.
  const std::vector<Part>& parts() const { return parts_; }
  // Reads a part of a chunk into `file`, which then serves reads from it. False when the chunk was
  // reused since it was listed, or changes continually while it is dropped. If the dropping has
  // advanced, the begin moves on.
  bool hold(SegmentFile::Reader* file, Part* part);
  // Whether what was just read at `offset` is still the records that were listed.
  bool unchanged(const SegmentFile::Reader& file, std::uint64_t offset) const;
  // Increases in the order of parts().
  std::uint64_t place(std::uint64_t offset) const {
    return places_.empty() ? offset : place_in_ring(offset);
  }

 private:
  struct Region {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };

  bool read_ring(const SegmentFile::Reader& file);
  Region region_at(std::uint64_t offset, std::uint64_t first, std::uint64_t size);
  void add(Part part);
  trace::RingChunk entry(const SegmentFile::Reader& file, std::uint32_t chunk) const;
  std::uint64_t place_in_ring(std::uint64_t offset) const;

  Region ring_, totals_;                       // control regions; empty: there is none
  std::vector<trace::RingChunk> ring_chunks_;  // as listed, or as last checked
  std::vector<Part> parts_;
  std::vector<std::uint64_t> places_;  // the begin of each chunk
  bool damaged_ = false;
};

}  // namespace umaskaudit::reader
