"""Mask changes by the million: what nothing met is one record, what something met is as ever."""

import json
import sys
from pathlib import Path

from lib import harness
from lib.harness import Case, truths_of, victim

FILES = 300

# A newcomer's first program: one thread reads the umask, another one works.
PYTHON = """
import json, os, sys, threading
directory, calls, over = sys.argv[1], [0], threading.Event()
def toggle():
    while not over.is_set():
        os.umask(os.umask(0))
        calls[0] += 2
toggler = threading.Thread(target=toggle)
toggler.start()
for number in range(int(sys.argv[2])):
    enough = calls[0] + 200
    while calls[0] < enough:
        pass
    path = f"{directory}/f{number}"
    file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    print(json.dumps({"path": path, "final": "%04o" % (os.fstat(file).st_mode & 0o7777)}))
    os.close(file)
over.set()
toggler.join()
print(json.dumps({"umask_calls": calls[0]}))
"""


class Folds(Case):
    def size_of(self, run):
        """What its segments take on the disk."""
        return sum(path.stat().st_blocks * 512 for path in run.glob("*.seg"))

    def explain(self, result, run, complete=True):
        truths = truths_of(result)
        calls = truths.pop()["umask_calls"]
        # With the masks in force, and no file missing.
        # What is not there leaves masks unexplained, which no other report may.
        report = self.report(run) if complete else harness.Report(
            self.tool("report", run, "--format", "jsonl").splitlines())
        lines = {event["id"]: event for event in report.events if event["type"] == "umask"}
        if complete:
            self.assertEqual(report.of("loss"), [])
        made = report.creations()
        for truth in truths:
            event, = made[truth["path"]]
            self.assertEqual(event["final"], truth["final"])
            if not complete:  # the change that it met may be one of those that were counted
                continue
            self.assertEqual(int(truth["final"], 8), 0o666 & ~int(event["mask"], 8), event)
            # The event that is named as the setter did set that mask.
            self.assertEqual(lines[event["mask_set_by"]]["new"], event["mask"], event)
        return report, calls

    def summary_of(self, run):
        return json.loads(self.tool("report", run, "--format", "json"))

    def test_a_getter_beside_a_creator(self):
        result, run = self.record(victim("toggles_beside"), self.work, FILES, 1)
        report, calls = self.explain(result, run)
        self.assertEqual(len(report.of("umask")), calls)
        self.assertGreater(calls, 2 * 500 * FILES)
        self.assertEqual(self.summary_of(run)["counts"]["mask_changes"], calls)
        self.assertLess(self.size_of(run), 1 << 20)

    def test_the_same_in_python(self):
        result, run = self.record(sys.executable, "-c", PYTHON, self.work, FILES)
        report, calls = self.explain(result, run)
        self.assertEqual(len(report.of("umask")), calls)
        self.assertLess(self.size_of(run), 1 << 20)

    def test_two_getters_beside_a_creator(self):
        result, run = self.record(victim("toggles_beside"), self.work, FILES, 2)
        report, calls = self.explain(result, run)
        self.assertEqual(len(report.of("umask")), calls)

    def test_changes_cost_no_creation(self):
        run = self.new_run()
        # One megabyte; two threads' changes come between each other's, and each may be alone.
        result = self.preload(victim("toggles_beside"), self.work, FILES, 2,
                              options=f"log=off:fold=no:max_size=1M:trace={run}")
        report, calls = self.explain(result, run, complete=False)
        self.assertEqual({event["reason"] for event in report.of("loss")}, {"segment-full"})
        lost = sum(event["count"] for event in report.of("loss"))
        self.assertEqual(len(report.of("umask")) + lost, calls)

    def test_each_with_its_time(self):
        run = self.new_run()
        result = self.preload(victim("toggles_beside"), self.work, 5, 1,
                              options=f"log=off:fold=no:trace={run}")
        report, calls = self.explain(result, run)
        lines = [event for event in report.events if event["type"] == "umask"]
        self.assertEqual(len(lines), calls)
        self.assertEqual([line for line in lines if "count" in line], [])


if __name__ == "__main__":
    harness.main()
