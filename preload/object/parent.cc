// Reads parent directories; see parent.h.

#include "preload/object/parent.h"

#include <errno.h>
#include <sys/vfs.h>

#include <cstring>
#include <new>

#include "preload/mask/root.h"
#include "preload/object/created_query.h"
#include "preload/object/directory_names.h"
#include "preload/object/proc_links.h"
#include "preload/record/intern.h"
#include "preload/record/shared_ids.h"
#include "preload/sys/format_text.h"
#include "preload/sys/scratch.h"
#include "preload/sys/sys.h"
#include "preload/trace/object_facts.h"

namespace umaskaudit::shim {

namespace {

constinit InternTable by_name;  // by name: the result of the last look
constinit std::atomic<std::uint32_t> generation = 0;
constinit InternTable by_facts;  // by facts: equal facts of one directory have one record

constexpr std::uint32_t kMaxAcl = 1024;  // acl(5): 4 + 8 bytes an entry; mostly far fewer

// A path to the directory that works from here. False: too long.
bool directory_name(const Base& base, const char* path, std::uint32_t length, TextBuffer& out) {
  if (base.dirfd != AT_FDCWD && path[0] != '/') {
    out.put("/proc/self/fd/").decimal(static_cast<unsigned>(base.dirfd)).put('/').put(path, length);
  } else if (length != 0) {
    out.put(path, length);
  } else {
    out.put('.');
  }
  return !out.overflow();
}

// The kernel's structures, in the buffer after the name: too large for a small stack.
struct FactsSpace {
  struct statx facts;
  struct statfs filesystem;
  char acl[kMaxAcl];
};
constexpr std::size_t kNameRoom = Scratch::kSize - 2048;
static_assert(sizeof(FactsSpace) <= Scratch::kSize - kNameRoom && kNameRoom > trace::kMaxPath + 64);

[[gnu::cold]] std::uint32_t record_facts(const Author& author, const char* name, FactsSpace& space,
                                         ParentView& view) {
  const struct statx& facts = space.facts;
  if (sys::facts(AT_FDCWD, name, 0, &space.facts) != 0) return 0;
  const Scratch large;
  const char* acl = space.acl;
  const auto read_acl = [&](char* to, std::size_t size) {
    return sys::call(SYS_getxattr, sys::arg(name), sys::arg("system.posix_acl_default"),
                     sys::arg(to), static_cast<long>(size));
  };
  long acl_size = read_acl(space.acl, sizeof space.acl);
  if (acl_size == -ERANGE && large.get() != nullptr) {
    acl = large.get();
    acl_size = read_acl(large.get(), Scratch::kSize);
  }
  struct statfs& filesystem = space.filesystem;
  filesystem.f_type = 0;
  if (sys::call(SYS_statfs, sys::arg(name), sys::arg(&filesystem)) == 0) {
    created_query::note_filesystem(static_cast<std::uint32_t>(filesystem.f_type));
  }

  trace::Directory record{};
  record.mode = facts.stx_mode;
  record.dev = trace::device_of(facts);
  record.ino = facts.stx_ino;
  record.uid = facts.stx_uid;
  record.gid = facts.stx_gid;
  record.fs_type = static_cast<std::uint32_t>(filesystem.f_type);
  record.acl_length = acl_size > 0 ? static_cast<std::uint32_t>(acl_size) : 0;
  view.known = true;
  view.mode = record.mode;
  view.default_acl = acl_size > 0 || acl_size == -ERANGE;  // an ACL that does not fit counts as one
  if (!process.trace) return 0;

  std::uint64_t hash = hash_bytes(&record, sizeof record);
  hash = mix(hash, hash_bytes(acl, record.acl_length)) | 1;
  std::uint32_t id = by_facts.find(hash);
  if (id != 0) return id;
  id = find_shared_id(trace::IdSpace::directory, hash);
  if (id == 0) {
    id = next_id(trace::IdSpace::directory);
    record.id = id;
    if (!write_record(trace::RecordType::directory, author, record, {acl, record.acl_length})) {
      return 0;
    }
    share_id(trace::IdSpace::directory, hash, id);
  }
  by_facts.insert(hash, id);
  return id;
}

}  // namespace

Base find_base(const Author& author, const Task& task, int dirfd, const char* path,
               const Scratch& buffer) {
  if (path[0] == '/') {
    if (root_length() == 0) return {};
    if (buffer.get() == nullptr) {
      count_loss(trace::Loss::path_dropped);
      return {};
    }
    TextBuffer root(buffer.get(), Scratch::kSize);
    put_root(root);
    return {intern_path(author, buffer.get(), root_length())};
  }
  if (dirfd == AT_FDCWD) return {working_directory(task, buffer)};
  return {directory_name_id(author, dirfd, buffer), dirfd};
}

Base find_recorded_base(const Author& author, const Task& task, int dirfd, const char*& path,
                        const Scratch& buffer) {
  const ProcPlace place = proc_place(author, path, buffer);
  path = place.rest;
  if (place.base != 0) return {place.base};
  return find_base(author, task, dirfd, path, buffer);
}

LinkTarget link_target(int dirfd, const char* path, int fd, const Scratch& buffer) {
  char first = 0;
  if (sys::call(SYS_readlinkat, dirfd, sys::arg(path), sys::arg(&first), 1) <= 0) return {};
  if (buffer.get() == nullptr) {
    count_loss(trace::Loss::path_dropped);
    return {};
  }
  char* const name = buffer.get();
  if (fd >= 0) {
    const std::uint32_t length = name_of_open_file(fd, name, Scratch::kSize);
    if (length != 0 && name[0] == '/') return {name, length};
  }
  // The path so far in the first half of the buffer, a link's target in the second.
  constexpr std::size_t kHalf = Scratch::kSize / 2;
  constexpr unsigned kMostLinks = 40;  // as the kernel follows (path_resolution(7))
  char* const link = name + kHalf;
  std::size_t length = strnlen(path, kHalf - 1);
  memcpy(name, path, length);
  for (unsigned i = 0; i < kMostLinks; ++i) {
    name[length] = '\0';
    const long found = sys::call(SYS_readlinkat, dirfd, sys::arg(name), sys::arg(link), kHalf);
    if (found < 0) return {name, static_cast<std::uint32_t>(length)};
    const auto size = static_cast<std::size_t>(found);
    const auto* slash = static_cast<const char*>(memrchr(name, '/', length));
    const std::size_t kept =
        link[0] == '/' || slash == nullptr ? 0 : static_cast<std::size_t>(slash - name) + 1;
    if (kept + size >= kHalf) return {};
    memcpy(name + kept, link, size);
    length = kept + size;
  }
  return {};
}

std::uint32_t record_target(const Author& author, const LinkTarget& target) {
  if (target.text[0] != '/' || root_length() == 0) {
    return intern_path(author, target.text, target.length);
  }
  const Scratch scratch;
  if (scratch.get() == nullptr) return 0;
  TextBuffer name(scratch.get(), Scratch::kSize);
  put_root(name);
  name.put(target.text, target.length);
  return name.overflow()
             ? 0
             : intern_path(author, name.begin(), static_cast<std::uint32_t>(name.length()));
}

std::uint32_t parent_length(const char* path, std::uint32_t length) {
  while (length > 1 && path[length - 1] == '/') --length;
  const auto* slash = static_cast<const char*>(memrchr(path, '/', length));
  if (slash == nullptr) return 0;
  length = static_cast<std::uint32_t>(slash - path) + 1;
  while (length > 1 && path[length - 1] == '/') --length;
  return length;
}

ParentView look_at_parent(const Author& author, const Base& base, const char* path,
                          std::uint32_t length, bool surprising) {
  std::uint64_t key = mix(base.id + 1, hash_bytes(path, length));
  key = mix(key, generation.load(std::memory_order_relaxed)) | 1;
  ParentView view;
  if (!surprising) {
    view.id = by_name.find(key);
    if (view.id != 0 || !process.trace) return view;
  }
  const Scratch scratch;
  if (scratch.get() == nullptr) return view;
  TextBuffer name(scratch.get(), kNameRoom);
  if (!directory_name(base, path, length, name)) return view;
  name.end();
  auto& space = *new (scratch.get() + kNameRoom) FactsSpace;
  view.id = record_facts(author, name.begin(), space, view);
  if (view.id != 0) by_name.insert(key, view.id);
  return view;
}

void forget_parents() { generation.fetch_add(1, std::memory_order_relaxed); }

}  // namespace umaskaudit::shim
