"""What commands print for programs: --format json against its schemas, and the lines of
--format gcc and --format github, as their readers take them apart."""

import json
import os
import re
import stat
from urllib.parse import unquote

from lib import harness
from lib.harness import Case
from lib.schemas import OURS, validate

SCRIPT = """import os, threading
opened, made = threading.Event(), threading.Event()
def setter():
    old = os.umask(0)  # the cause
    opened.set()
    made.wait()
    os.umask(old)
def maker():
    opened.wait()
    os.close(os.open("{name}", os.O_CREAT | os.O_WRONLY, 0o666))  # the hit
    made.set()
os.umask(0o022)
threads = [threading.Thread(target=setter), threading.Thread(target=maker)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
os.close(os.open("plain", os.O_CREAT | os.O_WRONLY, 0o666))
os.chmod("plain", 0o600)
"""
# file:line:column: severity: message, as GCC_REGEX of problem matchers has it.
GCC = re.compile(r"^(?P<file>[^:]+):(?P<line>\d+):(?P<column>\d+): "
                 r"(?P<severity>error|warning|note): (?P<text>.*)$")


class Twins(Case):
    def document(self, schema, command, *arguments, status=0):
        result = self.execute(harness.TOOL, command, "--format", "json", *arguments)
        self.assertEqual(result.returncode, status, result.stderr.decode(errors="replace"))
        document = json.loads(result.stdout)
        self.assertEqual(validate(document, OURS / f"{schema}.schema.json"), [])
        return document

    def race(self, name="hit", script="race.py"):
        path = self.work / script
        path.write_text(SCRIPT.replace("{name}", name), encoding="utf-8")
        _, run = self.record("/usr/bin/python3", script)
        self.assertEqual(stat.S_IMODE(os.stat(self.work / name).st_mode), 0o666)
        return run

    def line_of(self, comment):
        return [line for line in SCRIPT.splitlines() if comment in line], \
            1 + [comment in line for line in SCRIPT.splitlines()].index(True)

    def test_a_rule_that_is_mistyped(self):
        for word, code in (("windw-overlap", 2), ("window_overlap", 2), ("u=rwz", 2)):
            result = self.execute(harness.TOOL, "explain", word)
            self.assertEqual(result.returncode, code)
            near = b"try umaskaudit explain window-overlap\n" in result.stderr
            self.assertEqual(near, "overlap" in word, result.stderr)

    def test_a_rule_is_explained_as_the_list_of_rules_has_it(self):
        every = self.execute(harness.TOOL, "rules", "--format", "json").stdout.splitlines()
        for line in every:
            one = self.execute(harness.TOOL, "explain", "--format", "json",
                               json.loads(line)["rule"])
            self.assertEqual(one.stdout.splitlines(), [line])

    # A mask was in force as long as its process could use it: to the last event of the process, not
    # to the end of the run. The parent's file is made when the child has been waited for.
    def test_of_a_process_that_ended_before_the_run(self):
        child = "import os; os.umask(0); open('child', 'w').close()"
        _, run = self.record("/bin/sh", "-c",
                             f'/usr/bin/python3 -c "{child}"; umask 027; : >parent; : >last')
        threads = self.document("threads", "threads", run)
        by_mask = {one["transitions"][-1]["new"]: one for one in threads["mask_changes"]}
        child, parent = by_mask["0000"], by_mask["0027"]
        self.assertIs(child.get("end_seen"), False)
        self.assertNotIn("end_seen", parent)  # CMD's own: the run ends with it
        self.assertLess(child["last_ns"] + child["in_force_ns"], parent["first_ns"])
        self.assertGreater(child["in_force_ns"], 0)  # a file was made under it
        text = self.execute(harness.TOOL, "threads", run).stdout.decode()
        self.assertRegex(text, r"0022 -> 0000 .*\d [mnu]?s\+ ")
        self.assertIn("at least, up to the process's last event", text)

    def test_of_a_run(self):
        run = self.race()
        threads = self.document("threads", "threads", run)
        self.assertEqual(sum(one["count"] for one in threads["mask_changes"]), threads["changes"])
        self.assertEqual(threads["left_out"], 0)
        first = self.document("threads", "threads", run, "--limit", "1")
        self.assertEqual(len(first["mask_changes"]), 1)
        self.assertEqual(first["left_out"], len(threads["mask_changes"]) - 1)
        timeline = self.document("timeline", "timeline", run)
        changes = [event for event in timeline["events"] if event["type"] == "umask"]
        self.assertEqual(sum(event.get("count", 1) for event in changes), threads["changes"])
        self.assertEqual(len(timeline["events"]), timeline["shown"])
        self.assertIn(str(self.work / "hit"),
                      [event.get("path") for event in timeline["events"]])
        short = self.document("timeline", "timeline", run, "--limit", "2")
        self.assertEqual(short["shown"], 2)
        self.assertGreater(short["left_out"], 0)

    def test_of_objects(self):
        run = self.race()
        blame = self.document("blame", "blame", run, self.work / "plain")
        thing, = blame["objects"]
        status = os.lstat(self.work / "plain")
        self.assertEqual(int(thing["mode"], 8), stat.S_IMODE(status.st_mode))
        self.assertEqual(int(thing["on_disk"]["mode"], 8), stat.S_IMODE(status.st_mode))
        self.assertEqual(thing["on_disk"]["ino"], status.st_ino)
        self.assertTrue(thing["on_disk"]["same"])
        self.assertEqual([change["type"] for change in thing["changes"]], ["change"])
        self.assertEqual(int(thing["creation"]["final"], 8), 0o644)
        os.unlink(self.work / "plain")
        gone, = self.document("blame", "blame", run, self.work / "plain")["objects"]
        self.assertNotEqual(gone["on_disk"]["errno"], 0)
        explained = self.document("explain", "explain", run, self.work / "hit")
        self.assertEqual([explained["requested"], explained["mask"], explained["final"]],
                         ["0666", "0000", "0666"])
        self.assertEqual(explained["path"], str(self.work / "hit"))
        self.assertIsNotNone(explained["mask_setter"])

    def test_of_a_call_that_failed(self):
        _, run = self.record("/usr/bin/python3", "-c", """
import os
os.mkdir("d")
try: os.mkdir("d/no/such")
except OSError: pass
""")
        blame = self.document("blame", "blame", run, self.work / "d/no/such", status=1)
        self.assertEqual(blame["objects"], [])
        self.assertEqual(blame["failed"], 1)
        self.assertEqual(blame["failures"][0]["path"], str(self.work / "d/no/such"))

    def test_of_no_run(self):
        explained = self.document("explain", "explain", "0666", "0027")
        self.assertEqual(explained["final"], f"{0o666 & ~0o027:04o}")
        self.assertEqual([step["rule"] for step in explained["steps"]], ["requested", "umask"])
        masks = {one["pid"]: one for one in self.document("umask", "umask", "--all")["processes"]}
        with open("/proc/self/status", encoding="utf-8") as status:
            own, = [line.split()[1] for line in status if line.startswith("Umask:")]
        self.assertEqual(int(masks[os.getpid()]["mask"], 8), int(own, 8))
        self.assertEqual(self.execute(harness.TOOL, "umask", "--format", "json").returncode, 2)
        self.assertTrue(self.document("doctor", "doctor", "--", "/bin/true")["good"])
        bad = self.document("doctor", "doctor", "--", "/nonexistent/app", status=1)
        self.assertIn("bad", [check["verdict"] for check in bad["checks"]])

    def check(self, run, form, **environment):
        result = self.execute(harness.TOOL, "check", run, "--format", form,
                              env=environment)
        self.assertEqual(result.returncode, 1, result.stderr.decode(errors="replace"))
        return result.stdout.decode().splitlines()

    def test_gcc(self):
        run = self.race()
        lines = [GCC.match(line) for line in self.check(run, "gcc")]
        self.assertTrue(all(lines))
        at = [index for index, line in enumerate(lines)
              if line["text"].startswith("window-overlap: ")]
        self.assertEqual(len(at), 1)
        cause, hit = lines[at[0]], lines[at[0] + 1]
        self.assertEqual([cause["severity"], hit["severity"]], ["error", "note"])
        self.assertTrue(cause["text"].endswith(" [umaskaudit-window-overlap]"))
        for line, comment in ((cause, "# the cause"), (hit, "# the hit")):
            self.assertEqual(os.path.basename(line["file"]), "race.py")
            self.assertEqual(int(line["line"]), self.line_of(comment)[1])

    def test_github(self):
        run = self.race(name="50%,a:b", script="ra%ce,a.py")
        found = {}
        for line in self.check(run, "github", GITHUB_WORKSPACE=str(self.work)):
            command, _, message = line[2:].partition("::")
            self.assertTrue(line.startswith("::"))
            level, _, properties = command.partition(" ")
            pairs = dict(part.split("=", 1) for part in properties.split(","))
            found[pairs["title"].split()[-1]] = (level, pairs, unquote(message))
        level, pairs, message = found["window-overlap"]
        self.assertEqual(level, "error")
        self.assertEqual(unquote(pairs["file"]), "ra%ce,a.py")
        self.assertEqual(int(pairs["line"]), self.line_of("# the cause")[1])
        self.assertIn("50%,a:b", message)
        self.assertGreater(len(message.splitlines()), 2)


if __name__ == "__main__":
    harness.main()
