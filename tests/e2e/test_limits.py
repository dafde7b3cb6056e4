"""Hard times: limits, full and vanished disks, odd descriptors. The program goes on all the same.

What cannot be recorded is counted, and nothing that we write can be read by others.
"""

import contextlib
import os
import resource
import signal
import struct
import subprocess
import sys
import unittest
from pathlib import Path

import harness
from harness import Case, needs, truths_of, victim

needs_root = unittest.skipIf(os.geteuid() != 0, "needs root")


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

    def test_three_descriptors_are_enough(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))

        # The loader itself needs one to read libraries; nothing is left for us to keep.
        self.goes_on(self.new_run(), preexec_fn=limit)

    def test_little_memory(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (64 << 20, 64 << 20))

        self.goes_on(self.new_run(), preexec_fn=limit)

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


class CopyOnWrite(Case):
    """Backed once is not backed for ever where each write needs new space."""

    base = "/dev/shm"  # a disk that others use may take its time to write out

    @needs_root
    @needs("unshare", "mount", "mkfs.btrfs", "truncate")
    def test_a_copy_on_write_filesystem_that_fills_up(self):
        image, mount = self.top / "image", self.top / "mount"
        mount.mkdir()
        script = (f"truncate -s 120M {image} && mkfs.btrfs -q -m single {image} >/dev/null && "
                  f"mount -o loop {image} {mount} || exit 77; "
                  f"exec /usr/bin/python3 {__file__} fill {mount} {self.work}")
        result = self.execute("unshare", "-m", "sh", "-c", script)
        if result.returncode == 77:
            self.skipTest(f"no btrfs here: {result.stderr.decode(errors='replace')}")
        self.assertEqual(result.returncode, 0, result.stderr.decode(errors="replace"))


def fill(mount, work):
    """Fills `mount` while a program records into it, until it writes out what was in place.

    Exit code 0: the program went on creating after that, until it was killed.
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
        for size in (1 << 20, 1 << 16, 1 << 12):
            with contextlib.suppress(OSError), open(f"{mount}/fill{size}", "wb", 0) as file:
                while True:
                    file.write(bytes(size))
            subprocess.run(["sync", "-f", mount], check=False)
            wait_for(progress() + 20)
        process.kill()
        print(f"ended by {process.wait()}", file=sys.stderr)
        return 0 if process.returncode == -signal.SIGKILL else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["fill"]:
        sys.exit(fill(*sys.argv[2:]))
    harness.main()
