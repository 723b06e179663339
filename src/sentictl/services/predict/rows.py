"""The rows of an input, what keeps one from being answered, and its answer beside the fields that it came with."""

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

Prediction = dict[str, Any]

_HALF_PAIR = re.compile("[\ud800-\udfff]")

# The names under which an answer stands in the output.
OF_THE_PREDICTION = ("label", "sentiment", "probability", "model", "undecided", "explanation", "error")


class InputRow(NamedTuple):
    """A review that is to be answered.

    Attributes:
        text: the review.
        fields: those that it came with.
        position: how many bytes of the input had been read by then.
        where: its place in the input, such as "line 3 of reviews.csv".
        problem: why it could not be read; "" where it could. Says the place itself.
    """

    text: str
    fields: Mapping[str, Any] = {}
    position: int = 0
    where: str = ""
    problem: str = ""

    @property
    def fault(self) -> Prediction | None:
        """Why nobody can be asked, as it stands in the row's answer; None where somebody can."""
        if self.problem:
            return failed("invalid_review", self.problem)
        return fault_of(self.text, self.where)


def fault_of(text: str, where: str) -> Prediction | None:
    """Say why a review cannot be answered, whoever is asked, by the codes of the API; None where it can."""
    if not text.strip():
        return failed("empty_review", f"{where}: the review is empty.")
    if not text.isascii() and _HALF_PAIR.search(text):
        return failed("not_utf8", f"{where}: the review holds half of a surrogate pair, which is not text.")
    return None


def failed(code: str, message: str) -> Prediction:
    """Return what stands in place of a prediction."""
    return {"error": {"code": code, "message": message}}


def placed(row: InputRow, prediction: Prediction) -> Prediction:
    """Return a prediction whose error, where it is one, names the row's place in the input."""
    error = prediction.get("error")
    if not error or not row.where or str(error["message"]).startswith(row.where):
        return prediction
    return failed(error["code"], f"{row.where}: {error['message']}")


def names_beside(fields: Iterable[str]) -> Mapping[str, str]:
    """Return the names that the parts of an answer have beside a row's own fields, none of which is overwritten."""
    return _names_beside(tuple(fields))


@functools.lru_cache  # the rows of a table have the same fields
def _names_beside(fields: tuple[str, ...]) -> Mapping[str, str]:
    names: dict[str, str] = {}
    for name in OF_THE_PREDICTION:
        free, number = name, 1
        while free in fields or free in names.values():
            free = f"prediction_{name}" if number == 1 else f"prediction_{name}_{number}"
            number += 1
        names[name] = free
    return names


def whole(prediction: Prediction, *, explain: bool) -> Prediction:
    """Return a prediction with all of its parts, those that it lacks as None: every line of a file has the same."""
    names = (name for name in OF_THE_PREDICTION if explain or name != "explanation")
    return {name: prediction.get(name) for name in names}


def answer_of(fields: Mapping[str, Any], prediction: Prediction) -> dict[str, Any]:
    """Put a row's own fields and its prediction into one answer."""
    if not fields:
        return prediction
    names = names_beside(fields)
    return {**fields, **{names[name]: value for name, value in prediction.items()}}
