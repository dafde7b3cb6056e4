"""Which process a mask came from, where pids alone do not say: PID name spaces, pids used again."""

import struct
import sys

from lib import harness
from lib.harness import Case, needs

# Each shell is process 1 of a name space of its own, and starts a mkdir for each object.
ISOLATED = ("umask 0{mask}; for i in 1 2 3 4 5 6 7 8; do mkdir d{mask}-$i; "
            "test $i = 4 && read go < barrier{mask}; done; true")
# The kernel gives the number behind this file's to the next process.
AGAIN = """
import os, subprocess

def next_pid(pid):
    with open("/proc/sys/kernel/ns_last_pid", "w") as file:
        file.write(str(pid - 1))

def shell(script, how):
    next_pid(500)
    if how == "fork":
        child = os.fork()
        if child == 0:
            os.execv("/bin/sh", ["sh", "-c", script])
        assert child == 500, child
        os.waitpid(child, 0)
    else:
        assert os.system(script) == 0

os.umask(0o027)
shell("echo $$ > a; umask 077; mkdir a1", "fork")
os.umask(0o022)
os.umask(0o002)
shell("echo $$ > b; mkdir b1; true", "system")
os.umask(0o013)
shell("echo $$ > c; mkdir c1; true", "fork")
"""

# proc(5) gives the start time on a clock that also runs while the system sleeps.
AGED = """
import os, sys, time

def uptime():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

def began():
    with open("/proc/self/stat") as file:
        ticks = int(file.read().rpartition(")")[2].split()[19])
    return ticks * (10**9 // os.sysconf("SC_CLK_TCK"))

if len(sys.argv) == 2:
    while uptime() < began() + 200 * 10**6:
        pass
    print(began(), uptime(), flush=True)
    os.execv(sys.executable, [sys.executable, "-ISB", "-c", sys.argv[1], "again", ""])
print(began(), uptime())
"""


class Processes(Case):
    def by_path(self, report):
        return {event["path"].rsplit("/", 1)[1]: event for event in report.of("create")
                if event["created"] is True}

    def unshared(self, *command):
        return ("unshare", "-pf", "--mount-proc", *command)

    def need_namespaces(self):
        result = self.execute(*self.unshared("true"))
        if result.returncode != 0:
            self.skipTest(f"no PID name space: {result.stderr.decode().strip()}")

    def ages(self, run):
        """pid_namespace and age_ms of the process record that each segment begins with."""
        for segment in sorted(run.glob("*.seg")):
            data = segment.read_bytes()
            record = struct.unpack_from("<I", data, 12)[0] + 32
            yield struct.unpack_from("<II", data, record + 48)

    def test_an_exec_keeps_the_age(self):
        result, run = self.record(sys.executable, "-ISB", "-c", AGED, AGED)
        (began, before), (same, after) = (map(int, line.split())
                                          for line in result.stdout.splitlines())
        self.assertEqual(began, same)
        (_, first), (_, second) = self.ages(run)
        # Rounded up, so it is never less, and a millisecond more at most.
        millisecond = 10**6
        self.assertLessEqual(began + first * millisecond, before + millisecond)
        self.assertLessEqual(before, began + second * millisecond)
        self.assertLessEqual(began + second * millisecond, after + millisecond)

    @needs("unshare")
    def test_six_name_spaces_at_once(self):
        self.need_namespaces()
        masks = ("21", "22", "23", "24", "25", "26")
        lines = [" ".join(self.unshared("sh", "-c", f"'{ISOLATED.format(mask=mask)}'")) + " &"
                 for mask in masks]
        # All are in the middle of their work when the first goes on.
        barriers = [f"barrier{mask}" for mask in masks]
        script = ("mkfifo " + " ".join(barriers) + "\n" + "\n".join(lines) + "\n" +
                  "\n".join(f"exec {number}> {name}" for number, name in enumerate(barriers, 3)) +
                  "\n" + "\n".join(f"echo go >&{number}" for number in range(3, 9)) + "\nwait")
        result, run = self.record("sh", "-c", script)
        self.assertEqual(result.stderr.count(b"cannot"), 0, result.stderr)
        report = self.report(run)
        changes = {event["id"]: event for event in report.of("umask")}
        made = {name: event for name, event in self.by_path(report).items()
                if name.startswith("d")}
        self.assertEqual(len(made), 48)
        contexts = set()
        for name, event in made.items():
            own = name[1:3]
            self.assertEqual(event["mask"], f"00{own}")
            self.assertIn(event["mask_set_by"], changes, name)
            setter = changes[event["mask_set_by"]]
            self.assertEqual(setter["new"], f"00{own}", name)
            contexts.add((own, setter["fs"]))
        self.assertEqual(len(contexts), 6, "six contexts, one for each shell")

    @needs("unshare")
    def test_a_pid_that_is_used_again(self):
        self.need_namespaces()
        result, run = self.record(*self.unshared("/usr/bin/python3", "-c", AGAIN))
        self.assertEqual(result.returncode, 0, result.stderr)
        for name in "abc":
            self.assertEqual((self.work / name).read_text().strip(), "500", name)
        report = self.report(run)
        made = self.by_path(report)
        set_by = {event["id"]: event["new"] for event in report.of("umask")}
        for name, mask in (("a1", "0077"), ("b1", "0002"), ("c1", "0013")):
            self.assertEqual(made[name]["mask"], mask, name)
            self.assertEqual(set_by.get(made[name]["mask_set_by"]), mask, name)


if __name__ == "__main__":
    harness.main()
