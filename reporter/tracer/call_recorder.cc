// Records of calls; see call_recorder.h.

#include "reporter/tracer/call_recorder.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "preload/trace/object_facts.h"
#include "reporter/tracer/call_reader.h"

namespace umaskaudit::tracer {

namespace {

enum class NameAction : std::uint16_t { renamed = 1, linked = 2, unlinked = 3, symlinked = 4 };

Author author_of(const Task& task, std::uint16_t flags = 0) {
  return {task.process->pid, task.tid, now_ns(), flags};
}

SegmentWriter& writer_of(Task& task) { return task.process->recording->writer(); }

std::string bounded(const std::string& path) { return path.substr(0, trace::kMaxPath); }

std::uint32_t base_of(Task& task, const Author& author, int dirfd, const std::string& path) {
  return path.empty() ? 0 : writer_of(task).path(author, place_of(task, dirfd, path).base());
}

void record_mask(Task& task, std::uint16_t old_mask) {
  const PendingCall& call = task.call;
  FsContext& context = *task.context;
  const std::uint16_t cached = context.mask;
  context.mask = static_cast<std::uint16_t>(call.arguments[0] & 0777);
  ++context.changes;
  trace::Umask record{};
  record.context = context_id(task);
  record.stack = call.stack;
  record.change = context.changes;
  record.argument = static_cast<std::uint32_t>(call.arguments[0]);
  record.old_mask = old_mask;
  record.new_mask = context.mask;
  record.cached = cached;
  record.call = number_in_trace(*call.row);
  const auto flags = static_cast<std::uint16_t>(old_mask != cached ? trace::kDrift : 0);
  writer_of(task).write(trace::RecordType::umask, author_of(task, flags), record);
}

// The result of a creating call.
struct Made {
  bool known = false;
  struct statx facts {};
  trace::Created created = trace::Created::unknown;
  std::string name;  // the object's name, if the path was a symbolic link
  bool by_name = false;
};

trace::Created judge(const PendingCall& call, const struct statx& facts) {
  const bool same = call.existed && call.before_ino == facts.stx_ino &&
                    call.before_dev == trace::device_of(facts);
  const std::int64_t birth = trace::birth_of(facts);
  if (same || (birth != 0 && birth < call.before_ns)) return trace::Created::no;
  return trace::Created::probably;
}

Made look_at_opened(Task& task, int fd) {
  const PendingCall& call = task.call;
  Made made;
  const TakenDescriptor object(task.process->descriptor, task.tid, fd);
  made.known = object.look(&made.facts);
  const bool exclusive = is_exclusive(call.flags);
  if (exclusive) {
    made.created = trace::Created::yes;
  } else if (made.known) {
    const auto was_created = object.was_created(made.facts);
    made.created = !was_created   ? judge(call, made.facts)
                   : *was_created ? trace::Created::yes
                                  : trace::Created::no;
  }
  if (!exclusive && made.created != trace::Created::no &&
      place_of(task, directory_of(call), call.path).link())
    made.name = object.name();
  return made;
}

Made look_at_made(Task& task) {
  Made made;
  made.created = trace::Created::yes;
  made.by_name = true;
  made.known = place_of(task, directory_of(task.call), task.call.path).look(false, &made.facts);
  return made;
}

trace::Kind kind_of(const PendingCall& call, const Made& made) {
  if (call.row->effect == Effect::queue) return trace::Kind::mqueue;
  if (is_unnamed(call.flags)) return trace::Kind::tmpfile;
  if (call.row->effect == Effect::bind) return trace::Kind::socket;
  if (made.known) return trace::kind_of_type(made.facts.stx_mode);
  return std::strncmp(call.row->name, "mkdir", 5) == 0 ? trace::Kind::dir : trace::Kind::file;
}

void describe_place(Task& task, const Author& author, const Made& made, trace::Create& record) {
  const PendingCall& call = task.call;
  SegmentWriter& writer = writer_of(task);
  const Place place = place_of(task, directory_of(call), call.path);
  const std::string base = place.base();
  record.base = writer.path(author, base);
  if (record.error != 0 || made.created == trace::Created::no) return;
  const std::uint32_t masked = call.mode & 07777u & ~std::uint32_t{call.mask_before};
  const bool surprising = (record.final_mode & 07777) != masked;
  if (!made.name.empty()) {
    record.target = writer.path(author, made.name);
    const Place target = place_of(task, AT_FDCWD, made.name);
    record.directory = task.process->recording->add_directory(
        author, made.name.substr(0, made.name.rfind('/')), target.directory(), surprising);
    return;
  }
  const bool unnamed = is_unnamed(call.flags);
  const std::size_t end = unnamed ? call.path.size() : call.path.rfind('/') + 1;
  const std::string key = base + '\0' + call.path.substr(0, end);
  record.directory =
      task.process->recording->add_directory(author, key, place.directory(unnamed), surprising);
}

void record_creation(Task& task, std::int64_t result) {
  const PendingCall& call = task.call;
  const Effect effect = call.row->effect;
  const bool by_descriptor =
      effect == Effect::open || effect == Effect::open_how || effect == Effect::queue;
  Made made;
  made.created = trace::Created::no;
  if (result >= 0)
    made = by_descriptor ? look_at_opened(task, static_cast<int>(result)) : look_at_made(task);
  FsContext& context = *task.context;
  Author author = author_of(task);
  if (call.busy) author.flags |= trace::kBusy;
  if (made.by_name) author.flags |= trace::kModeByName;
  trace::Create record{};
  record.context = context_id(task);
  record.stack = call.stack;
  record.change_before = call.changes_before;
  record.change_after = context.changes;
  record.mask_before = call.mask_before;
  record.mask_after = context.mask;
  record.call = number_in_trace(*call.row);
  record.kind = static_cast<std::uint8_t>(kind_of(call, made));
  record.created = static_cast<std::uint8_t>(made.created);
  record.requested = call.mode;
  record.open_flags = static_cast<std::uint32_t>(call.flags);
  record.error = result < 0 ? static_cast<std::int32_t>(-result) : 0;
  if (made.known) {
    record.final_mode = made.facts.stx_mode;
    record.dev = trace::device_of(made.facts);
    record.ino = made.facts.stx_ino;
    record.birth_ns = trace::birth_of(made.facts);
    record.uid = made.facts.stx_uid;
    record.gid = made.facts.stx_gid;
  }
  if (effect != Effect::queue && !call.unread) describe_place(task, author, made, record);
  const std::string path = bounded(call.path);
  record.path_length = static_cast<std::uint32_t>(path.size());
  writer_of(task).write(trace::RecordType::create, author, record, path);
}

std::uint16_t acl_kind(const PendingCall& call) {
  if (call.row->effect != Effect::attribute) return 0;
  return call.attribute == "system.posix_acl_access" ? 1 : 2;
}

// The object of a call by path or by descriptor. `path`: as passed, or the descriptor's name.
bool look_at_object(const Task& task, std::string& path, struct statx& facts) {
  const PendingCall& call = task.call;
  path = bounded(call.path);
  if (call.row->path < 0 || path.empty()) {
    const TakenDescriptor object(task.process->descriptor, task.tid,
                                 static_cast<int>(call.arguments[0]));
    path = object.name();
    return object.look(&facts);
  }
  const bool follow = (call.flags & AT_SYMLINK_NOFOLLOW) == 0 && call.row->name[0] != 'l';
  return place_of(task, directory_of(call), path).look(follow, &facts);
}

void record_permissions(Task& task) {
  const PendingCall& call = task.call;
  const Author author = author_of(task);
  trace::Chmod record{};
  record.acl = acl_kind(call);
  if (record.acl == 2) task.process->recording->forget_directories();
  struct statx facts {};
  std::string path;
  const bool known = look_at_object(task, path, facts);
  record.requested = call.mode;
  if (call.row->effect == Effect::owner) {
    if (!known || (facts.stx_mode & call.set_id) == call.set_id) return;
    record.requested = facts.stx_mode & 07777U;
  }
  if (known) {
    record.final_mode = facts.stx_mode;
    record.dev = trace::device_of(facts);
    record.ino = facts.stx_ino;
  }
  record.context = context_id(task);
  record.stack = call.stack;
  record.call = number_in_trace(*call.row);
  const int dirfd = call.row->path < 0 ? AT_FDCWD : directory_of(call);
  record.base = base_of(task, author, dirfd, path);
  record.path_length = static_cast<std::uint32_t>(path.size());
  writer_of(task).write(trace::RecordType::chmod, author, record, path);
}

void record_names(Task& task, NameAction action) {
  const PendingCall& call = task.call;
  const Author author = author_of(task);
  trace::Rename record{};
  const std::string from = bounded(call.path), to = bounded(call.second);
  record.context = context_id(task);
  record.call = number_in_trace(*call.row);
  record.action = static_cast<std::uint16_t>(action);
  if (action == NameAction::renamed) record.flags = static_cast<std::uint32_t>(call.flags);
  if (action != NameAction::symlinked)
    record.from_base = base_of(task, author, directory_of(call), from);
  if (!to.empty()) {
    record.to_base = base_of(task, author, second_directory_of(call), to);
    struct statx facts {};
    if (place_of(task, second_directory_of(call), to).look(false, &facts)) {
      record.dev = trace::device_of(facts);
      record.ino = facts.stx_ino;
    }
  }
  record.from_length = static_cast<std::uint16_t>(from.size());
  record.to_length = static_cast<std::uint16_t>(to.size());
  writer_of(task).write(trace::RecordType::rename, author, record, from, to);
}

// glibc's POSIX message queues are in a filesystem that may not be mounted here.
void record_unlinked_queue(Task& task) {
  task.call.path.insert(0, "/dev/mqueue/");
  record_names(task, NameAction::unlinked);
}

void record_new_context(Task& task) {
  task.context->root.reset();  // each mount name space has its own
  // Other kinds keep the old one.
  FsContext& old = *task.context;
  if (old.tasks < 2) return;
  auto own = std::make_shared<FsContext>();
  own->mask = old.mask;
  own->source = trace::MaskSource::inherited;
  own->tasks = 1;
  --old.tasks;
  const std::shared_ptr<FsContext> parent = std::exchange(task.context, own);
  context_id(task, trace::Origin::unshare, parent.get());
}

}  // namespace

std::uint32_t context_id(const Task& task, trace::Origin origin, const FsContext* parent) {
  Recording* const recording = task.process->recording.get();
  FsContext& context = *task.context;
  const auto id_in = [&](const FsContext& of) -> std::uint32_t {
    for (const auto& [where, id] : of.ids) {
      if (where == recording) return id;
    }
    return 0;
  };
  if (const std::uint32_t known = id_in(context); known != 0) return known;
  trace::Context record{};
  record.id = recording->writer().next_id(trace::IdSpace::context);
  record.owner = static_cast<std::uint32_t>(task.tid);
  record.origin = static_cast<std::uint8_t>(origin);
  record.mask_source = static_cast<std::uint8_t>(context.source);
  record.mask = context.mask;
  if (parent != nullptr) {
    record.parent = id_in(*parent);
    record.parent_change = parent->changes;
  }
  context.ids.emplace_back(recording, record.id);
  const Author author{task.process->pid, task.tid};
  const bool process = origin == trace::Origin::exec || origin == trace::Origin::fork ||
                       origin == trace::Origin::vfork;
  if (process)
    recording->add_process(
        author, origin == trace::Origin::exec ? trace::Origin::exec : trace::Origin::fork, record);
  recording->add_context(author, record);
  return record.id;
}

std::uint32_t set_id_bits(const Task& task) {
  struct statx facts {};
  std::string path;
  if (!look_at_object(task, path, facts) || !S_ISREG(facts.stx_mode)) return 0;
  return facts.stx_mode & (S_ISUID | S_ISGID);
}

void record_result(Task& task, std::int64_t result) {
  if (task.process->recording == nullptr) return;
  const Effect effect = task.call.row->effect;
  if (effect == Effect::mask) return record_mask(task, static_cast<std::uint16_t>(result & 0777));
  if (is_creating(effect)) return record_creation(task, result);
  if (result < 0) return;
  switch (effect) {
    case Effect::chmod:
    case Effect::fchmod:
    case Effect::owner:
    case Effect::attribute:
      return record_permissions(task);
    case Effect::rename:
      task.process->recording->forget_directories();
      return record_names(task, NameAction::renamed);
    case Effect::link:
      return record_names(task, NameAction::linked);
    case Effect::symlink:
      return record_names(task, NameAction::symlinked);
    case Effect::unlink:
      task.process->recording->forget_directories();
      return record_names(task, NameAction::unlinked);
    case Effect::unlink_queue:
      return record_unlinked_queue(task);
    case Effect::unshare:
      return record_new_context(task);
    case Effect::root:
      task.context->root.reset();
      return;
    case Effect::name_thread:
      return task.process->recording->add_thread(author_of(task), context_id(task), task.call.path);
    case Effect::uring:
      return task.process->recording->add_blind_spot(
          author_of(task), trace::Blind::io_uring, number_in_trace(*task.call.row),
          context_id(task), task.call.stack, executable_of(task.tid));
    default:
      return;
  }
}

void record_exec(Task& task) {
  const PendingCall& call = task.call;
  if (task.process->recording == nullptr || call.row == nullptr) return;
  trace::Exec record{};
  record.context = context_id(task);
  record.stack = call.stack;
  record.change = task.context->changes;
  record.call = number_in_trace(*call.row);
  const std::string path = bounded(call.path);
  record.path_length = static_cast<std::uint32_t>(path.size());
  writer_of(task).write(trace::RecordType::exec, {task.process->pid, task.tid, call.time_ns},
                        record, path);
}

}  // namespace umaskaudit::tracer
