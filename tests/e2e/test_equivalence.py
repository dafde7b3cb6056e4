"""Programs cannot tell that they are recorded: every victim, and programs that nobody here wrote.

Must never leave an aspect out without a reason beside it. What is compared, and how a program that
varies by itself is treated, is in equivalence.py; scripts/equivalence does the same by hand.
"""

import os
import shutil
import subprocess
import unittest
import unittest.mock

from lib import harness, witness
from lib.equivalence import VIEWS, Equivalence
from lib.harness import Case, victim

LIBRARY = victim("libdlopen_storm_library.so")
# victim -> (arguments behind the directory, aspects left out). Others get the directory only.
VICTIMS = {
    # Threads race for the umask; which files they hit is chance, and which mask is left at the end.
    **{name: ([20], ["stdout", "created", "masks", "calls"]) for name in (
        "bug_bind_socket", "bug_datasets", "bug_filelock", "bug_getter", "bug_libarchive",
        "bug_mkstemp", "bug_salt", "bug_spawn", "bug_sysrepo")},
    "threads_umask": ([200], ["stdout", "created", "masks"]),
    "racing_creators": ([20], ["stdout", "created", "masks"]),
    "racing_processes": ([20], ["stdout", "created", "masks"]),
    "bug_certbot": ([20], []),
    "bug_chmod_later": ([20], []),
    "bug_daemon": ([20], []),
    "bug_panic": ([20], []),
    # Cancels at whatever instruction: under strace that is nearly always another one.
    "cancel_anywhere": ([50], ["created", "calls", "errors"]),
    # It asks again and again whether a thread sleeps.
    "cancel_open_fifo": ([], ["calls"]),
    # It prints its environment, which has our two variables in it.
    "cleaned_env": ([], ["stdout", "calls"]),
    "clone_ways": (["vm-fs"], []),
    "dlopen_storm": ([LIBRARY], ["calls", "errors"]),
    "descriptors_in_a_race": ([20], ["calls", "errors"]),
    # How often it loads a library until the signals have come.
    "first_calls": ([victim("libfirst_calls_library.so")], ["calls", "errors"]),
    # How far each thread has come when it is stopped is a matter of chance.
    "fork_amid_buffers": ([], ["stdout", "calls", "errors"]),
    "fork_storm": ([20], []),
    # Where ours makes the environment too large, the program's own goes, in a second call.
    "largest_environment": ([], ["calls", "errors"]),
    # A storm of signals interrupts whatever is slow, and that is every call under strace. What the
    # handler jumps away from stays open.
    "handler_longjmp": ([], ["created", "held", "calls", "errors"]),
    "jumps_from_depths": ([200], ["created", "held", "calls", "errors"]),
    # As many files as there is time for between the signals.
    "handler_umask": ([50], ["stdout", "created", "calls", "errors"]),
    # It wants errno untouched by sem_open(3), which glibc alone does not promise where it creates.
    "ipc_created": ([], ["ending", "stdout", "stderr", "held", "masks", "calls", "errors"]),
    "loaded_code": (["dlopen", victim("libloaded_code_library.so")], []),
    "loads_apart": ([LIBRARY], []),
    "loads_in_turns": ([LIBRARY, LIBRARY], []),
    # Where the thread that lets calls go on is at the end is a matter of chance.
    "mask_amid_mkdir": ([], ["held", "masks", "calls", "errors"]),
    # With us, the call that is stopped is there.
    "mask_between_attempts": ([], ["stdout", "created", "held", "masks", "calls", "errors"]),
    # How often glibc's allocator asks for the number of processors is a race of the threads.
    "many_threads": ([20], ["calls"]),
    "plugin_host": ([victim("libthrowing_plugin.so")], []),
    # musl's fork(3) saves and sets back the mask that it finds between the handlers of fork, where
    # all signals are blocked while ours is at work (glibc's does neither).
    "musl_workers": ([], ["calls"]),
    # Thousands of system calls, all alike.
    "ipc_racers": ([], ["calls", "errors"]),
    "limits_later": ([300], []),
    # More threads than the table has places, all alike.
    "many_contexts": ([1100], ["calls", "errors"]),
    "private_creators": ([500], []),
    "rlimit_fsize": ([], ["calls", "errors"]),
    # liburing lies so close to the loader that what it unmaps is taken for the loader's work.
    "rings": ([], ["calls"]),
    "seccomp_bars": (["exclusive", "errno", "prctl"], []),
    # The other thread looks until the first has done.
    "starts_beside": (["thread", victim("static_hello"), "/etc/passwd", 5], ["calls", "errors"]),
    "signal_amid_umask": ([], ["held", "masks", "calls", "errors"]),
    "vanishing_stacks": (["inside"], []),
    # It goes round for each open of the program it starts, and the shim opens that as well.
    "watched_exec": ([], ["held", "masks", "calls", "errors"]),
    # It traces the program itself.
    "without_vdso": ([], ["held", "masks", "calls", "errors"]),
}
harness.TIMEOUT = 120  # seconds for one run; the longest takes three on an idle machine
UNUSABLE = 99  # how a victim ends that was not given what it needs
# Runs until it is killed; kills a child in which a thread of ours may be at work, which the tracer
# of exits then waits for; never runs without us; runs others; has tests of its own below; has a
# runtime of its own, see test_runtimes.py.
NOT_ALONE = {"kill9_loop", "killed_sharer", "linked", "refuses", "sweep", "everyday_address",
             "everyday_thread", "everyday_undefined"}
SWEEPS = ["open", "openat", "creat", "fopen", "freopen", "mkdir", "mkfifo", "mknod", "mkstemp",
          "mkdtemp", "tmpfile", "bind", "mq_open", "sem_open", "shm_open"]

SHELL = """
umask 027
mkdir -p a/b; touch f; mkfifo p; ln -s f link; chmod 640 f
umask 077; echo x > g; (umask 0; echo > h)
cat g | sort > i
exec 5> five
trap '' HUP
cat nowhere
umask
"""

TOOLS = """
seq 1000 > in
sed -i s/1/2/ in
sort -S 1M -T . in -o out
split -l 100 in part
install -m 640 in inst
dd if=in of=dd bs=10 count=5
tee t < in > /dev/null
awk '{print > "awk" NR%3}' in
gzip -k in
mktemp ./XXXXXXXX
truncate -s 10 tr
ln in hard
touch -d 2000-01-01 old
ls
"""

COPIES = """
umask 27
tar cf t.tar from
mkdir to plain
tar xf t.tar -C to
tar xpf t.tar -C plain
cp -a from copy
cp -r from other
find . | sort | xargs -d '\\n' stat -c '%A %n'
mv from moved
rm -rf copy
"""

PERL = """
use File::Temp qw(tempfile);
use File::Path qw(make_path);
umask 027;
mkdir "d", 0770;
make_path("x/y/z");
open(F, ">", "f"); print F "x"; close F;
sysopen(H, "h", 0102, 0640);
my ($file, $name) = tempfile(DIR => ".");
open(P, "|-", "cat > piped"); print P "hi"; close P;
my $kid = fork();
if (!$kid) { umask 0; mkdir "kid"; exit 3 }
waitpid $kid, 0;
print $? >> 8, `umask`;
print -e "nosuch" ? 1 : $!, "\\n";
unlink $name;
"""

PYTHON = """
import multiprocessing, os, sqlite3, subprocess, tempfile
os.umask(0o27)
os.makedirs("a/b")
open("f", "w").close()
tempfile.mkstemp(dir=".")
subprocess.run(["mkdir", "c"], umask=0o77)
made = multiprocessing.get_context("fork").Process(target=os.mkdir, args=("m",))
made.start()
made.join()
sqlite3.connect("q").execute("create table t(a)")
try:
    os.mkdir("f")
except OSError as error:
    print(error)
print(oct(os.umask(0)))
"""

GIT = """
export GIT_AUTHOR_DATE='1000000000 +0000' GIT_COMMITTER_DATE='1000000000 +0000'
export GIT_CONFIG_NOSYSTEM=1 HOME=$PWD
git init -qb main one && cd one
echo a > f; chmod +x f
git -c user.name=a -c user.email=a@b add .
git -c user.name=a -c user.email=a@b commit -qm first
umask 027
cd .. && git clone -q --no-hardlinks one two
git -C two log --format=%H
"""

SQL = """
create table t(a); insert into t values (1), (2); pragma journal_mode=wal;
insert into t values (3); select * from t; vacuum; select * from nowhere;
"""


def write_script(work):
    (work / "script").write_text("#!/bin/true\n", encoding="utf-8")
    (work / "script").chmod(0o755)


def fill(work):
    """A tree to copy, a Makefile, a source."""
    subprocess.run(["sh", "-c", "umask 022; mkdir -p from/a/b; chmod 2750 from/a; echo 1 > from/a/o"
                    "; chmod 4755 from/a/o; ln -s o from/a/l; mkfifo -m 604 from/p"],
                   cwd=work, check=True)
    (work / "Makefile").write_text("all: a b\n\t@echo done\na:\n\tumask 077; touch a\n"
                                   "b: a\n\tcp a b\n", encoding="utf-8")
    (work / "a.c").write_text("int main(void) { return 0; }\n", encoding="utf-8")


def let_all_in(work):
    work.chmod(0o777)  # for the user that the victim becomes


# victim -> what prepares its directory
SET_UPS = {"failed_creations": let_all_in, "start_ways": write_script}
# name -> (command, aspects left out)
PROGRAMS = {
    "bash": (["bash", "-c", SHELL], []),
    "dash": (["dash", "-c", SHELL], []),
    "zsh": (["zsh", "-fc", SHELL], []),
    "coreutils": (["sh", "-c", TOOLS], []),
    "tar_and_cp": (["sh", "-c", COPIES], []),
    "make": (["make", "-j1"], []),
    "cc": (["cc", "-o", "a", "a.c"], []),
    "perl": (["perl", "-e", PERL], []),
    "python": (["/usr/bin/python3", "-c", PYTHON], []),
    "git": (["sh", "-c", GIT], []),
    "sqlite3": (["sqlite3", "t.db", SQL], []),
    "openssl": (["openssl", "genrsa", "-out", "key.pem", "2048"], []),
    "ssh_keygen": (["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key"], []),
    "killed": (["sh", "-c", "kill -SEGV $$"], []),
    "timeout": (["timeout", "0.2", "sleep", "60"], []),
    "script": (["script", "-qc", "umask 77; mkdir d", "typescript"], []),
    "descriptors": (["ls", "-l", "/proc/self/fd"], []),
    # How often it reads depends on how much memory there is to tell of, and ours counts.
    "signals": (["grep", "-E", "^(Umask|Sig|Shd|Seccomp|NoNewPrivs|Groups|Threads|Cap)",
                 "/proc/self/status"], ["calls"]),
}


NO_PTRACE = witness.reason_not_to()


class Same(Case):
    def check(self, command, left_out=(), set_up=None, **options):
        aspects = [aspect for aspect in VIEWS if aspect not in left_out]
        runner = Equivalence(self, command, set_up, aspects, **options)
        differences = runner.differences()
        if "ending" in aspects:
            bare = runner.plain
            self.assertNotEqual(bare["ending"], UNUSABLE, bare["stdout"] + bare["stderr"])
        self.assertEqual(differences, [], "\n".join(differences))


class Victims(Same):
    """One test a victim."""

    def test_there_are_many(self):
        self.assertGreater(len(victims()), 30)

    def command(self, name, arguments):
        """Its name is not enough for some. The directory is absolute: some go to another one."""
        program, place = victim(name), str(self.work)
        return {
            "constructor_threads": ["env", f"VICTIM_DIR={place}", program],
            "ipc_racers": [program, 500],
            "no_descriptors": ["sh", "-c", 'exec "$0" "$1" 0<&- 1>&- 2>&-', program, place],
            "seccomp_exec": [program, victim("sweep"), place, "mkdir"],
            "start_ways": [program, "/bin/true", f"{place}/script"],
            "watched_exec": [program, "/bin/true"],
            "without_vdso": [program, victim("seccomp_strict"), place],
        }.get(name, [program, place, *arguments])


def victim_test(name, arguments, left_out):
    def test(self):
        self.check(self.command(name, arguments), left_out, SET_UPS.get(name))
    return test


def victims():
    return sorted(entry.name for entry in os.scandir(harness.PROGRAMS)
                  if entry.is_file() and os.access(entry, os.X_OK)
                  and not entry.name.endswith(".so") and entry.name not in NOT_ALONE)


for its_name in victims():
    setattr(Victims, f"test_{its_name}", victim_test(its_name, *VICTIMS.get(its_name, ([], []))))


class Sweeps(Same):
    """Each call under each mask: one test a call."""


def sweep_test(call):
    # The same few calls 512 times: one traced sweep shows them all.
    left_out = [] if call == "open" else ["calls", "errors"]

    def test(self):
        self.check([victim("sweep"), ".", call], left_out)
    return test


for its_name in SWEEPS:
    setattr(Sweeps, f"test_{its_name}", sweep_test(its_name))


class Tasks(Same):
    """A thread that a shim makes for itself and waits for is left out, and nothing else."""

    SCRIPT = "umask 077; (exit 3); /bin/true; exec /bin/true"

    def differences_under(self, shim):
        library = victim(f"libfaulty_{shim}.so")
        if not os.path.exists(library):
            self.skipTest("made of instructions of x86-64")
        with unittest.mock.patch.object(harness, "SHIM", library):
            return self.aspects_that_differ(["dash", "-c", self.SCRIPT])

    def aspects_that_differ(self, command):
        differences = Equivalence(self, command).differences()
        return {" ".join(text.split()[:3]) for text in differences}

    def test_one_that_is_waited_for(self):
        self.assertEqual(self.differences_under("waits"), set())

    @unittest.skipIf(NO_PTRACE, NO_PTRACE)
    def test_one_that_stays(self):
        self.assertLessEqual({"observed, trace: held", "observed, log: held"},
                             self.differences_under("stays"))

    @unittest.skipIf(NO_PTRACE, NO_PTRACE)
    def test_a_process(self):
        self.assertLessEqual({"observed, trace: held", "observed, log: held",
                              "traced, trace: errors"}, self.differences_under("forks"))


class Programs(Same):
    """One test a program, so that each can skip."""


def program_test(command, left_out):
    @unittest.skipIf(shutil.which(command[0]) is None, f"{command[0]} is not installed")
    def test(self):
        self.check(command, left_out, fill)
    return test


for program, (words, parts) in PROGRAMS.items():
    setattr(Programs, f"test_{program}", program_test(words, parts))


if __name__ == "__main__":
    harness.main()
