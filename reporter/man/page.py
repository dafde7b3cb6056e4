"""Makes a page of the manual: page.py SCDOC PAGE, to standard output.

A line "@include NAME" of PAGE stands for the text of parts/NAME, which several pages share; scdoc
knows no such thing. Empty paragraphs that scdoc leaves are taken out, so that mandoc -Tlint has
nothing to warn of. Called by the build, and by tests for source()."""

import re
import subprocess
import sys
from pathlib import Path

MARK = "@include "


def source(page):
    """The text of a page, with the parts that it includes."""
    lines = []
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith(MARK):
            part = page.parent / "parts" / line.removeprefix(MARK)
            lines += part.read_text(encoding="utf-8").splitlines()
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def without_empty_paragraphs(roff):
    roff = roff.replace(".P\n.RE\n", ".RE\n.P\n")
    roff = re.sub(r"(?m)(?:^\.P\n)+(?=\.(?:P|SH|SS|TH)\b)", "", roff)
    roff = re.sub(r"(?m)^(\.(?:SH|SS|TH) .*\n)(?:\.P\n)+", r"\1", roff)
    roff = re.sub(r"(?m)(?:^\.P\n)+(?=\.P\n)", "", roff)
    return re.sub(r"(?:\.P\n)+\Z", "", roff)


def main():
    scdoc, page = sys.argv[1], Path(sys.argv[2])
    made = subprocess.run([scdoc], input=source(page), text=True, check=True, encoding="utf-8",
                          stdout=subprocess.PIPE)
    sys.stdout.write(without_empty_paragraphs(made.stdout))


if __name__ == "__main__":
    main()
