"""Names at their limits: the longest that the kernel takes, deeper than any name goes, with
newlines and bytes that are no text. The objects are found, every format gives the bytes back.
"""

import base64
import contextlib
import csv
import io
import json
import os
import re
import sqlite3
import stat
import xml.etree.ElementTree as ElementTree
from urllib.parse import unquote_to_bytes

from lib import harness
from lib.harness import Case

LONGEST = 4095  # PATH_MAX less its NUL
PART = b"new\nline \xff\xfe " + b"d" * 180

# Makes directories as deep as they have names, and there, of each kind, what has the longest name.
LONG = """
import os, sys
top, part, longest = os.fsencode(os.getcwd()), eval(sys.argv[1]), int(sys.argv[2])
while len(top) + len(part) + 60 < longest:
    os.mkdir(part)
    os.chdir(part)
    top += b"/" + part
os.umask(0)
def absolute(start):
    return top + b"/" + start + b"n" * (longest - len(top) - 1 - len(start))
os.close(os.open(absolute(b"k\\xc3\\xa4se\\n\\x1b[31m\\xff"), os.O_CREAT | os.O_WRONLY, 0o666))
os.mkfifo(absolute(b"fifo"), 0o666)
os.mkdir(absolute(b"dir"), 0o777)
relative = b"./" * 2040 + b"relative\\n\\xfe"
relative += b"r" * (longest - len(relative))
os.close(os.open(relative, os.O_CREAT | os.O_WRONLY, 0o666))
"""

# Each step is longer than any name that a call would take; what is below has no name at all.
DEEP = """
import os
os.umask(0o027)
for step in range(20):
    os.mkdir("d" * 250)
    os.chdir("d" * 250)
os.close(os.open("file", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
os.mkfifo("fifo", 0o666)
here = os.open(".", os.O_RDONLY)
os.mkdir("dir", 0o777, dir_fd=here)
os.chmod("dir", 0o700, dir_fd=here)
os.rename("file", "renamed", src_dir_fd=here, dst_dir_fd=here)
os.unlink("fifo")
for name in ("renamed", "dir"):
    status = os.stat(name, dir_fd=here)
    print(status.st_dev, status.st_ino, status.st_mode)
"""

ESCAPE = re.compile(rb"\\(?:([\\ntr])|x([0-9a-f]{2})|u\{([0-9a-f]+)\})")


def unescape(text):
    """What escape() in reporter/render says: backslash as two, \\n \\t \\r, \\xNN, \\u{HEX}."""
    def back(match):
        if match[1]:
            return {b"\\": b"\\", b"n": b"\n", b"t": b"\t", b"r": b"\r"}[match[1]]
        return bytes([int(match[2], 16)]) if match[2] else chr(int(match[3], 16)).encode()
    return ESCAPE.sub(back, text.encode())


def strings_of(node):
    """All strings in a JSON value."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, (list, dict)):
        for value in node.values() if isinstance(node, dict) else node:
            yield from strings_of(value)


class Longest(Case):
    def setUp(self):
        super().setUp()
        _, self.trace = self.record("/usr/bin/python3", "-c", LONG, repr(PART), LONGEST)
        self.truth = {}  # path -> mode
        self.descend(os.fsencode(self.work))
        self.long = {path for path in self.truth if len(path) == LONGEST}
        self.assertEqual(len(self.long), 3)

    def descend(self, top):
        for entry in os.scandir(top):
            status = entry.stat(follow_symlinks=False)
            self.truth[entry.path] = harness.octal(stat.S_IMODE(status.st_mode))
            if entry.is_dir():
                self.descend(entry.path)

    def written(self, *words, name="out"):
        """The bytes of a report or an export."""
        file = self.top / name
        self.tool(*words, "-o", file)
        return file.read_bytes()

    def formatted(self, name):
        return self.written("report", self.trace, "--format", name, "--limit", "0").decode()

    def test_json_lines(self):
        told = {}
        for event in harness.Report(self.formatted("jsonl").splitlines()).events:
            if event["type"] == "create" and event["created"] is True:
                path = event["path"].encode()
                if "path_bytes" in event:
                    path = base64.b64decode(event["path_bytes"])
                told[path] = event["final"]
                argument = event.get("path_arg", "").encode()
                if "path_arg_bytes" in event:
                    argument = base64.b64decode(event["path_arg_bytes"])
                if os.path.basename(path).startswith(b"relative"):
                    self.assertEqual(len(argument), LONGEST)
        self.assertEqual(told, self.truth)

    def test_texts(self):
        for name in ("text", "csv", "markdown"):
            with self.subTest(format=name):
                text = unescape(self.formatted(name))
                # The text has them from where the run began.
                begun = os.fsencode(f"{self.work}/") if name == "text" else b""
                self.assertEqual([path for path in self.truth
                                  if path.removeprefix(begun) not in text], [])

    def test_csv_cells(self):
        rows = csv.DictReader(io.StringIO(self.formatted("csv"), newline=""), strict=True)
        self.assertEqual({unescape(row["path"]): row["final"] for row in rows
                          if row["created"] == "true"}, self.truth)

    def test_html(self):
        data = self.formatted("html").split('<script type="application/json" id="data">')[1]
        told = {unescape(text) for text in strings_of(json.loads(data.split("</script>")[0]))}
        text = b"\0".join(told)
        # The page keeps directories and names apart.
        for path in self.truth:
            for part in (os.path.dirname(path), os.path.basename(path)):
                self.assertIn(part, text)

    def test_sarif(self):
        run, found = json.loads(self.formatted("sarif"))["runs"][0], set()
        for result in run["results"]:
            for place in result["locations"] + result.get("relatedLocations", []):
                where = place["physicalLocation"]["artifactLocation"]
                base = run["originalUriBaseIds"].get(where.get("uriBaseId"), {"uri": ""})["uri"]
                found.add(unquote_to_bytes(base + where["uri"]))
        wide = {b"file://" + path for path in self.long if self.truth[path] == "0666"}
        self.assertTrue(wide & found)

    def test_junit(self):
        page = ElementTree.fromstring(self.formatted("junit"))
        text = b"\0".join(unescape(value) for node in page.iter()
                          for value in (*node.attrib.values(), node.text or ""))
        self.assertTrue(any(path in text for path in self.long))

    def test_exports(self):
        chrome = self.written("export", self.trace, "--format", "chrome")
        told = {base64.b64decode(event["args"]["path_bytes"])
                for event in json.loads(chrome)["traceEvents"]
                if "path_bytes" in event.get("args", {})}
        self.assertGreaterEqual(told, set(self.truth))
        lines = self.written("export", self.trace, "--format", "ecs", name="ecs").splitlines()
        told = {base64.b64decode(event["file"]["path_bytes"]) for event in map(json.loads, lines)
                if "path_bytes" in event.get("file", {})}
        self.assertGreaterEqual(told, set(self.truth))
        self.written("export", self.trace, "--format", "sqlite", name="db")
        with contextlib.closing(sqlite3.connect(self.top / "db")) as database:
            rows = database.execute("SELECT path_bytes FROM objects WHERE path_bytes NOT NULL")
            self.assertGreaterEqual({bytes(row[0]) for row in rows}, set(self.truth))

    def test_the_story_of_one(self):
        for path in self.long:
            story = self.tool("blame", self.trace, os.fsdecode(path))
            self.assertIn(path, unescape(story))
            self.assertIn(self.truth[path], story)

    def test_the_log(self):
        harness.remove_tree(self.work)
        self.work.mkdir()
        result = self.preload("/usr/bin/python3", "-c", LONG, repr(PART), LONGEST,
                              options="log=stderr:stacks=none")
        self.assertEqual(result.returncode, 0)
        text = unescape(result.stderr.decode())
        for path in self.long:
            # The line has no room for it when each byte is escaped, and says so.
            self.assertIn(b'("' + path[:1500] + b'"..., ', text)


class Deepest(Case):
    def test_where_nothing_has_a_name(self):
        result, run = self.record("/usr/bin/python3", "-c", DEEP)
        report = self.report(run)
        self.assertEqual(report.of("loss"), [])
        told, paths = {}, {}
        changes = report.of("change", action="chmod", errno=0)
        for event in report.of("create", created=True) + changes:
            told[event["dev"], event["ino"]] = event["final"]
            paths[event["dev"], event["ino"]] = event["path"]
        self.assertEqual(len(report.of("create", created=True)), 23)
        truths = [tuple(map(int, line.split())) for line in result.stdout.splitlines()]
        self.assertEqual(len(truths), 2)
        for device, inode, mode in truths:
            self.assertEqual(told[device, inode], harness.octal(stat.S_IMODE(mode)))
            # Its place cannot be found: the name stays as the program gave it.
            self.assertIn(paths[device, inode], ("file", "renamed", "dir"))
        for name in ("text", "html", "csv", "sarif"):
            self.tool("report", run, "--format", name, "-o", self.top / name)


if __name__ == "__main__":
    harness.main()
