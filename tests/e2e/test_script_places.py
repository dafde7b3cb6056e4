"""The places that reports print of programs that an interpreter runs: the script's own line, in
each format; the interpreter's frames where they are asked for; fingerprints that outlive edits.

The truth is the text of the programs: a line is where its words are.
"""

import json
import shutil

from lib import harness
from lib.harness import Case, needs, victim

APP = """\
import os
import threading


def set_mask(mask):
    return os.umask(mask)  # changes


def make(number):
    os.close(os.open(f"out{number}", os.O_CREAT | os.O_WRONLY, 0o666))  # makes


def racer():
    for _ in range(20):
        set_mask(set_mask(0))


other = threading.Thread(target=racer)
other.start()
for number in range(3):
    make(number)
other.join()
set_mask(0)
make("open")
"""

SCRIPT = """\
f() {
    mkdir made
}

umask 0
f
"""

GETTER = """\
const {Worker} = require('worker_threads');
new Worker('0', {eval: true}).on('exit', () => {
  process.umask();
});
"""

# In each language a function that asks for the mask, and how its runtime does that.
ASKS = (
    ("php", "<?php\nfunction ask() { return umask(); }\nask();\n", ["php"], "PHP 8.2", "0077"),
    ("dash", "ask() { umask; }\nask\n", ["dash"], "dash", "0000"),
    ("zsh", "ask() {\n  umask\n}\nask\n", ["zsh", "-f"], "zsh", "0777"),
)

# Hot enough for each compiler of its runtime; each turn makes something or changes the mask.
BUSY_NODE = """\
const fs = require('fs');
const { Worker, isMainThread } = require('worker_threads');
function mix(n) { let x = n; for (let i = 0; i < 20000; i++) x = (x * 31 + i) | 0; return x; }
function made(i) { fs.mkdirSync(`d${i}`, 0o777); return mix(i); }
function masked(i) { process.umask(process.umask(0)); process.umask(0); return made(i); }
if (isMainThread) new Worker(__filename);
for (let i = 0; i < 200; i++) isMainThread ? masked(i) : mix(i);
"""
BUSY_JAVA = """\
import java.nio.file.*;
public class Busy {
  static int mix(int n) { int x = n; for (int i = 0; i < 20000; i++) x = x * 31 + i; return x; }
  static int made(String name) throws Exception {
    Path path = Files.createDirectory(Path.of(name));
    Files.setPosixFilePermissions(path, attribute.PosixFilePermissions.fromString("rwxrwxrwx"));
    return mix(name.length());
  }
  public static void main(String[] words) throws Exception {
    Thread other = new Thread(() -> {
      try { for (int i = 0; i < 200; i++) made("o" + i); } catch (Exception e) { System.exit(3); }
    });
    other.start();
    for (int i = 0; i < 200; i++) made("m" + i);
    other.join();
  }
}
""".replace("attribute.", "java.nio.file.attribute.")


def line_of(text, words):
    return next(number for number, line in enumerate(text.splitlines(), 1) if words in line)


class Places(Case):
    def recorded(self, *command):
        return self.record(*command)[1]

    def python(self, text):
        (self.work / "app.py").write_text(text)
        return self.recorded("/usr/bin/python3", "app.py")

    def stacks(self, text):
        """The first lines of the stacks in a text report."""
        return [line.strip() for line in text.splitlines() if line.strip().startswith("#0 ")]

    def test_text(self):
        run = self.python(APP)
        changes, makes = (line_of(APP, words) for words in ("# changes", "# makes"))
        text = self.tool("check", run, status=None)
        self.assertIn(f"#0 set_mask app.py:{changes} (Python)", text)
        self.assertIn(f"app.py:{makes} (Python)", text)
        self.assertIn("library frames (--all-frames)", text)
        for stack in self.stacks(text):
            self.assertIn("(Python)", stack)
        self.assertIn(f"set_mask app.py:{changes}", self.tool("report", run))
        self.assertIn(f"set_mask app.py:{changes}", self.tool("threads", run))
        self.assertIn(f"at make app.py:{makes}", self.tool("timeline", run))
        self.assertIn(f"app.py:{makes} (Python)", self.tool("blame", run, "outopen"))
        every = self.tool("check", run, "--all-frames", status=None)
        self.assertNotIn("library frames", every)
        self.assertIn("(Python)", every)
        self.assertGreater(every.count("#"), text.count("#"))
        native = self.tool("check", run, "--native", status=None)
        self.assertNotIn("app.py:", native)
        self.assertNotIn("(Python)", native)

    def tool(self, *arguments, status=0, **options):
        if status is not None:
            return super().tool(*arguments, status=status, **options)
        return self.execute(harness.TOOL, *arguments, **options).stdout.decode()

    def test_formats(self):
        run = self.python(APP)
        changes, makes = (line_of(APP, words) for words in ("# changes", "# makes"))
        sarif = json.loads(self.tool("check", run, "--format", "sarif", status=None))
        places = {(place["artifactLocation"]["uri"], place["region"]["startLine"])
                  for result in sarif["runs"][0]["results"]
                  for place in [result["locations"][0]["physicalLocation"]]}
        self.assertLessEqual(places, {("app.py", changes), ("app.py", makes)})
        self.assertTrue(places)
        lines = self.tool("export", run, "--format", "collapsed", "--by", "creations").splitlines()
        self.assertTrue(lines)
        for line in lines:
            self.assertIn(f";make app.py:{makes};[", line)
        report = self.report(run)
        made = {event["path"]: event["stack"] for event in report.of("create")}
        frames = made[str(self.work / "outopen")]
        scripts = [frame for frame in frames if frame["language"] == "Python"]
        self.assertEqual([frame["symbol"] for frame in scripts], ["make", "<module>"])
        self.assertEqual(scripts[0]["line"], makes)
        self.assertTrue(scripts[0]["file"].endswith("app.py"))
        for frame in frames:
            self.assertEqual(frame.get("folded", False), frame["language"] != "Python", frame)

    def test_fingerprints_outlive_edits(self):
        run = self.python(APP)
        baseline = self.top / "baseline.json"
        self.tool("check", run, "--write-baseline", baseline, status=None)
        self.assertEqual(self.execute(harness.TOOL, "check", run).returncode, 1)
        edited = self.python("# Later.\n\n" + APP.replace("\n\n\n", "\n\n# More.\n\n"))
        self.tool("check", edited, "--baseline", baseline)
        self.tool("check", edited, "--baseline", baseline, "--native")
        renamed = self.python(APP.replace("set_mask", "put_mask").replace("make(", "create("))
        self.assertEqual(
            self.execute(harness.TOOL, "check", renamed, "--baseline", baseline).returncode, 1)

    @needs("bash")
    def test_what_a_script_started(self):
        (self.work / "build.sh").write_text(SCRIPT)
        run = self.recorded("bash", "build.sh")
        line = line_of(SCRIPT, "mkdir")
        self.assertIn(f"started by f build.sh:{line} (shell)", self.tool("blame", run, "made"))
        self.assertIn(f", started by f build.sh:{line}", self.tool("check", run, status=None))
        report = self.report(run)
        mkdir = next(event for event in report.of("process") if event["comm"] == "mkdir"
                     and event["origin"] == "exec")
        frames = [(frame["symbol"], frame["file"], frame["line"])
                  for frame in mkdir["started_by"]
                  if frame["language"] == "shell"]
        self.assertEqual(frames[0], ("f", "build.sh", line))

    @needs("bash")
    def test_tables_name_the_line_that_started_the_tool(self):
        """Most of what a build leaves was made by tools without sources."""
        script = SCRIPT.replace("mkdir made", "install -m 640 build.sh made")
        (self.work / "build.sh").write_text(script)
        run = self.recorded("bash", "build.sh")
        place = f"f build.sh:{line_of(script, 'install')}"
        made, = (line for line in self.tool("report", "--all", run).splitlines()
                 if line.split()[:1] == ["made"])
        self.assertRegex(made, rf"  install \d+, {place}$")
        # install(1) sets the mask itself.
        for view in ("report", "threads", "timeline"):
            with self.subTest(view):
                self.assertRegex(self.tool(view, run), rf" install.*, started by {place}\n")
        self.assertRegex(self.tool("report", "--format", "csv", run),
                         rf'/made,.*"install[^"]*, started by {place}"')

    @needs("bash", "make")
    def test_what_a_makefile_of_a_script_started(self):
        (self.work / "Makefile").write_text("all:\n\tmkdir made; true\n")
        (self.work / "build.sh").write_text(SCRIPT.replace("mkdir made", "make"))
        run = self.recorded("bash", "build.sh")
        line = line_of(SCRIPT, "mkdir")
        self.assertIn(f"started by f build.sh:{line} (shell)", self.tool("blame", run, "made"))

    @needs("node")
    def test_a_runtimes_own_getter_fails_no_build(self):
        (self.work / "app.js").write_text(GETTER)
        run = self.recorded("node", "app.js")
        text = self.tool("check", run, "--fail-on", "warning")
        if self.report(run).of("umask"):  # an old enough one
            self.assertIn("read the umask, which Node", text)

    def test_the_getters_of_other_runtimes_fail_no_build(self):
        """They are programs of one thread, of which nothing is said; with another thread, what is
        said is a note that names the runtime."""
        for name, text, command, runtime, mask in ASKS:
            if shutil.which(name) is None:
                continue
            with self.subTest(name=name):
                (self.work / "ask").write_text(text)
                run = self.recorded(*command, "ask")
                self.assertIn(mask, [event["new"] for event in self.report(run).of("umask")])
                self.assertNotIn("getter-idiom", self.tool("check", run, "--fail-on", "note"))
                _, run = self.record(*command, "ask",
                                     env={"LD_PRELOAD": victim("libidle_thread.so")})
                lines = self.tool("check", run, "--fail-on", "warning").splitlines()
                said = [line for line in lines if "getter-idiom" in line]
                self.assertEqual(len(said), 1)
                self.assertRegex(said[0], f"^note: .* read the umask, which {runtime} does by"
                                          f" setting it to {mask} and back")

    def check_own_baseline(self, *command, runs=3):
        """An unchanged program does nothing new, whatever its runtime compiled meanwhile."""
        baseline = self.top / "baseline.json"
        for number in range(runs + 1):
            harness.remove_tree(self.work)
            self.work.mkdir()
            run = self.recorded(*command)
            if number == 0:
                self.assertEqual(self.execute(harness.TOOL, "check", run).returncode, 1)
                self.tool("check", run, "--write-baseline", baseline, status=None)
            else:
                self.tool("check", run, "--baseline", baseline, "--fail-on", "note")

    @needs("node")
    def test_an_unchanged_node_program_has_nothing_new(self):
        program = self.top / "busy.js"
        program.write_text(BUSY_NODE)
        self.check_own_baseline("node", program)

    @needs("java", "javac")
    def test_an_unchanged_java_program_has_nothing_new(self):
        source = self.top / "Busy.java"
        source.write_text(BUSY_JAVA)
        self.assertEqual(self.execute("javac", source).returncode, 0)
        self.check_own_baseline("java", "-XX:+PerfDisableSharedMem", "-cp", self.top, "Busy")


if __name__ == "__main__":
    harness.main()
