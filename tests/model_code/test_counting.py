"""Counting n-grams in runs, as a count in one go finds them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentimodel import counting
from sentimodel.counting import most_frequent
from sentimodel.dataset import Reviews
from sentimodel.vocabulary import UNK

some = st.lists(st.lists(st.integers(UNK, 5), max_size=20), max_size=8)


@given(st.lists(some, min_size=1, max_size=3), st.integers(1, 30), st.integers(1, 3), st.integers(1, 9))
def test_runs_of_any_size_give_the_same_ngrams(texts: list[list[list[int]]], most: int, least: int, size: int) -> None:
    reviews = [Reviews.from_reviews(encoded) for encoded in texts]
    expected = most_frequent(reviews, most, least)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "TOKENS_AT_ONCE", size)
        patch.setattr(counting, "KEYS_AT_ONCE", 3 * size)
        assert most_frequent(reviews, most, least).to_bytes() == expected.to_bytes()


@given(some, st.integers(1, 30))
def test_parts_are_whole_reviews_in_order(encoded: list[list[int]], size: int) -> None:
    parts = list(Reviews.from_reviews(encoded).parts(size))
    assert [part.review(row).tolist() for part in parts for row in range(len(part))] == encoded
    longest = max(map(len, encoded), default=0)
    assert all(len(part.ids) < size + longest for part in parts)


def test_of_equally_frequent_ngrams_the_first_ones_are_chosen() -> None:
    table = most_frequent([Reviews.from_reviews([[9, UNK, 7, UNK, 8]])], 2, 1)
    assert [table.tokens(row) for row in (1, 2)] == [[7], [8]]


def test_nothing_is_counted_in_no_reviews() -> None:
    assert len(most_frequent([Reviews(np.zeros(0, np.uint16), np.zeros(1, np.int64))], 10, 1)) == 0
