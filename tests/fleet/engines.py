"""The engines that a lake can be loaded into, each as a fleet would have it: start(), load(lake),
ask(select). Must never use a server of the machine's, a fixed port, or a network but loopback; what
is started ends with the thread that started it. Called by test_engines.py and growth.py."""

import contextlib
import csv
import glob
import io
import json
import os
import pwd
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "debug"
# create.sql and its like are generated there, beside copies of what is not.
SQL = Path(os.environ.get("TEST_SQL", BUILD / "reporter" / "fleet" / "sql"))
NODE_MODULES = ROOT / "build" / "npm" / "node_modules"
TOOL = os.environ.get("TEST_UMASKAUDIT", str(BUILD / "reporter" / "umaskaudit"))


class Missing(Exception):
    """Why an engine cannot be had here."""


def run(command, **options):
    done = subprocess.run(command, stdin=options.pop("stdin", subprocess.DEVNULL),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: "
                           + done.stderr.decode(errors="replace")[-3000:])
    return done.stdout


def comparable(rows):
    """Rows in an order and with values that are the same for all engines."""
    return sorted((tuple(None if value is None else str(value) for value in row) for row in rows),
                  key=lambda row: [(value is None, value or "") for value in row])


class Engine:
    name = None
    jobs = 2

    def __init__(self, directory):
        """`directory`: where it may keep what it likes; others clean up."""
        self.directory = Path(directory)

    def start(self):
        raise NotImplementedError

    def stop(self):
        pass

    def load(self, lake):
        raise NotImplementedError

    def servers(self):
        """The processes that do its work, and are not children that have ended."""
        return []

    def processor(self):
        """Seconds of processor time so far, of its processes and of all children of this one."""
        ticks = 0
        for process in self.servers():
            text = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8", errors="replace")
            # utime, stime, cutime, cstime of proc(5), from the field behind the name on.
            ticks += sum(map(int, text.rpartition(")")[2].split()[11:15]))
        return ticks / os.sysconf("SC_CLK_TCK") + sum(os.times()[:4])

    def query(self, *selects):
        """Of each of them its rows, of str, int or None; no question answers with booleans."""
        raise NotImplementedError

    def rows(self, table):
        """What FROM wants for a table whose rows count once."""
        return table

    def ask(self, select):
        return comparable(self.query(select)[0])

    def ask_all(self, selects):
        return [comparable(rows) for rows in self.query(*selects)]

    def execute(self, statement):
        self.query(statement)

    def set_period(self, first, last):
        self.execute(f"UPDATE period SET first_date = '{first}', last_date = '{last}'")


class Sqlite(Engine):
    name = "sqlite"

    def start(self):
        self.database = sqlite3.connect(self.directory / "fleet.sqlite", isolation_level=None)
        for part in ("create", "questions"):
            self.database.executescript((SQL / "sqlite" / f"{part}.sql").read_text("utf-8"))

    def stop(self):
        self.database.close()

    def load(self, lake):
        tables = [name for name, in self.database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'period'")]
        columns = {table: [row[1] for row in self.database.execute(f"PRAGMA table_info({table})")]
                   for table in tables}
        directories = sorted(Path(lake).glob("host=*/date=*/run=*"))
        for start in range(0, len(directories), 100):
            self.database.execute("BEGIN")
            for table in tables:
                self.load_table(table, columns[table], directories[start:start + 100])
            self.database.execute("COMMIT")

    def load_table(self, table, columns, directories):
        self.database.executemany(f"DELETE FROM {table} WHERE run = ?", (
            [directory.name.partition("=")[2]] for directory in directories))
        files = [f"{directory}/{table}.jsonl.zst" for directory in directories]
        lines = run(["zstd", "-dcq", *files]).decode().split("\n")
        self.database.executemany(
            f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})",
            ([row.get(column) for column in columns] for row in map(json.loads, lines[:-1])))

    def query(self, *selects):
        return [self.database.execute(select).fetchall() for select in selects]


class Fleet(Engine):
    """The reporter's own: questions are asked by `umaskaudit fleet`, other SELECTs of its file."""
    name = "umaskaudit fleet"

    def start(self):
        self.file = self.directory / "fleet.sqlite"
        self.lake, self.period = None, []

    def fleet(self, *words):
        return run([TOOL, "fleet", str(self.lake), "--database", str(self.file), *words]).decode()

    def load(self, lake):
        self.lake = lake
        self.fleet("coverage")

    def set_period(self, first, last):
        self.period = ["--since", first, "--until", last]

    def query(self, *selects):
        names = {select: select.removeprefix("SELECT * FROM q_").replace("_", "-")
                 for select in selects if select.startswith("SELECT * FROM q_")}
        answers = {select: [] for select in selects}
        if names:
            asked = {name: answers[select] for select, name in names.items()}
            for line in self.fleet("--format", "json", "--limit", "0", *self.period, "--",
                                   *names.values()).splitlines():
                row = json.loads(line)
                asked[row.pop("question")].append(list(row.values()))
        with contextlib.closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)) as database:
            for select in answers.keys() - names.keys():
                answers[select] = database.execute(select).fetchall()
        return [answers[select] for select in selects]


class Duckdb(Engine):
    name = "duckdb"

    def start(self):
        if shutil.which("node") is None:
            raise Missing("node is not installed")
        if not (NODE_MODULES / "@duckdb" / "node-api").is_dir():
            raise Missing("@duckdb/node-api is not installed below build/npm")
        self.sql("create.sql", "questions.sql")

    def sql(self, *texts, lake="", database="fleet.duckdb"):
        """Of texts, or of files of ours, the rows of the last statement."""
        texts = [(SQL / "duckdb" / text).read_text("utf-8") if text.endswith(".sql") else text
                 for text in texts]
        set_lake = "SET VARIABLE lake = '" + str(lake).replace("'", "''") + "'"
        out = run(["node", str(ROOT / "tests" / "fleet" / "duckdb.mjs"), str(NODE_MODULES),
                   str(self.directory / database)],
                  input=json.dumps([set_lake, *texts]).encode(), stdin=None)
        return [json.loads(line) for line in out.decode().split("\n")[1:-1]]

    def load(self, lake):
        self.sql("load.sql", lake=lake)

    def query(self, *selects):
        return self.sql(*selects)


class DuckdbFiles(Duckdb):
    """Its views over the files as they are."""
    name = "duckdb over the files"

    def start(self):
        super().start()
        self.lake = None

    def load(self, lake):
        self.lake = lake
        self.sql("lake.sql", "questions.sql", lake=lake, database="views.duckdb")

    def query(self, *selects):
        return self.sql(*selects, lake=self.lake, database="views.duckdb")


class Server(Engine):
    """An engine that is a process, which ends when the thread that started it does."""

    def start_process(self, command, ready, account=None, **options):
        """Waits until it prints `ready`."""
        as_account = (["--reuid", account, "--regid", account, "--init-groups"] if account else [])
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *as_account, *command], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
        said, is_ready = [], threading.Event()

        def listen():
            for line in process.stdout:
                said.append(line)
                del said[:-50]
                if ready in line:
                    is_ready.set()
            is_ready.set()

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        is_ready.wait()
        process.listener = listener
        if not any(ready in line for line in said):
            process.wait()
            process.stdout.close()
            raise RuntimeError(f"{command[0]}: " + b"".join(said).decode(errors="replace"))
        return process

    def end(self, process, number=signal.SIGKILL):
        process.send_signal(number)
        process.wait()
        process.listener.join()
        process.stdout.close()


class Postgresql(Server):
    name = "postgresql"
    database = "fleet"

    def start(self):
        programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: float(
            path.split("/")[4]))
        if not programs or not os.access(programs[-1] + "/initdb", os.X_OK):
            raise Missing("PostgreSQL's server is not installed")
        if shutil.which("psql") is None:
            raise Missing("psql is not installed")
        account = None
        if os.geteuid() == 0:
            # The server refuses to run as root.
            account = next((name for name in ("postgres", "nobody") if self.is_account(name)), None)
            if account is None:
                raise Missing("neither postgres nor nobody is a user here")
            shutil.chown(self.directory, account)
        os.chmod(self.directory, 0o711)
        as_account = (["setpriv", "--reuid", account, "--regid", account, "--init-groups"]
                      if account else [])
        run([*as_account, programs[-1] + "/initdb", "-D", str(self.directory / "data"),
             "-E", "UTF8", "--locale=C", "-A", "trust", "-U", "fleet", "--no-sync"],
            cwd=self.directory)
        os.chmod(self.directory / "data", 0o700)
        self.process = self.start_process(
            [programs[-1] + "/postgres", "-D", str(self.directory / "data"), "-k",
             str(self.directory), "-c", "listen_addresses=", "-c", "fsync=off",
             "-c", "max_wal_size=4GB", "-c", "shared_buffers=256MB"],
            b"ready to accept connections", account, cwd=self.directory)
        self.options = ["-h", str(self.directory), "-U", "fleet"]
        run(["psql", *self.options, "-qc", f"CREATE DATABASE {self.database}", "postgres"])
        self.options += ["-d", self.database]

    @staticmethod
    def is_account(name):
        try:
            return pwd.getpwnam(name) is not None
        except KeyError:
            return False

    def stop(self):
        self.end(self.process, signal.SIGINT)  # a fast shutdown, which ends its children

    def servers(self):
        return [self.process]

    def processor(self):
        # A session's process counts for its parent when that has noticed its end.
        for process in self.servers():
            self.settle(Path(f"/proc/{process.pid}/task/{process.pid}/children"))
        return super().processor()

    @staticmethod
    def settle(children):
        for _ in range(100):
            files = [Path(f"/proc/{pid}/cmdline") for pid in children.read_text().split()]
            names = [file.read_bytes() for file in files if file.exists()]
            if not any(name == b"" or b"postgres: fleet" in name for name in names):
                break
            time.sleep(0.01)

    def load(self, lake):
        run([str(SQL / "postgresql" / "load"), "-j", str(self.jobs), str(lake), *self.options])

    def sql(self, *arguments):
        return run(["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", *self.options, *arguments]).decode()

    def execute(self, statement):
        self.sql("-c", statement)

    def query(self, *selects):
        # No text of a lake is \N: a backslash stands before another, or before n, t, r, x or u.
        end = "\x1d\n"
        commands = [["-c", f"COPY ({select}) TO STDOUT (FORMAT csv, NULL '\\N')",
                     "-c", "\\echo " + end.strip("\n")] for select in selects]
        texts = self.sql(*sum(commands, [])).split(end)
        return [[[None if value == "\\N" else value for value in row]
                 for row in csv.reader(io.StringIO(text, newline=""))] for text in texts[:-1]]


class PostgresqlRemote(Postgresql):
    """Two clusters, of which one reads the tables of the other by postgres_fdw."""
    name = "postgresql, two clusters"

    def start(self):
        os.chmod(self.directory, 0o711)
        (self.directory / "near").mkdir()
        (self.directory / "far").mkdir()
        self.near, self.far = (Postgresql(self.directory / name) for name in ("near", "far"))
        self.near.start()
        try:
            self.far.start()
        except BaseException:
            self.near.stop()
            raise

    def stop(self):
        self.near.stop()
        self.far.stop()

    def servers(self):
        return [self.near.process, self.far.process]

    def load(self, lake):
        """The lake here, and what is in `far` beside it there."""
        self.near.load(lake)
        self.far.load(Path(lake).with_name("far"))
        variables = {"host": self.far.directory, "port": 5432, "dbname": self.far.database,
                     "schema": "public", "user": "fleet"}
        self.near.sql(*(f"--set=remote_{name}={value}" for name, value in variables.items()),
                      "-f", str(SQL / "postgresql" / "remote.sql"))

    def sql(self, *arguments):
        return self.near.sql("-c", "SET search_path = umaskaudit_all", *arguments)

    def execute(self, statement):
        self.near.execute(statement)


class Clickhouse(Server):
    name = "clickhouse"
    database = "umaskaudit"

    def start(self):
        self.server = shutil.which("clickhouse-server", path=os.environ["PATH"] + ":/usr/sbin")
        if self.server is None or shutil.which("clickhouse-client") is None:
            raise Missing("clickhouse-server and clickhouse-client are not installed")
        self.start_at(*self.free_ports(1))

    @staticmethod
    def free_ports(count):
        """Somebody may take one before it is used: who starts a server tries again."""
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
        ports = [each.getsockname()[1] for each in sockets]
        for each in sockets:
            each.close()
        return ports

    def start_at(self, *ports):
        """A server at the first of these ports, which are the shards of a cluster."""
        self.port = ports[0]
        shards = "".join("<shard><internal_replication>false</internal_replication><replica>"
                         f"<host>127.0.0.1</host><port>{port}</port></replica></shard>"
                         for port in sorted(ports))
        (self.directory / "config.xml").write_text(f"""<yandex>
<logger><level>information</level><console>1</console></logger>
<listen_host>127.0.0.1</listen_host><tcp_port>{self.port}</tcp_port>
<path>{self.directory}/data/</path><tmp_path>{self.directory}/tmp/</tmp_path>
<mark_cache_size>100000000</mark_cache_size><users_config>users.xml</users_config>
<default_profile>default</default_profile><default_database>default</default_database>
<remote_servers><umaskaudit>{shards}</umaskaudit></remote_servers>
</yandex>""")
        (self.directory / "users.xml").write_text("""<yandex>
<profiles><default><log_queries>0</log_queries></default></profiles>
<users><default><password></password><networks><ip>127.0.0.1</ip></networks>
<profile>default</profile><quota>default</quota></default></users>
<quotas><default/></quotas></yandex>""")
        self.process = self.start_process(
            [self.server, f"--config-file={self.directory}/config.xml"], b"Ready for connections.",
            cwd=self.directory)

    def stop(self):
        self.end(self.process)

    def servers(self):
        return [self.process]

    def load(self, lake):
        run([str(SQL / "clickhouse" / "load"), "-j", str(self.jobs), "-h", "127.0.0.1", "-p",
             str(self.port), "-d", self.database, str(lake)])

    def sql(self, query, database=None, **options):
        return run(["clickhouse-client", "--host", "127.0.0.1", "--port", str(self.port),
                    "--database", database or self.database, "--multiquery", "--query", query],
                   **options).decode()

    def rows(self, table):
        return f"{table} FINAL"

    def execute(self, statement):
        self.sql(statement)

    def set_period(self, first, last):
        self.sql(f"TRUNCATE TABLE period; INSERT INTO period VALUES ('{first}', '{last}')")

    def query(self, *selects):
        text = self.sql("; ".join(f"{select} FORMAT JSONCompact" for select in selects)).strip()
        answers = []
        while text:
            answer, end = json.JSONDecoder().raw_decode(text)
            answers.append(answer["data"])
            text = text[end:].lstrip()
        return answers


class ClickhouseCluster(Clickhouse):
    """Two servers, each with the hosts that its hash says, and Distributed tables."""
    name = "clickhouse, two shards"
    database = "umaskaudit_all"

    def start(self):
        (self.directory / "other").mkdir()
        self.other = Clickhouse(self.directory / "other")
        super().start()

    def start_at(self, *ports):
        ports = [*ports, *self.free_ports(1)]
        super().start_at(*ports)
        self.other.server = self.server
        try:
            self.other.start_at(*reversed(ports))
        except RuntimeError:
            super().stop()
            raise
        sql = SQL / "clickhouse"
        for shard in (self, self.other):
            shard.sql("CREATE DATABASE umaskaudit", "default")
            shard.sql((sql / "create.sql").read_text("utf-8"), "umaskaudit")
        self.sql("CREATE DATABASE umaskaudit_all", "default")
        self.sql((sql / "cluster.sql").read_text("utf-8"))
        self.sql((sql / "questions.sql").read_text("utf-8"))

    def stop(self):
        self.other.stop()
        super().stop()

    def servers(self):
        return [self.process, self.other.process]


ALONE = (Sqlite, Fleet, Duckdb, DuckdbFiles, Postgresql, Clickhouse)
ALL = (*ALONE, PostgresqlRemote, ClickhouseCluster)
