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
# What each shell reads first: the completions, and what TAB is pressed for.
ZSH = """
PS1= ; unsetopt zle_bracketed_paste prompt_cr
path=({bin} $path); fpath=({functions} $fpath)
autoload -Uz compinit; compinit -u -D
umaskaudit() {{ print -r -- "<$*>" }}
print -r -- ready${{:-}}!
"""
BASH = """
PS1=; PATH={bin}:$PATH
bind 'set enable-bracketed-paste off'
. {functions}/umaskaudit.bash
umaskaudit() {{ echo "<$*>"; }}
echo ready'!'
"""
FISH = """
function fish_prompt; end
set -gx PATH {bin} $PATH
source {functions}/umaskaudit.fish
function umaskaudit; echo "<$argv>"; end
echo ready'!'
"""
SHELLS = {"zsh": (["-f", "-i"], "_umaskaudit", ZSH),
          "bash": (["--norc", "--noprofile", "-i"], "umaskaudit.bash", BASH),
          "fish": (["--no-config", "-i"], "umaskaudit.fish", FISH)}


class Shell:
    """An interactive shell on a terminal of its own."""

    def __init__(self, case, name):
        self.case = case
        self.seen = ""
        arguments, file, setup = SHELLS[name]
        functions, bin_folder = case.top / "functions", case.top / "bin"
        functions.mkdir()
        bin_folder.mkdir()
        (functions / file).write_text(case.tool("completions", name))
        (bin_folder / COMMAND).write_text("#!/bin/sh\n")
        (bin_folder / COMMAND).chmod(0o755)
        (case.work / FILE).write_text("")
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.chdir(case.work)
            environment = {"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": str(case.top),
                           "ZDOTDIR": str(case.top), "LC_ALL": "C"}
            os.execvpe(name, [name, *arguments], environment)
        case.addCleanup(self.end, pid)
        script = case.top / "setup"
        script.write_text(setup.format(bin=bin_folder, functions=functions))
        self.send(f"source {script}\n")
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


class Completions:
    """What is the same in each of them."""

    shell_name = ""

    def setUp(self):
        super().setUp()
        self.shell = Shell(self, self.shell_name)

    def check(self, line, expected):
        self.assertEqual(self.shell.complete(f"umaskaudit {line}"), expected)

    def test_subcommands_and_options(self):
        self.check("timel", "timeline")
        self.check("report --no-app", "report --no-appeared")
        self.check("run --stacks chan", "run --stacks changes")
        self.check("check --rule window", "check --rule window-overlap")
        self.check("report --kind tmp", "report --kind tmpfile")
        self.check("check -o zz", f"check -o {FILE}")

    def test_rules_commands_and_programs(self):
        self.check("explain window", "explain window-overlap")
        self.check("help timel", "help timeline")
        self.check(f"./{FILE[:6]}", f"./{FILE}")

    def test_words_behind_an_equals_sign(self):
        self.check("run --live=fi", "run --live=findings")
        self.check("run --stacks=chan", "run --stacks=changes")
        self.check("check --fail-on=no", "check --fail-on=note")


@needs("zsh")
class Zsh(Completions, Case):
    shell_name = "zsh"

    def test_the_program_and_its_arguments(self):
        self.check("report zz", f"report {FILE}")
        for before in ("run", "run --", "run -q --", "run --stacks all", "run -o d --", "doctor",
                       "doctor --", "top --", "umask 022 --"):
            self.check(f"{before} {COMMAND[:6]}", f"{before} {COMMAND}")
            self.check(f"{before} ls {FILE[:6]}", f"{before} ls {FILE}")


@needs("bash")
class Bash(Completions, Case):
    shell_name = "bash"

    def test_files(self):
        self.check("report zz", f"report {FILE}")
        self.check("check --policy zz", f"check --policy {FILE}")
        self.check("check --policy=zz", f"check --policy={FILE}")

    def test_the_program_and_its_arguments(self):
        """Without bash-completion, which has a function for it."""
        self.check(f"run -- {COMMAND[:6]}", f"run -- {COMMAND}")
        self.check(f"run -- ls {FILE[:6]}", f"run -- ls {FILE}")


@needs("fish")
class Fish(Completions, Case):
    shell_name = "fish"

    def test_files_and_the_program(self):
        self.check("report zz", f"report {FILE}")
        self.check("check --policy zz", f"check --policy {FILE}")
        self.check(f"run {COMMAND[:6]}", f"run {COMMAND}")


if __name__ == "__main__":
    harness.main()
