"""Prints what a run of `meson test` found: every failure readably, every skip with its reason, and
last the one line "N passed, N failed, N skipped". Must never hide a failure that only one of the
two logs knows: a test that crashed has no cases. Called by scripts/test with the log directory."""

import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

MAX_LINES = 60  # of one failing test's output


def cases_of(suite, tests):
    """The cases of a junit suite: (test, case, result, text); result: passed, failed, skipped."""
    own_text = suite.findtext("system-out") or ""
    for case in suite.iter("testcase"):
        text = case.findtext("system-out") or own_text
        bad = case.find("failure") if case.find("failure") is not None else case.find("error")
        skipped = case.find("skipped")
        if bad is not None:
            result, text = "failed", bad.get("message") or bad.text or text
        elif skipped is not None or case.get("status") == "notrun":
            message = skipped.get("message") if skipped is not None else None
            result, text = "skipped", message or text
        else:
            result = "passed"
        name = case.get("name")
        test = name if name in tests else suite.get("name").split(".", 2)[1]
        if name == test:
            yield test, "", result, text
        else:
            # TAP names look like "12 file.Class.case SKIP", gtest ones need their suite.
            name = re.sub(r"^\d+ | (OK|SKIP|FAIL)$", "", name)
            group = suite.get("name").split(".", 2)[2:]
            yield test, ".".join([*group, name]), result, text


def clipped(text):
    lines = text.rstrip().splitlines()
    if len(lines) > MAX_LINES:
        left_out = len(lines) - MAX_LINES
        half = MAX_LINES // 2
        lines = [*lines[:half], f"[{left_out} lines left out]", *lines[-half:]]
    return "".join(f"    {line}\n" for line in lines)


def reason_of(text):
    """The last line that says something; gtest and TAP put file names and marks around it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


def main(logs):
    json_log, junit = logs / "testlog.json", logs / "testlog.junit.xml"
    if not json_log.exists():
        print((logs / "console.txt").read_text(errors="replace"), end="")
        print("0 passed, 1 failed, 0 skipped")
        return 1
    runs = {}
    with json_log.open() as lines:
        for line in lines:
            run = json.loads(line)
            runs[run["name"].split(" / ")[-1]] = run
    results = []
    for suite in ElementTree.parse(junit).getroot().iter("testsuite"):
        results += cases_of(suite, runs)
    failed_tests = {test for test, _, result, _ in results if result == "failed"}
    for test, run in runs.items():
        if run["result"] not in ("OK", "SKIP", "EXPECTEDFAIL") and test not in failed_tests:
            output = run.get("stdout", "") + run.get("stderr", "")
            results.append((test, "", "failed", f"{run['result']}, exit code "
                            f"{run['returncode']}\n{output}"))

    for test, case, result, text in results:
        name = f"{test}: {case}" if case else test
        if result == "failed":
            stderr = runs.get(test, {}).get("stderr", "")
            print(f"FAILED {name}\n{clipped(text)}", end="")
            if not case and stderr and stderr not in text:
                print(clipped(stderr), end="")
    for test, case, result, text in results:
        if result == "skipped":
            print(f"skipped {test}{': ' + case if case else ''}: {reason_of(text)}")
    count = {kind: sum(result == kind for _, _, result, _ in results)
             for kind in ("passed", "failed", "skipped")}
    print(", ".join(f"{number} {kind}" for kind, number in count.items()))
    return 0 if count["failed"] == 0 and count["passed"] > 0 else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
