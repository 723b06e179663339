"""The reviews of a source as numbers."""

import random
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sentimodel.text import TextSettings

from sentictl.reviews.prepare.corpus import Corpus
from sentictl.reviews.read.source import Review, Source

WORDS = 300


class Drawn(Source):
    """So many reviews of `WORDS` words each, which are few."""

    def __init__(self, count: int) -> None:
        super().__init__("drawn")
        self._count = count

    def fingerprint(self) -> str:
        return str(self._count)

    def _all(self) -> Iterator[Review]:
        rng = random.Random(1)
        for number in range(self._count):
            yield Review(" ".join(rng.choices(["good", "bad", "film", "plot"], k=WORDS)), number % 2)


def kept(folder: Path, count: int) -> int:
    """How many bytes of memory a corpus of so many reviews takes once it has been read."""
    tracemalloc.start()
    try:
        with Corpus(folder) as corpus:
            corpus.read(Drawn(count), TextSettings(), lambda *_: None, 1)
            return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_little_of_a_review_stays_in_memory(tmp_path: Path) -> None:
    kept(tmp_path, 1)  # what is imported or cached once
    assert kept(tmp_path, 600) - kept(tmp_path, 100) < 500 * WORDS


def test_nothing_stays_on_disk(tmp_path: Path) -> None:
    with Corpus(tmp_path) as corpus:
        corpus.read(Drawn(10), TextSettings(), lambda *_: None, 1)
        assert not list(tmp_path.iterdir())


def test_words_are_counted_over_some_reviews(tmp_path: Path) -> None:
    texts = [review.text.split() for review in Drawn(20).all_reviews()]
    with Corpus(tmp_path) as corpus:
        corpus.read(Drawn(20), TextSettings(), lambda *_: None, 1)
        rows = np.array([7, 3, 12])
        counts = corpus.lexicons.counts(corpus.occurrences(rows), None)
    assert counts == Counter(word for row in rows.tolist() for word in texts[row])
