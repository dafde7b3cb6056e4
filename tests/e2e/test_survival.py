"""The audited program is never the one that suffers: victims that break careless shims.

Each runs bare and with the shim; the victim itself says, by its exit code, whether it was harmed.
What it created must be in the report, with the modes that the kernel gave.
"""

import harness
from harness import Case, truths_of, victim


class Survival(Case):
    def survive(self, name, *arguments):
        result, run = self.record(victim(name), self.work, *arguments)
        report = self.report(run)
        self.check_truths(report, truths_of(result))
        self.assertEqual(report.of("loss"), [])
        return report

    def test_signal_handlers_that_call_umask_and_create(self):
        report = self.survive("handler_umask", 1000)
        self.assertEqual(len(report.of("create", call="openat")), 1000)

    def test_forks_while_other_threads_hold_the_lock(self):
        report = self.survive("fork_storm", 1000)
        self.assertEqual(len(report.of("create", mask="0077")), 1000)

    def test_cancellation_inside_blocking_creations(self):
        self.survive("cancel_open_fifo")

    def test_all_descriptors_closed(self):
        self.survive("closes_all")

    def test_smallest_stacks(self):
        self.survive("small_stack")

    def test_file_size_limit(self):
        result, run = self.record(victim("rlimit_fsize"), self.work)
        # What could not be recorded under the limit is counted, not forgotten.
        report = self.report(run)
        events = len(report.of("umask")) + sum(event["count"] for event in report.of("loss"))
        self.assertGreaterEqual(events, 20001)
        self.assertEqual(len(truths_of(result)), 1)


class SameAsWithout(Case):
    """Exit code, output and created modes, with victims whose output does not depend on chance."""

    def test_exit_ways(self):
        for way in ([], ["quick"], ["now"]):
            with self.subTest(way=way):
                self.check_same(victim("exit_umask"), ".", *way)

    def test_bad_paths(self):
        self.check_same(victim("bad_paths"), ".")

    def test_modes_of_a_sweep(self):
        self.check_same("sh", "-c", f"{victim('sweep')} . open mkdir mkfifo fopen > /dev/null")


if __name__ == "__main__":
    harness.main()
