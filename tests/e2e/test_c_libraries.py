"""Which C libraries the shim loads in: musl, and glibc without the functions of newer versions."""

import os
import re
import subprocess
import unittest
from pathlib import Path

from lib import harness
from lib.harness import Case, needs, truths_of, victim

TABLE = Path(__file__).parent.parent.parent / "preload" / "sys" / "libc_names.def"


def rows(macro):
    return set(re.findall(rf"^{macro}\(\w+, (\w+)\)", TABLE.read_text(), re.MULTILINE))


@needs("readelf")
class Needs(Case):
    def test_no_version_of_any_symbol(self):
        """Nothing of glibc that is newer than the file, whatever it was built with."""
        result = subprocess.run(["readelf", "-W", "-V", harness.SHIM], check=True,
                                capture_output=True, text=True)
        self.assertNotIn("Version needs", result.stdout)

    def test_only_what_all_libraries_have(self):
        result = subprocess.run(["readelf", "-W", "--dyn-syms", harness.SHIM], check=True,
                                capture_output=True, text=True)
        needed, optional = set(), set()
        for line in result.stdout.splitlines():
            words = line.split()
            if len(words) >= 8 and words[6] == "UND":
                (optional if words[4] == "WEAK" else needed).add(words[7].split("@")[0])
        self.assertIn("__errno_location", needed)
        self.assertEqual(needed - rows("NEEDED"), set())
        self.assertIn("_dl_find_object", optional)
        self.assertEqual(optional - rows("OPTIONAL"), set())
        # Each is looked up at every start.
        if os.uname().machine == "x86_64":
            self.assertLessEqual(len(needed | optional), 10)


def musl(name):
    """A victim that musl-gcc built; skips where it is not installed."""
    program = victim(name)
    if not os.path.exists(program):
        raise unittest.SkipTest("musl-tools is not installed")
    return program


class Loader(Case):
    def test_a_program_that_its_own_loader_starts(self):
        """ld.so has no PT_INTERP, as a static program has none; what it loads is recorded."""
        head = subprocess.run(["readelf", "-W", "-l", "/bin/mkdir"], check=True,
                              capture_output=True, text=True).stdout
        loader = re.search(r"program interpreter: (\S+)\]", head)[1]
        result, run = self.record(loader, "/bin/mkdir", "-m", "750", self.work / "made")
        self.assertNotIn(b"cannot be audited", result.stderr)
        report = self.report(run)
        self.assertEqual(report.of("blind_spot"), [])
        event, = report.creations()[str(self.work / "made")]
        mode = (self.work / "made").stat().st_mode & 0o7777
        self.assertEqual(event["final"], harness.octal(mode))


class OldGlibc(Case):
    """A shim that does not find what glibc has not had for ever: other names are in its table."""

    def setUp(self):
        super().setUp()
        code = Path(harness.SHIM).read_bytes()
        for name in ("_dl_find_object", "dlsym", "dlvsym", "__libc_single_threaded",
                     "strerrordesc_np"):
            self.assertIn(f"\0{name}\0".encode(), code)
            code = code.replace(f"\0{name}\0".encode(), f"\0{name[:-1]}~\0".encode())
        self.shim = self.top / Path(harness.SHIM).name
        self.shim.write_bytes(code)

    def trace(self, *command):
        run = self.new_run()
        result = self.preload(*command, options=f"trace={run}", env={"LD_PRELOAD": self.shim})
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        return result, self.report(run)

    def test_every_object(self):
        result, report = self.trace(victim("everyday"), self.work)
        self.check_truths(report, truths_of(result))
        self.assertEqual(report.of("loss") + report.of("blind_spot"), [])

    def test_stacks_are_the_same(self):
        """Of a library that is loaded later, too: its constructor changes the mask."""
        library = victim("libloaded_code_library.so")

        def stacks(report):
            return [[(Path(frame["module"]).name, frame.get("symbol")) for frame in event["stack"]]
                    for event in report.of("umask")]

        _, run = self.record(victim("loaded_code"), self.work, "dlopen", library)
        harness.remove_tree(self.work)
        self.work.mkdir()
        _, report = self.trace(victim("loaded_code"), self.work, "dlopen", library)
        expected = stacks(self.report(run))
        self.assertIn(Path(library).name, [stack[0][0] for stack in expected])
        self.assertEqual(stacks(report), expected)

    def test_old_versions_of_a_symbol(self):
        bare = truths_of(self.execute(victim("old_versions"), self.work))
        (self.work / "no-interpreter-line").unlink()
        result, _ = self.trace(victim("old_versions"), self.work)
        exits = [[truth for truth in truths if "exit" in truth]
                 for truths in (bare, truths_of(result))]
        self.assertEqual(exits[1], exits[0])
        self.assertEqual(len(exits[0]), 1)

    def test_an_error_has_a_number(self):
        result = self.preload("true", options="trace=/dev/null/run", env={"LD_PRELOAD": self.shim})
        self.assertEqual(result.returncode, 0)
        self.assertIn(b"(error 20); the program goes on unrecorded", result.stderr)


class Musl(Case):
    OBJECTS = 15

    def check(self, run, result):
        truths = truths_of(result)
        self.assertEqual(len(truths), self.OBJECTS)
        report = self.report(run)
        self.check_truths(report, truths)
        self.assertEqual(set(report.creations()), {truth["path"] for truth in truths})
        self.assertEqual(report.of("loss"), [])
        return report

    def test_every_object_of_a_program(self):
        bare = self.execute(musl("musl_workers"), self.empty("bare"))
        result, run = self.record(musl("musl_workers"), self.work)
        self.assertEqual(bare.stderr, b"")
        self.assertNotIn(b"cannot be audited", result.stderr)
        report = self.check(run, result)
        self.assertEqual(report.of("blind_spot"), [])
        # The stack of a mask change leads to the program, and out of the library's own call.
        change = report.of("umask")[0]
        self.assertEqual([frame["module"] for frame in change["stack"]][0], musl("musl_workers"))

    def test_every_object_of_a_child(self):
        result, run = self.record("sh", "-c", 'umask 077; "$0" "$1"; exit $?',
                                  musl("musl_workers"), self.work)
        self.check(run, result)

    def test_code_that_a_child_loads_after_a_fork_in_the_middle_of_a_load(self):
        """The parent's other thread was reading the list of loaded code: the child must not wait
        for it, nor do without."""
        library, children = musl("libmusl_makes_directory.so"), 60
        result, run = self.record(musl("musl_forks_while_loading"), self.work, library,
                                  str(children))
        self.assertEqual(result.returncode, 0, result.stderr)
        created = self.report(run).creations()
        self.assertEqual(set(created), {str(self.work / str(i)) for i in range(children)})
        makers = [event["stack"][0]["module"] for event, in created.values()]
        self.assertEqual(makers, [library] * children)

    def test_preloaded_by_hand(self):
        run = self.new_run()
        result = self.preload(musl("musl_workers"), self.work, options=f"trace={run}")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.check(run, result)

    def test_the_live_log(self):
        log = self.top / "log"
        result = self.preload(musl("musl_workers"), self.work, options=f"log={log}")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        for truth in truths_of(result):
            line, = [line for line in log.read_text().splitlines() if f'"{truth["path"]}"' in line]
            self.assertIn(f' = {truth["final"]} ', line)

    def test_a_static_program_runs_as_without_us(self):
        program = musl("musl_workers_static")
        bare = self.execute(program, self.empty("bare"))
        for how in ("preload", "record"):
            with self.subTest(how=how):
                work = self.empty(how)
                if how == "preload":
                    result = self.preload(program, work)
                    self.assertEqual(result.stderr, b"")
                else:
                    result, run = self.record("sh", "-c", '"$0" "$1"; exit $?', program, work)
                    report = self.report(run)
                    self.assertEqual(report.creations(), {})
                    self.assertTrue(report.of("blind_spot", reason="exec-static"), report.events)
                self.assertEqual(result.returncode, bare.returncode)
                self.assertEqual(self.modes(work), self.modes(self.work / "bare"))

    def empty(self, name):
        directory = self.work / name
        directory.mkdir()
        return directory

    @staticmethod
    def modes(directory):
        """Random names apart."""
        return sorted((re.sub(r"^template-.*", "template", path.name), path.stat().st_mode)
                      for path in directory.iterdir())


if __name__ == "__main__":
    harness.main()
