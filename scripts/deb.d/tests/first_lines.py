"""Runs the first lines of a README as they are printed: first_lines.py README.

These are the indented lines between "<!-- first:begin -->" and "<!-- first:end -->", each by sh, in
one new directory. Each must succeed, or exit as its comment says: "# exit code 1". Called by
autopkgtest against the installed packages, and by a test with what the build has made."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path


def lines(readme):
    text = Path(readme).read_text(encoding="utf-8")
    block = re.search(r"<!-- first:begin -->\n(.*?)<!-- first:end -->", text, re.DOTALL)
    return [line[4:] for line in block[1].splitlines() if line.startswith("    ")]


def main():
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)  # what others may read is a finding where they can get there
        for line in lines(sys.argv[1]):
            print(f"$ {line}", flush=True)
            status = subprocess.run(["sh", "-c", line], cwd=directory, check=False,
                                    stderr=subprocess.STDOUT).returncode
            stated = re.search(r"# exit code (\d+)", line)
            if status != (int(stated[1]) if stated else 0):
                sys.exit(f"first_lines.py: exit code {status}")


if __name__ == "__main__":
    main()
