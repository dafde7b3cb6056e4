"""Programs cannot tell that they are traced, but by having a tracer: every victim is.

What a program prints and makes may vary by itself: what two runs without us have in common is what
a traced run must have too. A run that differs is repeated, since most victims are races.
"""

import os
import re
import stat
import unittest

from test_equivalence import NOT_ALONE, UNUSABLE, VICTIMS
from lib import harness
from lib.harness import TOOL, Case, victim

# Why each is left out.
BUT = {
    "without_vdso": "it traces itself",
    "signal_amid_umask": "a call that waits for a listener is not made again under any tracer",
}
# Of a mode that falls one way or the other, three attempts in a row agree wrongly once in 64 times.
ATTEMPTS = 10


def programs():
    for entry in sorted(os.scandir(harness.PROGRAMS), key=lambda entry: entry.name):
        if entry.is_file() and os.access(entry.path, os.X_OK) and ".so" not in entry.name:
            yield entry.name


class Same(Case):
    def setUp(self):
        super().setUp()
        self.places = 0

    def look(self, name, traced):
        """What a run of the victim shows: its end, the lines that it prints, what it leaves."""
        arguments, but = VICTIMS.get(name, ([], []))
        self.places += 1
        place = self.top / f"place{self.places}"
        place.mkdir()
        prefix = [TOOL, "run", "--see=trace", "--no-summary", "-o", self.new_run(), "--"]
        result = self.execute(*(prefix if traced else []), victim(name), place, *arguments)
        lines = sorted(re.sub(rb"[0-9]+", b"N", line.replace(os.fsencode(place), b"PLACE"))
                       for line in result.stdout.splitlines())
        left = {}
        for directory, names, files in os.walk(place):
            for path in (os.path.join(directory, one) for one in names + files):
                try:
                    left[os.path.relpath(path, place)] = stat.filemode(os.lstat(path).st_mode)
                except FileNotFoundError:
                    pass  # a child that goes on takes it away
        seen = {"end": result.returncode, "stdout": lines, "created": left}
        return {what: value for what, value in seen.items() if what not in but}

    def check_program(self, name):
        first = self.look(name, False)
        if first["end"] == UNUSABLE:
            self.skipTest("it has no use here")
        for attempt in range(ATTEMPTS):
            second, traced = self.look(name, False), self.look(name, True)
            unlike = {what: (first[what], traced[what]) for what in first
                      if first[what] == second[what] != traced[what]}
            if not unlike:
                return
        self.fail(f"after {attempt + 1} runs: {unlike}")


def add_cases():
    for name in programs():
        if name in NOT_ALONE or name in BUT:
            continue

        def check(self, name=name):
            self.check_program(name)
        setattr(Same, f"test_{name}", check)


add_cases()

if __name__ == "__main__":
    harness.main()
