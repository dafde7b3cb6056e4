"""Programs that are shut in, or shut themselves in: set-user-ID, filters, other roots, no /proc."""

import json
import os
import shutil
import stat
import unittest

from lib import harness
from lib.harness import Case, needs, truths_of, victim

AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
needs_root = unittest.skipIf(os.geteuid() != 0, "needs root")


class SecureExecution(Case):
    """No variable of ours is obeyed where the program has more rights than its caller."""

    base = "/dev/shm"  # nobody may get there

    def setUp(self):
        super().setUp()
        if os.statvfs(self.top).f_flag & os.ST_NOSUID:
            self.skipTest(f"{self.top} is mounted nosuid")
        for path in (harness.SHIM, victim("linked")):
            if not self.reachable(path):
                self.skipTest(f"{path} cannot be read by another user")
        self.top.chmod(0o755)
        self.work.chmod(0o777)
        self.program = self.top / "program"
        shutil.copy(victim("linked"), self.program)
        self.program.chmod(0o755)

    def reachable(self, path):
        return self.execute(*AS_NOBODY, "cat", path).returncode == 0

    def run_as_nobody(self):
        """AT_SECURE as the program saw it, and whether our options were obeyed."""
        options = f"help=1:log=stderr:trace={self.work}/run"
        result = self.execute(*AS_NOBODY, self.program, self.work,
                              env={"UMASKAUDIT_OPTIONS": options})
        self.assertEqual(result.returncode, 0, result.stderr)
        obeyed = bool(result.stderr) or (self.work / "run").exists()
        return result.stdout.decode().strip(), obeyed

    @needs_root
    @needs("setpriv")
    def test_the_victim_obeys_where_it_has_no_more_rights(self):
        self.assertEqual(self.run_as_nobody(), ("secure 0", True))

    @needs_root
    @needs("setpriv")
    def test_a_set_user_id_program(self):
        self.program.chmod(0o4755)
        self.assertEqual(self.run_as_nobody(), ("secure 1", False))

    @needs_root
    @needs("setpriv")
    def test_a_set_group_id_program(self):
        self.program.chmod(0o2755)
        self.assertEqual(self.run_as_nobody(), ("secure 1", False))

    @needs_root
    @needs("setpriv", "setcap")
    def test_a_program_with_capabilities(self):
        result = self.execute("setcap", "cap_net_bind_service+ep", self.program)
        if result.returncode != 0:
            self.skipTest(f"no file capabilities here: {result.stderr.decode(errors='replace')}")
        self.assertEqual(self.run_as_nobody(), ("secure 1", False))


class Confined(Case):
    def survive(self, name, *arguments):
        result, run = self.record(victim(name), self.work, *arguments)
        report = self.report(run)
        self.check_truths(report, truths_of(result))
        self.assertEqual(report.of("loss"), [])
        return report

    @needs_root
    def test_chroot_and_another_user(self):
        self.top.chmod(0o755)
        self.survive("drops_rights")

    def test_a_daemon(self):
        _, run = self.record(victim("daemonises"), self.work)
        with open(self.work / "truths", "rb") as file:
            truths = [json.loads(line) for line in file]
        self.assertEqual(len(truths), 2)
        self.check_truths(self.report(run), truths)

    def test_a_filter_that_kills_at_an_unexpected_call(self):
        self.survive("seccomp_strict")

    def test_a_filter_that_is_installed_by_a_raw_call(self):
        self.survive("seccomp_strict", "raw")

    def test_a_filter_where_even_the_clock_is_a_system_call(self):
        bare = self.execute(victim("without_vdso"), victim("seccomp_strict"), self.work)
        if bare.returncode == 77:
            self.skipTest("the auxiliary vector of a child cannot be changed here")
        harness.remove_tree(self.work)
        self.work.mkdir()
        result, run = self.record(victim("without_vdso"), victim("seccomp_strict"), self.work)
        report = self.report(run)
        self.check_truths(report, truths_of(result))
        inside = [event["time_ns"] for event in report.of("create")]
        self.assertEqual(inside, sorted(set(inside)), "the order is kept")

    def test_a_filter_from_before_the_start_that_refuses_us(self):
        bare = self.execute(victim("seccomp_exec"), victim("sweep"), self.work, "mkdir")
        self.assertEqual(bare.returncode, 0, bare.stderr)
        expected = harness.tree(self.work)
        self.assertEqual(len(expected), 512)
        harness.remove_tree(self.work)
        self.work.mkdir()
        result = self.preload(victim("seccomp_exec"), victim("sweep"), self.work, "mkdir",
                              options=f"log=off:trace={self.new_run()}")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(harness.tree(self.work), expected)

    def test_a_filter_from_before_the_start_in_an_unshared_pid_name_space(self):
        """A child that tried the filter would be the name space's init, and end it."""
        if self.execute(victim("unshared_pids"), self.work).returncode == 77:
            self.skipTest("no PID name spaces here")
        harness.remove_tree(self.work)
        self.work.mkdir()
        _, run = self.record(victim("unshared_pids"), self.work)
        self.assertEqual(set(harness.tree(self.work)), {"before", "again", "child"})
        report = self.report(run)
        self.assertEqual(list(report.creations()), [f"{self.work}/before"])
        self.assertIn("exec-silent", [event["reason"] for event in report.of("blind_spot")])

    @needs_root
    @needs("unshare", "mount")
    def test_without_proc(self):
        run = self.new_run()
        script = (f"mount -t tmpfs none /proc || exit 77; umask 027; "
                  f"LD_PRELOAD={harness.SHIM} UMASKAUDIT_OPTIONS=trace={run} "
                  f"exec {victim('sweep')} {self.work} mkdir")
        result = self.execute("unshare", "-m", "sh", "-c", script)
        if result.returncode == 77:
            self.skipTest(f"no mounts here: {result.stderr.decode(errors='replace')}")
        self.assertEqual(result.returncode, 0, result.stderr)
        report = self.report(run)
        self.check_truths(report, truths_of(result))
        self.assertEqual(report.of("process")[0]["mask"], "0027")
        self.assertEqual(report.of("umask", drift=True), [])

    @needs_root
    @needs("unshare", "mount")
    def test_a_mask_that_nothing_can_tell(self):
        """No /proc to read, no child to ask, no unnamed file to try: the first call tells."""
        run = self.new_run()
        script = ("import os; os.mkdir('before', 0o700); assert os.umask(0o22) == 0o27; "
                  "os.mkdir('after')")
        result = self.execute(
            "unshare", "-m", "sh", "-c",
            'umask 027; mount -t tmpfs none /proc || exit 77; exec "$@"', "sh",
            victim("refuses"), "clone,tmpfile", "env", f"LD_PRELOAD={harness.SHIM}",
            f"UMASKAUDIT_OPTIONS=trace={run}", "/usr/bin/python3", "-c", script)
        if result.returncode == 77:
            self.skipTest(f"no mounts or filters here: {result.stderr.decode(errors='replace')}")
        self.assertEqual(result.returncode, 0, result.stderr)
        report = self.report(run)
        process, = report.of("process")
        self.assertEqual(process["mask_source"], "unknown")
        spot, = report.of("blind_spot", reason="no-mask")
        self.assertIn("/proc", spot["advice"])
        change, = report.of("umask")
        self.assertEqual((change["old"], change["new"], change["drift"]), ("0027", "0022", False))
        self.assertEqual(report.of("finding", rule="unseen-writer"), [])
        self.check_disk(report, 2)
        self.assertEqual(report.creations()[str(self.work / "after")][0]["mask"], "0022")
        self.assertIn("no-mask", self.tool("report", run))

    @needs_root
    def test_a_root_whose_name_is_not_known(self):
        """One thread alone moves its root: names in it stay as the program gives them."""
        (self.work / "jail").mkdir()
        script = ("import ctypes, os, threading\n"
                  "def move():\n"
                  "  assert ctypes.CDLL(None).unshare(0x200) == 0\n"  # CLONE_FS
                  "  os.umask(0o77)\n"
                  "  os.chroot('jail')\n"
                  "  os.mkdir('/inside')\n"
                  "thread = threading.Thread(target=move); thread.start(); thread.join()\n"
                  "os.mkdir('outside')")
        _, run = self.record("/usr/bin/python3", "-c", script)
        report = self.report(run)
        spot, = report.of("blind_spot", reason="untracked-chroot")
        self.assertEqual((spot["call"], spot["text"]), ("chroot", "jail"))
        self.assertIn("relative to the new root", spot["advice"])
        told = {path: (event["ino"], event["final"])
                for path, (event,) in report.creations().items()}
        for path, name in (("/inside", "jail/inside"), (str(self.work / "outside"), "outside")):
            status = (self.work / name).stat()
            self.assertEqual(told[path], (status.st_ino, harness.octal(status.st_mode & 0o7777)))
        self.assertIn("untracked-chroot", self.tool("report", run))

    def test_clones_where_nobody_says_whose_mask_they_have(self):
        words = [victim("raw_clone"), self.work]
        result, run = self.record(victim("refuses"), "kcmp", *words, status=None)
        if result.returncode == 77:
            self.skipTest("no filter can be installed here")
        self.assertEqual(result.returncode, 0, result.stderr)
        report = self.report(run)
        self.assertEqual(report.of("loss"), [])
        spots = report.of("blind_spot", reason="raw-clone")
        self.assertTrue(spots)
        self.assertIn("kcmp", spots[0]["advice"])
        # The masks may be wrong, the objects and their modes are not.
        truths = truths_of(result)
        self.assertEqual(len(truths), 30)
        for truth in truths:
            event, = report.creations()[truth["path"]]
            self.assertEqual(event["final"], truth["final"], event)
        self.assertIn("raw-clone", self.tool("report", run))

    def test_modes_of_a_program_that_started_with_every_bit_masked(self):
        result = self.preload("mkdir", "d", options=f"trace={self.new_run()}",
                              preexec_fn=lambda: os.umask(0o777))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(stat.S_IMODE((self.work / "d").stat().st_mode), 0)


if __name__ == "__main__":
    harness.main()
