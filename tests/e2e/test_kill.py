"""SIGKILL at any moment loses no committed record."""

import os
import random
import signal
import struct
import subprocess

from lib import harness
from lib.harness import Case, victim

THREADS = 4
COUNT = struct.Struct("=QQQ40x")  # tid, creations, umasks of one thread, on a cache line of its own


class Kill(Case):
    ROUNDS = int(os.environ.get("TEST_KILLS", "20"))  # by hand: TEST_KILLS=200

    def counts_of(self, path):
        return list(COUNT.iter_unpack(path.read_bytes()))

    def wait_for_progress(self, process, path, least):
        """Until every thread has done `least` creations: progress, not time, decides."""
        def is_there():
            return (path.exists() and path.stat().st_size == COUNT.size * THREADS and
                    all(creations >= least for _, creations, _ in self.counts_of(path)))

        harness.wait_until(is_there, f"each thread has created {least}", process)

    def test_killed_while_recording(self):
        chance = random.Random(1)
        for number in range(self.ROUNDS):
            with self.subTest(round=number):
                self.kill_once(number, chance.randrange(1, 2000))

    def kill_once(self, number, least):
        work = self.work / str(number)
        work.mkdir()
        counts, run = self.top / f"counts{number}", self.new_run()
        environment = dict(os.environ, LD_PRELOAD=harness.SHIM, UMASKAUDIT_OPTIONS=f"trace={run}")
        with subprocess.Popen([victim("kill9_loop"), work, counts], env=environment) as process:
            try:
                self.wait_for_progress(process, counts, least)
            finally:
                process.send_signal(signal.SIGKILL)
        report = self.report(run)
        harness.remove_tree(run)
        # A record that was begun when the signal came, one a thread at most.
        self.assertLessEqual(sum(event["count"] for event in report.of("loss")), THREADS)
        for tid, creations, umasks in self.counts_of(counts):
            made = report.of("create", tid=tid, created=True)
            changed = report.of("umask", tid=tid)
            # The record is committed before the call returns: at most one more than was counted.
            self.assertIn(len(made) - creations, (0, 1), f"thread {tid}")
            self.assertIn(len(changed) - umasks, (0, 1), f"thread {tid}")
            for events in (made, changed):
                times = [event["time_ns"] for event in events]
                self.assertEqual(times, sorted(times))
            # Nothing in between is missing: the names come in turns.
            names = [event["path"].rsplit("-", 1)[1] for event in made]
            self.assertEqual(names, [str(number % 64) for number in range(len(names))])


class Damage(Case):
    """A truncated file, a flipped byte: what comes before is read, and the loss is told."""

    def segment_of(self, run):
        segments = list(run.glob("*.seg"))
        self.assertEqual(len(segments), 1)
        return segments[0]

    def record_some(self):
        _, run = self.record(victim("sweep"), self.work, "open")
        self.assertEqual(len(self.report(run).of("create")), 512)
        return run, self.segment_of(run)

    def test_truncated(self):
        run, segment = self.record_some()
        # Amid a record: chunks have unused ends, and nothing is missing there.
        os.truncate(segment, segment.read_bytes().find(b"open.200\0") + 3)
        report = self.report(run)
        made = len(report.of("create"))
        self.assertGreater(made, 50)
        self.assertLess(made, 512)
        self.assertTrue(report.of("loss"), "the report must say that something is missing")

    def test_flipped_byte(self):
        run, segment = self.record_some()
        content = bytearray(segment.read_bytes())
        content[content.find(b"open.100\0"[:8])] ^= 0x20
        segment.write_bytes(content)
        report = self.report(run)
        paths = set(report.creations())
        self.assertNotIn(str(self.work / "open.100"), paths)
        self.assertGreaterEqual(len(paths), 511 - 1)
        self.assertTrue(report.of("loss"))

    def test_newer_major_version(self):
        run, segment = self.record_some()
        content = bytearray(segment.read_bytes())
        content[8:10] = struct.pack("=H", 77)
        segment.write_bytes(content)
        result = self.execute(harness.TOOL, "report", run)
        self.assertEqual(result.returncode, 3)
        self.assertIn(b"77", result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)


if __name__ == "__main__":
    harness.main()
