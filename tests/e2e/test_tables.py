"""Runs as tables, and the questions that are asked of them: held against stat and the kernel."""

import json
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

from lib import harness
from lib.harness import TOOL, Case, needs, octal, truths_of, victim

TABLES = json.loads((Path(__file__).resolve().parents[2] / "reporter/fleet/tables.json")
                    .read_text(encoding="utf-8"))
HOSTILE = b"a;b\x1b[31m\n\t\\'\"\xff\xe2\x80\xae <script>"
ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u\{([0-9a-f]+)\}|(.))")


def bytes_of(text):
    """What escape() has escaped, as the manual says it can be had back."""
    out, at = b"", 0
    for match in ESCAPE.finditer(text):
        out += text[at:match.start()].encode()
        byte, point, letter = match.groups()
        if byte:
            out += bytes([int(byte, 16)])
        elif point:
            out += chr(int(point, 16)).encode()
        else:
            out += {"n": b"\n", "t": b"\t", "r": b"\r"}.get(letter, letter.encode())
        at = match.end()
    return out + text[at:].encode()


class Lake(Case):
    def setUp(self):
        super().setUp()
        self.lake = self.top / "lake"

    def ran(self, *words, status=0):
        result = self.execute(TOOL, *words)
        self.assertEqual(result.returncode, status, result.stderr.decode(errors="replace"))
        return result

    def export(self, run):
        """The directory of the run in the lake."""
        result = self.ran("export", run, "--format", "tables", "-o", self.lake)
        return Path(result.stdout.decode().strip())

    def rows(self, place, table):
        text = subprocess.run(["zstd", "-dcq", place / f"{table}.jsonl.zst"], check=True,
                              stdout=subprocess.PIPE).stdout.decode()
        rows = [json.loads(line) for line in text.splitlines()]
        for row in rows:
            self.check_row(table, row)
        return rows

    def check_row(self, table, row):
        """Columns and types are those of tables.json, in its order."""
        columns = TABLES["common"] + TABLES["tables"][table]["columns"]
        names = [column[0] for column in columns]
        columns = [column[:3] for column in columns]
        self.assertEqual(list(row), [name for name in names if name in row])
        for name, kind, _ in columns:
            if name not in row:
                self.assertTrue(kind.endswith("?"), f"{table}.{name} is missing")
                continue
            wanted = {"text": str, "date": str, "integer": int, "boolean": bool}[kind.strip("?")]
            self.assertIs(type(row[name]), wanted, f"{table}.{name}")

    def fleet(self, *words, status=0):
        return self.ran("fleet", self.lake, *words, status=status)

    def answer(self, question, *words, status=0):
        text = self.fleet(question, "--format", "json", *words, status=status).stdout
        return [json.loads(line) for line in text.splitlines()]


class Rows(Lake):
    def test_objects_of_a_race_are_as_fstat_says(self):
        result, run = self.record(victim("threads_umask"), self.work, 200, 2000)
        truths = truths_of(result)
        setter = truths.pop()
        place = self.export(run)
        objects = {row["path"]: row for row in self.rows(place, "objects")}
        for truth in truths:
            row = objects[truth["path"]]
            self.assertEqual((octal(row["born_mode"]), octal(row["mode"]), row["state"]),
                             (truth["final"], truth["final"], "there"))
            self.assertEqual(row["mode"], stat.S_IMODE(os.stat(truth["path"]).st_mode))
            self.assertEqual((row["dev"], row["ino"]),
                             (os.stat(truth["path"]).st_dev, os.stat(truth["path"]).st_ino))
            self.assertEqual((row["other_read"], row["other_write"], row["group_write"]),
                             tuple(bool(row["mode"] & bit) for bit in (4, 2, 16)))
        changes = self.rows(place, "umask_changes")
        told = sum(row["times"] for row in changes if row["tid"] == setter["tid"])
        self.assertEqual(told, setter["umask_calls"])
        stacks = {row["stack"] for row in self.rows(place, "stacks")}
        for row in [*objects.values(), *changes]:
            self.assertIn(row["stack"], stacks)
        self.assertEqual({row["stack"] for row in self.rows(place, "frames")}, stacks)

    def test_every_table_of_every_stored_trace(self):
        stored = Path(__file__).resolve().parents[1] / "golden" / "traces"
        for run in sorted(stored.iterdir()):
            place = self.export(run)
            for table in TABLES["tables"]:
                rows = self.rows(place, table)
                key = ["run", *TABLES["tables"][table]["key"]]
                keys = [tuple(row[name] for name in key) for row in rows]
                self.assertEqual(len(keys), len(set(keys)), f"{run.name}: {table}")
            findings = {row["fingerprint"] for row in self.rows(place, "findings")}
            self.assertLessEqual({row["fingerprint"] for row in self.rows(place, "hits")},
                                 findings)

    def test_findings_are_those_of_check(self):
        _, run = self.record("sh", "-c", "umask 0; mkdir open; echo > file; chmod 4755 file")
        place = self.export(run)
        checked = json.loads(self.ran("check", run, "--format", "sarif", status=1).stdout)
        wanted = sorted(result["ruleId"] for result in checked["runs"][0]["results"])
        self.assertEqual(sorted(row["rule"] for row in self.rows(place, "findings")), wanted)

    def test_a_changed_object_is_the_same_object(self):
        (self.work / "before").write_text("")
        script = "umask 022; echo > a; chmod 0606 a; mv a b; ln b c; chmod 0666 before; rm c"
        _, run = self.record("sh", "-c", script)
        place = self.export(run)
        objects = {row["path"]: row for row in self.rows(place, "objects")}
        made = objects[str(self.work / "b")]
        self.assertEqual((made["born_path"], made["born_mode"], made["mode"], made["made"]),
                         (str(self.work / "a"), 0o644, 0o606, True))
        self.assertEqual(made["mode"], stat.S_IMODE((self.work / "b").stat().st_mode))
        self.assertTrue(made["open_to_others"])
        changes = self.rows(place, "object_changes")
        self.assertEqual([row["action"] for row in changes if row.get("object") == made["object"]],
                         ["chmod", "rename", "link", "unlink"])
        (mode_set_by,) = [row for row in changes if row["event"] == made["mode_set_by"]]
        self.assertEqual((mode_set_by["action"], mode_set_by["mode"]), ("chmod", 0o606))
        before = objects[str(self.work / "before")]
        self.assertEqual((before["made"], before["mode"]), (False, 0o666))
        self.assertFalse({"uid", "mask", "requested"} & set(before))

    def test_what_was_dropped_is_in_the_totals(self):
        """With keep=latest the sums are those of the run, as its program counted them."""
        run = self.top / "service"
        env = {**os.environ, "LD_PRELOAD": str(harness.SHIM),
               "UMASKAUDIT_OPTIONS": f"log=off:keep=latest:max_size=3M:trace={run}"}
        result = self.execute(victim("service"), self.work, 15000, 4, 100, env=env)
        self.assertEqual(result.returncode, 0, result.stderr)
        last = truths_of(result)[-1]
        place = self.export(run)
        totals = self.rows(place, "totals")
        counted = {kind: sum(row["times"] for row in totals if row["counted"] == kind)
                   for kind in ("umask", "create")}
        self.assertGreater(counted["create"], last["made"] // 4)
        changes = sum(row["times"] for row in self.rows(place, "umask_changes"))
        self.assertEqual(changes + counted["umask"], last["umask_calls"])
        objects = sum(row["made"] for row in self.rows(place, "objects"))
        self.assertEqual(objects + counted["create"], last["made"])
        (row,) = self.rows(place, "runs")
        self.assertEqual(row["dropped"], sum(row["times"] for row in totals))
        self.assertLessEqual({row.get("program") for row in totals},
                             {None, str(victim("service"))})
        made = {row["program"]: row["objects"] for row in self.answer("programs")}
        self.assertEqual(sum(made.values()), last["made"])
        masks = self.answer("masks")
        self.assertEqual(sum(row["changes"] for row in masks), last["umask_calls"])
        dropped = self.answer("dropped")
        self.assertEqual(sum(row["events"] for row in dropped), row["dropped"])

    def test_notes_of_the_program(self):
        script = ("import ctypes; note = ctypes.CDLL(None).umaskaudit_annotate;"
                  "note(b'step one'); note(b'odd \\xff\\n')")
        _, run = self.record("python3", "-c", script)
        notes = self.rows(self.export(run), "notes")
        self.assertEqual([bytes_of(row["note"]) for row in notes], [b"step one", b"odd \xff\n"])

    def test_hostile_names_come_back_to_the_byte(self):
        path = os.fsencode(self.work) + b"/" + HOSTILE
        _, run = self.record("mkdir", os.fsdecode(path))
        (row,) = self.rows(self.export(run), "objects")
        self.assertEqual(bytes_of(row["path"]), path)
        self.assertTrue(row["path"].isprintable())

    @needs("cc", "strip")
    def test_stacks_are_equal_without_debug_information(self):
        (self.work / "one.c").write_text(
            "#include <sys/stat.h>\nvoid make(const char* p) { mkdir(p, 0777); }\n"
            "int main(int c, char** v) { make(v[c - 1]); return 0; }\n")
        subprocess.run(["cc", "-g", "-O0", "-Wl,--build-id", "one.c", "-o", "full"], cwd=self.work,
                       check=True)
        (self.work / "bin").mkdir()
        shutil.copy(self.work / "full", self.work / "bin" / "full")
        subprocess.run(["strip", "bin/full"], cwd=self.work, check=True)
        stacks = []
        for program, made in (("./full", "a"), ("bin/full", "b")):
            _, run = self.record(program, made)
            (row,) = self.rows(self.export(run), "objects")
            stacks.append((row["stack"], row.get("function")))
        (named, function), (stripped, nothing) = stacks
        self.assertEqual((named, function), (stripped, "make"))
        self.assertNotEqual(nothing, "make")


class Places(Lake):
    def test_again_is_the_same_run(self):
        _, run = self.record("mkdir", "a")
        first = self.export(run)
        inode = first.stat().st_ino
        self.assertEqual(self.export(run), first)
        self.assertNotEqual(first.stat().st_ino, inode)
        self.assertEqual([entry.name for entry in self.lake.iterdir()],
                         [first.parts[-3]], "nothing else stays behind")
        (row,) = self.rows(first, "runs")
        self.assertEqual([f"host={row['host']}", f"date={row['date']}", f"run={row['run']}"],
                         list(first.parts[-3:]))
        self.assertEqual(row["host"], os.uname().nodename)
        self.assertTrue(row["complete"])

    def test_a_pack_is_the_same_run(self):
        _, run = self.record("mkdir", "a")
        first = self.export(run)
        before = {table: self.rows(first, table) for table in TABLES["tables"]}
        self.ran("pack", run, "-o", self.top / "one.uapack")
        shutil.rmtree(run)
        self.assertEqual(self.export(self.top / "one.uapack"), first)
        after = {table: self.rows(first, table) for table in TABLES["tables"]}
        self.assertEqual(after, before)

    def test_two_runs_are_two(self):
        places = {self.export(self.record("mkdir", name)[1]) for name in "ab"}
        self.assertEqual(len(places), 2)

    def test_several_runs_at_once(self):
        runs = [self.record("mkdir", name)[1] for name in "ab"]
        places = self.ran("export", *runs, "--format", "tables", "-o", self.lake).stdout
        self.assertEqual(len(set(places.split())), 2)
        self.assertEqual([row["runs"] for row in self.answer("coverage")], [2])

    def test_a_run_that_fails_leaves_the_others_out_of_it(self):
        runs = [self.record("mkdir", name)[1] for name in "ab"]
        empty = self.top / "empty"
        empty.mkdir()
        given = [runs[0], self.top / "nowhere", empty, runs[1]]
        result = self.ran("export", *given, "--format", "tables", "-o", self.lake, status=3)
        self.assertEqual(len(set(result.stdout.split())), 2)
        for word in (b"nowhere", b"empty", b"2 of 4 runs"):
            self.assertIn(word, result.stderr)
        self.assertEqual([row["runs"] for row in self.answer("coverage")], [2])

    def test_one_lake_that_fails_is_told_once(self):
        runs = [self.record("mkdir", name)[1] for name in "ab"]
        (self.work / "file").write_text("")
        result = self.ran("export", *runs, "--format", "tables", "-o", self.work / "file", status=3)
        self.assertEqual(result.stderr.count(b"cannot write"), 1)

    def test_other_formats_take_one_run(self):
        runs = [self.record("mkdir", name)[1] for name in "ab"]
        for words in (["chrome", "-o", self.top / "out"], ["otlp", "--to", "http://127.0.0.1:1/"]):
            result = self.ran("export", *runs, "--format", *words, status=2)
            self.assertIn(b"takes one run", result.stderr)
        self.assertFalse((self.top / "out").exists())

    def test_private_under_any_umask(self):
        _, run = self.record("mkdir", "a")
        for mask in (0, 0o777):
            os.umask(mask)
            place = self.export(run)
            for entry in [self.lake, *place.parents[:2], place]:
                self.assertEqual(stat.S_IMODE(entry.stat().st_mode), 0o700)
            for entry in place.iterdir():
                self.assertEqual(stat.S_IMODE(entry.stat().st_mode), 0o600)
            harness.remove_tree(self.lake)

    def test_the_job_that_recorded_it(self):
        env = dict(os.environ, GITHUB_ACTIONS="true", GITHUB_SHA="0123abcd", GITHUB_JOB="build",
                   GITHUB_SERVER_URL="https://ci.example", GITHUB_REPOSITORY="a/b",
                   GITHUB_RUN_ID="7")
        _, run = self.record("mkdir", "a", env=env)
        (row,) = self.rows(self.export(run), "runs")
        self.assertEqual((row["ci"], row["ci_job"], row["revision"], row["ci_url"]),
                         ("github", "build", "0123abcd", "https://ci.example/a/b/actions/runs/7"))

    def test_where_it_cannot_be(self):
        _, run = self.record("mkdir", "a")
        self.ran("export", run, "--format", "tables", status=2)
        (self.work / "file").write_text("")
        result = self.ran("export", run, "--format", "tables", "-o", self.work / "file", status=3)
        self.assertIn(b"-o", result.stderr)
        # Half a run is not shown: the directory of the date is a file.
        place = self.export(run)
        shutil.rmtree(place.parent)
        place.parent.write_text("")
        self.ran("export", run, "--format", "tables", "-o", self.lake, status=3)
        self.assertEqual([entry.name for entry in self.lake.iterdir()], [place.parts[-3]])


class Questions(Lake):
    def test_answers_of_two_runs(self):
        script = "umask 0; mkdir open; echo > file; chmod 4755 file"
        _, run = self.record("sh", "-c", script)
        self.export(run)
        self.assertEqual(stat.S_IMODE((self.work / "open").stat().st_mode), 0o777)
        (row,) = self.answer("open-to-others")
        self.assertEqual((row["path"], row["mode"], row["kind"]),
                         (str(self.work / "open"), "0777", "dir"))
        (row,) = self.answer("set-id")
        self.assertEqual((row["path"], row["mode"]), (str(self.work / "file"), "4755"))
        # As last seen: a later run has put it right.
        _, run = self.record("chmod", "0755", "open", "file")
        self.export(run)
        self.assertEqual([row["runs"] for row in self.answer("coverage")], [2])
        self.assertEqual(self.answer("open-to-others") + self.answer("set-id"), [])
        drift = {row["path"]: (row["first_mode"], row["last_mode"])
                 for row in self.answer("mode-drift")}
        self.assertEqual(drift, {str(self.work / "open"): ("0777", "0755"),
                                 str(self.work / "file"): ("4755", "0755")})

    def test_what_a_later_run_removed_is_not_there(self):
        _, run = self.record("sh", "-c", "umask 0; mkdir a b; echo > c; echo > d")
        self.export(run)
        self.assertEqual(len(self.answer("open-to-others")), 4)
        _, run = self.record("sh", "-c", "rmdir a; mv b e; echo > tmp; rm c; mv tmp d")
        self.export(run)
        self.assertFalse((self.work / "d").stat().st_mode & 0o002)
        self.assertEqual(self.answer("open-to-others"), [])
        _, run = self.record("sh", "-c", "umask 0; mkdir a")
        self.export(run)
        self.assertEqual([row["path"] for row in self.answer("open-to-others")],
                         [str(self.work / "a")])

    def test_loading_again_changes_nothing(self):
        _, run = self.record("sh", "-c", "umask 0; mkdir a b c")
        self.export(run)
        first = self.fleet("--format", "json").stdout
        self.assertEqual(self.fleet("--format", "json").stdout, first)
        self.export(run)  # another directory of the same run
        self.assertEqual(self.fleet("--format", "json").stdout, first)

    def test_what_is_removed_is_forgotten(self):
        places = [self.export(self.record("mkdir", name)[1]) for name in "ab"]
        self.assertEqual([row["runs"] for row in self.answer("coverage")], [2])
        shutil.rmtree(places[0])
        self.assertEqual([row["runs"] for row in self.answer("coverage")], [1])

    def test_a_run_that_cannot_be_read_is_named(self):
        places = [self.export(self.record("mkdir", name)[1]) for name in "abc"]
        whole = (places[0] / "objects.jsonl.zst").read_bytes()
        (places[0] / "objects.jsonl.zst").write_bytes(whole[:-8])
        subprocess.run(["zstd", "-qf", "-", "-o", places[1] / "frames.jsonl.zst"],
                       input=b'{"host":7}\n', check=True)
        result = self.fleet("coverage", status=3)
        for place in places[:2]:
            self.assertIn(str(place).encode(), result.stdout)
        self.assertEqual([row["runs"] for row in self.answer("coverage", status=3)], [1])
        (places[0] / "objects.jsonl.zst").write_bytes(whole)
        os.utime(places[0])
        shutil.rmtree(places[1])
        self.assertEqual([row["runs"] for row in self.answer("coverage")], [2])

    def test_a_row_of_another_run_is_refused(self):
        """In each table; and a whole run under another's name, or on another day."""
        places = [self.export(self.record("mkdir", name)[1]) for name in "ab"]
        for table in ("runs", "objects", "processes"):
            file = places[0] / f"{table}.jsonl.zst"
            whole, rows = file.read_bytes(), self.rows(places[0], table)
            other = dict(rows[0], **{key[0]: rows[0][key[0]] + 1000 for key in
                                     TABLES["tables"][table]["columns"][:1] if table != "runs"})
            for change in ({"run": self.rows(places[1], "runs")[0]["run"]}, {"host": "other"},
                           {"date": "2001-01-01"}):
                text = "".join(json.dumps(row) + "\n" for row in [*rows, dict(other, **change)])
                subprocess.run(["zstd", "-qf", "-", "-o", file], input=text.encode(), check=True)
                os.utime(places[0])
                result = self.fleet("coverage", status=3)
                self.assertIn(str(places[0]).encode(), result.stdout)
                self.assertIn(f"{table}: a row is of run".encode(), result.stdout)
                self.assertEqual([row["runs"] for row in self.answer("coverage", status=3)], [1])
            file.write_bytes(whole)
        moved = places[0].with_name("run=" + "0" * 8 + places[0].name[12:])
        places[0].rename(moved)
        self.assertIn(moved.name.encode(), self.fleet("coverage", status=3).stdout)
        moved.rename(places[0])
        self.assertEqual([row["runs"] for row in self.answer("coverage")], [2])

    def test_a_run_that_is_there_twice_is_refused_once(self):
        place = self.export(self.record("mkdir", "a")[1])
        other = self.lake / "host=another" / place.parts[-2]
        other.mkdir(parents=True)
        shutil.copytree(place, other / place.name)
        result = self.fleet("coverage", status=3)
        self.assertIn(b"twice", result.stdout)
        self.assertEqual([row["runs"] for row in self.answer("coverage", status=3)], [1])

    def test_a_database_of_an_older_version_is_made_anew(self):
        self.export(self.record("mkdir", "a")[1])
        expected = self.fleet("--format", "json").stdout
        database = self.lake / ".umaskaudit-fleet.sqlite"
        subprocess.run(["sqlite3", database, "DROP TABLE totals; CREATE TABLE former(a);"
                        "PRAGMA user_version=1"], check=True)
        self.assertEqual(self.fleet("--format", "json").stdout, expected)
        left = subprocess.run(["sqlite3", database, "PRAGMA user_version; SELECT count(*) FROM"
                               " sqlite_master WHERE name = 'former'"], check=True,
                              stdout=subprocess.PIPE).stdout
        self.assertEqual(left.split(), [b"%d" % TABLES["version"], b"0"])
        subprocess.run(["sqlite3", database, "PRAGMA user_version=1000"], check=True)
        self.assertIn(b"version 1000", self.fleet("coverage", status=2).stderr)

    def test_a_run_of_an_older_version_has_fewer_tables(self):
        place = self.export(self.record("mkdir", "a")[1])
        (row,) = self.rows(place, "runs")
        row["tables"] = 1
        del row["dropped"]
        new = [name for name, table in TABLES["tables"].items() if table.get("since", 1) > 1]
        self.assertIn("totals", new)
        for name in new:
            (place / f"{name}.jsonl.zst").unlink()
        os.utime(place)
        self.assertIn(new[0].encode(), self.fleet("coverage", status=3).stdout)
        subprocess.run(["zstd", "-qf", "-", "-o", place / "runs.jsonl.zst"], check=True,
                       input=json.dumps(row).encode() + b"\n")
        os.utime(place)
        (answer,) = self.answer("coverage")
        self.assertEqual((answer["runs"], answer["not_kept"]), (1, 0))

    def test_a_period_bounds_the_answers(self):
        place = self.export(self.record("mkdir", "a")[1])
        date = place.parts[-2].removeprefix("date=")
        for words, runs in ((["--since", date], [1]), (["--until", date], [1]),
                            (["--until", "2001-01-01"], []), (["--since", "2999-01-01"], [])):
            self.assertEqual([row["runs"] for row in self.answer("coverage", *words)], runs, words)
        self.fleet("--since", "yesterday", status=2)

    def test_hostile_names_reach_neither_terminal_nor_page(self):
        path = os.fsencode(self.work) + b"/" + HOSTILE
        _, run = self.record("sh", "-c", 'umask 0; mkdir "$1"', "sh", os.fsdecode(path))
        self.export(run)
        (row,) = self.answer("open-to-others")
        self.assertEqual(bytes_of(row["path"]), path)
        text = self.fleet().stdout.decode()
        self.assertTrue(all(line.isprintable() for line in text.splitlines()))
        page = self.fleet("--format", "html").stdout.decode()
        self.assertNotIn("<script", page)
        self.assertIn("&lt;script&gt;", page)

    def test_a_lake_of_somebody_else_is_escaped_too(self):
        place = self.export(self.record("sh", "-c", "umask 0; mkdir a")[1])
        (row,) = self.rows(place, "objects")
        row["path"] = "/tmp/\x1b]0;title\x07\u202e<script>"
        subprocess.run(["zstd", "-qf", "-", "-o", place / "objects.jsonl.zst"], check=True,
                       input=json.dumps(row, ensure_ascii=False).encode() + b"\n")
        text = self.fleet("open-to-others").stdout.decode()
        self.assertTrue(all(line.isprintable() for line in text.splitlines()))
        self.assertNotIn("<script", self.fleet("--format", "html").stdout.decode())

    def test_the_database_is_private_and_only_ours(self):
        self.export(self.record("mkdir", "a")[1])
        os.umask(0)
        self.fleet("coverage")
        database = self.lake / ".umaskaudit-fleet.sqlite"
        self.assertEqual(stat.S_IMODE(database.stat().st_mode), 0o600)
        other = self.top / "other.sqlite"
        subprocess.run(["sqlite3", other, "CREATE TABLE mine(a)"], check=True)
        before = other.read_bytes()
        self.fleet("coverage", "--database", other, status=2)
        self.assertEqual(other.read_bytes(), before)
        database.write_bytes(b"no database" * 100)
        self.fleet("coverage", status=3)

    def test_words(self):
        listed = self.ran("fleet", "--list").stdout.decode()
        names = [line.split()[0] for line in listed.splitlines()]
        self.assertGreaterEqual(len(names), 10)
        self.export(self.record("mkdir", "a")[1])
        for name in names:
            self.fleet(name)
        self.fleet("nothing", status=2)
        # An empty lake is one, but not a directory of something else, which is left as it is.
        shutil.rmtree(self.lake / next(entry for entry in os.listdir(self.lake)
                                       if entry.startswith("host=")))
        self.assertIn(b"no run", self.fleet("coverage").stdout)
        _, run = self.record("mkdir", "b")
        before = sorted(os.listdir(run))
        self.assertIn(b"no lake", self.ran("fleet", run, status=2).stderr)
        self.assertEqual(sorted(os.listdir(run)), before)
        self.export(run)
        self.ran("fleet", status=2)
        self.ran("fleet", self.top / "nowhere", status=2)
        self.fleet("-o", self.top / "page.html", "--format", "html")
        self.assertTrue((self.top / "page.html").read_text().endswith("</html>\n"))


if __name__ == "__main__":
    harness.main()
