"""Programs that nobody here wrote: they behave as without the shim, and the report is true of them.

Each runs three times: bare and with LD_PRELOAD, which must not differ, and under the launcher with
strace as a second witness, whose umask and mkdir calls must be the report's.
"""

import os
import shutil
import unittest
from pathlib import Path

from lib import harness
from lib import witness
from lib.harness import Case, needs

BASH = "umask 027; mkdir -p a/b; touch f; mkfifo p; umask 077; echo x > g; (umask 0; echo > h)"

PYTHON = """
import os, subprocess, tempfile, threading
os.umask(0o027)
def work(number):
    for i in range(20):
        os.mkdir(f"d{number}-{i}")
        with open(f"f{number}-{i}", "w"):
            pass
threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
with tempfile.NamedTemporaryFile(dir=".", prefix="kept", delete=False) as file:
    os.rename(file.name, "kept")
with tempfile.TemporaryDirectory(dir=".") as name:
    open(os.path.join(name, "inside"), "w").close()
subprocess.run(["mkdir", "child"], umask=0o077, check=True)
os.mkfifo("fifo")
old = os.umask(0)
os.mkdir("wide")
os.umask(old)
print(oct(old))
"""

NODE = """
const fs = require('fs');
console.log(process.umask(0o027).toString(8));
fs.mkdirSync('a/b', {recursive: true});
fs.writeFileSync('f', 'x');
fs.renameSync(fs.mkdtempSync('t-'), 't');
require('child_process').execFileSync('mkdir', ['child']);
fs.promises.writeFile('g', 'y').then(() => console.log(process.umask().toString(8)));
"""

GIT = """
set -e
export GIT_AUTHOR_DATE='1000000000 +0000' GIT_COMMITTER_DATE='1000000000 +0000'
export GIT_CONFIG_NOSYSTEM=1 HOME=$PWD
git init -b main one
cd one
mkdir -p sub/dir
echo one > sub/dir/file
echo '#!/bin/sh' > script
chmod +x script
git -c user.name=a -c user.email=a@b add .
git -c user.name=a -c user.email=a@b commit -m first
cd ..
umask 027
git clone --no-hardlinks one two
git -C two log --format=%H
"""

TREE = """
umask 022
mkdir -p from/a/b from/empty
chmod 2750 from/a
echo 1 > from/a/one
echo 2 > from/a/b/two
chmod 4755 from/a/one
chmod 0640 from/a/b/two
ln -s one from/a/link
mkfifo -m 0604 from/pipe
"""


def postgres_bin():
    """Where Debian keeps initdb: not in PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return str(found[-1].parent) if found else on_path and os.path.dirname(on_path)


class RealPrograms(Case):
    def examine(self, *command, least, **options):
        """Same behaviour; then a true report. Returns it."""
        self.report(self.check_same(*command, **options))
        reason = witness.reason_not_to()
        if reason:
            self.skipTest(f"the same as without the shim; not compared with strace: {reason}")
        harness.remove_tree(self.work)
        self.work.mkdir()
        if "user" in options:
            os.chown(self.work, options["user"], options["group"])
        run, output = self.new_run(), self.top / "strace"
        output.touch()
        output.chmod(0o666)
        words = witness.command(output, harness.TOOL, "run", "-o", run, "--", *command)
        result = self.execute(*words, **options)
        self.assertEqual(result.returncode, 0, result.stderr.decode(errors="replace"))
        seen = witness.Witness(output)
        report = self.report(run)
        self.assertEqual(report.of("loss"), [])
        self.check_disk(report, least, {os.path.join(self.work, path) for path in seen.changed})
        self.check_witness(report, seen)
        return report

    def check_witness(self, report, seen):
        umasks, directories = {}, {}
        for event in report.of("umask"):
            pair = int(event["argument"], 8), int(event["old"], 8)
            umasks.setdefault(event["tid"], []).append(pair)
        for event in report.of("create", created=True):
            if event["call"] in ("mkdir", "mkdirat", "mkdtemp"):
                directories.setdefault(event["tid"], []).append(int(event["requested"], 8))
        self.assertEqual(umasks, seen.umasks)
        # The launcher, whose threads are in no report, makes the run directory.
        recorded = {event["tid"] for event in report.events if event["type"] != "object"}
        launcher = [modes for tid, modes in seen.directories.items() if tid not in recorded]
        self.assertEqual(launcher, [[0o700]])
        self.assertEqual(directories, {tid: modes for tid, modes in seen.directories.items()
                                       if tid in recorded})

    @needs("bash")
    def test_bash(self):
        report = self.examine("bash", "-c", BASH, least=6)
        modes = {path.rsplit("/", 1)[1]: events[0]["final"]
                 for path, events in report.creations().items()}
        self.assertEqual(modes, {"a": "0750", "b": "0750", "f": "0640", "p": "0640", "g": "0600",
                                 "h": "0666"})

    def test_python(self):
        report = self.examine("/usr/bin/python3", "-c", PYTHON, least=160)
        child = report.creations()[str(self.work / "child")][0]
        self.assertEqual(child["mask"], "0077")
        self.assertEqual(child["final"], "0700")

    @needs("node")
    def test_node(self):
        self.examine("node", "-e", NODE, least=5)

    @needs("git", "sh")
    def test_git(self):
        self.examine("sh", "-c", GIT, least=60)

    @needs("tar")
    def test_tar(self):
        self.execute("sh", "-c", TREE)
        self.execute("tar", "cf", self.top / "tree.tar", "from")
        self.examine("tar", "xf", self.top / "tree.tar", least=0)

    @needs("cp")
    def test_cp(self):
        self.execute("sh", "-c", TREE)
        os.rename(self.work / "from", self.top / "from")
        self.examine("cp", "-a", self.top / "from", "to", least=0)

    @unittest.skipUnless(postgres_bin(), "initdb is not installed; scripts/test --with-programs "
                                         "installs postgresql")
    def test_initdb(self):
        initdb = os.path.join(postgres_bin() or "", "initdb")
        words = [initdb, "-D", "data", "--no-sync", "-E", "UTF8", "--locale=C", "-U", "postgres"]
        self.examine(*words, least=500, **self.ordinary_user())


    def ordinary_user(self):
        """initdb refuses to run as root: the options that make somebody else of it."""
        if os.geteuid() != 0:
            return {}
        self.top.chmod(0o777)
        return {"user": 65534, "group": 65534, "extra_groups": []}


if __name__ == "__main__":
    harness.main()
