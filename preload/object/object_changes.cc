// Records permission and name changes; see object_changes.h.

#include "preload/object/object_changes.h"

#include <sys/stat.h>

#include <cstring>

#include "preload/mask/root.h"
#include "preload/object/directory_names.h"
#include "preload/object/object_look.h"
#include "preload/object/parent.h"
#include "preload/object/proc_links.h"
#include "preload/record/recorder.h"
#include "preload/stack/stacks.h"
#include "preload/sys/scratch.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

std::uint16_t acl_kind(const char* attribute) {
  if (attribute == nullptr) return 0;
  if (strcmp(attribute, "system.posix_acl_access") == 0) return 1;
  if (strcmp(attribute, "system.posix_acl_default") == 0) return 2;
  return UINT16_MAX;
}

// `path` becomes what is to be recorded behind the base.
std::uint32_t base_of(const Author& author, const Task& task, int dirfd, const char*& path) {
  if (path == nullptr || dirfd == kNoBase) return 0;
  const Scratch scratch;
  return find_recorded_base(author, task, dirfd, path, scratch).id;
}

std::uint16_t bounded_length(const char* path) {
  return path != nullptr ? static_cast<std::uint16_t>(strnlen(path, trace::kMaxPath)) : 0;
}

// The current name of a descriptor's object, from proc(5); empty: none.
const char* name_of_object(int fd, const Scratch& buffer) {
  constexpr char kUnlinked[] = " (deleted)";
  constexpr std::uint32_t kSuffix = sizeof kUnlinked - 1;
  if (buffer.get() == nullptr) return "";
  const std::uint32_t length = name_of_open_file(fd, buffer.get(), trace::kMaxPath + 1);
  const char* const name = buffer.get();
  if (length <= kSuffix) return length != 0 && name[0] == '/' ? name : "";
  return name[0] == '/' && strcmp(name + length - kSuffix, kUnlinked) != 0 ? name : "";
}

// The file's name in two parts. libc skips leading slashes; the kernel's calls do not have them.
void record_ipc_name(const Author& author, trace::Rename& record, const Names& names) {
  const char* const name = names.from + strspn(names.from, "/");
  const std::uint16_t prefix = bounded_length(names.ipc);
  const std::uint16_t length = bounded_length(name);
  record.from_length = static_cast<std::uint16_t>(prefix + length);
  write_record(trace::RecordType::rename, author, record, {names.ipc, prefix}, {name, length});
}

constexpr std::uint16_t kSetId = S_ISUID | S_ISGID;

// The object of a call; zero where it cannot be read.
ObjectFacts facts_of(const Request& request) {
  constexpr int kHow = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
  ObjectFacts facts;
  if (request.path == nullptr) {
    look_at_descriptor(request.dirfd, facts);
  } else {
    look_at(request.dirfd, request.path, request.flags & kHow, facts);
  }
  return facts;
}

// Only where there is a trace.
void record_mode(const Request& request, const ObjectFacts& facts, std::uint16_t acl) {
  const Task task = enter();
  meet(task);
  const Author author{task.tid, task.pid, sys::now_ns(), 0};
  trace::Chmod record{};
  record.final_mode = facts.mode;
  record.dev = facts.dev;
  record.ino = facts.ino;
  CapturedStack stack;
  capture_stack(Event::other, author, request.stack, stack);
  record.context = context_id(task);
  record.stack = stack.id;
  record.requested = request.mode;
  record.call = static_cast<std::uint16_t>(request.call);
  record.acl = acl;
  const Scratch buffer;
  const bool by_descriptor = request.path == nullptr || request.path[0] == '\0';
  // Reading a name from /proc takes 5 us, three times as long as fchmod(2), and most objects whose
  // mode is set by descriptor were created a moment before (install(1), cp(1), tar(1)).
  const char* path = request.path;
  if (by_descriptor) {
    path = was_made_lately(facts) ? "" : name_of_object(request.dirfd, buffer);
  } else if (const char* name = name_behind_proc_link(path, buffer); name != nullptr) {
    path = name;
  }
  if (bounded_length(path) != 0) record.base = base_of(author, task, request.dirfd, path);
  record.path_length = bounded_length(path);
  write_record(trace::RecordType::chmod, author, record, {path, record.path_length});
}

}  // namespace

void record_permissions(const Request& request, const char* attribute) {
  const std::uint16_t acl = acl_kind(attribute);
  if (acl == UINT16_MAX) return;
  if (acl == 2) forget_parents();
  if (process.trace) record_mode(request, facts_of(request), acl);
}

std::uint16_t set_id_bits(const Request& request) {
  if (!process.trace) return 0;
  const ObjectFacts facts = facts_of(request);
  return S_ISREG(facts.mode) ? static_cast<std::uint16_t>(facts.mode & kSetId) : 0;
}

void record_lost_set_id(const Request& request, std::uint16_t before) {
  const ObjectFacts facts = facts_of(request);
  if (facts.mode == 0 || (facts.mode & before) == before) return;
  Request left = request;
  left.mode = facts.mode & 07777u;
  record_mode(left, facts, 0);
}

void record_names(Call call, NameAction action, const Names& names) {
  if (action == NameAction::renamed || action == NameAction::unlinked) forget_directory_names();
  if (!process.trace) return;
  const Task task = enter();
  meet(task);
  const Author author{task.tid, task.pid, sys::now_ns(), 0};
  trace::Rename record{};
  record.context = context_id(task);
  record.call = static_cast<std::uint16_t>(call);
  record.action = static_cast<std::uint16_t>(action);
  record.flags = names.flags;
  if (names.ipc != nullptr) return record_ipc_name(author, record, names);
  const char* from = names.from;
  const char* to = names.to;
  record.from_base = base_of(author, task, names.from_fd, from);
  record.to_base = base_of(author, task, names.to_fd, to);
  ObjectFacts facts;
  if (names.to != nullptr) look_at(names.to_fd, names.to, AT_SYMLINK_NOFOLLOW, facts);
  record.dev = facts.dev;
  record.ino = facts.ino;
  record.from_length = bounded_length(from);
  record.to_length = bounded_length(to);
  write_record(trace::RecordType::rename, author, record, {from, record.from_length},
               {to, record.to_length});
}

}  // namespace umaskaudit::shim
