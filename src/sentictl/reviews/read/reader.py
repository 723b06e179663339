"""Reviews without labels, for predictions: the rows of a file, their fields kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.read.command import predict_command
from sentictl.reviews.read.source import Warnings, lines_of, repaired
from sentictl.reviews.read.tables.opening import PACKINGS, TABLES, inner_suffix
from sentictl.reviews.read.tables.row import Asked, Row
from sentictl.reviews.read.tables.table import open_table, open_text

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


def read_inputs(path: Path, settings: DataSettings, warnings: Warnings | None = None) -> Iterator[Input]:
    """Yields every review of a file, one by one.

    Args:
        path: a table of any form that `data.source` takes, or a `.txt` file with one review a line.
        settings: `review_column` names the column of the reviews; `delimiter` and `encoding` say how the file is read,
            where that is chosen.
        warnings: if given, told what is not used as it stands, such as fields whose invalid UTF-8 was replaced.

    Raises:
        DataError: the file cannot be read, is of another kind, or a row is not what it should be.
    """
    counted = Warnings() if warnings is None else warnings
    suffix = inner_suffix(path.name)
    if suffix != LINES and suffix not in (*TABLES, *PACKINGS):
        accepted = ", ".join((*TABLES, LINES))
        raise DataError(f"{path} is not of a known form.", f"Its name should end in one of {accepted}.")
    asked = Asked(settings, predict_command(str(path)))
    if suffix == LINES:
        with open_text(path, asked) as (text, _, file):
            for number, line in enumerate(lines_of(text, path.name), start=1):
                yield Input(repaired(line.rstrip("\r\n"), counted, f"line {number}"), {}, file.raw.tell())
        return
    with open_table(path, asked, counted) as table:
        for where, named in table.rows:
            fields = {
                repaired(name, counted, where): repaired(value, counted, where) if isinstance(value, str) else value
                for name, value in named.items()
            }
            yield Input(asked.text(Row(where, fields)), fields, table.position())
