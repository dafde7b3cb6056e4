"""Interpreters whose structures are not where their version has them: copies of CPython and node in
which the tables for debuggers, which they do not use themselves, are wrong. The program runs as
ever; there are no frames of its script, none is a guess, and the report says so.

Must never change what the interpreter itself reads.
"""

import re
import shutil
import struct
import subprocess

from lib import harness
from lib.harness import needs
from lib.python_scripts import INTERPRETERS
from lib.script_stacks import StackCase

PYTHON = """\
import os, sys
def make(name):
    os.mkdir(sys.argv[1] + name)
for _ in range(8):
    os.umask(0o27)
make("/a")
make("/b")
print("done")
"""
NODE = """\
const fs = require('fs');
function make(name) {
  fs.mkdirSync(process.argv[2] + name);
}
for (let i = 0; i < 8; ++i)
  process.umask(0o27);
make('/a');
make('/b');
console.log('done');
"""
UNKNOWN_VERSION = "where this version has its structures is not known"
UNKNOWN_LAYOUT = "its structures are not where its version has them"


def offset_in_file(binary, symbol):
    """Where the initial value of a variable is."""
    def said(*options):
        return subprocess.run(["readelf", "-W", *options, binary], capture_output=True, check=True,
                              text=True).stdout

    address, = {int(at, 16) for at in re.findall(
        rf": ([0-9a-f]+) +\S+ +OBJECT +\S+ +\S+ +\d+ {re.escape(symbol)}(?:@\S+)?$",
        said("--dyn-syms"), re.MULTILINE)}
    for offset, begin, size in re.findall(
            r"^  LOAD +0x(\w+) 0x(\w+) 0x\w+ 0x(\w+) ", said("-l"), re.MULTILINE):
        if int(begin, 16) <= address < int(begin, 16) + int(size, 16):
            return int(offset, 16) + address - int(begin, 16)
    raise AssertionError(f"{symbol} is in no segment")


def word_of(file, offset):
    with open(file, "rb") as binary:
        binary.seek(offset)
        return struct.unpack("<Q", binary.read(8))[0]


def put(file, offset, content):
    with open(file, "r+b") as binary:
        binary.seek(offset)
        binary.write(content)


class Layouts(StackCase):
    def check(self, name, text, reason, *command, env=None):
        program = self.top / name
        program.write_text(text)
        harness.remove_tree(self.work)
        self.work.mkdir()
        run = self.check_same(*command, program, self.work, env=env)
        made = self.recorded(self.report(run))
        self.assertEqual([made[f"{self.work}/{name}"] for name in "ab"], [[], []])
        said = self.tool("report", run)
        self.assertIn(reason, re.sub(r"\s+", " ", said))


NO_PROFILER = 96  # where a thread state of 3.13 has the profiler's object: none


class Python(Layouts):
    language = "Python"

    def test_wrong_tables(self):
        """Of 3.13: what follows the cookie of _PyRuntime, in words: version, and the structures
        beginning with that of the interpreter's state (cpython_layout.cc)."""
        python = next((path for path in INTERPRETERS if "3.13" in path), None)
        if python is None:
            self.skipTest("no CPython 3.13 is installed")
        loaded = subprocess.run(["ldd", python], capture_output=True, check=True, text=True).stdout
        library = re.search(r"(libpython3\.13\S*) => (\S+)", loaded)
        if library is None:
            self.skipTest(f"{python} has no library of its own")
        copy = self.top / library[1]
        table = offset_in_file(library[2], "_PyRuntime")
        thread = 18
        frame = thread + 9
        code = frame + 6
        # No memory is mapped there: a reader that loads from it without a test crashes.
        of_kernel = word_of(library[2], table + 8 * (1 + thread + 6))
        for what, word, value, reason in (
                ("version", 0, 0x03_0c_00_f0, UNKNOWN_VERSION),
                ("free threads", 1, 1, UNKNOWN_VERSION),
                ("name of the file", code + 1, 8, UNKNOWN_VERSION),
                ("the thread's frame, in the text of a name", thread + 4, 0xf0f, UNKNOWN_LAYOUT),
                ("the thread's frame, the kernel's number", thread + 4, of_kernel, UNKNOWN_LAYOUT),
                ("the thread's frame, a null pointer", thread + 4, NO_PROFILER, UNKNOWN_LAYOUT),
                ("caller", frame + 1, 3, UNKNOWN_LAYOUT),
                ("code", frame + 2, 8, UNKNOWN_LAYOUT)):
            with self.subTest(what=what):
                shutil.copy(library[2], copy)
                put(copy, table + 8 * (1 + word), struct.pack("<Q", value))
                self.check("program.py", PYTHON, reason, python,
                           env={"LD_LIBRARY_PATH": str(self.top)})


@needs("node")
class Node(Layouts):
    language = "JavaScript"

    def test_wrong_tables(self):
        node = shutil.which("node")
        copy = self.top / "node"
        for symbol, value, reason in (
                ("v8dbg_SmiShiftSize", 0, UNKNOWN_VERSION),
                ("v8dbg_FirstNonstringType", -1, UNKNOWN_VERSION),
                ("v8dbg_class_JSFunction__shared__SharedFunctionInfo", 72, UNKNOWN_VERSION),
                ("v8dbg_type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE", 1, UNKNOWN_LAYOUT),
                ("v8dbg_type_JSFunction__JS_FUNCTION_TYPE", 1, UNKNOWN_LAYOUT)):
            with self.subTest(symbol=symbol):
                shutil.copy(node, copy)
                put(copy, offset_in_file(node, symbol), struct.pack("<i", value))
                self.check("program.js", NODE, reason, copy)


if __name__ == "__main__":
    harness.main()
