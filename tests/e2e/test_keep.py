"""A service that goes on and on: the run stays within its bound, the end of it is whole against
stat, and the rest is counted."""

import json
import os
import signal
import struct
import subprocess

from lib import harness, mounts
from lib.harness import SHIM, TOOL, Case, victim

MEGABYTE = 1 << 20


class Keep(Case):
    def taken(self, run):
        """Bytes on the disk of all that the run has just now."""
        total = 0
        for entry in os.scandir(run) if run.exists() else ():
            try:
                total += os.lstat(entry).st_blocks * 512
            except FileNotFoundError:
                pass
        return total

    def watched(self, options, *command, bound, killed_at=None, run=None):
        """Runs a command; nowhere on the way does its run take more. Returns its truths."""
        run = run or self.new_run()
        environment = {**os.environ, "LD_PRELOAD": SHIM,
                       "UMASKAUDIT_OPTIONS": f"log=off:{options}:trace={run}"}
        most = 0
        with (self.top / "truths").open("w+b") as output:
            process = subprocess.Popen(list(map(str, command)), env=environment, stdout=output,
                                       stderr=subprocess.PIPE)
            while process.poll() is None:
                most = max(most, self.taken(run))
                if killed_at is not None and most >= killed_at:
                    process.send_signal(signal.SIGKILL)
            self.assertEqual(process.communicate()[1], b"")
            status = 0 if killed_at is None else -signal.SIGKILL
            self.assertEqual(process.returncode, status)
            output.seek(0)
            truths = [json.loads(line) for line in output]
        self.assertLessEqual(max(most, self.taken(run)), bound)
        return run, truths

    def lines(self, run):
        text = self.tool("report", run, "--format", "jsonl")
        report = harness.Report(text.splitlines())
        return [report.run, *report.events]

    def whole(self, lines):
        """Nothing is lost, but for what was counted."""
        self.assertEqual([line for line in lines if line["type"] == "loss"], [])
        self.assertEqual(lines[0]["type"], "run")
        return lines[0]["whole_since_ns"]

    def counted(self, lines, of):
        return sum(line["count"] for line in lines if line["type"] == "total" and line["of"] == of)

    def made(self, lines):
        created = {}
        for line in lines:
            if line["type"] == "create":
                created.setdefault(line.get("path"), []).append(line)
        return created

    def changes(self, lines):
        return sum(line.get("count", 1) for line in lines if line["type"] == "umask")

    def explain(self, run, truths):
        last = truths.pop()
        lines = self.lines(run)
        self.whole(lines)
        made = self.made(lines)
        self.assertEqual(sum(map(len, made.values())) + self.counted(lines, "create"), last["made"])
        self.assertEqual(self.changes(lines) + self.counted(lines, "umask"), last["umask_calls"])
        self.assertGreater(self.counted(lines, "create"), last["made"] // 4)
        self.assertEqual(len(truths), 4 * 20)
        for truth in truths:
            event, = made[truth["path"]]
            self.assertEqual(event["final"], truth["final"])
            self.assertEqual(harness.octal(os.lstat(truth["path"]).st_mode & 0o7777),
                             truth["final"])

    def test_a_service_within_the_bound_of_a_run(self):
        bound = 4 * MEGABYTE
        run, truths = self.watched(f"keep=latest:max_run={bound}", victim("service"), self.work,
                                   15000, 4, 100, bound=bound)
        self.explain(run, truths)

    def test_and_of_a_process(self):
        bound = 3 * MEGABYTE
        run, truths = self.watched(f"keep=latest:max_size={bound}", victim("service"), self.work,
                                   15000, 4, 100, bound=bound + 8192)
        self.explain(run, truths)

    def test_the_report_says_from_when_on(self):
        run, _ = self.watched("keep=latest:max_size=2M", victim("service"), self.work, 15000, 4,
                              100, bound=3 * MEGABYTE)
        text = self.tool("report", run)
        self.assertIn("The record is whole from ", text)
        self.assertIn("Summed up", text)
        counts = json.loads(self.tool("report", run, "--format", "json"))
        self.assertTrue(counts["complete"])
        judged = self.execute(TOOL, "check", run)
        self.assertIn(judged.returncode, (0, 1), judged.stderr)
        self.assertIn(b"not judged", judged.stderr)

    def test_killed_it_has_the_end(self):
        for killed_at in (MEGABYTE, 2 * MEGABYTE, 2 * MEGABYTE + MEGABYTE // 2):
            with self.subTest(killed_at=killed_at):
                run, _ = self.watched("keep=latest:max_size=3M", victim("service"), self.work,
                                      10 ** 9, 4, 100, bound=3 * MEGABYTE + 8192,
                                      killed_at=killed_at)
                lines = self.lines(run)
                made = self.made(lines)
                # A worker creates one file at a time: all but its last were recorded.
                unknown = [entry.path for entry in os.scandir(self.work)
                           if entry.path not in made]
                self.assertLessEqual(len(unknown), 4, unknown)
                for entry in os.scandir(self.work):
                    os.unlink(entry)

    def test_processes_that_end_make_room(self):
        self.start_many()

    def test_processes_that_end_make_room_on_an_overlay(self):
        """Where no lease tells that a process still has its segment mapped."""
        self.start_many(mounts.overlay(self) / "run")

    def start_many(self, run=None):
        bound = 2 * MEGABYTE
        programs = 400
        script = (f"i=0; while [ $i -lt {programs} ]; do "
                  "touch \"$0/f$i\"; rm \"$0/f$i\"; i=$((i+1)); done")
        run, _ = self.watched(f"keep=latest:max_run={bound}", "/bin/sh", "-c", script, self.work,
                              bound=bound, run=run)
        lines = self.lines(run)
        self.whole(lines)
        # Programs whose segments were dropped are not called unseen.
        self.assertEqual([line for line in lines if line["type"] == "blind_spot"], [])
        # The oldest of all still has its own.
        shell, = (line for line in lines if line["type"] == "process" and line["comm"] == "sh")
        self.assertEqual(len(list(run.glob(f"{shell['pid']}-*.seg"))), 1)
        state = (run / "run.state").read_bytes()
        images, segments, failed = struct.unpack_from("<3Q", state, 16)
        self.assertEqual((images, segments, failed), (2 * programs + 1, 2 * programs + 1, 0))
        dropped, = struct.unpack_from("<Q", state, 64)
        self.assertEqual(dropped, images - len(list(run.glob("*.seg"))))
        self.assertGreater(dropped, programs)
        summary = json.loads(self.tool("report", run, "--format", "json"))
        files = struct.unpack_from("<16Q", state, 88)[1]
        self.assertEqual(sum(map(len, self.made(lines).values())) + files, programs)
        self.assertIn("dropped", summary)
        # The latest one is there.
        self.assertIn(f"{self.work}/f{programs - 1}", self.made(lines))

    def test_children_share_what_a_process_may(self):
        bound = 3 * MEGABYTE
        script = """
import os, sys
for child in range(4):
    if os.fork() == 0:
        for i in range(4000):
            path = f"{sys.argv[1]}/{child}-{i}"
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            os.unlink(path)
        os._exit(0)
for child in range(4):
    assert os.wait()[1] == 0
"""
        run, _ = self.watched(f"keep=latest:max_run={bound}", "/usr/bin/python3", "-S", "-c",
                              script, self.work, bound=bound)
        lines = self.lines(run)
        self.whole(lines)
        made = [line for line in lines
                if line["type"] == "create" and line["path"].startswith(f"{self.work}/")]
        counted = sum(line["count"] for line in lines if line["type"] == "total" and
                      line["of"] == "create" and line["created"])
        self.assertEqual(len(made) + counted, 4 * 4000)

    def test_a_child_for_each_request(self):
        """Children that ended leave the record; the one that lives has its name and its mask."""
        bound = 2 * MEGABYTE
        run, truths = self.watched(f"keep=latest:max_run={bound}", victim("forking_service"),
                                   self.work, 5000, bound=bound)
        resident, last = truths
        lines = self.lines(run)
        since = self.whole(lines)
        made = self.made(lines)
        files = sum(count for path, count in ((path, len(events)) for path, events in made.items())
                    if path.startswith(f"{self.work}/"))
        self.assertEqual(files + self.counted(lines, "create"), last["made"])
        self.assertGreater(self.counted(lines, "create"), last["made"] // 2)
        processes = [line for line in lines if line["type"] == "process"]
        # The service itself, and each child.
        self.assertEqual(len(processes) + self.counted(lines, "process"), last["children"] + 1)
        # The first 64 KiB are never dropped; else only who lives is older than the whole record.
        self.assertLess(sum(line["time_ns"] < since for line in processes), 100)
        born, = (line for line in processes if line["pid"] == last["resident"])
        self.assertEqual(born["origin"], "fork")
        event, = made[f"{self.work}/resident"]
        self.assertEqual((event["pid"], event["mask"], event["final"]),
                         (last["resident"], resident["mask"], resident["final"]))
        report = self.tool("report", run)
        self.assertNotIn("INCOMPLETE", report)
        self.assertIn("No blind spots were detected.", report)

    def test_followed_a_living_process_is_born_once(self):
        """Its record moves on each time that its chunk is used again."""
        run = self.new_run()
        environment = {**os.environ, "LD_PRELOAD": SHIM,
                       "UMASKAUDIT_OPTIONS": f"log=off:keep=latest:max_run=2M:trace={run}"}
        service = subprocess.Popen([victim("forking_service"), str(self.work), "5000"],
                                   env=environment, stdout=subprocess.PIPE)
        while not self.taken(run):
            self.assertIsNone(service.poll())
        # It is not waited for before the follower ends, and is a zombie until then.
        text = self.tool("report", run, "--follow", "--format", "jsonl")
        lines = [json.loads(line) for line in text.splitlines()]
        truths = service.communicate()[0]
        self.assertEqual(service.returncode, 0)
        resident = json.loads(truths.splitlines()[-1])["resident"]
        born = [line for line in lines if line["type"] == "process" and line["pid"] == resident]
        self.assertEqual(len(born), 1)

    def test_a_snapshot_while_it_goes_on(self):
        run = self.new_run()
        environment = {**os.environ, "LD_PRELOAD": SHIM,
                       "UMASKAUDIT_OPTIONS": f"log=off:keep=latest:max_size=3M:trace={run}"}
        process = subprocess.Popen([victim("service"), str(self.work), "1000000000", "4", "100"],
                                   env=environment, stdout=subprocess.DEVNULL)
        try:
            for number in range(8):
                while self.taken(run) < (number + 1) * MEGABYTE // 3:
                    self.assertIsNone(process.poll())
                copy = self.top / f"copy{number}"
                self.tool("snapshot", run, "-o", copy)
                self.assertEqual(copy.stat().st_mode & 0o7777, 0o700)
                lines = self.lines(copy)
                # A writer may be amid a record or two.
                self.assertEqual([line for line in lines if line["type"] == "loss" and
                                  line["reason"] not in ("unfinished",)], [])
                self.assertGreater(len(self.made(lines)), 100)
        finally:
            process.kill()
            process.wait()


if __name__ == "__main__":
    harness.main()
