"""The engines of a fleet give the same answers to the row: a simulated lake is loaded into each,
twice, and asked all questions. Must never need an engine: what cannot be had is skipped with its
reason, and SQLite is always there."""

import concurrent.futures
import json
import os
import re
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "e2e"), str(Path(__file__).parent)]
import engines  # noqa: E402
import simulate  # noqa: E402
from lib import harness  # noqa: E402

QUESTIONS = [f"q_{name}" for name, _, _ in simulate.description.read_questions(
    ROOT / "reporter" / "fleet" / "sql" / "questions.sql.in")]
PERIOD = ("2026-01-30", "2026-02-02")
EVER = ("1970-01-01", "2105-12-31")
HOSTS, DAYS, ROWS = 5, 6, 300


def unescaped(text):
    """The bytes that escape() wrote: what umaskaudit-tables(5) says about it, read backwards."""
    def back(match):
        plain, byte, point = match.groups()
        if plain:
            return {"n": b"\n", "t": b"\t", "r": b"\r", "\\": b"\\"}[plain]
        return bytes([int(byte, 16)]) if byte else chr(int(point, 16)).encode()

    pattern = re.compile(r"\\(?:([ntr\\])|x([0-9a-f]{2})|u\{([0-9a-f]+)\})")
    raw, end = b"", 0
    for match in pattern.finditer(text):
        raw += text[end:match.start()].encode() + back(match)
        end = match.end()
    return raw + text[end:].encode()


def started(kind, place):
    for attempt in range(4):
        engine = kind(Path(tempfile.mkdtemp(dir=place)))
        try:
            engine.start()
            return engine
        except engines.Missing as error:
            raise unittest.SkipTest(str(error)) from error
        except RuntimeError as error:
            # Another process took the port that was free.
            if attempt == 3 or "Address already in use" not in str(error):
                raise


def all_answers(engine, period=None):
    if period:
        engine.set_period(*period)
    selects = {name: f"SELECT * FROM {name}" for name in QUESTIONS}
    for table in simulate.TABLES:
        selects[table.name] = f"SELECT count(*) FROM {engine.rows(table.name)}"
    return dict(zip(selects, engine.ask_all(selects.values())))


class Engines(harness.Case):
    """The reference is SQLite, by Python's module and a loader of this test's own."""

    @classmethod
    def setUpClass(cls):
        cls.place = Path(tempfile.mkdtemp(prefix="umaskaudit-fleet-"))
        cls.addClassCleanup(harness.remove_tree, cls.place)
        os.chmod(cls.place, 0o711)
        # A lake's path has what shells and SQL trip over.
        cls.lake = cls.place / "a 'lake'"
        simulate.simulate(cls.lake, HOSTS, DAYS, 1, ROWS)
        # Beside it one in which a run was exported anew, with fewer rows of some kinds.
        cls.later = cls.copy(cls.lake, "later")
        cls.renew(cls.later)
        cls.answers = {}
        for lake in (cls.later, cls.lake):
            engine = cls.started(engines.Sqlite)
            engine.load(lake)
            cls.answers[lake, None] = all_answers(engine)
        cls.answers[cls.lake, PERIOD] = all_answers(engine, PERIOD)

    @classmethod
    def copy(cls, lake, name):
        place = cls.place / name
        shutil.copytree(lake, place, copy_function=os.link)
        return place

    @staticmethod
    def renew(lake):
        compress = simulate.compressor()
        shutil.rmtree(next(lake.glob("host=host-001/date=2026-02-01/run=*")))
        simulate.write_run(lake, b"host-001", 3, 0, simulate.Profile(4, ROWS - 100), compress)

    @classmethod
    def started(cls, kind):
        engine = started(kind, cls.place)
        cls.addClassCleanup(engine.stop)
        return engine

    def compare(self, engine, lake, period=None):
        answers = all_answers(engine, period)
        for name, expected in self.answers[lake, period].items():
            with self.subTest(name):
                if (name, period) != ("q_new_findings", PERIOD):
                    self.assertNotEqual(expected, [], "the test says nothing about it")
                self.assertEqual(answers[name], expected)

    def check(self, kind):
        engine = self.started(kind)
        engine.load(self.lake)
        self.compare(engine, self.lake)
        engine.load(self.lake)
        self.compare(engine, self.lake)
        self.check_names(engine)
        engine.load(self.later)
        self.compare(engine, self.later)
        engine.load(self.lake)
        self.compare(engine, self.lake, PERIOD)
        return engine

    def check_names(self, engine):
        """Each byte of each name is there, and can be had back."""
        paths = engine.ask(f"SELECT path FROM {engine.rows('objects')} GROUP BY path")
        found = {unescaped(path) for path, in paths}
        self.assertLessEqual({b"/tmp/" + name for name in simulate.HOSTILE}, found)
        hosts = engine.ask(f"SELECT host FROM {engine.rows('runs')} GROUP BY host")
        self.assertEqual({unescaped(host) for host, in hosts},
                         {simulate.host_name(number) for number in range(HOSTS)})

    def test_sqlite(self):
        self.check(engines.Sqlite)

    def test_fleet(self):
        self.check(engines.Fleet)

    def test_duckdb(self):
        self.check(engines.Duckdb)

    def test_duckdb_over_the_files(self):
        engine = self.check(engines.DuckdbFiles)
        self.check_parquet(engine)

    def old_tables(self, engine):
        """What create.sql made before these tables had their present version."""
        tables = simulate.description.read_tables(ROOT / "reporter" / "fleet" / "tables.json", 1)
        self.assertLess(len(tables), len(simulate.TABLES))
        return engine.create_sql(tables, [])

    def check_updated(self, engine):
        for _ in range(2):
            engine.load(self.lake)
            self.compare(engine, self.lake)

    def test_duckdb_of_an_older_version(self):
        self.started(engines.Duckdb)  # or it is skipped
        engine = engines.Duckdb(Path(tempfile.mkdtemp(dir=self.place)))
        engine.sql(self.old_tables(simulate.description.Duckdb()))
        engine.start()
        self.check_updated(engine)

    def test_postgresql_of_an_older_version(self):
        engine = self.started(engines.Postgresql)
        engine.sql("-c", self.old_tables(simulate.description.Postgresql())
                   + "CREATE VIEW q_programs AS SELECT 1 AS program, 2 AS other")
        self.check_updated(engine)

    def test_clickhouse_of_an_older_version(self):
        engine = self.started(engines.Clickhouse)
        engine.sql("CREATE DATABASE umaskaudit", "default")
        engine.sql(self.old_tables(simulate.description.Clickhouse()))
        self.check_updated(engine)

    def check_parquet(self, engine):
        """The lake as Parquet has the same rows."""
        place = self.place / "parquet"
        place.mkdir()
        engine.sql(f"SET VARIABLE parquet = '{place}'", "parquet.sql", lake=self.lake)
        engine.sql(f"CREATE TABLE period AS SELECT DATE '{EVER[0]}' AS first_date,"
                   f" DATE '{EVER[1]}' AS last_date",
                   *(f"CREATE VIEW {table.name} AS SELECT * FROM read_parquet("
                     f"'{place}/{table.name}/*/*/*.parquet', hive_partitioning = false)"
                     for table in simulate.TABLES), "questions.sql", database="parquet.duckdb")
        selects = [f"SELECT * FROM {name}" for name in QUESTIONS]
        for name, rows in zip(QUESTIONS, engine.sql(*selects, database="parquet.duckdb")):
            with self.subTest(name):
                self.assertEqual(engines.comparable(rows), self.answers[self.lake, None][name])

    def test_postgresql(self):
        engine = self.check(engines.Postgresql)
        self.check_damaged(engine)
        engine.execute("SELECT umaskaudit_drop_month('2026-01-30')")
        left = engine.ask("SELECT min(date), max(date) FROM runs")
        self.assertEqual(left, [("2026-02-01", "2026-02-03")])

    def test_postgresql_twice_at_once(self):
        """Two loads that begin at the same time, of an empty database."""
        engine = self.started(engines.Postgresql)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for load in [pool.submit(engine.load, self.lake) for _ in range(2)]:
                load.result()
        self.compare(engine, self.lake)

    def test_postgresql_remote(self):
        """The hosts in two lakes, of two clusters; one run is in both."""
        near, far = self.copy(self.lake, "near"), self.copy(self.lake, "far")
        for number, host in enumerate(sorted(os.listdir(self.lake))):
            shutil.rmtree((near, far)[number % 2] / host)
        both = next(near.glob("host=*/date=*/run=*")).relative_to(near)
        shutil.copytree(near / both, far / both)
        engine = self.started(engines.PostgresqlRemote)
        engine.load(near)
        self.compare(engine, self.lake)
        engine.load(near)
        self.compare(engine, self.lake, PERIOD)

    def test_clickhouse(self):
        engine = self.check(engines.Clickhouse)
        self.check_damaged(engine)
        for table in simulate.TABLES:
            engine.sql(f"ALTER TABLE {table.name} DROP PARTITION 202601")
        left = engine.ask("SELECT min(date), max(date) FROM runs FINAL")
        self.assertEqual(left, [("2026-02-01", "2026-02-03")])

    def check_damaged(self, engine):
        """A file that ends early is no run: nothing counts of it, until it is whole."""
        engine.set_period(*EVER)
        damaged = self.copy(self.lake, f"damaged {engine.name}")
        extra = [simulate.write_run(damaged, b"host-000", 2, 1 + number, simulate.Profile(5, ROWS),
                                    simulate.compressor()) for number in range(2)]
        file = next(damaged.glob(f"*/*/run={extra[0]}/objects.jsonl.zst"))
        whole = file.read_bytes()
        file.write_bytes(whole[:-len(whole) // 3])
        with self.assertRaises(RuntimeError):
            engine.load(damaged)
        count = f"SELECT count(*) FROM {engine.rows('runs')}"
        self.assertEqual(engine.ask(count), self.answers[self.lake, None]["runs"])
        file.write_bytes(whole)
        engine.load(damaged)
        self.assertEqual(engine.ask(count), [(str(HOSTS * DAYS + 2),)])
        objects = engine.ask(f"SELECT count(*) FROM {engine.rows('objects')}"
                             f" WHERE run = '{extra[0]}'")
        self.assertEqual(objects, [(str(simulate.Profile(5, ROWS).count["objects"]),)])

    def test_postgresql_refuses_a_row_of_another_run(self):
        engine = self.started(engines.Postgresql)
        mixed = self.copy(self.lake, "mixed")
        run = simulate.write_run(mixed, b"host-000", 1, 1, simulate.Profile(5, ROWS),
                                 simulate.compressor())
        file = next(mixed.glob(f"*/*/run={run}/losses.jsonl.zst"))
        text = engines.run(["zstd", "-dcq", str(file)])
        engine.load(self.lake)
        other = json.dumps(dict(json.loads(text.split(b"\n")[0]), run="stray", loss=1000))
        file.write_bytes(simulate.compressor()(text + other.encode() + b"\n"))
        with self.assertRaisesRegex(RuntimeError, "a row of run stray is in the directory"):
            engine.load(mixed)
        self.compare(engine, self.lake)

    def test_clickhouse_cluster(self):
        engine = self.check(engines.ClickhouseCluster)
        for shard in (engine, engine.other):
            count = shard.sql("SELECT count() FROM runs", "umaskaudit")
            self.assertIn(int(count), range(1, HOSTS * DAYS), "all hosts are on one shard")

    def test_manual(self):
        """umaskaudit-tables(5) lists the tables as they are; tables.py scd writes the part."""
        part = ROOT / "reporter" / "man" / "parts" / "tables.scd"
        questions = simulate.description.read_questions(
            ROOT / "reporter" / "fleet" / "sql" / "questions.sql.in")
        self.assertEqual(part.read_text("utf-8"),
                         simulate.description.scd(simulate.TABLES, questions))

    def test_kinds(self):
        """The questions know each kind of object by the name that the reporter gives it."""
        source = (ROOT / "reporter" / "events" / "names.cc").read_text("utf-8")
        body = source.partition("kind_name(")[2].partition("\n}\n")[0]
        self.assertEqual(set(re.findall(r'return "([^"]+)"', body)),
                         set(simulate.description.KINDS))


class Recorded(harness.Case):
    """Runs that were recorded: what `export` writes and `fleet` answers, in all engines."""

    # Opens the names that it is given, and two directories; the mask is another thread's.
    SCRIPT = """
import os, sys, threading
setter = threading.Thread(target=os.umask, args=(0,))
setter.start(), setter.join()
for name in sys.argv[1:]:
    os.close(os.open(os.fsencode(name), os.O_CREAT | os.O_WRONLY, 0o666))
os.mkdir("open"), os.mkdir("closed", 0o700)
"""

    def setUp(self):
        super().setUp()
        os.chmod(self.top, 0o711)
        self.names = [name for name in simulate.HOSTILE
                      if b"\0" not in name and 0 < len(name) < 200]
        self.lake = self.top / "lake"
        for number in range(2):
            place = self.work / f"place-{number}"
            place.mkdir()
            _, run = self.record(sys.executable, "-c", self.SCRIPT, *map(os.fsdecode, self.names),
                                 cwd=place)
            self.tool("export", run, "--format", "tables", "-o", self.lake)
            self.tool("export", run, "--format", "tables", "-o", self.lake)
        lines = self.tool("fleet", self.lake, "--format", "json", "--limit", "0",
                          *(name[2:].replace("_", "-") for name in QUESTIONS)).splitlines()
        self.expected = {name: [] for name in QUESTIONS}
        for line in lines:
            row = json.loads(line)
            question = "q_" + row.pop("question").replace("-", "_")
            self.expected[question].append(row.values())

    def check(self, kind):
        engine = started(kind, self.top)
        self.addCleanup(engine.stop)
        engine.load(self.lake)
        engine.load(self.lake)
        answers = all_answers(engine)
        self.assertEqual(answers["runs"], [("2",)])
        for name, rows in self.expected.items():
            with self.subTest(name):
                self.assertEqual(answers[name], engines.comparable(rows))
        self.assertEqual(len(answers["q_threads"]), 1)
        found = {unescaped(path): int(mode, 8) for _, path, _, mode, _
                 in answers["q_open_to_others"]}
        expected = {}
        for path in (bytes(place) + b"/" + name for place in self.work.iterdir()
                     for name in [*self.names, b"open"]):
            expected[path] = os.stat(path).st_mode & 0o7777
        self.assertEqual(found, expected)

    def test_all_engines(self):
        for kind in engines.ALONE:
            with self.subTest(kind.name):
                self.check(kind)


if __name__ == "__main__":
    harness.main()
