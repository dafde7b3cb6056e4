"""What our own calls could leave in a program: descriptors, signals, errno, and what they take for
known. The program looks at itself; bare and audited it must see the same."""

import json
import os

from lib import harness
from lib.harness import Case, SHIM

# Prints what it sees of itself, a line for each moment.
LOOKS = """
import ctypes, os, signal, subprocess, sys

def look(moment):
    names = sorted(int(name) for name in os.listdir("/proc/self/fd"))
    masks = [line.split() for line in open("/proc/self/status")
             if line.startswith(("SigBlk", "SigPnd", "ShdPnd"))]
    print(moment, names, masks, flush=True)

look("start")
os.umask(0o027)
os.mkdir("d")
look("events")
open("text", "w").close()
os.chmod("text", 0o755)
open("script", "w").write("#!/bin/sh\\nls /proc/self/fd | tr '\\n' ' '\\n")
os.chmod("script", 0o755)
for target in ("./script", "/bin/true", "/bin/mount", "./text", "./d", "./missing"):
    for how in ("spawn", "exec"):
        sys.stdout.flush()
        try:
            if how == "spawn":
                os.waitpid(os.posix_spawn(target, [target], os.environ), 0)
            elif target in ("./text", "./d", "./missing"):
                os.execve(target, [target], os.environ)
        except OSError as error:
            print(how, target, error.errno)
        look(how + target)
for _ in range(3):
    child = os.fork()
    if child == 0:
        look("child")
        os._exit(0)
    os.waitpid(child, 0)
look("forked")
libc = ctypes.CDLL(None, use_errno=True)
for name in (b"n1", b"n2", b"n3", b"n3", b"n1", b"n4"):
    ctypes.set_errno(77)
    fd = libc.open(name, os.O_CREAT | os.O_WRONLY, 0o640)
    print("open", fd, ctypes.get_errno())
    os.close(fd)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGPIPE])
signal.raise_signal(signal.SIGPIPE)  # the thread's, as is what a write to nobody raises
os.umask(0o022)
look("pending")
"""

IDS = """
import os
os.setegid(4242)
open("file", "w").close()
os.setegid(0)
os.setresgid(11, 12, 12)
os.setresuid(0, 13, 0)
if os.fork() == 0:
    os.mkdir("directory")
    os._exit(0)
os.wait()
"""

NAMES = """
import os
for name in ("eight-ch1", "eight-ch2", "eight-ch23", "8letters" * 4 + "a", "8letters" * 4 + "b"):
    os.mkdir(name)
    there = os.open(name, os.O_PATH)
    os.close(os.open("by-descriptor", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=there))
    os.rename(name, name + "-moved")
    os.close(os.open("afterwards", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=there))
    os.close(there)
"""

# As fast as it goes: a name is believed for 20 us.
MOVES = """
import ctypes, os
libc = ctypes.CDLL(None)
openat, rename, close = libc.openat, libc.rename, libc.close
os.mkdir("0")
there = os.open("0", os.O_PATH)
flags, mode = ctypes.c_int(os.O_CREAT | os.O_WRONLY), ctypes.c_uint(0o600)
for i in range(200):
    a, b, old, new = b"a%d" % i, b"b%d" % i, b"%d" % i, b"%d" % (i + 1)
    first = openat(there, a, flags, mode)
    rename(old, new)
    second = openat(there, b, flags, mode)
    close(first)
    close(second)
"""


class Leftovers(Case):
    def setUp(self):
        super().setUp()
        self.rounds = 0

    def look(self, program, *prefix, **environment):
        """What the program prints, in a fresh directory, with nobody at the end of its stderr."""
        self.rounds += 1
        place = self.work / str(self.rounds)
        place.mkdir()
        reader, writer = os.pipe()
        os.close(reader)
        try:
            result = self.execute(*prefix, "/usr/bin/python3", "-c", program, cwd=place,
                                  env=environment, pass_fds=(writer,), preexec_fn=lambda:
                                  (os.dup2(writer, 2), os.close(writer)))
        finally:
            os.close(writer)
        self.assertEqual(result.returncode, 0, result.stdout)
        return result.stdout.decode().splitlines()

    def test_recorded(self):
        bare = self.look(LOOKS)
        run = self.new_run()
        run.mkdir()
        self.assertEqual(self.look(LOOKS, LD_PRELOAD=SHIM, UMASKAUDIT_OPTIONS=f"trace={run}"), bare)
        self.assertGreater(len(list(run.iterdir())), 0)

    def test_logged_to_a_file(self):
        bare = self.look(LOOKS)
        log = self.top / "log"
        self.assertEqual(self.look(LOOKS, LD_PRELOAD=SHIM, UMASKAUDIT_OPTIONS=f"log={log}"), bare)
        self.assertGreater(log.stat().st_size, 0)

    def test_logged_to_nobody(self):
        bare = self.look(LOOKS)
        self.assertEqual(self.look(LOOKS, LD_PRELOAD=SHIM, UMASKAUDIT_OPTIONS="log=stderr"), bare)

    def test_ids(self):
        if os.geteuid() != 0:
            self.skipTest("needs root to have other ids")
        self.top.chmod(0o755)
        self.work.chmod(0o777)
        _, run = self.record("/usr/bin/python3", "-c", IDS)
        report = self.report(run)
        for event in report.of("create", created=True):
            status = os.stat(event["path"])
            self.assertEqual((event["uid"], event["gid"]), (status.st_uid, status.st_gid))
        self.assertEqual({os.stat(self.work / "file").st_gid}, {4242})
        started = [json.dumps(event) for event in report.of("process")][-1]
        self.assertEqual([json.loads(started)[key] for key in ("uid", "euid", "gid", "egid")],
                         [0, 13, 11, 12])

    def test_names(self):
        _, run = self.record("/usr/bin/python3", "-c", NAMES)
        seen = [(event["path_arg"], event["path"]) for event in self.report(run).of("create")
                if event["path_arg"] in ("by-descriptor", "afterwards")]
        wanted = []
        for name in ("eight-ch1", "eight-ch2", "eight-ch23", "8letters" * 4 + "a",
                     "8letters" * 4 + "b"):
            wanted.append(("by-descriptor", f"{self.work}/{name}/by-descriptor"))
            wanted.append(("afterwards", f"{self.work}/{name}-moved/afterwards"))
        self.assertEqual(seen, wanted)

    def test_names_of_a_directory_that_moves(self):
        _, run = self.record("/usr/bin/python3", "-c", MOVES)
        seen = {event["path_arg"]: event["path"] for event in self.report(run).of("create")
                if event["path_arg"][0] in "ab"}
        wanted = {f"a{i}": f"{self.work}/{i}/a{i}" for i in range(200)}
        wanted |= {f"b{i}": f"{self.work}/{i + 1}/b{i}" for i in range(200)}
        self.assertEqual(seen, wanted)


if __name__ == "__main__":
    harness.main()
