// Writes files, chunks and checksums; see segment_writer.h.

#include "reporter/tracer/segment_writer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "preload/trace/checksum.h"
#include "preload/trace/ring.h"

namespace umaskaudit::tracer {

namespace {

// In the kernel's format: 32 hexadecimal digits with dashes.
void read_boot_id(std::uint8_t (&out)[16]) {
  char text[64] = {};
  const int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  const ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  unsigned nibbles = 0;
  for (ssize_t i = 0; i < size && nibbles < 32; ++i) {
    if (text[i] == '-') continue;
    const unsigned value = static_cast<unsigned>(text[i] <= '9' ? text[i] - '0' : text[i] - 'W');
    out[nibbles / 2] = static_cast<std::uint8_t>(out[nibbles / 2] << 4 | (value & 15));
    ++nibbles;
  }
}

constexpr std::size_t kPage = 4096;

// Counts the image in run.state, which all processes of the run share.
void count_in_run(const std::string& directory, int error) {
  const std::string name = directory + "/" + trace::kRunStateName;
  const int fd = open(name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
  if (fd < 0) return;
  struct stat facts {};
  const bool whole = fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) &&
                     (facts.st_size >= static_cast<off_t>(kPage) ||
                      (fchmod(fd, 0600) == 0 && posix_fallocate(fd, 0, kPage) == 0));
  void* at = whole ? mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
  close(fd);
  if (at == MAP_FAILED) return;
  auto* state = static_cast<trace::RunState*>(at);
  std::memcpy(state->magic, trace::kMagic, sizeof state->magic);
  state->major = trace::kMajor;
  state->minor = trace::kMinor;
  state->byte_order = trace::kByteOrder;
  __atomic_fetch_add(&state->images, 1, __ATOMIC_RELAXED);
  __atomic_fetch_add(error == 0 ? &state->segments : &state->segments_failed, 1, __ATOMIC_RELAXED);
  if (error != 0) state->last_errno = static_cast<std::uint64_t>(error);
  munmap(at, kPage);
}

std::uint64_t whole_chunks(std::uint64_t limit) {
  if (limit < trace::kFirstChunk) limit = trace::kFirstChunk;
  return trace::kFirstChunk + (limit - trace::kFirstChunk) / trace::kChunk * trace::kChunk;
}

}  // namespace

SegmentWriter::SegmentWriter(const std::string& directory, pid_t pid, pid_t parent,
                             std::uint64_t limit) {
  for (auto& id : ids_) id = 1;
  count_in_run(directory, open_file(directory, pid, parent, whole_chunks(limit)));
}

// 0 or an error number.
int SegmentWriter::open_file(const std::string& directory, pid_t pid, pid_t parent,
                             std::uint64_t limit) {
  const std::uint64_t now = now_ns();
  std::string name;
  for (unsigned attempt = 0; fd_ < 0 && attempt < 16; ++attempt) {
    char text[64];
    std::snprintf(text, sizeof text, "/%d-%016llx%s", pid,
                  static_cast<unsigned long long>(now + attempt), trace::kSegmentSuffix);
    name = directory + text;
    fd_ = open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd_ < 0 && errno != EEXIST) return errno;
  }
  if (fd_ < 0) return EEXIST;
  fchmod(fd_, 0600);  // a default ACL may have changed the mode
  // Maps the limit at once: pages beyond the file's size are not touched.
  void* at = back(trace::kFirstChunk)
                 ? mmap(nullptr, limit, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0)
                 : MAP_FAILED;
  if (at == MAP_FAILED) {
    const int error = errno;
    unlink(name.c_str());
    close(fd_);
    fd_ = -1;
    return error;
  }
  map_ = static_cast<unsigned char*>(at);
  limit_ = limit;
  tail_ = sizeof(trace::SegmentHeader);
  header_ = reinterpret_cast<trace::SegmentHeader*>(map_);
  std::memcpy(header_->magic, trace::kMagic, sizeof header_->magic);
  header_->major = trace::kMajor;
  header_->minor = trace::kMinor;
  header_->header_length = sizeof(trace::SegmentHeader);
  header_->byte_order = trace::kByteOrder;
  header_->word_size = sizeof(void*);
  header_->recorder = static_cast<std::uint8_t>(trace::Recorder::tracer);
  read_boot_id(header_->boot_id);
  header_->mono_ns = now;
  header_->real_ns = now_ns(CLOCK_REALTIME);
  header_->pid = static_cast<std::uint32_t>(pid);
  header_->ppid = static_cast<std::uint32_t>(parent);
  header_->limit = limit;
  for (unsigned space = 0; space <= static_cast<unsigned>(trace::IdSpace::directory); ++space)
    header_->next_id[space] = 1;
  __atomic_store_n(&header_->tail, tail_, __ATOMIC_RELEASE);
  return 0;
}

SegmentWriter::~SegmentWriter() {
  if (map_ == nullptr) return;
  munmap(map_, limit_);
  if (ftruncate(fd_, static_cast<off_t>((tail_ + kPage - 1) / kPage * kPage)) != 0)
    errno = 0;  // the file keeps its size
  close(fd_);
}

// Allocates the file's blocks up to `end`: a store into a hole of a full disk would raise SIGBUS.
bool SegmentWriter::back(std::uint64_t end) {
  if (end <= backed_) return true;
  const auto from = static_cast<off_t>(backed_);
  if (const int error = posix_fallocate(fd_, from, static_cast<off_t>(end) - from); error != 0) {
    errno = error;
    return false;
  }
  backed_ = end;
  return true;
}

unsigned char* SegmentWriter::reserve(std::uint32_t length, std::uint64_t& offset) {
  std::uint64_t chunk = trace::chunk_of(tail_);
  std::uint64_t end = trace::chunk_begin(chunk + 1);
  if (tail_ + length > end) {  // no record crosses the end of a chunk; its rest stays zero
    tail_ = end;
    chunk = trace::chunk_of(tail_);
    end = trace::chunk_begin(chunk + 1);
  }
  if (end > limit_) {
    count_loss(trace::Loss::segment_full);
    return nullptr;
  }
  if (!back(end)) {
    count_loss(trace::Loss::no_space);
    return nullptr;
  }
  offset = tail_;
  tail_ += length;
  __atomic_store_n(&header_->tail, tail_, __ATOMIC_RELEASE);
  return map_ + offset;
}

bool SegmentWriter::append(trace::RecordType type, const Author& author, std::string_view payload,
                           std::string_view first, std::string_view second) {
  if (map_ == nullptr) return false;
  const std::size_t size =
      sizeof(trace::RecordHeader) + payload.size() + first.size() + second.size();
  const auto length = static_cast<std::uint32_t>((size + trace::kRecordAlign - 1) &
                                                 ~std::size_t{trace::kRecordAlign - 1});
  if (length > trace::kMaxRecord) {
    count_loss(trace::Loss::too_long);
    return false;
  }
  std::uint64_t offset = 0;
  unsigned char* const at = reserve(length, offset);
  if (at == nullptr) return false;
  trace::RecordHeader header{};
  header.length = length;
  header.type = static_cast<std::uint16_t>(type);
  header.flags = author.flags;
  header.tid = static_cast<std::uint32_t>(author.tid);
  header.time_ns = author.time_ns != 0 ? author.time_ns : now_ns();
  header.pid = static_cast<std::uint32_t>(author.pid);
  std::memcpy(at, &header, sizeof header);
  unsigned char* to = at + sizeof header;
  for (const std::string_view part : {payload, first, second}) {
    if (!part.empty()) std::memcpy(to, part.data(), part.size());
    to += part.size();
  }
  const std::uint32_t commit = trace::record_checksum(at, length, offset);
  __atomic_store_n(reinterpret_cast<std::uint32_t*>(at), commit, __ATOMIC_RELEASE);
  return true;
}

std::uint32_t SegmentWriter::next_id(trace::IdSpace space) {
  const auto index = static_cast<unsigned>(space);
  const std::uint32_t id = ids_[index]++;
  if (header_ != nullptr) __atomic_store_n(&header_->next_id[index], id + 1, __ATOMIC_RELAXED);
  return id;
}

std::uint32_t SegmentWriter::path(const Author& author, const std::string& name) {
  if (name.empty()) return 0;
  const auto [place, fresh] = paths_.try_emplace(name, 0);
  if (!fresh) return place->second;
  const std::uint32_t id = next_id(trace::IdSpace::path);
  const trace::Path record{id, static_cast<std::uint32_t>(name.size())};
  if (!write(trace::RecordType::path, author, record, name)) {
    count_loss(trace::Loss::path_dropped);
    paths_.erase(place);
    return 0;
  }
  return place->second = id;
}

void SegmentWriter::count_loss(trace::Loss reason) {
  if (header_ == nullptr) return;
  __atomic_fetch_add(&header_->lost[static_cast<unsigned>(reason)], 1, __ATOMIC_RELAXED);
}

}  // namespace umaskaudit::tracer
