"""The picture of the house and the table of its rooms: complete, drawn without a clash, and the same every time."""

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference"
SVG = "{http://www.w3.org/2000/svg}"
SOURCE = ROOT / "src" / "sentictl"
DIVIDED = ("services", "twin")
ROOMS = {path.parent.name for part in ("", *DIVIDED) for path in (SOURCE / part).glob("*/__init__.py")}


class Box(NamedTuple):
    """A rectangle, in the picture's coordinates."""

    left: float
    top: float
    right: float
    bottom: float

    def holds(self, other: "Box") -> bool:
        return (
            self.left <= other.left
            and self.top <= other.top
            and other.right <= self.right
            and other.bottom <= self.bottom
        )

    def meets(self, other: "Box") -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


class Picture:
    """The drawing as it is committed."""

    def __init__(self) -> None:
        tree = ElementTree.fromstring((ROOT / "docs" / "images" / "house.svg").read_text(encoding="utf-8"))
        self.width, self.height = map(float, tree.attrib["viewBox"].split()[2:])
        self.style = "".join(tree.itertext())
        self.rooms: list[Box] = []
        self.texts: list[tuple[str, str, float, float]] = []
        self.arrows: list[tuple[float, float]] = []
        self._read(tree, 0.0, 0.0)

    def _read(self, element: ElementTree.Element, left: float, top: float) -> None:
        if "transform" in element.attrib:
            x, y = re.findall(r"[\d.]+", element.attrib["transform"])
            left, top = left + float(x), top + float(y)
        kind = element.attrib.get("class", "")
        if element.tag == f"{SVG}rect" and kind != "paper":
            x, y, width, height = (float(element.attrib[name]) for name in ("x", "y", "width", "height"))
            self.rooms.append(Box(left + x, top + y, left + x + width, top + y + height))
        elif element.tag == f"{SVG}text":
            place = (left + float(element.attrib["x"]), top + float(element.attrib["y"]))
            self.texts.append((kind, element.text or "", *place))
        elif element.tag == f"{SVG}path" and kind == "way":
            numbers = [float(number) for number in re.findall(r"[\d.]+", element.attrib["d"])]
            self.arrows.append((top + numbers[1], top + numbers[-1]))
        for child in element:
            self._read(child, left, top)


@pytest.fixture(scope="module")
def picture() -> Picture:
    return Picture()


def generated(script: str, *arguments: Path | str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REFERENCE / script), *map(str, arguments)]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_every_package_has_a_room_of_its_name(picture: Picture) -> None:
    names = [text for kind, text, *_ in picture.texts if kind == "name"]
    assert set(names) >= ROOMS
    assert "sentimodel" in names
    assert len(picture.rooms) == len(names)


def test_rooms_lie_beside_each_other_or_in_each_other(picture: Picture) -> None:
    for one, other in itertools.combinations(picture.rooms, 2):
        assert not one.meets(other) or one.holds(other) or other.holds(one)
    paper = Box(0, 0, picture.width, picture.height)
    assert all(paper.holds(room) for room in picture.rooms)


def test_arrows_go_down(picture: Picture) -> None:
    assert picture.arrows
    assert all(start < end for start, end in picture.arrows)


def test_it_can_be_read_in_light_and_dark(picture: Picture) -> None:
    sizes = [int(size) for size in re.findall(r"(\d+)px", picture.style)]
    assert min(sizes) >= 12
    assert "prefers-color-scheme: dark" in picture.style


@pytest.mark.parametrize("script", ["house.py", "rooms.py"])
def test_it_is_the_same_every_time(script: str) -> None:
    for seed in ("1", "2"):  # Python orders sets by it
        done = generated(script, "--check", PYTHONHASHSEED=seed)
        assert done.returncode == 0, done.stderr


def table(page: Path) -> Iterator[list[str]]:
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("| `src/"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def test_the_table_has_every_room_and_leaves_the_rest_of_its_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- rooms -->\nold\n<!-- /rooms -->\nafter\n", encoding="utf-8")
    assert generated("rooms.py", "--check", page).returncode == 1
    assert generated("rooms.py", page).returncode == 0
    lines = page.read_text(encoding="utf-8").splitlines()
    assert (lines[:2], lines[-2:]) == (["before", "<!-- rooms -->"], ["<!-- /rooms -->", "after"])
    assert "old" not in lines
    rows = {Path(folder.strip("`")).stem: may_import for folder, _, may_import in table(page)}
    assert rows.keys() >= ROOMS
    assert (rows["cli"], rows["twin"], rows["errors"]) == ("`api` and below", "`assets`, `errors`", "nothing")


def test_a_page_without_a_place_for_the_table_is_told(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("no place\n", encoding="utf-8")
    done = generated("rooms.py", page)
    assert done.returncode == 1
    assert "<!-- rooms -->" in done.stderr
    assert page.read_text(encoding="utf-8") == "no place\n"
