"""Prints what a run of `meson test` found: every failure readably, every skip with its reason, and
last the one line "N passed, N failed, N skipped". Must never hide a failure that only one of the
two logs knows: a test that crashed has no cases. Called by the scripts with the log directory, and
with a word that the last line is to begin with."""

import json
import re
import sys
from collections import namedtuple
from pathlib import Path
from xml.etree import ElementTree

MAX_LINES = 60  # of one failing case

# One counted thing: a case of a GoogleTest or TAP program, or a test that has no cases.
# result: passed, failed, skipped. text: what went wrong, or why it was skipped.
Case = namedtuple("Case", "name result text")


def tap_comments(output, number):
    """The "# " lines behind TAP line `number`."""
    lines = iter(output.splitlines())
    for line in lines:
        if re.match(rf"not ok {number} ", line):
            break
    comments = []
    for line in lines:
        if not line.startswith("#"):
            break
        comments.append(line[2:])
    return "\n".join(comments)


def cases_of(suite, group, output):
    """The cases of one junit suite; `group` is the GoogleTest suite, empty for TAP."""
    for case in suite.iter("testcase"):
        number, _, rest = case.get("name").partition(" ")
        name = f"{group}.{case.get('name')}" if group else rest  # TAP: "3 file.Class.case"
        bad = case.find("failure") if case.find("failure") is not None else case.find("error")
        skipped = case.find("skipped")
        if bad is not None:
            yield Case(name, "failed", bad.text or tap_comments(output, number))
        elif skipped is not None:
            yield Case(name, "skipped", skipped.get("message") or case.findtext("system-out", ""))
        elif case.get("status") == "notrun":
            yield Case(name, "skipped", "disabled")
        else:
            yield Case(name, "passed", "")


def cases_of_run(run, suites):
    """What one meson test counts for."""
    output = run.get("stdout", "") + run.get("stderr", "")
    project = re.split("[: ]", run["name"])[0]
    prefix = f"{project}.{run['name']}"
    cases = []
    for suite in suites:
        if suite.get("name") == prefix or suite.get("name").startswith(prefix + "."):
            cases += cases_of(suite, suite.get("name")[len(prefix) + 1:], output)
    bad = run["result"] not in ("OK", "SKIP", "EXPECTEDFAIL")
    if bad and not any(case.result == "failed" for case in cases):
        code = run["returncode"]
        cases.append(Case("", "failed", f"{run['result'].lower()}, exit code {code}\n{output}"))
    if not cases:
        cases.append(Case("", "skipped" if run["result"] == "SKIP" else "passed", output))
    return cases


def clipped(text):
    lines = text.rstrip().splitlines()
    if len(lines) > MAX_LINES:
        left_out = len(lines) - MAX_LINES
        half = MAX_LINES // 2
        lines = [*lines[:half], f"[{left_out} lines left out]", *lines[-half:]]
    return "".join(f"    {line}\n" for line in lines)


def reason_of(text):
    """The last line that says something: GoogleTest puts the file's name before it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def main(logs, label=""):
    json_log, junit = logs / "testlog.json", logs / "testlog.junit.xml"
    if not json_log.exists() or not junit.exists():
        print((logs / "console.txt").read_text(errors="replace"), end="")
        print(label + "0 passed, 1 failed, 0 skipped")
        return 1
    suites = list(ElementTree.parse(junit).getroot().iter("testsuite"))
    with json_log.open() as lines:
        runs = [json.loads(line) for line in lines]
    found = [(run["name"].split(" / ")[-1], case)
             for run in runs for case in cases_of_run(run, suites)]
    for test, case in found:
        if case.result == "failed":
            print(f"FAILED {test}{': ' + case.name if case.name else ''}")
            print(clipped(case.text), end="")
    for test, case in found:
        if case.result == "skipped":
            print(f"skipped {test}{': ' + case.name if case.name else ''}: {reason_of(case.text)}")
    count = {kind: sum(case.result == kind for _, case in found)
             for kind in ("passed", "failed", "skipped")}
    print(label + ", ".join(f"{number} {kind}" for kind, number in count.items()))
    return 0 if count["failed"] == 0 and count["passed"] > 0 else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), "".join(f"{word}: " for word in sys.argv[2:])))
