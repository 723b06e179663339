"""Labelled reviews in a table."""

import io
import reprlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from sentictl.errors import DataError
from sentictl.reviews.read.command import DATA, ReadingCommand
from sentictl.reviews.read.labels import LabelReader, is_blank
from sentictl.reviews.read.source import MAX_PASSED_OVER, Review, Source, SplitName, Warnings, file_sha256, json_sha256
from sentictl.reviews.read.tables.delimited import delimited_rows
from sentictl.reviews.read.tables.dialect import SPLIT
from sentictl.reviews.read.tables.encoding import UTF8, Encoding, detect
from sentictl.reviews.read.tables.json_rows import json_lines, json_list
from sentictl.reviews.read.tables.opening import JSON, JSON_LINES, PARQUET, OpenFile, inner_suffix, opened
from sentictl.reviews.read.tables.parquet import parquet_rows
from sentictl.reviews.read.tables.row import Asked, Row, find

if TYPE_CHECKING:
    from sentictl.config.settings import DataSettings

OWN_SPLITS: dict[str, SplitName] = {
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
PADDING = "empty row skipped"
NO_LABEL = "review without a label skipped"
IGNORED = "review with an ignored label skipped"
OTHER_ENCODING = "review with letters read as {}"
MOST_DAMAGE = 10  # bytes that are not UTF-8, in a file that is: a few may be replaced, and all are told
CHUNK_BYTES = 1024 * 1024
PEEKED = 1024  # bytes
LOOKED_AT = 1_000  # rows, for the label values that there are

TextFile: TypeAlias = "io.TextIOWrapper[Any]"  # quoted: generic for type checkers only


class TableSource(Source):
    """Labelled reviews in the columns of a file, as the settings name them; a column `split` is honored.

    Args:
        path: the file.
        settings: the names of the columns, the label values, and how the file is to be read where that is chosen.
        command: what a hint says to run again.
    """

    def __init__(self, path: Path, settings: "DataSettings", command: ReadingCommand = DATA) -> None:
        super().__init__(path.name)
        self.path = path
        self.settings = settings
        self.command = command

    def fingerprint(self) -> str:
        """The sha256 over the file's content and all settings that say how it is read."""
        return self.fingerprint_with(file_sha256(self.path))

    def fingerprint_with(self, sha256: str) -> str:
        """Return what `fingerprint` does, given the sha256 of the file."""
        chosen = self.settings
        names = (chosen.review_column, chosen.label_column, chosen.positive, chosen.negative)
        further = {name: getattr(chosen, name) for name in ("columns", "delimiter", "encoding", "ignore")}
        further = {name: value for name, value in further.items() if value}
        return json_sha256([sha256, *names, *([further] if further else [])])

    def _all(self) -> Iterator[Review]:
        labels = LabelReader(self.settings, self.command, self._label_values)
        asked = Asked(self.settings, self.command, labels)
        for row in self._rows(asked):
            self.where = row.where
            text, value = asked.text(row), asked.field(row, "label_column")
            if is_blank(value):
                self._note_unlabelled(row, text)
                continue
            label = labels.read(value, row.where)
            if label is None:
                self.warnings.note(IGNORED, f"{row.where}: {value}")
            else:
                yield Review(text, label, _own_split(row))

    def _rows(self, asked: Asked) -> Iterator[Row]:
        with open_table(self.path, asked, self.warnings) as table:
            self.total = self.path.stat().st_size
            for row in table.rows:
                self.done = table.position()
                if row.problem:
                    raise row.problem
                yield row

    def _label_values(self) -> set[str]:
        """The different values in the label column of the first rows."""
        asked = Asked(self.settings, self.command)
        fields = (asked.field(row, "label_column") for row in self._first_rows(asked) if not row.problem)
        return {str(value) for value in fields if not is_blank(value)}

    def _first_rows(self, asked: Asked) -> Iterator[Row]:
        """The first rows, told of nothing."""
        with open_table(self.path, asked, Warnings()) as table:
            yield from islice(table.rows, LOOKED_AT)

    def _note_unlabelled(self, row: Row, text: str) -> None:
        empty = all(is_blank(value) for value in row.fields.values())
        self.warnings.note(PADDING if empty else NO_LABEL, f"{row.where}: {text}")


class OpenTable(NamedTuple):
    """A table that is open: its rows, and how many bytes of its file had been read when the latest was found."""

    rows: Iterator[Row]
    position: Callable[[], int]


@contextmanager
def open_table(path: Path, asked: Asked, warnings: Warnings) -> Iterator[OpenTable]:
    """Open a table of any form that is read.

    Args:
        path: the file.
        asked: what is asked of it.
        warnings: told what is not used as it stands.

    Raises:
        DataError: the file cannot be read, or what comes after a row cannot be told any more; also when that shows in
            the block. What is wrong with one row alone is its `problem`.
    """
    with opened(path) as file:
        suffix = inner_suffix(file.name)
        if suffix == PARQUET:
            yield OpenTable(parquet_rows(file.content, file.name), file.raw.tell)
            return
    with open_text(path, asked) as (text, encoding, file):
        if suffix in JSON_LINES or suffix == JSON:
            rows = json_list(text, file.name) if _is_list(file, encoding) else json_lines(text, file.name)
        else:
            rows = delimited_rows(text, file.name, suffix, asked, warnings)
        if encoding.name not in UTF8:
            rows = _told(rows, asked, encoding, warnings)
        yield OpenTable(rows, file.raw.tell)


@contextmanager
def open_text(path: Path, asked: Asked) -> Iterator[tuple[TextFile, Encoding, OpenFile]]:
    """Open a text file in the encoding that it has; what is not UTF-8 in UTF-8 is escaped as lone surrogates.

    Args:
        path: the file.
        asked: says the encoding where it was chosen, and the command for hints.

    Raises:
        DataError: the file cannot be read, or not in its encoding; also when that shows in the block.
    """
    encoding = _encoding(path, asked)
    with opened(path) as file:
        text = io.TextIOWrapper(file.content, encoding=encoding.name, errors=encoding.errors, newline="")
        try:
            yield text, encoding, file
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path} is not {encoding.spoken} throughout: {error.reason}.",
                f"Choose its encoding: {asked.command.again(asked.settings, encoding='cp1252')}",
            ) from error


def _encoding(path: Path, asked: Asked) -> Encoding:
    chosen = asked.settings.encoding
    with opened(path) as file:
        try:
            encoding = detect(_chunks(file, whole=inner_suffix(file.name) == JSON), chosen)
        except LookupError:
            again = asked.command.again(asked.settings, encoding="utf-8")
            raise DataError(f"There is no encoding {chosen!r}.", f"Choose one that there is: {again}") from None
    if encoding.damage > MOST_DAMAGE:
        others = f"or choose another encoding: {asked.command.again(asked.settings, encoding='cp1252')}"
        raise DataError(
            f"{path} is damaged: it is UTF-8, but for {encoding.damage:,} bytes that are not.",
            f"Get it again where it comes from, {others}",
        )
    return encoding


def _chunks(file: OpenFile, *, whole: bool) -> Iterator[bytes]:
    """The content of a file, to its end or to a line whose end is not looked for."""
    since = 0
    while chunk := file.content.read(CHUNK_BYTES):
        yield chunk
        since = 0 if b"\n" in chunk or b"\r" in chunk else since + len(chunk)
        if since > MAX_PASSED_OVER and not whole:
            return


def _is_list(file: OpenFile, encoding: Encoding) -> bool:
    """Whether a JSON file begins with a list of objects; other lists are no reviews in any form."""
    start = file.content.peek(PEEKED)[:PEEKED]  # type: ignore[attr-defined]
    text: str = start.decode(encoding.name, "ignore")
    return text.lstrip().startswith("[") and text.lstrip()[1:].lstrip()[:1] in ("", "{", "]")


def _told(rows: Iterator[Row], asked: Asked, encoding: Encoding, warnings: Warnings) -> Iterator[Row]:
    """The rows; those whose review has letters beyond ASCII are counted, as the encoding may be another."""
    for row in rows:
        key = find(asked.settings.review_column, row.fields)
        text = row.fields[key] if key is not None else ""
        if isinstance(text, str) and not text.isascii():
            warnings.note(OTHER_ENCODING.format(encoding.spoken), f"{row.where}: {_from_the_letter(text)}")
        yield row


def _from_the_letter(text: str) -> str:
    """The part of a text that shows its first letter beyond ASCII."""
    at = next(place for place, letter in enumerate(text) if not letter.isascii())
    return text[max(0, at - 40) : at + 60]


def _own_split(row: Row) -> SplitName | None:
    key = find(SPLIT, row.fields)
    value = row.fields[key] if key is not None else None
    if is_blank(value):
        return None
    split = OWN_SPLITS.get(str(value).strip().casefold())
    if split is None:
        raise DataError(
            f"{row.where}: the split {reprlib.repr(value)} is not one of {', '.join(OWN_SPLITS)}.",
            "Mend the value, or rename the column if it means something else.",
        )
    return split
