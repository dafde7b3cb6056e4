"""The shim as a file: what it needs, what it exports, what it costs before it runs."""

import re
import subprocess
from pathlib import Path

from lib import harness
from lib.harness import Case, needs

TABLE = Path(__file__).parent.parent.parent / "preload" / "interceptors.def"
# The first is no API of ours: see preload/hooks/api.cc.
API = {"__asan_default_options", "getumask", "umaskaudit_annotate", "umaskaudit_flush",
       "umaskaudit_version"}


def readelf(*options):
    return subprocess.run(["readelf", "-W", *options, harness.SHIM], check=True,
                          capture_output=True, text=True).stdout


@needs("readelf")
class File(Case):
    def test_needs_libc_only(self):
        needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", readelf("-d")))
        self.assertLessEqual(needed, {"libc.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"})

    def test_exports_the_table_and_the_api(self):
        names = set()
        for line in readelf("--dyn-syms").splitlines():
            words = line.split()
            if len(words) >= 8 and words[6] != "UND" and words[3] in ("FUNC", "OBJECT", "TLS"):
                names.add(words[7].split("@")[0])
        rows = set(re.findall(r"^(?:ROW\(\w+, [^,]+|CUSTOM\([^,]+|RAW\([^,]+), (\w+),",
                              TABLE.read_text(), re.MULTILINE))
        self.assertGreater(len(rows), 40)
        self.assertEqual(names - API, rows)

    def test_thread_local_storage_is_small(self):
        sizes = re.findall(r"^\s*TLS\s+\S+\s+\S+\s+\S+\s+\S+\s+(0x\w+)", readelf("-l"),
                           re.MULTILINE)
        self.assertLessEqual(sum(int(size, 16) for size in sizes), 64)

    def test_is_bound_at_load_time_and_stays(self):
        dynamic = readelf("-d")
        self.assertRegex(dynamic, r"BIND_NOW|FLAGS.*NOW")
        self.assertRegex(dynamic, r"NODELETE")

    def test_no_second_language_runtime(self):
        undefined = {line.split()[7].split("@")[0] for line in readelf("--dyn-syms").splitlines()
                     if " UND " in line and len(line.split()) >= 8}
        heavy = {name for name in undefined
                 if re.match(r"_ZNS|_ZSt|setlocale|malloc$|printf", name)}
        self.assertEqual(heavy, set())


if __name__ == "__main__":
    harness.main()
