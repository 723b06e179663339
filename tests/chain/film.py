"""Animated SVGs of real runs, for the docs: `python -m tests.chain.film FOLDER docs/images/up.svg`.

The picture's name says the scene: `up`, or `messy`, in which a file as people have them becomes a page. FOLDER is made
anew. Waits are cut to at most `LONGEST` seconds, and the picture says so; who prefers no motion sees its end.
"""

import argparse
import itertools
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pyte

from tests.chain.shell import Shell
from tests.chain.terminal import Recording, on_terminal

COLUMNS = 80
LONGEST = 0.3  # seconds that a wait takes in the picture
OFTEN = 4.0  # seconds of the run after which there is a new picture, unless a part begins or ends before
PAUSE = 0.03  # seconds in which nothing is written: what stands then is a whole picture
MARKS = slice(0, 17)  # the columns with the parts' names and marks
SPINNER = re.compile("[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]")
HELD = 6.0  # seconds that the last one stands
CHARACTER, LINE = 8.4, 18  # pixels
PADDING, TOP = 16, 40
COLORS = {"green": "#7ee2a8", "cyan": "#7cc7e8", "red": "#ff9d94", "yellow": "#e8cf7c", "default": "#d7dee3"}
DIM = "#82909a"


WORDS = (
    ("dreadful", "boring", "clichéd", "tedious"),
    ("neither good nor bad", "watchable", "uneven", "so-so"),
    ("wonderful", "superb", "moving", "naïve and charming"),
)  # for one or two stars, for three, and for four or five
SUBJECTS = ("plot", "acting", "music", "camera", "ending", "script", "hero", "villain", "dialogue", "décor")


@dataclass(frozen=True)
class Scene:
    """What a picture shows.

    Attributes:
        commands: what is typed, one line after the other.
        rows: of the terminal that are shown.
        title: what stands above them.
        description: what is seen, for who does not see it.
        prepare: makes in the folder what is there before.
    """

    commands: tuple[str, ...]
    rows: int
    title: str
    description: str
    prepare: Callable[[Shell], object] = lambda _: None


@dataclass(frozen=True)
class Frame:
    """What stood on the terminal for a while.

    Attributes:
        rows: the lines as SVG.
        seconds: for how long.
    """

    rows: tuple[str, ...]
    seconds: float


def main() -> None:
    """Record, and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder that is not there yet")
    parser.add_argument("picture", type=Path)
    given = parser.parse_args()
    given.folder.mkdir(parents=True)
    shell, scene = Shell(given.folder), SCENES[given.picture.stem]
    scene.prepare(shell)
    shown = recorded(shell, scene)
    shell.run("down", "--yes")
    given.picture.write_text(drawn(list(frames(shown, scene.rows)), scene), encoding="utf-8")


def messy(shell: Shell) -> None:
    """A file as a spreadsheet saves it: semicolons, Windows-1252, stars, reviews twice, and one with both verdicts."""
    shell.run("init")
    rows = ["Text;Stars"]
    for number in range(360):
        stars = number % 5 + 1
        words, subject = WORDS[(stars > 2) + (stars > 3)], SUBJECTS[number // 5 % len(SUBJECTS)]
        text = f"A {words[number // 5 % 4]} {subject}; {words[number // 50 % 4]}, film no {number}."
        rows.append(f'"{text}";{stars}')
    rows += [*rows[1:9], rows[5][:-1] + "1"]
    (shell.folder / "films.csv").write_text("\r\n".join(rows) + "\r\n", encoding="cp1252", newline="")


SCENES = {
    "up": Scene(
        ("sentictl up",),
        22,
        "$ sentictl up     (a real run, its waits cut short)",
        "The parts of the chain come alive, and a card with the page's address ends it.",
    ),
    "messy": Scene(
        (
            "sentictl data --source films.csv",
            "sentictl data --source films.csv --review-column Text --label-column Stars --positive '>=4' --ignore 3",
            "sentictl up",
        ),
        55,
        "films.csv, as a spreadsheet saves it   (a real run, its waits cut short)",
        "A file with semicolons, Windows-1252 and stars becomes a dataset, a model and a page.",
        messy,
    ),
}


def recorded(shell: Shell, scene: Scene) -> Recording:
    """The commands of a scene on one terminal; where there are several, what is typed is seen."""
    whole = Recording(COLUMNS)
    for command in scene.commands:
        shown = on_terminal(shell, *shlex.split(command)[1:], columns=COLUMNS)
        if len(scene.commands) > 1:
            whole.pieces.append(f"\r\n$ {command}\r\n".encode())
            whole.times.append(shown.times[0] - 2 * PAUSE)
        whole.pieces += shown.pieces
        whole.times += shown.times
    return whole


def frames(shown: Recording, count: int) -> Iterator[Frame]:
    """One picture whenever a part begins or ends, and every now and then between, their waits cut."""
    screen = pyte.Screen(COLUMNS, count + 20)
    stream = pyte.ByteStream(screen)
    rows: tuple[str, ...] = ()
    marks: list[str] = []
    seconds = 0.0
    for piece, begun, ended in zip(shown.pieces, shown.times, [*shown.times[1:], shown.times[-1]], strict=True):
        stream.feed(piece)
        seconds += ended - begun
        if ended - begun < PAUSE:
            continue
        now = [SPINNER.sub("", line[MARKS]) for line in screen.display]
        if marks and (now != marks or seconds >= OFTEN):
            yield Frame(rows, min(max(seconds, LONGEST / 2), LONGEST))
            seconds = 0.0
        rows, marks = tuple(_row(screen.buffer[number]) for number in range(count)), now
    rows = tuple(_row(screen.buffer[number]) for number in range(count))
    yield Frame(rows, HELD)


def drawn(shown: list[Frame], scene: Scene) -> str:
    """The SVG: every row of text once, visible while it stands."""
    total = sum(frame.seconds for frame in shown)
    starts = [0.0, *itertools.accumulate(frame.seconds for frame in shown)]
    width, height = round(COLUMNS * CHARACTER + 2 * PADDING), scene.rows * LINE + TOP + PADDING
    body: list[str] = []
    rules: list[str] = []
    for row in range(scene.rows):
        for text, spans in _spans(shown, row):
            name = f"t{len(rules)}"
            rules.append(_rule(name, [(starts[a] / total, starts[b] / total) for a, b in spans]))
            last = " last" if spans[-1][1] == len(shown) else ""
            body.append(f'<text class="{name}{last}" x="{PADDING}" y="{TOP + (row + 1) * LINE}">{text}</text>')
    return TEMPLATE.format(
        width=width,
        height=height,
        seconds=f"{total:.2f}",
        rules="".join(rules),
        body="\n".join(body),
        dim=DIM,
        name=" and ".join(dict.fromkeys(" ".join(line.split()[:2]) for line in scene.commands)),
        title=escape(scene.title, quote=False),
        description=scene.description,
    )


def _spans(shown: list[Frame], row: int) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """Each text that a row has, and from which frame to which it has it."""
    spans: dict[str, list[tuple[int, int]]] = {}
    begin = 0
    for text, group in itertools.groupby(frame.rows[row] for frame in shown):
        end = begin + len(list(group))
        if text:
            spans.setdefault(text, []).append((begin, end))
        begin = end
    yield from spans.items()


def _rule(name: str, spans: list[tuple[float, float]]) -> str:
    """The moments at which a text is seen, as a CSS animation that jumps."""
    steps = ["0%{opacity:0}"] if spans[0][0] > 0 else []
    for begin, end in spans:
        steps.append(f"{100 * begin:.2f}%{{opacity:1}}")
        if end < 1:
            steps.append(f"{100 * end:.2f}%{{opacity:0}}")
    return f".{name}{{animation-name:{name}}}@keyframes {name}{{{''.join(steps)}}}"


def _row(cells: dict[int, pyte.screens.Char]) -> str:
    """A line of the terminal as SVG: pieces of one color each."""
    pieces = []
    characters = [cells[column] for column in range(COLUMNS)]
    for color, group in itertools.groupby(characters, key=_color):
        pieces.append((color, "".join(character.data for character in group)))
    while pieces and not pieces[-1][1].strip():
        pieces.pop()
    return "".join(f'<tspan fill="{color}">{escape(text, quote=False)}</tspan>' for color, text in pieces)


def _color(character: pyte.screens.Char) -> str:
    return COLORS.get(character.fg, DIM)


TEMPLATE = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-labelledby="up-title up-desc">
<title id="up-title">{name}</title>
<desc id="up-desc">A recording: {description}</desc>
<style>
text {{ font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; white-space: pre; opacity: 0;
  animation-duration: {seconds}s; animation-timing-function: step-end; animation-iteration-count: infinite }}
.still {{ opacity: 1; fill: {dim} }}
{rules}
@media (prefers-reduced-motion: reduce) {{ text {{ animation: none }} .last {{ opacity: 1 }} }}
</style>
<rect width="100%" height="100%" rx="10" fill="#16202a"/>
<circle cx="22" cy="20" r="5" fill="#ff6b60"/><circle cx="40" cy="20" r="5" fill="#f5bf4f"/>
<circle cx="58" cy="20" r="5" fill="#57c38a"/>
<text class="still" x="80" y="25">{title}</text>
{body}
</svg>
"""

if __name__ == "__main__":
    main()
