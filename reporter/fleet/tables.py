"""What follows from tables.json and questions.sql.in: tables.py WHAT TABLES QUESTIONS OUT...

WHAT is an engine (sqlite, duckdb, postgresql, clickhouse): its SQL goes to the files OUT, whose
names say which part is wanted; or `cc`: OUT is the C++ behind table_info.h; or `scd`: OUT is
reporter/man/parts/tables.scd, which is kept beside its page. Must never write what
an engine has no need to read: what a table means stands in tables.json and in the manual. Called by
meson, and imported by the tests of the engines."""

import json
import re
import sys
from pathlib import Path

MADE = "Made by tables.py from tables.json and questions.sql.in; a change made here is lost."
ENGINES = ("sqlite", "duckdb", "postgresql", "clickhouse")
COMMON = 3  # columns that all tables begin with
# As kind_name() has them. Their places are numbers that only live within a question.
KINDS = ("unknown", "file", "dir", "fifo", "socket", "mqueue", "shm", "sem", "chardev", "blockdev",
         "tmpfile")
# What a row of `runs` says of the exported file: where one differs, the run was exported anew.
SAME_EXPORT = ("tables", "tool", "ended_ns", "complete", "records", "lost")


class Column:
    def __init__(self, name, kind, about, since=1):
        self.name, self.type, self.about = name, kind.rstrip("?"), about
        self.nullable, self.since = kind.endswith("?"), since


class Table:
    def __init__(self, name, given, common):
        self.name, self.about, self.key = name, given["about"], given["key"]
        self.since = given.get("since", 1)
        self.columns = [Column(*column) for column in common + given["columns"]]
        versions = [column.since for column in self.columns]
        assert versions == sorted(versions), f"{name}: a new column is the last"
        assert all(column.nullable for column in self.columns if column.since > 1), name
        names = [column.name for column in self.columns]
        assert len(set(names)) == len(names), name
        assert all(key in names for key in self.key), name
        assert not any(column.nullable for column in self.columns if column.name in self.key), name

    def names(self):
        return [column.name for column in self.columns]


def read_tables(path, version=None):
    """The tables as they are, or as they were in an older version."""
    given = json.loads(Path(path).read_text(encoding="utf-8"))
    tables = Tables(Table(name, table, given["common"]) for name, table in given["tables"].items())
    tables.version = version or given["version"]
    for table in tables:
        table.columns = [column for column in table.columns if column.since <= tables.version]
    tables[:] = [table for table in tables if table.since <= tables.version]
    return tables


class Tables(list):
    version = None


def read_questions(path):
    """Yields (name, title, SELECT with macros)."""
    text = Path(path).read_text(encoding="utf-8")
    parts = re.split(r"^-- question (\w+): (.+)\n", text, flags=re.MULTILINE)[1:]
    for name, title, select in zip(parts[::3], parts[1::3], parts[2::3]):
        yield name, title, select.strip()


class Engine:
    """An engine's words. Text is compared byte by byte, as SQLite does it."""

    types = {}
    first_day, last_day = "0001-01-01", "9999-12-31"

    def column(self, column):
        return f"{column.name} {self.types[column.type]}" + ("" if column.nullable else " NOT NULL")

    def columns(self, table):
        return ",\n".join(f"  {self.column(column)}" for column in table.columns)

    def rows(self, table):
        return table

    def div(self, dividend, divisor):
        return f"({dividend}) / {divisor}"

    def text(self, number):
        return f"CAST({number} AS TEXT)"

    def concat(self, parts):
        return " || ".join(parts)

    def octal(self, mode):
        return self.concat(self.text(f"({self.div(mode, size)} % 8)") if size > 1 else
                           self.text(f"(({mode}) % 8)") for size in (512, 64, 8, 1))

    def period(self):
        return ("date >= (SELECT first_date FROM period)"
                " AND date <= (SELECT last_date FROM period)")

    def select(self, template, tables):
        """The macros of questions.sql.in, the innermost first."""
        def call(match):
            name, arguments = match.groups()
            if name == "div":
                dividend, _, divisor = arguments.rpartition(",")
                return f"({self.div(dividend.strip(), divisor.strip())})"
            if name == "octal":
                return self.octal(arguments)
            pairs = [(number, f"'{kind}'") for number, kind in enumerate(KINDS)]
            if name == "kind_number":
                pairs = [(kind, number) for number, kind in pairs]
            cases = " ".join(f"WHEN {given} THEN {wanted}" for given, wanted in pairs)
            return f"CASE {arguments} {cases} ELSE {pairs[0][1]} END"

        def word(match):
            name = match[1]
            if name == "period":
                return self.period()
            assert any(table.name == name for table in tables), name
            return self.rows(name)

        arguments = r"((?:[^()$]|\((?:[^()$]|\((?:[^()$]|\([^()$]*\))*\))*\))*)"
        inner = re.compile(r"\$(div|octal|kind|kind_number)\(" + arguments + r"\)")
        while inner.search(template):
            template = inner.sub(call, template)
        return re.sub(r"\$(\w+)", word, template)

    def view(self, name, select):
        return f"CREATE OR REPLACE VIEW {name} AS\n{select};\n"

    def questions_sql(self, tables, questions):
        return "\n".join(f"-- {title}\n" + self.view(f"q_{name}", self.select(select, tables))
                         for name, title, select in questions)

    def create_sql(self, tables, _):
        return "\n".join([self.table(table) + self.later(table) for table in tables]
                         + [self.period_table()])

    def later(self, table, what="TABLE", schema=""):
        """Adds the columns that a table of an older version lacks."""
        return "".join(f"ALTER {what} {schema}{table.name} ADD COLUMN IF NOT EXISTS"
                       f" {self.column(column)};\n"
                       for column in table.columns if column.since > 1)

    def table(self, table):
        raise NotImplementedError

    def period_table(self):
        date = self.types["date"]
        return ("-- What the questions look at: one row\n"
                f"CREATE TABLE IF NOT EXISTS period (\n  first_date {date} NOT NULL,\n"
                f"  last_date {date} NOT NULL\n);\n"
                f"INSERT INTO period SELECT '{self.first_day}', '{self.last_day}'\n"
                "WHERE NOT EXISTS (SELECT 1 FROM period);\n")


class Sqlite(Engine):
    types = {"text": "TEXT", "integer": "INTEGER", "boolean": "INTEGER", "date": "TEXT"}

    def table(self, table):
        key = ", ".join(["run"] + table.key)
        return (f"-- {table.about}\nCREATE TABLE IF NOT EXISTS {table.name} (\n"
                f"{self.columns(table)},\n  PRIMARY KEY ({key})\n) WITHOUT ROWID;\n")

    def view(self, name, select):
        return f"DROP VIEW IF EXISTS {name};\nCREATE VIEW {name} AS\n{select};\n"

    def later(self, table, what="TABLE", schema=""):
        return ""  # SQLite has no IF NOT EXISTS for columns, and `fleet` makes its file anew


class Duckdb(Engine):
    types = {"text": "VARCHAR", "integer": "BIGINT", "boolean": "BOOLEAN", "date": "DATE"}

    def div(self, dividend, divisor):
        return f"({dividend}) // {divisor}"

    def table(self, table):
        # A key of each row would be an index in memory: load.sql needs to know the runs only.
        key = "" if table.key else ",\n  PRIMARY KEY (run)"
        return (f"-- {table.about}\nCREATE TABLE IF NOT EXISTS {table.name} (\n"
                f"{self.columns(table)}{key}\n);\n")

    def files(self, table):
        """What reads a table's files; columns that are not in a line are NULL."""
        columns = ", ".join(f"{column.name}: '{self.types[column.type]}'"
                            for column in table.columns)
        pattern = f"'/host=*/date=*/run=*/{table.name}.jsonl.zst'"
        return (f"read_json(getvariable('lake') || {pattern},\n"
                "  format = 'newline_delimited', compression = 'zstd', hive_partitioning = false,\n"
                f"  columns = {{{columns}}})")

    def lake_sql(self, tables, _):
        """Views straight over the files, in place of tables."""
        return SET_LAKE + "\n".join(
            f"CREATE OR REPLACE VIEW {table.name} AS SELECT * FROM {self.files(table)};\n"
            for table in tables) + "\n" + self.period_table()

    def load_sql(self, tables, _):
        runs = next(table for table in tables if not table.key)
        same = " AND ".join(f"loaded.{name} IS NOT DISTINCT FROM given.{name}"
                            for name in SAME_EXPORT)
        steps = [f"CREATE OR REPLACE TEMP TABLE given AS SELECT * FROM {self.files(runs)};",
                 "-- A run that was exported anew since it was loaded goes first.",
                 "CREATE OR REPLACE TEMP TABLE stale AS SELECT run FROM given JOIN runs AS loaded"
                 f" USING (run)\nWHERE NOT ({same});"]
        steps += [f"DELETE FROM {table.name} WHERE run IN (SELECT run FROM stale);"
                  for table in tables]
        rest = [table for table in tables if table is not runs] + [runs]
        steps += [f"INSERT INTO {table.name} SELECT {', '.join(table.names())} FROM "
                  f"{self.files(table)}\nWHERE run NOT IN (SELECT run FROM runs);"
                  for table in rest if table is not runs]
        steps += ["INSERT OR IGNORE INTO runs SELECT * FROM given;"]
        return SET_LAKE + "BEGIN;\n" + "\n".join(steps) + "\nCOMMIT;\n"

    def parquet_sql(self, tables, _):
        return SET_LAKE + "\n".join(
            f"COPY (SELECT * FROM {self.files(table)})\n"
            f"TO (getvariable('parquet') || '/{table.name}') (FORMAT parquet, COMPRESSION zstd,"
            " PARTITION_BY (host, date), WRITE_PARTITION_COLUMNS true, OVERWRITE_OR_IGNORE);\n"
            for table in tables)


SET_LAKE = "-- Wants the lake's path first: SET VARIABLE lake = '/srv/lake';\n\n"


class Postgresql(Engine):
    types = {"text": 'text COLLATE "C"', "integer": "bigint", "boolean": "boolean", "date": "date"}

    def table(self, table):
        key = ", ".join(["run"] + table.key + ["date"])  # a key must hold what parts the table
        return (f"-- {table.about}\nCREATE TABLE IF NOT EXISTS {table.name} (\n"
                f"{self.columns(table)},\n  PRIMARY KEY ({key})\n) PARTITION BY RANGE (date);\n")

    def period_table(self):
        return super().period_table().replace("SELECT '", "SELECT date '").replace(
            ", '", ", date '")

    def view(self, name, select):
        # What REPLACE cannot make of an older view takes its place.
        return (f"DO $do$\nDECLARE\n  answer text := $view$\n{select}\n$view$;\nBEGIN\n"
                f"  EXECUTE 'CREATE OR REPLACE VIEW {name} AS ' || answer;\n"
                f"EXCEPTION WHEN invalid_table_definition THEN\n  DROP VIEW {name};\n"
                f"  EXECUTE 'CREATE VIEW {name} AS ' || answer;\nEND\n$do$;\n")

    def create_sql(self, tables, questions):
        names = ", ".join(f"'{table.name}'" for table in tables)
        return super().create_sql(tables, questions) + MONTHS.replace("TABLES", names)

    def remote_sql(self, tables, _):
        """This cluster's tables and another's as one, in the schema umaskaudit_all."""
        made = REMOTE
        for table in tables:
            made += (f"CREATE FOREIGN TABLE IF NOT EXISTS umaskaudit_remote.{table.name} (\n"
                     f"{self.columns(table)}\n) SERVER umaskaudit_remote OPTIONS"
                     f" (schema_name :'remote_schema', table_name '{table.name}');\n"
                     + self.later(table, "FOREIGN TABLE", "umaskaudit_remote.") +
                     f"CREATE OR REPLACE VIEW umaskaudit_all.{table.name} AS\n"
                     f"SELECT * FROM :\"here\".{table.name} UNION ALL\n"
                     f"SELECT * FROM umaskaudit_remote.{table.name} AS far WHERE NOT EXISTS\n"
                     "  (SELECT 1 FROM :\"here\".runs AS near WHERE near.run = far.run);\n\n")
        return made + ("CREATE OR REPLACE VIEW umaskaudit_all.period AS SELECT * FROM"
                       " :\"here\".period;\nSET search_path = umaskaudit_all;\n"
                       "\\ir questions.sql\n")


REMOTE = """-- A second cluster, which has a lake of its own: psql -v remote_host=HOST
-- -v remote_port=PORT -v remote_dbname=NAME -v remote_schema=public -v remote_user=USER
-- -f remote.sql, in the database that create.sql has filled. SET search_path = umaskaudit_all and
-- ask as ever. A run that both have counts once. A password: ALTER USER MAPPING FOR CURRENT_USER
-- SERVER umaskaudit_remote OPTIONS (ADD password '...').

SELECT current_schema() AS here \\gset
CREATE EXTENSION IF NOT EXISTS postgres_fdw;
CREATE SERVER IF NOT EXISTS umaskaudit_remote FOREIGN DATA WRAPPER postgres_fdw OPTIONS
  (host :'remote_host', port :'remote_port', dbname :'remote_dbname', fetch_size '10000');
CREATE USER MAPPING IF NOT EXISTS FOR CURRENT_USER SERVER umaskaudit_remote
  OPTIONS (user :'remote_user');
CREATE SCHEMA IF NOT EXISTS umaskaudit_remote;
CREATE SCHEMA IF NOT EXISTS umaskaudit_all;

"""


MONTHS = """
-- Makes the partitions of the month of a day, if they are missing.
CREATE OR REPLACE FUNCTION umaskaudit_month(day date) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
  month date := date_trunc('month', day);
  name text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('umaskaudit_month'));
  FOREACH name IN ARRAY ARRAY[TABLES] LOOP
    IF to_regclass(quote_ident(name || to_char(month, '_YYYY_MM'))) IS NULL THEN
      EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                     name || to_char(month, '_YYYY_MM'), name, month, month + interval '1 month');
    END IF;
  END LOOP;
END
$body$;

-- What load asks about a row of a run that it does not load.
CREATE OR REPLACE FUNCTION umaskaudit_stray(run text) RETURNS boolean LANGUAGE plpgsql AS $body$
BEGIN
  RAISE EXCEPTION 'a row of run % is in the directory of another run', run;
END
$body$;

-- Drops all rows of the month of a day.
CREATE OR REPLACE FUNCTION umaskaudit_drop_month(day date) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY[TABLES] LOOP
    EXECUTE format('DROP TABLE IF EXISTS %I', name || to_char(day, '_YYYY_MM'));
  END LOOP;
END
$body$;
"""


class Clickhouse(Engine):
    types = {"text": "String", "integer": "Int64", "boolean": "UInt8", "date": "Date"}
    first_day, last_day = "1970-01-01", "2105-12-31"  # what a Date holds

    def column(self, column):
        kind = self.types[column.type]
        return f"{column.name} " + (f"Nullable({kind})" if column.nullable else kind)

    def rows(self, table):
        return f"{table} FINAL"

    def div(self, dividend, divisor):
        return f"intDiv({dividend}, {divisor})"

    def text(self, number):
        return f"toString({number})"

    def concat(self, parts):
        return f"concat({', '.join(parts)})"

    def table(self, table):
        key = ", ".join(["host", "run"] + table.key)
        return (f"-- {table.about}\nCREATE TABLE IF NOT EXISTS {table.name} (\n"
                f"{self.columns(table)}\n) ENGINE = ReplacingMergeTree() "
                f"PARTITION BY toYYYYMM(date) ORDER BY ({key});\n")

    def period_table(self):
        return ("-- What the questions look at: one row\n"
                "CREATE TABLE IF NOT EXISTS period (first_date Date, last_date Date)"
                " ENGINE = TinyLog;\n"
                f"INSERT INTO period SELECT toDate('{self.first_day}'), toDate('{self.last_day}')\n"
                "FROM system.one WHERE (SELECT count() FROM period) = 0;\n")

    def view(self, name, select):
        return f"DROP TABLE IF EXISTS {name};\nCREATE VIEW {name} AS\n{select};\n"

    def later(self, table, what="TABLE", schema=""):
        return ""  # old servers have no IF NOT EXISTS for columns: alter.sql

    def alter_sql(self, tables, _):
        return ALTER + "".join(super(Clickhouse, self).later(table).replace(" IF NOT EXISTS", "")
                               for table in tables)

    def cluster_sql(self, tables, _):
        """In a database of its own, beside that of create.sql, which all shards have."""
        return CLUSTER + "\n".join(
            f"DROP TABLE IF EXISTS {table.name};\n"
            f"CREATE TABLE {table.name} AS umaskaudit.{table.name}\n"
            f"ENGINE = Distributed(umaskaudit, umaskaudit, {table.name}, cityHash64(host));\n"
            for table in tables) + "\n" + self.period_table()


ALTER = """-- What a database of an older version lacks, beside the tables that create.sql makes:
-- load takes the lines whose columns are missing.

"""


CLUSTER = """-- All shards as one: for a database beside `umaskaudit`, which create.sql has
-- filled on each shard; the cluster's name in the server's remote_servers is umaskaudit. Then
-- questions.sql, and load -d DATABASE. A host's rows are on one shard. After an update: create.sql
-- and what is missing of alter.sql on each shard, then this again, which loses no row.

"""


def raw_string(text):
    """A C++ literal of any length, out of parts: compilers limit one."""
    lines, parts, size = text.splitlines(keepends=True), [[]], 0
    for line in lines:
        if size + len(line) > 8000:
            parts.append([])
            size = 0
        parts[-1].append(line)
        size += len(line)
    return "\n    ".join(f'R"sql({"".join(part)})sql"' for part in parts)


def quoted(text):
    assert text.isascii() and text.isprintable(), text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def table_cc(table):
    rows = ",\n".join(f'    {{{quoted(column.name)}, ColumnType::{column.type}, '
                      f'{str(column.nullable).lower()}}}' for column in table.columns)
    text = f"constexpr ColumnInfo {table.name}_columns[] = {{\n{rows}}};\n"
    if table.key:
        text += (f"constexpr const char* {table.name}_key[] = "
                 f"{{{', '.join(map(quoted, table.key))}}};\n")
    return text


def cc(tables, questions):
    rows = ",\n".join(
        f"    {{{quoted(table.name)}, {table.name}_columns, "
        + (f"{table.name}_key" if table.key else "{}") + f", {table.since}}}" for table in tables)
    asked = ",\n".join(f'    {{{quoted(name.replace("_", "-"))}, {quoted(title)}, "q_{name}"}}'
                       for name, title, _ in questions)
    sqlite = Sqlite()
    return f"""// {MADE}
#include "reporter/fleet/table_info.h"

namespace umaskaudit::fleet {{
namespace {{

{"".join(map(table_cc, tables))}
constexpr TableInfo tables[] = {{
{rows}}};

constexpr Question questions[] = {{
{asked}}};

}}  // namespace

std::span<const TableInfo> fleet_tables() {{ return tables; }}
int fleet_tables_version() {{ return {tables.version}; }}
std::span<const Question> fleet_questions() {{ return questions; }}

const char* sqlite_create_sql() {{
  return {raw_string(sqlite.create_sql(tables, questions))};
}}

const char* sqlite_questions_sql() {{
  return {raw_string(sqlite.questions_sql(tables, questions))};
}}

}}  // namespace umaskaudit::fleet
"""


def plain(text):
    """Text for scdoc(5) that is nothing else."""
    return re.sub(r"([_*\\\\#`~\[\]])", r"\\\1", text)


def scd(tables, questions):
    """The part of umaskaudit-tables(5) that lists tables and questions."""
    def columns(listed):
        return "".join(f"*{plain(column.name)}* {column.type}{', or NULL' * column.nullable}\n"
                       f"\t{plain(column.about)}\n\n" for column in listed)

    made = "## Of every table\n\n" + columns(tables[0].columns[:COMMON])
    for table in tables:
        key = ", ".join(plain(name) for name in ["run"] + table.key)
        about = plain(table.about[0].upper() + table.about[1:])
        since = f" Since version {table.since}." if table.since > 1 else ""
        made += (f"## {table.name}\n\n{about}. Its key: {key}.{since}\n\n"
                 + columns(table.columns[COMMON:]))
    return made + "# QUESTIONS\n\n" + "".join(
        f"*q\\_{plain(name)}*\n\t{plain(title)}.\n\n" for name, title, _ in questions)


ENGINE = {"sqlite": Sqlite, "duckdb": Duckdb, "postgresql": Postgresql,
          "clickhouse": Clickhouse}

OTHER = {"cc": cc, "scd": scd}


def sql(engine, part, tables, questions):
    made = getattr(ENGINE[engine](), f"{part}_sql")(tables, questions)
    return f"-- {MADE}\n\n{made}"


def main():
    what, tables_file, questions_file, *outputs = sys.argv[1:]
    tables, questions = read_tables(tables_file), list(read_questions(questions_file))
    for output in map(Path, outputs):
        text = (OTHER[what](tables, questions) if what in OTHER
                else sql(what, output.stem, tables, questions))
        output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
