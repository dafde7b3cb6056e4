// See run_tables.h: one function a kind of event. Rows of objects are written when their life has
// ended, or the run.
#include "reporter/fleet/run_tables.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <exception>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "reporter/base/output_file.h"
#include "reporter/fleet/lake.h"
#include "reporter/fleet/table_file.h"
#include "reporter/objects/object_lives.h"
#include "reporter/render/own_place.h"
#include "reporter/symbolize/culprit.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::fleet {
namespace {

std::optional<std::uint64_t> number(const std::optional<Mode>& mode) {
  if (!mode) return std::nullopt;
  return *mode;
}

RunKey key_of(const RunTablesSource& source) {
  return {source.line.host.empty() ? "unknown" : source.line.host,
          utc_date(source.line.started_real_ns), run_id(source.run, source.line)};
}

std::string common_members(const RunKey& key) {
  std::string members = "\"host\":\"";
  append_table_text(members, key.host);
  return members + "\",\"date\":\"" + key.date + "\",\"run\":\"" + key.run + '"';
}

// A file of the run, with its table.
struct Target {
  OutputFile file;
  std::unique_ptr<TableFile> rows;
};

// What a stack is, whatever is known of its names: the same code of the same builds.
class StackHash {
 public:
  StackHash() { XXH3_128bits_reset(&state_); }
  void add(std::string_view text) {
    add(text.size());
    XXH3_128bits_update(&state_, text.data(), text.size());
  }
  void add(std::uint64_t value) { XXH3_128bits_update(&state_, &value, sizeof value); }
  std::string text() {
    XXH128_canonical_t bytes;
    XXH128_canonicalFromHash(&bytes, XXH3_128bits_digest(&state_));
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const unsigned char byte : bytes.digest) {
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
    }
    return text;
  }

 private:
  XXH3_state_t state_;
};

class RunTables {
 public:
  RunTables(const RunTablesSource& source, const std::string& common)
      : source_(source), run_(source.run), common_(common) {}

  Status open(const NewLakeRun& place) {
    std::unordered_map<std::string_view, TableFile*> files;
    for (const TableInfo& table : fleet_tables()) {
      Result<OutputFile> file = OutputFile::create(place.file(table));
      if (!file) return file.error();
      targets_.push_back({std::move(*file), nullptr});
      Target& target = targets_.back();
      target.rows = std::make_unique<TableFile>(table, common_, target.file.stream());
      files[table.name] = target.rows.get();
    }
    runs_ = files.at("runs");
    processes_ = files.at("processes");
    stacks_ = files.at("stacks");
    frames_ = files.at("frames");
    umask_changes_ = files.at("umask_changes");
    objects_ = files.at("objects");
    object_changes_ = files.at("object_changes");
    findings_ = files.at("findings");
    hits_ = files.at("hits");
    blind_spots_ = files.at("blind_spots");
    losses_ = files.at("losses");
    notes_ = files.at("notes");
    totals_ = files.at("totals");
    return Done{};
  }

  void write() {
    write_run();
    if (source_.unaudited) on(*source_.unaudited);
    rules::FindOptions options;
    options.on_event = [this](const Event& event) {
      std::visit([this](const EventBase& base) { see(base); }, event);
    };
    options.on_event_object = [this](const Event& event, std::uint64_t object) {
      object_ = object;
      const bool change =
          std::holds_alternative<ChmodEvent>(event) || std::holds_alternative<RenameEvent>(event);
      if (change && object != 0) last_ns_[object] = now_ns_;
      std::visit([this](const auto& one) { on(one); }, event);
    };
    options.on_life_end = [this](const ObjectLife& life) {
      last_ns_[life.id] = now_ns_;
      write_object(life, life.last_path, 0);
    };
    options.on_lives = [this](const ObjectLives& lives) {
      lives.for_each([&](const ObjectLife& life) {
        write_object(life, lives.path(life), lives.names(life).size());
      });
    };
    options.on_hit = [this](const rules::Hit& hit) { write_hit(hit); };
    const rules::FindResult& result = source_.find(std::move(options));
    for (const rules::Finding& finding : result.findings) write_finding(finding);
    write_totals();
  }

  Status commit() {
    for (Target& target : targets_) {
      target.rows->flush();
      if (Status done = target.file.commit(); !done) return done;
    }
    return Done{};
  }

 private:
  struct Stack {
    std::string members;  // the columns stack, function, file and line
    std::string hash;
  };
  struct Image {
    std::uint64_t seq;
    std::string member;  // the column program
  };

  void see(const EventBase& event) {
    now_ns_ = event.time_ns;
    if (event.stack.id == 0 || !run_.dropped().any()) return;
    segment_programs_[event.stack.segment] = program(event.pid, event.seq);
  }

  // The program that a process ran when the event `seq` happened; empty: not known.
  const std::string& program(std::uint32_t pid, std::uint64_t seq) const {
    static const std::string kNone;
    const auto found = images_.find(pid);
    if (found == images_.end()) return kNone;
    const std::vector<Image>& images = found->second;
    auto after = std::upper_bound(images.begin(), images.end(), seq,
                                  [](std::uint64_t at, const Image& one) { return at < one.seq; });
    return after == images.begin() ? kNone : std::prev(after)->member;
  }

  void on(const ProcessEvent& event) {
    std::string member;
    if (!event.exe.empty()) {
      member = ",\"program\":\"";
      append_table_text(member, event.exe);
      member += '"';
    }
    images_[event.pid].push_back({event.seq, std::move(member)});
    processes_->integer(event.seq).integer(run_.real_ns(event.time_ns)).integer(event.pid);
    processes_->integer(event.ppid).text(event.comm).text(event.exe);
    processes_->text(origin_name(event.origin)).integer(event.mask);
    processes_->text(mask_source_name(event.mask_source)).integer(event.uid).integer(event.euid);
    processes_->integer(event.gid).integer(event.egid).integer(event.fs).done();
  }

  // From event to program.
  void who(TableFile& row, const EventBase& event) {
    row.integer(event.seq)
        .integer(run_.real_ns(event.time_ns))
        .integer(event.pid)
        .integer(event.tid);
    row.text(event.thread).members(program(event.pid, event.seq), 1);
  }

  void on(const UmaskEvent& event) {
    TableFile& row = *umask_changes_;
    const Stack& stack = stack_of(event.stack);
    who(row, event);
    row.integer(event.fs).text(event.call).integer(event.id).integer(event.old_mask);
    row.integer(event.new_mask).integer(event.argument).boolean(event.drift);
    row.integer(event.folded.count);
    if (event.folded.count > 1)
      row.integer(event.folded.longest_ns).integer(event.folded.total_ns);
    else
      row.null().null();
    row.members(stack.members, 4).done();
  }

  void on(const ChmodEvent& event) {
    TableFile& row = *object_changes_;
    const Stack& stack = stack_of(event.stack);
    who(row, event);
    row.text(event.call).text(change_name(event));
    object(row).text(event.path).null().integer(event.requested & 07777U);
    row.integer(number(event.final_mode));
    finish_change(row, event, stack);
  }

  void on(const RenameEvent& event) {
    TableFile& row = *object_changes_;
    const Stack& stack = stack_of(event.stack);
    who(row, event);
    row.text(event.call).text(change_name(event));
    object(row).text(event.from).text(event.to).null().null();
    finish_change(row, event, stack);
  }

  template <typename Change>
  void finish_change(TableFile& row, const Change& event, const Stack& stack) {
    row.integer(static_cast<std::uint32_t>(event.error)).integer(event.dev).integer(event.ino);
    row.members(stack.members, 4).done();
  }

  TableFile& object(TableFile& row) {
    return row.integer(object_ != 0 ? std::optional<std::uint64_t>(object_) : std::nullopt);
  }

  void on(const BlindSpotEvent& event) {
    blind_spots_->integer(event.seq).integer(run_.real_ns(event.time_ns)).integer(event.pid);
    blind_spots_->text(blind_name(event.reason)).text(event.text);
    blind_spots_->text(blind_advice(event.reason)).done();
  }

  void on(const LossEvent& event) {
    losses_->integer(++last_loss_).integer(run_.real_ns(event.time_ns)).integer(event.pid);
    losses_->text(event.reason).integer(event.count).text(event.detail).done();
  }

  void on(const NoteEvent& event) {
    const Stack& stack = stack_of(event.stack);
    who(*notes_, event);
    notes_->text(event.text).members(stack.members, 4).done();
  }

  // Creations are written as objects; forks, execs and births of threads as what came of them.
  void on(const EventBase&) {}

  void write_object(const ObjectLife& life, const std::string& path, std::size_t names) {
    TableFile& row = *objects_;
    const Stack& stack = stack_of(life.born.stack);
    const Mode mode = life.mode;
    const bool there = life.state == ObjectState::there;
    const bool made = life.created != trace::Created::no;
    // Of what was there before, the kind is not known: a sticky bit is mostly a directory's.
    const bool sticky = (life.kind == trace::Kind::dir || !made) && (mode & 01000) != 0;
    row.integer(life.id);
    who(row, life.born);
    const auto if_made = [&](std::uint64_t value) {
      return made ? std::optional<std::uint64_t>(value) : std::nullopt;
    };
    row.integer(if_made(life.uid)).integer(if_made(life.gid)).text(life.born.call);
    row.text(kind_name(life.kind)).boolean(made).text(path).text(life.born_path);
    row.integer(names).text(state_name(life.state)).integer(if_made(life.requested & 07777U));
    row.integer(if_made(life.born_mask)).integer(life.mask_set_by).boolean(life.ambiguous);
    row.integer(life.born_mode);
    row.integer(life.mode_known ? std::optional<std::uint64_t>(mode) : std::nullopt);
    const auto last = last_ns_.extract(life.id);
    row.integer(life.changes).integer(run_.real_ns(last ? last.mapped() : life.born.time_ns));
    row.integer(life.settled_by.seq != 0 ? std::optional(life.settled_by.seq) : std::nullopt);
    row.integer(life.dev).integer(life.ino).boolean((mode & 04) != 0).boolean((mode & 02) != 0);
    row.boolean((mode & 020) != 0).boolean(there && (mode & 02) != 0 && !sticky);
    row.boolean(life.kind == trace::Kind::file && (mode & 06000) != 0 && (mode & 0111) != 0);
    row.members(stack.members, 4).done();
  }

  void write_hit(const rules::Hit& hit) {
    TableFile& row = *hits_;
    const CreateEvent& event = hit.event;
    row.integer(++last_hit_).text(hit.fingerprint).text(rules::rule_info(hit.rule).id);
    row.text(rules::severity_name(hit.severity)).boolean(hit.at_end).integer(event.seq);
    row.integer(event.pid).integer(event.tid).text(kind_name(event.kind)).text(event.path);
    row.integer(event.mask).integer(hit.expected_mask).integer(number(event.final_mode));
    row.integer(hit.expected).done();
  }

  void write_finding(const rules::Finding& finding) {
    TableFile& row = *findings_;
    const rules::RuleInfo& rule = finding.info();
    const rules::EventRef* culprit = finding.culprit ? &*finding.culprit : nullptr;
    const Stack& stack = stack_of(culprit != nullptr ? culprit->stack : StackRef{});
    row.text(finding.fingerprint);
    row.integer(run_.real_ns(culprit != nullptr ? culprit->time_ns : run_.end_ns())).text(rule.id);
    row.text(rules::severity_name(finding.severity));
    row.integer(rule.cwe != 0 ? std::optional<std::uint64_t>(rule.cwe) : std::nullopt);
    row.text(rule.title).text(finding.message).text(finding.advice).integer(finding.count);
    row.integer(finding.processes).integer(finding.threads).text(finding.program);
    row.boolean(finding.at_end);
    if (culprit != nullptr) {
      row.integer(culprit->seq).integer(culprit->pid).integer(culprit->tid);
      row.text(culprit->thread).text(culprit->call);
    } else {
      row.null().null().null().null().null();
    }
    if (finding.window) {
      row.integer(finding.window->count).integer(finding.window->shortest_ns);
      row.integer(finding.window->longest_ns);
    } else {
      row.null().null().null();
    }
    row.members(stack.members, 4).done();
  }

  static const char* counted_name(trace::RecordType type) {
    switch (type) {
      case trace::RecordType::umask:
        return "umask";
      case trace::RecordType::create:
        return "create";
      case trace::RecordType::chmod:
        return "chmod";
      case trace::RecordType::rename:
        return "rename";
      default:
        return "other";
    }
  }

  void write_total(const DroppedEvents& events) {
    TableFile& row = *totals_;
    const Stack& stack = stack_of(events.stack);
    const bool create = events.type == trace::RecordType::create;
    const bool chmod = events.type == trace::RecordType::chmod;
    row.integer(++last_total_).integer(run_.real_ns(events.last_ns));
    row.integer(events.first_ns != 0 ? std::optional(run_.real_ns(events.first_ns)) : std::nullopt);
    row.text(counted_name(events.type)).integer(events.count).text(events.call);
    row.text(create ? kind_name(events.kind) : "");
    row.boolean(create && events.error == 0 && events.created != trace::Created::no);
    row.integer(create || chmod ? std::optional<std::uint64_t>(events.requested & 07777U)
                                : std::nullopt);
    row.integer(number(events.mask)).integer(number(events.mode));
    row.integer(static_cast<std::uint32_t>(events.error));
    const auto ran = segment_programs_.find(events.stack.segment);
    const bool known = events.stack.id != 0 && ran != segment_programs_.end();
    row.members(known ? std::string_view(ran->second) : "", 1).members(stack.members, 4).done();
  }

  // What the other tables lack of what the run did.
  void write_totals() {
    const Dropped& dropped = run_.dropped();
    for (const DroppedEvents& events : dropped.events) write_total(events);
    // Of programs that gave way as a whole there are sums alone.
    DroppedEvents ended;
    ended.last_ns = dropped.whole_since_ns;
    ended.type = trace::RecordType::umask;
    ended.count = dropped.segment_changes;
    if (ended.count != 0) write_total(ended);
    ended.type = trace::RecordType::create;
    ended.created = trace::Created::yes;
    for (const auto& [kind, count] : dropped.segment_objects) {
      ended.kind = kind;
      ended.count = count;
      write_total(ended);
    }
  }

  std::uint64_t dropped_count() const {
    std::uint64_t count = run_.dropped().count() + run_.dropped().segment_changes;
    for (const auto& [kind, objects] : run_.dropped().segment_objects) count += objects;
    return count;
  }

  void write_run() {
    TableFile& row = *runs_;
    const render::RunLine& facts = source_.line;
    row.integer(static_cast<std::uint64_t>(fleet_tables_version()))
        .text(facts.tool)
        .integer(facts.started_real_ns);
    row.integer(std::max(run_.real_ns(run_.end_ns()), facts.started_real_ns));
    row.text(render::boot_id_text(facts)).text(facts.machine).text(facts.kernel);
    row.text(facts.program).text(source_.directory).integer(number(source_.umask));
    if (facts.exit_code)
      row.signed_integer(*facts.exit_code);
    else
      row.null();
    if (facts.signal != 0)
      row.signed_integer(facts.signal);
    else
      row.null();
    row.boolean(facts.complete.value_or(false)).integer(run_.completeness().records);
    row.integer(run_.completeness().total_lost());
    const std::uint64_t whole = run_.dropped().whole_since_ns;
    row.integer(whole != 0 ? std::optional(run_.real_ns(whole)) : std::nullopt);
    const record::CiJob& ci = source_.ci;
    row.text(ci.revision).text(ci.system).text(ci.job).text(ci.url);
    row.integer(dropped_count()).done();
  }

  // What a stack's columns are; its rows are written at first sight.
  const Stack& stack_of(StackRef ref) {
    static const Stack kNone;
    if (ref.id == 0) return kNone;
    if (ref == last_ref_) return *last_stack_;
    const auto [entry, fresh] = known_stacks_.try_emplace(analysis::StackCache::key(ref));
    if (fresh) describe(ref, entry->second);
    last_ref_ = ref;
    last_stack_ = &entry->second;  // elements of an unordered_map stay where they are
    return entry->second;
  }

  std::string hash_of(StackRef ref) const {
    StackHash hash;
    for (const RawFrame& frame : run_.stack(ref)) {
      const ModuleInfo* module = run_.module(ref.segment, frame.module);
      if (module == nullptr) {
        hash.add("generated");  // its addresses are others each time
        continue;
      }
      hash.add(module->build_id.empty() ? symbolize::base_name(std::string(module->path))
                                        : module->build_id);
      hash.add(frame.offset);
    }
    if (const std::optional<ScriptStack> script = run_.script(ref)) {
      hash.add("script");
      for (const ScriptFrame& frame : script->frames) {
        hash.add(frame.file);
        hash.add(frame.function);
        hash.add(frame.line);
      }
    }
    return hash.text();
  }

  void describe(StackRef ref, Stack& stack) {
    stack.hash = hash_of(ref);
    const render::OwnPlace place = render::own_place(source_.stacks, ref, source_.directory);
    const std::string file(render::path_below(place.file, source_.directory));
    const bool line = place.line != 0;
    stack.members = ",\"stack\":\"" + stack.hash + '"';
    const auto add = [&](const char* name, const std::string& text) {
      if (text.empty()) return;
      stack.members += std::string(",\"") + name + "\":\"";
      append_table_text(stack.members, text);
      stack.members += '"';
    };
    add("function", place.function);
    add("file", file);
    if (line) stack.members += ",\"line\":" + std::to_string(place.line);
    if (!written_.insert(stack.hash).second) return;
    const std::vector<symbolize::Frame>& frames = source_.stacks.code(ref);
    TableFile& row = *stacks_;
    row.text(stack.hash).integer(frames.size()).boolean(run_.stack_truncated(ref));
    row.text(place.function).text(file);
    row.integer(line ? std::optional<std::uint64_t>(place.line) : std::nullopt);
    row.text(place.module).done();
    write_frames(stack.hash, frames);
  }

  void write_frames(const std::string& stack, const std::vector<symbolize::Frame>& frames) {
    TableFile& row = *frames_;
    std::uint64_t depth = 0;
    for (const symbolize::Frame& frame : frames) {
      row.text(stack).integer(depth++).text(frame.module).text(frame.build_id);
      row.integer(frame.offset).text(frame.symbol).text(frame.file);
      row.integer(frame.line != 0 ? std::optional<std::uint64_t>(frame.line) : std::nullopt);
      row.boolean(frame.inlined).text(frame.language).boolean(frame.folded).done();
    }
  }

  const RunTablesSource& source_;
  const reader::Run& run_;
  const std::string& common_;
  std::deque<Target> targets_;  // a TableFile writes to the stream beside it
  TableFile *runs_ = nullptr, *processes_ = nullptr, *stacks_ = nullptr, *frames_ = nullptr;
  TableFile *umask_changes_ = nullptr, *objects_ = nullptr, *object_changes_ = nullptr;
  TableFile *findings_ = nullptr, *hits_ = nullptr, *blind_spots_ = nullptr, *losses_ = nullptr;
  TableFile *notes_ = nullptr, *totals_ = nullptr;
  std::unordered_map<std::uint32_t, std::vector<Image>> images_;     // by pid, in order
  std::unordered_map<std::uint32_t, std::string> segment_programs_;  // the column program
  std::unordered_map<std::uint64_t, Stack> known_stacks_;
  std::unordered_set<std::string> written_;
  StackRef last_ref_;
  const Stack* last_stack_ = nullptr;
  std::unordered_map<std::uint64_t, std::uint64_t> last_ns_;  // of objects that were changed
  std::uint64_t now_ns_ = 0, object_ = 0;                     // of the present event
  std::uint64_t last_hit_ = 0, last_loss_ = 0, last_total_ = 0;
};

}  // namespace

std::string run_id(const reader::Run& run, const render::RunLine& line) {
  std::string identity = "umaskaudit run";
  for (const std::uint8_t byte : run.boot_id()) identity += static_cast<char>(byte);
  identity += ' ' + line.host + ' ' + std::to_string(line.started_real_ns);
  if (!run.processes().empty()) {
    const ProcessEvent& first = run.processes().front();
    identity += ' ' + std::to_string(first.pid) + ' ' + std::to_string(first.time_ns);
  }
  return uuid_of(identity);
}

Result<std::string> export_tables(const RunTablesSource& source, const std::string& lake) {
  const RunKey key = key_of(source);
  const std::string common = common_members(key);
  Result<NewLakeRun> place = NewLakeRun::create(lake, key);
  if (!place) return place.error();
  RunTables tables(source, common);
  if (const Status opened = tables.open(*place); !opened) return opened.error();
  tables.write();
  if (const Status written = tables.commit(); !written) return written.error();
  if (const Status done = place->commit(); !done) return done.error();
  return place->place();
}

}  // namespace umaskaudit::fleet
