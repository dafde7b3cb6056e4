"""Names that come and go other than by rename and unlink of a path: exchanged ones, those of POSIX
IPC objects, and what a descriptor leads to. Ground truth: lstat(2), and what is left on disk."""

import contextlib
import os
import sqlite3

from lib import harness
from lib.harness import Case, truths_of, victim

EXCHANGE = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def renamed(*names, flags):
    if libc.renameat2(-100, names[0], -100, names[1], flags) != 0:
        raise SystemExit(77)
os.mkdir("dir", 0o700)
open("dir/below", "x").close()
open("file", "x").close()
renamed(b"file", b"dir", flags=2)
open("plain", "x").close()
renamed(b"plain", b"moved", flags=1)
"""

UNLINK_BY_NUMBER = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
name = f"/umaskaudit-number-{os.getpid()}".encode()
if libc.mq_open(name, os.O_CREAT | os.O_RDWR, 0o600, None) < 0:
    sys.exit(77)
number = {"x86_64": 241, "aarch64": 181}[os.uname().machine]
assert libc.syscall(number, name[1:]) == 0
assert libc.syscall(number, name[1:]) == -1
print(name.decode())
"""

BY_DESCRIPTOR = """
import os
for name in ("before", "gone"):
    fd = os.open(name, os.O_RDWR)
    if name == "gone":
        os.unlink(name)
    os.fchmod(fd, 0o640)
os.fchmod(os.open("dir", os.O_RDONLY | os.O_DIRECTORY), 0o750)
os.fchmod(os.pipe()[0], 0o600)
"""


# Directories and objects by the links of proc(5), a descriptor's number used twice.
BY_PROC_LINK = """
import os, socket
os.umask(0o027)
for name in ("one", "two"):
    os.mkdir(name)
    fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY)
    os.close(os.open(f"/proc/self/fd/{fd}/file", os.O_CREAT | os.O_WRONLY, 0o666))
    os.mkdir(f"/dev/fd/{fd}/dir", 0o777)
    os.mkfifo(f"/proc/thread-self/fd/{fd}/fifo", 0o666)
    os.close(os.open(f"/proc/{os.getpid()}/fd/{fd}/dir/below", os.O_CREAT | os.O_WRONLY, 0o666))
    os.close(os.open(f"/proc/self/cwd/{name}/cwd", os.O_CREAT | os.O_WRONLY, 0o666))
    os.rename(f"/proc/self/fd/{fd}/file", f"/proc/self/fd/{fd}/renamed")
    os.link(f"/proc/self/fd/{fd}/cwd", f"/proc/self/fd/{fd}/linked")
    below = os.open(f"{name}/dir/below", os.O_RDONLY)
    os.chmod(f"/proc/self/fd/{below}", 0o604)
    os.chmod(f"/proc/self/fd/{fd}", 0o701)
    os.close(below)
    end = socket.socket(socket.AF_UNIX)
    end.bind(f"/proc/self/fd/{fd}/socket")
    end.close()
    os.close(fd)
"""


class Names(Case):
    def changes(self, run, columns="call, path, new_path, ino"):
        """The rows of the database about names and modes, in order."""
        file = self.top / "db"
        self.tool("export", run, "--format", "sqlite", "-o", file)
        with contextlib.closing(sqlite3.connect(file)) as database:
            return database.execute(f"SELECT {columns} FROM changes ORDER BY seq").fetchall()

    def record_or_skip(self, *command):
        result, run = self.record(*command, status=None)
        if result.returncode == 77:
            self.skipTest("this machine has no such call")
        self.assertEqual(result.returncode, 0, result.stderr.decode(errors="replace"))
        return result, run

    def test_an_exchange(self):
        _, run = self.record_or_skip("/usr/bin/python3", "-c", EXCHANGE)
        names = {name: str(self.work / name) for name in ("file", "dir", "plain", "moved")}
        self.assertTrue(os.path.isdir(names["file"]) and os.path.isfile(names["dir"]))
        self.assertEqual(self.changes(run), [
            ("renameat2", names["file"], names["dir"], os.lstat(names["dir"]).st_ino),
            ("renameat2", names["plain"], names["moved"], os.lstat(names["moved"]).st_ino)])
        self.assertEqual(self.changes(run, "new_path, exchanged"),
                         [(names["dir"], 1), (names["moved"], 0)])
        told = {line["path"]: (line["ino"], line["state"])
                for line in self.report(run).of("object")}
        paths = [names["file"], names["dir"], names["file"] + "/below", names["moved"]]
        self.assertEqual(told, {path: (os.lstat(path).st_ino, "there") for path in paths})
        text = self.tool("timeline", run, "--all")
        self.assertIn(f"renameat2 {names['file']} exchanged with {names['dir']}", text)
        self.assertIn(f"renameat2 {names['plain']} to {names['moved']}", text)

    def test_posix_ipc_names(self):
        result, run = self.record(victim("ipc_created"))
        names = list(dict.fromkeys(truth["name"] for truth in truths_of(result)))
        self.assertEqual(len(names), 2)
        expected = [(call, file + name[1:], None, 0) for name in names for call, file in (
            ("mq_unlink", "/dev/mqueue/"), ("shm_unlink", "/dev/shm/"),
            ("sem_unlink", "/dev/shm/sem."))]
        self.assertEqual([path for _, path, *_ in expected if os.path.lexists(path)], [])
        self.assertEqual(self.changes(run), expected)
        objects = self.report(run).of("object")
        self.assertEqual({line["kind"] for line in objects}, {"mqueue", "shm", "sem"})
        self.assertEqual([line for line in objects if line["state"] != "gone"], [])

    def test_a_queue_that_is_unlinked_by_number(self):
        result, run = self.record_or_skip("/usr/bin/python3", "-c", UNLINK_BY_NUMBER)
        name = result.stdout.decode().strip()
        self.assertEqual(self.changes(run), [("mq_unlink", "/dev/mqueue" + name, None, 0)])

    def test_modes_by_descriptor(self):
        (self.work / "dir").mkdir()
        for name in ("before", "gone"):
            (self.work / name).touch()
        identity = {name: os.lstat(self.work / name).st_ino for name in ("before", "gone", "dir")}
        _, run = self.record("/usr/bin/python3", "-c", BY_DESCRIPTOR)
        told = [(path, ino) for call, path, _, ino in self.changes(run) if call == "fchmod"]
        self.assertEqual(told[:3], [
            (str(self.work / "before"), identity["before"]), ("", identity["gone"]),
            (str(self.work / "dir"), identity["dir"])])
        self.assertEqual([path for path, _ in told[3:]], [""])

    def check_by_proc_link(self, *options):
        """Each object by the name and the mode that it has on disk."""
        run = self.new_run()
        self.tool("run", *options, "-o", run, "--", "/usr/bin/python3", "-S", "-c", BY_PROC_LINK,
                  cwd=self.work)
        report = self.report(run)
        for line in report.of("create"):
            self.assertFalse(line["path"].startswith(("/proc/", "/dev/")), line["path"])
        told = {line["path"]: line["mode"] for line in report.of("object", state="there")}
        disk = {}
        for directory, names, files in os.walk(self.work):
            for name in names + files:
                path = os.path.join(directory, name)
                disk[path] = harness.octal(os.lstat(path).st_mode & 0o7777)
        for path, mode in disk.items():
            if not path.endswith("/linked"):  # a second name of "cwd"
                self.assertEqual(told.get(path), mode, path)

    def test_by_links_of_proc(self):
        self.check_by_proc_link()


if __name__ == "__main__":
    harness.main()
