"""How one program starts another: what the starter sees, and what becomes of the preload.

A program that cannot load the library, or could not record, starts as it does without us: nothing
of the loader on its stderr. It is named in the report, and `check` does not pass over it.
"""

import os
import re
import shutil
import stat
import struct
import unittest

from lib import harness, jail
from lib.foreign_program import program_of_32_bits
from lib.harness import Case, needs, victim

NOBODY = 65534
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
needs_root = unittest.skipIf(os.geteuid() != 0, "needs root")
WAYS = 16  # lines of start_ways


class Starting(Case):
    def write_program(self, path, content):
        path.write_bytes(content)
        path.chmod(0o755)
        return path

    def spots(self, run):
        """The reasons of the blind spots, each with what it names, but for what appeared."""
        return [(event["reason"], event["text"]) for event in self.blind_spots(run)]

    def blind_spots(self, run):
        return [event for event in self.report(run).of("blind_spot")
                if event["reason"] != "appeared"]

    def check_says(self, run, status, *words):
        result = self.execute(harness.TOOL, "check", run)
        self.assertEqual(result.returncode, status, result.stderr)
        for word in words:
            self.assertIn(word, (result.stdout + result.stderr).decode())


class Spawn(Starting):
    def test_the_pid_is_stored_before_handlers_run_and_only_on_success(self):
        bare = self.execute(victim("spawn_pid"), self.work)
        self.assertEqual(bare.returncode, 0, bare.stderr)
        expected = [line for name in (b"posix_spawn", b"posix_spawnp")
                    for line in (name + b" known", name + b" kept", name + b" ended 0")]
        self.assertEqual(bare.stdout.splitlines(), expected)
        self.check_same(victim("spawn_pid"), self.work)

    def test_the_look_at_a_program_is_not_seen_and_stops_nobody(self):
        program = shutil.copy("/bin/true", self.top / "program")
        bare = self.execute(victim("watched_exec"), program)
        if bare.returncode == 77:
            self.skipTest("fanotify is not available here")
        self.assertEqual((bare.returncode, bare.stdout), (0, b"child ended, number kept\n"))
        run = self.check_same(victim("watched_exec"), program)
        self.assertEqual(self.spots(run), [])
        # It fails, and nothing that it started holds what we wait for.
        os.chmod(program, 0o644)
        bare = self.execute(victim("watched_exec"), program)
        self.assertEqual((bare.returncode, bare.stdout), (99, b""))


class OtherPrograms(Starting):
    """What cannot load the library: each way to start it, the same stderr, the same end."""

    def start_each_way(self, program, reason):
        script = self.write_program(self.top / "script", f"#!{program}\n".encode())
        bare = self.execute(victim("start_ways"), program, script)
        self.assertEqual(bare.returncode, 0, bare.stderr)
        lines = bare.stdout.decode().splitlines()
        self.assertEqual(len(lines), WAYS)
        if {line.split()[1] for line in lines} != {"0"}:
            self.skipTest(f"{program} does not run here: {lines}")
        run = self.check_same(victim("start_ways"), program, script)
        # The shells of system and popen start it too, and their own images record that.
        self.assertEqual([found for found, _ in self.spots(run)], [reason] * WAYS)
        self.check_says(run, 0)
        return run

    def test_a_program_of_another_word_size(self):
        if not os.path.exists("/lib/ld-linux.so.2"):
            self.skipTest("no loader for 32 bits")
        program = self.write_program(self.top / "program",
                                     program_of_32_bits("/lib/ld-linux.so.2"))
        self.start_each_way(program, "exec-abi")
        # Without any other program in front.
        result, run = self.record(program)
        self.assertNotIn(b"ld.so", result.stderr)
        self.assertEqual([reason for reason, _ in self.spots(run)], ["exec-abi"])

    @needs_root
    @needs("unshare", "mount", "bash")
    def test_the_shell_that_runs_what_the_kernel_does_not_know(self):
        """Without a first line for the kernel execvp(3), as of env(1), hands a script to sh."""
        script = self.write_program(self.top / "script", b"exit 0\n")
        programs = [(shutil.copy(victim("static_hello"), self.top / "static"), "exec-static"),
                    (self.write_program(self.top / "other",
                                        program_of_32_bits("/lib/ld-linux.so.2")), "exec-abi")]
        for program, reason in programs:
            if reason == "exec-abi" and not os.path.exists("/lib/ld-linux.so.2"):
                continue
            for command in (str(script), f"-C {self.top} PATH={self.top} script"):
                with self.subTest(reason=reason, command=command):
                    commands = f"mount --bind {program} /bin/sh && exec env {command}"
                    bare = self.execute("unshare", "-m", "bash", "-c", commands)
                    if b"mount" in bare.stderr or b"unshare" in bare.stderr:
                        self.skipTest(bare.stderr.decode())
                    result, run = self.record("unshare", "-m", "bash", "-c", commands,
                                              status=bare.returncode)
                    self.assertEqual(result.stdout, bare.stdout)
                    self.assertNotIn(b"ld.so", result.stderr)
                    self.assertEqual(self.spots(run), [(reason, command.split()[-1])])

    def other_loader(self, libc):
        """A copy of /bin/true that asks for a loader of its own, with `libc` beside that."""
        image = bytearray(open("/bin/true", "rb").read())
        folder = self.top / "lib"
        folder.mkdir()
        offset, = struct.unpack_from("<Q", image, 32)
        for number in range(struct.unpack_from("<H", image, 56)[0]):
            at = offset + 56 * number
            if struct.unpack_from("<I", image, at)[0] != 3:  # PT_INTERP
                continue
            begin, = struct.unpack_from("<Q", image, at + 8)
            loader = image[begin:image.index(0, begin)].decode()
            shutil.copy(loader, folder / "ld.so")
            name = str(folder / "ld.so").encode() + b"\0"
            struct.pack_into("<Q", image, at + 8, len(image))
            struct.pack_into("<Q", image, at + 32, len(name))
            image += name
        shutil.copy(libc, folder / "libc.so.6")
        return self.write_program(self.top / "program", bytes(image))

    def libc(self):
        with open("/proc/self/maps", encoding="utf-8") as maps:
            return re.search(r"/\S*/libc\.so\.6$", maps.read(), re.MULTILINE)[0]

    def test_a_program_with_an_older_libc(self):
        """Any library without the version GLIBC_2.17 will do: this one is not loaded."""
        other = os.path.join(os.path.dirname(self.libc()), "libm.so.6")
        self.start_each_way(self.other_loader(other), "exec-libc")

    def test_a_program_with_another_loader_and_the_same_libc(self):
        program = self.other_loader(self.libc())
        _, run = self.record("sh", "-c", f"{program}; :")
        self.assertEqual(self.spots(run), [])
        exes = [event["exe"] for event in self.report(run).of("process")]
        self.assertIn(str(program), exes)


@needs_root
class OtherRoots(Starting):
    """In a root without the library, or without the run directory, nothing of ours is there."""

    base = "/dev/shm"  # below it another user gets anywhere

    def setUp(self):
        super().setUp()
        self.top.chmod(0o755)
        self.jail = self.top / "jail"
        jail.build(self, self.jail, "sh", "mkdir", "ls")
        (self.jail / "work").mkdir()
        self.work = self.jail / "umaskaudit-made"
        self.work.mkdir()

    def enter(self, *before):
        """Runs a shell and its children in the jail, bare and recorded; returns the run."""
        seen = []
        command = (*before, "chroot", self.jail, "/bin/sh", "-c",
                   "umask 0; /bin/mkdir /umaskaudit-made/d; /bin/ls /; /bin/ls /nowhere; exit 3")
        for recorded in (False, True):
            harness.remove_tree(self.work)
            self.work.mkdir()
            if recorded:
                run = self.new_run()
                result = self.preload(*command, options=f"log=off:trace={run}", cwd="/")
            else:
                result = self.execute(*command, cwd="/")
            seen.append((result.returncode, result.stdout, result.stderr, harness.tree(self.jail)))
        self.assertEqual(seen[0][0], 3, seen[0])
        self.assertEqual(seen[0], seen[1])
        return run

    def test_a_root_without_the_library(self):
        run = self.enter()
        self.assertEqual(self.spots(run), [("exec-library", "/bin/sh")])
        self.check_says(run, 3, "exec-library", "1 program ran unrecorded")
        self.tool("check", run, "--max-unrecorded", "1")

    def test_a_root_with_the_library_and_without_the_run_directory(self):
        jail.copy_in(self.jail, harness.SHIM, harness.SHIM)
        run = self.enter()
        (reason, text), = self.spots(run)
        self.assertEqual(reason, "exec-run-directory")
        self.assertIn(f"/bin/sh: {run} cannot be reached", text)
        self.check_says(run, 3)

    def test_shells_that_libc_starts(self):
        seen = []
        for recorded in (False, True):
            harness.remove_tree(self.work)
            self.work.mkdir()
            run = self.new_run()
            command = (victim("libc_shells"), "/umaskaudit-made", "chroot", self.jail)
            result = (self.preload(*command, options=f"log=off:trace={run}") if recorded
                      else self.execute(*command))
            seen.append((result.returncode, result.stdout, result.stderr, harness.tree(self.jail)))
        self.assertEqual(seen[0][0], 0, seen[0])
        self.assertEqual(seen[0], seen[1])
        self.assertEqual(self.spots(run)[-3:], [("exec-library", "/bin/sh")] * 3)
        calls = [event["call"] for event in self.blind_spots(run)]
        self.assertEqual(calls[-3:], ["system", "popen", "wordexp"])
        self.check_says(run, 3)


@needs_root
@needs("setpriv")
class OtherUsers(Starting):
    base = "/dev/shm"

    def setUp(self):
        super().setUp()
        self.top.chmod(0o755)
        self.work.chmod(0o777)

    def become_nobody(self, shim):
        script = "umask 0; mkdir d; env -0 | tr '\\0' '\\n' | grep -c LD_PRELOAD; ls /nowhere"
        bare = self.execute(*AS_NOBODY, "sh", "-c", script)
        harness.remove_tree(self.work / "d")
        run = self.new_run()
        result = self.preload(*AS_NOBODY, "sh", "-c", script, options=f"log=off:trace={run}",
                              env={"LD_PRELOAD": str(shim)})
        self.assertEqual((result.returncode, result.stdout, result.stderr),
                         (bare.returncode, bare.stdout, bare.stderr))
        self.assertEqual(result.stdout, b"0\n")
        self.assertEqual(stat.S_IMODE((self.work / "d").stat().st_mode), 0o777)
        return run

    def test_a_user_who_may_not_write_into_the_run_directory(self):
        shim = shutil.copy(harness.SHIM, self.top)
        os.chmod(shim, 0o755)
        run = self.become_nobody(shim)
        (reason, text), = self.spots(run)
        self.assertEqual(reason, "exec-run-directory")
        self.assertEqual(text, f"sh: uid {NOBODY} may not write into {run} (0700 of uid 0)")
        self.check_says(run, 3, "exec-run-directory", "1 program ran unrecorded")
        result = self.execute(harness.TOOL, "blame", run, self.work / "d")
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"something that this run could not see may have made it", result.stderr)

    def test_a_user_who_cannot_read_the_library(self):
        hidden = self.top / "hidden"
        hidden.mkdir(mode=0o700)
        run = self.become_nobody(shutil.copy(harness.SHIM, hidden))
        self.assertEqual(self.spots(run), [("exec-library", "sh")])
        self.check_says(run, 3)


class CleanedEnvironments(Starting):
    def test_shells_that_libc_starts_without_our_variables(self):
        self.check_same(victim("libc_shells"), self.work)
        harness.remove_tree(self.work)
        self.work.mkdir()
        _, run = self.record(victim("libc_shells"), self.work, "clean")
        found = [(event["reason"], event["call"], event["text"])
                 for event in self.blind_spots(run)]
        self.assertEqual(found, [("exec-environment", call, "/bin/sh")
                                 for call in ("system", "popen", "wordexp")])
        self.check_says(run, 3, "3 programs ran unrecorded")

    def test_an_exec_that_nobody_hears_of(self):
        """A program that its loader does not start never says that it began."""
        image = bytearray(open("/bin/true", "rb").read())
        name = b"libc.so.6\0"
        program = self.write_program(self.top / "program",
                                     bytes(image.replace(name, b"libc.so.x\0")))
        _, run = self.record("sh", "-c", f"{program} 2> /dev/null; :")
        self.assertEqual(self.spots(run), [("exec-silent", str(program))])
        self.check_says(run, 3, "exec-silent")


if __name__ == "__main__":
    harness.main()
