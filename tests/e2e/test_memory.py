"""The reporter's memory: bounded by what is distinct in a run, not by how often it happened."""

import ctypes
import os
import subprocess
from pathlib import Path

from lib import harness
from lib.harness import TOOL, Case

GENERATOR = Path(TOOL).parent.parent / "tests" / "bench" / "generate_trace"
FEW, MANY = 100000, 400000  # of one process image: the paths and stacks are the same
# Growth between the two in KiB. 24 bytes for each of 24,000 mask changes more, and examples for
# findings that had room for more: 3 MiB. The lives of 24,000 objects that a later call changes, as
# the rules keep them, and those of the summary: 10 to 23 MiB more. With 200 bytes for each of the
# 300,000 events more it would be 60 MiB.
MOST_GROWTH = 36 * 1024
PR_SET_THP_DISABLE = 41  # prctl(2); huge pages would count as a whole


def without_huge_pages():
    ctypes.CDLL(None).prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)


class Memory(Case):
    def generate(self, events):
        run = self.new_run()
        subprocess.run([GENERATOR, run, str(events)], check=True, stdout=subprocess.DEVNULL)
        return run

    def peak(self, run, words):
        """KiB that one command had in memory at most."""
        command = [TOOL, words[0], run, "--no-symbols", *words[1:]]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              preexec_fn=without_huge_pages) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        self.assertIn(process.returncode, (0, 1))
        return usage.ru_maxrss

    def test_four_times_the_events_are_not_more_memory(self):
        if b"__asan_init" in Path(TOOL).read_bytes():
            self.skipTest("the address sanitizer keeps what was freed")
        few, many = self.generate(FEW), self.generate(MANY)
        for words in (["threads"], ["check"], ["report"], ["report", "--format", "json"]):
            with self.subTest(words):
                # Twice each: what the machine takes away from one of them counts for nothing.
                least = max(self.peak(few, words) for _ in range(2))
                most = min(self.peak(many, words) for _ in range(2))
                self.assertLess(most - least, MOST_GROWTH)


if __name__ == "__main__":
    harness.main()
