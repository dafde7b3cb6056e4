"""Every way to create: what the kernel says of each object is what the report says, and no more.

The routes come from preload/interceptors.def: a row without a route does not pass.
"""

import importlib.machinery
import importlib.util
import os
from pathlib import Path

from lib import harness
from lib import mounts
from lib.harness import Case, truths_of, victim
from lib.routes import NOBODY, RoutesCase

SCRIPTS = Path(__file__).parent.parent.parent / "scripts"
# The calls of the kernel that make something with a mode.
CREATING = ("open", "openat", "openat2", "creat", "mkdir", "mkdirat", "mknod", "mknodat", "bind",
            "mq_open")


def calls_script():
    """scripts/calls, which reads the table as the compiler does."""
    loader = importlib.machinery.SourceFileLoader("calls", str(SCRIPTS / "calls"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("calls", loader))
    loader.exec_module(module)
    return module


class Routes(RoutesCase):
    def test_each_row_has_a_route(self):
        calls = calls_script()
        routes = self.execute(victim("routes"), "--list").stdout.decode().split()
        self.assertEqual(len(routes), len(set(routes)))
        rows = [(name, number) for shape, name, kind, _, number in calls.table_rows()
                if kind in calls.MADE and shape != "implied"]
        self.assertGreater(len(rows), 35)
        wanted = {name for name, _ in rows}
        wanted |= {f"syscall:{name}" for name, number in rows if number.startswith("SYS_")}
        if os.uname().machine == "x86_64":  # others have no open, mkdir, ... without "at"
            wanted |= {f"syscall:{call}" for call in CREATING}
        self.assertEqual(wanted - set(routes), set())

    def go(self, filesystem, user=None):
        place = mounts.directory_on(self, filesystem)
        self.addCleanup(harness.remove_tree, place)
        self.assertEqual(mounts.type_of(place), filesystem)
        self.check_routes(place, user)

    def test_ext4(self):
        self.go("ext4")

    def test_tmpfs(self):
        self.go("tmpfs")

    def test_ext4_as_an_ordinary_user(self):
        self.go("ext4", NOBODY)

    def test_tmpfs_as_an_ordinary_user(self):
        self.go("tmpfs", NOBODY)


class ImpliedNames(Case):
    """Functions that open a name of libc's own."""

    def test_each_row(self):
        if os.geteuid() != 0:
            self.skipTest("chroot(2) needs root")
        rows = {name for shape, name, *_ in calls_script().table_rows() if shape == "implied"}
        result, run = self.record(victim("implied_names"), self.work)
        truths = truths_of(result)
        self.assertEqual({truth["call"] for truth in truths}, rows)
        report = self.report(run)
        made = [event for event in report.of("create", created=True) if event["call"] in rows]
        self.assertEqual([{key: event[key] for key in truths[0]} for event in made], truths)


class Libraries(Case):
    """Libraries that create for their caller: seen where they call libc."""

    def write(self, module, library, code):
        if self.execute("/usr/bin/python3", "-c", f"import {module}").returncode != 0:
            self.skipTest(f"python3 has no {module}")
        program = f"import os, {module}\nos.umask(0o026)\n{code}\nos.umask(0o022)\n"
        result, run = self.record("/usr/bin/python3", "-c", program)
        self.assertEqual(result.stderr.count(b"Traceback"), 0, result.stderr)
        report = self.report(run)
        files = {path.stat().st_ino: path for path in self.work.iterdir()}
        self.assertGreaterEqual(len(files), 1)
        seen = {}  # what is gone again, as a journal, had a name of its own
        for event in report.of("create", created=True):
            self.assertEqual(event["mask"], "0026", event)
            self.assertIn(library, event["stack"][0]["module"], event)
            if os.path.basename(event["path"]).startswith(("base", "__db.base")):
                seen[event["ino"]] = event
        self.assertEqual(set(files) - set(seen), set())
        for ino, path in files.items():
            self.assertEqual(seen[ino]["final"], harness.octal(path.stat().st_mode & 0o7777))
        self.check_disk(report, 0)

    def test_sqlite(self):
        self.write("sqlite3", "libsqlite3", "c = sqlite3.connect('base')\n"
                   "c.execute('create table t (x)')\nc.execute('insert into t values (1)')\n"
                   "c.commit()\nc.close()")

    def test_gdbm(self):
        self.write("dbm.gnu", "libgdbm", "d = dbm.gnu.open('base', 'n', 0o664)\nd['a'] = 'b'\n"
                   "d.close()")

    def test_berkeley_db(self):
        self.write("dbm.ndbm", "libdb", "d = dbm.ndbm.open('base', 'n', 0o664)\nd['a'] = 'b'\n"
                   "d.close()")


if __name__ == "__main__":
    harness.main()
