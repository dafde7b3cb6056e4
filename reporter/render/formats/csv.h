// Creations as comma-separated values (RFC 4180).
// Must never let a cell start as a spreadsheet formula: file names are untrusted.
#pragma once

#include <cstdint>
#include <string>

#include "reporter/analysis/stack_cache.h"
#include "reporter/events/events.h"
#include "reporter/objects/final_states.h"

namespace umaskaudit::render {

inline constexpr char kCsvHeader[] =
    "seq,time_ns,pid,tid,thread,fs,call,kind,path,requested,mask,final,created,mask_set_by,"
    "ambiguous_masks,errno,where,path_now,mode_now,state,time_utc,host,run\r\n";

// What all rows of a run have in common, and where their wall-clock time comes from.
struct CsvRun {
  std::uint64_t begin_ns = 0, begin_real_ns = 0;  // the same moment: CLOCK_MONOTONIC, since 1970
  std::string host;                               // raw bytes; empty: not known
  std::string id;                                 // unique among all runs
};

// One row. Text is escaped as on a terminal; a cell that a spreadsheet would take for a formula
// gets an apostrophe in front (OWASP, "CSV Injection").
// `last` is what became of the object; its cells are empty for calls that made none.
void append_csv_row(std::string& out, const CsvRun& run, const CreateEvent& event,
                    const FinalStates::State& last, analysis::StackCache& stacks);

// One cell with its quotes where it needs them; `text` is raw.
std::string csv_cell(std::string_view text);

}  // namespace umaskaudit::render
