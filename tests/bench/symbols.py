"""Symbolising 10,000 addresses of large binaries, those of them that are installed.

Must never time anything itself: tests/bench/symbolize does. Called by scripts/bench.
"""

import json
import shutil
import statistics
import subprocess
from pathlib import Path

from pairs import Failed

ADDRESSES = 10000
GOAL_SECONDS = 3
LIBRARIES = Path("/usr/lib")
PATTERNS = ["llvm-*/lib/libLLVM-*.so.1", "jvm/java-17-*/lib/server/libjvm.so",
            "x86_64-linux-gnu/libpython3.*.so.1.0"]
PROGRAMS = ["node", "python3"]


def modules():
    found = [Path(path) for path in map(shutil.which, PROGRAMS) if path]
    for pattern in PATTERNS:
        found += sorted(LIBRARIES.glob(pattern))[:1]
    return [path.resolve() for path in found if path.resolve().read_bytes()[:4] == b"\x7fELF"]


def measure(bench, rounds):
    rows = []
    for module in modules():
        command = [bench.build / "tests" / "bench" / "symbolize", module,
                   str(bench.few(ADDRESSES, 100))]
        samples = []
        for _ in range(rounds):
            done = subprocess.run(command, env=bench.environment(), capture_output=True, text=True)
            if done.returncode != 0:
                raise Failed(f"symbolize {module.name}: {done.stderr[-500:]}")
            samples.append(json.loads(done.stdout))
        for which, title in (("cold_s", "cold"), ("cached_s", "from the cache")):
            rows.append({"part": "symbols", "unit": "s", "goal": GOAL_SECONDS,
                         "goal_text": f"<= {GOAL_SECONDS} s" if which == "cold_s" else "",
                         "work": f"symbolising {samples[0]['addresses']:,} addresses of "
                                 f"`{module.name}`, {title}",
                         "measured": statistics.median(sample[which] for sample in samples)})
    return rows
