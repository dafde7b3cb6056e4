"""Programs that cannot open the run directory: of another user, in another root, behind a read-only
mount. `umaskaudit run` makes their segments, and all that they make is in the record, once.

Must never depend on who may reach the build folder: the library is copied to where all may.
"""

import os
import pwd
import select
import shutil
import stat
import unittest

from lib import harness, jail, mounts
from lib.harness import Case, needs, octal
from test_programs import postgres_bin

NOBODY = 65534
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
PYTHON = "/usr/bin/python3"
# Makes a directory and a file, each under a mask of its own.
SCRIPT = "umask 027; mkdir $0.d; umask 0; touch $0.f"

# Becomes user 65534 and executes the arguments after the first, which says what is done before.
BECOME = """
import os
os.setgroups([]); os.setgid({nobody}); os.setuid({nobody})
{then}
"""


@unittest.skipIf(os.geteuid() != 0, "only root can start programs as another user")
@needs("setpriv")
class Recording(Case):
    def setUp(self):
        super().setUp()
        for parent in self.top.parents:
            if not parent.stat().st_mode & 0o001:
                self.skipTest(f"{parent} is {octal(stat.S_IMODE(parent.stat().st_mode))}: "
                              "another user can reach no library in it")
        self.top.chmod(0o755)
        self.work.chmod(0o777)
        self.library = self.top / "libumaskaudit.so"
        shutil.copy(harness.SHIM, self.library)
        self.library.chmod(0o755)

    def record(self, *command, options=(), status=0, **rest):
        run = self.new_run()
        env = {"UMASKAUDIT_LIBRARY": str(self.library), **rest.pop("env", {})}
        result = self.execute(harness.TOOL, "run", "-o", run, *options, "--", *command, env=env,
                              **rest)
        if status is not None:
            self.assertEqual(result.returncode, status, result.stderr.decode(errors="replace"))
        return result, run

    def check_whole(self, run, least, blind=()):
        """All that is in the working directory is told once, with its mode; nothing is missing."""
        report = self.report(run)
        found = self.check_all_told(report, self.work)
        self.assertGreaterEqual(found, least)
        made = report.creations()
        for directory, names, files in os.walk(self.work):
            for name in names + files:
                path = os.path.join(directory, name)
                if not os.path.islink(path):
                    self.assertIn(path, made)
                    status = os.lstat(path)
                    events = [event for event in made[path] if event["ino"] == status.st_ino]
                    self.assertEqual(len(events), 1, path)
        self.assertEqual([spot["reason"] for spot in report.of("blind_spot")], list(blind))
        self.assertEqual(report.of("loss"), [])
        self.check_private(run)
        return report

    def check_private(self, run):
        self.assertEqual(stat.S_IMODE(os.lstat(run).st_mode), 0o700)
        for entry in os.scandir(run):
            status = entry.stat(follow_symlinks=False)
            self.assertEqual((status.st_uid, stat.S_IMODE(status.st_mode)), (0, 0o600), entry.name)

    def check_script(self, report, name, uid=NOBODY):
        """Modes and masks of what SCRIPT made, who made it, and by which line it was started."""
        made = report.creations()
        for kind, mask in ("d", "0027"), ("f", "0000"):
            path = self.work / f"{name}.{kind}"
            status = os.lstat(path)
            self.assertEqual(status.st_uid, uid)
            event, = made[str(path)]
            self.assertEqual(event["mask"], mask)
            self.assertEqual(event["final"], octal(stat.S_IMODE(status.st_mode)))
            self.assertEqual(event["uid"], uid)
            self.assertTrue(event["stack"])
            image, = [process for process in report.of("process", pid=event["pid"], origin="exec")
                      if process["comm"] == event["thread"]]
            self.assertEqual((image["uid"], image["euid"]), (uid, uid))
            self.assertTrue(image["started_by"], image)


class OtherUsers(Recording):
    def check_launcher(self, *launcher, blind=()):
        """`launcher` starts a program as nobody; its words go before those of the program."""
        _, run = self.record(*launcher, "sh", "-c", SCRIPT, "made")
        self.check_script(self.check_whole(run, 2, blind), "made")

    def test_setpriv(self):
        self.check_launcher(*AS_NOBODY)

    @needs("runuser")
    def test_runuser(self):
        self.check_launcher("runuser", "-u", "nobody", "--")

    @needs("su")
    def test_su(self):
        words = ("su", "nobody", "-s", "/bin/sh", "-c")
        if self.execute(*words, ":").returncode != 0:
            self.skipTest("su does not let root become nobody here")
        _, run = self.record(*words, SCRIPT.replace("$0", "made"))
        self.check_script(self.check_whole(run, 2), "made")

    @needs("sudo")
    def test_sudo(self):
        if self.execute("sudo", "-n", "-u", "nobody", "true").returncode != 0:
            self.skipTest("sudo does not let root become nobody here")
        self.check_launcher("sudo", "-n", "-u", "nobody")

    @needs("gosu")
    def test_gosu(self):
        self.check_launcher("gosu", "nobody", blind=["exec-static"])  # itself, not what it starts

    @needs("chroot")
    def test_chroot_to_the_same_root(self):
        self.check_launcher("chroot", "--skip-chdir", f"--userspec={NOBODY}:{NOBODY}", "/")

    def test_python_becomes_nobody_and_executes(self):
        then = f"os.execv('/bin/sh', ['sh', '-c', {SCRIPT!r}, 'made'])"
        self.check_launcher(PYTHON, "-c", BECOME.format(nobody=NOBODY, then=then))

    def test_python_becomes_nobody_and_spawns(self):
        then = "import subprocess, sys; subprocess.run(sys.argv[1:], check=True)"
        self.check_launcher(PYTHON, "-c", BECOME.format(nobody=NOBODY, then=then))

    def test_without_an_exec(self):
        """What was mapped before the change of user stays mapped after it."""
        then = ("os.umask(0o027); os.mkdir('a'); os.umask(0)\n"
                "if os.fork() == 0: open('b', 'w').close(); os._exit(0)\n"
                "os.wait()")
        _, run = self.record(PYTHON, "-c", BECOME.format(nobody=NOBODY, then=then))
        report = self.check_whole(run, 2)
        for name, mask in ("a", "0027"), ("b", "0000"):
            event, = report.creations()[str(self.work / name)]
            self.assertEqual((event["mask"], event["uid"]), (mask, NOBODY))

    def test_a_daemon_that_drops_its_rights_and_executes(self):
        ready, done = os.pipe()
        self.addCleanup(os.close, ready)
        then = f"os.execv('/bin/sh', ['sh', '-c', {SCRIPT!r}, 'made'])"
        daemon = f"""
import os
read_end, write_end = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.close(read_end)
        os.set_inheritable(write_end, True)
        {"; ".join(BECOME.format(nobody=NOBODY, then=then).split(chr(10))[1:-1])}
    os._exit(0)
os.close(write_end)
os.read(read_end, 1)  # until the daemon and all that it started have ended
"""
        os.close(done)
        _, run = self.record(PYTHON, "-c", daemon)
        self.check_script(self.check_whole(run, 2), "made")

    def test_a_daemon_that_outlives_the_run(self):
        """Nobody answers any more: it starts without us, and the record says so."""
        end = self.top / "end"
        os.mkfifo(end)
        end.chmod(0o666)
        then = f"os.execv('/bin/sh', ['sh', '-c', {SCRIPT!r}, 'made'])"
        daemon = f"""
import os, select
recorder = os.pidfd_open(os.getppid())
if os.fork() == 0:
    os.setsid()
    os.close(1); os.close(2)
    os.set_inheritable(os.open({str(end)!r}, os.O_WRONLY), True)
    select.select([recorder], [], [])
    {"; ".join(BECOME.format(nobody=NOBODY, then=then).split(chr(10))[1:-1])}
"""
        reader = os.open(end, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        _, run = self.record(PYTHON, "-c", daemon)
        ended = select.poll()
        ended.register(reader, 0)  # POLLHUP alone: no writer is left
        self.assertTrue(ended.poll(harness.TIMEOUT * 1000))
        self.assertEqual(os.lstat(self.work / "made.f").st_uid, NOBODY)
        spots = [(spot["reason"], spot["text"]) for spot in self.report(run).of("blind_spot")
                 if spot["reason"] != "appeared"]  # only what came before `run` had written its end
        why = f"/bin/sh: uid {NOBODY} may not write into {run} (0700 of uid 0)"
        self.assertEqual(spots, [("exec-run-directory", why)])

    def test_many_at_once(self):
        words = " ".join(AS_NOBODY)
        script = (f"i=0; while [ $i -lt 200 ]; do {words} sh -c '{SCRIPT}' $i & i=$((i+1)); done; "
                  "wait")
        _, run = self.record("sh", "-c", script)
        report = self.check_whole(run, 400)
        for i in range(200):
            self.check_script(report, str(i))

    def test_initdb(self):
        try:
            user = pwd.getpwnam("postgres")
        except KeyError:
            self.skipTest("there is no user postgres")
        if not postgres_bin() or not shutil.which("runuser"):
            self.skipTest("initdb or runuser is not installed")
        os.chown(self.work, user.pw_uid, user.pw_gid)
        _, run = self.record("runuser", "-u", "postgres", "--", f"{postgres_bin()}/initdb", "-N",
                             "-D", self.work / "data", "-A", "trust")
        report = self.report(run)
        self.assertGreater(self.check_all_told(report, self.work), 900)
        self.assertEqual(report.of("blind_spot"), [])
        self.check_private(run)

    def test_nothing_of_the_run_is_open_to_the_other_user(self):
        """Neither by name nor by descriptor, and not by what its own segments are."""
        look = """
import os, sys
run, work = sys.argv[1:3]
said = []
for name in sys.argv[3:] + ['run.state', 'run.json']:
    for flags in os.O_RDONLY, os.O_WRONLY, os.O_RDWR:
        try:
            os.close(os.open(os.path.join(run, name), flags))
            said.append('opened ' + name)
        except PermissionError:
            pass
try:
    said.append(f'listed {os.listdir(run)}')
except PermissionError:
    pass
for fd in os.listdir('/proc/self/fd'):
    try:
        name = os.readlink('/proc/self/fd/' + fd)
    except OSError:
        continue  # that of the listing
    if run in name or 'socket' in name:
        said.append(f'descriptor {fd} {name}')
print(said)
open(os.path.join(work, 'looked'), 'w').close()
"""
        starter = f"""
import os, subprocess, sys
names = os.listdir(sys.argv[1])
words = {AS_NOBODY!r} + ({PYTHON!r}, '-c', {look!r}, *sys.argv[1:], *names)
subprocess.run(words, check=True)
"""
        run = self.top / f"run{self.runs + 1}"
        result, recorded = self.record(PYTHON, "-c", starter, run, self.work)
        self.assertEqual(recorded, run)
        self.assertEqual(result.stdout, b"[]\n")
        self.check_whole(run, 1)

    def test_a_bounded_run(self):
        """Programs of others take a quarter of the bound, and leave the run's own what it has."""
        words = " ".join(AS_NOBODY)
        script = (f"i=0; while [ $i -lt 60 ]; do {words} touch other.$i; mkdir own.$i; "
                  "i=$((i+1)); done")
        _, run = self.record("sh", "-c", script, options=("--max-run", "4M"))
        report = self.report(run)
        made = report.creations()
        for i in range(60):
            self.assertIn(str(self.work / f"own.{i}"), made)
        others = [i for i in range(60) if str(self.work / f"other.{i}") in made]
        self.assertEqual(others, list(range(len(others))))
        taken = sum(entry.stat().st_blocks * 512 for entry in os.scandir(run)
                    if f".u{NOBODY}." in entry.name)
        self.assertLessEqual(taken, (4 << 20) // 4)

    def test_a_full_disk(self):
        """The program goes on, and the report says that it is not in the record."""
        mounts.enter()
        place = self.top / "small"
        place.mkdir()
        mounts.run("mount", "-t", "tmpfs", "-o", "size=256k,mode=755", "none", place)
        mounts.unmount_after(self, place)
        script = (f"dd if=/dev/zero of={place}/ballast bs=4096 2> /dev/null; "
                  f"{' '.join(AS_NOBODY)} sh -c '{SCRIPT}' made; rm {place}/ballast")
        run = place / "run"
        result = self.execute(harness.TOOL, "run", "-o", run, "--", "sh", "-c", script,
                              env={"UMASKAUDIT_LIBRARY": str(self.library)})
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(stat.S_IMODE(os.lstat(self.work / "made.f").st_mode), 0o666)
        self.check_private(run)
        self.assertFalse([entry.name for entry in os.scandir(run) if entry.stat().st_size == 0])
        losses = [loss["reason"] for loss in self.report(run).of("loss")]
        self.assertTrue(losses)


class OtherRoots(Recording):
    """The run directory has no name there."""

    def setUp(self):
        super().setUp()
        self.jail = self.top / "jail"
        jail.build(self, self.jail, "sh", "mkdir", "touch")
        jail.copy_in(self.jail, self.library, self.library)
        self.work = self.jail / "made-there"
        self.work.mkdir()
        self.work.chmod(0o777)

    def check_chroot(self, uid):
        _, run = self.record("chroot", f"--userspec={uid}:{uid}", self.jail, "/bin/sh", "-c",
                             "cd /made-there; umask 027; /bin/mkdir /made-there/made.d; umask 0; "
                             "/bin/touch made.f", cwd="/")
        self.check_script(self.check_whole(run, 2), "made", uid)
        self.assertFalse(os.path.lexists(f"{self.jail}/{run}"))
        for name in "made.d", "made.f":
            self.tool("blame", run, self.work / name)

    def test_as_root(self):
        self.check_chroot(0)

    def test_as_another_user(self):
        self.check_chroot(NOBODY)

    @needs("unshare", "mount")
    def test_behind_a_read_only_mount(self):
        run = self.top / f"run{self.runs + 1}"
        script = (f"mount -o bind,ro {run} {run} || exit 77; "
                  f"exec sh -c '{SCRIPT}' made")
        result, _ = self.record("unshare", "-m", "sh", "-c", script, status=None)
        if result.returncode == 77:
            self.skipTest(f"no mounts here: {result.stderr.decode(errors='replace')}")
        self.assertEqual(result.returncode, 0)
        self.check_script(self.check_whole(run, 2), "made", 0)


# What a hostile program could do with what it has: the option in its environment.
HOSTILE = """
import array, os, re, socket, struct, sys
name, key, uid = re.search('recorder=([^:]*)', os.environ['UMASKAUDIT_OPTIONS']).group(1).split('.')
os.setgroups([]); os.setgid(65534); os.setuid(65534)

def connect():
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.connect('\\0' + name)
    return connection

def ask(key, pid=4242, version=1):
    connection = connect()
    connection.send(struct.pack('=II32s', version, pid, key.encode()))
    data, control, _, _ = connection.recvmsg(2048, 64)
    fds = array.array('i')
    for level, kind, bytes in control:
        fds.frombytes(bytes)
    return connection, data, list(fds)
"""


@unittest.skipIf(os.geteuid() != 0, "only root can start programs as another user")
class HostileUsers(Recording):
    """Somebody who speaks for himself at the socket."""

    def attack(self, script, status=0):
        """Runs it as nobody, and a well-behaved program of nobody's before and after it."""
        before, after = (f"{' '.join(AS_NOBODY)} sh -c '{SCRIPT}' {name}"
                         for name in ("before", "after"))
        file = self.top / "attack.py"
        file.write_text(HOSTILE + script)
        result, run = self.record("sh", "-c", f"{before}; {PYTHON} {file}; {after}", status=status)
        self.assertEqual(result.stderr.count(b"Traceback"), 0, result.stderr)
        lines = self.tool("report", run, "--format", "jsonl").splitlines()
        report = harness.Report(lines)
        self.check_script(report, "before")
        self.check_script(report, "after")
        self.check_private(run)
        for command in ("report", "check", "timeline", "threads"):
            done = self.execute(harness.TOOL, command, run)
            self.assertIn(done.returncode, (0, 1, 2, 3), done.stderr)
        return result, run

    def test_without_the_key(self):
        result, run = self.attack("""
for wrong in '', key[:-1] + 'x', '0' * 32:
    print(ask(wrong)[1:])
print(ask(key, version=2)[1:])
connection = connect()
connection.send(b'x' * 4000)
print(connection.recv(100))
""")
        self.assertEqual(result.stdout.decode().split("\n")[:-1], ["(b'', [])"] * 4 + ["b''"])

    def test_connections_that_say_nothing(self):
        self.attack("kept = [connect() for _ in range(400)]")

    def test_garbage(self):
        self.attack("""
connection, data, (fd,) = ask(key)
os.write(fd, os.urandom(100000))
connection.send(struct.pack('=i', 0))
""")

    def test_a_copy_of_a_segment_with_other_numbers(self):
        """Counts and offsets of the header that point outside."""
        self.attack("""
connection, data, (fd,) = ask(key)
import struct
head = b'UMASKAUD' + struct.pack('<HHIII16sQQIIQQ', 1, 6, 256 + 112 * 16 + 16 * 264, 0x0A0B0C0D, 8,
                                 bytes(16), 1, 1, 2**32 - 1, 0, 2**64 - 1, 2**64 - 1)
head += b'\\xff' * (240 - len(head)) + struct.pack('<IIII', 112, 16, 65536, 131072)
os.write(fd, head + b'\\xff' * 200000)
os.ftruncate(fd, 1 << 40)
connection.send(struct.pack('=i', 0))
""")

    def test_a_segment_that_is_cut_off_and_kept_open(self):
        self.attack("""
kept = [ask(key) for _ in range(40)]
for connection, data, (fd,) in kept:
    os.write(fd, b'UMASKAUD' * 10000)
    os.ftruncate(fd, 8)
    connection.send(struct.pack('=i', 0))
if os.fork() == 0:
    import signal
    signal.alarm(2)
    while True:
        for connection, data, (fd,) in kept:
            os.ftruncate(fd, 4096); os.ftruncate(fd, 1)
""")

    def test_the_descriptor_is_of_no_other_use(self):
        result, _ = self.attack("""
connection, data, (fd,) = ask(key)
link = f'/proc/self/fd/{fd}'
for what in (lambda: os.open(link, os.O_RDONLY), lambda: os.fchmod(fd, 0o666),
             lambda: os.fchown(fd, 65534, -1), lambda: os.setxattr(fd, 'user.x', b'1'),
             lambda: os.open(os.path.dirname(os.readlink(link)), os.O_RDONLY)):
    try:
        what()
        print('done')
    except OSError as error:
        print('refused')
""")
        self.assertEqual(result.stdout, b"refused\n" * 5)



if __name__ == "__main__":
    harness.main()
