"""Names of generated code: the maps that runtimes leave in /tmp/perf-PID.map."""

import io
import json
import platform
import subprocess
import tarfile
import unittest
from pathlib import Path

from lib import harness
from lib.harness import Case, needs, truths_of, victim


@unittest.skipUnless(platform.machine() == "x86_64", "the victim generates x86-64 code")
class Names(Case):
    def setUp(self):
        super().setUp()
        result, self.run_directory = self.record(victim("generated_code"), self.work)
        self.truths = truths_of(result)
        self.pid = self.report(self.run_directory).creations()[self.truths[0]["path"]][0]["pid"]
        # As a reboot does.
        Path(f"/tmp/perf-{self.pid}.map").unlink()

    def check_names(self, run):
        made = self.report(run).creations()
        for truth in self.truths:
            event, = made[truth["path"]]
            generated = [frame.get("symbol", "") for frame in event["stack"]
                         if not frame["module"]]
            self.assertEqual(generated, [truth["function"]], event["stack"])

    def test_each_function_of_the_map(self):
        self.assertEqual(len(self.truths), 3)
        self.check_names(self.run_directory)
        kept = self.run_directory / f"perf-{self.pid}.map"
        self.assertEqual(kept.stat().st_mode & 0o7777, 0o600)

    def test_text(self):
        story = self.tool("blame", self.run_directory, self.truths[0]["path"])
        self.assertRegex(story, r"#1 app::Store::put \(generated code 0x[0-9a-f]+\)")
        nameless = self.tool("blame", self.run_directory, self.truths[2]["path"])
        self.assertRegex(nameless, r"#1 \?\? \(generated code 0x[0-9a-f]+\)")

    def test_packed(self):
        pack = self.top / "run.uapack"
        self.tool("pack", self.run_directory, "-o", pack)
        self.check_names(pack)

    def test_attached(self):
        """The map was written long before the recording, by the process that is recorded."""
        for path in self.work.iterdir():
            path.rmdir()
        run = self.new_run()
        with subprocess.Popen([victim("generated_code"), self.work, "wait"], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
            self.addCleanup(Path(f"/tmp/perf-{program.pid}.map").unlink)
            self.assertEqual(program.stdout.readline(), "ready\n")
            with subprocess.Popen([harness.TOOL, "attach", str(program.pid), "-o", run],
                                  text=True, stderr=subprocess.PIPE) as recorder:
                self.assertIn("attached to", recorder.stderr.readline())
                self.truths = [json.loads(line)
                               for line in program.communicate()[0].splitlines()]
                recorder.communicate()
        self.assertEqual(len(self.truths), 3)
        self.check_names(run)

    @needs("zstd")
    def test_code_without_names_takes_no_room_in_a_pack(self):
        (self.run_directory / f"perf-{self.pid}.map").unlink()
        pack = self.top / "run.uapack"
        self.tool("pack", self.run_directory, "-o", pack)
        unpacked = subprocess.run(["zstd", "-qdc", pack], check=True, stdout=subprocess.PIPE).stdout
        with tarfile.open(fileobj=io.BytesIO(unpacked)) as archive:
            names = archive.extractfile("names.json").read()
        self.assertIn(b"generated_code", names)
        self.assertNotIn(b"perf-", names)

    def test_the_directory_may_be_taken_again(self):
        result = self.execute(harness.TOOL, "run", "--force", "-o", self.run_directory, "--",
                              "true")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(list(self.run_directory.glob("perf-*")), [])


if __name__ == "__main__":
    harness.main()
