"""What must not grow, counted where a clock would measure the machine: calls of functions, and bytes allocated."""

import cProfile
import csv
import pstats
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from sentimodel.predictor import Predictor

from sentictl.config.settings import DataSettings
from sentictl.reviews.prepare.preparation import prepare
from sentictl.reviews.read.tables.table import TableSource
from tests.conftest import toy_reviews

FEW, MANY = 1_000, 5_000
COLUMNS = 400  # bytes a review: the columns of `Members`, and what sorting them takes; its tokens would be 1,000 more
CALLS = 25  # a review of some sentences, most of them by its tokens


def calls(work: Callable[[], object]) -> int:
    """How many functions of Python and of C are called."""
    with cProfile.Profile() as profile:
        work()
    return int(pstats.Stats(profile).total_calls)  # type: ignore[attr-defined]


def peak(work: Callable[[], object]) -> int:
    """The most bytes that are allocated at one time."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def predictor(toy_artifact: Path) -> Predictor:
    predictor = Predictor.load(toy_artifact, threads=1)
    predictor.predict(["The plot was superb."])  # what is made once
    return predictor


def test_preparing_keeps_a_few_bytes_of_each_review(tmp_path: Path) -> None:
    peaks: dict[int, int] = {}
    for count in (FEW, FEW, MANY):  # the first imports and makes what is made once
        table = tmp_path / f"{count}.csv"
        with table.open("w", newline="") as file:
            csv.writer(file).writerows([("review", "label"), *toy_reviews(count)])
        source = TableSource(table, DataSettings())
        folder = tmp_path / f"{len(peaks)}-{count}"
        peaks[count] = peak(lambda: prepare(source, DataSettings(), folder, lambda *_: None, 1))  # noqa: B023
    assert (peaks[MANY] - peaks[FEW]) / (MANY - FEW) < COLUMNS


def test_many_reviews_take_no_more_calls_each_than_few(predictor: Predictor) -> None:
    texts = [text for text, _ in toy_reviews(MANY)]
    few, many = (calls(lambda: predictor.predict(texts[:count])) / count for count in (FEW, MANY))  # noqa: B023
    assert many < 1.05 * few
    assert many < CALLS


def test_explaining_takes_calls_in_proportion_to_the_words(predictor: Predictor) -> None:
    sentence = "The plot was superb but the music was tedious. "
    short, long = (calls(lambda: predictor.explain(sentence * times)) for times in (20, 200))  # noqa: B023
    assert long < 10.5 * short
