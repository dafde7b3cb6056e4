// See table_file.h. A column costs a comparison, its key and its digits: of a large run there are
// some hundred million.
#include "reporter/fleet/table_file.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "reporter/text/escape.h"
#include "reporter/text/json_writer.h"

namespace umaskaudit::fleet {
namespace {

constexpr std::size_t kBlock = 1 << 16;
constexpr std::size_t kCommon = 3;  // host, date, run

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= ' ' && c < '\x7f' && c != '"' && c != '\\'; });
}

template <typename Number>
void append_number(std::string& out, Number value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

}  // namespace

void append_table_text(std::string& out, std::string_view raw) {
  if (is_plain(raw))
    out += raw;
  else
    append_json_escaped(out, escape(raw));
}

TableFile::TableFile(const TableInfo& table, std::string_view common, std::ostream& out)
    : table_(table), common_(common), out_(out), first_(kCommon), column_(kCommon) {
  for (const ColumnInfo& column : table.columns)
    keys_.push_back(std::string(",\"") + column.name + "\":");
  rows_.reserve(kBlock + kBlock / 4);
  rows_ += '{';
  rows_ += common_;
}

const ColumnInfo& TableFile::next(ColumnType type, bool null) {
  if (column_ >= table_.columns.size())
    throw std::logic_error(std::string("table ") + table_.name + " has fewer columns");
  const ColumnInfo& column = table_.columns[column_++];
  if (null ? !column.nullable : column.type != type)
    throw std::logic_error(std::string("column ") + column.name + " of " + table_.name +
                           " is of another type");
  return column;
}

TableFile& TableFile::signed_integer(std::int64_t value) {
  next(ColumnType::integer, false);
  rows_ += keys_[column_ - 1];
  append_number(rows_, value);
  return *this;
}

TableFile& TableFile::integer(std::uint64_t value) {
  return signed_integer(static_cast<std::int64_t>(value));
}

TableFile& TableFile::integer(const std::optional<std::uint64_t>& value) {
  return value ? integer(*value) : null();
}

TableFile& TableFile::boolean(bool value) {
  next(ColumnType::boolean, false);
  rows_ += keys_[column_ - 1];
  rows_ += value ? "true" : "false";
  return *this;
}

TableFile& TableFile::text(std::string_view raw) {
  const ColumnInfo& column = next(ColumnType::text, false);
  if (raw.empty() && column.nullable) return *this;
  rows_ += keys_[column_ - 1];
  rows_ += '"';
  append_table_text(rows_, raw);
  rows_ += '"';
  return *this;
}

TableFile& TableFile::null() {
  next(ColumnType::text, true);
  return *this;
}

TableFile& TableFile::members(std::string_view json, std::size_t count) {
  column_ += count;
  rows_ += json;
  return *this;
}

void TableFile::done() {
  if (column_ != table_.columns.size())
    throw std::logic_error(std::string("table ") + table_.name + " has other columns");
  rows_ += "}\n";
  if (rows_.size() >= kBlock) flush();
  column_ = first_;
  rows_ += '{';
  rows_ += common_;
}

void TableFile::flush() {
  // The begin of the next row stays.
  const std::size_t whole = rows_.size() - 1 - common_.size();
  out_.write(rows_.data(), static_cast<std::streamsize>(whole));
  rows_.erase(0, whole);
}

}  // namespace umaskaudit::fleet
