"""What meson install leaves: each file in its place, found by pkg-config, the loader and the tool;
and what is made of it: the files of the Debian packages, an archive to unpack anywhere.

Installed into folders of this test, or below a /usr/local that this process alone has mounted.
"""

import json
import os
import shutil
import stat
import subprocess
import unittest
from pathlib import Path

from lib import harness, mounts
from lib.foreign_program import program_of_32_bits
from lib.harness import Case, needs, octal

BUILD = Path(harness.TOOL).parents[1]
SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
DOCUMENTS = {"CHANGELOG.md", "LICENSE", "README.md", "SECURITY.md", "format.md"}
USER = """
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <umaskaudit.h>
int main(void) {
  umask(0027);
  if (getumask) printf("%04o %s\\n", (unsigned)getumask(), umaskaudit_version());
  return creat("made", 0666) < 0;
}
"""


def build_option(name):
    listed = subprocess.run(["meson", "introspect", "--buildoptions", str(BUILD)], check=True,
                            capture_output=True, text=True).stdout
    return next(option["value"] for option in json.loads(listed) if option["name"] == name)


@unittest.skipIf(not (BUILD / "build.ninja").exists(), "the tool is not in a build folder")
@needs("meson", "pkg-config", "cc")
class Installed(Case):
    def install(self, destination=None):
        """Installs; returns what the installation said."""
        words = ["meson", "install", "-C", BUILD, "--no-rebuild"]
        words += ["--destdir", destination] if destination else []
        result = self.execute(*words)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return result.stdout.decode()

    def compile(self, *options, env=None):
        """A program that uses the library as pkg-config says."""
        source = self.top / "user.c"
        source.write_text(USER)
        flags = self.execute("pkg-config", "--cflags", "--libs", "umaskaudit", env=env)
        self.assertEqual(flags.returncode, 0, flags.stderr.decode())
        result = self.execute("cc", *options, source, "-o", self.top / "user",
                              *flags.stdout.decode().split())
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return self.top / "user"

    def check_ran(self, result):
        """The program read its mask, and its file has the mode that the mask leaves."""
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertRegex(result.stdout.decode(), r"^0027 \d+\.\d+\.\d+\n$")
        made = self.work / "made"
        self.assertEqual(octal(stat.S_IMODE(made.stat().st_mode)), "0640")
        made.unlink()


class Destination(Installed):
    """DESTDIR, as packagers install."""

    def setUp(self):
        super().setUp()
        self.destination = self.top / "destination"
        self.said = self.install(self.destination)
        self.prefix = self.destination / str(build_option("prefix")).lstrip("/")
        self.libdir = self.prefix / build_option("libdir")
        # pkg-config would put the root in front of the prefix that it finds by the file's place.
        self.environment = {"PKG_CONFIG_PATH": str(self.libdir / "pkgconfig"),
                            "PKG_CONFIG_SYSROOT_DIR": str(self.destination)}

    def test_the_tool_finds_its_library(self):
        run = self.top / "run"
        result = self.execute(self.prefix / "bin" / "umaskaudit", "run", "-o", run, "--", "mkdir",
                              "made")
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertIn(str(self.work / "made"), self.report(run).creations())

    def test_documents_schemas_sql_and_manual(self):
        share = self.prefix / "share"
        self.assertLessEqual(DOCUMENTS, set(os.listdir(share / "doc" / "umaskaudit")))
        self.assertTrue(list((share / "umaskaudit" / "schemas").glob("*.schema.json")))
        sql = share / "umaskaudit" / "sql"
        for engine in ("sqlite", "duckdb", "postgresql", "clickhouse"):
            self.assertLessEqual({"create.sql", "questions.sql"}, set(os.listdir(sql / engine)))
        for engine in ("postgresql", "clickhouse"):
            self.assertTrue(os.access(sql / engine / "load", os.X_OK))
        if (BUILD / "reporter" / "man" / "umaskaudit.1").exists():
            names = {path.name for path in (share / "man").glob("man?/*")}
            self.assertLessEqual({"umaskaudit.1", "umaskaudit-run.1", "umaskaudit.3",
                                  "umaskaudit_annotate.3", "umaskaudit-trace.5"}, names)

    def test_it_says_what_is_left_to_do_for_the_loader(self):
        self.assertIn("run ldconfig", self.said)

    def test_pkg_config(self):
        program = self.compile(env=self.environment)
        self.check_ran(self.execute(program, env={"LD_LIBRARY_PATH": str(self.libdir)}))
        # Declared weak, nothing need be linked, and the preload is found by its variable.
        result = self.execute("pkg-config", "--variable=preload", "umaskaudit",
                              env={"PKG_CONFIG_PATH": str(self.libdir / "pkgconfig")})
        preload = self.destination / result.stdout.decode().strip().lstrip("/")
        self.assertTrue(preload.is_file(), preload)
        weak = self.top / "weak"
        built = self.execute("cc", "-DUMASKAUDIT_WEAK", "-I", self.prefix / "include",
                             self.top / "user.c", "-o", weak)
        self.assertEqual(built.returncode, 0, built.stderr.decode())
        self.check_ran(self.execute(weak, env={"LD_PRELOAD": str(preload),
                                               "UMASKAUDIT_OPTIONS": "log=off"}))
        self.assertEqual(self.execute(weak).stdout, b"")


class Private(Installed):
    """Without DESTDIR, as root: what a user has after `meson install`."""

    def setUp(self):
        super().setUp()
        mounts.enter()
        self.libdir = Path(build_option("prefix")) / build_option("libdir")
        if not str(self.libdir).startswith("/usr/local/"):
            self.skipTest(f"this build installs into {self.libdir}")
        if str(BUILD).startswith("/usr/local/") or shutil.which("meson").startswith("/usr/local/"):
            self.skipTest("the build or meson is below /usr/local")
        etc = self.top / "etc"
        mounts.run("cp", "-a", "/etc", etc)
        for kind, what, where in (("--bind", etc, "/etc"), ("-ttmpfs", "none", "/usr/local"),
                                  ("-ttmpfs", "none", "/var/cache/ldconfig")):
            mounts.run("mount", kind, what, where)
            self.addCleanup(mounts.run, "umount", "-l", where)
        os.makedirs(self.libdir)
        mounts.run("ldconfig")
        os.removedirs(self.libdir)

    def cached(self):
        listed = self.execute("ldconfig", "-p").stdout.decode()
        return [line.split(" => ")[1] for line in listed.splitlines()
                if line.strip().startswith("libumaskaudit")]

    def logged(self, program, preload="libumaskaudit.so"):
        return self.execute(program, env={"LD_PRELOAD": preload})

    def test_the_bare_name_works_at_once(self):
        said = self.install()
        self.assertEqual(self.cached(), [str(self.libdir / "libumaskaudit.so")])
        self.assertIn("LD_PRELOAD=libumaskaudit.so ./app", said)
        program = self.compile()
        result = self.logged(program)
        self.check_ran(result)
        self.assertIn(b"0666 & ~0027 = 0640", result.stderr)
        self.assertNotIn(b"ld.so", result.stderr)
        # As a library that is linked, by the same name.
        self.check_ran(self.execute(program))

    def test_programs_of_32_bits_go_on(self):
        """Their loader says one line, which nothing can prevent; none below a program of ours."""
        if not os.path.exists("/lib/ld-linux.so.2"):
            self.skipTest("no loader for 32 bits")
        self.install()
        program = self.top / "program"
        program.write_bytes(program_of_32_bits("/lib/ld-linux.so.2"))
        program.chmod(0o755)
        if self.execute(program).returncode != 0:
            self.skipTest("programs of 32 bits do not run here")
        result = self.logged(program)
        self.assertEqual((result.returncode, result.stdout), (0, b""))
        self.assertEqual(result.stderr.count(b"\n"), 1, result.stderr)
        self.assertIn(b"ignored", result.stderr)
        result = self.execute("sh", "-c", f"{program}; true",
                              env={"LD_PRELOAD": "libumaskaudit.so"})
        self.assertEqual(result.returncode, 0)
        self.assertNotIn(b"ld.so", result.stderr)

    def test_uninstall_leaves_nothing(self):
        self.install()
        self.assertTrue(harness.tree("/usr/local"))
        # What `ninja uninstall` runs; a second ninja is not for a build whose tests run.
        result = self.execute("meson", "--internal", "uninstall", cwd=BUILD)
        self.assertEqual(result.returncode, 0, result.stdout.decode())
        self.assertEqual(harness.tree("/usr/local"), {})


class Distributed(Installed):
    @needs("dh_missing")
    def test_each_file_belongs_to_a_debian_package(self):
        result = self.execute(SCRIPTS / "deb", "--check", BUILD)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, b"", b""))

    @needs("objcopy", "readelf", "tar")
    def test_an_archive_works_wherever_it_is_unpacked(self):
        result = self.execute(SCRIPTS / "release", "--from", BUILD, "-o", self.top)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        archive, debug = result.stdout.decode().splitlines()
        place = self.top / "a place"
        place.mkdir()
        for name in (archive, debug):
            self.assertEqual(self.execute("tar", "-xzf", name, "-C", place).returncode, 0)
        (folder,) = (path for path in place.iterdir() if not path.name.endswith("-debug"))
        tool = folder / "bin" / "umaskaudit"
        (library,) = folder.rglob("libumaskaudit.so")
        for file in (tool, library):
            sections = self.execute("readelf", "-WSd", file).stdout.decode()
            self.assertNotRegex(sections, r"\.debug_info|\.symtab|RPATH|RUNPATH")
        run = self.top / "run"
        result = self.execute(tool, "run", "-o", run, "--", "mkdir", "made")
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertIn(str(self.work / "made"), self.report(run).creations())
        identity = self.execute("readelf", "-n", tool).stdout.decode()
        identity = identity.split("Build ID: ")[1].split()[0]
        symbols = folder.with_name(folder.name + "-debug") / ".build-id" / identity[:2]
        self.assertTrue((symbols / f"{identity[2:]}.debug").is_file())


if __name__ == "__main__":
    harness.main()
