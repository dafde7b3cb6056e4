#!/usr/bin/python3
"""umaskaudit for pytest: names each test in the record, and tells the findings test by test.

    umaskaudit run -o umask-run -- python3 -m pytest -p umaskaudit_pytest
    python3 umaskaudit_pytest.py umask-run

The second command prints one line for each test and rule, and exits with 1 where there is one. As
a plugin the file must be found by Python: copy it beside the tests, or name its folder in
PYTHONPATH. Without umaskaudit around it, the plugin does nothing.
"""

import ctypes
import json
import os
import subprocess
import sys
import tempfile

BEGIN, END = "pytest test ", "pytest end "


def annotate(text):
    """A note in the record; nothing where the library is not loaded."""
    try:
        function = ctypes.CDLL(None).umaskaudit_annotate
    except AttributeError:
        return
    function.argtypes, function.restype = [ctypes.c_char_p], None
    function(os.fsencode(text))


def pytest_runtest_logstart(nodeid, location):
    """Called by pytest before the fixtures of a test."""
    annotate(BEGIN + nodeid)


def pytest_runtest_logfinish(nodeid, location):
    """Called by pytest after them."""
    annotate(END + nodeid)


def lines_of(tool, *arguments):
    result = subprocess.run([tool, *arguments], check=False, stdout=subprocess.PIPE)
    if result.returncode not in (0, 1):
        sys.exit(result.returncode)
    return [json.loads(line) for line in result.stdout.splitlines()]


def tests_of(events):
    """[(first event, last event, test)], by the order of the events."""
    spans, begun = [], {}
    for event in events:
        if event["type"] != "note":
            continue
        text = event["text"]
        if text.startswith(BEGIN):
            begun[text[len(BEGIN):]] = event["seq"]
        elif text.startswith(END) and text[len(END):] in begun:
            name = text[len(END):]
            spans.append((begun.pop(name), event["seq"], name))
    return spans


def found(tool, run):
    """{(test, rule): how many}: each object that was hit, and findings that hit none."""
    spans = tests_of(lines_of(tool, "report", run, "--format", "jsonl", "--no-symbols"))

    def test_at(seq):
        return next((name for begin, end, name in spans if begin <= seq <= end),
                    "outside all tests")

    counts = {}
    with tempfile.TemporaryDirectory() as folder:
        objects = os.path.join(folder, "objects")
        findings = lines_of(tool, "check", run, "--format", "jsonl", "--objects", objects)
        with open(objects, encoding="utf-8") as lines:
            hits = [json.loads(line) for line in lines]
    hits += [finding for finding in findings if not finding["victims"]]
    for hit in hits:
        if hit["severity"] != "note":
            key = (test_at(hit["seq"]), hit["rule"])
            counts[key] = counts.get(key, 0) + 1
    return counts


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: umaskaudit_pytest.py RUN")
    counts = found(os.environ.get("UMASKAUDIT", "umaskaudit"), sys.argv[1])
    for (test, rule), count in sorted(counts.items()):
        print(f"{test}: {rule}" + (f" ({count} times)" if count > 1 else ""))
    return 1 if counts else 0


if __name__ == "__main__":
    sys.exit(main())
