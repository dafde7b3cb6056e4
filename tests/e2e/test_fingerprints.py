"""Fingerprints of findings: equal for one program however it was built, for every run of it and on
every host; different for other functions on either side.

What a build has is asked of the compiler and of binutils, never of our own output.
"""

import json
import os
import shutil
import subprocess

from lib import harness
from lib.harness import Case, needs

# Both functions are called through a pointer that no compiler sees through: no build inlines them.
NATIVE = r"""
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>
#ifndef SAVE
#define SAVE save
#endif
namespace config {
mode_t read_umask(int unused) { mode_t mask = umask(0); umask(mask); return mask + unused; }
}
static int opened[2], made[2];
namespace {
template <class T>
void SAVE(const T& name) { close(open(name, O_CREAT | O_WRONLY | O_EXCL, 0666)); }
void* probe(void*) {
  mode_t mask = umask(0);
  char byte = 0;
  if (write(opened[1], &byte, 1) != 1 || read(made[0], &byte, 1) != 1) return nullptr;
  umask(mask);
  return nullptr;
}
}
mode_t (*volatile reader)(int) = config::read_umask;
void* (*volatile prober)(void*) = probe;
void (*volatile saver)(const char* const&) = SAVE<const char*>;
int main() {
  umask(022);
  pthread_t thread;
  char byte = 0;
  if (pipe(opened) != 0 || pipe(made) != 0) return 2;
  pthread_create(&thread, nullptr, prober, nullptr);
  if (read(opened[0], &byte, 1) != 1) return 2;
  saver("hit");
  if (write(made[1], &byte, 1) != 1) return 2;
  pthread_join(thread, nullptr);
  reader(0);
  reader(0);
  struct stat status;
  return stat("hit", &status) != 0 || (status.st_mode & 0777) != 0666;
}
"""

LAMBDA = r"""
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <thread>
int main() {
  umask(022);
  std::thread([] { umask(umask(0)); }).join();
  std::thread([] { close(open("made", O_CREAT | O_WRONLY, 0666)); }).join();
  return 0;
}
"""

RACE = """
import os, threading
opened, made = threading.Event(), threading.Event()
def {setter}():
    old = os.umask(0)
    opened.set()
    made.wait()
    os.umask(old)
def {maker}():
    opened.wait()
    os.close(os.open("made", os.O_CREAT | os.O_WRONLY, 0o666))
    made.set()
os.umask(0o022)
threads = [threading.Thread(target=target) for target in ({setter}, {maker})]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


class Prints(Case):
    def findings(self, run, *arguments):
        result = self.execute(harness.TOOL, "check", run, "--format", "jsonl", *arguments)
        self.assertIn(result.returncode, (0, 1), result.stderr.decode(errors="replace"))
        return [json.loads(line) for line in result.stdout.splitlines()]

    def prints(self, run, *arguments):
        return {(finding["rule"], finding["fingerprint"])
                for finding in self.findings(run, *arguments)}

    def by_rule(self, run):
        prints = {}
        for rule, print_ in self.prints(run):
            prints.setdefault(rule, set()).add(print_)
        return prints

    def in_new_folder(self, *command):
        """Records `command` in an empty working directory."""
        shutil.rmtree(self.work)
        self.work.mkdir()
        return self.record(*command)[1]


class Compiled(Prints):
    def build(self, folder, source, *flags, compiler="g++"):
        folder = self.top / folder
        folder.mkdir()
        text = folder / "app.cc"
        text.write_text(source, encoding="utf-8")
        subprocess.run([compiler, "-pthread", *flags, text, "-o", folder / "app"], check=True)
        return folder / "app"

    def strip(self, folder, program, *flags):
        copy = self.top / folder / "app"
        copy.parent.mkdir()
        subprocess.run(["strip", *flags, program, "-o", copy], check=True)
        return copy


@needs("g++")
class Builds(Compiled):
    def test_equal_whatever_the_build(self):
        plain = self.build("plain", NATIVE, "-O0", "-g")
        quick = self.build("quick", NATIVE, "-O2", "-g")
        builds = [quick, self.build("none", NATIVE, "-O3"), self.strip("g", quick, "-g"),
                  self.build("whole", NATIVE, "-O2", "-flto")]
        if shutil.which("clang++"):
            builds.append(self.build("clang", NATIVE, "-O1", "-g", compiler="clang++"))
        expected = self.prints(self.in_new_folder(plain))
        self.assertEqual({rule for rule, _ in expected} & {"window-overlap", "getter-idiom"},
                         {"window-overlap", "getter-idiom"})
        for build in [*builds, plain]:
            with self.subTest(build=build.parent.name):
                self.assertEqual(self.prints(self.in_new_folder(build)), expected)

    def test_what_a_stripped_program_still_names(self):
        """Functions of .dynsym keep their names; of others the module is all that is left."""
        whole = self.build("whole", NATIVE, "-O2", "-rdynamic")
        bare = self.strip("bare", whole)
        for program, has_probe in ((whole, True), (bare, False)):
            names = subprocess.run(["nm", "-C", program], check=False, capture_output=True,
                                   text=True).stdout
            self.assertEqual("probe(" in names, has_probe)
        of_whole = self.by_rule(self.in_new_folder(whole))
        of_bare = self.by_rule(self.in_new_folder(bare))
        self.assertTrue(of_bare["getter-idiom"] & of_whole["getter-idiom"])
        self.assertFalse(of_bare["window-overlap"] & of_whole["window-overlap"])
        self.assertEqual(self.by_rule(self.in_new_folder(bare)), of_bare)

    def baseline_of(self, program, *arguments):
        baseline = self.top / "baseline.json"
        self.tool("check", self.in_new_folder(program), "--write-baseline", baseline, *arguments)
        return baseline

    def states(self, run, baseline):
        return {(finding["rule"], finding["baseline"])
                for finding in self.findings(run, "--baseline", baseline)}

    def test_a_stripped_copy_of_the_same_build(self):
        """Where it is in the code, by build id, is what a build and its stripped copy share."""
        whole = self.build("whole", NATIVE, "-O2", "-g", "-Wl,--build-id=sha1")
        bare = self.strip("bare", whole)
        other = self.strip("other", self.build("more", NATIVE, "-O2", "-DSAVE=store",
                                               "-Wl,--build-id=sha1"))
        names = subprocess.run(["nm", bare], check=False, capture_output=True, text=True)
        self.assertIn("no symbols", names.stderr)
        for first, second in ((whole, bare), (bare, whole)):
            baseline = self.baseline_of(first, "--for-stripped")
            states = self.states(self.in_new_folder(second), baseline)
            self.assertEqual({state for _, state in states}, {"unchanged"}, states)
            self.assertIn("window-overlap", {rule for rule, _ in states})
            # Without it functions are all that is compared, and a stripped copy has none.
            states = self.states(self.in_new_folder(second), self.baseline_of(first))
            self.assertIn(("window-overlap", "new"), states)
        baseline = self.baseline_of(whole, "--for-stripped")
        self.assertIn(("window-overlap", "new"), self.states(self.in_new_folder(other), baseline))

    def test_a_stripped_copy_that_does_more(self):
        """A stripped copy's findings of one module are one: it is known where all of it is."""
        source = NATIVE.replace("int main() {", """
            void (*volatile twin)(const char* const&) = [](const char* const& name) {
              close(open(name, O_CREAT | O_WRONLY | O_EXCL, 0606)); };
            int main(int count, char**) {""").replace('saver("hit")',
                                                      'saver("hit"); if (count > 1) twin("two")')
        whole = self.build("whole", source, "-O2", "-Wl,--build-id=sha1")
        bare = self.strip("bare", whole)
        baseline = self.baseline_of(whole, "--for-stripped")
        shutil.rmtree(self.work)
        self.work.mkdir()
        run = self.record(bare, "more")[1]
        self.assertEqual(sorted(os.listdir(self.work)), ["hit", "two"])
        self.assertIn(("window-overlap", "new"), self.states(run, baseline))

    def test_a_build_without_an_id(self):
        whole = self.build("whole", NATIVE, "-O2", "-Wl,--build-id=none")
        bare = self.strip("bare", whole)
        baseline = self.baseline_of(whole, "--for-stripped")
        self.assertIn(("window-overlap", "new"), self.states(self.in_new_folder(bare), baseline))
        self.assertEqual({state for _, state in self.states(self.in_new_folder(whole), baseline)},
                         {"unchanged"})

    def test_the_function_that_was_hit(self):
        one = self.by_rule(self.in_new_folder(self.build("a", NATIVE, "-O1")))
        other = self.by_rule(self.in_new_folder(self.build("b", NATIVE, "-O1", "-DSAVE=store")))
        self.assertFalse(one["window-overlap"] & other["window-overlap"])
        self.assertEqual(one["getter-idiom"], other["getter-idiom"])

    def test_lambdas(self):
        """Whatever of std:: was inlined around them, and with debugging information or without."""
        prints = [self.prints(self.in_new_folder(self.build(name, LAMBDA, *flags)))
                  for name, *flags in (("a", "-O0", "-g"), ("b", "-O2", "-g"), ("c", "-O2"))]
        self.assertEqual({rule for rule, _ in prints[0]}, {"getter-idiom"})
        self.assertEqual(prints[1], prints[0])
        self.assertEqual(prints[2], prints[0])

    def test_a_baseline_of_another_build_knows_what_was_inlined(self):
        source = NATIVE.replace("volatile ", "const ")
        plain = self.build("plain", source, "-O0", "-g")
        quick = self.build("quick", source, "-O3", "-g")
        for first, second in ((plain, quick), (quick, plain)):
            baseline = self.top / "baseline.json"
            self.tool("check", self.in_new_folder(first), "--write-baseline", baseline)
            found = self.findings(self.in_new_folder(second), "--baseline", baseline)
            self.assertEqual({finding["baseline"] for finding in found}, {"unchanged"}, found)


class Scripts(Prints):
    def race(self, **names):
        script = self.top / "race.py"
        script.write_text(RACE.format(**names), encoding="utf-8")
        return self.prints(self.in_new_folder("/usr/bin/python3", script))

    def test_python_functions(self):
        one = self.race(setter="read_mask", maker="save")
        self.assertEqual({rule for rule, _ in one} & {"window-overlap"}, {"window-overlap"})
        self.assertEqual(self.race(setter="read_mask", maker="save"), one)
        setter = self.race(setter="ask", maker="save")
        maker = self.race(setter="read_mask", maker="store")
        self.assertFalse({pair for pair in setter if pair[0] == "window-overlap"} & one)
        self.assertFalse({pair for pair in maker if pair[0] == "window-overlap"} & one)

    @needs("make")
    def test_who_started_a_program_of_the_system(self):
        """mkdir -m 0777 of a makefile and of two functions of a script are three findings."""
        makefile, script = self.top / "Makefile", self.top / "deploy.sh"
        makefile.write_text("all:\n\tmkdir -m 0777 by-make\n", encoding="utf-8")
        script.write_text("#!/bin/bash\none() { mkdir -m 0777 a; }\ntwo() { mkdir -m 0777 b; }\n"
                          "one\ntwo\ntrue\n", encoding="utf-8")
        script.chmod(0o755)
        made = self.prints(self.in_new_folder("make", "-f", makefile))
        self.assertEqual(os.listdir(self.work), ["by-make"])
        deployed = self.prints(self.in_new_folder("bash", script))
        writable = [{pair for pair in prints if pair[0] == "world-writable"}
                    for prints in (made, deployed)]
        self.assertEqual([len(prints) for prints in writable], [1, 2])
        self.assertFalse(writable[0] & writable[1])


@needs("g++")
class Baselines(Compiled):
    def test_reviewed_line_by_line(self):
        program = self.build("app", NATIVE, "-O0", "-g")
        run = self.in_new_folder(program)
        baseline = self.top / "baseline.json"
        self.tool("check", run, "--write-baseline", baseline)
        text = baseline.read_text(encoding="utf-8")
        known = json.loads(text)
        self.assertEqual(known["version"], 2)
        entries = known["findings"]
        self.assertEqual(len([line for line in text.splitlines() if '"fingerprint"' in line]),
                         len(entries))
        overlap, = [entry for entry in entries if entry["rule"] == "window-overlap"]
        self.assertEqual(overlap["program"], "app")
        self.assertTrue(overlap["place"].endswith("in (anonymous namespace)::probe"), overlap)
        self.assertIn("app.cc:", overlap["place"])
        self.assertIn(" in (anonymous namespace)::save<", overlap["hit"])
        self.assertRegex(overlap["first_seen"], r"^\d{4}-\d\d-\d\d$")
        # What was seen before keeps its date.
        baseline.write_text(text.replace(overlap["first_seen"], "2020-01-01"), encoding="utf-8")
        self.tool("check", run, "--write-baseline", baseline)
        self.assertEqual({entry["first_seen"]
                          for entry in json.loads(baseline.read_text())["findings"]},
                         {"2020-01-01"})

if __name__ == "__main__":
    harness.main()
