"""The scripts that set up, build and run, with stand-ins for apt-get, meson and ninja.

Must never install or build anything: PATH leads to the stand-ins first, which write down what they
were asked.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

from lib import harness
from lib.harness import Case

SCRIPTS = Path(__file__).parent.parent.parent / "scripts"

DPKG_QUERY = """
shift 2
for package; do
  grep -qxF "$package" "$STANDINS/absent" || printf 'ii %s\\n' "$package"
done
[ ! -s "$STANDINS/absent" ]
"""
APT_GET = """
echo "$*" >> "$STANDINS/asked-apt"
case "$*" in
*update) touch "$STANDINS/updated" ;;
*) [ -e "$STANDINS/updated" ] || { echo "E: Unable to locate package"; exit 100; }
   : > "$STANDINS/absent" ;;
esac
"""
MESON = 'echo "$*" >> "$STANDINS/asked-meson"; mkdir -p "$2"; touch "$2/build.ninja"; echo chatter'
NINJA = """
echo "$*" >> "$STANDINS/asked-ninja"
[ ! -e "$STANDINS/broken" ] || { echo "error: it is broken"; exit 1; }
mkdir -p "$2/reporter"
cp "$STANDINS/tool" "$2/reporter/umaskaudit"
echo chatter
"""
TOOL = """#!/bin/sh
# Not at the head of a pipeline: the shell holds the pipes while it makes it.
ls /proc/$$/fd >"$0.descriptors"
umask; pwd; cat; grep -x '[0-9]' "$0.descriptors" | tr '\\n' ' '
for word; do printf '<%s>' "$word"; done
exit 42
"""


class Scripts(Case):
    def setUp(self):
        super().setUp()
        self.top.chmod(0o755)
        self.tree = self.top / "tree"
        shutil.copytree(SCRIPTS, self.tree / "scripts")
        self.standins = self.top / "standins"
        self.standins.mkdir()
        for name, body in (("dpkg-query", DPKG_QUERY), ("apt-get", APT_GET), ("meson", MESON),
                           ("ninja", NINJA), ("sudo", "exit 1")):
            (self.standins / name).write_text(f"#!/bin/sh\n{body}\n")
            (self.standins / name).chmod(0o755)
        (self.standins / "tool").write_text(TOOL)
        (self.standins / "tool").chmod(0o755)
        (self.standins / "absent").touch()

    def run_script(self, *words, **options):
        environment = {"PATH": f"{self.standins}:{os.environ['PATH']}",
                       "STANDINS": str(self.standins)}
        script = self.tree / "scripts" / "umaskaudit"
        return self.execute(script, *words, env=environment, **options)

    def asked(self, name):
        file = self.standins / f"asked-{name}"
        return file.read_text().splitlines() if file.exists() else []

    def test_first_run_builds_and_runs_with_everything_untouched(self):
        os.umask(0o077)
        result = self.run_script("run", "--", "a b", "", stdin=None, input=b"input\n")
        self.assertEqual(result.returncode, 42, result.stderr)
        self.assertEqual(result.stdout.decode(),
                         f"0077\n{self.work}\ninput\n0 1 2 <run><--><a b><>")
        self.assertEqual(len(self.asked("meson")), 1)
        self.assertEqual(len(self.asked("ninja")), 1)
        self.assertNotIn(b"chatter", result.stderr)

    def test_later_runs_are_quiet_and_install_nothing(self):
        self.run_script()
        result = self.run_script()
        self.assertEqual(result.stderr, b"")
        self.assertEqual(len(self.asked("meson")), 1)
        self.assertEqual(self.asked("apt"), [])

    def test_two_at_once_configure_once(self):
        with subprocess.Popen([self.tree / "scripts" / "umaskaudit"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env={"PATH": f"{self.standins}:{os.environ['PATH']}",
                                   "STANDINS": str(self.standins)}) as other:
            result = self.run_script()
            self.assertEqual(other.wait(), 42)
        self.assertEqual(result.returncode, 42, result.stderr)
        self.assertEqual(len(self.asked("meson")), 1)

    def test_a_failing_build_shows_its_output(self):
        (self.standins / "broken").touch()
        result = self.run_script()
        self.assertEqual(result.returncode, 125)
        self.assertIn(b"error: it is broken", result.stderr)
        self.assertEqual(result.stdout, b"")

    def test_an_interrupted_set_up_is_done_again(self):
        (self.tree / "build" / "release" / "meson-private").mkdir(parents=True)
        result = self.run_script()
        self.assertEqual(result.returncode, 42, result.stderr)
        self.assertFalse((self.tree / "build" / "release" / "meson-private").exists())

    def test_root_installs_only_what_is_missing(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        (self.standins / "absent").write_text("scdoc\nlibdw-dev\n")
        result = self.run_script()
        self.assertEqual(result.returncode, 42, result.stderr)
        install, update, again = self.asked("apt")
        self.assertTrue(install.endswith(" --no-install-recommends scdoc libdw-dev"), install)
        self.assertTrue(update.endswith("update"))
        self.assertEqual(again, install)

    def test_it_says_what_it_installs_before_it_does(self):
        if os.geteuid() != 0:
            self.skipTest("needs root")
        (self.standins / "absent").write_text("scdoc\nlibdw-dev\n")
        (self.standins / "apt-get").write_text("#!/bin/sh\nexit 1\n")
        result = self.run_script()
        self.assertEqual(result.returncode, 125)
        said = result.stderr.decode().splitlines()
        self.assertIn("these 2 Debian packages", said[0])
        self.assertEqual(said[1], "    scdoc libdw-dev")

    def test_without_root_one_line_names_the_packages(self):
        options = {}
        if os.geteuid() == 0:
            shutil.chown(self.tree, 65534)
            options = {"user": 65534, "group": 65534, "extra_groups": []}
        (self.standins / "absent").write_text("scdoc\nlibdw-dev\n")
        result = self.run_script(**options)
        self.assertEqual(result.returncode, 125)
        self.assertEqual(result.stderr.decode(),
                         "scripts/umaskaudit: missing packages, and no root to install them; "
                         "run: sudo apt-get install scdoc libdw-dev\n")
        self.assertEqual(self.asked("apt"), [])


JUNIT = """<testsuites>
<testsuite name="p.p:unit / unit-a.Group"><testcase name="Good" status="run"/>
<testcase name="Bad" status="run"><failure message="x">a.cc:3 wrong</failure></testcase>
<testcase name="Skip" status="run"><skipped message="a.cc:4&#10;needs root"/></testcase></testsuite>
<testsuite name="p"><testcase name="p / slow"/></testsuite>
<testsuite name="p.p:e2e / e2e-b"><testcase name="1 T.good"/>
<testcase name="2 T.bad"><failure/></testcase></testsuite></testsuites>"""
RUNS = [
    {"name": "p:unit / unit-a", "result": "FAIL", "returncode": 1},
    {"name": "p / slow", "result": "TIMEOUT", "returncode": -15, "stdout": "hangs here"},
    {"name": "p:e2e / e2e-b", "result": "FAIL", "returncode": 0,
     "stdout": "ok 1 T.good\nnot ok 2 T.bad\n# because\n1..2\n"},
    {"name": "p:lint / lint-x", "result": "SKIP", "returncode": 77, "stdout": "no shellcheck\n"},
    {"name": "p:unit / crashed", "result": "FAIL", "returncode": -6, "stdout": "[ RUN ] A.B\n"},
]
SUMMARY = """FAILED unit-a: Group.Bad
    a.cc:3 wrong
FAILED slow
    timeout, exit code -15
    hangs here
FAILED e2e-b: T.bad
    because
FAILED crashed
    fail, exit code -6
    [ RUN ] A.B
skipped unit-a: Group.Skip: needs root
skipped lint-x: no shellcheck
2 passed, 4 failed, 2 skipped
"""


class Summary(Case):
    def summary(self, *label):
        return self.execute("/usr/bin/python3", SCRIPTS / "summary.py", self.work, *label)

    def test_counts_cases_and_hides_no_failure(self):
        (self.work / "testlog.junit.xml").write_text(JUNIT)
        (self.work / "testlog.json").write_text("\n".join(json.dumps(run) for run in RUNS))
        result = self.summary()
        self.assertEqual(result.stdout.decode(), SUMMARY)
        self.assertEqual(result.returncode, 1)

    def test_no_log_is_a_failure(self):
        (self.work / "console.txt").write_text("meson: what happened\n")
        for label in ((), ("part",)):
            result = self.summary(*label)
            self.assertEqual(result.stdout.decode(), "meson: what happened\n" +
                             "part: " * len(label) + "0 passed, 1 failed, 0 skipped\n")
            self.assertEqual(result.returncode, 1)


COMPILER = """
for word; do [ "$before" != -o ] || program=$word; before=$word; done
cp "$STANDINS/program" "$program"
"""
# Like ninja's, its output ends up in the log that summary.py shows when there are no results.
MESON_WITH_TESTS = """
case $1 in
setup) mkdir -p "$2/meson-logs"; touch "$2/build.ninja" ;;
test) echo "asked for ${3##*/}, $ASAN_OPTIONS" ;;
esac
"""
LEFT_OUT = """\
left out sanitize: a program with -fsanitize=address,undefined does not start here: no place
left out tsan: a program with -fsanitize=thread does not start here: no place
"""


class Sanitize(Case):
    """scripts/sanitize on machines where a sanitizer's runtime does not start."""

    def sanitize(self, program):
        tree = self.top / "tree"
        shutil.copytree(SCRIPTS, tree / "scripts")
        standins = self.top / "standins"
        standins.mkdir()
        for name, body in (("dpkg-query", "shift 2; printf 'ii %s\\n' \"$@\""), ("ninja", ""),
                           ("meson", MESON_WITH_TESTS), ("compiler", COMPILER),
                           ("program", program), ("setarch", "exit 1")):
            (standins / name).write_text(f"#!/bin/sh\n{body}\n")
            (standins / name).chmod(0o755)
        return self.execute(tree / "scripts" / "sanitize", env={
            "PATH": f"{standins}:{os.environ['PATH']}", "STANDINS": str(standins),
            "CXX": str(standins / "compiler")})

    def test_where_none_starts_both_parts_are_left_out(self):
        result = self.sanitize("echo no place >&2; kill -SEGV $$")
        self.assertEqual((result.returncode, result.stdout.decode(), result.stderr),
                         (0, LEFT_OUT, b""))

    def test_where_leaks_cannot_be_looked_for_the_rest_is(self):
        result = self.sanitize("case $ASAN_OPTIONS in *:detect_leaks=0) ;; *) exit 1 ;; esac")
        out = result.stdout.decode().splitlines()
        self.assertIn("sanitize: leaks are not looked for: LeakSanitizer does not work here", out)
        self.assertRegex(out[1], "^asked for sanitize, .*:detect_leaks=0$")
        self.assertIn("sanitize: 0 passed, 1 failed, 0 skipped", out)
        self.assertRegex(out[3], "^asked for tsan, ")
        self.assertEqual(result.returncode, 1)


CLANG_TIDY = """
[ "$1" != --version ] || exec echo version 14
name=${2##*/}
shift 3
echo "$name $*" >> "$STANDINS/asked"
! grep -q defect "$TREE/both.h" || { echo "$TREE/build/debug/../../both.h:1:2: error: bad [x]"
  echo "  where"; echo "$TREE/$name:3:4: error: worse [y]"; exit 1; }
"""
COMPILED = (("a", "-DONE", "both.h"), ("a", "-DTWO", "both.h"), ("b", "-O2 -MD -MF b.d", "both.h"),
            ("b", "-O0", "both.h"), ("c", "-O2", "other.h"))


class Tidy(Case):
    """scripts/lint tidy, with a stand-in that finds a defect where the word is."""

    def setUp(self):
        super().setUp()
        self.tree = self.top / "tree"
        shutil.copytree(SCRIPTS, self.tree / "scripts")
        for name in ("a.cc", "b.cc", "c.cc", "both.h", "other.h", ".clang-tidy"):
            (self.tree / name).write_text("text\n")
        self.standins = self.top / "standins"
        self.standins.mkdir()
        for name, body in (("clang-tidy", CLANG_TIDY),
                           ("ninja", '[ "$3" != -t ] || cat "$STANDINS/deps"')):
            (self.standins / name).write_text(f"#!/bin/sh\n{body}\n")
            (self.standins / name).chmod(0o755)
        build = self.tree / "build" / "debug"
        build.mkdir(parents=True)
        (build / "build.ninja").touch()
        (build / "compile_commands.json").write_text(json.dumps([
            {"file": f"../../{name}.cc", "output": f"{number}.o",
             "command": f"ccache c++ {flags} -o {number}.o -c ../../{name}.cc"}
            for number, (name, flags, _) in enumerate(COMPILED)]))
        (self.standins / "deps").write_text("".join(
            f"{number}.o: #deps 2, deps mtime 1 (VALID)\n    ../../{name}.cc\n"
            f"    ../../{header}\n\n"
            for number, (name, _, header) in enumerate(COMPILED)))

    def tidy(self, *files):
        """Exit code, stdout and what the tool was asked."""
        asked = self.standins / "asked"
        asked.write_text("")
        result = self.execute("bash", self.tree / "scripts" / "lint", "tidy", *files, env={
            "PATH": f"{self.standins}:{os.environ['PATH']}", "STANDINS": str(self.standins),
            "TREE": str(self.tree)}, cwd=self.tree)
        self.assertNotIn(b"Traceback", result.stderr)
        return result.returncode, result.stdout.decode(), sorted(asked.read_text().splitlines())

    def test_what_was_clean_is_looked_at_again_when_it_may_have_changed(self):
        both = ["a.cc -DONE", "a.cc -DTWO", "b.cc -O2"]
        self.assertEqual(self.tidy(), (0, "tidy: 4 files, 0 of them unchanged, 0 with complaints\n",
                                       [*both, "c.cc -O2"]))
        self.assertEqual(self.tidy(), (0, "tidy: 4 files, 4 of them unchanged, 0 with complaints\n",
                                       []))
        (self.tree / "both.h").write_text("other text\n")
        self.assertEqual(self.tidy()[2], both)
        (self.tree / ".clang-tidy").write_text("# why\ntext\n")
        self.assertEqual(self.tidy()[2], [])
        (self.tree / ".clang-tidy").write_text("other text\n")
        self.assertEqual(self.tidy()[2], [*both, "c.cc -O2"])

    def test_a_header_complains_once_and_until_it_is_mended(self):
        (self.tree / "both.h").write_text("defect\n")
        for _ in range(2):
            code, out, asked = self.tidy("both.h")
            lines = out.splitlines()
            self.assertEqual(sorted(lines[:-1]),
                             ["  where", "a.cc:3:4: error: worse [y]",
                              "b.cc:3:4: error: worse [y]", "both.h:1:2: error: bad [x]"])
            self.assertEqual(lines[-1], "tidy: 3 files, 0 of them unchanged, 3 with complaints")
            self.assertEqual((code, asked), (1, ["a.cc -DONE", "a.cc -DTWO", "b.cc -O2"]))

    def test_files_are_those_that_are_named(self):
        self.assertEqual(self.tidy("other.h", "scripts/lint")[::2], (0, ["c.cc -O2"]))
        self.assertEqual(self.tidy("absent.cc")[::2], (1, []))

    def test_without_the_tool_it_is_left_out(self):
        few = self.top / "few"
        few.mkdir()
        (few / "dirname").symlink_to(shutil.which("dirname"))
        result = self.execute(shutil.which("bash"), self.tree / "scripts" / "lint", "tidy",
                              env={"PATH": str(few)})
        self.assertEqual((result.returncode, result.stdout),
                         (77, b"clang-tidy is not installed\n"))


class ContinuousIntegration(Case):
    def test_all_parts_run_and_each_can_fail(self):
        parts = {"test": "--with-programs", "sanitize": ""}
        for number, codes in enumerate(((0, 0), (1, 0), (0, 1), (125, 1))):
            tree = self.top / f"tree{number}"
            (tree / "scripts").mkdir(parents=True)
            shutil.copytree(SCRIPTS.parent / ".ci", tree / ".ci")
            for name, code in zip(parts, codes):
                (tree / "scripts" / name).write_text(f"echo {name} $*; exit {code}\n")
            result = self.execute("bash", tree / ".ci" / "run", stdin=None)
            self.assertEqual(result.stdout.decode().splitlines(),
                             [f"{name} {words}".rstrip() for name, words in parts.items()])
            self.assertEqual(result.returncode, 1 if any(codes) else 0)


if __name__ == "__main__":
    harness.main()
