"""The measures, against their definitions."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentictl.services.evaluate.metrics import (
    CONFIDENCE_BINS,
    ROC_POINTS,
    Interval,
    accuracy_by_length,
    accuracy_by_part,
    axis_start,
    calibration_error,
    confidence_bins,
    confusion_counts,
    roc_auc,
    roc_curve,
    wilson_interval,
)

few_scores = st.sampled_from([0.0, 0.2, 0.5, 0.7, 1.0])
pairs = st.lists(st.tuples(st.booleans(), few_scores | st.floats(0, 1)), min_size=1, max_size=40)
Pairs = list[tuple[bool, float]]


def arrays(reviews: Pairs) -> tuple[np.ndarray, np.ndarray]:
    return np.array([truth for truth, _ in reviews]), np.array([score for _, score in reviews])


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [(9, 10, 0.5958, 0.9821), (0, 5, 0.0, 0.4345), (10_875, 12_500, 0.8640, 0.8758)],
)
def test_the_interval_is_wilsons(right: int, total: int, low: float, high: float) -> None:
    assert wilson_interval(right, total) == pytest.approx((low, high), abs=5e-5)


@given(pairs)
def test_roc_auc_is_the_chance_that_a_positive_review_ranks_higher(reviews: Pairs) -> None:
    positive = [score for truth, score in reviews if truth]
    negative = [score for truth, score in reviews if not truth]
    area = roc_auc(*arrays(reviews))
    if not positive or not negative:
        assert area is None
        return
    wins = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    assert area == pytest.approx(wins / (len(positive) * len(negative)))


@given(pairs)
def test_the_roc_curve_has_that_area_below_it(reviews: Pairs) -> None:
    curve, area = roc_curve(*arrays(reviews)), roc_auc(*arrays(reviews))
    if area is None:
        assert curve == []
        return
    assert (curve[0], curve[-1]) == ((0, 0), (1, 1))
    trapezoids = [(right[0] - left[0]) * (left[1] + right[1]) / 2 for left, right in pairwise(curve)]
    assert sum(trapezoids) == pytest.approx(area, abs=0.02)  # of many points, some are left out


def test_a_long_roc_curve_is_thinned_to_points_of_its_own() -> None:
    rng = np.random.default_rng(3)
    truth = rng.random(5_000) < 0.5
    scores = rng.normal(size=5_000) + 2 * truth
    curve = roc_curve(truth, scores)
    assert len(curve) <= ROC_POINTS
    assert all(
        false_rate * (~truth).sum() == pytest.approx(round(false_rate * (~truth).sum())) for false_rate, _ in curve
    )
    assert curve == sorted(curve)
    area = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(curve))
    assert area == pytest.approx(roc_auc(truth, scores), abs=0.002)


@given(pairs)
def test_the_confusion_counts_every_review_once(reviews: Pairs) -> None:
    truth, scores = arrays(reviews)
    counts = confusion_counts(truth, scores >= 0.5)
    assert sum(sum(row.values()) for row in counts.values()) == len(reviews)
    assert counts["positive"]["negative"] == sum(truth and score < 0.5 for truth, score in reviews)


def slow_calibration_error(reviews: Pairs) -> float:
    """The definition, review by review."""
    error = 0.0
    for number in range(CONFIDENCE_BINS):
        low, high = number / CONFIDENCE_BINS, (number + 1) / CONFIDENCE_BINS
        members = [(truth, score) for truth, score in reviews if low < max(score, 1 - score) <= high]
        if members:
            accuracy = sum((score >= 0.5) == truth for truth, score in members) / len(members)
            confidence = sum(max(score, 1 - score) for _, score in members) / len(members)
            error += len(members) / len(reviews) * abs(accuracy - confidence)
    return error


@given(pairs)
def test_the_calibration_error_is_guos(reviews: Pairs) -> None:
    truth, scores = arrays(reviews)
    bins = confidence_bins((scores >= 0.5) == truth, scores)
    assert calibration_error(bins) == pytest.approx(slow_calibration_error(reviews))
    assert 0 <= calibration_error(bins) <= 1
    assert sum(group.reviews for group in bins) == len(reviews)
    assert all(group.low < group.confidence <= group.high + 1e-12 for group in bins)
    assert all(group.interval[0] - 1e-9 <= group.accuracy <= group.interval[1] + 1e-9 for group in bins)


def test_exact_confidence_has_no_error_and_bluster_has_a_large_one() -> None:
    labels = np.array([True, True, True, False])
    sure, blustering = np.full(4, 0.75), np.full(4, 1.0)
    assert calibration_error(confidence_bins(labels, sure)) == 0
    assert calibration_error(confidence_bins(labels, blustering)) == pytest.approx(0.25)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2000)), min_size=1, max_size=60))
def test_every_review_has_one_group_of_its_length(reviews: list[tuple[bool, int]]) -> None:
    right, tokens = np.array([right for right, _ in reviews]), np.array([tokens for _, tokens in reviews])
    groups = accuracy_by_length(right, tokens)
    assert sum(group.reviews for group in groups) == len(reviews)
    for group in groups:
        members = [
            right for right, tokens in reviews if group.shortest <= tokens <= (group.longest or max(tokens, 801))
        ]
        assert group.reviews == len(members)
        assert group.accuracy == pytest.approx(sum(members) / len(members))


def test_groups_of_lengths_are_named() -> None:
    groups = accuracy_by_length(np.array([True, True, True]), np.array([0, 51, 5_000]))
    assert [group.name for group in groups] == ["0 to 50", "51 to 100", "over 800"]


@pytest.mark.parametrize(
    ("accuracies", "start"),
    [
        ([(0.914, (0.902, 0.924)), (0.916, (0.904, 0.926))], 0.9),
        ([(0.88, (0.85, 0.9)), (1.0, (0.34, 1.0))], 0.8),  # two reviews, both right
        ([(0.05, (0.0, 0.2))], 0.0),
        ([(1.0, (0.99, 1.0))], 0.9),
    ],
)
def test_an_axis_begins_below_what_it_shows(accuracies: list[tuple[float, Interval]], start: float) -> None:
    assert axis_start(accuracies) == pytest.approx(start)


def test_a_part_is_judged_by_the_sign_of_its_own_logit() -> None:
    truth = np.array([True, True, False, False])
    parts = {"ngram": np.array([1.0, -0.5, -2.0, -1.0]), "lstm": np.array([-1.0, 2.0, 0.5, 1.0])}
    assert [(part.name, part.accuracy) for part in accuracy_by_part(truth, parts)] == [("ngram", 0.75), ("lstm", 0.25)]
