"""The result as people read it: a table in Markdown, made from the JSON alone.

Must never measure. Called by scripts/bench.
"""

import textwrap

COLUMNS = 100


def amount(value, unit):
    if unit == "ns":
        return f"{value:,.0f} ns"
    if unit == "s":
        return f"{value * 1000:,.1f} ms"
    if unit == "of strace":
        return f"{value:.2f} {unit}"
    return f"{value:,.0f} {unit}"


def span_text(value, unit):
    """Nanoseconds of a call, or seconds of a program, as people say them."""
    seconds = value / 1e9 if unit == "ns" else value
    for name, size in (("s", 1), ("ms", 1e-3), ("us", 1e-6)):
        if abs(seconds) >= size:
            return f"{seconds / size:,.3g} {name}"
    return f"{seconds * 1e9:,.0f} ns"


def wrapped(words):
    return textwrap.wrap(words, COLUMNS, break_long_words=False, break_on_hyphens=False)


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
    limit = f"{row['limit']['median']:.2f}" if "limit" in row else ""
    return [note, goal, measured, limit, f"{row['ratio_cpu']['median']:.2f}",
            amount(row["native"]["median"], row["unit"]),
            amount(row["shim"]["median"], row["unit"]), peers]


def lines(header, rows):
    yield "| " + " | ".join(header) + " |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def where_and_when(result):
    machine = result["machine"]
    return (f"{machine['cpu']}, {machine['cpus']} processors, Linux {machine['kernel']}; "
            f"{result['date']}, commit {result['commit']}")


def readme(result):
    """The lines of costs.md: what a call or a program costs, and how fast the reporter is."""
    yield ""
    yield from wrapped(
        "Ratios to the native run, on tmpfs, everything recorded with stacks "
        f"{result['depth']} frames deep; medians of pairs, with the smallest and the largest. "
        "Limit: the same with only the system calls that a recorder in the process cannot do "
        "without, made bare; for a program, with an empty library preloaded. "
        f"{where_and_when(result)}.")
    yield ""
    compared_rows = [row for row in result["rows"] if row.get("part") in ("calls", "programs")]
    names = sorted({name for row in compared_rows for name in row["peers"]})
    for_peers = [name for name in ("strace", "strace -k", "bpftrace") if name in names]
    yield from lines(
        ["Work", "Ratio", "Limit", "Native", "Added", *for_peers],
        ([row["work"],
          "**{median:.2f}** ({min:.2f}-{max:.2f})".format(**row["ratio"]),
          ratio(row["limit"]["median"]),
          span_text(row["native"]["median"], row["unit"]),
          span_text(row["added"]["median"], row["unit"]),
          *(ratio(row["peers"][name]) if name in row["peers"] else "" for name in for_peers)]
         for row in compared_rows))
    for name, reason in sorted(result.get("missing", {}).items()):
        yield ""
        yield f"{name} is not beside them: {reason}."
    frames = [row for row in result["rows"] if row.get("part") == "scripts"]
    if frames:
        yield ""
        told = ", ".join(f"{row['work'].rsplit(' ', 1)[1]} {row['measured']:.0f} ns"
                         for row in frames)
        yield from wrapped(f"Ten frames of a Python script beside the native ones add, where they "
                           f"were met before, by version of CPython: {told}.")
    traced = [row for row in result["rows"] if row.get("part") == "tracer"]
    if traced:
        yield ""
        told = "; ".join(f"{row['work']} {row['traced']:.1f} (strace {row['strace']:.1f})"
                         for row in traced)
        yield from wrapped("By the tracer, with stacks, as ratios to the native run and beside "
                           f"those of strace --seccomp-bpf, which records none: {told}.")
    rates = [row for row in result["rows"] if row.get("unit") == "events/s"]
    if rates:
        yield ""
        told = "; ".join(f"{row['work']} {row['measured'] / 1e6:.1f} million events a second, "
                         f"{row['peak_kib'] / 1024:,.0f} MiB" for row in rates)
        yield from wrapped(f"The reporter, on one processor: {told}.")
    yield ""


def markdown(result):
    machine = result["machine"]
    yield (f"{where_and_when(result)}; "
           f"load {machine['load_before']:.1f} before, {machine['load_after']:.1f} after.")
    yield ""
    pairs = [row for row in result["rows"] if "ratio" in row]
    if pairs:
        yield from lines(["Work", "Goal", "Ratio to native: median (min-max)", "Limit",
                          "by CPU time", "Native", "Shim", "Others"], map(compared, pairs))
    for name, reason in sorted(result.get("missing", {}).items()):
        yield ""
        yield f"{name} is not beside them: {reason}."
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
