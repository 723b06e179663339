"""Encoded reviews, labelled or not, and how to take batches of them."""

import errno
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from io import BytesIO
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from sentimodel.files import shard_name, shards, write_whole

if TYPE_CHECKING:
    from numpy.random import Generator  # numpy loads it at first use, which predicting has none of

_BATCHES_SORTED_TOGETHER = 50  # enough that a batch holds reviews of one length, few enough that batches differ


class DatasetError(ValueError):
    """A file of encoded reviews is not one, or is damaged."""


@dataclass(frozen=True)
class Reviews:
    """Encoded reviews, one after the other, without padding.

    Attributes:
        ids: the token ids of all reviews, uint16 or int32.
        offsets: review i is `ids[offsets[i]:offsets[i + 1]]`; int64, one more than there are reviews.
    """

    ids: NDArray[Any]
    offsets: NDArray[np.int64]

    @classmethod
    def from_reviews(cls, encoded: Iterable[Sequence[int]]) -> Self:
        """These reviews, each a sequence of ids."""
        return cls(*_ragged(encoded))._checked()

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read all shards of a folder, as one.

        Raises:
            DatasetError: a shard is damaged; the message names the file.
            FileNotFoundError: there is no shard, or one before the last is missing.
        """
        paths = shards(folder)
        for number in range(max(1, len(paths))):
            if folder / shard_name(number) not in paths:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder / shard_name(number)))
        return cls.joined([cls.read(path) for path in paths])

    @classmethod
    def joined(cls, parts: Sequence["Reviews"]) -> Self:
        """All reviews of these, at least one part, in order; as `Reviews` without their labels."""
        if len(parts) == 1:  # whose arrays need no copy
            return cls(**{field.name: getattr(parts[0], field.name) for field in fields(cls)})
        arrays = {
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(cls)
            if field.name != "offsets"
        }
        lengths = np.concatenate([part.lengths for part in parts])
        return cls(offsets=np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)]), **arrays)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read one file of `save`. Raises DatasetError, naming it, if damaged; FileNotFoundError if absent."""
        with _opened(path) as file:
            return cls(*[file[field.name] for field in fields(cls)])._checked()

    @staticmethod
    def read_lengths(path: Path) -> NDArray[np.int64]:
        """Read of one file of `save` only how many tokens each review has, int64 `[reviews]`. Raises as `read`."""
        with _opened(path) as file:
            offsets: NDArray[np.int64] = file["offsets"]
            _check_offsets(offsets)
            return np.diff(offsets)

    def save(self, path: Path) -> None:
        """Write the arrays as one `.npz` file, the same bytes for the same reviews."""
        buffer = BytesIO()
        np.savez_compressed(buffer, **{field.name: getattr(self, field.name) for field in fields(self)})
        write_whole(path, buffer.getvalue())

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many tokens each review has, int64 `[reviews]`."""
        return np.diff(self.offsets)

    @property
    def owners(self) -> NDArray[np.int64]:
        """Which review each of `ids` is of, int64."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def __len__(self) -> int:
        """The number of reviews."""
        return len(self.offsets) - 1

    def review(self, row: int) -> NDArray[Any]:
        """The ids of one review."""
        return self.ids[self.offsets[row] : self.offsets[row + 1]]

    def parts(self, tokens: int) -> Iterator[Self]:
        """These reviews in order, in parts of whole reviews and of about so many tokens."""
        return (self.part(first, last) for first, last in stretches(self.offsets, tokens))

    def part(self, first: int, last: int) -> Self:
        """Return the reviews from one on, up to another, which is left out."""
        offsets = self.offsets[first : last + 1]
        arrays = {"ids": self.ids[offsets[0] : offsets[-1]], "offsets": offsets - offsets[0]}
        return type(self)(**{field.name: getattr(self, field.name)[first:last] for field in fields(self)} | arrays)

    def positions(self, rows: NDArray[np.int64], max_tokens: int) -> NDArray[np.int64]:
        """Where in `ids` the tokens of some reviews are, int64 `[reviews, time]`, -1 after a review's end.

        Of a longer review it is the last `max_tokens`: its end, where reviewers put their verdict. Time is at least 1.
        """
        ends = self.offsets[rows + 1]
        lengths = np.minimum(ends - self.offsets[rows], max_tokens)
        columns = np.arange(max(1, int(lengths.max(initial=0))))
        return np.where(columns < lengths[:, np.newaxis], (ends - lengths)[:, np.newaxis] + columns, -1)

    def _checked(self) -> Self:
        """These reviews, or DatasetError if the arrays contradict one another."""
        if self.ids.ndim != 1 or self.ids.dtype not in (np.uint16, np.int32):
            raise DatasetError("ids must be one row of uint16 or int32")
        _check_offsets(self.offsets)
        if self.offsets[-1] != len(self.ids):
            raise DatasetError("offsets must rise to the number of ids")
        if self.ids.size and self.ids.min() < 0:
            raise DatasetError("ids must not be negative")
        return self


@dataclass(frozen=True)
class Split(Reviews):
    """The encoded reviews of a split, with their labels.

    Attributes:
        labels: 1 for positive, 0 for negative, one for each review; uint8.
    """

    labels: NDArray[np.uint8]

    @classmethod
    def from_reviews(cls, encoded: Iterable[Sequence[int]], labels: Iterable[int] = ()) -> Self:
        """The split of these reviews, each a sequence of ids, and their labels in the same order.

        Raises:
            DatasetError: there are not as many labels as reviews, or one is neither 0 nor 1.
        """
        return cls(*_ragged(encoded), np.fromiter(labels, dtype=np.uint8))._checked()

    def _checked(self) -> Self:
        if self.labels.ndim != 1 or self.labels.dtype != np.uint8 or (self.labels > 1).any():
            raise DatasetError("labels must be one row of uint8, each 0 or 1")
        if self.offsets.shape != (len(self.labels) + 1,):
            raise DatasetError("offsets must be one row of int64, one more than there are labels")
        return super()._checked()


@dataclass(frozen=True)
class GroupedSplit(Split):
    """The encoded reviews of the training split, with their labels and groups.

    Attributes:
        groups: which of them belong together, as those of one film do; a number for each, int32.
    """

    groups: NDArray[np.int32]

    @classmethod
    def from_reviews(
        cls, encoded: Iterable[Sequence[int]], labels: Iterable[int] = (), groups: Iterable[int] | None = None
    ) -> Self:
        """The split of these reviews, their labels and their groups; each review is a group where none are given."""
        ids, offsets = _ragged(encoded)
        numbers = range(len(offsets) - 1) if groups is None else groups
        return cls(ids, offsets, np.fromiter(labels, dtype=np.uint8), np.fromiter(numbers, dtype=np.int32))._checked()

    def _checked(self) -> Self:
        if self.groups.dtype != np.int32 or self.groups.shape != self.labels.shape or (self.groups < 0).any():
            raise DatasetError("groups must be one row of int32, one for each label")
        return super()._checked()


def batches(lengths: NDArray[np.int64], size: int, rng: "Generator | None" = None) -> list[NDArray[np.int64]]:
    """Put the rows of reviews in batches of similar length; within a batch they are sorted by it.

    Args:
        lengths: of all reviews, `[reviews]`.
        size: reviews a batch; the last may have fewer.
        rng: shuffles the reviews and the batches, for training; without it the order is by length.

    Returns:
        The rows of each batch, int64.
    """
    if rng is not None:
        return _shuffled_batches(lengths, size, rng)
    order = np.argsort(-lengths, kind="stable")
    return [order[start : start + size] for start in range(0, len(order), size)]


def read_array(source: bytes | BinaryIO) -> NDArray[Any]:
    """The array that a `.npy` file, or its bytes, holds. Raises DatasetError if they are damaged."""
    stream = BytesIO(source) if isinstance(source, bytes) else source
    try:
        array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    except Exception as error:  # numpy gives the header to Python's parser, whose errors have no nearer base
        raise DatasetError(f"not a file of an array, or damaged: {error}") from error
    return array


def stretches(offsets: NDArray[np.int64], size: int) -> Iterator[tuple[int, int]]:
    """Yield where to part rows that lie one after the other: the first of each part, and the first of the next one.

    Args:
        offsets: row i begins at `offsets[i]` and ends at `offsets[i + 1]`; int64, one more than there are rows.
        size: how much a part holds, about: no row is cut.
    """
    starts = np.searchsorted(offsets[:-1], np.arange(offsets[0], offsets[-1], size))
    yield from pairwise(np.unique([0, *starts, len(offsets) - 1]).tolist())


def pick(values: NDArray[Any], positions: NDArray[np.int64]) -> NDArray[np.int64]:
    """The values at these positions, int64 `[*positions, …]`; 0, which is `PAD` as well, where a position is -1."""
    if not len(values):
        return np.zeros(positions.shape + values.shape[1:], dtype=np.int64)
    picked = values[positions].astype(np.int64)
    picked[positions < 0] = 0
    return picked


def _ragged(encoded: Iterable[Sequence[int]]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The ids and offsets of these reviews, the ids in the smallest type that holds them."""
    reviews = list(encoded)
    lengths = np.fromiter(map(len, reviews), dtype=np.int64, count=len(reviews))
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
    ids = np.fromiter(chain.from_iterable(reviews), dtype=np.int32, count=int(offsets[-1]))
    if ids.size == 0 or ids.max() <= np.iinfo(np.uint16).max:
        ids = ids.astype(np.uint16)
    return ids, offsets


def _check_offsets(offsets: NDArray[Any]) -> None:
    if offsets.ndim != 1 or offsets.dtype != np.int64 or not len(offsets):
        raise DatasetError("offsets must be one row of int64, one more than there are reviews")
    if offsets[0] != 0 or (np.diff(offsets) < 0).any():
        raise DatasetError("offsets must rise from 0")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The arrays of a file of encoded reviews, by their names. What goes wrong with them is a DatasetError."""
    from zipfile import BadZipFile

    try:
        with np.load(path, allow_pickle=False) as file:
            yield file
    except FileNotFoundError:
        raise
    except KeyError as error:
        raise DatasetError(f"{path}: not a file of encoded reviews: {error.args[0]}") from error
    except (OSError, EOFError, ValueError, AttributeError, BadZipFile) as error:
        raise DatasetError(f"{path}: not a file of encoded reviews, or damaged: {error}") from error


def _shuffled_batches(lengths: NDArray[np.int64], size: int, rng: "Generator") -> list[NDArray[np.int64]]:
    order = rng.permutation(len(lengths))
    chosen = []
    for start in range(0, len(order), size * _BATCHES_SORTED_TOGETHER):
        pool = order[start : start + size * _BATCHES_SORTED_TOGETHER]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        chosen += [pool[first : first + size] for first in range(0, len(pool), size)]
    return [chosen[index] for index in rng.permutation(len(chosen))]
