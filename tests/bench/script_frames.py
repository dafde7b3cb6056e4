"""What the frames of a script cost: a mask change from ten Python frames, recorded with them and
without, in turn.

Must never compare runs that were not neighbours. Called by scripts/bench.
"""

import glob
import os
import shutil
import statistics
import subprocess

from pairs import Failed

GOAL_NS = 400
FRAMES = 10
# The fastest of many short batches, by the interpreter's own clock.
PROGRAM = """
import os, sys, time
def deep(left):
    if left > 1: return deep(left - 1)
    umask, best = os.umask, 1e9
    for _ in range(int(sys.argv[2])):
        begin = time.perf_counter()
        for _ in range(1000): umask(18)
        best = min(best, time.perf_counter() - begin)
    return best
print(deep(int(sys.argv[1]) - 1) * 1e6)
"""


def interpreters():
    found = {}
    home = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    places = ["/usr/bin/python3", shutil.which("python3")]
    for place in places + sorted(glob.glob(home + "/versions/3.*/bin/python3")):
        if place is None or not os.path.exists(place):
            continue
        said = subprocess.run([place, "-c", "import sys; print(sys.executable);"
                               "print('%d.%d.%d' % sys.version_info[:3])"],
                              capture_output=True, text=True, check=False)
        if said.returncode == 0:
            executable, version = said.stdout.split()
            found.setdefault(os.path.realpath(executable), version)
    return sorted(found.items(), key=lambda item: [int(part) for part in item[1].split(".")])


def nanoseconds(bench, python, program, scripts):
    trace = bench.fresh("trace")
    environment = bench.environment(trace)
    environment["UMASKAUDIT_OPTIONS"] += f":scripts={scripts}"
    done = subprocess.run([python, program, str(FRAMES), str(bench.few(40, 2))], env=environment,
                          capture_output=True, text=True, check=False)
    recorded = list(trace.glob("*.seg"))
    bench.drop(trace)
    if done.returncode != 0 or not recorded:
        raise Failed(f"{python}: {done.stderr[-500:]}")
    return float(done.stdout)


def measure(bench, rounds):
    bench.pin(1)
    program = bench.top / "frames.py"
    program.write_text(PROGRAM)
    rows = []
    for python, version in interpreters():
        added = []
        for turn in range(rounds):
            order = ("none", "all") if turn % 2 == 0 else ("all", "none")
            took = {which: nanoseconds(bench, python, program, which) for which in order}
            added.append(took["all"] - took["none"])
        rows.append({"part": "scripts", "unit": "ns", "goal": GOAL_NS,
                     "goal_text": f"<= {GOAL_NS} ns",
                     "work": f"{FRAMES} frames of CPython {version}",
                     "measured": statistics.median(added)})
    return rows
