"""How loading and asking grow with a fleet: growth.py DIRECTORY [--hosts 1,10,100] [--days N]
[--runs N] [--rows N] [--engines NAME,...] [--formats | --answers].

Fills lakes below DIRECTORY (simulate.py), loads each into the engines and asks all questions;
prints Markdown. --formats compares JSON Lines, CSV and Parquet of the same rows instead; --answers
shows the engines' answers beside each other, as how many rows and a hash of them. Must never be a
test: times are of this machine, on this day. What it makes it removes."""

import argparse
import concurrent.futures
import hashlib
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import engines  # noqa: E402
import simulate  # noqa: E402

QUESTIONS = [f"q_{name}" for name, _, _ in simulate.description.read_questions(
    simulate.ROOT / "reporter" / "fleet" / "sql" / "questions.sql.in")]


class Cost:
    """What an action took: seconds of processor time, and of the clock."""

    def __init__(self, engine, action, *arguments):
        processor, clock = engine.processor(), time.monotonic()
        action(*arguments)
        self.clock = time.monotonic() - clock
        self.processor = engine.processor() - processor

    def __str__(self):
        return f"{self.processor:.1f} ({self.clock:.1f})"


def megabytes(path):
    return sum(file.lstat().st_size for file in Path(path).rglob("*") if file.is_file()) / 1e6


def fill(lake, hosts, given):
    parts = min(hosts, os.cpu_count())
    with concurrent.futures.ProcessPoolExecutor(
            parts, initializer=signal.signal, initargs=(signal.SIGTERM, signal.SIG_DFL)) as pool:
        made = [pool.submit(simulate.simulate, lake, hosts, given.days, given.runs, given.rows,
                            False, only=(part, parts)) for part in range(parts)]
        return sum(each.result() for each in made)


def in_halves(lake, place):
    """The lake's hosts in turn as the lakes near and far, for two clusters; returns the first."""
    for number, host in enumerate(sorted(os.listdir(lake))):
        shutil.copytree(lake / host, place / ("near", "far")[number % 2] / host,
                        copy_function=os.link)
    return place / "near"


def measured(kind, lake, rows, directory):
    """A row of the table; in a process of its own, so that memory is that of this engine."""
    engine = kind(directory)
    engine.start()
    if kind is engines.PostgresqlRemote:
        lake = in_halves(lake, directory / "lakes")
    try:
        load = Cost(engine, engine.load, lake)
        again = Cost(engine, engine.load, lake)
        size = megabytes(directory) - megabytes(directory / "lakes")
        asked = Cost(engine, engine.query, *(f"SELECT * FROM {name}" for name in QUESTIONS))
    finally:
        engine.stop()
    kilobytes = max(resource.getrusage(who).ru_maxrss
                    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return (f"| {engine.name} | {load} | {rows / load.processor / 1000:.0f} | {again} |"
            f" {size:.0f} MB | {asked} | {kilobytes / 1000:.0f} MB |")


def measured_apart(*arguments):
    with concurrent.futures.ProcessPoolExecutor(
            1, initializer=signal.signal, initargs=(signal.SIGTERM, signal.SIG_DFL)) as pool:
        return pool.submit(measured, *arguments).result()


def answers(given, top):
    hosts = int(given.hosts.split(",")[-1])
    lake = top / "lake"
    rows = fill(lake, hosts, given)
    table = {name: [] for name in ["", *QUESTIONS]}
    for kind in chosen(given):
        if kind is engines.PostgresqlRemote:
            continue
        engine = kind(Path(tempfile.mkdtemp(dir=top)))
        engine.start()
        try:
            engine.load(lake)
            table[""].append(engine.name)
            for name, answer in zip(QUESTIONS, engine.ask_all(f"SELECT * FROM {name}"
                                                              for name in QUESTIONS)):
                digest = hashlib.sha256(repr(answer).encode()).hexdigest()[:8]
                table[name].append(f"{len(answer)} {digest}")
        finally:
            engine.stop()
    print(f"\n{hosts} hosts, {given.days} days, {rows:,} rows: rows of an answer, and their hash\n")
    for name, cells in table.items():
        print("| " + " | ".join([name, *cells]) + " |")
        if not name:
            print("|---" * (1 + len(cells)) + "|")


def chosen(given):
    return [kind for kind in engines.ALL
            if not given.engines or kind.name.replace(",", "") in given.engines.split(",")]


def growth(given, top):
    kinds = chosen(given)
    for hosts in map(int, given.hosts.split(",")):
        lake = top / f"lake-{hosts}"
        begin = time.monotonic()
        rows = fill(lake, hosts, given)
        print(f"\n{hosts} hosts, {given.days} days, {hosts * given.days * given.runs} runs,"
              f" {rows:,} rows; the lake is {megabytes(lake):.1f} MB, made in"
              f" {time.monotonic() - begin:.0f} s\n\n"
              "Seconds of processor time (of the clock):\n\n"
              "| Engine | load | 1000 rows/s | load again | database | all questions"
              " | largest process |\n|---|---|---|---|---|---|---|", flush=True)
        for kind in kinds:
            directory = Path(tempfile.mkdtemp(dir=top))
            try:
                print(measured_apart(kind, lake, rows, directory), flush=True)
            except engines.Missing as error:
                print(f"| {kind.name} | skipped: {error} |")
            shutil.rmtree(directory)
        shutil.rmtree(lake)


def formats(given, top):
    """The objects of a lake, a file a run, in three formats; DuckDB reads and makes a table."""
    hosts = int(given.hosts.split(",")[-1])
    lake = top / "lake"
    fill(lake, hosts, given)
    duckdb = engines.Duckdb(Path(tempfile.mkdtemp(dir=top)))
    duckdb.start()
    table = next(table for table in simulate.TABLES if table.name == "objects")
    json_lines = simulate.description.Duckdb().files(table)
    for name, options in (("csv", "FORMAT csv, HEADER, COMPRESSION zstd"),
                          ("parquet", "FORMAT parquet, COMPRESSION zstd")):
        duckdb.sql(f"COPY (SELECT * FROM {json_lines}) TO '{top}/{name}' ({options}, PARTITION_BY"
                   " (host, date, run), WRITE_PARTITION_COLUMNS true)", lake=lake)
    types = simulate.description.Duckdb.types
    columns = ", ".join(f"{column.name}: '{types[column.type]}'" for column in table.columns)
    readers = {
        "JSON Lines, zstd": (json_lines, list(lake.rglob("objects.jsonl.zst"))),
        "CSV, zstd": (f"read_csv('{top}/csv/*/*/*/*', compression = 'zstd', header = true,"
                      f" hive_partitioning = false, columns = {{{columns}}})",
                      list((top / "csv").rglob("data_*"))),
        "Parquet, zstd": (f"read_parquet('{top}/parquet/*/*/*/*', hive_partitioning = false)",
                          list((top / "parquet").rglob("data_*"))),
    }
    count = duckdb.sql(f"SELECT count(*) FROM {json_lines}", lake=lake)[-1][0][0]
    print(f"\n{int(count):,} rows of `objects` in {len(readers['CSV, zstd'][1])} files\n\n"
          "| Format | size | bytes a row | into a table of DuckDB |\n|---|---|---|---|")
    for name, (reader, files) in readers.items():
        size = sum(file.stat().st_size for file in files)
        load = Cost(duckdb, lambda: duckdb.sql(
            f"CREATE OR REPLACE TABLE loaded AS SELECT * FROM {reader}", lake=lake))
        print(f"| {name} | {size / 1e6:.1f} MB | {size / int(count):.1f} | {load} |")


def main():
    parser = argparse.ArgumentParser(description="How loading and asking grow with a fleet.")
    parser.add_argument("directory")
    parser.add_argument("--hosts", default="1,10,100")
    for name, default in (("days", 30), ("runs", 1), ("rows", 1000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--engines", default="")
    parser.add_argument("--formats", action="store_true")
    parser.add_argument("--answers", action="store_true")
    given = parser.parse_args()
    # So that what it made goes when it is ended, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    top = Path(tempfile.mkdtemp(prefix="umaskaudit-growth-", dir=given.directory))
    os.chmod(top, 0o711)
    try:
        (formats if given.formats else answers if given.answers else growth)(given, top)
    finally:
        shutil.rmtree(top)


if __name__ == "__main__":
    main()
