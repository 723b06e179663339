"""The surface words of a source, as those who tokenized it numbered them: by so many lexicons that each is small."""

import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sentimodel.vocabulary import Vocabulary

from sentictl.reviews.prepare.spilled import Extent, Spilled

MOST_COUNTED = 500_000  # words at a time: some 70 MB


class Lexicons:
    """Words on disk. A word has a number in each lexicon that holds it; no lexicon grows once another has begun.

    Args:
        folder: says on which disk.
    """

    def __init__(self, folder: Path) -> None:
        self._spilled = Spilled(folder)
        self._positions: dict[tuple[int, int], int] = {}
        self._extents: list[list[Extent]] = []
        self._sizes: list[int] = []

    def add(self, lexicon: tuple[int, int], words: Sequence[str]) -> int:
        """Add words to a lexicon, which is a new one where it is not known; returns its position among all."""
        position = self._positions.setdefault(lexicon, len(self._sizes))
        if position == len(self._sizes):
            self._extents.append([])
            self._sizes.append(0)
        if words:
            self._extents[position].append(self._spilled.append("".join(f"{word}\n" for word in words).encode()))
            self._sizes[position] += len(words)
        return position

    @property
    def bases(self) -> NDArray[np.int64]:
        """How many words stand before each lexicon, and at last how many there are."""
        return np.cumsum([0, *self._sizes])

    def words(self, position: int) -> list[str]:
        """The words of a lexicon."""
        return self._spilled.gather(self._extents[position]).decode().split("\n")[:-1]

    def ids(self, vocabulary: Vocabulary) -> NDArray[np.uint16]:
        """The id of each word, lexicon by lexicon."""
        encoded = [vocabulary.encode(self.words(position)) for position in range(len(self._sizes))]
        return np.concatenate([np.array(ids, dtype=np.uint16) for ids in encoded])

    def counts(self, occurrences: NDArray[np.int64], most: int | None) -> dict[str, int]:
        """How often each surface word occurs; words that do not are left out.

        Args:
            occurrences: how often each number occurs, lexicon by lexicon.
            most: words that are rarer than this many others may be left out as well; None for all words.
        """
        turns = 1 + len(occurrences) // MOST_COUNTED
        counts: dict[str, int] = {}
        for turn in range(turns):
            counted: defaultdict[str, int] = defaultdict(int, counts)
            for word, count in self._occurring(occurrences):
                if turns == 1 or zlib.crc32(word.encode()) % turns == turn:
                    counted[word] += count
            counts = _most_frequent(counted, most)
        return counts

    def close(self) -> None:
        """Give back the room on the disk."""
        self._spilled.close()

    def _occurring(self, occurrences: NDArray[np.int64]) -> Iterator[tuple[str, int]]:
        for position, base in enumerate(self.bases[:-1]):
            own = occurrences[base : base + self._sizes[position]].tolist()
            yield from ((word, count) for word, count in zip(self.words(position), own, strict=True) if count)


def _most_frequent(counts: dict[str, int], most: int | None) -> dict[str, int]:
    """The counts without those that are less than so many others."""
    if most is None or len(counts) <= most:
        return counts
    least = sorted(counts.values(), reverse=True)[most - 1]
    return {word: count for word, count in counts.items() if count >= least}
