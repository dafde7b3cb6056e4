"""Frames of shell scripts in the events of scripts made from a seed: each event's whole stack
against what the shell says of it.

Must never compare a line that the script does not tell in the same line as it makes something.
"""

import re
import shutil
from pathlib import Path

from lib import harness, shell_scripts
from lib.harness import needs, victim
from lib.script_stacks import MOST_FRAMES, ScriptCase

STARTERS_SHOWN = 4  # of the frames that started a program, in text


class ShellCase(ScriptCase):
    language = "shell"

    def wanted(self, frames):
        """zsh calls a file that it reads by its name, where a function would be."""
        return [[file, line, "" if "/" in name else name]
                for file, line, name in frames[:MOST_FRAMES]]

    def check_names_that_go(self, command):
        """Functions of one line, each of which is gone when the next comes where it was."""
        text = ('for ((i = 100; i < 400; i++)); do '
                'eval "f$i() { : > \\"\\$1/f$i\\"; }"; f$i "$2"; unset -f f$i; done\n')
        program, side, work = self.write({"main": text})
        _, run = self.record(*command, program, side, work)
        made = self.recorded(self.report(run))
        names = [f"f{number}" for number in range(100, 400)]
        self.assertEqual([made[str(work / name)][0][2] for name in names], names)

    def check_changes(self, command, texts, changes):
        notes, report = self.check_generated(command, texts)
        self.compare_masks(notes, report, changes)


class Bash(ShellCase):
    def test_every_stack_is_whole(self):
        for round_ in range(3):
            self.check_changes(["bash"], shell_scripts.bash(self.seed + round_), 1)

    def test_killed_at_a_random_moment(self):
        for round_ in range(3):
            self.check_killed(["bash"],
                              shell_scripts.for_ever(shell_scripts.bash(self.seed + round_)))

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

    def test_functions_where_others_were(self):
        self.check_names_that_go(["bash"])

    def test_what_is_made_by_programs_that_it_starts(self):
        """What mkdir made leads to the line of the script that ran it."""
        program, side, work = self.write(shell_scripts.bash(self.seed))
        _, run = self.record("bash", program, side, work)
        notes, _ = shell_scripts.notes(side.read_text(encoding="utf-8"))
        for _, path, frames in [note for note in notes if note[0] == "x"][:8]:
            text, *_ = self.tool("blame", run, path).split("\nHow its mode")
            told = re.findall(r"^ +(?:started|called) by +(.*) \(shell\)$", text, re.MULTILINE)
            wanted = [f"{name} {file}:{line}" for file, line, name in frames]
            self.assertEqual(told, wanted[:STARTERS_SHOWN], f"SEED={self.seed}")

    def test_deeper_than_is_told(self):
        script = self.top / "script"
        script.write_text("f() { if (($1 == 0)); then umask 027; else f $(($1 - 1)); fi; }\nf 70\n")
        _, run = self.record("bash", script)
        change, = self.report(run).of("umask")
        self.assertEqual(self.frames_of(change), [[str(script), 1, "f"]] * MOST_FRAMES)

    def test_unchanged(self):
        self.check_unchanged(["bash"], shell_scripts.bash(self.seed))


@needs("zsh")
class Zsh(ShellCase):
    def test_every_stack_is_whole(self):
        for round_ in range(3):
            # It reads the mask by writing it.
            self.check_changes(["zsh", "-f"], shell_scripts.zsh(self.seed + round_), 3)

    def test_killed_at_a_random_moment(self):
        for round_ in range(3):
            self.check_killed(["zsh", "-f"],
                              shell_scripts.for_ever(shell_scripts.zsh(self.seed + round_)))

    def test_without_a_file(self):
        text = "umask 027\n\nf() { umask 026; }\nf\n"
        for command, given, file in ((["zsh", "-f", "-c", text], None, "zsh"),
                                     (["zsh", "-f"], text.encode(), "")):
            stacks = self.stacks_of(*command, input=given)
            self.assertEqual(stacks[0], [["zsh", 1, ""]])
            self.assertEqual(stacks[-1], [[file, 3, "f"], ["zsh", 4, ""]])

    def test_functions_where_others_were(self):
        self.check_names_that_go(["zsh", "-f"])

    def test_a_trap_in_the_handler(self):
        script = self.top / "script"
        script.write_text("TRAPUSR1() {\n  umask 027\n}\nkill -USR1 $$\n\n")
        stacks = self.stacks_of("zsh", "-f", script)
        self.assertEqual(stacks[-1], [[str(script), 2, "TRAPUSR1"], [str(script), 4, ""]])

    def test_unchanged(self):
        self.check_unchanged(["zsh", "-f"], shell_scripts.zsh(self.seed))


@needs("dash")
class Dash(ShellCase):
    def lines_of(self, report, work):
        """What each event was made by, and what its name says: [shell's word, line]."""
        for path, events in report.creations().items():
            if Path(path).parent == work:
                yield self.frames_of(events[0]), int(path.rpartition("-")[2]), path

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

    def test_in_the_background(self):
        """dash sets no line where it forks for a command in the background: it has what the memory
        had before. The command itself has its line."""
        text = "true\n(umask 027) &\nwait\n"
        for environment in ({}, {"MALLOC_PERTURB_": "109"}):
            stacks = self.stacks_of("dash", "-c", text, env=environment)
            self.assertEqual(stacks[-1], [["dash -c", 2, ""]])

    def test_unchanged(self):
        self.check_unchanged(["dash"], shell_scripts.dash(self.seed))


class NoShell(ShellCase):
    def test_variables_that_are_not_what_their_names_say(self):
        """A program with the exported names of bash and nonsense in them goes on as it is, and has
        no frames."""
        for kind in ("garbage", "unreadable", "loop", "null"):
            with self.subTest(kind=kind):
                run = self.check_same(victim("almost_bash"), self.work, kind)
                report = self.report(run)
                self.assertEqual(len(report.creations()), 2)
                self.assertEqual([self.frames_of(event) for event in report.of("create")],
                                 [[], []])


if __name__ == "__main__":
    harness.main()
