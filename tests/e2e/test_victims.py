"""The victims bite: each harms a shim that makes one obvious mistake, or is harmed by it.

A hazard's test proves nothing if it passes without the defence. The faulty shims lack one each;
here each victim must notice. What ours does with the same victims is in test_survival.py,
test_limits.py, test_sandbox.py, test_loading.py and test_contexts.py.
"""

import os
import signal
import struct
import subprocess
import unittest
from pathlib import Path

from lib import harness
from lib.harness import Case, needs, truths_of, victim

DEADLOCK, WRONG_MASK, VICTIM_COMPLAINS = 70, 71, 99
needs_root = unittest.skipIf(os.geteuid() != 0, "needs root")


class Faulty(Case):
    def setUp(self):
        super().setUp()
        self.log = self.top / "log"

    def fresh(self):
        harness.remove_tree(self.work)
        self.work.mkdir()

    def under(self, shim, name, *arguments, env=None):
        """Runs a victim under libfaulty_SHIM.so in a fresh directory."""
        self.fresh()
        environment = {"LD_PRELOAD": victim(f"libfaulty_{shim}.so"),
                       "FAULTY_LOG": str(self.log), **(env or {})}
        return self.execute(victim(name), self.work, *arguments, env=environment)

    def lines(self):
        return len(self.log.read_bytes().splitlines()) if self.log.exists() else 0

    def sooner_or_later(self, bites, what):
        """Where it is chance that decides: most runs, not every one."""
        if not any(bites() for _ in range(20)):
            self.fail(f"in twenty runs {what} never happened")


class Locks(Faulty):
    def test_a_handler_meets_the_lock_of_its_own_thread(self):
        self.sooner_or_later(lambda: self.under("shim", "handler_umask").returncode == DEADLOCK,
                             "a handler under the lock")

    def test_a_handler_jumps_away_with_the_lock(self):
        self.sooner_or_later(
            lambda: self.under("shim", "handler_longjmp", 3000).returncode == DEADLOCK,
            "a jump under the lock")

    def test_a_forked_child_meets_the_lock_of_a_thread_it_does_not_have(self):
        self.sooner_or_later(
            lambda: self.under("shim", "fork_storm").returncode == VICTIM_COMPLAINS,
            "a fork under the lock")

    def test_so_does_one_of_a_fork_without_handlers(self):
        self.sooner_or_later(
            lambda: self.under("fork", "fork_storm", 1000, "raw").returncode == VICTIM_COMPLAINS,
            "a fork under the lock")

    def test_a_fork_handler_meets_the_lock_that_is_taken_around_fork(self):
        self.assertEqual(self.under("fork", "fork_handlers").returncode, DEADLOCK)

    def test_umask_waits_for_a_thread_that_waits_in_open(self):
        self.assertEqual(self.under("open", "cancel_open_fifo").returncode, DEADLOCK)

    def test_cancellation_ends_the_program_in_a_noexcept_wrapper(self):
        for name in ("cancel_open_fifo", "cancel_anywhere"):
            with self.subTest(victim=name):
                # At any instruction: also in between, with the lock held.
                ends = (-signal.SIGABRT, DEADLOCK)
                self.sooner_or_later(lambda: self.under("shim", name).returncode in ends,
                                     "an end by cancellation")

    def test_a_lock_around_umask_does_not_mend_a_racy_program(self):
        def wrong():
            result = self.under("shim", "threads_umask", 20000)
            self.assertEqual(result.returncode, 0)
            return sum(truth.get("final") == "0666" for truth in truths_of(result)) > 0

        self.sooner_or_later(wrong, "a creation in the window")


class Masks(Faulty):
    def test_a_vfork_child_poisons_a_mask_cached_for_the_process(self):
        self.assertEqual(self.under("shim", "vfork_umask").returncode, VICTIM_COMPLAINS)

    def test_an_unshared_thread_poisons_it(self):
        self.assertEqual(self.under("shim", "unshare_thread").returncode, WRONG_MASK)

    def test_so_does_a_process_that_shares_it(self):
        self.assertEqual(self.under("shim", "clone_fs").returncode, WRONG_MASK)

    def test_reading_the_mask_by_writing_it_makes_the_race(self):
        self.sooner_or_later(lambda: self.under("read", "private_creators").returncode == 1,
                             "a creation in the window")


class Practices(Faulty):
    def test_a_path_that_the_kernel_would_refuse_is_looked_at(self):
        self.assertEqual(self.under("shim", "bad_paths").returncode, -signal.SIGSEGV)
        self.assertEqual(self.under("shim", "bad_pointers").returncode, -signal.SIGSEGV)

    def test_errno_is_left_behind(self):
        bare = self.execute(victim("bad_paths"), self.work)
        self.assertIn(b"errno 77\n", bare.stdout)
        self.assertNotIn(b"errno 77\n", self.under("errno", "bad_paths").stdout)

    def test_a_large_frame_overflows_a_small_stack(self):
        self.assertEqual(self.under("stack", "small_stack").returncode, -signal.SIGSEGV)

    def test_one_more_system_call_is_one_too_many(self):
        self.assertEqual(self.under("ask", "seccomp_strict").returncode, -signal.SIGSYS)

    def test_real_functions_found_in_the_constructor_are_found_too_late(self):
        result = self.under("eager", "constructor_first", env={"VICTIM_DIR": str(self.work)})
        self.assertEqual(result.returncode, -signal.SIGSEGV)

    def test_much_thread_local_storage_cannot_be_loaded_later(self):
        script = f"import ctypes; ctypes.CDLL({victim('libfaulty_tls.so')!r})"
        result = self.execute("/usr/bin/python3", "-c", script)
        self.assertIn(b"static TLS", result.stderr)

    @unittest.skipIf(not Path(victim("libfaulty_unwind.so")).exists(), "built without libunwind")
    def test_a_second_unwinder_carries_the_exceptions_of_others(self):
        result = self.under("unwind", "plugin_host", victim("libthrowing_plugin.so"))
        self.assertIn(b"carried by libunwind", result.stdout)


class Logs(Faulty):
    def test_a_descriptor_that_is_kept_is_closed_and_used_by_the_program(self):
        self.assertEqual(self.under("keep", "closes_all").returncode, 1)
        self.assertLess(self.lines(), 8)

    def test_it_takes_the_number_of_a_standard_descriptor(self):
        script = 'exec "$0" "$1" 0<&- 1>&- 2>&-'
        environment = {"LD_PRELOAD": victim("libfaulty_keep.so"), "FAULTY_LOG": str(self.log)}
        result = self.execute("sh", "-c", script, victim("no_descriptors"), self.work,
                              env=environment)
        self.assertEqual(result.returncode, 1)

    def test_a_write_past_the_size_limit_kills(self):
        self.assertEqual(self.under("keep", "rlimit_fsize").returncode, -signal.SIGXFSZ)

    def test_two_hundred_processes_overwrite_each_other(self):
        script = "i=0; while [ $i -lt 200 ]; do mkdir d$i & i=$((i + 1)); done; wait"
        environment = {"LD_PRELOAD": victim("libfaulty_keep.so"), "FAULTY_LOG": str(self.log)}
        self.execute("sh", "-c", script, env=environment)
        self.assertEqual(len(harness.tree(self.work)), 200)
        self.assertLess(self.lines(), 200)

    @needs_root
    def test_a_name_means_something_else_after_chroot(self):
        self.top.chmod(0o755)
        result = self.under("reopen", "drops_rights")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(len(truths_of(result)), 3)
        self.assertLess(self.lines(), 6)  # three umask calls, three creations

    def test_a_buffer_that_a_destructor_writes_is_lost_in_an_exit_without(self):
        for way, lines in (("", 10), ("now", 0), ("quick", 0)):
            with self.subTest(way=way):
                self.log.unlink(missing_ok=True)
                self.under("buffer", "exit_umask", *([way] if way else []))
                self.assertEqual(self.lines(), lines)

    def test_and_with_sigkill(self):
        counts = self.top / "counts"

        def has_worked():
            return (counts.exists() and counts.stat().st_size >= 64 and
                    struct.unpack_from("=QQ", counts.read_bytes())[1] >= 100)

        environment = {**os.environ, "LD_PRELOAD": victim("libfaulty_buffer.so"),
                       "FAULTY_LOG": str(self.log)}
        with subprocess.Popen([victim("kill9_loop"), self.work, counts],
                              env=environment) as process:
            try:
                harness.wait_until(has_worked, "it has created a hundred", process)
            finally:
                process.kill()
        self.assertEqual(self.lines(), 0)

    @needs_root
    @needs("unshare", "mount")
    def test_a_mapped_file_that_is_not_backed_is_a_bus_error_on_a_full_disk(self):
        mount = self.top / "small"
        mount.mkdir()
        script = (f"mount -t tmpfs -o size=256k none {mount} || exit 77; "
                  f"LD_PRELOAD={victim('libfaulty_map.so')} FAULTY_LOG={mount}/log "
                  f"exec {victim('sweep')} {self.work} open mkdir > /dev/null")
        result = self.execute("unshare", "-m", "sh", "-c", script)
        if result.returncode in (1, 77) and b"ermi" in result.stderr:
            self.skipTest("no mounts here")
        self.assertEqual(result.returncode, -signal.SIGBUS, result.stderr)


if __name__ == "__main__":
    harness.main()
