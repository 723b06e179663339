"""Draw docs/images/house.svg, the packages and their imports; with --check only tell whether it is what they say.

A room is a package, its floor is its layer in pyproject.toml, and what it says of itself is its docstring. An arrow is
an import between rooms. One that follows from others is left out: of `cli` importing `api`, `api` importing `services`
and `cli` importing `services` the last is not drawn.
"""

import argparse
import ast
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs" / "images" / "house.svg"
PACKAGE, MODEL = "sentictl", "sentimodel"
DIVIDED = ("services", "twin")  # shown with the rooms inside them
SOURCES = {PACKAGE: ROOT / "src", MODEL: ROOT / "model_code"}

MARGIN, PADDING, GAP, ROW_GAP, LANE = 24, 12, 18, 40, 10
LINE, HEAD = 17, 24  # heights of a line of text and of a room's name
WIDTHS = {1: 390, 2: 152}  # of a room, by its depth
CHARACTER = 6.6  # the mean width of one, which fonts differ in
ABREAST = 3  # rooms of one layer, inside another room
SWEEPS = 8

STYLE = """\
  .paper { fill: #ffffff; }
  .room { fill: #f4f7fa; stroke: #2b5f7d; stroke-width: 1.5; }
  .frame { fill: #fbfcfd; stroke: #2b5f7d; stroke-width: 1.5; }
  .alone { fill: #fff8ec; stroke: #9a6b1f; stroke-width: 1.5; }
  .name { font: 600 14px ui-monospace, Menlo, Consolas, monospace; fill: #2b5f7d; text-anchor: middle; }
  .what { font: 13px system-ui, sans-serif; fill: #1c2b36; text-anchor: middle; }
  .note { font: 13px system-ui, sans-serif; fill: #4a5a66; }
  .way { fill: none; stroke: #5d7282; stroke-width: 1.5; marker-end: url(#head); }
  .head { fill: #5d7282; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #10181e; }
    .room { fill: #17232c; stroke: #7db4d4; }
    .frame { fill: #131d24; stroke: #7db4d4; }
    .alone { fill: #2a2214; stroke: #d8aa5c; }
    .name { fill: #8cc3e3; }
    .what { fill: #eef3f6; }
    .note { fill: #b4c2cc; }
    .way { stroke: #93a6b3; }
    .head { fill: #93a6b3; }
  }"""
NOTE = "An arrow is an import, and all of them go down. One that follows from others is left out."
ARROW = (
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path class="head" d="M0 0l8 4-8 4z"/></marker></defs>'
)

Pair = tuple[str, str]
Layers = list[list[str]]


def main() -> None:
    """Write the picture, or check it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where the picture differs")
    content = picture()
    if not parser.parse_args().check:
        PICTURE.write_text(content, encoding="utf-8")
    elif not PICTURE.exists() or PICTURE.read_text(encoding="utf-8") != content:
        raise SystemExit("docs/images/house.svg is not what is imported. Draw it anew: python docs/reference/house.py")


def picture() -> str:
    """Draw the house."""
    graph = grimp.build_graph(PACKAGE, MODEL, cache_dir=None)
    house = Level(layers(PACKAGE), graph, PACKAGE, depth=1)
    width, height = house.width + 2 * MARGIN, house.height + 2 * MARGIN + LINE
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            'aria-labelledby="house-title house-desc">',
            '<title id="house-title">The house: the packages of sentictl</title>',
            f'<desc id="house-desc">{escape(NOTE)} {escape(house.told())}</desc>',
            f"<style>\n{STYLE}\n</style>",
            ARROW,
            f'<rect class="paper" width="{width}" height="{height}" rx="12"/>',
            *house.drawn(MARGIN, MARGIN),
            f'<text class="note" x="{MARGIN}" y="{height - MARGIN + 4}">{NOTE}</text>',
            "</svg>\n",
        ]
    )


def layers(container: str) -> Layers:
    """Read the layers of a package's modules from pyproject.toml, the highest first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (found,) = [each["layers"] for each in contracts if each.get("containers") == [container]]
    return [[name.strip() for name in layer.split("|")] for layer in found]


def packages(container: str) -> Layers:
    """Read the layers of a package's packages: its single modules are no rooms."""
    folder = SOURCES[PACKAGE].joinpath(*container.split("."))
    found = [[name for name in layer if (folder / name).is_dir()] for layer in layers(container)]
    return [layer for layer in found if layer]


def what_it_is(module: str) -> str:
    """Read the first paragraph of a module's or a package's docstring."""
    path = SOURCES[module.partition(".")[0]].joinpath(*module.split("."))
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    return " ".join(docstring.partition("\n\n")[0].split())


def imports(graph: grimp.ImportGraph, rooms: dict[str, str]) -> set[Pair]:
    """List which room imports which; `rooms` has their names by the packages or modules that they are."""
    owners = {module: name for module in graph.modules for room, name in rooms.items() if _is_in(module, room)}
    return {
        (owners[module], owners[imported])
        for module in owners
        for imported in graph.find_modules_directly_imported_by(module)
        if imported in owners and owners[module] != owners[imported]
    }


def reduced(pairs: set[Pair]) -> list[Pair]:
    """Leave out each import that follows from others (transitive reduction)."""
    below: dict[str, set[str]] = {}
    for upper, lower in pairs:
        below.setdefault(upper, set()).add(lower)

    def reach(room: str) -> set[str]:
        return {lower for each in below.get(room, ()) for lower in ({each} | reach(each))}

    indirect = {(upper, end) for upper, lower in pairs for end in reach(lower)}
    return sorted(pairs - indirect)


@dataclass
class Item:
    """A room, or the lane of an arrow that goes past a floor.

    Attributes:
        name: the room's; of a lane, the two rooms that its arrow joins.
        width, height: its size.
        x, y: its upper left corner, in the level.
        inner: the rooms inside it, if they are shown.
        lines: what it says of itself.
    """

    name: str | Pair
    width: int
    height: int
    x: int = 0
    y: int = 0
    inner: "Level | None" = None
    lines: list[str] = field(default_factory=list)

    @property
    def middle(self) -> int:
        return self.x + self.width // 2


class Level:
    """Rooms on their floors, with the arrows between them, as layered drawings are made (Sugiyama et al., 1981).

    Args:
        floors: the names of the rooms on each floor, the highest first.
        graph: who imports whom.
        container: the package that they are in.
        depth: how deep in the house.
    """

    def __init__(self, floors: Layers, graph: grimp.ImportGraph, container: str, depth: int) -> None:
        modules = {f"{container}.{name}": name for floor in floors for name in floor}
        if depth == 1:
            modules[MODEL] = MODEL
        self.pairs = reduced(imports(graph, modules))
        if depth == 1:
            floors = self._with_model(floors)
        self.floors = [[self._room(graph, container, name, depth) for name in floor] for floor in floors]
        self._add_lanes()
        self._order()
        self.stretch(0)

    def drawn(self, left: int, top: int) -> Iterator[str]:
        """Draw the arrows and the rooms, from this corner on."""
        yield f'<g transform="translate({left} {top})">'
        for pair in self.pairs:
            yield f'<path class="way" d="{self._way(pair)}"/>'
        for item in self._items():
            if isinstance(item.name, str):
                yield from self._drawn_room(item)
        yield "</g>"

    def told(self) -> str:
        """Say in words what is drawn."""
        below: dict[str, list[str]] = {}
        for upper, lower in self.pairs:
            below.setdefault(upper, []).append(lower)
        return " ".join(f"{upper} imports {', '.join(below[upper])}." for upper in below)

    def _with_model(self, floors: Layers) -> Layers:
        """Put the model, which stands on no floor of sentictl's, below those that import it."""
        importers = {upper for upper, lower in self.pairs if lower == MODEL}
        lowest = max(number for number, floor in enumerate(floors) if importers & set(floor))
        return [[*floor, MODEL] if number == lowest + 1 else floor for number, floor in enumerate(floors)]

    def _room(self, graph: grimp.ImportGraph, container: str, name: str, depth: int) -> Item:
        module = MODEL if name == MODEL else f"{container}.{name}"
        what = what_it_is(module).replace("`", "")
        if name in DIVIDED and depth == 1:
            inner = Level([row for layer in packages(module) for row in _rows(layer)], graph, module, depth + 1)
            lines = _lines(what, inner.width - 2 * PADDING)
            height = HEAD + len(lines) * LINE + inner.height + 3 * PADDING
            return Item(name, inner.width + 2 * PADDING, height, inner=inner, lines=lines)
        width = WIDTHS[depth]
        lines = _lines(what, width - 2 * PADDING)
        return Item(name, width, HEAD + len(lines) * LINE + PADDING, lines=lines)

    def _add_lanes(self) -> None:
        """Keep a lane free on every floor that an arrow goes past."""
        number = {item.name: row for row, floor in enumerate(self.floors) for item in floor}
        self.ways: dict[Pair, list[Item]] = {}
        for upper, lower in self.pairs:
            rows = range(number[upper] + 1, number[lower])
            lanes = [Item((upper, lower), LANE, 0) for _ in rows]
            for row, lane in zip(rows, lanes, strict=True):
                self.floors[row].append(lane)
            self.ways[upper, lower] = [self._find(upper), *lanes, self._find(lower)]

    def _order(self) -> None:
        """Order the floors so that few arrows cross: each by the mean place of what is joined to it, over and over."""
        self._spread()
        best = (self._crossings(), self.floors)
        for sweep in range(SWEEPS):
            down = sweep % 2 == 0
            for row in range(1, len(self.floors)) if down else range(len(self.floors) - 2, -1, -1):
                floor = self.floors[row]
                means = {id(item): self._mean(item, above=down) for item in floor}
                self.floors = [
                    *self.floors[:row],
                    sorted(floor, key=lambda item: means[id(item)]),
                    *self.floors[row + 1 :],
                ]
                self._spread()
            best = min(best, (self._crossings(), self.floors), key=lambda order: order[0])
        self.floors = best[1]
        self._spread()

    def _crossings(self) -> int:
        """Count the pairs of arrows that cross between two floors."""
        places = {id(item): (row, item.x) for row, floor in enumerate(self.floors) for item in floor}
        steps = [(*places[id(upper)], places[id(lower)][1]) for upper, lower in self._steps()]
        return sum(
            row == other_row and start < other_start and end > other_end
            for row, start, end in steps
            for other_row, other_start, other_end in steps
        )

    def _steps(self) -> Iterator[tuple[Item, Item]]:
        """Each arrow from floor to floor."""
        return (step for way in self.ways.values() for step in pairwise(way))

    def _mean(self, item: Item, *, above: bool) -> float:
        joined = [step[0] if above else step[1] for step in self._steps() if step[1 if above else 0] is item]
        return sum(each.middle for each in joined) / len(joined) if joined else item.middle

    def _spread(self) -> None:
        """Put each floor's items side by side, in the middle."""
        widths = [sum(item.width for item in floor) + GAP * (len(floor) - 1) for floor in self.floors]
        self.width = max(widths)
        for floor, width in zip(self.floors, widths, strict=True):
            x = (self.width - width) // 2
            for item in floor:
                item.x = x
                x += item.width + GAP

    def stretch(self, height: int) -> None:
        """Put the floors below one another, farther apart than they must be where that fills the height."""
        heights = [max(item.height for item in floor) for floor in self.floors]
        gaps = len(self.floors) - 1
        gap = max(ROW_GAP, (height - sum(heights)) // gaps)
        self.height = sum(heights) + gap * gaps
        y = 0
        for floor, tall in zip(self.floors, heights, strict=True):
            for item in floor:
                item.y, item.height = y, tall
                if item.inner:
                    item.inner.stretch(tall - HEAD - len(item.lines) * LINE - 3 * PADDING)
            y += tall + gap

    def _way(self, pair: Pair) -> str:
        """The path of an arrow: curves between the floors, and straight past one."""
        way = self.ways[pair]
        x = self._port(way[0], way[1], bottom=True)
        parts = [f"M{x} {way[0].y + way[0].height}"]
        for upper, lower in pairwise(way):
            top, bottom = upper.y + upper.height, lower.y - (3 if lower is way[-1] else 0)
            end, between = self._port(lower, upper, bottom=False), (top + lower.y) // 2
            parts.append(f"C{x} {between} {end} {between} {end} {bottom}")
            if lower is not way[-1]:
                parts.append(f"V{lower.y + lower.height}")
            x = end
        return "".join(parts)

    def _port(self, item: Item, other: Item, *, bottom: bool) -> int:
        """Where an arrow from or to another item meets an item: in the order that those have."""
        joined = [step[1] if bottom else step[0] for step in self._steps() if step[0 if bottom else 1] is item]
        joined.sort(key=lambda each: each.middle)
        place = next(number for number, each in enumerate(joined) if each is other)
        return item.x + item.width * (place + 1) // (len(joined) + 1)

    def _drawn_room(self, item: Item) -> Iterator[str]:
        kind = "alone" if item.name == MODEL else "frame" if item.inner else "room"
        yield f'<rect class="{kind}" x="{item.x}" y="{item.y}" width="{item.width}" height="{item.height}" rx="8"/>'
        text = [("name", str(item.name)), *(("what", line) for line in item.lines)]
        spare = 0 if item.inner else (item.height - HEAD - len(item.lines) * LINE) // 2 - PADDING // 2
        for number, (style, line) in enumerate(text):
            y = item.y + spare + HEAD + number * LINE
            yield f'<text class="{style}" x="{item.middle}" y="{y}">{escape(line)}</text>'
        if item.inner:
            yield from item.inner.drawn(item.x + PADDING, item.y + item.height - item.inner.height - PADDING)

    def _find(self, name: str) -> Item:
        return next(item for item in self._items() if item.name == name)

    def _items(self) -> Iterator[Item]:
        return (item for floor in self.floors for item in floor)


def _rows(layer: list[str]) -> Layers:
    """A layer in as few rows of at most `ABREAST` as it takes, about equally long."""
    rows = -(-len(layer) // ABREAST)
    length = -(-len(layer) // rows)
    return [layer[start : start + length] for start in range(0, len(layer), length)]


def _lines(text: str, width: int) -> list[str]:
    """A text in as few lines as fit the width, about equally long."""
    longest = int(width / CHARACTER)
    count = len(textwrap.wrap(text, longest))
    return next(lines for size in range(1, longest + 1) if len(lines := textwrap.wrap(text, size)) <= count)


def _is_in(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


if __name__ == "__main__":
    main()
