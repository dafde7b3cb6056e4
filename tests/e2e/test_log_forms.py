"""The live log as JSON, and as what daemons take: what arrives at sockets of the test's own."""

import base64
import json
import os
import re
import socket
import struct
import subprocess
import threading

from lib import harness, schemas
from lib.harness import Case, truths_of, victim

SYSLOG = re.compile(rb"<(?P<priority>\d+)>(?P<month>[A-Z][a-z]{2}) (?P<day>[ 1-3]\d) "
                    rb"\d\d:\d\d:\d\d umaskaudit\[(?P<pid>\d+)\]: (?P<text>[^\n]*)$")
NAMES = [b"plain", b"quote\"back\\slash", b"line\nfeed\ttab\x01\x7f", b"\xff\xfe", b"a\xc3",
         "\u65e5\u672c\U0001f600".encode(), b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80",
         b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"x" * 250, b"\x80" * 250]


def journal_fields(entry):
    """The native protocol: NAME=VALUE, or NAME, a size of 64 bits and so many bytes."""
    fields = {}
    while entry:
        line, _, rest = entry.partition(b"\n")
        if b"=" in line:
            name, _, value = line.partition(b"=")
        else:
            name, (size,) = line, struct.unpack_from("<Q", rest)
            value, rest = rest[8:8 + size], rest[8 + size:]
            assert rest[:1] == b"\n", entry
            rest = rest[1:]
        assert re.fullmatch(rb"[A-Z][A-Z0-9_]*", name), name
        assert name not in fields, name
        fields[name.decode()] = value
        entry = rest
    return fields


class Daemon:
    """A datagram socket. Unread, the kernel keeps ten messages (net.unix.max_dgram_qlen)."""

    def __init__(self, case):
        self.path = str(case.top / "daemon")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        case.addCleanup(self.socket.close)
        self.socket.bind(self.path)
        self.messages = []
        self.reader = None

    def read_all(self):
        """What is there now."""
        while True:
            try:
                self.messages.append(self.socket.recv(1 << 17, socket.MSG_DONTWAIT))
            except BlockingIOError:
                return self.messages

    def serve(self):
        """Reads all the time, for programs that say more than a socket holds."""
        def read():
            while message := self.socket.recv(1 << 17):
                self.messages.append(message)
        self.reader = threading.Thread(target=read)
        self.reader.start()

    def finish(self):
        sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sender.sendto(b"", self.path)
        sender.close()
        self.reader.join()
        return self.messages


class Forms(Case):
    def run_python(self, program, *words, options):
        result = self.preload("/usr/bin/python3", "-ISB", "-c", program, *words, options=options)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        return result

    def objects(self, lines):
        objects = [json.loads(line) for line in lines]
        for one in objects:
            schemas.validate(one, schemas.OURS / "log.schema.json")
        return objects

    def name_of(self, one):
        path = base64.b64decode(one["path_bytes"]) if "path_bytes" in one else one["path"].encode()
        return os.path.basename(path)

    @schemas.needs_jsonschema
    def test_json_is_json_whatever_a_name_holds(self):
        log = self.top / "log"
        self.run_python("import os\nos.umask(0o27)\n"
                        f"for name in {NAMES!r}: os.mkdir(name)\n",
                        options=f"log={log}:log_format=json")
        text = log.read_bytes()
        self.assertTrue(text.isascii() and not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", text))
        objects = self.objects(text.splitlines())
        change, *made = objects
        self.assertEqual((change["type"], change["old"], change["new"], change["argument"]),
                         ("umask", "0022", "0027", "0027"))
        self.assertEqual([one["function"] for one in change["script"]], ["<module>"])
        self.assertIn("module", change["stack"][0])
        modes = {name: f"{os.lstat(os.fsencode(self.work) + b'/' + name).st_mode & 0o7777:04o}"
                 for name in NAMES}
        self.assertEqual({self.name_of(one): one["final"] for one in made}, modes)
        for one in made:
            self.assertEqual((one["type"], one["requested"], one["mask"], one["pid"]),
                             ("create", "0777", "0027", change["pid"]))
            self.assertNotIn("path_cut", one)
            whole = os.path.join(os.path.realpath(self.work).encode(), self.name_of(one))
            self.assertEqual("path_bytes" in one, whole.decode(errors="ignore").encode() != whole)

    @schemas.needs_jsonschema
    def test_the_longest_names_leave_it_valid(self):
        """4,095 bytes of a path, each six when it is escaped."""
        log = self.top / "log"
        self.run_python("import os\n"
                        "for letter in (b'\\x01', b'\\xff', b'y'):\n"
                        "  here = os.open('.', os.O_PATH)\n"
                        "  for i in range(15): os.mkdir(letter * 255); os.chdir(letter * 255)\n"
                        "  os.fchdir(here)\n", options=f"log={log}:log_format=json")
        made = self.objects(log.read_bytes().splitlines())
        self.assertEqual([one["type"] for one in made], ["create"] * 45)
        self.assertEqual([one.get("path_cut", False) for one in made[:1]], [False])
        self.assertTrue(made[14]["path_cut"] and made[29]["path_cut"] and made[44]["path_cut"])

    def test_what_has_no_room_is_lost_as_a_whole(self):
        daemon = Daemon(self)
        self.run_python("import os\n"
                        "here = os.open('.', os.O_PATH)\n"
                        "for i in range(13):\n"
                        "  os.mkdir(b'y' * 254 + b'\\xff'); os.chdir(b'y' * 254 + b'\\xff')\n"
                        "os.mkdir('last'); os.fchdir(here); os.mkdir('very last')\n",
                        options=f"log=journald:log_socket={daemon.path}:log_format=json:"
                                "log_path=*last")
        lost, last = map(journal_fields, daemon.read_all())
        self.assertEqual((lost["UMASKAUDIT_TYPE"], lost["UMASKAUDIT_LINES"]), (b"loss", b"1"))
        self.assertEqual(os.path.basename(last["UMASKAUDIT_PATH"]), b"very last")
        self.assertEqual(json.loads(last["MESSAGE"])["type"], "create")

    @schemas.needs_jsonschema
    def test_an_overlap_in_json(self):
        log = self.top / "log"
        result = self.preload(victim("window_once"), self.work,
                              options=f"log={log}:log_format=json:log_events=findings")
        self.assertEqual(result.returncode, 0)
        inside, = [truth for truth in truths_of(result)
                   if os.path.basename(truth.get("path", "")) == "inside"]
        told, = self.objects(log.read_bytes().splitlines())
        self.assertEqual([told[name] for name in ("type", "inside", "outside", "objects", "final",
                                                  "expected", "victim")],
                         ["overlap", "0000", "0027", 1, inside["final"], "0640", inside["tid"]])

    def test_syslog_gets_a_message_an_event(self):
        daemon = Daemon(self)
        self.run_python("import os\nos.umask(0o27)\nos.mkdir(b'a\\nb\\xff')\n",
                        options=f"log=syslog:log_socket={daemon.path}")
        messages = [SYSLOG.match(message) for message in daemon.read_all()]
        self.assertNotIn(None, messages, daemon.messages)
        self.assertEqual({match["priority"] for match in messages}, {b"14"})  # user.info
        self.assertEqual(len({match["pid"] for match in messages}), 1)
        change, made = (match["text"].decode("ascii") for match in messages)
        self.assertRegex(change, r"^\[\d+ python3\] umask\(0027\) 0022 \S+ -> 0027 .*     @0 .*"
                                 r"     #0 .*     #1 ")
        self.assertRegex(made, r'^\[\d+ python3\] mkdir\(".*/a\\x0ab\\xff", 0777\): '
                               r"0777 & ~0027 = 0750 ")
        self.assertEqual(os.stat(os.fsencode(self.work) + b"/a\nb\xff").st_mode & 0o7777, 0o750)

    def test_syslog_by_a_stream(self):
        """Older daemons; a message ends with a NUL."""
        path = str(self.top / "stream")
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(server.close)
        server.bind(path)
        server.listen(100)
        self.run_python("import os\nos.umask(0o27)\nos.mkdir('made')\n",
                        options=f"log=syslog:log_socket={path}:stacks=none")
        server.setblocking(False)
        received = b""
        while True:
            try:
                connection, _ = server.accept()
            except BlockingIOError:
                break
            with connection, connection.makefile("rb") as stream:
                received += stream.read()
        messages = received.split(b"\0")
        self.assertEqual(messages.pop(), b"")
        texts = [SYSLOG.match(message)["text"] for message in messages]
        self.assertRegex(texts[0], rb" umask\(0027\) ")
        self.assertRegex(texts[1], rb' mkdir\(".*/made", 0777\)')
        self.assertEqual(len(texts), 2)

    def test_the_journal_gets_entries(self):
        for names in (NAMES[:7], NAMES[7:]):
            daemon = Daemon(self)
            self.run_python("import os\nos.umask(0o27)\n"
                            f"for name in {names!r}: os.mkdir(name)\n",
                            options=f"log=journald:log_socket={daemon.path}")
            change, *made = map(journal_fields, daemon.read_all())
            os.unlink(daemon.path)
            self.assertEqual((change["PRIORITY"], change["SYSLOG_IDENTIFIER"]),
                             (b"6", b"umaskaudit"))
            self.assertEqual([change["UMASKAUDIT_" + name] for name in ("TYPE", "OLD", "NEW")],
                             [b"umask", b"0022", b"0027"])
            self.assertRegex(change["MESSAGE"], rb"^\[\d+ python3\] umask\(0027\) ")
            self.assertRegex(change["UMASKAUDIT_STACK"], rb"^    @0 .*\n(.*\n)*    #0 ")
            self.assertEqual([os.path.basename(one["UMASKAUDIT_PATH"]) for one in made], names)
            for one in made:
                mode = os.lstat(one["UMASKAUDIT_PATH"]).st_mode & 0o7777
                self.assertEqual(one["UMASKAUDIT_FINAL"], f"{mode:04o}".encode())
                self.assertRegex(one["MESSAGE"], rb" mkdir\(.* 0777 & ~0027 = 0750 ")

    @schemas.needs_jsonschema
    def test_a_message_can_be_an_object(self):
        for place in ("syslog", "journald"):
            daemon = Daemon(self)
            self.run_python("import os\nos.umask(0o27)\nos.umask(0o22)\n",
                            options=f"log={place}:log_socket={daemon.path}:log_format=json")
            messages = daemon.read_all()
            os.unlink(daemon.path)
            texts = [SYSLOG.match(message)["text"] if place == "syslog"
                     else journal_fields(message)["MESSAGE"] for message in messages]
            self.assertEqual([one["new"] for one in self.objects(texts)], ["0027", "0022"])

    def test_an_overlap_is_a_warning(self):
        for place in ("syslog", "journald"):
            daemon = Daemon(self)
            directory = self.work / place
            directory.mkdir()
            result = self.preload(victim("window_once"), directory, options=
                                  f"log={place}:log_socket={daemon.path}:log_events=findings")
            messages = daemon.read_all()
            os.unlink(daemon.path)
            self.assertEqual((result.returncode, result.stderr), (0, b""))
            message, = messages
            if place == "syslog":
                self.assertEqual(SYSLOG.match(message)["priority"], b"12")  # user.warning
            else:
                fields = journal_fields(message)
                self.assertEqual((fields["PRIORITY"], fields["UMASKAUDIT_TYPE"]),
                                 (b"4", b"overlap"))

    def test_a_daemon_that_does_not_read_loses_lines_and_they_are_counted(self):
        program = ("import os, sys\n"
                   "for i in range(3000): os.mkdir(f'd{i}')\n"
                   "print('full', flush=True)\n"
                   "sys.stdin.readline()\n"
                   "os.mkdir('last')\n")
        for place in ("syslog", "journald"):
            daemon = Daemon(self)
            process = subprocess.Popen(
                ["/usr/bin/python3", "-ISB", "-c", program], cwd=self.work,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                env={**os.environ, "LD_PRELOAD": harness.SHIM, "UMASKAUDIT_OPTIONS":
                     f"log={place}:log_socket={daemon.path}:stacks=none"})
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            self.assertEqual(process.stdout.readline(), b"full\n")
            kept = len(daemon.read_all())
            self.assertTrue(0 < kept < 3000, kept)
            process.communicate(b"\n", harness.TIMEOUT)
            self.assertEqual(process.returncode, 0)
            counted, last = daemon.read_all()[kept:]
            if place == "syslog":
                match = SYSLOG.match(counted)
                self.assertEqual(match["text"], b"lines that could not be written before this: "
                                 + str(3000 - kept).encode())
            else:
                self.assertEqual(journal_fields(counted)["UMASKAUDIT_LINES"],
                                 str(3000 - kept).encode())
            self.assertIn(b'/last"', last)
            os.unlink(daemon.path)
            for name in (*(f"d{i}" for i in range(3000)), "last"):
                os.rmdir(self.work / name)

    def test_no_signal_from_a_daemon_that_hangs_up(self):
        path = str(self.top / "stream")
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.bind(path)
        server.listen(1)

        def hang_up():
            while True:
                connection, _ = server.accept()
                connection.close()
                if stop.is_set():
                    return

        stop = threading.Event()
        thread = threading.Thread(target=hang_up)
        thread.start()
        try:
            result = self.preload("/usr/bin/python3", "-ISB", "-c",
                                  "import os, signal\nsignal.signal(signal.SIGPIPE, "
                                  "signal.SIG_DFL)\nfor i in range(5000): os.mkdir(f'd{i}')\n",
                                  options=f"log=syslog:log_socket={path}:stacks=none")
        finally:
            stop.set()
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as last:
                last.connect(path)
            thread.join()
            server.close()
        self.assertEqual((result.returncode, result.stderr), (0, b""))

    def test_no_descriptor_is_met_or_inherited(self):
        daemon = Daemon(self)
        daemon.serve()
        options = f"log=syslog:log_socket={daemon.path}:stacks=none"
        race = self.preload(victim("descriptors_in_a_race"), self.work, 1500, options=options)
        forks = self.preload(victim("forks_while_logging"), self.work, 2000, options=options)
        messages = daemon.finish()
        self.assertEqual(race.returncode, 0, race.stderr[-1000:])
        self.assertEqual(truths_of(race), [{"odd": 0, "failed": 0, "foreign": 0}])
        self.assertEqual((forks.returncode, forks.stderr), (0, b""))
        self.assertEqual(truths_of(forks), [{"leaks": 0}])
        texts = b"\n".join(messages)
        self.assertIn(b" umask(0027) ", texts)
        self.assertIn(b" mkdir(", texts)

    def test_no_descriptor_is_kept(self):
        """The lowest one that is free is what dup(2) returns."""
        daemon = Daemon(self)
        result = self.run_python("import os\nfor i in range(5):\n  os.mkdir(f'd{i}')\n"
                                 "  got = os.dup(0)\n  print(got)\n  os.close(got)\n",
                                 options=f"log=syslog:log_socket={daemon.path}")
        self.assertEqual(result.stdout.split(), [b"3"] * 5)
        self.assertEqual(len(daemon.read_all()), 5)

    def test_where_nobody_listens_the_program_goes_on(self):
        for path in (self.top / "nothing", "x" * 200, self.work):
            result = self.preload("/usr/bin/python3", "-ISB", "-c", "import os; os.mkdir('made')",
                                  options=f"log=journald:log_socket={path}")
            self.assertEqual(result.returncode, 0)
            self.assertTrue(os.path.isdir(self.work / "made"))
            os.rmdir(self.work / "made")
            (line,) = result.stderr.splitlines()
            self.assertIn(b"no daemon listens at the socket of log=", line)


if __name__ == "__main__":
    harness.main()
