"""The size gates: no line over 100 columns, no source file over 600 lines, no trailing blanks, no
tabs outside of generated text. Must never look at golden files: those are output, not source.
Called by scripts/lint; prints each offender as file:line."""

import sys
from pathlib import Path

MAX_COLUMNS = 100
MAX_LINES = 600
SUFFIXES = {".h", ".cc", ".cpp", ".def", ".inc", ".py", ".sh", ".build", ".txt", ".md", ".scd",
             ".js", ".css", ".html", ""}
SKIPPED = {".git", "golden", "corpus", "__pycache__"}


def source_files(root):
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if parts[0].startswith(("build", "umaskaudit.")) or SKIPPED & set(parts):
            continue
        if path.is_file() and not path.is_symlink() and path.suffix in SUFFIXES:
            yield path


def problems(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    prose = path.suffix in (".md", ".scd")
    if len(lines) > MAX_LINES:
        yield len(lines), f"{len(lines)} lines, the limit is {MAX_LINES}: split by idea"
    for number, line in enumerate(lines, 1):
        # A table row of Markdown cannot be broken.
        if len(line) > MAX_COLUMNS and not (prose and line.lstrip().startswith("|")):
            yield number, f"{len(line)} columns, the limit is {MAX_COLUMNS}"
        if line != line.rstrip():
            yield number, "trailing blanks"
        if "\t" in line and not prose:
            yield number, "tab"


def main():
    root = Path(__file__).resolve().parent.parent
    bad = 0
    for path in source_files(root):
        for number, what in problems(path):
            print(f"{path.relative_to(root)}:{number}: {what}")
            bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
