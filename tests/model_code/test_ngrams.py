"""N-grams of encoded reviews: chosen, stored, and found in reviews, as a slow count finds them."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentimodel import ngrams
from sentimodel.counting import most_frequent
from sentimodel.dataset import Reviews
from sentimodel.ngrams import ANYWHERE, LONGEST, NgramError, Ngrams, Rows
from sentimodel.vocabulary import UNK

KINDS = ((1, ANYWHERE), (2, ANYWHERE), (3, ANYWHERE), (1, 15), (2, 15), (1, 60), (2, 60))
# Few words, so that n-grams are found again; reviews of no tokens, and of more than the reaches.
review = st.lists(st.integers(UNK, 4), max_size=8) | st.lists(st.integers(UNK, 3), min_size=55, max_size=70)
some = st.lists(review, max_size=6)
Feature = tuple[int, tuple[int, ...]]  # the reach, and the tokens


def features(ids: Sequence[int]) -> list[Feature]:
    """Each occurrence of an n-gram in one review."""
    found = []
    for tokens, reach in KINDS:
        last = ids if reach == ANYWHERE else ids[-reach:]
        grams = [tuple(last[start : start + tokens]) for start in range(len(last) - tokens + 1)]
        found += [(reach, gram) for gram in grams if UNK not in gram]
    return found


def kinds(table: Ngrams, encoded: Sequence[Sequence[int]]) -> dict[int, Feature]:
    """The reach and tokens of each number that some reviews hold."""
    reviews = Reviews.from_reviews(encoded)
    return {
        row: (places.reach, tuple(reviews.ids[start : start + places.tokens].tolist()))
        for places in table.places(reviews)
        for row, start in zip(places.rows.tolist(), places.starts.tolist(), strict=True)
    }


def assert_read_as_counted(table: Ngrams, known: set[Feature], encoded: Sequence[Sequence[int]]) -> None:
    """Check what `read` says of reviews against what they hold of the features that the table has."""
    reviews = Reviews.from_reviews(encoded)
    rows, ends = table.read(reviews)
    names = kinds(table, encoded)
    assert len(set(names.values())) == len(names)
    assert len(rows) == len(encoded)
    assert ends.shape == (len(reviews.ids), LONGEST)
    for number, ids in enumerate(encoded):
        held = rows.part(number, number + 1)
        assert len(set(held.rows.tolist())) == held.lengths.sum()
        assert {names[row] for row in held.rows.tolist()} == known.intersection(features(ids))
        for place in range(len(ids)):
            for tokens in range(1, LONGEST + 1):
                gram = (ANYWHERE, tuple(ids[max(0, place + 1 - tokens) : place + 1]))
                row = int(ends[reviews.offsets[number] + place, tokens - 1])
                assert (row > 0) == (len(gram[1]) == tokens and gram in known)
                assert row == 0 or names[row] == gram


@given(some, some, st.integers(1, 3))
def test_what_is_read_is_what_a_slow_count_finds(
    counted: list[list[int]], encoded: list[list[int]], least: int
) -> None:
    occurrences = Counter(feature for ids in counted for feature in features(ids))
    known = {feature for feature, times in occurrences.items() if times >= least}
    table = most_frequent([Reviews.from_reviews(counted)], 100_000, least)
    assert len(table) == len(known)
    assert_read_as_counted(table, known, encoded)


@given(some, st.integers(1, 5))
def test_reviews_in_parts_are_read_as_in_one(encoded: list[list[int]], size: int) -> None:
    reviews = Reviews.from_reviews(encoded)
    table = most_frequent([reviews], 100_000, 1)
    whole, ends = table.read(reviews)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ngrams, "_REVIEWS_AT_ONCE", size)
        parts, ends_of_parts = table.read(reviews)
    np.testing.assert_array_equal(parts.rows, whole.rows)
    np.testing.assert_array_equal(parts.offsets, whole.offsets)
    np.testing.assert_array_equal(ends_of_parts, ends)


def test_more_reviews_than_are_read_at_once() -> None:
    encoded = [[2 + number % 7, 3] for number in range(5000)]
    table = most_frequent([Reviews.from_reviews(encoded)], 100, 1)
    rows, _ = table.read(Reviews.from_reviews(encoded))
    few, _ = table.read(Reviews.from_reviews(encoded[:7]))
    for number in (0, 4095, 4096, 4999):
        assert rows.part(number, number + 1).rows.tolist() == few.part(number % 7, number % 7 + 1).rows.tolist()


@given(st.lists(some, min_size=1, max_size=3), st.integers(1, 20), st.integers(1, 3))
def test_the_most_frequent_of_all_texts_are_counted(texts: list[list[list[int]]], most: int, least: int) -> None:
    occurrences = Counter(feature for encoded in texts for ids in encoded for feature in features(ids))
    table = most_frequent([Reviews.from_reviews(encoded) for encoded in texts], most, least)
    chosen = kinds(table, [ids for encoded in texts for ids in encoded]).values()
    frequent = [times for _, times in occurrences.most_common() if times >= least]
    assert sorted((occurrences[feature] for feature in chosen), reverse=True) == frequent[:most]
    assert len(table) == len(chosen)


@given(some)
def test_the_tokens_of_a_number_are_those_that_are_read(encoded: list[list[int]]) -> None:
    table = most_frequent([Reviews.from_reviews(encoded)], 100_000, 1)
    names = kinds(table, encoded)
    assert {row: tuple(table.tokens(row)) for row in range(1, len(table) + 1)} == {
        row: gram for row, (_, gram) in names.items()
    }


def test_the_largest_ids_keep_apart() -> None:
    highest = ngrams.MOST_IDS - 1
    encoded = [[highest, highest - 1, highest, 2, highest]]
    table = most_frequent([Reviews.from_reviews(encoded)], 100_000, 1)
    assert_read_as_counted(table, set(features(encoded[0])), [*encoded, [2, highest, highest], [highest - 1]])


@given(some)
def test_a_table_survives_a_round_trip(encoded: list[list[int]]) -> None:
    reviews = Reviews.from_reviews(encoded)
    table = most_frequent([reviews], 100_000, 1)
    again = Ngrams.from_bytes(table.to_bytes())
    assert again.to_bytes() == table.to_bytes()
    assert len(again) == len(table)
    np.testing.assert_array_equal(again.read(reviews)[0].rows, table.read(reviews)[0].rows)


@pytest.mark.filterwarnings("ignore:Reading")  # numpy, of headers that look like those of Python 2
@given(st.data())
def test_damaged_bytes_are_refused_or_still_a_table(data: st.DataObject) -> None:
    content = bytearray(most_frequent([Reviews.from_reviews([[2, 3, 4, 5]])], 100, 1).to_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255))
    try:
        table = Ngrams.from_bytes(bytes(content))
    except NgramError:
        return
    assert Ngrams.from_bytes(table.to_bytes()).to_bytes() == table.to_bytes()


@given(st.binary(max_size=40) | st.binary(max_size=40).map(lambda end: b"PK\x03\x04" + end))
def test_bytes_of_something_else_are_refused(content: bytes) -> None:
    with pytest.raises(NgramError):
        Ngrams.from_bytes(content)


def test_a_cut_off_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "ngrams.npy"
    whole = most_frequent([Reviews.from_reviews([[2, 3, 4, 5]])], 100, 1).to_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(NgramError, match=r"ngrams\.npy"):
            Ngrams.load(path)
    path.write_bytes(whole)
    assert len(Ngrams.load(path)) > 0


@pytest.mark.parametrize(
    "keys",
    [
        np.array([2, 1], dtype=np.int64),
        np.array([1, 1], dtype=np.int64),
        np.array([1.0, 2.0]),
        np.array([[1, 2]], dtype=np.int64),
    ],
)
def test_keys_that_do_not_rise_are_refused(keys: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]") -> None:
    with pytest.raises(NgramError, match="rising"):
        Ngrams(keys)


@given(some)
def test_an_empty_table_finds_nothing(encoded: list[list[int]]) -> None:
    reviews = Reviews.from_reviews(encoded)
    rows, ends = Ngrams.from_bytes(Ngrams.none().to_bytes()).read(reviews)
    assert len(rows) == len(encoded)
    assert rows.lengths.sum() == 0
    assert ends.shape == (len(reviews.ids), LONGEST)
    assert not ends.any()


@given(st.lists(st.lists(st.integers(1, 9), max_size=5), min_size=1, max_size=6), st.data())
def test_rows_are_padded_with_nothing(held: list[list[int]], data: st.DataObject) -> None:
    lengths = [len(each) for each in held]
    rows = Rows(np.array([*chain.from_iterable(held)], dtype=np.int32), np.cumsum([0, *lengths], dtype=np.int64))
    assert rows.reviews.tolist() == [number for number, each in enumerate(held) for _ in each]
    chosen = data.draw(st.lists(st.integers(0, len(held) - 1), min_size=1, max_size=8))
    padded = rows.padded(np.array(chosen, dtype=np.int64))
    width = max(1, *(lengths[number] for number in chosen), 1)
    assert padded.tolist() == [held[number] + [0] * (width - lengths[number]) for number in chosen]
