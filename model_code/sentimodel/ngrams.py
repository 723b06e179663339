"""Word n-grams of encoded reviews: which ones a model knows, and which of them a review holds.

An n-gram among a review's last tokens counts more than once: as what it is anywhere, and as what it is at the end.

Everything here works on whole arrays of ids, never on strings or one n-gram at a time.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from sentimodel.dataset import DatasetError, Reviews, read_array
from sentimodel.vocabulary import UNK

LONGEST = 3  # tokens
_BITS = 16  # of a token's id in a key
MOST_IDS = 2**_BITS  # that a vocabulary can have
_TOKENS_SHIFT = _BITS * LONGEST
_REACH_SHIFT = _TOKENS_SHIFT + 2
# Kinds of n-grams: how many tokens they have, and among how many tokens at the review's end they stand. Reviewers put
# their verdict there, so that n-grams near the end have further scores; chosen on reviews of films not trained on.
ANYWHERE = 0
_KINDS = ((1, ANYWHERE), (2, ANYWHERE), (3, ANYWHERE), (1, 15), (2, 15), (1, 60), (2, 60))
_MANY = 10_000  # keys that were looked up, after which a hash table is worth making
_SPARE_BITS = 2  # of a hash table, which has four to eight slots for each key
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 divided by the golden ratio
_REVIEWS_AT_ONCE = 128  # bounds the memory that their n-grams take, and is quickest; at most 65,536


class NgramError(ValueError):
    """A file of n-grams is not one, or is damaged."""


@dataclass(frozen=True)
class Rows:
    """For each of some reviews the n-grams that it holds, each once.

    Attributes:
        rows: the numbers of all reviews' n-grams, from 1 on, one review after the other; int32.
        offsets: review i has `rows[offsets[i]:offsets[i + 1]]`; int64, one more than there are reviews.
    """

    rows: NDArray[np.int32]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        """The number of reviews."""
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many n-grams each review holds, int64 `[reviews]`."""
        return np.diff(self.offsets)

    def part(self, first: int, last: int) -> "Rows":
        """Return the reviews from one on, up to another, which is left out."""
        offsets = self.offsets[first : last + 1]
        return Rows(self.rows[offsets[0] : offsets[-1]], offsets - offsets[0])

    @property
    def reviews(self) -> NDArray[np.int64]:
        """Which review each of `rows` is of, int64."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def padded(self, reviews: NDArray[np.int64]) -> NDArray[np.int64]:
        """Pad the n-grams of some reviews: int64 `[reviews, most n-grams]`, 0 after the fewer; at least one column."""
        lengths = self.lengths[reviews]
        columns = np.arange(max(1, int(lengths.max(initial=0))))
        held = columns < lengths[:, np.newaxis]
        padded = np.zeros(held.shape, dtype=np.int64)
        padded[held] = self.rows[(self.offsets[reviews][:, np.newaxis] + columns)[held]]
        return padded


@dataclass(frozen=True)
class Places:
    """Where the n-grams of one kind stand.

    Attributes:
        tokens: how many tokens they have.
        reach: among how many tokens at the review's end they stand, or `ANYWHERE`.
        rows: which n-gram each is, int64.
        starts: the position in `Reviews.ids` that it begins at, int64.
    """

    tokens: int
    reach: int
    rows: NDArray[np.int64]
    starts: NDArray[np.int64]


class Ngrams:
    """The n-grams of one to `LONGEST` known tokens that a model has a score for. N-gram i has the number i + 1.

    Args:
        keys: one for each n-gram, rising, int64; see `_keys`.
    """

    def __init__(self, keys: NDArray[np.int64]) -> None:
        if keys.ndim != 1 or keys.dtype != np.int64 or (keys[1:] <= keys[:-1]).any():
            raise NgramError("the keys of n-grams must be one rising row of int64")
        self._keys = keys
        self._looked_up = 0

    @classmethod
    def none(cls) -> "Ngrams":
        """Return no n-gram at all."""
        return cls(np.zeros(0, dtype=np.int64))

    @classmethod
    def from_bytes(cls, content: bytes) -> "Ngrams":
        """Read the bytes that `to_bytes` gave. Raises NgramError if they are damaged."""
        return cls._read(content)

    @classmethod
    def _read(cls, source: bytes | BinaryIO) -> "Ngrams":
        try:
            steps = read_array(source)
        except DatasetError as error:
            raise NgramError(f"not a file of n-grams: {error}") from error
        if steps.ndim != 1 or steps.dtype != np.int64:
            raise NgramError("not a file of n-grams: it must hold one row of int64")
        return cls(np.cumsum(steps, out=steps))

    @classmethod
    def load(cls, path: Path) -> "Ngrams":
        """Read a file of `to_bytes`. Raises NgramError, naming the file, if it is damaged; OSError if unreadable."""
        try:
            with path.open("rb") as stream:
                return cls._read(stream)
        except NgramError as error:
            raise NgramError(f"{path}: {error}") from error

    def to_bytes(self) -> bytes:
        """Return a `.npy` file of the steps between the keys, which compress far better than the keys."""
        buffer = io.BytesIO()
        np.save(buffer, np.diff(self._keys, prepend=np.int64(0)))
        return buffer.getvalue()

    def __len__(self) -> int:
        """The number of n-grams."""
        return len(self._keys)

    def read(self, reviews: Reviews) -> tuple[Rows, NDArray[np.int32]]:
        """Find which of the n-grams each review holds, and which end with each token of all reviews.

        Returns:
            The first; and the second by the n-grams' length, int32 `[tokens, LONGEST]`, 0 for one that is not known.
        """
        rows, counts, ends = [], [np.zeros(1, dtype=np.int64)], []
        for part in _parts(reviews):
            places = list(self.places(part))
            held, count = self._held(part, places)
            rows.append(held)
            counts.append(count)
            ends.append(_ends(part, places))
        return Rows(np.concatenate(rows), np.cumsum(np.concatenate(counts))), np.concatenate(ends)

    def tokens(self, row: int) -> list[int]:
        """Return the ids that the n-gram of this number consists of."""
        key = int(self._keys[row - 1])
        tokens = key >> _TOKENS_SHIFT & 0b11
        return [key >> (_BITS * place) & (2**_BITS - 1) for place in reversed(range(tokens))]

    def places(self, reviews: Reviews) -> Iterator[Places]:
        """Find all occurrences of the n-grams in these reviews, one kind of n-gram after the other."""
        kinds = [_keys(reviews, *kind) for kind in _KINDS]
        rows, known = self._look_up(np.concatenate([keys for keys, _ in kinds]))
        first = 0
        for (tokens, reach), (keys, starts) in zip(_KINDS, kinds, strict=True):
            here = slice(first, first + len(keys))
            yield Places(tokens, reach, rows[here][known[here]], starts[known[here]])
            first += len(keys)

    def _held(self, reviews: Reviews, found: Sequence[Places]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The n-grams that each review holds, each once, one review after the other, and how many they are."""
        owners = reviews.owners.astype(np.uint16)  # which NumPy sorts by counting
        of = np.concatenate([owners[places.starts] for places in found])
        rows = np.concatenate([places.rows for places in found]).astype(np.int32)[np.argsort(of, kind="stable")]
        counts = np.bincount(of, minlength=len(reviews))
        ends = np.cumsum(counts)
        starts = ends - counts
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            rows[start:end].sort()  # one after the other: a third of the time that all together take
        new = np.diff(rows, prepend=0) != 0
        new[starts[counts > 0]] = True
        return rows[new], np.bincount(np.repeat(np.arange(len(reviews)), counts)[new], minlength=len(reviews))

    def _look_up(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The number of each key, and whether it has one."""
        if not len(self):
            return np.zeros(len(keys), dtype=np.int64), np.zeros(len(keys), dtype=bool)
        self._looked_up += len(keys)
        if self._looked_up >= _MANY:
            return self._table.find(keys)
        rows = np.searchsorted(self._keys, keys).clip(max=len(self) - 1)
        return rows + 1, self._keys[rows] == keys

    @cached_property
    def _table(self) -> "_HashTable":
        return _HashTable(self._keys)


class _HashTable:
    """Where each of some keys stands, found in a quarter of the time that a search takes; 20 ms to make of 500,000.

    Open addressing with linear probing, and multiplicative hashing (Knuth, The Art of Computer Programming, vol. 3,
    section 6.4), one step of the probing for all keys at once.

    Args:
        keys: int64, at least one, none negative, each once.
    """

    def __init__(self, keys: NDArray[np.int64]) -> None:
        bits = len(keys).bit_length() + _SPARE_BITS
        self._shift = np.uint64(64 - bits)
        self._keys = np.append(keys, -1)  # the last for a slot that is free
        self._slots = np.full(2**bits, len(keys), dtype=np.int32)
        left, slots = np.arange(len(keys), dtype=np.int32), self._first_slots(keys)
        while len(left):
            free = self._slots[slots] == len(keys)
            self._slots[slots[free]] = left[free]  # of several keys the last one gets the slot
            without = self._slots[slots] != left
            left, slots = left[without], self._next_slots(slots[without])

    def find(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the place of each key, from 1 on, and whether it is there."""
        slots = self._first_slots(keys)
        places = self._slots[slots].astype(np.int64)
        known = self._keys[places] == keys
        (left,) = np.nonzero(~known & (places < len(self._keys) - 1))
        while len(left):
            slots[left] = self._next_slots(slots[left])
            places[left] = self._slots[slots[left]]
            known[left] = self._keys[places[left]] == keys[left]
            left = left[~known[left] & (places[left] < len(self._keys) - 1)]
        return places + 1, known

    def _first_slots(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        return (keys.view(np.uint64) * _GOLDEN >> self._shift).view(np.int64)

    def _next_slots(self, slots: NDArray[np.int64]) -> NDArray[np.int64]:
        return (slots + 1) % len(self._slots)


def occurrences(reviews: Reviews) -> Iterator[NDArray[np.int64]]:
    """The keys of all n-grams in these reviews, each as often as it occurs; kind after kind, in the order of keys."""
    for tokens, reach in _KINDS:
        yield _keys(reviews, tokens, reach)[0]


def _keys(reviews: Reviews, tokens: int, reach: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The n-grams of a kind, as one number each, and the positions they begin at; both int64.

    A number's lowest 48 bits are the tokens' ids, the last token in the lowest; above them stands how many there are,
    and above that the reach. N-grams with tokens that are unknown, or of two reviews, are left out.
    """
    ids = reviews.ids.astype(np.int64)
    left = np.repeat(reviews.offsets[1:], reviews.lengths) - np.arange(len(ids))  # tokens until the review is over
    count = max(0, len(ids) - tokens + 1)
    valid = left[:count] >= tokens
    if reach != ANYWHERE:
        valid &= left[:count] <= reach
    keys = np.zeros(count, dtype=np.int64)
    for place in range(tokens):
        token = ids[place : place + count]
        keys = keys << _BITS | token
        valid &= token > UNK
    starts = np.flatnonzero(valid)
    return keys[starts] + (tokens << _TOKENS_SHIFT) + (reach << _REACH_SHIFT), starts


def _ends(reviews: Reviews, found: Sequence[Places]) -> NDArray[np.int32]:
    ends = np.zeros((len(reviews.ids), LONGEST), dtype=np.int32)
    for places in found:
        if places.reach == ANYWHERE:
            ends[places.starts + places.tokens - 1, places.tokens - 1] = places.rows
    return ends


def _parts(reviews: Reviews) -> Iterator[Reviews]:
    """The reviews in parts of bounded size, at least one."""
    for start in range(0, max(1, len(reviews)), _REVIEWS_AT_ONCE):
        yield reviews.part(start, start + _REVIEWS_AT_ONCE)
