"""What the tests of script stacks share: programs that note their own stack for each thing they
make, and the comparison of what was recorded with the notes.

Must never take what was recorded for the truth. Called by test_shell_stacks.py,
test_interpreted_stacks.py and test_python_stacks.py.
"""

import collections
import os
import random
import shutil
import signal
import subprocess
import unittest

from lib import shell_scripts
from lib.equivalence import Equivalence
from lib.harness import SHIM, Case

MOST_FRAMES = 64


def key(frames):
    return tuple(map(tuple, frames))


def needs_version(version, *command):
    """Skips a test, with the reason, unless the command writes that version: what is read of
    another one is another matter."""
    if shutil.which(command[0]) is None:
        return unittest.skip(f"{command[0]} is not installed")
    said = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return unittest.skipUnless(said.stdout.decode(errors="replace").startswith(version),
                               f"{command[0]} is not {version}")


class StackCase(Case):
    """Programs that note their stacks in a side file, and what was recorded of them."""

    language = ""  # as reports call it

    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
        self.programs = 0

    def places(self):
        """For another program: its side file and the directory for what it makes."""
        self.programs += 1
        side = self.top / f"side{self.programs}"
        side.touch()
        work = self.top / f"work{self.programs}"
        work.mkdir()
        return side, work

    def frames_of(self, event):
        return [[frame["file"], frame.get("line", 0), frame["symbol"]]
                for frame in event["stack"] if frame.get("language") == self.language]

    def recorded(self, report):
        """path -> the script's frames of the event that made it."""
        return {path: self.frames_of(events[0]) for path, events in report.creations().items()}

    def killed_run(self, command, side, until):
        """The run of a command that is killed as soon as its side file has so many bytes, when all
        of it has ended."""
        run = self.new_run()
        environment = {**os.environ, "LD_PRELOAD": SHIM,
                       "UMASKAUDIT_OPTIONS": f"log=off:trace={run}"}
        with subprocess.Popen(list(map(str, command)), env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as process:
            while side.stat().st_size < until and process.poll() is None:
                pass
            process.send_signal(signal.SIGKILL)
            process.communicate()  # until the last of its children has ended
        return run


class ScriptCase(StackCase):
    least = 5  # files that each program must make

    def write(self, texts):
        """The program, its side file and the directory for what it makes."""
        side, work = self.places()
        return shell_scripts.write(self.top / f"scripts{self.programs}", texts), side, work

    def wanted(self, frames):
        """The frames of a note as a report has them."""
        return frames[:MOST_FRAMES]

    def compare(self, notes, report):
        """Every file that was noted as made by the program itself; returns how many."""
        made = self.recorded(report)
        compared = 0
        for kind, path, frames in notes:
            if kind != "f":
                continue
            self.assertIn(path, made, f"SEED={self.seed}")
            self.assertEqual(made[path], self.wanted(frames), f"{path}, SEED={self.seed}")
            compared += 1
        return compared

    def compare_masks(self, notes, report, changes):
        """Each note of a mask has so many changes of it, and there are no others in scripts."""
        wanted = collections.Counter()
        for kind, _, frames in notes:
            if kind.startswith("m"):
                wanted[key(self.wanted(frames))] += changes
        got = collections.Counter(key(self.frames_of(event)) for event in report.of("umask")
                                  if self.frames_of(event))
        self.assertEqual(got, wanted, f"SEED={self.seed}")

    def check_generated(self, command, texts):
        """Returns the notes and the report."""
        program, side, work = self.write(texts)
        _, run = self.record(*command, program, side, work)
        notes, torn = shell_scripts.notes(side.read_text(encoding="utf-8"))
        self.assertEqual(torn, 0)
        report = self.report(run)
        self.assertEqual(report.of("loss"), [])
        self.assertGreater(self.compare(notes, report), self.least)
        return notes, report

    def check_killed(self, command, texts):
        """A program that does not end. Whatever the record has is right, and it has all but what
        was under way."""
        program, side, work = self.write(texts)
        until = random.Random(self.seed).randrange(1, 100_000)
        run = self.killed_run([*command, program, side, work], side, until)
        notes, torn = shell_scripts.notes(side.read_text(encoding="utf-8", errors="replace"))
        self.assertLessEqual(torn, 1)
        report = self.report(run)
        made = self.recorded(report)
        late = [path for kind, path, _ in notes if kind == "f" and path not in made]
        self.assertLessEqual(len(late), 1, late)
        self.compare([note for note in notes if note[1] in made], report)

    def check_unchanged(self, command, texts):
        """Ending, output, what is made, and the program's own system calls."""
        program, side, work = self.write(texts)
        differences = Equivalence(self, [*command, program, side, work]).differences()
        self.assertEqual(differences, [])

    def stacks_of(self, *command, **options):
        """The stack of each change of the mask, in order."""
        _, run = self.record(*command, **options)
        return [self.frames_of(event) for event in self.report(run).of("umask")]
