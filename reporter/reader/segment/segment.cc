// Adds one record of the first pass to the tables; see segment.h.
// Must never trust a count or a length in a record beyond the record's own end.
#include "reporter/reader/segment/segment.h"

#include <algorithm>
#include <tuple>

#include "reporter/reader/segment/record_types.h"

namespace umaskaudit::reader {
namespace {

// More than a thread makes in the longest fold; the numbers of a forged one may be any.
constexpr std::uint64_t kMostChanges = std::uint64_t{1} << 30;

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

}  // namespace

bool names_exec(trace::Blind reason) {
  return reason == trace::Blind::exec_static || reason == trace::Blind::exec_privileged ||
         reason == trace::Blind::exec_environment || reason == trace::Blind::exec_abi ||
         reason == trace::Blind::exec_libc || reason == trace::Blind::exec_library ||
         reason == trace::Blind::exec_run_directory;
}

namespace {

// add() for each type; `record` is the one that the fixed part came from.
class Learner {
 public:
  Learner(const Record& record, Segment* segment, StringPool* pool)
      : record_(record), segment_(*segment), pool_(*pool) {}

  // False when the record is too short for its type, or its parts do not fit into it.
  bool learn();

 private:
  // An event between mask change `change` and the one after `last_change`.
  void snapshot(std::uint32_t context, std::uint64_t change, std::uint64_t last_change);

  void add(const trace::Process& process);
  void add(const trace::Thread& thread);
  void add(const trace::Module& module);
  void add(const trace::Stack& stack);
  void add(const trace::Path& path);
  void add(const trace::Context& context);
  void add(const trace::Umask& umask);
  void add(const trace::Create& create);
  void add(const trace::Directory& directory);
  void add(const trace::Exec& exec);
  void add(const trace::ExecFailed& failed);
  void add(const trace::Fork& fork);
  void add(const trace::ThreadCreate& create);
  void add(const trace::BlindSpot& spot);
  void add(const trace::CallNames& names);
  void add(const trace::Fold& fold);
  void add(const trace::Runtime& runtime);
  void add(const trace::ScriptFrame& frame);
  void add(const trace::ScriptStack& stack);
  // Types that add nothing to the tables.
  void add(const trace::Pad&) {}
  void add(const trace::Note&) {}
  void add(const trace::Chmod&) {}
  void add(const trace::Rename&) {}

  const Record& record_;
  Segment& segment_;
  StringPool& pool_;
  bool fits_ = true;
};

void Learner::add(const trace::Process& process) {
  Image image;
  image.facts = process;
  image.offset = record_.offset;
  image.time_ns = record_.head.time_ns;
  image.exe = pool_.intern(bytes_after<trace::Process>(record_, process.exe_length));
  image.comm = pool_.intern(padded_text(process.comm));
  segment_.comms.try_emplace(process.pid, image.comm);
  const LocalContext context{process.parent_context, process.parent_change, process.pid,
                             image.origin(),         image.time_ns,         process.mask};
  segment_.contexts.add(process.context, context);
  segment_.images.push_back(image);
  if (process.pid_namespace != segment_.image()->facts.pid_namespace) {
    segment_.pid_namespaces.emplace(process.context, process.pid_namespace);
  }
}

void Learner::add(const trace::Thread& thread) {
  const std::string_view name = pool_.intern(padded_text(thread.name));
  const auto [known, added] = segment_.tids.try_emplace(thread.tid, TidFact{name, thread.handle});
  // A name change repeats the handle; only a thread's first record says when it began.
  if (!added && known->second.handle == thread.handle) return;
  known->second.handle = thread.handle;
  if (thread.handle == 0) return;  // not made by pthread_create(3)
  segment_.threads.push_back({record_.head.pid, thread.handle, record_.head.time_ns, thread.tid});
}

void Learner::add(const trace::Module& module) {
  ModuleInfo info;
  info.build_id = hex(bytes_after<trace::Module>(record_, module.build_id_length));
  info.path =
      pool_.intern(bytes_after<trace::Module>(record_, module.path_length, module.build_id_length));
  info.base = module.base;
  info.start = module.start;
  info.end = module.end;
  segment_.modules.add(module.id, std::move(info));
}

void Learner::add(const trace::Stack& stack) {
  const std::uint32_t size = std::uint32_t{stack.count} * sizeof(std::uint64_t);
  const std::string_view bytes = bytes_after<trace::Stack>(record_, size);
  fits_ = stack.count <= trace::kMaxFrames && bytes.size() == size;
  if (!fits_) return;
  const std::size_t first = segment_.frames.size();
  segment_.frames.resize(first + stack.count);
  if (stack.count != 0) std::memcpy(&segment_.frames[first], bytes.data(), size);
  segment_.stacks.add(stack.id, {static_cast<std::uint32_t>(first), stack.count, stack.flags});
}

void Learner::add(const trace::Path& path) {
  const std::string_view text = bytes_after<trace::Path>(record_, path.length);
  fits_ = path.length <= trace::kMaxPath && text.size() == path.length;
  if (fits_) segment_.paths.add(path.id, pool_.intern(text));
}

void Learner::add(const trace::Context& context) {
  segment_.contexts.add(
      context.id, {context.parent, context.parent_change, context.owner,
                   static_cast<trace::Origin>(context.origin), record_.head.time_ns, context.mask});
}

void Learner::add(const trace::Umask& umask) {
  segment_.histories[umask.context].add(record_.head.time_ns, umask.change, record_.offset,
                                        umask.new_mask);
  if (!segment_.layout.has_ring())
    segment_.of(Lane::kept).late.see_change(record_.offset, umask.context, umask.change);
  if ((record_.head.flags & trace::kDrift) != 0) {
    segment_.drifts.push_back(
        {record_.head.time_ns, umask.change, umask.context, umask.call, umask.old_mask});
  }
}

void Learner::add(const trace::Create& create) {
  const std::uint64_t busy = (record_.head.flags & trace::kBusy) != 0 ? 1 : 0;
  snapshot(create.context, create.change_after, create.change_after + busy);
}

void Learner::snapshot(std::uint32_t context, std::uint64_t change, std::uint64_t last_change) {
  if (change != 0) segment_.histories[context].witness(change, record_.head.time_ns);
  if (!segment_.layout.has_ring())
    segment_.of(Lane::kept).late.see_snapshot(record_.offset, context, last_change);
}

void Learner::add(const trace::Directory& directory) {
  ParentFacts facts;
  facts.mode = directory.mode & 07777;
  facts.gid = directory.gid;
  facts.fs_type = directory.fs_type;
  const std::string_view acl = bytes_after<trace::Directory>(record_, directory.acl_length);
  if (!acl.empty()) facts.acl = parse_acl_xattr(acl.data(), acl.size());
  segment_.directories.add(directory.id, facts);
}

void Learner::add(const trace::Exec& exec) {
  ExecFact fact;
  fact.offset = record_.offset;
  fact.time_ns = record_.head.time_ns;
  fact.pid = record_.head.pid;
  fact.tid = record_.head.tid;
  fact.context = exec.context;
  fact.stack = exec.stack;
  fact.path = pool_.intern(bytes_after<trace::Exec>(record_, exec.path_length));
  snapshot(exec.context, exec.change, exec.change);
  segment_.last_exec[fact.tid] = segment_.execs.size();
  segment_.execs.push_back(fact);
}

void Learner::add(const trace::ExecFailed& failed) {
  // The records of one thread are in order, so its latest attempt is the one that failed.
  const auto exec = segment_.last_exec.find(record_.head.tid);
  if (exec != segment_.last_exec.end()) segment_.execs[exec->second].error = failed.error;
}

void Learner::add(const trace::Fork& fork) {
  snapshot(fork.context, fork.change, fork.change);
  segment_.forks.push_back({record_.head.time_ns, fork.change, fork.child, fork.context,
                            static_cast<trace::Origin>(fork.origin), fork.stack, record_.head.pid,
                            record_.head.tid});
}

void Learner::add(const trace::ThreadCreate& create) {
  segment_.births.push_back(
      {record_.head.pid, create.handle, record_.head.time_ns, record_.offset, 0});
}

void Learner::add(const trace::BlindSpot& spot) {
  const auto reason = static_cast<trace::Blind>(spot.reason);
  if (names_exec(reason)) {
    segment_.told_blind.push_back(
        {record_.head.tid, record_.head.time_ns, record_.head.pid, spot.context, reason});
  } else {
    segment_.blind_reasons |= std::uint64_t{1} << std::min<unsigned>(spot.reason, 63);
  }
}

void Learner::add(const trace::CallNames& names) {
  if (!segment_.calls.empty()) return;
  std::string_view text = bytes_after<trace::CallNames>(record_, names.bytes);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\0'), text.size());
    segment_.calls.push_back(pool_.intern(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void Learner::add(const trace::Fold& fold) {
  fits_ = is_sound(fold);
  if (fits_) learn_fold({record_.head, fold, record_.offset}, &segment_);
}

void Learner::add(const trace::Runtime& runtime) {
  const std::string_view text = bytes_after<trace::Runtime>(record_, runtime.text_length);
  fits_ = text.size() == runtime.text_length;
  if (fits_)
    segment_.runtimes.insert_or_assign(runtime.module, RuntimeFact{runtime, pool_.intern(text)});
}

void Learner::add(const trace::ScriptFrame& frame) {
  const std::string_view name = bytes_after<trace::ScriptFrame>(record_, frame.function_length);
  fits_ = name.size() == frame.function_length;
  if (fits_) segment_.script_frames.add(frame.id, {frame, pool_.intern(name)});
}

void Learner::add(const trace::ScriptStack& stack) {
  const std::uint32_t size = std::uint32_t{stack.count} * sizeof(std::uint32_t);
  const std::string_view bytes = bytes_after<trace::ScriptStack>(record_, size);
  fits_ = stack.count <= trace::kMaxFrames && bytes.size() == size;
  if (!fits_) return;
  const std::size_t first = segment_.script_words.size();
  segment_.script_words.resize(first + stack.count);
  if (stack.count != 0) std::memcpy(&segment_.script_words[first], bytes.data(), size);
  segment_.scripts.add(stack.id, {stack, static_cast<std::uint32_t>(first)});
}

bool Learner::learn() {
  switch (visit_record(record_, [this](const auto& facts) { add(facts); })) {
    case Shape::whole:
      return fits_;
    case Shape::too_short:
      return false;
    case Shape::unknown:
      break;
  }
  ++segment_.unknown_records;
  return true;
}

// Matches each thread with the latest pthread_create of its handle before the thread's first
// record: handles are addresses, reused once a thread is joined, and the same in a forked child.
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
  const auto by_place = [&](const BirthFact& a, const BirthFact& b) {
    return segment->layout.place(a.offset) < segment->layout.place(b.offset);
  };
  std::sort(births.begin(), births.end(), by_place);
}

}  // namespace

trace::Recorder Segment::recorder() const {
  // Up to version 1.5 that byte was part of a number.
  constexpr std::uint16_t kFirstMinor = 6;
  return header_damaged || header.minor < kFirstMinor
             ? trace::Recorder::shim
             : static_cast<trace::Recorder>(header.recorder);
}

std::string_view Segment::comm_of(std::uint32_t pid_wanted) const {
  const auto known = comms.find(pid_wanted);
  if (known != comms.end()) return known->second;
  return images.empty() ? std::string_view{} : images.front().comm;
}

std::uint64_t Image::began_ns() const {
  constexpr std::uint64_t kMillisecond = 1000000;
  if (facts.pid_namespace == 0 || facts.age_ms == trace::kAgeUnknown) return 0;
  return time_ns - std::min(time_ns, facts.age_ms * kMillisecond);
}

std::uint32_t Segment::pid_namespace_of(std::uint32_t context) const {
  while (!pid_namespaces.empty()) {
    const auto own = pid_namespaces.find(context);
    if (own != pid_namespaces.end()) return own->second;
    const LocalContext* local = contexts.find(context);
    if (local == nullptr || local->parent >= context) break;  // ids rise; a forged one may not
    context = local->parent;
  }
  return images.empty() ? 0 : images.front().facts.pid_namespace;
}

std::vector<RawFrame> Segment::frames_of(std::uint32_t stack) const {
  constexpr std::uint64_t kOffsetBits = (std::uint64_t{1} << trace::kFrameModuleShift) - 1;
  std::vector<RawFrame> out;
  const ScriptSpan* script = script_span(stack);
  // A script stack refers to a native one; one that refers to another script stack, or itself, is
  // invalid.
  const StackSpan* span = stacks.find(script == nullptr ? stack : script->facts.native);
  for (std::uint32_t i = 0; span != nullptr && i < span->count; ++i) {
    const std::uint64_t frame = frames[span->first + i];
    out.push_back(
        {static_cast<std::uint32_t>(frame >> trace::kFrameModuleShift), frame & kOffsetBits});
  }
  return out;
}

const ScriptSpan* Segment::script_span(std::uint32_t stack) const {
  return stacks.find(stack) != nullptr ? nullptr : scripts.find(stack);
}

std::optional<ScriptStack> Segment::script_of(std::uint32_t stack) const {
  const ScriptSpan* span = script_span(stack);
  if (span == nullptr) return std::nullopt;
  ScriptStack script;
  script.native = span->facts.native;
  script.runtime = span->facts.runtime;
  script.truncated = (span->facts.flags & trace::kStackTruncated) != 0;
  script.partial = (span->facts.flags & trace::kStackPartial) != 0;
  if (const auto runtime = runtimes.find(script.runtime); runtime != runtimes.end()) {
    const trace::Runtime& facts = runtime->second.facts;
    script.language = static_cast<trace::Language>(facts.language);
    script.evaluator = facts.evaluator;
    script.evaluator_size = facts.evaluator_size;
  }
  for (std::uint32_t i = 0; i < span->facts.count; ++i) {
    const std::uint32_t word = script_words[span->first + i];
    ScriptFrame frame;
    frame.entry = (word & trace::kScriptEntry) != 0;
    if (const ScriptPlace* place = script_frames.find(word & ~trace::kScriptEntry)) {
      frame.function = place->function;
      frame.line = place->facts.line;
      frame.language = static_cast<trace::Language>(place->facts.language);
      frame.line_of_other = (place->facts.flags & trace::kLineOfOther) != 0;
      if (const std::string_view* path = paths.find(place->facts.file)) frame.file = *path;
    } else {
      frame.language = script.language;  // the record of its file or function was lost
    }
    script.frames.push_back(frame);
  }
  if (script.language == trace::Language::none && !script.frames.empty())
    script.language = script.frames.front().language;
  return script;
}

std::vector<ScriptRuntime> runtimes_of(const std::vector<std::unique_ptr<Segment>>& segments) {
  std::vector<ScriptRuntime> out;
  for (const auto& segment : segments) {
    for (const auto& [module, runtime] : segment->runtimes) {
      const ModuleInfo* info = segment->modules.find(module);
      out.push_back({static_cast<trace::Language>(runtime.facts.language),
                     static_cast<trace::RuntimeState>(runtime.facts.state), runtime.text,
                     info == nullptr ? std::string_view{} : info->path});
    }
  }
  const auto key = [](const ScriptRuntime& runtime) {
    return std::tie(runtime.text, runtime.module, runtime.state, runtime.language);
  };
  std::sort(out.begin(), out.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  const auto same = [&](const auto& a, const auto& b) { return key(a) == key(b); };
  out.erase(std::unique(out.begin(), out.end(), same), out.end());
  return out;
}

bool Segment::dropped_changes() const {
  const auto is_change = [](const trace::Total& total) {
    const auto type = static_cast<trace::RecordType>(total.type);
    return type == trace::RecordType::umask || total.type == 0;
  };
  return std::any_of(totals.begin(), totals.end(), is_change);
}

bool Segment::stack_truncated(std::uint32_t stack) const {
  const ScriptSpan* script = script_span(stack);
  if (script != nullptr && (script->facts.flags & trace::kStackTruncated) != 0) return true;
  const StackSpan* span = stacks.find(script == nullptr ? stack : script->facts.native);
  return span != nullptr && (span->flags & trace::kStackTruncated) != 0;
}

bool is_sound(const trace::Fold& fold) {
  return fold.begin.first != 0 && fold.state.last >= fold.begin.first &&
         fold.state.last - fold.begin.first < kMostChanges && fold.state.last < UINT64_MAX / 2 &&
         fold.begin.sites[0].new_mask < 01000 && fold.begin.sites[1].new_mask < 01000;
}

void learn_fold(const FoldFact& fact, Segment* segment) {
  segment->folds.push_back(fact);
  segment->histories[fact.fold.begin.context].add(fact.fold, fact.offset);
  const std::uint64_t first_ns = fact.fold.begin.first_ns;
  if (segment->events == 0) segment->first_ns = segment->last_ns = first_ns;
  segment->first_ns = std::min(segment->first_ns, first_ns);
  segment->last_ns = std::max(segment->last_ns, fact.fold.state.latest_ns[0]);
  segment->events += fact.fold.state.last - fact.fold.begin.first + 1;
}

void learn(const Record& record, Segment* segment, StringPool* pool) {
  if (!Learner(record, segment, pool).learn()) {
    ++segment->malformed_records;
    return;
  }
  if (!is_event(record.type())) return;
  const std::uint64_t time = record.head.time_ns;
  if (!segment->layout.has_ring()) segment->of(Lane::kept).late.see(record.offset, time);
  if (segment->events++ == 0) segment->first_ns = segment->last_ns = time;
  segment->first_ns = std::min(segment->first_ns, time);
  segment->last_ns = std::max(segment->last_ns, time);
}

namespace {

void finish_tables(Segment* segment) {
  // Records of the program and of its first child may be slightly out of order.
  const auto older = [](const Image& a, const Image& b) { return a.time_ns < b.time_ns; };
  std::stable_sort(segment->images.begin(), segment->images.end(), older);
  segment->modules.finish();
  segment->stacks.finish();
  segment->script_frames.finish();
  segment->scripts.finish();
  segment->paths.finish();
  segment->directories.finish();
  segment->contexts.finish();
}

}  // namespace

void settle(Segment* segment) {
  finish_tables(segment);
  for (auto& [context, history] : segment->histories) history.finish();
  segment->births.clear();
  segment->threads.clear();
  segment->of(Lane::kept).late = OutOfOrderRecords();
}

void finish(Segment* segment) {
  finish_tables(segment);
  for (auto& [context, history] : segment->histories) {
    history.finish();
    history.changes().shrink_to_fit();
    for (const MaskChange& change : history.changes()) {
      if (change.change == 0) continue;
      // The first change, and what precedes it.
      segment->first_ns =
          std::min(segment->first_ns, std::max<std::uint64_t>(change.time_ns, 1) - 1);
      break;
    }
  }
  if (!segment->layout.has_ring()) segment->of(Lane::kept).late.finish(segment->histories);
  join_births(segment);
}

}  // namespace umaskaudit::reader
