"""Hard times: limits, full and vanished disks, odd descriptors. The program goes on all the same.

What cannot be recorded is counted, and nothing that we write can be read by others.
"""

import contextlib
import fcntl
import os
import pty
import resource
import shutil
import signal
import struct
import subprocess
import sys
import termios
import unittest
from pathlib import Path

from lib import harness
from lib.harness import Case, needs, truths_of, victim
from lib.mounts import type_of

needs_root = unittest.skipIf(os.geteuid() != 0, "needs root")
IMAGE = 120 << 20  # bytes, of a filesystem that is filled
XFS_IMAGE = 320 << 20  # mkfs.xfs makes none below 300 MiB


class HardTimes(Case):
    """What cannot be recorded is not: the program goes on as if nothing were there."""

    def goes_on(self, run, **options):
        words = ["sh", "-c", "umask 027; mkdir d; echo done"]
        result = self.preload(*words, options=f"trace={run}", **options)
        self.assertEqual((result.returncode, result.stdout), (0, b"done\n"), result.stderr)
        self.assertEqual(harness.tree(self.work)["d"][1], "0750")
        return result

    def test_a_run_directory_that_cannot_be_made(self):
        self.goes_on("/proc/nowhere/run")

    def test_a_run_directory_that_is_a_file(self):
        file = self.top / "file"
        file.write_text("precious")
        self.goes_on(file)
        self.assertEqual(file.read_text(), "precious")

    def test_a_run_directory_that_is_a_link_to_one(self):
        target = self.top / "target"
        target.mkdir()
        target.chmod(0o755)
        (self.top / "link").symlink_to(target)
        self.goes_on(self.top / "link")
        self.assertEqual(target.stat().st_mode & 0o7777, 0o755)

    @needs_root
    def test_a_run_directory_of_another_user(self):
        run = self.new_run()
        run.mkdir()
        run.chmod(0o777)
        os.chown(run, 65534, 65534)
        self.goes_on(run)
        self.assertEqual(list(run.iterdir()), [])

    def test_a_run_state_that_is_another_file(self):
        precious = self.top / "precious"
        precious.write_text("precious")
        precious.chmod(0o644)
        run = self.new_run()
        run.mkdir()
        os.link(precious, run / "run.state")
        self.goes_on(run)
        self.assertEqual(precious.read_text(), "precious")
        self.assertEqual(precious.stat().st_mode & 0o7777, 0o644)

    # SIGXFSZ would end the program, or the recorder (setrlimit(2)).
    def test_files_of_next_to_nothing(self):
        for kib in (0, 1, 2, 3, 4, 63, 64, 100):
            def limit(kib=kib):
                resource.setrlimit(resource.RLIMIT_FSIZE, (kib << 10, kib << 10))

            with self.subTest(kib=kib, way="preload"):
                run = self.new_run()
                result = self.preload("echo", "hello", options=f"trace={run}:log=off",
                                      preexec_fn=limit)
                self.assertEqual((result.returncode, result.stdout, result.stderr),
                                 (0, b"hello\n", b""))
            with self.subTest(kib=kib, way="run"):
                run = self.new_run()
                result = self.execute(harness.TOOL, "run", "-o", run, "--", "echo", "hello",
                                      preexec_fn=limit)
                if kib < 4:  # not even the mark of a run fits
                    self.assertEqual((result.returncode, result.stdout), (125, b""))
                    self.assertIn(b"File too large", result.stderr)
                    self.assertFalse(run.exists())
                else:
                    self.assertEqual((result.returncode, result.stdout), (0, b"hello\n"))
                    self.assertEqual(b"nothing was recorded" in result.stderr, kib < 64,
                                     result.stderr)

    # Before Linux 5.14, and where files cannot be allocated: pages get their space one by one.
    def test_an_older_kernel(self):
        run = self.new_run()
        result = self.preload(victim("refuses"), "populate,fallocate", victim("sweep"), self.work,
                              "open", "mkdir", options=f"log=off:trace={run}")
        if result.returncode == 77:
            self.skipTest("no filters here")
        self.assertEqual(result.returncode, 0, result.stderr)
        report = self.report(run)
        self.assertEqual(report.of("loss"), [])
        self.check_disk(report, 1000)
        # The image of `refuses` allocates ahead, for its filter might bar that.
        segment = max(run.glob("*.seg"))
        with open(segment, "rb") as file:
            used = struct.unpack_from("<Q", file.read(80), 72)[0]
        self.assertLess(segment.stat().st_blocks * 512, used + (768 << 10),
                        "what is used, the rest of its chunk, and the one ahead")

    # While one process lives on, which keeps its own segment.
    def test_ended_images_give_back_what_they_did_not_use(self):
        for name in ("there", "end"):
            os.mkfifo(self.top / name)
        script = ("setsid cat $0/there $0/end > /dev/null 2>&1 & "
                  "for i in 1 2 3 4 5 6 7 8; do mkdir d$i; done; : > $0/there")
        run = self.new_run()
        result = self.execute(harness.TOOL, "run", "-o", run, "--no-summary", "--", "sh", "-c",
                              script, self.top)
        sizes = sorted(segment.stat().st_size for segment in run.glob("*.seg"))
        with open(self.top / "end", "wb"):  # the one that lives on ends
            pass
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertGreaterEqual(len(sizes), 9)
        large = [size for size in sizes if size > 1 << 20]
        # `setsid` became `cat`; on overlayfs nothing tells that its image has ended.
        self.assertLessEqual(len(large), 2 if type_of(run) == "overlay" else 1, sizes)

    def test_three_descriptors_are_enough(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))

        # The loader itself needs one to read libraries; nothing is left for us to keep.
        self.goes_on(self.new_run(), preexec_fn=limit)

    def test_little_memory(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (64 << 20, 64 << 20))

        self.goes_on(self.new_run(), preexec_fn=limit)

    def test_what_is_full_does_not_stay_mapped(self):
        program = ("import ctypes, os, resource\n"
                   "def mapped():\n"
                   "    with open('/proc/self/statm') as file:\n"
                   "        return int(file.read().split()[0]) * resource.getpagesize()\n"
                   "flush = ctypes.CDLL(None).umaskaudit_flush\n"
                   "soft, hard = resource.getrlimit(resource.RLIMIT_AS)\n"
                   "before = mapped()\n"
                   "resource.setrlimit(resource.RLIMIT_AS, (before + (8 << 20), hard))\n"
                   "for i in range(400000): os.umask(i & 0o777)\n"
                   "grown = mapped() - before\n"
                   "resource.setrlimit(resource.RLIMIT_AS, (soft, hard))\n"
                   "print(grown, flush(), mapped() - before)\n")
        run = self.new_run()
        result = self.preload(sys.executable, "-ISB", "-c", program, options=f"trace={run}:log=off")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        grown, flushed, afterwards = map(int, result.stdout.split())
        segment, = run.glob("*.seg")
        with segment.open("rb") as file:
            used = struct.unpack_from("<Q", file.read(80), 72)[0]
        self.assertGreater(used, 20 << 20)
        self.assertLess(grown, 4 << 20)
        self.assertEqual(flushed, 0)
        self.assertLess(afterwards, 4 << 20)
        self.assertIn("400000 mask changes", self.tool("report", run))

    # What a program that locks all its memory pays (mlockall(2)): the library's own pages, once.
    def test_locked_memory(self):
        program = ("import ctypes, os\n"
                   "libc = ctypes.CDLL(None, use_errno=True)\n"
                   "def locked():\n"
                   "    for line in open('/proc/self/status'):\n"
                   "        if line.startswith('VmLck:'): return int(line.split()[1]) << 10\n"
                   "if libc.mlockall(3) != 0: raise SystemExit(77)\n"  # MCL_CURRENT | MCL_FUTURE
                   "before = locked()\n"
                   "for i in range(300000): os.umask(i & 0o777)\n"
                   "print(before, locked() - before)\n")
        command = (sys.executable, "-ISB", "-c", program)
        bare = self.execute(*command)
        if bare.returncode == 77:
            self.skipTest("memory cannot be locked here")
        run = self.new_run()
        result = self.preload(*command, options=f"log=off:trace={run}")
        self.assertEqual((bare.returncode, result.returncode, result.stderr), (0, 0, b""))
        before, grown = map(int, result.stdout.split())
        self.assertLess(before - int(bare.stdout.split()[0]), 4 << 20)
        self.assertLess(grown, 4 << 20)
        self.assertIn("300000 mask changes", self.tool("report", run))

    @needs_root
    @needs("unshare", "mount")
    def test_a_trace_in_memory_that_a_control_group_limits(self):
        """An eighth: where the group has none left, the kernel kills (cgroups(7)). It is asked for
        when the first 64 KiB are full."""
        mount, groups = self.top / "small", self.top / "groups"
        mount.mkdir()
        limits = {"/memory.max": "max\n", "/a/memory.max": f"{4 << 20}\n",
                  "/a/b/memory.max": f"{128 << 20}\n",
                  "/memory/memory.limit_in_bytes": "9223372036854771712\n"}
        for name, limit in limits.items():
            file = groups / name[1:]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(limit)
        expected = {  # /proc/self/cgroup, and whether it bounds the segment
            "0::/a/b\n": True,
            "1:cpu,cpuacct:/a\n0::/\n": False,
            "12:pids:/a\n4:memory:/a\n0::/elsewhere\n": False,
            "4:cpu,memory:/a\n0::/a/not/there\n": True,
        }
        # More than 1 MiB of records.
        code = "import os\nfor _ in range(6000): os.mkdir('d'), os.rmdir('d')"
        own = self.top / "cgroup"
        for text, bounded in expected.items():
            own.write_text(text)
            # The innermost shell becomes the program: what stands for its groups is its own.
            script = ("mount -t tmpfs none $0/small && mount --bind $0/groups /sys/fs/cgroup || "
                      "exit 77; sh -c 'mount --bind $0/cgroup /proc/$$/cgroup || exit 77; "
                      f"exec env LD_PRELOAD={harness.SHIM} "
                      f"UMASKAUDIT_OPTIONS=log=off:trace=$0/small/run {sys.executable} -ISBc "
                      "\"$1\"' $0 \"$1\" && stat -c '%b %B' $0/small/run/*.seg")
            result = self.execute("unshare", "-m", "sh", "-c", script, self.top, code)
            if result.returncode == 77 or b"unshare failed" in result.stderr:
                self.skipTest(f"no mounts here: {result.stderr.decode(errors='replace')}")
            self.assertEqual((result.returncode, result.stderr), (0, b""))
            blocks, size = map(int, result.stdout.split())
            with self.subTest(groups=text):
                self.assertGreater(blocks * size, 64 << 10)
                self.assertEqual(blocks * size <= 512 << 10, bounded, blocks * size)

    def test_limits_that_come_later(self):
        run = self.new_run()
        result = self.preload(victim("limits_later"), self.work, options=f"trace={run}")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        report = self.report(run)
        lost = sum(event["count"] for event in report.of("loss", reason="no-memory"))
        recorded = len(report.of("umask")) + len(report.of("create", call="mkdir"))
        self.assertGreater(recorded, 0)
        self.assertGreaterEqual(recorded + lost, 2 * 3000)

    def test_a_run_directory_that_vanishes(self):
        run = self.new_run()
        script = f"mkdir a; rm -r {run}; umask 027; mkdir b; /bin/mkdir c; (mkdir d); ls"
        result = self.preload("sh", "-c", script, options=f"trace={run}")
        self.assertEqual((result.returncode, result.stdout, result.stderr),
                         (0, b"a\nb\nc\nd\n", b""))

    @needs_root
    @needs("unshare", "mount")
    def test_a_run_directory_that_cannot_be_written(self):
        run = self.new_run()
        run.mkdir()
        script = (f"mount --bind {run} {run} && mount -o remount,ro,bind {run} || exit 77; "
                  f"LD_PRELOAD={harness.SHIM} UMASKAUDIT_OPTIONS=trace={run} "
                  "sh -c 'umask 027; mkdir d; echo done'")
        result = self.execute("unshare", "-m", "sh", "-c", script)
        if result.returncode == 77:
            self.skipTest(f"no mounts here: {result.stderr.decode(errors='replace')}")
        self.assertEqual((result.returncode, result.stdout), (0, b"done\n"))
        self.assertIn(b"Read-only file system", result.stderr)
        self.assertEqual(harness.tree(self.work)["d"][1], "0750")

    def test_names_that_were_relative_at_the_start(self):
        for option in ("trace=here", "log=here"):
            with self.subTest(option=option):
                script = "mkdir d; cd d; umask 027; /bin/mkdir e; rmdir e; cd ..; rmdir d; ls"
                result = self.preload("sh", "-c", script, options=option)
                self.assertEqual((result.returncode, result.stdout), (0, b"here\n"), result.stderr)

    def test_a_log_that_nobody_reads(self):
        os.mkfifo(self.top / "fifo")
        result = self.preload("mkdir", "d", options=f"log={self.top}/fifo")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_no_standard_descriptors(self):
        script = 'exec "$0" "$1" 0<&- 1>&- 2>&-'
        result = self.preload("sh", "-c", script, victim("no_descriptors"), self.work, options="")
        self.assertEqual(result.returncode, 0)

    @needs_root
    @needs("unshare", "mount")
    def test_a_full_filesystem(self):
        mount = self.top / "small"
        mount.mkdir()
        script = (f"mount -t tmpfs -o size=256k none {mount} || exit 77; "
                  f"LD_PRELOAD={harness.SHIM} UMASKAUDIT_OPTIONS=trace={mount}/run "
                  f"{victim('sweep')} {self.work} open creat mkdir mkfifo mknod > /dev/null && "
                  f"{harness.TOOL} report {mount}/run --format jsonl")
        result = self.execute("unshare", "-m", "sh", "-c", script)
        if result.returncode in (1, 77) and b"ermi" in result.stderr:
            self.skipTest("no mounts here")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(harness.tree(self.work)), 5 * 512)
        report = harness.Report(result.stdout.decode().splitlines())
        recorded = len(report.of("umask")) + len(report.of("create"))
        lost = sum(event["count"] for event in report.of("loss"))
        self.assertGreater(recorded, 0)
        self.assertGreater(lost, 0)
        # Stacks that found no room are counted as well.
        self.assertGreaterEqual(recorded + lost, 5 * 2 * 512)


class Privacy(Case):
    """Nothing that we write can be read by others, whatever the umask or a default ACL says."""

    def check_private(self, *paths):
        modes = {}
        for path in paths:
            for name, (kind, mode) in {".": (None, harness.octal(path.stat().st_mode & 0o7777)),
                                       **(harness.tree(path) if path.is_dir() else {})}.items():
                expected = "0700" if (path / name).is_dir() else "0600"
                modes[str(path / name)] = mode
                self.assertEqual(mode, expected, f"{path / name} {kind}")
        return modes

    def check_all(self):
        run, second, log = self.new_run(), self.new_run(), self.top / "log"
        zero = {"preexec_fn": lambda: os.umask(0)}
        script = "umask; mkdir d; (rmdir d); /bin/true"
        result = self.preload("sh", "-c", script, options=f"trace={run}:log={log}", **zero)
        self.assertEqual((result.returncode, result.stdout), (0, b"0000\n"), result.stderr)
        self.execute(harness.TOOL, "run", "-o", second, "--", "mkdir", "e", **zero)
        outputs = []
        for form in ("text", "json", "jsonl", "csv", "markdown"):
            outputs.append(self.top / f"report.{form}")
            self.tool("report", run, "--format", form, "-o", outputs[-1], **zero)
        modes = self.check_private(run, second, log, *outputs)
        self.assertGreaterEqual(len(modes), 4 + 4 + 1 + 5)  # directory, run.state, segments

    def test_without_a_mask(self):
        self.check_all()

    def test_of_an_ordinary_user_whom_the_mask_keeps_out_too(self):
        user = {}
        if os.geteuid() == 0:  # who may read what has mode 0000
            self.top.chmod(0o777)
            user = {"user": 65534, "group": 65534, "extra_groups": []}
        run = self.new_run()
        result = self.execute(harness.TOOL, "run", "-o", run, "--", "sh", "-c", "umask; mkdir d",
                              cwd=self.top, umask=0o777, **user)
        self.assertEqual((result.returncode, result.stdout), (0, b"0777\n"), result.stderr)
        self.check_private(run)
        (made,) = self.report(run).of("create", call="mkdir")
        self.assertEqual((made["mask"], made["final"]), ("0777", "0000"))

    @needs("setfacl")
    def test_with_a_default_acl(self):
        acl = "default:user::rwx,default:user:nobody:rwx,default:group::rwx,default:other::rwx"
        result = self.execute("setfacl", "-m", acl, self.top)
        if result.returncode != 0:
            self.skipTest(f"no ACLs here: {result.stderr.decode(errors='replace')}")
        (self.top / "witness").touch()
        self.assertEqual((self.top / "witness").stat().st_mode & 0o7777, 0o666)
        self.check_all()


class Terminal(Case):
    """The live log on a terminal that stops background jobs which write to it (termios(3))."""

    def test_a_background_job_does_not_stop(self):
        controller, terminal = pty.openpty()
        self.addCleanup(os.close, controller)
        attributes = termios.tcgetattr(terminal)
        attributes[3] |= termios.TOSTOP
        termios.tcsetattr(terminal, termios.TCSANOW, attributes)
        environment = {**os.environ, "LD_PRELOAD": harness.SHIM,
                       "UMASKAUDIT_OPTIONS": f"help=1:bogus=1:log={os.ttyname(terminal)}"}
        ends = []
        child = os.fork()
        if child == 0:
            self.lead_session(terminal, environment)
        os.close(terminal)
        with contextlib.suppress(OSError):  # the other end is gone
            while chunk := os.read(controller, 4096):
                ends.append(chunk)
        _, status = os.waitpid(child, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0, b"".join(ends))
        self.assertIn(b'/d", 0777)', b"".join(ends))

    def lead_session(self, terminal, environment):
        """In the child: a session whose terminal belongs to us, and a job in the background."""
        try:
            os.setsid()
            fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
            os.dup2(terminal, 2)
            job = subprocess.Popen(["mkdir", "d"], cwd=self.work, env=environment,
                                   process_group=0)
            _, status = os.waitpid(job.pid, os.WUNTRACED)
            if os.WIFSTOPPED(status):
                job.kill()
                os._exit(1)
            os._exit(os.waitstatus_to_exitcode(status))
        finally:
            os._exit(2)


class CopyOnWrite(Case):
    """Backed once is not backed for ever where each write needs new space."""

    # A disk that others use may take its time to write out.
    base = "/dev/shm" if shutil.disk_usage("/dev/shm").free > 2 * XFS_IMAGE else None

    def on_filesystem(self, make, size, script):
        """Runs a shell script with a filesystem of its own at $0; returns the result."""
        image, mount = self.top / "image", self.top / "mount"
        mount.mkdir()
        setup = (f"truncate -s {size} {image} && {make} {image} >/dev/null && "
                 f"mount -o loop {image} {mount} || exit 77; ")
        # For fill(), which is a program of its own.
        built = {"TEST_SHIM": harness.SHIM, "TEST_PROGRAMS": str(harness.PROGRAMS)}
        result = self.execute("unshare", "-m", "sh", "-c", setup + script, mount, env=built)
        if result.returncode == 77:
            self.skipTest(f"{make} is not to be had: {result.stderr.decode(errors='replace')}")
        self.assertEqual(result.returncode, 0, result.stderr.decode(errors="replace"))
        return result

    def on_btrfs(self, script):
        return self.on_filesystem("mkfs.btrfs -q -m single", IMAGE, script)

    @needs_root
    @needs("unshare", "mount", "mkfs.btrfs", "truncate")
    def test_a_filesystem_that_fills_up(self):
        self.on_btrfs(f"/usr/bin/python3 {__file__} fill $0 {self.work} && "
                      f"{harness.TOOL} report $0/run > /dev/null")

    @needs_root
    @needs("unshare", "mount", "mkfs.xfs", "truncate")
    def test_a_filesystem_that_fills_up_behind_a_copy(self):
        """cp(1) clones on XFS: what was backed is written elsewhere (ioctl_ficlonerange(2)).

        Between the question whether a store is safe and the store, a loaded machine may write the
        page out (stays_backed() in backing.cc): not thrice in a row, as without the question.
        """
        for attempt in range(3):
            try:
                self.on_filesystem(
                    "mkfs.xfs -q", XFS_IMAGE,
                    f"/usr/bin/python3 {__file__} fill $0 {self.work} clone && "
                    f"{harness.TOOL} report $0/run > /dev/null")
                return
            except AssertionError:
                if attempt == 2:
                    raise
            (self.top / "image").unlink()
            (self.top / "mount").rmdir()
            harness.remove_tree(self.work)
            self.work.mkdir()

    @needs_root
    @needs("unshare", "mount", "mkfs.btrfs", "btrfs", "truncate")
    def test_a_quota_that_is_used_up(self):
        result = self.on_btrfs(
            "btrfs subvolume create $0/own >/dev/null && btrfs quota enable $0 && "
            "btrfs qgroup limit 400K $0/own || exit 77; "
            f"LD_PRELOAD={harness.SHIM} UMASKAUDIT_OPTIONS=log=off:trace=$0/own/run "
            f"{victim('sweep')} {self.work} open mkdir creat mkfifo mknod && "
            f"{harness.TOOL} report $0/own/run > /dev/null")
        self.assertEqual(len(truths_of(result)), 5 * 512)
        self.assertEqual(len(harness.tree(self.work)), 5 * 512)

    @needs_root
    @needs("unshare", "mount", "mkfs.btrfs", "strace", "truncate")
    def test_a_tracer_that_delays_every_answer(self):
        """How long one took says nothing of the disk there."""
        calls = "madvise,getppid"
        delay = f"strace -f -qq -o /dev/null -e trace={calls} -e inject={calls}:delay_exit=60"
        result = self.on_btrfs(
            f"{delay} true || exit 77; "
            f"{delay} env LD_PRELOAD={harness.SHIM} UMASKAUDIT_OPTIONS=log=off:trace=$0/run "
            f"mkdir {self.work}/a {self.work}/b && {harness.TOOL} report $0/run --format jsonl")
        report = harness.Report(result.stdout.decode().splitlines())
        self.assertEqual(set(report.creations()), {str(self.work / "a"), str(self.work / "b")})
        self.assertEqual(report.of("loss"), [])


def fill(mount, work, clone=""):
    """Fills `mount` while a program records into it, until it writes out what was in place.

    Before that, with `clone`, the trace is copied so that both share their blocks. Exit code 0: the
    program went on creating after that, until it was killed; 77: there are no such copies here.
    """
    counts = Path(work) / "counts"
    environment = dict(os.environ, LD_PRELOAD=harness.SHIM,
                       UMASKAUDIT_OPTIONS=f"log=off:trace={mount}/run")
    with subprocess.Popen([victim("kill9_loop"), work, counts], env=environment) as process:
        def progress():
            if not counts.exists() or counts.stat().st_size < 8 * 16:
                return 0
            return struct.unpack_from("=QQ", counts.read_bytes())[1]

        def wait_for(least):
            while progress() < least and process.poll() is None:
                os.sched_yield()

        wait_for(100)
        if clone:  # XFS sets 128 KiB apart for the first store behind a copy: none is made yet
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
            copy = ["cp", "-r", "--reflink=always", f"{mount}/run", f"{mount}/copy"]
            if subprocess.run(copy, check=False).returncode != 0:
                process.kill()
                return 77
        for size in (1 << 20, 1 << 16, 1 << 12):
            with contextlib.suppress(OSError), open(f"{mount}/fill{size}", "wb", 0) as file:
                while True:
                    file.write(bytes(size))
            subprocess.run(["sync", "-f", mount], check=False)
            if not clone:
                wait_for(progress() + 20)
        process.send_signal(signal.SIGCONT)
        wait_for(progress() + 20)
        process.kill()
        print(f"ended by {process.wait()}", file=sys.stderr)
        return 0 if process.returncode == -signal.SIGKILL else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["fill"]:
        sys.exit(fill(*sys.argv[2:]))
    harness.main()
