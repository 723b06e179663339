"""Tokenized reviews as they lie on a machine's disk: some at a time."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np


class TokenizedChunk(NamedTuple):
    """Some reviews and their tokens.

    Attributes:
        numbers: the number of each review among those of the source; int64.
        labels: 1, 0 or `NONE`; int8.
        splits: as positions in `SPLITS`, or `NONE`; int8.
        contents: a digest of each text, one after the other.
        lengths: how many tokens each has; int64.
        words: all tokens, with blanks between them, which no token holds.
        empty: the number and the beginning of each review without tokens, which are among the others, too.
    """

    numbers: bytes
    labels: bytes
    splits: bytes
    contents: bytes
    lengths: bytes
    words: str
    empty: list[tuple[int, str]]

    def holds(self, number: int) -> bool:
        """Whether the review of a number is here."""
        return bool((np.frombuffer(self.numbers, dtype=np.int64) == number).any())

    def words_of(self, number: int) -> list[str]:
        """The tokens of the review of a number."""
        return dict(self.tokens())[number]

    def tokens(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the number and the tokens of each review."""
        words = self.words.split()
        numbers, lengths = (np.frombuffer(each, dtype=np.int64) for each in (self.numbers, self.lengths))
        start = 0
        for number, end in zip(numbers.tolist(), np.cumsum(lengths).tolist(), strict=True):
            yield number, words[start:end]
            start = end
