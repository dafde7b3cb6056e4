"""The shim as a file, beside what tests/e2e/test_shim.py checks: it brings no second run-time
library into a program, hardens what it maps, and takes little of a caller's stack.

TEST_SHIM and TEST_STACK_PROBE name the files; tap.py and harness.py are in tests/e2e/lib."""

import os
import re
import subprocess
import tempfile
import unittest

from lib import tap

SHIM = os.environ["TEST_SHIM"]
STACK_PROBE = os.environ["TEST_STACK_PROBE"]
# With more room, the most: a call that is the first to meet a module takes 4,168 bytes.
LARGEST_STACK = 4300
# What tests/bench/costs.md says of stacks of which nothing is known, in bytes beside libc's own: a
# function, a call by its number, the start of a program. The shim asks for more than the largest
# (kStackForCall and kStackForExec in preload/sys/own_stack.h).
SMALL_STACK = 1664
SMALL_STACK_BY_NUMBER = 2016
SMALL_STACK_TO_START = 1440
# The live log builds its line on the same stack.
SMALL_STACK_LOGGING = 420
STARTS = ("execve", "vfork-execve", "posix_spawn", "fork")


def readelf(*options):
    return subprocess.run(["readelf", "-W", *options, SHIM], check=True, capture_output=True,
                          text=True).stdout


def segments():
    """type -> flags of each program header."""
    return dict(re.findall(r"^  (\w+) +0x\w+ 0x\w+ 0x\w+ 0x\w+ 0x\w+ ([RWE ]{3})",
                           readelf("-l"), re.MULTILINE))


def undefined_names():
    return {line.split()[7].split("@")[0] for line in readelf("--dyn-syms").splitlines()
            if " UND " in line and len(line.split()) >= 8}


class File(unittest.TestCase):
    def test_no_cxx_runtime_is_needed(self):
        foreign = {name for name in undefined_names()
                   if re.match(r"_Zn|_Zd|_ZSt|_ZN|_ZT|__cxa_(?!finalize$)|__gxx_|_Unwind_", name)}
        self.assertEqual(foreign, set())

    def test_nothing_undefined_allocates_or_prints(self):
        # dlsym allocates for its error texts, but only of names that do not exist.
        heavy = undefined_names() & {
            "malloc", "calloc", "realloc", "free", "strdup", "printf", "fprintf", "snprintf",
            "setlocale", "getenv_r", "pthread_mutex_lock", "pthread_once", "__tls_get_addr"}
        self.assertEqual(heavy, set())

    def test_relocations_become_read_only(self):
        self.assertIn("GNU_RELRO", segments())

    def test_the_stack_stays_not_executable(self):
        self.assertEqual(segments()["GNU_STACK"].strip(), "RW")

    def test_no_page_is_writable_and_executable(self):
        for line in readelf("-l").splitlines():
            if line.startswith("  LOAD"):
                self.assertNotIn("RWE", line)

    def test_no_text_relocations_and_no_dynamic_initialisers_beyond_the_constructor(self):
        self.assertNotIn("TEXTREL", readelf("-d"))
        size = re.search(r"INIT_ARRAYSZ\)\s+(\d+)", readelf("-d"))
        # frame_dummy of crtbegin, and construct(): a C++ initialiser would be a third entry, and
        # would wipe what was recorded before it ran.
        self.assertLessEqual(int(size.group(1)), 16)


class Stack(unittest.TestCase):
    """How deep a call goes, on a painted stack, with the preload and without."""

    def run_probe(self, kind, environment, *name):
        with tempfile.TemporaryDirectory(prefix="umaskaudit-stack-") as directory:
            work = os.path.join(directory, "work")
            os.mkdir(work)
            ours = {name: value.replace("RUN", os.path.join(directory, "run"))
                    for name, value in environment.items()}
            clean = {name: value for name, value in os.environ.items()
                     if name not in ("LD_PRELOAD", "UMASKAUDIT_OPTIONS")}
            output = subprocess.run([STACK_PROBE, kind, work, *name], check=True,
                                    capture_output=True, text=True, env={**clean, **ours}).stdout
        return {name: int(size) for name, size in (line.split() for line in output.splitlines())}

    def depths(self, kind, **environment):
        """One call after the other, and each as the first of a process, which writes the most."""
        depths = self.run_probe(kind, environment)
        for name in depths:
            depths[name] = max(depths[name], self.run_probe(kind, environment, name)[name])
        return depths

    def check(self, kind, options, limit):
        bare = self.depths(kind)
        ours = self.depths(kind, LD_PRELOAD=SHIM, UMASKAUDIT_OPTIONS=options)
        self.assertEqual(bare.keys(), ours.keys())
        self.assertGreater(len(bare), 25)
        for name, size in bare.items():
            with self.subTest(call=name):
                self.assertLess(ours[name] - size, limit(name), f"{ours[name]} against {size}")

    @staticmethod
    def small_limit(name):
        if name in STARTS:
            return SMALL_STACK_TO_START
        return SMALL_STACK_BY_NUMBER if name.startswith("raw-") else SMALL_STACK

    def test_recording(self):
        self.check("thread", "log=off:trace=RUN", lambda _: LARGEST_STACK)

    def test_logging(self):
        self.check("thread", "log=/dev/null", lambda _: LARGEST_STACK)

    def test_recording_on_a_small_stack(self):
        self.check("coroutine", "log=off:trace=RUN", self.small_limit)

    def test_logging_on_a_small_stack(self):
        for form in ("text", "json"):
            self.check("coroutine", f"log=/dev/null:log_format={form}",
                       lambda name: self.small_limit(name) + SMALL_STACK_LOGGING)


if __name__ == "__main__":
    tap.main()
