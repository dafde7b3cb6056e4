#include "reporter/symbolize/file_search.h"

#include <utility>

namespace umaskaudit::symbolize {
namespace {

constexpr char kSystemDebug[] = "/usr/lib/debug";

std::string changed_note(const ModuleKey& key, const ElfFile& on_disk) {
  return key.path + " changed since the recording (build id " + key.build_id + " recorded, " +
         (on_disk.build_id.empty() ? "none" : on_disk.build_id) + " on disk)";
}

// The checksum covers the whole file, which may be sparse: reading 1 TiB takes an hour. Debug
// information is about ten times as large as the code that it describes.
std::uint64_t most_debug_bytes(const ElfFile& main) {
  return (std::uint64_t{64} << 20) + 256 * file_size(main.fd.get());
}

}  // namespace

FileSearch::FileSearch(const SymbolOptions& options) : sysroot_(options.sysroot) {
  for (const std::string& directory : options.debug_dirs) directories_.push_back({"", directory});
  if (!sysroot_.empty()) directories_.push_back({sysroot_, kSystemDebug});
  directories_.push_back({"", kSystemDebug});
  if (options.debuginfod) debuginfod_.emplace();
}

std::optional<ElfFile> FileSearch::by_build_id(const std::string& build_id,
                                               const std::string& suffix, ElfKind kind) {
  if (build_id.size() < 3) return std::nullopt;
  const std::string name =
      "/.build-id/" + build_id.substr(0, 2) + "/" + build_id.substr(2) + suffix;
  for (const Directory& directory : directories_) {
    Result<ElfFile> file = open_elf(directory.root, directory.path + name, kind);
    if (file && file->build_id == build_id) return std::move(*file);
  }
  return std::nullopt;
}

bool FileSearch::has_checksum(const ElfFile& file, const ElfFile& main, std::string& note) {
  const std::uint64_t size = file_size(file.fd.get());
  if (size > most_debug_bytes(main) || size > checksum_bytes_) {
    note = main.path + ": its debug file " + file.path + " (" + std::to_string(size) +
           " bytes) is too large to compute its checksum, and it has no build id";
    return false;
  }
  checksum_bytes_ -= size;
  std::uint32_t crc = 0;
  return file_crc32(file.fd.get(), size, crc) && crc == main.debuglink_crc;
}

// The directories of gdb, in its order.
std::optional<ElfFile> FileSearch::by_debuglink(const ElfFile& main, std::string& note) {
  const std::string& link = main.debuglink;
  if (link.empty() || link.find('/') != std::string::npos) return std::nullopt;
  const std::string beside = directory_of(main.path);
  const std::string same_name = beside + "/" + link;
  std::vector<Directory> places{{sysroot_, same_name}, {sysroot_, beside + "/.debug/" + link}};
  for (const Directory& directory : directories_) {
    places.push_back({directory.root, directory.path + same_name});
    places.push_back({directory.root, directory.path + "/" + link});
  }
  for (const Directory& place : places) {
    Result<ElfFile> file = open_elf(place.root, place.path);
    if (!file) continue;
    const bool same =
        main.build_id.empty() ? has_checksum(*file, main, note) : file->build_id == main.build_id;
    if (same) return std::move(*file);
  }
  return std::nullopt;
}

std::optional<ElfFile> FileSearch::debug_file(const ElfFile& main, std::string& note) {
  if (std::optional<ElfFile> file = by_build_id(main.build_id, ".debug")) return file;
  if (std::optional<ElfFile> file = by_debuglink(main, note)) return file;
  if (debuginfod_) return debuginfod_->find(main.build_id, Debuginfod::Kind::debug_info);
  return std::nullopt;
}

// A .debug file has the program headers and symbols of its program, so it can replace it.
std::optional<ElfFile> FileSearch::recorded_elsewhere(const std::string& build_id) {
  if (std::optional<ElfFile> file = by_build_id(build_id, "")) return file;
  if (std::optional<ElfFile> file = by_build_id(build_id, ".debug")) return file;
  if (!debuginfod_) return std::nullopt;
  if (auto file = debuginfod_->find(build_id, Debuginfod::Kind::debug_info)) return file;
  return debuginfod_->find(build_id, Debuginfod::Kind::program);
}

Result<FoundModule> FileSearch::find(const ModuleKey& key) {
  // "linux-vdso.so.1" is no file. A relative path may mean another directory now: only a build id
  // can prove that it is the same file.
  const bool is_file = key.path.find('/') != std::string::npos;
  const bool may_open =
      key.path.starts_with('/') || (is_file && sysroot_.empty() && !key.build_id.empty());
  FoundModule found;
  std::string note;
  bool usable = false;
  if (may_open) {
    Result<ElfFile> file = open_elf(sysroot_, key.path);
    if (!file) {
      note = key.path + ": " + file.error().why;
    } else if (!key.build_id.empty() && file->build_id != key.build_id) {
      note = changed_note(key, *file);
    } else {
      found.main = std::move(*file);
      usable = true;
    }
  } else if (is_file) {
    note = key.path + ": recorded by a relative path and without a build id";
  }
  if (!usable) {
    std::optional<ElfFile> file = recorded_elsewhere(key.build_id);
    if (!file) return Error{std::move(note), "", "", ExitCode::unreadable};
    found.main = std::move(*file);
  }
  if (!found.main.debug_info) found.debug = debug_file(found.main, found.note);
  return found;
}

std::optional<ElfFile> FileSearch::find_shared(const ElfFile& user, const std::string& name,
                                               const std::string& build_id) {
  if (auto file = by_build_id(build_id, ".debug", ElfKind::any)) return file;
  const std::string path = name.starts_with('/') ? name : directory_of(user.path) + "/" + name;
  for (const std::string& root : {std::string(), sysroot_}) {
    Result<ElfFile> file = open_elf(root, path, ElfKind::any);
    if (file && file->build_id == build_id) return std::move(*file);
  }
  return std::nullopt;
}

}  // namespace umaskaudit::symbolize
