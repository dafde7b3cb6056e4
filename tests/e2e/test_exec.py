"""How one program starts another: what the starter sees, and what becomes of the preload.

A program that cannot load the library starts as it does without us, and is named in the report.
"""

import harness
from harness import Case, victim


class Spawn(Case):
    def test_the_pid_is_stored_before_handlers_run_and_only_on_success(self):
        bare = self.execute(victim("spawn_pid"), self.work)
        self.assertEqual(bare.returncode, 0, bare.stderr)
        expected = [line for name in (b"posix_spawn", b"posix_spawnp")
                    for line in (name + b" known", name + b" kept", name + b" ended 0")]
        self.assertEqual(bare.stdout.splitlines(), expected)
        self.check_same(victim("spawn_pid"), self.work)


if __name__ == "__main__":
    harness.main()
