#!/usr/bin/python3
"""bench/RESULTS.md is as ./dev bench writes it, and what a README claims of it stands there.

usage: results.py [ROOT]

A claim is **bold text** followed by (bench/RESULTS.md#anchor), as a link or in plain brackets. Every number in
the bold text must stand in the table below that anchor. Without a RESULTS.md nothing may be claimed.
Prints file: what is wrong, exits 1.
"""

import datetime
import pathlib
import re
import sys

NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
CELL = re.compile(r"^(-?\d+(?:\.\d+)?)(?: \((-?\d+(?:\.\d+)?)–(-?\d+(?:\.\d+)?)\))?$")
ANCHOR = re.compile(r'^<a id="([\w-]+)"></a>$')
POINTER = re.compile(r"RESULTS\.md#([\w-]+)")
CLAIM = re.compile(r"\*\*([^*]+)\*\*\s+\(\s*(?:\[[^\]]*\]\()?[./\w]*RESULTS\.md#([\w-]+)\)")
PICTURE = re.compile(r"!\[[^\]]*\]\(([^)]+)\)")
NOTHING = "–"
HEADER = {
    "Date": r"\d{4}-\d{2}-\d{2}$",
    "Machine": r"\d+ cores? \(.+\), \d+ GiB, Linux \d",
    "Versions": r".*\bWeirpool \d+\.\d+",
}


def cells(line):
    return [one.strip() for one in line.strip().strip("|").split("|")]


def numbers(text):
    return {float(one.replace(",", "")) for one in NUMBER.findall(text)}


def tables(lines):
    """(anchor, title, rows of cells) of every anchor; the rows are those of the first table below it."""
    found, title = [], ""
    open_table = None
    for line in lines:
        if line.startswith("#"):
            title, open_table = line.strip("# "), None
        elif ANCHOR.match(line):
            open_table = []
            found.append((ANCHOR.match(line)[1], title, open_table))
        elif open_table is not None and line.startswith("|"):
            open_table.append(cells(line))
        elif open_table:
            open_table = None
    return found


def check_header(lines):
    if not lines or lines[0] != "# Results":
        yield "does not begin with '# Results'"
    for name, pattern in HEADER.items():
        stated = [line for line in lines if line.startswith(f"* {name}: ")]
        if len(stated) != 1 or not re.match(pattern, stated[0].removeprefix(f"* {name}: ")):
            yield f"no line '* {name}: ' as it should be"
        elif name == "Date":
            try:
                datetime.date.fromisoformat(stated[0].removeprefix("* Date: "))
            except ValueError:
                yield f"no such day: {stated[0]}"
    if not re.search(r"Medians of \d+ rounds?\b", "\n".join(lines)):
        yield "does not say of how many rounds the medians are"


def check_cell(text):
    match = CELL.match(text)
    if not match:
        return text == NOTHING
    middle, low, high = (float(one) if one else None for one in match.groups())
    return low is None or low <= middle <= high


def median(text):
    match = CELL.match(text)
    return float(match[1]) if match else None


def rounding(value):
    """How far a figure that was rounded for the page may be from what was measured."""
    return 0.5 if value >= 100 else 0.05 if value >= 10 else 0.005


def is_ratio(ratio, above, below):
    slack, over, under = (1.01 * rounding(one) for one in (ratio, above, below))
    least = (above - over) / (below + under)
    most = (above + over) / (below - under) if below > under else float("inf")
    return least - slack <= ratio <= most + slack


def check_ratios(head, rows):
    """A column 'figure / other row' is what its name says."""
    by_label = {row[0]: dict(zip(head, row)) for row in rows}
    for column in head[1:]:
        key, _, other = column.partition(" / ")
        if not other or key not in head:
            continue
        if other not in by_label:
            yield f"'{column}' compares with a row that is not there"
            continue
        below = median(by_label[other][key])
        for label, row in by_label.items():
            ratio, above = median(row[column]), median(row[key])
            if ratio is None:
                continue
            if above is None or below is None or not is_ratio(ratio, above, below):
                yield f"{label}: '{column}' is not {row[key]} / {by_label[other][key]}"


def check_table(rows):
    if len(rows) < 3 or not set("".join(rows[1])) <= set("-"):
        yield "no table of at least one row"
        return
    head, body = rows[0], rows[2:]
    if head[0] != "contender":
        yield "the first column is not the contender"
    if len({row[0] for row in body}) < len(body):
        yield "a contender stands there twice"
    ragged = [row[0] for row in body if len(row) != len(head)]
    if ragged:
        yield f"{ragged[0]}: not as many cells as columns"
        return
    for row in body:
        told_why = not CELL.match(row[1]) and row[1] != NOTHING
        if told_why and set(row[2:]) - {NOTHING}:
            yield f"{row[0]}: figures behind '{row[1]}'"
        bad = [] if told_why else [one for one in row[1:] if not check_cell(one)]
        if bad:
            yield f"{row[0]}: '{bad[0]}' is no median with its spread"
    yield from check_ratios(head, body)


def check_goals(lines, anchors):
    """Every row of the table of goals points at a table and says truly whether it is met."""
    for line in lines:
        match = re.match(r"\[(.+)\]\(#([\w-]+)\)$", cells(line)[0]) if line.startswith("| [") else None
        if not match:
            continue
        goal, anchor = match.groups()
        row = cells(line)
        if len(row) != 4:
            yield f"goal '{goal}': not four cells"
            continue
        sign, limit, measured = row[1][:2], median(row[1][2:]), median(row[2])
        if measured is None:
            fits = row[3] == "not measured"
        elif limit is None or sign not in ("≤ ", "≥ ") or anchor not in anchors:
            fits = False
        else:
            good = measured < limit if sign == "≤ " else measured > limit
            fits = measured == limit or row[3] == ("yes" if good else "**no**")
        if not fits:
            yield f"goal '{goal}': '{row[3]}' does not follow from {row[2]} and {row[1]}"


def check_results(text, folder):
    """Everything wrong with the text of RESULTS.md, which is in folder."""
    lines = text.splitlines()
    yield from check_header(lines)
    found = tables(lines)
    if not found:
        yield "no tables"
    anchors = [anchor for anchor, _, _ in found]
    for anchor, title, rows in found:
        if anchors.count(anchor) > 1:
            yield f"#{anchor} stands there twice"
        if not title:
            yield f"#{anchor} has no title"
        for problem in check_table(rows):
            yield f"#{anchor}: {problem}"
    yield from check_goals(lines, anchors)
    for picture in PICTURE.findall(text):
        if not (folder / picture).is_file():
            yield f"the picture {picture} is missing"


def check_claims(text, results):
    """What a README says and the text of RESULTS.md, or None, does not."""
    stands = {anchor: numbers(" ".join(" ".join(row) for row in rows))
              for anchor, _, rows in tables((results or "").splitlines())}
    claims = CLAIM.findall(text)
    if len(claims) != len(POINTER.findall(text)):
        yield "points into RESULTS.md without **a figure** right before"
    for figure, anchor in claims:
        wanted = numbers(figure)
        if anchor not in stands:
            yield f"'{figure}': there is no RESULTS.md#{anchor}"
        elif not wanted:
            yield f"'{figure}': no number"
        elif wanted - stands[anchor]:
            missing = ", ".join(f"{one:g}" for one in sorted(wanted - stands[anchor]))
            yield f"'{figure}': {missing} does not stand in RESULTS.md#{anchor}"


def check(root):
    path = root / "bench" / "RESULTS.md"
    results = path.read_text(encoding="utf-8") if path.exists() else None
    found = []
    if results is not None:
        found += [f"bench/RESULTS.md: {one}" for one in check_results(results, path.parent)]
    for readme in sorted([*root.glob("README.md"), *root.glob("*/README.md")]):
        text = readme.read_text(encoding="utf-8")
        found += [f"{readme.relative_to(root)}: {one}" for one in check_claims(text, results)]
    return found


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2]
    found = check(root.resolve())
    print("\n".join(found + [f"results: {len(found)} found"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
