"""Exit codes and the one clear line of an error; what the launcher passes on."""

import json
import os
import pty
import shutil
import subprocess
from pathlib import Path

from lib import harness
from lib.harness import Case, needs


class Launcher(Case):
    def code(self, *command, **options):
        run = self.new_run()
        return self.execute(harness.TOOL, "run", "-o", run, "--", *command, **options).returncode

    def test_exits_as_the_program_did(self):
        for code in (0, 1, 3, 42, 125, 255):
            self.assertEqual(self.code("sh", "-c", f"exit {code}"), code)
        self.assertEqual(self.code("sh", "-c", "kill -TERM $$"), 128 + 15)
        self.assertEqual(self.code("sh", "-c", "kill -KILL $$"), 128 + 9)

    def test_a_program_that_does_not_exist_or_cannot_run(self):
        self.assertEqual(self.code("./does-not-exist"), 127)
        self.assertEqual(self.code("does-not-exist-on-path"), 127)
        (self.work / "no-program").write_text("text")
        self.assertEqual(self.code("./no-program"), 126)

    def test_stdin_umask_directory_and_arguments_are_passed_on(self):
        run = self.new_run()
        script = 'umask; pwd; cat; for a in "$@"; do printf "<%s>" "$a"; done'
        words = [harness.TOOL, "run", "-o", run, "--", "sh", "-c", script, "sh", "a b", "", "-o"]
        os.umask(0o031)
        result = self.execute(*words, stdin=None, input=b"input\n")
        self.assertEqual(result.stdout.decode(),
                         f"0031\n{self.work}\ninput\n<a b><><-o>")

    def record_with_blanks(self, script):
        """Records a shell with a library that LD_PRELOAD cannot name: (the name used, run)."""
        folder = self.top / "my: projects"
        folder.mkdir()
        library = folder / "libumaskaudit.so"
        shutil.copy(harness.SHIM, library)
        result, run = self.record("sh", "-c", f'echo "$LD_PRELOAD"; {script}',
                                  env={"UMASKAUDIT_LIBRARY": str(library)})
        return Path(result.stdout.decode().strip()), run

    def test_a_library_below_a_folder_with_blanks(self):
        name, run = self.record_with_blanks("mkdir a; /bin/mkdir b")
        self.assertEqual(self.report(run).creations().keys(),
                         {str(self.work / "a"), str(self.work / "b")})
        self.assertFalse(os.path.lexists(name.parent))

    def test_the_name_stays_for_programs_that_are_left(self):
        os.mkfifo(self.work / "go-on")
        os.mkfifo(self.work / "done")
        name, run = self.record_with_blanks(
            "{ read line < go-on; /bin/mkdir late; echo > done; } > /dev/null 2>&1 &")
        self.addCleanup(shutil.rmtree, name.parent, ignore_errors=True)
        self.assertTrue(name.exists())
        (self.work / "go-on").write_text("\n")
        (self.work / "done").read_text()
        self.assertIn(str(self.work / "late"), self.report(run).creations())

    def test_the_summary_is_on_stderr_only(self):
        result, _ = self.record("sh", "-c", "mkdir d")
        self.assertEqual(result.stdout, b"")
        self.assertNotEqual(result.stderr, b"")

    def test_the_run_is_private_whatever_the_umask(self):
        for mask in (0o000, 0o777):
            os.umask(mask)
            _, run = self.record("true")
            self.assertEqual(run.stat().st_mode & 0o7777, 0o700)
            segments = list(run.glob("*.seg"))
            self.assertTrue(segments)
            for segment in segments:
                self.assertEqual(segment.stat().st_mode & 0o7777, 0o600)

    @needs("setfacl")
    def test_the_run_is_private_under_a_default_acl(self):
        if self.execute("setfacl", "-d", "-m", "u::rwx,g::rwx,o::rwx", self.top).returncode != 0:
            self.skipTest("no ACLs on this filesystem")
        _, run = self.record("true")
        self.assertEqual(run.stat().st_mode & 0o7777, 0o700)
        for segment in run.iterdir():
            self.assertEqual(segment.stat().st_mode & 0o7777, 0o600)

    @needs("strace")
    def test_an_idle_run_never_calls_umask(self):
        output = self.top / "strace"
        run = self.new_run()
        result = self.execute("strace", "-f", "-qq", "-o", output, "-e", "trace=umask",
                              "-e", "signal=none", harness.TOOL, "run", "-o", run, "--", "true")
        if b"ptrace" in result.stderr:
            self.skipTest("ptrace is barred here")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(output.read_text(), "")


class Errors(Case):
    def fails(self, code, *arguments):
        """The command fails with this code and one line that begins as all errors do."""
        result = self.execute(harness.TOOL, *arguments)
        text = result.stderr.decode()
        self.assertEqual(result.returncode, code, text)
        self.assertEqual(len(text.splitlines()), 1, text)
        self.assertTrue(text.startswith("umaskaudit: error: "), text)
        self.assertEqual(result.stdout, b"")
        return text

    def test_usage(self):
        self.assertIn("--bogus", self.fails(2, "report", "run", "--bogus"))
        self.assertIn("bogus", self.fails(2, "bogus"))
        self.fails(2, "report")
        for number in ("-1", "1.5", "0x10", "99999999999999999999"):
            self.assertIn(f"'{number}' is no whole number",
                          self.fails(2, "report", "run", f"--limit={number}"))
        self.assertIn("no whole number", self.fails(2, "check", "run", "--max-loss", "-1"))
        self.assertIn("doctor [OPTIONS] [[--] CMD [ARG...]]", self.tool("doctor", "--help"))
        self.assertIn("--diff PID PID ", self.tool("umask", "--help"))

    def test_a_directory_is_found_with_or_without_its_slash(self):
        _, run = self.record("mkdir", "plain", "slash/")
        for name in ("plain", "plain/", "slash", "slash/", self.work / "slash"):
            self.assertIn("0777 & ~", self.tool("explain", run, name))
        self.assertIn("umaskaudit report", self.fails(2, "explain", run, "lash"))

    def test_a_run_without_its_end_says_so(self):
        _, run = self.record("true")
        self.assertIn("true, exit code 0\n", self.tool("report", run))
        record = json.loads((run / "run.json").read_text())
        del record["exit_code"], record["end_ns"]
        (run / "run.json").write_text(json.dumps(record))
        self.assertIn("true, no end recorded", self.tool("report", run))

    def test_a_run_of_which_nothing_is_left_has_no_time(self):
        _, run = self.record("true")
        for file in (run / "run.json", *run.glob("*.seg")):
            file.unlink()
        self.assertIn("started    unknown,", self.tool("report", run))

    def test_a_run_that_does_not_begin_leaves_nothing(self):
        self.assertIn("colon", self.fails(125, "run", "-o", self.top / "a:b", "--", "true"))
        self.assertEqual(list(self.top.glob("a*")), [])

    def test_runs_that_cannot_be_read(self):
        self.assertIn("nowhere", self.fails(3, "report", self.top / "nowhere"))
        self.assertIn("work", self.fails(3, "report", self.work))
        file = self.top / "file"
        file.write_text("text")
        self.fails(3, "report", file)

    def test_a_page_is_not_poured_over_a_terminal(self):
        _, run = self.record("mkdir", "a")
        self.tool("export", run, "--format", "tables", "-o", self.top / "lake")
        for command, what in (("report", run), ("fleet", self.top / "lake")):
            words = [harness.TOOL, command, what, "--format", "html"]
            terminal, end = pty.openpty()
            try:
                refused = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=end,
                                         stderr=subprocess.PIPE, check=False)
            finally:
                os.close(end)
                os.close(terminal)
            self.assertEqual(refused.returncode, 2)
            self.assertIn(f"-o {command}.html".encode(), refused.stderr)
            self.assertTrue(self.tool(*words[1:]).startswith("<!DOCTYPE html>"))

    def test_names_from_the_program_reach_no_terminal_unescaped(self):
        name = "esc\x1b[31m\nnext\udcff"
        _, run = self.record("mkdir", os.fsencode(name).decode("utf-8", "surrogateescape"))
        text = self.tool("report", run)
        self.assertNotIn("\x1b", text)
        self.assertNotIn("\nnext", text)
        event = next(event for event in self.report(run).of("create") if event["created"] is True)
        self.assertIn("path_bytes", event)


if __name__ == "__main__":
    harness.main()
