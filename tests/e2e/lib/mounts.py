"""Filesystems of a wanted type, in a mount namespace that this process and its children have alone.

Must never mount anything that others can see. Whatever happens, the kernel takes all of it away
with the last process of the namespace. Called by the tests that must run
on a certain filesystem; those skip, with the reason, where none can be had.
"""

import ctypes
import functools
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 0x40000
# As stat(1) names the types.
NAMES = {"ext2/ext3": "ext4", "msdos": "vfat", "fuseblk": "fuse", "overlayfs": "overlay"}


def type_of(path):
    """The type of the filesystem that `path` is on, as our reports name it."""
    name = subprocess.run(["stat", "-f", "-c", "%T", str(path)], check=True, capture_output=True,
                          text=True).stdout.strip()
    return NAMES.get(name, name)


@functools.cache
def reason_not_to():
    """Enters the namespace, once; why that is not possible, or nothing."""
    if os.geteuid() != 0:
        return "mounts need root"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        return f"no mount namespace: {os.strerror(ctypes.get_errno())}"
    if libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) != 0:
        return f"no private mounts: {os.strerror(ctypes.get_errno())}"
    return ""


def run(*command):
    """Runs a command that sets something up; a test that needs it skips where it fails."""
    try:
        result = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                                check=False)
    except FileNotFoundError:
        raise unittest.SkipTest(f"{command[0]} is not installed") from None
    if result.returncode != 0:
        said = " ".join(result.stderr.split()) or f"exit code {result.returncode}"
        raise unittest.SkipTest(f"{command[0]} cannot do it here: {said}")


def enter():
    """Skips the test where nothing can be mounted."""
    reason = reason_not_to()
    if reason:
        raise unittest.SkipTest(reason)


def unmount_after(case, where):
    """For the test's own directory to be removable. Whatever is mounted there still: a test may
    unmount it itself, and then skip."""
    case.addCleanup(subprocess.run, ["umount", "-q", "-l", str(where)], check=False)


def mount(case, where, kind, source="none", options=""):
    """Mounts on the directory `where`, which is made, until the test ends."""
    enter()
    where.mkdir()
    run("mount", "-t", kind, *(["-o", options] if options else []), source, where)
    unmount_after(case, where)
    return where


def overlay(case):
    """An overlay above two directories of a tmpfs; where it is mounted."""
    base = mount(case, case.top / "base", "tmpfs")
    for name in ("lower", "upper", "work"):
        (base / name).mkdir()
    return mount(case, case.top / "m", "overlay", options=",".join(
        f"{name}dir={base}/{name}" for name in ("lower", "upper", "work")))


def mount_image(case, where, kind, size, options="", make=()):
    """A filesystem in a file beside `where`, on a loop device that goes with the mount."""
    enter()
    image = where.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(size)
    run(f"mkfs.{kind}", *make, image)
    return mount(case, where, kind, image, ",".join(filter(None, ["loop", options])))


@functools.cache
def base_of_type(kind):
    """A directory of this host on a filesystem of that type, where tests may write; or None."""
    for base in (tempfile.gettempdir(), "/dev/shm", "/tmp", "/var/tmp"):
        if os.access(base, os.W_OK | os.X_OK) and type_of(base) == kind:
            return base
    return None


def directory_on(case, kind):
    """A new directory on ext4 or tmpfs: this host's own, else mounted for the test."""
    base = base_of_type(kind)
    if base is not None:
        return Path(os.path.realpath(tempfile.mkdtemp(prefix="umaskaudit-e2e-", dir=base)))
    if kind == "tmpfs":
        return mount(case, case.top / kind, kind)
    return mount_image(case, case.top / kind, kind, 32 << 20, make=["-q"])
