"""Reviews without labels, for predictions: the rows of a file, their fields kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.read.command import predict_command
from sentictl.reviews.read.source import Warnings, lines_or_problems, repaired
from sentictl.reviews.read.tables.encoding import UTF8
from sentictl.reviews.read.tables.opening import DELIMITED, PACKINGS, TABLES, inner_suffix
from sentictl.reviews.read.tables.row import Asked, Row, find
from sentictl.reviews.read.tables.table import OTHER_ENCODING, open_table, open_text

LINES = ".txt"


class Input(NamedTuple):
    """A review to predict.

    Attributes:
        text: the review.
        fields: the row it came in, in the file's order (nothing for a text file).
        position: how many bytes of the file had been read when it was found.
        where: its place in the file, for messages.
        problem: why its row cannot be used; "" where it can.
    """

    text: str
    fields: dict[str, Any]
    position: int = 0
    where: str = ""
    problem: str = ""


def read_inputs(path: Path, settings: DataSettings, warnings: Warnings | None = None) -> Iterator[Input]:
    """Yields every review of a file, one by one.

    Args:
        path: a table of any form that `data.source` takes, or a `.txt` file with one review a line.
        settings: `review_column` names the column of the reviews; `delimiter` and `encoding` say how the file is read,
            where that is chosen.
        warnings: if given, told what is not used as it stands, such as fields whose invalid UTF-8 was replaced.

    Raises:
        DataError: the file cannot be read, is of another kind, or has no such column. What is wrong with one row alone
            is its `problem`; where nothing of it could be read, it has the columns of the row before.
    """
    counted = Warnings() if warnings is None else warnings
    suffix = inner_suffix(path.name)
    if suffix != LINES and suffix not in (*TABLES, *PACKINGS):
        accepted = ", ".join((*TABLES, LINES))
        raise DataError(f"{path} is not of a known form.", f"Its name should end in one of {accepted}.")
    asked = Asked(settings, predict_command(str(path)))
    if suffix == LINES:
        yield from _lines(path, asked, counted)
        return
    columns: list[str] = []
    with open_table(path, asked, counted) as table:
        for row in table.rows:
            columns = list(row.fields) or columns
            given = row._replace(fields=row.fields or dict.fromkeys(columns))
            yield _input(given, asked, counted, suffix, table.position())


def _lines(path: Path, asked: Asked, counted: Warnings) -> Iterator[Input]:
    """The lines of a text file."""
    with open_text(path, asked) as (text, encoding, file):
        for number, line in enumerate(lines_or_problems(text, path.name), start=1):
            where = f"line {number} of {path.name}"
            if isinstance(line, DataError):
                yield Input("", {}, file.raw.tell(), where, line.message)
                continue
            if encoding.name not in UTF8 and not line.isascii():
                counted.note(OTHER_ENCODING.format(encoding.spoken), f"{where}: {line}")
            yield Input(repaired(line.rstrip("\r\n"), counted, where), {}, file.raw.tell(), where)


def _input(row: Row, asked: Asked, counted: Warnings, suffix: str, position: int) -> Input:
    """A row as a review to predict; what is wrong with it alone is its problem."""
    fields = {
        repaired(name, counted, row.where): repaired(value, counted, row.where) if isinstance(value, str) else value
        for name, value in row.fields.items()
    }
    if row.problem:
        return Input("", fields, position, row.where, row.problem.message)
    key = find(asked.settings.review_column, row.fields)
    try:
        text = asked.text(Row(row.where, fields))
    except DataError as problem:
        if key is None and suffix in DELIMITED:
            raise  # of the header, and so of every row
        return Input("", fields, position, row.where, problem.message)
    given = row.fields[key] if key is not None else ""
    return Input(given if text and _is_half_a_pair(given) else text, fields, position, row.where)


def _is_half_a_pair(text: str) -> bool:
    """Whether a text holds half of a surrogate pair, as JSON can spell one, and not only bytes that are no UTF-8."""
    try:
        text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return True
    return False
