"""Whole programs: tar, git clone, compileall, and starting many processes.

Must never leave what it made, or time the making of it. Called by scripts/bench.
"""

import io
import shutil
import subprocess
import tarfile

from pairs import timed

PYTHON = shutil.which("python3", path="/usr/bin") or shutil.which("python3")


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
    row = bench.compare(run, rounds)
    row.update(part="programs", work=title, goal=goal, unit="s")
    return row


def measure(bench, rounds):
    """Skips, by leaving the row out, what is not installed."""
    bench.pin(1)
    rows = []
    for program, make in (("tar", untar), ("git", clone), ("python3", compileall)):
        if shutil.which(program) is not None:
            rows.append(row_of(bench, *make(bench), 1.05, rounds))
    for make in (start_true, configure):
        title, run, started = make(bench)
        row = row_of(bench, title, run, 1.3, rounds)
        row["processes"] = started
        rows.append(row)
    return rows
