"""Which review belongs to which split.

All choices follow from hashes of the seed and the reviews' own content, so that neither the order of the reviews in
their source nor the run decides anything.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from sentictl.reviews.read.source import SplitName

Part = SplitName | Literal["unlabelled"]
UNLABELLED: Literal["unlabelled"] = "unlabelled"


class Member(NamedTuple):
    """A review as far as its split depends on it.

    Attributes:
        content: a digest of the text: equal texts have equal ones.
        label: 1 or 0, or None for an unlabelled review.
        split: the split that the source gives it, or None.
        film: the film it is about, or None.
    """

    content: bytes
    label: int | None
    split: SplitName | None = None
    film: str | None = None

    @property
    def keys(self) -> list[bytes]:
        """Its film, where that is known, and its text: reviews that share one of them stay in one split."""
        text = b"text " + self.content
        return [b"film " + self.film.encode(), text] if self.film else [text]


def assign_splits(members: Sequence[Member], validation_fraction: float, test_fraction: float, seed: int) -> list[Part]:
    """Return the split of each member, in their order; `UNLABELLED` for those without a label.

    A source's own splits stand. A test split that it lacks is drawn from the reviews for training and from those
    without a split; then so is a validation split. Each fraction is of the reviews drawn from, and met for each label
    as nearly as whole groups allow: the reviews of one film are a group, as are equal texts; films that share a text
    are one.
    """
    splits: list[Part] = [_own_split(member) for member in members]
    sizes = _label_counts(members, [row for row, split in enumerate(splits) if split == "train"])
    own = {member.split for member in members}
    if "test" not in own:
        splits = _drawn(members, splits, "test", _targets(sizes, test_fraction), seed)
    if "validation" not in own:
        splits = _drawn(members, splits, "validation", _targets(sizes, validation_fraction), seed)
    return splits


def group_keys(members: Sequence[Member], rows: Iterable[int]) -> dict[int, bytes]:
    """Return for each of these rows, in their order, what names its group: the least of the keys that the group has.

    Two reviews are in one group where they share a film or a text, or where others between them do.
    """
    above: dict[bytes, bytes] = {}  # a forest: each key leads to a smaller one of its group, the least one to itself

    def least(key: bytes) -> bytes:
        while (smaller := above.setdefault(key, key)) != key:
            above[key] = above[smaller]
            key = smaller
        return key

    chosen = list(rows)
    for row in chosen:
        keys = sorted(map(least, members[row].keys))
        above[keys[-1]] = keys[0]
    return {row: least(members[row].keys[0]) for row in chosen}


def shuffled(members: Sequence[Member], seed: int) -> list[int]:
    """The members' positions in an order that depends on the seed and on what they are, not on where they stand."""

    def rank(row: int) -> tuple[bytes, bool, str, str]:
        member = members[row]
        return _hash(seed, b"order", member.content), member.label == 1, member.split or "", member.film or ""

    return sorted(range(len(members)), key=rank)


def _own_split(member: Member) -> Part:
    return UNLABELLED if member.label is None else member.split or "train"


def _drawn(
    members: Sequence[Member], splits: list[Part], name: SplitName, targets: tuple[int, int], seed: int
) -> list[Part]:
    """The splits with about `targets` (negative, positive) of the reviews in training moved to `name`."""
    training = [row for row, split in enumerate(splits) if split == "train"]
    groups = _groups(members, training, name, seed)
    drawn = list(splits)
    for row in _nearest(members, groups, targets):
        drawn[row] = name
    return drawn


def _groups(members: Sequence[Member], rows: Iterable[int], name: str, seed: int) -> list[list[int]]:
    """The rows by film and equal text, the groups in a random order that is this split's own."""
    groups: defaultdict[bytes, list[int]] = defaultdict(list)
    for row, key in group_keys(members, rows).items():
        groups[key].append(row)
    return [groups[key] for key in sorted(groups, key=lambda key: _hash(seed, name.encode(), key))]


def _nearest(members: Sequence[Member], groups: list[list[int]], targets: tuple[int, int]) -> list[int]:
    """The rows of the groups that, taken in turn, each bring the counts by label nearer to the targets."""
    missing = targets
    chosen: list[int] = []
    for group in groups:
        negative, positive = _label_counts(members, group)
        left = (missing[0] - negative, missing[1] - positive)
        if _distance(left) < _distance(missing):
            chosen += group
            missing = left
    if not chosen and len(groups) > 1:  # every group is larger than the whole split should be
        return min(groups, key=len)
    return chosen


def _targets(sizes: tuple[int, int], fraction: float) -> tuple[int, int]:
    """How many reviews of each label (negative, positive) to draw: at least one where there are any."""
    negative, positive = (max(round(size * fraction), min(size, 1)) for size in sizes)
    return negative, positive


def _label_counts(members: Sequence[Member], rows: Sequence[int]) -> tuple[int, int]:
    positive = sum(members[row].label == 1 for row in rows)
    return len(rows) - positive, positive


def _distance(missing: tuple[int, int]) -> int:
    return abs(missing[0]) + abs(missing[1])


def _hash(seed: int, purpose: bytes, content: bytes) -> bytes:
    return hashlib.blake2b(b"%d %b %b" % (seed, purpose, content), digest_size=16).digest()
