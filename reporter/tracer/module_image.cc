// Reads notes and tables of an ELF image; see module_image.h.

#include "reporter/tracer/module_image.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string_view>
#include <tuple>

namespace umaskaudit::tracer {

using namespace std::string_view_literals;

namespace {

constexpr std::uint64_t kMostNotes = 1 << 16;
constexpr std::size_t kMostRules = 1 << 16;  // the cache is cleared beyond this

// The form that all linkers write (LSB, ".eh_frame_hdr"): sorted pairs, 32 bits, data-relative.
struct Header {
  std::uint8_t version = 1;
  std::uint8_t frame_encoding = 0x1b;  // pc-relative, 4 bytes with a sign
  std::uint8_t count_encoding = 0x03;  // 4 bytes without
  std::uint8_t table_encoding = 0x3b;  // relative to this header, 4 bytes with a sign
  std::int32_t frame = 0;
  std::uint32_t count = 0;
};
struct Pair {
  std::int32_t code;
  std::int32_t entry;
};

template <typename T>
bool take(const std::vector<std::uint8_t>& bytes, std::uint64_t at, T& value) {
  if (at > bytes.size() || bytes.size() - at < sizeof value) return false;
  memcpy(&value, bytes.data() + at, sizeof value);
  return true;
}

std::uint64_t aligned(std::uint64_t size) { return (size + 3) & ~std::uint64_t{3}; }

}  // namespace

std::shared_ptr<ModuleImage> ModuleImage::of(const ElfSource& source) {
  // Device, inode, size, and time of last change: identifies an unchanged file.
  using Key = std::tuple<dev_t, ino_t, off_t, time_t, long, time_t, long>;
  static std::map<Key, std::weak_ptr<ModuleImage>> known;
  // for programs that start again and again
  static std::vector<std::shared_ptr<ModuleImage>> recent;
  struct stat file {};
  if (!source.is_file() || fstat(source.fd(), &file) != 0) {
    return std::shared_ptr<ModuleImage>(new ModuleImage(source));
  }
  const Key key{file.st_dev,          file.st_ino,         file.st_size,        file.st_mtim.tv_sec,
                file.st_mtim.tv_nsec, file.st_ctim.tv_sec, file.st_ctim.tv_nsec};
  const auto place = known.find(key);
  if (place != known.end()) {
    if (std::shared_ptr<ModuleImage> image = place->second.lock()) return image;
    known.erase(place);
  }
  std::shared_ptr<ModuleImage> image(new ModuleImage(source));
  constexpr std::size_t kRecent = 64;
  constexpr std::size_t kMostBytes = 128 << 20;
  recent.push_back(image);
  std::size_t bytes = 0;
  for (const auto& one : recent) bytes += one->bytes_.size();
  while (recent.size() > kRecent || bytes > kMostBytes) {
    bytes -= recent.front()->bytes_.size();
    recent.erase(recent.begin());
  }
  std::erase_if(known, [](const auto& entry) { return entry.second.expired(); });
  known[key] = image;
  return image;
}

ModuleImage::ModuleImage(const ElfSource& source) : span_(source.span()) {
  const Elf64_Phdr* header = nullptr;
  for (const Elf64_Phdr& segment : source.segments()) {
    if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) != 0) code_.push_back(segment);
    if (segment.p_type == PT_NOTE) read_notes(source, segment);
    if (segment.p_type == PT_GNU_EH_FRAME) header = &segment;
  }
  if (header == nullptr || !read_sorted(source, *header)) read_unsorted(source);
}

void ModuleImage::read_notes(const ElfSource& source, const Elf64_Phdr& segment) {
  const std::vector<std::uint8_t> notes =
      source.read(segment.p_vaddr, std::min(segment.p_filesz, kMostNotes));
  Elf64_Nhdr note{};
  for (std::uint64_t at = 0; take(notes, at, note);) {
    const std::uint64_t name = at + sizeof note;
    const std::uint64_t description = name + aligned(note.n_namesz);
    at = description + aligned(note.n_descsz);
    if (description > notes.size() || notes.size() - description < note.n_descsz) return;
    const std::string_view owner(reinterpret_cast<const char*>(&notes[0]) + name, note.n_namesz);
    if (owner == "Go\0\0"sv) go_ = true;
    if (note.n_type == NT_GNU_BUILD_ID && owner == "GNU\0"sv && build_id_.empty()) {
      build_id_.assign(reinterpret_cast<const char*>(&notes[0]) + description, note.n_descsz);
    }
  }
}

// From .eh_frame_hdr or .eh_frame, whichever comes first, to the end of the segment.
bool ModuleImage::read_sorted(const ElfSource& source, const Elf64_Phdr& header) {
  std::uint64_t begin = header.p_vaddr;
  Header first;
  const std::vector<std::uint8_t> start = source.read(begin, sizeof first);
  if (take(start, 0, first) && first.frame_encoding == Header().frame_encoding && first.frame < 0) {
    begin += static_cast<std::uint64_t>(std::int64_t{first.frame}) + 4;
  }
  bytes_ = source.read(begin, UINT64_MAX);
  hdr_ = header.p_vaddr - begin;
  if (bytes_.size() <= hdr_) {
    begin = header.p_vaddr;
    hdr_ = 0;
    bytes_ = source.read(begin, UINT64_MAX);
  }
  address_ = begin;
  bytes_.resize(bytes_.size() + shim::CopiedTables::kPadding);
  if (shim::is_searchable(tables())) return true;
  bytes_.clear();
  return false;
}

// gcc -static omits .eh_frame_hdr; then only the section headers, at the end of the file, locate
// .eh_frame.
bool ModuleImage::read_unsorted(const ElfSource& source) {
  const Elf64_Ehdr& header = source.header();
  if (!source.is_file() || header.e_shentsize != sizeof(Elf64_Shdr)) return false;
  const std::vector<std::uint8_t> sections =
      source.read_file(header.e_shoff, std::uint64_t{header.e_shnum} * sizeof(Elf64_Shdr));
  Elf64_Shdr section{};
  if (!take(sections, std::uint64_t{header.e_shstrndx} * sizeof section, section)) return false;
  std::vector<std::uint8_t> names = source.read_file(section.sh_offset, section.sh_size);
  names.push_back(0);
  for (std::uint64_t at = 0; take(sections, at, section); at += sizeof section) {
    if (section.sh_name >= names.size() || (section.sh_flags & SHF_ALLOC) == 0) continue;
    if (std::string_view(reinterpret_cast<const char*>(&names[section.sh_name])) != ".eh_frame") {
      continue;
    }
    sort_entries(section.sh_addr, source.read(section.sh_addr, section.sh_size));
    return true;
  }
  return false;
}

// Builds the missing search table after the entries.
void ModuleImage::sort_entries(std::uint64_t address, std::vector<std::uint8_t> entries) {
  address_ = address;
  hdr_ = (entries.size() + 7) & ~std::size_t{7};
  bytes_ = std::move(entries);
  const std::size_t end = bytes_.size();
  bytes_.resize(end + shim::CopiedTables::kPadding);
  const shim::CopiedTables read{bytes_.data(), bytes_.data() + end, nullptr};
  const auto here = reinterpret_cast<std::uintptr_t>(bytes_.data());

  std::vector<Pair> pairs;
  const std::uint8_t* place = bytes_.data();
  shim::FrameEntry entry;
  while (shim::next_entry(read, place, entry)) {
    const auto code = static_cast<std::int64_t>(entry.code - here - hdr_);
    if (entry.code == 0 || code < INT32_MIN || code > INT32_MAX) continue;
    const std::int64_t distance = entry.fde - bytes_.data() - static_cast<std::int64_t>(hdr_);
    pairs.push_back({static_cast<std::int32_t>(code), static_cast<std::int32_t>(distance)});
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& left, const Pair& right) { return left.code < right.code; });
  Header header;
  header.count = static_cast<std::uint32_t>(pairs.size());
  const std::size_t size = pairs.size() * sizeof(Pair);
  bytes_.resize(hdr_ + sizeof header + std::max(size, std::size_t{8}) +
                shim::CopiedTables::kPadding);
  memcpy(&bytes_[hdr_], &header, sizeof header);
  if (size != 0) memcpy(&bytes_[hdr_ + sizeof header], pairs.data(), size);
}

shim::CopiedTables ModuleImage::tables() const {
  const std::uint8_t* const begin = bytes_.data();
  return {begin, begin + bytes_.size() - shim::CopiedTables::kPadding, begin + hdr_};
}

const shim::FrameRule* ModuleImage::rule(std::uint64_t address) {
  if (bytes_.empty()) return nullptr;
  const auto known = rules_.find(address);
  if (known != rules_.end()) return known->second.found ? &known->second.rule : nullptr;
  if (rules_.size() >= kMostRules) rules_.clear();
  shim::RuleSpace space;
  Rule rule{};
  const auto pc = reinterpret_cast<std::uintptr_t>(bytes_.data()) + (address - address_);
  rule.found = shim::find_rule(tables(), pc, rule.rule, space) == shim::Lookup::found;
  const Rule& kept = rules_.emplace(address, rule).first->second;
  return kept.found ? &kept.rule : nullptr;
}

bool ModuleImage::bias_of(std::uint64_t start, std::uint64_t offset, std::uint64_t& bias) const {
  for (const Elf64_Phdr& segment : code_) {
    const std::uint64_t skipped = segment.p_offset - page_of(segment.p_offset);
    const std::uint64_t first = segment.p_offset - skipped;
    if (offset < first || offset - first >= segment.p_filesz + skipped) continue;
    bias = start - (segment.p_vaddr - skipped) - (offset - first);
    return true;
  }
  return false;
}

}  // namespace umaskaudit::tracer
