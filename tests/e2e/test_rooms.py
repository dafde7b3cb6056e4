"""scripts/lint rooms: what its check of the sources finds in a small house, and what it lets pass.

Must never look at the sources of this tree: `lint-rooms` is the test for these.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from lib import harness
from lib.harness import Case

SCRIPT = Path(__file__).parents[2] / "scripts/rooms.py"
RULES = """
room preload/low:
doors preload/low: door.h
room preload/high: preload/low
same preload/high: Layout
library zlib.h: preload/low
room reporter/other:
"""
SOURCES = {
    "preload/low/door.h": "class Door {\n};\nclass Door;\nstruct Shared { int x; };\n",
    "preload/low/inner.h": "#include <zlib.h>\nclass Inner;\n",
    "preload/high/java.h": "#include \"preload/low/door.h\"\nstruct Layout {\n  class Door;\n};\n",
    "preload/high/perl.h": "struct Layout {\n};\n",
    # The halves are never in one program.
    "reporter/other/door.h": "class Door final : public Other {\n};\n",
}


class Rooms(Case):
    def setUp(self):
        super().setUp()
        self.write("scripts/rooms.txt", RULES)
        shutil.copy(SCRIPT, self.top / "scripts")
        for name, text in SOURCES.items():
            self.write(name, text)
            self.write(str(Path(name).parent / "README.md"), "")
        picture = self.check("--picture").stdout
        self.write("CONTRIBUTING.md", "<!-- rooms: scripts/rooms.py --picture -->\n\n" + picture +
                   "\n<!-- /rooms -->\n")

    def write(self, name, text):
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def check(self, *words):
        return subprocess.run([sys.executable, "-B", self.top / "scripts/rooms.py", *words],
                              capture_output=True, text=True)

    def offences(self):
        done = self.check()
        self.assertEqual((done.returncode != 0, done.stderr), (done.stdout != "", ""))
        return done.stdout.splitlines()

    def add(self, name, line):
        self.write(name, line + "\n" + SOURCES.get(name, ""))

    def test_a_house_in_order(self):
        self.assertEqual(self.offences(), [])

    def test_an_include_of_a_higher_room(self):
        self.add("preload/low/door.h", '#include "preload/high/perl.h"')
        self.assertIn("preload/low/door.h:1: preload/low may not include preload/high; it may "
                      "include no other room", self.offences())

    def test_an_include_that_is_no_door(self):
        self.add("preload/high/java.h", '#include "preload/low/inner.h"')
        self.assertIn("preload/high/java.h:1: preload/low/inner.h is no door of preload/low; its "
                      "doors are door.h", self.offences())

    def test_a_library_in_another_room(self):
        self.add("preload/high/java.h", "#include <zlib.h>")
        self.assertEqual(self.offences(),
                         ["preload/high/java.h:1: <zlib.h> is for preload/low only"])

    def test_two_headers_that_include_each_other(self):
        self.add("preload/high/java.h", '#include "preload/high/perl.h"')
        self.add("preload/high/perl.h", '#include "preload/high/java.h"')
        self.assertIn("preload/high/java: includes itself by way of preload/high/perl > "
                      "preload/high/java", self.offences())

    def test_a_name_of_a_type_in_two_headers(self):
        for declaration in ("struct Shared {", "enum class Shared : int {", "using Shared = int;",
                            "class [[nodiscard]] Shared final : public Door {"):
            with self.subTest(declaration):
                self.add("preload/high/java.h", declaration)
                self.assertEqual(self.offences(), ["preload/low/door.h:4: the name Shared is taken "
                                                   "by preload/high/java.h:1"])

    def test_a_namespace_of_another_room(self):
        """Declarations of classes excepted, which a header may need."""
        rules = (self.top / "scripts/rooms.txt").read_text(encoding="utf-8")
        self.write("scripts/rooms.txt", rules + "namespace preload/low: umaskaudit\n"
                                                "namespace preload/high: umaskaudit::high\n")
        self.add("preload/high/java.h", "namespace umaskaudit::high::deep {\nint a;\n}\n"
                                        "namespace umaskaudit {\nclass Door;\n\n}")
        self.assertEqual(self.offences(), [])
        self.add("preload/high/java.h", "namespace umaskaudit::higher {\nint a;\n}")
        self.add("preload/low/door.h", "namespace umaskaudit::high {\nint a;\n}")
        self.assertEqual(self.offences(),
                         ["preload/low/door.h:1: namespace umaskaudit::high; that of preload/low "
                          "is umaskaudit",
                          "preload/high/java.h:1: namespace umaskaudit::higher; that of "
                          "preload/high is umaskaudit::high"])

    def test_a_leave_that_is_not_needed(self):
        self.write("preload/high/perl.h", "")
        self.assertEqual(self.offences(),
                         ["scripts/rooms.txt:5: preload/high has no Layout twice"])

    def test_a_room_without_a_readme(self):
        (self.top / "preload/low/README.md").unlink()
        self.assertEqual(self.offences(),
                         ["scripts/rooms.txt:2: preload/low has no README.md"])


if __name__ == "__main__":
    harness.main()
