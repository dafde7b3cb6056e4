"""The size gates: no line over 100 columns, no file of code over 600 lines, no trailing blanks, no
tabs. Must never look at what a program wrote: golden files, corpora, completions. Called by
scripts/lint; prints each offender as file:line."""

import sys
from pathlib import Path

MAX_COLUMNS = 100
MAX_LINES = 600
SUFFIXES = {".h", ".cc", ".cpp", ".def", ".inc", ".py", ".sh", ".build", ".txt", ".md", ".scd",
             ".js", ".css", ".html", ""}
SKIPPED = {".git", "golden", "corpus", "seeds", "completions", "__pycache__"}
PROSE = {".md", ".scd"}


def source_files(root):
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if parts[0].startswith(("build", "umaskaudit.")) or SKIPPED & set(parts):
            continue
        if path.is_file() and not path.is_symlink() and path.suffix in SUFFIXES:
            yield path


def problems(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    prose = path.suffix in PROSE
    if len(lines) > MAX_LINES and not prose:
        yield len(lines), f"{len(lines)} lines, the limit is {MAX_LINES}: split by idea"
    for number, line in enumerate(lines, 1):
        # Rows of a table, cells of scdoc's and output that is shown as it is cannot be broken.
        unbreakable = prose and (path.suffix == ".scd" or line.lstrip().startswith("|")
                                 or line.startswith("    "))
        if len(line) > MAX_COLUMNS and not unbreakable:
            yield number, f"{len(line)} columns, the limit is {MAX_COLUMNS}"
        if line != line.rstrip():
            yield number, "trailing blanks"
        if "\t" in line and not prose and path.name != "rules":  # a makefile
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
