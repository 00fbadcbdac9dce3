"""RESULTS.md: written from what was measured, and read back by a test."""

import math
import re
import statistics

SPREAD = re.compile(r"^(-?[\d.]+)(?: \((-?[\d.]+)–(-?[\d.]+)\))?$")


def shown(value):
    """Three figures, no exponent; a dash where there is nothing."""
    if value is None or math.isnan(value):
        return "–"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def cell(values):
    """Median, and in brackets what the rounds were spread over."""
    values = [value for value in values if not math.isnan(value)]
    if not values:
        return "–"
    low, middle, high = min(values), statistics.median(values), max(values)
    if shown(low) == shown(high):
        return shown(middle)
    return f"{shown(middle)} ({shown(low)}–{shown(high)})"


def number(text):
    match = SPREAD.match(text)
    return float(match[1]) if match else math.nan


def row(cells):
    return "| " + " | ".join(cells) + " |"


def ratio_columns(experiment, labels):
    """Label of each contender that the others are compared with: its variant with one thread."""
    found = []
    for wanted in experiment.against:
        found += [label for label in labels if label.startswith(wanted)][:1]
    return found


def reason(text):
    """One short line that fits a cell."""
    line = " ".join(str(text).split("\n")[0].split()).replace("|", "/")
    return line if len(line) <= 100 else line[:99] + "…"


def table(experiment, measured, missing=None):
    """`measured`: label -> rounds of tuples, as the columns go. `missing`: label -> why it has none."""
    key = experiment.columns.index(experiment.key)
    others = ratio_columns(experiment, list(measured))
    medians = {label: statistics.median(values[key] for values in rounds)
               for label, rounds in measured.items()}
    lines = [f"### {experiment.title}", "", f'<a id="{experiment.anchor}"></a>', ""]
    if experiment.note:
        lines += [experiment.note, ""]
    lines += [row(["contender", *experiment.columns,
                   *(f"{experiment.key} / {other}" for other in others)]),
              row(["---"] * (1 + len(experiment.columns) + len(others)))]
    for label, rounds in measured.items():
        cells = [cell([values[at] for values in rounds]) for at in range(len(experiment.columns))]
        ratios = [shown(medians[label] / medians[other]) if medians[other] and medians[label]
                  else "–" for other in others]
        lines.append(row([label, *cells, *ratios]))
    for label, why in (missing or {}).items():
        dashes = ["–"] * (len(experiment.columns) + len(others) - 1)
        lines.append(row([label, reason(why), *dashes]))
    return "\n".join(lines) + "\n"


def read(text):
    """anchor -> label -> column -> cell text, of every table below an anchor."""
    tables, anchor, head = {}, None, None
    for line in text.splitlines():
        mark = re.match(r'<a id="([\w-]+)"></a>', line)
        if mark:
            anchor, head = mark[1], None
        elif line.startswith("| ") and anchor:
            cells = [one.strip() for one in line.strip("|").split("|")]
            if head is None:
                head = cells
                tables[anchor] = {}
            elif set(line) - set("|- "):
                tables[anchor][cells[0]] = dict(zip(head[1:], cells[1:]))
    return tables


def sections(text):
    """anchor -> the table with everything above it from its title on, in the order of the page."""
    parts = re.split(r"^(?=##)", text, flags=re.M)
    marks = ((re.search(r'^<a id="([\w-]+)"></a>$', part, re.M), part) for part in parts)
    return {mark[1]: part for mark, part in marks if mark}


def renewed(page, tables, when, goals_table):
    """The page with these tables in place of those that it has; each says when it was measured.
    `goals_table`: makes the table of goals from what read() makes of a page."""
    known = sections(page)
    for anchor, part in sections(tables).items():
        if anchor not in known:
            raise KeyError(f"no table {anchor} to measure again")
        mark = f'<a id="{anchor}"></a>\n'
        part = part.replace(mark, f"{mark}\nMeasured again, {when}.\n", 1)
        page = page.replace(known[anchor], part.rstrip("\n") + "\n\n")
    head, rest = page.split("## Goals\n", 1)
    tables_behind = rest[re.search(r"^## ", rest, re.M).start():]
    return f"{head}## Goals\n\n{goals_table(read(page))}\n{tables_behind}".rstrip("\n") + "\n"


def goals(wanted, keys, tables):
    """The table of goals; `keys`: anchor -> the column that counts."""
    lines = [row(["goal", "limit", "measured", "met"]), row(["---"] * 4)]
    for goal in wanted:
        column = goal.column or keys.get(goal.table, "")
        value = number(tables.get(goal.table, {}).get(goal.row, {}).get(column, ""))
        if goal.over:
            value /= number(tables.get(goal.over_table or goal.table, {}).get(
                goal.over, {}).get(column, ""))
        good = value >= goal.limit if goal.at_least else value <= goal.limit
        met = "not measured" if math.isnan(value) else "yes" if good else "**no**"
        where = f"[{goal.text}](#{goal.table})"
        limit = f"{'≥' if goal.at_least else '≤'} {shown(goal.limit)}"
        lines.append(row([where, limit, shown(value), met]))
    return "\n".join(lines) + "\n"


def document(date, machine, versions, method, goals_table, tables):
    """The page. `method`: what was done and how to read the tables; tests/tidy/results.py reads it all."""
    return f"""# Results

Written by `./dev bench`; nothing here is typed in. {method}

* Date: {date}
* Machine: {machine}
* Versions: {', '.join(versions)}

## Goals

{goals_table}
{tables}"""
