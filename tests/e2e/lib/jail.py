"""A small root directory with a few programs in it and the libraries that they need.

Called by the tests that start programs in another root.
"""

import os
import re
import shutil


def copy_in(jail, path, name):
    target = jail / str(name).lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(os.path.realpath(path), target)


def build(case, jail, *programs):
    """Makes `jail`, with /bin/PROGRAM for each of them and /dev/null."""
    for program in programs:
        copy_in(jail, shutil.which(program), f"/bin/{program}")
        result = case.execute("ldd", shutil.which(program))
        for library in re.findall(r"/\S+", result.stdout.decode()):
            copy_in(jail, library.rstrip(":"), library.rstrip(":"))
    (jail / "dev").mkdir()
    (jail / "dev" / "null").touch()  # wordexp opens it
