// The page's events: which are shown, and their rows.
// Must never keep a creation: its row is written at once. What grows is bounded by the limit.
#include "reporter/render/html/html.h"

#include <algorithm>

#include "reporter/render/html/page_assets.h"
#include "reporter/render/html/script_safe.h"
#include "reporter/text/escape.h"

namespace umaskaudit::render {
namespace {

constexpr std::uint64_t kMostNotes = 1000;
constexpr std::uint64_t kMostProcesses = 20000;
// A creation needs the latest change of its context, or one of the few that came during the call.
constexpr std::size_t kRecentChanges = 32;
// Of the whole run: a shorter gap cannot be seen on a screen.
constexpr std::uint64_t kGaps = 1500;

std::string_view directory_of(std::string_view path) {
  return path.substr(0, path.rfind('/') + 1);  // all of it, or nothing, without a slash
}

const char* fate_name(RenameEvent::Action action) {
  switch (action) {
    case RenameEvent::Action::renamed:
      return "renamed to";
    case RenameEvent::Action::linked:
      return "linked as";
    case RenameEvent::Action::unlinked:
      return "removed";
    case RenameEvent::Action::symlinked:
      return "";  // makes no difference to the object
  }
  return "";
}

}  // namespace

void HtmlFindings::on_hit(const rules::Hit& hit) {
  const auto found = hits.find(hit.event.seq);
  if (found == hits.end() && hits.size() >= limit_) return;
  hits[hit.event.seq] |= 1u << static_cast<unsigned>(hit.rule);
}

void HtmlFindings::on_window(const rules::WindowSpan& window) {
  windows.emplace_back(static_cast<std::uint32_t>(window.open),
                       static_cast<std::uint32_t>(window.close));
}

HtmlReport::HtmlReport(const TextContext& context, const HtmlFindings& findings,
                       const analysis::Summary& summary, HtmlOptions options)
    : context_(context),
      findings_(findings),
      summary_(summary),
      options_(std::move(options)),
      tables_(context.run, context.stacks),
      all_changes_(summary.mask_changes <= options_.limit),
      gap_ns_((context.run.end_ns() - context.run.begin_ns()) / kGaps + 1) {
  for (const rules::Finding& finding : findings.result.findings) {
    for (const rules::Victim& victim : finding.victims) examples_.insert(victim.event.seq);
    for (const rules::SequenceStep& one : finding.steps) awaited_.insert(one.event.id);
    for (const auto& event : {finding.culprit, finding.culprit_end})
      if (event) awaited_.insert(event->id);
  }
  std::size_t named = findings.hits.size();
  for (const std::uint64_t seq : examples_) named += findings.hits.count(seq) == 0 ? 1 : 0;
  unnamed_limit_ = options_.limit - std::min(options_.limit, named);
  change_filter_.pids = options_.filter.pids;
  change_filter_.since_ns = options_.filter.since_ns;
  for (Rows* rows : {&objects_, &changes_, &fates_, &processes_, &notes_})
    rows->last_ns = context.run.begin_ns();
}

void HtmlReport::begin(std::string& out) {
  for (const std::string_view piece : html::page_before_data()) out += piece;
  out += "{\"schema\":1,\n\"objects\":[";
}

std::int64_t HtmlReport::step(Rows& rows, std::uint64_t time_ns) const {
  return static_cast<std::int64_t>(time_ns - std::exchange(rows.last_ns, time_ns));
}

bool HtmlReport::is_named(const CreateEvent& event) const {
  return findings_.hits.count(event.seq) != 0 || examples_.count(event.seq) != 0;
}

// [time, who, stack, shape, umask id, directory, name, seq - that of the row before, rules, born]:
// the name at the end, and the one at birth where that was another. What is 0 at the end is left
// out. The page's addresses name an object by its seq: it is the same whatever the page leaves out.
void HtmlReport::add_object(std::string& out, const CreateEvent& event) {
  ++objects_.total;
  const bool named = is_named(event);
  if (named ? objects_.shown >= options_.limit : unnamed_ >= unnamed_limit_) return;
  if (named)
    named_rows_.emplace(event.seq, objects_.shown);
  else
    ++unnamed_;
  const auto hit = findings_.hits.find(event.seq);
  const FinalStates::State last =
      options_.states == nullptr ? FinalStates().of(event) : options_.states->of(event);
  const std::string_view directory = directory_of(last.path);
  objects_.json = objects_.shown == 0 ? "\n" : ",\n";
  JsonWriter json(objects_.json);
  json.begin_array();
  json.integer(step(objects_, event.time_ns));
  json.element(tables_.who(event));
  json.element(tables_.stack(event.stack));
  json.element(tables_.shape(event, last));
  json.element(event.mask_set_by.value_or(0));
  json.element(tables_.text(directory));
  json.element(std::string_view(escape(std::string_view(last.path).substr(directory.size()))));
  json.element(event.seq - std::exchange(last_seq_, event.seq));
  const std::uint64_t rules = hit == findings_.hits.end() ? 0 : hit->second;
  if (rules != 0 || last.named_anew) json.element(rules);
  if (last.named_anew) json.element(tables_.text(event.path) + 1);
  json.end_array();
  html::append_script_safe(out, objects_.json);
  if (event.mask_set_by) need_change(event.fs, *event.mask_set_by);
  if (event.ino != 0) inodes_[{event.dev, event.ino}] = {objects_.shown, event.time_ns};
  ++objects_.shown;
}

void HtmlReport::add_change(const UmaskEvent& event) {
  ++changes_.total;
  if (all_changes_) return write_change(event);
  Recent& recent = recent_[event.fs];
  const bool awaited = awaited_.erase(event.id) != 0;
  const bool needed = awaited || recent.need_next;
  recent.changes.emplace_back(event, needed);
  if (needed) write_change(event);
  recent.need_next = awaited;
  if (recent.changes.size() > kRecentChanges) forget_oldest(recent);
}

void HtmlReport::forget_oldest(Recent& recent) const {
  const auto& [event, has_row] = recent.changes.front();
  if (!has_row) {
    Gap& gap = recent.gaps[(event.time_ns - context_.run.begin_ns()) / gap_ns_];
    ++gap.count;
    gap.least = std::min(gap.least, event.new_mask);
    gap.most = std::max(gap.most, event.new_mask);
  }
  recent.changes.pop_front();
}

void HtmlReport::need_change(std::uint32_t fs, std::uint64_t id) {
  if (all_changes_) return;
  Recent& recent = recent_[fs];
  auto& changes = recent.changes;
  const auto setter = std::find_if(changes.begin(), changes.end(),
                                   [id](const auto& change) { return change.first.id == id; });
  if (setter == changes.end()) {
    if (changes.empty() || changes.back().first.id < id) awaited_.insert(id);
    return;
  }
  const auto end = setter + 1;
  for (auto change = setter; change != changes.end() && change <= end; ++change)
    if (!std::exchange(change->second, true)) write_change(change->first);
  recent.need_next |= end == changes.end();
}

// [time, who, stack, umask id - that of the row before, call, argument, old, new, believed]; the
// last only if the mask was changed unseen. Rows may be out of order.
void HtmlReport::write_change(const UmaskEvent& event) {
  if (changes_.shown >= options_.limit) return;
  changes_.json += changes_.shown++ == 0 ? "\n" : ",\n";
  change_ids_.push_back(static_cast<std::uint32_t>(event.id));
  JsonWriter json(changes_.json);
  json.begin_array();
  json.integer(step(changes_, event.time_ns));
  json.element(tables_.who(event));
  json.element(tables_.stack(event.stack));
  json.integer(static_cast<std::int64_t>(event.id - std::exchange(last_change_id_, event.id)));
  json.element(tables_.text(event.call));
  json.element(std::uint64_t{event.argument});
  json.element(std::uint64_t{event.old_mask});
  json.element(std::uint64_t{event.new_mask});
  if (event.drift) json.element(std::uint64_t{event.cached});
  json.end_array();
}

// [object, time since its creation, who, stack, call, action, mode or -1, name]
void HtmlReport::add_fate(const EventBase& event, std::uint64_t dev, std::uint64_t ino,
                          std::string_view action, const std::optional<Mode>& mode,
                          std::string_view name) {
  const auto object = inodes_.find({dev, ino});
  if (object == inodes_.end() || action.empty()) return;
  ++fates_.total;
  if (fates_.shown >= options_.limit) return;
  fates_.json += fates_.shown++ == 0 ? "\n" : ",\n";
  JsonWriter json(fates_.json);
  json.begin_array();
  json.element(object->second.row);
  json.integer(static_cast<std::int64_t>(event.time_ns - object->second.time_ns));
  json.element(tables_.who(event));
  json.element(tables_.stack(event.stack));
  json.element(tables_.text(event.call));
  json.element(tables_.text(action));
  json.integer(mode ? static_cast<std::int64_t>(*mode) : -1);
  json.element(std::string_view(escape(name)));
  json.end_array();
}

// [time, pid, ppid, fs, mask at birth, command, executable, origin]
void HtmlReport::add_process(const ProcessEvent& event) {
  ++processes_.total;
  if (processes_.shown >= kMostProcesses) return;
  processes_.json += processes_.shown++ == 0 ? "\n" : ",\n";
  JsonWriter json(processes_.json);
  json.begin_array();
  json.integer(step(processes_, event.time_ns));
  json.element(std::uint64_t{event.pid});
  json.element(std::uint64_t{event.ppid});
  json.element(std::uint64_t{event.fs});
  json.element(std::uint64_t{event.mask});
  json.element(tables_.text(event.comm));
  json.element(tables_.text(event.exe));
  json.element(tables_.text(origin_name(event.origin)));
  json.end_array();
}

// [time, who, text]
void HtmlReport::add_note(const NoteEvent& event) {
  ++notes_.total;
  if (notes_.shown >= kMostNotes) return;
  notes_.json += notes_.shown++ == 0 ? "\n" : ",\n";
  JsonWriter json(notes_.json);
  json.begin_array();
  json.integer(step(notes_, event.time_ns));
  json.element(tables_.who(event));
  json.element(tables_.text(event.text));
  json.end_array();
}

class HtmlReport::Adder {
 public:
  Adder(HtmlReport& report, std::string& out, bool selected)
      : report_(report), out_(out), selected_(selected) {}

  void operator()(const CreateEvent& event) const {
    const bool object = event.error == 0 && event.created != trace::Created::no;
    if (selected_ && object) report_.add_object(out_, event);
  }
  void operator()(const UmaskEvent& event) const {
    if (report_.change_filter_.selects(event)) report_.add_change(event);
  }
  void operator()(const ChmodEvent& event) const {
    if (event.error != 0) return;
    const char* action = event.acl == 0   ? "permissions set"
                         : event.acl == 1 ? "ACL set"
                                          : "default ACL set";
    report_.add_fate(event, event.dev, event.ino, action, event.final_mode, "");
  }
  void operator()(const RenameEvent& event) const {
    if (event.error != 0) return;
    report_.add_fate(event, event.dev, event.ino, fate_name(event.action), std::nullopt, event.to);
  }
  void operator()(const ProcessEvent& event) const {
    if (selected_) report_.add_process(event);
  }
  void operator()(const NoteEvent& event) const {
    if (selected_) report_.add_note(event);
  }
  void operator()(const EventBase&) const {}

 private:
  HtmlReport& report_;
  std::string& out_;
  bool selected_;
};

void HtmlReport::add(std::string& out, const Event& event) {
  const EventBase& base =
      std::visit([](const auto& one) -> const EventBase& { return one; }, event);
  if (first_pid_ == 0) first_pid_ = base.pid;
  if (base.fs != 0) {
    Seen& seen = seen_[base.fs];
    seen.last_ns = std::max(seen.last_ns, base.time_ns);
    seen.first_process = seen.first_process || base.pid == first_pid_;
  }
  std::visit(Adder(*this, out, options_.filter.selects(event)), event);
}

void HtmlReport::finish(std::string& out, const Heading& heading) {
  std::string members;
  JsonWriter json(members);
  json.raw("\n]");  // of the objects
  const auto rows = [&](std::string_view key, const Rows& all) {
    members += '\n';
    json.begin_array(key);
    json.raw(all.json);
    json.end_array();
  };
  rows("changes", changes_);
  rows("fates", fates_);
  rows("processes", processes_);
  rows("notes", notes_);
  members += '\n';
  write_windows(json);
  write_gaps(json);
  write_ends(json);
  members += '\n';
  write_run(json, heading);
  members += '\n';
  write_dropped(json);
  members += '\n';
  write_counts(json);
  members += '\n';
  write_culprits(json);
  members += '\n';
  write_findings(json);
  members += '\n';
  write_unseen(json);
  members += '\n';
  tables_.write(json);
  json.end_object();
  html::append_script_safe(out, members);
  for (const std::string_view piece : html::page_after_data()) out += piece;
}

}  // namespace umaskaudit::render
