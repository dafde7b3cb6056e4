"""Shell scripts that are made from a seed, and that write down their own stack, as the shell tells
it, for each thing they make: bash by BASH_SOURCE, BASH_LINENO and FUNCNAME, zsh by funcfiletrace
and funcstack. dash tells nothing: there the names of the files say in which line they were made.

Must never have the note and what is noted in two lines. Called by test_shell_stacks.py.
"""

import random

# Between the parts of a frame, of a line, and at the end of a frame.
PART, FIELD, FRAME = "\x1f", "\x1d", "\x1e"

# Arguments: a file for the notes and a directory for what is made. `note KIND` sets P.
BASH_HEAD = r"""SIDE=$1 W=$2; export LC_ALL=C.UTF-8
note() {
  local i out=
  P=$W/$1-$BASHPID-${EPOCHREALTIME/./}
  for ((i = 1; i < ${#FUNCNAME[@]}; i++)); do
    out+=${BASH_SOURCE[i]}$'\x1f'${BASH_LINENO[i - 1]}$'\x1f'${FUNCNAME[i]}$'\x1e'
  done
  printf '%s\x1d%s\x1d%s\n' "$1" "$P" "$out" >> "$SIDE"
}
"""
ZSH_HEAD = r"""SIDE=$1 W=$2; zmodload zsh/parameter zsh/datetime zsh/system; export LC_ALL=C.UTF-8
note() {
  local i out=
  P=$W/$1-$sysparams[pid]-${EPOCHREALTIME/./}
  for ((i = 1; i <= $#funcfiletrace; i++)); do
    out+=${funcfiletrace[i]%:*}$'\x1f'${funcfiletrace[i]##*:}$'\x1f'${funcstack[i + 1]}$'\x1e'
  done
  print -r -- "$1"$'\x1d'"$P"$'\x1d'"$out" >> "$SIDE"
}
"""

MAKES = (
    'note f; : > "$P"',
    'note x; mkdir "$P"',
    'note m{mask}; umask {mask}',
    'note f; echo text >> "$P"',
)
# How something is done, in one line or in several; `{what}` is a command or several.
WAYS = (
    "{what}",
    "{what}",
    "( {what} )",
    "x=$({what})",
    "{{ {what}; }} | cat",
    "true | {{ {what}; }}",
    "{{ {what}; }}",
    "for i in 1 2; do {what}; done",
    "for i in 1\ndo\n  {what}\ndone",
    "if true; then\n\n  {what}\nfi",
    "while :; do {what}; break; done",
    "case a in\n  b) ;;\n  a)\n    {what} ;;\nesac",
    "for ((i = 0; i < 2; i++)); do\n  {what}\ndone",
    "eval '{what}'",
    "(\n  true\n  {what}\n)",
    "true &&\n  {{ {what}; }}",
    "{what} # a remark",
)
NAMES = ("alpha", "do-it", "größe", "ns::fn", "_x", "名前", "f" * 40, "beta")
FILLERS = ("", "", "# a remark", ":", "true; true", "y='a\nb'")
# zsh sets the mask for a file of its own that has the text.
HERE_DOCUMENT = "cat <<END > /dev/null\ntext\nEND"


class Maker:
    """Fills the files of one program: functions that call those behind them."""

    def __init__(self, seed, head, extension, fillers):
        self.rng = random.Random(seed)
        self.head = head
        self.extension = extension
        self.lines_between = fillers
        self.names = [f"{self.rng.choice(NAMES)}_{i}" for i in range(self.rng.randrange(6, 12))]

    def fillers(self):
        count = self.rng.randrange(3)
        return "".join(self.rng.choice(self.lines_between) + "\n" for _ in range(count))

    def statement(self, what):
        return self.fillers() + self.rng.choice(WAYS).format(what=what) + "\n"

    def make(self):
        mask = f"0{self.rng.randrange(64):02o}"
        return self.rng.choice(MAKES).format(mask=mask)

    def function(self, index):
        lines = [f"{self.names[index]}() {{\n"]
        for _ in range(self.rng.randrange(1, 4)):
            lines.append(self.statement(self.make()))
        later = self.names[index + 1:]
        for name in self.rng.sample(later, min(len(later), self.rng.randrange(1, 3))):
            lines.append(self.statement(f"{name} word"))
        return "".join(lines) + "}\n"

    def files(self):
        """name -> text; the first is the program, which reads the others."""
        texts = {f"{name}.{self.extension}": "" for name in ("main", "one", "größer")}
        main, *others = texts
        for index in range(len(self.names)):
            texts[self.rng.choice(list(texts))] += self.fillers() + self.function(index)
        for name in others:
            texts[name] += self.statement(self.make())
        reads = "".join(self.fillers() + f'. "${{0%/*}}/{name}"\n' for name in others)
        calls = "".join(self.statement(self.rng.choice((self.names[0], self.names[1], self.make())))
                        for _ in range(8))
        calls += "".join(self.statement(make) for make in (*[MAKES[0]] * 6, *MAKES[1:2]))
        last = "trap '{}' EXIT\n".format(self.make())
        texts[main] = self.head + reads + texts[main] + calls + self.names[0] + "\n" + last
        return texts


def write(directory, texts):
    """Returns the path of the program."""
    directory.mkdir()
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8")
    return directory / next(iter(texts))


def bash(seed):
    return Maker(seed, BASH_HEAD, "bash", (*FILLERS, HERE_DOCUMENT)).files()


def zsh(seed):
    return Maker(seed, ZSH_HEAD, "zsh", FILLERS).files()


def for_ever(texts):
    """The program again and again, in one process."""
    main, *others = texts
    head, body = texts[main].split("\n}\n", 1)
    body = body.rsplit("trap ", 1)[0]
    return {main: head + "\n}\n" + f"while :; do\n{body}\ndone\n",
            **{name: texts[name] for name in others}}


def notes(text):
    """(kind, path, [[file, line, function], ...]) of each whole line, and how many are not."""
    found, torn = [], 0
    for line in text.split("\n"):
        fields = line.split(FIELD)
        if len(fields) != 3:
            torn += line != ""
            continue
        kind, path, frames = fields
        frames = [frame.split(PART) for frame in frames.split(FRAME) if frame]
        found.append((kind, path, [[file, int(at), name] for file, at, name in frames]))
    return found, torn


DASH_WAYS = tuple(way for way in WAYS if "((" not in way and "eval" not in way)


def dash(seed):
    """What each file makes has FILE-LINE in its name."""
    rng = random.Random(seed)
    names = [f"{rng.choice(('alpha', '_x', 'beta'))}_{i}" for i in range(8)]
    texts = {"main.sh": "W=$2\n", "one.sh": ""}

    def add(file, text):
        texts[file] += text + "\n"

    def add_statement(file, what):
        for _ in range(rng.randrange(3)):
            add(file, rng.choice((*FILLERS, HERE_DOCUMENT)))
        way = rng.choice(DASH_WAYS)
        before = way.split("{what}")[0].count("\n")
        line = texts[file].count("\n") + 1 + before
        add(file, way.format(what=what.format(line=line)))

    make = '[ -e "$W/{file}-{{line}}" ] || : > "$W/{file}-{{line}}"'
    for index, name in enumerate(names):
        file = rng.choice(list(texts))
        add(file, f"{name}() {{")
        for _ in range(rng.randrange(1, 4)):
            add_statement(file, make.format(file=file))
        for later in rng.sample(names[index + 1:], min(len(names) - index - 1, 2)):
            add_statement(file, later)
        add(file, "}")
    add_statement("one.sh", make.format(file="one.sh"))
    add("main.sh", '. "${0%/*}/one.sh"')
    for _ in range(8):
        add_statement("main.sh", make.format(file="main.sh"))
        add_statement("main.sh", rng.choice(names))
    add("main.sh", names[0])
    return texts
