"""The layout of the Large Movie Review Dataset (Maas et al., ACL 2011).

`{train,test}/{pos,neg}/ID_RATING.txt` holds one review; line ID of `{train,test}/urls_{pos,neg}.txt`, counted from
0, is the address of its film. All else (unlabelled reviews, bags of words) is left alone.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, cast

from sentictl.reviews.source import Review

_FILE = re.compile(
    r"(?:\./)?(?:[^/]+/)?(?P<split>train|test)/(?:(?P<label>pos|neg)/(?P<id>\d{1,9})_\d+|urls_(?P<urls>pos|neg))\.txt"
)
_FILM = re.compile(r"tt\d+")
LABELS = {"pos": 1, "neg": 0}


class Place(NamedTuple):
    """Where a file belongs in the layout; `id` is a review's number, or None for a file of film addresses."""

    split: Literal["train", "test"]
    label: int
    id: int | None


def place(name: str) -> Place | None:
    """The place of a file by its name (`/` between its parts, at most one folder above the layout), or None."""
    match = _FILE.fullmatch(name)
    if match is None:
        return None
    split = cast(Literal["train", "test"], match["split"])
    number = int(match["id"]) if match["id"] else None
    return Place(split, LABELS[match["label"] or match["urls"]], number)


def reviews(files: Iterable[tuple[Place, bytes]]) -> Iterator[Review]:
    """Yields the reviews among the files, each with its film.

    The addresses of the films may come before or after the reviews they belong to: reviews wait for them, if need be
    to the end.
    """
    films: dict[Place, list[str]] = {}
    waiting: defaultdict[Place, list[tuple[Place, bytes]]] = defaultdict(list)
    for at, content in files:
        group = at._replace(id=None)
        if at.id is None:
            films[group] = _films(content)
            for earlier, text in waiting.pop(group, []):
                yield _review(earlier, text, films[group])
        elif group in films:
            yield _review(at, content, films[group])
        else:
            waiting[group].append((at, content))
    for group_waiting in waiting.values():
        for at, content in group_waiting:
            yield _review(at, content, [])


def _films(content: bytes) -> list[str]:
    """The film of each review by number: the title's id where the address has one, as films have several addresses."""
    addresses = content.decode("utf-8", "replace").splitlines()
    matches = ((_FILM.search(address), address.strip()) for address in addresses)
    return [match[0] if match else address for match, address in matches]


def _review(at: Place, content: bytes, films: list[str]) -> Review:
    number = cast(int, at.id)
    film = films[number] if number < len(films) else ""
    return Review(content.decode("utf-8", "surrogateescape"), at.label, at.split, film or None)
