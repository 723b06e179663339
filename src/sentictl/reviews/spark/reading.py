"""Files of reviews, each read by one task as a machine by itself reads it."""

import os
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sentictl.errors import DataError
from sentictl.reviews.read.source import Warnings, file_sha256
from sentictl.reviews.read.tables.opening import PARQUET, MissingReaderError, opened
from sentictl.reviews.read.tables.row import Asked, Row
from sentictl.reviews.read.tables.table import LOOKED_AT, TableSource
from sentictl.reviews.spark.order import Order

if TYPE_CHECKING:
    from pyspark import RDD
    from pyspark.sql import SparkSession

REVIEW, NOTE, OUTCOME = "review", "note", "outcome"  # the kinds of what a task yields: the first of each tuple
PLACE = re.compile(r"\w+ \d+")  # how an example begins that names its row: `line 7 of a.csv: …`
ROW = "number of the row"  # the column of a Parquet file's own order
MAGIC = b"PAR1"  # with which a Parquet file begins and ends (https://parquet.apache.org/docs/file-format/)
GLOB = re.compile(r"([\[\]{}*?\\])")


class FileOutcome(NamedTuple):
    """What came of reading a file.

    Attributes:
        number: its place among the files of the source.
        sha256: of its content, in hex.
        reviews: how many reviews it gave.
        labelled: how many of them have a label.
        warnings: how often each kind of thing was met that is not used as it stands.
        examples: the first of each.
        problem: the message and the hint of what ended the reading; None where it came to the end.
    """

    number: int
    sha256: str
    reviews: int
    labelled: int
    warnings: dict[str, int]
    examples: dict[str, str]
    problem: tuple[str, str] | None


class Noted(Warnings):
    """Warnings that keep where each was, until it is taken."""

    def __init__(self) -> None:
        super().__init__()
        self._places: list[tuple[str, str]] = []

    def note(self, kind: str, example: str) -> None:
        super().note(kind, example)
        found = PLACE.match(example)
        self._places.append((found[0] if found else "", kind))

    def taken(self) -> Iterator[tuple[str, str]]:
        """Yield the row and the kind of each since this was asked last."""
        places, self._places = self._places, []
        yield from places


class ParquetRows(TableSource):
    """The rows of a Parquet file that Spark has read, where there is no pyarrow."""

    def __init__(self, path: Path, order: Order, rows: Iterable[dict[str, Any]]) -> None:
        super().__init__(path, *order.reading)
        given = (Row(f"row {number} of {path.name}", fields) for number, fields in enumerate(rows, start=1))
        self._first = list(islice(given, LOOKED_AT))
        self._rest = given

    def _rows(self, asked: Asked) -> Iterator[Row]:  # noqa: ARG002  (it is a table already)
        return chain(self._first, self._rest)

    def _first_rows(self, asked: Asked) -> Iterator[Row]:  # noqa: ARG002
        return iter(self._first)


def read_files(spark: "SparkSession", order: Order, names: list[str]) -> "RDD[tuple[Any, ...]]":
    """Read files, each in a task of its own.

    Args:
        spark: what runs the tasks.
        order: what is to be prepared.
        names: the paths of the files in the source; each one's place is its number.

    Returns:
        What the tasks yield: reviews `(REVIEW, file, row, text, label, split)`, where the row counts the file's
        reviews; `(NOTE, file, place, kind)` for what is not used as it stands; and `(OUTCOME, FileOutcome)` at the end
        of each file.
    """
    numbered = list(enumerate(names))
    by_spark = [(number, name) for number, name in numbered if name.lower().endswith(PARQUET)]
    by_us = [each for each in numbered if each not in by_spark]
    read = [_read_parquet(spark, order, number, name) for number, name in by_spark]
    if by_us:
        tasks = spark.sparkContext.parallelize(by_us, len(by_us))
        read.append(tasks.flatMap(lambda each: _read(each[0], TableSource(order.path(each[1]), *order.reading))))
    return spark.sparkContext.union(read)


def _read_parquet(spark: "SparkSession", order: Order, number: int, name: str) -> "RDD[tuple[Any, ...]]":
    """The same of a Parquet file: by Spark's reader, in the file's order."""
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException
    from pyspark.sql.functions import col
    from pyspark.sql.types import DateType, TimestampNTZType, TimestampType

    def as_read(field: Any) -> Any:
        """A column; of times, some of which are none to Python, as text."""
        column = col("`{}`".format(field.name.replace("`", "``")))
        is_time = isinstance(field.dataType, DateType | TimestampType | TimestampNTZType)
        return column.cast("string").alias(field.name) if is_time else column

    path = order.path(name)
    try:
        with opened(path):
            pass  # what is no file, or empty, has the errors of every table
        frame = spark.read.parquet("file://" + GLOB.sub(r"\\\1", str(path)))
        columns = [*map(as_read, frame.schema), col("_metadata.row_index").alias(ROW)]
        rows = frame.select(*columns).coalesce(1).sortWithinPartitions(ROW)
    except DataError as error:
        return _unread(spark, number, error)
    except (PySparkException, Py4JJavaError) as error:
        return _unread(spark, number, _unreadable(path, order, error))

    def read(partition: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
        fields = (_fields(row) for row in partition)
        return _read(number, ParquetRows(path, order, fields))

    return rows.rdd.mapPartitions(read)


def _unreadable(path: Path, order: Order, error: Exception) -> DataError:
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
        file.seek(-min(len(MAGIC), path.stat().st_size), os.SEEK_END)
        if start == file.read() == MAGIC:
            settings, command = order.reading
            here = command.again(settings, on="here")
            return DataError(f"Spark cannot read {path.name}: {_reason(error)}.", f"Prepare it here: {here}")
    return DataError(f"{path.name} is not a Parquet file, or damaged: {_reason(error)}.", "Write or download it again.")


def _reason(error: Exception) -> str:
    """What was the matter at first, of an error of Spark's, in one line."""
    cause = getattr(error, "java_exception", None)
    while cause is not None and cause.getCause() is not None:
        cause = cause.getCause()
    reason = error if cause is None else cause.getMessage() or cause.getClass().getSimpleName()
    return str(reason).splitlines()[0].rstrip(".")


def _unread(spark: "SparkSession", number: int, problem: DataError) -> "RDD[tuple[Any, ...]]":
    outcome = FileOutcome(number, "", 0, 0, {}, {}, (problem.message, problem.hint))
    return spark.sparkContext.parallelize([(OUTCOME, outcome)], 1)


def _fields(row: Any) -> dict[str, Any]:
    fields: dict[str, Any] = row.asDict(recursive=True)
    del fields[ROW]
    return fields


def _read(number: int, source: TableSource) -> Iterator[tuple[Any, ...]]:
    """Yield all that a file gives; what is wrong with it is told at the end, and not raised in the midst of Spark."""
    noted = source.warnings = Noted()
    sha256, reviews, labelled = "", 0, 0
    problem = None
    try:
        sha256 = file_sha256(source.path)
        for review in source.usable():
            yield REVIEW, number, reviews, review.text, review.label, review.split
            reviews += 1
            labelled += review.label is not None
            yield from ((NOTE, number, *place) for place in noted.taken())
    except MissingReaderError as error:
        here = source.command.again(source.settings, on="here")
        problem = (error.message, f"AWS's Spark image has nothing that reads it. Unpack it, or prepare it here: {here}")
    except DataError as error:
        problem = (error.message, error.hint)
    yield from ((NOTE, number, *place) for place in noted.taken())
    yield OUTCOME, FileOutcome(number, sha256, reviews, labelled, dict(noted), noted.examples, problem)
