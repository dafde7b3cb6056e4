// One table of one run, written row by row as JSON Lines.
// Must never write a row whose columns are not those of tables.json, in their order: who forgets
// one is told at once, by an exception.
// Called by run_tables.cc. Not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/fleet/table_info.h"

namespace umaskaudit::fleet {

// Appends the inside of a JSON string: `raw` as escape() has it.
void append_table_text(std::string& out, std::string_view raw);

class TableFile {
 public:
  // `common`: the JSON members that all rows begin with, without braces. Both must outlive this.
  TableFile(const TableInfo& table, std::string_view common, std::ostream& out);
  TableFile(const TableFile&) = delete;
  TableFile& operator=(const TableFile&) = delete;

  // The next column. Numbers beyond 2^63 - 1 come as negative ones of the same 64 bits.
  TableFile& integer(std::uint64_t value);
  TableFile& integer(const std::optional<std::uint64_t>& value);
  TableFile& signed_integer(std::int64_t value);
  TableFile& boolean(bool value);
  // Raw bytes. In a column that may be NULL an empty text is.
  TableFile& text(std::string_view raw);
  TableFile& null();
  // Appends `count` columns as text that the caller has made once for several rows: members of a
  // JSON object, each after a comma. Empty: all of them are NULL.
  TableFile& members(std::string_view json, std::size_t count);
  // Ends the row.
  void done();
  // Hands to the stream what is buffered.
  void flush();

 private:
  const ColumnInfo& next(ColumnType type, bool null);

  const TableInfo& table_;
  const std::string_view common_;
  std::ostream& out_;
  std::vector<std::string> keys_;  // `,"name":`
  std::string rows_;
  std::size_t first_, column_;
};

}  // namespace umaskaudit::fleet
