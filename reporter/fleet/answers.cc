// See answers.h. Modes and masks are octal digits already.
#include "reporter/fleet/answers.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <iterator>
#include <string_view>

#include "reporter/render/formats/junit.h"
#include "reporter/text/escape.h"
#include "reporter/text/json_writer.h"
#include "reporter/text/text_table.h"

namespace umaskaudit::fleet {
namespace {

constexpr char kNull[] = "-";
// Columns whose text may be cut on a narrow screen, and those that are left out first.
constexpr std::string_view kLong[] = {"path", "program", "function", "file",
                                      "what", "title",   "remedy"};
constexpr std::string_view kFirstToGo[] = {"fingerprint", "title", "first_date", "runs", "remedy"};

template <std::size_t kCount>
bool is_one_of(std::string_view column, const std::string_view (&names)[kCount]) {
  return std::find(std::begin(names), std::end(names), column) != std::end(names);
}

std::optional<std::int64_t> number_of(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The exporter has escaped the text of a lake. A control character in it was written by another
// program.
std::string printable(const std::string& text) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const CodePoint point = decode_utf8(rest);
    if (point.length == 0 || deceptive(point.value)) return escape(text);
    rest.remove_prefix(point.length);
  }
  return text;
}

std::string cell_text(const std::optional<std::string>& value) {
  return value ? printable(*value) : kNull;
}

// "first_date" -> "FIRST DATE"
std::string title_of(const std::string& column) {
  std::string title;
  for (const char c : column)
    title += c == '_' ? ' ' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return title;
}

std::string count_of(std::uint64_t count, const char* one, const char* many) {
  return std::to_string(count) + ' ' + (count == 1 ? one : many);
}

std::string extent_text(const FleetStore::Extent& extent) {
  if (extent.runs == 0) return "no run";
  std::string text =
      count_of(extent.runs, "run", "runs") + " of " + count_of(extent.hosts, "host", "hosts");
  if (extent.first_date == extent.last_date) return text + ", " + extent.first_date;
  return text + ", " + extent.first_date + " to " + extent.last_date;
}

std::string left_out(const Answer& answer) {
  const std::uint64_t more = answer.total - answer.rows.size();
  return more == 0
             ? ""
             : std::to_string(more) + " more: --limit 0, or fleet LAKE " + answer.question->name;
}

constexpr char kPage[] = R"page(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'">
<title>umaskaudit: fleet</title>
<style>
:root {
  color-scheme: light dark;
  --line: light-dark(#d0d4da, #3a414b); --soft: light-dark(#59636e, #9aa5b1);
  --head: light-dark(#f3f5f8, #1c2128); --text: light-dark(#1b1f24, #e6e9ed);
  --page: light-dark(#fff, #12161b);
  --error: light-dark(#b3261e, #ff8a80); --warning: light-dark(#8a5300, #f0b35b);
}
body {
  margin: 0 auto; max-width: 90rem; padding: 1rem 1.5rem 4rem;
  background: var(--page); color: var(--text); font: 15px/1.45 system-ui, sans-serif;
}
h1 { font-size: 1.4rem; margin: 0.5rem 0 0.2rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2.2rem 0 0.5rem; }
p { margin: 0.3rem 0; color: var(--soft); overflow-wrap: anywhere; }
nav ul {
  display: flex; flex-wrap: wrap; gap: 0.3rem 1.1rem;
  list-style: none; margin: 1rem 0 0; padding: 0;
}
a { color: inherit; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
th, td {
  padding: 0.35rem 0.7rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line);
}
tr:last-child td { border-bottom: 0; }
th { background: var(--head); font-weight: 600; white-space: nowrap; }
td { overflow-wrap: anywhere; min-width: 9ch; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.number { min-width: 0; }
.code { font-family: ui-monospace, monospace; }
.whole { white-space: nowrap; }
.error { color: var(--error); font-weight: 600; }
.warning { color: var(--warning); font-weight: 600; }
:focus-visible { outline: 2px solid Highlight; outline-offset: 2px; }
@media print { .scroll { overflow: visible; border: 0; } nav { display: none; } }
</style>
</head>
<body>
)page";

// Long text may be broken, what is short and of one form may not.
std::string class_of(const Answer& answer, const std::string& text, std::size_t column) {
  constexpr std::string_view kCode[] = {"path", "function", "file", "program"};
  constexpr std::string_view kWholeCode[] = {"fingerprint", "mode",      "mask",       "first_mode",
                                             "last_mode",   "should_be", "actual_mode"};
  constexpr std::string_view kWhole[] = {"rule", "severity", "kind", "first_date", "last_date"};
  const std::string_view name = answer.columns[column];
  if (text == "error" || text == "warning") return text;
  if (is_one_of(name, kCode)) return "code";
  if (is_one_of(name, kWholeCode)) return "code whole";
  if (is_one_of(name, kWhole)) return "whole";
  return answer.numeric[column] ? "number" : "";
}

void append_tag(std::string& out, const char* tag, const std::string& style) {
  out += std::string("<") + tag;
  if (!style.empty()) out += " class=\"" + style + '"';
  out += '>';
}

void append_table(std::string& out, const Answer& answer) {
  out += "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"";
  out += std::string(answer.question->name) + "\"><table><thead><tr>";
  for (std::size_t i = 0; i < answer.columns.size(); ++i) {
    out += "<th scope=\"col\"";
    if (class_of(answer, "", i) == "number") out += " class=\"number\"";
    out += '>';
    std::string title = answer.columns[i];
    std::replace(title.begin(), title.end(), '_', ' ');
    out += render::xml_text(title);
    out += "</th>";
  }
  out += "</tr></thead><tbody>\n";
  for (const auto& row : answer.rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string text = cell_text(row[i]);
      append_tag(out, "td", class_of(answer, text, i));
      out += render::xml_text(text);
      out += "</td>";
    }
    out += "</tr>\n";
  }
  out += "</tbody></table></div>\n";
}

}  // namespace

std::string fleet_text(const FleetHeading& heading, const std::vector<Answer>& answers,
                       std::size_t width, Paint paint) {
  std::string out =
      paint(Style::strong, escape(heading.lake)) + ": " + extent_text(heading.extent) + '\n';
  for (const std::string& note : heading.notes)
    out += paint(Style::warning, "note: ") + escape(note) + '\n';
  for (const Answer& answer : answers) {
    out += '\n' + paint(Style::strong, answer.question->title) + '\n';
    if (answer.rows.empty()) {
      out += "  none\n";
      continue;
    }
    std::vector<Column> columns;
    for (std::size_t i = 0; i < answer.columns.size(); ++i) {
      const std::string& name = answer.columns[i];
      columns.push_back({title_of(name), answer.numeric[i] ? Align::right : Align::left,
                         is_one_of(name, kLong), is_one_of(name, kFirstToGo)});
    }
    TextTable table(std::move(columns));
    for (const auto& row : answer.rows) {
      std::vector<Cell> cells;
      for (std::size_t i = 0; i < row.size(); ++i) {
        const std::string text = cell_text(row[i]);
        const Style style = text == "error"     ? Style::bad
                            : text == "warning" ? Style::warning
                                                : Style::plain;
        cells.emplace_back(text, style);
      }
      table.add(std::move(cells));
    }
    out += width == 0 ? table.text(0, paint) : table.screen_text(width, paint);
    if (const std::string more = left_out(answer); !more.empty()) out += "  " + more + '\n';
  }
  return out;
}

std::string fleet_html(const FleetHeading& heading, const std::vector<Answer>& answers) {
  std::string out = kPage;
  out += "<header><h1>";
  out += render::xml_text(escape(heading.lake));
  out += "</h1>\n<p>" + extent_text(heading.extent) + "</p>\n";
  for (const std::string& note : heading.notes) {
    out += "<p>note: ";
    out += render::xml_text(escape(note));
    out += "</p>\n";
  }
  out += "</header>\n<nav aria-label=\"Questions\"><ul>\n";
  for (const Answer& answer : answers) {
    out += std::string("<li><a href=\"#") + answer.question->name + "\">";
    out += render::xml_text(answer.question->title);
    out += "</a> " + std::to_string(answer.total) + "</li>\n";
  }
  out += "</ul></nav>\n<main>\n";
  for (const Answer& answer : answers) {
    out += std::string("<section><h2 id=\"") + answer.question->name + "\">";
    out += render::xml_text(answer.question->title);
    out += "</h2>\n";
    if (answer.rows.empty())
      out += "<p>none</p>\n";
    else
      append_table(out, answer);
    if (const std::string more = left_out(answer); !more.empty()) out += "<p>" + more + "</p>\n";
    out += "</section>\n";
  }
  return out + "</main>\n</body>\n</html>\n";
}

std::string fleet_json(const std::vector<Answer>& answers) {
  std::string out;
  for (const Answer& answer : answers)
    for (const auto& row : answer.rows) {
      JsonWriter json(out);
      json.begin_object();
      json.text("question", answer.question->name);
      for (std::size_t i = 0; i < row.size(); ++i) {
        const std::string& column = answer.columns[i];
        if (!row[i])
          json.null(column);
        else if (const auto number = number_of(*row[i]); number && answer.numeric[i])
          json.integer(column, *number);
        else
          json.text(column, *row[i]);
      }
      json.end_object();
      out += '\n';
    }
  return out;
}

}  // namespace umaskaudit::fleet
