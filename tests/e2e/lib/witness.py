"""A second witness: the same run as strace(1) saw it from outside.

Must never look at our own report. Called by the tests of real programs, which have no ground truth
of their own; those tests skip where ptrace is barred.
"""

import re
import shutil
import subprocess

CALLS = ("umask,mkdir,mkdirat,openat,chmod,fchmod,fchmodat,?fchmodat2,"
         "setxattr,fsetxattr,lsetxattr,removexattr,fremovexattr,lremovexattr")
LINE = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-1 \w+|\d+(?:<.*>)?)(?: .*)?$")
UNFINISHED = re.compile(r"^(\d+) +(.*) <unfinished \.\.\.>$")
RESUMED = re.compile(r"^(\d+) +<\.\.\. \w+ resumed>(.*)$")
MODE = re.compile(r"0[0-7]*")


def reason_not_to():
    """Why no witness can be had here; nothing when it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    result = subprocess.run(["strace", "-qq", "-o", "/dev/null", "true"], capture_output=True,
                            check=False)
    return "ptrace is barred here" if result.returncode else ""


def command(output, *words):
    """The words that run a command under the witness, which writes its lines to `output`."""
    return ["strace", "-f", "-qq", "-y", "-s", "4096", "-o", str(output), "-e",
            f"trace={CALLS}", "-e", "signal=none", *map(str, words)]


def lines_of(output):
    """Complete lines (pid, call, arguments, result): halves of a call are put together."""
    begun = {}
    for line in output.read_text(errors="replace").splitlines():
        if half := UNFINISHED.match(line):
            begun[half[1]] = half[2]
            continue
        if half := RESUMED.match(line):
            line = f"{half[1]} {begun.pop(half[1])}{half[2]}"
        if whole := LINE.match(line):
            yield int(whole[1]), whole[2], whole[3], whole[4]


class Witness:
    """Per thread: its umask calls and its new directories; and the paths whose mode was changed."""

    def __init__(self, output):
        self.umasks = {}  # tid -> [(argument, old)]
        self.directories = {}  # tid -> [requested]
        self.changed = set()
        opened = {}  # "/proc/self/fd/N" of a thread: what was opened there last
        for tid, call, arguments, result in lines_of(output):
            if call == "umask":
                pair = int(MODE.search(arguments)[0], 8), int(result, 8)
                self.umasks.setdefault(tid, []).append(pair)
            elif result.startswith("-1"):
                continue
            elif call in ("mkdir", "mkdirat"):
                mode = arguments.rsplit(", ", 1)[1]
                self.directories.setdefault(tid, []).append(int(mode, 8))
            elif call == "openat":
                # libc changes the mode of a link's target, or not, through an O_PATH descriptor.
                number, _, path = result.rstrip(">").partition("<")
                opened[tid, f"/proc/self/fd/{number}"] = path
            else:
                path = self.path_of(call, arguments)
                self.changed.add(opened.get((tid, path), path))

    def path_of(self, call, arguments):
        """chmod and its kin: a quoted path, the descriptor's path in <>, or both to be joined."""
        by_descriptor = call in ("fchmod", "fsetxattr", "fremovexattr")
        quoted = None if by_descriptor else re.search(r'"((?:[^"\\]|\\.)*)"', arguments)
        of_descriptor = re.search(r"<([^>]*)>", arguments)
        if quoted and (quoted[1].startswith("/") or not of_descriptor):
            return quoted[1]
        return f"{of_descriptor[1]}/{quoted[1]}" if quoted else of_descriptor[1]
