"""What happens to a process between its start and its first event, by others, whom nobody sees.

It has its segment before that: a program that opened it at the first event would have none here.
"""

import contextlib
import json
import os
import resource
import subprocess

from lib import harness
from lib.harness import Case, end_all, octal, victim


class FirstEvent(Case):
    @contextlib.contextmanager
    def started(self, run):
        """A program that has started, and makes something when it reads a byte."""
        environment = {**os.environ, "LD_PRELOAD": harness.SHIM,
                       "UMASKAUDIT_OPTIONS": f"log=off:trace={run}"}
        with subprocess.Popen([victim("waits_first"), str(self.work)], env=environment,
                              cwd=self.work, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, start_new_session=True) as process:
            try:
                self.assertEqual(process.stdout.readline(), b"ready\n")
                yield process
            finally:
                end_all(process, self.top)

    def finish(self, process, run):
        """Lets it go on; each object it made, and nothing else, is in the report."""
        process.stdin.write(b"x")
        process.stdin.close()
        output = process.stdout.read()
        self.assertEqual(process.wait(timeout=harness.TIMEOUT), 0)
        truths = [json.loads(line) for line in output.splitlines()]
        self.assertEqual(len(truths), 2)
        report = self.report(run)
        self.assertEqual({path: event["final"] for path, (event,) in report.creations().items()},
                         {truth["path"]: octal(os.lstat(truth["path"]).st_mode & 0o7777)
                          for truth in truths})
        self.assertEqual(report.of("loss"), [])

    def test_limits_that_another_process_sets(self):
        run = self.new_run()
        with self.started(run) as process:
            for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE):
                resource.prlimit(process.pid, limit, (0, 0))
            self.finish(process, run)

    def test_a_run_directory_that_is_moved(self):
        run = self.new_run()
        with self.started(run) as process:
            moved = run.rename(self.top / "elsewhere")
            self.finish(process, moved)
            self.assertFalse(run.exists())


if __name__ == "__main__":
    harness.main()
