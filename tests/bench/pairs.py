"""Runs one work natively and under the shim, in turn, and compares pair by pair.

Must never compare runs that were not neighbours: the machine drifts. Called by the parts of
scripts/bench; a part hands in a function that makes one run and returns a Sample.
"""

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import peers

DEPTH = 16  # frames of every stack
MAX_SIZE = 1 << 30  # of a segment: nothing may be lost, a lost record is a cheap one


@dataclass
class Sample:
    """One run: seconds (or nanoseconds a call) by the clock and by the processor."""
    wall: float
    cpu: float
    extra: dict = field(default_factory=dict)


class Failed(Exception):
    """A run did not do its work: no number is better than a wrong one."""


def spread(values):
    values = list(values)
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


class Bench:
    """Where things are, and how often to do them."""

    def __init__(self, build, rounds, quick, with_peers, parent=None):
        self.build = Path(build).resolve()  # programs run elsewhere
        self.shim = self.build / "preload" / "libumaskaudit.so"
        self.tool = self.build / "reporter" / "umaskaudit"
        self.rounds = rounds
        self.quick = quick  # a divisor of the amounts: 1 is all
        self.peers = with_peers
        self.missing = {}  # of the peers: name -> why
        self.cpus = sorted(os.sched_getaffinity(0))
        memory = Path("/dev/shm")
        parent = parent or (memory if os.access(memory, os.W_OK) else None)
        self.top = Path(tempfile.mkdtemp(prefix="umaskaudit-bench.", dir=parent))
        self.top.chmod(0o755)
        self.count = 0

    def close(self):
        shutil.rmtree(self.top, ignore_errors=True)

    def few(self, amount, least=1):
        return max(least, amount // self.quick)

    def pin(self, cpus):
        """The runs that follow use the last `cpus` of the processors that are ours."""
        os.sched_setaffinity(0, self.cpus[-cpus:])

    def fresh(self, name):
        """A new empty directory."""
        self.count += 1
        path = self.top / f"{name}-{self.count}"
        path.mkdir()
        return path

    def drop(self, *paths):
        for path in paths:
            shutil.rmtree(path, ignore_errors=True)

    def environment(self, trace=None):
        """Of a native run, or of one that is recorded into `trace`."""
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("UMASKAUDIT", "LD_PRELOAD", "GIT_", "PYTHON"))}
        kept.update(LC_ALL="C", GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL="/dev/null")
        if trace is not None:
            kept["LD_PRELOAD"] = str(self.shim)
            kept["UMASKAUDIT_OPTIONS"] = f"trace={trace}:depth={DEPTH}:max_size={MAX_SIZE}"
        return kept

    def beside_peers(self, run, native):
        """What the same work takes with others, as a ratio to `native`: name -> ratio."""
        ratios = {}

        def take(name, words, times):
            samples = [run(words, self.environment()) for _ in range(times)]
            ratios[name] = statistics.median(sample.wall for sample in samples) / native

        output = self.top / "peer.log"
        for name, words in peers.strace(output).items():
            take(name, words, 1 if "-k" in name else 2)
            output.unlink(missing_ok=True)
        if "bpftrace" not in self.missing:
            try:
                with peers.bpftrace(output, self.cpus):
                    take("bpftrace", [], 3)
            except peers.Missing as reason:
                self.missing["bpftrace"] = str(reason)
        return ratios

    def compare(self, run, rounds=None, parts=None):
        """run(prefix, environment) makes one run, and `parts`, called alike, the one with only what
        no recorder of this kind can do without. All alternate after one of each that is thrown
        away, and take turns in going first: cleaning up after one run must not always burden the
        same next one. The peers follow. Returns the numbers of one row."""
        native, shim, bare = [], [], []
        for turn in range(-1, rounds or self.rounds):
            runs = [(native, self.plain, run), (shim, self.recorded, run)]
            if parts is not None:
                runs.insert(1, (bare, self.plain, parts))
            for samples, how, one in runs if turn % 2 == 0 else reversed(runs):
                sample = how(one)
                if turn >= 0:
                    samples.append(sample)
        row = {
            "pairs": len(native),
            "native": spread(sample.wall for sample in native),
            "shim": spread(sample.wall for sample in shim),
            "native_cpu": spread(sample.cpu for sample in native),
            "shim_cpu": spread(sample.cpu for sample in shim),
            "ratio": spread(b.wall / a.wall for a, b in zip(native, shim)),
            "ratio_cpu": spread(b.cpu / a.cpu for a, b in zip(native, shim)),
            "added": spread(b.wall - a.wall for a, b in zip(native, shim)),
            "added_cpu": spread(b.cpu - a.cpu for a, b in zip(native, shim)),
            "peers": {},
        }
        if parts is not None:
            row["limit"] = spread(b.wall / a.wall for a, b in zip(native, bare))
            row["limit_cpu"] = spread(b.cpu / a.cpu for a, b in zip(native, bare))
        for name in native[0].extra:
            row[name] = {"native": statistics.median(sample.extra[name] for sample in native),
                         "shim": statistics.median(sample.extra[name] for sample in shim)}
        if self.peers:
            row["peers"] = self.beside_peers(run, row["native"]["median"])
        return row

    def plain(self, run):
        return run([], self.environment())

    def recorded(self, run):
        trace = self.fresh("trace")
        sample = run([], self.environment(trace))
        segments = list(trace.glob("*.seg"))
        if not segments:
            raise Failed("the shim recorded nothing")
        self.drop(trace)
        return sample


def timed(command, environment, directory=None, passing=(0,)):
    """Runs a command to its end. The processor's time is that of all its children too."""
    begin = time.monotonic()
    process = subprocess.Popen(command, env=environment, cwd=directory, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - begin
    process.stderr.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in passing:
        raise Failed(f"{command[0]} failed: {errors.decode(errors='replace')[-500:]}")
    return Sample(wall, usage.ru_utime + usage.ru_stime, {"peak_kib": usage.ru_maxrss})
