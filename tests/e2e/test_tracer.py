"""Programs that cannot be preloaded, recorded by the tracer: `run --see=all` and `attach`."""

import errno
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import textwrap
import unittest
from pathlib import Path

from lib import harness
from lib.harness import TOOL, Case, needs, octal, victim

NOBODY = 65534
# A call that sleeps in the kernel for longer than the gate waits, as on a disk that others keep
# busy, leaves an ambiguous mask, and says so. In one of so many runs no call may.
ATTEMPTS = 5


def modes(top):
    """Path to permission bits of everything below, but symbolic links."""
    found = {}
    for directory, names, files in os.walk(top):
        for path in (os.path.join(directory, name) for name in names + files):
            status = os.lstat(path)
            if not stat.S_ISLNK(status.st_mode):
                found[path] = octal(stat.S_IMODE(status.st_mode))
    return found


class TracedCase(Case):
    def record_all(self, *command, status=0, see="all", **options):
        run = self.new_run()
        result = self.execute(TOOL, "run", f"--see={see}", "-o", run, "--", *command, **options)
        if status is not None:
            self.assertEqual(result.returncode, status, result.stderr.decode(errors="replace"))
        return result, run

    def check_objects(self, run, top):
        """What is on disk is what the report's objects say, each once; returns the report."""
        report = self.report(run)
        told = {}
        for event in report.of("object", state="there"):
            self.assertNotIn(event["path"], told, "told twice")
            told[event["path"]] = event["mode"]
        self.assertEqual({path: told.get(path) for path in modes(top)}, modes(top))
        return report

    def check_race(self, *command):
        """Records a race: each object is right each time, and in one of some runs no mask is
        ambiguous and a window was met. Returns that run and its report."""
        for _ in range(ATTEMPTS):
            harness.remove_tree(self.work)
            self.work.mkdir()
            _, run = self.record_all(*command)
            report = self.check_objects(run, self.work)
            ambiguous = [event for event in report.of("create") if "ambiguous_masks" in event]
            said = self.execute(TOOL, "check", run).stdout
            if not ambiguous and b"window-overlap" in said:
                break
        self.assertEqual(ambiguous, [])
        self.assertIn(b"window-overlap", said)
        return run, report


class Static(TracedCase):
    def test_every_call(self):
        result, run = self.record_all(victim("traced"))
        self.assertEqual(result.stderr.count(b"cannot be audited"), 0, result.stderr)
        report = self.check_objects(run, self.work)
        self.assertEqual(report.of("blind_spot"), [])
        calls = {}
        for event in report.of("create"):
            calls.setdefault(Path(event["path"]).name, []).append(event)
        self.assertEqual([event["created"] for event in calls["plain"]], [True, False])
        self.assertEqual(calls["of-child"][0]["mask"], "0000")
        self.assertEqual(calls["of-parent"][0]["mask"], "0027")
        self.assertEqual((calls["x"][0]["created"], calls["x"][0]["errno"]),
                         (False, errno.ENOENT))

    def test_same_without(self):
        plain = self.work / "plain"
        traced = self.work / "traced"
        for place in (plain, traced):
            place.mkdir()
        native = self.execute(victim("traced"), cwd=plain)
        result, _ = self.record_all(victim("traced"), cwd=traced)
        self.assertEqual((native.returncode, native.stdout), (result.returncode, result.stdout))
        relative = [{os.path.relpath(path, top): mode for path, mode in modes(top).items()}
                    for top in (plain, traced)]
        self.assertEqual(relative[0], relative[1])

    def test_stack(self):
        _, run = self.record_all(victim("traced"))
        report = self.report(run)
        change = report.of("umask")[0]
        self.assertIn("main", [frame["symbol"] for frame in change["stack"]])
        self.assertIn("traced.cc:", self.tool("report", run, "--color", "never"))

    def test_default_says_what_to_do(self):
        result, run = self.record(victim("traced"))
        self.assertIn(b"--see=all", result.stderr)
        self.assertEqual(self.report(run).creations(), {})


class Gate(TracedCase):
    def test_masks_under_a_race(self):
        """Each of 3,000 files is explained, though the program still races."""
        count = 1500
        _, report = self.check_race(victim("traced_race"), str(count))
        made = [events[0] for path, events in report.creations().items() if "/r/" in path]
        self.assertEqual(len(made), 2 * count)
        wide = sum(event["final"] == "0666" for event in made)
        self.assertTrue(0 < wide < 2 * count, wide)

    def test_open_that_waits_for_the_held(self):
        _, run = self.record_all(victim("traced_fifo"))
        event, = self.report(run).creations()[str(self.work / "after")]
        self.assertEqual((event["mask"], event["final"]), ("0077", "0600"))


@unittest.skipUnless(os.path.exists(victim("everyday_address")), "no AddressSanitizer here")
class LeakSanitizer(TracedCase):
    """It does not work in a traced process; what is preloaded is not traced."""

    def end_of(self, *prefix):
        place = self.new_run()
        place.mkdir()
        environment = {"ASAN_OPTIONS": "detect_leaks=1"}
        return self.execute(*prefix, victim("everyday_address"), place, env=environment)

    def test_unharmed_beside_the_tracer(self):
        native = self.end_of()
        run = [TOOL, "run", "--no-summary", "-o"]
        for prefix in ([*run, self.new_run(), "--"], [*run, self.new_run(), "--see=all", "--"]):
            result = self.end_of(*prefix)
            self.assertEqual(result.returncode, native.returncode, result.stderr)
            self.assertNotIn(b"fails at its end", result.stderr)

    def test_warned_before_it_is_traced(self):
        result = self.end_of(TOOL, "run", "--no-summary", "--see=trace", "-o", self.new_run(), "--")
        self.assertIn(b"LSAN_OPTIONS=detect_leaks=0", result.stderr)


class Attach(TracedCase):
    def start(self):
        service = subprocess.Popen([victim("traced_service")], cwd=self.work, text=True, bufsize=1,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(service.stdout.close)
        self.addCleanup(service.wait)
        self.addCleanup(lambda: service.stdin.closed or service.stdin.close())
        self.assertEqual(service.stdout.readline(), "ready\n")
        return service

    def make(self, service, count):
        service.stdin.write(f"{count}\n")
        self.assertEqual(service.stdout.readline(), "done\n")

    def test_service(self):
        """No gap between the first and the last record, and the service goes on."""
        service = self.start()
        self.make(service, 3)
        run = self.new_run()
        recorder = subprocess.Popen([TOOL, "attach", str(service.pid), "-o", run], text=True,
                                    stderr=subprocess.PIPE, cwd=self.work)
        self.addCleanup(recorder.stderr.close)
        self.addCleanup(recorder.wait)
        line = recorder.stderr.readline()
        self.assertIn(f"({service.pid}) with 2 threads", line)
        self.make(service, 200)
        recorder.send_signal(signal.SIGINT)
        self.assertEqual(recorder.wait(harness.TIMEOUT), 0)
        self.make(service, 4)
        service.stdin.close()
        self.assertEqual(service.wait(harness.TIMEOUT), 7)
        made = {Path(path).name for path in self.report(run).creations()}
        self.assertEqual(made, {f"{name}{i}" for name in "ab" for i in range(3, 203)})

    def test_that_ends_by_itself(self):
        service = self.start()
        run = self.new_run()
        with subprocess.Popen([TOOL, "attach", str(service.pid), "-o", run], text=True,
                              stderr=subprocess.PIPE, cwd=self.work) as recorder:
            recorder.stderr.readline()
            self.make(service, 5)
            service.stdin.close()
            self.assertEqual(service.wait(harness.TIMEOUT), 7)
            self.assertEqual(recorder.wait(harness.TIMEOUT), 0)
        self.assertEqual(len(self.report(run).creations()), 10)

    def test_no_such_process(self):
        child = subprocess.Popen(["true"])
        child.wait()
        result = self.execute(TOOL, "attach", str(child.pid))
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"no such process", result.stderr)
        self.assertEqual(os.listdir(self.work), [])


class Tree(TracedCase):
    """Programs of all kinds that start each other: each is seen by one recorder alone."""

    def check_tree(self, run):
        report = self.check_objects(run, self.work)
        self.assertEqual(report.of("blind_spot"), [])
        return report

    def test_shell_static_shell(self):
        script = f"""
            umask 022; mkdir a; cd a
            inner='umask 077; echo x > of-inner; exec "$0" 20'
            {victim('traced')} /bin/sh -c "$inner" {victim('traced_race')}
            cd ..; (umask 0; echo x > of-outer)
            """
        _, run = self.record_all("sh", "-c", script)
        report = self.check_tree(run)
        made = {os.path.relpath(path, self.work): events[0]
                for path, events in report.creations().items()}
        self.assertEqual(made["a/of-inner"]["mask"], "0077")
        self.assertEqual(made["of-outer"]["mask"], "0000")

    def test_spawned(self):
        """posix_spawn(3), system(3) and vfork(2) from a preloaded program."""
        program = f"""
            import os, subprocess
            def spawn(directory):
                os.mkdir(directory)
                os.chdir(directory)
                pid = os.posix_spawn({victim('traced')!r}, ["traced"], os.environ)
                assert os.waitpid(pid, 0)[1] == 0
                os.chdir("..")
            spawn("a")
            os.mkdir("b"); os.mkdir("c")
            assert os.system("cd b && {victim('traced')}") == 0
            subprocess.run([{victim('traced')!r}], cwd="c", check=True)
            spawn("d")
            os.close(os.open("end", os.O_CREAT, 0o600))
            """
        _, run = self.record_all("/usr/bin/python3", "-S", "-c", textwrap.dedent(program))
        self.check_tree(run)

    def test_failing_exec(self):
        """A program that the kernel refuses after it was handed over, and what comes after."""
        broken = self.top / "broken"
        head = bytearray(Path(victim("traced")).read_bytes()[:4096])
        broken.write_bytes(head)
        broken.chmod(0o755)
        script = f"{broken}; echo x > after; {victim('traced')}; echo x > later"
        _, run = self.record_all("sh", "-c", script)
        names = {Path(path).name for path in self.report(run).creations()}
        self.assertTrue({"after", "later", "of-parent"} <= names, names)


@needs("go")
class Go(TracedCase):
    cgo = "0"
    created = None

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="umaskaudit-go-")
        cls.addClassCleanup(harness.remove_tree, Path(cls.directory))
        source = Path(__file__).parent.parent / "programs" / "hazards" / "goroutines.go"
        cls.program = os.path.join(cls.directory, "goroutines")
        text = source.read_text()
        if cls.cgo == "1":
            text = text.replace("package main", "package main\n\nimport \"C\"", 1)
        shutil.copy(source, cls.directory)
        (Path(cls.directory) / "goroutines.go").write_text(text)
        environment = {**os.environ, "CGO_ENABLED": cls.cgo, "GOCACHE": cls.directory + "/cache",
                       "HOME": cls.directory, "GOFLAGS": "-p=1", "GO111MODULE": "off"}
        built = subprocess.run(["go", "build", "-o", cls.program, "goroutines.go"],
                               cwd=cls.directory, env=environment, capture_output=True, text=True)
        if built.returncode != 0:
            raise unittest.SkipTest("go cannot build: " + built.stderr[-200:])

    def check_run(self, *command):
        count = 200
        run, report = self.check_race(*command, self.program, self.work, str(count))
        self.assertEqual(len(modes(self.work)), 4 * count + 2)
        self.assertEqual(report.of("blind_spot"), [])
        said = self.tool("check", run, status=1)
        self.assertNotIn("unseen-writer", said)
        for function in ("main.toggleMask", "main.makeFiles"):
            self.assertRegex(said, function + r" \S*goroutines\.go:[0-9]+")

    def test_command(self):
        self.check_run()

    def test_child(self):
        self.check_run("sh", "-c", 'exec "$@"', "sh")


class CgoGo(Go):
    """Dynamically linked: it loads the library, which hands over."""

    cgo = "1"


def tracer_of(run_pid):
    """The tracer that the process started: by name, among its children."""
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)
        except (OSError, IndexError):
            continue
        if fields[0].endswith("(umaskaudit-ptrc") and int(fields[1].split()[1]) == run_pid:
            return int(entry.name)
    return None


@unittest.skipUnless(os.geteuid() == 0, "another user's processes are started by root")
class OrdinaryUser(TracedCase):
    base = "/tmp"

    def setUp(self):
        super().setUp()
        self.tool_copy = self.top / "umaskaudit"
        shutil.copy(TOOL, self.tool_copy)
        self.library = self.top / "libumaskaudit.so"
        shutil.copy(harness.SHIM, self.library)
        self.program = self.top / "program"
        os.chmod(self.top, 0o755)
        os.chown(self.work, NOBODY, NOBODY)
        self.environment = {"UMASKAUDIT_LIBRARY": str(self.library)}

    def start(self, name, *arguments):
        shutil.copy(victim(name), self.program)
        run = self.work / "run"
        environment = {**os.environ, **self.environment}
        process = subprocess.Popen([self.tool_copy, "run", "--see=all", "-o", run, "--",
                                    self.program, *arguments], cwd=self.work, env=environment,
                                   user=NOBODY, group=NOBODY, extra_groups=[], text=True,
                                   bufsize=1, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        for stream in (process.stdin, process.stdout, process.stderr):
            self.addCleanup(lambda stream=stream: stream.closed or stream.close())
        self.addCleanup(process.wait)
        return process, run

    def test_objects(self):
        process, run = self.start("traced")
        _, errors = process.communicate(timeout=harness.TIMEOUT)
        self.assertEqual(process.returncode, 0, errors)
        report = self.report(run)
        told = {event["path"]: event["mode"] for event in report.of("object", state="there")}
        found = {path: mode for path, mode in modes(self.work / "t").items()}
        self.assertEqual({path: told.get(path) for path in found}, found)

    def test_program_with_rights(self):
        """A traced program starts a set-user-ID one: that has its rights, and is named."""
        marked = self.top / "id"
        shutil.copy(shutil.which("id"), marked)
        os.chmod(marked, 0o4755)
        plain = subprocess.run([marked, "-u"], user=NOBODY, group=NOBODY, extra_groups=[],
                               capture_output=True, text=True, check=True)
        if plain.stdout != "0\n":
            self.skipTest("the filesystem has no set-user-ID programs")
        process, run = self.start("traced", marked, "-u")
        output, errors = process.communicate(timeout=harness.TIMEOUT)
        self.assertEqual((process.returncode, output), (0, "0\n"), errors)
        spot, = self.report(run).of("blind_spot")
        self.assertEqual((spot["reason"], spot["text"]), ("exec-privileged", str(marked)))

    def test_death_of_the_tracer(self):
        """The program goes on and ends as it would have."""
        process, _ = self.start("traced_service")
        self.assertEqual(process.stdout.readline(), "ready\n")
        process.stdin.write("20\n")
        self.assertEqual(process.stdout.readline(), "done\n")
        tracer = tracer_of(process.pid)
        self.assertIsNotNone(tracer)
        os.kill(tracer, signal.SIGKILL)
        process.stdin.write("20\n")
        self.assertEqual(process.stdout.readline(), "done\n")
        process.stdin.close()
        self.assertEqual(process.wait(harness.TIMEOUT), 7)
        self.assertEqual(len(list(self.work.glob("[ab]*"))), 80)


@needs("busybox", "tar")
class Busybox(TracedCase):
    def setUp(self):
        super().setUp()
        head = Path(shutil.which("busybox")).read_bytes()[:4096]
        if b"/ld-linux" in head:
            self.skipTest("busybox is not a static program here")

    def test_tar(self):
        source = self.top / "source"
        for i in range(30):
            (source / f"d{i}").mkdir(parents=True)
            for j in range(10):
                file = source / f"d{i}" / f"f{j}"
                file.touch()
                file.chmod((0o600, 0o644, 0o755, 0o664)[j % 4])
        archive = self.top / "all.tar"
        subprocess.run(["tar", "cf", archive, "-C", source, "."], check=True)
        _, run = self.record_all("busybox", "tar", "xf", archive)
        report = self.check_objects(run, self.work)
        self.assertEqual(len(modes(self.work)), 330)
        self.assertEqual(report.of("blind_spot"), [])

    def test_script(self):
        script = ("umask 027; mkdir d; echo x > d/a; cp d/a d/b; umask 0; mkfifo d/f;"
                  " (umask 77; >d/c)")
        _, run = self.record_all("busybox", "sh", "-c", script)
        self.check_objects(run, self.work)

    def test_paths_by_links_of_proc(self):
        script = ("umask 027; mkdir one two; for d in one two; do exec 5< $d;"
                  " mkdir /proc/self/fd/5/dir; : > /dev/fd/5/file; mkfifo /proc/self/cwd/$d/fifo;"
                  " mv /proc/self/fd/5/file /proc/self/fd/5/dir/moved;"
                  " chmod 701 /proc/self/fd/5; done")
        _, run = self.record_all("busybox", "sh", "-c", script)
        report = self.check_objects(run, self.work)
        self.assertEqual(len(modes(self.work)), 8)
        self.assertEqual([event["path"] for event in report.of("create")
                          if event["path"].startswith(("/proc/", "/dev/"))], [])


if __name__ == "__main__":
    harness.main()
