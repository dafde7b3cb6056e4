"""What the tests themselves rely on: whatever a command leaves running can be ended.

Must never leave a process behind itself, also when it fails.
"""

import os
import signal
import subprocess

from lib import harness
from lib.harness import Case

# Each tells its number; it is in a session of its own, and its parent is gone. The first is known
# by the output that it holds open, the second by its directory, the last by its parent.
SCRIPT = """
(setsid sh -c 'echo $$; cd /; exec sleep 3600' &)
(setsid sh -c 'echo $$; exec sleep 3600 >/dev/null 2>&1' &)
(setsid sh -c 'echo $$; cd /; sleep 3600 >/dev/null 2>&1 & echo $!; exec sleep 3600' &)
exec sleep 3600
"""


def runs(pid):
    """Not a zombie: who waits for it is another matter."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] not in b"ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def end(pid):
    if runs(pid):
        os.kill(pid, signal.SIGKILL)


class Ending(Case):
    def test_nothing_is_left_running_after_a_hang(self):
        with subprocess.Popen(["sh", "-c", SCRIPT], cwd=self.work, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                              start_new_session=True) as process:
            started = [int(process.stdout.readline()) for _ in range(4)]
            for pid in started:
                self.addCleanup(end, pid)
            self.assertEqual([pid for pid in started if not runs(pid)], [])
            harness.end_all(process, self.top)
            self.assertEqual([pid for pid in started if runs(pid)], [])
            self.assertEqual(process.communicate(), (b"", b""))


if __name__ == "__main__":
    harness.main()
