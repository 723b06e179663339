"""Which review belongs to which split.

All choices follow from hashes of the seed and the reviews' own content, so that neither the order of the reviews in
their source nor the run decides anything.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sentictl.reviews.prepare.tokenization import CONTENT_BYTES
from sentictl.reviews.read.source import SplitName

Part = SplitName | Literal["unlabelled"]
SPLITS: Final[tuple[SplitName, ...]] = get_args(SplitName)
UNLABELLED: Final = "unlabelled"
PARTS: Final[tuple[Part, ...]] = (*SPLITS, UNLABELLED)
TRAIN = SPLITS.index("train")
NONE = -1
ROWS = 4096  # whose digests are Python's objects at a time


@dataclass(frozen=True)
class Members:
    """All reviews as far as their splits depend on it, in the source's order: a row is a position in it.

    Attributes:
        contents: a digest of each text, of `CONTENT_BYTES` bytes: equal texts have equal ones.
        labels: 1 or 0, or `NONE` for an unlabelled review; int8.
        splits: the split that the source gives it, as a position in `SPLITS`, or `NONE`; int8.
        films: the film that each is about, as a position in `film_names`, or `NONE`; int32.
        film_names: the films, each once.
    """

    contents: NDArray[np.void]
    labels: NDArray[np.int8]
    splits: NDArray[np.int8]
    films: NDArray[np.int32]
    film_names: Sequence[str]

    def __len__(self) -> int:
        """The number of reviews."""
        return len(self.contents)

    @cached_property
    def texts(self) -> NDArray[np.int64]:
        """For each review the number of its text: equal texts have one number."""
        digests = self.contents.view(">u8").reshape(-1, 2)
        order = np.lexsort((digests[:, 1], digests[:, 0]))
        begins = np.zeros(len(order), dtype=np.int64)
        begins[1:] = (digests[order][1:] != digests[order][:-1]).any(axis=1)
        numbers = np.empty(len(order), dtype=np.int64)
        numbers[order] = np.cumsum(begins)
        return numbers

    def groups(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """For each of some reviews the number of the group that stays in one split.

        Two reviews are in one group where they share a film or a text, or where others of these reviews between them
        do. Films are joined as in Shiloach and Vishkin (1982), "An O(log n) Parallel Connectivity Algorithm".

        Returns:
            int64 `[rows]`: the place in the alphabet of the group's first film; for a text without a film, a number
            above all places.
        """
        _, texts = np.unique(self.texts[rows], return_inverse=True)
        about = self.films[rows] != NONE
        films = _ranks(self.film_names)[self.films[rows][about]]
        joined = np.arange(len(self.film_names))  # the group of each film, as far as it is known
        before = np.full_like(joined, NONE)
        groups = len(self.film_names) + texts
        while (joined != before).any():
            before = joined.copy()
            groups[about] = joined[films]
            least = np.full(len(texts), groups.max(initial=0))
            np.minimum.at(least, texts, groups)
            groups = least[texts]
            np.minimum.at(joined, joined[films], groups[about])
            while (joined != joined[joined]).any():
                joined = joined[joined]
        return groups

    def names(self, groups: NDArray[np.int64], rows: NDArray[np.int64]) -> Iterator[bytes]:
        """Yields what the hash of a group is made from, for some groups and a review of each."""
        films = sorted(self.film_names)
        for group, content in zip(groups.tolist(), _digests(self.contents[rows]), strict=True):
            yield b"film " + films[group].encode() if group < len(films) else b"text " + content


def assign_splits(members: Members, validation_fraction: float, test_fraction: float, seed: int) -> NDArray[np.int8]:
    """Return the part of each member, as a position in `PARTS`: `UNLABELLED` for those without a label.

    A source's own splits stand. A test split that it lacks is drawn from the reviews for training and from those
    without a split; then so is a validation split. Each fraction is of the reviews drawn from, and met for each label
    as nearly as whole groups allow: the reviews of one film are a group, as are equal texts; films that share a text
    are one.
    """
    parts = np.where(members.splits == NONE, TRAIN, members.splits)
    parts[members.labels == NONE] = PARTS.index(UNLABELLED)
    labels = members.labels[parts == TRAIN]
    drawn: tuple[tuple[SplitName, float], ...] = (("test", test_fraction), ("validation", validation_fraction))
    for name, fraction in drawn:
        if SPLITS.index(name) not in members.splits:
            rows = np.flatnonzero(parts == TRAIN)
            parts[_draw(members, rows, _targets(labels, fraction), name, seed)] = SPLITS.index(name)
    return parts.astype(np.int8)


def shuffled(members: Members, seed: int) -> NDArray[np.int64]:
    """The members' rows in an order that depends on the seed and on what they are, not on where they stand."""
    hashes = _hashes(seed, b"order", _digests(members.contents))
    films, splits = _ranks(members.film_names)[members.films], _ranks(SPLITS)[members.splits]
    return np.lexsort((films, splits, members.labels == 1, hashes[:, 1], hashes[:, 0]))


def _draw(
    members: Members, rows: NDArray[np.int64], targets: tuple[int, int], name: str, seed: int
) -> NDArray[np.int64]:
    """About `targets` (negative, positive) of these rows, whole groups, in a random order that is this split's own."""
    numbers, firsts, groups = np.unique(members.groups(rows), return_index=True, return_inverse=True)
    hashes = _hashes(seed, name.encode(), members.names(numbers, rows[firsts]))
    order = np.lexsort((hashes[:, 1], hashes[:, 0]))
    sizes = [np.bincount(groups[members.labels[rows] == label], minlength=len(order))[order] for label in (0, 1)]
    chosen = np.zeros(len(order), dtype=bool)
    chosen[order[_nearest(sizes[0], sizes[1], targets)]] = True
    return rows[chosen[groups]]


def _nearest(negative: NDArray[np.int64], positive: NDArray[np.int64], targets: tuple[int, int]) -> list[int]:
    """The groups, of so many reviews each, that taken in turn each bring the counts nearer to the targets."""
    missing = targets
    chosen: list[int] = []
    for group, (fewer_negative, fewer_positive) in enumerate(zip(negative.tolist(), positive.tolist(), strict=True)):
        left = (missing[0] - fewer_negative, missing[1] - fewer_positive)
        if _distance(left) < _distance(missing):
            chosen.append(group)
            missing = left
        if missing == (0, 0):
            break
    if not chosen and len(negative) > 1:  # every group is larger than the whole split should be
        return [int(np.argmin(negative + positive))]
    return chosen


def _targets(labels: NDArray[np.int8], fraction: float) -> tuple[int, int]:
    """How many reviews of each label (negative, positive) to draw: at least one where there are any."""
    sizes = (int((labels == label).sum()) for label in (0, 1))
    negative, positive = (max(round(size * fraction), min(size, 1)) for size in sizes)
    return negative, positive


def _distance(missing: tuple[int, int]) -> int:
    return abs(missing[0]) + abs(missing[1])


def _ranks(names: Sequence[str]) -> NDArray[np.int64]:
    """The place of each name in the alphabet; the last, which `NONE` is the position of, stands before all others."""
    ranks = np.full(len(names) + 1, NONE)
    ranks[np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)] = np.arange(len(names))
    return ranks


def _digests(contents: NDArray[np.void]) -> Iterator[bytes]:
    blocks: Iterator[list[Any]] = (contents[at : at + ROWS].tolist() for at in range(0, len(contents), ROWS))
    return chain.from_iterable(blocks)


def _hashes(seed: int, purpose: bytes, keys: Iterable[bytes]) -> NDArray[np.uint64]:
    """A hash of each key in two numbers, of which the first counts for more, `[keys, 2]`."""
    start = b"%d %b " % (seed, purpose)
    hashes = bytearray()
    for key in keys:
        hashes += hashlib.blake2b(start + key, digest_size=CONTENT_BYTES).digest()
    return np.frombuffer(hashes, dtype=">u8").reshape(-1, 2)
