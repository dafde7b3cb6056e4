"""seccomp filters: no call is made that a filter may not allow, and the report stays true.

Whatever the filter answers (a kill, a signal, an errno, a question to another process), however it
was installed, and also when it was there before the program started. Ground truth: the victim's.
"""

import unittest

from lib import harness
from lib.harness import Case, truths_of, victim

ANSWERS = ("kill", "trap", "errno", "trace")
WAYS = ("prctl", "raw", "seccomp", "tsync", "before")
# Calls of the shim that neither the victim nor the loader and libc at their start make.
OURS = ("faccessat", "fallocate", "fchmod", "fcntl", "fstatfs", "ftruncate", "getcwd", "getppid",
        "getxattr", "ioctl", "kcmp", "kill", "madvise", "mkdirat", "mremap", "msync", "openat2",
        "process_vm_readv", "readlinkat", "rt_sigpending", "sched_yield", "statfs", "statx",
        "tgkill", "unlinkat")


class Filters(Case):
    def run_victim(self, *arguments):
        harness.remove_tree(self.work)
        self.work.mkdir()
        result, run = self.record(victim("seccomp_bars"), self.work, *arguments)
        return truths_of(result), self.report(run)

    def check(self, *arguments):
        """Every object is in the report, and what was opened is told from what was made."""
        truths, report = self.run_victim(*arguments)
        self.check_truths(report, truths)
        expected = [truth["met"] for truth in truths if "met" in truth]
        self.check_met(report.of("create", call="open", errno=0), expected)
        return report

    def test_a_filter_that_knows_the_flags_of_open(self):
        for answer in ANSWERS:
            for way in WAYS[:-1]:
                for warm in ((), ("warm",)):
                    with self.subTest(answer=answer, way=way, warm=bool(warm)):
                        self.check("exclusive", answer, way, *warm)

    def test_a_filter_whose_listener_never_answers(self):
        for what in ("exclusive", "statx", "created", "queue"):
            with self.subTest(what=what):
                self.check(what, "notify", "listener", "warm")

    def test_a_filter_that_knows_how_the_kernel_is_asked(self):
        for answer in ANSWERS:
            for way in WAYS:
                with self.subTest(answer=answer, way=way):
                    self.check("created", answer, way, "warm")

    def test_a_filter_that_knows_the_flags_of_mq_open(self):
        for way in WAYS[:-1]:
            with self.subTest(way=way):
                self.check("queue", "kill", way)

    def test_each_call_of_ours(self):
        for call in OURS:
            with self.subTest(call=call):
                self.check(call, "kill", "prctl", "warm")

    def test_each_call_of_ours_barred_before_the_start(self):
        """The program lives; what the filter leaves us decides what is recorded."""
        for call in OURS:
            for answer in ("kill", "errno"):
                with self.subTest(call=call, answer=answer):
                    truths, _ = self.run_victim(call, answer, "before")
                    made = {truth["path"] for truth in truths if "path" in truth}
                    self.assertEqual(len(made), 4)

    def test_flags_of_open_that_are_barred_before_the_start(self):
        truths, report = self.run_victim("exclusive", "kill", "before")
        self.assertEqual(len([truth for truth in truths if "path" in truth]), 4)
        self.assertNotEqual(report.of("blind_spot") + report.of("loss"), [], "it is said")

    def test_what_a_filter_from_before_the_start_bars_is_said(self):
        truths, report = self.run_victim("statx", "kill", "before")
        self.check_truths(report, truths)
        texts = [event["text"] for event in report.of("blind_spot", reason="seccomp")]
        self.assertIn("inherited filter", texts)


if __name__ == "__main__":
    harness.main()
