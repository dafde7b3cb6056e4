"""A run as it happens: what is told live is what the report says afterwards."""

import collections
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time

from lib import harness
from lib.harness import Case, Report, needs, victim, wait_until

class LiveCase(Case):
    def start(self, *words, **options):
        """A process in a session of its own, ended at the latest with the test."""
        options.setdefault("cwd", self.work)
        options.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen([str(word) for word in words], start_new_session=True, **options)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()

    def start_run(self, *command, options=()):
        """A recorded program, as soon as its run can be followed: (process, run)."""
        run = self.new_run()
        process = self.start(harness.TOOL, "run", "-o", run, *options, "--", *command,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until((run / "run.json").exists, "the run begins")
        return process, run

    def follow(self, run, *options):
        self.live = self.top / "live.jsonl"
        return self.start(harness.TOOL, "report", run, "--format", "jsonl", "--follow", *options,
                          stdout=self.live.open("wb"))

    def lines(self):
        """The complete lines so far."""
        text = self.live.read_bytes()
        return Report(text[:text.rfind(b"\n") + 1].splitlines()).events


class Follow(LiveCase):
    maxDiff = None  # what differs is one event of many

    def facts(self, events):
        """Events as a multiset, without what depends on when they were read.

        That is their order, and how often a place opened the same object again (count).
        """
        umasks = {event["id"]: (event["tid"], event["old"], event["new"])
                  for event in events if event["type"] == "umask"}
        born = {event["object"]: event["path"] for event in events
                if event["type"] == "create" and event["created"] and "object" in event}
        counts = collections.Counter()
        for event in events:
            if event["type"] in ("finding", "object"):  # of the whole run: never followed
                continue
            event = {key: value for key, value in event.items()
                     if key not in ("seq", "time_ns", "id", "certain", "count")}
            if "object" in event:  # its number is that of its birth in the order of one reading
                event["object"] = born.get(event["object"])
            # By its name alone it is who had the name then: that depends on the order of events.
            if event["type"] == "change" and not event["ino"]:
                event.pop("object", None)
            # The name of a descriptor's object needs the whole run.
            if event.get("action") in ("chmod", "acl", "default-acl"):
                event.pop("path")
            if isinstance(event.get("mask_set_by"), int):
                event["mask_set_by"] = umasks[event["mask_set_by"]]
            counts[json.dumps(event, sort_keys=True)] += 1
        return counts

    def check(self, *command, least):
        """Follows the program from its beginning; the report says the same, no more and no less."""
        process, run = self.start_run(*command)
        follower = self.follow(run)
        self.assertEqual(follower.wait(harness.TIMEOUT), 0)
        self.assertIsNotNone(process.wait(harness.TIMEOUT))
        live = self.lines()
        report = Report(self.tool("report", run, "--format", "jsonl").splitlines()).events
        order = [event["seq"] for event in live if event["seq"]]
        self.assertEqual(order, sorted(set(order)))
        followed, told = self.facts(live), self.facts(report)
        self.assertEqual(followed - told, collections.Counter(), "only followed")
        self.assertEqual(told - followed, collections.Counter(), "lost by the follower")
        self.assertGreaterEqual(sum(followed.values()), least)
        return live

    def test_a_race_of_threads(self):
        self.check(victim("threads_umask"), self.work, 300, least=303)  # one window at the least

    def test_programs_that_start_programs(self):
        script = ("umask 027; for i in 1 2 3 4 5 6 7 8 9 10; do mkdir d$i; (umask 0; touch t$i); "
                  "umask 022; cp /etc/passwd p$i; done")
        self.check("sh", "-c", script, least=90)

    def test_forks_under_load(self):
        self.check(victim("fork_storm"), self.work, least=1000)

    def test_a_program_killed_in_the_middle(self):
        process, run = self.start_run(victim("threads_umask"), self.work, 1000000, 20000)
        follower = self.follow(run)
        wait_until(lambda: self.live.stat().st_size > 1000000, "hundreds of events are followed")
        (program,) = {event["pid"] for event in self.lines() if event["type"] == "process"}
        os.kill(program, signal.SIGKILL)
        self.assertEqual(process.wait(harness.TIMEOUT), 128 + 9)
        self.assertEqual(follower.wait(harness.TIMEOUT), 0)
        # What was made and not yet recorded when the signal came appears without a record.
        text = self.tool("report", run, "--format", "jsonl", "--no-appeared")
        self.assertEqual(self.facts(self.lines()), self.facts(Report(text.splitlines()).events))

    def test_events_come_while_the_program_runs_and_sigint_ends_it(self):
        fifo = self.work / "fifo"
        os.mkfifo(fifo)
        process, run = self.start_run("sh", "-c", "umask 077; mkdir made; read line < fifo")
        follower = self.follow(run)
        wait_until(lambda: [event for event in self.lines() if event.get("call") == "mkdir"],
                   "the creation is told")
        self.assertIsNone(process.poll())
        follower.send_signal(signal.SIGINT)
        self.assertEqual(follower.wait(harness.TIMEOUT), 0)
        fifo.write_text("\n")
        process.wait(harness.TIMEOUT)

    def test_filters_apply(self):
        _, run = self.record("sh", "-c", "umask 077; mkdir a b")
        follower = self.follow(run, "--path", "*/a")
        self.assertEqual(follower.wait(harness.TIMEOUT), 0)
        self.assertEqual([os.path.basename(event["path"]) for event in self.lines()
                          if event["type"] == "create"], ["a"])
        self.assertEqual([event for event in self.lines() if event["type"] == "umask"], [])

    def test_only_jsonl_can_be_followed(self):
        result = self.execute(harness.TOOL, "report", "x", "--follow")
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"--format jsonl", result.stderr)


class RunLive(LiveCase):
    """`run --live` and where its lines may go."""

    SCRIPT = "umask 027; mkdir made; umask 0; : > wide"

    def run_live(self, *options, command=("sh", "-c", SCRIPT), **rest):
        run = self.new_run()
        result = self.execute(harness.TOOL, "run", "-o", run, "--no-summary", *options, "--",
                              *command, **rest)
        return result, run

    def story(self, text):
        """Lines without what stands in front of the time of an event."""
        return re.findall(r"(?m)[+-]\d+\.\d{6}  .*", text)

    def check_story(self, text, run):
        """The same lines as those of the timeline that is made afterwards."""
        lines = self.story(text)
        told = self.story(self.tool("timeline", run))
        self.assertTrue([line for line in lines if re.search("0027->0000 +umask 0000", line)], text)
        self.assertEqual(len([line for line in lines if "created dir" in line]), 1, text)
        # Their clocks begin a few milliseconds apart.
        self.assertEqual(sorted(line.split(None, 1)[1] for line in lines),
                         sorted(line.split(None, 1)[1] for line in told))

    def test_lines_on_standard_error(self):
        result, run = self.run_live("--live")
        self.assertEqual((result.returncode, result.stdout), (0, b""))
        text = result.stderr.decode()
        self.check_story(text, run)
        self.assertTrue(all(line.startswith("umaskaudit: ") for line in text.splitlines()), text)
        mode = stat.S_IMODE(os.stat(self.work / "made").st_mode)
        self.assertIn(f"/made 0777 & ~0027 = {mode:04o}", text)
        self.assertRegex(text, r"0027->0000 +umask 0000  at \S+")

    def test_lines_come_while_the_program_runs(self):
        fifo = self.work / "fifo"
        os.mkfifo(fifo)
        log = self.top / "stderr"
        process = self.start(harness.TOOL, "run", "-o", self.new_run(), "--live", "--", "sh", "-c",
                             "mkdir made; read line < fifo; exit 7", stderr=log.open("wb"))
        wait_until(lambda: b"created dir" in log.read_bytes(), "the creation is told")
        self.assertIsNone(process.poll())
        fifo.write_text("\n")
        self.assertEqual(process.wait(harness.TIMEOUT), 7)

    def test_many_threads_lose_no_line(self):
        result, run = self.run_live("--live", command=(victim("threads_umask"), self.work, 300))
        self.assertEqual(result.returncode, 0)
        events = self.report(run)
        lines = self.story(result.stderr.decode())
        told = [re.findall(r"\((\d+) times\)", line) for line in lines if "->" in line]
        self.assertEqual(sum(int(times[0]) if times else 1 for times in told),
                         len(events.of("umask")))
        self.assertEqual(len([line for line in lines if " created " in line]),
                         sum(map(len, events.creations().values())))

    def test_names_of_the_program_are_escaped(self):
        result, _ = self.run_live("--live", command=("mkdir", "\x1b[2Jx\ny"))
        self.assertNotIn(b"\x1b", result.stderr)
        self.assertIn(rb"\x1b[2Jx\ny 0777", result.stderr)

    def test_colour_is_asked_for(self):
        result, _ = self.run_live("--live", "--color", "always")
        self.assertIn(b"\x1b[", result.stderr)

    def test_a_file_is_private_and_nothing_of_it_reaches_the_program(self):
        log = self.top / "live.log"
        os.umask(0)
        result, run = self.run_live("--live-to", f"file:{log}", command=(
            "sh", "-c", "ls -l /proc/self/fd; " + self.SCRIPT))
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertNotIn(b"live.log", result.stdout)
        self.assertEqual(stat.S_IMODE(log.stat().st_mode), 0o600)
        text = log.read_text()
        self.check_story(text, run)
        for line in text.splitlines():
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d ")

    def test_a_program_that_cannot_be_seen(self):
        result, _ = self.run_live("--live", command=(victim("static_hello"),))
        self.assertIn(b"not seen: exec-static", result.stderr)

    def test_only_this_run_is_told(self):
        _, run = self.record("mkdir", "first")
        result = self.execute(harness.TOOL, "run", "-o", run, "--append", "--no-summary", "--live",
                              "--", "mkdir", "second")
        self.assertIn(b"/second 0777", result.stderr)
        self.assertNotIn(b"/first", result.stderr)

    def test_places_that_are_not_there(self):
        for place, cause in (("tape", b"(expected: stderr, syslog, journald, file:PATH, "
                              b"otlp, otlp:URL)"),
                             ("file:", b"invalid value"), ("file:/proc/none/x", b"cannot log to")):
            result = self.execute(harness.TOOL, "run", "-o", self.new_run(), "--live-to", place,
                                  "--", "mkdir", "made")
            self.assertEqual(result.returncode, 2, place)
            self.assertIn(cause, result.stderr)
            self.assertFalse((self.work / "made").exists())

    def refused(self, path, cause):
        """`run` ends before its program starts, and says why; nothing was made or written."""
        before = harness.tree(self.top)
        result = self.execute(harness.TOOL, "run", "-o", self.new_run(), "--live-to",
                              f"file:{path}", "--", "mkdir", "made")
        self.assertEqual((result.returncode, result.stdout), (2, b""))
        self.assertIn(cause, result.stderr)
        self.assertEqual(harness.tree(self.top), before)

    def test_a_file_in_a_directory_that_is_not_there(self):
        self.refused(self.top / "none" / "live.log", b"No such file or directory")

    def test_a_file_that_somebody_else_may_have_put_there(self):
        theirs = self.top / "theirs"
        theirs.write_text("before\n")
        planted = self.top / "planted"
        planted.symlink_to(theirs)
        self.refused(planted, b"symbolic link")
        planted.unlink()
        planted.symlink_to(self.top / "new")  # dangling: O_CREAT would make its target
        self.refused(planted, b"symbolic link")
        planted.unlink()
        planted.hardlink_to(theirs)
        self.refused(planted, b"more than one name")
        planted.unlink()
        self.refused(self.work, b"directory")
        self.assertEqual(theirs.read_text(), "before\n")
        if os.geteuid() == 0:
            theirs.chmod(0o666)
            os.chown(theirs, 65534, 65534)
            self.refused(theirs, b"another user")
            self.assertEqual(theirs.read_text(), "before\n")

    def test_a_file_that_grew_is_kept_to_a_size(self):
        log = self.top / "live.log"
        for name, content in (("live.log", "b" * (16 << 20)), ("live.1.log", "1"),
                              ("live.4.log", "4")):
            (self.top / name).write_text(content)
        os.umask(0)
        result, run = self.run_live("--live-to", f"file:{log}")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.check_story(log.read_text(), run)
        self.assertEqual(stat.S_IMODE(log.stat().st_mode), 0o600)
        self.assertEqual((self.top / "live.1.log").stat().st_size, 16 << 20)
        self.assertEqual((self.top / "live.2.log").read_text(), "1")
        self.assertEqual((self.top / "live.4.log").read_text(), "4")

    def received(self, place, socket_path, *binds):
        """The datagrams of a run in a mount namespace where our socket is the daemon's."""
        if os.geteuid() != 0:
            self.skipTest("needs root to mount")
        socket_path.parent.mkdir(parents=True, exist_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
            listener.bind(str(socket_path))
            run = self.new_run()
            script = "".join(f"mount --bind {source} {target} && " for source, target in binds)
            datagrams = []
            # The queue of a datagram socket is short, and its senders wait: unix(7).
            reader = threading.Thread(target=lambda: datagrams.extend(
                iter(lambda: listener.recv(65536), b"end")))
            reader.start()
            try:
                result = self.execute(
                    "unshare", "-m", "sh", "-c", script + 'exec "$@"', "sh", harness.TOOL, "run",
                    "-o", run, "--no-summary", "--live-to", place, "--", "sh", "-c", self.SCRIPT)
            finally:
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                    sender.sendto(b"end", str(socket_path))
                reader.join()
            if b"built without" in result.stderr:
                self.skipTest("built without libsystemd")
            self.assertEqual((result.returncode, result.stderr), (0, b""))
            return datagrams, run

    @needs("unshare", "mount")
    def test_syslog(self):
        devices = self.top / "dev"
        devices.mkdir()
        (devices / "null").touch()
        datagrams, run = self.received("syslog", devices / "log", ("/dev/null", devices / "null"),
                                       (devices, "/dev"))
        text = "\n".join(data.rstrip(b"\0\n").decode() for data in datagrams)
        self.check_story(text, run)
        for data in datagrams:  # RFC 3164: <facility * 8 + severity>; user is 1, info 6
            self.assertRegex(data, rb"^<14>.* umaskaudit\[\d+\]: ")

    @needs("unshare", "mount")
    def test_journald(self):
        fake = self.top / "run"
        datagrams, run = self.received("journald", fake / "systemd" / "journal" / "socket",
                                       (fake, "/run"))
        fields = [dict(line.split("=", 1) for line in data.decode().splitlines() if "=" in line)
                  for data in datagrams]
        self.check_story("\n".join(field["MESSAGE"] for field in fields), run)
        self.assertEqual({(field["SYSLOG_IDENTIFIER"], field["PRIORITY"]) for field in fields},
                         {("umaskaudit", "6")})


OVERLAPS = """\
import os, sys, threading
go, made = threading.Semaphore(0), threading.Semaphore(0)
def hit():
    while True:
        go.acquire()
        os.close(os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY, 0o666))
        os.unlink(sys.argv[1])
        made.release()
def open_window():
    before = os.umask(0)
    go.release()
    made.acquire()
    os.umask(before)
threading.Thread(target=hit, daemon=True).start()
open_window()
sys.stdin.readline()
open_window()
before = os.umask(0)
os.mkdir("wide")
sys.stdin.readline()
os.umask(before)
"""


class RunLiveFindings(LiveCase):
    """`run --live=findings`: each once, and none that the end of the run takes back."""

    def findings(self, text):
        return sorted(re.findall(r"(?m)(?:error|warning): [a-z-]+(?=: )", text))

    def found(self, run):
        return sorted(f"{event['severity']}: {event['rule']}" for event in self.report(run).of(
            "finding") if event["severity"] != "note")

    def test_each_is_told_once_and_while_the_program_runs(self):
        program = self.top / "app.py"
        program.write_text(OVERLAPS)
        line_of = {text: number for number, text in enumerate(OVERLAPS.split("\n"), 1)}
        window = line_of["    before = os.umask(0)"]
        create = line_of["        os.close(os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY, 0o666))"]
        log = self.top / "stderr"
        run = self.new_run()
        process = self.start(harness.TOOL, "run", "-o", run, "--no-summary", "--live=findings",
                             "--", sys.executable, program, "victim", stdin=subprocess.PIPE,
                             stderr=log.open("wb"))
        self.addCleanup(process.stdin.close)
        wait_until(lambda: "error: window-overlap: " in log.read_text(), "the overlap is told")
        self.assertIsNone(process.poll())
        text = log.read_text()
        self.assertIn(f"  at open_window app.py:{window}, hit hit app.py:{create}\n", text)
        self.assertNotIn("umask-zero", text)
        process.stdin.write(b"\n")
        process.stdin.flush()
        # The directory was made by the mask of 0 that is in force: what will become of that mask is
        # not known, what became of the directory is.
        wait_until(lambda: "warning: world-writable: " in log.read_text(), "the directory is told")
        self.assertEqual(os.stat(self.work / "wide").st_mode & 0o7777, 0o777)
        process.stdin.write(b"\n")
        process.stdin.flush()
        self.assertEqual(process.wait(harness.TIMEOUT), 0)
        text = log.read_text()
        self.assertTrue(all(line.startswith("umaskaudit: ") for line in text.splitlines()), text)
        self.assertEqual(self.findings(text), self.found(run))
        self.assertEqual(text.count("window-overlap"), 1, text)

    def test_what_is_known_at_the_end_only_is_told_then(self):
        log = self.top / "live.log"
        run = self.new_run()
        result = self.execute(harness.TOOL, "run", "-o", run, "--no-summary", "--live=findings",
                              "--live-to", f"file:{log}", "--", "sh", "-c", "umask 0; : > wide")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertIn("warning: umask-zero", self.findings(log.read_text()))
        self.assertEqual(self.findings(log.read_text()), self.found(run))

    def test_an_earlier_run_is_not_told(self):
        _, run = self.record("sh", "-c", "umask 0; : > wide")
        self.assertTrue(self.found(run))
        result = self.execute(harness.TOOL, "run", "-o", run, "--append", "--no-summary",
                              "--live=findings", "--", "mkdir", "second")
        self.assertEqual((result.returncode, result.stderr), (0, b""))

    def test_another_word_is_an_error(self):
        result = self.execute(harness.TOOL, "run", "--live=nothing", "--", "mkdir", "made")
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"--live: invalid value 'nothing' (expected: all, findings)", result.stderr)
        self.assertFalse((self.work / "made").exists())


if __name__ == "__main__":
    harness.main()
