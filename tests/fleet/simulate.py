"""A lake as a fleet would fill it: simulate.py LAKE [--hosts N] [--days N] [--runs N] [--rows N].

The same arguments give the same bytes. The columns are those of tables.json, so that a new one is
there by itself. A run is one of a few profiles, whose rows are made once and then only get host,
date, run and time: many million rows take minutes. Must never be taken for what a host really does.
Called by test_engines.py and growth.py."""

import argparse
import ctypes
import ctypes.util
import datetime
import json
import random
import sys
import urllib.parse
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "reporter" / "fleet"))
import tables as description  # noqa: E402

TABLES = description.read_tables(ROOT / "reporter" / "fleet" / "tables.json")
FIRST_DAY = datetime.date(2026, 1, 29)  # so that a few days are two months
# Stand in the rows of a profile for what is the run's own.
HOST, DATE, RUN = "@@HOST@@", "@@DATE@@", "@@RUN@@"
THOUSAND_SECONDS = 10 ** 12  # ns; a run is shorter
START = 7000007  # of the profile's times, in thousands of seconds: the run's own has as many digits

# Names that have broken loaders, as bytes.
HOSTILE = [
    b"a new\nline", b"a tab\tand\rreturn", b"'single' \"double\" `back`", b"back\\slash\\n\\N\\",
    b"not \xff UTF-8 \xc3(", "emoji \U0001f600 \u00fcml\u00e4ut".encode(),
    b"'; DROP TABLE runs; --", b"\\.", b"$$ $1 %s {0} {{x}}", b"\x00\x01\x1b[31m\x7f",
    "right \u202e to left \u2028".encode(), b"NULL", b"\\N", b"x" * 4000, b"", b" ", b",;|",
    "\ufeffmark \ufdd0 \U000e0041".encode(), b"[1, {\"a\": null}]",
]


def escaped(raw):
    """As escape() of reporter/text/escape.h writes bytes. Only what HOSTILE has is known."""
    named = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    text = ""
    for character in raw.decode("utf-8", "surrogateescape"):
        code = ord(character)
        if character in named:
            text += named[character]
        elif 0xdc80 <= code <= 0xdcff:
            text += f"\\x{code - 0xdc00:02x}"
        elif code < 0x20 or code == 0x7f:
            text += f"\\x{code:02x}"
        elif character in "\u202e\u2028\ufeff\ufdd0\U000e0041":
            text += f"\\u{{{code:x}}}"
        else:
            text += character
    return text


class Profile:
    """The rows of a run, a text a table. `rows` is about how many there are in all tables."""

    def __init__(self, number, rows, hostile=True):
        self.random = random.Random(f"profile {number}")
        self.number, self.rows = number, rows
        self.event = 0
        self.names = [f"/srv/{service}/{part}/file-{n}" for service in ("mail", "web", "backup")
                      for part in ("spool", "cache") for n in range(max(1, rows // 80))]
        if hostile:
            self.names += ["/tmp/" + escaped(name) for name in HOSTILE]
        self.programs = ["/usr/sbin/maild", "/usr/bin/webd", "/usr/libexec/backup", None]
        self.programs += ["/opt/" + escaped(HOSTILE[number % len(HOSTILE)])] * hostile
        self.fingerprints = [f"{n:016x}" for n in range(number % 3, 12 + number)]
        self.stacks = [f"{n * 2654435761 % 2 ** 64:016x}" for n in range(1, 2 + max(4, rows // 40))]
        share = {"objects": 35, "object_changes": 12, "umask_changes": 12, "frames": 16, "hits": 12,
                 "processes": 8, "blind_spots": 1, "losses": 1, "notes": 1, "totals": 4}
        self.count = {name: max(2, rows * part // 100) for name, part in share.items()}
        self.count.update(runs=1, findings=len(self.fingerprints), stacks=len(self.stacks))
        self.texts = {table.name: self.table(table) for table in TABLES}

    def table(self, table):
        lines = []
        for index in range(self.count[table.name]):
            self.event += 1
            row = {"host": HOST, "date": DATE, "run": RUN}
            row.update(self.row(table, index))
            lines.append(json.dumps(row, ensure_ascii=False, separators=(",", ":")))
        return "".join(line + "\n" for line in lines).encode()

    def row(self, table, index):
        chosen = self.chosen(table.name, index)
        row = {}
        for column in table.columns[3:]:
            if column.name in chosen:
                value = chosen[column.name]
            elif column.nullable and self.random.random() < 0.3:
                value = None
            else:
                value = self.by_type(column)
            if value is not None:
                row[column.name] = value
        return row

    def by_type(self, column):
        draw = self.random.randrange
        if column.name.endswith("_ns"):
            return draw(10 ** 9)
        return {"text": f"{column.name} {draw(5)}", "integer": draw(4),
                "boolean": draw(2) == 1, "date": DATE}[column.type]

    def chosen(self, table, index):
        """What a column of this name is about, where its type alone does not tell."""
        choice, draw = self.random.choice, self.random.randrange
        pid = 1000 + draw(40)
        kind = self.random.choices(["file", "dir", "fifo", "socket"], [80, 12, 4, 4])[0]
        mode = choice([0o644, 0o600, 0o640, 0o666, 0o777, 0o664, 0o4755] if kind == "file"
                      else [0o755, 0o777, 0o1777, 0o700])
        state = self.random.choices(["there", "gone", "replaced", "unknown"], [80, 15, 4, 1])[0]
        stack = choice(self.stacks)
        rule = int(stack[-1], 16) % 6
        values = {
            "event": self.event, "object": index + 1, "hit": index + 1, "loss": index + 1,
            "total": index + 1, "counted": choice(["umask", "create", "chmod", "other"]),
            "change": index + 1, "time_ns": START * THOUSAND_SECONDS + self.event * 1_500_000,
            "last_ns": START * THOUSAND_SECONDS + (self.event + draw(3)) * 1_500_000,
            "started_ns": START * THOUSAND_SECONDS, "tables": TABLES.version,
            "tool": "umaskaudit 1.0",
            "ended_ns": START * THOUSAND_SECONDS + self.rows * 2_000_000,
            "pid": pid, "tid": pid + self.random.choices([0, 1, 2], [90, 7, 3])[0],
            "program": choice(self.programs), "kind": kind, "state": state, "born_mode": mode,
            "mode": None if table == "objects" and state == "unknown" else mode,
            "other_read": mode & 4 != 0, "other_write": mode & 2 != 0,
            "group_write": mode & 0o20 != 0, "set_id": mode & 0o6000 != 0 and kind == "file",
            "open_to_others": state == "there" and mode & 2 != 0
            and not (kind == "dir" and mode & 0o1000),
            "made": draw(10) != 0, "path": choice(self.names), "born_path": choice(self.names),
            "new_mask": choice([0, 0o2, 0o22, 0o27, 0o77]), "times": 1 + draw(50) ** 2,
            "stack": stack, "function": f"function_{int(stack[:4], 16) % 30}",
            "file": f"source_{int(stack[:4], 16) % 30}.c", "line": int(stack[:4], 16) % 900 + 1,
            "depth": index % 4, "severity": choice(["note", "warning", "error"]),
            "rule": f"rule-{rule}", "expected_mode": mode & ~0o22,
            "reason": choice(["exec-static", "inline-calls", "segment-full"]),
            "what": choice(self.programs) or "unknown", "complete": draw(20) != 0,
            "records": self.rows, "lost": draw(3), "error": draw(8) // 7,
        }
        if table == "stacks":
            values["stack"] = self.stacks[index]
        elif table == "frames":
            values["stack"] = self.stacks[index // 4 % len(self.stacks)]
            values["depth"] = index % 4 + index // 4 // len(self.stacks) * 4
        elif table == "findings":
            values["fingerprint"] = self.fingerprints[index]
            values["rule"] = f"rule-{int(self.fingerprints[index], 16) % 6}"
            values["title"] = "The title of " + values["rule"]
        elif table == "hits":
            values["fingerprint"] = choice(self.fingerprints)
        return values


def compressor():
    """zstd of its library: a process a file would be most of the time."""
    library = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    library.ZSTD_compressBound.restype = library.ZSTD_compress.restype = ctypes.c_size_t
    library.ZSTD_compressBound.argtypes = [ctypes.c_size_t]
    library.ZSTD_compress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p,
                                      ctypes.c_size_t, ctypes.c_int]

    def compress(data):
        room = ctypes.create_string_buffer(library.ZSTD_compressBound(len(data)))
        size = library.ZSTD_compress(room, len(room), data, len(data), 3)
        assert size <= len(room), size
        return room.raw[:size]
    return compress


def host_name(number):
    """Raw bytes; each eighth is hostile."""
    if number % 8 == 3:
        return f"host {number:03} '; DROP TABLE runs; -- ".encode() + b"\xff\n\\"
    return f"host-{number:03}".encode()


def run_directory(lake, host, date, run):
    return Path(lake, "host=" + urllib.parse.quote(host, safe="").replace("~", "%7E"),
                f"date={date}", f"run={run}")


def write_run(lake, host, day, number, profile, compress):
    """The run `number` of a host on a day; returns its UUID."""
    date = (FIRST_DAY + datetime.timedelta(days=day)).isoformat()
    run = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{host!r} {date} {number}"))
    midnight = datetime.datetime.combine(FIRST_DAY, datetime.time(), datetime.timezone.utc)
    start = int(midnight.timestamp()) // 1000 + 1 + day * 86400 // 1000 + number * 2
    directory = run_directory(lake, host, date, run)
    directory.mkdir(parents=True, exist_ok=True)
    name = json.dumps(escaped(host), ensure_ascii=False)[1:-1].encode()
    for table, text in profile.texts.items():
        text = text.replace(b":%d" % START, b":%d" % start).replace(HOST.encode(), name)
        text = text.replace(DATE.encode(), date.encode()).replace(RUN.encode(), run.encode())
        (directory / f"{table}.jsonl.zst").write_bytes(compress(text))
    return run


def simulate(lake, hosts, days, runs, rows, hostile=True, profiles=8, only=None):
    """Fills a lake; `only` is (part, parts) of the hosts. Returns how many rows that were."""
    # The last is the only one with what the first host has on the last day only.
    made = [Profile(number, rows, hostile) for number in range(profiles + 1)]
    sizes = [sum(text.count(b"\n") for text in profile.texts.values()) for profile in made]
    compress, total = compressor(), 0
    for host in range(hosts):
        if only and host % only[1] != only[0]:
            continue
        for day in range(days):
            for number in range(runs):
                which = (host * 31 + day * 7 + number) % profiles
                if host == 0 and day == days - 1:
                    which = profiles
                write_run(lake, host_name(host), day, number, made[which], compress)
                total += sizes[which]
    return total


def main():
    parser = argparse.ArgumentParser(description="Fills a lake with a simulated fleet.")
    parser.add_argument("lake")
    for name, default in (("hosts", 4), ("days", 5), ("runs", 1), ("rows", 400)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    print(simulate(given.lake, given.hosts, given.days, given.runs, given.rows), "rows")


if __name__ == "__main__":
    main()
