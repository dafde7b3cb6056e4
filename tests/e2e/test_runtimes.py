"""Together with what else takes a program over: other preloads, sanitizers, valgrind, gdb, and the
runtimes of other languages. The program behaves as without the shim, and the report is true.

Must never skip without naming the Debian package that is missing.
"""

import ctypes
import glob
import json
import os
import re
import shutil
import subprocess
import time
import unittest
from pathlib import Path

from lib import harness
from lib.harness import Case, truths_of, victim

LIBRARIES = "/usr/lib/*-linux-gnu"


def library(pattern, package):
    """The first file that fits, or a skip."""
    found = sorted(glob.glob(f"{LIBRARIES}/{pattern}"))
    if not found:
        raise unittest.SkipTest(f"package {package} is not installed")
    return found[0]


PERSONALITY = ctypes.CDLL(None).personality


def at_fixed_addresses():
    """In the child: a kernel that is set to randomise 32 bits (vm.mmap_rnd_bits) puts libraries now
    and then where the runtimes of sanitizers want their shadow. Refused in some containers."""
    PERSONALITY(0x0040000)  # ADDR_NO_RANDOMIZE, personality(2)


def tool(name, package):
    path = shutil.which(name)
    if path is None:
        raise unittest.SkipTest(f"package {package} is not installed")
    return path


class Runtimes(Case):
    def fresh(self):
        harness.remove_tree(self.work)
        self.work.mkdir()

    def compiled(self, *words, **environment):
        done = subprocess.run([str(word) for word in words], cwd=self.top, capture_output=True,
                              env={**os.environ, **environment}, check=False)
        if done.returncode:
            self.skipTest(f"{words[0]} does not compile here: {done.stderr.decode()[-200:]}")

    def check_report(self, run, least):
        report = self.report(run)
        self.assertEqual(report.of("loss"), [])
        self.assertEqual(report.of("umask", drift=True), [])
        self.check_disk(report, least)
        return report

    def both(self, *command, least=100, preload="", env=None, **options):
        """Bare, then recorded before and behind `preload`; everything equal, the report true."""
        words = [str(word) for word in command]
        seen = []
        for order in ([preload], [harness.SHIM, preload], [preload, harness.SHIM]):
            if not preload and len(seen) == 2:
                break
            self.fresh()
            environment = {**(env or {}), "LD_PRELOAD": " ".join(filter(None, order))}
            run = None
            if len(order) == 2:
                run = self.new_run()
                environment["UMASKAUDIT_OPTIONS"] = f"trace={run}"
            result = self.execute(*words, env=environment, **options)
            seen.append((result.returncode, result.stdout, result.stderr,
                         harness.tree(self.work)))
            self.assertEqual(seen[0], seen[-1], order)
            if run:
                report = self.check_report(run, least)
        self.check_truths(report, self.truths(result.stdout))
        return report

    def truths(self, output):
        """What a victim prints; nothing for programs that nobody here wrote."""
        return [json.loads(line) for line in output.splitlines() if line.startswith(b'{"path"')]

    def everyday(self, preload="", name="everyday", **options):
        if not Path(victim(name)).exists():
            self.skipTest(f"{name} is not built: no such runtime, or a sanitized build")
        report = self.both(victim(name), self.work, preload=preload, **options)
        # libfaketime makes objects of its own, elsewhere.
        here = [path for path in report.creations() if path.startswith(f"{self.work}/")]
        self.assertEqual(len(here), 105)
        self.assertEqual({event["new"] for event in report.of("umask")}, {"0027", "0077"})


class Preloads(Runtimes):
    def test_libeatmydata(self):
        self.everyday(library("libeatmydata.so*", "libeatmydata1"))

    def test_jemalloc(self):
        self.everyday(library("libjemalloc.so.2", "libjemalloc2"))

    def test_tcmalloc(self):
        self.everyday(library("libtcmalloc.so.4", "libgoogle-perftools4"))

    def test_mimalloc(self):
        self.everyday(library("libmimalloc.so.*", "libmimalloc2.0"))

    def test_libfaketime_does_not_move_our_clock(self):
        fake = library("faketime/libfaketime.so.1", "faketime")
        script = "import sys; sys.stdout = None; import os; os.umask(0o27); os.mkdir('d')"
        for date in ("2000-01-01 00:00:00", "2040-01-01 00:00:00"):
            with self.subTest(date=date):
                environment = {"FAKETIME": date, "NO_FAKE_STAT": "1"}
                self.everyday(fake, env=environment)
                # Reopening looks at the birth time of what it met.
                report = self.both("/usr/bin/python3", "-c", script, preload=fake, least=1,
                                   env=environment)
                times = [event["time_ns"] for event in report.events if "time_ns" in event]
                self.assertLess(max(times) - min(times), harness.TIMEOUT * 10**9)
                self.assertLess(max(times), time.monotonic_ns())

    def test_fakeroot(self):
        fakeroot = tool("fakeroot", "fakeroot")
        script = ("umask 027; mkdir d; touch f; chown 1:1 f; mknod null c 1 3; chmod 4755 f; "
                  "stat -c '%U %a %F' d f null; umask")
        seen = []
        for recorded in (False, True):
            self.fresh()
            command = [fakeroot, "sh", "-c", script]
            if recorded:
                result, run = self.record(*command)
            else:
                result = self.execute(*command)
            seen.append((result.returncode, result.stdout, harness.tree(self.work)))
        self.assertEqual(seen[0], seen[1])
        report = self.report(run)
        self.assertEqual(report.of("loss"), [])
        self.check_disk(report, 2, {str(self.work / "f")})


class Sanitizers(Runtimes):
    def everyday(self, preload="", name="everyday", **options):
        super().everyday(preload, name, preexec_fn=at_fixed_addresses, **options)

    def test_memory_sanitizer(self):
        clang, host = tool("clang++", "clang"), self.top / "everyday_memory"
        source = Path(__file__).resolve().parent.parent / "programs" / "hazards" / "everyday.cc"
        self.compiled(clang, "-std=c++20", "-O1", "-g", "-pthread", "-fsanitize=memory",
                      "-fsanitize-memory-track-origins", "-I", source.parent.parent, "-o", host,
                      source)
        bare = self.execute(host, self.work, preexec_fn=at_fixed_addresses)
        if bare.returncode:
            # The C++ library that it calls is not instrumented; most get along with that.
            self.skipTest(f"it does not run here by itself: {bare.stderr.decode()[-300:]}")
        self.everyday(name=host)

    def test_address_sanitizer(self):
        self.everyday(name="everyday_address")

    def test_address_sanitizer_before_us(self):
        host = Path(victim("everyday_address"))
        needed = host.exists() and re.search(rb"libasan\.so\.\d+", host.read_bytes())
        if not needed:
            self.skipTest("nothing here is linked with libasan.so")
        self.everyday(library(needed[0].decode(), "libasan8"), name="everyday_address",
                      env={"ASAN_OPTIONS": "detect_leaks=0"})

    def test_thread_sanitizer(self):
        self.everyday(name="everyday_thread")

    def test_undefined_behaviour_sanitizer(self):
        self.everyday(name="everyday_undefined")


class Debuggers(Runtimes):
    def test_valgrind_finds_nothing_of_ours(self):
        valgrind = tool("valgrind", "valgrind")
        result, run = self.record(valgrind, "-q", "--error-exitcode=42", "--leak-check=full",
                                  "--trace-children=yes", victim("everyday"), self.work)
        # Our own summary is on stderr as well.
        lines = [line for line in result.stderr.decode().splitlines() if line.startswith("==")
                 or line.startswith("--")]
        self.assertEqual(lines, [])
        self.check_truths(self.check_report(run, 100), truths_of(result))

    def test_gdb_stops_in_our_wrappers_and_goes_on(self):
        gdb = tool("gdb", "gdb")
        run = self.new_run()
        commands = [
            "set startup-with-shell off", "set disable-randomization off",
            f"set environment LD_PRELOAD {harness.SHIM}",
            f"set environment UMASKAUDIT_OPTIONS trace={run}",
            "set breakpoint pending on", "break umask", "run", "next", "finish",
            "delete", "tbreak mkfifo", "continue", "stepi", "step", "continue",
        ]
        words = [word for command in commands for word in ("-ex", command)]
        result = self.execute(gdb, "-q", "-batch", "-nx", *words, "--args", victim("everyday"),
                              self.work)
        self.assertIn(b"exited normally", result.stdout, result.stderr)
        self.assertRegex(result.stdout, b"Breakpoint 1[.0-9]*, .*umask")
        self.check_report(run, 100)


RUST = """
use std::fs;
fn main() {
    for thread in (0..4).map(|t| std::thread::spawn(move || for i in 0..10 {
        fs::create_dir(format!("d{}-{}", t, i)).unwrap();
        fs::write(format!("f{}-{}", t, i), "x").unwrap();
    })) { thread.join().unwrap(); }
    fs::create_dir_all("a/b").unwrap();
    std::process::Command::new("mkdir").arg("child").status().unwrap();
}
"""

CGO = """
package main
// #include <sys/stat.h>
// #include <sys/types.h>
import "C"
import ("os"; "os/exec")
func main() {
    C.umask(027)
    done := make(chan bool)
    for t := 0; t < 4; t++ {
        go func(t int) {
            for i := 0; i < 10; i++ {
                if C.mkdir(C.CString("d"+string(rune('a'+t))+string(rune('0'+i))), 0777) != 0 {
                    os.Exit(3)
                }
            }
            done <- true
        }(t)
    }
    for t := 0; t < 4; t++ { <-done }
    if exec.Command("mkdir", "child").Run() != nil { os.Exit(4) }
}
"""

JAVA = """
import java.nio.file.*;
public class Made {
    public static void main(String[] words) throws Exception {
        Thread[] threads = new Thread[4];
        for (int t = 0; t < 4; t++) {
            final int number = t;
            threads[t] = new Thread(() -> {
                try {
                    for (int i = 0; i < 10; i++) {
                        Files.createDirectory(Path.of("d" + number + "-" + i));
                        Files.writeString(Path.of("f" + number + "-" + i), "x");
                    }
                } catch (Exception error) { System.exit(3); }
            });
            threads[t].start();
        }
        for (Thread thread : threads) thread.join();
        new ProcessBuilder("mkdir", "child").start().waitFor();
    }
}
"""

NODE = """
const fs = require('fs');
process.umask(0o027);
fs.mkdirSync('a/b', {recursive: true});
fs.writeFileSync('f', 'x');
require('child_process').execFileSync('mkdir', ['child']);
fs.promises.writeFile('g', 'y');
"""


class Languages(Runtimes):
    def source(self, name, text):
        path = self.top / name
        path.write_text(text, encoding="utf-8")
        return path

    def test_rust(self):
        rustc = tool("rustc", "rustc")
        self.compiled(rustc, "-o", self.top / "made", self.source("made.rs", RUST))
        self.both(self.top / "made", least=83)

    def test_cgo(self):
        go = tool("go", "golang-go")
        self.compiled(go, "build", "-o", self.top / "made", self.source("made.go", CGO),
                      CGO_ENABLED="1", GOCACHE=str(self.top / "cache"), GOFLAGS="-mod=mod",
                      GO111MODULE="off")
        self.both(self.top / "made", least=41)

    def test_java(self):
        java = tool("java", "default-jdk-headless")
        self.source("Made.java", JAVA)
        # The launcher reads the source by itself: no second tool.
        self.both(java, "-XX:+PerfDisableSharedMem", self.top / "Made.java", least=81)

    def test_node(self):
        self.both(tool("node", "nodejs"), "-e", NODE, least=5)


if __name__ == "__main__":
    harness.main()
