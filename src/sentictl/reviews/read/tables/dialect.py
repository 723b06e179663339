"""How a delimited file is written: its delimiter, and the names of its columns."""

import csv
import reprlib
from collections.abc import Iterable, Iterator, Sequence

from sentictl.errors import DataError
from sentictl.reviews.read.tables.row import Asked, find, normal

DELIMITERS = (",", ";", "\t", "|")
TAB_NAMES = ("tab", "\\t")
LONGEST_NAME = 60  # characters: what is longer is a review, not the name of a column
SPLIT = "split"  # the column of a source's own splits
HIGHEST = 20  # lines that may stand above a header
SNIFFED = 20_000  # characters


def delimiter_of(sample: Sequence[str], suffix: str, asked: Asked) -> str:
    """The delimiter of a file: the one by which its header has the columns that are asked for.

    Where no header tells it, it is the one that makes as many fields as there are columns; or the tab of a `.tsv`; or
    one that makes a column of labels; or what the library clevercsv finds, or Python's own where that is missing.

    Args:
        sample: the file's first lines.
        suffix: the ending of its name.
        asked: what is asked of it.
    """
    chosen = asked.settings.delimiter
    if chosen:
        return "\t" if chosen in TAB_NAMES else chosen
    usual = "\t" if suffix == ".tsv" else ","
    candidates = sorted(DELIMITERS, key=lambda delimiter: delimiter != usual)
    for delimiter in candidates:
        if has_columns(next(records(sample, delimiter), []), asked.columns):
            return delimiter
    count = len(column_names(asked))
    if count:
        return max(candidates, key=lambda d: sum(len(fields) == count for fields in records(sample, d)))
    labelled = (delimiter for delimiter in candidates if _has_labels(list(records(sample, delimiter))[1:], asked))
    return usual if suffix == ".tsv" else next(labelled, "") or _sniffed(sample) or usual


def header_of(sample: Sequence[str], delimiter: str, name: str, asked: Asked) -> tuple[list[str], bool]:
    """The names of a file's columns, and whether they stand in its first record.

    Args:
        sample: the file's first lines.
        delimiter: what parts its fields.
        name: what it is called, for the error.
        asked: what is asked of it.

    Raises:
        DataError: there is no header and no names are given, or a name is there twice.
    """
    beginning = list(records(sample, delimiter))
    first = beginning[0] if beginning else []
    given = column_names(asked)
    if given:
        doubled = [column for column in given if given.count(column) > 1]
        if doubled:
            raise DataError(f"The column {reprlib.repr(doubled[0])} is named twice.", "Give each a name of its own.")
        return given, [normal(field) for field in first] == [normal(field) for field in given]
    below = "" if has_columns(first, asked.columns) else _header_below(sample, asked)
    if below:
        raise DataError(
            f"{name}: its header stands below other lines: {reprlib.repr(below.strip())}.",
            "Take the lines above it out.",
        )
    if not has_columns(first, asked.columns) and _is_data(first, beginning[1:], asked):
        raise _headless(first, name, asked)
    blank = sum(not field.strip() for field in first)
    header = [
        field if field.strip() or blank == 1 else f"column {number}" for number, field in enumerate(first, start=1)
    ]
    numbered = [_numbered(header, place) for place in range(len(header))]
    used = {normal(column) for column in (*asked.columns, SPLIT)}
    twice = {column for column in header if header.count(column) > 1 and normal(column) in used}
    if twice or len(set(numbered)) < len(numbered):
        column = min(twice or header, key=lambda column: -header.count(column))
        raise DataError(f"{name}: the column {reprlib.repr(column)} is there twice.", "Rename one of them.")
    return numbered, True


def has_blanks_behind(line: str, delimiter: str) -> bool:
    """Whether a blank stands behind each delimiter of a line, and so belongs to no field."""
    fields = next(csv.reader([line], delimiter=delimiter), [])
    return len(fields) > 1 and all(field.startswith(" ") for field in fields[1:])


def _numbered(header: Sequence[str], place: int) -> str:
    """The name of a column, with a number where it is that of an earlier one, too."""
    before = header[:place].count(header[place])
    return f"{header[place]} {before + 1}" if before else header[place]


def column_names(asked: Asked) -> list[str]:
    """The names of the columns that a person gives to a file that has no header."""
    return [name.strip() for name in asked.settings.columns.split(",") if name.strip()]


def has_columns(header: Iterable[str], columns: Iterable[str]) -> bool:
    """Whether a header has these columns."""
    names = list(header)
    return all(find(column, names) is not None for column in columns)


def records(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """Yields the records in some lines; lines that are no records by the rules end it."""
    try:
        reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
        yield from (fields for fields in reader if fields)
    except csv.Error:
        return


def _header_below(sample: Sequence[str], asked: Asked) -> str:
    """The line in which the columns stand that are asked for, of some lines; empty where there is none."""
    for line in sample[:HIGHEST]:
        if any(has_columns(next(records([line], delimiter), []), asked.columns) for delimiter in DELIMITERS):
            return line
    return ""


def _has_labels(rows: Sequence[Sequence[str]], asked: Asked) -> bool:
    """Whether some rows are equally long and have a column of labels."""
    if asked.labels is None or len(rows) < 2 or len(rows[0]) < 2 or len({len(row) for row in rows[:-1]}) > 1:
        return False
    return any(all(asked.labels.is_label(value) for value in column) for column in zip(*rows[:-1], strict=True))


def _is_data(first: Sequence[str], others: Sequence[Sequence[str]], asked: Asked) -> bool:
    """Whether a first record holds no names: a number, a text that is too long, or a label that others hold as well."""
    for column, field in enumerate(first):
        text = field.strip()
        if len(text) > LONGEST_NAME or _is_number(text):
            return True
        is_label = asked.labels is not None and asked.labels.is_label(text)
        if is_label and any(len(other) > column and normal(other[column]) == normal(text) for other in others):
            return True
    return False


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _headless(first: Sequence[str], name: str, asked: Asked) -> DataError:
    shown = ", ".join(reprlib.repr(field) for field in first[:5])
    columns = asked.columns if len(first) == len(asked.columns) else [f"column{n}" for n in range(1, len(first) + 1)]
    if len(columns) > len(asked.columns):
        columns[: len(asked.columns)] = asked.columns
    labelled = asked.labels is not None and len(columns) == 2 and asked.labels.is_label(first[0])
    names = columns[::-1] if labelled else columns
    if "columns" not in asked.command.options:
        return DataError(
            f"{name} has no header: its first line holds {shown}.",
            f"Put a first line there that names its columns: {','.join(names)}",
        )
    return DataError(
        f"{name} has no header: its first line holds {shown}.",
        f"Name its columns, in their order: {asked.command.again(asked.settings, columns=','.join(names))}",
    )


def _sniffed(sample: Sequence[str]) -> str:
    beginning = "".join(sample)[:SNIFFED]
    try:
        from clevercsv import Detector  # takes a quarter of a second to import
    except ImportError:  # as in AWS's Spark image
        return _sniffed_by_python(beginning)
    dialect = Detector().detect(beginning, delimiters=list(DELIMITERS))
    return dialect.delimiter if dialect and dialect.delimiter in DELIMITERS else ""


def _sniffed_by_python(beginning: str) -> str:
    try:
        return csv.Sniffer().sniff(beginning, "".join(DELIMITERS)).delimiter
    except csv.Error:
        return ""
