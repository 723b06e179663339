"""Real reviews for what is measured, and as many as one likes that are made of them."""

import csv
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from sentictl.config.settings import DataSettings
from sentictl.reviews.read.resolve import open_source, user_cache
from sentictl.reviews.read.source import Review, Source

MISSPELT = 200  # one word in so many: the number of different words grows with the reviews, as it does with real ones
COLUMNS = ("review", "label")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def opened(settings: DataSettings) -> Source:
    """Return the source that the settings name; nothing is said while it is fetched."""
    return open_source(settings, Path(), user_cache(), silent)


def silent(what: str, done: int | None = None, total: int | None = None) -> None:
    """Report nothing."""


def texts(source: str) -> Iterator[str]:
    """Return the texts of a source, which is named as `sentictl data --source` takes it."""
    return (review.text for review in _reviews(source))


def first_words(some: Iterable[str], count: int) -> str:
    """Return one text of so many words: the first ones of several texts."""
    return " ".join(islice((word for text in some for word in text.split()), count))


def labelled_texts(source: str) -> Iterator[tuple[str, int]]:
    """Return the texts and the labels, 1 or 0, of the source's reviews that have one."""
    return ((review.text, review.label) for review in _reviews(source) if review.label is not None)


def _reviews(source: str) -> Iterator[Review]:
    return opened(DataSettings(source=source)).all_reviews()


def write_reviews(file: Path, source: str, count: int) -> int:
    """Write the first reviews of a source as JSON lines. Returns how many there were."""
    written = 0
    with file.open("w", encoding="utf-8") as stream:
        for written, text in enumerate(islice(texts(source), count), start=1):  # noqa: B007  (the count, afterwards)
            stream.write(json.dumps({"review": text}) + "\n")
    return written


def write_many(file: Path, source: str, count: int) -> None:
    """Write a table of labelled reviews that are made of real ones, as `made` makes them.

    Args:
        file: the .csv file, with the columns review and label.
        source: the real ones, named as `sentictl data --source` takes them.
        count: how many.
    """
    with file.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(COLUMNS)
        rows.writerows(made(words_by_label(source), count))


def made(words: Mapping[int, Sequence[Sequence[str]]], count: int, seed: int = 1) -> Iterator[tuple[str, int]]:
    """Make reviews: the first half of a real one, the second half of another of the same label, some words misspelt.

    Args:
        words: what `words_by_label` gave.
        count: how many.
        seed: what is drawn follows from it.

    Yields:
        A review and its label, 0 and 1 by turns.
    """
    rng = random.Random(seed)
    return ((" ".join(_made(rng, words[number % 2])), number % 2) for number in range(count))


def words_by_label(source: str) -> dict[int, list[list[str]]]:
    """Return the words of a source's labelled reviews, by their label."""
    words: dict[int, list[list[str]]] = {0: [], 1: []}
    for text, label in labelled_texts(source):
        words[label].append(text.split(" "))
    return words


def _made(rng: random.Random, texts: Sequence[Sequence[str]]) -> list[str]:
    """The words of a review of two halves, with misspelt ones among them."""
    first, second = rng.choice(texts), rng.choice(texts)
    words = [*first[: len(first) // 2], *second[len(second) // 2 :]]
    for _ in range(len(words) // MISSPELT + 1):
        place = rng.randrange(len(words))
        at = rng.randrange(len(words[place]) + 1)
        words[place] = words[place][:at] + rng.choice(LETTERS) + words[place][at:]
    return words
