"""Draws the rows of growth.py: one panel a curve, native and shim over the size, as one SVG.

Must never measure, nor need a library. Called by scripts/bench --svg.
"""

import math
from html import escape

WIDTH, HEIGHT, LEFT, TOP, GAP = 360, 200, 70, 46, 70
COLOURS = {"native": "#6b7280", "shim": "#c2410c"}
STYLE = ("text{font:12px system-ui,sans-serif;fill:#374151}.t{font-weight:600;fill:#111827}"
         "line{stroke:#d1d5db}polyline{fill:none;stroke-width:2}")


def span_text(ns):
    for unit, factor in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= factor:
            return f"{ns / factor:.3g} {unit}"
    return f"{ns:.3g} ns"


def count_text(size):
    for unit, factor in (("M", 10**6), ("k", 1000)):
        if size >= factor:
            return f"{size // factor}{unit}"
    return str(size)


def text(x, y, words, anchor="start", kind=""):
    place = f'x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}"'
    return f'<text {place} class="{kind}">{escape(words)}</text>'


def panel(rows, left, top):
    """Sizes are spaced evenly in their logarithm; times start at zero, so that flat looks flat."""
    most = 1.1 * max(row[who]["median"] for row in rows for who in COLOURS)
    last = math.log10(max(rows[-1]["size"], 10))

    def at(row, who):
        x = left + WIDTH * math.log10(row["size"]) / last
        return x, top + HEIGHT * (1 - row[who]["median"] / most)

    yield text(left, top - 26, rows[0]["title"].replace("`", ""), kind="t")
    for part in (0, 0.5, 1):
        y = top + HEIGHT * (1 - part)
        yield f'<line x1="{left}" x2="{left + WIDTH}" y1="{y:.0f}" y2="{y:.0f}"/>'
        yield text(left - 8, y + 4, span_text(most * part) if part else "0", "end")
    for row in rows:
        yield text(at(row, "native")[0], top + HEIGHT + 18, count_text(row["size"]), "middle")
    for who, colour in COLOURS.items():
        points = [at(row, who) for row in rows]
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline points="{joined}" stroke="{colour}"/>'
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points)
        x, y = points[-1]
        beside = -8 if who == "shim" else 18  # away from the other line
        yield text(x - 4, y + beside, f"{who} {span_text(rows[-1][who]['median'])}", "end")


def svg(result):
    curves = {}
    for row in result["rows"]:
        if row.get("part") == "growth":
            curves.setdefault(row["curve"], []).append(row)
    columns = 2
    height = TOP + math.ceil(len(curves) / columns) * (HEIGHT + GAP) + 20
    width = columns * (WIDTH + LEFT + 30)
    machine = result["machine"]
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
           f'width="{width}" height="{height}"><style>{STYLE}</style>'
           '<rect width="100%" height="100%" fill="#fff"/>')
    yield text(LEFT, height - 10, f"{machine['cpu']}, Linux {machine['kernel']}; "
               f"{result['date']}, commit {result['commit']}")
    for number, rows in enumerate(curves.values()):
        left = LEFT + number % columns * (WIDTH + LEFT + 30)
        yield from panel(rows, left, TOP + number // columns * (HEIGHT + GAP))
    yield "</svg>"
