"""The README stays true: what it shows is what the tool says, and what it tells to type works."""

import os
import re
import sys
from pathlib import Path

from lib import harness
from lib.harness import Case

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
BUILD = Path(harness.TOOL).parents[1]
LINES = 150  # two screens
PICTURE_BYTES = 150_000


class Readme(Case):
    def test_it_opens_with_how_to_run_and_how_to_test(self):
        code = [line.split("#")[0].strip() for line in README.read_text().splitlines()
                if line.startswith("    ")]
        self.assertRegex(code[0], r"^scripts/umaskaudit run ")
        self.assertEqual(code[1], "scripts/test")

    def test_it_is_two_screens(self):
        self.assertLessEqual(len(README.read_text().splitlines()), LINES)

    def test_what_it_links_to_is_there(self):
        for name in re.findall(r"\]\(([^)]+)\)", README.read_text()):
            self.assertTrue((ROOT / name).exists(), name)

    def test_its_picture_is_small(self):
        (name,) = re.findall(r"!\[.*\]\((.+\.png)\)", README.read_text())
        picture = (ROOT / name).read_bytes()
        self.assertEqual(picture[:8], b"\x89PNG\r\n\x1a\n")
        self.assertLessEqual(len(picture), PICTURE_BYTES)

    def test_its_report_is_what_the_tool_says(self):
        """The columns of a call are known from Python 3.11 on: they are underlined."""
        version = self.execute("/usr/bin/python3", "-c", "import sys; print(sys.version_info[:2])")
        if version.returncode != 0 or version.stdout.decode() < "(3, 11)":
            self.skipTest("Debian's python3 is older than 3.11, or not installed")
        result = self.execute(sys.executable, ROOT / "scripts" / "readme", "--check", BUILD)
        self.assertEqual(result.returncode, 0, result.stderr.decode())

    def test_its_first_lines_work(self):
        """As they are printed, with the tool and the library of the build for installed ones."""
        programs = self.top / "bin"
        programs.mkdir()
        (programs / "umaskaudit").symlink_to(harness.TOOL)
        result = self.execute(
            sys.executable, ROOT / "scripts" / "deb.d" / "tests" / "first_lines.py", README,
            env={"PATH": f"{programs}:{os.environ['PATH']}", "TERM": "dumb",
                 "LD_LIBRARY_PATH": str(Path(harness.SHIM).parent)})
        said = result.stdout.decode()
        self.assertEqual(result.returncode, 0, said + result.stderr.decode())
        self.assertIn("id.key", said)
        self.assertRegex(said, r'mkdir\("\S*inbox", 0777\)')


if __name__ == "__main__":
    harness.main()
