"""The rows of JSON files: an object a line, or one list of objects."""

import json
import reprlib
from collections.abc import Iterator
from typing import IO, Any

from sentictl.errors import DataError
from sentictl.reviews.read.source import MAX_REVIEW_BYTES, lines_or_problems
from sentictl.reviews.read.tables.row import Row

CHUNK = 64 * 1024  # characters
FORMS = "Each line is one JSON object, or the whole file is one list of them: [{…}, {…}]."
LIST = "The file is one list of JSON objects: [{…}, {…}]."
ONE_LIST = "Put all of it into one list, or an object a line into a file whose name ends in .jsonl."
BLANK = " \t\r\n"


def json_lines(file: IO[str], name: str) -> Iterator[Row]:
    """Yields the object in each line of a file that is not blank.

    Args:
        file: its text.
        name: what it is called, for messages.

    Raises:
        DataError: a line has no end. One that is too long or not a JSON object is a row with a problem.
    """
    for number, line in enumerate(lines_or_problems(file, name), start=1):
        where = f"line {number} of {name}"
        if isinstance(line, DataError):
            yield Row(where, {}, line)
        elif line.strip():
            try:
                fields = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield Row(where, {}, DataError(f"{where} is not JSON: {error}.", FORMS))
            else:
                yield _row(where, fields)


def json_list(file: IO[str], name: str) -> Iterator[Row]:
    """Yields the objects of a list, of which only one is in memory at a time.

    Args:
        file: the text of the list.
        name: what it is called, for messages.

    Raises:
        DataError: it is no list in JSON, or not one alone; the message has the number of the object. One that is no
            object is a row with a problem.
    """
    decode = json.JSONDecoder().raw_decode
    text = file.read(CHUNK).lstrip().removeprefix("[")
    number = 0
    while not (text := _from_the_next(text, file)).startswith("]"):
        number += 1
        where = f"object {number} of {name}"
        while True:
            try:
                fields, end = decode(text)
                break
            except (ValueError, RecursionError) as error:
                if len(text) > MAX_REVIEW_BYTES:
                    raise DataError(
                        f"{where} is no JSON that ends within {MAX_REVIEW_BYTES // 2**20} MiB.", LIST
                    ) from error
                more = file.read(max(CHUNK, len(text)))
                if not more:
                    raise DataError(f"{where} is not JSON: {error}.", LIST) from error
                text += more
        yield _row(where, fields)
        text = text[end:]
    rest = text[1:].strip()
    while not rest and (more := file.read(CHUNK)):
        rest = more.strip()
    if rest:
        raise DataError(f"{name} goes on behind the end of its list: {reprlib.repr(rest)}.", ONE_LIST)


def _from_the_next(text: str, file: IO[str]) -> str:
    """The text from the next object on, behind blanks and a comma, and with something of it where there is more."""
    while True:
        text = text.lstrip(BLANK + ",")
        if text:
            return text
        text = file.read(CHUNK)
        if not text:
            return ""


def _row(where: str, fields: Any) -> Row:
    if not isinstance(fields, dict):
        kind = type(fields).__name__
        return Row(where, {}, DataError(f"{where} is of type {kind}, not an object.", "Each review is a JSON object."))
    return Row(where, fields)
