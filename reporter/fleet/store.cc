// See store.h. Each run is one transaction: what ends in the middle is not there.
#include "reporter/fleet/store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "reporter/base/zstd_lines.h"
#include "reporter/text/percent.h"

namespace umaskaudit::fleet {
namespace {

// Tells our databases from others: sqlite3(1) shows it as `PRAGMA application_id`.
constexpr int kApplication = 0x556D6173;  // "Umas"
// Of the tables and questions: a database of an older version is made anew.
constexpr int kVersion = 2;
constexpr int kWaitMs = 10 * 60 * 1000;
constexpr std::uint64_t kTickEvery = 1 << 14;

constexpr char kLoadedSql[] =
    "CREATE TABLE IF NOT EXISTS loaded(place TEXT PRIMARY KEY, version TEXT NOT NULL,"
    " run TEXT NOT NULL)";

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

Statement prepare(sqlite3* database, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v2(database, sql.c_str(), static_cast<int>(sql.size()), &statement, nullptr);
  return Statement(statement);
}

void bind_text(const Statement& statement, int index, std::string_view text) {
  sqlite3_bind_text(statement.get(), index, text.data(), static_cast<int>(text.size()),
                    SQLITE_TRANSIENT);
}

std::string column_text(const Statement& statement, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), column));
  return text != nullptr
             ? std::string(text,
                           static_cast<std::size_t>(sqlite3_column_bytes(statement.get(), column)))
             : std::string();
}

// What all rows of a run have in common.
struct RowsOf {
  std::string host, date, run;
  bool operator==(const RowsOf&) const = default;
};

// Whether the directory of a run is that of these rows. The host's name is escaped in rows in
// another way, so that only its own rows can contradict it.
bool is_place_of(std::string_view place, const RowsOf& rows) {
  const std::string end =
      "/date=" + percent_encoded(rows.date, "._-") + "/run=" + percent_encoded(rows.run, "._-");
  return place.ends_with(end);
}

// One line of a table: its members become the values of a prepared INSERT. What tables.json does
// not name is left out: a later version may have more columns.
class RowReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  RowReader(const TableInfo& table, sqlite3_stmt* insert) : table_(table), insert_(insert) {}

  // Empty: the row is bound. Else what is wrong with it.
  std::string read(std::string_view line) {
    error_.clear();
    depth_ = 0;
    column_ = -1;
    given_.assign(table_.columns.size(), false);
    rows_of_ = {};
    sqlite3_clear_bindings(insert_);
    const bool parsed = nlohmann::json::sax_parse(line.begin(), line.end(), this);
    if (!error_.empty()) return error_;
    if (!parsed) return "a line is no JSON object";
    for (std::size_t i = 0; i < given_.size(); ++i)
      if (!given_[i] && !table_.columns[i].nullable)
        return std::string("a row has no ") + table_.columns[i].name;
    return "";
  }
  const RowsOf& rows_of() const { return rows_of_; }
  // Of the last row: the first column that is its table's own, where it is a number.
  std::int64_t first_number() const { return first_number_; }

  bool null() override { return column_ < 0 || expect(table_.columns[at()].nullable); }
  bool boolean(bool value) override {
    if (column_ < 0) return true;
    return expect(type() == ColumnType::boolean) && bind_integer(value ? 1 : 0);
  }
  bool number_integer(number_integer_t value) override {
    return column_ < 0 || (expect(type() == ColumnType::integer) && bind_integer(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return number_integer(static_cast<number_integer_t>(value));
  }
  bool number_float(number_float_t, const string_t&) override { return expect(column_ < 0); }
  bool string(string_t& value) override {
    if (column_ < 0) return true;
    if (!expect(type() == ColumnType::text || type() == ColumnType::date)) return false;
    if (at() < std::size(kCommon)) rows_of_.*kCommon[at()] = value;
    given_[at()] = true;
    return sqlite3_bind_text(insert_, column_ + 1, value.data(), static_cast<int>(value.size()),
                             SQLITE_TRANSIENT) == SQLITE_OK;
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return enter(); }
  bool end_object() override { return --depth_ >= 0; }
  bool start_array(std::size_t) override { return enter(); }
  bool end_array() override { return --depth_ >= 0; }
  bool key(string_t& name) override {
    if (depth_ != 1) return true;
    // Writers keep the order: the next one is mostly that behind the last.
    const std::size_t count = table_.columns.size();
    for (std::size_t step = 0; step < count; ++step) {
      const std::size_t i = (last_ + 1 + step) % count;
      if (name != table_.columns[i].name) continue;
      last_ = i;
      column_ = static_cast<int>(i);
      return true;
    }
    column_ = -1;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }

 private:
  std::size_t at() const { return static_cast<std::size_t>(column_); }
  ColumnType type() const { return table_.columns[at()].type; }
  bool expect(bool right) {
    if (!right && error_.empty())
      error_ = column_ >= 0 ? std::string(table_.columns[at()].name) + " is of another type"
                            : "a line is no row";
    return right;
  }
  bool bind_integer(std::int64_t value) {
    if (at() == std::size(kCommon)) first_number_ = value;
    given_[at()] = true;
    return sqlite3_bind_int64(insert_, column_ + 1, value) == SQLITE_OK;
  }
  bool enter() {
    ++depth_;
    return depth_ == 1 || expect(column_ < 0);
  }

  static constexpr std::string RowsOf::*kCommon[] = {&RowsOf::host, &RowsOf::date, &RowsOf::run};

  const TableInfo& table_;
  sqlite3_stmt* insert_;
  std::string error_;
  RowsOf rows_of_;
  std::int64_t first_number_ = 0;
  std::vector<bool> given_;
  int depth_ = 0, column_ = -1;  // -1: of no column of ours
  std::size_t last_ = 0;
};

// What matters most comes first. A view without an entry is ordered by its first columns.
const std::map<std::string_view, const char*>& orders() {
  static const std::map<std::string_view, const char*> kOrders = {
      {"q_findings",
       "CASE severity WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, "
       "hosts DESC, objects DESC, 1, 2"},
      {"q_new_findings",
       "CASE severity WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, "
       "hosts DESC, 1, 2"},
      {"q_masks", "mask, changes DESC, 1, 2, 3"},
      {"q_programs", "objects DESC, 1"},
      {"q_unexpected_modes", "objects DESC, 1, 2, 3"},
      {"q_blind_spots", "times DESC, 1, 2"},
  };
  return kOrders;
}

}  // namespace

void FleetStore::Close::operator()(sqlite3* database) const { sqlite3_close(database); }

FleetStore::FleetStore(std::unique_ptr<sqlite3, Close> database) : database_(std::move(database)) {}
FleetStore::FleetStore(FleetStore&&) noexcept = default;
FleetStore::~FleetStore() = default;

Error FleetStore::failed() const {
  return {"cannot use the database of the fleet", sqlite3_errmsg(database_.get()),
          "another place with --database FILE", ExitCode::unreadable};
}

Status FleetStore::run(const std::string& sql) {
  return sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK
             ? Status(Done{})
             : Status(failed());
}

Result<FleetStore> FleetStore::open(const std::string& file) {
  if (!file.empty()) {
    // SQLite would make it with 0644 less the umask.
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
      return Error{"cannot open '" + file + "'", std::strerror(errno),
                   "another place with --database FILE", ExitCode::unreadable};
    close(fd);
  }
  // A name that begins with "file:" would be taken for a URI.
  const std::string name = file.empty() || file.front() == '/' ? file : "./" + file;
  sqlite3* opened = nullptr;
  const int code =
      sqlite3_open_v2(name.c_str(), &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  FleetStore store{std::unique_ptr<sqlite3, Close>(opened)};
  if (code != SQLITE_OK) return store.failed();
  sqlite3_busy_timeout(opened, kWaitMs);
  // What a crash of the machine takes away is loaded again.
  if (const Status set = store.run("PRAGMA synchronous=OFF; PRAGMA cache_size=-65536;"
                                   "PRAGMA trusted_schema=OFF");
      !set)
    return set.error();
  int application = 0, version = 0, tables = 0;
  const auto ask = [&](const char* sql, int* value) {
    const Statement statement = prepare(opened, sql);
    if (statement == nullptr || sqlite3_step(statement.get()) != SQLITE_ROW) return false;
    *value = sqlite3_column_int(statement.get(), 0);
    return true;
  };
  if (!ask("PRAGMA application_id", &application) || !ask("PRAGMA user_version", &version) ||
      !ask("SELECT count(*) FROM sqlite_master", &tables))
    return store.failed();
  if (tables != 0 && application != kApplication)
    return Error{"cannot use '" + file + "'", "it is no database of a fleet",
                 "another place with --database FILE", ExitCode::usage};
  if (version > kVersion)
    return Error{"cannot use '" + file + "'",
                 "it is of version " + std::to_string(version) + " of the tables, and this is " +
                     std::to_string(kVersion),
                 "the umaskaudit that made it, or another file with --database FILE",
                 ExitCode::usage};
  if (version < kVersion)
    if (const Status made = store.make(); !made) return made.error();
  return store;
}

// All rows of an older one are in the lake still, and are taken in again.
Status FleetStore::make() {
  if (Status begun = run("BEGIN IMMEDIATE"); !begun) return begun;
  const auto made = [&]() -> Status {
    std::string sql = "PRAGMA application_id=" + std::to_string(kApplication) +
                      "; PRAGMA user_version=" + std::to_string(kVersion) + ";";
    {
      const Statement ask =
          prepare(database_.get(),
                  "SELECT type || ' ' || '\"' || name || '\"' FROM sqlite_master WHERE type IN"
                  " ('table', 'view') AND (SELECT user_version FROM pragma_user_version) < ?"
                  " ORDER BY type DESC");
      if (ask == nullptr) return failed();
      sqlite3_bind_int(ask.get(), 1, kVersion);
      while (sqlite3_step(ask.get()) == SQLITE_ROW) sql += "DROP " + column_text(ask, 0) + ';';
    }
    return run(sql + sqlite_create_sql() + ";" + kLoadedSql + ";" + sqlite_questions_sql());
  }();
  if (const Status ended = run(made ? "COMMIT" : "ROLLBACK"); !ended) return ended;
  return made;
}

Status FleetStore::forget(const std::string& place) {
  std::string run;
  {
    const Statement ask = prepare(database_.get(), "SELECT run FROM loaded WHERE place = ?");
    if (ask == nullptr) return failed();
    bind_text(ask, 1, place);
    if (sqlite3_step(ask.get()) == SQLITE_ROW) run = column_text(ask, 0);
  }
  const auto remove = [&](const std::string& sql, const std::string& value) -> Status {
    const Statement statement = prepare(database_.get(), sql);
    if (statement == nullptr) return failed();
    bind_text(statement, 1, value);
    return sqlite3_step(statement.get()) == SQLITE_DONE ? Status(Done{}) : Status(failed());
  };
  for (const TableInfo& table : fleet_tables())
    if (Status done = remove(std::string("DELETE FROM ") + table.name + " WHERE run = ?", run);
        !done)
      return done;
  return remove("DELETE FROM loaded WHERE place = ?", place);
}

Status FleetStore::load(const std::string& lake, const std::string& place,
                        const std::string& version, const Tick& tick, std::uint64_t* rows) {
  const Error refused{"cannot read run '" + lake + "/" + place + "'", "", "", ExitCode::unreadable};
  RowsOf rows_of;
  std::int64_t tables_version = 0;  // of the version that exported the run
  for (const TableInfo& table : fleet_tables()) {
    if (!rows_of.run.empty() && table.since > tables_version) continue;
    std::string sql = std::string("INSERT INTO ") + table.name + "(";
    std::string values;
    for (const ColumnInfo& column : table.columns) {
      sql += (values.empty() ? "\"" : ",\"") + std::string(column.name) + '"';
      values += values.empty() ? "?" : ",?";
    }
    const Statement insert = prepare(database_.get(), sql + ") VALUES(" + values + ")");
    if (insert == nullptr) return failed();
    RowReader reader(table, insert.get());
    Error wrong = refused;
    const Status read = for_each_zstd_line(
        lake + "/" + place + "/" + table.name + kTableEnding, [&](std::string_view line) {
          wrong.why = reader.read(line);
          if (rows_of.run.empty() && is_place_of(place, reader.rows_of())) {
            rows_of = reader.rows_of();
            tables_version = reader.first_number();
          }
          if (wrong.why.empty() && reader.rows_of() != rows_of)
            wrong.why = "a row is of run " + reader.rows_of().run + " of host " +
                        reader.rows_of().host + " on " + reader.rows_of().date;
          if (wrong.why.empty()) {
            const int code = sqlite3_step(insert.get());
            if (code == SQLITE_CONSTRAINT)
              wrong.why = "a row is there twice, here or in another directory";
            else if (code != SQLITE_DONE)
              wrong.why = sqlite3_errmsg(database_.get());
          }
          sqlite3_reset(insert.get());
          if (!wrong.why.empty()) {
            wrong.why = std::string(table.name) + ": " + wrong.why;
            return false;
          }
          if (++*rows % kTickEvery == 0) tick(*rows);
          return true;
        });
    if (!wrong.why.empty()) return wrong;
    if (!read)
      return Error{refused.what, read.error().what + ": " + read.error().why, "",
                   ExitCode::unreadable};
    if (rows_of.run.empty())
      return Error{refused.what, "runs has no row", "", ExitCode::unreadable};
  }
  const Statement mark = prepare(database_.get(), "INSERT INTO loaded VALUES(?,?,?)");
  if (mark == nullptr) return failed();
  bind_text(mark, 1, place);
  bind_text(mark, 2, version);
  bind_text(mark, 3, rows_of.run);
  return sqlite3_step(mark.get()) == SQLITE_DONE ? Status(Done{}) : Status(failed());
}

Result<Synced> FleetStore::sync(const std::string& lake, const std::vector<LakeRun>& runs,
                                const Tick& tick) {
  std::map<std::string, std::string> known;
  {
    const Statement ask = prepare(database_.get(), "SELECT place, version FROM loaded");
    if (ask == nullptr) return failed();
    while (sqlite3_step(ask.get()) == SQLITE_ROW) known[column_text(ask, 0)] = column_text(ask, 1);
  }
  Synced synced;
  std::uint64_t rows = 0;
  const auto change = [&](const std::string& place, const std::string& version) -> Status {
    if (Status begun = run("BEGIN IMMEDIATE"); !begun) return begun;
    Status done = forget(place);
    if (done && !version.empty()) done = load(lake, place, version, tick, &rows);
    if (const Status ended = run(done ? "COMMIT" : "ROLLBACK"); !ended) return ended;
    return done;
  };
  for (const LakeRun& one : runs) {
    const auto before = known.find(one.place);
    const bool same = before != known.end() && before->second == one.version;
    if (before != known.end()) known.erase(before);
    if (same) {
      ++synced.unchanged;
      continue;
    }
    const Status loaded = change(one.place, one.version);
    if (loaded)
      ++synced.added;
    else
      synced.refused.push_back(loaded.error());
  }
  for (const auto& [place, version] : known) {
    if (const Status forgotten = change(place, ""); !forgotten) return forgotten.error();
    ++synced.removed;
  }
  return synced;
}

Status FleetStore::set_period(const std::string& first_date, const std::string& last_date) {
  const Statement set =
      prepare(database_.get(),
              "UPDATE period SET first_date = coalesce(nullif(?,''),'0001-01-01'),"
              " last_date = coalesce(nullif(?,''),'9999-12-31')");
  if (set == nullptr) return failed();
  bind_text(set, 1, first_date);
  bind_text(set, 2, last_date);
  return sqlite3_step(set.get()) == SQLITE_DONE ? Status(Done{}) : Status(failed());
}

Result<FleetStore::Extent> FleetStore::extent() {
  const Statement ask =
      prepare(database_.get(),
              "SELECT count(*), count(DISTINCT host), min(date), max(date) FROM runs, period"
              " WHERE date BETWEEN first_date AND last_date");
  if (ask == nullptr || sqlite3_step(ask.get()) != SQLITE_ROW) return failed();
  return Extent{static_cast<std::uint64_t>(sqlite3_column_int64(ask.get(), 0)),
                static_cast<std::uint64_t>(sqlite3_column_int64(ask.get(), 1)), column_text(ask, 2),
                column_text(ask, 3)};
}

Result<Answer> FleetStore::ask(const Question& question, std::uint64_t limit) {
  const auto order = orders().find(question.view);
  const Statement statement =
      prepare(database_.get(), std::string("SELECT * FROM ") + question.view + " ORDER BY " +
                                   (order != orders().end() ? order->second : "1, 2"));
  if (statement == nullptr) return failed();
  Answer answer;
  answer.question = &question;
  const int columns = sqlite3_column_count(statement.get());
  for (int i = 0; i < columns; ++i)
    answer.columns.emplace_back(sqlite3_column_name(statement.get(), i));
  std::vector<bool> texts(answer.columns.size());
  answer.numeric.assign(answer.columns.size(), false);
  int code = 0;
  while ((code = sqlite3_step(statement.get())) == SQLITE_ROW) {
    if (++answer.total > limit && limit != 0) continue;
    std::vector<std::optional<std::string>> row;
    for (int i = 0; i < columns; ++i) {
      const int type = sqlite3_column_type(statement.get(), i);
      row.push_back(type == SQLITE_NULL ? std::nullopt : std::optional(column_text(statement, i)));
      if (type == SQLITE_NULL) continue;
      const auto column = static_cast<std::size_t>(i);
      texts[column] = texts[column] || type != SQLITE_INTEGER;
      answer.numeric[column] = !texts[column];
    }
    answer.rows.push_back(std::move(row));
  }
  if (code != SQLITE_DONE) return failed();
  return answer;
}

}  // namespace umaskaudit::fleet
