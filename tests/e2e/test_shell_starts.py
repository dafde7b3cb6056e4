"""Shells that libc starts itself, for system(3) and popen(3), and what a child of V8 executes: the
line of the script that called. No call of ours runs between the program's and the shell's start.

The truth is the text of the programs: each call makes a file that has the number of its line.
"""

import re

from lib import harness
from lib.harness import Case, needs

PYTHON = "/usr/bin/python3"

IN_TURN = """\
import ctypes, os
libc = ctypes.CDLL(None)
# in turn, each until it has ended
libc.popen.restype = ctypes.c_void_p
libc.pclose.argtypes = [ctypes.c_void_p]
for n in range(5):
    os.system(f"touch 7-{n}")
    libc.pclose(libc.popen(f"touch 8-{n}".encode(), b"r"))
    os.system(f"touch 9-{n}; touch 9-{n}-again")
"""

# Two shells of one thread live at once: it cannot be told which call started which.
AT_ONCE = """\
import ctypes
libc = ctypes.CDLL(None)
libc.popen.restype = ctypes.c_void_p
libc.pclose.argtypes = [ctypes.c_void_p]
for n in range(5):
    wait = b"read line; " # until its input ends
    first = libc.popen(wait + f"touch 7-{n}".encode(), b"w")
    second = libc.popen(f"touch 8-{n}".encode(), b"w")
    libc.pclose(second)
    libc.pclose(first)
"""

IN_THREADS = """\
import os, threading
ready = threading.Barrier(2)
def one(n):
    ready.wait()
    os.system(f"touch 5-{n}")
def two(n):
    ready.wait()
    os.system(f"touch 8-{n}")
for n in range(10):
    threads = [threading.Thread(target=made, args=(n,)) for made in (one, two)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
os.system("touch 13-after")
"""

NODE = """\
const {execSync, spawnSync, spawn} = require('child_process');
execSync('touch 2-sync');
function inner() { spawnSync('touch', ['3-spawned']); }
inner();
spawn('touch', ['5-later']);
"""

PHP = """\
<?php
exec('touch 2-exec');
system('touch 3-system');
pclose(popen('touch 4-popen', 'r'));
shell_exec('touch 5-shell');
"""


class ShellStarts(Case):
    def places(self, name, program, *command):
        """The line that the report names, by file that was made; empty: none."""
        (self.work / name).write_text(program, encoding="utf-8")
        run = self.record(*command, name)[1]
        text = self.tool("report", run, "--all")
        rows = re.findall(rf"^  (\d+-\S+) .*? touch \d+(?:.* {re.escape(name)}:(\d+))?.*$",
                          text.split("Objects created\n")[1], re.MULTILINE)
        return dict(rows)

    def check_all(self, places, count):
        self.assertEqual(len(places), count, places)
        self.assertEqual(places, {file: file.split("-")[0] for file in places})

    def test_in_turn(self):
        self.check_all(self.places("app.py", IN_TURN, PYTHON), 20)

    def test_at_once(self):
        """Never a wrong line."""
        places = self.places("app.py", AT_ONCE, PYTHON)
        self.assertEqual(len(places), 10, places)
        for file, line in places.items():
            self.assertIn(line, ("", file.split("-")[0]), places)

    def test_in_threads(self):
        places = self.places("app.py", IN_THREADS, PYTHON)
        self.assertEqual(len(places), 21, places)
        self.assertEqual(places["13-after"], "13")
        for file, line in places.items():
            self.assertIn(line, ("", file.split("-")[0]), places)

    @needs("node")
    def test_node(self):
        self.check_all(self.places("app.js", NODE, "node"), 3)

    @needs("php")
    def test_php(self):
        self.check_all(self.places("app.php", PHP, "php"), 4)


if __name__ == "__main__":
    harness.main()
