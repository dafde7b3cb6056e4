"""What goes past libc's usual doors: calls by number, old symbol versions, files without a name."""

from lib import harness
from lib.harness import Case, truths_of, victim


class Raw(Case):
    def record_truths(self, name):
        result, run = self.record(victim(name), self.work)
        report = self.report(run)
        truths = truths_of(result)
        self.check_truths(report, truths)
        return report, truths

    def test_calls_by_number(self):
        report, truths = self.record_truths("raw_numbers")
        changed = next(truth for truth in truths if "changed" in truth)
        change, = report.of("change", path=changed["changed"])
        self.assertEqual((change["call"], change["requested"], change["final"]),
                         ("fchmodat", "0604", changed["mode"]))
        self.assertEqual(report.of("blind_spot"), [])

    def test_files_get_their_names_with_their_creation(self):
        report, truths = self.record_truths("named_tmpfile")
        self.assertGreaterEqual(len(truths), 1)
        made = [event for event in report.of("create") if event["kind"] == "tmpfile"]
        self.assertEqual(len(made), 3)
        # The one that stayed without a name is shown in its directory.
        nameless = [event for event in made if event["path"] not in
                    {truth["path"] for truth in truths}]
        self.assertEqual(len(nameless), 3 - len(truths))
        for event in nameless:  # as /proc/PID/fd shows it
            self.assertEqual(event["path"], f"{self.work}/#{event['ino']} (deleted)")
        objects = {line["ino"]: line for line in report.of("object")}
        self.assertEqual(objects[nameless[0]["ino"]]["path"], nameless[0]["path"])

    def test_ipc_objects_are_told_created_exactly(self):
        result, run = self.record(victim("ipc_created"))
        report = self.report(run)
        truths = truths_of(result)
        self.assertEqual(len(truths), 9)
        for call in ("mq_open", "shm_open", "sem_open"):
            made = [(event["path"].rsplit("/", 1)[1], event["created"], event["final"])
                    for event in report.of("create", call=call, errno=0)]
            self.assertEqual(made, [(truth["name"][1:], truth["created"], truth["final"])
                                    for truth in truths if truth["call"] == call])

    def test_each_ipc_object_has_one_creator_in_a_race(self):
        result, run = self.record(victim("ipc_racers"))
        report = self.report(run)
        for call in ("mq_open", "shm_open"):
            inodes = {truth["ino"] for truth in truths_of(result) if truth["call"] == call}
            events = report.of("create", call=call, errno=0)
            made = [event["ino"] for event in events if event["created"] is True]
            self.assertGreater(len(inodes), 100)
            self.assertEqual(len(made), len(set(made)))
            unsure = {event["ino"] for event in events if event["created"] == "unknown"}
            self.assertLessEqual(set(made), inodes)
            self.assertLessEqual(inodes - set(made), unsure)
            self.assertLess(len(unsure), len(inodes) / 100 + 5)

    def test_every_kind_of_clone(self):
        report, truths = self.record_truths("raw_clone")
        self.assertEqual(len(truths), 30)
        self.assertEqual(report.of("blind_spot"), [])
        changes = {event["id"]: event for event in report.of("umask")}
        made = report.creations()
        for truth in truths:
            event, = made[truth["path"]]
            setter = changes[event["mask_set_by"]]
            # The event that set the mask is named, in whichever process that was, and by its call.
            name = truth["path"].rsplit("/", 1)[1]
            by_child = not name.endswith(("-before", "-after")) or name.endswith("-fs-after")
            child, = made[truth["path"].replace("-before", "").replace("-after", "")]
            self.assertEqual(setter["tid"], child["tid"] if by_child else event["tid"], event)
            self.assertEqual((setter["call"], setter["new"]), ("umask", truth["mask"]), event)
            # Tasks that share an fs context are shown in the same one.
            before, = made[truth["path"].replace("-after", "").replace("-before", "") + "-before"]
            shared = "-fs" in name or name.endswith(("-before", "-after"))
            self.assertEqual(event["fs"] == before["fs"], shared, event)

    def test_old_symbol_versions(self):
        bare = truths_of(self.execute(victim("old_versions"), self.work))
        (self.work / "no-interpreter-line").unlink()
        result, run = self.record(victim("old_versions"), self.work)
        report = self.report(run)
        truths = truths_of(result)
        spawned = next(truth for truth in truths if "exit" in truth)
        self.assertEqual(spawned, next(truth for truth in bare if "exit" in truth))
        for call in ("mq_open", "shm_open", "sem_open"):
            truth = next(truth for truth in truths if truth.get("call") == call)
            event, = report.of("create", call=call)
            for field in ("tid", "final", "requested", "mask"):
                self.assertEqual(event[field], truth[field], event)
            self.assertIs(event["created"], True)


if __name__ == "__main__":
    harness.main()
