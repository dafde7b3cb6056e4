"""The files of reporter/recipes: run where their tool is there, else parsed.

What tests make is judged by stat(2), exit codes of tools by what their tests do.
"""

import importlib
import json
import os
import shlex
import shutil
import stat
import subprocess
import sys
from pathlib import Path

from lib import harness
from lib.harness import Case, needs

RECIPES = Path(__file__).resolve().parents[2] / "reporter" / "recipes"
PYTHON = "/usr/bin/python3"

TESTS = """
import os
def test_open():
    os.close(os.open("open-to-all", os.O_CREAT | os.O_WRONLY, 0o666))
    os.chmod("open-to-all", 0o666)
def test_closed():
    os.close(os.open("closed", os.O_CREAT | os.O_WRONLY, 0o600))
"""

PROGRAM = """
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
int main(void) {
  umask(0);
  unlink("made-%s");
  return open("made-%s", O_CREAT | O_WRONLY, 0%o) < 0;
}
"""


def has_module(name):
    result = subprocess.run([PYTHON, "-c", f"import {name}"], check=False,
                            stderr=subprocess.DEVNULL)
    return result.returncode == 0


def tool_first():
    """PATH with the tool that is tested in front."""
    return f"{os.path.dirname(harness.TOOL)}:{os.environ['PATH']}"


class Recipes(Case):
    def run_in(self, folder, *command, status=0, **environment):
        result = subprocess.run([str(word) for word in command], cwd=folder, check=False,
                                capture_output=True, text=True,
                                env={**os.environ, "PATH": tool_first(), **environment})
        if status is not None:
            self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result

    def test_pytest(self):
        if not has_module("pytest"):
            self.skipTest("python3-pytest is not installed")
        (self.work / "test_files.py").write_text(TESTS, encoding="utf-8")
        _, run = self.record(PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p",
                             "umaskaudit_pytest",
                             env={"PYTHONPATH": str(RECIPES), "PYTHONDONTWRITEBYTECODE": "1"})
        self.assertEqual(stat.S_IMODE(os.stat(self.work / "open-to-all").st_mode), 0o666)
        result = self.run_in(self.work, PYTHON, RECIPES / "umaskaudit_pytest.py", run, status=1)
        lines = result.stdout.splitlines()
        self.assertIn("test_files.py::test_open: world-writable", lines)
        self.assertFalse([line for line in lines if "test_closed" in line], lines)

    def test_pytest_alone(self):
        if not has_module("pytest"):
            self.skipTest("python3-pytest is not installed")
        (self.work / "test_files.py").write_text(TESTS, encoding="utf-8")
        self.run_in(self.work, PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p",
                    "umaskaudit_pytest", PYTHONPATH=str(RECIPES), PYTHONDONTWRITEBYTECODE="1")

    def programs(self):
        """One that leaves a file open to all, and one that does not. What lies below a directory of
        one's own would be open to nobody."""
        self.top.chmod(0o711)
        self.work.chmod(0o755)
        for name, mode in (("open", 0o666), ("closed", 0o600)):
            (self.work / f"{name}.c").write_text(PROGRAM % (name, name, mode), encoding="utf-8")

    @needs("meson", "ninja", "cc")
    def test_meson(self):
        self.programs()
        (self.work / "meson.build").write_text(
            "project('t', 'c')\n" + (RECIPES / "test_setup.meson").read_text(encoding="utf-8") +
            "foreach name : ['open', 'closed']\n"
            "  test(name, executable(name, name + '.c'))\nendforeach\n", encoding="utf-8")
        self.run_in(self.work, "meson", "setup", "build")
        self.run_in(self.work, "meson", "test", "-C", "build")
        for how in (["--setup", "umask"], ["--wrapper", "umaskaudit run --quiet --check"]):
            with self.subTest(how=how):
                self.run_in(self.work, "meson", "test", "-C", "build", *how, "closed")
                self.run_in(self.work, "meson", "test", "-C", "build", *how, "open", status=1)

    @needs("cmake", "ctest", "cc")
    def test_ctest(self):
        self.programs()
        shutil.copy(RECIPES / "umaskaudit.cmake", self.work)
        (self.work / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.10)\nproject(t C)\nenable_testing()\n"
            "include(umaskaudit.cmake)\nforeach(name open closed)\n"
            "  add_executable(${name} ${name}.c)\n  add_test(NAME ${name} COMMAND ${name})\n"
            "endforeach()\n", encoding="utf-8")
        for flag, status in (("OFF", 0), ("ON", 8)):
            build = self.work / flag
            self.run_in(self.work, "cmake", "-S", ".", "-B", build, f"-DUMASKAUDIT={flag}")
            self.run_in(self.work, "cmake", "--build", build)
            result = self.run_in(build, "ctest", status=status)
            failed = [line for line in result.stdout.splitlines() if "***Failed" in line]
            self.assertEqual(len(failed), 1 if status else 0, result.stdout)
            self.assertTrue(all(" open " in line for line in failed), failed)

    def test_code_quality(self):
        script = self.work / "made.py"
        script.write_text("import os\nos.umask(0)\nopen('x', 'w').close()\n", encoding="utf-8")
        _, run = self.record(PYTHON, "made.py")
        self.assertEqual(stat.S_IMODE(os.stat(self.work / "x").st_mode), 0o666)
        issues = json.loads(self.run_in(self.work, PYTHON, RECIPES / "code_quality.py", run).stdout)
        self.assertTrue(issues)
        for issue in issues:
            self.assertEqual(issue["location"]["path"], "made.py")
            self.assertIn(issue["location"]["lines"]["begin"], (2, 3))
        self.assertEqual(len({issue["fingerprint"] for issue in issues}), len(issues))

    def test_policy(self):
        self.tool("check", "--validate", "--policy", RECIPES / "policy.toml")
        bad = self.work / "bad.toml"
        bad.write_text('[[path]]\nwidest = 3\n', encoding="utf-8")
        result = self.execute(harness.TOOL, "check", "--validate", "--policy", bad)
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"bad.toml:2:10", result.stderr)

    def test_yaml(self):
        if not has_module("yaml"):
            self.skipTest("python3-yaml is not installed")
        sys.path.append("/usr/lib/python3/dist-packages")
        yaml = importlib.import_module("yaml")
        loaded = {path.name: yaml.safe_load(path.read_text(encoding="utf-8"))
                  for path in RECIPES.glob("*.y*ml")}
        self.assertEqual(len(loaded), 3)
        steps = loaded["github-workflow.yml"]["jobs"]["umask"]["steps"]
        self.assertTrue(all("uses" in step or "run" in step for step in steps))
        self.assertTrue(loaded["gitlab-ci.yml"]["umask"]["script"])
        # What pre-commit does with an entry: it splits it, and adds the names of files.
        good, bad = self.work / "umask-policy.toml", self.work / "bad.toml"
        shutil.copy(RECIPES / "policy.toml", good)
        bad.write_text("[[path]]\nwidest = 3\n", encoding="utf-8")
        hook = loaded["pre-commit-hooks.yaml"][0]["hooks"][0]
        self.run_in(self.work, *shlex.split(hook["entry"]), good, good)
        self.run_in(self.work, *shlex.split(hook["entry"]), good, bad, status=2)

    @needs("systemd-analyze")
    def test_systemd(self):
        unit = self.work / "umask-test.service"
        unit.write_text("[Unit]\nDescription=Test\n[Service]\nExecStart=/bin/true\n",
                        encoding="utf-8")
        drop_in = self.work / "umask-test.service.d"
        drop_in.mkdir()
        shutil.copy(RECIPES / "service.conf", drop_in)
        result = self.run_in(self.work, "systemd-analyze", "verify", "--man=no", unit, status=None)
        if "not booted" in result.stderr.lower() or "Failed to initialize" in result.stderr:
            self.skipTest(result.stderr.splitlines()[0])
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("service.conf", result.stderr)
        # The same names a line that systemd does not know.
        (drop_in / "service.conf").write_text("[Service]\nUMaks=0027\n", encoding="utf-8")
        result = self.run_in(self.work, "systemd-analyze", "verify", "--man=no", unit, status=None)
        self.assertIn("UMaks", result.stderr)

    def test_dockerfile(self):
        """Instructions only, and what it sets is what the library reads."""
        text = (RECIPES / "Dockerfile").read_text(encoding="utf-8")
        lines = [line for line in text.replace("\\\n", " ").splitlines()
                 if line and not line.startswith("#")]
        self.assertEqual({line.split()[0] for line in lines},
                         {"ARG", "FROM", "COPY", "RUN", "VOLUME", "ENV"})
        self.assertIn("LD_PRELOAD=libumaskaudit.so", lines[-1])

    def test_all_are_installed(self):
        listed = (RECIPES / "meson.build").read_text(encoding="utf-8")
        readme = (RECIPES / "README.md").read_text(encoding="utf-8")
        for path in RECIPES.iterdir():
            if path.name in ("meson.build", "__pycache__"):
                continue
            self.assertIn(f"'{path.name}'", listed)
            if path.name != "README.md":
                self.assertIn(f"`{path.name}`", readme)


if __name__ == "__main__":
    harness.main()
