// See sqlite.h: one prepared statement a table, one function a kind of event.
#include "reporter/export/sqlite.h"

#include <type_traits>
#include <unordered_map>

#include "reporter/export/database.h"
#include "reporter/export/schema.h"
#include "reporter/objects/local_links.h"
#include "reporter/objects/object_lives.h"
#include "reporter/render/mode_text.h"

namespace umaskaudit::exports {
namespace {

std::optional<std::uint64_t> mode_of(const std::optional<Mode>& mode) {
  if (!mode) return std::nullopt;
  return *mode;
}

std::uint64_t error_of(std::int32_t error) { return static_cast<std::uint32_t>(error); }

class Filler {
 public:
  Filler(Database& database, analysis::StackCache& stacks) : stacks_(stacks), database_(database) {}

  void see(const ProcessEvent& e) {
    processes_.add(e.seq).add(e.time_ns).add(e.pid).add(e.ppid).add(origin_name(e.origin));
    processes_.add(e.fs).add(e.mask).add(e.uid).add(e.gid).add_raw(e.comm).add_raw(e.exe).done();
  }
  void see(const UmaskEvent& e) {
    umasks_.add(e.id).add(e.seq);
    common(umasks_, e);
    umasks_.add(e.old_mask).add(e.new_mask).add(e.argument).add(e.drift ? 1u : 0u);
    umasks_.add(mode_of(e.drift ? std::optional<Mode>(e.cached) : std::nullopt)).done();
  }
  void see(const CreateEvent& e) {
    const bool made = e.error == 0 && e.created != trace::Created::no;
    Insert& row = made ? objects_ : opened_;
    row.add(e.seq);
    common(row, e);
    row.add(kind_name(e.kind)).add_raw(e.path).add(render::without_type(e.requested)).add(e.mask);
    if (!made) {
      row.add(error_of(e.error)).add(e.count).done();
      return;
    }
    row.add(mode_of(e.final_mode)).add(e.created == trace::Created::unknown ? 0u : 1u);
    row.add(e.mask_set_by).add(e.ambiguous_masks.empty() ? 0u : 1u);
    row.add(std::string_view(render::derivation_line(e)));
    row.add(e.dev).add(e.ino).add(e.uid).add(e.gid).done();
  }
  void see(const ChmodEvent& e) {
    changes_.add(e.seq);
    common(changes_, e);
    changes_.add_raw(e.path).null().null().add(render::without_type(e.requested));
    changes_.add(mode_of(e.final_mode)).add(error_of(e.error)).add(e.dev).add(e.ino).null().done();
  }
  void see(const RenameEvent& e) {
    changes_.add(e.seq);
    common(changes_, e);
    changes_.add_raw(e.from);
    if (e.to.empty())
      changes_.null().null();
    else
      changes_.add_raw(e.to);
    changes_.null().null().add(error_of(e.error)).add(e.dev).add(e.ino);
    changes_.add(e.exchange ? 1u : 0u).done();
  }
  void see(const BlindSpotEvent& e) {
    unseen_.add(e.seq).add(e.time_ns).add(e.pid).add("blind spot").add(blind_name(e.reason));
    unseen_.add(1u).add_raw(e.text).done();
  }
  void see(const LossEvent& e) {
    unseen_.add(e.seq).add(e.time_ns).add(e.pid).add("loss").add(std::string_view(e.reason));
    unseen_.add(e.count).add_raw(e.detail).done();
  }
  void see(const NoteEvent& e) {
    notes_.add(e.seq).add(e.time_ns).add(e.pid).add(e.tid).add_raw(e.text).done();
  }
  void see(const EventBase&) {}  // forks, execs, thread births: `processes` has what came of them

  // One row for each name that the object has at the end, or one for the last that it had.
  void see(const ObjectLife& life, const std::string& path) {
    final_states_.add(life.born.seq).add_raw(path);
    if (life.mode_known)
      final_states_.add(life.mode);
    else
      final_states_.null();
    final_states_.add(state_name(life.state)).add(life.changes);
    if (life.settled_by.seq != 0) final_states_.add(life.settled_by.seq);
    final_states_.done();
  }

  void see(const rules::Finding& finding) {
    const rules::RuleInfo& rule = finding.info();
    findings_.add(++last_finding_).add(rule.id).add(rules::severity_name(finding.severity));
    if (rule.cwe == 0)
      findings_.null();
    else
      findings_.add(rule.cwe);
    findings_.add(rule.title).add_raw(finding.message).add(std::string_view(finding.advice));
    findings_.add(finding.count).add(std::string_view(finding.fingerprint));
    if (finding.culprit)
      findings_.add(finding.culprit->seq).add(stack(finding.culprit->stack));
    else
      findings_.null().null();
    if (finding.window) findings_.add(finding.window->length_ns());
    findings_.done();
  }
  void see(const rules::Hit& hit) {
    hits_.add(rules::rule_info(hit.rule).id)
        .add(hit.event.seq)
        .add(hit.expected_mask)
        .add(hit.expected);
    hits_.done();
  }

 private:
  // From time_ns to stack.
  void common(Insert& row, const EventBase& e) {
    row.add(e.time_ns).add(e.pid).add(e.tid).add_raw(e.thread).add(e.fs).add(e.call);
    row.add(stack(e.stack));
  }

  // A stack's number in `frames`, which gets its rows at first sight; nothing for no stack.
  std::optional<std::uint64_t> stack(StackRef ref) {
    if (ref.id == 0) return std::nullopt;
    const auto [entry, fresh] =
        known_.try_emplace(analysis::StackCache::key(ref), known_.size() + 1);
    if (!fresh) return entry->second;
    std::uint64_t depth = 0;
    for (const symbolize::Frame& frame : stacks_.frames(ref)) {
      frames_.add(entry->second).add(depth++).add_raw(frame.module);
      frames_.add(std::string_view(frame.build_id)).add(frame.offset).add_raw(frame.symbol);
      frames_.add_raw(frame.file).add(frame.line).add(frame.inlined ? 1u : 0u);
      frames_.add(std::string_view(frame.language)).add(frame.folded ? 1u : 0u).done();
    }
    return entry->second;
  }

  analysis::StackCache& stacks_;
  Database& database_;
  Insert processes_{database_, "processes", 13};
  Insert umasks_{database_, "umask_events", 15};
  Insert objects_{database_, "objects", 23};
  Insert final_states_{database_, "final_states", 7};
  Insert opened_{database_, "opened", 16};
  Insert changes_{database_, "changes", 19};
  Insert unseen_{database_, "unseen", 8};
  Insert notes_{database_, "notes", 6};
  Insert findings_{database_, "findings", 13};
  Insert hits_{database_, "hits", 4};
  Insert frames_{database_, "frames", 14};
  std::unordered_map<std::uint64_t, std::uint64_t> known_;
  std::uint64_t last_finding_ = 0;
};

void fill(Database& database, const reader::Run& run, analysis::StackCache& stacks,
          const FindAll& find, const RunFacts& facts) {
  Filler filler(database, stacks);
  Insert about(database, "run", 2);
  for (const auto& [name, value] : facts)
    about.add(std::string_view(name)).add(std::string_view(value)).done();
  LifeOptions options;
  options.links = local_links(run);
  options.on_end = [&](const ObjectLife& life) { filler.see(life, life.last_path); };
  ObjectLives lives(std::move(options));
  run.for_each([&](const Event& event) {
    lives.see(event);
    std::visit([&](const auto& one) { filler.see(one); }, event);
    return database.good();
  });
  lives.for_each_name(
      [&](const ObjectLife& life, const std::string& name) { filler.see(life, name); });
  if (!database.good()) return;
  const rules::FindResult result = find([&](const rules::Hit& hit) { filler.see(hit); });
  for (const rules::Finding& finding : result.findings) filler.see(finding);
}

}  // namespace

Status export_sqlite(const reader::Run& run, analysis::StackCache& stacks, const FindAll& find,
                     const RunFacts& facts, const std::string& path) {
  Database database(path);
  database.run("BEGIN");
  database.run(kSqliteTables);
  fill(database, run, stacks, find, facts);  // its statements end here: close() needs that
  database.run(kSqliteViews);
  database.run("COMMIT");
  return database.close();
}

}  // namespace umaskaudit::exports
