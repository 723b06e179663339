"""The rows of an input and their answers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentictl.services.predict.rows import (
    OF_THE_PREDICTION,
    InputRow,
    answer_of,
    failed,
    names_beside,
    placed,
    whole,
)

NAMES = st.sampled_from([*OF_THE_PREDICTION, *(f"prediction_{name}" for name in OF_THE_PREDICTION), "id"])


@given(st.dictionaries(NAMES, st.integers(), max_size=12))
def test_no_field_is_overwritten_and_no_part_of_the_answer_is_lost(fields: dict[str, int]) -> None:
    prediction = dict.fromkeys(OF_THE_PREDICTION, "said")
    answer = answer_of(fields, prediction)
    assert {name: answer[name] for name in fields} == fields
    assert len(answer) == len(fields) + len(prediction)
    assert {answer[name] for name in names_beside(fields).values()} == {"said"}


def test_a_name_that_is_free_stays_as_it_is() -> None:
    assert names_beside({"id": 1, "label": "a", "prediction_label": "b"}) == {
        name: "prediction_label_2" if name == "label" else name for name in OF_THE_PREDICTION
    }


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (InputRow("good", where="line 3"), None),
        (InputRow(" \t", where="line 3"), "empty_review"),
        (InputRow("so \udc80 good", where="line 3"), "not_utf8"),
        (InputRow("", where="line 3", problem="line 3 is not JSON"), "invalid_review"),
    ],
)
def test_a_fault_has_the_codes_of_the_api_and_names_the_place(row: InputRow, code: str | None) -> None:
    fault = row.fault
    assert (fault and fault["error"]["code"]) == code
    assert fault is None or fault["error"]["message"].startswith("line 3")


@pytest.mark.parametrize("said", [{"label": "positive"}, failed("x", "line 3: it is long.")])
def test_an_answer_names_the_place_once(said: dict[str, Any]) -> None:
    assert placed(InputRow("good", where="line 3"), said) == said
    assert placed(InputRow("good"), failed("x", "it is long.")) == failed("x", "it is long.")
    assert placed(InputRow("good", where="line 3"), failed("x", "it is long.")) == failed("x", "line 3: it is long.")


def test_every_line_of_a_file_has_the_same_parts() -> None:
    assert list(whole({"label": "positive"}, explain=True)) == list(OF_THE_PREDICTION)
    assert "explanation" not in whole(failed("x", "y"), explain=False)
