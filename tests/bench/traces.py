"""The reporter on large traces: events a second, and its memory.

Must never read the trace itself. Called by scripts/bench.
"""

import shutil
import statistics
import subprocess

from pairs import timed

# Events a second and core, for a summary: `threads` is one, `report` finds as `check` does.
GOAL = 3_000_000
# What of the tool, the goal in events a second (none: only watched), and how often: jsonl writes
# three kilobytes an event.
COMMANDS = [
    ("threads", ["threads"], GOAL, 3),
    ("report --format json", ["report", "--format", "json"], None, 1),
    ("report", ["report"], None, 1),
    ("report --format jsonl", ["report", "--format", "jsonl"], None, 1),
    ("check", ["check"], None, 1),
]
BYTES_OF_EVENT = 150


def generate(bench, events):
    """A new run directory and the number of events that it really holds: as many as there is room
    for twice."""
    run = bench.fresh("generated")
    events = min(events, shutil.disk_usage(run).free // (2 * BYTES_OF_EVENT))
    made = subprocess.run([bench.build / "tests" / "bench" / "generate_trace", run, str(events)],
                          capture_output=True, text=True, check=True)
    return run, int(made.stdout)


def measure(bench, events):
    bench.pin(1)
    run, count = generate(bench, events)
    rows = []
    for title, words, goal, rounds in COMMANDS:
        command = [str(bench.tool), words[0], str(run), *words[1:]]
        samples = [timed(command, bench.environment(), passing=(0, 1)) for _ in range(rounds)]
        seconds = statistics.median(sample.cpu for sample in samples)
        rows.append({"part": "reporter", "work": f"`{title}` of {count:,} events", "goal": goal,
                     "goal_text": f">= {goal:,} events/s" if goal else "", "unit": "events/s",
                     "measured": count / seconds, "seconds": seconds,
                     "peak_kib": max(sample.extra["peak_kib"] for sample in samples)})
        rows.append({"part": "reporter", "work": f"peak memory of `{title}`", "goal": None,
                     "goal_text": "distinct paths and stacks, not events", "unit": "MiB",
                     "measured": rows[-1]["peak_kib"] / 1024})
    bench.drop(run)
    return rows
