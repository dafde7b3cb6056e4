// A gap is everything between two valid records: a record that was never committed because its
// writer was killed, the unused end of a chunk, a hole, or damage. format.md draws the cases.
#include "reporter/reader/segment/scanner.h"

#include <algorithm>
#include <cstring>

namespace umaskaudit::reader {
namespace {

constexpr std::size_t kWindow = std::size_t{256} << 10;
// The writer's chunks: a record never crosses into the next one, and the rest of a chunk stays
// zero. Only the count of unfinished records depends on this, never which records are recovered.
constexpr std::uint64_t kFirstChunk = std::uint64_t{64} << 10;
constexpr std::uint64_t kChunk = std::uint64_t{256} << 10;

// A hostile file can claim a 64 KiB record every 8 bytes. Long candidates are checked while the
// bytes checked in vain are fewer than an initial credit plus a multiple of the bytes searched;
// short ones always. Together that is a bounded multiple of the file's size.
constexpr std::uint64_t kCheckCredit = std::uint64_t{16} << 20;
constexpr std::uint64_t kCheckFactor = 16;
constexpr std::uint32_t kShortRecord = 256;

// The first chunk border behind `offset`.
std::uint64_t next_border(std::uint64_t offset) {
  if (offset < kFirstChunk) return kFirstChunk;
  return kFirstChunk + ((offset - kFirstChunk) / kChunk + 1) * kChunk;
}

std::uint64_t word_at(const unsigned char* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

}  // namespace

struct Scanner::Gap {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;        // the next record, or the end of the file
  std::uint64_t last_byte = 0;  // after the last byte that is not zero; `begin` when all are zero
  bool found = false;
};

struct Scanner::Start {
  bool committed = false;  // its commit word is not 0
  bool fits = false;       // its length is possible and ends inside the gap
  std::uint32_t length = 0;
};

Scanner::Scanner(const SegmentFile::Reader& file, std::uint64_t begin, std::uint64_t end)
    : file_(file), position_(begin), end_(std::min(end, file.size())) {
  const std::uint64_t size = end_ > begin ? end_ - begin : 0;
  window_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kWindow, size)));
}

// Makes `need` bytes at `offset` available to at(); returns how many are, up to `need`.
std::size_t Scanner::view(std::uint64_t offset, std::size_t need) {
  const std::uint64_t window_end = window_begin_ + window_size_;
  if (offset >= window_begin_ && offset + need <= window_end) return need;
  window_begin_ = offset;
  const std::uint64_t left = offset < end_ ? end_ - offset : 0;
  window_size_ = file_.read(offset, window_.data(), std::min<std::uint64_t>(window_.size(), left));
  return std::min(need, window_size_);
}

const unsigned char* Scanner::at(std::uint64_t offset) const {
  return window_.data() + (offset - window_begin_);
}

bool Scanner::valid_at(std::uint64_t offset, Record* record) {
  const std::size_t visible = view(offset, sizeof record->head);
  const std::uint32_t length = length_at(at(offset), visible);
  if (!possible_length(length)) return false;
  const std::size_t whole = view(offset, length);
  return whole_record(at(offset), whole, offset, record);
}

bool Scanner::next(Record* record) {
  while (!valid_at(position_, record)) {
    if (!skip_gap()) return false;
  }
  const std::uint64_t end = position_ + record->head.length;
  const bool follows = !result_.extents.empty() && result_.extents.back().end == position_;
  if (!follows) result_.extents.push_back({position_, end});
  result_.extents.back().end = end;
  ++result_.records;
  position_ = end;
  return true;
}

// Advances to the next record. False: there is none.
bool Scanner::skip_gap() {
  const Gap gap = find_next();
  if (gap.last_byte > gap.begin) {
    classify(gap);
  } else if (gap.found && next_border(gap.begin) > gap.end) {
    ++result_.unfinished;  // zeros inside a chunk: reserved, not even begun
  }
  position_ = gap.end;
  return gap.found;
}

bool Scanner::worth_checking(std::uint32_t length, std::uint64_t scanned) {
  const bool worth =
      length <= kShortRecord || result_.searched <= kCheckCredit + kCheckFactor * scanned;
  if (worth) result_.searched += length;
  return worth;
}

// The first non-zero word at or after `offset` that is already in the window, or where to read on.
std::uint64_t Scanner::skip_zeros(std::uint64_t offset) {
  const std::uint64_t window_end = window_begin_ + window_size_;
  while (offset + 8 <= window_end && word_at(at(offset)) == 0) offset += 8;
  // Zeros at the end of the window may continue as a hole of any size.
  if (offset + 8 > window_end) {
    const std::uint64_t data = file_.next_data(offset);
    offset = std::max(offset, data / trace::kRecordAlign * trace::kRecordAlign);
  }
  return offset;
}

Scanner::Gap Scanner::find_next() {
  Gap gap;
  gap.begin = gap.last_byte = position_;
  Record candidate;
  std::uint64_t offset = position_;
  for (;;) {
    const std::size_t visible = view(offset, sizeof(trace::RecordHeader));
    if (visible < sizeof(trace::RecordHeader)) {
      for (std::size_t i = 0; i < visible; ++i) {
        if (at(offset)[i] != 0) gap.last_byte = offset + i + 1;
      }
      gap.end = offset + visible;
      return gap;
    }
    const std::uint64_t word = word_at(at(offset));
    if (word == 0) {
      offset = skip_zeros(offset);
      continue;
    }
    const auto length = static_cast<std::uint32_t>(word >> 32);
    if (static_cast<std::uint32_t>(word) != 0 && possible_length(length) && offset != position_ &&
        worth_checking(length, offset - position_) && valid_at(offset, &candidate)) {
      gap.end = offset;
      gap.found = true;
      return gap;
    }
    offset += trace::kRecordAlign;
    gap.last_byte = offset;
  }
}

// Distinguishes records in progress from damage in a gap that has more than zeros.
void Scanner::classify(const Gap& gap) {
  std::uint64_t offset = gap.begin;
  while (offset < gap.last_byte) {
    const Start start = start_at(offset, gap.end);
    if (start.committed) break;
    if (start.fits) {
      ++result_.unfinished;  // its length is known
      offset += start.length;
      continue;
    }
    const std::uint64_t begun = skip_zeros_to(offset);
    const bool chunk_end = begun >= next_border(offset);
    const Start next = start_at(begun, gap.end);
    if (chunk_end || (next.committed && next.fits && begun + next.length == gap.end)) {
      if (!chunk_end) ++result_.unfinished;  // not even begun, and damage after it
      offset = begun;
      continue;
    }
    if (gap.last_byte - offset > trace::kMaxRecord) break;
    ++result_.unfinished;  // its payload was being written, without its length
    return;
  }
  if (offset >= gap.last_byte) return;
  ++result_.damages;
  result_.damaged_bytes += (gap.found ? gap.end : gap.last_byte) - offset;
}

// Interprets the first word at `offset` as that of a record.
Scanner::Start Scanner::start_at(std::uint64_t offset, std::uint64_t end) {
  Start start;
  if (view(offset, sizeof(std::uint64_t)) < sizeof(std::uint64_t)) {
    start.committed = true;  // the torn end of the file: damage
    return start;
  }
  const std::uint64_t word = word_at(at(offset));
  start.committed = static_cast<std::uint32_t>(word) != 0;
  start.length = static_cast<std::uint32_t>(word >> 32);
  start.fits = possible_length(start.length) && start.length <= end - offset;
  return start;
}

// The first word at or behind `offset` that is not zero; the caller knows that there is one.
std::uint64_t Scanner::skip_zeros_to(std::uint64_t offset) {
  while (view(offset, 8) == 8 && word_at(at(offset)) == 0) offset = skip_zeros(offset);
  return offset;
}

}  // namespace umaskaudit::reader
