// See chrome.h. Windows are those of the rules, so that a slice and a finding mean the same thing;
// walked here, as a list of them all (FindOptions::on_window) would grow with the run.
// Times are microseconds with three decimals, from the first event of the run.
#include "reporter/export/chrome.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "reporter/render/mode_text.h"
#include "reporter/render/stack_text.h"
#include "reporter/render/timeline_text.h"
#include "reporter/rules/timeline.h"
#include "reporter/symbolize/culprit.h"
#include "reporter/text/json_writer.h"

namespace umaskaudit::exports {
namespace {

constexpr std::size_t kBlock = 1 << 16;

rules::MaskIntents intents_of(const reader::Run& run) {
  rules::UmaskClassifier classifier;
  run.for_each(
      [&](const Event& event) {
        classifier.feed(event);
        return true;
      },
      Detail::brief);
  return classifier.finish();
}

const EventBase& base_of(const Event& event) {
  return std::visit([](const auto& one) -> const EventBase& { return one; }, event);
}

// 022 as the number 22: the digits that people know, on an axis that counts in tens.
std::uint64_t digits(Mode mask) {
  return (mask >> 6 & 7) * 100u + (mask >> 3 & 7) * 10u + (mask & 7);
}

// A moment that a finding names: its cause or, with a victim, the end of an arrow from there.
struct Mark {
  std::uint64_t time_ns = 0;
  const rules::Finding* finding = nullptr;
  const rules::Victim* victim = nullptr;
  std::uint64_t arrow = 0;  // the first one of a cause
  std::uint64_t arrows = 0;
};

std::vector<Mark> marks_by_time(const std::vector<rules::Finding>& findings) {
  std::vector<Mark> marks;
  std::uint64_t arrow = 0;
  for (const rules::Finding& finding : findings) {
    if (!finding.culprit) continue;
    const rules::EventRef& culprit = *finding.culprit;
    const std::size_t cause = marks.size();
    marks.push_back({culprit.time_ns, &finding, nullptr, arrow + 1, 0});
    for (const rules::Victim& victim : finding.victims) {
      const rules::EventRef& hit = victim.event;
      if (hit.seq == culprit.seq || hit.time_ns < culprit.time_ns) continue;
      ++marks[cause].arrows;
      marks.push_back({hit.time_ns, &finding, &victim, ++arrow, 1});
    }
  }
  std::stable_sort(marks.begin(), marks.end(),
                   [](const Mark& a, const Mark& b) { return a.time_ns < b.time_ns; });
  return marks;
}

EventBase base_of(const rules::EventRef& event) {
  EventBase base;
  base.time_ns = event.time_ns;
  base.pid = event.pid;
  base.tid = event.tid;
  base.thread = event.thread;
  return base;
}

class Writer : public rules::TimelineSink {
 public:
  Writer(const ExportSource& source, const TextSink& sink)
      : source_(source), sink_(sink), begin_ns_(source.run.begin_ns()) {}

  bool write();

  void on_change(const UmaskEvent& change, const rules::Change& meaning) override;
  void on_create(const CreateEvent&, const rules::Verdict&) override {}
  void on_closed(const rules::MaskWindow&) override {}

 private:
  using Role = rules::Change::Role;
  struct Track {
    std::string name;
    std::uint64_t last_ns = 0;
    std::vector<std::uint64_t> open;  // ids of the umask events whose slices are not ended
  };
  struct Counter {
    std::uint32_t pid = 0;
    std::uint64_t last_ns = 0;
  };
  using Id = std::pair<std::uint32_t, std::uint32_t>;

  // Writes one event; `fields` adds what is behind name, phase, time, pid and tid.
  template <typename Fields>
  void event(std::string_view name, char phase, std::uint64_t time_ns, std::uint32_t pid,
             std::uint32_t tid, const Fields& fields);
  template <typename Fields>
  void instant(const EventBase& base, std::string_view name, const char* category,
               const Fields& fields);
  void name_of(const char* what, std::uint32_t pid, std::uint32_t tid, std::string_view name);
  Track& track(const EventBase& base);
  std::uint64_t on_track(const EventBase& base);
  void counter(std::uint32_t fs, std::uint32_t pid, std::uint64_t time_ns, Mode mask);
  void where(JsonWriter& json, StackRef ref);

  void see(const ProcessEvent& event);
  void see(const CreateEvent& event);
  void see(const ChmodEvent& event);
  void see(const NoteEvent& event);
  void see(const BlindSpotEvent& event) { unseen(event, "not seen"); }
  void see(const LossEvent& event) { unseen(event, "lost"); }
  void see(const EventBase&) {}  // a umask event comes through on_change
  template <typename T>
  void unseen(const T& event, const char* name);
  template <typename Fields>
  std::uint64_t point(const EventBase& base, std::string_view name, const Fields& fields);
  void arrow_end(const Mark& mark, char phase, std::uint64_t time_ns, const rules::EventRef& at,
                 std::uint64_t arrow);
  void write_mark(const Mark& mark);
  void tell_cause(const Mark& mark);
  void tell_hit(const Mark& mark);
  void end_slices();

  const ExportSource& source_;
  const TextSink& sink_;
  std::uint64_t begin_ns_;
  std::string block_;
  bool first_ = true;
  bool open_ = true;  // the sink takes more
  std::map<Id, Track> tracks_;
  std::unordered_map<std::uint32_t, std::uint64_t> last_of_process_;
  std::unordered_map<std::uint32_t, Counter> counters_;  // by fs context
};

template <typename Fields>
void Writer::event(std::string_view name, char phase, std::uint64_t time_ns, std::uint32_t pid,
                   std::uint32_t tid, const Fields& fields) {
  block_ += first_ ? "\n" : ",\n";
  first_ = false;
  const std::uint64_t ns = time_ns < begin_ns_ ? 0 : time_ns - begin_ns_;
  const std::string below = std::to_string(ns % 1000 + 1000).substr(1);
  JsonWriter json(block_);
  json.begin_object();
  json.text("name", name);
  json.text("ph", std::string_view(&phase, 1));
  json.raw("\"ts\":" + std::to_string(ns / 1000) + '.' + below);
  json.number("pid", pid);
  json.number("tid", tid);
  fields(json);
  json.end_object();
  if (block_.size() < kBlock) return;
  open_ = sink_(block_);
  block_.clear();
}

void Writer::name_of(const char* what, std::uint32_t pid, std::uint32_t tid,
                     std::string_view name) {
  event(what, 'M', begin_ns_, pid, tid, [&](JsonWriter& json) {
    json.begin_object("args");
    json.text("name", name.empty() ? "run" : name);  // pid 0: what no process can be blamed for
    json.end_object();
  });
}

Writer::Track& Writer::track(const EventBase& base) {
  if (last_of_process_.count(base.pid) == 0)
    name_of("process_name", base.pid, base.pid, base.thread);
  last_of_process_[base.pid] = std::max(last_of_process_[base.pid], base.time_ns);
  const auto [entry, fresh] = tracks_.try_emplace({base.pid, base.tid});
  if (fresh || entry->second.name != base.thread) {
    entry->second.name = base.thread;
    name_of("thread_name", base.pid, base.tid, base.thread);
  }
  return entry->second;
}

// The event's time, but never before the last one of its track: an event may stand in the order of
// the mask changes and not in that of the clock.
std::uint64_t Writer::on_track(const EventBase& base) {
  Track& its = track(base);
  its.last_ns = std::max(its.last_ns, base.time_ns);
  return its.last_ns;
}

template <typename Fields>
void Writer::instant(const EventBase& base, std::string_view name, const char* category,
                     const Fields& fields) {
  const std::uint64_t time_ns = on_track(base);
  event(name, 'i', time_ns, base.pid, base.tid, [&](JsonWriter& json) {
    json.text("s", "t");
    json.text("cat", category);
    json.begin_object("args");
    fields(json);
    json.end_object();
  });
}

// Counters belong to a process: one context stays with the first that was seen in it.
void Writer::counter(std::uint32_t fs, std::uint32_t pid, std::uint64_t time_ns, Mode mask) {
  if (fs == 0) return;
  Counter& its = counters_.try_emplace(fs, Counter{pid, 0}).first->second;
  its.last_ns = std::max(its.last_ns, time_ns);
  event("umask of fs " + std::to_string(fs), 'C', its.last_ns, its.pid, its.pid,
        [&](JsonWriter& json) {
          json.begin_object("args");
          json.number("octal", digits(mask));
          json.end_object();
        });
}

void Writer::where(JsonWriter& json, StackRef ref) {
  const std::vector<symbolize::Frame>& frames = source_.stacks.frames(ref);
  if (frames.empty()) return;
  json.begin_array("stack");
  for (const symbolize::Frame& frame : frames)
    if (!frame.folded) json.element(std::string_view(render::site(&frame)));
  json.end_array();
}

void Writer::on_change(const UmaskEvent& change, const rules::Change& meaning) {
  Track& its = track(change);
  const std::uint64_t time_ns = on_track(change);
  const auto masks = [&](JsonWriter& json) {
    json.mode("old", change.old_mask);
    json.mode("new", change.new_mask);
    json.number("fs", change.fs);
    where(json, change.stack);
  };
  switch (meaning.role) {
    case Role::opens:
    case Role::leaks:
      its.open.push_back(change.id);
      event("umask " + octal(change.new_mask), 'B', time_ns, change.pid, change.tid,
            [&](JsonWriter& json) {
              json.text("cat", meaning.role == Role::leaks ? "umask,leaked" : "umask");
              json.begin_object("args");
              masks(json);
              json.end_object();
            });
      break;
    case Role::restores: {
      // The slice of the call that this one undoes, and those that were opened inside it.
      const std::uint64_t undone = meaning.window ? meaning.window->open.id : 0;
      const auto found = std::find(its.open.begin(), its.open.end(), undone);
      for (auto left = its.open.end() - found; left > 0; --left) {
        its.open.pop_back();
        event("umask", 'E', time_ns, change.pid, change.tid, [](JsonWriter&) {});
      }
      break;
    }
    case Role::settles:
      instant(change, "umask " + octal(change.new_mask), "umask", masks);
      break;
  }
  counter(change.fs, change.pid, change.time_ns, change.new_mask);
}

void Writer::see(const ProcessEvent& process) {
  last_of_process_[process.pid] = process.time_ns;  // named here, by its program
  name_of("process_name", process.pid, process.pid, process.comm);
  track(process);
  counter(process.fs, process.pid, process.time_ns, process.mask);
}

void Writer::see(const CreateEvent& create) {
  if (create.error != 0 || create.created == trace::Created::no) return;
  if (counters_.count(create.fs) == 0) counter(create.fs, create.pid, create.time_ns, create.mask);
  const std::string name = std::string(create.call) + ' ' + symbolize::base_name(create.path);
  instant(create, name, "create", [&](JsonWriter& json) {
    json.bytes("path", create.path);
    json.text("kind", kind_name(create.kind));
    json.mode("requested", render::without_type(create.requested));
    json.mode("mask", create.mask);
    if (create.final_mode) json.mode("final", *create.final_mode);
    json.text("derivation", render::derivation_line(create));
    json.boolean("mask_moved", !create.ambiguous_masks.empty());
    json.number("fs", create.fs);
    json.text("at", render::site(symbolize::culprit(source_.stacks.frames(create.stack))));
  });
}

void Writer::see(const ChmodEvent& chmod) {
  instant(chmod, chmod.call, "chmod",
          [&](JsonWriter& json) { json.text("what", render::event_text(Event(chmod))); });
}

void Writer::see(const NoteEvent& note) {
  instant(note, "note", "note", [&](JsonWriter& json) { json.bytes("text", note.text); });
}

template <typename T>
void Writer::unseen(const T& unseen_event, const char* name) {
  const std::uint64_t time_ns = on_track(unseen_event);
  event(name, 'i', time_ns, unseen_event.pid, unseen_event.tid, [&](JsonWriter& json) {
    json.text("s", "g");
    json.text("cat", "unseen");
    json.begin_object("args");
    json.text("what", render::event_text(Event(unseen_event)));
    json.end_object();
  });
}

// Arrows go from slice to slice, so each end has one of the shortest length that there is. Returns
// when it is.
template <typename Fields>
std::uint64_t Writer::point(const EventBase& base, std::string_view name, const Fields& fields) {
  const std::uint64_t time_ns = on_track(base);
  event(name, 'X', time_ns, base.pid, base.tid, [&](JsonWriter& json) {
    json.raw("\"dur\":0.001");
    json.text("cat", "hit");
    json.begin_object("args");
    fields(json);
    json.end_object();
  });
  return time_ns;
}

void Writer::arrow_end(const Mark& mark, char phase, std::uint64_t time_ns,
                       const rules::EventRef& at, std::uint64_t arrow) {
  event(mark.finding->info().id, phase, time_ns, at.pid, at.tid, [&](JsonWriter& json) {
    json.text("cat", "hit");
    json.number("id", arrow);
    if (phase == 'f') json.text("bp", "e");  // to the slice that it is in, not the next one
  });
}

void Writer::tell_cause(const Mark& mark) {
  const rules::Finding& finding = *mark.finding;
  const EventBase base = base_of(*finding.culprit);
  const auto fields = [&](JsonWriter& json) {
    json.text("severity", rules::severity_name(finding.severity));
    json.bytes("message", finding.message);
    json.number("count", finding.count);
  };
  instant(base, finding.info().id, "finding", fields);
  if (mark.arrows == 0) return;
  const std::uint64_t time_ns = point(base, finding.info().id, fields);
  for (std::uint64_t i = 0; i < mark.arrows; ++i)
    arrow_end(mark, 's', time_ns, *finding.culprit, mark.arrow + i);
}

void Writer::tell_hit(const Mark& mark) {
  const rules::Victim& victim = *mark.victim;
  const std::string name = victim.event.call + ' ' + symbolize::base_name(victim.path);
  const std::uint64_t time_ns = point(base_of(victim.event), name, [&](JsonWriter& json) {
    json.text("rule", mark.finding->info().id);
    json.bytes("path", victim.path);
    json.mode("mode", victim.mode);
    json.mode("expected", victim.expected);
  });
  arrow_end(mark, 'f', time_ns, victim.event, mark.arrow);
}

void Writer::write_mark(const Mark& mark) {
  if (mark.victim == nullptr)
    tell_cause(mark);
  else
    tell_hit(mark);
}

// A mask that was never restored lasts until the last event of its process.
void Writer::end_slices() {
  for (auto& [id, its] : tracks_) {
    for (; !its.open.empty(); its.open.pop_back())
      event("umask", 'E', std::max(its.last_ns, last_of_process_[id.first]), id.first, id.second,
            [](JsonWriter&) {});
  }
}

bool Writer::write() {
  const rules::MaskIntents intents = intents_of(source_.run);
  rules::Timeline timeline(intents, *this);
  const std::vector<Mark> marks = marks_by_time(source_.findings);
  auto next = marks.begin();
  block_ = "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"begin_unix_ns\":\"" +
           std::to_string(source_.run.begin_real_ns()) + "\"},\"traceEvents\":[";
  source_.run.for_each([&](const Event& one) {
    for (; next != marks.end() && next->time_ns < base_of(one).time_ns; ++next) write_mark(*next);
    timeline.feed(one);
    std::visit([this](const auto& any) { see(any); }, one);
    return open_;
  });
  for (; next != marks.end(); ++next) write_mark(*next);
  timeline.finish();
  end_slices();
  block_ += "\n]}\n";
  return open_ && sink_(block_);
}

}  // namespace

void export_chrome(const ExportSource& source, const TextSink& sink) {
  Writer(source, sink).write();
}

}  // namespace umaskaudit::exports
