"""Every export, read by a consumer that is not ours: json, sqlite3, a flame graph's parser."""

import collections
import json
import os
import re
import sqlite3
import stat
from datetime import datetime, timezone
from pathlib import Path

from lib import harness
from lib.harness import Case, needs, truths_of, victim

MANUAL = Path(__file__).resolve().parents[2] / "reporter" / "man" / "umaskaudit-sqlite.5.scd"
HOSTILE = b"a;b\x1b[31m\n\xff\xe2\x80\xae <script>"


class Exported(Case):
    def race(self):
        """A racy program, recorded: (run, what fstat said of each file, the setter's line)."""
        result, run = self.record(victim("threads_umask"), self.work, 300, 20000)
        truths = truths_of(result)
        setter = truths.pop()
        return run, {truth["path"]: truth for truth in truths}, setter

    def overlap(self):
        """A program whose windows hit other threads: (run, path -> (mode, mode it should have))."""
        for _ in range(10):  # each race takes its own course: some hit nobody
            result, run = self.record(victim("bug_filelock"), self.work)
            (truth,) = truths_of(result)
            hits = {hit["path"]: (hit["mode"], hit["expected"]) for hit in truth["hits"]}
            if hits:
                return run, hits
            harness.remove_tree(self.work)
            self.work.mkdir()
        return self.fail("ten races hit nobody")

    def hostile(self):
        """A run whose program chose the worst names."""
        path = os.fsencode(self.work) + b"/" + HOSTILE
        _, run = self.record("mkdir", os.fsdecode(path))
        return run, path

    def export(self, run, form, *options):
        """The path of the export, which has mode 0600 whatever the umask."""
        file = self.top / f"export.{form}"
        os.umask(0)
        self.tool("export", run, "--format", form, "-o", file, *options)
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        return file


class Chrome(Exported):
    def events(self, run):
        with self.export(run, "chrome").open(encoding="utf-8") as file:
            document = json.load(file)
        self.check_rules(document["traceEvents"])
        return document["traceEvents"]

    def check_rules(self, events):
        """What the trace event format asks for: fields, order, begins with ends, named tracks."""
        named = set()
        used = set()
        open_slices = collections.Counter()
        latest = collections.defaultdict(float)
        for event in events:
            for field in ("name", "ph", "ts", "pid", "tid"):
                self.assertIn(field, event)
            self.assertIn(event["ph"], "BEiCMXsf")
            track = (event["pid"], event["tid"])
            if event["ph"] == "M":
                named.add((event["name"], *track))
                self.assertTrue(event["args"]["name"])
                continue
            clock = (event["pid"], event["name"]) if event["ph"] == "C" else track
            self.assertGreaterEqual(event["ts"], latest[clock], event)
            latest[clock] = event["ts"]
            if event["ph"] == "C":
                self.assertIsInstance(event["args"]["octal"], int)
                continue
            used.add(track)
            if event["ph"] == "i":
                self.assertIn(event["s"], "tpg")
            open_slices[track] += {"B": 1, "E": -1}.get(event["ph"], 0)
            self.assertGreaterEqual(open_slices[track], 0, event)
        self.assertEqual(set(open_slices.values()) - {0}, set(), "a begin without its end")
        self.check_arrows(events)
        for pid, tid in used:
            self.assertIn(("thread_name", pid, tid), named)
        self.assertLessEqual({pid for pid, _ in used},
                             {pid for name, pid, _ in named if name == "process_name"})

    def check_arrows(self, events):
        """Each has one begin and one end, which is not before it, and both are within a slice."""
        slices = collections.Counter((event["pid"], event["tid"], event["ts"])
                                     for event in events if event["ph"] == "X")
        ends = {phase: {event["id"]: event for event in events if event["ph"] == phase}
                for phase in "sf"}
        self.assertEqual(len([event for event in events if event["ph"] in "sf"]),
                         2 * len(ends["s"]))
        self.assertEqual(set(ends["s"]), set(ends["f"]))
        for arrow, begin in ends["s"].items():
            end = ends["f"][arrow]
            self.assertEqual((begin["name"], begin["cat"]), (end["name"], end["cat"]))
            self.assertEqual(end["bp"], "e")
            self.assertGreaterEqual(end["ts"], begin["ts"])
            for one in (begin, end):
                self.assertTrue(slices[one["pid"], one["tid"], one["ts"]], one)

    def test_arrows_go_from_the_culprit_to_whom_it_hit(self):
        run, hits = self.overlap()
        events = self.events(run)
        begins = [event for event in events
                  if event["ph"] == "s" and event["name"] == "window-overlap"]
        told = {event["args"]["path"]: event for event in events
                if event["ph"] == "X" and event["args"].get("rule") == "window-overlap"}
        self.assertEqual(len(told), len(begins))
        self.assertTrue(begins)
        for path, event in told.items():
            self.assertEqual((event["args"]["mode"], event["args"]["expected"]), hits[path])
            self.assertNotIn(event["tid"], {begin["tid"] for begin in begins
                                            if begin["pid"] != event["pid"]})

    def test_windows_creations_and_masks_of_a_race(self):
        run, truths, setter = self.race()
        events = self.events(run)
        made = {event["args"]["path"]: event for event in events if event.get("cat") == "create"}
        self.assertEqual({path: event["args"]["final"] for path, event in made.items()},
                         {path: truth["final"] for path, truth in truths.items()})
        windows = [event for event in events if event["ph"] == "B"]
        self.assertEqual({event["tid"] for event in windows}, {setter["tid"]})
        # Each pair of the victim's calls is one window.
        self.assertEqual(len(windows), setter["umask_calls"] // 2)
        self.assertEqual({event["name"] for event in windows}, {"umask 0000"})
        self.assertEqual({event["args"]["octal"] for event in events if event["ph"] == "C"},
                         {0, 22, 77})
        self.assertIn("getter-idiom", {event["name"] for event in events})
        names = {event["args"]["name"] for event in events if event["name"] == "thread_name"}
        self.assertLessEqual({"setter", "maker"}, names)

    def test_processes_and_hostile_names(self):
        run, path = self.hostile()
        (made,) = [event for event in self.events(run) if event.get("cat") == "create"]
        self.assertTrue(made["args"]["path_bytes"])
        _, run = self.record("sh", "-c", "umask 077; mkdir d; (umask 0; mkdir e); mkdir f",
                             cwd=self.work)
        self.events(run)

    def test_every_stored_trace(self):
        stored = Path(__file__).resolve().parents[1] / "golden" / "traces"
        for run in sorted(stored.iterdir()):
            with self.subTest(run.name):
                self.events(run)


class Collapsed(Exported):
    def stacks(self, run, *options):
        """Read as flamegraph.pl does: frames between semicolons, a count behind the last blank."""
        counts = collections.Counter()
        for line in self.export(run, "collapsed", *options).read_text().splitlines():
            match = re.fullmatch(r"(.+) ([0-9]+)", line)
            self.assertTrue(match, line)
            frames = tuple(match[1].split(";"))
            self.assertNotIn("", frames, line)
            counts[frames] += int(match[2])
        return counts

    def test_creations_and_changes_add_up(self):
        run, truths, setter = self.race()
        creations = self.stacks(run)
        self.assertEqual(sum(creations.values()), len(truths))
        for frames in creations:
            self.assertEqual((frames[0], frames[-1]), ("threads_umask", "[open]"))
            self.assertTrue(any("create_files" in frame for frame in frames), frames)
        changes = self.stacks(run, "--by", "changes")
        self.assertEqual(sum(changes.values()), setter["umask_calls"] + 1)  # and main's
        self.assertEqual(sum(count for frames, count in changes.items()
                             if any("toggle_until_done" in frame for frame in frames)),
                         setter["umask_calls"])

    def test_no_stack_is_a_frame_too(self):
        run = self.new_run()
        self.execute(harness.TOOL, "run", "-o", run, "--stacks", "none", "--", "mkdir", "d")
        self.assertEqual(dict(self.stacks(run)), {("mkdir", "[no stack]", "[mkdir]"): 1})


class Sqlite(Exported):
    def database(self, run):
        file = self.export(run, "sqlite")
        self.assertEqual([name for name in os.listdir(self.top) if name.startswith(file.name)],
                         [file.name], "a journal or a temporary file was left")
        database = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        self.addCleanup(database.close)
        database.row_factory = sqlite3.Row
        self.assertEqual([tuple(row) for row in database.execute("PRAGMA integrity_check")],
                         [("ok",)])
        self.assertEqual(list(database.execute("PRAGMA foreign_key_check")), [])
        return database

    def rows(self, database, query):
        return [dict(row) for row in database.execute(query)]

    def test_tables_and_views_hold_what_fstat_said(self):
        run, truths, setter = self.race()
        database = self.database(run)
        objects = self.rows(database, "SELECT *, printf('%04o', final) AS mode FROM objects")
        self.assertEqual({row["path"]: row["mode"] for row in objects},
                         {path: truth["final"] for path, truth in truths.items()})
        self.assertEqual({row["thread"] for row in objects}, {"maker"})
        writable = self.rows(database, "SELECT * FROM v_world_writable")
        self.assertEqual({row["path"] for row in writable},
                         {path for path, truth in truths.items() if truth["final"] == "0666"})
        (changes,) = self.rows(database, "SELECT count(*) AS n FROM umask_events WHERE tid = "
                               + str(setter["tid"]))
        self.assertEqual(changes["n"], setter["umask_calls"])
        stacks = self.rows(database, "SELECT DISTINCT symbol FROM frames JOIN umask_events "
                                     "USING(stack) WHERE depth = 0 AND thread = 'setter'")
        self.assertEqual(len(stacks), 1)
        self.assertIn("toggle_until_done", stacks[0]["symbol"])

    def test_leaked_objects_are_those_that_fstat_found_wrong(self):
        run, hits = self.overlap()
        leaked = self.rows(self.database(run), "SELECT * FROM v_leaked")
        self.assertEqual({row["path"]: (row["mode"], row["expected"]) for row in leaked}, hits)
        self.assertEqual(len({row["culprit_tid"] for row in leaked}), 1)

    def test_bytes_that_are_not_text_keep_a_twin(self):
        run, path = self.hostile()
        (row,) = self.rows(self.database(run), "SELECT path, path_bytes FROM objects")
        self.assertEqual(row["path_bytes"], path)
        self.assertTrue(row["path"].isprintable(), row["path"])

    @needs("sqlite3")
    def test_the_queries_of_the_manual(self):
        run, _ = self.overlap()
        file = self.export(run, "sqlite")
        blocks = re.findall(r"```\n(SELECT.*?)```", MANUAL.read_text(), re.DOTALL)
        self.assertEqual(len(blocks), 3)
        for query in blocks:
            with self.subTest(query):
                result = self.execute("sqlite3", "-bail", file, query)
                self.assertEqual((result.returncode, result.stderr), (0, b""))
                self.assertNotEqual(result.stdout, b"")

    def test_a_database_needs_a_file(self):
        _, run = self.record("true")
        result = self.execute(harness.TOOL, "export", run, "--format", "sqlite")
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"-o FILE", result.stderr)

    def test_a_full_disk_leaves_nothing(self):
        _, run = self.record("sh", "-c", "for i in 1 2 3 4 5 6 7 8; do mkdir d$i; done")
        for form in ("sqlite", "ecs"):
            file = self.top / "no" / f"export.{form}"
            file.parent.mkdir(exist_ok=True)
            result = self.execute("sh", "-c", 'trap "" XFSZ; ulimit -f 4; exec "$@"', "sh",
                                  harness.TOOL, "export", run, "--format", form, "-o", file)
            self.assertNotEqual(result.returncode, 0)
            self.assertRegex(result.stderr.decode(), r"^umaskaudit: error: cannot write")
            self.assertEqual(os.listdir(file.parent), [])


# The fields of ECS 8.11 that the export uses, with the types that ECS gives them.
ECS = {
    "@timestamp": str, "message": str, "ecs.version": str,
    "event.kind": str, "event.category": list, "event.type": list, "event.action": str,
    "event.outcome": str, "event.module": str, "event.dataset": str, "event.sequence": int,
    "event.severity": int,
    "file.path": str, "file.path_bytes": str, "file.name": str, "file.directory": str,
    "file.type": str, "file.mode": str, "file.inode": str, "file.uid": str, "file.gid": str,
    "process.pid": int, "process.name": str, "process.executable": str,
    "process.parent.pid": int, "process.thread.id": int, "process.thread.name": str,
    "log.origin.function": str, "log.origin.file.name": str, "log.origin.file.line": int,
    "rule.id": str, "rule.name": str, "rule.description": str,
    "error.code": str, "error.message": str, "error.stack_trace": str,
}
# What ECS allows together (event.category: event.type).
TYPES = {"process": {"start", "change", "info"},
         "file": {"creation", "access", "change", "deletion"}}


def flat(value, name=""):
    for key, inner in value.items():
        path = f"{name}.{key}" if name else key
        if isinstance(inner, dict) and path != "umaskaudit":
            yield from flat(inner, path)
        else:
            yield path, inner


class Ecs(Exported):
    def lines(self, run):
        events = [json.loads(line)
                  for line in self.export(run, "ecs").read_text(encoding="utf-8").splitlines()]
        for event in events:
            self.check(event)
        return events

    def check(self, event):
        for name, value in flat(event):
            if name != "umaskaudit":
                self.assertIsInstance(value, ECS.get(name, type(None)), name)
        what = event["event"]
        self.assertRegex(event["@timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
        self.assertRegex(event.get("file", {}).get("mode", "0000"), "^0?[0-7]{4}$")
        self.assertIn(what["kind"], ("event", "alert"))
        if what["kind"] == "event":
            (category,) = what["category"]
            self.assertLessEqual(set(what["type"]), TYPES[category])
            self.assertIn(what["outcome"], ("success", "failure", "unknown"))

    def test_creations_changes_and_findings_of_a_race(self):
        before = datetime.now(timezone.utc)
        run, truths, setter = self.race()
        after = datetime.now(timezone.utc)
        events = self.lines(run)
        made = {event["file"]["path"]: event for event in events
                if event["event"].get("type") == ["creation"]}
        self.assertEqual({path: event["file"]["mode"] for path, event in made.items()},
                         {path: truth["final"] for path, truth in truths.items()})
        for path, event in made.items():
            status = os.lstat(path)
            self.assertEqual(event["file"]["inode"], str(status.st_ino))
            self.assertEqual(event["file"]["uid"], str(status.st_uid))
            self.assertEqual(event["process"]["thread"]["name"], "maker")
            at = datetime.fromisoformat(event["@timestamp"][:26] + "+00:00")
            self.assertTrue(before <= at <= after, event["@timestamp"])
        changes = [event for event in events if event["event"]["action"] == "umask"]
        self.assertEqual(len(changes), setter["umask_calls"] + 1)
        alerts = {event["rule"]["id"] for event in events if event["event"]["kind"] == "alert"}
        self.assertIn("getter-idiom", alerts)

    def test_failures_and_hostile_names(self):
        run, _ = self.hostile()
        text = self.export(run, "ecs").read_bytes()
        self.assertNotRegex(text, rb"[\x00-\x09\x0b-\x1f\x7f]")
        self.lines(run)
        _, run = self.record("sh", "-c", "mkdir /proc/none/such 2>&1; true")
        (failed,) = [event for event in self.lines(run)
                     if event["event"].get("outcome") == "failure" and "file" in event]
        self.assertEqual(failed["error"]["code"], "2")


if __name__ == "__main__":
    harness.main()
