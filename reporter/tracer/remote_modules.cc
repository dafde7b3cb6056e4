// Finds the image of an address; see remote_modules.h.

#include "reporter/tracer/remote_modules.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace umaskaudit::tracer {

namespace {

constexpr const char* kVdso = "[vdso]";
// The name that the loader and the shim's records use.
constexpr const char* kVdsoName = "linux-vdso.so.1";

bool is_same(const Mapping& one, const Mapping& other) {
  return one.start == other.start && one.end == other.end && one.offset == other.offset &&
         one.device == other.device && one.inode == other.inode && one.path == other.path;
}

}  // namespace

void RemoteModules::read_maps() {
  mappings_ = read_mappings(tid_);
  std::vector<Range> before = std::exchange(ranges_, {});
  std::size_t next = 0;
  std::size_t kept = 0;
  for (const Mapping& mapping : mappings_) {
    if (!mapping.executable) continue;
    while (next < before.size() && before[next].mapping.start < mapping.start) ++next;
    Range range;
    range.mapping = mapping;
    if (next < before.size() && is_same(before[next].mapping, mapping)) {
      range = before[next];
      ++kept;
    }
    range.code.executable = true;
    ranges_.push_back(std::move(range));
  }
  if (kept != ranges_.size() || kept != before.size()) ++generation_;
}

RemoteModules::Range* RemoteModules::find(std::uint64_t address) {
  const auto behind = std::upper_bound(
      ranges_.begin(), ranges_.end(), address,
      [](std::uint64_t at, const Range& range) { return at < range.mapping.start; });
  if (behind == ranges_.begin()) return nullptr;
  Range& range = *std::prev(behind);
  return address < range.mapping.end ? &range : nullptr;
}

Code RemoteModules::at(std::uint64_t address) {
  Range* range = find(address);
  if (range == nullptr) {
    if (!may_be_new(page_of(address))) return {};
    read_maps();
    range = find(address);
    if (range == nullptr) return {};
  }
  if (!range->resolved) resolve(*range);
  return range->code;
}

// Whether to read them again: the first time, the second, the fourth, ...
bool RemoteModules::may_be_new(std::uint64_t page) {
  if (page == 0) return false;
  constexpr std::size_t kMostAbsent = 64;
  for (Absent& absent : absent_) {
    if (absent.page == page) return std::has_single_bit(++absent.asked);
  }
  if (absent_.size() == kMostAbsent) absent_.pop_front();
  absent_.push_back({page, 1});
  return true;
}

Code RemoteModules::known(std::uint64_t address) {
  Range* const range = find(address);
  if (range == nullptr) return {};
  if (!range->resolved) resolve(*range);
  return range->code;
}

// The address of the beginning of a mapping's file.
std::optional<std::uint64_t> RemoteModules::header_of(const Mapping& mapping) const {
  std::optional<std::uint64_t> start;
  for (const Mapping& one : mappings_) {
    if (one.start > mapping.start) break;
    const bool same = one.inode == mapping.inode && one.device == mapping.device;
    if (same && one.path == mapping.path && one.offset == 0) start = one.start;
  }
  return start;
}

std::shared_ptr<ModuleImage> RemoteModules::open_image(const Mapping& mapping) {
  const ProcessMemory memory(tid_);
  const std::optional<std::uint64_t> start = header_of(mapping);
  bool sure = false;
  if (auto file = ElfSource::of_file(open_mapped(tid_, mapping, sure))) {
    if (sure) return ModuleImage::of(*file);
    // Headers, and the build id, which linkers place after them.
    std::vector<std::uint8_t> mapped(kPage);
    const std::size_t size = start ? memory.read(*start, mapped.data(), mapped.size()) : 0;
    mapped.resize(size);
    if (size != 0 && file->read_file(0, size) == mapped) return ModuleImage::of(*file);
  }
  if (!start) return nullptr;
  if (auto image = ElfSource::of_memory(memory, *start)) return ModuleImage::of(*image);
  return nullptr;
}

void RemoteModules::resolve(Range& range) {
  range.resolved = true;
  const Mapping& mapping = range.mapping;
  const bool vdso = mapping.path == kVdso;
  if (mapping.inode == 0 && !vdso) return;
  const std::shared_ptr<ModuleImage> image = open_image(mapping);
  std::uint64_t bias = 0;
  if (image == nullptr || !image->bias_of(mapping.start, mapping.offset, bias)) return;

  range.code.image = image.get();
  range.code.bias = bias;
  const std::string path = vdso ? kVdsoName : mapping.path;
  for (std::size_t i = 0; i < modules_.size(); ++i) {
    Loaded& loaded = modules_[i];
    if (loaded.module.base == bias && loaded.device == mapping.device &&
        loaded.inode == mapping.inode && loaded.module.path == path &&
        loaded.module.build_id == image->build_id()) {
      range.code.module = i;
      range.code.image = loaded.image.get();
      return;
    }
  }
  range.code.module = modules_.size();
  const ElfSource::Span& span = image->span();
  modules_.push_back({{path, image->build_id(), bias, bias + span.begin, bias + span.end},
                      image,
                      mapping.device,
                      mapping.inode});
}

}  // namespace umaskaudit::tracer
