"""What the tracer costs (`run --see=trace`), beside strace with a filter, as ratios to native runs.

Must never compare runs that were not neighbours. Called by scripts/bench.
"""

import shutil
import statistics

import peers
from calls import run_loop
from pairs import Failed

# Title, the loops' arguments, the goal as a part of strace's ratio (none: only watched).
WORKS = [
    ("create + `close`, `O_EXCL`", ["create-excl"], 0.75),
    ("create + `close`, `O_CREAT` and `O_TRUNC`", ["create-trunc"], 0.75),
    ("`mkdir`", ["mkdir"], 0.75),
    ("`umask` toggles", ["umask"], None),
    ("`open` + `close` of an existing file", ["open"], None),
]


def measure(bench, rounds):
    """Rows of both ratios, and of the one as a part of the other; none without strace."""
    output = bench.top / "peer.log"
    strace = peers.strace(output).get("strace")
    if strace is None:
        bench.missing["the tracer"] = "strace is not installed"
        return []
    tool = bench.build / "reporter" / "umaskaudit"
    if shutil.which(str(tool)) is None:
        raise Failed(f"{tool} is not there")
    bench.pin(1)
    rows = []
    for title, arguments, goal in WORKS:
        run = run_loop(bench, arguments)
        ratios = {"traced": [], "strace": []}
        for turn in range(-1, rounds):
            trace = bench.fresh("traced")
            words = {"traced": [str(tool), "run", "--see=trace", "--no-summary", "-o",
                                str(trace / "run"), "--"],
                     "strace": strace}
            order = ("traced", "strace") if turn % 2 == 0 else ("strace", "traced")
            native = run([], bench.environment()).wall
            for name in order:
                ratio = run(words[name], bench.environment()).wall / native
                if turn >= 0:
                    ratios[name].append(ratio)
            bench.drop(trace)
            output.unlink(missing_ok=True)
        traced, other = (statistics.median(ratios[name]) for name in ("traced", "strace"))
        rows.append({"part": "tracer", "work": title, "unit": "of strace",
                     "traced": traced, "strace": other, "measured": traced / other, "goal": goal,
                     "goal_text": f"<= {goal}" if goal else ""})
    return rows
