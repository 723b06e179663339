"""All reviews of a source as numbers, small enough to hold at once: each token is the number of its surface word."""

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterable

import numpy as np
from sentimodel.text import TextSettings, tokenize

from sentictl.reviews.source import Report, Source
from sentictl.reviews.splitting import Member

NO_TOKENS = "review without tokens skipped"
DUPLICATES = "review with the same text as another"
REVIEWS_A_REPORT = 250


class Corpus:
    """The tokenized reviews of a source.

    Attributes:
        members: what is known of each review, in the source's order.
        words: the surface words; a token is a position in this list.
        warnings: the source's counted faults, and those found here.
    """

    def __init__(self) -> None:
        self.members: list[Member] = []
        self.words: list[str] = []
        self.warnings: Counter[str] = Counter()
        self._tokens = array("I")
        self._ends = array("Q", [0])

    @classmethod
    def read(cls, source: Source, settings: TextSettings, report: Report) -> "Corpus":
        """The corpus of all reviews of the source that have tokens.

        Raises:
            DataError: as `Source.reviews`.
        """
        corpus = cls()
        numbers = _Numbers()
        skipped = 0
        for count, review in enumerate(source.reviews()):
            if count % REVIEWS_A_REPORT == 0:
                report(source.done, source.total, f"reading {source.description}")
            tokens = tokenize(review.text, settings)
            if not tokens:
                skipped += 1
                continue
            corpus._tokens.extend(map(numbers.__getitem__, tokens))
            corpus._ends.append(len(corpus._tokens))
            content = hashlib.blake2b(review.text.encode(), digest_size=16).digest()
            corpus.members.append(Member(content, review.label, review.split, review.film))
        report(source.total, source.total, f"reading {source.description}")
        corpus.words = list(numbers)
        duplicates = len(corpus.members) - len({member.content for member in corpus.members})
        corpus.warnings = source.warnings + Counter({NO_TOKENS: skipped, DUPLICATES: duplicates})
        return corpus

    def tokens(self, row: int) -> "array[int]":
        """The tokens of one review."""
        return self._tokens[self._ends[row] : self._ends[row + 1]]

    def counts(self, rows: Iterable[int]) -> dict[str, int]:
        """How often each surface word occurs in these reviews; words that do not are left out."""
        totals = np.zeros(len(self.words), dtype=np.int64)
        for row in rows:
            np.add.at(totals, np.frombuffer(self.tokens(row), dtype=np.uint32), 1)
        return {self.words[number]: int(totals[number]) for number in np.flatnonzero(totals)}


class _Numbers(dict[str, int]):
    """Gives each new word the next number."""

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        return number
