"""Counting n-grams: which of them are the most frequent in any number of reviews.

What a part of the reviews holds is counted in memory and kept in a file as a run, sorted. The runs are then read side
by side and merged, so that memory does not grow with the reviews (external sorting; Knuth, The Art of Computer
Programming, volume 3, 5.4).
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sentimodel.dataset import Reviews
from sentimodel.ngrams import Ngrams, occurrences
from sentimodel.scratch import Scratch

TOKENS_AT_ONCE = 2**20  # of a run
KEYS_AT_ONCE = 2**21  # of all runs together, while they are merged

Counted = tuple[NDArray[np.int64], NDArray[np.int32]]  # the keys of n-grams, rising, and how often each occurs


def most_frequent(texts: Sequence[Reviews], most: int, least: int) -> Ngrams:
    """Find the most frequent n-grams of these reviews; of equally frequent ones those with the smallest keys.

    Args:
        texts: sets of encoded reviews; their ids must be below 65,536.
        most: how many n-grams at most.
        least: how often an n-gram must occur.

    Raises:
        OSError: the disk is full. About 4 kB a review are needed, as long as it counts.
    """
    keys, counts = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)
    files, runs = (Scratch(np.int64), Scratch(np.int32)), list[_Run]()
    for part in (part for reviews in texts for part in reviews.parts(TOKENS_AT_ONCE)):
        first, (each, times) = len(files[0]), _counted(part)
        files[0].append(each)
        files[1].append(times)
        runs.append(_Run(files, first, len(files[0])))
    for more, times in _merged(runs):
        keys = np.concatenate([keys, more[times >= least]])
        counts = np.concatenate([counts, times[times >= least]])
        if len(keys) > most:
            chosen = np.sort(np.argsort(-counts, kind="stable")[:most])
            keys, counts = keys[chosen], counts[chosen]
    return Ngrams(keys)


class _Run:
    """Counted n-grams, of which a part is in memory, and what follows in files: one of keys, one of counts."""

    def __init__(self, files: tuple[Scratch, Scratch], first: int, last: int) -> None:
        self._files = files
        self._next, self._last = first, last
        self._keys, self._counts = self._read(0)

    def fill(self, size: int) -> None:
        """Read on until as many n-grams are in memory, or all that there are."""
        keys, counts = self._read(size - len(self._keys))
        self._keys, self._counts = np.concatenate([self._keys, keys]), np.concatenate([self._counts, counts])

    @property
    def reach(self) -> int | None:
        """The last key in memory, if more follow in the file."""
        return int(self._keys[-1]) if self._next < self._last else None

    def take(self, last: int | None) -> Counted:
        """Return what is in memory up to a key, or all, and forget it."""
        end = len(self._keys) if last is None else int(np.searchsorted(self._keys, last, side="right"))
        taken = self._keys[:end], self._counts[:end]
        self._keys, self._counts = self._keys[end:], self._counts[end:]
        return taken

    def _read(self, size: int) -> Counted:
        first, self._next = self._next, min(self._next + size, self._last)
        return self._files[0].read(first, self._next), self._files[1].read(first, self._next)


def _counted(reviews: Reviews) -> Counted:
    keys = np.concatenate([np.sort(each) for each in occurrences(reviews)])
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    return keys[starts], np.diff(starts, append=len(keys)).astype(np.int32)


def _merged(runs: Sequence[_Run]) -> Iterator[Counted]:
    """The n-grams of all runs with the sums of their counts, in the order of their keys, part after part."""
    left = bool(runs)
    while left:
        for run in runs:
            run.fill(max(1, KEYS_AT_ONCE // len(runs)))
        reaches = [run.reach for run in runs if run.reach is not None]
        left = bool(reaches)
        taken = [run.take(min(reaches, default=None)) for run in runs]
        keys, counts = (np.concatenate(columns) for columns in zip(*taken, strict=True))
        order = np.argsort(keys)
        starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
        yield keys[order][starts], np.add.reduceat(counts[order], starts) if len(starts) else counts
