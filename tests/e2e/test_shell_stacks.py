"""Frames of shell scripts in the events of scripts made from a seed: each event's whole stack
against what the shell says of it.

Must never compare a line that the script does not tell in the same line as it makes something.
"""

import collections
import os
import random
import shutil
import signal
import subprocess
from pathlib import Path

from lib import harness, shell_scripts
from lib.equivalence import Equivalence
from lib.harness import SHIM, Case, needs, victim

MOST_FRAMES = 64
# How many changes of the mask each `umask MASK` makes: zsh and dash read it by writing it.
CHANGES = {"bash": 1, "zsh": 3}


def text_of(value):
    """What a side file has, read as UTF-8, as the report has it."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def shell_frames(event):
    return [[frame["file"], frame.get("line", 0), frame["symbol"]]
            for frame in event["stack"] if frame.get("language") == "shell"]


def key(frames):
    return tuple(map(tuple, frames))


class Scripts(Case):
    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
        self.programs = 0

    def write(self, texts):
        """The program, its side file and the directory for what it makes."""
        self.programs += 1
        program = shell_scripts.write(self.top / f"scripts{self.programs}", texts)
        side = self.top / f"side{self.programs}"
        side.touch()
        work = self.top / f"work{self.programs}"
        work.mkdir()
        return program, side, work

    def wanted(self, frames):
        """zsh calls a file that it reads by its name, where a function would be."""
        return [[text_of(file), line, "" if "/" in name else text_of(name)]
                for file, line, name in frames][:MOST_FRAMES]

    def recorded(self, report):
        return {path: shell_frames(events[0]) for path, events in report.creations().items()}

    def compare(self, notes, report, label):
        """Every file that was noted as made by the shell itself, by path; returns how many."""
        made = self.recorded(report)
        compared = 0
        for kind, path, frames in notes:
            if kind != "f":
                continue
            self.assertIn(path, made, f"{label}, SEED={self.seed}")
            self.assertEqual(made[path], self.wanted(frames), f"{label}: {path}, SEED={self.seed}")
            compared += 1
        return compared

    def compare_masks(self, notes, report, shell):
        wanted = collections.Counter()
        for kind, _, frames in notes:
            if kind.startswith("m"):
                wanted[key(self.wanted(frames))] += CHANGES[shell]
        got = collections.Counter(key(shell_frames(event)) for event in report.of("umask")
                                  if event["stack"] and shell_frames(event))
        self.assertEqual(got, wanted, f"SEED={self.seed}")

    def check_generated(self, shell, texts, *options):
        program, side, work = self.write(texts)
        _, run = self.record(shell, *options, program, side, work)
        notes, torn = shell_scripts.notes(side.read_text(encoding="utf-8"))
        self.assertEqual(torn, 0)
        report = self.report(run)
        self.assertEqual(report.of("loss"), [])
        compared = self.compare(notes, report, shell)
        self.assertGreater(compared, 5)
        self.compare_masks(notes, report, shell)

    def check_killed(self, shell, texts, *options):
        program, side, work = self.write(shell_scripts.for_ever(texts))
        run = self.new_run()
        environment = {**os.environ, "LD_PRELOAD": SHIM,
                       "UMASKAUDIT_OPTIONS": f"log=off:trace={run}"}
        until = random.Random(self.seed).randrange(1, 100_000)
        with subprocess.Popen([shell, *options, program, side, work], env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            while side.stat().st_size < until and process.poll() is None:
                pass
            process.send_signal(signal.SIGKILL)
            process.communicate()  # until the last of its children has ended
        notes, torn = shell_scripts.notes(side.read_text(encoding="utf-8", errors="replace"))
        self.assertLessEqual(torn, 1)
        report = self.report(run)
        made = self.recorded(report)
        late = [path for kind, path, _ in notes if kind == "f" and path not in made]
        self.assertLessEqual(len(late), 1, late)
        self.compare([note for note in notes if note[1] in made], report, shell)

    def check_unchanged(self, shell, texts, *options):
        """Ending, output, what is made, and the script's own system calls."""
        program, side, work = self.write(texts)
        differences = Equivalence(self, [shell, *options, program, side, work]).differences()
        self.assertEqual(differences, [])

    def stacks_of(self, *command, **options):
        """The stack of each change of the mask, in order."""
        _, run = self.record(*command, **options)
        report = self.report(run)
        return [shell_frames(event) for event in report.of("umask")]


class Bash(Scripts):
    def test_every_stack_is_whole(self):
        for round_ in range(3):
            self.check_generated("bash", shell_scripts.bash(self.seed + round_))

    def test_killed_at_a_random_moment(self):
        for round_ in range(3):
            self.check_killed("bash", shell_scripts.bash(self.seed + round_))

    def test_without_a_file(self):
        text = "umask 027\n\nf() { umask 026; }\nf\n"
        for command, given, name in ((["bash", "-c", text], None, "bash -c"),
                                     (["bash"], text.encode(), "bash <stdin>")):
            with self.subTest(name=name):
                plain, within = self.stacks_of(*command, input=given)
                self.assertEqual(plain, [[name, 1, ""]])
                self.assertEqual(within[1:], [[name, 4, ""]])
                self.assertEqual(within[0][1:], [3, "f"])

    def test_called_sh(self):
        (self.top / "sh").symlink_to(shutil.which("bash"))
        shell = str(self.top / "sh")
        self.assertEqual(self.stacks_of(shell, "-c", "umask 027"), [[[f"{shell} -c", 1, ""]]])

    def test_start_up_file(self):
        start, script = self.top / "start", self.top / "script"
        start.write_text("\numask 027\n")
        script.write_text("\n\numask 026\n")
        stacks = self.stacks_of("bash", script, env={"BASH_ENV": str(start)})
        self.assertEqual(stacks, [[[str(start), 2, "source"]], [[str(script), 3, "main"]]])

    def test_names_that_the_script_took_away(self):
        script = self.top / "script"
        script.write_text("f() { umask 027; }\nunset FUNCNAME\nf\nFUNCNAME=x\nf\n")
        name = str(script)
        self.assertEqual(self.stacks_of("bash", script),
                         [[[name, 1, ""], [name, 3, ""]], [[name, 1, ""], [name, 5, ""]]])

    def test_deeper_than_is_told(self):
        script = self.top / "script"
        script.write_text("f() { if (($1 == 0)); then umask 027; else f $(($1 - 1)); fi; }\nf 70\n")
        _, run = self.record("bash", script)
        change, = self.report(run).of("umask")
        self.assertEqual(shell_frames(change), [[str(script), 1, "f"]] * MOST_FRAMES)

    def test_unchanged(self):
        self.check_unchanged("bash", shell_scripts.bash(self.seed))


@needs("zsh")
class Zsh(Scripts):
    def test_every_stack_is_whole(self):
        for round_ in range(3):
            self.check_generated("zsh", shell_scripts.zsh(self.seed + round_), "-f")

    def test_killed_at_a_random_moment(self):
        for round_ in range(3):
            self.check_killed("zsh", shell_scripts.zsh(self.seed + round_), "-f")

    def test_without_a_file(self):
        text = "umask 027\n\nf() { umask 026; }\nf\n"
        for command, given, file in ((["zsh", "-f", "-c", text], None, "zsh"),
                                     (["zsh", "-f"], text.encode(), "")):
            stacks = self.stacks_of(*command, input=given)
            self.assertEqual(stacks[0], [["zsh", 1, ""]])
            self.assertEqual(stacks[-1], [[file, 3, "f"], ["zsh", 4, ""]])

    def test_a_trap_in_the_handler(self):
        script = self.top / "script"
        script.write_text("TRAPUSR1() {\n  umask 027\n}\nkill -USR1 $$\n\n")
        stacks = self.stacks_of("zsh", "-f", script)
        self.assertEqual(stacks[-1], [[str(script), 2, "TRAPUSR1"], [str(script), 4, ""]])

    def test_unchanged(self):
        self.check_unchanged("zsh", shell_scripts.zsh(self.seed), "-f")


@needs("dash")
class Dash(Scripts):
    def lines_of(self, report, work):
        """What each event was made by, and what its name says: [shell's word, line]."""
        for path, events in report.creations().items():
            if Path(path).parent == work:
                yield shell_frames(events[0]), int(path.rpartition("-")[2]), path

    def test_every_line_is_right(self):
        for round_ in range(3):
            program, side, work = self.write(shell_scripts.dash(self.seed + round_))
            _, run = self.record("dash", program, side, work)
            report = self.report(run)
            compared = 0
            for frames, line, path in self.lines_of(report, work):
                # A file that the script reads is not told: the line is of either.
                self.assertEqual(frames, [[str(program), line, ""]], f"{path}, SEED={self.seed}")
                compared += 1
            self.assertEqual(compared, len(list(work.iterdir())))
            self.assertGreater(compared, 5)

    def test_without_a_file(self):
        text = "umask 027\n\numask 026\n"
        for command, given, name in ((["dash", "-c", text], None, "dash -c"),
                                     (["dash", "-ec", text, "name"], None, "dash -c"),
                                     (["dash", "-o", "errexit"], text.encode(), "dash <stdin>")):
            with self.subTest(name=name):
                stacks = self.stacks_of(*command, input=given)
                self.assertEqual(stacks[0], [[name, 1, ""]])
                self.assertEqual(stacks[-1], [[name, 3, ""]])

    def test_unchanged(self):
        self.check_unchanged("dash", shell_scripts.dash(self.seed))


class NoShell(Scripts):
    def test_variables_that_are_not_what_their_names_say(self):
        """A program with the exported names of bash and nonsense in them goes on as it is, and has
        no frames."""
        for kind in ("garbage", "unreadable", "loop", "null"):
            with self.subTest(kind=kind):
                run = self.check_same(victim("almost_bash"), self.work, kind)
                report = self.report(run)
                self.assertEqual(len(report.creations()), 2)
                self.assertEqual([shell_frames(event) for event in report.of("create")],
                                 [[], []])


if __name__ == "__main__":
    harness.main()
