"""The rows of a file with delimiters, and what became of the lines that hold them.

By the rules of CSV a quote at the beginning of a field opens a text that goes on to the next quote, over any number of
lines. People's files have such quotes without meaning them so. So each record is looked at again beside the lines
that it took: where every line is a row by itself, it is read as one.
"""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, zip_longest
from typing import IO, Any

from sentictl.errors import DataError
from sentictl.reviews.read.source import MAX_REVIEW_BYTES, Warnings, lines_or_problems
from sentictl.reviews.read.tables.dialect import SPLIT, delimiter_of, has_blanks_behind, header_of, records
from sentictl.reviews.read.tables.row import Asked, Row, find

QUOTES = "row with a quote that is no CSV, read as it stands"
SHORT = "row with fewer fields than the header"
CSV_QUOTES = "A field that holds quotes is quoted itself, and each quote in it doubled; a quote that is open is closed."
OBJECTS = re.compile(r"\s*\[?\s*\{\s*\"")  # how JSON begins
SAMPLE = 32_000  # characters
LONGEST_HEADER = 100  # of them are shown
BETWEEN_NAMES = re.compile(r"\w[\"']?\s*([^\w\s\"'.()#-])\s*[\"']?\w")
FEW_LINES = 5  # so many that look like rows do so by chance where no label shows that they are
EXCELS_LINE = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)  # what Excel reads and writes above a header


def delimited_rows(file: IO[str], name: str, suffix: str, asked: Asked, warnings: Warnings) -> Iterator[Row]:
    """Yields the rows of a file; blank lines are skipped.

    Args:
        file: its text.
        name: what it is called, for messages.
        suffix: the ending of its name.
        asked: what is asked of it.
        warnings: told of rows with quotes that are not as they should be.

    Raises:
        DataError: there is no header, or none with the columns that are asked for, or a quote swallows labelled rows. A
            row that is not what the header promises, has quotes that are not as they should be, or is too long has a
            problem.
    """
    csv.field_size_limit(MAX_REVIEW_BYTES)
    lines = lines_or_problems(file, name)
    sample, skipped, delimiter = _sample(lines)
    beginning = [line for line in sample if isinstance(line, str)]
    if beginning and OBJECTS.match(beginning[0]):
        raise DataError(f"{name} holds JSON.", "Let its name end in .json, or in .jsonl with an object a line.")
    delimiter = delimiter or delimiter_of(beginning, suffix, asked)
    header, in_file = header_of(beginning, delimiter, name, asked)
    if beginning:
        values = next(islice(records(beginning, delimiter), 1, None), [])
        _check_columns(header, values, f"line {skipped + 1} of {name}", asked)
    needed = _needed(header, asked)
    spaced = bool(beginning) and has_blanks_behind(beginning[0], delimiter)
    form = {"delimiter": delimiter, "skipinitialspace": spaced}
    for start, fields in Records(chain(sample, lines), skipped, form, header, name, asked, warnings):
        where = f"line {start} of {name}"
        if isinstance(fields, DataError):
            if in_file:  # the header
                raise fields
            yield Row(where, dict.fromkeys(header), fields)
        elif in_file and fields:  # of the first record
            in_file = False
        elif fields:
            yield _named(header, fields, where, needed, warnings)


class Records:
    """The records of some lines, each with the number of the line that it begins in, or why there is none.

    Behind a line that begins no record by the rules of CSV, the next line is taken for the beginning of one.

    Args:
        lines: all of them, and errors in the place of those that are too long.
        skipped: how many lines of the file stand before them.
        form: what parts the fields, and whether blanks behind it belong to none, as the csv module has it.
        header: the names of the columns.
        name: what the file is called, for messages.
        asked: what is asked of it.
        warnings: told of records that were read line by line.

    Raises:
        DataError: a quoted text holds rows that have labels; the message names the line where it begins.
    """

    def __init__(
        self,
        lines: Iterable[str | DataError],
        skipped: int,
        form: Mapping[str, Any],
        header: Sequence[str],
        name: str,
        asked: Asked,
        warnings: Warnings,
    ) -> None:
        self._lines = iter(lines)
        self._again = deque[str | DataError]()  # lines that are to be read again, before the others
        self._number = skipped
        self._form = form
        self._header = header
        self._label = find(asked.settings.label_column, header) if asked.labels else None
        self._name = name
        self._asked = asked
        self._warnings = warnings
        self._taken: list[str] = []
        self._ended = False

    def __iter__(self) -> Iterator[tuple[int, list[str] | DataError]]:
        while not self._ended:
            reader = csv.reader(self._take(), **self._form, strict=True)
            try:
                for fields in reader:
                    yield from self._checked(fields)
            except csv.Error as error:
                yield from self._line_by_line(error)
            else:
                yield from self._too_long()

    def _take(self) -> Iterator[str]:
        """The lines, one by one, up to one that is too long; those of the record that is being read are kept."""
        while (line := self._next()) is not None:
            if isinstance(line, DataError):
                self._again.appendleft(line)
                return
            self._taken.append(line)
            self._number += 1
            yield line
        self._ended = True

    def _next(self) -> str | DataError | None:
        return self._again.popleft() if self._again else next(self._lines, None)

    def _too_long(self) -> Iterator[tuple[int, DataError]]:
        """The error in the place of the next line, if there is a next line."""
        line = self._next()
        if isinstance(line, DataError):
            self._number += 1
            yield self._number, line

    def _checked(self, fields: list[str]) -> Iterator[tuple[int, list[str]]]:
        taken, self._taken = self._taken, []
        start = self._number - len(taken) + 1
        if len(taken) == 1:
            yield start, fields
            return
        rows = self._rows(taken)
        if rows:
            yield from rows
            return
        self._refuse_swallowed(taken, start)
        yield start, fields

    def _line_by_line(self, error: csv.Error) -> Iterator[tuple[int, list[str] | DataError]]:
        """What csv cannot read, as rows without quotes; where they are none, an error for the first of the lines."""
        taken, self._taken = self._taken, []
        rows = self._rows(taken)
        if rows:
            yield from rows
            return
        start = self._number - len(taken) + 1
        what = f"line {start} of {self._name}, or the quote that opens there: {error}."
        yield start, DataError(what, CSV_QUOTES)
        self._again.extendleft(reversed(taken[1:]))
        self._number, self._ended = start, False

    def _rows(self, taken: Sequence[str]) -> list[tuple[int, list[str]]]:
        """The lines of a record as a row each, or nothing where one of them is none."""
        if self._label is None and len(taken) > 1 and (len(taken) < FEW_LINES or len(self._header) == 1):
            return []
        rows = []
        start = self._number - len(taken) + 1
        for number, line in enumerate(taken, start=start):
            fields = self._row(line)
            if fields is None:
                return []
            rows.append((number, fields))
        self._warnings.note(QUOTES, f"line {start} of {self._name}: {taken[0]}")
        return rows

    def _row(self, line: str) -> list[str] | None:
        """A line that is a row by itself: by the rules, with quotes behind backslashes, or without any quoting."""
        quotings: list[dict[str, Any]] = [{"strict": True}, {"quoting": csv.QUOTE_NONE}]
        if '\\"' in line:
            quotings.insert(1, {"strict": True, "doublequote": False, "escapechar": "\\"})
        for quoting in quotings:
            try:
                fields = next(csv.reader([line], **self._form, **quoting), [])
            except csv.Error:
                continue
            if self._fits(fields):
                return fields
        return None

    def _fits(self, fields: Sequence[str]) -> bool:
        if len(fields) != len(self._header):
            return False
        if self._label is None or self._asked.labels is None:
            return True
        return self._asked.labels.is_label(fields[self._header.index(self._label)])

    def _refuse_swallowed(self, taken: Sequence[str], start: int) -> None:
        """Refuse a quoted text that holds rows: they would be lost in it."""
        if self._label is None:
            return
        swallowed = sum(self._row(line) is not None for line in taken[1:-1])
        if swallowed:
            raise DataError(
                f"line {start} of {self._name}: the quote that opens there closes in line {self._number} only, and "
                f"{swallowed} of the lines between look like reviews of their own.",
                f"Close that quote, or double it if it is part of the text (line {start}).",
            )


def _sample(lines: Iterator[str | DataError]) -> tuple[list[str | DataError], int, str]:
    """The first lines that hold something, how many stand before them, and the delimiter if Excel's line names it.

    One that is too long ends them.

    Raises:
        DataError: the very first one is too long.
    """
    sample: list[str | DataError] = []
    skipped, size, delimiter = 0, 0, ""
    for line in lines:
        if isinstance(line, DataError):
            if not sample:
                raise line
            sample.append(line)
            break
        excels = EXCELS_LINE.fullmatch(line) if not sample else None
        if excels:
            delimiter = excels[1]
        if not sample and (excels or not line.strip()):
            skipped += 1
            continue
        sample.append(line)
        size += len(line)
        if size >= SAMPLE:
            break
    return sample, skipped, delimiter


def _needed(header: Sequence[str], asked: Asked) -> int:
    """How many fields a row must have so that all columns are there that are used."""
    used = [*asked.columns, *([SPLIT] if asked.labels else [])]
    places = [header.index(found) for found in (find(column, header) for column in used) if found is not None]
    return max(places, default=-1) + 1


def _check_columns(header: Sequence[str], values: Sequence[str], where: str, asked: Asked) -> None:
    """Refuse a header without the columns that are asked for; the values are those of a row."""
    if len(header) == 1 and find(asked.settings.review_column, header) is None:
        other = BETWEEN_NAMES.search(header[0])
        if other:
            raise DataError(
                f"{where}: there is one column only, {header[0][:LONGEST_HEADER]!r}.",
                f"Name the delimiter: {asked.command.again(asked.settings, delimiter=other[1])}",
            )
    for setting in ("review_column", "label_column") if asked.labels else ("review_column",):
        asked.field(Row(where, dict.fromkeys(header, "") | dict(zip(header, values, strict=False))), setting)


def _named(header: Sequence[str], fields: Sequence[str], where: str, needed: int, warnings: Warnings) -> Row:
    """A record by the names of its columns; one that ends behind all that are needed is told."""
    if len(fields) > len(header) and not any(field.strip() for field in fields[len(header) :]):
        fields = fields[: len(header)]  # a spreadsheet pads rows
    problem = None
    if needed <= len(fields) < len(header):
        warnings.note(SHORT, f"{where}: {', '.join(fields)}")
    elif len(fields) != len(header):
        problem = DataError(
            f"{where}: {len(fields)} fields, where the header has {len(header)}.",
            "Quote the fields that hold the delimiter or a line break.",
        )
    return Row(where, dict(zip_longest(header, fields[: len(header)])), problem)
