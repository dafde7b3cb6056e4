"""What `doctor CMD` says before, and what a recording of the same CMD shows afterwards.

Doctor never runs the program; each of its predictions is held against a real run here.
"""

import os
import shutil
import unittest

from lib import harness
from lib.harness import Case, needs, truths_of, victim

PURE_GO = """
package main
import ("os"; "syscall")
func main() {
  syscall.Umask(027)
  if os.Mkdir("by-go", 0777) != nil { os.Exit(9) }
}
"""
CGO = """
package main
// #include <sys/stat.h>
import "C"
import ("os"; "syscall")
func main() {
  syscall.Umask(027)
  if os.Mkdir("by-go", 0777) != nil { os.Exit(9) }
  C.mkdir(C.CString("by-c"), 0777)
}
"""


class Doctor(Case):
    def doctor(self, *command, status=0, **options):
        """Its lines as {what: (verdict, text)}; of equal names the last one counts."""
        before = harness.tree(self.work)
        text = self.tool("doctor", *command, status=status, **options)
        self.assertEqual(harness.tree(self.work), before, "doctor ran the program")
        found = {}
        for line in text.splitlines():
            verdict, _, rest = line.strip().partition(" ")
            what, _, says = rest.strip().partition("  ")
            if verdict in ("ok", "note", "bad"):
                found[what] = (verdict, says.strip())
        return found

    def blind_spots(self, run):
        return {event["reason"] for event in self.report(run).of("blind_spot")}

    def test_ordinary_programs_have_nothing_to_fear(self):
        for name in ("sh", "/usr/bin/python3", "git", "tar"):
            if shutil.which(name):
                found = self.doctor(name)
                self.assertEqual(found["preload"], ("ok", "it can be audited"))
                self.assertEqual(set(found) & {"io-uring", "dlmopen", "deepbind", "drift"}, set())

    def test_a_static_program(self):
        self.assertIn("statically linked",
                      self.doctor(victim("static_hello"), status=1)["preload"][1])
        _, run = self.record(victim("static_hello"), self.work)
        self.assertIn("exec-static", self.blind_spots(run))

    def test_a_script_of_a_static_interpreter(self):
        script = self.top / "script"
        script.write_text(f"#!{victim('static_hello')} {self.work}\n")
        script.chmod(0o755)
        found = self.doctor(script, status=1)
        self.assertEqual(found["interpreter"], ("ok", victim("static_hello")))
        self.assertEqual(found["preload"][0], "bad")
        self.assertIn("exec-static", self.blind_spots(self.record(script, status=None)[1]))

    def build_go(self, source, cgo):
        if shutil.which("go") is None:
            self.skipTest("go is not installed")
        file, program = self.top / "main.go", self.top / "program"
        file.write_text(source)
        env = {"GOCACHE": str(self.top / "cache"), "GO111MODULE": "off", "HOME": str(self.top),
               "CGO_ENABLED": "1" if cgo else "0"}
        result = self.execute("go", "build", "-o", program, file, env=env, cwd=self.top)
        if result.returncode != 0:
            self.skipTest(f"go cannot build: {result.stderr.decode()[:200]}")
        return program

    def test_a_go_program(self):
        program = self.build_go(PURE_GO, cgo=False)
        found = self.doctor(program, status=1)
        self.assertIn("statically linked", found["preload"][1])
        self.assertEqual(found["language"][0], "note")
        _, run = self.record(program)
        self.assertIn("exec-static", self.blind_spots(run))
        self.assertEqual(self.report(run).creations(), {})

    def test_a_go_program_with_parts_in_c(self):
        """The C parts are seen, and there what the others did to the mask."""
        program = self.build_go(CGO, cgo=True)
        self.assertIn("it is a Go program", self.doctor(program, status=1)["preload"][1])
        result, run = self.record(program)
        self.assertIn(b"Go program", result.stderr)
        report = self.report(run)
        self.assertEqual(set(report.creations()), {str(self.work / "by-c")})
        self.assertEqual([event["new"] for event in report.of("umask", drift=True)], ["0027"])
        self.assertEqual(self.blind_spots(run) - {"appeared"}, {"go-runtime"})
        # The same where it is not CMD itself.
        harness.remove_tree(self.work)
        self.work.mkdir()
        _, run = self.record("sh", "-c", f"{program}; :")
        spot, = self.report(run).of("blind_spot", reason="go-runtime")
        self.assertEqual(spot["text"], str(program))

    @unittest.skipIf(os.geteuid() != 0, "needs root to make a set-user-ID program of another user")
    def test_a_setuid_program(self):
        if os.statvfs(self.top).f_flag & os.ST_NOSUID:
            self.skipTest(f"{self.top} is mounted nosuid")
        self.top.chmod(0o755)
        self.work.chmod(0o777)
        copy = self.top / "mkdir"
        shutil.copy(shutil.which("mkdir"), copy)
        os.chown(copy, 12345, 12345)
        copy.chmod(0o4755)
        nobody = {"user": 65534, "group": 65534, "extra_groups": []}
        self.assertIn("setuid", self.doctor(copy, status=1, **nobody)["preload"][1])
        self.top.chmod(0o777)
        _, run = self.record(copy, "made", **nobody)
        self.assertEqual((self.work / "made").stat().st_uid, 12345)
        self.assertIn("exec-privileged", self.blind_spots(run))
        self.assertEqual(self.report(run).creations(), {})

    def test_a_file_here_that_path_does_not_find(self):
        script = self.work / "deploy.sh"
        script.write_text("#!/bin/sh\n")
        for mode, hint in ((0o755, "the one here is ./deploy.sh"), (0o644, "try sh deploy.sh")):
            script.chmod(mode)
            verdict, says = self.doctor("deploy.sh", status=1, cwd=self.work)["program"]
            self.assertEqual(verdict, "bad")
            self.assertIn(hint, says)

    def test_a_program_that_may_not_be_executed(self):
        file = self.top / "file"
        file.write_text("#!/bin/sh\n")
        self.assertIn("may not be executed", self.doctor(file, status=1)["preload"][1])
        self.record(file, status=126)

    @unittest.skipIf(os.uname().machine != "x86_64", "instructions are known of x86-64 only")
    def test_syscall_instructions_of_its_own(self):
        verdict, says = self.doctor(victim("raw_syscall"))["drift"]
        self.assertEqual(verdict, "note")
        self.assertIn("syscall instructions of its own: umask", says)
        _, run = self.record(victim("raw_syscall"), self.work)
        self.assertTrue(self.report(run).of("umask", drift=True))

    def test_libraries_loaded_past_us(self):
        found = self.doctor(victim("loads_apart"))
        self.assertIn("imports dlmopen", found["dlmopen"][1])
        if os.uname().machine == "x86_64":
            self.assertIn("RTLD_DEEPBIND", found["deepbind"][1])
        library = victim("libdlopen_storm_library.so")
        result, run = self.record(victim("loads_apart"), self.work, library)
        self.assertLessEqual({"dlmopen", "deepbind"}, self.blind_spots(run))
        unseen = {truth["unseen"] for truth in truths_of(result) if "unseen" in truth}
        self.assertEqual(len(unseen), 2)
        self.assertEqual(unseen & set(self.report(run).creations()), set())

    @unittest.skipIf(os.uname().machine != "x86_64", "instructions are known of x86-64 only")
    def test_io_uring(self):
        self.assertEqual(self.doctor(victim("io_uring"))["io-uring"][0], "note")
        result, run = self.record(victim("io_uring"), self.work, status=None)
        if result.returncode == 77:
            self.skipTest("io_uring is not available here")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("io-uring", self.blind_spots(run))
        self.assertEqual(self.report(run).creations(), {})

    @needs("env")
    def test_a_cleaned_environment(self):
        """It is repaired at the exec, unless that is not wanted."""
        found = self.doctor("env", "-i", "/bin/mkdir", "made")
        self.assertEqual(found["starts"][0], "note")
        self.assertIn("/bin/mkdir", found["starts"][1])
        self.assertIn("follow=no", found["starts"][1])
        _, run = self.record("env", "-i", "/bin/mkdir", "made")
        self.assertEqual(set(self.report(run).creations()), {str(self.work / "made")})
        run = self.new_run()
        self.tool("run", "--follow", "no", "-o", run, "--", "env", "-i", "/bin/mkdir", "unseen")
        self.assertIn("exec-environment", self.blind_spots(run))
        self.assertEqual(self.report(run).creations(), {})

    @needs("env", "nice")
    def test_a_launcher_of_a_static_program(self):
        found = self.doctor("nice", "-n", "5", "env", "A=b", victim("static_hello"), status=1)
        self.assertEqual(found["preload"][0], "bad")
        self.assertIn("statically linked", found["preload"][1])
        _, run = self.record("nice", "-n", "5", "env", "A=b", victim("static_hello"), self.work)
        self.assertIn("exec-static", self.blind_spots(run))


if __name__ == "__main__":
    harness.main()
