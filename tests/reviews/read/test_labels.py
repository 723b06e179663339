"""Label values."""

import pytest

from sentictl.errors import DataError
from sentictl.reviews.read.labels import LabelReader


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("1", 1), ("positive", 1), ("POS", 1), (" True ", 1), (True, 1), (1, 1), (1.0, 1),
        ("0", 0), ("Negative", 0), ("neg", 0), ("FALSE", 0), (False, 0), (0, 0), (0.0, 0),
    ],
)  # fmt: skip
def test_usual_spellings_are_understood(value: object, label: int) -> None:
    assert LabelReader("", "").read(value, "line 2") == label


@pytest.mark.parametrize(("value", "label"), [("5", 1), (5, 1), (5.0, 1), ("1", 0), (1, 0)])
def test_named_values_replace_the_usual_ones(value: object, label: int) -> None:
    assert LabelReader(positive="5", negative="1").read(value, "line 2") == label


@pytest.mark.parametrize("value", ["", "neutral", "2", 2, -1, 0.5, None, [1], float("nan"), float("inf")])
def test_any_other_value_is_refused_with_its_line_and_a_way_out(value: object) -> None:
    with pytest.raises(DataError, match=r"line 7 of a\.csv") as caught:
        LabelReader("", "").read(value, "line 7 of a.csv")
    assert repr(value) in caught.value.message
    assert "sentictl config set data.positive" in caught.value.hint


def test_usual_spellings_are_refused_once_others_are_named() -> None:
    with pytest.raises(DataError, match="'positive' is not one of good/bad"):
        LabelReader(positive="Good", negative="bad").read("positive", "line 2")


def test_a_third_spelling_is_refused() -> None:
    labels = LabelReader("", "")
    assert [labels.read(value, "line 1") for value in ("pos", "neg", "Pos")] == [1, 0, 1]
    with pytest.raises(DataError, match="'1' is a third label value, beside pos, neg"):
        labels.read("1", "line 4")


@pytest.mark.parametrize(("positive", "negative"), [("good", ""), ("", "bad"), ("same", "Same ")])
def test_named_values_must_be_two(positive: str, negative: str) -> None:
    with pytest.raises(DataError, match=r"data\.positive"):
        LabelReader(positive, negative)
