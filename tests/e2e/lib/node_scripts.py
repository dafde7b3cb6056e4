"""Programs in JavaScript that are made from a seed. Each call of note() is on a line that the
generator knows, in a function that it knows: the program itself is not asked for its stack, which
would make V8 keep what it does not keep otherwise."""

import random

HEAD = """\
'use strict';
const fs = require('fs');
const where = process.argv[2];
let count = 0;
const made = [];
"""

# How a function calls the next one.
CALLS = (
    "{next}();",
    "[1].forEach(() => {next}());",
    "[2, 1].sort((a, b) => {{ {next}(); return a - b; }});",
    "(() => {next}())();",
    "'x'.replace('x', () => {{ {next}(); return ''; }});",
    "new (class {{ constructor() {{ {next}(); }} }})();",
    "Reflect.apply({next}, null, []);",
    "JSON.parse('1', () => {next}());",
    "for (const _ of (function* () {{ yield {next}(); }})()) ;",
)


def program(seed, repeats):
    """The text, and for each place that makes something its label with its function and line."""
    rng = random.Random(seed)
    lines = HEAD.splitlines()
    places = {}

    def add(text):
        lines.append(text)

    def blank():
        lines.extend([""] * rng.randrange(0, 4))

    def make(function):
        label = f"p{len(places)}"
        add(f"  fs.mkdirSync(where + '/{label}-' + count++);")
        places[label] = [function, len(lines)]

    entries = []
    for chain in range(rng.randrange(3, 5)):
        following = None
        for depth in range(rng.randrange(2, 5)):
            name = f"{rng.choice(('alpha', 'beta', 'größe', '名前', '$dollar'))}{chain}_{depth}"
            blank()
            add(f"function {name}() {{")
            blank()
            make(name)
            if following is not None:
                blank()
                add("  " + rng.choice(CALLS).format(next=following))
            if rng.random() < 0.4:
                make(name)
            add("}")
            following = name
        entries.append(following)
    blank()
    add("function all() {")
    add(f"  for (let i = 0; i < {repeats}; i++) {{")
    for entry in entries:
        add(f"    {entry}();")
    add("  }")
    add("}")
    add("all();")
    return "\n".join(lines) + "\n", places


def in_workers(seed, workers, repeats):
    """Each worker and the first thread run all of it."""
    text, places = program(seed, repeats)
    text = text.replace("const where = process.argv[2];",
                        "const { Worker, isMainThread, threadId } = require('worker_threads');"
                        " const where = process.argv[2] + '/' + threadId; fs.mkdirSync(where);")
    text += f"if (isMainThread) for (let i = 0; i < {workers}; i++)" \
            " new Worker(__filename, { argv: [process.argv[2]] });\n"
    return text, places
