"""Whole programs: tar, git clone, Python, Node, a build, and starting many processes.

Must never leave what it made, or time the making of it. Called by scripts/bench.
"""

import io
import shutil
import subprocess
import tarfile

from pairs import timed

PYTHON = shutil.which("python3", path="/usr/bin") or shutil.which("python3")
CXX = "/usr/bin/g++"  # itself, not what keeps its results


def make_tree(top, files, suffix, text):
    """`files` small files, a hundred in a directory."""
    for number in range(files):
        directory = top / f"d{number // 100:03}"
        directory.mkdir(exist_ok=True)
        (directory / f"f{number:05}{suffix}").write_text(text.format(number=number))


def untar(bench):
    count = bench.few(10000)
    archive = bench.top / "many.tar"
    with tarfile.open(archive, "w") as out:
        for number in range(count):
            entry = tarfile.TarInfo(f"d{number // 100:03}/f{number:05}")
            entry.size = 512
            entry.mode = 0o644
            out.addfile(entry, io.BytesIO(b"x" * entry.size))

    def run(prefix, environment):
        directory = bench.fresh("untar")
        sample = timed([*prefix, "tar", "xf", str(archive), "-C", str(directory)], environment)
        bench.drop(directory)
        return sample

    return f"`tar xf` of {count:,} files", run


def clone(bench):
    count = bench.few(2000)
    source = bench.fresh("repository")
    make_tree(source, count, ".txt", "file {number}\n" * 20)
    git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "gc.auto=0",
           "-C", str(source)]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"]):
        subprocess.run(git + command, env=bench.environment(), check=True)

    def run(prefix, environment):
        directory = bench.fresh("clone")
        sample = timed([*prefix, "git", "clone", "-q", "--local", "--no-hardlinks", str(source),
                        str(directory / "copy")], environment)
        bench.drop(directory)
        return sample

    return f"`git clone --local --no-hardlinks`, {count:,} files", run


def compileall(bench):
    count = bench.few(400)
    tree = bench.fresh("modules")
    body = "".join(f"def f{i}(a, b={i}):\n    return [a * b + i for i in range({i})]\n\n"
                   for i in range(20))
    make_tree(tree, count, ".py", "# {number}\n" + body.replace("{", "{{").replace("}", "}}"))

    def run(prefix, environment):
        sample = timed([*prefix, PYTHON, "-m", "compileall", "-q", str(tree)], environment)
        bench.drop(*tree.rglob("__pycache__"))
        return sample

    return f"`python3 -m compileall`, {count} modules", run


def writing_files(bench, language, words, suffix, text):
    """A script that writes small files into the folder that it is given."""
    count = bench.few(5000)
    program = bench.top / f"files{suffix}"
    program.write_text(text.replace("COUNT", str(count)), encoding="utf-8")

    def run(prefix, environment):
        directory = bench.fresh(language)
        sample = timed([*prefix, *words, str(program), str(directory)], environment)
        bench.drop(directory)
        return sample

    return f"a {language} program that writes {count:,} files", run


def python_files(bench):
    return writing_files(bench, "Python", [PYTHON, "-I"], ".py", """
import os, sys
def store(path, text):
    with open(path, "w") as out:
        out.write(text)
def work(top):
    for number in range(COUNT):
        store(os.path.join(top, str(number)), "text")
work(sys.argv[1])
""")


def node_files(bench):
    return writing_files(bench, "Node", ["node"], ".js", """
const fs = require("fs"), path = require("path");
function store(name, text) { fs.writeFileSync(name, text); }
for (let number = 0; number < COUNT; number++)
  store(path.join(process.argv[2], String(number)), "text");
""")


def build(bench):
    """Compiles and links, one job after the other, as a CI machine's processor does."""
    count = bench.few(30, 2)
    tree = bench.fresh("project")
    names = [f"part{number:02}" for number in range(count)]
    for name in names:
        (tree / f"{name}.cc").write_text(
            f"#include <cstdio>\nint {name}(int value) {{ return std::printf(\"%d\", value); }}\n",
            encoding="utf-8")
    (tree / "main.cc").write_text("int main() {}\n", encoding="utf-8")
    objects = " ".join(f"{name}.o" for name in [*names, "main"])
    rules = ["rule cc", f"  command = {CXX} -MD -MF $out.d -c $in -o $out",
             "  depfile = $out.d", "rule link", f"  command = {CXX} $in -o $out"]
    rules += [f"build {name}.o: cc {tree}/{name}.cc" for name in [*names, "main"]]
    rules += [f"build program: link {objects}", ""]

    def run(prefix, environment):
        directory = bench.fresh("build")
        (directory / "build.ninja").write_text("\n".join(rules), encoding="utf-8")
        sample = timed([*prefix, "ninja", "-j1", "-C", str(directory)], environment)
        bench.drop(directory)
        return sample

    return f"`ninja` of {count + 1} C++ files", run


def start_true(bench):
    count = bench.few(2000)
    loop = f"i=0; while [ $i -lt {count} ]; do {shutil.which('true')}; i=$((i+1)); done"

    def run(prefix, environment):
        return timed([*prefix, "sh", "-c", loop], environment)

    return f"starting `true` {count:,} times from a shell", run, count


def configure(bench):
    count = bench.few(200)
    script = f"""
i=0
while [ $i -lt {count} ]; do
  echo "int main(void) {{ return $i; }}" >conftest.c
  sed -e s/main/other/ conftest.c >conftest.out
  if grep -q other conftest.out; then have=yes; else have=no; fi
  value=`expr $i + 1`
  echo "#define HAVE_$i $have $value" >>confdefs.h
  rm -f conftest.c conftest.out
  i=$((i+1))
done"""

    def run(prefix, environment):
        directory = bench.fresh("configure")
        sample = timed([*prefix, "sh", "-c", script], environment, directory)
        bench.drop(directory)
        return sample

    return f"a script like `configure`, {count} checks of 4 programs", run, count * 4


def row_of(bench, title, run, goal, rounds):
    """The limit of a program: with a library preloaded that does nothing."""
    empty = str(bench.build / "tests" / "bench" / "libempty.so")
    row = bench.compare(run, rounds, lambda prefix, environment:
                        run(prefix, {**environment, "LD_PRELOAD": empty}))
    row.update(part="programs", work=title, goal=goal, unit="s")
    return row


def measure(bench, rounds):
    """Skips, by leaving the row out, what is not installed."""
    bench.pin(1)
    rows = []
    for programs, make, goal in ((["tar"], untar, 1.2), (["git"], clone, 1.05),
                                 (["python3"], compileall, 1.05),
                                 (["python3"], python_files, None), (["node"], node_files, None),
                                 (["ninja", CXX], build, 1.05)):
        if all(shutil.which(program) for program in programs):
            rows.append(row_of(bench, *make(bench), goal, rounds))
    for make, goal in ((start_true, 1.2), (configure, 1.15)):
        title, run, started = make(bench)
        row = row_of(bench, title, run, goal, rounds)
        row["processes"] = started
        rows.append(row)
    return rows
