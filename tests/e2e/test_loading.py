"""How code comes into a program: constructors, dlopen and relatives, allocators, io_uring.

Where the loader binds a library past us, its creations cannot be seen: that has to be said.
"""

import json
import os
import re
from pathlib import Path

from lib import harness
from lib.harness import Case, needs, truths_of, victim


class Loading(Case):
    def loaded_later(self, script, **env):
        """Runs python3 with `script`, SHIM in its environment and nothing preloaded."""
        return self.execute("/usr/bin/python3", "-c", script, env={"SHIM": harness.SHIM, **env})

    def test_dlopen_of_the_shim_into_a_running_program(self):
        script = ("import ctypes, os; ctypes.CDLL(os.environ['SHIM']); os.umask(0o27); "
                  "os.mkdir('d'); print(os.umask(0))")
        result = self.loaded_later(script)
        self.assertEqual((result.returncode, result.stdout), (0, b"23\n"), result.stderr)

    def test_dlopen_of_the_shim_with_threads_and_dlclose(self):
        script = ("import ctypes, os, threading, _ctypes\n"
                  "def load(number):\n"
                  "  for turn in range(20):\n"
                  "    shim = ctypes.CDLL(os.environ['SHIM'])\n"
                  "    os.mkdir(f'd{number}-{turn}')\n"
                  "    _ctypes.dlclose(shim._handle)\n"
                  "threads = [threading.Thread(target=load, args=(n,)) for n in range(8)]\n"
                  "[thread.start() for thread in threads]; [thread.join() for thread in threads]\n"
                  "print(len(os.listdir('.')))")
        result = self.loaded_later(script, UMASKAUDIT_OPTIONS=f"trace={self.new_run()}")
        self.assertEqual((result.returncode, result.stdout), (0, b"160\n"), result.stderr)

    def test_dlmopen_of_the_shim_beside_the_preloaded_one(self):
        script = ("import ctypes, os; dlmopen = ctypes.CDLL(None).dlmopen; "
                  "dlmopen.restype = ctypes.c_void_p; dlmopen.argtypes = "
                  "[ctypes.c_long, ctypes.c_char_p, ctypes.c_int]; "
                  "print(bool(dlmopen(-1, os.environ['SHIM'].encode(), 2))); os.mkdir('d')")
        run = self.new_run()
        result = self.preload("/usr/bin/python3", "-c", script, env={"SHIM": harness.SHIM},
                              options=f"trace={run}")
        self.assertEqual((result.returncode, result.stdout), (0, b"True\n"), result.stderr)
        report = self.report(run)
        self.assertEqual(len(report.creations()[str(self.work / "d")]), 1)
        self.assertTrue(report.of("blind_spot", reason="dlmopen"), report.events)

    def test_an_audit_module_beside_us(self):
        result, run = self.record("mkdir", "d", env={"LD_AUDIT": victim("libaudit_module.so")})
        self.assertIn(b"audit module is here\n", result.stderr)
        self.assertIn(str(self.work / "d"), self.report(run).creations())

    def fresh(self):
        harness.remove_tree(self.work)
        self.work.mkdir()

    def test_code_before_our_constructor_finds_the_options(self):
        """libc has no environ yet: the initial stack has one."""
        env = {"VICTIM_DIR": str(self.work)}
        for command in (["early_preinit"], ["early_resolver"], ["early_resolver_lazy"],
                        ["constructor_first", self.work]):
            command = [victim(command[0]), *command[1:]]
            with self.subTest(command=command):
                log = self.top / "log"
                run = self.new_run()
                bare = self.execute(*command, env=env)
                self.assertEqual((bare.returncode, bare.stderr), (0, b""))
                results = {}
                for options in ("log=off", f"trace={run}", f"log={log}"):
                    self.fresh()
                    results[options] = self.preload(*command, options=options, env=env)
                    self.assertEqual((results[options].returncode, results[options].stderr),
                                     (0, b""), options)
                self.check_truths(self.report(run), truths_of(results[f"trace={run}"]))
                lines = log.read_text()
                for truth in truths_of(results[f"log={log}"]):
                    self.assertIn(f'{Path(truth["path"]).name}", 0', lines)
                log.unlink()
                self.fresh()

    def test_code_before_we_are_relocated_is_passed_on_and_named(self):
        """Each address of ours that lies in a table is wrong then, and so is errno."""
        bare = self.execute(victim("early_library_resolver"))
        modes = {path.name: path.stat().st_mode for path in self.work.iterdir()}
        self.assertEqual((bare.returncode, bare.stderr, set(modes)), (0, b"", {"early", "main"}))
        self.fresh()
        run = self.new_run()
        result = self.preload(victim("early_library_resolver"), options=f"trace={run}")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertEqual({path.name: path.stat().st_mode for path in self.work.iterdir()}, modes)
        report = self.report(run)
        self.assertEqual(set(report.creations()), {str(self.work / "main")})
        spots = {spot["reason"]: spot["text"] for spot in report.of("blind_spot")}
        self.assertIn("before", spots.pop("other"))
        # Its objects are listed if they are in directories of the run, which are looked at.
        self.assertLessEqual(spots.items(), {"appeared": str(self.work / "early")}.items())

    def test_nothing_is_written_unless_the_environment_asks(self):
        """As from /etc/ld.so.preload, or linked for the API: neither options nor LD_PRELOAD."""
        bare = self.execute(victim("linked"), self.work)
        self.assertEqual((bare.returncode, bare.stderr), (0, b""))
        self.fresh()
        asked = self.execute(victim("linked"), self.work, env={"LD_PRELOAD": harness.SHIM})
        self.assertIn(b"umaskaudit[", asked.stderr)

    def test_libraries_that_are_bound_past_us_are_named(self):
        library = victim("libdlopen_storm_library.so")
        result, run = self.record(victim("loads_apart"), self.work, library)
        report = self.report(run)
        truths = truths_of(result)
        self.check_truths(report, truths)
        unseen = [truth["unseen"] for truth in truths if "unseen" in truth]
        self.assertEqual(len(unseen), 2)
        self.assertEqual([path for path in unseen if path in report.creations()], [])
        for reason in ("deepbind", "dlmopen"):
            spot, = report.of("blind_spot", reason=reason)
            self.assertIn(library, json.dumps(spot))

    def test_requests_to_io_uring_are_said_to_be_unseen(self):
        result = self.execute(victim("io_uring"), self.work)
        if result.returncode == 77:
            self.skipTest("io_uring is not available here")
        (self.work / "by-ring").rmdir()
        _, run = self.record(victim("io_uring"), self.work)
        report = self.report(run)
        self.assertEqual(report.creations(), {})
        self.assertTrue(report.of("blind_spot", reason="io-uring"), report.events)

    def check_rings(self, run, result):
        """What was made by request is in no record; that it may have been is said."""
        report = self.report(run)
        unseen = [truth["unseen"] for truth in truths_of(result) if "unseen" in truth]
        self.assertEqual(unseen, [str(self.work / "by-ring")])
        self.assertEqual(set(report.creations()), {str(self.work / "by-call")})
        spot, = report.of("blind_spot", reason="io-uring")
        self.assertRegex(spot["text"], r"^liburing\.so\.\d+$")

    def bare_rings(self):
        if not os.path.exists(victim("rings")):
            self.skipTest("package liburing-dev is not installed")
        result = self.execute(victim("rings"), self.work)
        if result.returncode == 77:
            self.skipTest("io_uring is not available here")
        self.assertEqual(result.returncode, 0, result.stderr)
        for name in ("by-ring", "by-call"):
            (self.work / name).unlink()

    def test_a_program_with_liburing(self):
        self.bare_rings()
        result, run = self.record(victim("rings"), self.work)
        self.check_rings(run, result)

    def test_a_module_with_liburing(self):
        """Nothing tells when it is loaded; as soon as it is in a stack, it is known."""
        self.bare_rings()
        script = "import ctypes, sys; ctypes.CDLL(sys.argv[1]).make_by_ring(sys.argv[2].encode())"
        result, run = self.record("/usr/bin/python3", "-c", script, victim("librings.so"),
                                  self.work)
        self.check_rings(run, result)

    def test_liburing_by_name(self):
        self.bare_rings()
        name = re.search(rb"liburing\.so\.\d+", Path(victim("rings")).read_bytes())[0].decode()
        script = "import ctypes, sys; ctypes.CDLL(sys.argv[1])"
        _, run = self.record("/usr/bin/python3", "-c", script, name)
        spot, = self.report(run).of("blind_spot", reason="io-uring")
        self.assertEqual(spot["text"], name)

    def test_an_allocator_that_creates_while_we_start(self):
        malloc = victim("libcreating_malloc.so")
        for order in (f"{harness.SHIM} {malloc}", f"{malloc} {harness.SHIM}"):
            with self.subTest(order=order):
                made, run = self.work / str(self.runs), self.new_run()
                made.mkdir()
                result = self.preload("ls", options=f"trace={run}",
                                      env={"LD_PRELOAD": order, "VICTIM_DIR": str(made)})
                self.assertEqual(result.returncode, 0, result.stderr)
                on_disk = {str(path) for path in made.iterdir()}
                self.assertEqual(len(on_disk), 20)
                # All of them: what comes while the loader still works is first, and starts us.
                self.assertEqual(set(self.report(run).creations()), on_disk)

    @needs("strace")
    def test_the_mask_is_never_read_by_writing_it(self):
        trace = self.top / "strace"
        result = self.preload("strace", "-f", "-o", trace, "-e", "trace=umask",
                              "sh", "-c", "mkdir d; /bin/true; echo > f",
                              options=f"trace={self.new_run()}")
        if result.returncode != 0:
            self.skipTest(f"strace cannot trace here: {result.stderr.decode(errors='replace')}")
        bare = self.top / "bare"
        self.execute("strace", "-f", "-o", bare, "-e", "trace=umask",
                     "sh", "-c", "rmdir d; mkdir d; /bin/true; echo > f")
        self.assertEqual(trace.read_text().count("umask("), bare.read_text().count("umask("))


if __name__ == "__main__":
    harness.main()
