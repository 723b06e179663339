"""Reviews as a Python program gives them: a text, or texts in a list, an array, or a column of pandas or polars."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from sentictl.errors import DataError
from sentictl.services.predict.rows import fault_of

MEND = "Give texts, such as a list of str, and leave out what is missing."


def texts_of(reviews: Any) -> dict[str, str]:
    """Return the texts that a program gives, each by what a message calls it, in their order.

    Args:
        reviews: a text, or several.

    Raises:
        DataError: it is neither, or one of them is no text, is empty, or holds half of a surrogate pair.
    """
    if isinstance(reviews, str):
        return {"The review": _checked(reviews, "The review")}
    a_table = hasattr(reviews, "columns")  # iterating over one gives its columns' names
    if a_table or isinstance(reviews, bytes | bytearray | Mapping) or not isinstance(reviews, Iterable):
        raise DataError(f"The reviews are {_kind(reviews)}, not text.", MEND)
    return {(where := f"Review {number}"): _checked(each, where) for number, each in enumerate(reviews, 1)}


def _checked(review: Any, where: str) -> str:
    if not isinstance(review, str):
        raise DataError(f"{where} is {_kind(review)}, not text.", MEND)
    fault = fault_of(review, where)
    if fault:
        raise DataError(fault["error"]["message"], MEND)
    return str(review)


def _kind(value: Any) -> str:
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    return f"missing ({value})" if missing else f"of type {type(value).__name__}"
