"""Every format of the reports, in the hands of a reader that is not ours, with hostile names."""

import csv
import datetime
import errno
import gzip
import html.parser
import io
import json
import os
import re
import shutil
import stat
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from urllib.parse import unquote_to_bytes

from lib import harness
from lib.harness import Case, needs, victim
from lib.schemas import OURS, needs_jsonschema, validate

HERE = Path(__file__).resolve().parent
RULES = (HERE.parents[1] / "reporter/rules/rules.def").read_text().count("\nRULE(")

# As bytes: a name is whatever open(2) takes.
HOSTILE = [
    b"plain", b"<script>alert(1)<!--", b'quote"and\'', b"esc\x1b[31mred", b"nl\nline",
    b"\xff\xfe not utf-8", b"=cmd|' C calc'!A0", b"+1+1", b"-1", b"@SUM(A1)", b"\t=tab", b"a,b;c",
    b"{0} {{1}}", b"[link](http:host)", b"![i](x)", b"|pipe|`code`", b"``` fence", b"&lt;&amp;",
    b"]]>", "rtl\u202etxt".encode(), "nonchar\ufffe".encode(), "k\u00e4se \U0001f9c0".encode(),
    b"%41 percent", b"back\\slash", b"<b>&copy;", b" blanks ", b"#hash?query",
]

# One thread opens a window, another one creates within it; two events keep the order.
RACE = """
import os, sys, threading
opened, made = threading.Event(), threading.Event()
def setter():
    old = os.umask(0)
    opened.set()
    made.wait()
    os.umask(old)
def maker(names):
    opened.wait()
    try:
        for name in names:
            os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    finally:
        made.set()
os.umask(0o022)
os.close(os.open(b"before", os.O_CREAT | os.O_WRONLY, 0o666))
os.chdir(sys.argv[1])
names = open(sys.argv[2], "rb").read().split(b"\\0")
threads = [threading.Thread(target=setter), threading.Thread(target=maker, args=(names,))]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


class Recorded(Case):
    """A race with two sides, over names that mean something to every format."""

    def setUp(self):
        super().setUp()
        names = self.top / "names"
        names.write_bytes(b"\0".join(HOSTILE))
        script = self.top / "race.py"
        script.write_text(RACE)
        self.out = self.work / "out"
        self.out.mkdir()
        _, self.trace = self.record("/usr/bin/python3", script, self.out, names)
        self.on_disk = set(os.listdir(os.fsencode(self.out)))
        self.assertEqual(self.on_disk, set(HOSTILE))

    def bytes_of(self, *arguments, status=0):
        result = self.execute(harness.TOOL, *arguments)
        self.assertEqual(result.returncode, status, result.stderr.decode(errors="replace"))
        return result.stdout

    def check_printable(self, text):
        """Nothing that a terminal obeys, in UTF-8."""
        for char in text.decode("utf-8"):
            self.assertTrue(char in "\r\n" or (ord(char) >= 0x20 and not 0x7f <= ord(char) < 0xa0),
                            repr(char))
            self.assertNotIn(char, "\u202e\ufffe")


class Text(Recorded):
    def test_every_text_is_free_of_control_bytes(self):
        for command in (["report"], ["threads"], ["timeline"], ["check", "--fail-on", "note"],
                        ["report", "--format", "markdown"], ["report", "--format", "csv"],
                        ["report", "--format", "sarif"], ["report", "--format", "junit"],
                        ["whatif", "--umask", "077"]):
            status = 1 if command[0] == "check" else 0
            with self.subTest(command=command):
                self.check_printable(
                    self.bytes_of(command[0], self.trace, *command[1:], status=status))

    def test_filters_by_rule_and_severity(self):
        lines = [json.loads(line) for line in self.bytes_of(
            "report", self.trace, "--format", "jsonl", "--rule", "window-overlap").splitlines()]
        made = [line for line in lines if line["type"] == "create"]
        self.assertEqual(len(made), len(HOSTILE))
        self.assertTrue(all(b"/out/" in os.fsencode(line["path"]) or "path_bytes" in line
                            for line in made))
        self.assertEqual({line["rule"] for line in lines if line["type"] == "finding"},
                         {"window-overlap"})
        self.bytes_of("check", self.trace, status=1)
        self.bytes_of("check", self.trace, "--path", "*/before")
        self.bytes_of("check", self.trace, "--path", "*/out/plain", status=1)
        self.bytes_of("check", self.trace, "--rule", "umask-zero")
        bad = self.execute(harness.TOOL, "report", self.trace, "--rule", "window-overlapp")
        self.assertEqual(bad.returncode, 2)
        self.assertIn(b"window-overlap", bad.stderr)

    def test_sort_by_path(self):
        """Text of the objects' table, in the order of the bytes of the names."""
        lines = self.bytes_of("report", self.trace, "--sort", "path", "--limit", "0", "--path",
                              str(self.out) + "/*").decode().splitlines()
        begin = lines.index("Objects created") + 2
        shown = [line.split()[0] for line in lines[begin:begin + len(HOSTILE)]]
        plain = [name for name in sorted(HOSTILE) if name in (b"-1", b"plain", b"|pipe|`code`")]
        self.assertEqual([name for name in shown if os.path.basename(name).encode() in plain],
                         [f"out/{name.decode()}" for name in plain])


class Json(Recorded):
    @needs_jsonschema
    def test_json_lines(self):
        names = set()
        lines = self.bytes_of("report", self.trace, "--format", "jsonl").splitlines()
        for line in lines:
            self.assertEqual(validate(json.loads(line), OURS / "jsonl.schema.json"), [], line)
        for event in harness.Report(lines).events:
            if event["type"] == "create" and event["created"] is True:
                path = harness.path_bytes(event)
                if path.startswith(os.fsencode(self.out) + b"/"):
                    names.add(path[len(os.fsencode(self.out)) + 1:])
        self.assertEqual(names, self.on_disk)

    @needs_jsonschema
    def test_findings_and_summary(self):
        found = []
        for line in self.bytes_of("check", self.trace, "--format", "jsonl", status=1).splitlines():
            self.assertEqual(validate(json.loads(line), OURS / "jsonl.schema.json"), [], line)
            found.append(json.loads(line))
        summary = json.loads(self.bytes_of("report", self.trace, "--format", "json"))
        self.assertEqual(validate(summary, OURS / "summary.schema.json"), [])
        self.assertEqual(summary["findings"], found)
        wrong = {**summary, "findings": [{**found[0], "severity": "grave"}]}
        self.assertNotEqual(validate(wrong, OURS / "summary.schema.json"), [])

    @needs_jsonschema
    def test_the_schemas_refuse_what_is_wrong(self):
        lines = self.bytes_of("report", self.trace, "--format", "jsonl").splitlines()
        event = next(event for event in map(json.loads, lines) if event["type"] == "umask")
        for change in ({"old": 18}, {"old": "22"}, {"id": -1}, {"stack": None}, {"type": "other"}):
            self.assertNotEqual(validate({**event, **change}, OURS / "jsonl.schema.json"), [])

    @needs("jq")
    def test_jq(self):
        file = self.top / "events.jsonl"
        file.write_bytes(self.bytes_of("report", self.trace, "--format", "jsonl"))
        query = 'select(.type == "create" and .created != false and .final == "0666") | .final'
        kinds = subprocess.run(["jq", "-r", query, file], capture_output=True, check=True)
        wrong = [name for name in self.on_disk
                 if os.stat(os.fsencode(self.out) + b"/" + name).st_mode & 0o777 == 0o666]
        self.assertEqual(kinds.stdout.split(), [b"0666"] * len(wrong))


class Compressed(Recorded):
    """A name that ends in .gz or .zst is compressed, and holds the same text."""

    def written(self, name, *arguments):
        file = self.top / name
        self.tool(*arguments, "-o", file)
        self.assertEqual(stat.S_IMODE(os.stat(file).st_mode), 0o600)
        return file

    def check(self, suffix, unpack):
        for arguments in (("report", self.trace, "--format", "jsonl"), ("report", self.trace),
                          ("export", self.trace, "--format", "ecs"),
                          ("report", self.trace, "--path", "/nothing", "--format", "csv")):
            with self.subTest(arguments=arguments):
                plain = self.written("plain", *arguments).read_bytes()
                packed = self.written(f"packed{suffix}", *arguments)
                self.assertEqual(unpack(packed), plain)
                if len(plain) > 4096:
                    self.assertLess(packed.stat().st_size, len(plain) // 2)

    def test_gzip(self):
        self.check(".gz", lambda file: gzip.decompress(file.read_bytes()))

    @needs("zstd")
    def test_zstandard(self):
        self.check(".zst", lambda file: subprocess.run(
            ["zstd", "-dcq", file], check=True, capture_output=True).stdout)

    def test_a_database_is_refused(self):
        file = self.top / "run.sqlite.gz"
        result = self.execute(harness.TOOL, "export", self.trace, "--format", "sqlite", "-o", file)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(b"gzip(1)", result.stderr)
        self.assertFalse(file.exists())


class Csv(Recorded):
    def test_csv(self):
        text = self.bytes_of("report", self.trace, "--format", "csv").decode()
        rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
        ours = [row for row in rows if row["path"].startswith(str(self.out) + "/")]
        self.assertEqual(len(ours), len(HOSTILE))
        for row in rows:
            self.assertNotIn(None, row, "a row with more cells than the header")
            self.assertNotIn(None, row.values(), "a row with fewer")
            for cell in row.values():
                self.assertNotIn(cell[:1], ("=", "+", "-", "@", "\t"), row)
        self.assertEqual({row["final"] for row in ours}, {"0666"})

    def test_when_where_and_in_which_run(self):
        """A spreadsheet's moment, the host, and the name of the run that its tables have."""
        before = time.time() - 1
        _, trace = self.record("sh", "-c", "echo > one; echo > two")
        after = time.time() + 1
        text = self.bytes_of("report", trace, "--format", "csv", "--path", "*/*o*").decode()
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        self.assertEqual([row["path"].rpartition("/")[2] for row in rows], ["one", "two"])
        lake = self.top / "lake"
        place = Path(self.bytes_of("export", trace, "--format", "tables", "-o", lake).decode())
        for row in rows:
            self.assertEqual(row["host"], os.uname().nodename)
            self.assertIn(row["run"], str(place))
            self.assertRegex(row["run"], "^[0-9a-f-]{36}$")
            moment = datetime.datetime.strptime(row["time_utc"] + "+0000", "%Y-%m-%d %H:%M:%S.%f%z")
            self.assertTrue(before <= moment.timestamp() <= after, row["time_utc"])

    def test_a_cell_that_would_be_a_formula(self):
        script = ("import os, threading; threading.current_thread()\n"
                  "import ctypes; ctypes.CDLL(None).prctl(15, b'=1+1', 0, 0, 0)\n"
                  "os.close(os.open('made', os.O_CREAT | os.O_WRONLY))")
        _, trace = self.record("/usr/bin/python3", "-c", script)
        text = self.bytes_of("report", trace, "--format", "csv", "--path", "*/made").decode()
        row, = csv.DictReader(io.StringIO(text, newline=""))
        self.assertEqual(row["thread"], "'=1+1")


class Tables(html.parser.HTMLParser):
    """The tags of a page, and the texts of its table cells."""

    def __init__(self):
        super().__init__()
        self.tags, self.rows, self.cell = set(), [], None

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.cell = ""

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.rows[-1].append(self.cell)
            self.cell = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell += data


class Markdown(Recorded):
    @needs("cmark-gfm")
    def test_markdown(self):
        text = self.bytes_of("report", self.trace, "--format", "markdown", "--limit", "0")
        page = subprocess.run(["cmark-gfm", "--unsafe", "-e", "table", "-e", "autolink", "-e",
                               "strikethrough"], input=text, capture_output=True, check=True)
        tables = Tables()
        tables.feed(page.stdout.decode())
        self.assertLessEqual(tables.tags, {"h2", "h3", "p", "table", "thead", "tbody", "tr", "th",
                                           "td", "code", "ul", "li", "details", "summary"})
        created = [row for row in tables.rows if row[0].startswith(str(self.out) + "/")]
        self.assertEqual(len(created), len(HOSTILE))
        hits = [row[2] for row in tables.rows if row[:2] == ["error", "window-overlap"]]
        counts = [int(match[1] or 1) for text in hits for match in
                  re.finditer(r": (\d+) objects created by other|', created by thread", text)]
        self.assertEqual((len(counts), sum(counts)), (len(hits), len(HOSTILE)))
        self.assertEqual({len(row) for row in created}, {7})
        self.assertIn(str(self.out) + "/|pipe|`code`", [row[0] for row in created])


class Sarif(Recorded):
    def sarif(self, command, *options, status=0):
        log = json.loads(self.bytes_of(command, self.trace, "--format", "sarif", *options,
                                       status=status))
        self.assertEqual(validate(log, HERE / "standards" / "sarif-2.1.0.json"), [])
        run, = log["runs"]
        return run

    @needs_jsonschema
    def test_the_schema_refuses_what_is_wrong(self):
        log = {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": [{}]}]}
        self.assertNotEqual(validate(log, HERE / "standards" / "sarif-2.1.0.json"), [])

    def test_report_and_check(self):
        for command, status in (("report", 0), ("check", 1)):
            run = self.sarif(command, status=status)
            driver = run["tool"]["driver"]
            self.assertEqual(len(driver["rules"]), RULES)
            for rule in driver["rules"]:
                self.assertGreater(len(rule["help"]["text"]), 50)
                for relation in rule.get("relationships", ()):
                    target = relation["target"]
                    taxon = run["taxonomies"][0]["taxa"][target["index"]]
                    self.assertEqual(taxon["id"], target["id"])
                    self.assertTrue(taxon["shortDescription"]["text"])
            for result in run["results"]:
                rule = driver["rules"][result["ruleIndex"]]
                self.assertEqual(rule["id"], result["ruleId"])
                self.assertEqual(len(result["locations"]), 1)
                self.assertRegex(result["partialFingerprints"]["umaskaudit/v4"], "^[0-9a-f]{16}$")
            codes = [invocation["exitCode"] for invocation in run["invocations"]]
            self.assertEqual(codes, [0] if command == "report" else [0, 1])

    def test_help_is_where_it_says(self):
        """Manual pages that are installed with the tool, and MITRE's page of the weakness."""
        driver = self.sarif("report")["tool"]["driver"]
        uris = [driver["informationUri"], *(rule["helpUri"] for rule in driver["rules"])]
        pages = {re.fullmatch(r"man:(.+)\((\d)\)", uri).group(1, 2)
                 for uri in uris if uri.startswith("man:")}
        self.assertIn(("umaskaudit", "1"), pages)
        manual = HERE.parents[1] / "reporter/man"
        for name, section in pages:
            self.assertTrue((manual / f"{name}.{section}.scd").is_file(), name)
        for rule in driver["rules"]:
            weakness = re.search(r"definitions/(\d+)\.html$", rule["helpUri"])
            tags = rule["properties"]["tags"]
            self.assertEqual(f"external/cwe/cwe-{weakness[1]}" in tags if weakness
                             else len(tags) == 1, True, rule["id"])

    def test_window_and_victim_each_have_a_flow(self):
        run = self.sarif("report", "--rule", "window-overlap")
        hits = sum(result["occurrenceCount"] for result in run["results"])
        self.assertEqual(hits, len(HOSTILE))
        result = run["results"][0]
        self.assertEqual(result["taxa"][0]["id"], "362")
        flow, = result["codeFlows"]
        # The thread that hit, the one that was hit, and the one that started both.
        self.assertEqual(len(flow["threadFlows"]), 3)
        told = " ".join(step["location"]["message"]["text"] for thread in flow["threadFlows"]
                        for step in thread["locations"])
        for part in ("starts the thread", "sets 0000, was 0022", "final mode 0666 instead of 0644"):
            self.assertIn(part, told)
        order = [step["executionOrder"] for thread in flow["threadFlows"]
                 for step in thread["locations"]]
        self.assertEqual(sorted(order), list(range(1, len(order) + 1)))
        times = {step["executionOrder"]: step["executionTimeUtc"]
                 for thread in flow["threadFlows"] for step in thread["locations"]}
        self.assertEqual([times[n] for n in sorted(times)], sorted(times.values()))
        masks = {step["state"]["umask"]["text"] for thread in flow["threadFlows"]
                 for step in thread["locations"] if "state" in step}
        self.assertEqual(masks, {"0000"})
        self.assertEqual(len(result["stacks"]), 2)
        self.assertTrue(all(stack["frames"] for stack in result["stacks"]))

    def test_addresses_of_files_lead_back_to_them(self):
        run = self.sarif("report")
        found = set()
        for result in run["results"]:
            for place in result.get("relatedLocations", ()):
                where = place["physicalLocation"]["artifactLocation"]
                self.assertRegex(where["uri"], r"^(file:///)?[A-Za-z0-9%/._~-]+$")
                path = unquote_to_bytes(where["uri"])
                if "uriBaseId" in where:
                    base = run["originalUriBaseIds"][where["uriBaseId"]]["uri"]
                    path = unquote_to_bytes(base) + path
                self.assertTrue(path.startswith(b"file:///"))
                found.add(path[len(b"file://"):])
        self.assertTrue(found)
        for path in found:
            self.assertTrue(os.path.lexists(path), path)

    def test_texts_hold_no_links_and_no_placeholders(self):
        def texts(node, key=None):
            if isinstance(node, dict):
                for name, value in node.items():
                    yield from texts(value, name)
            elif isinstance(node, list):
                for value in node:
                    yield from texts(value, key)
            elif key == "text":
                yield node

        for text in texts(self.sarif("report")["results"]):
            self.assertNotRegex(text, r"(^|[^\\])\[")
            self.assertNotRegex(text.replace("{{", "").replace("}}", ""), r"[{}]")
            self.assertTrue(all(ord(char) >= 0x20 for char in text), text)

    def test_baseline_and_suppressions(self):
        baseline, accepted = self.top / "baseline.json", self.top / "accepted"
        self.bytes_of("check", self.trace, "--write-baseline", baseline)
        states = {result["baselineState"]
                  for result in self.sarif("check", "--baseline", baseline)["results"]}
        self.assertEqual(states, {"unchanged"})
        known = json.loads(baseline.read_text())
        known["findings"] = []
        baseline.write_text(json.dumps(known))
        run = self.sarif("check", "--baseline", baseline, status=1)
        self.assertEqual({result["baselineState"] for result in run["results"]}, {"new"})
        accepted.write_text("*:*python*  # [we] know {it}\n")
        run = self.sarif("check", "--suppressions", accepted)
        for result in run["results"]:
            suppression, = result["suppressions"]
            self.assertEqual(suppression["justification"], "\\[we\\] know {{it}}")

    def test_what_only_the_baseline_has_passes(self):
        """No alert for a consumer that knows no baselines, and nothing of what was not judged."""
        baseline = self.top / "baseline.json"
        self.bytes_of("check", self.trace, "--write-baseline", baseline)
        known = json.loads(baseline.read_text())
        known["findings"] += [{"fingerprint": "00000000deadbeef", "rule": "lost-mask"},
                              {"fingerprint": "00000000deadbef0", "rule": "of-another-version"}]
        baseline.write_text(json.dumps(known))
        run = self.sarif("check", "--baseline", baseline)
        gone = [result for result in run["results"] if result["baselineState"] == "absent"]
        self.assertEqual([(result["partialFingerprints"]["umaskaudit/v4"], result.get("ruleId"),
                           result["kind"], result["level"]) for result in gone],
                         [("00000000deadbeef", "lost-mask", "pass", "none"),
                          ("00000000deadbef0", None, "pass", "none")])
        rule = run["tool"]["driver"]["rules"][gone[0]["ruleIndex"]]
        self.assertEqual(rule["id"], "lost-mask")
        self.assertIn(b"2 of the baseline gone",
                      self.bytes_of("check", self.trace, "--baseline", baseline))
        run = self.sarif("check", "--baseline", baseline, "--rule", "window-overlap")
        self.assertEqual({result["baselineState"] for result in run["results"]}, {"unchanged"})

    def test_blind_spots_are_notifications(self):
        _, trace = self.record("sh", "-c", f"{victim('static_hello')}; exit 3", status=3)
        log = json.loads(self.bytes_of("report", trace, "--format", "sarif"))
        run, = log["runs"]
        invocation, = run["invocations"]
        self.assertEqual(invocation["exitCode"], 3)
        told = {notification["descriptor"]["id"]: notification
                for notification in invocation["toolExecutionNotifications"]}
        self.assertIn("blind-spot/exec-static", told)
        descriptor = told["blind-spot/exec-static"]["descriptor"]
        self.assertEqual(run["tool"]["driver"]["notifications"][descriptor["index"]]["id"],
                         descriptor["id"])

    def test_source_lines(self):
        """In a program with debug information the result stands at the umask call."""
        result, trace = self.record(victim("bug_filelock"), self.work, "1000")
        if not json.loads(result.stdout.splitlines()[0])["hits"]:
            self.skipTest("nobody was hit this time")
        log = json.loads(self.bytes_of("report", trace, "--format", "sarif",
                                       "--rule", "window-overlap"))
        place = log["runs"][0]["results"][0]["locations"][0]
        self.assertTrue(place["physicalLocation"]["artifactLocation"]["uri"]
                        .endswith("bug_filelock.cc"))
        self.assertEqual(place["physicalLocation"]["region"]["startLine"], 9)
        self.assertIn("current_umask", place["logicalLocations"][0]["fullyQualifiedName"])


class JUnit(Recorded):
    def suites(self, command, *options, status=0):
        text = self.bytes_of(command, self.trace, "--format", "junit", *options, status=status)
        root = ElementTree.fromstring(text)
        for total in ("tests", "failures", "errors", "skipped"):
            self.assertEqual(int(root.get(total)),
                             sum(int(suite.get(total)) for suite in root), total)
        for suite in root:
            cases = suite.findall("testcase")
            self.assertEqual(int(suite.get("tests")), len(cases))
            self.assertEqual(int(suite.get("failures")), len(suite.findall("*/failure")))
            self.assertEqual(int(suite.get("skipped")), len(suite.findall("*/skipped")))
        return {suite.get("name"): suite for suite in root}

    def test_a_suite_for_each_rule(self):
        for command, status in (("report", 0), ("check", 1)):
            suites = self.suites(command, status=status)
            self.assertEqual(len(suites), RULES + 1)
            failure = suites["window-overlap"].find("testcase/failure")
            self.assertIn("umask", failure.text)
            self.assertEqual(suites["lost-mask"].get("failures"), "0")
            self.assertIn("Blind spots", suites["record"].find("testcase/system-out").text)

    def test_fail_on_and_what_is_known(self):
        accepted = self.top / "accepted"
        accepted.write_text("*:*python*  # <known> & \"fine\"\n")
        suites = self.suites("check", "--suppressions", accepted)
        skipped = suites["window-overlap"].find("testcase/skipped")
        self.assertEqual(skipped.get("message"), 'suppressed: <known> & "fine"')
        suites = self.suites("check", "--fail-on", "error", status=1)
        self.assertEqual(suites["getter-idiom"].get("failures"), "0")


class SymbolNotes(Case):
    @needs_jsonschema
    def test_every_format_says_why_functions_have_no_name(self):
        program = self.work / "gone"
        shutil.copy(victim("bug_getter"), program)
        _, run = self.record(program, self.work)
        program.unlink()
        why = f"{program}: {os.strerror(errno.ENOENT)}"
        self.assertIn(why, json.loads(self.tool("report", run, "--format", "json"))["symbol_notes"])
        lines = self.tool("report", run, "--format", "jsonl").splitlines()
        for line in lines:
            self.assertEqual(validate(json.loads(line), OURS / "jsonl.schema.json"), [])
        frames = [frame for line in lines for frame in json.loads(line).get("frames", [])
                  if frame["module"] == str(program)]
        self.assertEqual({frame.get("symbol_note") for frame in frames}, {why})
        log = json.loads(self.tool("check", run, "--format", "sarif"))
        notifications = log["runs"][0]["invocations"][0]["toolExecutionNotifications"]
        self.assertIn(("symbols", "note"), {(one["descriptor"]["id"], one["level"])
                                            for one in notifications})
        self.assertIn(f"functions have no name: {why}",
                      [one["message"]["text"] for one in notifications])
        for name in ("text", "markdown"):
            text = self.tool("report", run, "--format", name)
            self.assertIn("Why some functions have no name", text)
            self.assertIn(os.strerror(errno.ENOENT), text)
        page = self.tool("report", run, "--format", "html")
        data = json.loads(re.search(r'"symbol_notes":(\[.*?\])', page)[1])
        self.assertIn(why, data)


class OutputFiles(Recorded):
    def test_what_is_no_file_is_written_to(self):
        pipe = self.top / "pipe"
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        self.bytes_of("check", self.trace, "--rule", "setid-created", "-o", pipe)
        self.assertIn(b"0 errors, 0 warnings", os.read(reader, 1 << 16))
        self.assertTrue(stat.S_ISFIFO(pipe.stat().st_mode))
        result = self.execute(harness.TOOL, "export", self.trace, "--format", "sqlite", "-o", pipe)
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"a database needs a file", result.stderr)

    def test_a_full_device_is_named_with_what_to_do(self):
        result = self.execute(harness.TOOL, "report", self.trace, "-o", "/dev/full")
        self.assertEqual(result.returncode, 2)
        self.assertEqual(result.stderr.decode(),
                         "umaskaudit: error: cannot write '/dev/full' (No space left on device); "
                         "try freeing some space there, or another place\n")

    def test_a_full_standard_output_is_named(self):
        for words in (("report", self.trace), ("report", self.trace, "--format", "jsonl"),
                      ("check", self.trace), ("--help",), ("explain", "0666", "0022")):
            with open("/dev/full", "wb") as full:
                process = subprocess.run([harness.TOOL, *map(str, words)], stdout=full,
                                         stderr=subprocess.PIPE, check=False)
            self.assertEqual(process.returncode, 4, words)
            self.assertEqual(process.stderr.decode(),
                             "umaskaudit: error: cannot write standard output (No space left on "
                             "device); try freeing some space there\n")

    def test_names_of_descriptors_are_not_replaced(self):
        """As root, renaming a file onto /dev/stdout would replace the link of the machine."""
        expected = self.bytes_of("report", self.trace)
        before = os.readlink("/dev/stdout")
        link = self.top / "link"
        link.symlink_to("/dev/fd/1")
        for name in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", link):
            file = self.top / "out"
            with file.open("wb") as out:
                out.write(b"before\n")
                out.flush()
                subprocess.run([harness.TOOL, "report", self.trace, "-o", name], stdout=out,
                               check=True)
            self.assertEqual(file.read_bytes(), b"before\n" + expected, name)
        self.assertEqual(os.readlink("/dev/stdout"), before)
        self.assertTrue(link.is_symlink())
        with subprocess.Popen([harness.TOOL, "report", self.trace, "-o", "/dev/stdout"],
                              stdout=subprocess.PIPE) as process:
            self.assertEqual(process.communicate()[0], expected)

    def test_every_format_writes_a_private_file(self):
        os.umask(0)
        for name in ("text", "jsonl", "json", "csv", "markdown", "sarif", "junit"):
            file = self.top / f"out.{name}"
            self.bytes_of("report", self.trace, "--format", name, "-o", file)
            self.assertEqual(file.stat().st_mode & 0o777, 0o600, name)
            self.assertGreater(file.stat().st_size, 0, name)


if __name__ == "__main__":
    harness.main()
