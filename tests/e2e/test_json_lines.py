"""JSON Lines: what a line leaves out can be had from the schema and the lines before; and its size.

Ground truth: the same run with --expand-stacks, where each line stands alone and is left whole.
"""

import json
import subprocess

from lib import harness
from lib.harness import Case, needs, victim
from lib.schemas import OURS, needs_jsonschema, validate

# What lines leave out where it is usual, and here is not.
MORE = r"""
import os, threading
os.umask(0o027)
os.makedirs(b"d/\xff/e")
for path in ("plain", "d/in", "./d/dot", "d//twice", os.path.abspath("absolute"), b"d/\xff/name"):
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o666))
os.close(os.open("plain", os.O_CREAT | os.O_WRONLY, 0o666))
os.mkfifo("d/fifo")
os.symlink("../plain", "d/link")
os.link("plain", "d/name")
os.close(os.open("d/link", os.O_CREAT | os.O_WRONLY, 0o666))
for path in ("none/f", "d"):
    try:
        os.open(path, os.O_CREAT | os.O_WRONLY, 0o666)
    except OSError:
        pass
try:
    os.chmod("none", 0o600)
except OSError:
    pass
os.chmod("plain", 0o640)
os.mkdir("sticky", 0o1777)
os.open("/dev/null", os.O_CREAT | os.O_WRONLY)
def work():
    os.umask(0o1022)
    open("of a thread", "w").close()
    open("/proc/self/task/%d/comm" % threading.get_native_id(), "w").write("renamed")
    os.rename("of a thread", "now")
    open("of a thread", "w").close()
    os.remove("of a thread")
thread = threading.Thread(target=work)
thread.start()
thread.join()
if os.fork() == 0:
    if os.geteuid() == 0:
        os.setegid(1)
    os.umask(0)
    open("of a child", "w").close()
    os.execlp("sh", "sh", "-c", "mkdir sh; > file; exit 0")
os.wait()
"""
# Of a stack: a number in one form, frames in the other.
STACKS = ("stack", "started_by", "call", "stack_truncated", "stack_partial", "started_by_truncated",
          "started_by_partial")
# Bytes a line of a normal recording, on average, without its path's.
MOST = 250
PATH = 60


class JsonLines(Case):
    def lines(self, run, *options):
        return self.tool("report", run, "--format", "jsonl", *options).splitlines()

    def record_script(self):
        script = self.top / "more.py"
        script.write_text(MORE)
        return self.record("python3", script)[1]

    def check_nothing_is_lost(self, run, *options):
        told = harness.Report(self.lines(run, *options))
        whole = [json.loads(line) for line in self.lines(run, "--expand-stacks", *options)]
        self.assertEqual(told.run, whole[0])
        first, second = [[{key: value for key, value in event.items() if key not in STACKS}
                          for event in events if event["type"] != "finding"]
                         for events in (told.events, whole[1:])]
        self.assertEqual(len(first), len(second))
        for short, long in zip(first, second):
            self.assertEqual(short, long, options)
        return told.events

    def test_what_is_left_out_is_not_lost(self):
        events = self.check_nothing_is_lost(self.record_script())
        self.assertTrue({"process", "umask", "create", "change", "object"}
                        <= {event["type"] for event in events})
        self.assertTrue([event for event in events if event.get("errno")])
        # Paths that were passed as they stand at the end of the whole path, and others.
        arguments = {event.get("path_arg") for event in events if event["type"] == "create"}
        self.assertTrue({"plain", "d/in", "./d/dot", "d//twice", None} <= arguments, arguments)

    def test_what_lines_are_selected_by_is_always_there(self):
        for event in map(json.loads, self.lines(self.record_script())):
            if event["type"] == "create":
                self.assertLessEqual({"created", "path", "requested", "mask", "final"}, set(event))
            elif event["type"] == "object":
                self.assertLessEqual({"kind", "path", "mode", "state", "created_by"}, set(event))

    @needs_jsonschema
    def test_the_schema_knows_both_forms(self):
        run = self.record_script()
        for options in ((), ("--expand-stacks",)):
            for line in self.lines(run, *options):
                self.assertEqual(validate(json.loads(line), OURS / "jsonl.schema.json"), [], line)

    def test_threads_and_forks(self):
        for command in ((victim("threads_umask"), self.work, 300),
                        (victim("fork_storm"), self.work)):
            _, run = self.record(*command)
            self.check_nothing_is_lost(run)

    def test_filters_leave_out_lines_that_others_lean_on(self):
        _, run = self.record("sh", "-c", "umask 027; mkdir a; touch b c; umask 0; mkdir d e; : > f")
        for options in (("--kind", "dir"), ("--path", "*/[cf]"), ("--limit", "5")):
            self.check_nothing_is_lost(run, *options)


@needs("git", "tar")
class Size(Case):
    """Of recordings as people make them."""

    def check_size(self, run):
        sizes, paths = [], []
        for line in self.tool("report", run, "--format", "jsonl").splitlines():
            event = json.loads(line)
            if event["type"] not in ("run", "stack", "finding"):
                sizes.append(len(line.encode()) + 1)
                paths.append(len(event.get("path", "").encode()))
        self.assertGreater(len(sizes), 100)
        average = (sum(sizes) - sum(paths)) / len(sizes) + PATH
        self.assertLessEqual(average, MOST)

    def source(self, count):
        source = self.top / "source"
        source.mkdir()
        for i in range(count):
            (source / f"folder{i % 7}").mkdir(exist_ok=True)
            (source / f"folder{i % 7}" / f"file{i}.txt").write_text(f"{i}\n" * i)
        return source

    def test_git_clone(self):
        source = self.source(60)
        words = ["-c", "user.name=a", "-c", "user.email=a@b", "-C", source]
        for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"]):
            subprocess.run(["git", *words, *command], check=True)
        _, run = self.record("git", "clone", "-q", "--no-hardlinks", source, self.work / "clone")
        self.check_size(run)

    def test_tar(self):
        subprocess.run(["tar", "-C", self.source(100), "-cf", self.top / "all.tar", "."],
                       check=True)
        _, run = self.record("tar", "-xf", self.top / "all.tar")
        self.check_size(run)

    def test_python(self):
        script = ("import os, tempfile\nfor i in range(100):\n    open(f'file{i}', 'w').close()\n"
                  "    tempfile.NamedTemporaryFile(dir='.').close()\n")
        _, run = self.record("python3", "-c", script)
        self.check_size(run)


if __name__ == "__main__":
    harness.main()
