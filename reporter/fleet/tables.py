"""What follows from tables.json and questions.sql.in: tables.py WHAT TABLES QUESTIONS OUT...

WHAT is an engine (sqlite, duckdb, postgresql, clickhouse): its SQL goes to the files OUT, whose
names say which part is wanted; or `cc`: OUT is the C++ behind table_info.h. Must never write what
an engine has no need to read: what a table means stands in tables.json and in the manual. Called by
meson, and imported by the tests of the engines."""

import json
import re
import sys
from pathlib import Path

MADE = "Made by tables.py from tables.json and questions.sql.in; a change made here is lost."
ENGINES = ("sqlite", "duckdb", "postgresql", "clickhouse")
# As kind_name() has them. Their places are numbers that only live within a question.
KINDS = ("unknown", "file", "dir", "fifo", "socket", "mqueue", "shm", "sem", "chardev", "blockdev",
         "tmpfile")
# What a row of `runs` says of the exported file: where one differs, the run was exported anew.
SAME_EXPORT = ("tables", "tool", "ended_ns", "complete", "records", "lost")


class Column:
    def __init__(self, name, kind, about):
        self.name, self.type, self.about = name, kind.rstrip("?"), about
        self.nullable = kind.endswith("?")


class Table:
    def __init__(self, name, given, common):
        self.name, self.about, self.key = name, given["about"], given["key"]
        self.columns = [Column(*column) for column in common + given["columns"]]
        names = [column.name for column in self.columns]
        assert len(set(names)) == len(names), name
        assert all(key in names for key in self.key), name
        assert not any(column.nullable for column in self.columns if column.name in self.key), name

    def names(self):
        return [column.name for column in self.columns]


def read_tables(path):
    given = json.loads(Path(path).read_text(encoding="utf-8"))
    return [Table(name, table, given["common"]) for name, table in given["tables"].items()]


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
        return "\n".join([self.table(table) for table in tables] + [self.period_table()])

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
        + (f"{table.name}_key}}" if table.key else "{}}") for table in tables)
    asked = ",\n".join(f'    {{{quoted(name.replace("_", "-"))}, {quoted(title)}, "q_{name}"}}'
                       for name, title, _ in questions)
    sqlite = Sqlite()
    return f"""// {MADE}
#include "reporter/fleet/table_info.h"

namespace umaskaudit {{
namespace {{

{"".join(map(table_cc, tables))}
constexpr TableInfo tables[] = {{
{rows}}};

constexpr Question questions[] = {{
{asked}}};

}}  // namespace

std::span<const TableInfo> fleet_tables() {{ return tables; }}
std::span<const Question> fleet_questions() {{ return questions; }}

const char* sqlite_create_sql() {{
  return {raw_string(sqlite.create_sql(tables, questions))};
}}

const char* sqlite_questions_sql() {{
  return {raw_string(sqlite.questions_sql(tables, questions))};
}}

}}  // namespace umaskaudit
"""


ENGINE = {"sqlite": Sqlite}


def sql(engine, part, tables, questions):
    made = getattr(ENGINE[engine](), f"{part}_sql")(tables, questions)
    return f"-- {MADE}\n\n{made}"


def main():
    what, tables_file, questions_file, *outputs = sys.argv[1:]
    tables, questions = read_tables(tables_file), list(read_questions(questions_file))
    for output in map(Path, outputs):
        text = (cc(tables, questions) if what == "cc"
                else sql(what, output.stem, tables, questions))
        output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
