"""The layout of the Large Movie Review Dataset (Maas et al., ACL 2011).

`{train,test}/{pos,neg}/ID_RATING.txt` holds one review; line ID of `{train,test}/urls_{pos,neg}.txt`, counted from
0, is the address of its film. `train/unsup/ID_0.txt` holds a review without a label. All else (bags of words, the
addresses of the films of unlabelled reviews) is left alone.
"""

import re
from abc import abstractmethod
from collections.abc import Iterator
from typing import Literal, NamedTuple, cast

from sentictl.reviews.read.source import Review, Source

_FILE = re.compile(
    r"(?:\./)?(?:[^/]+/)?"
    r"(?:(?P<group>(?:train|test)/(?:pos|neg)|train/unsup)/(?P<id>\d{1,9})_\d+"
    r"|(?P<half>train|test)/urls_(?P<urls>pos|neg))\.txt"
)
_FILM = re.compile(r"tt\d+")
LABELS = {"train/pos": 1, "train/neg": 0, "test/pos": 1, "test/neg": 0}
UNLABELLED = "train/unsup"


class Place(NamedTuple):
    """Where a file belongs in the layout.

    Attributes:
        group: the folder of the review, such as `train/pos`; for film addresses, that of the reviews they belong to.
        id: the review's number, or None for a file of film addresses.
    """

    group: str
    id: int | None


def place(name: str) -> Place | None:
    """The place of a file by its name (`/` between its parts, at most one folder above the layout), or None."""
    match = _FILE.fullmatch(name)
    if match is None:
        return None
    if match["id"] is None:
        return Place(f"{match['half']}/{match['urls']}", None)
    return Place(match["group"], int(match["id"]))


class LayoutSource(Source):
    """Reviews in files of this layout, in any order: each review is given at once, and its film known at the end."""

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self._films: dict[str, list[str]] = {}

    def film(self, reference: str) -> str:
        """The title's id, or the address where that has none."""
        group, number = reference.rsplit("/", 1)
        films = self._films.get(group, [])
        return films[int(number)] if int(number) < len(films) else ""

    def _all(self) -> Iterator[Review]:
        self._films.clear()
        for at, content in self._files():
            if at.id is None:
                self._films[at.group] = _films(content)
            else:
                yield _review(at, content.decode("utf-8", "surrogateescape"))

    @abstractmethod
    def _files(self) -> Iterator[tuple[Place, bytes]]:
        """Yields the content of every file that has a place."""


def _films(content: bytes) -> list[str]:
    """The film of each review by number: the title's id where the address has one, as films have several addresses."""
    addresses = content.decode("utf-8", "replace").splitlines()
    matches = ((_FILM.search(address), address.strip()) for address in addresses)
    return [match[0] if match else address for match, address in matches]


def _review(at: Place, text: str) -> Review:
    if at.group == UNLABELLED:
        return Review(text, None)
    split = cast(Literal["train", "test"], at.group.split("/")[0])
    return Review(text, LABELS[at.group], split, f"{at.group}/{at.id}")
