#!/usr/bin/python3
"""Findings of a run as GitLab's code quality report (Code Climate JSON): code_quality.py RUN

Asks `umaskaudit check RUN --format sarif` and keeps what has a line in a file of the project.
"""

import json
import os
import subprocess
import sys
from urllib.parse import unquote

SEVERITIES = {"error": "major", "warning": "minor", "note": "info"}


def issues(log):
    for run in log["runs"]:
        for result in run["results"]:
            if result.get("suppressions") or result.get("kind") == "pass":
                continue
            where = result["locations"][0].get("physicalLocation", {})
            file = where.get("artifactLocation", {})
            if "uriBaseId" not in file or "region" not in where:
                continue
            yield {"description": result["message"]["text"],
                   "check_name": result["ruleId"],
                   "fingerprint": result["partialFingerprints"]["umaskaudit/v4"],
                   "severity": SEVERITIES[result["level"]],
                   "location": {"path": unquote(file["uri"]),
                                "lines": {"begin": where["region"]["startLine"]}}}


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: code_quality.py RUN")
    tool = os.environ.get("UMASKAUDIT", "umaskaudit")
    result = subprocess.run([tool, "check", sys.argv[1], "--format", "sarif"], check=False,
                            stdout=subprocess.PIPE)
    if result.returncode not in (0, 1):
        sys.exit(result.returncode)
    json.dump(list(issues(json.loads(result.stdout))), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
