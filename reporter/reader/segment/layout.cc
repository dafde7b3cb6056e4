// The writer zeroes a chunk when all its records are in the totals, and gives it a new turn when it
// is used again: when an entry is the same before and after reading, the bytes read are the records
// that it describes.
#include "reporter/reader/segment/layout.h"

#include <algorithm>
#include <tuple>

#include "preload/trace/ring.h"

namespace umaskaudit::reader {

using trace::chunk_begin;
using trace::chunk_of;
using trace::has_records;
using trace::same_records;
using trace::turn_of;
using trace::use_of;

namespace {

// Above any place in a lane: kRingChunks of them are a gigabyte.
constexpr unsigned kLaneShift = 44;
// How often a chunk that changes is read again.
constexpr int kTries = 8;

Lane lane_of(trace::ChunkUse use) {
  if (use == trace::ChunkUse::kept) return Lane::kept;
  if (use == trace::ChunkUse::events) return Lane::events;
  return use == trace::ChunkUse::changes ? Lane::changes : Lane::other;
}

}  // namespace

Layout::Layout(const SegmentFile::Reader& file, const trace::SegmentHeader& header,
               std::uint64_t first) {
  ring_ = region_at(header.ring, first, file.size());
  totals_ = region_at(header.totals, first, file.size());
  if (ring_.begin == ring_.end || !read_ring(file)) {
    add({first, file.size()});
    return;
  }
  const std::uint64_t chunks =
      std::min<std::uint64_t>(chunk_of(file.size() - 1) + 1, ring_chunks_.size());
  add({first, trace::kFirstChunk});
  for (std::uint32_t chunk = 1; chunk < chunks; ++chunk) {
    const trace::RingChunk& entry = ring_chunks_[chunk];
    const trace::ChunkUse use = use_of(entry.word);
    if (!has_records(use)) continue;
    Part part{chunk_begin(chunk), std::min(chunk_begin(chunk + 1), file.size()), lane_of(use),
              chunk, entry.word};
    add(part);
  }
  std::sort(parts_.begin(), parts_.end(), [](const Part& a, const Part& b) {
    return std::make_tuple(a.lane, a.chunk != 0, turn_of(a.word), a.begin) <
           std::make_tuple(b.lane, b.chunk != 0, turn_of(b.word), b.begin);
  });
  places_.resize(ring_chunks_.size());
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    places_[parts_[i].chunk] =
        (std::uint64_t{static_cast<std::uint8_t>(parts_[i].lane)} << kLaneShift) +
        i * trace::kChunk;
  }
}

Layout::Region Layout::region_at(std::uint64_t offset, std::uint64_t first, std::uint64_t size) {
  if (offset == 0) return {};
  const bool fits = offset >= first && offset % trace::kRecordAlign == 0 && offset < size &&
                    size - offset >= trace::kControl;
  damaged_ = damaged_ || !fits;
  return fits ? Region{offset, offset + trace::kControl} : Region{};
}

// False: the number of chunks is invalid, or less than the number used.
bool Layout::read_ring(const SegmentFile::Reader& file) {
  trace::Ring head{};
  const bool whole = file.read(ring_.begin, &head, sizeof head) == sizeof head;
  if (whole && head.chunks != 0 && head.chunks <= trace::kRingChunks && head.used <= head.chunks) {
    ring_chunks_.resize(head.chunks);
    const std::size_t size = ring_chunks_.size() * sizeof(trace::RingChunk);
    if (file.read(ring_.begin + sizeof head, ring_chunks_.data(), size) == size) return true;
  }
  ring_chunks_.clear();
  damaged_ = true;
  return false;
}

// Leaves out the control regions.
void Layout::add(Part part) {
  std::array<Region, 2> regions = {ring_, totals_};
  if (regions[1].begin < regions[0].begin) std::swap(regions[0], regions[1]);
  for (const Region& region : regions) {
    if (region.begin >= part.end || region.end <= part.begin) continue;
    if (region.begin > part.begin) {
      parts_.push_back(part);
      parts_.back().end = region.begin;
    }
    part.begin = region.end;
  }
  if (part.begin < part.end) parts_.push_back(part);
}

trace::RingChunk Layout::entry(const SegmentFile::Reader& file, std::uint32_t chunk) const {
  trace::RingChunk entry{};
  file.read(ring_.begin + sizeof(trace::Ring) + chunk * sizeof entry, &entry, sizeof entry);
  return entry;
}

bool Layout::hold(SegmentFile::Reader* file, Part* part) {
  if (part->chunk == 0) return true;
  trace::RingChunk& known = ring_chunks_[part->chunk];
  for (int tries = 0; tries < kTries; ++tries) {
    const trace::RingChunk before = entry(*file, part->chunk);
    if (turn_of(before.word) != turn_of(part->word) || !has_records(use_of(before.word)))
      return false;
    file->hold(part->begin, part->end);
    const trace::RingChunk after = entry(*file, part->chunk);
    if (!same_records(before, after)) continue;
    known = after;
    if (use_of(after.word) != trace::ChunkUse::dropping) return true;
    const std::uint64_t dropped = std::min<std::uint64_t>(after.dropped, trace::kChunk);
    const std::uint64_t begin =
        chunk_begin(part->chunk) + dropped / trace::kRecordAlign * trace::kRecordAlign;
    part->begin = std::clamp(begin, part->begin, part->end);
    return true;
  }
  return false;  // its last records are being dropped while we read
}

bool Layout::unchanged(const SegmentFile::Reader& file, std::uint64_t offset) const {
  const std::uint64_t chunk = places_.empty() ? 0 : chunk_of(offset);
  if (chunk == 0 || chunk >= ring_chunks_.size()) return true;
  return same_records(ring_chunks_[chunk], entry(file, static_cast<std::uint32_t>(chunk)));
}

std::uint64_t Layout::place_in_ring(std::uint64_t offset) const {
  const std::uint64_t chunk = chunk_of(offset);
  return chunk < places_.size() ? places_[chunk] + (offset - chunk_begin(chunk)) : offset;
}

}  // namespace umaskaudit::reader
