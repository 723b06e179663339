"""Reviews without labels, for predictions: the rows of a file, their fields kept."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.read.source import lines_of, repaired
from sentictl.reviews.read.table import TABLE_SUFFIXES, Row, open_text, read_rows, review_text

LINES = ".txt"


class Input(NamedTuple):
    """A review to predict.

    Attributes:
        text: the review.
        fields: the row it came in, in the file's order (nothing for a text file).
        position: how many bytes of the file had been read when it was found.
    """

    text: str
    fields: dict[str, Any]
    position: int = 0


def read_inputs(path: Path, settings: DataSettings, warnings: Counter[str] | None = None) -> Iterator[Input]:
    """Yields every review of a file, one by one.

    Args:
        path: a CSV, TSV or JSON-lines file, or a `.txt` file with one review a line.
        settings: `review_column` names the column of the reviews.
        warnings: if given, counts the fields whose invalid UTF-8 was replaced.

    Raises:
        DataError: the file cannot be read, is of another kind, or a row is not what it should be.
    """
    counted = Counter[str]() if warnings is None else warnings
    suffix = path.suffix.lower()
    if suffix != LINES and suffix not in TABLE_SUFFIXES:
        accepted = ", ".join((*TABLE_SUFFIXES, LINES))
        raise DataError(f"{path} is not of a known form.", f"Its name should end in one of {accepted}.")
    with open_text(path) as file:
        if suffix == LINES:
            for line in lines_of(file, path.name):
                yield Input(repaired(line.rstrip("\r\n"), counted), {}, file.buffer.tell())
            return
        for row in read_rows(file, path):
            fields = {repaired(name, counted): _mended(value, counted) for name, value in row.fields.items()}
            yield Input(review_text(Row(row.where, fields), settings), fields, file.buffer.tell())


def _mended(value: object, counted: Counter[str]) -> object:
    return repaired(value, counted) if isinstance(value, str) else value
