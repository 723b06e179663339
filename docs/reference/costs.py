"""Draw docs/images/costs.svg and write the tables of docs/serving.md; with --check only tell whether they differ.

All of it is what `sentictl costs` says of the settings' defaults. The tables stand between the lines `<!-- costs -->`
and `<!-- /costs -->`.
"""

import argparse
import math
from collections.abc import Iterator
from html import escape
from pathlib import Path

from sentictl.api.costs import costs
from sentictl.config.settings import Settings
from sentictl.services.pricing.costs import Choice, CostComparison
from sentictl.services.pricing.traffic import A_MONTH

DOCS = Path(__file__).resolve().parents[1]
PICTURE = DOCS / "images" / "costs.svg"
PAGE = DOCS / "serving.md"
BEGIN, END = "<!-- costs -->\n", "<!-- /costs -->\n"
SHOWN = ("100/day", "10000/day", "100k/day", "1M/day")

WIDTH, HEIGHT = 860, 470
LEFT, RIGHT, TOP, BOTTOM = 80, 230, 56, 60
DAYS = (10_000.0, 10_000_000.0)  # requests a day, from left to right
DOLLARS = (1.0, 10_000.0)
POINTS = 60
LINES = {  # by serving and whether something is kept warm or is the cheapest machine: the class of its line
    "lambda": "one",
    "serverless": "two",
    "serverless, kept warm": "three",
    "instance, cheapest": "four",
    "instance": "five",
}
COLORS = {  # of light and of dark paper
    "one": ("#1b7837", "#7fd69b", ""),
    "two": ("#2166ac", "#8cc3e3", ""),
    "three": ("#2166ac", "#8cc3e3", "6 4"),
    "four": ("#b35806", "#e8a765", "6 4"),
    "five": ("#b35806", "#e8a765", ""),
}
TITLE = "What serving costs a month"
NOTE = "A line ends where that choice answers no more. Circles: from there on machines cost less."


def main() -> None:
    """Write the plot and the tables, or check them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where they differ")
    checked = parser.parse_args().check
    for path, content in ((PICTURE, picture()), (PAGE, page())):
        if not checked:
            path.write_text(content, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != content:
            raise SystemExit(f"{path} is not what the costs are. Write it anew: python docs/reference/costs.py")


def page() -> str:
    """The page, with the tables as they are now."""
    content = PAGE.read_text(encoding="utf-8")
    before, begin, rest = content.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{PAGE} has no lines {BEGIN.strip()} and {END.strip()} to write the tables between.")
    return "".join([before, BEGIN, "\n".join(tables()), "\n", END, after])


def tables() -> Iterator[str]:
    """What each choice costs for some traffic, and where machines become cheaper."""
    found = {written: costs(written) for written in SHOWN}
    rows = {name(choice): choice for choice in found[SHOWN[0]].choices}
    yield "| serving | on | " + " | ".join(f"{written.replace('/', ' requests a ')}" for written in SHOWN) + " |"
    yield "|---|---|" + "--:|" * len(SHOWN)
    for row, choice in rows.items():
        cells = [cell(found[written], row) for written in SHOWN]
        yield f"| {choice.serving} | {choice.on} | {' | '.join(cells)} |"
    yield ""
    yield "| from so many requests a day on | costs less | than |\n|--:|---|---|"
    for crossing in found[SHOWN[0]].crossings:
        beyond = "" if crossing.within_reach else ", but answers fewer"
        day = float(f"{crossing.requests_a_day:.2g}")
        yield f"| {day:,.0f} | {crossing.cheap.on}{beyond} | {crossing.dear.serving}, {crossing.dear.on} |"


def cell(found: CostComparison, row: str) -> str:
    """What a choice costs; in bold where it is the cheapest, and in brackets where it cannot answer all of it."""
    choice = next(each for each in found.choices if name(each) == row)
    price = f"${choice.monthly(found.traffic.requests) or 0.0:,.2f}"
    if choice.cannot(found.traffic):
        return f"({price})"
    return f"**{price}**" if choice is found.cheapest else price


def name(choice: Choice) -> str:
    """A choice by one of `LINES`."""
    if choice.serving == "serverless":
        return "serverless, kept warm" if "warm" in choice.on else "serverless"
    if choice.serving == "instance":
        return "instance" if choice.on.endswith(Settings().deploy.instance_type) else "instance, cheapest"
    return choice.serving


def picture() -> str:
    """Draw the price a month by requests a day, both logarithmic."""
    found = costs(f"{DAYS[0]:.0f}/day")
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            'aria-labelledby="costs-title costs-desc">',
            f'<title id="costs-title">{TITLE}</title>',
            f'<desc id="costs-desc">{escape(told(found))}</desc>',
            f"<style>\n{style()}\n</style>",
            f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}" rx="12"/>',
            f'<text class="title" x="{LEFT}" y="26">{TITLE}, by requests a day</text>',
            f'<text class="note" x="{LEFT}" y="44">{NOTE}</text>',
            *axes(),
            *(part for place, choice in enumerate(found.choices) for part in line(choice, place)),
            *crossings(found),
            "</svg>\n",
        ]
    )


def told(found: CostComparison) -> str:
    """The plot in words."""
    return " ".join(
        f"From {float(f'{crossing.requests_a_day:.2g}'):,.0f} requests a day on, {crossing.cheap.on} costs less than "
        f"{crossing.dear.serving} ({crossing.dear.on})."
        for crossing in found.crossings
    )


def style() -> str:
    """The classes of lines and texts, for light and dark paper."""
    light = [
        f"  .{each} {{ stroke: {color}; stroke-dasharray: {dashes or 'none'}; }}"
        for each, (color, _, dashes) in COLORS.items()
    ]
    dark = [f"    .{each} {{ stroke: {color}; }}" for each, (_, color, _) in COLORS.items()]
    return "\n".join(
        [
            "  .paper { fill: #ffffff; }",
            "  .line { fill: none; stroke-width: 2.5; }",
            "  .grid { stroke: #d5dde3; stroke-width: 1; }",
            "  .crossing { fill: #ffffff; stroke: #1c2b36; stroke-width: 1.5; }",
            "  text { font: 13px system-ui, sans-serif; fill: #1c2b36; }",
            "  .title { font-weight: 600; font-size: 15px; }",
            "  .note { fill: #4a5a66; }",
            "  .x { text-anchor: middle; }",
            "  .y { text-anchor: end; }",
            *light,
            "  @media (prefers-color-scheme: dark) {",
            "    .paper { fill: #10181e; }",
            "    .grid { stroke: #2b3a45; }",
            "    .crossing { fill: #10181e; stroke: #eef3f6; }",
            "    text { fill: #eef3f6; }",
            "    .note { fill: #b4c2cc; }",
            *dark,
            "  }",
        ]
    )


def axes() -> Iterator[str]:
    """The grid, and what stands beside it."""
    for day in powers(*DAYS):
        x = across(day)
        yield f'<path class="grid" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/>'
        yield f'<text class="x" x="{x:.1f}" y="{HEIGHT - BOTTOM + 20}">{day:,.0f}</text>'
    for price in powers(*DOLLARS):
        y = down(price)
        yield f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
        yield f'<text class="y" x="{LEFT - 8}" y="{y + 4:.1f}">${price:,g}</text>'
    yield f'<text class="x" x="{(LEFT + WIDTH - RIGHT) / 2:.1f}" y="{HEIGHT - BOTTOM + 42}">requests a day</text>'


def line(choice: Choice, place: int) -> Iterator[str]:
    """A choice's line, and its name at the right."""
    most = min(DAYS[1], choice.most_requests / A_MONTH["day"])
    days = [DAYS[0] * (most / DAYS[0]) ** (step / POINTS) for step in range(POINTS + 1)]
    prices = [(day, choice.monthly(day * A_MONTH["day"]) or 0.0) for day in days]
    points = " ".join(f"{across(day):.1f},{down(price):.1f}" for day, price in prices if price <= DOLLARS[1])
    drawn = LINES[name(choice)]
    yield f'<polyline class="line {drawn}" points="{points}"/>'
    x, y = WIDTH - RIGHT + 16, TOP + 20 + 44 * place
    yield f'<path class="line {drawn}" d="M{x} {y}h28"/>'
    yield f'<text x="{x + 36}" y="{y + 4}">{escape(choice.serving)}</text>'
    yield f'<text class="note" x="{x + 36}" y="{y + 20}">{escape(choice.on)}</text>'


def crossings(found: CostComparison) -> Iterator[str]:
    """Where machines become cheaper, as far as they answer so much."""
    for crossing in found.crossings:
        price = crossing.cheap.monthly(crossing.requests) or 0.0
        if crossing.within_reach:
            x, y = across(crossing.requests_a_day), down(price)
            yield f'<circle class="crossing" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'


def across(day: float) -> float:
    """Where so many requests a day are, from the left."""
    return LEFT + (WIDTH - LEFT - RIGHT) * _share(day, *DAYS)


def down(price: float) -> float:
    """Where a price is, from the top."""
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * _share(price, *DOLLARS)


def powers(first: float, last: float) -> Iterator[float]:
    """The powers of ten from one to another."""
    return (10.0**power for power in range(round(math.log10(first)), round(math.log10(last)) + 1))


def _share(value: float, first: float, last: float) -> float:
    return math.log(value / first) / math.log(last / first)


if __name__ == "__main__":
    main()
