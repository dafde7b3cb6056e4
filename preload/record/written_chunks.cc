// Walks over the records of a chunk; see written_chunks.h.

#include "preload/record/written_chunks.h"

#include <atomic>

#include "preload/trace/format.h"

namespace umaskaudit::shim {

namespace {

// For the latest chunks: chunk number in the upper half, offset in the lower one.
constexpr unsigned kLatest = 2 * kLooks;
using Offsets = std::atomic<std::uint64_t>[kLatest];
constinit Offsets begins = {};
constinit Offsets ends = {};
constinit Offsets walked = {};  // committed up to here

void note(Offsets& offsets, unsigned chunk, std::uint32_t offset) {
  offsets[chunk % kLatest].store(std::uint64_t{chunk} << 32 | offset, std::memory_order_release);
}

std::uint32_t noted(const Offsets& offsets, unsigned chunk, std::uint32_t otherwise) {
  const std::uint64_t word = offsets[chunk % kLatest].load(std::memory_order_acquire);
  return word != 0 && word >> 32 == chunk ? static_cast<std::uint32_t>(word) : otherwise;
}

}  // namespace

void note_gap(unsigned chunk, std::uint32_t offset, std::uint32_t rest) {
  note(ends, chunk, offset);
  note(begins, chunk + 1, rest);
}

std::uint32_t committed_end(const unsigned char* base, std::uint32_t at, std::uint32_t end) {
  while (at <= end && end - at >= sizeof(trace::RecordHeader)) {
    const auto* record = reinterpret_cast<const trace::RecordHeader*>(base + at);
    // The commit word is stored last, so the writer is done with this record.
    if (__atomic_load_n(&record->commit, __ATOMIC_ACQUIRE) == 0) break;
    const std::uint32_t length = record->length;
    if (length < sizeof *record || length % trace::kRecordAlign != 0) break;
    if (length > end - at) break;
    at += length;
  }
  return at;
}

bool is_written(unsigned chunk, const unsigned char* base, std::uint32_t size) {
  const std::uint32_t end = noted(ends, chunk, size);
  if (end > size) return false;
  const std::uint32_t at = committed_end(base, noted(walked, chunk, noted(begins, chunk, 0)), end);
  if (at != 0) note(walked, chunk, at);
  return at == end;
}

}  // namespace umaskaudit::shim
