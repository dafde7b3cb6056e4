"""Programs in Python that are made from a seed, and that write down their own stack, as the
interpreter tells it, for each file they make. They run on CPython 3.6 and later."""

import glob
import os
import random
import shutil
import subprocess


def interpreters():
    """Each CPython 3 of the machine once, by what it says of itself: those on PATH, Debian's, and
    what pyenv has."""
    home = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    places = [shutil.which(f"python3.{minor}") for minor in range(6, 20)]
    places += [shutil.which("python3"), "/usr/bin/python3"]
    places += sorted(glob.glob(home + "/versions/3.*/bin/python3"))
    found = {}
    for place in places:
        if place is None or not os.path.exists(place):
            continue
        said = subprocess.run([place, "-c", "import sys; print(sys.executable)"],
                              capture_output=True, text=True, check=False)
        if said.returncode == 0:
            executable = said.stdout.strip()
            found.setdefault(os.path.realpath(executable), executable)
    return sorted(found.values())


INTERPRETERS = interpreters()

# What each program begins with. note() writes the stack of its caller to a side file and returns
# the path, so that the call and the note are in one line: os.mkdir(note("a")).
HEAD = '''\
import functools, itertools, json, os, re, sys, threading

SIDE = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
WHERE = sys.argv[2]
NAMED_BY_CLASS = sys.version_info >= (3, 11)
COUNT = itertools.count(1)

def frames(frame):
    out = []
    while frame is not None and len(out) < 64:
        code = frame.f_code
        name = code.co_qualname if NAMED_BY_CLASS else code.co_name
        out.append([os.fsencode(code.co_filename).decode("latin-1"), frame.f_lineno,
                    name.encode("utf-8", "surrogatepass").decode("latin-1")])
        frame = frame.f_back
    return out

def note(label):
    path = "%s/%s-%d-%d" % (WHERE, label, os.getpid(), next(COUNT))
    line = json.dumps([path, frames(sys._getframe(1))]) + "\\n"
    os.write(SIDE, line.encode("ascii"))
    return path

def touch(path):
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600))

class Item:
    def __init__(self, then): self.then = then
    def __lt__(self, other):
        self.then()
        return True
    @property
    def value(self): return self.then()
    def __enter__(self): return self.then()
    def __exit__(self, *what): return False
    def __call__(self, *what): return self.then()

'''

# How a function calls the next one: Python to Python, and by way of C.
CALLS = (
    "{next}()",
    "(lambda: {next}())()",
    "[{next}() for _ in (1,)]",
    "list(map(lambda _: {next}(), (1,)))",
    "sorted([Item({next}), Item(int)])",
    "re.sub('x', lambda _: str({next}()), 'x')",
    "json.loads('{{}}', object_hook=lambda _: {next}())",
    "functools.partial({next})()",
    "functools.reduce(lambda a, b: {next}(), (1, 2))",
    "list(steps(lambda: {next}()))",
    "Item({next}).value",
    "exec('{next}()', {{'{next}': {next}}})",
    "getattr(Item({next}), '__call__')(1)",
    "max((1, 2), key=lambda _: {next}() or 0)",
)

MAKES = (
    "os.mkdir(note('d'))",
    "touch(note('f'))",
    "open(note('o'), 'w').close()",
    "os.mkfifo(note('p'))",
    "os.close(os.open(note('c'), os.O_CREAT | os.O_WRONLY, 0o640))",
    "open(note('b'), 'xb', buffering=0).close()",
)

NAMES = ("alpha", "beta", "größe", "δέλτα", "名前", "f" * 40, "_private")


def made_program(seed, chains=None):
    """The text of a program: chains of functions, methods, closures and generators, each of which
    makes something and calls the next in one way or other."""
    rng = random.Random(seed)
    lines = [HEAD, "def steps(then):", "    yield then()", ""]

    def blank():
        lines.extend([""] * rng.randrange(0, 4))
        if rng.random() < 0.2:
            lines.append("# " + "comment " * rng.randrange(1, 30))

    def body(indent, following):
        for _ in range(rng.randrange(1, 4)):
            if rng.random() < 0.3:
                blank()
            if rng.random() < 0.6 or following is None:
                lines.append(indent + rng.choice(MAKES))
            if following is not None and rng.random() < 0.6:
                lines.append(indent + rng.choice(CALLS).format(next=following))
        if following is not None:
            lines.append(indent + rng.choice(CALLS).format(next=following))
        lines.append(indent + rng.choice(MAKES))

    entries = []
    for chain in range(chains or rng.randrange(3, 6)):
        following = None
        for depth in range(rng.randrange(3, 9)):
            name = "%s_%d_%d" % (rng.choice(NAMES), chain, depth)
            blank()
            kind = rng.randrange(4)
            if kind == 0:
                lines.append("class C%s:" % name)
                lines.append("    @staticmethod")
                lines.append("    def method():")
                body(" " * 8, following)
                lines.append("%s = C%s.method" % (name, name))
            elif kind == 1:
                lines.append("def outer_%s():" % name)
                lines.append("    def inner():")
                body(" " * 8, following)
                lines.append("    return inner")
                lines.append("%s = outer_%s()" % (name, name))
            elif kind == 2:
                lines.append("def generator_%s():" % name)
                body("    ", following)
                lines.append("    yield 1")
                lines.append("def %s():" % name)
                lines.append("    for _ in generator_%s(): pass" % name)
            else:
                lines.append("def %s():" % name)
                body("    ", following)
            following = name
        entries.append(following)
    lines.append("")
    lines.append("ENTRIES = [%s]" % ", ".join(entries))
    return "\n".join(lines) + "\n"


def once(seed):
    return made_program(seed) + "for entry in ENTRIES: entry()\n"


def in_threads(seed, threads):
    """Each thread runs every chain, at a switch interval that makes them alternate."""
    return made_program(seed, 1) + f'''
sys.setswitchinterval(1e-5)
READY = threading.Barrier({threads})
def run():
    READY.wait()
    for entry in ENTRIES: entry()
ALL = [threading.Thread(target=run) for _ in range({threads})]
for thread in ALL: thread.start()
for thread in ALL: thread.join()
'''


def in_forks(seed):
    """In a child, in the child of a thread, and in children of children."""
    return made_program(seed, 2) + '''
def child(then):
    pid = os.fork()
    if pid == 0:
        try:
            then()
            os._exit(0)
        except BaseException:
            os._exit(1)
    if os.waitpid(pid, 0)[1] != 0: sys.exit("a child failed")
def run():
    for entry in ENTRIES: entry()
child(run)
child(lambda: child(run))
thread = threading.Thread(target=lambda: child(run))
thread.start()
thread.join()
'''


def functions_that_go(seed, count):
    """Functions that are compiled, called and dropped, so that others come to lie where they
    were."""
    rng = random.Random(seed)
    pad = [rng.randrange(0, 5) for _ in range(16)]
    return HEAD + f'''
import gc
PAD = {pad}
def once(i):
    space = {{"os": os, "note": note}}
    text = "\\n" * PAD[i % len(PAD)] + "def f%d():\\n" % (i % 7)
    text += "    pass\\n" * (i % 3) + "    os.mkdir(note('g'))\\n"
    exec(compile(text, "made%d.py" % (i % 11), "exec"), space)
    space["f%d" % (i % 7)]()
for i in range({count}):
    once(i)
    if i % 50 == 0: gc.collect()
'''
