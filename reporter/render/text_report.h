// The sections of the reports for people: each appends its lines, with its title, to a string.
// Must never leave the section about what could not be seen out of a report.
#pragma once

#include <string>
#include <vector>

#include "reporter/analysis/stack_cache.h"
#include "reporter/analysis/summary.h"
#include "reporter/text/style.h"

namespace umaskaudit::render {

// What all sections need.
struct TextContext {
  const reader::Run& run;
  analysis::StackCache& stacks;
  Paint paint;
  std::size_t width;  // columns; 0: no limit
  // Paths below it are shown relative to it; empty: none are. Raw bytes.
  std::string root{};
};

// A path as people read it: relative to the root of the context, escaped.
std::string shown_path(const TextContext& context, const std::string& path);

// What only the command knows: what was run and how it ended.
struct Heading {
  std::string program;              // raw bytes; empty: the first process's executable
  std::string ending;               // "exit code 0"; empty: not known
  std::uint64_t start_real_ns = 0;  // for a run that recorded nothing
};

// What was run, raw bytes: as the heading has it, else the first process's executable.
std::string program_of(const reader::Run& run, const Heading& heading);

// When the run began, ns since 1970: the first event, or the start of CMD; 0: unknown.
std::uint64_t started_real_ns(const reader::Run& run, const Heading& heading);
// The same as text, "unknown" included.
std::string started_text(const reader::Run& run, const Heading& heading);

void append_header(std::string& out, const TextContext& context, const analysis::Summary& summary,
                   const Heading& heading);
// Who changed the umask: a row per thread and place in the code, the busiest first.
void append_mask_changes(std::string& out, const TextContext& context,
                         const analysis::Summary& summary);
// The objects that others may write at the end, or run with set-user-ID, `limit` at most (0: all
// that the summary keeps); nothing where there are none.
void append_open_objects(std::string& out, const TextContext& context,
                         const analysis::Summary& summary, std::size_t limit);
// The objects created; `limit` is what the summary was made with, named in the closing line.
void append_objects(std::string& out, const TextContext& context, const analysis::Summary& summary,
                    std::size_t limit);
// The same as a few rows: how many of which mode are where. The summary must have groups.
void append_object_groups(std::string& out, const TextContext& context,
                          const analysis::Summary& summary);
void append_notes(std::string& out, const TextContext& context, const analysis::Summary& summary);
// Blind spots and losses; says so when there are none.
void append_unseen(std::string& out, const TextContext& context, const analysis::Summary& summary);
// Why frames that were printed before have no names; nothing where all could be looked up.
void append_symbol_notes(std::string& out, const TextContext& context);

// Rows of append_mask_changes: groups of one thread that share the culprit frame and the call,
// merged; rows of several processes that share name, frame and call are one. The busiest first.
struct Culprit {
  analysis::MaskChanges changes;
  std::string where;          // as site() has it
  std::size_t processes = 1;  // how many did this; `changes.who` is the first of them
};
std::vector<Culprit> culprits(const analysis::Summary& summary, analysis::StackCache& stacks);

// The blind spots of one reason, for one line: a program may load a hundred libraries alike.
struct BlindReason {
  trace::Blind reason = trace::Blind::other;
  std::uint64_t count = 0;
  std::vector<std::string> texts;  // raw bytes
};
std::vector<BlindReason> blind_reasons(const analysis::Summary& summary);
// "exec-static: /bin/a, /bin/b and 3 more (12 times)", escaped.
std::string blind_line(const BlindReason& reason);

// "79 programs in 30 processes, 42 threads".
std::string programs_text(const analysis::Summary& summary);
// What the most permissive of the changes left masked.
Mode widest_mask(const analysis::MaskChanges& changes);
// "0022 -> 0000, 0000 -> 0022 (+1 more)": the commonest one first, `most` at most.
std::string transitions_text(const analysis::MaskChanges& changes, std::size_t most = 2);
// How many of them a table has room for that is so many columns wide (0: no limit).
std::size_t transitions_shown(std::size_t width);
// Who that is: "mkdir, 30 processes", or "name 123" for a thread.
std::string culprit_name(const Culprit& culprit);
// The mode of an object: "0644", or "0600 > 0644 chmod" where it was born with another one.
std::string mode_text(const ObjectLife& life);
// Remarks about it: "default ACL, gone"; may be empty, and contain raw bytes.
std::string note_text(const ObjectLife& life);
// The colour of a mask or a mode by what it permits.
Style mask_style(Mode mask);
Style mode_style(Mode mode);
// "name 123", escaped: a thread as all tables show it.
std::string thread_text(std::string_view name, std::uint32_t tid);

}  // namespace umaskaudit::render
