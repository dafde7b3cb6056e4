"""Records of OpenTelemetry: what a file and a collector on loopback receive, and what becomes of a
run whose collector is slow, dead or hostile."""

import json
import os
import re
import stat
import subprocess
import threading
import unittest
from pathlib import Path

from lib import harness
from lib.collector import Answer, Collector, dead_port, records_of
from lib.harness import Case, needs, truths_of, victim, wait_until

HOSTILE = b"a;b\x1b[31m\n\xff\xe2\x80\xae <script>"
MOST_BYTES = 512 << 10
SCRIPT = "umask 027; mkdir made; umask 0; : > wide; mkdir /proc/none/such 2>/dev/null; exit 7"


class OtlpCase(Case):
    def setUp(self):
        super().setUp()
        # No collector of the environment is used, and a busy machine has time enough.
        self.environment = {name: "" for name in os.environ if name.startswith("OTEL_")}
        self.environment["OTEL_EXPORTER_OTLP_TIMEOUT"] = "600000"

    def lines(self, run, *options, **rest):
        file = self.top / "export.jsonl"
        self.tool("export", run, "--format", "otlp", "-o", file, *options, **rest)
        return file.read_bytes().splitlines(keepends=True)

    def exported(self, run, *options, **rest):
        return [record for line in self.lines(run, *options, **rest) for record in records_of(line)]

    def send(self, run, url, env=None):
        return self.execute(harness.TOOL, "export", run, "--format", "otlp", "--to", url,
                            env={**self.environment, **(env or {})})

    def uids(self, records):
        uids = [record.uid for record in records]
        self.assertEqual(len(uids), len(set(uids)), "an id comes twice")
        return set(uids)

    def race(self, count=300):
        """A racy program, recorded: (run, what fstat said of each file, the setter's line)."""
        result, run = self.record(victim("threads_umask"), self.work, count, 20000)
        truths = truths_of(result)
        setter = truths.pop()
        return run, {truth["path"]: truth for truth in truths}, setter


class Export(OtlpCase):
    """`export --format otlp`: lines as a collector's file receiver reads them."""

    def test_creations_changes_and_findings_of_a_race(self):
        run, truths, setter = self.race()
        records = self.exported(run)
        made = {record["file.path"]: record for record in records
                if record.name == "create" and record["umaskaudit.created"]}
        self.assertEqual({path: record["file.mode"] for path, record in made.items()},
                         {path: truth["final"] for path, truth in truths.items()})
        for path, record in made.items():
            status = os.lstat(path)
            self.assertEqual(record["umaskaudit.file.mode_bits"], stat.S_IMODE(status.st_mode))
            self.assertEqual(record["file.inode"], str(status.st_ino))
            self.assertEqual(record["file.owner.id"], str(status.st_uid))
            self.assertEqual(record["umaskaudit.dev"], status.st_dev)
            self.assertEqual(record["file.directory"], os.path.dirname(path))
            self.assertEqual(record["thread.name"], "maker")
            self.assertIn("create_files", record["code.function.name"])
        changes = [record for record in records if record.name == "umask"]
        self.assertEqual(sum(record.get("umaskaudit.count") or 1 for record in changes),
                         setter["umask_calls"] + 1)
        self.assertIn(setter["tid"], {record["thread.id"] for record in changes})
        findings = {record["umaskaudit.rule.id"]: record for record in records
                    if record.name == "finding"}
        self.assertIn("getter-idiom", findings)
        told = {event["rule"]: event for event in self.report(run).of("finding")}
        self.assertEqual({rule: record["umaskaudit.fingerprint"]
                          for rule, record in findings.items()},
                         {rule: event["fingerprint"] for rule, event in told.items()})
        levels = {"note": "INFO", "warning": "WARN", "error": "ERROR"}
        self.assertEqual({rule: record.level for rule, record in findings.items()},
                         {rule: levels[event["severity"]] for rule, event in told.items()})
        self.assertIn("toggle_until_done", findings["getter-idiom"]["code.stacktrace"])

    def test_requests_are_bounded_and_nothing_is_lost_between_them(self):
        run, truths, _ = self.race(1500)
        lines = self.lines(run)
        self.assertGreater(len(lines), 2)
        records = [records_of(line) for line in lines]
        self.assertLessEqual(max(map(len, lines)), MOST_BYTES)
        self.assertLessEqual(max(map(len, records)), 512)
        paths = [record["file.path"] for line in records for record in line
                 if record.name == "create" and record["umaskaudit.created"]]
        self.assertEqual(sorted(paths), sorted(truths))
        self.uids(record for line in records for record in line)

    def test_the_same_run_is_the_same_records(self):
        _, run = self.record("sh", "-c", SCRIPT, status=7)
        self.assertEqual(self.lines(run), self.lines(run))
        _, other = self.record("sh", "-c", SCRIPT, status=7)
        first, second = self.exported(run), self.exported(other)
        self.assertEqual(self.uids(first) & self.uids(second), set())

    def test_hostile_names_keep_their_bytes(self):
        path = os.fsencode(self.work) + b"/" + HOSTILE
        _, run = self.record("mkdir", os.fsdecode(path))
        for line in self.lines(run):
            self.assertNotRegex(line, rb"[\x00-\x09\x0b-\x1f\x7f]")
        (made,) = [record for record in self.exported(run)
                   if record.name == "create" and record["umaskaudit.created"]]
        self.assertEqual(made["umaskaudit.file.path_bytes"], path)
        self.assertTrue(made.body.isprintable(), made.body)

    def test_who_and_where(self):
        _, run = self.record("sh", "-c", SCRIPT, status=7)
        records = self.exported(run, env={**self.environment,
                                          "OTEL_RESOURCE_ATTRIBUTES": "team=a%20b,host.name=x"})
        (resource,) = {json.dumps(record.resource) for record in records}
        resource = json.loads(resource)
        self.assertEqual(resource["service.name"], "sh")
        self.assertEqual((resource["team"], resource["host.name"]), ("a b", "x"))
        self.assertEqual(resource["os.version"], os.uname().release)
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            self.assertEqual(resource["umaskaudit.boot.id"], file.read().strip())
        (failed,) = [record for record in records
                     if record.name == "create" and record.get("error.type")
                     and record["file.path"] == "/proc/none/such"]
        self.assertEqual(failed["error.type"], "ENOENT")
        named = self.exported(run, env={**self.environment, "OTEL_SERVICE_NAME": "build",
                                        "OTEL_RESOURCE_ATTRIBUTES": "service.name=other"})
        self.assertEqual({record.resource["service.name"] for record in named}, {"build"})
        result = self.execute(harness.TOOL, "export", run, "--format", "otlp",
                              env={**self.environment, "OTEL_RESOURCE_ATTRIBUTES": "nonsense"})
        self.assertEqual(result.returncode, 0)
        self.assertIn(b"OTEL_RESOURCE_ATTRIBUTES", result.stderr)

    def test_a_program_that_could_not_be_audited(self):
        _, run = self.record(victim("static_hello"), status=None)
        (spot,) = [record for record in self.exported(run) if record.name == "blind_spot"]
        self.assertEqual((spot.level, spot["umaskaudit.reason"]), ("WARN", "exec-static"))


# Each line through the messages that OpenTelemetry's protocol generates: as bytes, and back.
ROUND_TRIP = """
const root = require(process.argv[1] + '/build/src/generated/root');
const type = root.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
const lines = require('fs').readFileSync(0, 'utf8').trimEnd().split('\\n');
for (const line of lines) {
  const bytes = type.encode(type.fromObject(JSON.parse(line))).finish();
  const back = type.toObject(type.decode(bytes), {longs: String, bytes: String});
  process.stdout.write(JSON.stringify(back) + '\\n');
}"""
PROTOCOL = (Path(__file__).resolve().parents[2] / "build" / "npm" / "node_modules"
            / "@opentelemetry" / "otlp-transformer")


class Protocol(OtlpCase):
    """The JSON against the protocol itself."""

    @needs("node")
    @unittest.skipUnless((PROTOCOL / "build" / "src" / "generated" / "root.js").exists(),
                         "otlp-transformer of npm is not installed (scripts/test --with-programs)")
    def test_nothing_is_lost_on_the_way_through_protobuf(self):
        race, _, _ = self.race()
        _, script = self.record("sh", "-c", SCRIPT, status=7)
        _, hostile = self.record("mkdir", os.fsdecode(os.fsencode(self.work) + b"/" + HOSTILE))
        _, static = self.record(victim("static_hello"), status=None)
        for run in (race, script, hostile, static):
            text = b"".join(self.lines(run))
            back = self.execute("node", "-e", ROUND_TRIP, PROTOCOL, input=text)
            self.assertEqual((back.returncode, back.stderr), (0, b""))
            told = [json.loads(line) for line in text.splitlines()]
            self.assertEqual([json.loads(line) for line in back.stdout.splitlines()], told)


class Send(OtlpCase):
    """`export --to`."""

    def test_every_record_arrives_once(self):
        run, _, _ = self.race(1500)
        collector = Collector(self)
        result = self.send(run, collector.url)
        self.assertEqual((result.returncode, result.stdout), (0, b""), result.stderr)
        records = collector.records()
        self.assertEqual(self.uids(records), self.uids(self.exported(run)))
        self.assertRegex(result.stderr.decode().replace(",", ""),
                         rf"^umaskaudit: sent {len(records)} records to {collector.url}/v1/logs\n$")
        self.assertEqual({request.path for request in collector.requests}, {"/v1/logs"})
        self.assertEqual({request.headers["Content-Type"] for request in collector.requests},
                         {"application/json"})
        self.assertRegex(collector.requests[0].headers["User-Agent"], r"^umaskaudit/[\d.]+$")

    def test_what_the_environment_says(self):
        _, run = self.record("mkdir", "made")
        collector = Collector(self)
        elsewhere = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url + "/base/",
                     "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Basic%20c2VjcmV0,x-empty="}
        self.assertEqual(self.send(run, "env", elsewhere).returncode, 0)
        logs = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
                "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": collector.url + "/as/it/is",
                "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
                "OTEL_EXPORTER_OTLP_HEADERS": "a=1", "OTEL_EXPORTER_OTLP_LOGS_HEADERS": "a=2"}
        self.assertEqual(self.send(run, "env", logs).returncode, 0)
        base, own = collector.requests
        self.assertEqual((base.path, own.path), ("/base/v1/logs", "/as/it/is"))
        headers = {name.lower(): value for name, value in base.headers.items()}
        self.assertEqual((headers["authorization"], headers["x-empty"]), ("Basic c2VjcmV0", ""))
        self.assertEqual((own.headers["a"], own.headers["Content-Encoding"]), ("2", "gzip"))
        self.assertEqual(base.body, own.body)

    def test_what_makes_no_sense_is_said_and_no_secret_shown(self):
        _, run = self.record("mkdir", "made")
        collector = Collector(self)
        for name, value in (("HEADERS", "secret"), ("HEADERS", "a=x%0d%0asecret"),
                            ("TIMEOUT", "soon"), ("COMPRESSION", "zstd"),
                            ("LOGS_TIMEOUT", "-1"), ("CERTIFICATE", "/proc/none/x")):
            result = self.send(run, collector.url, {"OTEL_EXPORTER_OTLP_" + name: value})
            self.assertEqual(result.returncode, 2, (name, value))
            self.assertIn(b"OTEL_EXPORTER_OTLP_" + name.encode(), result.stderr)
            self.assertNotIn(b"secret", result.stderr)
        for url, cause in (("ftp://x/", b"http://"), ("collector:4318", b"http://"),
                           ("http://", b"no host"), ("http://h:99999/", b"no such port"),
                           ("http://h:x/", b"no such port"), ("http://a b/", b"characters"),
                           ("http://me:secret@h/", b"HEADERS")):
            result = self.send(run, url)
            self.assertEqual(result.returncode, 2, url)
            self.assertIn(cause, result.stderr, url)
        self.assertEqual(collector.requests, [])

    def test_options_that_do_not_go_together(self):
        _, run = self.record("mkdir", "made")
        for options in (("--format", "ecs"), ("--format", "otlp", "-o", "x")):
            result = self.execute(harness.TOOL, "export", run, *options, "--to", "http://h")
            self.assertEqual(result.returncode, 2)
            self.assertIn(b"--to is for --format otlp", result.stderr)

    def test_it_tries_again_when_asked_to(self):
        _, run = self.record("mkdir", "made")
        for status in (429, 502, 503, 504):
            with self.subTest(status):
                collector = Collector(self, Answer(status, Retry_After="0"), Answer(status))
                result = self.send(run, collector.url)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertEqual(len({request.body for request in collector.requests}), 1)
                self.assertEqual(len(collector.requests), 3)
                self.assertEqual(self.uids(collector.records()), self.uids(self.exported(run)))

    def test_it_does_not_wait_longer_than_it_would_try(self):
        _, run = self.record("mkdir", "made")
        collector = Collector(self, Answer(503, Retry_After="86400", body="closed today"))
        result = self.send(run, collector.url)
        self.assertEqual((result.returncode, len(collector.requests)), (2, 1))
        self.assertIn(b"HTTP 503: closed today", result.stderr)

    def test_a_refusal_is_final(self):
        run, _, _ = self.race(1500)
        hostile = json.dumps({"code": 3, "message": "no\x1b[2J\nway"})
        for status in (301, 400, 401, 413, 500):
            with self.subTest(status):
                collector = Collector(self, Answer(), Answer(status, hostile, Location="/other"))
                result = self.send(run, collector.url)
                self.assertEqual((result.returncode, len(collector.requests)), (2, 2))
                self.assertIn(f"HTTP {status}: no\\x1b[2J\\nway".encode(), result.stderr)
                arrived = re.search(rb"([\d,]+) records arrived", result.stderr)[1]
                self.assertEqual(int(arrived.replace(b",", b"")), len(collector.records()))

    def test_partial_success_is_told(self):
        _, run = self.record("mkdir", "made")
        said = json.dumps({"partialSuccess": {"rejectedLogRecords": "2", "errorMessage": "odd"}})
        result = self.send(run, Collector(self, Answer(body=said)).url)
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"odd", result.stderr)
        arrived = int(re.search(rb"(\d+) records arrived", result.stderr)[1])
        self.assertEqual(arrived, len(self.exported(run)) - 2)
        said = json.dumps({"partialSuccess": {"errorMessage": "\x1b[2Jslow down"}})
        result = self.send(run, Collector(self, Answer(body=said)).url)
        self.assertEqual(result.returncode, 0)
        self.assertIn(rb"the collector says: \x1b[2Jslow down", result.stderr)

    def test_answers_that_nobody_expects(self):
        _, run = self.record("mkdir", "made")
        for body in ("", "no JSON", "[1]", '{"partialSuccess": 3}', "[" * 100000,
                     '{"partialSuccess": {"rejectedLogRecords": -5}}', b"\xff\xfe"):
            result = self.send(run, Collector(self, Answer(body=body)).url)
            self.assertEqual(result.returncode, 0, (body[:40], result.stderr))

    def test_nobody_there(self):
        _, run = self.record("mkdir", "made")
        result = self.send(run, f"http://127.0.0.1:{dead_port(self)}",
                           {"OTEL_EXPORTER_OTLP_TIMEOUT": "20"})
        self.assertEqual((result.returncode, result.stdout), (2, b""))
        self.assertRegex(result.stderr.decode(), r"cannot send all to .*0 records arrived")

    def test_nobody_answers(self):
        _, run = self.record("mkdir", "made")
        hold = threading.Event()
        collector = Collector(self, *[Answer(hold=hold)] * 20)
        result = self.send(run, collector.url, {"OTEL_EXPORTER_OTLP_TIMEOUT": "20"})
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"cannot send all to", result.stderr)

    def test_proxies_of_the_environment_are_not_used(self):
        _, run = self.record("mkdir", "made")
        collector, proxy = Collector(self), Collector(self)
        names = ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
        result = self.send(run, collector.url, {name: proxy.url for name in names})
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual((len(collector.requests), len(proxy.requests)), (1, 0))

    @needs("openssl")
    def test_https_trusts_whom_it_was_told_to_trust(self):
        _, run = self.record("mkdir", "made")
        pem = self.top / "both.pem"
        made = self.execute("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj",
                            "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2",
                            "-keyout", self.top / "key.pem", "-out", self.top / "cert.pem")
        self.assertEqual(made.returncode, 0, made.stderr)
        pem.write_bytes((self.top / "key.pem").read_bytes() + (self.top / "cert.pem").read_bytes())
        collector = Collector(self, certificate=pem)
        result = self.send(run, collector.url)
        self.assertEqual((result.returncode, collector.requests), (2, []))
        self.assertIn(b"certificate", result.stderr)
        authorities = {"OTEL_EXPORTER_OTLP_CERTIFICATE": str(self.top / "cert.pem")}
        result = self.send(run, collector.url, authorities)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.uids(collector.records()), self.uids(self.exported(run)))

    def test_without_libcurl(self):
        _, run = self.record("mkdir", "made")
        broken = self.top / "lib"
        broken.mkdir()
        for name in ("libcurl.so.4", "libcurl-gnutls.so.4"):
            (broken / name).write_text("no library")
        result = self.send(run, "http://127.0.0.1:1", {"LD_LIBRARY_PATH": str(broken)})
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"libcurl", result.stderr)
        self.assertNotEqual(self.lines(run, env={"LD_LIBRARY_PATH": str(broken)}), [])


class Live(OtlpCase):
    """`run --live-to otlp:URL`."""

    def run_live(self, url, *command, options=(), env=None):
        run = self.new_run()
        result = self.execute(harness.TOOL, "run", "-o", run, "--no-summary", "--live-to",
                              f"otlp:{url}", *options, "--", *command,
                              env={**self.environment, **(env or {})})
        return result, run

    def start(self, url, *command, env=None):
        run = self.new_run()
        process = subprocess.Popen(
            [harness.TOOL, "run", "-o", str(run), "--no-summary", "--live-to", f"otlp:{url}", "--",
             *command], cwd=self.work, stdin=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True, env={**os.environ, **self.environment, **(env or {})})
        self.addCleanup(self.end, process)
        return process, run

    def end(self, process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def events(self, records):
        return [record for record in records if record.name != "finding"]

    def ended(self, run):
        """Whether CMD has ended, as far as `run` knows."""
        return "exit_code" in json.loads((run / "run.json").read_text())

    def test_each_event_is_the_one_that_is_exported(self):
        (self.work / "app.py").write_text(
            "import os, subprocess\nos.umask(0)\nos.mkdir('wide')\n"
            "for i in range(40): os.mkdir(f'd{i}'), os.umask(i)\n"
            "subprocess.run(['sh', '-c', 'umask 7; : > a; (: > b) & wait'])\n")
        for command in (("sh", "-c", SCRIPT), ("/usr/bin/env", "python3", "app.py"),
                        (victim("static_hello"),)):
            with self.subTest(command):
                collector = Collector(self)
                result, run = self.run_live(collector.url, *command)
                self.assertNotIn(b"records did not reach", result.stderr)
                live, told = collector.records(), self.events(self.exported(run))
                self.assertEqual(self.uids(live), self.uids(told))
                for record in live:
                    self.assertEqual(record.resource, told[0].resource)

    def test_records_come_while_the_program_runs(self):
        collector = Collector(self)
        process, _ = self.start(collector.url, "sh", "-c", "mkdir made; read line; exit 7")
        made = lambda: any(record.get("umaskaudit.call") == "mkdir"
                           for record in collector.records())
        wait_until(made, "the creation arrives", process)
        self.assertIsNone(process.poll())
        process.stdin.write(b"\n")
        process.stdin.flush()
        self.assertEqual(process.wait(harness.TIMEOUT), 7)
        self.assertEqual(process.stderr.read(), b"")

    def test_a_collector_that_is_slow_does_not_hold_the_program(self):
        hold = threading.Event()
        collector = Collector(self, Answer(hold=hold))
        process, run = self.start(collector.url, "sh", "-c",
                                  "mkdir made; read line; mkdir later; exit 7")
        wait_until(lambda: collector.requests, "the first request comes", process)
        process.stdin.write(b"\n")
        process.stdin.flush()
        wait_until(lambda: self.ended(run), "the program ends while its collector is mute")
        self.assertTrue((self.work / "later").is_dir())
        hold.set()
        self.assertEqual(process.wait(harness.TIMEOUT), 7)
        self.assertEqual(process.stderr.read(), b"")
        self.assertEqual(self.uids(collector.records()),
                         self.uids(self.events(self.exported(run))))

    def test_a_collector_that_stays_mute_is_left(self):
        hold = threading.Event()
        collector = Collector(self, *[Answer(hold=hold)] * 1000)
        result, run = self.run_live(collector.url, "sh", "-c", SCRIPT,
                                    env={"OTEL_EXPORTER_OTLP_TIMEOUT": "50"})
        self.assertEqual((result.returncode, result.stdout), (7, b""))
        count = len(self.events(self.exported(run)))
        self.assertRegex(result.stderr.decode(), rf"warning: {count} of {count} records did not "
                         rf"reach {collector.url}/v1/logs: {count} were dropped, ")

    def test_nobody_there(self):
        url = f"http://127.0.0.1:{dead_port(self)}"
        result, run = self.run_live(url, "sh", "-c", SCRIPT,
                                    env={"OTEL_EXPORTER_OTLP_TIMEOUT": "50"})
        self.assertEqual((result.returncode, result.stdout), (7, b""))
        count = len(self.events(self.exported(run)))
        self.assertIn(f"{count} of {count} records did not reach".encode(), result.stderr)

    def test_a_collector_that_comes_back(self):
        collector = Collector(self, Answer(503), Answer(502), Answer(429, Retry_After="0"))
        result, run = self.run_live(collector.url, "sh", "-c", SCRIPT)
        self.assertEqual((result.returncode, result.stderr), (7, b""))
        self.assertEqual(self.uids(collector.records()),
                         self.uids(self.events(self.exported(run))))

    def test_a_refusal_costs_that_request_alone(self):
        collector = Collector(self, Answer(400, "no such thing"))
        process, run = self.start(collector.url, "sh", "-c", "mkdir made; read line; mkdir later")
        wait_until(lambda: collector.requests, "the first request comes", process)
        process.stdin.write(b"\n")
        process.stdin.flush()
        self.assertEqual(process.wait(harness.TIMEOUT), 0)
        refused = records_of(collector.requests[0].body)
        taken = collector.records()
        self.assertEqual(self.uids(refused + taken), self.uids(self.events(self.exported(run))))
        self.assertNotEqual(taken, [])
        self.assertIn(f"{len(refused)} were rejected, first because of 'HTTP 400: no such thing'",
                      process.stderr.read().decode())

    def test_partial_success_is_told(self):
        said = json.dumps({"partialSuccess": {"rejectedLogRecords": 1, "errorMessage": "odd"}})
        result, _ = self.run_live(Collector(self, Answer(body=said)).url, "mkdir", "made")
        self.assertEqual(result.returncode, 0)
        self.assertIn(b"1 were rejected, first because of 'odd'", result.stderr)

    def test_the_program_sees_nothing_of_it(self):
        collector = Collector(self)
        script = "ls /proc/self/fd; env | sort; grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status"
        outputs = []
        for options in ((), ("--live-to", f"otlp:{collector.url}")):
            run = self.new_run()
            result = self.execute(harness.TOOL, "run", "-o", run, "--no-summary", *options, "--",
                                  "sh", "-c", script, env=self.environment)
            self.assertEqual((result.returncode, result.stderr), (0, b""))
            outputs.append([line for line in result.stdout.splitlines()
                            if not line.startswith(b"UMASKAUDIT_OPTIONS=")])
        self.assertEqual(*outputs)
        self.assertNotEqual(collector.records(), [])

    def test_mistakes_are_told_before_the_program_starts(self):
        for place, env, cause in (
                ("otlp:collector", {}, b"http://"), ("otlp:", {}, b"invalid value"),
                ("otlp:http://u:p@h", {}, b"HEADERS"), ("otlpx", {}, b"invalid value"),
                ("otlp", {"OTEL_EXPORTER_OTLP_ENDPOINT": "nowhere"}, b"ENDPOINT makes no sense"),
                ("otlp:http://h", {"OTEL_EXPORTER_OTLP_TIMEOUT": "x"}, b"TIMEOUT makes no sense")):
            result = self.execute(harness.TOOL, "run", "-o", self.new_run(), "--live-to", place,
                                  "--", "mkdir", "made", env={**self.environment, **env})
            self.assertEqual(result.returncode, 2, place)
            self.assertIn(cause, result.stderr, place)
            self.assertFalse((self.work / "made").exists())

    def test_two_collectors_and_lines(self):
        first, second = Collector(self), Collector(self)
        result, run = self.run_live(first.url, "sh", "-c", SCRIPT,
                                    options=("--live-to", "otlp", "--live"),
                                    env={"OTEL_EXPORTER_OTLP_ENDPOINT": second.url})
        self.assertEqual(result.returncode, 7)
        self.assertIn(b"created dir", result.stderr)
        told = self.uids(self.events(self.exported(run)))
        self.assertEqual((self.uids(first.records()), self.uids(second.records())), (told, told))

    def test_findings_alone(self):
        collector = Collector(self)
        result, run = self.run_live(collector.url, "sh", "-c", SCRIPT,
                                    options=("--live=findings",))
        self.assertEqual((result.returncode, result.stderr), (7, b""))
        records = collector.records()
        told = {record.uid: record for record in self.exported(run)
                if record.name == "finding" and record.level != "INFO"}
        self.assertEqual(self.uids(records), set(told))
        self.assertIn("umask-zero", {record["umaskaudit.rule.id"] for record in records})
        for record in records:
            self.assertEqual(record.attributes, told[record.uid].attributes)
            self.assertEqual(record.resource, told[record.uid].resource)

    def test_only_this_run_is_told(self):
        _, run = self.record("mkdir", "first")
        collector = Collector(self)
        result = self.execute(harness.TOOL, "run", "-o", run, "--append", "--no-summary",
                              "--live-to", f"otlp:{collector.url}", "--", "mkdir", "second",
                              env=self.environment)
        self.assertEqual(result.returncode, 0, result.stderr)
        paths = {record.get("file.name") for record in collector.records()}
        self.assertIn("second", paths)
        self.assertNotIn("first", paths)


if __name__ == "__main__":
    harness.main()
