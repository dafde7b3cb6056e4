"""What others record the same work with: strace in front of the command, bpftrace beside it.

Each at its best: only the creating calls, into a file. Must never leave a tracer running, nor stop
the bench where one is missing: the result says why it is. Called by pairs.py.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time

CALLS = "umask,open,openat,creat,mkdir,mkdirat,mknod,mknodat,mq_open,bind,symlink"
WITH_PATH = [("openat", "filename", "flags & 0100"), ("open", "filename", "flags & 0100"),
             ("mq_open", "u_name", "oflag & 0100"), ("creat", "pathname", ""),
             ("mkdir", "pathname", ""), ("mkdirat", "pathname", ""),
             ("mknod", "filename", ""), ("mknodat", "filename", "")]
ATTACH_SECONDS = 20


def bpftrace_program():
    """One line an event, of all processes: bpftrace cannot follow children by their parent."""
    probes = ['tracepoint:syscalls:sys_enter_umask { printf("%d umask %o\\n", tid, args->mask); }']
    for call, path, condition in WITH_PATH:
        only = f" /args->{condition}/" if condition else ""
        probes.append(f'tracepoint:syscalls:sys_enter_{call}{only} {{ printf("%d {call} %s %o\\n", '
                      f'tid, str(args->{path}), args->mode); }}')
    return "\n".join(probes)


def strace(output):
    if shutil.which("strace") is None:
        return {}
    words = ["strace", "-f", "--seccomp-bpf", "-qq", "-o", str(output), "-e", "trace=" + CALLS]
    return {"strace": words, "strace -k": words + ["-k"]}


class Missing(Exception):
    """Why a tracer cannot be had here."""


def wait_until_attached(process, output):
    """It writes when its buffer is full: our own calls fill it."""
    deadline = time.monotonic() + ATTACH_SECONDS
    while not output.exists() or output.stat().st_size < 4096:
        for _ in range(100):
            os.umask(os.umask(0o022))
        if process.poll() is not None or time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@contextlib.contextmanager
def bpftrace(output, processors):
    """Runs it as long as the block does, on any of the processors. Raises Missing."""
    if shutil.which("bpftrace") is None:
        raise Missing("not installed")
    if os.geteuid() != 0:
        raise Missing("needs root")
    errors = output.with_suffix(".errors")
    with open(errors, "w", encoding="utf-8") as sink:
        process = subprocess.Popen(
            ["bpftrace", "-o", str(output), "-e", bpftrace_program()],
            stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)
        os.sched_setaffinity(process.pid, processors)
    try:
        if not wait_until_attached(process, output):
            lines = errors.read_text(encoding="utf-8", errors="replace").splitlines()
            said = [line for line in lines if "ERROR" in line] or lines  # a mark follows it
            raise Missing("does not start" + (f": {said[-1]}" if said else ""))
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(ATTACH_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        errors.unlink(missing_ok=True)
        output.unlink(missing_ok=True)
