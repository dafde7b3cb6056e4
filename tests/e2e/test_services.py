"""Servers under load: nginx and PostgreSQL start, work for many clients at once, and end, as
without the shim; whatever they leave on disk is in the report, with the mode that stat says.

Must never take a port or a name that others could have: Unix sockets in the test's own directory.
"""

import grp
import http.client
import os
import pwd
import re
import select
import shutil
import signal
import socket
import stat
import subprocess
import threading

from lib import harness
from lib.harness import Case
from test_programs import postgres_bin

NOBODY = 65534
CLIENTS = int(os.environ.get("TEST_CLIENTS", "8"))
ROUNDS = int(os.environ.get("TEST_ROUNDS", "12"))  # of each client
LINE = re.compile(r"umaskaudit\[\d+/\d+ [^\]]*\] \S+ (\w+)\(\"(.*)\", (\d{4,})\): .* = (\d{4}) ")

NGINX = """
daemon off;
pid nginx.pid;
worker_processes 2;
error_log stderr notice;
error_log logs/error.log notice;
{user}
events {{ worker_connections 256; }}
http {{
  access_log logs/access.log;
  client_body_temp_path client_body_temp 1 2;
  client_body_buffer_size 1k;
  proxy_temp_path proxy_temp;
  fastcgi_temp_path fastcgi_temp;
  uwsgi_temp_path uwsgi_temp;
  scgi_temp_path scgi_temp;
  add_header X-Generation {generation};
  server {{
    listen unix:{socket};
    root files;
    location / {{
      dav_methods PUT DELETE MKCOL COPY MOVE;
      create_full_put_path on;
      dav_access group:rw all:r;
    }}
    location /stored/ {{
      root .;
      proxy_pass http://unix:{socket}:/made/;
      proxy_store on;
      proxy_store_access user:rw group:r;
    }}
    location /made/ {{ return 200 "$request_uri {filler}"; }}
  }}
}}
"""
FILLER = "x" * 3000


class Service(Case):
    def setUp(self):
        super().setUp()
        if len(str(self.top)) > 80:  # unix(7)
            self.skipTest(f"{self.top} is too long for the name of a socket")
        self.top.chmod(0o711)  # workers are somebody else
        self.server = None
        self.ours = set()  # what the test itself made
        self.said = []
        self.heard = threading.Condition()

    def start(self, *words, options, env=None):
        """Starts a server in a session of its own; what it says on stderr is kept line by line."""
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith(("UMASKAUDIT_", "TEST_")) and key != "LD_PRELOAD"}
        if options is not None:
            environment.update(LD_PRELOAD=harness.SHIM, UMASKAUDIT_OPTIONS=options)
        self.server = subprocess.Popen([str(word) for word in words], cwd=self.work,
                                       env={**environment, **(env or {})},
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE, start_new_session=True)
        self.listener = threading.Thread(target=self.listen, args=(self.server.stderr,))
        self.listener.start()
        self.addCleanup(self.end)

    def listen(self, pipe):
        with pipe:
            for line in pipe:
                with self.heard:
                    self.said.append(line.decode(errors="replace").rstrip("\n"))
                    self.heard.notify_all()
        with self.heard:
            self.said.append("")  # the end: all processes are gone
            self.heard.notify_all()

    def end(self):
        if self.server.poll() is None:
            os.killpg(self.server.pid, signal.SIGKILL)
            self.server.wait()
        self.listener.join()

    def wait_for(self, text, times):
        """Until the server has said so on so many lines."""
        def so_many():
            return sum(text in line for line in self.said) >= times or self.said[-1:] == [""]
        with self.heard:
            self.assertTrue(self.heard.wait_for(so_many, harness.TIMEOUT), self.said[-20:])
        self.assertGreaterEqual(sum(text in line for line in self.said), times, self.said[-20:])

    def wait_for_exit(self):
        self.assertEqual(self.server.wait(harness.TIMEOUT), 0, self.said[-20:])
        self.listener.join(harness.TIMEOUT)
        self.assertFalse(self.listener.is_alive(), "a process of the server is left")

    def check_all_of_it(self, run, top):
        report = self.report(run)
        self.assertEqual(report.of("loss"), [])
        self.assertEqual(report.of("umask", drift=True), [])
        self.assertEqual(report.of("create", created="unknown"), [])
        return self.check_all_told(report, top, self.ours)

    def check_log(self, lines, top):
        """Each line about an object that is still there tells its mode; returns how many."""
        found, unlike = set(), []
        for line in lines:
            match = LINE.match(line)
            path = match and os.path.join(top, match[2])
            if path and os.path.lexists(path):
                found.add(path)
                mode = harness.octal(stat.S_IMODE(os.lstat(path).st_mode))
                if match[4] != mode:
                    unlike.append((line, mode))
        self.assertEqual(unlike, [])
        return len(found)


class Connection(http.client.HTTPConnection):
    """To a Unix socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=harness.TIMEOUT)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Nginx(Service):
    def setUp(self):
        super().setUp()
        self.nginx = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
        if self.nginx is None:
            self.skipTest("nginx is not installed; scripts/test --with-programs installs it")
        version = self.execute(self.nginx, "-V").stderr
        if b"--with-http_dav_module" not in version:
            self.skipTest("this nginx has no DAV module")
        for name in ("logs", "files", "stored"):
            (self.work / name).mkdir()
            if os.geteuid() == 0:
                os.chown(self.work / name, NOBODY, NOBODY)
            self.ours.add(str(self.work / name))

    def configure(self, generation):
        user = ""
        if os.geteuid() == 0:
            user = f"user {pwd.getpwuid(NOBODY).pw_name} {grp.getgrgid(NOBODY).gr_name};"
        (self.top / "nginx.conf").write_text(NGINX.format(
            user=user, generation=generation, socket=self.top / "s", filler=FILLER))

    def serve(self, options):
        self.configure(1)
        os.umask(0o027)
        self.start(self.nginx, "-e", "stderr", "-p", self.work, "-c", self.top / "nginx.conf",
                   options=options)
        self.wait_for("start worker process ", 2)

    def request(self, method, path, body=None, **headers):
        """One request on a connection of its own: (status, generation, body)."""
        for _ in range(1000):
            connection = Connection(self.top / "s")
            try:
                connection.request(method, path, body, {"Connection": "close", **headers})
                response = connection.getresponse()
                return response.status, response.getheader("X-Generation"), response.read()
            except ConnectionError:
                # A worker that retires closes connections on which nothing was asked yet; then
                # the request may be sent again (RFC 9112, 9.3.1).
                self.assertIsNone(self.server.poll(), "the server is gone")
            finally:
                connection.close()
        return self.fail(f"{method} {path} is never answered")

    def client(self, number, midway):
        expected = {}
        for turn in range(ROUNDS):
            if turn == ROUNDS // 2:
                midway.wait(harness.TIMEOUT)
            body = f"{number} {turn} ".encode() * 2000
            name = f"/c{number}/d{turn % 3}/f{turn}"
            self.expect((201, 204), "PUT", name, body)
            self.assertEqual(self.request("GET", name)[2], body)
            self.expect((201, 204), "COPY", name, Destination=f"http://localhost{name}-copy")
            self.expect((201, 204, 404), "MOVE", f"{name}-copy",
                        Destination=f"http://localhost{name}-moved")
            self.expect((201, 405), "MKCOL", f"/c{number}/made{turn}/")
            expected[f"files{name}"] = expected[f"files{name}-moved"] = body
            stored = f"/stored/{number}-{turn}"
            status, _, text = self.request("GET", stored)
            self.assertEqual((status, text),
                             (200, f"/made/{number}-{turn} {FILLER}".encode()))
            expected[stored[1:]] = text
        return expected

    def expect(self, statuses, method, path, body=None, **headers):
        answer = self.request(method, path, body, **headers)
        self.assertIn(answer[0], statuses, (method, path, answer))

    def load(self):
        """All clients at once, and in their middle the server takes its configuration again."""
        results, failures = {}, []
        midway = threading.Barrier(CLIENTS + 1)

        def work(number):
            try:
                results.update(self.client(number, midway))
            except BaseException as error:  # pylint: disable=broad-except
                failures.append(error)
                midway.abort()

        clients = [threading.Thread(target=work, args=(number,)) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            midway.wait(harness.TIMEOUT)
            self.configure(2)
            self.server.send_signal(signal.SIGHUP)
        except threading.BrokenBarrierError:
            pass
        for client in clients:
            client.join()
        if failures:
            raise failures[0]
        return results

    def work_through(self, options):
        self.serve(options)
        expected = self.load()
        self.wait_for("exited with code 0", 2)
        self.assertEqual(self.request("GET", "/c0/d0/f0")[:2], (200, "2"))
        (self.work / "logs/access.log").rename(self.work / "logs/access.log.1")
        self.server.send_signal(signal.SIGUSR1)
        self.wait_for("reopening logs", 3)  # the master and two workers
        self.server.send_signal(signal.SIGQUIT)
        self.wait_for_exit()
        for name, body in expected.items():
            self.assertEqual((self.work / name).read_bytes(), body, name)
        bad = [line for line in (self.work / "logs/error.log").read_text().splitlines()
               if "[notice]" not in line]
        self.assertEqual(bad, [])
        return expected

    def test_recorded(self):
        run = self.new_run()
        expected = self.work_through(f"log=off:trace={run}")
        self.assertEqual(len(expected), CLIENTS * ROUNDS * 3)
        found = self.check_all_of_it(run, self.work)
        self.assertGreater(found, len(expected))

    def test_logged(self):
        self.work_through("log=stderr:stacks=none")
        lines = [line for line in self.said if line.startswith("umaskaudit[")]
        self.assertGreater(self.check_log(lines, self.work), CLIENTS)


class Postgres(Service):
    def setUp(self):
        super().setUp()
        self.programs = postgres_bin()
        if not self.programs or not os.path.exists(os.path.join(self.programs, "pgbench")):
            self.skipTest("PostgreSQL is not installed; scripts/test --with-programs installs it")
        self.user = {}
        if os.geteuid() == 0:  # which PostgreSQL refuses
            self.user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
            os.chown(self.work, NOBODY, NOBODY)
            self.top.chmod(0o777)
        self.environment = {"PGHOST": str(self.top), "PGDATA": str(self.work / "data"),
                            "PGUSER": "postgres", "PGDATABASE": "postgres", "PGPORT": "5432"}

    def sql(self, name, *words, options):
        """Runs a program of PostgreSQL to its end; returns what it prints."""
        result = self.preload(os.path.join(self.programs, name), *words, options=options,
                              env=self.environment, **self.user)
        self.assertEqual(result.returncode, 0, result.stderr.decode(errors="replace"))
        return result.stdout.decode()

    def work_through(self, options):
        def program(name, *words):
            return self.sql(name, *words, options=options)

        program("initdb", "--no-sync", "-E", "UTF8", "--locale=C", "-U", "postgres")
        # An end of this pipe is in each process of the server: where it ends, they have.
        left, right = os.pipe()
        self.addCleanup(os.close, left)
        settings = ("-c listen_addresses= -c fsync=off -c autovacuum=off "
                    f"-c unix_socket_directories={self.top}")
        try:
            self.user["pass_fds"] = (right,)
            program("pg_ctl", "start", "-w", "-l", self.top / "server.log", "-o", settings)
        finally:
            os.close(right)
            del self.user["pass_fds"]
        self.addCleanup(self.stop_now, left)
        program("pgbench", "-q", "-i", "-s", "1")
        transactions = 10 * ROUNDS
        said = program("pgbench", "-n", "-c", "4", "-j", "2", "-t", transactions)
        self.assertIn(f"actually processed: {4 * transactions}/{4 * transactions}", said)
        script = ("create table t as select g, md5(g::text) from generate_series(1, 20000) g; "
                  "create index on t (md5); checkpoint; vacuum full t; drop table pgbench_history")
        for statement in [*script.split("; "), "vacuum", "checkpoint", "create database other"]:
            program("psql", "-X", "-q", "-c", statement)
        self.assertEqual(program("psql", "-XAtc", "select count(*), count(distinct md5) from t"),
                         "20000|20000\n")
        program("pg_ctl", "stop", "-w", "-m", "fast")
        self.assertTrue(self.all_ended(left), "a process of the server is left")
        log = (self.top / "server.log").read_text()
        self.assertEqual([line for line in log.splitlines()
                          if re.search(r"(WARNING|ERROR|FATAL|PANIC): ", line)
                          # What a fast stop says where a client's end was not yet noticed.
                          and "due to administrator command" not in line], [])
        self.assertIn("database system is shut down", log)

    def all_ended(self, pipe):
        return bool(select.select([pipe], [], [], harness.TIMEOUT)[0])

    def stop_now(self, pipe):
        if not select.select([pipe], [], [], 0)[0]:
            self.execute(os.path.join(self.programs, "pg_ctl"), "stop", "-m", "immediate",
                         env=self.environment, **self.user)

    def test_recorded(self):
        run = self.new_run()
        self.work_through(f"log=off:trace={run}")
        found = self.check_all_of_it(run, self.work / "data")
        self.assertGreater(found, 1200)

    def test_logged(self):
        log = self.top / "log"
        self.work_through(f"log={log}:stacks=none")
        lines = log.read_text().splitlines()
        found = self.check_log(lines, self.work / "data")
        self.assertGreater(found, 300)


if __name__ == "__main__":
    harness.main()
