// Creations as comma-separated values (RFC 4180).
// Must never let a cell start as a spreadsheet formula: file names are chosen by strangers.
// Called by `report --format csv`.
#pragma once

#include <string>

#include "reporter/analysis/stack_cache.h"
#include "reporter/events/events.h"
#include "reporter/objects/final_states.h"

namespace umaskaudit {

inline constexpr char kCsvHeader[] =
    "seq,time_ns,pid,tid,thread,fs,call,kind,path,requested,mask,final,created,mask_set_by,"
    "ambiguous_masks,errno,where,path_now,mode_now,state\r\n";

// One row. Text is escaped as on a terminal; a cell that a spreadsheet would take for a formula
// gets an apostrophe in front (OWASP, "CSV Injection").
// `last` is what became of the object; the last cells are empty for calls that made none.
void append_csv_row(std::string& out, const CreateEvent& event, const FinalStates::State& last,
                    StackCache& stacks);

// One cell with its quotes where it needs them; `text` is raw.
std::string csv_cell(std::string_view text);

}  // namespace umaskaudit
