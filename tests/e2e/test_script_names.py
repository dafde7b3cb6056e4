"""The name of the script where no frames of it can be read: from a first line that begins with #!,
and from the first argument of an interpreter that is known by its name. The interpreters are copies
of touch(1), whose other arguments are the files that it makes, and Tcl's.
"""

import shutil

from lib import harness
from lib.harness import needs, victim
from lib.script_stacks import StackCase

TOUCH = shutil.which("touch")


class Names(StackCase):
    language = "script"

    def program(self, name):
        copy = self.top / name
        shutil.copy(TOUCH, copy)
        return copy

    def script(self, name, first_line=""):
        path = self.top / name
        path.write_text(first_line + "\n")
        path.chmod(0o755)
        return path

    def frames(self, *command, made, **options):
        """Of the event that made the file."""
        result, run = self.record(*command, **options)
        self.assertEqual((result.returncode, made.exists()), (0, True))
        made.unlink()
        return self.recorded(self.report(run))[str(made)]

    def test_of_a_first_line(self):
        made = self.top / "made"
        plain = self.script("plain", f"#!{TOUCH}")
        option = self.script("option", f"#!{TOUCH} -m")
        launched = self.script("launched", f"#!/usr/bin/env {self.program('lua5.4')}")
        for script in (plain, option, launched):
            with self.subTest(script=script):
                self.assertEqual(self.frames(script, made, made=made), [[str(script), 0, ""]])
                blind = self.frames("sh", "-c", 'cd / && "$@"', "sh", script, made, made=made)
                self.assertEqual(blind, [[str(script), 0, ""]])
        self.assertEqual(self.frames("./plain", made, made=made, cwd=self.top),
                         [["./plain", 0, ""]])

    def test_of_the_first_argument(self):
        made = self.top / "made"
        script = self.script("make.lua")
        lua = self.program("lua5.4")
        for arguments, name in (([script], script), (["-d", "now", script], script),
                                (["make.lua"], "make.lua"), (["-m", script], None)):
            with self.subTest(arguments=arguments):
                wanted = [] if name is None else [[str(name), 0, ""]]
                got = self.frames(lua, *arguments, made, made=made, cwd=self.top)
                self.assertEqual(got, wanted)

    def test_not_of_a_program(self):
        """Another name; and a program that works on its own file, under a name as short as a shell
        gives it."""
        made = self.top / "made"
        script = self.script("make.lua")
        program = self.program("luatool")
        self.assertEqual(self.frames(program, script, made, made=made), [])
        called = f"exec -a touch {program} {program} {made}"
        self.assertEqual(self.frames("bash", "-c", called, made=made), [])
        link = self.top / "link"
        link.symlink_to(program)
        called = f"exec -a touch {link} {link} {made}"
        self.assertEqual(self.frames("bash", "-c", called, made=made), [])

    def test_arguments_that_lead_nowhere(self):
        copy = self.top / "lua5.4"
        shutil.copy(victim("replaces_arguments"), copy)
        made = self.top / "made"
        self.assertEqual(self.frames(copy, made, made=made), [])

    @needs("tclsh")
    def test_tcl(self):
        script = self.script("make.tcl")
        script.write_text("file mkdir $argv\nexec mkdir $argv/child\n")
        _, run = self.record("tclsh", script, self.top / "made")
        self.assertEqual({path: events for path, events in self.recorded(self.report(run)).items()
                          if path.startswith(str(self.top / "made"))},
                         {f"{self.top}/made": [[str(script), 0, ""]],
                          f"{self.top}/made/child": []})
        said = self.tool("blame", run, self.top / "made")
        self.assertIn(f"    #0 {script} (script)\n    ... ", said)
        self.assertIn(f"started by {script} (script)\n",
                      self.tool("blame", run, self.top / "made" / "child"))
        self.assertIn(", make.tcl", self.tool("report", run))

    def test_nothing_changes_for_the_program(self):
        script = self.script("make.lua")
        lua = self.program("lua5.4")
        self.check_same(lua, script, self.work / "made")


if __name__ == "__main__":
    harness.main()
