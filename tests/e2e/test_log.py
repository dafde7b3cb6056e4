"""LD_PRELOAD and nothing else: readable lines on stderr, whole ones, true ones."""

import collections
import fcntl
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import tty

from lib import harness
from lib.harness import Case, needs, truths_of, victim

HEAD = (r"umaskaudit\[(?P<pid>\d+)/(?P<tid>\d+) (?P<thread>[^\]]*)\] "
        r"(?P<time>\d\d:\d\d:\d\d\.\d{6})Z ")
CHANGE = re.compile(HEAD + r"umask\((?P<argument>0\d{3,})\) (?P<old>0\d{3}) (?P<old_rwx>[rwx-]{9}) "
                    r"-> (?P<new>0\d{3}) (?P<new_rwx>[rwx-]{9})(?P<note> \(.*\))?$")
CREATION = re.compile(HEAD + r'(?P<call>\w+)\("(?P<path>.*)", (?P<requested>\d{4,})\): '
                      r"(?P<derivation>.*?)(?: at (?P<at>.*))?$")
MASKED = re.compile(r"(\d{4,}) & ~(\d{4}) = (\d{4}) ([a-zA-Z-]{9})( \(.*\))?$")
WARNING = re.compile(HEAD + r"warning: thread (?P<setter>\d+) temporarily set umask "
                     r"(?P<inside>0\d{3}) instead of (?P<outside>0\d{3}): (?P<count>\d+) objects? "
                     r"created by other threads got the wrong mode: thread (?P<victim>\d+) got "
                     r"(?P<mode>0\d{3}) instead of (?P<expected>0\d{3})$")
DROPPED = re.compile(r"umaskaudit\[(?P<pid>\d+)\] lines that could not be written before this: "
                     r"(?P<count>\d+)$")
FRAME = re.compile(r"    #(\d+) (?:(?P<symbol>.+)\+0x[0-9a-f]+ )?"
                   r"\((?P<module>.+)\+0x[0-9a-f]+\)$")

SCRIPT = re.compile(r"    @(?P<number>\d+) (?P<place>.*)$")  # of a stack, in front of its frames


def symbolic(mode):
    return "".join(letter if mode >> (8 - bit) & 1 else "-"
                   for bit, letter in enumerate("rwxrwxrwx"))


class Log(Case):
    def lines_of(self, text):
        """Every line must be of a known form; returns (changes, creations, frames)."""
        changes, creations, frames, self.warnings = [], [], [], []
        self.dropped, self.scripts = [], []
        for line in text.splitlines():
            if match := CHANGE.match(line):
                changes.append(match)
            elif match := CREATION.match(line):
                creations.append(match)
            elif match := WARNING.match(line):
                self.warnings.append(match)
            elif match := FRAME.match(line):
                frames.append(match)
            elif match := SCRIPT.match(line):
                self.scripts.append(match)
            elif match := DROPPED.match(line):
                self.dropped.append(match)
            else:
                self.fail(f"a torn or unknown line: {line!r}")
        return changes, creations, frames

    def check_creation(self, match):
        derivation = MASKED.match(match["derivation"])
        self.assertTrue(derivation, match[0])
        requested, mask, final = (int(derivation[group], 8) for group in (1, 2, 3))
        self.assertEqual(requested, int(match["requested"], 8))
        if derivation[5] is None:
            self.assertEqual(requested & ~mask, final, match[0])
        self.assertEqual(derivation[4], symbolic(final))
        return final

    def test_no_child_inherits_the_log(self):
        log = self.top / "log"
        result = self.preload(victim("forks_while_logging"), self.work, 2000,
                              options=f"log={log}:stacks=none")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertEqual(truths_of(result), [{"leaks": 0}])
        self.assertIn(" mkdir(", log.read_text())

    def test_fork_handlers_that_log_while_the_log_is_held(self):
        log = self.top / "log"
        result = self.preload(victim("fork_handlers"), self.work, options=f"log={log}:stacks=none")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(" umask(", log.read_text())

    def test_lines_that_found_no_place_are_counted_in_the_next_one(self):
        log = self.top / "log"
        program = ("import os, sys\n"
                   "log = sys.argv[1]\n"
                   "os.umask(0o22)\n"
                   "os.rename(log, log + '.away')\n"  # the log is not made again
                   "os.umask(0o26)\n"
                   "os.umask(0o27)\n"
                   "os.rename(log + '.away', log)\n"
                   "os.umask(0o77)\n"
                   "os.umask(0o22)\n")
        result = self.preload(sys.executable, "-ISB", "-c", program, log,
                              options=f"log={log}:stacks=none")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        text = log.read_text()
        changes, _, _ = self.lines_of(text)
        self.assertEqual([match["new"] for match in changes], ["0022", "0077", "0022"])
        self.assertEqual([match["count"] for match in self.dropped], ["2"])
        told = text.splitlines().index(self.dropped[0][0])
        self.assertIn(" umask(0077) ", text.splitlines()[told + 1])

    def test_a_child_of_fork_has_buffers_for_its_lines(self):
        log = self.top / "log"
        result = self.preload(victim("fork_amid_buffers"), self.work,
                              options=f"log={log}:stacks=none")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        truth, = truths_of(result)
        self.assertEqual(truth["status"], 0)
        lines = [line for line in log.read_text().splitlines() if " blind spot: " not in line]
        _, creations, _ = self.lines_of("\n".join(lines))
        self.assertEqual([(int(match["pid"]), match["call"]) for match in creations],
                         [(truth["child"], "mkdir")])

    def test_no_descriptor_of_ours_is_met_by_another_thread(self):
        truths = []
        for place in (f"{self.top}/log", "stderr"):
            for name in ("database", "errors"):
                (self.work / name).unlink(missing_ok=True)
            result = self.preload(victim("descriptors_in_a_race"), self.work, 1500,
                                  options=f"log={place}:stacks=none")
            self.assertEqual(result.returncode, 0, result.stderr[-1000:])
            truths += truths_of(result)
        self.assertEqual(truths, [{"odd": 0, "failed": 0, "foreign": 0}] * 2)
        self.assertIn(" umask(0027) ", (self.top / "log").read_text())

    def test_no_descriptor_that_looks_below_a_root_is_met(self):
        """openat2(2) with RESOLVE_IN_ROOT: only the kernel can tell what the name led to before."""
        result = self.preload(victim("descriptors_in_a_race"), self.work, 100, "openat2",
                              options=f"log=off:trace={self.new_run()}:stacks=none")
        self.assertEqual(result.returncode, 0, result.stderr[-1000:])
        self.assertEqual(truths_of(result), [{"odd": 0, "failed": 0, "foreign": 0}])

    def write_without_a_reader(self, reading, writing):
        """Nobody reads until the program has said all; returns the lines that are cut."""
        program = ("import os, sys\n"
                   "for _ in range(3000):\n"
                   "    os.umask(0o22)\n"
                   "    os.umask(0o27)\n"
                   "print('said', flush=True)\n"
                   "sys.stdin.readline()\n"
                   "os.umask(0o77)\n")
        flags = fcntl.fcntl(writing, fcntl.F_GETFL)
        environment = {**os.environ, "LD_PRELOAD": harness.SHIM,
                       "UMASKAUDIT_OPTIONS": "log=stderr:stacks=none:log_repeats=yes"}
        process = subprocess.Popen([sys.executable, "-ISBc", program], cwd=self.work,
                                   env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=writing, start_new_session=True)
        self.addCleanup(self.end, process)
        if not select.select([process.stdout], [], [], harness.TIMEOUT)[0]:
            with open(f"/proc/{process.pid}/wchan", encoding="ascii") as wait:
                self.fail(f"the program hangs in {wait.read()}")
        self.assertEqual(process.stdout.readline(), b"said\n")
        self.assertEqual(fcntl.fcntl(writing, fcntl.F_GETFL), flags)
        text = b""
        os.set_blocking(reading, False)
        done = False
        while True:
            try:
                text += os.read(reading, 65536)
                continue
            except BlockingIOError:
                pass
            if done:
                break
            process.stdin.write(b"\n")
            process.stdin.close()
            self.assertEqual(process.wait(harness.TIMEOUT), 0)
            done = True
        changes, unknown, dropped = [], [], 0
        for line in text.decode().splitlines():
            if match := CHANGE.match(line):
                changes.append(match["new"])
            elif match := SCRIPT.match(line):
                self.scripts.append(match)
            elif match := DROPPED.match(line):
                dropped += int(match["count"])
            else:
                unknown.append(line)
        self.assertEqual(changes[-1], "0077")
        self.assertGreater(dropped, 0)
        self.assertIn(len(changes) + dropped - 6001, range(1 + len(unknown)))
        return unknown

    def end(self, process):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdin.close()
        process.stdout.close()

    def keep(self, *descriptors):
        for descriptor in descriptors:
            self.addCleanup(os.close, descriptor)
        return descriptors

    def test_a_pipe_that_nobody_reads(self):
        self.assertEqual(self.write_without_a_reader(*self.keep(*os.pipe())), [])

    def test_a_fifo_that_nobody_reads(self):
        fifo = self.top / "fifo"
        os.mkfifo(fifo)
        reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.assertEqual(self.write_without_a_reader(
            *self.keep(reading, os.open(fifo, os.O_WRONLY))), [])

    def test_a_socket_that_nobody_reads(self):
        ours, theirs = socket.socketpair()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.write_without_a_reader(*self.keep(ours.detach(), theirs.detach()))

    def test_a_terminal_that_nobody_reads(self):
        ours, theirs = self.keep(*os.openpty())
        tty.setraw(theirs)
        self.write_without_a_reader(ours, theirs)  # its room comes and goes: lines may be cut

    def test_a_log_that_somebody_else_may_have_put_there(self):
        theirs = self.top / "theirs"
        theirs.write_text("before\n")
        log = self.top / "log"
        plants = [lambda: log.symlink_to(theirs), lambda: log.symlink_to(self.top / "new"),
                  lambda: log.hardlink_to(theirs)]
        if os.geteuid() == 0:
            plants.append(lambda: (log.write_text("before\n"), os.chown(log, 65534, 65534)))
        for plant in plants:
            plant()
            result = self.preload("sh", "-c", "umask 027; echo out", options=f"log={log}")
            self.assertEqual((result.returncode, result.stdout), (0, b"out\n"))
            self.assertRegex(result.stderr, rb"\Aumaskaudit: warning: log= [^\n]*\n\Z")
            self.assertFalse((self.top / "new").exists())
            self.assertEqual(theirs.read_text(), "before\n")
            if not log.is_symlink():
                self.assertEqual(log.read_text(), "before\n")
            log.unlink()

    def test_names_of_functions(self):
        """Short and true, whatever their templates; the order is that of the program's text."""
        program = victim("many_names")
        text = subprocess.run(["nm", program], check=True, capture_output=True, text=True).stdout
        self.assertTrue([line for line in text.splitlines() if "6hidden" in line and
                         len(line.split()[2]) > 400], "no name is longer than what is looked at")
        result = self.preload(program, options="log_repeats=yes")
        self.assertEqual(result.returncode, 0)
        _, _, frames = self.lines_of(result.stderr.decode())
        callers = [second["symbol"] for first, second in zip(frames, frames[1:])
                   if first["symbol"] == "(anonymous namespace)::step"]
        hidden = "(anonymous namespace)::hidden<...>"
        self.assertEqual(callers, [
            "cfg::Box<...>::Box", "cfg::Box<...>::read", "cfg::Box<...>::operator bool",
            "cfg::Box<...>::operator<", "cfg::Box<...>::as<...>", "cfg::operator+",
            "cfg::Calls<...>::run", "(anonymous namespace)::outer::{lambda()#1}::operator()",
            hidden + "::Local::save", hidden + "..."])

    def test_libraries_that_come_and_go_keep_their_names(self):
        log = self.top / "log"
        program = ("import _ctypes, os, sys\n"
                   "for _ in range(100):\n"
                   "    _ctypes.dlclose(_ctypes.dlopen(sys.argv[1], 2))\n"
                   "    os.umask(0o22)\n"
                   "print(sum(sys.argv[1] in line for line in open('/proc/self/maps')))\n")
        result = self.preload(sys.executable, "-ISB", "-c", program,
                              victim("libdlopen_storm_library.so"),
                              options=f"log={log}:log_repeats=yes")
        self.assertEqual((result.returncode, result.stderr, result.stdout), (0, b"", b"0\n"))
        _, _, frames = self.lines_of(log.read_text())
        outermost = [frame["symbol"] for frame in frames if frame["module"].endswith("/libc.so.6")]
        self.assertEqual(outermost.count("__libc_start_main"), 100)

    def names_in_turns(self, close):
        """Logs two libraries of one layout that come in turns to the same place."""
        libraries = [str(self.top / name) for name in ("first.so", "another.so")]
        for library in libraries:
            shutil.copy(victim("libdlopen_storm_library.so"), library)
        log = self.top / "log"
        program = ("import ctypes, sys\n"
                   "places = []\n"
                   "for i in range(20):\n"
                   "    library = ctypes.CDLL(sys.argv[1 + i % 2])\n"
                   "    places.append(ctypes.cast(library.storm_create, ctypes.c_void_p).value)\n"
                   "    library.storm_create(b'/dev/null')\n"
                   f"    {close}(ctypes.c_void_p(library._handle))\n"
                   "print(len(set(places)))\n")
        result = self.preload(sys.executable, "-ISB", "-c", program, *libraries,
                              options=f"log={log}:log_repeats=yes")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertLess(int(result.stdout), 20, "no library came to where another one was")
        _, _, frames = self.lines_of(log.read_text())
        innermost = [frame for frame in frames if frame[1] == "0"]
        self.assertEqual([frame["module"] for frame in innermost],
                         [libraries[i // 2 % 2] for i in range(40)])
        self.assertEqual({frame["symbol"] for frame in innermost}, {"storm_create"})

    def test_a_library_where_another_one_was(self):
        self.names_in_turns("ctypes.CDLL(None).dlclose")

    def test_a_library_where_one_was_that_went_unseen(self):
        self.names_in_turns("ctypes.CDLL('libc.so.6').dlclose")

    @needs("strace")
    def test_a_line_takes_few_system_calls(self):
        counts = []
        for lines in (10, 110):
            trace = self.top / f"strace{lines}"
            loop = f"i=0; while [ $i -lt {lines} ]; do umask 027; i=$((i+1)); done"
            result = self.preload("strace", "-f", "-qq", "-o", trace, "sh", "-c", loop,
                                  options="log=/dev/null:log_repeats=yes")
            if result.returncode != 0:
                self.skipTest(f"strace cannot trace here: {result.stderr.decode('utf-8')}")
            # Not counted: whether a page can be read (sys::readable). In how many the frames of a
            # stack lie is left to chance.
            counts.append(collections.Counter(re.findall(r"^\d+ +(\w+)\((?!0xffffffff)",
                                                         trace.read_text(), re.MULTILINE)))
        more = counts[1] - counts[0]
        self.assertGreaterEqual(more["umask"], 100)  # a line for each
        # One look at each object of its stack: sh, libc and sh again.
        self.assertLessEqual(more["process_vm_readv"], 3 * more["umask"] + 10, more)
        # Two around the call, two around the line.
        self.assertLessEqual(more["rt_sigprocmask"], 4 * more["umask"], more)
        self.assertLessEqual(more.total(), 16 * more["umask"], more)

    def test_bash(self):
        result = self.preload("bash", "-c", "umask 027; mkdir d; echo > f", options="")
        self.assertEqual(result.returncode, 0)
        changes, creations, _ = self.lines_of(result.stderr.decode())
        set_by_us = [match for match in changes if match["new"] == "0027"]
        self.assertEqual(set_by_us[0]["old"], "0022")
        self.assertEqual(set_by_us[0]["new_rwx"], "rwxr-x---")
        self.assertEqual({match["thread"] for match in set_by_us}, {"bash"})
        finals = {match["path"].rsplit("/", 1)[-1]: self.check_creation(match)
                  for match in creations}
        self.assertEqual(finals, {"d": 0o750, "f": 0o640})
        self.assertEqual({match["place"] for match in self.scripts}, {"bash -c:1"})

    def test_the_line_of_a_script(self):
        """Of a mask change all that called it, of a creation what is not the interpreter's."""
        program = self.top / "app.py"
        program.write_text("import os, tempfile\n\ndef lower():\n    os.umask(0o77)\n\nlower()\n"
                           "os.mkdir('d')\ntempfile.mkdtemp(dir='.')\n")
        result = self.preload(sys.executable, program, options="")
        changes, creations, _ = self.lines_of(result.stderr.decode())
        self.assertEqual((result.returncode, len(changes)), (0, 1))
        self.assertEqual([match["place"] for match in self.scripts],
                         [f"{program}:4 lower", f"{program}:6 <module>"])
        self.assertEqual([match["at"] for match in creations],
                         [f"{program}:7 <module>", f"{program}:8 <module>"])

    def test_threads_never_tear_and_never_lie(self):
        log = self.top / "log"
        result = self.preload(victim("threads_umask"), self.work, 3000,
                              options=f"log={log}:log_repeats=yes")
        self.assertEqual(result.returncode, 0)
        truths = truths_of(result)
        setter = truths.pop()
        changes, creations, frames = self.lines_of(log.read_text())
        self.assertEqual(log.stat().st_mode & 0o7777, 0o600)
        final = {truth["path"]: int(truth["final"], 8) for truth in truths}
        self.assertEqual({match["path"]: self.check_creation(match) for match in creations}, final)
        by_setter = [match for match in changes if int(match["tid"]) == setter["tid"]]
        self.assertEqual(len(by_setter), setter["umask_calls"])
        self.assertEqual({match["thread"] for match in by_setter}, {"setter"})
        # Warned of as they happen: what cannot be told at that moment is left to the record.
        hits = sum(1 for mode in final.values() if mode == 0o666)
        self.assertLessEqual(sum(int(match["count"]) for match in self.warnings), hits)
        for match in self.warnings:
            self.assertEqual((int(match["setter"]), match["inside"], match["outside"],
                              match["mode"], match["expected"]),
                             (setter["tid"], "0000", "0077", "0666", "0600"))
        self.assertTrue(any("toggle_until_done" in (frame["symbol"] or "") for frame in frames))

    def test_a_creation_in_a_window_is_warned_of(self):
        log = self.top / "log"
        result = self.preload(victim("window_once"), self.work, options=f"log={log}")
        self.assertEqual(result.returncode, 0)
        truths = {os.path.basename(truth["path"]): truth for truth in truths_of(result)}
        self.assertEqual([truths[name]["final"] for name in ("inside", "outside", "afterwards")],
                         ["0666", "0640", "0600"])
        self.lines_of(log.read_text())
        self.assertEqual([(match["inside"], match["outside"], match["count"], match["mode"],
                           match["expected"], int(match["victim"])) for match in self.warnings],
                         [("0000", "0027", "1", "0666", "0640", truths["inside"]["tid"])])

    def test_the_program_ends_where_a_window_was_met(self):
        for how, status in (("trap", -signal.SIGTRAP), ("abort", -signal.SIGABRT), ("exit", 66),
                            ("no", 0)):
            for log in ("", ":log=off"):
                with self.subTest(how=how, log=log):
                    harness.remove_tree(self.work)
                    self.work.mkdir()
                    result = self.preload(victim("window_once"), self.work,
                                          options=f"stop_on_overlap={how}{log}")
                    self.assertEqual(result.returncode, status)
                    self.assertTrue((self.work / "inside").exists())
                    # Its end is there, and nothing that comes after it.
                    self.assertEqual((self.work / "outside").exists(), how == "no")
                    if how != "no":
                        self.assertIn(b"temporarily set umask 0000", result.stderr)
        # Nothing to stop for.
        result = self.preload("sh", "-c", "umask 0; mkdir d; umask 022",
                              options="stop_on_overlap=exit:log=off")
        self.assertEqual((result.returncode, result.stderr), (0, b""))

    def test_processes_never_tear(self):
        log = self.top / "log"
        script = "for i in 1 2 3 4 5 6 7 8; do (umask 0; mkdir a$i b$i c$i d$i) & done; wait"
        result = self.preload("sh", "-c", script, options=f"log={log}")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        _, creations, _ = self.lines_of(log.read_text())
        self.assertEqual(len([match for match in creations if match["call"] == "mkdir"]), 32)

    def test_a_change_from_the_same_place_is_told_ever_more_seldom(self):
        program = ("import os\n"
                   "def again():\n    os.umask(0o27)\n    os.umask(0o22)\n"
                   "for _ in range(250):\n    again()\n"
                   "os.umask(0o27)\n")
        result = self.preload(sys.executable, "-ISB", "-c", program, options="")
        changes, _, _ = self.lines_of(result.stderr.decode())
        notes = [match["note"] for match in changes if match["new"] == "0027"]
        # CPython calls by other ways when it has seen some code a few times.
        self.assertIn(" (100 times from the same place)", notes)
        self.assertLess(len(notes), 10)
        log = self.top / "log"
        self.preload(sys.executable, "-ISB", "-c", program, options=f"log={log}:log_repeats=yes")
        changes, _, _ = self.lines_of(log.read_text())
        self.assertEqual(len(changes), 501)

    def test_a_path_is_whole_whatever_it_begins_at(self):
        (self.work / "below").mkdir()
        program = ("import os\n"
                   "fd = os.open('below', os.O_RDONLY)\n"
                   "os.mkdir('a')\nos.mkdir('b', dir_fd=fd)\nos.mkdir('/' + os.getcwd() + '/c')\n"
                   "os.chdir('below')\nos.mkdir('../d')\n")
        result = self.preload(sys.executable, "-ISB", "-c", program, options="")
        _, creations, _ = self.lines_of(result.stderr.decode())
        top = str(self.work)
        self.assertEqual([match["path"] for match in creations],
                         [f"{top}/a", f"{top}/below/b", f"/{top}/c", f"{top}/below/../d"])

    def test_the_lines_that_are_asked_for(self):
        program = ("import os; os.umask(0o27); os.mkdir('one'); os.mkdir('two'); "
                   "os.umask(0o22)")
        for options, wanted in (("log_events=changes", (2, 0)), ("log_events=creations", (0, 2)),
                                ("log_events=findings", (0, 0)), ("log_path=*/tw?", (2, 1)),
                                ("log_path=two", (2, 0)), ("log-path=*:log-events=all", (2, 2))):
            with self.subTest(options):
                harness.remove_tree(self.work)
                self.work.mkdir()
                result = self.preload(sys.executable, "-ISB", "-c", program, options=options)
                changes, creations, _ = self.lines_of(result.stderr.decode())
                self.assertEqual((len(changes), len(creations)), wanted)

    def test_the_time_is_that_of_the_day(self):
        before = time.time()
        result = self.preload("mkdir", "d", options="")
        after = time.time()
        _, (creation,), _ = self.lines_of(result.stderr.decode())
        hour, minute, second = creation["time"].split(":")
        told = int(hour) * 3600 + int(minute) * 60 + float(second)
        day = 86400
        self.assertLessEqual((told - before % day + 1e-5) % day, (after - before) + 2e-5)

    def test_a_log_per_process(self):
        result = self.preload("sh", "-c", "mkdir d", options=f"log={self.top}/%c.%p.log")
        self.assertEqual(result.returncode, 0)
        logs = list(self.top.glob("mkdir.*.log"))
        self.assertEqual(len(logs), 1)
        pid = logs[0].name.split(".")[1]
        self.assertRegex(logs[0].read_text(), rf"umaskaudit\[{pid}/{pid} mkdir\] \S+ mkdir\(")

    def test_trace_without_log_is_silent(self):
        result = self.preload("sh", "-c", "umask 0; mkdir d", options=f"trace={self.new_run()}")
        self.assertEqual((result.returncode, result.stderr), (0, b""))

    def test_help_lists_the_options_and_an_unknown_one_is_named(self):
        text = self.preload("true", options="help=1").stderr.decode()
        for option in ("log", "trace", "stacks", "depth", "follow"):
            self.assertIn(option, text)
        result = self.preload("true", options="log=off:bogus=1")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(len(result.stderr.splitlines()), 1)
        self.assertIn(b"bogus", result.stderr)

    def test_names_are_escaped(self):
        result = self.preload("mkdir", "red\x1b[31m\nline", options="")
        self.assertNotIn(b"\x1b", result.stderr)
        _, creations, _ = self.lines_of(result.stderr.decode())
        self.assertEqual(len(creations), 1)


if __name__ == "__main__":
    harness.main()
