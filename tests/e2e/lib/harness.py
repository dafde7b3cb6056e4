"""What the end-to-end tests share: recording a program, reading the report, comparing with disk.

Must never take its ground truth from the tool under test: modes come from os.stat or from the
victim. Each test file is a program of its own; meson starts it with --tap, the tools in TEST_*.
"""

import base64
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from lib.tap import main  # noqa: F401  (the test files call harness.main)

# By hand, a test file uses what scripts/test has built.
BUILD = Path(__file__).resolve().parents[3] / "build" / "debug"
TOOL = os.environ.get("TEST_UMASKAUDIT", str(BUILD / "reporter" / "umaskaudit"))
SHIM = os.environ.get("TEST_SHIM", str(BUILD / "preload" / "libumaskaudit.so"))
PROGRAMS = Path(os.environ.get("TEST_PROGRAMS", BUILD / "tests" / "programs"))
TIMEOUT = 900  # seconds; reached only by a hang, however busy the machine


# A shell's background job ignores these, and so would each program that a test starts and signals.
for inherited in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
    if signal.getsignal(inherited) is signal.SIG_IGN:
        signal.signal(inherited, signal.SIG_DFL)


def octal(mode):
    return f"{mode:04o}"


def victim(name):
    return str(PROGRAMS / name)


def needs(*programs):
    """Skips a test, with the reason, when one of the programs is not installed."""
    lacking = [program for program in programs if shutil.which(program) is None]
    return unittest.skipIf(lacking, f"{', '.join(lacking)} is not installed")


def no_shared_memory_for_all():
    """Why users other than its owner cannot make POSIX shared memory here (shm_overview(7))."""
    mode = stat.S_IMODE(os.stat("/dev/shm").st_mode) if os.path.isdir("/dev/shm") else None
    if mode is None:
        return "there is no /dev/shm"
    if mode & 0o003 != 0o003:
        return f"/dev/shm is {octal(mode)}, not 1777: other users can make nothing there"
    return ""


def remove_tree(path):
    """Also removes what a program made unreadable on purpose."""

    def open_up_and_retry(function, name, _):
        os.chmod(os.path.dirname(name), 0o700)
        if not os.path.islink(name):
            os.chmod(name, 0o700)
        if function in (os.open, os.scandir, os.lstat):
            shutil.rmtree(name)
        else:
            function(name)

    shutil.rmtree(path, onerror=open_up_and_retry)


def tree(top):
    """Every object below `top`: relative path to (type, permission bits)."""
    found = {}
    for directory, names, files in os.walk(top):
        for name in names + files:
            path = os.path.join(directory, name)
            mode = os.lstat(path).st_mode
            found[os.path.relpath(path, top)] = (stat.S_IFMT(mode), octal(stat.S_IMODE(mode)))
    return found


def left_running(process, top):
    """Ids of all that a command started and that is still there, whatever became of its parents:
    its descendants, its session, and who holds its output open or is in the directory `top`."""
    outputs = [os.fstat(stream.fileno()) for stream in (process.stdout, process.stderr)]
    parents, found = {}, set()
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                state, parent, _, session = file.read().rpartition(b")")[2].split()[:4]
            if state in b"ZX" or pid == os.getpid():
                continue
            parents[pid] = int(parent)
            if int(session) == process.pid or is_in(top, pid) or holds(pid, outputs):
                found.add(pid)
        except OSError:
            continue  # it has ended, or is another user's
    found.add(process.pid)
    found.update(pid for pid in parents if found & set(ancestors(pid, parents)))
    return found & set(parents)


def ancestors(pid, parents):
    while pid in parents:
        pid = parents[pid]
        yield pid


def is_in(top, pid):
    return Path(os.readlink(f"/proc/{pid}/cwd")).is_relative_to(top)


def holds(pid, files):
    """Whether a process has one of these files open; they are given by their os.stat()."""
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            if any(os.path.samestat(os.stat(f"/proc/{pid}/fd/{name}"), file) for file in files):
                return True
        except FileNotFoundError:
            pass
    return False


def end_all(process, top):
    """Ends what a command left running; it may go on forking meanwhile."""
    for _ in range(1000):
        running = left_running(process, top)
        if not running:
            return
        for pid in running:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass


class LeftOut:
    """Gives the lines of `report --format jsonl` what umaskaudit-jsonl(5) lets them leave out."""

    USUAL = {"umask": {"drift": False}, "change": {"errno": 0},
             "create": {"kind": "file", "mask_set_by": "inherited", "errno": 0},
             "object": {"changes": 0, "mask_set_by": "inherited"}}
    # The same as another field of the line.
    SAME = {"umask": {"argument": "new"}, "change": {"final": "requested"},
            "process": {"euid": "uid", "egid": "gid"},
            "object": {"born_path": "path", "born_mode": "mode"}}
    PLACES = {"create": ("dev", "uid", "gid"), "change": ("dev",), "object": ("dev", "uid", "gid")}

    def __init__(self):
        self.threads, self.places = {}, {}

    def complete(self, event):
        kind = event["type"]
        if "pid" in event:
            event.setdefault("tid", event["pid"])
            told = self.threads.setdefault((event["pid"], event["tid"]), {})
            self.carry(event, told, ("thread", "fs"))
        self.carry(event, self.places.setdefault(kind, {}), self.PLACES.get(kind, ()))
        for field, value in self.USUAL.get(kind, {}).items():
            event.setdefault(field, value)
        for field, other in self.SAME.get(kind, {}).items():
            if field not in event and other in event:
                event[field] = event[other]
                if f"{other}_bytes" in event:
                    event[f"{field}_bytes"] = event[f"{other}_bytes"]
        if kind == "create":
            self.complete_creation(event)

    @staticmethod
    def carry(event, told, fields):
        for field in fields:
            if field in event:
                told[field] = event[field]
            else:
                event[field] = told[field]

    @staticmethod
    def complete_creation(event):
        if "passed" in event:
            path = path_bytes(event)
            names = event.pop("passed")
            passed = b"/".join(path.split(b"/")[-abs(names):])
            passed = b"./" + passed if names < 0 else passed
            event["path_arg"] = passed.decode("utf-8", "replace")
            if "path_bytes" in event and event["path_arg"].encode() != passed:
                event["path_arg_bytes"] = base64.b64encode(passed).decode()
        if "steps" not in event:
            asked, mask = int(event["requested"], 8), int(event["mask"], 8)
            steps = [("requested", asked, 0, asked), ("umask", 0, asked & mask, asked & ~mask)]
            event["steps"] = [] if event["created"] is False else [
                {"rule": rule, **({"sets": octal(sets)} if sets else {}),
                 **({"clears": octal(clears)} if clears else {}), "mode": octal(mode)}
                for rule, sets, clears, mode in steps]


def path_bytes(event):
    """The path of an event, as it was passed to the kernel."""
    if "path_bytes" in event:
        return base64.b64decode(event["path_bytes"])
    return event["path"].encode()


class Report:
    """The events of one run, as `report --format jsonl` gives them, with what it leaves out.

    `run` is the first line; each event that may have a stack has its frames in "stack".
    """

    def __init__(self, lines):
        stacks, partial, left_out = {0: []}, set(), LeftOut()
        self.run = None
        self.events = []
        for line in lines:
            event = json.loads(line)
            if event["type"] == "run":
                assert self.run is None and not self.events, line
                self.run = event
            elif event["type"] == "stack":
                assert event["id"] not in stacks, line
                stacks[event["id"]] = event["frames"]
                if event.get("partial"):
                    partial.add(event["id"])
            else:
                left_out.complete(event)
                if "seq" in event:
                    if event.get("stack") in partial:
                        event["stack_partial"] = True
                    event["stack"] = stacks[event.get("stack", 0)]
                    event.setdefault("call", "")
                    if "started_by" in event:
                        event["started_by"] = stacks[event["started_by"]]
                self.events.append(event)

    def of(self, kind, **fields):
        """The events of type `kind` whose fields have these values.

        Mask changes that were folded come as often as they happened.
        """
        return [event for event in self.events if event["type"] == kind
                and all(event.get(key) == value for key, value in fields.items())
                for _ in range(event.get("count", 1) if kind == "umask" else 1)]

    def creations(self):
        """path -> the events that say they made it, in order."""
        made = {}
        for event in self.of("create"):
            if event["created"] is True:
                made.setdefault(event["path"], []).append(event)
        return made


class Case(unittest.TestCase):
    """A test with a directory of its own, gone afterwards whatever happens."""

    maxDiff = 4000
    base = None  # where the directory is made; None: TMPDIR

    def setUp(self):
        self.top = Path(os.path.realpath(tempfile.mkdtemp(prefix="umaskaudit-e2e-", dir=self.base)))
        self.addCleanup(remove_tree, self.top)
        self.work = self.top / "work"
        self.work.mkdir()
        self.runs = 0
        # The tests decide on masks themselves.
        self.addCleanup(os.umask, os.umask(0o022))

    def new_run(self):
        self.runs += 1
        return self.top / f"run{self.runs}"

    def execute(self, *command, env=None, **options):
        """Runs a command to its end; returns a CompletedProcess with bytes."""
        options.setdefault("cwd", self.work)
        options.setdefault("stdin", subprocess.DEVNULL)
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith(("UMASKAUDIT_", "TEST_")) and key != "LD_PRELOAD"}
        environment.update(env or {})
        given = options.pop("input", None)
        if given is not None:
            options["stdin"] = subprocess.PIPE
        # A session of its own: by that, too, end_all() knows what belongs to it.
        with subprocess.Popen([str(word) for word in command], env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              start_new_session=True, **options) as process:
            try:
                stdout, stderr = process.communicate(given, timeout=TIMEOUT)
            except subprocess.TimeoutExpired:
                end_all(process, self.top)
                stdout, stderr = process.communicate()
                self.fail(f"{command} hangs; stderr: {stderr.decode(errors='replace')[-2000:]}")
        return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)

    def record(self, *command, status=0, **options):
        """Records a command with the launcher, which must exit so; returns (result, run).

        None: the caller looks at the exit code itself.
        """
        run = self.new_run()
        result = self.execute(TOOL, "run", "-o", run, "--", *command, **options)
        if status is not None:
            self.assertEqual(result.returncode, status, result.stderr.decode(errors="replace"))
        return result, run

    def preload(self, *command, options="log=off", env=None, **rest):
        """Runs a command with nothing but LD_PRELOAD and UMASKAUDIT_OPTIONS."""
        environment = {"LD_PRELOAD": SHIM, "UMASKAUDIT_OPTIONS": options, **(env or {})}
        return self.execute(*command, env=environment, **rest)

    def tool(self, *arguments, status=0, **options):
        result = self.execute(TOOL, *arguments, **options)
        self.assertEqual(result.returncode, status, result.stderr.decode(errors="replace"))
        return result.stdout.decode()

    def report(self, run):
        """The run's events, each checked for the promises of schema version 2."""
        file = self.top / "events.jsonl"
        self.tool("report", run, "--format", "jsonl", "-o", file)
        with file.open(encoding="utf-8") as lines:
            report = Report(lines)
        self.assertEqual(report.run["schema"], 2)
        umask_ids = {event["id"] for event in report.of("umask")}
        for event in report.events:
            self.check_event(event, umask_ids)
        return report

    def check_event(self, event, umask_ids):
        if event["type"] == "object":
            self.assertIn(event["state"], ("there", "gone", "replaced", "unknown"), event)
            return
        for field in ("type", "seq", "time_ns", "pid", "tid"):
            self.assertIn(field, event, event)
        if event["type"] == "umask":
            for field in ("old", "new"):
                self.assertRegex(event[field], "^0[0-7]{3}$", event)
            self.assertRegex(event["argument"], "^[0-7]{4,}$", event)
        if event["type"] != "create":
            return
        self.assertIn(event["created"], (True, False, "unknown"), event)
        setter = event["mask_set_by"]
        self.assertTrue(setter == "inherited" or setter in umask_ids, event)
        if event["created"] is True and event.get("final") is not None:
            self.check_steps(event)

    def check_steps(self, event):
        """The derivation ends at the final mode, and the arithmetic of the umask step is right."""
        steps = event["steps"]
        self.assertEqual(steps[0]["rule"], "requested", event)
        self.assertEqual(steps[-1]["mode"], event["final"], event)
        self.assertNotIn("unexplained", [step["rule"] for step in steps], event)
        before = steps[0]["mode"]
        for step in steps[1:]:
            if step["rule"] == "umask":
                expected = int(before, 8) & ~int(event["mask"], 8)
                self.assertEqual(int(step["mode"], 8), expected, event)
            before = step["mode"]

    def check_truths(self, report, truths):
        """Each line of ground truth that names a path has exactly one creation, with its values."""
        made = report.creations()
        for truth in truths:
            if "path" not in truth:
                continue
            events = made.get(truth["path"], [])
            self.assertEqual(len(events), 1, f"{truth}: {events}")
            event = events[0]
            for field, value in truth.items():
                if field == "mask" and "ambiguous_masks" in event:
                    self.assertIn(value, event["ambiguous_masks"], f"{truth}: {event}")
                else:
                    self.assertEqual(event[field], value, f"{field} of {truth}: {event}")

    def check_met(self, opened, met):
        """Calls that may create: so many made their object as `met` says False, the rest met one.

        What was there is told once for each place that opens it, with a count.
        """
        created = [event["created"] for event in opened]
        self.assertEqual(created.count(True), met.count(False))
        times = sum(event.get("count", 1) for event in opened if event["created"] is False)
        self.assertEqual(times, met.count(True))
        self.assertEqual(len(created), created.count(True) + created.count(False), "none unknown")

    def check_disk(self, report, least, changed=()):
        """Each object that a recorded call made, and that is still there, has the recorded mode.

        Not compared: paths in `changed`, whose mode the program changed afterwards, and paths that
        another object took over since. `least` objects must be left to compare.
        """
        compared = 0
        for path, events in report.creations().items():
            event = events[-1]
            if not path.startswith("/") or path in changed or not os.path.lexists(path):
                continue
            status = os.lstat(path)
            if "ino" in event and event["ino"] != status.st_ino:
                continue
            self.assertEqual(event["final"], octal(stat.S_IMODE(status.st_mode)), event)
            compared += 1
        self.assertGreaterEqual(compared, least)

    def check_all_told(self, report, top, but=()):
        """Each object below `top` was made by a recorded call, and has the mode that was told last.

        The other way round than check_disk: nothing may be there that is not in the report. Left
        out are symbolic links, and paths in `but`. Returns how many objects there are.
        """
        told = {}
        for event in report.events:
            key = event.get("dev"), event.get("ino")
            if event["type"] == "create":
                matters = event["created"] is True
            else:  # inodes come again: only what was made can be changed
                matters = event.get("action") == "chmod" and event["errno"] == 0 and key in told
            if matters:
                told[key] = event["final"]
        found, unlike = 0, []
        for directory, names, files in os.walk(top):
            for path in (os.path.join(directory, name) for name in names + files):
                status = os.lstat(path)
                if stat.S_ISLNK(status.st_mode) or path in but:
                    continue
                found += 1
                mode = octal(stat.S_IMODE(status.st_mode))
                if told.get((status.st_dev, status.st_ino)) != mode:
                    unlike.append((path, mode, told.get((status.st_dev, status.st_ino))))
        self.assertEqual(unlike, [])
        return found

    def check_same(self, *command, env=None, **options):
        """Runs the command bare, then with the shim recording, in the same fresh directory.

        Exit code, stdout, stderr and everything created must be the same. Returns the run.
        """
        seen = []
        run = self.new_run()
        for with_shim in (False, True):
            remove_tree(self.work)
            self.work.mkdir()
            if with_shim:
                result = self.preload(*command, options=f"log=off:trace={run}", env=env, **options)
            else:
                result = self.execute(*command, env=env, **options)
            seen.append((result.returncode, result.stdout.decode(errors="replace"),
                         result.stderr.decode(errors="replace"), tree(self.work)))
        self.assertEqual(seen[0], seen[1])
        return run


def wait_until(true, what, process=None):
    """Waits on a condition, not on time, which `process` is to bring about."""
    end = time.monotonic() + TIMEOUT
    while not true():
        ended = process is not None and process.poll() is not None
        if ended and not true():
            raise AssertionError(f"{process.args} ended with {process.returncode} before {what}")
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain until {what}")
        time.sleep(0.001)


def truths_of(result):
    """The ground truth that a victim printed: one JSON object a line."""
    return [json.loads(line) for line in result.stdout.splitlines()]


if __name__ == "__main__":
    sys.exit("this is a library; run one of the test files")
