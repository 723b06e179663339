"""Reviews as a Python program gives them."""

from typing import Any

import numpy as np
import pytest

from sentictl.errors import DataError
from sentictl.services.predict.texts import texts_of


class Column:
    """A column as pandas and polars have one: it can be iterated over, and is no list."""

    def __init__(self, *values: Any) -> None:
        self._values = values

    def __iter__(self) -> Any:
        return iter(self._values)


class Table(Column):
    """A table: iterating over it gives the names of its columns."""

    columns = ("review",)


@pytest.mark.parametrize("given", [["a", "b"], ("a", "b"), np.array(["a", "b"]), Column("a", "b"), iter("ab")])
def test_texts_come_from_whatever_can_be_iterated_over(given: Any) -> None:
    texts = texts_of(given)
    assert texts == {"Review 1": "a", "Review 2": "b"}
    assert {type(text) for text in texts.values()} == {str}


def test_one_text_is_one_review_and_none_are_none() -> None:
    assert texts_of("a film") == {"The review": "a film"}
    assert texts_of([]) == {}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, r"The reviews are missing \(None\)"),
        (float("nan"), r"The reviews are missing \(nan\)"),
        (7, "The reviews are of type int"),
        (b"a film", "The reviews are of type bytes"),
        ({"a": "b"}, "The reviews are of type dict"),
        (Table("review"), "The reviews are of type Table"),
        (["a", None], r"Review 2 is missing \(None\), not text"),
        (["a", float("nan")], r"Review 2 is missing \(nan\), not text"),
        (np.array(["a", np.nan], dtype=object), r"Review 2 is missing \(nan\), not text"),
        (["a", "b", 7], "Review 3 is of type int, not text"),
        (["a", " "], "Review 2: the review is empty"),
        ("", "The review: the review is empty"),
        (["a", "\ud800"], "Review 2: the review holds half of a surrogate pair"),
    ],
)
def test_what_is_no_text_is_told_by_its_place(given: Any, words: str) -> None:
    with pytest.raises(DataError, match=words) as error:
        texts_of(given)
    assert error.value.hint
