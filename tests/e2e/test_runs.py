"""Runs that nobody named: where they are kept, which is meant, how they go; and run --check."""

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import termios
import unittest
from pathlib import Path

from lib import harness
from lib.harness import TOOL, Case, needs

needs_root = unittest.skipIf(os.geteuid() != 0, "needs root")


class Store(Case):
    def setUp(self):
        super().setUp()
        self.store = self.work / ".umaskaudit"

    def run_in_store(self, *command, **options):
        return self.execute(TOOL, "run", "--", *command, **options)

    def names(self):
        return sorted(path.name for path in self.store.iterdir()
                      if not path.name.startswith(".") and not path.is_symlink())

    def test_a_run_without_a_name_is_kept_apart_and_the_latest_is_meant(self):
        self.assertEqual(self.run_in_store("mkdir", "a").returncode, 0)
        self.assertEqual(self.run_in_store("touch", "b").returncode, 0)
        self.assertEqual(self.store.stat().st_mode & 0o7777, 0o700)
        first, second = sorted(self.names(), key=lambda name: not name.startswith("mkdir"))
        self.assertEqual(os.readlink(self.store / "latest"), second)
        self.assertIn(str(self.work / "b"), self.tool("report", "--format", "jsonl"))
        self.assertNotIn(str(self.work / "a"), self.tool("report", "--format", "jsonl"))
        # By its name, too; and of one word blame makes the object.
        self.assertIn(str(self.work / "a"), self.tool("report", first, "--format", "jsonl"))
        self.assertIn("touch", self.tool("blame", "b"))
        self.assertIn("mkdir", self.tool("blame", first, "a"))
        self.assertIn("0666 & ~", self.tool("explain", "./b"))
        self.assertIn("0777 & ~", self.tool("explain", first, "a"))
        self.assertEqual(self.tool("check", status=0).count("error:"), 0)

    def test_what_keeps_the_runs_is_nothing_that_appeared(self):
        self.run_in_store("sh", "-c", "env -i mkdir a")
        report = self.tool("report", "--format", "jsonl")
        self.assertNotIn(".umaskaudit", [json.loads(line).get("path", "").rsplit("/", 1)[-1]
                                         for line in report.splitlines()])

    @needs("git")
    def test_git_does_not_see_it(self):
        self.execute("git", "init", "-q", ".")
        self.run_in_store("touch", "b")
        status = self.execute("git", "status", "--porcelain").stdout.decode()
        self.assertEqual(status, "?? b\n")

    def test_listed_removed_and_cleaned(self):
        for code in (0, 3, 4):
            self.assertEqual(self.run_in_store("sh", "-c", f"exit {code}").returncode, code)
        lines = [json.loads(line) for line in self.tool("ls", "-f", "json").splitlines()]
        self.assertEqual([line["exit_code"] for line in lines], [0, 3, 4])
        self.assertEqual([line["latest"] for line in lines], [False, False, True])
        text = self.tool("ls")
        self.assertIn("exit 3", text)
        self.tool("rm", lines[0]["name"])
        self.assertEqual(self.names(), sorted(line["name"] for line in lines[1:]))
        self.assertEqual(self.tool("clean", "--older", "9d"), "")
        self.assertEqual(len(self.names()), 2)
        self.assertIn(lines[1]["name"], self.tool("clean", "--dry-run"))
        self.assertEqual(len(self.names()), 2)
        self.tool("clean")
        self.assertEqual(self.names(), [lines[2]["name"]])
        self.tool("rm", lines[2]["name"])
        self.assertEqual(self.names(), [])
        result = self.execute(TOOL, "report")
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"no RUN given", result.stderr)

    def test_only_a_run_is_removed(self):
        (self.work / "mine").mkdir()
        (self.work / "mine" / "file").touch()
        self.assertNotEqual(self.execute(TOOL, "rm", "mine").returncode, 0)
        self.record("true")
        run = self.top / "run1"
        (run / "notes.txt").touch()
        result = self.execute(TOOL, "rm", run)
        self.assertIn(b"notes.txt", result.stderr)
        self.assertNotEqual(result.returncode, 0)
        self.assertTrue((self.work / "mine" / "file").exists())
        self.assertTrue((run / "run.json").exists())

    def test_a_run_that_is_not_there_is_said(self):
        (self.work / "a-file").touch()
        for name in ("no-such-run", "a-file"):
            result = self.execute(TOOL, "rm", name)
            self.assertEqual(result.returncode, 3, result.stderr)
            self.assertIn(b"; try umaskaudit ls\n", result.stderr)
        self.assertTrue((self.work / "a-file").exists())

    def test_a_run_that_is_recorded_now_stays(self):
        script = f"{TOOL} clean --keep 0; {TOOL} rm $(ls -d .umaskaudit/sh.*); exit 0"
        result = self.run_in_store("sh", "-c", script, env={"PATH": os.environ["PATH"]})
        self.assertIn(b"still records into it", result.stderr)
        self.assertEqual(len(self.names()), 1)

    @needs_root
    def test_another_users_store_is_not_taken_for_ours(self):
        self.store.mkdir()
        os.chown(self.store, 65534, 65534)
        state = self.top / "state"
        self.run_in_store("touch", "b", env={"XDG_STATE_HOME": str(state)})
        self.assertEqual(list(self.store.iterdir()), [])
        self.assertTrue((state / "umaskaudit" / "latest").is_symlink())
        self.assertEqual((state / "umaskaudit").stat().st_mode & 0o7777, 0o700)
        result = self.execute(TOOL, "blame", "b", env={"XDG_STATE_HOME": str(state)})
        self.assertIn(b"touch", result.stdout)

    def test_what_does_not_start_is_not_the_latest(self):
        self.run_in_store("touch", "b")
        self.assertEqual(self.run_in_store("no-such-program").returncode, 127)
        self.assertIn("touch", self.tool("blame", "b"))
        self.assertEqual(len(self.names()), 1)


class Words(Case):
    def fails(self, *words, code=2):
        result = self.execute(TOOL, *words)
        self.assertEqual(result.returncode, code)
        return result.stderr.decode()

    def test_nothing_at_all_is_answered_with_the_help(self):
        result = self.execute(TOOL)
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"report", result.stdout)

    def test_help_of_a_command_and_of_a_rule(self):
        self.assertEqual(self.tool("help", "report"), self.tool("report", "--help"))
        self.assertEqual(self.tool("help"), self.tool("--help"))
        self.assertIn("umask", self.tool("help", "window-overlap"))
        self.assertEqual(self.tool("explain", "umask-zero"), self.tool("help", "umask-zero"))
        rules = [json.loads(line) for line in self.tool("rules", "-f", "json").splitlines()]
        self.assertIn("window-overlap", [rule["rule"] for rule in rules])
        for rule in rules:
            self.assertIn(rule["title"], self.tool("explain", rule["rule"]))

    def test_a_slip_is_answered_with_what_was_meant(self):
        self.assertIn("'report'", self.fails("repotr"))
        self.assertIn("'completions'", self.fails("completion"))
        self.assertIn("'--policy'", self.fails("check", "x", "--polcy", "y"))
        self.assertNotIn("'", self.fails("zzzzzz").split("try")[1])

    def test_a_program_is_run(self):
        self.assertEqual(self.execute(TOOL, "sh", "-c", "exit 7").returncode, 7)
        (self.work / "app").write_text("#!/bin/sh\nexit 8\n")
        self.assertIn("umaskaudit doctor ./app", self.fails("./app"))
        (self.work / "app").chmod(0o755)
        self.assertEqual(self.execute(TOOL, "./app").returncode, 8)
        self.assertEqual(self.execute(TOOL, "-o", "here", "./app").returncode, 8)
        self.assertTrue((self.work / "here" / "run.json").exists())
        self.assertEqual(self.execute(TOOL, "--", "./app").returncode, 8)

    def test_an_earlier_run_is_not_added_to_unasked(self):
        self.execute(TOOL, "run", "-o", "here", "--", "true")
        self.assertIn("--append", self.fails("run", "-o", "here", "--", "true", code=125))


OPEN = "umask 0; echo > wide; umask 022"


class Check(Case):
    def judge(self, script, *options, **rest):
        result = self.execute(TOOL, "run", "-o", self.new_run(), *options, "--", "sh", "-c", script,
                              **rest)
        return result.returncode, result.stderr.decode()

    def test_ends_by_the_findings_where_the_program_is_content(self):
        code, said = self.judge(OPEN, "--check")
        self.assertEqual((self.work / "wide").stat().st_mode & 0o7777, 0o666)
        self.assertEqual(code, 1, said)
        self.assertIn("world-writable", said)
        self.assertEqual(self.judge(OPEN + "; exit 9", "--check")[0], 9)
        self.assertEqual(self.judge("echo > narrow", "--check")[0], 0)
        self.assertEqual(self.judge(OPEN)[0], 0)  # nobody asked

    def test_nothing_of_it_is_on_standard_output(self):
        result = self.execute(TOOL, "run", "-o", self.new_run(), "--check", "--", "sh", "-c", OPEN)
        self.assertEqual(result.stdout, b"")

    def test_what_a_check_takes_asks_for_one(self):
        (self.work / "policy.toml").write_text('[[path]]\nglob = "*/kept"\nwidest = "0600"\n')
        self.assertEqual(self.judge("echo > kept", "--policy", "policy.toml")[0], 1)
        self.assertEqual(self.judge(OPEN, "--fail-on", "error")[0],
                         self.execute(TOOL, "check", self.top / "run2",
                                      "--fail-on", "error").returncode)

    def test_findings_go_to_a_file_in_the_format_of_a_pipeline(self):
        code, said = self.judge(OPEN, "--format", "sarif", "--findings", "found.sarif")
        self.assertEqual(code, 1)
        self.assertEqual(said, "")
        log = json.loads((self.work / "found.sarif").read_text())
        rules = {one["ruleId"] for one in log["runs"][0]["results"]}
        told = self.execute(TOOL, "check", self.top / "run1",
                            "--format", "jsonl").stdout.splitlines()
        self.assertEqual(rules, {json.loads(line)["rule"] for line in told})

    def test_findings_have_a_place_before_the_program_starts(self):
        code, said = self.judge("echo > made", "--findings", "none/found")
        self.assertEqual(code, 125)
        self.assertIn("none", said)
        self.assertFalse((self.work / "made").exists())

    def test_a_mistake_is_told_before_the_program_starts(self):
        (self.work / "policy.toml").write_text("[[path]]\nglob = 1\n")
        code, said = self.judge("echo > made", "--policy", "policy.toml")
        self.assertEqual(code, 125)
        self.assertIn("policy.toml:2", said)
        self.assertFalse((self.work / "made").exists())


class Project(Case):
    """.umaskaudit.toml"""

    def setUp(self):
        super().setUp()
        self.file = self.work / ".umaskaudit.toml"
        (self.work / "rules.toml").write_text('[[path]]\nglob = "*/kept"\nwidest = "0600"\n')

    def checked(self, *options, **rest):
        result = self.execute(TOOL, "check", self.run_, *options, **rest)
        return result.returncode, result.stderr.decode()

    def recorded(self):
        _, self.run_ = self.record("sh", "-c", "umask 022; echo > kept")

    def test_completes_the_command_line(self):
        self.recorded()
        self.assertEqual(self.checked()[0], 0)
        self.file.write_text('[check]\npolicy = "rules.toml"\n')
        self.assertEqual(self.checked()[0], 1)
        # From below, where the repository's top is above; relative to the file.
        (self.work / ".git").mkdir()
        below = self.work / "a" / "b"
        below.mkdir(parents=True)
        self.assertEqual(self.checked(cwd=below)[0], 1)
        # The command line wins.
        (self.work / "none.toml").write_text("")
        self.assertEqual(self.checked("--policy", "none.toml")[0], 0)
        self.file.write_text('[check]\npolicy = "rules.toml"\nfail-on = "error"\n')
        code = self.checked()[0]
        self.assertEqual(self.checked("--fail-on", "note")[0], 1)
        self.assertIn(code, (0, 1))

    def test_of_another_directory_without_a_repository_it_is_not_read(self):
        self.recorded()
        self.file.write_text('[check]\npolicy = "rules.toml"\n')
        below = self.work / "a"
        below.mkdir()
        self.assertEqual(self.checked(cwd=below)[0], 0)

    def test_a_mistake_names_its_line(self):
        self.recorded()
        for text in ("[check]\npolcy = 'x'\n", "[chek]\n", "[check]\nfail-on = 'loud'\n",
                     "[check\n"):
            self.file.write_text(text)
            code, said = self.checked()
            self.assertEqual(code, 2, text)
            self.assertRegex(said, r"\.umaskaudit\.toml:\d+:\d+")

    @needs_root
    def test_another_users_is_not_read(self):
        self.recorded()
        self.file.write_text('[check]\npolicy = "rules.toml"\n')
        os.chown(self.file, 65534, 65534)
        code, said = self.checked()
        self.assertEqual(code, 0)
        self.assertIn("not read", said)


class Paged(Case):
    """On a terminal, what is longer than it goes through a pager."""

    def show(self, *words, rows=20, env=None):
        leader, terminal = pty.openpty()
        os.set_blocking(leader, False)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 100, 0, 0))
        environment = {**os.environ, "TERM": "xterm", "MARK": str(self.top / "paged"),
                       "PAGER": 'cat > "$MARK"', **(env or {})}
        environment.pop("COLUMNS", None)
        with subprocess.Popen([str(word) for word in (TOOL, *words)], stdout=terminal,
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=self.work,
                              env=environment) as process:
            os.close(terminal)
            seen = b""
            while True:
                select.select([leader], [], [], harness.TIMEOUT)
                try:
                    piece = os.read(leader, 65536)
                except OSError:
                    piece = b""
                if not piece:
                    break
                seen += piece
            process.wait(harness.TIMEOUT)
        os.close(leader)
        mark = Path(environment["MARK"])
        paged = mark.read_bytes() if mark.exists() else None
        mark.unlink(missing_ok=True)
        return seen.replace(b"\r\n", b"\n"), paged, process.returncode

    def test_long_output_goes_through_it_and_short_output_does_not(self):
        everything = self.tool("explain", "window-overlap", env={"COLUMNS": "100"}).encode()
        self.assertEqual(self.show("--no-pager", "x")[2], 2)
        seen, paged, _ = self.show("explain", "window-overlap", "--color", "never", rows=8)
        self.assertEqual((seen, paged), (b"", everything))
        seen, paged, _ = self.show("explain", "window-overlap", "--color", "never", rows=60)
        self.assertEqual((seen, paged), (everything, None))
        seen, paged, _ = self.show("explain", "window-overlap", "--color", "never", "--no-pager",
                                   rows=8)
        self.assertEqual((seen, paged), (everything, None))

    def test_none_is_wanted_or_there(self):
        for env in ({"PAGER": ""}, {"PAGER": "cat"}, {"TERM": "dumb"},
                    {"PAGER": "less", "UMASKAUDIT_PAGER": "cat"}):
            seen, paged, code = self.show("explain", "window-overlap", rows=8, env=env)
            self.assertEqual((paged, code), (None, 0))
            self.assertIn(b"umask", seen)

    def test_leaving_early_is_no_error(self):
        self.record("sh", "-c", "for i in $(seq 3000); do : > f$i; done")
        seen, _, code = self.show("timeline", self.top / "run1", env={"PAGER": "head -n 1"})
        self.assertEqual(code, 0)
        self.assertLessEqual(seen.count(b"\n"), 1)


if __name__ == "__main__":
    harness.main()
