"""The audited program is never the one that suffers: victims that break faulty shims.

Each runs bare and with the shim; the victim itself says, by its exit code, whether it was harmed.
What it created must be in the report, with the modes that the kernel gave.
"""

import os
import resource
import shutil
import unittest

from lib import harness
from lib import mounts
from lib.harness import Case, needs, truths_of, victim

needs_root = unittest.skipIf(os.geteuid() != 0, "needs root")


class Survival(Case):
    def survive(self, name, *arguments, unfinished=0):
        """Nothing is lost; at most `unfinished` records of threads that ended in their middle."""
        result, run = self.record(victim(name), self.work, *arguments)
        report = self.report(run)
        self.truths = truths_of(result)
        self.check_truths(report, self.truths)
        losses = report.of("loss")
        self.assertEqual([loss for loss in losses if loss["reason"] != "unfinished"], [])
        self.assertLessEqual(sum(loss["count"] for loss in losses), unfinished)
        return report

    def test_signal_handlers_that_call_umask_and_create(self):
        report = self.survive("handler_umask", 1000)
        self.assertGreaterEqual(len(report.of("create", call="openat")), 1000)

    def test_a_signal_while_umask_is_under_way(self):
        result, run = self.record(victim("signal_amid_umask"), self.work, status=None)
        if result.returncode == 77:
            self.skipTest("no filters that ask another thread here")
        self.assertEqual(result.returncode, 0, result.stderr)
        report = self.report(run)
        self.check_truths(report, truths_of(result))
        self.assertEqual(report.of("umask", drift=True), [])

    def test_forks_while_other_threads_hold_the_lock(self):
        # By hand: TEST_FORKS=10000
        children = int(os.environ.get("TEST_FORKS", "1000"))
        report = self.survive("fork_storm", children)
        self.assertEqual(len(report.of("create", mask="0077")), children)

    def test_forks_that_run_no_handlers(self):
        report = self.survive("fork_storm", 500, "raw")
        self.assertEqual(len(report.of("create", mask="0077")), 500)
        self.assertEqual(len(report.of("process")), 501)

    def test_cancellation_inside_blocking_creations(self):
        self.survive("cancel_open_fifo")

    def test_cancellation_at_any_instruction(self):
        # Any instruction: our own too, between a record's begin and its end.
        self.survive("cancel_anywhere", unfinished=200)

    def test_all_descriptors_closed(self):
        self.survive("closes_all")

    def test_all_descriptors_closed_under_the_live_log(self):
        # The program's own file has the number of standard error: no line goes there.
        result = self.preload(victim("closes_all"), self.work, options="log=stderr")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(b"umaskaudit[", result.stderr)
        self.assertEqual((self.work / "after2").stat().st_size, 0)

    def test_smallest_stacks(self):
        self.survive("small_stack")

    def remove_made(self):
        for file in self.work.iterdir():
            file.unlink()

    def test_alternate_stacks_with_little_left(self):
        result, run = self.record(victim("little_alternate_stack"), self.work)
        report = self.report(run)
        made = report.creations()
        briefly = 0
        for truth in truths_of(result):
            left = int(truth["path"].rsplit("-", 1)[1])
            event = made.get(truth["path"], [{}])[0]
            if left >= 3200 or "/after-" in truth["path"]:
                self.assertTrue(event and event["stack"], truth)
                for field, value in truth.items():
                    self.assertEqual(event[field], value, truth)
            else:
                briefly += not event.get("stack")
        self.assertGreater(briefly, 5)
        losses = {loss["reason"]: loss["count"] for loss in report.of("loss")}
        self.assertEqual(list(losses), ["stack-dropped"])
        self.assertGreaterEqual(losses["stack-dropped"], briefly)
        # Cut short or not, each change of the mask was noticed.
        self.assertEqual(report.of("umask", drift=True), [])

    def test_alternate_stacks_with_little_left_under_the_live_log(self):
        result = self.preload(victim("little_alternate_stack"), self.work, options="log=stderr")
        self.assertEqual(result.returncode, 0, result.stderr)

    def survive_where_stacks_go_away(self, way):
        report = self.survive("vanishing_stacks", way)
        for event in report.of("create", call="open"):
            symbols = [frame["symbol"].split("::")[-1] for frame in event["stack"]]
            maker = "by_" + os.path.basename(event["path"]).split("-")[0]
            self.assertEqual(symbols[:2], ["create_file", maker], event)
        return report

    def test_stacks_carved_below_a_threads_own(self):
        self.survive_where_stacks_go_away("below")

    def test_stacks_carved_out_of_a_threads_own(self):
        self.survive_where_stacks_go_away("inside")

    def test_stacks_of_tasks_by_clone(self):
        self.survive_where_stacks_go_away("cloned")

    def test_stacks_below_what_cannot_be_read(self):
        for way in ("file", "guard"):
            with self.subTest(way):
                self.remove_made()
                self.survive_where_stacks_go_away(way)

    def test_stacks_of_many_pages(self):
        for way in ("deep", "grown"):
            with self.subTest(way):
                self.remove_made()
                report = self.survive_where_stacks_go_away(way)
                for event in report.of("create", call="open"):
                    symbols = [frame["symbol"] or "" for frame in event["stack"]]
                    deeper = [symbol for symbol in symbols if "go_deeper" in symbol]
                    self.assertGreaterEqual(len(deeper), 11, event)

    def test_tables_that_cannot_be_read(self):
        report = self.survive("vanishing_stacks", "tables")
        stack = report.of("create", call="open")[0]["stack"]
        self.assertTrue(stack[0]["symbol"].endswith("create_file"), stack)

    def test_stacks_that_come_and_go_at_random(self):
        self.survive_where_stacks_go_away("storm")

    def test_handlers_that_jump_away(self):
        deep = self.work / ("d" * 200) / ("e" * 200)  # longer names take a buffer
        deep.mkdir(parents=True)
        result, run = self.record(victim("handler_longjmp"), deep, 3000)
        made = self.report(run).creations()
        for truth in truths_of(result):
            self.assertEqual(made[truth["path"]][0]["mask"], truth["mask"])
        # No buffer is left behind for good: names can still be made absolute.
        self.assertEqual([path for path in made if not path.startswith("/")], [])

    def jump_from_depths(self, *how):
        deep = self.work / ("d" * 200) / ("e" * 200)
        deep.mkdir(parents=True)
        log = self.top / "log"
        run = self.new_run()
        result = self.preload(victim("jumps_from_depths"), deep, 2000, "/bin/true", *how,
                              options=f"trace={run}:log={log}")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        blocked, truth = truths_of(result)
        self.assertEqual(blocked, {"blocked": 0})
        # Names, a line of the log and the environment of the next program each want a buffer.
        report = self.report(run)
        self.check_truths(report, [truth])
        self.assertIn('/after", 0666)', log.read_text())
        self.assertEqual(len(report.of("process", comm="true")), 1)

    def test_handlers_that_jump_away_from_ever_other_depths(self):
        self.jump_from_depths()

    def test_handlers_that_jump_off_an_alternate_stack(self):
        self.jump_from_depths("alternate")

    def test_a_header_that_cannot_be_read(self):
        for how in ((), ("unmap",)):
            run = self.check_same(victim("unreadable_header"), self.work, *how)
            report = self.report(run)
            event, = report.of("create", path=str(self.work / "made"))
            self.assertEqual(event["stack"][0]["module"], victim("unreadable_header"))
            result = self.preload(victim("unreadable_header"), self.top, *how, options="")
            self.assertEqual(result.returncode, 0, result.stderr)
            (self.top / "made").unlink()

    def test_errno_of_tmpfile_and_signals_after_an_unseen_change(self):
        run = self.check_same(victim("keeps_errno_and_signals"), self.work)
        self.assertTrue(self.report(run).of("umask", drift=True))

    def test_libraries_that_come_and_go_under_the_unwinder(self):
        self.survive("dlopen_storm", victim("libdlopen_storm_library.so"))

    def test_first_calls_where_a_search_would_be_too_late(self):
        self.survive("first_calls", victim("libfirst_calls_library.so"))

    def test_a_library_where_another_one_was(self):
        libraries = []
        for name in ("first.so", "other.so"):
            libraries.append(self.top / name)
            shutil.copy(victim("libdlopen_storm_library.so"), libraries[-1])
        report = self.survive("loads_in_turns", *libraries)
        for number in range(20):
            event, = report.creations()[str(self.work / f"l{number}")]
            self.assertEqual(event["stack"][0]["module"], str(libraries[number % 2]), event)
        # A module that was not unloaded, or that came back, is written once.
        segment, = (self.top / "run1").glob("*.seg")
        modules = segment.read_bytes().count(victim("loads_in_turns").encode())
        self.assertLessEqual(modules, 2)  # with the name of the program itself

    def test_a_fault_inside_the_real_call(self):
        self.survive("handler_segv")

    def test_nobody_finds_a_window_that_is_ours(self):
        self.record(victim("private_creators"), self.work)

    def test_more_contexts_than_the_table_holds(self):
        result, run = self.record(victim("many_contexts"), self.work)
        report = self.report(run)
        truths = truths_of(result)
        self.assertEqual(len(truths), 1100)
        self.check_truths(report, truths)
        self.assertEqual(report.of("umask", drift=True), [])
        # Their masks are known all the same; who else is in such a context is not.
        lost, = report.of("loss")
        self.assertEqual(lost["reason"], "contexts-full")
        self.assertLess(lost["count"], 100)

    def test_a_thousand_threads(self):
        self.survive("many_threads", 1000)

    def test_fork_handlers_that_call_umask_while_the_lock_is_held(self):
        report = self.survive("fork_handlers")
        self.assertEqual(report.of("umask", drift=True), [])

    def test_threads_that_free_their_own_description(self):
        self.survive("vanishing_thread")

    def test_what_a_call_came_to_before_decides_nothing(self):
        for run in range(6):
            (self.work / f"before{run}").touch()
        report = self.survive("creating_habit")
        opened = report.of("create", call="open")
        expected = [bool(truth["met"]) for truth in self.truths if "met" in truth]
        self.check_met(opened, expected)

    def test_directories_that_move_unseen(self):
        self.survive("moving_directory")

    def test_directories_that_move_in_memory(self):
        """Fast enough to move while the name that was read last is still kept."""
        self.work = mounts.directory_on(self, "tmpfs")
        self.addCleanup(harness.remove_tree, self.work)
        self.survive("moving_directory")

    def test_another_preload_that_comes_back_to_us(self):
        run = self.new_run()
        both = f"{harness.SHIM} {victim('libnested_umask.so')}"
        script = "umask 027; mkdir d; mkdir d/e; umask"
        result = self.preload("sh", "-c", script, options=f"trace={run}",
                              env={"LD_PRELOAD": both})
        self.assertEqual((result.returncode, result.stdout), (0, b"0027\n"), result.stderr)
        report = self.report(run)
        self.assertEqual(report.of("umask", drift=True), [])
        self.assertTrue(report.of("umask", new="0027"))
        self.check_disk(report, 2)
        made = sorted(event["path"] for event in report.of("create", errno=0))
        self.assertEqual(made, [str(self.work / "d"), str(self.work / "d/e")], "each one once")

    @needs("valgrind")
    def test_under_valgrind_as_much_is_recorded(self):
        run = self.new_run()
        result = self.preload("valgrind", "--tool=none", "-q", victim("sweep"), self.work, "open",
                              "mkdir", "mkfifo", options=f"log=off:trace={run}")
        if b"Possibly corrupted debuginfo" in result.stderr:
            self.skipTest("this valgrind cannot read the debug information of this compiler")
        self.assertEqual(result.returncode, 0, result.stderr)
        report = self.report(run)
        self.assertEqual(report.of("loss"), [])
        self.assertGreater(len(report.events), 3000)
        self.check_disk(report, 1000)

    def test_exceptions_of_a_plugin_in_a_c_program(self):
        result, _ = self.record(victim("plugin_host"), self.work, victim("libthrowing_plugin.so"))
        self.assertEqual(result.stdout, b"carried by libgcc_s.so.1\ncaught 100\n")

    def test_two_hundred_processes(self):
        script = "i=0; while [ $i -lt 200 ]; do mkdir d$i & i=$((i + 1)); done; wait"
        _, run = self.record("sh", "-c", script)
        report = self.report(run)
        self.assertEqual(len(report.of("create", call="mkdir", created=True)), 200)
        self.assertEqual(report.of("loss"), [])
        order = [event["seq"] for event in report.events if "seq" in event]
        self.assertEqual(order, sorted(order))
        times = [event["time_ns"] for event in report.of("create")]
        self.assertEqual(times, sorted(times))
        self.assertEqual(self.report(run).events, report.events, "the merged order is stable")
        self.check_disk(report, 200)

    def test_file_size_limit(self):
        result, run = self.record(victim("rlimit_fsize"), self.work)
        # What could not be recorded under the limit is counted, not forgotten.
        report = self.report(run)
        events = len(report.of("umask")) + sum(event["count"] for event in report.of("loss"))
        self.assertGreaterEqual(events, 20001)
        self.assertEqual(len(truths_of(result)), 1)

    def test_file_size_limit_from_before_the_start(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (100 << 10, 100 << 10))

        run = self.new_run()
        result = self.preload(victim("sweep"), self.work, "open", options=f"trace={run}",
                              preexec_fn=limit)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(self.report(run).of("loss", reason="segment-full"))


class SameAsWithout(Case):
    """Exit code, output and created modes, with victims whose output does not depend on chance."""

    def test_exit_ways(self):
        for way in ([], ["quick"], ["now"]):
            with self.subTest(way=way):
                self.check_same(victim("exit_umask"), ".", *way)

    def test_bad_paths(self):
        self.check_same(victim("bad_paths"), ".")

    def test_programs_started_from_ever_deeper(self):
        run = self.check_same(victim("vfork_depths"))
        report = self.report(run)
        self.assertEqual(report.of("blind_spot"), [])
        self.assertEqual(len(report.of("process", comm="true")), 40)

    def test_bad_pointers(self):
        run = self.check_same(victim("bad_pointers"), ".", "filters")
        report = self.report(run)
        self.assertEqual(report.of("loss"), [])
        kinds = [event["kind"] for event in report.of("create", created=True)]
        self.assertEqual(kinds.count("tmpfile"), 1)
        self.assertGreater(self.check_all_told(report, self.work), 10)

    def test_programs_started_with_little_stack(self):
        run = self.check_same(victim("spawns_with_little_stack"))
        self.assertEqual(len(self.report(run).of("process")), 41)

    def test_the_largest_environment(self):
        self.check_same(victim("largest_environment"))

    def test_modes_of_a_sweep(self):
        self.check_same("sh", "-c", f"{victim('sweep')} . open mkdir mkfifo fopen > /dev/null")


if __name__ == "__main__":
    harness.main()
