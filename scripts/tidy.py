"""Runs clang-tidy over everything that a build directory compiles, or over what FILE goes into:
tidy.py BUILD [FILE...]. A file that was clean is not looked at again before it, what it includes,
.clang-tidy or the tool changes. Must never write to the sources. Called by scripts/lint."""

import concurrent.futures
import functools
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# One way in which one source is compiled. includes: everything that is read then, itself too.
Unit = namedtuple("Unit", "source flags includes")


def flags_of(command):
    """The compiler's flags, without the compiler, the source and what is written."""
    words = shlex.split(command)
    words = words[next(i for i, word in enumerate(words) if word.startswith("-")):]
    skipped = {i + more for i, word in enumerate(words)
               if word in ("-o", "-MF", "-MQ", "-c") for more in (0, 1)}
    return tuple(word for i, word in enumerate(words) if i not in skipped and word != "-MD")


def included(build):
    """Output -> the paths that its compilation read, as ninja wrote them down."""
    log = subprocess.run(["ninja", "-C", build, "-t", "deps"], stdout=subprocess.PIPE, text=True,
                         check=True).stdout
    for block in log.split("\n\n"):
        head, *paths = block.splitlines() or [""]
        yield head.partition(": ")[0], tuple((build / path.strip()).resolve() for path in paths)


def units(build):
    reads = dict(included(build))
    known = set()
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = (build / entry["file"]).resolve()
        flags = flags_of(entry["command"])
        # Optimised in seven ways it is still one text.
        text = (source, *(flag for flag in flags if flag.startswith(("-D", "-U"))))
        if text not in known and build not in source.parents:
            known.add(text)
            yield Unit(source, flags, reads[entry["output"]])


@functools.cache
def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@functools.cache
def config(folder):
    """What clang-tidy is to do with the sources of a folder."""
    own = folder / ".clang-tidy"
    text = re.sub("^ *#.*\n", "", own.read_text(), flags=re.MULTILINE) if own.exists() else ""
    return text if folder == ROOT else text + config(folder.parent)


def fingerprint(unit, version):
    """Changes with whatever may change the verdict."""
    reads = (f"{path} {digest(path)}" for path in unit.includes)
    parts = [version, config(unit.source.parent), str(unit.source), *unit.flags, *reads]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def complaints(build, unit):
    """What clang-tidy says, one text a complaint; empty when the file is clean."""
    done = subprocess.run(["clang-tidy", "--quiet", unit.source, "--", *unit.flags], cwd=build,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode == 0:
        return []
    text = done.stdout.replace(f"{build}/", "").replace("../../", "").replace(f"{ROOT}/", "")
    return (re.split(r"\n(?=[^ \n]+:\d+:\d+: (?:error|warning): )", text.rstrip("\n"))
            if text.strip() else [f"{unit.source}: exit code {done.returncode}\n{done.stderr}"])


class Progress:
    """One line that overwrites itself, where somebody looks."""

    def __init__(self, total):
        self.total = total
        self.done = 0

    def show(self, source):
        self.done += 1
        if sys.stderr.isatty():
            name = source.relative_to(ROOT)
            print(f"\r\033[Ktidy: {self.done} of {self.total}, {name}", end="", file=sys.stderr)

    @staticmethod
    def clear():
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr)


def look_at(build, wanted, memory):
    """Looks at each (fingerprint, unit) and prints; the number of units that are not clean."""
    said = set()
    bad = 0
    progress = Progress(len(wanted))
    pool = concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0)))
    looks = {pool.submit(complaints, build, unit): (key, unit) for key, unit in wanted}
    try:
        for look in concurrent.futures.as_completed(looks):
            key, unit = looks[look]
            progress.show(unit.source)
            bad += bool(look.result())
            if not look.result():
                with memory.open("a") as file:
                    file.write(f"{key}\n")
            for text in look.result():
                if text not in said:  # of a header: once, not once for each that includes it
                    progress.clear()
                    print(text, flush=True)
                said.add(text)
    finally:
        progress.clear()
        pool.shutdown(cancel_futures=True)
    return bad


def main():
    build = Path(sys.argv[1]).resolve()
    files = [Path(name).resolve() for name in sys.argv[2:]]
    version = subprocess.run(["clang-tidy", "--version"], stdout=subprocess.PIPE, text=True,
                             check=True).stdout
    everything = list(units(build))
    for file in files:
        if not file.exists():
            sys.exit(f"tidy: no such file: {file}")
        if not any(file in unit.includes for unit in everything):
            print(f"tidy: nothing here compiles {file}", file=sys.stderr)
    wanted = [(fingerprint(unit, version), unit) for unit in everything
              if not files or not set(files).isdisjoint(unit.includes)]

    memory = build / "tidy-clean.txt"
    clean = set(memory.read_text().split()) if memory.exists() else set()
    fresh = [(key, unit) for key, unit in wanted if key not in clean]
    bad = look_at(build, fresh, memory)
    if not files and memory.exists():  # forget what is gone
        keys = {key for key, _ in wanted} & set(memory.read_text().split())
        memory.write_text("".join(f"{key}\n" for key in sorted(keys)))
    print(f"tidy: {len(wanted)} files, {len(wanted) - len(fresh)} of them unchanged, "
          f"{bad} with complaints")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
