"""Masks that belong to fs contexts and not to processes: vfork, clone, unshare, fork and exec."""

import os
from pathlib import Path

from lib import harness
from lib.harness import Case, truths_of, victim


class Contexts(Case):
    def record_truths(self, name):
        result, run = self.record(victim(name), self.work)
        report = self.report(run)
        truths = truths_of(result)
        self.check_truths(report, truths)
        return report, truths

    def check_drift(self, report, name, *more):
        """The mask was 0022 as far as anybody saw, and `name` came out under 0077.

        `more`: what was expected and found later.
        """
        drifted = report.of("umask", drift=True)
        self.assertEqual([(event["expected"], event["old"]) for event in drifted],
                         [("0022", "0077"), *more])
        event, = report.creations()[str(self.work / name)]
        self.assertEqual(event["mask"], "0077")
        self.assertEqual(event["mask_set_by"], drifted[0]["id"])

    def test_vfork_and_clone_children_do_not_poison_the_parent(self):
        report, truths = self.record_truths("vfork_umask")
        parents = {event["fs"] for event in report.of("create", mask="0022")}
        children = {event["fs"] for event in report.of("create", mask="0077")}
        self.assertEqual(len(parents), 1)
        self.assertFalse(parents & children)
        self.assertEqual(report.of("umask", drift=True), [])
        self.assertEqual(len(truths), 15)

    def test_an_unshared_thread_has_its_own_mask(self):
        report, _ = self.record_truths("unshare_thread")
        own = {event["fs"] for event in report.of("create", mask="0077")}
        shared = {event["fs"] for event in report.of("create", mask="0007")}
        self.assertEqual(len(own), 1)
        self.assertEqual(len(shared), 1)
        self.assertNotEqual(own, shared)
        self.assertEqual(report.of("umask", drift=True), [])

    def test_a_mask_changed_by_a_process_that_shares_the_context_is_its_change(self):
        report, truths = self.record_truths("clone_fs")
        drift, = report.of("umask", drift=True)
        self.assertEqual((drift["expected"], drift["old"]), ("0022", "0077"))
        setter, = report.of("umask", id=drift["drift_set_by"])
        self.assertEqual((setter["new"], setter["drift"], setter["fs"]),
                         ("0077", False, drift["fs"]))
        self.assertNotEqual(setter["pid"], drift["pid"])
        event, = report.creations()[str(self.work / "after")]
        self.assertEqual((event["mask"], event["mask_set_by"]), ("0077", setter["id"]))
        self.assertIn({"drift": "0077"}, truths)

    def test_a_process_that_shares_it_is_killed_amid_a_change(self):
        # No thread waits for ever for a lock of it. A record that it was writing may be unfinished.
        result, run = self.record(victim("killed_sharer"), self.work, 200)
        truths = truths_of(result)
        self.assertEqual(len(truths), 200)
        made = self.report(run).creations()
        for truth in truths:
            event, = made[truth["path"]]
            self.assertEqual((event["final"], event["mask"]), (truth["final"], truth["mask"]))

    def test_the_mask_goes_through_fork_and_exec(self):
        report, truths = self.record_truths("cleaned_env")
        stages = [event for path, (event, *_) in report.creations().items() if "/stage-" in path]
        self.assertEqual(len(stages), 6)
        setter = report.of("umask", new="0026")
        self.assertEqual(len(setter), 1)
        for event in stages:
            self.assertEqual(event["mask_set_by"], setter[0]["id"], event)
        # What the program may know of us: the two variables that keep us there, in its children.
        names = {truth["environment"] for truth in truths if "environment" in truth}
        self.assertEqual(names - {"LD_PRELOAD", "UMASKAUDIT_OPTIONS"}, {"GIVEN"})

    def test_follow_no_leaves_the_environment_alone_and_says_so(self):
        run = self.new_run()
        result = self.preload(victim("cleaned_env"), self.work, options=f"trace={run}:follow=no")
        self.assertEqual(result.returncode, 0, result.stderr)
        names = {truth["environment"] for truth in truths_of(result) if "environment" in truth}
        self.assertEqual(names, {"GIVEN"})
        report = self.report(run)
        self.assertEqual([path for path in report.creations() if "/stage-" in path], [])
        self.assertTrue(report.of("blind_spot", reason="exec-environment"))

    def test_a_static_program_runs_and_is_said_to_be_unseen(self):
        result, run = self.record(victim("static_hello"), self.work)
        self.assertEqual(result.stdout, b"hello\n")
        self.assertIn(b"statically linked", result.stderr)
        self.assertTrue((self.work / "made-static").is_dir())
        report = self.report(run)
        self.assertEqual(report.creations(), {})
        self.assertTrue(report.of("blind_spot", reason="exec-static"), report.events)

    def test_a_static_child_is_a_blind_spot(self):
        _, run = self.record("sh", "-c", f"{victim('static_hello')} {self.work}")
        report = self.report(run)
        self.assertTrue(report.of("blind_spot", reason="exec-static"), report.events)

    def test_a_constructor_before_ours_is_recorded(self):
        self.record_truths("constructor_first")

    def test_threads_that_come_before_us_wait_for_the_start(self):
        # Which of them comes first, and how far it gets, is chance.
        for _ in range(20):
            harness.remove_tree(self.work)
            self.work.mkdir()
            result, run = self.record(victim("constructor_threads"),
                                      env={"VICTIM_DIR": str(self.work)})
            truths = truths_of(result)
            self.check_truths(self.report(run), truths)
            self.assertEqual(len(truths), 8)

    def test_calls_while_everything_is_torn_down_are_recorded(self):
        expected = {"": {"tls-destructor": "0666", "key-destructor": "0664", "atexit": "0664",
                         "static-destructor": "0660", "main": "0662"},
                    "quick": {"tls-destructor": "0666", "key-destructor": "0664",
                              "at-quick-exit": "0662", "main": "0662"},
                    "now": {"tls-destructor": "0666", "key-destructor": "0664", "main": "0662"}}
        for way, objects in expected.items():
            with self.subTest(way=way):
                work = self.work / (way or "return")
                work.mkdir()
                _, run = self.record(victim("exit_umask"), work, *([way] if way else []))
                made = {path.rsplit("/", 1)[1]: events[0]["final"]
                        for path, events in self.report(run).creations().items()}
                on_disk = {path.name: harness.octal(path.stat().st_mode & 0o7777)
                           for path in work.iterdir()}
                self.assertEqual(made, on_disk)
                self.assertEqual(set(made), set(objects))

    def test_raw_clones_in_all_combinations(self):
        """Memory shared or not, fs context shared or not: /proc says which mask the parent has."""
        shared, drifted = set(), set()
        for way in ("fork", "fs", "vm", "vm-fs"):
            with self.subTest(way=way):
                work = self.work / way
                work.mkdir()
                result, run = self.record(victim("clone_ways"), work, way)
                report = self.report(run)
                self.check_truths(report, truths_of(result))
                self.assertEqual(len(report.of("create", created=True)), 3)
                after, = report.creations()[str(work / "after")]
                setter, = [event for event in report.of("umask")
                           if event["id"] == after["mask_set_by"]]
                self.assertEqual(setter["new"], after["mask"])
                # Whose mask it is made the call itself, in whichever process that is.
                self.assertEqual(setter["drift"], False)
                if after["mask"] == "0077":
                    shared.add(way)
                    child, = report.creations()[str(work / "child")]
                    self.assertEqual(setter["tid"], child["tid"])
                if report.of("umask", drift=True):
                    drifted.add(way)
        self.assertEqual(shared, {"fs", "vm-fs"})
        self.assertEqual(drifted, {"fs"})

    def test_coroutines_on_stacks_of_their_own(self):
        report, truths = self.record_truths("coroutines")
        self.assertEqual(len(truths), 100)
        self.assertEqual(report.of("umask", drift=True), [])
        for event in report.of("create") + report.of("umask"):
            self.assertGreaterEqual(len(event["stack"]), 1)

    def test_a_thread_that_enters_a_name_space(self):
        result, run = self.record(victim("setns_thread"), self.work, status=None)
        if result.returncode == 77:
            self.skipTest("setns(2) is not allowed here")
        self.assertEqual(result.returncode, 0, result.stderr)
        report = self.report(run)
        self.check_truths(report, truths_of(result))
        self.assertEqual(len(truths_of(result)), 4)
        self.assertEqual(report.of("umask", drift=True), [])
        self.assertEqual(len({event["fs"] for event in report.of("create")}), 2)

    def test_code_that_is_loaded_late(self):
        library = victim("libloaded_code_library.so")
        result, run = self.record(victim("loaded_code"), self.work, "dlopen", library)
        report = self.report(run)
        self.check_truths(report, truths_of(result))
        self.assertEqual(report.of("umask", drift=True), [])
        setters = {event["id"]: event for event in report.of("umask")}
        for name in ("by-constructor", "by-function", "by-destructor"):
            event, = report.creations()[str(self.work / name)]
            self.assertEqual(setters[event["mask_set_by"]]["stack"][0]["module"], library)

    def test_code_in_a_name_space_of_its_own_is_said_to_be_unseen(self):
        """Its libc is another one: neither its creations nor its mask changes come by here."""
        library = victim("libloaded_code_library.so")
        result, run = self.record(victim("loaded_code"), self.work, "dlmopen", library)
        report = self.report(run)
        unseen = [truth["path"] for truth in truths_of(result) if "by-c" in truth.get("path", "")]
        self.assertEqual(len(unseen), 1)
        self.assertEqual(set(report.creations()), {str(self.work / "by-program")})
        spot, = [spot for spot in report.of("blind_spot") if spot["reason"] != "appeared"]
        self.assertEqual((spot["reason"], spot["text"]), ("dlmopen", library))
        self.check_drift(report, "by-program")

    def test_the_mask_that_python_gives_a_child(self):
        """subprocess(umask=) sets it between vfork and exec; the child inherits that call."""
        script = ("import subprocess\n"
                  "subprocess.run(['mkdir', 'given'], umask=0o027, check=True)\n"
                  "subprocess.run(['mkdir', 'usual'], check=True)")
        self.work.chmod(0o700)
        _, run = self.record("/usr/bin/python3", "-c", script)
        report = self.report(run)
        given, = report.creations()[str(self.work / "given")]
        usual, = report.creations()[str(self.work / "usual")]
        setter, = report.of("umask")
        self.assertEqual((given["final"], given["mask_set_by"]), ("0750", setter["id"]))
        self.assertEqual((usual["final"], usual["mask_set_by"]), ("0755", "inherited"))
        # The child had its own context and made the call itself.
        self.assertEqual((setter["old"], setter["new"], setter["pid"]),
                         ("0022", "0027", given["pid"]))
        self.assertNotEqual(setter["fs"], usual["fs"])
        self.assertEqual(report.of("umask", drift=True), [])

    def test_blame_follows_the_mask_through_three_generations(self):
        script = ("umask 027; /bin/sh -c '/bin/sh -c \"mkdir deep; exit\"; mkdir middle; exit'; "
                  "exit")
        _, run = self.record("sh", "-c", script)
        report = self.report(run)
        deep, = report.creations()[str(self.work / "deep")]
        setter, = [event for event in report.of("umask") if event["id"] == deep["mask_set_by"]]
        self.assertEqual(setter["new"], "0027")
        parents = {event["pid"]: event["ppid"] for event in report.of("process")}
        chain = [deep["pid"]]
        while parents.get(chain[0]) in parents:
            chain.insert(0, parents[chain[0]])
        self.assertEqual(chain[0], setter["pid"])
        self.assertGreaterEqual(len(chain), 4)
        story = self.tool("blame", run, self.work / "deep")
        self.assertIn(f"umask 0027 (was {setter['old']}) in thread sh {setter['pid']} of", story)
        names = ["sh"] * (len(chain) - 1) + ["mkdir"]
        handed = " > ".join(f"{name} {pid}" for name, pid in zip(names, chain))
        self.assertIn(f"  handed down: {handed}\n", story)

    def test_blame_says_from_whom_a_mask_was_inherited(self):
        os.umask(0o031)
        _, run = self.record("sh", "-c", "sh -c 'mkdir deep; exit'; exit")
        report = self.report(run)
        deep, = report.creations()[str(self.work / "deep")]
        self.assertEqual((deep["mask"], deep["mask_set_by"]), ("0031", "inherited"))
        first = report.of("process")[0]
        me = Path("/proc/self/comm").read_text().strip()
        story = self.tool("blame", run, self.work / "deep")
        self.assertIn(f"process {first['pid']} (sh) was born with 0031, known from proc; "
                      f"umaskaudit run was started by {me} {os.getpid()}\n", story)
        self.assertRegex(story, rf"handed down: sh {first['pid']} > .*mkdir {deep['pid']}\n")

    def test_a_fork_is_an_event_of_the_parent(self):
        script = "import os; child = os.fork(); child or os._exit(0); print(os.wait()[0])"
        result, run = self.record("/usr/bin/python3", "-c", script)
        child = int(result.stdout)
        self.assertRegex(self.tool("timeline", run, "--all"), rf"fork child {child}\b")

    def test_raw_calls(self):
        report, _ = self.record_truths("raw_syscall")
        self.check_drift(report, "after-unseen", ("0022", "0027"))
        self.assertEqual(len(report.of("create", created=True)), 4)

    def test_a_thread_that_is_born_into_an_unshared_context(self):
        result, run = self.record(victim("second_context"), self.work)
        report = self.report(run)
        self.check_truths(report, truths_of(result))
        self.assertEqual(report.of("umask", drift=True), [])
        made = {os.path.basename(path): events[0] for path, events in report.creations().items()}
        self.assertEqual(made["before"]["fs"], made["after"]["fs"], "one context of two threads")
        self.assertNotEqual(made["before"]["fs"], made["main"]["fs"])
        changes = [(event["argument"], event["new"]) for event in report.of("umask")]
        self.assertEqual(changes, [("7027", "0027"), ("0077", "0077"), ("7007", "0007"),
                                   ("0022", "0022")])


if __name__ == "__main__":
    harness.main()
