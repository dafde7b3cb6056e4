// The part of SQLite that an export needs: a new file, prepared statements, one transaction.
// Must never make a second file (journal) beside the first, nor go on after an error.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "reporter/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace umaskaudit::exports {

// The first error is kept and makes all later calls do nothing: callers look once, at the end.
class Database {
 public:
  // `path` is an existing empty file, which only we write.
  explicit Database(const std::string& path);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // One or more statements without values.
  void run(const char* sql);
  bool good() const { return error_.empty(); }
  // Closes the file. What went wrong, if anything did.
  Status close();

 private:
  friend class Insert;
  void note(int code);

  struct Close {
    void operator()(sqlite3* database) const;
  };
  std::unique_ptr<sqlite3, Close> database_;
  std::string error_;
};

// A prepared INSERT: one add() a column, then done().
class Insert {
 public:
  // "INSERT INTO table VALUES(?,?,...)"; `columns` question marks are made.
  Insert(Database& database, const char* table, int columns);

  Insert& add(std::uint64_t value);
  Insert& add(const std::optional<std::uint64_t>& value);
  Insert& add(std::string_view text);
  Insert& add(const char* text) { return add(std::string_view(text)); }
  // Text of the audited program: its printable form, and the bytes where that differs. Two columns.
  Insert& add_raw(std::string_view bytes);
  Insert& null();
  void done();

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  void blob(std::string_view bytes);

  Database& database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int column_ = 0;
};

}  // namespace umaskaudit::exports
