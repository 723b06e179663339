"""Encoded reviews of one split, and padded batches of them."""

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentimodel.files import write_whole
from sentimodel.vocabulary import PAD

_BATCHES_SORTED_TOGETHER = 50  # enough that a batch holds reviews of one length, few enough that batches differ


class DatasetError(ValueError):
    """A file of encoded reviews is not one, or is damaged."""


@dataclass(frozen=True)
class Batch:
    """Reviews padded to the longest of them.

    Attributes:
        rows: which reviews of the split these are, int64 `[batch]`.
        ids: token ids, int64 `[batch, time]`, `PAD` after each review's end.
    """

    rows: NDArray[np.int64]
    ids: NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """The encoded reviews of a split, one after the other, without padding.

    Attributes:
        ids: the token ids of all reviews, uint16 or int32.
        offsets: review i is `ids[offsets[i]:offsets[i + 1]]`; int64, one more than there are reviews.
        labels: 1 for positive, 0 for negative; uint8.
    """

    ids: NDArray[Any]
    offsets: NDArray[np.int64]
    labels: NDArray[np.uint8]

    @classmethod
    def from_reviews(cls, encoded: Iterable[Sequence[int]], labels: Iterable[int]) -> "Split":
        """The split of these reviews, each a sequence of ids, and their labels in the same order."""
        reviews = list(encoded)
        lengths = np.fromiter(map(len, reviews), dtype=np.int64, count=len(reviews))
        offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
        ids = np.fromiter(chain.from_iterable(reviews), dtype=np.int32, count=int(offsets[-1]))
        if ids.size == 0 or ids.max() <= np.iinfo(np.uint16).max:
            ids = ids.astype(np.uint16)
        split = cls(ids, offsets, np.fromiter(labels, dtype=np.uint8))
        split._check()
        return split

    @classmethod
    def load(cls, path: Path) -> "Split":
        """Read what `save` wrote. Raises DatasetError, naming the file, if damaged; FileNotFoundError if absent."""
        try:
            with np.load(path, allow_pickle=False) as file:
                split = cls(file["ids"], file["offsets"], file["labels"])
            split._check()
        except FileNotFoundError:
            raise
        except KeyError as error:
            raise DatasetError(f"{path}: not a file of encoded reviews: {error.args[0]}") from error
        except (OSError, EOFError, ValueError, AttributeError, zipfile.BadZipFile) as error:
            raise DatasetError(f"{path}: not a file of encoded reviews, or damaged: {error}") from error
        return split

    def save(self, path: Path) -> None:
        """Write the three arrays as one `.npz` file, the same bytes for the same reviews."""
        buffer = BytesIO()
        np.savez_compressed(buffer, ids=self.ids, offsets=self.offsets, labels=self.labels)
        write_whole(path, buffer.getvalue())

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many tokens each review has, int64 `[reviews]`."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        """The number of reviews."""
        return len(self.labels)

    def review(self, row: int) -> NDArray[Any]:
        """The ids of one review."""
        return self.ids[self.offsets[row] : self.offsets[row + 1]]

    def batches(self, size: int, max_tokens: int, rng: np.random.Generator | None = None) -> Iterator[Batch]:
        """All reviews in batches of similar length, each review cut to `max_tokens` by `shorten`.

        Args:
            size: reviews a batch.
            max_tokens: the longest a review stays.
            rng: shuffles the reviews and the batches, for training; without it the order is by length.
        """
        lengths = np.minimum(self.lengths, max_tokens)
        if rng is None:
            order = np.argsort(-lengths, kind="stable")
            groups = [order[start : start + size] for start in range(0, len(order), size)]
        else:
            groups = _shuffled_groups(lengths, size, rng)
        for rows in groups:
            yield Batch(rows, pad([shorten(self.review(row), max_tokens) for row in rows]))

    def _check(self) -> None:
        if self.ids.ndim != 1 or self.ids.dtype not in (np.uint16, np.int32):
            raise DatasetError("ids must be one row of uint16 or int32")
        if self.labels.ndim != 1 or self.labels.dtype != np.uint8 or (self.labels > 1).any():
            raise DatasetError("labels must be one row of uint8, each 0 or 1")
        if self.offsets.dtype != np.int64 or self.offsets.shape != (len(self.labels) + 1,):
            raise DatasetError("offsets must be one row of int64, one more than there are labels")
        if self.offsets[0] != 0 or self.offsets[-1] != len(self.ids) or (np.diff(self.offsets) < 0).any():
            raise DatasetError("offsets must rise from 0 to the number of ids")
        if self.ids.size and self.ids.min() < 0:
            raise DatasetError("ids must not be negative")


def shorten(ids: NDArray[Any], max_tokens: int) -> NDArray[Any]:
    """At most `max_tokens` ids of a review: its end, where reviewers put their verdict."""
    return ids[-max_tokens:]


def pad(reviews: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
    """Reviews as one array `[batch, time]`, `PAD` after the shorter ones; time is at least 1."""
    padded = np.full((len(reviews), max([1, *map(len, reviews)])), PAD, dtype=np.int64)
    for row, ids in enumerate(reviews):
        padded[row, : len(ids)] = ids
    return padded


def _shuffled_groups(lengths: NDArray[np.int64], size: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    order = rng.permutation(len(lengths))
    groups = []
    for start in range(0, len(order), size * _BATCHES_SORTED_TOGETHER):
        pool = order[start : start + size * _BATCHES_SORTED_TOGETHER]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        groups += [pool[first : first + size] for first in range(0, len(pool), size)]
    return [groups[index] for index in rng.permutation(len(groups))]
