// What threads, timeline, blame and explain show, as one JSON document each.
// Must never name a thing otherwise than JSON Lines do where it means the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reporter/analysis/object_history.h"
#include "reporter/analysis/unrecorded_files.h"
#include "reporter/mode/calculus.h"
#include "reporter/render/text_report.h"

namespace umaskaudit::render {

// `rows` of `all` culprits. Ends with a newline, as all do.
std::string threads_json(const TextContext& context, const analysis::Summary& summary,
                         const std::vector<Culprit>& all, std::size_t rows);

// A timeline is streamed: its beginning, and its end. Between them stand events as JSON Lines with
// whole stacks, separated by commas.
std::string timeline_json_begin(const reader::Run& run);
std::string timeline_json_end(std::uint64_t shown, std::uint64_t left_out);

// lstat(2) of an object now; `error` where that failed.
struct OnDisk {
  std::uint64_t ino = 0;
  Mode mode = 0;
  std::uint32_t uid = 0, gid = 0;
  int error = 0;
};

// One object of `blame`, its place on the disk looked at.
struct BlamedObject {
  const analysis::ObjectHistory& history;
  std::string path;            // that it is known by here
  std::optional<OnDisk> disk;  // nothing: not looked at, the run was packed
};
std::string blame_json(const TextContext& context, const std::string& asked,
                       const std::vector<BlamedObject>& objects);
// Nothing has that name: what appeared without a record, or the calls that failed.
std::string blame_unrecorded_json(const TextContext& context, const std::string& asked,
                                  const UnrecordedObject& object);
std::string blame_failures_json(const TextContext& context, const std::string& asked,
                                const analysis::FailedAttempts& attempts);

// What `explain` is about: a mode and a mask, or an object of a run.
struct Explained {
  const CreationFacts& facts;
  const Derivation& derivation;
  std::optional<std::string> run, path;  // of a recorded object
  std::string born_path;
  std::optional<Mode> mode_now;
  const analysis::ObjectHistory* history = nullptr;  // with the call that set the mask; may be null
};
std::string explain_json(const Explained& explained);
// An object of `run` whose creation no record names.
std::string explain_unrecorded_json(const std::string& run, const UnrecordedObject& object);

}  // namespace umaskaudit::render
