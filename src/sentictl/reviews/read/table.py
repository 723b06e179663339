"""Rows of CSV, TSV and JSON-lines files, read as a stream."""

import csv
import difflib
import io
import json
import reprlib
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from sentictl.config.pasting import argument
from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.read.labels import LabelReader
from sentictl.reviews.read.source import (
    ACCEPTED,
    MAX_REVIEW_BYTES,
    Review,
    Source,
    SplitName,
    file_sha256,
    json_sha256,
    lines_of,
    unreadable,
)

DELIMITERS = {".csv": ",", ".tsv": "\t"}
JSON_LINES = (".jsonl", ".ndjson")
TABLE_SUFFIXES = (*DELIMITERS, *JSON_LINES)
MOST_NAMES_SHOWN = 300  # characters
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
OWN_SPLITS: dict[str, SplitName] = {"train": "train", "validation": "validation", "test": "test"}

TextFile: TypeAlias = "io.TextIOWrapper[io.BufferedReader]"  # quoted: generic for type checkers only


class Row(NamedTuple):
    """A row of a table: where it ends, for messages, and its fields in the file's order."""

    where: str
    fields: dict[str, Any]


class TableSource(Source):
    """Labelled reviews in the columns of a file, as the settings name them; a column `split` is honored.

    Args:
        path: a CSV, TSV or JSON-lines file.
        settings: the names of the review and label columns, and the two label values.
    """

    def __init__(self, path: Path, settings: DataSettings) -> None:
        super().__init__(path.name)
        self.path = path
        self.settings = settings

    def fingerprint(self) -> str:
        """The sha256 over the file's content, the columns' names and the label values."""
        chosen = self.settings
        names = (chosen.review_column, chosen.label_column, chosen.positive, chosen.negative)
        return json_sha256([file_sha256(self.path), *names])

    def _all(self) -> Iterator[Review]:
        labels = LabelReader(self.settings.positive, self.settings.negative)
        for row in self._rows():
            text = review_text(row, self.settings)
            label = labels.read(field(row, self.settings.label_column, "label_column"), row.where)
            yield Review(text, label, _own_split(row))

    def _rows(self) -> Iterator[Row]:
        with open_text(self.path) as file:
            self.total = self.path.stat().st_size
            for row in read_rows(file, self.path):
                self.done = file.buffer.tell()
                yield row


def open_text(path: Path) -> TextFile:
    """Opens a UTF-8 file, with or without a byte-order mark; what is not UTF-8 is escaped as lone surrogates.

    Raises:
        DataError: the file cannot be read, is empty, or is UTF-16.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise unreadable(path, error) from error
    start = file.peek(2)[:2]
    if not start or start in UTF16_MARKS:
        file.close()
        if start:
            raise DataError(f"{path} is UTF-16.", "Save it as UTF-8.")
        raise DataError(f"{path} is empty.", ACCEPTED)
    return io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")


def read_rows(file: TextFile, path: Path) -> Iterator[Row]:
    """Yields the rows of an open table; the ending of the path's name says which kind it is. Blank lines are skipped.

    Raises:
        DataError: a row is not what the kind of file allows; the message names its line.
    """
    delimiter = DELIMITERS.get(path.suffix.lower())
    if delimiter is None:
        return _json_rows(file, path.name)
    return _csv_rows(file, path.name, delimiter)


def review_text(row: Row, settings: DataSettings) -> str:
    """The review of a row; JSON's null is an empty one.

    Raises:
        DataError: there is no such column, or something else than text in it.
    """
    text = field(row, settings.review_column, "review_column")
    if text is None:
        return ""
    if not isinstance(text, str):
        raise DataError(
            f"{row.where}: {settings.review_column!r} is of type {type(text).__name__}, not text.",
            "Name the column of the reviews: sentictl config set data.review_column NAME",
        )
    return text


def field(row: Row, column: str, setting: str) -> Any:
    """The value in a column of a row.

    Args:
        row: the row.
        column: the column's name.
        setting: the key under `data` that holds this name, for the error.

    Raises:
        DataError: there is no such column; the message names those that there are.
    """
    if column in row.fields:
        return row.fields[column]
    there = textwrap.shorten(", ".join(row.fields), MOST_NAMES_SHOWN, placeholder=" …") or "none"
    folded = {name.casefold(): name for name in row.fields}
    close = difflib.get_close_matches(column.casefold(), folded, n=1)
    meant = argument(folded[close[0]]) if close else "NAME"
    question = f"Did you mean {folded[close[0]]!r}? " if close else ""
    raise DataError(
        f"{row.where}: there is no column {column!r}; the columns are {there}.",
        f"{question}Name it: sentictl config set data.{setting} {meant}",
    )


def _own_split(row: Row) -> SplitName | None:
    value = row.fields.get("split")
    if value is None or value == "":
        return None
    split = OWN_SPLITS.get(str(value).strip().casefold())
    if split is None:
        raise DataError(
            f"{row.where}: the split {reprlib.repr(value)} is not one of train, validation, test.",
            "Mend the value, or rename the column if it means something else.",
        )
    return split


def _csv_rows(file: TextFile, name: str, delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(MAX_REVIEW_BYTES)
    reader = csv.reader(lines_of(file, name), delimiter=delimiter, strict=True)
    header: list[str] = []
    try:
        for fields in reader:
            where = f"line {reader.line_num} of {name}"
            if not header:
                header = _checked_header(fields, where)
            elif fields:
                yield Row(where, _named(header, fields, where))
    except csv.Error as error:
        raise DataError(
            f"line {reader.line_num} of {name}: {error}.",
            "A field that holds quotes is quoted itself, and each quote in it doubled.",
        ) from error


def _checked_header(fields: list[str], where: str) -> list[str]:
    twice = {column for column in fields if fields.count(column) > 1}
    if twice:
        raise DataError(f"{where}: the column {reprlib.repr(min(twice))} is there twice.", "Rename one of them.")
    return fields


def _named(header: list[str], fields: list[str], where: str) -> dict[str, Any]:
    if len(fields) != len(header):
        raise DataError(
            f"{where}: {len(fields)} fields, where the header has {len(header)}.",
            "Quote the fields that hold the delimiter or a line break.",
        )
    return dict(zip(header, fields, strict=True))


def _json_rows(file: TextFile, name: str) -> Iterator[Row]:
    for number, line in enumerate(lines_of(file, name), start=1):
        if not line.strip():
            continue
        where = f"line {number} of {name}"
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{where} is not JSON: {error}.", "Each line is one JSON object.") from error
        if not isinstance(fields, dict):
            kind = type(fields).__name__
            raise DataError(f"{where} is of type {kind}, not an object.", "Each line is one JSON object.")
        yield Row(where, fields)
