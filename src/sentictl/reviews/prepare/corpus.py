"""All reviews of a source as numbers, small enough to hold at once: each token is the number of its surface word."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing

import numpy as np
from numpy.typing import NDArray
from sentimodel.text import TextSettings

from sentictl.reviews.prepare.split_assignment import Member
from sentictl.reviews.prepare.tokenization import Chunk, tokenized
from sentictl.reviews.read.source import ReportProgress, Review, Source

NO_TOKENS = "review without tokens skipped"
DUPLICATES = "review with the same text as another"
REVIEWS_A_REPORT = 250


class Corpus:
    """The tokenized reviews of a source.

    Attributes:
        members: what is known of each review, in the source's order.
        words: the surface words, in the order they occur first; a token is a position in this list.
        warnings: the source's counted faults, and those found here.
    """

    def __init__(self) -> None:
        self.members: list[Member] = []
        self.words: list[str] = []
        self.warnings: Counter[str] = Counter()
        self._tokens = array("I")
        self._ends = array("q", [0])

    @classmethod
    def read(
        cls, source: Source, settings: TextSettings, report: ReportProgress, processes: int | None = None
    ) -> "Corpus":
        """The corpus of all reviews of the source that have tokens.

        Args:
            source: the reviews.
            settings: how a text becomes tokens.
            report: told how far the reading has come.
            processes: as `tokenized` takes it; the corpus is the same for any number.

        Raises:
            DataError: as `Source.all_reviews` and `tokenized`.
        """
        corpus = cls()
        numbers: defaultdict[str, int] = defaultdict()
        numbers.default_factory = numbers.__len__  # each new word gets the next number
        with closing(tokenized(_reported(source, report), settings, processes)) as chunks:
            for chunk in chunks:
                corpus._add(chunk, numbers)
        corpus.words = list(numbers)
        corpus.members = [
            member._replace(film=source.film(member.film) or None) if member.film else member
            for member in corpus.members
        ]
        labelled = [member.content for member in corpus.members if member.label is not None]
        corpus.warnings += source.warnings + Counter({DUPLICATES: len(labelled) - len(set(labelled))})
        return corpus

    def tokens(self, rows: Sequence[int]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """The tokens of these reviews, one review after the other, and the offsets: where each begins and ends."""
        tokens, ends = np.frombuffer(self._tokens, dtype=np.uint32), np.frombuffer(self._ends, dtype=np.int64)
        starts, lengths = ends[rows], np.diff(ends)[rows]
        offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
        gathered = np.empty(offsets[-1], dtype=np.uint32)
        for start, length, offset in zip(starts.tolist(), lengths.tolist(), offsets.tolist(), strict=False):
            gathered[offset : offset + length] = tokens[start : start + length]
        return gathered, offsets

    def counts(self, rows: Sequence[int]) -> dict[str, int]:
        """How often each surface word occurs in these reviews; words that do not are left out."""
        totals = np.bincount(self.tokens(rows)[0], minlength=len(self.words))
        return {self.words[number]: int(totals[number]) for number in np.flatnonzero(totals)}

    def _add(self, chunk: Chunk, numbers: defaultdict[str, int]) -> None:
        tokens = chunk.tokens
        own = np.fromiter(map(numbers.__getitem__, tokens.words), dtype=np.uint32, count=len(tokens.words))
        self._tokens.frombytes(own[np.frombuffer(tokens.numbers, dtype=np.uint32)].tobytes())
        for review, length, content in zip(chunk.reviews, tokens.lengths, tokens.contents, strict=True):
            if not length:
                self.warnings[NO_TOKENS] += 1
                continue
            self._ends.append(self._ends[-1] + length)
            self.members.append(Member(content, review.label, review.split, review.film))


def _reported(source: Source, report: ReportProgress) -> Iterator[Review]:
    """The reviews of a source, and now and then a word on how far they have come."""
    what = f"reading {source.description}"
    for count, review in enumerate(source.all_reviews()):
        if count % REVIEWS_A_REPORT == 0:
            report(what, source.done, source.total)
        yield review
    report(what, source.total, source.total)
