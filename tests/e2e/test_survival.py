"""The audited program is never the one that suffers: victims that break careless shims.

Each runs bare and with the shim; the victim itself says, by its exit code, whether it was harmed.
What it created must be in the report, with the modes that the kernel gave.
"""

import os
import resource
import unittest

import harness
from harness import Case, needs, truths_of, victim

needs_root = unittest.skipIf(os.geteuid() != 0, "needs root")


class Survival(Case):
    def survive(self, name, *arguments):
        result, run = self.record(victim(name), self.work, *arguments)
        report = self.report(run)
        self.check_truths(report, truths_of(result))
        self.assertEqual(report.of("loss"), [])
        return report

    def test_signal_handlers_that_call_umask_and_create(self):
        report = self.survive("handler_umask", 1000)
        self.assertGreaterEqual(len(report.of("create", call="openat")), 1000)

    def test_forks_while_other_threads_hold_the_lock(self):
        report = self.survive("fork_storm", 1000)
        self.assertEqual(len(report.of("create", mask="0077")), 1000)

    def test_cancellation_inside_blocking_creations(self):
        self.survive("cancel_open_fifo")

    def test_all_descriptors_closed(self):
        self.survive("closes_all")

    def test_smallest_stacks(self):
        self.survive("small_stack")

    def test_handlers_that_jump_away(self):
        result, run = self.record(victim("handler_longjmp"), self.work)
        made = self.report(run).creations()
        for truth in truths_of(result):
            self.assertEqual(made[truth["path"]][0]["mask"], truth["mask"])

    def test_libraries_that_come_and_go_under_the_unwinder(self):
        self.survive("dlopen_storm", victim("libdlopen_storm_library.so"))

    def test_a_thousand_threads(self):
        self.survive("many_threads", 1000)

    @needs_root
    def test_chroot_and_another_user(self):
        self.top.chmod(0o755)
        self.survive("drops_rights")

    def test_a_filter_that_kills_at_an_unexpected_call(self):
        self.survive("seccomp_strict")

    def test_a_filter_that_is_installed_by_a_raw_call(self):
        self.survive("seccomp_strict", "raw")

    def test_fork_handlers_that_call_umask_while_the_lock_is_held(self):
        report = self.survive("fork_handlers")
        self.assertEqual(report.of("umask", drift=True), [])

    def test_threads_that_free_their_own_description(self):
        self.survive("vanishing_thread")

    def test_a_working_directory_that_moves_unseen(self):
        self.survive("moving_directory")

    def test_another_preload_that_comes_back_to_us(self):
        run = self.new_run()
        both = f"{harness.SHIM} {victim('libnested_umask.so')}"
        result = self.preload("sh", "-c", "umask 027; mkdir d; umask", options=f"trace={run}",
                              env={"LD_PRELOAD": both})
        self.assertEqual((result.returncode, result.stdout), (0, b"0027\n"), result.stderr)
        report = self.report(run)
        self.assertEqual(report.of("umask", drift=True), [])
        self.assertTrue(report.of("umask", new="0027"))
        self.check_disk(report, 1)

    def test_exceptions_of_a_plugin_in_a_c_program(self):
        result, _ = self.record(victim("plugin_host"), self.work, victim("libthrowing_plugin.so"))
        self.assertEqual(result.stdout, b"caught 100\n")

    def test_two_hundred_processes(self):
        script = "i=0; while [ $i -lt 200 ]; do mkdir d$i & i=$((i + 1)); done; wait"
        _, run = self.record("sh", "-c", script)
        report = self.report(run)
        self.assertEqual(len(report.of("create", call="mkdir", created=True)), 200)
        self.assertEqual(report.of("loss"), [])
        order = [event["seq"] for event in report.events]
        self.assertEqual(order, sorted(order))
        self.check_disk(report, 200)

    def test_file_size_limit(self):
        result, run = self.record(victim("rlimit_fsize"), self.work)
        # What could not be recorded under the limit is counted, not forgotten.
        report = self.report(run)
        events = len(report.of("umask")) + sum(event["count"] for event in report.of("loss"))
        self.assertGreaterEqual(events, 20001)
        self.assertEqual(len(truths_of(result)), 1)


class HardTimes(Case):
    """What cannot be recorded is not: the program goes on as if nothing were there."""

    def goes_on(self, run, **options):
        words = ["sh", "-c", "umask 027; mkdir d; echo done"]
        result = self.preload(*words, options=f"trace={run}", **options)
        self.assertEqual((result.returncode, result.stdout), (0, b"done\n"), result.stderr)
        self.assertEqual(harness.tree(self.work)["d"][1], "0750")
        return result

    def test_a_run_directory_that_cannot_be_made(self):
        self.goes_on("/proc/nowhere/run")

    def test_a_run_directory_that_is_a_file(self):
        file = self.top / "file"
        file.write_text("precious")
        self.goes_on(file)
        self.assertEqual(file.read_text(), "precious")

    def test_a_run_directory_that_is_a_link_to_one(self):
        target = self.top / "target"
        target.mkdir()
        target.chmod(0o755)
        (self.top / "link").symlink_to(target)
        self.goes_on(self.top / "link")
        self.assertEqual(target.stat().st_mode & 0o7777, 0o755)

    def test_three_descriptors_are_enough(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))

        # The loader itself needs one to read libraries; nothing is left for us to keep.
        self.goes_on(self.new_run(), preexec_fn=limit)

    def test_little_memory(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (64 << 20, 64 << 20))

        self.goes_on(self.new_run(), preexec_fn=limit)

    def test_names_that_were_relative_at_the_start(self):
        for option in ("trace=here", "log=here"):
            with self.subTest(option=option):
                script = "mkdir d; cd d; umask 027; /bin/mkdir e; rmdir e; cd ..; rmdir d; ls"
                result = self.preload("sh", "-c", script, options=option)
                self.assertEqual((result.returncode, result.stdout), (0, b"here\n"), result.stderr)

    def test_a_log_that_nobody_reads(self):
        os.mkfifo(self.top / "fifo")
        result = self.preload("mkdir", "d", options=f"log={self.top}/fifo")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_no_standard_descriptors(self):
        script = 'exec "$0" "$1" 0<&- 1>&- 2>&-'
        result = self.preload("sh", "-c", script, victim("no_descriptors"), self.work, options="")
        self.assertEqual(result.returncode, 0)

    @needs_root
    @needs("unshare", "mount")
    def test_a_full_filesystem(self):
        mount = self.top / "small"
        mount.mkdir()
        script = (f"mount -t tmpfs -o size=256k none {mount} || exit 77; "
                  f"LD_PRELOAD={harness.SHIM} UMASKAUDIT_OPTIONS=trace={mount}/run "
                  f"{victim('sweep')} {self.work} open creat mkdir mkfifo mknod > /dev/null && "
                  f"{harness.TOOL} report {mount}/run --format jsonl")
        result = self.execute("unshare", "-m", "sh", "-c", script)
        if result.returncode in (1, 77) and b"ermi" in result.stderr:
            self.skipTest("no mounts here")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(harness.tree(self.work)), 5 * 512)
        report = harness.Report(result.stdout.decode().splitlines())
        recorded = len(report.of("umask")) + len(report.of("create"))
        lost = sum(event["count"] for event in report.of("loss"))
        self.assertGreater(recorded, 0)
        self.assertGreater(lost, 0)
        # Stacks that found no room are counted as well.
        self.assertGreaterEqual(recorded + lost, 5 * 2 * 512)

    def test_dlopen_of_the_shim(self):
        script = ("import ctypes, os; ctypes.CDLL(os.environ['SHIM']); os.umask(0o27); "
                  "os.mkdir('d'); print(os.umask(0))")
        result = self.execute("/usr/bin/python3", "-c", script, env={"SHIM": harness.SHIM})
        self.assertEqual((result.returncode, result.stdout), (0, b"23\n"), result.stderr)


class SameAsWithout(Case):
    """Exit code, output and created modes, with victims whose output does not depend on chance."""

    def test_exit_ways(self):
        for way in ([], ["quick"], ["now"]):
            with self.subTest(way=way):
                self.check_same(victim("exit_umask"), ".", *way)

    def test_bad_paths(self):
        self.check_same(victim("bad_paths"), ".")

    def test_modes_of_a_sweep(self):
        self.check_same("sh", "-c", f"{victim('sweep')} . open mkdir mkfifo fopen > /dev/null")


if __name__ == "__main__":
    harness.main()
