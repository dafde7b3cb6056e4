"""What each process of a program holds when it execs and when it ends, seen from outside.

By ptrace(2), which stops a process on its way into exit; so where ptrace is barred there is nothing
to see. Must never change what it looks at: signals are passed on, group stops are kept.
A program of its own, exit_state.py OUTPUT SHIM [NAME=VALUE...] COMMAND..., so that nobody else's
children are waited for, and all it started ends with it. Called by equivalence.py.
"""

import ctypes
import json
import os
import re
import signal
import struct
import sys

PTRACE_CONT, PTRACE_GETEVENTMSG, PTRACE_SEIZE, PTRACE_LISTEN = 7, 0x4201, 0x4206, 0x4208
PTRACE_GET_SYSCALL_INFO = 0x420e
EVENT_FORK, EVENT_VFORK, EVENT_CLONE, EVENT_EXEC, EVENT_EXIT, EVENT_STOP = 1, 2, 3, 4, 6, 128
OPTIONS = 1 << EVENT_FORK | 1 << EVENT_VFORK | 1 << EVENT_CLONE | 1 << EVENT_EXEC \
    | 1 << EVENT_EXIT | 1 << 20  # PTRACE_O_EXITKILL
WALL = 0x40000000  # waitpid(2), __WALL: also children that clone(2) made
STOPS = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
FIELDS = ("Umask", "SigBlk", "SigIgn", "SigCgt")

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request, pid, data=None, address=None):
    if libc.ptrace(request, pid, address, data) == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def event_message(pid):
    message = ctypes.c_ulong()
    ptrace(PTRACE_GETEVENTMSG, pid, ctypes.addressof(message))
    return message.value


def instruction_of(pid):
    """Where a stopped thread is; in an event, behind the instruction of its system call."""
    place = struct.Struct("=B3xIQQ")  # the head of struct ptrace_syscall_info
    buffer = ctypes.create_string_buffer(place.size)
    ptrace(PTRACE_GET_SYSCALL_INFO, pid, ctypes.addressof(buffer), place.size)
    return place.unpack(buffer.raw)[2]


def ranges_of(pid, file):
    """Where a file is mapped: [(begin, end)]."""
    with open(f"/proc/{pid}/maps", "rb") as lines:
        found = [line.split(b" ", 1)[0] for line in lines if line.endswith(file + b"\n")]
    return [tuple(int(number, 16) for number in place.split(b"-")) for place in found]


def group_of(pid):
    """The thread group, which is the process; None when it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith("Tgid:"))
    except (FileNotFoundError, ProcessLookupError):
        return None


def descriptors(pid):
    """number -> (what it leads to, file status flags and offset)."""
    found = {}
    for name in os.listdir(f"/proc/{pid}/fd"):
        target = os.readlink(f"/proc/{pid}/fd/{name}")
        with open(f"/proc/{pid}/fdinfo/{name}", encoding="ascii", errors="replace") as lines:
            facts = dict(line.split(":", 1) for line in lines if line.startswith(("pos", "flags")))
        # Sockets and pipes are named by a number that is never the same twice.
        found[int(name)] = (re.sub(r"\[\d+\]$", "", target), facts["flags"].strip(),
                            facts["pos"].strip())
    return found


def state_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as lines:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in lines if ":\t" in line)
    return {**{field: status.get(field) for field in FIELDS},
            "cwd": os.readlink(f"/proc/{pid}/cwd"), "root": os.readlink(f"/proc/{pid}/root"),
            "descriptors": descriptors(pid)}


class Family:
    """Processes by their place in the family: "0" is the first, "0.2" its second child.

    A thread that the shim starts inside of a call, and waits for (preload/sys/own_table.h), is
    nobody's child: it has no number. That is all it may be: a process of the shim's, a thread that
    is still there when its maker goes on, and what it starts or becomes, count as the program's.
    """

    def __init__(self, first, shim):
        self.shim = os.fsencode(shim)
        self.ranges = {}  # process -> where its image has the shim
        self.place = {first: "0"}
        self.children = {}
        self.helpers = {}  # the one that a thread waits for
        self.states = []  # (place, "exec" or "exit" or "left", state), as they came
        self.unborn = {}  # stops of children whose parents have not told of them yet

    def born(self, parent, child, event):
        if event == EVENT_CLONE and self.shim and self.is_helper(parent, child):
            self.helpers[parent] = child
            self.place[child] = f"{self.place[parent]}.shim"
            return
        number = self.children[parent] = self.children.get(parent, 0) + 1
        self.place[child] = f"{self.place[parent]}.{number}"

    def is_helper(self, parent, child):
        process = group_of(parent)
        if process is None or group_of(child) != process:
            return False
        if process not in self.ranges:
            self.ranges[process] = ranges_of(parent, self.shim)
        address = instruction_of(parent)
        return any(begin <= address < end for begin, end in self.ranges[process])

    def goes_on(self, pid):
        """A thread does something: what it should have waited for must be gone."""
        if pid in self.helpers:
            self.note(self.helpers.pop(pid), "left")

    def ends(self, pid):
        self.ranges.pop(pid, None)
        self.helpers = {maker: helper for maker, helper in self.helpers.items() if helper != pid}

    def note(self, pid, what):
        try:
            if what == "exec" or os.path.exists(f"/proc/{pid}/task/{pid}"):
                self.states.append((self.place[pid], what, state_of(pid)))
        except (FileNotFoundError, ProcessLookupError):
            pass  # killed meanwhile


def handle_stop(family, pid, status):
    event, number = status >> 16, os.WSTOPSIG(status)
    if pid not in family.place and event != EVENT_EXEC:
        family.unborn[pid] = status
        return
    if event == 0:
        ptrace(PTRACE_CONT, pid, number)
        return
    if event != EVENT_STOP:
        family.goes_on(event_message(pid) if event == EVENT_EXEC else pid)
    if event in (EVENT_FORK, EVENT_VFORK, EVENT_CLONE):
        child = event_message(pid)
        family.born(pid, child, event)
        if child in family.unborn:
            handle_stop(family, child, family.unborn.pop(child))
    elif event == EVENT_EXEC:
        former = event_message(pid)  # a thread that execs becomes the leader
        if former != pid and former in family.place:
            family.place[pid] = family.place.pop(former)
        family.ranges.pop(pid, None)
        family.note(pid, "exec")
    elif event == EVENT_EXIT:
        family.ends(pid)
        # Threads share what is looked at, but for their signal masks: the leader speaks for them.
        if group_of(pid) == pid:
            family.note(pid, "exit")
    elif event == EVENT_STOP and number in STOPS:
        ptrace(PTRACE_LISTEN, pid)
        return
    ptrace(PTRACE_CONT, pid)


def become(command, wait_for):
    """The child: waits until it is traced, then execs."""
    try:
        os.read(wait_for, 1)
        os.close(wait_for)
        # What python ignores for itself is no part of what the command inherits.
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(ignored, signal.SIG_DFL)
        os.execvp(command[0], command)
    finally:
        os._exit(127)


def observe(command, shim):
    """Runs the command; returns (its wait status, Family). OSError when ptrace is barred."""
    wait_for, tell = os.pipe()
    first = os.fork()
    if first == 0:
        os.close(tell)
        become(command, wait_for)
    os.close(wait_for)
    try:
        ptrace(PTRACE_SEIZE, first, OPTIONS)
    except OSError:
        os.kill(first, signal.SIGKILL)
        raise
    finally:
        os.close(tell)
    family, end = Family(first, shim), None
    while True:
        try:
            pid, status = os.waitpid(-1, WALL)
        except ChildProcessError:
            return end, family
        try:
            if os.WIFSTOPPED(status):
                handle_stop(family, pid, status)
            elif pid == first:
                end = status
        except ProcessLookupError:
            pass  # killed while it was stopped


def main(output, shim, *words):
    """OUTPUT gets {"status": N, "states": [[place, "exec" or "exit" or "left", state]]}.

    SHIM is the library whose helpers are left out; empty: there is none.
    """
    words = list(words)
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        os.environ[name] = value
    status, family = observe(words, shim)
    with open(output, "w", encoding="utf-8", errors="surrogateescape") as file:
        json.dump({"status": status, "states": family.states}, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
