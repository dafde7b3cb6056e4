// Rows of csv.h.
// Must never print a raw byte of the program.
// Called by `report --format csv`.
#include "reporter/render/formats/csv.h"

#include <array>
#include <cstdio>
#include <cstring>

#include "reporter/render/mode_text.h"
#include "reporter/render/stack_text.h"
#include "reporter/text/escape.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::render {
namespace {

const char* created_word(trace::Created created) {
  switch (created) {
    case trace::Created::no:
      return "false";
    case trace::Created::yes:
    case trace::Created::probably:
      return "true";
    case trace::Created::unknown:
      return "unknown";
  }
  return "unknown";
}

std::string masks_text(const std::vector<Mode>& masks) {
  std::string text;
  for (const Mode mask : masks) text += (text.empty() ? "" : " ") + octal(mask);
  return text;
}

std::string quoted(const std::string& text) {
  const bool formula = !text.empty() && std::strchr("=+-@", text.front()) != nullptr;
  std::string safe = formula ? "'" + text : text;
  if (safe.find_first_of("\",") == std::string::npos) return safe;
  std::string out = "\"";
  for (const char c : safe) {
    if (c == '"') out += '"';
    out += c;
  }
  return out += '"';
}

// The form that spreadsheets take for a moment; they know no finer one than milliseconds.
std::string sheet_time(std::uint64_t real_ns) {
  std::array<char, 16> fraction{};
  const int length = std::snprintf(fraction.data(), fraction.size(), ".%03u",
                                   static_cast<unsigned>(real_ns / 1000000 % 1000));
  const std::string text = utc_text(real_ns);
  return text.substr(0, text.rfind(' ')) +
         std::string(fraction.data(), static_cast<std::size_t>(length));
}

}  // namespace

// Escaped text has no line break, tab or other control byte left.
std::string csv_cell(std::string_view text) { return quoted(escape(text)); }

void append_csv_row(std::string& out, const CsvRun& run, const CreateEvent& event,
                    const FinalStates::State& last, analysis::StackCache& stacks) {
  const auto add = [&](const std::string& cell) {
    out += cell;
    out += ',';
  };
  add(std::to_string(event.seq));
  add(std::to_string(event.time_ns));
  add(std::to_string(event.pid));
  add(std::to_string(event.tid));
  add(csv_cell(event.thread));
  add(std::to_string(event.fs));
  add(csv_cell(event.call));
  add(kind_name(event.kind));
  add(csv_cell(event.path));
  add(octal(without_type(event.requested)));
  add(octal(event.mask));
  add(event.final_mode ? octal(*event.final_mode) : "");
  add(created_word(event.created));
  add(event.mask_set_by           ? std::to_string(*event.mask_set_by)
      : event.mask_setter_dropped ? "dropped"
                                  : "inherited");
  add(masks_text(event.ambiguous_masks));
  add(std::to_string(event.error));
  add(quoted(place_text(stacks, event.stack)));
  const bool made = event.error == 0 && event.created != trace::Created::no;
  add(made ? csv_cell(last.path) : "");
  add(made && last.mode ? octal(*last.mode) : "");
  add(made ? state_name(last.state) : "");
  // What began before the run wraps, and comes out right.
  add(sheet_time(run.begin_real_ns + (event.time_ns - run.begin_ns)));
  add(csv_cell(run.host));
  out += csv_cell(run.id);
  out += "\r\n";
}

}  // namespace umaskaudit::render
