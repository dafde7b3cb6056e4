"""Files that appear behind a blind spot are found, and files of others are not taken for them."""

import json
import os
import threading
import time
import unittest

from lib import harness, schemas
from lib.harness import Case, needs, victim


CLOCK_REALTIME_COARSE = 5  # clock_gettime(2); what births are stamped with


def next_tick():
    """Returns when what is born from now on has a later birth than all that was born before."""
    begun = time.clock_gettime_ns(CLOCK_REALTIME_COARSE)
    for _ in range(2):  # The shim's own clock is the fine one: a whole tick has to lie between.
        while time.clock_gettime_ns(CLOCK_REALTIME_COARSE) == begun:
            pass
        begun = time.clock_gettime_ns(CLOCK_REALTIME_COARSE)


def key(lines):
    """The one of its names that a secret is told by."""
    path, = {line["path"] for line in lines if line["rule"] == "secret-readable"}
    return os.path.basename(path)


class Appeared(Case):
    def found(self, run, *options):
        """path -> mode of what the report says appeared, in both formats."""
        lines = self.tool("report", run, "--format", "jsonl", *options)
        events = harness.Report(lines.splitlines()).of("blind_spot", reason="appeared")
        text = self.tool("report", run, *options)
        for event in events:
            shown = event["text"].removeprefix(f"{self.work}/")  # where the run began
            self.assertIn(f"  {shown}\n", text.partition("created by unknown means")[2])
        if not events:
            self.assertNotIn("created by unknown means", text)
        return {event["text"]: event["final"] for event in events}

    def on_disk(self, *names):
        return {str(self.work / name): harness.octal((self.work / name).stat().st_mode & 0o7777)
                for name in names}

    def test_what_a_static_child_made(self):
        (self.work / "before").mkdir()
        next_tick()
        script = f"umask 027; mkdir seen; {victim('static_hello')} .; : > seen/file"
        _, run = self.record("sh", "-c", script)
        next_tick()
        (self.work / "after").mkdir()
        self.assertEqual(self.found(run), self.on_disk("made-static"))
        self.assertEqual(self.found(run, "--no-appeared"), {})
        self.assertEqual(self.found(run, "--kind", "file"), {})

    def test_what_a_static_program_made_where_it_was_started(self):
        _, run = self.record(victim("static_hello"), ".")
        self.assertEqual(self.found(run), self.on_disk("made-static"))

    def test_what_was_made_long_before_anything_was_recorded(self):
        _, run = self.record(victim("static_hello"), ".", "/bin/true")
        self.assertEqual(self.found(run), self.on_disk("made-static"))

    def test_what_a_library_in_its_own_name_space_made(self):
        library = victim("libloaded_code_library.so")
        _, run = self.record(victim("loaded_code"), self.work, "dlmopen", library)
        self.assertEqual(self.found(run),
                         self.on_disk("by-constructor", "by-function", "by-destructor"))

    def test_what_was_renamed_without_having_been_seen(self):
        static = victim("static_hello")
        script = f"mkdir seen; {static} seen; mv seen/made-static seen/x; : > seen/f"
        _, run = self.record("sh", "-c", script)
        self.assertEqual(self.found(run), self.on_disk("seen/x"))

    def test_what_was_made_deep_below_and_under_another_name_of_its_directory(self):
        static = victim("static_hello")
        (self.work / "old" / "deep").mkdir(parents=True)
        (self.work / "www").mkdir()
        next_tick()
        script = (f"mkdir -p new/deep; : > www/../seen; {static} www/../old/deep;"
                  f"{static} new/deep; {static} www/..")
        _, run = self.record("sh", "-c", script)
        self.assertEqual(self.found(run), self.on_disk("old/deep/made-static", "made-static",
                                                       "new/deep/made-static"))

    def test_what_was_made_in_a_directory_of_the_run_that_lies_where_all_may_write(self):
        self.work.chmod(0o1777)
        script = f"mkdir seen; {victim('static_hello')} seen; {victim('static_hello')} ."
        _, run = self.record("sh", "-c", script)
        self.assertEqual(self.found(run), self.on_disk("seen/made-static"))

    @unittest.skipIf(os.geteuid() != 0, "needs root")
    @needs("setpriv")
    def test_what_a_program_made_that_became_another_user(self):
        (self.work / "handed").mkdir()
        os.chown(self.work / "handed", 65534, 65534)
        next_tick()
        script = ("mkdir fresh; chown 65534 fresh; cd handed; setpriv --reuid=65534 --regid=65534 "
                  f"--clear-groups {victim('static_hello')} .; cd ../fresh; setpriv --reuid=65534 "
                  f"--regid=65534 --clear-groups {victim('static_hello')} .")
        _, run = self.record("sh", "-c", script)
        self.assertEqual(self.found(run), self.on_disk("handed/made-static", "fresh/made-static"))

    def test_it_is_judged_as_the_run_left_it(self):
        script = (f"{victim('static_exposer')} .; chmod 600 narrow; ln s.key other; "
                  "mv wide renamed")
        _, run = self.record("sh", "-c", script)
        hits = self.top / "hits.jsonl"
        text = self.tool("check", run, "--objects", hits, status=1)
        lines = [json.loads(line) for line in hits.read_text().splitlines()]
        # An object that a chmod of the run changed is known from that call.
        self.assertEqual(
            {(line["rule"], line["severity"], os.path.relpath(line["path"], self.work))
             for line in lines if line["seq"] == 0},
            {("world-writable", "warning", "renamed"), ("world-writable", "warning", "dir"),
             ("world-writable", "note", "private/wide"), ("secret-readable", "error", key(lines))})
        self.assertIn("no record says what made it", text)
        self.assertNotIn("thread ''", text)
        self.assertIn("secret-readable", self.tool("report", run))
        self.assertNotIn("secret-readable", self.tool("report", run, "--no-appeared"))
        policy = self.work / "policy.toml"
        policy.write_text('[[path]]\nglob = "*/private/*"\nwidest = "0600"\n')
        found = self.tool("check", run, "--policy", policy, "--rule", "policy-mode", status=1)
        self.assertIn("no record says what made it (policy line 1)", found)
        for form in ("sarif", "junit", "gcc", "github", "jsonl"):
            self.assertIn("world-writable", self.tool("check", run, "--format", form, status=1))

    def test_explain_says_what_blame_says(self):
        script = f"{victim('static_exposer')} .; ln s.key other; mv wide renamed"
        _, run = self.record("sh", "-c", script)
        (self.work / "link").symlink_to("dir")
        for name in ("renamed", "s.key", "other", "dir", "link", "private/wide"):
            path = self.work / name
            mode = harness.octal(path.stat().st_mode & 0o7777)
            for command in ("explain", "blame"):
                text = self.tool(command, run, path)
                self.assertIn("It appeared while the run was recorded", text)
                self.assertIn(f" {mode} ", text)
                self.assertNotIn("No such file", text)
            document = json.loads(self.tool("explain", run, path, "--format", "json"))
            self.assertEqual(document["appeared"]["mode"], mode)
            self.assertEqual(schemas.validate(document, schemas.OURS / "explain.schema.json"), [])
        known = {(line["path"], line["ino"]) for line in self.report(run).of("object")}
        for name in ("s.key", "other"):
            path = self.work / name
            self.assertIn((str(path), path.stat().st_ino), known)

    def record_beside(self, script):
        """Records a shell that waits, after it has begun, until somebody else made `other`."""
        os.mkfifo(self.work / "begun")
        os.mkfifo(self.work / "go-on")

        def other():
            with open(self.work / "begun", "rb"):
                (self.work / "other").mkdir()
            with open(self.work / "go-on", "wb"):
                pass

        thread = threading.Thread(target=other)
        thread.start()
        _, run = self.record("sh", "-c", f"mkdir seen; : > begun; cat go-on; {script}")
        thread.join()
        self.assertTrue((self.work / "other").is_dir())
        return run

    def test_nothing_is_looked_for_when_all_was_seen(self):
        self.assertEqual(self.found(self.record_beside("true")), {})

    def test_directories_that_all_may_write_to_are_left_out(self):
        self.work.chmod(0o1777)
        _, run = self.record("sh", "-c", f"mkdir seen; {victim('static_hello')} .; : > seen/file")
        self.assertEqual(self.found(run), {})

    def test_drift_is_reason_enough(self):
        """The mask was changed past libc: creations may have been made past it too."""
        _, run = self.record(victim("raw_syscall"), self.work)
        self.assertEqual(self.found(run), {})
        self.assertTrue(self.report(run).of("umask", drift=True))


if __name__ == "__main__":
    harness.main()
