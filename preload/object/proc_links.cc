// Recognises the links by their names; see proc_links.h.

#include "preload/object/proc_links.h"

#include <cstring>

#include "preload/mask/root.h"
#include "preload/record/intern.h"
#include "preload/sys/format_text.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

// Null: `path` does not begin with `text`. Else what follows.
template <std::size_t kSize>
const char* behind(const char* path, const char (&text)[kSize]) {
  return strncmp(path, text, kSize - 1) == 0 ? path + kSize - 1 : nullptr;
}

const char* behind_number(const char* path) {
  const char* end = path;
  while (*end >= '0' && *end <= '9') ++end;
  return end != path ? end : nullptr;
}

const char* behind_slash(const char* path) {
  return path != nullptr && *path == '/' ? path + 1 : nullptr;
}

// The end of the link's own name; null: there is none.
const char* end_of_link(const char* path) {
  if (const char* number = behind(path, "/dev/fd/")) return behind_number(number);
  const char* at = behind(path, "/proc/");
  if (at == nullptr) return nullptr;
  const char* process = behind(at, "self");
  if (process == nullptr) process = behind(at, "thread-self");
  if (process == nullptr) process = behind_number(at);
  at = behind_slash(process);
  if (at == nullptr) return nullptr;
  if (const char* task = behind(at, "task/")) {
    const char* number = behind_number(task);
    at = behind_slash(number);
    if (at == nullptr) return nullptr;
  }
  if (const char* end = behind(at, "cwd")) return end;
  if (const char* end = behind(at, "root")) return end;
  const char* number = behind(at, "fd/");
  return number != nullptr ? behind_number(number) : nullptr;
}

// Reads the link that is the first `length` bytes of `path` into the buffer, behind its own name.
// Null: it leads to nothing that has a name.
const char* read_link(const char* path, std::size_t length, const Scratch& buffer,
                      std::uint32_t* size) {
  constexpr char kUnlinked[] = " (deleted)";
  constexpr std::size_t kSuffix = sizeof kUnlinked - 1;
  constexpr std::size_t kLongestLink = 64;  // /proc/PID/task/TID/fd/N
  if (buffer.get() == nullptr || length >= kLongestLink) return nullptr;
  char* const link = buffer.get();
  memcpy(link, path, length);
  link[length] = '\0';
  char* const name = link + kLongestLink;
  const long found =
      sys::call(SYS_readlinkat, AT_FDCWD, sys::arg(link), sys::arg(name), trace::kMaxPath);
  if (found <= 0 || found >= static_cast<long>(trace::kMaxPath) || name[0] != '/') return nullptr;
  const auto end = static_cast<std::size_t>(found);
  name[end] = '\0';
  if (end > kSuffix && strcmp(name + end - kSuffix, kUnlinked) == 0) return nullptr;
  *size = static_cast<std::uint32_t>(end);
  return name;
}

}  // namespace

ProcPlace proc_place(const Author& author, const char* path, const Scratch& buffer) {
  const char* const end = end_of_link(path);
  if (end == nullptr || *end != '/') return {0, path};
  const char* const rest = end + strspn(end, "/");
  std::uint32_t length = 0;
  const char* const name =
      *rest != '\0' ? read_link(path, static_cast<std::size_t>(end - path), buffer, &length)
                    : nullptr;
  if (name == nullptr) return {0, path};
  if (root_length() == 0) return {intern_path(author, name, length), rest};
  const Scratch room;
  if (room.get() == nullptr) return {0, path};
  TextBuffer whole(room.get(), Scratch::kSize);
  put_root(whole);
  if (length > 1) whole.put(name, length);
  if (whole.overflow()) return {0, path};
  return {intern_path(author, whole.begin(), static_cast<std::uint32_t>(whole.length())), rest};
}

const char* name_behind_proc_link(const char* path, const Scratch& buffer) {
  const char* const end = end_of_link(path);
  if (end == nullptr || *end != '\0') return nullptr;
  std::uint32_t length = 0;
  const char* const name = read_link(path, static_cast<std::size_t>(end - path), buffer, &length);
  return name != nullptr ? name : "";
}

}  // namespace umaskaudit::shim
