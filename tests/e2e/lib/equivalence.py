"""Compares a program with and without the shim: ending, output, created objects, and, where ptrace
is allowed, what it holds at each exec and exit, its own system calls and their errors.

Must never call a difference the shim's that the program shows by itself: the bare program runs
again and again, and each aspect is compared in the strictest view under which it agrees with
itself. Called by test_equivalence.py and by scripts/equivalence.
"""

import collections
import difflib
import json
import os
import re
import sys
from pathlib import Path

from lib import exit_state
from lib import harness
from lib import own_calls
from lib import witness

# Of each side, before a difference counts. A real one is there every time: only what varies by
# itself, and that is what must not be taken for one, needs more than the first.
ATTEMPTS = 12
NUMBER = re.compile(r"(?<![A-Za-z])[0-9]+")
# mkstemp(3) and its like: six letters, or more of which one is not lower case.
RANDOM = re.compile(r"\b(?=[A-Za-z]*\d|[a-z]*[A-Z])\w{6,}\b|\b[A-Za-z0-9]{6}\b|(?<=tmp)\w{6,}")


def masked(text):
    return NUMBER.sub("#", RANDOM.sub("?", text))


def text_views(text):
    yield "as it is", text.splitlines()
    lines = masked(text).splitlines()
    yield "numbers and random names left out", lines
    yield "and in any order", sorted(lines)
    yield "and however often", sorted(set(lines))


def tree_views(tree):
    yield "as it is", sorted(tree.items())
    names = sorted((masked(name), facts) for name, facts in tree.items())
    yield "numbers and random names left out", names
    yield "modes only", sorted(collections.Counter(facts for _, facts in names).items())
    yield "and however many", sorted(set(facts for _, facts in names))


def state_views(states):
    def texts(select):
        return [f"{place} {what}: {select(json.dumps(state, sort_keys=True))}"
                for place, what, state in states]

    yield "in order of birth", sorted(texts(str))
    yield "numbers and random names left out", sorted(texts(masked))
    anybody = [text.partition(" ")[2] for text in texts(masked)]
    yield "whoever it was", sorted(anybody)
    yield "and however many", sorted(set(anybody))


def call_views(sequences):
    def texts(select):
        return [f"{place} {select(call)}" for place, calls in sorted(sequences.items())
                for call in calls]

    yield "in order", texts(str)
    yield "numbers and random names left out", texts(masked)
    yield "names and results' signs", texts(outline)
    counts = collections.Counter(text.partition(" ")[2] for text in texts(outline))
    yield "counted, whoever it was", sorted(counts.items())
    yield "which", sorted(counts)


def error_views(sequences):
    failures = {place: [call for call in calls if " = -1 E" in call]
                for place, calls in sequences.items()}
    return call_views(failures)


def outline(call):
    """"openat = -1 ENOENT", "read = ok"."""
    name = call.partition("(")[0]
    error = re.search(r"\) = -1 (E\w+)", call)
    return f"{name} = {error[1] if error else 'ok'}"


VIEWS = {"ending": lambda code: [("as it is", [str(code)])], "stdout": text_views,
         "stderr": text_views, "created": tree_views, "held": state_views, "masks": state_views,
         "calls": call_views, "errors": error_views}


class Comparison:
    """One aspect: the values seen on both sides, and the views of them."""

    def __init__(self, aspect, bare):
        self.views = VIEWS[aspect]
        self.bare = bare
        self.shim = []

    def view(self):
        """(name, the one bare value, values under the shim) in the strictest stable view."""
        for views in zip(*map(list, map(self.views, self.bare))):
            if all(value == views[0][1] for _, value in views):
                name = views[0][0]
                return name, views[0][1], [dict(self.views(shim))[name] for shim in self.shim]
        return None

    def difference(self):
        """A text when no run under the shim was like the bare ones; else nothing."""
        seen = self.view()
        if seen is None or seen[1] in seen[2]:
            return ""
        lines = difflib.unified_diff(list(map(str, seen[1])), list(map(str, seen[2][-1])),
                                     "without the shim", "with it", n=2, lineterm="")
        return f"({seen[0]})\n" + "\n".join(list(lines)[:60])


class Equivalence:
    """A command, run by the means of a test case in its work directory, fresh each time.

    `set_up(work)` fills the directory; `options` go to Case.execute. `aspects` may leave some out:
    the caller says why. Not `thorough`: strace looks at recording only, not at the log as well.
    """

    def __init__(self, case, command, set_up=None, aspects=tuple(VIEWS), thorough=False,
                 **options):
        self.case = case
        self.command = [str(word) for word in command]
        self.set_up = set_up or (lambda work: None)
        self.options = options
        traced = not witness.reason_not_to()
        self.kinds = [(self.plainly, ("ending", "stdout", "stderr", "created"))]
        if traced and {"held", "masks"} & set(aspects):
            self.kinds.append((self.observed, ("ending", "held", "masks")))
        if traced and {"calls", "errors"} & set(aspects):
            self.kinds.append((self.traced, ("created", "calls", "errors")))
        self.aspects = aspects
        self.thorough = thorough
        self.plain = None  # what the first bare run showed
        self.uncompared = []  # "how: aspect", where the program never was like itself

    def differences(self):
        """Texts, one a difference; none when the program cannot tell."""
        found = []
        for how, aspects in self.kinds:
            bare = {aspect: [] for aspect in aspects if aspect in self.aspects}
            for mode in ("trace", "log"):
                if mode == "log" and how == self.traced and not self.thorough:
                    continue
                found += self.compare(how, bare, mode)
        return found

    def compare(self, how, bare, mode):
        """In one mode. `bare`: aspect -> values, which the other mode is compared with as well."""
        label = f"{how.__name__}, {mode}"
        comparisons = {aspect: Comparison(aspect, values) for aspect, values in bare.items()}
        for attempt in range(ATTEMPTS):
            while any(len(values) < attempt + 2 for values in bare.values()):
                self.look(how, bare, None)
            self.look(how, {aspect: comparison.shim
                            for aspect, comparison in comparisons.items()}, mode)
            if not any(comparison.difference() for comparison in comparisons.values()):
                break
        self.uncompared += [f"{label}: {aspect}" for aspect, comparison in comparisons.items()
                            if comparison.view() is None]
        return [f"{label}: {aspect} differs {comparison.difference()}"
                for aspect, comparison in comparisons.items() if comparison.difference()]

    def look(self, how, values, mode):
        harness.remove_tree(self.case.work)
        self.case.work.mkdir()
        if "user" in self.options:
            os.chown(self.case.work, self.options["user"], self.options["group"])
        self.set_up(self.case.work)
        seen = how(self.environment(mode))
        seen["created"] = harness.tree(self.case.work)
        self.plain = self.plain or seen
        for aspect, kept in values.items():
            kept.append(seen[aspect])

    def environment(self, mode):
        if mode is None:
            return []
        place = f"trace={self.case.new_run()}" if mode == "trace" else f"log={self.case.top}/log"
        return [f"LD_PRELOAD={harness.SHIM}", f"UMASKAUDIT_OPTIONS={place}"]

    def plainly(self, environment):
        given = {**dict(word.split("=", 1) for word in environment), **self.options.get("env", {})}
        result = self.case.execute(*self.command, **{**self.options, "env": given})
        return {"ending": result.returncode, "stdout": result.stdout.decode(errors="replace"),
                "stderr": result.stderr.decode(errors="replace")}

    def observed(self, environment):
        output = self.writable("states.json")
        self.case.execute(sys.executable, exit_state.__file__, output,
                          harness.SHIM if environment else "", *environment, *self.command,
                          **self.options)
        with output.open(encoding="utf-8", errors="surrogateescape") as file:
            seen = json.load(file)
        masks = [(place, what, state.pop("Umask")) for place, what, state in seen["states"]]
        return {"ending": seen["status"], "held": seen["states"], "masks": masks}

    def traced(self, environment):
        directory = Path(self.writable("strace", True))
        given = [word for variable in environment for word in ("-E", variable)]
        self.case.execute(*own_calls.command(directory / "of", *given, *self.command),
                          **self.options)
        sequences = own_calls.Threads(directory / "of", harness.SHIM).sequences
        return {"calls": sequences, "errors": sequences}

    def writable(self, name, is_directory=False):
        """A fresh place beside the work directory, for whatever user the program runs as."""
        path = self.case.top / name
        if is_directory:
            if path.exists():
                harness.remove_tree(path)
            path.mkdir()
        else:
            path.write_bytes(b"")
        path.chmod(0o777)
        return path
