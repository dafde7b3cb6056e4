"""The rooms of preload/ and reporter/: holds scripts/rooms.txt against what the sources include,
and prints the picture of the floors (--picture) that CONTRIBUTING.md shows. Must never build
anything. Called by scripts/lint; prints each offence as file:line with what is allowed there."""

import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RULES = Path("scripts/rooms.txt")
SHOWN_IN = Path("CONTRIBUTING.md")
PICTURE = ("<!-- rooms: scripts/rooms.py --picture -->", "<!-- /rooms -->")
HALVES = ("preload", "reporter")
RECORDS = ("preload/trace",)
SOURCES = {".h", ".cc"}
TYPE = re.compile(r"(?:class|struct|union|enum(?: class)?)\s+(?:\[\[.*?\]\]\s+|alignas\(.*?\)\s+)*"
                  r"(\w+)(?:\s+final)?\s*(?::[^:;].*)?(?:\{.*)?$|using\s+(\w+)\s*=")
NAMESPACE = re.compile(r"namespace (umaskaudit(?:::\w+)*) \{$")
DECLARATION = re.compile(r"(?:class|struct) \w+;$|$")
INCLUDE = re.compile(r'\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')


class Plan:
    """What rooms.txt says: the rooms from the lowest floor to the highest, and for each of them the
    rooms it may include (`uses`), the headers that others may include (`doors`), and what is still
    to be mended: higher rooms that it includes (`back`), units that include each other
    (`rings`). And the names of types that several headers of a room may define (`same`), and the
    namespaces of rooms that have one (`namespaces`)."""

    def __init__(self, text):
        self.uses, self.doors, self.libraries, self.line_of = {}, {}, {}, {}
        self.back, self.rings, self.same, self.namespaces = {}, {}, {}, {}
        self.problems = []
        for number, line in statements(text):
            self.read(number, line)

    def read(self, number, line):
        kind, _, rest = line.partition(" ")
        subject, _, words = rest.partition(":")
        subject, words = subject.strip(), words.split()
        target = {"room": self.uses, "doors": self.doors, "library": self.libraries,
                  "back": self.back, "ring": self.rings,
                  "same": self.same, "namespace": self.namespaces}.get(kind)
        if target is None or not subject:
            self.problem(number, f"'{line}' is no statement: room, doors, library, back, ring, "
                                 "same or namespace")
        elif subject in target:
            self.problem(number, f"{kind} {subject} stands here twice")
        else:
            target[subject] = words
            self.line_of[kind, subject] = number
        for room in words if kind in ("room", "library") else [subject]:
            if room not in self.uses:
                self.problem(number, f"{room} is no room of a lower floor")

    def problem(self, number, what):
        self.problems.append(f"{RULES}:{number}: {what}")


def statements(text):
    """Yields (line number, statement); an indented line continues the one above it."""
    held, begin = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#")[0].rstrip()
        if line[:1].isspace():
            held += line
            continue
        if held:
            yield begin, held
        held, begin = line, number
    if held:
        yield begin, held


def room_of(path):
    return str(Path(path).parent)


def includes():
    """Yields (file, line number, own header or None, library header or None)."""
    for half in HALVES:
        for path in sorted((ROOT / half).rglob("*")):
            if path.suffix not in SOURCES:
                continue
            name = str(path.relative_to(ROOT))
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                match = INCLUDE.match(line)
                if match:
                    yield name, number, match[1], match[2]


def check(plan):
    used, opened, drawn = defaultdict(set), defaultdict(set), defaultdict(set)
    units = defaultdict(set)
    for name, number, own, library in includes():
        room = room_of(name)
        if room not in plan.uses:
            yield f"{name}:{number}: {room} is no room of {RULES}"
            continue
        if library:
            for prefix, rooms in plan.libraries.items():
                if library.startswith(prefix):
                    drawn[prefix].add(room)
                    if room not in rooms:
                        yield f"{name}:{number}: <{library}> is for {', '.join(rooms)} only"
            continue
        if not (ROOT / own).exists():
            continue  # made by the build
        target = room_of(own)
        if target == room:
            units[str(Path(name).with_suffix(""))].add(str(Path(own).with_suffix("")))
            continue
        used[room].add(target)
        opened[target].add(Path(own).name)
        if target not in plan.uses[room] + plan.back.get(room, []):
            allowed = " ".join(plan.uses[room]) or "no other room"
            yield f"{name}:{number}: {room} may not include {target}; it may include {allowed}"
        elif Path(own).name not in plan.doors.get(target, []):
            doors = " ".join(plan.doors.get(target, [])) or "none"
            yield f"{name}:{number}: {own} is no door of {target}; its doors are {doors}"
    yield from unused(plan, used, opened, drawn)
    yield from twice(plan)
    yield from misplaced(plan)
    known = {f"{room}/{unit}": room for room, names in plan.rings.items() for unit in names}
    for unit in sorted(units.keys() | known.keys()):
        way = way_back(units, unit)
        if way and unit not in known:
            yield f"{unit}: includes itself by way of {' > '.join(way)}"
        if not way and unit in known:
            yield f"{RULES}:{plan.line_of['ring', known[unit]]}: {unit} is in no ring"
    for room in plan.uses:
        if not (ROOT / room / "README.md").exists():
            yield f"{RULES}:{plan.line_of['room', room]}: {room} has no README.md"


def types():
    """Yields (half, name, "file:line") of each type that a header defines outside of classes."""
    for half in HALVES:
        for path in sorted((ROOT / half).rglob("*.h")):
            name = str(path.relative_to(ROOT))
            # Types of records bear the names of what they record: trace::Module, stack's Module.
            part = room_of(name) if room_of(name) in RECORDS else half
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                match = TYPE.match(line)
                if match:
                    yield part, match[1] or match[2], f"{name}:{number}"


def twice(plan):
    """Types of one name in several headers: in another namespace too it would be two things."""
    found = defaultdict(list)
    for part, name, where in types():
        found[part, name].append(where)
    needed = set()
    for (_, name), places in sorted(found.items()):
        rooms = {room_of(place) for place in places}
        if len({place.split(":")[0] for place in places}) == 1:
            continue
        if len(rooms) == 1 and name in plan.same.get(min(rooms), []):
            needed.add((*rooms, name))
            continue
        for place in places[1:]:
            yield f"{place}: the name {name} is taken by {places[0]}"
    for room, names in plan.same.items():
        for name in names:
            if (room, name) not in needed:
                yield f"{RULES}:{plan.line_of['same', room]}: {room} has no {name} twice"


def namespaces(path):
    """Yields (line number, namespace) of each that the file opens with more than declarations of
    classes in it, which a header may need of another room."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        match = NAMESPACE.match(line)
        if not match:
            continue
        inside = []
        for following in lines[number:]:
            if following.startswith("}"):
                break
            inside.append(following)
        if not all(DECLARATION.match(following) for following in inside):
            yield number, match[1]


def misplaced(plan):
    """Namespaces that a room's sources open beside the room's own and those in it, of which none is
    another room's."""
    known = {words[0] for words in plan.namespaces.values()}
    for room, words in plan.namespaces.items():
        own = words[0]
        others = {name for name in known if name.startswith(own + "::")}
        for path in sorted((ROOT / room).glob("*")):
            if path.suffix not in SOURCES:
                continue
            for number, name in namespaces(path):
                parts = name.split("::")
                begins = {"::".join(parts[:count + 1]) for count in range(len(parts))}
                if own not in begins or begins & others:
                    yield (f"{path.relative_to(ROOT)}:{number}: namespace {name}; that of {room} "
                           f"is {own}")


def unused(plan, used, opened, drawn):
    """What is allowed and not needed: a list that only grows says nothing."""
    for kind, lists, real in (("room", plan.uses, used), ("doors", plan.doors, opened),
                              ("library", plan.libraries, drawn), ("back", plan.back, used)):
        for subject, words in lists.items():
            for word in words:
                if word not in real[subject]:
                    yield f"{RULES}:{plan.line_of[kind, subject]}: {subject} does not need {word}"


def way_back(units, unit):
    """The units by way of which `unit` includes itself, shortest first; None: it does not."""
    ways, latest = {unit: []}, [unit]
    while latest:
        following = []
        for near in latest:
            for far in sorted(units.get(near, ())):
                if far == unit and near != unit:
                    return ways[near] + [far]
                if far not in ways:
                    ways[far] = ways[near] + [far]
                    following.append(far)
        latest = following
    return None


def picture(plan):
    floors = {}
    for room, uses in plan.uses.items():
        floors[room] = 1 + max((floors[other] for other in uses), default=0)
    lines = []
    for half in reversed(HALVES):
        rooms = [room for room in plan.uses if room.split("/")[0] == half]
        for floor in range(max(floors[room] for room in rooms), 0, -1):
            here = [room for room in rooms if floors[room] == floor]
            if here:
                lines.append(f"    {floor:2}  " + "  ".join(here))
        lines.append("")
    return "\n".join(lines[:-1])


def main():
    plan = Plan((ROOT / RULES).read_text(encoding="utf-8"))
    if sys.argv[1:] == ["--picture"]:
        print(picture(plan))
        return 0
    problems = plan.problems or list(check(plan))
    shown = (ROOT / SHOWN_IN).read_text(encoding="utf-8")
    if "\n".join((PICTURE[0], "", picture(plan), "", PICTURE[1])) not in shown:
        problems.append(f"{SHOWN_IN}: the picture differs from scripts/rooms.py --picture")
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
