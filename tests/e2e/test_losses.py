"""What could not be recorded is counted by type, shown in every format, and fails `check`."""

import json
import os
import unittest

from lib import harness
from lib.harness import Case, needs, victim

EVENTS = 2 * 2 * 512  # mask changes and creations of sweep with two calls
needs_root = unittest.skipIf(os.geteuid() != 0, "needs root")


class Losses(Case):
    def lossy_run(self):
        run = self.new_run()
        result = self.preload(victim("sweep"), self.work, "open", "mkdir",
                              options=f"log=off:max_size=64K:trace={run}")
        self.assertEqual(result.returncode, 0, result.stderr)
        return run

    def count(self, run):
        """reason -> count, once it adds up with what was recorded."""
        report = self.report(run)
        losses = {event["reason"]: event["count"] for event in report.of("loss")}
        recorded = len(report.of("umask")) + len(report.of("create"))
        self.assertGreater(recorded, 0)
        self.assertLess(recorded, EVENTS)
        lost = sum(count for reason, count in losses.items() if not reason.endswith("-dropped"))
        # Stacks and directories that found no room count as well.
        self.assertGreaterEqual(recorded + lost, EVENTS)
        return losses

    def test_a_full_segment(self):
        run = self.lossy_run()
        self.assertIn("segment-full", self.count(run))
        segment, = run.glob("*.seg")
        self.assertLessEqual(segment.stat().st_size, 64 << 10)

    def test_every_format_says_so(self):
        run = self.lossy_run()
        losses = self.count(run)
        number = str(losses["segment-full"])
        for form in ("text", "json", "jsonl", "csv", "markdown", "html"):
            with self.subTest(format=form):
                result = self.execute(harness.TOOL, "report", run, "--format", form)
                self.assertEqual(result.returncode, 0, result.stderr)
                said = result.stdout + (result.stderr if form == "csv" else b"")
                self.assertIn(b"segment-full", said)
                self.assertIn(number.encode(), said)
        summary = json.loads(self.tool("report", run, "--format", "json"))
        self.assertFalse(summary["complete"])

    def test_other_commands_say_so(self):
        run = self.lossy_run()
        for command in ("threads", "timeline"):
            with self.subTest(command=command):
                self.assertIn("segment-full", self.tool(command, run))

    def test_check_refuses_to_judge(self):
        run = self.lossy_run()
        lost = sum(self.count(run).values())
        for allowed, status in (([], 3), (["--max-loss", lost - 1], 3), (["--max-loss", lost], 1)):
            with self.subTest(allowed=allowed):
                result = self.execute(harness.TOOL, "check", run, *allowed)
                self.assertEqual(result.returncode, status, result.stderr)
                self.assertIn(b"segment-full", result.stdout)

    @needs_root
    @needs("unshare", "mount")
    def test_a_disk_that_fills_up_is_another_type(self):
        mount = self.top / "small"
        mount.mkdir()
        script = (f"mount -t tmpfs -o size=256k none {mount} || exit 77; "
                  f"LD_PRELOAD={harness.SHIM} UMASKAUDIT_OPTIONS=log=off:trace={mount}/run "
                  f"{victim('sweep')} {self.work} open mkdir creat > /dev/null && "
                  f"{harness.TOOL} check {mount}/run")
        result = self.execute("unshare", "-m", "sh", "-c", script)
        if result.returncode in (1, 77) and b"ermi" in result.stderr:
            self.skipTest("no mounts here")
        self.assertEqual(result.returncode, 3, result.stderr)
        self.assertIn(b"no-space: ", result.stdout)


if __name__ == "__main__":
    harness.main()
