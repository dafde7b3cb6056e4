#include "reporter/export/database.h"

#include <sqlite3.h>

#include "reporter/text/escape.h"

namespace umaskaudit::exports {

void Database::Close::operator()(sqlite3* database) const { sqlite3_close(database); }

void Insert::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Database::Database(const std::string& path) {
  // A name that begins with "file:" would be taken for a URI.
  const std::string name = path.rfind('/', 0) == 0 ? path : "./" + path;
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr);
  database_.reset(database);
  note(code);
  // The file is thrown away unless everything succeeds: nothing is ever rolled back.
  run("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE");
}

void Database::note(int code) {
  const bool failed = code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW;
  if (failed && error_.empty())
    error_ = database_ ? sqlite3_errmsg(database_.get()) : sqlite3_errstr(code);
}

void Database::run(const char* sql) {
  if (good()) note(sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr));
}

Status Database::close() {
  if (database_) note(sqlite3_close(database_.release()));
  if (good()) return Done{};
  return Error{"cannot write the database", error_, "another place with -o", ExitCode::usage};
}

Insert::Insert(Database& database, const char* table, int columns) : database_(database) {
  std::string sql = std::string("INSERT INTO ") + table + " VALUES(?";
  for (int i = 1; i < columns; ++i) sql += ",?";
  sql += ')';
  if (!database_.good()) return;
  sqlite3_stmt* statement = nullptr;
  database_.note(sqlite3_prepare_v2(database_.database_.get(), sql.c_str(),
                                    static_cast<int>(sql.size()), &statement, nullptr));
  statement_.reset(statement);
}

Insert& Insert::add(std::uint64_t value) {
  // SQLite's integers are signed; inode numbers and times fit.
  if (database_.good())
    database_.note(
        sqlite3_bind_int64(statement_.get(), ++column_, static_cast<sqlite3_int64>(value)));
  return *this;
}

Insert& Insert::add(const std::optional<std::uint64_t>& value) {
  return value ? add(*value) : null();
}

Insert& Insert::add(std::string_view text) {
  if (database_.good())
    database_.note(sqlite3_bind_text(statement_.get(), ++column_, text.data(),
                                     static_cast<int>(text.size()), SQLITE_TRANSIENT));
  return *this;
}

void Insert::blob(std::string_view bytes) {
  if (database_.good())
    database_.note(sqlite3_bind_blob(statement_.get(), ++column_, bytes.data(),
                                     static_cast<int>(bytes.size()), SQLITE_TRANSIENT));
}

Insert& Insert::add_raw(std::string_view bytes) {
  const std::string printable = escape(bytes);
  add(std::string_view(printable));
  if (printable == bytes) return null();
  blob(bytes);
  return *this;
}

Insert& Insert::null() {
  ++column_;  // reset statements have every value cleared
  return *this;
}

void Insert::done() {
  column_ = 0;
  if (!database_.good()) return;
  database_.note(sqlite3_step(statement_.get()));
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

}  // namespace umaskaudit::exports
