"""The findings name exactly the objects that fstat says were hit, in victims that race freely."""
import json
import os
import stat
import subprocess
from pathlib import Path

from lib import harness
from lib.harness import Case, needs, truths_of, victim
from lib.schemas import validate

STANDARD = Path(__file__).resolve().parent / "standards" / "sarif-2.1.0.json"

# The rules that say "this object came out with another mode than its maker could expect".
HIT_RULES = {"window-overlap", "strict-overlap", "lost-mask", "leaked-mask", "umask-zero"}
SERVICE = """
import json, os, socket, threading
stop = threading.Event()
threading.Thread(target=stop.wait).start()
old = os.umask(0o027)

def work(number):
    for count in range(20):
        open(f"{number}-{count}", "w").close()

workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
os.umask(old)
os.umask(os.umask(old))
listener = socket.socket(socket.AF_UNIX)
os.umask(0o111)
listener.bind("socket")
os.umask(old)
stop.set()
print(json.dumps({"file": format(os.stat("0-0").st_mode & 0o7777, "04o"),
                  "socket": format(os.stat("socket").st_mode & 0o7777, "04o")}))
"""
# Probes from several functions, cold and warm, in threads: the frames of the run time and of the
# code that it generates are others each time.
NODE = """
const fs = require("fs"), path = require("path");
const {Worker, isMainThread} = require("worker_threads");
function hot(n) { let s = 0; for (let i = 0; i < n; i++) s = (s * 31 + i) % 1000003; return s; }
class Probe { ask() { return process.umask() + hot(20); } }
const probes = [() => process.umask(), function named() { return process.umask(); },
                () => new Probe().ask()];
// While files are made one function probes, so that every victim is hit by that one.
function alone(left, busy) {
  for (let i = 0; i < 100; i++) probes[1]();
  if (left + busy.count === 0) return together();
  for (; busy.count < 8 && left > 0; left--) {
    busy.count++;
    fs.promises.writeFile(`f${left}`, "x").then(() => { busy.count--; });
  }
  setImmediate(alone, left, busy);
}
function together() {
  new Worker(__filename); new Worker(__filename);
  for (let i = 0; i < 6000; i++) { probes[i % 3](); if (i % 500 == 0) hot(20000); }
}
if (isMainThread) {
  setImmediate(alone, 200, {count: 0});
} else {
  for (let i = 0; i < 4000; i++) probes[i % 3]();
}
"""
PYTHON = """
import os, tempfile, threading
def hot(n):
    s = 0
    for i in range(n):
        s = (s * 31 + i) % 1000003
    return s
def ask():
    os.umask(os.umask(0))
class Probe:
    def plain(self):
        ask()
    @property
    def hidden(self):
        hot(5)
        ask()
def prober():
    probe = Probe()
    for i in range(1500):
        ask() if i % 3 == 0 else probe.plain() if i % 3 == 1 else probe.hidden
def maker(number):
    for i in range(200):
        open(f"{number}-{i}", "w").close()
        fd, path = tempfile.mkstemp(dir=".")
        os.close(fd)
        os.rename(path, f"t{number}-{i}")
threads = [threading.Thread(target=prober)]
threads += [threading.Thread(target=maker, args=(number,)) for number in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
# Each race takes its own course: more rounds see more of them. 20 before a release.
ROUNDS = int(os.environ.get("TEST_ROUNDS", "3"))
COUNT = "1000"
# One window of one call; two functions create in it, or `early` alone where there is an argument.
ONE_CAUSE = """
import os, sys, threading
opened, made = threading.Event(), threading.Event()
def setter():
    old = os.umask(0)
    opened.set()
    made.wait()
    os.umask(old)
def early():
    os.close(os.open("early", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
def late():
    os.close(os.open("late", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
def maker():
    opened.wait()
    early()
    if len(sys.argv) == 1:
        late()
    made.set()
os.umask(0o022)
threads = [threading.Thread(target=setter), threading.Thread(target=maker)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


class Findings(Case):
    def check_objects(self, run, rules=HIT_RULES):
        """Exit code, findings and {path: (mode, expected)} of the objects that `check` says these
        rules hit."""
        objects = self.top / "objects.jsonl"
        command = [harness.TOOL, "check", run, "--format", "jsonl", "--objects", objects]
        result = subprocess.run(command, capture_output=True, timeout=harness.TIMEOUT, check=False)
        self.assertIn(result.returncode, (0, 1), result.stderr)
        findings = [json.loads(line) for line in result.stdout.splitlines()]
        lines = [json.loads(line) for line in objects.read_text().splitlines()]
        objects.unlink()
        hits = {os.path.normpath(line["path"]): (line["mode"], line["expected"])
                for line in lines if line["rule"] in rules}
        return result.returncode, findings, hits

    def race(self, name, *rules):
        self.race_of([victim(name)], name, *rules)

    def race_of(self, command, name, *rules):
        """`rules`: one of them must be what says it; which one, the race may decide."""
        total = 0
        for _ in range(ROUNDS):
            harness.remove_tree(self.work)
            self.work.mkdir()
            result, run = self.record(*command, self.work, COUNT)
            truth = json.loads(result.stdout.splitlines()[0])
            expected = {os.path.normpath(os.path.join(self.work, hit["path"])):
                        (hit["mode"], hit["expected"]) for hit in truth["hits"]}
            code, findings, hits = self.check_objects(run)
            self.assertEqual(hits, expected)
            total += len(expected)
            if expected:
                self.assertEqual(code, 1)
                self.assertTrue({finding["rule"] for finding in findings} & set(rules), findings)
        print(f"# {name}: {total} objects hit in {ROUNDS} rounds, all named, none invented")

    def test_filelock(self):
        self.race("bug_filelock", "window-overlap")

    def test_salt(self):
        self.race("bug_salt", "strict-overlap")

    def test_bind_socket(self):
        self.race("bug_bind_socket", "strict-overlap")

    def test_mkstemp(self):
        self.race("bug_mkstemp", "strict-overlap")

    def test_libarchive(self):
        # Where the two never interleave, each hits by its window alone.
        self.race("bug_libarchive", "lost-mask", "window-overlap")

    def test_panic(self):
        self.race("bug_panic", "leaked-mask")

    def test_sysrepo(self):
        # A restore in the other one's window: where it comes last, the mask is lost.
        self.race("bug_sysrepo", "window-overlap", "lost-mask")

    def test_datasets(self):
        self.race("bug_datasets", "strict-overlap")

    def test_sabnzbd(self):
        program = Path(__file__).resolve().parent.parent / "programs" / "bugs" / "bug_sabnzbd.py"
        self.race_of(["/usr/bin/python3", program], "bug_sabnzbd", "window-overlap")

    def test_daemon(self):
        self.race("bug_daemon", "umask-zero")

    def test_certbot(self):
        self.race("bug_certbot", "umask-zero")

    def test_a_tool_that_clears_the_mask_again(self):
        """`mkdir -p` calls umask(0) too: who cleared the mask before it answers for all."""
        _, run = self.record("/bin/sh", "-c", "umask 0; mkdir -p a/b; mkdir c; mkdir -p d",
                             cwd=self.work)
        modes = {str(path): harness.octal(os.lstat(path).st_mode & 0o7777)
                 for path in (self.work / name for name in ("a", "a/b", "c", "d"))}
        self.assertEqual(set(modes.values()), {"0777"})
        _, findings, hits = self.check_objects(run, {"umask-zero"})
        finding, = (finding for finding in findings if finding["rule"] == "umask-zero")
        self.assertEqual(finding["count"], 4)
        self.assertEqual({path: mode for path, (mode, _) in hits.items()}, modes)

    def test_spawn(self):
        """Processes, not objects, get the wrong mask: /proc says which."""
        for _ in range(ROUNDS):
            result, run = self.record(victim("bug_spawn"), self.work, 40)
            wrong = json.loads(result.stdout)["wrong"]
            _, findings, hits = self.check_objects(run)
            counts = {finding["rule"]: finding["count"] for finding in findings}
            self.assertEqual((counts.get("exec-in-window", 0), hits), (wrong, {}))
            summary = json.loads(self.tool("report", run, "--format", "json"))
            self.assertEqual(summary["blind_spots"], [])

    def test_chmod_later(self):
        result, run = self.record(victim("bug_chmod_later"), self.work)
        truths = truths_of(result)
        self.assertEqual([(truth["mode"], truth.get("later")) for truth in truths],
                         [("0644", "0600"), ("0644", None)])
        code, findings, hits = self.check_objects(run, {"create-then-chmod"})
        self.assertEqual(hits, {truths[0]["path"]: ("0644", "0600")})
        self.assertEqual({finding["rule"]: finding["severity"] for finding in findings},
                         {"secret-readable": "error", "predictable-temp": "warning",
                          "chmod-style-argument": "warning", "create-then-chmod": "note"})
        self.assertEqual(code, 1)

    def test_a_service_that_is_right_is_passed(self):
        """Workers under a mask of their own, a mask set to what it was, a socket for everybody."""
        result, run = self.record("/usr/bin/python3", "-c", SERVICE)
        modes = json.loads(result.stdout)
        self.assertEqual(modes, {"file": "0640", "socket": "0666"})
        code, findings, hits = self.check_objects(run)
        self.assertEqual((code, hits), (0, {}), findings)
        self.assertEqual({(finding["rule"], finding["severity"]) for finding in findings},
                         {("world-writable", "note")})

    def test_a_probe_before_threads_hits_nobody(self):
        result, run = self.record(victim("bug_getter"), self.work, COUNT)
        self.assertEqual(json.loads(result.stdout.splitlines()[0])["hits"], [])
        code, findings, hits = self.check_objects(run)
        self.assertEqual((code, hits), (0, {}))
        self.assertEqual({finding["severity"] for finding in findings} - {"note"}, set())

    def check_baseline(self, functions, *command):
        """An unchanged program, in which so many functions probe, has nothing new, whatever its run
        time did meanwhile. A race may hit somebody in one run only: rules that the first run did
        not have are let go."""
        baseline, rules = self.top / "baseline.json", None
        for _ in range(3):
            harness.remove_tree(self.work)
            self.work.mkdir()
            (self.work / "t.js").write_text(NODE, encoding="utf-8")
            _, run = self.record(*command)
            if rules is None:
                self.tool("check", run, "--write-baseline", baseline)
            result = self.execute(harness.TOOL, "check", run, "--format", "jsonl", "--baseline",
                                  baseline)
            found = [json.loads(line) for line in result.stdout.splitlines()]
            prints = {(finding["rule"], finding["fingerprint"]) for finding in found}
            self.assertEqual(len(found), len(prints), "one cause is one finding")
            probes = [rule for rule, _ in prints if rule == "getter-idiom"]
            self.assertTrue(1 <= len(probes) <= functions, found)
            rules = rules or {rule for rule, _ in prints}
            for finding in found:
                if finding["rule"] in rules:
                    self.assertEqual(finding["baseline"], "unchanged", finding)

    @needs("node")
    def test_node_has_nothing_new(self):
        self.check_baseline(3, "node", "t.js")

    def test_python_has_nothing_new(self):
        self.check_baseline(1, "/usr/bin/python3", "-c", PYTHON)


class OneCause(Case):
    """A call that hits two functions is one thing to mend, in every format for reviewers."""

    def setUp(self):
        super().setUp()
        self.script = self.work / "app.py"
        self.script.write_text(ONE_CAUSE)

    def run_it(self, *arguments):
        _, run = self.record("python3", self.script, *arguments)
        for name in ("early", "late"):
            made = self.work / name
            if made.exists():
                self.assertEqual(stat.S_IMODE(made.stat().st_mode), 0o666)
                made.unlink()
        return run

    def results(self, run, *options):
        result = self.execute(harness.TOOL, "check", run, "--rule", "window-overlap", "--format",
                              "sarif", *options)
        log = json.loads(result.stdout)
        self.assertEqual(validate(log, STANDARD), [])
        return log["runs"][0]["results"]

    def test_sarif(self):
        run = self.run_it()
        result, = self.results(run)
        line = ONE_CAUSE.splitlines().index("    old = os.umask(0)") + 1
        place = result["locations"][0]["physicalLocation"]
        self.assertEqual((place["artifactLocation"]["uri"], place["region"]["startLine"]),
                         ("app.py", line))
        functions = [place["logicalLocations"][0]["fullyQualifiedName"]
                     for place in result["relatedLocations"] if "logicalLocations" in place]
        self.assertEqual(sorted(functions), ["early", "late"])
        ids = [place["id"] for place in result["relatedLocations"]]
        self.assertEqual(ids, list(range(1, len(ids) + 1)))
        self.assertEqual(len(result["codeFlows"]), 2)
        self.assertEqual(result["occurrenceCount"], 2)
        # A baseline knows each of them.
        known = self.top / "known.json"
        self.tool("check", run, "--write-baseline", known)
        prints = {one["fingerprint"] for one in json.loads(known.read_text())["findings"]
                  if one["rule"] == "window-overlap"}
        self.assertEqual({one["fingerprint"] for one in result["properties"]["findings"]}, prints)

    def test_baseline_of_one_of_two(self):
        run = self.run_it("early")
        alone, = self.results(run)
        known = self.top / "known.json"
        self.tool("check", run, "--write-baseline", known)
        run = self.run_it()
        result, = self.results(run, "--baseline", known)
        self.assertEqual(result["baselineState"], "updated")
        self.assertEqual(sorted(one["baselineState"] for one in result["properties"]["findings"]),
                         ["new", "unchanged"])
        cause = "umaskaudit/cause/v1"
        self.assertEqual(result["partialFingerprints"][cause], alone["partialFingerprints"][cause])

    def test_text_and_markdown(self):
        run = self.run_it()
        both = [run, "--rule", "window-overlap"]
        shown = self.execute(harness.TOOL, "check", *both).stdout.decode()
        self.assertEqual(shown.count("ERROR: window-overlap"), 1, shown)
        self.assertRegex(shown, r"Victim: open[^\n]* of '(early|late)'")
        self.assertRegex(shown, r"Also hit (early|late) app\.py:\d+, by thread [^\n]*\(\d+\)\n")
        for name in ("early", "late"):
            self.assertRegex(shown, rf"0666 instead of 0\d+  file {name}\b")
        self.assertIn(" and 1 more function, 2 objects\n", shown)
        self.assertRegex(shown, r"\n1 error, 0 warnings, 0 notes; ")
        shown = self.execute(harness.TOOL, "report", *both).stdout.decode()
        self.assertEqual(shown.count("error: window-overlap: "), 1, shown)
        self.assertTrue(shown.startswith("1 error "), shown)
        self.assertRegex(shown, r"hit (early|late) app\.py:\d+, (early|late) app\.py:\d+")
        shown = self.execute(harness.TOOL, "report", *both, "--format", "markdown").stdout.decode()
        row, = [line for line in shown.splitlines() if "| window-overlap |" in line]
        self.assertRegex(row, r" at `setter app\.py:\d+`, "
                              r"hit `(early|late) app\.py:\d+`, `(early|late) app\.py:\d+` \|$")
        # A baseline that knows one of them: the other one is left.
        known = self.top / "known.json"
        self.tool("check", self.run_it("early"), "--write-baseline", known)
        shown = self.execute(harness.TOOL, "check", *both, "--baseline", known).stdout.decode()
        self.assertRegex(shown, "Victim: open[^\n]* of 'late'")
        self.assertNotIn("Also hit", shown)

    def test_lines_for_editors_and_pipelines(self):
        run = self.run_it()
        options = [run, "--rule", "window-overlap", "--format"]
        lines = self.execute(harness.TOOL, "check", *options, "gcc").stdout.decode().splitlines()
        self.assertEqual([line.split(": ")[1] for line in lines], ["error", "note", "note"])
        command, = self.execute(harness.TOOL, "check", *options, "github").stdout.splitlines()
        self.assertEqual(command.count(b"%0Ahit: "), 2)


if __name__ == "__main__":
    harness.main()
