"""The manual as man shows it: its pages, their order and width, and what they refer to."""

import os
import re
from pathlib import Path

from lib import harness
from lib.harness import Case, needs

BUILT = Path(harness.TOOL).parent / "man"
SOURCES = Path(__file__).resolve().parents[2] / "reporter" / "man"


def commands_of_help(text):
    """The commands that `umaskaudit --help` lists."""
    listed = text.split("Subcommands:")[1]
    return re.findall(r"^  ([a-z]+) ", listed, re.MULTILINE)


class Manual(Case):
    def setUp(self):
        super().setUp()
        self.pages = sorted(BUILT.glob("*.[1-8]"))
        if not self.pages:
            self.skipTest("built without scdoc")

    def test_every_source_is_a_page(self):
        self.assertEqual([page.name for page in self.pages],
                         sorted(source.stem for source in SOURCES.glob("*.scd")))

    def test_every_command_of_the_help_has_a_page(self):
        commands = commands_of_help(self.tool("--help"))
        self.assertIn("report", commands)
        names = {page.name for page in self.pages}
        self.assertEqual([], [name for name in commands if f"umaskaudit-{name}.1" not in names])

    def test_examples_come_first_and_other_pages_last(self):
        for page in self.pages:
            with self.subTest(page.name):
                heads = re.findall(r"^\.SH (.*)$", page.read_text(), re.MULTILINE)
                self.assertEqual(heads[:3], ["NAME", "SYNOPSIS", "EXAMPLES"])
                self.assertEqual(heads[-1], "SEE ALSO")

    def test_pages_of_ours_that_are_referred_to_exist(self):
        names = {page.name for page in self.pages}
        names |= {f"umaskaudit_{name}.3" for name in ("annotate", "flush", "version")}
        for page in self.pages:
            text = re.sub(r"\\f.|\\&", "", page.read_text())
            for name, section in re.findall(r"\b(umaskaudit[-\w]*)\((\d)\)", text):
                with self.subTest(page.name):
                    self.assertIn(f"{name}.{section}", names)

    def test_every_option_of_the_library_is_told(self):
        result = self.preload("true", options="help=1:log=off")
        options = re.findall(r"^ *(\w+)=", result.stderr.decode(), re.MULTILINE)
        self.assertIn("max_size", options)
        page = (SOURCES / "umaskaudit-options.7.scd").read_text()
        self.assertEqual([], [name for name in options if f"*{name}*=" not in page])

    @needs("mandoc")
    def test_mandoc_has_nothing_to_warn_of(self):
        result = self.execute("mandoc", "-Tlint", "-W", "warning", *self.pages)
        self.assertEqual(result.stdout.decode(), "")

    @needs("man")
    def test_they_fit_80_columns(self):
        for page in self.pages:
            with self.subTest(page.name):
                result = self.execute("man", "--warnings", "-l", page,
                                      env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
                self.assertEqual((result.returncode, result.stderr), (0, b""))
                wide = [line for line in result.stdout.decode().splitlines() if len(line) > 80]
                self.assertEqual(wide, [])


if __name__ == "__main__":
    harness.main()
