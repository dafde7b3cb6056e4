// The order matters. First the header, because a fold may move from its cells into a record
// meanwhile; then the records, the latest first, because they refer to earlier ones; last the
// totals, with the state of the ring while they were read.
#include "reporter/record/segment_copy.h"

#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "preload/trace/checksum.h"
#include "preload/trace/format.h"
#include "preload/trace/ring.h"

namespace umaskaudit::record {
namespace {

using trace::chunk_begin;
using trace::same_records;
using trace::use_of;

constexpr std::uint64_t kPage = 4096;
// How often something that is being written is read again at once, and how long afterwards: on a
// busy machine its writer may wait for a processor. A killed writer never finishes.
constexpr int kYields = 100;
constexpr std::chrono::seconds kPatience{1};

using Bytes = std::vector<unsigned char>;

Error because(int error) { return {"", std::strerror(error), "", ExitCode::internal}; }

bool is_there(std::uint64_t word) { return trace::has_records(use_of(word)); }

bool same_turn(std::uint64_t a, std::uint64_t b) { return trace::turn_of(a) == trace::turn_of(b); }

// True when none of the records in these bytes, which begin with one, is still being written.
bool is_settled(const Bytes& bytes, std::uint64_t offset) {
  std::size_t at = 0;
  trace::RecordHeader head{};
  while (at + sizeof head <= bytes.size()) {
    std::memcpy(&head, &bytes[at], sizeof head);
    const bool possible = head.length >= sizeof head && head.length <= trace::kMaxRecord &&
                          head.length % trace::kRecordAlign == 0 &&
                          head.length <= bytes.size() - at;
    if (!possible || head.commit == 0 ||
        trace::record_checksum(&bytes[at], head.length, offset + at) != head.commit)
      break;
    at += head.length;
  }
  return std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(),
                     [](unsigned char byte) { return byte == 0; });
}

class SegmentCopy {
 public:
  SegmentCopy(int from, int to) : from_(from), to_(to) {}

  Result<std::uint64_t> copy() {
    struct stat facts {};
    if (fstat(from_, &facts) != 0) return because(errno);
    size_ = static_cast<std::uint64_t>(facts.st_size);
    const Bytes header = read(0, sizeof header_);
    if (header.size() == sizeof header_) std::memcpy(&header_, header.data(), sizeof header_);
    const bool known = header.size() == sizeof header_ &&
                       std::memcmp(header_.magic, trace::kMagic, sizeof header_.magic) == 0 &&
                       header_.byte_order == trace::kByteOrder && header_.major == trace::kMajor &&
                       header_.header_length >= sizeof header_ &&
                       header_.header_length <= trace::kFirstChunk;
    if (known)
      copy_known();
    else
      write(0, read(0, size_));
    // The file's last byte may be in a hole.
    if (error_ == 0 && ftruncate(to_, static_cast<off_t>(end_)) != 0) error_ = errno;
    if (error_ != 0) return because(error_);
    return written_;
  }

 private:
  // False: the time limit for the whole segment is reached.
  bool wait() {
    if (++waits_ <= kYields) return sched_yield() == 0;
    const auto now = std::chrono::steady_clock::now();
    if (waits_ == kYields + 1) patience_ends_ = now + kPatience;
    if (now >= patience_ends_) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return true;
  }

  Bytes read(std::uint64_t offset, std::uint64_t size) {
    Bytes bytes(static_cast<std::size_t>(
        std::min(size, offset < size_ ? size_ - offset : std::uint64_t{0})));
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t got =
          pread(from_, &bytes[done], bytes.size() - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) error_ = errno;
      if (got <= 0) break;
      done += static_cast<std::size_t>(got);
    }
    bytes.resize(done);
    return bytes;
  }

  // Pages of zeros stay holes.
  void write(std::uint64_t offset, const Bytes& bytes) {
    std::size_t at = 0;
    while (at < bytes.size() && error_ == 0) {
      const std::size_t end = std::min<std::size_t>(
          bytes.size(), at + static_cast<std::size_t>(kPage - (offset + at) % kPage));
      const bool zero = std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                                    bytes.begin() + static_cast<std::ptrdiff_t>(end),
                                    [](unsigned char byte) { return byte == 0; });
      while (!zero && at < end) {
        const ssize_t put = pwrite(to_, &bytes[at], end - at, static_cast<off_t>(offset + at));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) error_ = errno;
        if (put <= 0) return;
        at += static_cast<std::size_t>(put);
        written_ += static_cast<std::uint64_t>(put);
        end_ = std::max(end_, offset + at);
      }
      at = end;
    }
  }

  // A range that begins with a record.
  void copy_records(std::uint64_t begin, std::uint64_t end) {
    Bytes bytes = read(begin, end - begin);
    while (!is_settled(bytes, begin) && wait()) bytes = read(begin, end - begin);
    write(begin, bytes);
  }

  void copy_known() {
    // The copy may end where the folds begin, but not within one.
    const Bytes header = read(0, header_.header_length);
    if (read_ring()) {
      copy_chunks();
    } else {
      const std::uint64_t end = std::min(header_.tail, size_);
      std::uint64_t chunk = end == 0 ? 0 : trace::chunk_of(end - 1);
      for (; chunk > 0; --chunk) copy_records(chunk_begin(chunk), chunk_begin(chunk + 1));
    }
    copy_records(header_.header_length, trace::kFirstChunk);
    write(0, header);
    write_controls();
  }

  bool read_ring() {
    if (!is_region(header_.ring)) return false;
    std::tie(ring_, entries_) = ring_now();
    return ring_.chunks != 0 && entries_.size() == ring_.chunks;
  }
  bool is_region(std::uint64_t offset) const {
    return offset >= header_.header_length && offset < size_ && size_ - offset >= trace::kControl;
  }
  std::pair<trace::Ring, std::vector<trace::RingChunk>> ring_now() {
    trace::Ring ring{};
    const Bytes bytes = read(header_.ring, trace::kControl);
    if (bytes.size() == trace::kControl) std::memcpy(&ring, bytes.data(), sizeof ring);
    std::vector<trace::RingChunk> entries(std::min(ring.chunks, trace::kRingChunks));
    for (std::size_t i = 0; i < entries.size(); ++i)
      std::memcpy(&entries[i], &bytes[sizeof ring + i * sizeof entries[i]], sizeof entries[i]);
    return {ring, std::move(entries)};
  }

  // For each use the latest chunk first, and the chunks that others refer to last.
  void copy_chunks() {
    std::vector<std::uint32_t> order;
    for (std::uint32_t chunk = 1; chunk < entries_.size(); ++chunk)
      if (is_there(entries_[chunk].word)) order.push_back(chunk);
    std::sort(order.begin(), order.end(), [this](std::uint32_t a, std::uint32_t b) {
      const auto key = [this](std::uint32_t chunk) {
        const std::uint64_t word = entries_[chunk].word;
        return std::pair(use_of(word) == trace::ChunkUse::kept, ~trace::turn_of(word));
      };
      return key(a) < key(b);
    });
    copied_.resize(entries_.size());
    for (const std::uint32_t chunk : order) copy_chunk(chunk);
  }

  // When an entry is the same before and after reading, the bytes are the records that it
  // describes.
  void copy_chunk(std::uint32_t chunk) {
    const std::uint64_t begin = chunk_begin(chunk);
    for (bool last = false;;) {
      const trace::RingChunk before = entry_now(chunk);
      if (!same_turn(before.word, entries_[chunk].word) || !is_there(before.word)) return;
      const Bytes bytes = read(begin, trace::kChunk);
      if (!same_records(before, entry_now(chunk))) {
        if (last) return;
        last = !wait();
        continue;
      }
      const std::size_t from = std::min(bytes.size(), first_record(chunk, before));
      const Bytes records(bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.end());
      if (!last && !is_settled(records, begin + from)) {
        last = !wait();
        continue;
      }
      write(begin, bytes);
      copied_[chunk] = before;
      return;
    }
  }
  // The offset of its records in the chunk: after dropped ones, and after the control regions.
  std::size_t first_record(std::uint32_t chunk, const trace::RingChunk& entry) const {
    const std::uint64_t begin = chunk_begin(chunk);
    std::uint64_t first = begin;
    if (use_of(entry.word) == trace::ChunkUse::dropping)
      first += entry.dropped / trace::kRecordAlign * trace::kRecordAlign;
    for (const std::uint64_t region : {header_.ring, header_.totals})
      if (region <= first && first - region < trace::kControl) first = region + trace::kControl;
    return static_cast<std::size_t>(first - begin);
  }

  trace::RingChunk entry_now(std::uint32_t chunk) {
    trace::RingChunk entry{};
    const Bytes bytes =
        read(header_.ring + sizeof(trace::Ring) + chunk * sizeof entry, sizeof entry);
    if (bytes.size() == sizeof entry) std::memcpy(&entry, bytes.data(), sizeof entry);
    return entry;
  }

  void write_controls() {
    if (!entries_.empty()) return write_ring();
    // The totals may have been added since the header was read.
    trace::SegmentHeader now{};
    const Bytes bytes = read(0, sizeof now);
    if (bytes.size() != sizeof now) return;
    std::memcpy(&now, bytes.data(), sizeof now);
    if (!is_region(now.totals)) return;
    constexpr std::size_t kField = offsetof(trace::SegmentHeader, totals);
    write(kField, Bytes(&bytes[kField], &bytes[kField] + sizeof now.totals));
    write_region(now.totals, read(now.totals, trace::kControl));
  }

  // Records that were dropped since their chunk was copied are in the totals, so they are removed
  // from the copy.
  void write_ring() {
    Bytes totals;
    std::vector<trace::RingChunk> now;
    do {
      const std::uint64_t before = ring_now().first.dropped;
      if (is_region(header_.totals)) totals = read(header_.totals, trace::kControl);
      std::tie(ring_, now) = ring_now();
      now.resize(copied_.size());
      if (ring_.dropped == before && !has_begun(now)) break;
    } while (wait());
    Bytes region(trace::kControl);
    ring_.chunks = ring_.used = static_cast<std::uint32_t>(now.size());
    std::memcpy(region.data(), &ring_, sizeof ring_);
    for (std::size_t i = 0; i < now.size(); ++i) {
      const bool stays = is_there(copied_[i].word) && is_there(now[i].word) &&
                         same_turn(copied_[i].word, now[i].word);
      const trace::RingChunk entry = stays ? now[i] : trace::RingChunk{};
      std::memcpy(&region[sizeof ring_ + i * sizeof entry], &entry, sizeof entry);
    }
    write_region(header_.ring, region);
    if (!totals.empty()) write_region(header_.totals, totals);
  }

  // For a chunk that was copied, dropping is about to begin or has just ended: the entry does not
  // say which.
  bool has_begun(const std::vector<trace::RingChunk>& now) const {
    for (std::size_t i = 0; i < copied_.size(); ++i) {
      const bool dropping = use_of(now[i].word) == trace::ChunkUse::dropping;
      if (dropping && now[i].dropped == 0 && !same_records(now[i], copied_[i])) return true;
    }
    return false;
  }

  void write_region(std::uint64_t offset, const Bytes& bytes) {
    write(offset, bytes);
    end_ = std::max(end_, offset + trace::kControl);
  }

  const int from_, to_;
  std::uint64_t size_ = 0;
  trace::SegmentHeader header_{};
  trace::Ring ring_{};
  std::vector<trace::RingChunk> entries_;  // empty: no ring
  std::vector<trace::RingChunk> copied_;   // as they were when their chunks were copied
  std::uint64_t written_ = 0;
  std::uint64_t end_ = 0;
  int error_ = 0;
  int waits_ = 0;
  std::chrono::steady_clock::time_point patience_ends_;
};

}  // namespace

Result<std::uint64_t> copy_segment(int from, int to) { return SegmentCopy(from, to).copy(); }

}  // namespace umaskaudit::record
