"""The measures, against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentictl.services.evaluation import measure, roc_auc, wilson_interval

pairs = st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.2, 0.5, 0.7, 1.0])), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [(9, 10, 0.5958, 0.9821), (0, 5, 0.0, 0.4345), (10_875, 12_500, 0.8640, 0.8758)],
)
def test_the_interval_is_wilsons(right: int, total: int, low: float, high: float) -> None:
    assert wilson_interval(right, total) == pytest.approx((low, high), abs=5e-5)


@given(pairs)
def test_roc_auc_is_the_chance_that_a_positive_review_ranks_higher(reviews: list[tuple[bool, float]]) -> None:
    positive = [score for truth, score in reviews if truth]
    negative = [score for truth, score in reviews if not truth]
    area = roc_auc(np.array([truth for truth, _ in reviews]), np.array([score for _, score in reviews]))
    if not positive or not negative:
        assert area is None
        return
    wins = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    assert area == pytest.approx(wins / (len(positive) * len(negative)))


@given(pairs)
def test_the_counts_add_up(reviews: list[tuple[bool, float]]) -> None:
    labels = np.array([truth for truth, _ in reviews], dtype=np.uint8)
    probabilities = np.array([score for _, score in reviews])
    result = measure("m", "d", labels, probabilities)
    right = sum((score >= 0.5) == truth for truth, score in reviews)
    assert result.accuracy == pytest.approx(right / len(reviews))
    assert sum(sum(row.values()) for row in result.confusion.values()) == result.reviews == len(reviews)
    assert result.interval[0] - 1e-9 <= result.accuracy <= result.interval[1] + 1e-9
    if result.precision + result.recall:
        harmonic = 2 * result.precision * result.recall / (result.precision + result.recall)
        assert result.f1 == pytest.approx(harmonic)
    else:
        assert result.f1 == 0
