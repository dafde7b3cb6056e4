"""What the library hands over to the tracer, in which words, and that no program can tell.

The tracer is one that only answers (lib/fake_tracer.py): whatever it says, programs start, fail and
end as they do without us, and what it did not take is a blind spot that says why.
"""

import errno
import os
import platform
import shutil
import unittest

from lib import harness
from lib.equivalence import Equivalence
from lib.fake_tracer import DIES, KEEPS_SILENT, OTHER_WORDS, FakeTracer
from lib.harness import Case, needs, victim

NOBODY = 65534
SYS_SOCKET = {"x86_64": 41}.get(platform.machine(), 198)
needs_root = unittest.skipIf(os.geteuid() != 0, "needs root")
WORDS = {
    errno.EPERM: "Operation not permitted",
    DIES: "Connection reset by peer",
    OTHER_WORDS: "Protocol error",
    KEEPS_SILENT: "Connection timed out",
}
PURE_GO = """package main

// #include <stdlib.h>
import "C"
import "os"
import "os/exec"

func main() {
    C.free(nil)
    os.WriteFile("by-go", nil, 0666)
    if exec.Command("/bin/true").Run() != nil {
        os.Exit(9)
    }
}
"""


class TracedEquivalence(Equivalence):
    def __init__(self, case, tracer, *rest, **options):
        super().__init__(case, *rest, **options)
        self.tracer = tracer

    def environment(self, mode):
        if mode is None:
            return []
        preload, options = super().environment(mode)
        return [preload, f"{options}:tracer={self.tracer.name}"]


class HandOver(Case):
    def setUp(self):
        super().setUp()
        self.static = shutil.copy(victim("static_hello"), self.top / "static")
        self.other = shutil.copy(victim("static_hello"), self.top / "not-executable")
        os.chmod(self.other, 0o644)

    def hand_over(self, tracer, *command, **options):
        """Records a command that may ask `tracer`; returns (result, run)."""
        run = self.new_run()
        result = self.preload(*command, options=f"log=off:trace={run}:tracer={tracer.name}",
                              **options)
        self.assertEqual(tracer.faults, [])
        for request in tracer.requests:
            self.assertEqual(request.pid, request.peer, request)
        return result, run

    def check_same_with(self, tracer, *command, **options):
        """Ends well, and writes the same as without us."""
        self.clear_work()
        bare = self.execute(*command, **options)
        self.assertEqual(bare.returncode, 0, bare.stderr)
        made = harness.tree(self.work)
        self.clear_work()
        result, run = self.hand_over(tracer, *command, **options)
        self.assertEqual(
            (result.returncode, result.stdout, result.stderr, harness.tree(self.work)),
            (bare.returncode, bare.stdout, bare.stderr, made))
        return run

    def clear_work(self):
        harness.remove_tree(self.work)
        self.work.mkdir()

    def spots(self, run):
        return [(event["reason"], event["text"]) for event in self.report(run).of("blind_spot")
                if event["reason"] not in ("appeared", "exec-silent")]

    def ways(self, tracer):
        script = self.top / "script"
        script.write_bytes(f"#!{self.static}\n".encode())
        script.chmod(0o755)
        return self.check_same_with(tracer, victim("start_ways"), self.static, script)


class Requests(HandOver):
    def test_each_way_to_start_a_program_is_one_request(self):
        with FakeTracer() as tracer:
            run = self.ways(tracer)
        # Eleven by fork, one by vfork, two by posix_spawn; then the shells of system and popen.
        self.assertEqual(tracer.kinds(), ["take_exec"] * 12
                         + ["follow_child", "call_returned"] * 2 + ["take_exec"] * 2)
        for request in tracer.requests:
            self.assertEqual((request.pid, request.scope), (request.tid, 0))
        spawner = {request[1:] for request in tracer.requests[12:16]}
        self.assertEqual(len(spawner), 1, "the thread that spawns")
        self.assertEqual(self.spots(run), [])

    def test_a_call_that_fails_is_told(self):
        code = ("import os, threading\n"
                "def fail():\n"
                "    try:\n"
                f"        os.execv({str(self.other)!r}, ['x'])\n"
                "    except OSError as error:\n"
                "        print(error.errno, sorted(os.listdir('/proc/self/fd')))\n"
                "fail()\n"
                "other = threading.Thread(target=fail)\n"
                "other.start()\n"
                "other.join()\n")
        with FakeTracer() as tracer:
            self.check_same_with(tracer, "/usr/bin/python3", "-S", "-c", code)
        self.assertEqual(tracer.kinds(), ["take_exec", "call_returned"] * 2)
        first, told, of_other, told_of_other = tracer.requests
        self.assertEqual((first[1:], first.pid), (told[1:], first.tid))
        self.assertEqual(of_other[1:], told_of_other[1:])
        self.assertEqual(of_other.pid, first.pid)
        self.assertNotEqual(of_other.tid, first.tid)

    def test_what_loads_the_library_is_not_handed_over(self):
        with FakeTracer() as tracer:
            run = self.check_same_with(tracer, "/bin/sh", "-c", "/bin/true; env true")
        self.assertEqual((tracer.requests, self.spots(run)), ([], []))

    @needs("strace")
    def test_without_a_tracer_nobody_is_asked(self):
        trace = self.top / "strace"
        result, _ = self.record("strace", "-f", "-o", trace, "-e", "trace=%network,prctl,execve",
                                "/bin/sh", "-c", f"{self.static}; :")
        text = trace.read_text()
        self.assertIn(f'execve("{self.static}"', text)
        for call in ("socket(", "connect(", "PTRACER"):
            self.assertNotIn(call, text)

    @needs_root
    @needs("setpriv")
    def test_a_user_who_cannot_record_here(self):
        self.top.chmod(0o755)
        with FakeTracer() as tracer:
            run = self.check_same_with(
                tracer, "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                "/bin/true")
        self.assertEqual(tracer.kinds(), ["take_exec"])
        self.assertEqual(self.spots(run), [])
        with FakeTracer(errno.EPERM) as tracer:
            run = self.check_same_with(
                tracer, "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                "/bin/true")
        (reason, text), = self.spots(run)
        self.assertEqual(reason, "exec-run-directory")
        self.assertIn("(not traced: Operation not permitted)", text)

    @needs_root
    @needs("setpriv")
    def test_rights_of_an_owner_are_for_a_tracer_of_root(self):
        program = shutil.copy(victim("static_hello"), self.top / "privileged")
        os.chown(program, 12345, 12345)
        os.chmod(program, 0o4755)
        with FakeTracer() as tracer:
            self.check_same_with(tracer, "/bin/sh", "-c", f"{program}; :")
        self.assertEqual(tracer.kinds(), ["take_exec"])
        # Recorded by another user, it would lose these rights.
        self.top.chmod(0o777)
        with FakeTracer() as tracer:
            _, run = self.hand_over(tracer, "/bin/sh", "-c", f"{program}; :", user=NOBODY,
                                    group=NOBODY, extra_groups=[])
        self.assertEqual(tracer.requests, [])
        self.assertEqual(self.spots(run), [("exec-privileged", str(program))])

    @needs_root
    @needs("setpriv")
    def test_a_name_that_another_user_has_taken(self):
        """Nobody is asked who is neither root nor this user."""
        self.top.chmod(0o777)
        program = (f"import os, sys\nsys.path.insert(0, {str(harness.Path(__file__).parent)!r})\n"
                   "from lib.fake_tracer import FakeTracer\n"
                   "with FakeTracer() as tracer:\n"
                   "    print(tracer.name, flush=True)\n"
                   "    sys.stdin.read()\n"
                   "    print(len(tracer.requests))\n")
        with harness.subprocess.Popen(["/usr/bin/python3", "-c", program], user=12345, group=12345,
                                      extra_groups=[], stdin=harness.subprocess.PIPE,
                                      stdout=harness.subprocess.PIPE) as other:
            tracer = FakeTracer()
            tracer.name = other.stdout.readline().decode().strip()
            _, run = self.hand_over(tracer, "/bin/sh", "-c", f"{self.static}; :", user=NOBODY,
                                    group=NOBODY, extra_groups=[])
            rest, _ = other.communicate()
        self.assertEqual(self.spots(run), [
            ("exec-static", f"{self.static} (not traced: Operation not permitted)")])
        self.assertTrue(tracer.name)
        self.assertIn(rest.strip(), (b"0", b"1"))  # a connection without a word is none


# In a mount name space of its own, where the directory that is named is empty.
SHELLS = """import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 0x40000
if (libc.unshare(CLONE_NEWNS) or libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None)
        or libc.mount(b"none", os.fsencode(sys.argv[1]), b"tmpfs", 0, None)):
    sys.exit("mount: " + os.strerror(ctypes.get_errno()))
print(libc.system(b"echo 1"), flush=True)
libc.popen.restype = ctypes.c_void_p
print(libc.pclose(ctypes.c_void_p(libc.popen(b"exit 3", b"r"))))
words = ctypes.create_string_buffer(64)
print(libc.wordexp(b"$(echo 4)", words, 0))
"""


class Shells(HandOver):
    """system(3) and its like, which start a shell past each wrapper of exec."""

    @needs_root
    def test_a_shell_that_cannot_load_the_library(self):
        command = ("/usr/bin/python3", "-S", "-c", SHELLS, os.path.dirname(harness.SHIM))
        bare = self.execute(*command)
        if bare.returncode != 0:
            self.skipTest(bare.stderr.decode())
        with FakeTracer() as tracer:
            run = self.check_same_with(tracer, *command)
        self.assertEqual(tracer.kinds(), ["follow_child", "call_returned"] * 3)
        self.assertEqual(self.spots(run), [])
        with FakeTracer(errno.EPERM) as tracer:
            run = self.check_same_with(tracer, *command)
        self.assertEqual(tracer.kinds(), ["follow_child"] * 3)
        self.assertEqual(self.spots(run), [
            ("exec-library", "/bin/sh (not traced: Operation not permitted)")] * 3)


class Refused(HandOver):
    """Whatever the tracer makes of it: the program goes on, and the report says why."""

    def test_each_answer(self):
        for answer in (errno.EPERM, DIES, OTHER_WORDS):
            with self.subTest(answer=answer):
                with FakeTracer(answer) as tracer:
                    run = self.ways(tracer)
                # Nothing is taken back that was not taken.
                self.assertEqual(tracer.kinds(), ["take_exec"] * 12 + ["follow_child"] * 2
                                 + ["take_exec"] * 2)
                texts = [text for reason, text in self.spots(run) if reason == "exec-static"]
                self.assertEqual(len(texts), 16)
                for text in texts:
                    self.assertTrue(text.endswith(f" (not traced: {WORDS[answer]})"), text)

    def test_no_tracer(self):
        run = self.ways(FakeTracer())
        texts = [text for reason, text in self.spots(run) if reason == "exec-static"]
        self.assertEqual(len(texts), 16)
        for text in texts:
            self.assertTrue(text.endswith(" (not traced: Connection refused)"), text)

    def test_one_that_never_answers_is_asked_once(self):
        code = f"import os\nfor _ in range(200): os.waitpid(os.posix_spawn({str(self.static)!r}," \
               " ['x'], os.environ), 0)"
        with FakeTracer(KEEPS_SILENT) as tracer:
            run = self.check_same_with(tracer, "/usr/bin/python3", "-S", "-c", code)
        self.assertEqual(tracer.kinds(), ["follow_child"])
        self.assertEqual(self.spots(run), [
            ("exec-static", f"{self.static} (not traced: {WORDS[KEEPS_SILENT]})")] * 200)

    def test_a_name_that_is_too_long(self):
        tracer = FakeTracer()
        tracer.name = "x" * 200 + ".1"
        run = self.check_same_with(tracer, "/bin/sh", "-c", f"{self.static}; :")
        self.assertEqual(self.spots(run), [
            ("exec-static", f"{self.static} (not traced: File name too long)")])


class Unseen(HandOver):
    """No descriptor, no child, no errno, in whichever thread or handler it is looked for."""

    def beside(self, how, rounds=100):
        for answer in (0, errno.EPERM, DIES):
            with self.subTest(answer=answer), FakeTracer(answer) as tracer:
                self.check_same_with(tracer, victim("starts_beside"), self.work, how,
                                     self.static, self.other, rounds)
                self.assertEqual(tracer.kinds().count("take_exec"), 2 * rounds)
                self.assertEqual(tracer.kinds().count("follow_child"), rounds)
                self.assertEqual(tracer.kinds().count("call_returned"),
                                 3 * rounds if answer == 0 else 0)

    def test_another_thread_looks(self):
        self.beside("thread")

    def test_another_thread_closes_all(self):
        self.beside("closer")

    def test_a_handler_looks(self):
        self.beside("handler")

    def test_there_is_no_room_for_a_descriptor(self):
        program = victim("static_hello")  # an old file: what it is is not asked again
        with FakeTracer() as tracer:
            self.check_same_with(tracer, victim("starts_beside"), self.work, "full",
                                 program, self.other, 20)
        self.assertEqual(tracer.kinds().count("follow_child"), 21)

    def test_system_calls_and_what_is_held(self):
        script = self.top / "script"
        script.write_bytes(f"#!{self.static}\n".encode())
        script.chmod(0o755)
        for answer in (0, errno.EPERM):
            with self.subTest(answer=answer), FakeTracer(answer) as tracer:
                command = [victim("start_ways"), self.static, script]
                self.assertEqual(TracedEquivalence(self, tracer, command).differences(), [])
                self.assertTrue(tracer.requests)
                command = [victim("starts_beside"), self.work, "full", self.static, self.other, 3]
                self.assertEqual(TracedEquivalence(self, tracer, command).differences(), [])


# Kills for a socket of the domain AF_UNIX, and executes what stands behind.
BARS_SOCKETS = f"""import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
words = struct.pack("<" + "HBBI" * 5, 0x20, 0, 0, 0, 0x15, 0, 1, {SYS_SOCKET}, 6, 0, 0, 0x80000000,
                    6, 0, 0, 0x7fff0000, 6, 0, 0, 0x7fff0000)
program = ctypes.create_string_buffer(words)
filter = struct.pack("<H6xQ", 5, ctypes.addressof(program))
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, filter, 0, 0):
    sys.exit("prctl: " + os.strerror(ctypes.get_errno()))
os.execv(sys.argv[1], sys.argv[1:])
"""


class Filters(HandOver):
    def test_a_filter_that_kills_for_the_question(self):
        with FakeTracer() as tracer:
            run = self.check_same_with(tracer, "/usr/bin/python3", "-S", "-c", BARS_SOCKETS,
                                       self.static, self.work)
            self.assertEqual(self.texts(run), ["Function not implemented"])
            run = self.check_same_with(tracer, "/usr/bin/python3", "-S", "-c", BARS_SOCKETS,
                                       "/bin/sh", "-c", f"{self.static}; {self.static}; :")
            self.assertEqual(self.texts(run), ["Function not implemented"] * 2)
        self.assertEqual(tracer.requests, [])

    def texts(self, run):
        return [text.partition("(not traced: ")[2].rstrip(")") for reason, text in self.spots(run)
                if reason == "exec-static"]


@unittest.skipIf(platform.machine() != "x86_64", "is read on x86-64 only")
class InlineCalls(HandOver):
    """Who answers here traces nothing: the kernel says ENOSYS for what the filter stops."""

    stopped = ("inlined", "any", "umask")

    def answers(self, result):
        return dict(line.rsplit(" ", 1)[::1] if line.endswith(" ok") else
                    (line.split(" ")[0], line.partition(" ")[2])
                    for line in result.stdout.decode().splitlines())

    def check_filtered(self, tracer, *command, **options):
        bare = self.execute(*command)
        self.assertEqual(set(self.answers(bare).values()), {"ok"})
        self.clear_work()
        self.work.chmod(0o777)
        result, run = self.hand_over(tracer, *command, **options)
        expected = {name: "Function not implemented" if name in self.stopped else "ok"
                    for name in self.answers(bare)}
        self.assertEqual(self.answers(result), expected)
        self.assertEqual([(request.kind, request.scope) for request in tracer.requests],
                         [("take_process", 1)])
        return run

    @needs_root
    def test_a_filter_stops_these_and_nothing_else(self):
        with FakeTracer() as tracer:
            run = self.check_filtered(tracer, victim("inline_calls"), self.work)
        self.assertEqual(self.spots(run), [])
        made = {os.path.basename(path) for path in self.report(run).creations()}
        self.assertEqual(made, {"libc", "syscall", "by-child"})
        self.assertEqual(made, set(os.listdir(self.work)))

    @needs_root
    def test_images_behind_the_filter_believe_nothing_barred(self):
        """Each of them has a filter more."""
        preload = {"LD_PRELOAD": f"{harness.SHIM}:{victim('libinline_calls_library.so')}"}
        with FakeTracer() as tracer:
            result, run = self.hand_over(tracer, "/bin/bash", "-c", "umask 027; exec bash -c "
                                         "'umask 022; mkdir one; exec mkdir two'", env=preload)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertEqual([(request.kind, request.scope) for request in tracer.requests],
                         [("take_process", 1)] * 4)
        self.assertNotIn("seccomp", [reason for reason, _ in self.spots(run)])
        made = {os.path.basename(path) for path in self.report(run).creations()}
        self.assertEqual(made, {"one", "two"})

    def test_without_the_right_to_a_filter_the_whole_process(self):
        self.top.chmod(0o777)
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        self.clear_work()
        self.work.chmod(0o777)
        with FakeTracer() as tracer:
            result, run = self.hand_over(tracer, victim("inline_calls"), self.work, **user)
        self.assertEqual(set(self.answers(result).values()), {"ok"})
        self.assertEqual([(request.kind, request.scope) for request in tracer.requests],
                         [("take_process", 0)])
        self.assertFalse(os.path.exists(run) and
                         [name for name in os.listdir(run) if name.endswith(".seg")])

    def test_refused(self):
        with FakeTracer(errno.EPERM) as tracer:
            run = self.check_same_with(tracer, victim("inline_calls"), self.work)
        self.assertEqual(tracer.kinds(), ["take_process"])
        self.assertEqual(self.spots(run), [
            ("inline-calls", "the program: 4 of its own: umask, openat, mkdirat, any number"
             " (not traced: Operation not permitted)")])

    @needs_root
    def test_a_library_that_is_loaded_later(self):
        library = victim("libinline_calls_library.so")
        with FakeTracer() as tracer:
            run = self.check_same_with(tracer, victim("inline_calls"), self.work, library)
        self.assertEqual(self.spots(run), [("inline-calls", f"{library}: 1 of its own: mkdirat")])

    def test_programs_without_any(self):
        for command in (("/usr/bin/python3", "-c", "import ctypes, json, socket"), ("/bin/ls",)):
            with self.subTest(command=command), FakeTracer() as tracer:
                run = self.check_same_with(tracer, *command)
                self.assertEqual((tracer.requests, self.spots(run)), ([], []))


class Go(HandOver):
    @needs("go", "gcc")
    def test_a_go_program_that_is_dynamically_linked(self):
        file, program = self.top / "main.go", self.top / "program"
        file.write_text(PURE_GO)
        env = {"GOCACHE": str(self.top / "cache"), "GO111MODULE": "off", "HOME": str(self.top),
               "CGO_ENABLED": "1"}
        result = self.execute("go", "build", "-o", program, file, env=env, cwd=self.top)
        if result.returncode != 0:
            self.skipTest(f"go cannot build: {result.stderr.decode()[:200]}")
        shell = ("/bin/sh", "-c", f"{program} && echo done")
        with FakeTracer() as tracer:
            run = self.check_same_with(tracer, *shell)
        self.assertEqual([(request.kind, request.scope) for request in tracer.requests],
                         [("take_process", 0)])
        self.assertEqual(self.spots(run), [])
        report = self.report(run)
        # It has no segment of ours: the shell has one, and what Go started.
        self.assertNotIn(tracer.requests[0].pid, {event["pid"] for event in report.of("process")
                                                  if event.get("exe") == str(program)})
        self.assertEqual(report.of("loss"), [])
        with FakeTracer(errno.EPERM) as tracer:
            run = self.check_same_with(tracer, *shell)
        self.assertEqual(self.spots(run), [
            ("go-runtime", f"{program} (not traced: Operation not permitted)")])


if __name__ == "__main__":
    harness.main()
