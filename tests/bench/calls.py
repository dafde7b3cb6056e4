"""The loops of loops.cc: nanoseconds and instructions of single calls, and resident memory.

Must never time anything itself: the loops do that inside their process. Called by scripts/bench.
"""

import json
import re
import statistics
import subprocess

from pairs import Failed, Sample

# Title, the loops' arguments, the goal as a ratio to native (none: only watched).
WORKS = [
    ("`open` + `close` of an existing file", ["open"], 1.02),
    ("the same, 2 threads", ["open", "--threads", "2"], 1.02),
    ("create + `close`, `O_EXCL`", ["create-excl"], 1.12),
    ("the same, relative path", ["create-excl", "--relative"], 1.12),
    ("2 threads, one directory", ["create-excl", "--threads", "2"], 1.12),
    ("2 threads, two directories", ["create-excl", "--threads", "2", "--directories", "2"], 1.12),
    ("create + `close`, `O_CREAT` and `O_TRUNC`", ["create-trunc"], 1.20),
    ("`O_CREAT` of an existing file", ["open-creat-existing"], 1.20),
    ("`fopen` for writing, a new file", ["fopen"], 1.20),
    ("`mkdir`", ["mkdir"], 1.20),
    ("`mkfifo`", ["mkfifo"], 1.20),
    ("`mq_open`", ["mq_open"], 1.20),
    ("`umask` toggles", ["umask"], 2.4),
    ("the same, 2 threads", ["umask", "--threads", "2"], 3.0),
]
SMOKE = {"open", "create-excl", "umask"}
MEMORY_GOAL_KIB = 2048


def amounts(bench, work, prefix):
    """Calls in a batch and batches. A message queue takes its user's share (mq_overview(7))."""
    calls = 100 if work == "mq_open" else 400
    batches = 30
    if prefix:
        calls, batches = calls // 4, 3
    return ["--calls", str(bench.few(calls, 20)), "--batches", str(bench.few(batches, 3))]


def loop_sample(text):
    data = json.loads(text)
    extra = {name: statistics.median(data[name]) for name in ("user", "kernel", "cycles")}
    extra["resident_kib"] = data["anon_kib"] + data["file_kib"]
    return Sample(statistics.median(data["ns"]), statistics.median(data["cpu_ns"]), extra)


def run_loop(bench, arguments):
    """A function that makes one run of a loop, as Bench.compare calls it."""
    loops = bench.build / "tests" / "bench" / "loops"

    def run(prefix, environment):
        directory = bench.fresh("work")
        command = [*prefix, str(loops), arguments[0], str(directory), *arguments[1:],
                   *amounts(bench, arguments[0], prefix)]
        # strace shows the program's standard output too, and its own.
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        bench.drop(directory)
        if done.returncode != 0:
            raise Failed(f"loops {arguments[0]}: {done.stderr[-500:]}")
        return loop_sample(done.stdout)

    return run


def measure(bench, smoke=False):
    rows = []
    for title, arguments, goal in WORKS:
        if smoke and (arguments[0] not in SMOKE or len(arguments) > 1):
            continue
        bench.pin(2 if "--threads" in arguments else 1)
        row = bench.compare(run_loop(bench, arguments),
                            parts=run_loop(bench, [*arguments, "--parts"]))
        row.update(part="calls", work=title, goal=goal, unit="ns", id=" ".join(arguments))
        rows.append(row)
    return rows


def instructions(bench, work, calls):
    """Of a whole run of three batches, in user space, as callgrind counts them."""
    directory, trace = bench.fresh("work"), bench.fresh("trace")
    counts = []
    for environment in (bench.environment(), bench.environment(trace)):
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
             str(bench.build / "tests" / "bench" / "loops"), work, str(directory),
             "--calls", str(calls), "--batches", "2"],
            env=environment, capture_output=True, text=True)
        found = re.search(r"Collected : (\d+)", done.stderr)
        if done.returncode != 0 or found is None:
            raise Failed(f"callgrind: {done.stderr[-500:]}")
        counts.append(int(found[1]))
    bench.drop(directory, trace)
    return counts


def pass_through_row(bench):
    """What a call costs that the shim has no business with: two runs, so that all else cancels."""
    few, many = instructions(bench, "open", 100), instructions(bench, "open", 300)
    native, shim = ((b - a) / (3 * 200) for a, b in zip(few, many))
    return {"part": "pass-through", "goal": None, "goal_text": "",
            "work": "added to `open` without `O_CREAT`, by callgrind", "native": native,
            "measured": shim - native, "unit": "instructions"}


def memory_row(rows):
    """What the shim adds to a program, without the segments: of the loop where it adds most."""
    added = [row["resident_kib"]["shim"] - row["resident_kib"]["native"] for row in rows]
    return {"part": "memory", "work": "resident memory in the program, without segments",
            "goal": MEMORY_GOAL_KIB, "measured": max(added), "unit": "KiB"}
