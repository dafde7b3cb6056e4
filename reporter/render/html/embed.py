"""Puts style and code into the page and writes it as C++: embed.py PAGE OUT FILE...

FILE is *.css or *.js, in the order in which they belong. The code becomes one script; the page's
Content-Security-Policy allows that script and that style by their hashes, and nothing else. Must
never let a file end its element. Called by meson."""

import base64
import hashlib
import sys
from pathlib import Path

DATA = "{{data}}"
PIECE = 8000  # bytes; compilers limit the length of a string literal


def source_hash(text):
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def joined(files, forbidden):
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    for word in forbidden:
        if word in text.lower():
            sys.exit(f"embed.py: '{word}' in {', '.join(map(str, files))} would end the element")
    return text


def pieces(text):
    """Whole lines, as raw string literals."""
    piece = ""
    for line in text.splitlines(keepends=True):
        if len(piece) + len(line) > PIECE:
            yield piece
            piece = ""
        piece += line
    yield piece


def array(name, text):
    literals = ",\n".join(f'    R"page({piece})page"' for piece in pieces(text))
    return f"constexpr std::string_view {name}[] = {{\n{literals}}};\n"


def main():
    page_file, out, *names = sys.argv[1:]
    files = [Path(name) for name in names]
    style = joined([file for file in files if file.suffix == ".css"], ["</style", "<!--"])
    script = joined([file for file in files if file.suffix == ".js"], ["</script", "<!--"])
    script = '"use strict";\n(() => {\n' + script + "})();\n"
    page = Path(page_file).read_text(encoding="utf-8")
    for slot, text in (("{{style-hash}}", source_hash(style)),
                       ("{{script-hash}}", source_hash(script)),
                       ("{{style}}", style), ("{{script}}", script)):
        if page.count(slot) != 1:
            sys.exit(f"embed.py: {page_file} must say {slot} once")
        page = page.replace(slot, text)
    before, after = page.split(DATA)
    Path(out).write_text(f"""// Made by embed.py; edit the files that it is made of.
#include "reporter/render/html/page_assets.h"

namespace umaskaudit::render::html {{
namespace {{

{array("kBefore", before)}
{array("kAfter", after)}
}}  // namespace

std::span<const std::string_view> page_before_data() {{ return kBefore; }}
std::span<const std::string_view> page_after_data() {{ return kAfter; }}

}}  // namespace umaskaudit::render::html
""", encoding="utf-8")


if __name__ == "__main__":
    main()
