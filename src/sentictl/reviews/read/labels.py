"""Which value of a label column means positive, and which negative."""

import reprlib

from sentictl.errors import DataError

USUAL_SPELLINGS = {
    "1": 1, "positive": 1, "pos": 1, "true": 1,
    "0": 0, "negative": 0, "neg": 0, "false": 0,
}  # fmt: skip

NAME_THEM = (
    "Name the two label values: sentictl config set data.positive VALUE, then sentictl config set data.negative VALUE."
)


class LabelReader:
    """Turns the values of a label column into 1 (positive) and 0 (negative), without regard to case.

    Args:
        positive: the value that means positive; empty, together with `negative`, for the usual spellings.
        negative: the value that means negative.

    Raises:
        DataError: only one of the two is named, or both are the same value.
    """

    def __init__(self, positive: str, negative: str) -> None:
        self._meanings = _meanings(_normal(positive), _normal(negative))
        self._seen: dict[str, None] = {}

    def read(self, value: object, where: str) -> int:
        """The label, 1 or 0, that a value means.

        Args:
            value: what stands in the label column: text, or a JSON number or boolean.
            where: the line and file, for the error.

        Raises:
            DataError: the value is not one of the two, or a third spelling appears.
        """
        spelling = _normal(value)
        if spelling not in self._meanings:
            known = "/".join(self._meanings)
            raise DataError(f"{where}: the label {reprlib.repr(value)} is not one of {known}.", NAME_THEM)
        self._seen[spelling] = None
        if len(self._seen) > 2:
            values = ", ".join(self._seen)
            raise DataError(f"{where}: {reprlib.repr(value)} is a third label value, beside {values}.", NAME_THEM)
        return self._meanings[spelling]


def _meanings(positive: str, negative: str) -> dict[str, int]:
    if not positive and not negative:
        return USUAL_SPELLINGS
    if not positive or not negative:
        raise DataError("Only one of data.positive and data.negative is set.", NAME_THEM)
    if positive == negative:
        raise DataError(f"data.positive and data.negative are both {positive!r}.", NAME_THEM)
    return {positive: 1, negative: 0}


def _normal(value: object) -> str:
    """The spelling that values are compared by: JSON's 1, 1.0, true and CSV's "1", " True " alike."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().casefold()
