"""The limits that scripts/bench prints stand for the system calls that the shim really makes.

A loop of tests/bench/loops is run twice under strace(1), with few calls and with more of them: what
the second run makes more often belongs to the calls. With --parts and without the shim that must be
the same as under the shim without --parts; what the shim makes in each call and the parts do not
know would be a cost that no limit shows.
"""

import collections
import re

from lib import harness
from lib.harness import Case, needs

LOOPS = harness.PROGRAMS.parent / "bench" / "loops"
FEW, MANY, BATCHES = 40, 140, 2
# Of the kernel, whether memory is mapped: an operation that it does not know. The walk of a new
# stack asks some 30 times, and how many stacks count as new depends on where the kernel loaded the
# program.
QUESTION = "rt_sigprocmask(0xffffffff"
WORKS = ["open", "create-excl", "create-excl --relative", "create-trunc", "open-creat-existing",
         "fopen", "mkdir", "mkfifo", "mq_open", "umask"]


@needs("strace")
class Parts(Case):
    def counts(self, work, calls, *extra, environment=()):
        """How often the loop makes each system call, by name."""
        log, directory = self.top / "strace", self.top / "work"
        directory.mkdir(exist_ok=True)
        name, *arguments = work.split()
        tracer = ["strace", "-qq", "-o", log, "-e", "signal=none"]
        for setting in environment:
            tracer += ["-E", setting]
        result = self.execute(*tracer, LOOPS, name, directory, *arguments, "--calls", str(calls),
                              "--batches", str(BATCHES), *extra)
        if b"ptrace" in result.stderr:
            self.skipTest("ptrace is barred here")
        self.assertEqual(result.returncode, 0, result.stderr)
        text = log.read_text(errors="replace").replace("\n" + QUESTION, "\nquestion(")
        return collections.Counter(re.findall(r"^(\w+)\(", text, re.M))

    def a_call(self, work, *extra, environment=()):
        """The system calls of one call. One batch warms up before those that count."""
        few, many = (self.counts(work, calls, *extra, environment=environment)
                     for calls in (FEW, MANY))
        turns = (MANY - FEW) * (BATCHES + 1)
        self.assertLess(many.pop("question", 0) - few["question"], turns / 2,
                        "calls of known stacks ask whether memory is mapped")
        return {name: round((many[name] - few[name]) / turns, 1) for name in many
                if many[name] - few[name] >= turns / 10}

    def test_the_parts_are_what_the_shim_asks_the_kernel(self):
        trace = self.top / "trace"
        trace.mkdir()
        recorded = [f"LD_PRELOAD={harness.SHIM}", f"UMASKAUDIT_OPTIONS=trace={trace}"]
        for work in WORKS:
            with self.subTest(work):
                shim = self.a_call(work, environment=recorded)
                parts = self.a_call(work, "--parts")
                if "fcntl" not in shim:  # F_CREATED_QUERY is of Linux 6.12
                    parts.pop("fcntl", None)
                if "--relative" in work:  # removing files between the batches calls it too
                    shim["getcwd"] -= shim["unlink"]
                self.assertEqual(shim, parts)
                self.assertTrue(parts)


if __name__ == "__main__":
    harness.main()
