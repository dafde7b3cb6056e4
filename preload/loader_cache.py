"""Tells the loader of the installed library: loader_cache.py LIBDIR.

LD_PRELOAD=libumaskaudit.so, a name without a folder, is looked up in the loader's cache
(ldconfig(8)). An installation into a folder of its own (DESTDIR), or by a user who may not write
the cache, only says what is left to do. Must never make an installation fail. Called by meson
install.
"""

import os
import shutil
import stat
import subprocess
import sys

LIBRARY = "libumaskaudit.so"


def found(ldconfig, path):
    """Whether the cache leads to the library that was installed, and not to another one."""
    cache = subprocess.run([ldconfig, "-p"], capture_output=True, text=True, check=False).stdout
    real = os.path.realpath(path)
    names = [line.split(" => ")[1] for line in cache.splitlines()
             if line.strip().startswith(LIBRARY + " ") and " => " in line]
    return any(os.path.realpath(name) == real for name in names)


def advice(libdir):
    path = os.path.join(libdir, LIBRARY)
    if os.environ.get("DESTDIR"):
        return (f"this is a copy for a package or another root: there, run ldconfig once, "
                f"or give the whole path, LD_PRELOAD={path}")
    ldconfig = shutil.which("ldconfig", path=os.environ.get("PATH", "") + ":/sbin:/usr/sbin")
    if ldconfig is None:  # musl has no cache, and looks into the folders themselves
        return f"LD_PRELOAD={path} ./app"
    if os.geteuid() == 0 and not found(ldconfig, path):
        subprocess.run([ldconfig], check=False)
    if found(ldconfig, path):
        return f"LD_PRELOAD={LIBRARY} ./app"
    if os.geteuid() != 0:
        return f"LD_PRELOAD={path} ./app; the bare name works once root has run ldconfig"
    return (f"LD_PRELOAD={path} ./app; for the bare name, put {libdir} into "
            f"/etc/ld.so.conf.d/umaskaudit.conf and run ldconfig")


def say(text):
    """To meson's own output: what an install script prints, meson keeps to itself."""
    name = f"/proc/{os.getppid()}/fd/1"
    try:
        # Not a file: meson's position in it is another one.
        if not stat.S_ISREG(os.stat(name).st_mode):
            with open(name, "a", encoding="utf-8") as output:
                output.write(text + "\n")
                return
    except OSError:
        pass
    print(text)


say("umaskaudit: " + advice(sys.argv[1]))
