// See segment_builder.h.
#include "tests/unit/reader/segment_builder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "preload/trace/checksum.h"

namespace umaskaudit::testing {
namespace {

template <typename T>
std::string bytes_of(const T& fixed) {
  std::string bytes(sizeof fixed, '\0');
  std::memcpy(bytes.data(), &fixed, sizeof fixed);
  return bytes;
}

template <typename T>
std::string payload(const T& fixed, std::initializer_list<std::string_view> tails = {}) {
  std::string bytes = bytes_of(fixed);
  for (const std::string_view tail : tails) bytes += tail;
  return bytes;
}

template <std::size_t kSize>
void put_name(char (&to)[kSize], std::string_view text) {
  std::memset(to, 0, kSize);
  std::memcpy(to, text.data(), std::min(text.size(), kSize));
}

std::uint16_t number(trace::RecordType type) { return static_cast<std::uint16_t>(type); }

// Records never cross into the next chunk: 64 KiB first, then 256 KiB each.
constexpr std::uint64_t kFirstChunk = std::uint64_t{64} << 10;
constexpr std::uint64_t kChunk = std::uint64_t{256} << 10;

std::uint64_t chunk_end(std::uint64_t offset) {
  if (offset < kFirstChunk) return kFirstChunk;
  return kFirstChunk + ((offset - kFirstChunk) / kChunk + 1) * kChunk;
}

}  // namespace

SegmentBuilder::SegmentBuilder(std::uint32_t pid, std::uint64_t stamp) {
  std::memcpy(header_.magic, trace::kMagic, sizeof header_.magic);
  header_.major = trace::kMajor;
  header_.minor = trace::kMinor;
  header_.header_length = sizeof header_;
  header_.byte_order = trace::kByteOrder;
  header_.word_size = 8;
  header_.mono_ns = stamp;
  header_.real_ns = 1700000000000000000 + stamp;
  header_.pid = pid;
  header_.ppid = 1;
  header_.limit = 256 << 20;
}

std::string SegmentBuilder::name() const {
  char text[64];
  std::snprintf(text, sizeof text, "%u-%016llx%s", header_.pid,
                static_cast<unsigned long long>(header_.mono_ns), trace::kSegmentSuffix);
  return text;
}

std::string SegmentBuilder::bytes() const {
  trace::SegmentHeader header = header_;
  header.tail = size();
  std::string bytes = bytes_of(header) + records_;
  const auto region = [&](std::uint64_t offset, const std::string& content) {
    if (offset == 0) return;
    if (bytes.size() < offset + trace::kControl) bytes.resize(offset + trace::kControl);
    bytes.replace(offset, content.size(), content);
  };
  std::string content = bytes_of(ring_);
  for (const trace::RingChunk& entry : entries_) content += bytes_of(entry);
  region(ring_at_, content);
  content.clear();
  for (const trace::Total& total : totals_) content += bytes_of(total);
  region(totals_at_, content);
  return bytes;
}

void SegmentBuilder::add_ring(std::uint64_t offset, std::uint32_t chunks) {
  ring_at_ = offset;
  header_.ring = static_cast<std::uint32_t>(offset);
  ring_.chunks = chunks;
  ring_.used = 1;
  entries_.resize(chunks);
  add_totals(offset + trace::kControl);
}

void SegmentBuilder::add_totals(std::uint64_t offset) {
  totals_at_ = offset;
  header_.totals = static_cast<std::uint32_t>(offset);
}

void SegmentBuilder::take_chunk(std::uint32_t chunk, trace::ChunkUse use) {
  ring_.used = std::max(ring_.used, chunk + 1);
  entries_.at(chunk) = {++ring_.turns << 8 | static_cast<std::uint64_t>(use), 0, 0};
  seek(kFirstChunk + (chunk - 1) * kChunk);
  const std::uint64_t from = at_ - sizeof header_;
  if (from >= records_.size()) return;
  const std::uint64_t old = std::min(kChunk, records_.size() - from);
  records_.replace(from, old, old, '\0');
}

std::uint64_t SegmentBuilder::place(std::uint64_t length) {
  const std::uint64_t end = chunk_end(at_);
  if (at_ + length > end) at_ = end;
  return at_;
}

void SegmentBuilder::put(std::uint64_t offset, std::string_view bytes) {
  at_ = offset + bytes.size();
  if (size() < at_) records_.resize(at_ - sizeof header_);
  records_.replace(offset - sizeof header_, bytes.size(), bytes);
}

std::uint64_t SegmentBuilder::record(std::uint16_t type, const Author& author,
                                     std::string_view payload) {
  std::string record(sizeof(trace::RecordHeader), '\0');
  record += payload;
  record.resize((record.size() + trace::kRecordAlign - 1) / trace::kRecordAlign *
                trace::kRecordAlign);
  trace::RecordHeader head{};
  head.length = static_cast<std::uint32_t>(record.size());
  head.type = type;
  head.flags = author.flags;
  head.tid = author.tid;
  head.time_ns = author.time_ns;
  head.pid = author.pid != 0 ? author.pid : header_.pid;
  head.repeat = author.repeat;
  std::memcpy(record.data(), &head, sizeof head);
  const std::uint64_t offset = place(record.size());
  head.commit = trace::record_checksum(record.data(), head.length, offset);
  std::memcpy(record.data(), &head, sizeof head);
  put(offset, record);
  return offset;
}

std::uint64_t SegmentBuilder::unfinished(std::uint32_t length, bool begun) {
  const std::uint64_t offset = place(length);
  trace::RecordHeader head{};
  head.length = length;
  head.type = number(trace::RecordType::create);
  head.tid = 7;
  std::string record(length, '\0');
  if (begun) std::memcpy(record.data(), &head, sizeof head);
  put(offset, record);
  return offset;
}

std::uint64_t SegmentBuilder::zeros(std::uint64_t count) {
  const std::uint64_t offset = at_;
  put(offset, std::string(count, '\0'));
  return offset;
}

std::uint64_t SegmentBuilder::process(const Author& author, trace::Process fixed,
                                      std::string_view exe, std::string_view comm) {
  fixed.exe_length = static_cast<std::uint32_t>(exe.size());
  put_name(fixed.comm, comm);
  return record(number(trace::RecordType::process), author, payload(fixed, {exe}));
}

std::uint64_t SegmentBuilder::thread(const Author& author, trace::Thread fixed,
                                     std::string_view name) {
  fixed.tid = author.tid;
  put_name(fixed.name, name);
  return record(number(trace::RecordType::thread), author, payload(fixed));
}

std::uint64_t SegmentBuilder::module(const Author& author, trace::Module fixed,
                                     std::string_view build_id, std::string_view path) {
  fixed.build_id_length = static_cast<std::uint32_t>(build_id.size());
  fixed.path_length = static_cast<std::uint32_t>(path.size());
  return record(number(trace::RecordType::module), author, payload(fixed, {build_id, path}));
}

std::uint64_t SegmentBuilder::stack(const Author& author, trace::Stack fixed,
                                    const std::vector<std::uint64_t>& frames) {
  fixed.count = static_cast<std::uint16_t>(frames.size());
  std::string bytes = bytes_of(fixed);
  for (const std::uint64_t frame : frames) bytes += bytes_of(frame);
  return record(number(trace::RecordType::stack), author, bytes);
}

std::uint64_t SegmentBuilder::runtime(const Author& author, trace::Runtime fixed,
                                      std::string_view text) {
  fixed.text_length = static_cast<std::uint32_t>(text.size());
  return record(number(trace::RecordType::runtime), author, payload(fixed, {text}));
}

std::uint64_t SegmentBuilder::script_frame(const Author& author, trace::ScriptFrame fixed,
                                           std::string_view function) {
  fixed.function_length = static_cast<std::uint16_t>(function.size());
  return record(number(trace::RecordType::script_frame), author, payload(fixed, {function}));
}

std::uint64_t SegmentBuilder::script_stack(const Author& author, trace::ScriptStack fixed,
                                           const std::vector<std::uint32_t>& frames) {
  fixed.count = static_cast<std::uint16_t>(frames.size());
  std::string bytes = bytes_of(fixed);
  for (const std::uint32_t frame : frames) bytes += bytes_of(frame);
  return record(number(trace::RecordType::script_stack), author, bytes);
}

std::uint64_t SegmentBuilder::path(const Author& author, std::uint32_t id, std::string_view text) {
  const trace::Path fixed{id, static_cast<std::uint32_t>(text.size())};
  return record(number(trace::RecordType::path), author, payload(fixed, {text}));
}

std::uint64_t SegmentBuilder::context(const Author& author, trace::Context fixed) {
  return record(number(trace::RecordType::context), author, payload(fixed));
}

std::uint64_t SegmentBuilder::umask(const Author& author, trace::Umask fixed) {
  return record(number(trace::RecordType::umask), author, payload(fixed));
}

std::uint64_t SegmentBuilder::create(const Author& author, trace::Create fixed,
                                     std::string_view path) {
  fixed.path_length = static_cast<std::uint32_t>(path.size());
  return record(number(trace::RecordType::create), author, payload(fixed, {path}));
}

std::uint64_t SegmentBuilder::directory(const Author& author, trace::Directory fixed,
                                        std::string_view acl) {
  fixed.acl_length = static_cast<std::uint32_t>(acl.size());
  return record(number(trace::RecordType::directory), author, payload(fixed, {acl}));
}

std::uint64_t SegmentBuilder::exec(const Author& author, trace::Exec fixed, std::string_view path) {
  fixed.path_length = static_cast<std::uint32_t>(path.size());
  return record(number(trace::RecordType::exec), author, payload(fixed, {path}));
}

std::uint64_t SegmentBuilder::exec_failed(const Author& author, std::int32_t error) {
  return record(number(trace::RecordType::exec_failed), author,
                payload(trace::ExecFailed{error, 0}));
}

std::uint64_t SegmentBuilder::fork(const Author& author, trace::Fork fixed) {
  return record(number(trace::RecordType::fork), author, payload(fixed));
}

std::uint64_t SegmentBuilder::blind_spot(const Author& author, trace::BlindSpot fixed,
                                         std::string_view text) {
  fixed.text_length = static_cast<std::uint32_t>(text.size());
  return record(number(trace::RecordType::blind_spot), author, payload(fixed, {text}));
}

std::uint64_t SegmentBuilder::note(const Author& author, std::uint32_t stack,
                                   std::string_view text) {
  const trace::Note fixed{stack, static_cast<std::uint32_t>(text.size())};
  return record(number(trace::RecordType::note), author, payload(fixed, {text}));
}

std::uint64_t SegmentBuilder::thread_create(const Author& author, trace::ThreadCreate fixed) {
  return record(number(trace::RecordType::thread_create), author, payload(fixed));
}

std::uint64_t SegmentBuilder::chmod(const Author& author, trace::Chmod fixed,
                                    std::string_view path) {
  fixed.path_length = static_cast<std::uint32_t>(path.size());
  return record(number(trace::RecordType::chmod), author, payload(fixed, {path}));
}

std::uint64_t SegmentBuilder::rename(const Author& author, trace::Rename fixed,
                                     std::string_view from, std::string_view to) {
  fixed.from_length = static_cast<std::uint16_t>(from.size());
  fixed.to_length = static_cast<std::uint16_t>(to.size());
  return record(number(trace::RecordType::rename), author, payload(fixed, {from, to}));
}

std::uint64_t SegmentBuilder::call_names(const Author& author,
                                         std::initializer_list<std::string_view> names) {
  std::string text;
  for (const std::string_view name : names) text += std::string(name) + '\0';
  const trace::CallNames fixed{static_cast<std::uint32_t>(text.size()),
                               static_cast<std::uint32_t>(names.size())};
  return record(number(trace::RecordType::call_names), author, payload(fixed, {text}));
}

std::uint64_t SegmentBuilder::pad(std::uint32_t length) {
  return record(number(trace::RecordType::pad), {},
                std::string(length - sizeof(trace::RecordHeader), '\xAA'));
}

RunDirectory::RunDirectory() {
  std::string pattern =
      (std::filesystem::temp_directory_path() / "umaskaudit.test.XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) std::abort();
  path_ = pattern;
}

RunDirectory::~RunDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void RunDirectory::write(const std::string& name, std::string_view bytes) const {
  // In place, as a segment grows: a reader that follows it knows it by its inode. And never cut to
  // nothing first: ext4 flushes a file that was truncated and written again.
  const int fd = ::open((path_ + "/" + name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) std::abort();
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t wrote = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (wrote <= 0) std::abort();
    done += static_cast<std::size_t>(wrote);
  }
  if (::ftruncate(fd, static_cast<off_t>(done)) != 0) std::abort();
  ::close(fd);
}

void begin_image(SegmentBuilder* segment, std::string_view comm, trace::Origin origin) {
  const std::uint32_t pid = segment->header().pid;
  const Author author{pid, segment->header().mono_ns};
  trace::Process process{};
  process.pid = pid;
  process.ppid = segment->header().ppid;
  process.origin = static_cast<std::uint8_t>(origin);
  process.mask_source = static_cast<std::uint8_t>(trace::MaskSource::proc);
  process.mask = 022;
  process.context = 1;
  segment->process(author, process, "/usr/bin/" + std::string(comm), comm);
  segment->call_names(
      author, {"open", "mkdir", "umask", "execve", "fork", "chmod", "rename", "pthread_create"});
  trace::Context context{};
  context.id = 1;
  context.owner = pid;
  context.origin = static_cast<std::uint8_t>(origin);
  context.mask_source = static_cast<std::uint8_t>(trace::MaskSource::proc);
  context.mask = 022;
  segment->context(author, context);
  trace::Thread thread{};
  thread.context = 1;
  segment->thread(author, thread, comm);
}

}  // namespace umaskaudit::testing
