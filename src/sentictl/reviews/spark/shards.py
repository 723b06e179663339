"""Reviews as ids, written by the task that has all those of a file."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sentimodel.vocabulary import UNK, Vocabulary

from sentictl.reviews.prepare.corpus import blocks
from sentictl.reviews.prepare.encoding import save_shard
from sentictl.reviews.prepare.manifest import file_facts
from sentictl.reviews.prepare.split_assignment import NONE
from sentictl.reviews.prepare.tokenized_reviews import SavedShard
from sentictl.reviews.spark.chunk import TokenizedChunk


class ShardFile(NamedTuple):
    """A file to write: its path, and the labels and groups of its reviews, as `save_shard` takes them."""

    path: str
    labels: NDArray[np.int8]
    groups: NDArray[np.int32] | None


class Piece(NamedTuple):
    """Some reviews of a file as ids: the place of each in the file, how many ids it has (int64), and all ids."""

    places: NDArray[np.int32]
    lengths: NDArray[np.int64]
    ids: NDArray[np.uint16]


def encoded(
    chunk: TokenizedChunk, vocabulary: Vocabulary, owners: NDArray[np.int32], places: NDArray[np.int32]
) -> Iterator[tuple[int, Piece]]:
    """Yield the reviews of a chunk by the file that each belongs to.

    Args:
        chunk: some reviews.
        vocabulary: what gives the ids.
        owners: the file of each review by its number, `NONE` for those of none.
        places: its place in that.
    """
    numbers, lengths = (np.frombuffer(each, dtype=np.int64) for each in (chunk.numbers, chunk.lengths))
    ids = np.array(vocabulary.encode(chunk.words.split()), dtype=np.uint16)
    of_review = owners[numbers]
    by_owner = np.argsort(of_review, kind="stable")
    ids = ids[np.argsort(np.repeat(of_review, lengths), kind="stable")]
    lengths, found = lengths[by_owner], places[numbers[by_owner]]
    ends = np.concatenate([[0], np.cumsum(lengths)])
    known, firsts = np.unique(of_review[by_owner], return_index=True)
    for owner, first, last in zip(known.tolist(), firsts, [*firsts[1:], len(lengths)], strict=True):
        if owner != NONE:
            yield owner, Piece(found[first:last], lengths[first:last], ids[ends[first] : ends[last]])


def write_shard(gathered: tuple[Iterable[ShardFile], Iterable[Piece]]) -> SavedShard:
    """Write a file, whole or not at all, from all its pieces in whatever order; the same bytes each time."""
    (file,) = gathered[0]
    pieces = list(gathered[1])
    places = np.concatenate([piece.places for piece in pieces])
    if sorted(places.tolist()) != list(range(len(file.labels))):
        raise RuntimeError(f"{file.path} lacks reviews, or has some twice")
    lengths = np.concatenate([piece.lengths for piece in pieces])
    ids = np.concatenate([piece.ids for piece in pieces])
    order = np.argsort(places)
    path = Path(file.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")  # of another attempt it is another file
    try:
        save_shard(partial, _in_order(ids, lengths, order), lengths[order], file.labels, file.groups)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return SavedShard(int((ids == UNK).sum()), file_facts(path))


def _in_order(
    ids: NDArray[np.uint16], lengths: NDArray[np.int64], order: NDArray[np.int64]
) -> Iterator[NDArray[np.uint16]]:
    ends = np.cumsum(lengths)
    for some in blocks(order):
        yield np.concatenate([ids[ends[row] - lengths[row] : ends[row]] for row in some.tolist()])
