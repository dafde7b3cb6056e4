"""Whether a call made its object or met one that was there: exact by each way of finding out.

The kernel is asked where it can say (F_CREATED_QUERY, Linux 6.12); elsewhere the name is looked at
before the call. Both must say the same. Ground truth: the modes on disk, lstat(2) before each call,
and strace(1).
"""

import errno
import fcntl
import os
import re
import stat
import tempfile
import unittest
from pathlib import Path

from lib import harness
from lib import mounts
from lib.harness import Case, needs, truths_of, victim

CREATED_QUERY = 1024 + 4


def kernel_can_say():
    with tempfile.TemporaryFile() as file:
        try:
            return fcntl.fcntl(file.fileno(), CREATED_QUERY) in (0, 1)
        except OSError:
            return False


needs_the_question = unittest.skipUnless(kernel_can_say(), "this kernel has no F_CREATED_QUERY")


class Created(Case):
    def record_with(self, prefix, *command):
        """Records behind a filter or a tracer; skips where there can be none."""
        result, run = self.record(*prefix, *command, status=None)
        if result.returncode == 77:
            self.skipTest("no filter can be installed here")
        self.assertEqual(result.returncode, 0, result.stderr.decode(errors="replace"))
        return truths_of(result), self.report(run)

    def check_race(self, prefix):
        truths, report = self.record_with(prefix, victim("racing_processes"), self.work, 200)
        self.assertEqual(len(truths), 201)
        self.check_truths(report, truths)
        opened = report.of("create", call="open", errno=0)
        self.check_met(opened, [False] * 201 + [True] * (4 * 4 + 3 * 200))
        self.assertEqual(report.of("create", created="unknown"), [])

    def check_habit(self, prefix, *directories):
        for run in range(6):
            (directories[run % len(directories)] / f"before{run}").touch()
        truths, report = self.record_with(prefix, victim("creating_habit"), *directories)
        opened = report.of("create", call="open", errno=0)
        expected = [bool(truth["met"]) for truth in truths if "met" in truth]
        self.check_met(opened, expected)
        return report

    def test_processes_that_race(self):
        self.check_race([])

    def test_processes_that_race_where_the_question_is_refused(self):
        self.check_race([victim("refuses"), "created"])

    def test_one_place_where_the_question_is_refused(self):
        self.check_habit([victim("refuses"), "created"], self.work)

    @needs("bindfs")
    def test_one_place_that_alternates_with_fuse(self):
        # What is said of the first call there must be true too, links from here included.
        self.check_habit([], self.work, self.bindfs())

    @needs("bindfs")
    def test_one_place_that_begins_on_fuse(self):
        self.check_habit([], self.bindfs(), self.work)

    @needs("bindfs")
    def test_processes_that_race_on_fuse(self):
        self.work = self.bindfs()
        self.check_race([])

    def bindfs(self):
        source, where = self.top / "source", self.top / "m"
        source.mkdir()
        where.mkdir()
        mounts.enter()
        mounts.run("bindfs", source, where)
        mounts.unmount_after(self, where)
        return where

    def questions(self, *directories):
        """What creating_habit was asked, a descriptor's name each, as strace shows them."""
        log = self.top / "strace"
        tracer = ["strace", "-f", "-y", "-qq", "-e", "trace=fcntl", "-o", log]
        if self.execute(*tracer, "true").returncode != 0:
            self.skipTest("nothing can be traced here")
        run = self.new_run()
        for number in range(6):
            (directories[number % len(directories)] / f"before{number}").touch()
        result = self.execute(*tracer, "env", f"LD_PRELOAD={harness.SHIM}",
                              f"UMASKAUDIT_OPTIONS=log=off:trace={run}",
                              victim("creating_habit"), *directories)
        self.assertEqual(result.returncode, 0, result.stderr)
        asked = re.compile(rf"fcntl\(\d+<([^>]*)>, (?:{CREATED_QUERY:#x}|F_CREATED_QUERY)\b")
        return asked.findall(log.read_text())

    @needs("strace")
    @needs_the_question
    def test_the_kernel_is_asked(self):
        base = mounts.directory_on(self, "tmpfs")
        self.addCleanup(harness.remove_tree, base)
        self.assertGreater(len(self.questions(base)), 10)

    @needs("strace", "bindfs")
    def test_fuse_is_not_asked(self):
        self.assertEqual(self.questions(self.bindfs()), [])

    @needs("strace", "bindfs")
    def test_fuse_is_asked_once_by_a_place_that_knows_another_filesystem(self):
        where = self.bindfs()
        asked = self.questions(self.work, where)
        self.assertLessEqual(len([name for name in asked if Path(name).is_relative_to(where)]), 1)

    def test_a_filter_that_kills_at_the_question(self):
        truths, report = self.record_with([], victim("seccomp_strict"), self.work)
        expected = [bool(truth["met"]) for truth in truths if "met" in truth]
        self.assertEqual(len(expected), 6)
        opened = [event for event in report.of("create", call="open", errno=0)
                  if os.path.basename(event["path"]) in ("before", "opened")]
        self.check_met(opened, [False, *expected])

    def test_a_failed_open_that_leaves_a_file(self):
        """O_DIRECT where there is no such thing, with O_EXCL, and from a place that knows tmpfs."""
        other = mounts.mount(self, self.top / "ramfs", "ramfs")
        self.work = mounts.directory_on(self, "tmpfs")
        self.addCleanup(harness.remove_tree, self.work)
        truths, report = self.record_with([], victim("opens_direct"), self.work, other)
        self.assertEqual(len(truths), 4)
        self.check_truths(report, truths)

    def test_a_mask_that_changes_between_two_attempts(self):
        result, run = self.record(victim("mask_between_attempts"), self.work, status=None)
        if result.returncode == 77:
            self.skipTest("no filters that ask another thread here")
        report = self.report(run)
        truth, = truths_of(result)
        self.assertEqual(truth["path"], str(self.work / "target"), "one call was two")
        self.check_truths(report, [truth])
        event, = report.creations()[truth["path"]]
        self.assertNotIn("ambiguous_masks", event)

    def test_a_mask_that_changes_amid_a_call(self):
        run = self.new_run()
        result = self.preload(victim("mask_amid_mkdir"), self.work, options=f"log=off:trace={run}")
        if result.returncode == 77:
            self.skipTest("no filters that ask another thread here")
        report = self.report(run)
        truth, = truths_of(result)
        self.assertEqual(truth["final"], "0750", "the mask did not change amid the call")
        self.check_truths(report, [truth])
        event, = report.creations()[truth["path"]]
        self.assertEqual(sorted(event["ambiguous_masks"]), ["0022", "0027"])
        self.assertEqual(report.of("umask", drift=True), [])


class Failed(Case):
    """A call that creates nothing has its path all the same, whatever refused it."""

    def setUp(self):
        super().setUp()
        self.top.chmod(0o755)
        self.work.chmod(0o777)  # for the user that the victim becomes

    def test_the_path_of_each(self):
        result, run = self.record(victim("failed_creations"), self.work, status=None)
        if result.returncode == 77:
            self.skipTest("no filter can be installed here")
        self.assertEqual(result.returncode, 0, result.stderr.decode(errors="replace"))
        truths = truths_of(result)
        self.assertGreater({truth["errno"] for truth in truths},
                           {errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENAMETOOLONG,
                            errno.EINVAL})
        told = [{field: event[field] for field in ("path", "call", "errno")}
                for event in self.report(run).of("create") if event["errno"] != 0]
        self.assertEqual(told, truths)

    def test_the_directory_that_refused(self):
        result, run = self.record(victim("failed_creations"), self.work, status=None)
        if result.returncode == 77:
            self.skipTest("no filter can be installed here")
        shut = self.work / "shut"
        self.assertEqual(stat.S_IMODE(os.lstat(shut).st_mode), 0o022)
        reason = (f"Permission denied: '{shut}' is 0022, made under umask 0755: "
                  "not even its owner may enter it")
        lines = self.tool("timeline", run, "--all").splitlines()
        refused = [line for line in lines if f" failed {shut}/" in line]
        self.assertEqual(len(refused), 10)
        self.assertEqual([line for line in refused if reason not in line], [])
        others = [line for line in lines if " failed " in line and "Permission" not in line]
        self.assertEqual([line for line in others if " is 0022" in line], [])
        for path, calls in ((shut / "dir", "the call failed"), (shut / "stream", "2 calls failed")):
            blame = self.tool("blame", run, path, status=1)
            self.assertEqual(blame.splitlines()[:2], [str(path), f"  was not created: {calls}"])
            self.assertEqual(blame.count(reason), 2 if calls.startswith("2") else 1)
        blame = self.tool("blame", run, self.work / "one-too-many", status=1)
        self.assertIn(f"open failed {self.work}/one-too-many: Too many open files", blame)

    def test_on_a_filesystem_to_be_read_only(self):
        where = mounts.mount(self, self.top / "ro", "tmpfs", options="ro")
        result, run = self.record("mkdir", where / "new", status=1)
        self.assertIn(b"Read-only", result.stderr)
        event, = self.report(run).of("create", errno=errno.EROFS)
        self.assertEqual(event["path"], str(where / "new"))


class Links(Case):
    def test_what_is_made_through_a_link_has_its_own_name(self):
        result, run = self.record(victim("dangling_links"), self.work)
        report = self.report(run)
        truths = truths_of(result)
        self.check_truths(report, truths)
        followed = [event for event in report.of("create", created=True) if "link" in event]
        self.assertEqual(len(followed), 10)
        for event in followed:
            self.assertTrue(os.path.islink(event["link"]), event)
            self.assertEqual(os.path.realpath(event["link"]), event["path"])
        for event in followed[:1]:
            for name in (event["path"], event["link"]):
                self.assertIn(event["path"], self.tool("explain", run, name))
                self.assertIn(event["path"], self.tool("blame", run, name))

    @needs("setfacl")
    def test_the_directory_of_the_target_decides(self):
        target = self.work / "with acl"
        target.mkdir()
        if self.execute("setfacl", "-d", "-m", "u::rwx,g::rwx,o::rwx", target).returncode != 0:
            self.skipTest("no ACLs here")
        (self.work / "link").symlink_to("with acl/file")
        _, run = self.record("sh", "-c", "umask 077; : > link", "sh")
        event, = self.report(run).of("create", created=True)
        self.assertEqual(event["path"], str(target / "file"))
        self.assertEqual(event["final"], "0666")
        self.assertIn("default-acl", [step["rule"] for step in event["steps"]])

    def test_without_proc_the_chain_of_links_is_followed(self):
        script = ("mount -t tmpfs none /proc || exit 77; umask 027; mkdir a b; ln -s ../b/f a/l; "
                  f"LD_PRELOAD={harness.SHIM} UMASKAUDIT_OPTIONS=trace={self.new_run()} "
                  "exec sh -c ': > a/l'")
        result = self.execute("unshare", "-m", "sh", "-c", script)
        if result.returncode == 77 or os.geteuid() != 0:
            self.skipTest("no mounts here")
        event, = self.report(self.top / "run1").of("create", created=True)
        self.assertEqual(os.path.normpath(event["path"]), str(self.work / "b/f"))


class Again(Case):
    def check(self, status, *arguments):
        result, run = self.record(victim("opens_again"), self.work, *arguments, status=status)
        expected = truths_of(result)[-1]
        report = self.report(run)
        null = [event for event in report.of("create", path="/dev/null", errno=0)]
        self.assertEqual([event.get("count", 1) for event in null], [expected["null"], 1])
        self.assertEqual([event["created"] for event in null], [False, False])
        file = report.of("create", path=str(self.work / "file"))
        self.assertEqual([(event["created"], event.get("count", 1)) for event in file],
                         [(True, 1), (False, expected["file"])])
        return run

    def test_one_record_for_a_place_and_an_object(self):
        run = self.check(0, 100000)
        size = sum(file.stat().st_size for file in run.glob("*.seg"))
        self.assertLess(size, 100000)
        self.assertIn("100024 calls opened existing files", self.tool("report", run))
        self.assertIn("opened /dev/null (100020 times)", self.tool("timeline", run, "--all"))

    def test_the_count_survives_a_kill(self):
        self.check(128 + 9, 1000, "kill")


class Directories(Case):
    def test_acls_that_are_set_and_removed_later(self):
        """Also one that leaves the bits that the mask leaves, and one of 300 entries."""
        result, run = self.record(victim("default_acls"), self.work, status=None)
        if result.returncode == 77:
            self.skipTest("no ACLs here")
        report = self.report(run)
        truths = truths_of(result)
        self.assertEqual(len(truths), 13)
        self.check_truths(report, truths)
        rules = {os.path.basename(path): [step["rule"] for step in events[0]["steps"]]
                 for path, events in report.creations().items()}
        self.assertNotIn("default-acl", rules["before"])
        self.assertIn("default-acl", rules["same"])
        self.assertIn("default-acl", rules["large"])
        for way in ("path", "link", "descriptor", "raw", "at"):
            self.assertIn("default-acl", rules[f"under-{way}"])
            self.assertNotIn("default-acl", rules[f"after-{way}"])
        removals = [event["call"] for event in report.of("change", action="default-acl")
                    if "remove" in event["call"]]
        self.assertEqual(removals, ["removexattr", "lremovexattr", "fremovexattr", "removexattr",
                                    "removexattr"])


if __name__ == "__main__":
    harness.main()
