// A run as one web page: markup, style and code of page_assets.h, and the run as a JSON block.
// Must never put a byte of the audited program into markup, nor refer to anything outside of the
// page. Called by `report --format html`: begin(), add() for each event, finish().
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "reporter/analysis/filter.h"
#include "reporter/analysis/summary.h"
#include "reporter/objects/final_states.h"
#include "reporter/render/html/tables.h"
#include "reporter/render/text_report.h"
#include "reporter/rules/find.h"

namespace umaskaudit::render {

// What a page holds by itself; a browser takes some 20 MB of it in its stride.
inline constexpr std::size_t kHtmlObjects = 100000;

// What the rules found, in the form in which the page needs it.
class HtmlFindings {
 public:
  // At most `limit` objects hit are remembered; windows take 8 bytes each, as little as a run keeps
  // of its mask changes anyway.
  explicit HtmlFindings(std::size_t limit) : limit_(limit) {}

  // For FindOptions.
  void on_hit(const rules::Hit& hit);
  void on_window(const rules::WindowSpan& window);

  rules::FindResult result;
  std::unordered_map<std::uint64_t, std::uint32_t> hits;  // seq of an object -> 1 << RuleId, or'ed
  std::vector<std::pair<std::uint32_t, std::uint32_t>> windows;  // as WindowSpan

 private:
  std::size_t limit_;
};

struct HtmlOptions {
  analysis::Filter filter;
  std::size_t limit = kHtmlObjects;     // objects and mask changes at most, of each
  std::string_view sort = "time";       // the objects' first order
  const FinalStates* states = nullptr;  // of the same run; null: everything is as it was born
};

class HtmlReport {
 public:
  // All must outlive the report. `summary`: with the filter of the options; its creations are not
  // looked at.
  HtmlReport(const TextContext& context, const HtmlFindings& findings,
             const analysis::Summary& summary, HtmlOptions options);

  // The page up to the first object.
  void begin(std::string& out);
  // Appends the object that `event` created, if it is to be shown; remembers what else the page
  // needs of it. To be called for every event of the run, in order.
  void add(std::string& out, const Event& event);
  // The rest.
  void finish(std::string& out, const Heading& heading);

 private:
  // Rows of one kind of event.
  struct Rows {
    std::string json;
    std::uint64_t shown = 0;
    std::uint64_t total = 0;
    std::uint64_t last_ns = 0;  // times are written as the distance from the row before
  };
  // Mask changes of one context, in one short part of the run, that have no row.
  struct Gap {
    std::uint64_t count = 0;
    Mode least = 07777, most = 0;  // of the masks that they set
  };
  class Adder;

  // The row's time; `rows` must be the one that the row is for.
  std::int64_t step(Rows& rows, std::uint64_t time_ns) const;
  bool is_named(const CreateEvent& event) const;
  void add_object(std::string& out, const CreateEvent& event);
  void add_change(const UmaskEvent& event);
  void write_change(const UmaskEvent& event);
  // The change that set an object's mask, and the one after it, are not left out.
  void need_change(std::uint32_t fs, std::uint64_t id);
  // What became of an object on the page. `action`: "chmod", "renamed", ...
  void add_fate(const EventBase& event, std::uint64_t dev, std::uint64_t ino,
                std::string_view action, const std::optional<Mode>& mode, std::string_view name);
  void add_process(const ProcessEvent& event);
  void add_note(const NoteEvent& event);

  void write_run(JsonWriter& json, const Heading& heading) const;
  void write_dropped(JsonWriter& json);
  void write_counts(JsonWriter& json) const;
  void write_culprits(JsonWriter& json);
  void write_unseen(JsonWriter& json) const;
  void write_windows(JsonWriter& json) const;
  void write_gaps(JsonWriter& json);
  void write_ends(JsonWriter& json) const;
  void write_findings(JsonWriter& json);
  void write_event(JsonWriter& json, std::string_view key, const rules::EventRef& event);
  void write_finding(JsonWriter& json, const rules::Finding& finding);

  const TextContext& context_;
  const HtmlFindings& findings_;
  const analysis::Summary& summary_;
  HtmlOptions options_;
  analysis::Filter change_filter_;  // a mask in force matters to objects whatever path they have
  html::Tables tables_;
  std::size_t unnamed_limit_ = 0;  // room for objects that no finding names
  std::uint64_t unnamed_ = 0;
  Rows objects_, changes_, fates_, processes_, notes_;
  std::uint64_t last_change_id_ = 0;
  std::uint64_t last_seq_ = 0;             // of an object's row
  std::vector<std::uint32_t> change_ids_;  // of the rows
  bool all_changes_;
  std::uint64_t gap_ns_;  // length of the parts in which left out changes are counted
  // Where not all changes are shown: the latest of each context, until it is known whether an
  // object needs them.
  struct Recent {
    std::deque<std::pair<UmaskEvent, bool>> changes;  // and whether it has its row
    bool need_next = false;
    std::map<std::uint64_t, Gap> gaps;  // by time / gap_ns_
  };
  // Forgets the oldest one: where it has no row, the gap at its place counts it.
  void forget_oldest(Recent& recent) const;
  std::unordered_map<std::uint32_t, Recent> recent_;
  // Of the processes that share a context: when they were seen last.
  struct Seen {
    std::uint64_t last_ns = 0;
    bool first_process = false;  // CMD is among them: the run ends with it
  };
  std::map<std::uint32_t, Seen> seen_;
  std::uint32_t first_pid_ = 0;
  // Needed, and still to come: a change's clock is read after the call, and a creation may have met
  // the mask before that.
  std::unordered_set<std::uint64_t> awaited_;
  std::unordered_set<std::uint64_t> examples_;                   // seqs that findings show
  std::unordered_map<std::uint64_t, std::uint64_t> named_rows_;  // seq -> row of objects_
  struct InodeHash {
    std::size_t operator()(const std::pair<std::uint64_t, std::uint64_t>& inode) const {
      return inode.first * 0x9E3779B97F4A7C15u ^ inode.second;
    }
  };
  struct Object {
    std::uint64_t row;
    std::uint64_t time_ns;
  };
  // Dev and inode -> the latest object with them.
  std::unordered_map<std::pair<std::uint64_t, std::uint64_t>, Object, InodeHash> inodes_;
};

}  // namespace umaskaudit::render
