"""Python's frames in subinterpreters: those inside, and those of the interpreters from which the
thread entered, against what each interpreter says of itself (sys._getframe).

CPython to 3.9 does not tell which interpreter a thread entered last while the thread has released
the GIL, nor does 3.13 the order of more than two: then the record says that the stack is partial.
"""

import json
import subprocess
import textwrap

from lib import harness, python_scripts
from lib.python_scripts import INTERPRETERS
from lib.script_stacks import StackCase

# Runs in each interpreter. V is what the interpreter that entered it says; `below` has the frames
# of each interpreter further out, innermost first.
INSIDE = python_scripts.HEAD + textwrap.dedent('''\
    try: import _interpreters as interpreters
    except ImportError: import _xxsubinterpreters as interpreters
    V = globals().get("V") or {"below": [], "mask": 0, "file": __file__}

    def told(key):
        """Notes the frames of the caller and those below; returns the key."""
        line = json.dumps([key, [frames(sys._getframe(1))[1:]] + V["below"]]) + "\\n"
        os.write(SIDE, line.encode("ascii"))
        return key

    def path(label):
        return told("%s/%s-%d-%d" % (WHERE, label, V["mask"], next(COUNT)))

    def mask():
        V["mask"] += 1
        return told(V["mask"])

    def works():
        os.umask(mask())
        os.mkdir(path("d"))
        touch(path("f"))
        os.umask(mask())

    def script(stack, mask):
        values = {"below": [stack] + V["below"], "mask": mask, "file": V["file"]}
        return ("import sys\\nV = %r\\nsys.argv = %r\\n"
                "exec(compile(open(V['file']).read(), V['file'], 'exec'), {'V': V})"
                % (values, sys.argv))

    def enter(mask):
        number = interpreters.create()
        interpreters.run_string(number, script(frames(sys._getframe(0)), mask))
        interpreters.destroy(number)

    ''')
# In three interpreters within each other; then in two threads, with one interpreter each, while the
# first thread goes on in the main interpreter.
PROGRAM = INSIDE + textwrap.dedent('''\
    works()
    if len(V["below"]) < 2 and V["mask"] < 256: enter(V["mask"] + 64)
    works()
    if not V["below"]:
        others = [threading.Thread(target=enter, args=(number,)) for number in (256, 320)]
        for other in others: other.start()
        while any(other.is_alive() for other in others): os.mkdir(path("m"))
        works()
    ''')


class Subinterpreters(StackCase):
    language = "Python"

    def has_interpreters(self, python):
        ask = "try: import _interpreters\nexcept ImportError: import _xxsubinterpreters"
        return self.execute(python, "-c", ask).returncode == 0

    def expected(self, minor, holds_lock, levels):
        """The frames of the record, and whether it is partial."""
        whole = [frame for level in levels for frame in level]
        if len(levels) == 1 or minor in (10, 11, 12):
            return whole, False
        if minor < 10 and not holds_lock:
            return levels[-1], True
        return (whole, False) if len(levels) == 2 else (levels[0], True)

    def test_frames_of_every_interpreter(self):
        able = [python for python in INTERPRETERS if self.has_interpreters(python)]
        if not able:
            self.skipTest("no CPython here has a module for subinterpreters")
        for python in able:
            with self.subTest(python=python):
                self.check(python)

    def check(self, python):
        side, work = self.places()
        program = self.top / f"program{self.programs}.py"
        program.write_text(PROGRAM, encoding="utf-8")
        minor = int(subprocess.run([python, "-c", "import sys; print(sys.version_info[1])"],
                                   capture_output=True, check=True).stdout)
        _, run = self.record(python, program, side, work)
        report = self.report(run)
        self.assertEqual(report.of("loss"), [])
        made = {path: events[0] for path, events in report.creations().items()}
        masks = {int(event["new"], 8): event for event in report.of("umask")}
        depths = set()
        for line in side.read_text(encoding="ascii").splitlines():
            key, levels = json.loads(line)
            depths.add(len(levels))
            event = masks[key] if isinstance(key, int) else made[key]
            frames = self.frames_of(event)
            if frames and frames[0][2] == "touch":
                frames = frames[1:]  # of the helper, which notes nothing
            partial = event.get("stack_partial", False)
            # Other threads make interpreters and end them meanwhile: the shim may not find all.
            beside = not isinstance(key, int) and "/m-" in key
            self.assertEqual((frames, partial and not beside),
                             self.expected(minor, isinstance(key, int), levels), (python, key))
            if partial and key in made:
                self.assertIn("... frames of the script may be missing\n",
                              self.tool("blame", run, key))
        self.assertEqual(depths, {1, 2, 3})


if __name__ == "__main__":
    harness.main()
