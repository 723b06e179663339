"""Counting what is too much for memory, in one process or in several: which n-grams are the most frequent, say.

What a part of the reviews holds is counted in memory and kept in a file as a run, sorted. The runs are then read side
by side and merged, so that memory does not grow with the reviews (external sorting; Knuth, The Art of Computer
Programming, volume 3, 5.4). Several processes merge their own runs, and deal the keys among themselves, so that each
gets all counts of the keys that are its own.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentimodel.dataset import Reviews
from sentimodel.ngrams import Ngrams, occurrences
from sentimodel.process_group import ALONE, ProcessGroup
from sentimodel.scratch import Scratch

TOKENS_AT_ONCE = 2**20  # of a run
KEYS_AT_ONCE = 2**21  # of all runs together, while they are merged
_NO_MORE = np.iinfo(np.int64).max
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # 2^64 divided by the golden ratio: spreads keys over the processes
_SPREAD_SHIFT = np.uint64(40)

Counted = tuple[NDArray[np.int64], NDArray[np.integer[Any]]]  # keys, rising, and how often each occurs
Owners = Callable[[NDArray[np.int64]], NDArray[np.int64]]  # for each key the process that it belongs to


def most_frequent(texts: Sequence[Reviews], most: int, least: int, group: ProcessGroup = ALONE) -> Ngrams:
    """Find the most frequent n-grams of all processes' reviews; of equally frequent ones those with the smallest keys.

    Args:
        texts: this process's sets of encoded reviews; their ids must be below 65,536.
        most: how many n-grams at most.
        least: how often an n-gram must occur.
        group: the processes that have the other reviews. All find the same n-grams, whoever has which reviews.

    Raises:
        OSError: the disk is full. About 4 kB a review are needed, as long as it counts.
        ProcessGroupError: another process has ended.
    """
    counts = KeyCounts()
    for part in (part for reviews in texts for part in reviews.parts(TOKENS_AT_ONCE)):
        keys = np.concatenate([np.sort(each) for each in occurrences(part)])
        starts = np.flatnonzero(np.diff(keys, prepend=-1))
        counts.add(keys[starts], np.diff(starts, append=len(keys)).astype(np.int32))
    chosen: Counted = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    for keys, times in counts.dealt(group, lambda keys: _spread(keys, group.size)):
        frequent = times >= least
        chosen = _chosen([chosen, (keys[frequent], times[frequent])], most)
    return Ngrams(_chosen(_of_all(chosen, group), most)[0])


class KeyCounts:
    """How often each of any number of keys occurs, in files: one of keys, one of counts."""

    def __init__(self) -> None:
        self._files = Scratch(np.int64), Scratch(np.int32)
        self._runs: list[_Run] = []

    def add(self, keys: NDArray[np.int64], counts: NDArray[np.int32]) -> None:
        """Add counts of keys, which rise, as a run. Raises OSError if the disk is full."""
        first = len(self._files[0])
        self._files[0].append(keys)
        self._files[1].append(counts)
        self._runs.append(_Run(self._files, first, len(self._files[0])))

    def dealt(self, group: ProcessGroup, owners: Owners) -> Iterator[Counted]:
        """Yield, part after part in the order of keys, this process's keys with their counts in all processes.

        All processes must call it. What was added is gone afterwards.

        Args:
            group: the processes.
            owners: says of each key which process gets it, the same in all of them.

        Raises:
            ProcessGroupError: another process has ended.
        """
        try:
            yield from self._merged() if group.size == 1 else _dealt(self._merged(), group, owners)
        finally:
            for file in self._files:
                file.close()

    def _merged(self) -> Iterator[Counted]:
        """The keys of all runs with the sums of their counts, in order, part after part; none of them empty."""
        left = bool(self._runs)
        while left:
            for run in self._runs:
                run.fill(max(1, KEYS_AT_ONCE // len(self._runs)))
            reaches = [run.reach for run in self._runs if run.reach is not None]
            left = bool(reaches)
            keys, counts = summed([run.take(min(reaches, default=None)) for run in self._runs])
            if len(keys):
                yield keys, counts


class _Run:
    """Counted keys, of which a part is in memory, and what follows in files: one of keys, one of counts."""

    def __init__(self, files: tuple[Scratch, Scratch], first: int, last: int) -> None:
        self._files = files
        self._next, self._last = first, last
        self._keys, self._counts = self._read(0)

    def fill(self, size: int) -> None:
        """Read on until as many keys are in memory, or all that there are."""
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


def summed(parts: Sequence[Counted]) -> Counted:
    """Return the keys of all parts, each once and in order, with the sums of their counts."""
    keys, counts = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    return keys[order][starts], np.add.reduceat(counts[order], starts) if len(starts) else counts


def _dealt(merged: Iterator[Counted], group: ProcessGroup, owners: Owners) -> Iterator[Counted]:
    none: Counted = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    keys, counts = none
    left = True
    while left:
        if not len(keys):
            keys, counts = next(merged, none)
        # As far as all of them have come: what is behind it, somebody may have more of.
        reach = group.least(int(keys[-1]) if len(keys) else _NO_MORE)
        left = reach != _NO_MORE
        end = int(np.searchsorted(keys, reach, side="right"))
        yield _received((keys[:end], counts[:end]), group, owners)
        keys, counts = keys[end:], counts[end:]


def _received(counted: Counted, group: ProcessGroup, owners: Owners) -> Counted:
    """What belongs to this process of the keys that all processes have at hand, this one among them."""
    of = owners(counted[0])
    chosen = [of == rank for rank in range(group.size)]
    parts = [np.concatenate([each[own].astype(np.int64) for each in counted]) for own in chosen]
    halves = [np.split(part, 2) for part in group.deal(parts)]
    return summed([(keys, counts) for keys, counts in halves])


def _chosen(parts: Sequence[Counted], most: int) -> Counted:
    """So many of the most frequent keys of all parts, none of which is in two of them."""
    keys, counts = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(keys, kind="stable")
    keys, counts = keys[order], counts[order]
    if len(keys) > most:
        best = np.sort(np.argsort(-counts, kind="stable")[:most])
        keys, counts = keys[best], counts[best]
    return keys, counts


def _of_all(own: Counted, group: ProcessGroup) -> list[Counted]:
    """What each process has chosen."""
    keys = [np.frombuffer(told, np.int64) for told in group.gather(own[0].tobytes())]
    counts = [np.frombuffer(told, np.int64) for told in group.gather(own[1].astype(np.int64).tobytes())]
    return list(zip(keys, counts, strict=True))


def _spread(keys: NDArray[np.int64], processes: int) -> NDArray[np.int64]:
    """Deal keys among processes, about equally many to each."""
    return (keys.view(np.uint64) * _GOLDEN >> _SPREAD_SHIFT).astype(np.int64) % processes
