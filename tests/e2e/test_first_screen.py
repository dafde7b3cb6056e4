"""What a person reads first: check and report of a race at 80 columns, and sources that are none.

The truth is the text of the programs: a line is where its words are; and what stat says of files.
"""

import csv
import io
import json
import os
import re
from pathlib import Path

from lib import harness
from lib.harness import Case, needs

RACE = r"""
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

std::atomic<int> step{0};

mode_t read_umask(bool meets) {
  mode_t mask = umask(0);  // opens the window
  if (meets) {
    step = 1;
    while (step < 2) std::this_thread::yield();
  }
  umask(mask);  // closes it
  return mask;
}

template <typename Path>
void save(const Path& path) {
  close(open(path.c_str(), O_CREAT | O_WRONLY, 0666));  // is hit
}

int main() {
  umask(077);
  std::thread probe([] {
    for (int i = 0; i < 20; ++i) read_umask(i == 0);
  });
  while (step < 1) std::this_thread::yield();
  for (int i = 0; i < 30; ++i) save(std::string("made") + std::to_string(i));
  step = 2;
  probe.join();
}
"""

APP = """\
import os
import threading
opened, made = threading.Event(), threading.Event()
def probe():
    old = os.umask(0)  # opens the window
    opened.set()
    made.wait()
    os.umask(old)
other = threading.Thread(target=probe)
other.start()
opened.wait()
os.close(os.open("made", os.O_CREAT | os.O_WRONLY, 0o666))  # is hit
made.set()
other.join()
"""


def line_of(text, words):
    return next(number for number, line in enumerate(text.splitlines(), 1) if words in line)


class FirstScreen(Case):
    def shown(self, *arguments, width=80, status=None):
        result = self.execute(harness.TOOL, *arguments, env={"COLUMNS": str(width)})
        if status is not None:
            self.assertEqual(result.returncode, status, result.stderr)
        return result.stdout.decode()

    def race(self):
        source = self.work / "race.cc"
        source.write_text(RACE)
        built = self.execute("g++", "-g", "-pthread", source, "-o", "race")
        self.assertEqual(built.returncode, 0, built.stderr)
        return self.record("./race")[1]

    def assert_source_line(self, shown, name, text, words, marked):
        """The line that holds `words` is shown, and `marked` is what stands above the mark."""
        place = f"{name}:{line_of(text, words)} | "
        lines = shown.splitlines()
        at = next((i for i, line in enumerate(lines) if line.lstrip().startswith(place)), None)
        self.assertIsNotNone(at, f"no {place} in\n{shown}")
        mark = re.search(r"\^~*", lines[at + 1])
        self.assertEqual(lines[at][mark.start():mark.end()], marked, shown)

    @needs("g++")
    def test_the_race_at_80_columns(self):
        run = self.race()
        self.assertEqual(harness.octal((self.work / "made0").stat().st_mode & 0o7777), "0666")
        shown = self.shown("check", run, status=1)
        self.assertLessEqual(len(shown.splitlines()), 40, shown)
        self.assertIn("^ created", shown)
        for line in shown.splitlines():  # for grep(1), the summary is one line
            self.assertTrue(len(line) <= 80 or line.startswith("SUMMARY") or
                            str(self.work) in line, line)
        for rule in ("ERROR: window-overlap", "WARNING: getter-idiom"):
            self.assertIn(rule, shown)
        self.assert_source_line(shown, "race.cc", RACE, "// opens", "umask(0)")
        self.assert_source_line(shown, "race.cc", RACE, "// is hit",
                                "open(path.c_str(), O_CREAT | O_WRONLY, 0666)")
        opens, hit = (line_of(RACE, words) for words in ("// opens", "// is hit"))
        self.assertIn(f"#0 read_umask race.cc:{opens} (race)\n", shown)
        self.assertRegex(shown, f"#0 save(<...>)? race.cc:{hit} \\(race\\)\n")
        self.assertNotIn("std::", shown)
        self.assertNotIn("libc", shown)
        self.assertRegex(shown, r"\.\.\. \d+ library frames \(--all-frames\)\n")
        every = self.shown("check", run, "--all-frames", status=1)
        self.assertIn("std::", every)
        self.assertNotIn("library frames", every)

    @needs("g++")
    def test_the_report_at_80_columns(self):
        run = self.race()
        shown = self.shown("report", run, status=0)
        first = shown.splitlines()[0]
        self.assertRegex(first, r"^1 error, 1 warning(, \d+ notes?)? in .*race")
        self.assert_source_line(shown, "race.cc", RACE, "// opens", "umask(0)")
        for line in shown.splitlines():
            self.assertTrue(len(line) <= 80 or str(run) in line or str(self.work) in line, line)
        made = [line.split() for line in shown.splitlines()
                if line.split()[1:4] == ["file", "0666", "open"]]
        self.assertEqual([row[0] for row in made], ["30"], shown)
        self.assertNotIn("made29", shown)
        rows = self.shown("report", run, "--all", status=0)
        for number in range(30):
            self.assertRegex(rows, f"\n  made{number} .* 0666\\b")
        self.assertIn(f"relative to {self.work},", shown)

    def test_the_summary_of_run_is_wrapped(self):
        (self.work / "app.py").write_text(APP)
        result = self.execute(harness.TOOL, "run", "-o", self.new_run(), "--", "/usr/bin/python3",
                              "app.py", env={"COLUMNS": "60"})
        lines = [line for line in result.stderr.decode().splitlines()
                 if str(self.top) not in line]
        self.assertTrue(any("window-overlap" in line for line in lines), result.stderr)
        for line in lines:
            self.assertLessEqual(len(line), 60, line)

    def test_a_script_and_what_became_of_it(self):
        app = self.work / "app.py"
        app.write_text(APP)
        run = self.record("/usr/bin/python3", "app.py")[1]
        shown = self.shown("check", run, status=1)
        self.assert_source_line(shown, "app.py", APP, "// opens".replace("//", "#"), "umask(0)")
        self.assert_source_line(shown, "app.py", APP, "# is hit",
                                'open("made", os.O_CREAT | os.O_WRONLY, 0o666)')
        self.assertNotIn("threading.py", shown)
        rows = re.findall(r"^ +made +open.*$", self.tool("report", run, "--all"), re.MULTILINE)
        self.assertEqual(len(rows), 2, "open to others, and created")
        for row in rows:
            self.assertTrue(row.endswith(f", <module> app.py:{line_of(APP, '# is hit')}"), row)
        app.write_text("# changed\n" * 20)
        os.utime(app)  # now
        shown = self.shown("check", run, status=1)
        self.assertIn("[source changed since the run]", shown)
        self.assertNotIn("# changed", shown)

    def test_a_script_that_the_run_wrote_is_shown(self):
        app = self.work / "app.py"
        (self.work / "build.py").write_text(f"""
import os, subprocess, time
open("clock", "w").close()
def write(text):
    with open({str(app)!r}, "w") as file:
        file.write(text)
write({APP!r})
subprocess.run(["/usr/bin/python3", "app.py"])
if os.path.exists("again"):
    # The clock of files is coarser than that of records: it must have ticked since the script ran.
    ran = time.time_ns()
    while os.stat("clock").st_mtime_ns <= ran:
        with open("clock", "w"):
            pass
    write("# another one\\n" * 20)
""")
        run = self.record("/usr/bin/python3", "build.py")[1]
        shown = self.shown("check", run, status=1)
        self.assert_source_line(shown, "app.py", APP, "// opens".replace("//", "#"), "umask(0)")
        self.assertNotIn("[source changed", shown)
        (self.work / "again").touch()
        run = self.record("/usr/bin/python3", "build.py")[1]
        shown = self.shown("check", run, status=1)
        self.assertIn("[source changed later in the run]", shown)
        self.assertNotIn("another one", shown)

    def test_what_is_no_source_is_harmless(self):
        """In the place of the source: a FIFO, control bytes, one long line, a secret."""
        app = self.work / "app.py"
        app.write_text(APP)
        old = app.stat().st_mtime_ns
        run = self.record("/usr/bin/python3", "app.py")[1]
        secret = self.work / "id_rsa"
        secret.write_text("PRIVATE\n" * 20)

        def put(make):
            app.unlink()
            make()
            os.utime(app, ns=(old, old))
            return self.shown("check", run, status=1)

        for text in (put(lambda: os.mkfifo(app)), put(lambda: app.symlink_to("id_rsa")),
                     put(lambda: app.write_bytes(b"x" * 10_000_000)),
                     put(lambda: app.symlink_to("/dev/zero"))):
            self.assertIn("window-overlap", text)
            self.assertNotIn("app.py:5 |", text)
            self.assertNotIn("PRIVATE", text)
        text = put(lambda: app.write_bytes(b"\x1b[31m umask \x07\xff" * 20 + b"\n"
                                           + b"\x1b[2J\x9b umask(0) \xe2\x80\xae\n" * 20))
        self.assertIn("app.py:5 |", text)
        self.assertIn(r"\x1b[2J", text)
        for bad in ("\x1b", "\x07", "\u202e"):
            self.assertNotIn(bad, text)
        for line in text.splitlines():
            if " | " in line:
                self.assertLessEqual(len(line), 80)

    def test_a_filter_says_what_it_left_out(self):
        (self.work / "app.py").write_text(APP)
        run = self.record("/usr/bin/python3", "app.py")[1]
        (run / "run.json").rename(run / "aside")  # where it began is not known
        result = self.execute(harness.TOOL, "report", run, "--path", "made")
        self.assertEqual(result.returncode, 0)
        shown = result.stdout.decode()
        self.assertRegex(shown, r"Filter: --path 'made' \(0 of 1 object\)")
        self.assertIn("nothing matches --path 'made'; '*/made' matches 1 object",
                      result.stderr.decode())
        (run / "aside").rename(run / "run.json")
        self.assertIn("2 mask changes", shown)
        self.assertNotIn("nobody", shown)
        self.assertRegex(self.shown("report", run, "--path", "*/made", status=0),
                         r"Filter: --path '\*/made' \(1 of 1 object\)")

    def test_a_secret_is_its_owners_to_read_and_to_write(self):
        run = self.record("sh", "-c", "umask 0; echo > id.key")[1]
        self.assertEqual(harness.octal((self.work / "id.key").stat().st_mode & 0o7777), "0666")
        shown = self.shown("check", run, "--rule", "secret-readable", status=1)
        self.assertIn("0666 instead of 0600  file id.key", shown)
        self.assertIn("the group and others may read and write", " ".join(shown.split()))

    def test_a_narrow_table_says_where_the_mask_was_changed(self):
        (self.work / "app.py").write_text("import os\nfor mask in 0o22, 0o27, 0, 0o77:\n"
                                          "    os.umask(mask)\n")
        run = self.record("/usr/bin/python3", "app.py", cwd=self.work)[1]
        for command in ("threads", "report"):
            lines = self.shown(command, run, status=0).splitlines()
            titles = next(line for line in lines if "THREAD " in line and "MASK" in line)
            self.assertIn("WHERE", titles)
            row = lines[lines.index(titles) + 1]
            self.assertRegex(row, r"0\d+ -> 0\d+ \(\+\d more\) .* \S*p\.py:3$")

    # Nothing is said where something matches, and never with -q.
    def test_a_filter_that_nothing_matches_says_what_would(self):
        (self.work / "app.py").write_text(APP)
        (self.work / "deep").mkdir()
        run = self.record("sh", "-c", "/usr/bin/python3 app.py; echo > deep/Session.tok")[1]
        pid = json.loads((run / "run.json").read_text())["pid"]

        def said(*arguments, status=0):
            result = self.execute(harness.TOOL, *arguments)
            self.assertEqual(result.returncode, status, result.stderr)
            return result.stderr.decode()

        for options, hint in (
                (["--path", "deep/Sesion.*"], "did you mean 'deep/Session.tok'?"),
                (["--path", "deep/session.tok"], "did you mean 'deep/Session.tok'?"),
                (["--path", "deep"], "'deep/*' matches 1 object"),
                (["--path", "Session.tok"], "'*/Session.tok' matches 1 object"),
                (["--path", "/nowhere/at/all"], "all names: umaskaudit report --all"),
                (["--pid", "1"], f"{pid} (sh)"),
                (["--thread", "pyton3"], "did you mean 'python3'?"),
                (["--call", "mkdir"], "calls of this run: "),
                (["--kind", "fifo"], "kinds of this run: file"),
                (["--since", "9h"], "the last event came "),
                (["--path", "deep/*", "--thread", "python3"], "nothing matches all of them")):
            for command in ("report", "timeline", "whatif"):
                more = ["--umask", "077"] if command == "whatif" else []
                with self.subTest(command=command, options=options):
                    self.assertIn(hint, said(command, run, *options, *more))
                    self.assertEqual(said(command, run, *options, *more, "-q"), "")
            with self.subTest(command="check", options=options):
                self.assertIn(hint, said("check", run, *options))
        self.assertIn("there is window-overlap (error), getter-idiom (warning)",
                      said("report", run, "--rule", "leaked-mask"))
        # That a rule finds nothing is what a check is for.
        self.assertEqual(said("check", run, "--rule", "leaked-mask"), "")
        self.assertEqual(said("report", run, "--path", "*/Session.tok", "--format", "json"), "")
        self.assertIn("try 'deep/Session.tok'\n", said("blame", run, "deep/Sesion.tok", status=1))
        self.assertIn("--path '*NAME*'\n", said("blame", run, "elsewhere", status=1))
        shown = self.shown("threads", run, "--path", "deep/*", status=0)
        self.assertIn("The filter selects no mask change", shown)
        self.assertNotIn("No thread changed", shown)

    # The directory of the run is no glob; its own relative paths are those of the report.
    def test_a_relative_glob_begins_where_the_run_began(self):
        for name in ("[a-b]*", "a"):
            (self.work / name).mkdir()
        run = self.record("sh", "-c", "echo > made; mkdir deep; echo > deep/made; echo > ../a/made",
                          cwd=self.work / "[a-b]*")[1]
        for glob, objects in (("made", {"made"}), ("./made", {"made"}), ("?ade", {"made"}),
                              ("deep/*", {"deep/made"}), ("d*", {"deep", "deep/made"}),
                              ("*/made", {"made", "deep/made", "../a/made"})):
            shown = self.execute(harness.TOOL, "report", run, "--format", "csv", "--path", glob)
            told = {row["path"] for row in csv.DictReader(io.StringIO(shown.stdout.decode()))}
            self.assertEqual({os.path.relpath(path, self.work / "[a-b]*") for path in told},
                             objects)

    def test_the_runs_own_directory_is_a_group_of_its_own(self):
        """Many groups are joined by the directories above them, but not past the run's own."""
        program = """
import os
os.umask(0)
for mode in range(0o600, 0o620):
    os.close(os.open(f"made{mode:o}", os.O_CREAT, mode))
os.makedirs("below/deep")
for mode in range(0o600, 0o604):
    os.close(os.open(f"below/deep/made{mode:o}", os.O_CREAT, mode))
"""
        run = self.top / "run"
        result = self.execute(harness.TOOL, "run", "-o", run, "--", "/usr/bin/python3", "-c",
                              program)
        self.assertEqual(result.returncode, 0, result.stderr)
        table = self.tool("report", run).split("Objects created, by directory\n", 1)[1]
        rows = [line.split() for line in table.split("\n\n")[0].splitlines()[1:]]
        places = {row[4] for row in rows if row[0].isdigit()}
        self.assertLessEqual({"."}, places)
        self.assertLessEqual(places, {".", "./...", "below", "below/deep"})

    def test_one_long_name_pads_no_other_row(self):
        long, short = "n" * 255, "short"
        run = self.record("touch", long, short)[1]
        result = self.execute(harness.TOOL, "report", run, "--all")
        rows = [line for line in result.stdout.decode().splitlines()
                if re.search(r"\b0666\b", line)]
        self.assertEqual(len(rows), 2, rows)
        row, = [line for line in rows if long not in line]
        self.assertLess(len(row), 120)
        self.assertTrue(any(long in line for line in rows), "piped, nothing is cut")


if __name__ == "__main__":
    harness.main()
