"""One picture: goodput under overload, drawn from the tables. Readable on light and dark pages: lines
and letters take the page's own foreground where colour does not tell something."""

import html

import report

LOADS = (2, 4, 10)
WIDTH, HEIGHT = 720, 360
LEFT, RIGHT, TOP, BOTTOM = 60, 24, 56, 48
COLOURS = {"Weirpool": "#2f81f7", "PgBouncer": "#d29922", "Odyssey": "#8957e5", "pgagroal": "#3fb950"}
OTHER = "#8b949e"
STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #57606a }
.title { font-size: 15px; font-weight: 600 }
.grid { stroke: #8b949e; stroke-opacity: .35 }
@media (prefers-color-scheme: dark) { text { fill: #adbac7 } }
</style>"""


def x_of(index):
    return LEFT + (index + 0.5) * (WIDTH - LEFT - RIGHT) / len(LOADS)


def y_of(goodput):
    return HEIGHT - BOTTOM - min(goodput, 1.1) / 1.1 * (HEIGHT - TOP - BOTTOM)


def text(x, y, words, anchor="middle", more=""):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}"{more}>{html.escape(words)}</text>'


def grid():
    for percent in (0, 25, 50, 75, 100):
        y = y_of(percent / 100)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield text(LEFT - 8, y + 4, f"{percent} %", "end")
    for index, load in enumerate(LOADS):
        yield text(x_of(index), HEIGHT - BOTTOM + 20, f"{load} ×")
    yield text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "offered load, by what the database can do")
    yield text(LEFT, 22, "Answered in time, by what the database can do", "start",
               ' class="title"')


def bars(series):
    """A group for each load, a bar for each contender with its figure on top."""
    slot = (WIDTH - LEFT - RIGHT) / len(LOADS)
    width = min(48, 0.8 * slot / len(series))
    for place, (label, values) in enumerate(series.items()):
        colour = COLOURS.get(label, OTHER)
        for index, value in enumerate(values):
            if value != value:
                continue
            x = x_of(index) + (place - len(series) / 2) * width
            y = y_of(value)
            yield (f'<rect x="{x + 2:.1f}" y="{y:.1f}" width="{width - 4:.1f}" '
                   f'height="{HEIGHT - BOTTOM - y:.1f}" fill="{colour}" rx="2"/>')
            yield text(x + width / 2, y - 5, f"{100 * value:.0f}")
        left = LEFT + place * 120
        yield f'<rect x="{left}" y="34" width="11" height="11" fill="{colour}" rx="2"/>'
        yield text(left + 17, 44, label, "start")


def goodput_chart(tables):
    """SVG from what report.read() gives; None where a load was not measured."""
    rows = [tables.get(f"postgresql-overload-{load}x") for load in LOADS]
    if None in rows:
        return None
    series = {label: [report.number(row.get(label, {}).get("goodput", "")) for row in rows]
              for label in rows[0]}
    series = {label: values for label, values in series.items()
              if any(value == value for value in values)}
    if not series:
        return None
    body = "\n".join((*grid(), *bars(series)))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="goodput under overload">\n'
            f"{STYLE}\n{body}\n</svg>\n")
