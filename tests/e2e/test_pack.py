"""A run in one file: read where nothing of its programs is, with the same report to the byte."""

import io
import json
import os
import shutil
import stat
import subprocess
import tarfile

from lib import harness
from lib.harness import TOOL, Case, needs

RACE = """#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <thread>

void open_up() {
  mode_t old = umask(0);  // the cause
  std::thread([] { close(open("via/made", O_CREAT | O_WRONLY, 0666)); }).join();  // the hit
  umask(old);
}

int main() { open_up(); }
"""


class Packed(Case):
    def compiled(self):
        (self.work / "race.cc").write_text(RACE)
        (self.work / "there").mkdir()
        (self.work / "via").symlink_to("there")
        subprocess.run(["c++", "-g", "-O1", "-pthread", "race.cc", "-o", "race"], cwd=self.work,
                       check=True)
        run = self.record("./race")[1]
        self.assertEqual(stat.S_IMODE(os.stat(self.work / "there/made").st_mode), 0o666)
        return run

    def pack(self, run, name="one.uapack", status=0):
        result = self.execute(TOOL, "pack", run, "-o", name)
        self.assertEqual(result.returncode, status, result.stderr.decode(errors="replace"))
        return self.work / name

    def answers(self, run):
        """What commands say of the run, with its name taken out."""
        commands = (("report", "--all"), ("check",), ("check", "--format", "sarif"),
                    ("report", "--format", "jsonl"), ("report", "--format", "html"),
                    ("threads", "--stacks"), ("timeline",), ("report", "--native"),
                    ("explain", None, str(self.work / "there/made")))
        told = {}
        for command in commands:
            words = [str(run) if word is None else word for word in command]
            if None not in command:
                words.append(str(run))
            result = self.execute(TOOL, *words)
            told[command] = result.stdout.replace(str(run).encode(), b"RUN")
        return told

    # The program, its source, the directory of the link: gone before the pack is read. Each of them
    # changes an answer, which is shown by the unpacked run.
    def test_is_read_where_nothing_of_it_is(self):
        run = self.compiled()
        before = self.answers(run)
        self.assertIn(b"race.cc:7 | mode_t old = umask(0);", before[("check",)])
        self.assertTrue(all(before.values()))
        packed = self.pack(run)
        self.assertEqual(stat.S_IMODE(packed.stat().st_mode), 0o600)
        for name in ("race", "race.cc", "via"):
            (self.work / name).unlink()
        shutil.rmtree(self.work / "there")
        self.assertEqual(self.answers(packed), before)
        changed = [command for command, told in self.answers(run).items()
                   if told != before[command]]
        self.assertIn(("check",), changed)
        self.assertIn(("report", "--all"), changed)

    def test_is_packed_again(self):
        first = self.pack(self.compiled())
        second = self.pack(first, "two.uapack")
        self.assertEqual(self.answers(second), self.answers(first))

    def test_the_disk_of_the_reader_is_not_that_of_the_run(self):
        run = self.compiled()
        packed = self.pack(run)
        made = self.work / "there/made"
        made.chmod(0o600)
        self.assertIn("changed since",
                      self.execute(TOOL, "blame", run, made).stdout.decode())
        told = self.execute(TOOL, "blame", packed, made).stdout.decode()
        self.assertIn("not looked at", told)
        self.assertNotIn("changed since", told)
        of_run, of_pack = (json.loads(self.execute(
            TOOL, "blame", "--format", "json", one, made).stdout) for one in (run, packed))
        self.assertIn("on_disk", of_run["objects"][0])
        self.assertNotIn("on_disk", of_pack["objects"][0])

    # Nothing is left where it was unpacked, whatever became of it.
    def test_leaves_nothing_behind(self):
        place = self.work / "place"
        place.mkdir()
        packed = self.pack(self.record("sh", "-c", "umask 027; echo > made")[1])
        (self.work / "half.uapack").write_bytes(packed.read_bytes()[:-400])
        for name, code in (("one", 0), ("half", 3)):
            result = self.execute(TOOL, "report", f"{name}.uapack", env={"TMPDIR": str(place)})
            self.assertEqual(result.returncode, code, result.stderr)
            self.assertEqual(list(place.iterdir()), [])
        self.assertIn(b"damaged", result.stderr)
        result = self.execute(TOOL, "report", "one.uapack", env={"TMPDIR": str(place / "none")})
        self.assertEqual(result.returncode, 3)
        self.assertIn(b"TMPDIR", result.stderr)

    def hostile(self, *members):
        """An archive with these beside a run's files: (name, type, link)."""
        run = self.record("sh", "-c", "echo > made")[1]
        bytes_ = io.BytesIO()
        with tarfile.open(fileobj=bytes_, mode="w") as archive:
            for file in sorted(run.iterdir()):
                archive.add(file, file.name)
            for name, kind, link in members:
                info = tarfile.TarInfo(name)
                info.type, info.linkname = kind, link
                archive.addfile(info, io.BytesIO(b""))
        subprocess.run(["zstd", "-q", "-f", "-o", self.work / "bad.uapack"],
                       input=bytes_.getvalue(), check=True)
        place = self.work / "deep" / "place"
        place.mkdir(parents=True, exist_ok=True)
        result = self.execute(TOOL, "report", "bad.uapack", env={"TMPDIR": str(place)})
        self.assertEqual(list(place.iterdir()), [])
        self.assertEqual([path.name for path in (self.work / "deep").iterdir()], ["place"])
        return result

    @needs("zstd")
    def test_what_is_no_run_is_not_unpacked(self):
        self.assertEqual(self.hostile().returncode, 0)
        outside = self.work / "outside"
        for member in (("../out", tarfile.REGTYPE, ""), (str(outside), tarfile.REGTYPE, ""),
                       ("other", tarfile.REGTYPE, ""), ("a/run.json", tarfile.REGTYPE, ""),
                       ("names.json", tarfile.SYMTYPE, str(outside)),
                       ("names.json", tarfile.LNKTYPE, "run.json"),
                       ("names.json", tarfile.FIFOTYPE, ""), ("names.json", tarfile.DIRTYPE, ""),
                       ("run.json", tarfile.REGTYPE, "")):  # twice
            result = self.hostile(member)
            self.assertEqual(result.returncode, 3, member)
            self.assertFalse(outside.exists())

    @needs("zstd")
    def test_facts_of_a_hostile_pack_are_only_words(self):
        run = self.compiled()
        with tarfile.open(fileobj=io.BytesIO(subprocess.run(
                ["zstd", "-qdc", self.pack(run)], check=True,
                stdout=subprocess.PIPE).stdout)) as archive:
            names = json.loads(archive.extractfile("names.json").read())
        for text in (b"{", b"[]", b'{"modules": 1, "lines": []}', b"\xff" * 100, b"[" * 500_000,
                     json.dumps({**names, "lines": [["x", -1, "known", 3]]}).encode()):
            bytes_ = io.BytesIO()
            with tarfile.open(fileobj=bytes_, mode="w") as archive:
                for file in sorted(run.iterdir()):
                    archive.add(file, file.name)
                for name in ("names.json", "links.json", "appeared.json"):
                    info = tarfile.TarInfo(name)
                    info.size = len(text)
                    archive.addfile(info, io.BytesIO(text))
            subprocess.run(["zstd", "-q", "-f", "-o", self.work / "bad.uapack"],
                           input=bytes_.getvalue(), check=True)
            result = self.execute(TOOL, "check", "bad.uapack")
            self.assertEqual(result.returncode, 1, result.stderr)

    def test_has_a_name_by_itself(self):
        self.record("sh", "-c", "echo > made")
        result = self.execute(TOOL, "pack", self.top / "run1")
        self.assertEqual(result.stdout, b"run1.uapack\n")
        self.assertTrue((self.work / "run1.uapack").exists())

    # A barrier in the program: it waits for a line that comes after the attempt.
    def test_not_while_it_is_recorded(self):
        run = self.new_run()
        with subprocess.Popen([TOOL, "run", "-o", run, "--", "sh", "-c", "echo ready; read line"],
                              cwd=self.work, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as recorder:
            self.assertEqual(recorder.stdout.readline(), b"ready\n")
            result = self.execute(TOOL, "pack", run)
            recorder.stdin.write(b"\n")
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"snapshot", result.stderr)

    def test_bytes_that_are_no_text(self):
        name = b"m\xffa\xc3\xa9\n\x1b[2J"
        run = self.record("touch", name)[1]
        packed = self.pack(run)
        self.assertEqual(self.execute(TOOL, "report", "--all", packed).stdout.replace(
            bytes(packed), b"RUN"),
            self.execute(TOOL, "report", "--all", run).stdout.replace(bytes(run), b"RUN"))


if __name__ == "__main__":
    harness.main()
