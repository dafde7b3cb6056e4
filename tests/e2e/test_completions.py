"""The completions in their shells: a key is pressed, and the shell runs what came of it."""

import os
import pty
import select
import signal
import time

from lib import harness
from lib.harness import Case, needs

# A command and a file that no other name begins like.
COMMAND, FILE = "zz-only-command", "zz-only-file"
SETUP = """
PS1= ; unsetopt zle_bracketed_paste prompt_cr
path=({bin} $path); fpath=({functions} $fpath)
autoload -Uz compinit; compinit -u -D
umaskaudit() {{ print -r -- "<$*>" }}
print -r -- ready${{:-}}!
"""


class Shell:
    """An interactive zsh on a terminal of its own."""

    def __init__(self, case, functions):
        self.case = case
        self.seen = ""
        bin_folder = case.top / "bin"
        bin_folder.mkdir()
        (bin_folder / COMMAND).write_text("#!/bin/sh\n")
        (bin_folder / COMMAND).chmod(0o755)
        (case.work / FILE).write_text("")
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.chdir(case.work)
            environment = {"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": str(case.top),
                           "ZDOTDIR": str(case.top), "LC_ALL": "C"}
            os.execvpe("zsh", ["zsh", "-f", "-i"], environment)
        case.addCleanup(self.end, pid)
        setup = case.top / "setup"
        setup.write_text(SETUP.format(bin=bin_folder, functions=functions))
        self.send(f". {setup}\n")
        self.wait_for("ready!")

    def end(self, pid):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(self.terminal)

    def send(self, text):
        os.write(self.terminal, text.encode())

    def wait_for(self, text):
        end = time.monotonic() + harness.TIMEOUT
        while text not in self.seen:
            left = end - time.monotonic()
            if left < 0 or not select.select([self.terminal], [], [], left)[0]:
                self.case.fail(f"no {text!r} in {self.seen!r}")
            self.seen += os.read(self.terminal, 4096).decode(errors="replace")

    def complete(self, line):
        """The words that umaskaudit gets when TAB is pressed behind `line`."""
        self.seen = ""
        self.send(f"{line}\t\n")
        self.wait_for(">\r\n")
        self.case.assertNotIn("bad math", self.seen)
        return self.seen.rpartition("<")[2].partition(">")[0]


@needs("zsh")
class Zsh(Case):
    def setUp(self):
        super().setUp()
        functions = self.top / "functions"
        functions.mkdir()
        (functions / "_umaskaudit").write_text(self.tool("completions", "zsh"))
        self.shell = Shell(self, functions)

    def check(self, line, expected):
        self.assertEqual(self.shell.complete(f"umaskaudit {line}"), expected)

    def test_subcommands_and_options(self):
        self.check("timel", "timeline")
        self.check("report --no-app", "report --no-appeared")
        self.check("run --stacks chan", "run --stacks changes")
        self.check("report zz", f"report {FILE}")
        self.check("check -o zz", f"check -o {FILE}")

    def test_the_program_and_its_arguments(self):
        for before in ("run", "run --", "run -q --", "run --stacks all", "run -o d --", "doctor",
                       "doctor --", "top --", "umask 022 --"):
            self.check(f"{before} {COMMAND[:6]}", f"{before} {COMMAND}")
            self.check(f"{before} ls {FILE[:6]}", f"{before} ls {FILE}")


if __name__ == "__main__":
    harness.main()
