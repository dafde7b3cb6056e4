"""The system calls that a program makes itself, as strace(1) saw them: those of the shim, and what
the loader does to load it, are left out; addresses, process ids and times become marks.

Must never leave out a call of the program's. Called by equivalence.py.
"""

import re

LINE = re.compile(r"^\[ *([0-9a-f?]+)\] (.*)$")
CALL = re.compile(r"^(\w+)\((.*)\) += (.*)$")
NEW_PROCESS = ("clone", "clone3", "fork", "vfork")
# Waiting for each other, and what a signal interrupted: up to the scheduler. How often the heap is
# moved is up to where the kernel put it.
LEFT_OUT = ("futex", "sched_yield", "restart_syscall", "membarrier", "brk")
MEMORY = ("mmap", "munmap", "mprotect", "madvise", "mremap")

MARKS = (
    (re.compile(r"0x[0-9a-f]{6,}"), "@"),
    # A thread's stack also holds the static TLS of all libraries, 64 bytes of which are ours.
    (re.compile(r"stack_size=0x[0-9a-f]+"), "stack_size=@"),
    # What the interrupted code had in that register.
    (re.compile(r"(rt_sigreturn\(.*\)) += .*"), r"\1 = ?"),
    (re.compile(r'(getrandom\()"[^"]*"'), r"\1?"),
    (re.compile(r"/\* \d+ vars? \*/"), "/* vars */"),
    (re.compile(r"(si_[us]time|tv_sec|tv_nsec|tv_usec)=\d+"), r"\1=#"),
    (re.compile(r"\[\d+\](?=>)"), "[#]"),
    (re.compile(r"(<pipe:|<socket:|<UNIX:|<UNIX-STREAM:|anon_inode:)\[[^]]*\]"), r"\1[#]"),
)


def command(prefix, *words):
    """The words that run a command under strace, which writes one file a thread: PREFIX.TID."""
    return ["strace", "-ff", "-i", "-qq", "-y", "-s", "200", "-o", str(prefix), *map(str, words)]


class Image:
    """Where the shim is in one address space."""

    def __init__(self, shim):
        self.shim = shim
        self.ranges = []

    def copy(self):
        other = Image(self.shim)
        other.ranges = list(self.ranges)
        return other

    def in_shim(self, address):
        return any(begin <= address < end for begin, end in self.ranges)

    def is_ours(self, address, name, text, result):
        """One call; also learns from it where the shim is."""
        if self.shim in text:
            mapped = re.match(r"mmap\(NULL, (\d+),", text)
            if mapped:
                begin = int(result, 16)
                self.ranges.append((begin, begin + int(mapped[1])))
            return not name.startswith("execve")
        return self.in_shim(address)


class Threads:
    """Reads the files of one run; `sequences` maps a thread's place in its family to its calls."""

    def __init__(self, prefix, shim):
        self.prefix = prefix
        self.shim = shim
        self.places = {}
        self.sequences = {}
        files = {int(file.name.rsplit(".", 1)[1]): file
                 for file in prefix.parent.glob(prefix.name + ".*")}
        self.lines = {tid: file.read_text(errors="replace").splitlines()
                      for tid, file in files.items()}
        children = {child for lines in self.lines.values() for child in self.born_in(lines)}
        first, = set(self.lines) - children
        self.read(first, "0", Image(shim))
        self.sequences = {place: [self.named(line) for line in calls]
                          for place, calls in self.sequences.items()}

    def born_in(self, lines):
        for line in lines:
            call = CALL.match(LINE.match(line)[2]) if LINE.match(line) else None
            if call and call[1] in NEW_PROCESS and call[3].split()[0].isdigit():
                yield int(call[3].split()[0])

    def read(self, tid, place, image):
        self.places[tid] = place
        calls = []
        born = 0
        for line in self.lines.get(tid, ()):
            parts = LINE.match(line)
            call = CALL.match(parts[2]) if parts else None
            if not call:
                if parts:
                    calls.append(parts[2])  # a signal, an end, or a call without one
                continue
            name, result = call[1], call[3]
            address = int(parts[1], 16) if "?" not in parts[1] else 0
            ours = image.is_ours(address, name, parts[2], result)
            if name in ("execve", "execveat") and result == "0":
                image = Image(self.shim)
            if name in NEW_PROCESS and result.split()[0].isdigit():
                # A thread that the shim makes for itself has no number, as in exit_state.py: only
                # what it does beside the shim's calls is seen.
                helps = ours and "CLONE_THREAD" in parts[2]
                born += not helps
                self.read(int(result.split()[0]), f"{place}.{'shim' if helps else born}",
                          image.copy())
            if not ours and name not in LEFT_OUT and not of_allocator(name, parts[2]):
                calls.append(parts[2])
        kept = [marked(call) for call in without_attempts(calls)]
        if kept or not place.endswith(".shim"):
            self.sequences.setdefault(place, []).extend(kept)

    def named(self, line):
        """Process ids become places."""
        return re.sub(r"(?<![\w./-])\d+\b",
                      lambda number: self.places.get(int(number[0]), number[0]), line)


def of_allocator(name, text):
    """Whether malloc(3) or the loader's own heap may have made this call: how much is mapped and
    trimmed again depends on the address, and so on all that was mapped before, ours too."""
    return name in MEMORY and (name != "mmap" or "MAP_ANONYMOUS" in text)


def marked(text):
    for pattern, mark in MARKS:
        text = pattern.sub(mark, text)
    return re.sub(r"\) += ", ") = ", text)


def without_attempts(calls):
    """Leaves out exclusive attempts of the shim (preload/README.md) that failed, which the call as
    the program made it follows, and the flag of those that succeeded. They cannot be told from a
    program's own: so those are left out as well, on both sides."""
    kept, following = [], ""
    for call in reversed(calls):
        text = long_form(call)
        plain = text.replace("|O_EXCL", "")
        parts = CALL.match(plain)
        failed = bool(parts) and parts[3].startswith("-1 ")
        if failed and "|O_EXCL" in call and following.startswith(f"{parts[1]}({parts[2]})"):
            continue
        kept.append(text if failed else plain)
        following = plain
    return kept[::-1]


def long_form(text):
    """creat(2) as the openat(2) that it is short for; mq_open(2), which is tried with other flags
    than the program's, without flags."""
    text = re.sub(r'^(mq_open\("[^"]*"), .*\) =', r"\1) =", text)
    return re.sub(r"^creat\((.*), (0\d+)\)",
                  r"openat(AT_FDCWD, \1, O_WRONLY|O_CREAT|O_TRUNC, \2)",
                  re.sub(r"AT_FDCWD<[^>]*>", "AT_FDCWD", text))
