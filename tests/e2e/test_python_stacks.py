"""Python's own frames in the events of programs made from a seed: each event's whole stack against
what the interpreter says of it (sys._getframe), on every CPython of the machine."""

import json
import os
import random
import shutil
import sys
import textwrap
from pathlib import Path

from lib import harness, python_scripts
from lib.harness import victim
from lib.python_scripts import INTERPRETERS
from lib.script_stacks import MOST_FRAMES, StackCase


def text_of(value):
    """What the programs write, which is bytes as Latin-1, as the report has it."""
    return value.encode("latin-1").decode("utf-8", "surrogateescape")


class Stacks(StackCase):
    language = "Python"

    def write(self, text):
        side, work = self.places()
        program = self.top / f"program{self.programs}.py"
        program.write_text(text, encoding="utf-8")
        return program, side, work

    def noted(self, side):
        """path -> the frames that the interpreter told, and the lines that are not whole."""
        wanted, torn = {}, 0
        for line in side.read_text(encoding="ascii").splitlines():
            try:
                path, frames = json.loads(line)
            except ValueError:
                torn += 1
                continue
            self.assertNotIn(path, wanted)
            wanted[path] = [[text_of(file), at, text_of(name)] for file, at, name in frames]
        return wanted, torn

    def compare(self, wanted, report, label):
        made = self.recorded(report)
        for path, frames in wanted.items():
            self.assertIn(path, made, f"{label}, SEED={self.seed}")
            got = made[path]
            if got and got[0][2] == "touch":
                got, frames = got[1:], frames[:MOST_FRAMES - 1]  # the helper's own frame
            self.assertEqual(got, frames[:MOST_FRAMES], f"{label}: {path}, SEED={self.seed}")

    def run_program(self, python, text):
        program, side, work = self.write(text)
        _, run = self.record(python, program, side, work)
        wanted, torn = self.noted(side)
        self.assertEqual(torn, 0)
        report = self.report(run)
        self.assertEqual(report.of("loss"), [])
        self.compare(wanted, report, python)
        return wanted


class Generated(Stacks):
    def test_every_stack_is_whole(self):
        for python in INTERPRETERS:
            with self.subTest(python=python):
                wanted = self.run_program(python, python_scripts.once(self.seed))
                self.assertGreater(len(wanted), 20)

    def test_in_eight_threads(self):
        for python in INTERPRETERS:
            with self.subTest(python=python):
                self.run_program(python, python_scripts.in_threads(self.seed, 8))

    def test_in_forked_children(self):
        for python in INTERPRETERS:
            with self.subTest(python=python):
                self.run_program(python, python_scripts.in_forks(self.seed))

    def test_functions_where_others_were(self):
        for python in INTERPRETERS:
            with self.subTest(python=python):
                wanted = self.run_program(python,
                                          python_scripts.functions_that_go(self.seed, 600))
                self.assertEqual(len(wanted), 600)

    def test_killed_at_a_random_moment(self):
        """Whatever the record has is right, and it has all but what was under way."""
        rng = random.Random(self.seed)
        for python in INTERPRETERS:
            with self.subTest(python=python):
                threads = 4
                program, side, work = self.write(python_scripts.in_threads(self.seed, threads))
                run = self.killed_run([python, program, side, work], side,
                                      rng.randrange(1, 200_000))
                wanted, torn = self.noted(side)
                self.assertLessEqual(torn, threads)
                report = self.report(run)
                made = self.recorded(report)
                late = [path for path in wanted if path not in made]
                self.assertLessEqual(len(late), threads, late)
                self.compare({path: frames for path, frames in wanted.items() if path in made},
                             report, python)


class Hazards(Stacks):
    def test_a_signal_handler_in_the_middle_of_the_interpreter(self):
        """What a handler of C meets may be half made. The program lives, and where frames are told
        they are the program's."""
        text = textwrap.dedent('''\
            import ctypes, os, sys
            library = ctypes.CDLL(sys.argv[1])
            def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
            def count(n):
                for i in range(n): yield i
                if n: yield from count(n - 1)
            class Cycle:
                def __init__(self): self.me = [i for i in range(5)] + [self]
                def __del__(self): self.me = None
            library.start_handler(sys.argv[2].encode(), 700)
            while library.made_by_handler() < int(sys.argv[3]):
                fib(9); list(count(8)); [Cycle() for _ in range(20)]
                exec(compile("def q(): return 1\\nq()", "/gone/a.py", "exec"))
                sorted([3, 2, 1], key=lambda a: -a)
            library.stop_handler()
            print("done")
            ''')
        handler = victim("libinterrupting_handler.so")
        for python in INTERPRETERS:
            with self.subTest(python=python):
                program, _, work = self.write(text)
                result, run = self.record(python, program, handler, work, "1500")
                self.assertEqual(result.stdout, b"done\n")
                report = self.report(run)
                made = [event for path, events in report.creations().items() for event in events
                        if Path(path).parent == work]
                self.assertGreaterEqual(len(made), 1500)
                told = [frames for frames in map(self.frames_of, made) if frames]
                self.assertGreater(len(told), len(made) // 2, "most can be read")
                for frames in told:
                    self.assertEqual(frames[-1][0], str(program))
                    self.assertEqual(frames[-1][2], "<module>")

    def test_threads_that_outlive_the_interpreter(self):
        """Daemon threads go on making files while the interpreter is taken down around them."""
        text = textwrap.dedent('''\
            import os, sys, threading
            def make(number):
                for i in range(100000):
                    os.mkdir("%s/%d-%d" % (sys.argv[1], number, i))
            for number in range(4):
                threading.Thread(target=make, args=(number,), daemon=True).start()
            while len(os.listdir(sys.argv[1])) < 40: pass
            sys.exit(7)
            ''')
        for python in INTERPRETERS:
            with self.subTest(python=python):
                program, _, _ = self.write(text)
                for _ in range(max(1, 100 // len(INTERPRETERS))):
                    work = self.top / "daemons"
                    work.mkdir()
                    result = self.preload(python, program, work,
                                          options=f"log=off:trace={self.top / 'trace'}")
                    told = (result.returncode, result.stdout, result.stderr)
                    self.assertEqual(told, (7, b"", b""))
                    shutil.rmtree(work)
                shutil.rmtree(self.top / "trace")

    def test_started_by(self):
        """A program that a script starts leads to the script's line."""
        text = "import subprocess, sys\n\n\ndef start():\n" \
               "    subprocess.check_call(['/bin/mkdir', sys.argv[1] + '/made'])\n\n\nstart()\n"
        for python in INTERPRETERS:
            with self.subTest(python=python):
                program, _, work = self.write(text)
                _, run = self.record(python, program, work)
                told = self.tool("blame", run, work / "made")
                self.assertIn(f"started by start {program}:5 (Python)", told)

    def test_greenlets(self):
        """Each has a stack of its own, and what it was switched to from is not on it."""
        text = python_scripts.HEAD + textwrap.dedent("""\
            import greenlet
            def make(label):
                os.mkdir(note(label))
            def task(label, then):
                for i in range(5):
                    make("%s%d" % (label, i))
                    then().switch()
            first = greenlet.greenlet(lambda: task("a", lambda: second))
            second = greenlet.greenlet(lambda: task("b", lambda: first))
            first.switch()
            """)
        able = [python for python in INTERPRETERS
                if self.execute(python, "-c", "import greenlet").returncode == 0]
        if not able:
            self.skipTest("package python3-greenlet is not installed")
        for python in able:
            with self.subTest(python=python):
                self.assertEqual(len(self.run_program(python, text)), 10)

    def test_names_of_every_width(self):
        """File names that are no UTF-8, and names of one, two and four bytes a character."""
        for python in INTERPRETERS:
            with self.subTest(python=python):
                _, side, work = self.write("")
                program = os.fsencode(self.top) + b"/caf\xe9-\xf0\x9f\x90\x8d.py"
                body = python_scripts.HEAD + "def größe(): os.mkdir(note('a'))\n" \
                    "def 名前(): größe()\ndef 𝔘(): 名前()\n𝔘()\n"
                with open(program, "w", encoding="utf-8") as file:
                    file.write(body)
                _, run = self.record(python, os.fsdecode(program), side, work,
                                     env={"LC_ALL": "C.UTF-8"})
                wanted, _ = self.noted(side)
                frames = list(self.recorded(self.report(run)).values())
                (expected,) = wanted.values()
                names = [[frame[1], frame[2]] for frame in expected]
                self.assertIn(names, [[[at, name] for _, at, name in told] for told in frames])


class Options(Stacks):
    def test_scripts(self):
        text = "import os, sys\nos.umask(0o77)\nos.mkdir(sys.argv[1] + '/d')\n"
        program, _, work = self.write(text)
        for choice, expected in (("all", {2, 3}), ("changes", {2}), ("none", set())):
            run = self.new_run()
            self.preload(sys.executable, program, work,
                         options=f"log=off:trace={run}:scripts={choice}")
            os.rmdir(work / "d")
            told = {frame[1] for event in self.report(run).events if "stack" in event
                    for frame in self.frames_of(event) if frame[0] == str(program)}
            self.assertEqual(told, expected)


if __name__ == "__main__":
    harness.main()
