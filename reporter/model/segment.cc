// See segment.h: what one record of the first pass adds to the tables.
// Must never trust a count or a length in a record beyond the record's own end.
#include "reporter/model/segment.h"

#include <algorithm>
#include <tuple>

namespace umaskaudit::model {
namespace {

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

bool learn_process(const Record& record, Segment* segment, StringPool* pool) {
  Image image;
  if (!fixed_part(record, &image.facts)) return false;
  image.offset = record.offset;
  image.time_ns = record.head.time_ns;
  image.exe = pool->intern(bytes_after<trace::Process>(record, image.facts.exe_length));
  image.comm = pool->intern(padded_text(image.facts.comm));
  segment->comms.try_emplace(image.facts.pid, image.comm);
  const LocalContext context{image.facts.parent_context, image.facts.parent_change, image.facts.pid,
                             image.origin(), image.time_ns};
  segment->contexts.add(image.facts.context, context);
  segment->images.push_back(image);
  return true;
}

bool learn_thread(const Record& record, Segment* segment, StringPool* pool) {
  trace::Thread thread{};
  if (!fixed_part(record, &thread)) return false;
  const std::string_view name = pool->intern(padded_text(thread.name));
  const auto [known, added] = segment->tids.try_emplace(thread.tid, TidFact{name, thread.handle});
  // A name change repeats the handle; only a thread's first record says when it began.
  if (!added && known->second.handle == thread.handle) return true;
  known->second.handle = thread.handle;
  segment->threads.push_back({record.head.pid, thread.handle, record.head.time_ns, thread.tid});
  return true;
}

bool learn_module(const Record& record, Segment* segment, StringPool* pool) {
  trace::Module module{};
  if (!fixed_part(record, &module)) return false;
  ModuleInfo info;
  info.build_id = hex(bytes_after<trace::Module>(record, module.build_id_length));
  info.path =
      pool->intern(bytes_after<trace::Module>(record, module.path_length, module.build_id_length));
  info.base = module.base;
  info.start = module.start;
  info.end = module.end;
  segment->modules.add(module.id, std::move(info));
  return true;
}

bool learn_stack(const Record& record, Segment* segment) {
  trace::Stack stack{};
  if (!fixed_part(record, &stack)) return false;
  const std::string_view bytes =
      bytes_after<trace::Stack>(record, std::uint32_t{stack.count} * sizeof(std::uint64_t));
  if (stack.count > trace::kMaxFrames || bytes.size() != stack.count * sizeof(std::uint64_t)) {
    return false;
  }
  const std::size_t first = segment->frames.size();
  segment->frames.resize(first + stack.count);
  if (stack.count != 0) std::memcpy(&segment->frames[first], bytes.data(), bytes.size());
  segment->stacks.add(stack.id, {static_cast<std::uint32_t>(first), stack.count, stack.flags});
  return true;
}

bool learn_path(const Record& record, Segment* segment, StringPool* pool) {
  trace::Path path{};
  if (!fixed_part(record, &path) || path.length > trace::kMaxPath) return false;
  const std::string_view text = bytes_after<trace::Path>(record, path.length);
  if (text.size() != path.length) return false;
  segment->paths.add(path.id, pool->intern(text));
  return true;
}

bool learn_context(const Record& record, Segment* segment) {
  trace::Context context{};
  if (!fixed_part(record, &context)) return false;
  segment->contexts.add(context.id,
                        {context.parent, context.parent_change, context.owner,
                         static_cast<trace::Origin>(context.origin), record.head.time_ns});
  return true;
}

bool learn_umask(const Record& record, Segment* segment) {
  trace::Umask umask{};
  if (!fixed_part(record, &umask)) return false;
  segment->histories[umask.context].add(record.head.time_ns, umask.change, record.offset,
                                        umask.new_mask);
  return true;
}

bool learn_directory(const Record& record, Segment* segment) {
  trace::Directory directory{};
  if (!fixed_part(record, &directory)) return false;
  ParentFacts facts;
  facts.mode = directory.mode & 07777;
  facts.gid = directory.gid;
  facts.fs_type = directory.fs_type;
  const std::string_view acl = bytes_after<trace::Directory>(record, directory.acl_length);
  if (!acl.empty()) facts.acl = parse_acl_xattr(acl.data(), acl.size());
  segment->directories.add(directory.id, facts);
  return true;
}

bool learn_exec(const Record& record, Segment* segment, StringPool* pool) {
  trace::Exec exec{};
  if (!fixed_part(record, &exec)) return false;
  ExecFact fact;
  fact.offset = record.offset;
  fact.time_ns = record.head.time_ns;
  fact.pid = record.head.pid;
  fact.tid = record.head.tid;
  fact.context = exec.context;
  fact.path = pool->intern(bytes_after<trace::Exec>(record, exec.path_length));
  segment->last_exec[fact.tid] = segment->execs.size();
  segment->execs.push_back(fact);
  return true;
}

bool learn_exec_failed(const Record& record, Segment* segment) {
  trace::ExecFailed failed{};
  if (!fixed_part(record, &failed)) return false;
  // One thread's records are in order, so its latest attempt is the one that failed.
  const auto exec = segment->last_exec.find(record.head.tid);
  if (exec != segment->last_exec.end()) segment->execs[exec->second].error = failed.error;
  return true;
}

bool learn_fork(const Record& record, Segment* segment) {
  trace::Fork fork{};
  if (!fixed_part(record, &fork)) return false;
  segment->forks.push_back({record.head.time_ns, fork.change, fork.child, fork.context});
  return true;
}

bool learn_thread_create(const Record& record, Segment* segment) {
  trace::ThreadCreate create{};
  if (!fixed_part(record, &create)) return false;
  segment->births.push_back(
      {record.head.pid, create.handle, record.head.time_ns, record.offset, 0});
  return true;
}

bool learn_blind_spot(const Record& record, Segment* segment) {
  trace::BlindSpot spot{};
  if (!fixed_part(record, &spot)) return false;
  switch (static_cast<trace::Blind>(spot.reason)) {
    case trace::Blind::exec_static:
    case trace::Blind::exec_privileged:
    case trace::Blind::exec_environment:
      segment->told_blind.push_back({record.head.tid, record.head.time_ns});
      break;
    case trace::Blind::other:
    case trace::Blind::deepbind:
    case trace::Blind::dlmopen:
    case trace::Blind::io_uring:
    case trace::Blind::seccomp:
    case trace::Blind::raw_clone:
    case trace::Blind::no_mask:
    case trace::Blind::old_abi:
    case trace::Blind::untracked_chroot:
      break;
  }
  return true;
}

bool learn_call_names(const Record& record, Segment* segment, StringPool* pool) {
  trace::CallNames names{};
  if (!fixed_part(record, &names)) return false;
  std::string_view text = bytes_after<trace::CallNames>(record, names.bytes);
  if (!segment->calls.empty()) return true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\0'), text.size());
    segment->calls.push_back(pool->intern(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

template <typename T>
bool long_enough(const Record& record) {
  return record.payload_length >= sizeof(T);
}

// False when the record is shorter than its type.
bool learn_type(const Record& record, Segment* segment, StringPool* pool) {
  switch (record.type()) {
    case trace::RecordType::pad:
      return true;
    case trace::RecordType::process:
      return learn_process(record, segment, pool);
    case trace::RecordType::thread:
      return learn_thread(record, segment, pool);
    case trace::RecordType::module:
      return learn_module(record, segment, pool);
    case trace::RecordType::stack:
      return learn_stack(record, segment);
    case trace::RecordType::path:
      return learn_path(record, segment, pool);
    case trace::RecordType::context:
      return learn_context(record, segment);
    case trace::RecordType::umask:
      return learn_umask(record, segment);
    case trace::RecordType::directory:
      return learn_directory(record, segment);
    case trace::RecordType::exec:
      return learn_exec(record, segment, pool);
    case trace::RecordType::exec_failed:
      return learn_exec_failed(record, segment);
    case trace::RecordType::fork:
      return learn_fork(record, segment);
    case trace::RecordType::thread_create:
      return learn_thread_create(record, segment);
    case trace::RecordType::blind_spot:
      return learn_blind_spot(record, segment);
    case trace::RecordType::call_names:
      return learn_call_names(record, segment, pool);
    case trace::RecordType::create:
      return long_enough<trace::Create>(record);
    case trace::RecordType::note:
      return long_enough<trace::Note>(record);
    case trace::RecordType::chmod:
      return long_enough<trace::Chmod>(record);
    case trace::RecordType::rename:
      return long_enough<trace::Rename>(record);
  }
  ++segment->unknown_records;
  return true;
}

// Meets each thread with the latest pthread_create of its handle before the thread's first record:
// handles are addresses, used again once a thread is joined, and the same in a forked child.
void join_births(Segment* segment) {
  std::vector<BirthFact>& births = segment->births;
  const auto order = [](const BirthFact& a, const BirthFact& b) {
    return std::tie(a.pid, a.handle, a.time_ns) < std::tie(b.pid, b.handle, b.time_ns);
  };
  std::sort(births.begin(), births.end(), order);
  for (const ThreadFact& thread : segment->threads) {
    const BirthFact latest{thread.pid, thread.handle, thread.first_ns, 0, 0};
    auto found = std::upper_bound(births.begin(), births.end(), latest, order);
    if (found == births.begin()) continue;
    --found;
    if (found->pid == thread.pid && found->handle == thread.handle) found->created_tid = thread.tid;
  }
  const auto by_offset = [](const BirthFact& a, const BirthFact& b) { return a.offset < b.offset; };
  std::sort(births.begin(), births.end(), by_offset);
}

}  // namespace

bool is_event(trace::RecordType type) {
  switch (type) {
    case trace::RecordType::process:
    case trace::RecordType::thread:
    case trace::RecordType::umask:
    case trace::RecordType::create:
    case trace::RecordType::exec:
    case trace::RecordType::fork:
    case trace::RecordType::blind_spot:
    case trace::RecordType::note:
    case trace::RecordType::thread_create:
    case trace::RecordType::chmod:
    case trace::RecordType::rename:
      return true;
    case trace::RecordType::pad:
    case trace::RecordType::module:
    case trace::RecordType::stack:
    case trace::RecordType::path:
    case trace::RecordType::context:
    case trace::RecordType::directory:
    case trace::RecordType::call_names:
    case trace::RecordType::exec_failed:
      return false;
  }
  return false;
}

std::string_view Segment::comm_of(std::uint32_t pid_wanted) const {
  const auto known = comms.find(pid_wanted);
  if (known != comms.end()) return known->second;
  return images.empty() ? std::string_view{} : images.front().comm;
}

void learn(const Record& record, Segment* segment, StringPool* pool) {
  if (!learn_type(record, segment, pool)) {
    ++segment->malformed_records;
    return;
  }
  if (!is_event(record.type())) return;
  const std::uint64_t time = record.head.time_ns;
  if (segment->events++ == 0) segment->first_ns = segment->last_ns = time;
  segment->first_ns = std::min(segment->first_ns, time);
  segment->last_ns = std::max(segment->last_ns, time);
}

void finish(Segment* segment) {
  // Records of the program and of its first child may be a little out of order.
  const auto older = [](const Image& a, const Image& b) { return a.time_ns < b.time_ns; };
  std::stable_sort(segment->images.begin(), segment->images.end(), older);
  segment->modules.finish();
  segment->stacks.finish();
  segment->paths.finish();
  segment->directories.finish();
  segment->contexts.finish();
  for (auto& [context, history] : segment->histories) history.finish();
  join_births(segment);
}

}  // namespace umaskaudit::model
