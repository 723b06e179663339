"""A DataFrame of reviews, kept as a file so that the same reviews can be read again."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sentictl.assets.atomic import write_atomically
from sentictl.errors import DataError

ROWS = 1_000  # of a pandas DataFrame, taken at a time


def keep_frame(frame: Any, folder: Path) -> str:
    """Write the rows of a DataFrame to a JSON-lines file that is named for its content.

    Args:
        frame: of pandas or polars.
        folder: where to write the file.

    Returns:
        the file's name in the folder.

    Raises:
        DataError: it is no DataFrame, or holds no rows.
    """
    lines = "".join(json.dumps(_plain(row), ensure_ascii=False, default=str) + "\n" for row in _rows(frame))
    if not lines:
        raise DataError("The DataFrame has no rows.", "Give it some, with a column of reviews and one of labels.")
    content = lines.encode("utf-8", "surrogatepass")
    name = f"reviews-{hashlib.sha256(content).hexdigest()[:8]}.jsonl"
    write_atomically(folder / name, content)
    return name


def _rows(frame: Any) -> Iterator[dict[str, Any]]:
    if hasattr(frame, "iter_rows"):  # polars
        rows: Iterable[dict[str, Any]] = frame.iter_rows(named=True)
        yield from rows
    elif hasattr(frame, "iloc") and hasattr(frame, "columns"):  # pandas
        for start in range(0, len(frame), ROWS):
            yield from frame.iloc[start : start + ROWS].to_dict("records")
    else:
        raise DataError(
            f"A {type(frame).__name__} is no DataFrame of pandas or polars.", "Or name a file: settings data.source."
        )


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON has it: with null for what is missing, and numbers and booleans of Python's own."""
    return {str(name): _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    if hasattr(value, "tolist"):  # a number of numpy's, or an array
        value = value.tolist()
    if isinstance(value, list):
        return value
    missing = value is None or value != value or type(value).__name__ == "NAType"
    return None if missing else value
