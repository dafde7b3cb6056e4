"""How the cost of one call grows with what went before: events, stacks, paths, threads, processes.

Must never mix sizes in one comparison: native and shim alternate at each size. Called by
scripts/bench; curves.py draws the rows.
"""

import json
import statistics
import subprocess

from pairs import Failed, Sample

# Kind, title, sizes; a size's native and shim runs are neighbours.
CURVES = [
    ("events", "a `umask` call after so many events", [1, 1000, 100_000, 1_000_000, 10_000_000]),
    ("stacks", "a `umask` call, so many distinct stacks", [1, 1000, 10_000, 100_000]),
    ("paths", "a creation, so many directories", [1, 1000, 10_000, 100_000]),
    ("threads", "a creation, so many threads on 2 processors", [1, 2, 4, 16, 64]),
    ("processes", "a process with 200 creations, so many at once", [1, 10, 50, 200]),
]
SMOKE_SIZES = [1, 20]


def command_of(bench, kind, size, directory):
    folder = bench.build / "tests" / "bench"
    if kind == "threads":
        calls = max(20, 16000 // size)  # several turns of the scheduler, which is not the subject
        return [folder / "loops", "create-excl", directory, "--threads", size, "--directories",
                size, "--calls", calls, "--batches", 10]
    return [folder / "growth", kind, size, directory]


def run_at(bench, kind, size):
    def run(prefix, environment):
        directory = bench.fresh("work")
        command = [*prefix, *map(str, command_of(bench, kind, size, directory))]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        bench.drop(directory)
        if done.returncode != 0:
            raise Failed(f"growth {kind} {size}: {done.stderr[-500:]}")
        data = json.loads(done.stdout)
        # Of a batch that all threads share, the time of one call of one thread.
        share = size if kind == "threads" else 1
        return Sample(statistics.median(data["ns"]) / share,
                      statistics.median(data["cpu_ns"]))

    return run


def measure(bench, rounds, smoke=False):
    peers, bench.peers = bench.peers, False
    rows = []
    for kind, title, sizes in CURVES:
        bench.pin(2 if kind in ("threads", "processes") else 1)
        for size in SMOKE_SIZES if smoke else sizes:
            row = bench.compare(run_at(bench, kind, size), rounds)
            row.update(part="growth", curve=kind, size=size, goal=None, unit="ns",
                       title=title, work=f"{title}: {size:,}")
            rows.append(row)
    bench.peers = peers
    return rows
