"""McNemar's test, and what is said of two models."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentictl.services.evaluate.comparison import CHI_SQUARE, EXACT, compare, mcnemar
from sentictl.services.evaluate.evaluation import Answers

counts = st.integers(0, 400)


def answers(model: str, right: list[bool], labels: list[int]) -> Answers:
    """A model that is right where it is said to be."""
    logits = [3.0 if good == bool(label) else -3.0 for good, label in zip(right, labels, strict=True)]
    return Answers(model, np.full(len(labels), 10), {"lstm": np.array(logits)})


@given(counts, counts)
def test_neither_model_is_favored(first: int, second: int) -> None:
    assert mcnemar(first, second) == mcnemar(second, first)
    assert 0 <= mcnemar(first, second)[0] <= 1


@given(counts, counts)
def test_a_larger_lead_of_as_many_reviews_is_never_likelier(first: int, second: int) -> None:
    if first >= second >= 1:
        assert mcnemar(first + 1, second - 1)[0] <= mcnemar(first, second)[0] + 1e-12


@pytest.mark.parametrize(("first", "second"), [(0, 0), (3, 1), (0, 9), (6, 6), (12, 5)])
def test_few_reviews_are_counted_exactly(first: int, second: int) -> None:
    outcomes = list(product((0, 1), repeat=first + second))  # coins, one for each review that one model alone got right
    as_far = sum(abs(2 * sum(coins) - first - second) >= abs(first - second) for coins in outcomes)
    p_value, test = mcnemar(first, second)
    assert p_value == pytest.approx(as_far / len(outcomes))
    assert test == EXACT


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [(10, 20, 0.10034825), (59, 6, 1.1166e-10), (50, 50, 1.0), (100, 130, 0.05581837)],
)
def test_many_reviews_follow_the_corrected_chi_square(first: int, second: int, expected: float) -> None:
    p_value, test = mcnemar(first, second)
    assert p_value == pytest.approx(expected, rel=1e-3)
    assert test == CHI_SQUARE


def test_both_ways_agree_where_they_meet() -> None:
    exact, corrected = mcnemar(16, 8)[0], mcnemar(17, 8)[0]
    assert corrected < exact
    assert exact == pytest.approx(0.1516, abs=1e-4)
    assert corrected == pytest.approx(0.1096, abs=1e-4)


def test_a_comparison_counts_who_was_right() -> None:
    labels = [1, 0, 1, 0, 1]
    one = answers("one", [True, True, True, False, False], labels)
    two = answers("two", [True, False, False, True, False], labels)
    result = compare(one, two, np.array(labels, dtype=np.uint8))
    assert (result.both_right, result.only_model_right, result.only_against_right, result.both_wrong) == (1, 2, 1, 1)
    assert (result.accuracy, result.against_accuracy) == (0.6, 0.4)
    assert result.difference == pytest.approx(0.2)
    assert result.p_value == 1
    assert result.verdict == "one and two are not distinguishable on 5 reviews."


@pytest.mark.parametrize(("lead", "said"), [(0, "p = 1.000"), (8, "p = 0.008"), (20, "p < 0.001")])
def test_a_p_value_is_written_as_papers_do(lead: int, said: str) -> None:
    labels = [1] * 30
    one, two = answers("one", [True] * 30, labels), answers("two", [False] * lead + [True] * (30 - lead), labels)
    assert compare(one, two, np.array(labels, dtype=np.uint8)).p_text == said


@pytest.mark.parametrize("turned", [False, True])
def test_the_better_model_is_named(turned: bool) -> None:
    labels = [number % 2 for number in range(100)]
    good, poor = answers("good", [True] * 100, labels), answers("poor", [True] * 60 + [False] * 40, labels)
    pair = (poor, good) if turned else (good, poor)
    result = compare(*pair, np.array(labels, dtype=np.uint8))
    assert result.difference == pytest.approx(-0.4 if turned else 0.4)
    assert result.verdict.startswith("good is better than poor")
    assert result.verdict.endswith("on 100 reviews.")
