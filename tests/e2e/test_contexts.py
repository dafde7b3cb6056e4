"""Masks that belong to fs contexts and not to processes: vfork, clone, unshare, fork and exec."""

import harness
from harness import Case, truths_of, victim


class Contexts(Case):
    def record_truths(self, name):
        result, run = self.record(victim(name), self.work)
        report = self.report(run)
        truths = truths_of(result)
        self.check_truths(report, truths)
        return report, truths

    def check_drift(self, report, name):
        """The mask was 0022 as far as anybody saw, and `name` came out under 0077."""
        drifted = report.of("umask", drift=True)
        self.assertEqual([(event["expected"], event["old"]) for event in drifted],
                         [("0022", "0077")])
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

    def test_a_mask_changed_by_a_process_that_shares_the_context_is_a_drift(self):
        report, truths = self.record_truths("clone_fs")
        self.check_drift(report, "after")
        self.assertIn({"drift": "0077"}, truths)

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

    def test_raw_calls(self):
        report, _ = self.record_truths("raw_syscall")
        self.check_drift(report, "after-unseen")
        self.assertEqual(len(report.of("create", created=True)), 3)


if __name__ == "__main__":
    harness.main()
