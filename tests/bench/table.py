"""The result as people read it: a table in Markdown, made from the JSON alone.

Must never measure. Called by scripts/bench.
"""


def amount(value, unit):
    if unit == "ns":
        return f"{value:,.0f} ns"
    if unit == "s":
        return f"{value * 1000:,.1f} ms"
    return f"{value:,.0f} {unit}"


def ratio(value):
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


def compared(row):
    spread = row["ratio"]
    goal = f"<= {row['goal']:.2f}" if row["goal"] else ""
    measured = f"**{spread['median']:.2f}** ({spread['min']:.2f}-{spread['max']:.2f})"
    peers = ", ".join(f"{name} {ratio(value)}" for name, value in row["peers"].items())
    note = row["work"]
    if "processes" in row:
        each = [row[name]["median"] / row["processes"] * 1e6 for name in ("added", "added_cpu")]
        note += f" ({each[0]:+.0f} us each, {each[1]:+.0f} us of CPU)"
    return [note, goal, measured, f"{row['ratio_cpu']['median']:.2f}",
            amount(row["native"]["median"], row["unit"]),
            amount(row["shim"]["median"], row["unit"]), peers]


def lines(header, rows):
    yield "| " + " | ".join(header) + " |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def markdown(result):
    machine = result["machine"]
    yield (f"{machine['cpu']}, {machine['cpus']} processors, Linux {machine['kernel']}; "
           f"{result['date']}, commit {result['commit']}; "
           f"load {machine['load_before']:.1f} before, {machine['load_after']:.1f} after.")
    yield ""
    pairs = [row for row in result["rows"] if "ratio" in row]
    if pairs:
        yield from lines(["Work", "Goal", "Ratio to native: median (min-max)", "by CPU time",
                          "Native", "Shim", "Others"], map(compared, pairs))
    single = [row for row in result["rows"] if "measured" in row]
    if single:
        yield ""
        yield from lines(["Work", "Goal", "Measured"],
                         ([row["work"], row["goal_text"] if "goal_text" in row else
                           f"<= {row['goal']:,} {row['unit']}",
                           amount(row["measured"], row["unit"])] for row in single))
    counted = [row for row in pairs if row.get("user", {}).get("native")]
    if counted:
        yield ""
        yield from lines(
            ["Instructions a call", "User, native", "User, shim", "Kernel, native", "Kernel, shim"],
            ([row["work"], *(f"{row[space][who]:,.0f}" for space in ("user", "kernel")
                             for who in ("native", "shim"))] for row in counted))
