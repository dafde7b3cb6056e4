"""`whatif` against the same programs really run under the other mask; `diff` of two runs."""

import json
import os

from lib import harness
from lib.harness import Case, needs
from lib.schemas import OURS, validate


def modes_below(top):
    return {path: mode for path, (_, mode) in harness.tree(top).items()}


# What a script does to modes, in every way that the mask plays a part in.
SCRIPT = r"""
mkdir -p a/b/c; : > plain; mkfifo pipe; mkdir sticky; chmod 1777 sticky
(umask 077; : > private; mkdir private.d)
(umask 000; : > open; mkdir open.d)
old=$(umask); umask 007; : > team; umask "$old"; : > after
cp /etc/passwd copied; install -m 600 plain installed; : > later; chmod 640 later
: > temporary; mv temporary renamed; mkdir moved; : > moved/in; mv moved moved.to
umask 022; : > fixed
"""

PYTHON = r"""
import os, socket, subprocess, tempfile
os.mkfifo("py.fifo"); os.mkdir("py.dir", 0o775)
socket.socket(socket.AF_UNIX).bind("py.socket")
open("py.file", "w").close()
os.close(os.open("py.exec", os.O_CREAT, 0o777))
tempfile.NamedTemporaryFile(dir=".", prefix="py.", delete=False).close()
mask = os.umask(0); os.umask(mask)
open("py.after-getter", "w").close()
mask = os.umask(0o077); open("py.private", "w").close()
subprocess.check_call(["touch", "py.child-of-private"])
os.umask(mask); open("py.restored", "w").close()
if os.fork() == 0:
    open("py.forked", "w").close(); os._exit(0)
os.wait()
"""


class WhatIf(Case):
    """The prediction for another mask against the same program, really run under it."""

    def predicted(self, trace, mask, *options):
        answer = json.loads(self.tool("whatif", trace, "--umask", mask, "--format", "json",
                                      *options))
        self.assertEqual(validate(answer, OURS / "whatif.schema.json"), [])
        return answer

    def compare(self, command, masks, recorded_under=0o022, least=10):
        os.umask(recorded_under)
        _, trace = self.record(*command)
        recorded = modes_below(self.work)
        self.assertGreaterEqual(len(recorded), least)
        for mask in masks:
            harness.remove_tree(self.work)
            self.work.mkdir()
            os.umask(mask)
            result = self.execute(*command)
            self.assertEqual(result.returncode, 0, result.stderr)
            real = modes_below(self.work)
            os.umask(0o022)
            answer = self.predicted(trace, f"{mask:03o}")
            expected = dict(recorded)
            for one in answer["changed"]:
                name = os.path.relpath(one["path"], self.work)
                if one["path"].startswith(str(self.work)) and not one["removed"]:
                    self.assertEqual(one["mode"], recorded[name], one)
                    expected[name] = one["mode_then"]
            self.assertEqual({k: expected[k] for k in expected if "py._" not in k and k in real},
                             {k: real[k] for k in real if k in expected}, f"under {mask:04o}")
            changed = {name for name in real if name in recorded and real[name] != recorded[name]}
            told = {os.path.relpath(one["path"], self.work) for one in answer["changed"]
                    if one["path"].startswith(str(self.work))}
            self.assertEqual(changed, told & set(recorded))
            self.assertEqual(answer["unpredictable"], [])
        return trace

    def test_shell(self):
        self.compare(["sh", "-c", SCRIPT], (0o027, 0o077, 0o002, 0, 0o022), least=19)

    def test_bash(self):
        self.compare(["bash", "-c", SCRIPT], (0o027, 0), least=19)

    def test_python(self):
        self.compare(["/usr/bin/python3", "-c", PYTHON], (0o027, 0o002, 0o070), least=11)

    def test_recorded_under_a_strict_mask(self):
        self.compare(["sh", "-c", "mkdir -p d/e; : > f; umask 027; : > g"], (0o022, 0), 0o077, 4)

    @needs("setfacl")
    def test_default_acl(self):
        script = ("mkdir acl; setfacl -d -m u::rwx,g::rwx,o::r acl; : > acl/file; mkdir acl/dir;"
                  ": > plain")
        trace = self.compare(["sh", "-c", script], (0o027, 0o077), least=4)
        answer = self.predicted(trace, "077")
        self.assertEqual(answer["counts"]["default_acl"], 2)

    def test_who_loses_what(self):
        os.umask(0o022)
        _, trace = self.record("sh", "-c", ": > file; mkdir dir; chmod 600 file")
        answer = self.predicted(trace, "u=rwx,g=x,o=")
        one, = answer["changed"]
        self.assertEqual((one["mode"], one["mode_then"]), ("0755", "0710"))
        self.assertEqual((one["loses"], one["gains"]), ({"group": "r", "others": "rx"}, {}))
        self.assertEqual(one["change"], "g-r,o-rx")
        self.assertEqual(answer["counts"]["chmod"], 1)
        text = self.tool("whatif", trace, "--umask", "067")
        self.assertIn("others may no longer enter directories: 1", text)

    def test_everywhere(self):
        os.umask(0o022)
        _, trace = self.record("sh", "-c", "umask 077; : > file")
        self.assertEqual(self.predicted(trace, "027")["changed"], [])
        one, = self.predicted(trace, "027", "--everywhere")["changed"]
        self.assertEqual((one["mode"], one["mode_then"]), ("0600", "0640"))

    def test_errors(self):
        os.umask(0o022)
        _, trace = self.record("true")
        for arguments in (["--umask", "9"], ["--umask", "u=z"], []):
            result = self.execute(harness.TOOL, "whatif", trace, *arguments)
            self.assertEqual(result.returncode, 2, result.stderr)


class Diff(Case):
    def record_both(self, first, second, masks=(0o022, 0o022), places=("here", "there")):
        """Records two shell scripts, each in a directory of its own, as two machines would."""
        traces = []
        for script, mask, place in zip((first, second), masks, places):
            directory = self.work / place
            directory.mkdir(exist_ok=True)
            os.umask(mask)
            _, trace = self.record("bash", "-c", script, cwd=directory)
            traces.append(trace)
        os.umask(0o022)
        return traces

    def diff(self, traces, *options, status):
        answer = json.loads(self.tool("diff", *traces, "--format", "json", *options,
                                      status=status))
        self.assertEqual(validate(answer, OURS / "diff.schema.json"), [])
        self.assertEqual(answer["same"], status == 0)
        self.tool("diff", *traces, *options, status=status)
        return answer

    def steps(self, answer):
        return {one["name"]: (one["difference"], {step["step"]: (step["a"], step["b"])
                                                  for step in one["steps"]})
                for one in answer["objects"]}

    def test_the_same_program_twice_is_no_difference(self):
        script = ("mkdir -p a/b; : > f; old=$(umask); umask 077; t=$(mktemp -d ./tmp.XXXXXXXXXX);"
                  ": > $t/in; : > pid.$$; : > x.$BASHPID; mktemp -p . >/dev/null; umask $old")
        traces = self.record_both(script, script)
        answer = self.diff(traces, status=0)
        self.assertGreaterEqual(answer["alike"], 6)
        for side in "ab":
            same = answer[side]["read_as_same"]
            self.assertGreater(min(same["below_root"], same["temp"], same["pid"]), 0, same)
        exact = self.diff(traces, "--exact", status=1)
        self.assertEqual({one["difference"] for one in exact["objects"]}, {"only-a", "only-b"})

    def test_names_of_pythons_tempfile(self):
        """By whatever prefix and suffix, and the one by which it tries a directory; a name of the
        program's own that looks alike is its own."""
        script = ("import os, tempfile as t; d = t.mkdtemp(prefix='app-', dir='.'); "
                  "open(d + '/in', 'w').close(); t.mkstemp(suffix='.log', dir='.'); "
                  "t.NamedTemporaryFile(delete=False); os.mkdir('my-{}', 0o700)")
        traces = [self.record("/usr/bin/python3", "-c", script.format(name),
                              env={"TMPDIR": str(self.work)})[1]
                  for name in ("password", "document")]
        answer = self.diff(traces, status=1)
        self.assertEqual({one["name"] for one in answer["objects"]},
                         {"./my-password", "./my-document"}, answer["objects"])

    def test_each_step_is_named(self):
        traces = self.record_both(
            ": > masked; mkdir asked; : > changed; : > old; : > fifo; : > both",
            "umask 027; : > masked; umask 022; mkdir -m 700 asked; : > changed; chmod 600 changed;"
            ": > new; mkfifo fifo; : > both")
        answer = self.diff(traces, status=1)
        steps = self.steps(answer)
        self.assertEqual(steps["./masked"], ("mode", {"umask": ("0022", "0027")}))
        self.assertEqual(steps["./changed"][1]["chmod"][0], "none")
        self.assertEqual(steps["./fifo"][1]["kind"], ("file", "fifo"))
        self.assertEqual(steps["./old"][0], "only-a")
        self.assertEqual(steps["./new"][0], "only-b")
        self.assertIn("./asked", steps)
        self.assertNotIn("./both", steps)
        self.assertTrue(answer["mask_changes"])
        one = next(one for one in answer["objects"] if one["name"] == "./masked")
        self.assertEqual(one["a"][0]["mask_from"], "inherited")
        self.assertNotEqual(one["b"][0]["mask_from"], "inherited")

    def test_another_inherited_mask(self):
        traces = self.record_both(": > f; mkdir d", ": > f; mkdir d", masks=(0o022, 0o077))
        answer = self.diff(traces, status=1)
        self.assertTrue(answer["inherited_differs"])
        self.assertEqual(self.steps(answer)["./f"], ("mode", {"umask": ("0022", "0077")}))
        self.assertEqual(answer["mask_changes"], [])

    @needs("setfacl")
    def test_a_default_acl_on_one_machine(self):
        traces = self.record_both("mkdir d; : > d/f",
                                  "mkdir d; setfacl -d -m u::rwx,g::rwx,o::- d; : > d/f")
        self.assertIn("default-acl", self.steps(self.diff(traces, status=1))["./d/f"][1])

    def test_renamed_objects_are_compared_under_their_last_name(self):
        traces = self.record_both(": > one.tmp; mv one.tmp final; mkdir x; : > x/in; mv x y",
                                  ": > two.tmp; mv two.tmp final; mkdir z; : > z/in; mv z y")
        self.diff(traces, status=0)

    def test_roots_and_expressions(self):
        traces = self.record_both(f"cd /; : > {self.work}/here/v1.2",
                                  f"cd /; : > {self.work}/there/v1.3")
        self.diff(traces, status=1)
        self.diff(traces, "--same", "v[0-9.]+", status=0)
        self.diff(traces, "--root-a", self.work, "--root-b", self.work, "--same", "(t)?here/.*",
                  status=0)
        result = self.execute(harness.TOOL, "diff", *traces, "--same", "(")
        self.assertEqual(result.returncode, 2, result.stderr)

    def test_a_run_that_is_none(self):
        traces = self.record_both("true", "true")
        result = self.execute(harness.TOOL, "diff", traces[0], self.work)
        self.assertEqual(result.returncode, 3, result.stderr)


if __name__ == "__main__":
    harness.main()
