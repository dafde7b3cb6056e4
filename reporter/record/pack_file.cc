// libarchive packs and unpacks; files are written here, by plain names only.
#include "reporter/record/pack_file.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <ostream>
#include <set>

#include "preload/trace/format.h"
#include "reporter/base/output_file.h"
#include "reporter/base/owned_descriptor.h"
#include "reporter/record/run_directory.h"
#include "reporter/record/run_record.h"

namespace umaskaudit::record {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;

struct Ends {
  void operator()(archive* one) const { archive_free(one); }
  void operator()(archive_entry* one) const { archive_entry_free(one); }
};
using Archive = std::unique_ptr<archive, Ends>;

// Null if it cannot be listed.
Directory list(int directory) {
  const int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* listing = copy < 0 ? nullptr : fdopendir(copy);
  if (listing == nullptr && copy >= 0) close(copy);
  return Directory(listing);
}

bool is_of_a_run(const std::string& name) {
  return is_segment(name) || name == trace::kRunStateName || name == kRunRecordName;
}

std::string reason(archive* one) {
  const char* text = archive_error_string(one);
  return text != nullptr ? text : std::strerror(errno);
}

Error cannot_pack(const std::string& run, const std::string& why) {
  return {"cannot pack run '" + run + "'", why, "", ExitCode::unreadable};
}

la_ssize_t put(archive* one, void* to, const void* bytes, std::size_t size) {
  auto& stream = *static_cast<std::ostream*>(to);
  stream.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(size));
  if (stream) return static_cast<la_ssize_t>(size);
  archive_set_error(one, errno != 0 ? errno : EIO, "%s", std::strerror(errno != 0 ? errno : EIO));
  return -1;
}

// A header with constant values except name and size: equal runs give equal packs.
bool begin_file(archive* to, const std::string& name, std::int64_t size) {
  const std::unique_ptr<archive_entry, Ends> entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), name.c_str());
  archive_entry_set_size(entry.get(), size);
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0600);
  archive_entry_set_mtime(entry.get(), 0, 0);
  return archive_write_header(to, entry.get()) == ARCHIVE_OK;
}

Status add_file(archive* to, int directory, const std::string& run, const std::string& name) {
  const Descriptor file(
      openat(directory, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat facts {};
  if (file.get() < 0 || fstat(file.get(), &facts) != 0)
    return cannot_pack(run, name + ": " + std::strerror(errno));
  if (!S_ISREG(facts.st_mode)) return cannot_pack(run, name + " is no file");
  if (!begin_file(to, name, facts.st_size)) return cannot_pack(run, reason(to));
  std::vector<char> piece(kPiece);
  for (std::int64_t left = facts.st_size; left > 0;) {
    const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(left, kPiece));
    ssize_t got = read(file.get(), piece.data(), wanted);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot_pack(run, name + ": " + std::strerror(errno));
    if (got == 0) {  // truncated meanwhile: the rest was never used
      std::fill(piece.begin(), piece.end(), '\0');
      got = static_cast<ssize_t>(wanted);
    }
    if (archive_write_data(to, piece.data(), static_cast<std::size_t>(got)) != got)
      return cannot_pack(run, reason(to));
    left -= got;
  }
  return Done{};
}

Result<std::vector<std::string>> files_of(int directory, const std::string& run) {
  std::vector<std::string> names;
  const Directory listing = list(directory);
  if (listing == nullptr) return cannot_pack(run, std::strerror(errno));
  while (const dirent* entry = readdir(listing.get()))
    if (is_of_a_run(entry->d_name)) names.emplace_back(entry->d_name);
  std::sort(names.begin(), names.end());
  return names;
}

Error cannot_unpack(const std::string& file, const std::string& why, const char* hint = "") {
  return {"cannot open packed run '" + file + "'", why, hint, ExitCode::unreadable};
}

// zstd's magic number, RFC 8878.
bool begins_as_a_pack(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  std::array<unsigned char, 4> magic{};
  struct stat facts {};
  return file.get() >= 0 && fstat(file.get(), &facts) == 0 && S_ISREG(facts.st_mode) &&
         read(file.get(), magic.data(), magic.size()) == 4 &&
         magic == std::array<unsigned char, 4>{0x28, 0xB5, 0x2F, 0xFD};
}

// Blocks of zeros become holes: segments have many.
bool write_piece(int file, const char* bytes, std::size_t size, std::int64_t at) {
  if (std::all_of(bytes, bytes + size, [](char c) { return c == '\0'; })) return true;
  while (size > 0) {
    const ssize_t put = pwrite(file, bytes, size, at);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    bytes += put;
    size -= static_cast<std::size_t>(put);
    at += put;
  }
  return true;
}

Status unpack_file(archive* from, archive_entry* entry, int directory, const std::string& pack) {
  const std::string name = archive_entry_pathname(entry);
  const Descriptor file(
      openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  const auto no_room = [&] {
    return cannot_unpack(pack, std::string(std::strerror(errno)) + " while it was unpacked",
                         "TMPDIR of another place");
  };
  if (file.get() < 0) return no_room();
  const void* bytes = nullptr;
  std::size_t size = 0;
  la_int64_t at = 0, end = 0;
  int got = ARCHIVE_OK;
  while ((got = archive_read_data_block(from, &bytes, &size, &at)) == ARCHIVE_OK) {
    if (!write_piece(file.get(), static_cast<const char*>(bytes), size, at)) return no_room();
    end = std::max<la_int64_t>(end, at + static_cast<la_int64_t>(size));
  }
  if (got != ARCHIVE_EOF) return cannot_unpack(pack, "it is damaged: " + reason(from));
  return ftruncate(file.get(), end) == 0 ? Status(Done{}) : Status(no_room());
}

void remove_all(const std::string& path) {
  const Descriptor directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (const Directory listing = list(directory.get()); listing != nullptr)
    while (const dirent* entry = readdir(listing.get()))
      if (entry->d_name[0] != '.') unlinkat(directory.get(), entry->d_name, 0);
  rmdir(path.c_str());
}

}  // namespace

Status write_pack(const std::string& file, const std::string& run,
                  const std::vector<AddedFile>& added) {
  const Descriptor directory(open(run.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0) return cannot_pack(run, std::strerror(errno));
  const Result<std::vector<std::string>> names = files_of(directory.get(), run);
  if (!names) return names.error();
  auto output = OutputFile::create(file);
  if (!output) return output.error();
  const Archive to(archive_write_new());
  archive_write_set_format_pax_restricted(to.get());
  if (archive_write_add_filter_zstd(to.get()) != ARCHIVE_OK ||
      archive_write_set_bytes_in_last_block(to.get(), 1) != ARCHIVE_OK ||
      archive_write_open(to.get(), &output->stream(), nullptr, put, nullptr) != ARCHIVE_OK)
    return cannot_pack(run, reason(to.get()));
  for (const auto& [name, content] : added)
    if (!begin_file(to.get(), name, static_cast<std::int64_t>(content.size())) ||
        archive_write_data(to.get(), content.data(), content.size()) !=
            static_cast<la_ssize_t>(content.size()))
      return cannot_pack(run, reason(to.get()));
  for (const std::string& name : *names)
    if (const Status done = add_file(to.get(), directory.get(), run, name); !done) return done;
  if (archive_write_close(to.get()) != ARCHIVE_OK) return cannot_pack(run, reason(to.get()));
  return output->commit();
}

UnpackedRun::UnpackedRun(UnpackedRun&& other) noexcept : path_(std::move(other.path_)) {
  other.path_.clear();
}
UnpackedRun::~UnpackedRun() {
  if (!path_.empty()) remove_all(path_);
}

Result<std::optional<UnpackedRun>> UnpackedRun::open(const std::string& file,
                                                     const std::vector<std::string>& added) {
  if (!begins_as_a_pack(file)) return std::optional<UnpackedRun>();
  const Archive from(archive_read_new());
  archive_read_support_filter_zstd(from.get());
  archive_read_support_format_tar(from.get());
  if (archive_read_open_filename(from.get(), file.c_str(), kPiece) != ARCHIVE_OK)
    return cannot_unpack(file, "it is damaged: " + reason(from.get()));
  const char* temporary = std::getenv("TMPDIR");
  std::string path = temporary != nullptr && *temporary != '\0' ? temporary : "/tmp";
  path += "/umaskaudit.XXXXXX";
  if (mkdtemp(path.data()) == nullptr)
    return cannot_unpack(file, path + ": " + std::strerror(errno), "TMPDIR of another place");
  UnpackedRun run(path);
  const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0) return cannot_unpack(file, path + ": " + std::strerror(errno));
  bool any = false;
  archive_entry* entry = nullptr;
  int got = ARCHIVE_OK;
  while ((got = archive_read_next_header(from.get(), &entry)) == ARCHIVE_OK) {
    const char* given = archive_entry_pathname(entry);
    const std::string name = given != nullptr ? given : "";
    const bool expected =
        is_of_a_run(name) || std::find(added.begin(), added.end(), name) != added.end();
    if (!expected || name.find('/') != std::string::npos ||
        archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr)
      return cannot_unpack(file, "what is in it is not of a packed run");
    if (const Status done = unpack_file(from.get(), entry, directory.get(), file); !done)
      return done.error();
    any |= is_segment(name);
  }
  if (got != ARCHIVE_EOF) return cannot_unpack(file, "it is damaged: " + reason(from.get()));
  if (!any) return cannot_unpack(file, "no trace is in it");
  return std::optional<UnpackedRun>(std::move(run));
}

}  // namespace umaskaudit::record
