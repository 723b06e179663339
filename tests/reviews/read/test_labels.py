"""Label values."""

import reprlib

import pytest

from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.read.labels import LabelReader


def labels(**settings: str) -> LabelReader:
    """The reader for these settings."""
    return LabelReader(DataSettings.model_validate(settings))


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("1", 1), ("positive", 1), ("POS", 1), (" True ", 1), (True, 1), (1, 1), (1.0, 1), ("1.0", 1),
        ("0", 0), ("Negative", 0), ("neg", 0), ("FALSE", 0), (False, 0), (0, 0), (0.0, 0), ("0.0", 0), (-1, 0),
    ],
)  # fmt: skip
def test_usual_spellings_are_understood(value: object, label: int) -> None:
    assert labels().read(value, "line 2") == label


@pytest.mark.parametrize(("value", "label"), [("5", 1), (5, 1), (5.0, 1), ("5.0", 1), ("1", 0), (1, 0), ("2", 0)])
def test_named_values_replace_the_usual_ones(value: object, label: int) -> None:
    assert labels(positive="4,5", negative="1, 2").read(value, "line 2") == label


@pytest.mark.parametrize(
    ("value", "label"),
    [(5, 1), ("4.0", 1), ("4 stars", 1), ("4.5/5", 1), ("★★★★☆", 1), (3, None), ("3", None), ("2", 0), (1.5, 0)],
)
def test_comparisons_are_of_numbers_and_stars(value: object, label: int | None) -> None:
    assert labels(positive=">=4", negative="<3", ignore="3").read(value, "line 2") == label


def test_one_comparison_leaves_the_rest_to_the_other_side() -> None:
    assert [labels(positive=">= 4").read(value, "line 2") for value in ("4", "3.9", "-2")] == [1, 0, 0]
    assert [labels(negative="<3", ignore="3").read(value, "line 2") for value in (2, 3, 4)] == [0, None, 1]
    with pytest.raises(DataError, match="'meh' is a third label"):
        labels(positive=">=4").read("meh", "line 2")


def test_a_value_with_a_comma_stands_in_a_list() -> None:
    reader = labels(positive='["good, really"]', negative="bad")
    assert (reader.read("Good, really", "line 2"), reader.read("bad", "line 3")) == (1, 0)


@pytest.mark.parametrize("value", ["neutral", "2", 2, -2, 0.5, [1], float("inf"), "x" * 1000])
def test_any_other_value_is_refused_with_its_line_and_a_way_out(value: object) -> None:
    with pytest.raises(DataError, match=r"line 7 of a\.csv") as caught:
        labels().read(value, "line 7 of a.csv")
    assert reprlib.repr(value) in caught.value.message
    assert "sentictl data --" in caught.value.hint
    assert len(caught.value.message + caught.value.hint) < 500


def test_usual_spellings_are_refused_once_others_are_named() -> None:
    with pytest.raises(DataError, match="'positive' is a third label, beside Good and bad"):
        labels(positive="Good", negative="bad").read("positive", "line 2")


def test_a_third_class_is_refused_by_name_with_the_command_that_leaves_it_out() -> None:
    with pytest.raises(DataError, match="'mixed bag' is a third label, beside good and bad") as caught:
        labels(source="a b.csv", positive="good", negative="bad", ignore="n/a").read("mixed bag", "line 4")
    assert caught.value.hint.endswith(
        "sentictl data --source 'a b.csv' --positive good --negative bad --ignore 'n/a,mixed bag'"
    )


def test_a_third_spelling_is_refused() -> None:
    reader = labels()
    assert [reader.read(value, "line 1") for value in ("1", "-1", "1.0")] == [1, 0, 1]
    with pytest.raises(DataError, match="'0' is a third label, beside 1 and -1") as caught:
        reader.read("0", "line 4")
    assert "--positive 1 --negative=-1 --ignore 0" in caught.value.hint


@pytest.mark.parametrize(("positive", "negative"), [("good", ""), ("", "bad"), ("same", "Same ")])
def test_named_values_must_be_two(positive: str, negative: str) -> None:
    with pytest.raises(DataError) as caught:
        labels(positive=positive, negative=negative)
    assert "--positive" in caught.value.hint
    assert "--negative" in caught.value.hint


def test_a_value_on_both_sides_is_refused() -> None:
    with pytest.raises(DataError, match="line 2: the label 3 is on both sides"):
        labels(positive=">=3", negative="<=3").read(3, "line 2")


def test_a_number_with_a_comma_before_three_digits_is_none() -> None:
    """It may be one thousand, or one."""
    reader = labels(positive=">=100", negative="<100")
    assert [reader.read(value, "line 2") for value in ("1,5", "100,25")] == [0, 1]
    for value in ("1,000", "-1,234,567"):
        with pytest.raises(DataError, match="is a third label"):
            reader.read(value, "line 2")


def test_ratings_out_of_different_numbers_are_refused() -> None:
    reader = labels(positive=">=4", negative="<4")
    assert [reader.read(value, "line 2") for value in ("4/5", "3 / 5", "5")] == [1, 0, 1]
    with pytest.raises(DataError, match="line 3: the rating 4/10 is out of 10, and others are out of 5"):
        reader.read("4/10", "line 3")
