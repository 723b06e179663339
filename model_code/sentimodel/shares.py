"""Which reviews each process learns from, where several train together.

Nobody says beforehand which machine has which shards. So the processes tell one another which files they find and how
long the reviews in them are. From that each of them works out by itself who learns from what, and keeps no others.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from sentimodel.dataset import DatasetError, Reviews
from sentimodel.files import shard_name, shards
from sentimodel.process_group import ProcessGroup

Kind = TypeVar("Kind", bound=Reviews)


@dataclass(frozen=True)
class Share(Generic[Kind]):
    """The reviews of a channel that this process learns from, and where they stand among all.

    Attributes:
        reviews: those that this process has.
        rows: which of all reviews they are, int64 `[reviews here]`, rising.
        lengths: how many tokens each of all reviews has, int64 `[all reviews]`.
    """

    reviews: Kind
    rows: NDArray[np.int64]
    lengths: NDArray[np.int64]

    @classmethod
    def whole(cls, reviews: Kind) -> "Share[Kind]":
        """All reviews, for a process that shares them with nobody."""
        return cls(reviews, np.arange(len(reviews)), reviews.lengths)


class Stretch(NamedTuple):
    """Reviews of a shard from one on, up to another, which is left out."""

    shard: str
    first: int
    last: int


def read_share(kind: type[Kind], folder: Path, group: ProcessGroup) -> Share[Kind]:
    """Read the reviews of a channel that this process is to learn from. All processes must call it.

    Args:
        kind: what to read them as.
        folder: the channel's, on this machine. There may be none of its shards here.
        group: the processes that train together.

    Raises:
        FileNotFoundError: nobody has a shard, or one before the last.
        DatasetError: a shard is damaged, or two processes have different ones of one name.
        ProcessGroupError: another process has ended.
    """
    found = [_lengths_by_shard(content) for content in group.gather(_told(folder))]
    lengths = _lengths(found, folder)
    holders = {name: [rank for rank, there in enumerate(found) if name in there] for name in lengths}
    sizes = {name: len(each) for name, each in lengths.items()}
    starts = dict(zip(sizes, np.cumsum([0, *sizes.values()]).tolist(), strict=False))
    own = share_out(sizes, holders).get(group.rank, [])
    rows = [np.arange(starts[name] + first, starts[name] + last) for name, first, last in own]
    return Share(
        kind.joined([_part(kind, folder, stretch) for stretch in own] or [kind.from_reviews([])]),
        np.concatenate([np.zeros(0, dtype=np.int64), *rows]),
        np.concatenate(list(lengths.values())).astype(np.int64),
    )


def share_out(sizes: Mapping[str, int], holders: Mapping[str, Sequence[int]]) -> dict[int, list[Stretch]]:
    """Work out who learns from what: shards that the same processes have are dealt among them, each an equal stretch.

    Args:
        sizes: how many reviews each shard has, in the shards' order.
        holders: which processes have it, by their ranks.

    Returns:
        The stretches of each process that has shards, in order; none where nothing is left for it.
    """
    alike = {name: tuple(ranks) for name, ranks in holders.items()}
    totals = {ranks: sum(sizes[name] for name in sizes if alike[name] == ranks) for ranks in alike.values()}
    starts = dict.fromkeys(totals, 0)
    shared: dict[int, list[Stretch]] = {rank: [] for ranks in totals for rank in ranks}
    for name, size in sizes.items():
        ranks = alike[name]
        for place, rank in enumerate(ranks):
            first = max(totals[ranks] * place // len(ranks) - starts[ranks], 0)
            last = min(totals[ranks] * (place + 1) // len(ranks) - starts[ranks], size)
            if first < last:
                shared[rank].append(Stretch(name, first, last))
        starts[ranks] += size
    return shared


def _lengths(found: Sequence[Mapping[str, NDArray[np.int32]]], folder: Path) -> dict[str, NDArray[np.int32]]:
    """How long the reviews of each shard are, in the shards' order, from what each process has found."""
    everywhere = {name: each for there in found for name, each in there.items()}
    names = [shard_name(number) for number in range(max(1, len(everywhere)))]
    for name in names:
        if name not in everywhere:
            others = ", nor on another machine of this training" if len(found) > 1 else ""
            raise FileNotFoundError(f"{folder / name} does not exist{others}")
        if any(name in there and not np.array_equal(there[name], everywhere[name]) for there in found):
            raise DatasetError(f"{folder / name} holds other reviews on another machine: all need the same dataset")
    return {name: everywhere[name] for name in names}


def _part(kind: type[Kind], folder: Path, stretch: Stretch) -> Kind:
    whole = kind.read(folder / stretch.shard)
    if stretch.last - stretch.first == len(whole):
        return whole
    return kind.joined([whole.part(stretch.first, stretch.last), kind.from_reviews([])])  # a copy: the rest is let go


def _told(folder: Path) -> bytes:
    """What the other processes are told of the shards in a folder: how long their reviews are."""
    told = io.BytesIO()
    lengths: dict[str, Any] = {path.name: Reviews.read_lengths(path).astype(np.int32) for path in shards(folder)}
    np.savez(told, **lengths)
    return told.getvalue()


def _lengths_by_shard(told: bytes) -> dict[str, NDArray[np.int32]]:
    with np.load(io.BytesIO(told), allow_pickle=False) as file:
        return dict(file)
