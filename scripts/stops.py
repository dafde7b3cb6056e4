"""The ten stops of CONTRIBUTING.md ("One open()"): each names a file, a line and a text in it.
Fails if the file or the text is gone, or is more than 40 lines away from where the page says;
--write sets the lines. Also fails if the page names a path in a folder of ours that does not exist.
Must never build anything. Called by scripts/lint."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "CONTRIBUTING.md"
STOP = re.compile(r"^\| \d+ \| `([^`:]+):(\d+)` \| `([^`]+)` \|")
PATH = re.compile(r"`((?:preload|reporter|tests|scripts)/[\w./+-]*\w)`")
FAR = 40


def line_of(name, text, near):
    """The line of `name` nearest to `near` that has `text`; 0: there is none."""
    path = ROOT / name
    if not path.is_file():
        return 0
    lines = path.read_text(encoding="utf-8").splitlines()
    return min((number for number, line in enumerate(lines, 1) if text in line),
               key=lambda number: abs(number - near), default=0)


def main(arguments):
    write, bad, out = arguments == ["--write"], 0, []
    page = PAGE.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(page, 1):
        stop = STOP.match(line)
        for name in PATH.findall(line):
            if not (ROOT / name).exists():
                print(f"CONTRIBUTING.md:{number}: there is no {name}")
                bad += 1
        if stop:
            name, said, text = stop[1], int(stop[2]), stop[3]
            found = line_of(name, text, said)
            if found == 0:
                print(f"CONTRIBUTING.md:{number}: '{text}' is not in {name}")
                bad += 1
            elif write:
                line = line.replace(f"`{name}:{said}`", f"`{name}:{found}`", 1)
            elif abs(found - said) > FAR:
                print(f"CONTRIBUTING.md:{number}: '{text}' is in line {found} of {name}: "
                      "scripts/stops.py --write")
                bad += 1
        out.append(line)
    if write:
        PAGE.write_text("\n".join(out) + "\n", encoding="utf-8")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
