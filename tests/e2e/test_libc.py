"""libc's exported names against the table of wrapped functions: no way to create is left out.

An alias of a wrapped function, and a function whose code reaches a creating system call, is a row
of preload/interceptors.def or stands below with the reason why not."""

import functools
import os
import unittest
from pathlib import Path

from lib import harness
from lib import libc_code
from test_routes import calls_script

PRIVATE = "version GLIBC_PRIVATE: no program can be linked against it"
ON_FILE = "works on a FILE that only libc's own fopen makes"
RPC = "Sun RPC, without a default version: nothing can be linked against it since glibc 2.32"
ALIASES = {"__libc_fork": PRIVATE, "__libc_system": PRIVATE}
CREATORS = {
    "__open_nocancel": PRIVATE,
    "__open64_nocancel": PRIVATE,
    "_IO_file_open": ON_FILE,
    "_IO_file_fopen": ON_FILE,
    "getpass": "opens /dev/tty with w+: a terminal, and not made where /dev is one's own",
    "posix_openpt": "opens /dev/ptmx with the caller's flags; O_CREAT is undefined there",
    "svcunix_create": RPC,
    **dict.fromkeys(("mktemp", "__mktemp", "tempnam", "tmpnam", "tmpnam_r"),
                    "looks for a free name: the code of mkstemp(3), which opens nothing for it"),
    **dict.fromkeys(("__libc_system", "_IO_proc_open"),
                    "starts sh by posix_spawn's code, without an action that opens"),
}
# Functions that pass on what cannot be followed: the parameter that says whether they create.
DECIDERS = {"_IO_file_fopen": 2, "setmntent": 1, "__setmntent": 1, "sem_open": 1, "shm_open": 1,
            "mkostemp": 1, "mkostemp64": 1}
# bind(2) makes a file for AF_UNIX alone: those that are given a socket, or a family of addresses.
NO_FILES = ("bindresvport", "rresvport_af")
LIBRARIES = ("libc.so.6", "libpthread.so.0", "librt.so.1", "libdl.so.2", "libutil.so.1",
             "libresolv.so.2", "libanl.so.1")


@functools.cache
def libc_path(name="libc.so.6"):
    """The file of one of libc's libraries, beside the libc that runs this; None: there is none."""
    with open("/proc/self/maps", encoding="utf-8") as maps:
        loaded = next(line.split()[-1] for line in maps if line.rstrip().endswith("/libc.so.6"))
    path = Path(loaded).parent / name
    return str(path) if path.exists() else None


@functools.cache
def creators():
    """The names of libc's functions that may create."""
    path = libc_path()
    addresses = libc_code.symbols(path)
    deciders = {address: parameter for name, parameter in DECIDERS.items()
                for address in addresses.get(name, ())}
    passed = {address for name in NO_FILES for address in addresses.get(name, ())}
    found = libc_code.Code(path).creators(deciders, passed)
    return {name for name, at in addresses.items() if at & set(found)}


def wrapped():
    return {name for _, name, *_ in calls_script().table_rows()}


def aliases(library, names):
    """The names that share an address with one of `names`, and are none of them."""
    symbols = libc_code.symbols(library)
    at = {address for name in names for address in symbols.get(name, ())}
    return {name for name, addresses in symbols.items() if addresses & at} - names


@harness.needs("readelf", "objdump")
class Libc(unittest.TestCase):
    def test_aliases(self):
        for library in filter(None, map(libc_path, LIBRARIES)):
            with self.subTest(library):
                self.assertEqual(aliases(library, wrapped()) - set(ALIASES), set())

    def test_a_missing_alias_is_noticed(self):
        for name in ("open", "__open64", "_IO_fopen", "__fork", "__vfork"):
            self.assertIn(name, aliases(libc_path(), wrapped() - {name}))

    @unittest.skipUnless(os.uname().machine == "x86_64", "the instructions of x86-64 are read")
    def test_creators(self):
        self.assertGreater(len(creators()), 40)
        self.assertEqual(creators() - wrapped() - set(CREATORS), set())

    @unittest.skipUnless(os.uname().machine == "x86_64", "the instructions of x86-64 are read")
    def test_each_creator_of_the_table_is_found(self):
        """So that the row of any of them could not go without a failure of the test above."""
        rows = {name for shape, name, kind, *_ in calls_script().table_rows()
                if kind in calls_script().MADE and shape != "custom"}
        exported = set(libc_code.symbols(libc_path()))
        self.assertEqual((rows & exported) - creators(), set())

    @unittest.skipUnless(os.uname().machine == "x86_64", "the instructions of x86-64 are read")
    def test_reasons_are_for_something(self):
        """A reason whose function no longer creates is taken out."""
        exported = set(libc_code.symbols(libc_path()))
        self.assertEqual((set(CREATORS) & exported) - creators(), set())


if __name__ == "__main__":
    harness.main()
