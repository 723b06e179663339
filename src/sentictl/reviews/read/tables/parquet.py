"""The rows of Parquet files."""

import reprlib
from collections import Counter
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from sentictl.errors import DataError
from sentictl.reviews.read.tables.opening import MissingReaderError
from sentictl.reviews.read.tables.row import Row

if TYPE_CHECKING:
    from pyarrow import RecordBatch

ROWS = 500  # in memory at a time


def parquet_rows(file: IO[bytes], name: str) -> Iterator[Row]:
    """Yields the rows of a file, some at a time.

    Args:
        file: its content, which can be sought in.
        name: what it is called, for messages.

    Raises:
        DataError: pyarrow is not installed, the file is damaged, has two columns of one name, or a value that cannot be
            read.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        hint = "Get what reads it: pip install 'sentictl[parquet]'"
        raise MissingReaderError(f"{name} is a Parquet file.", hint) from None
    number = 0
    try:
        opened = parquet.ParquetFile(file)
        if twice := sorted(each for each, count in Counter(opened.schema_arrow.names).items() if count > 1):
            raise DataError(f"{name}: the column {reprlib.repr(twice[0])} is there twice.", "Rename one of them.")
        for batch in opened.iter_batches(ROWS):
            for fields in _with_times_as_text(batch).to_pylist():
                number += 1
                yield Row(f"row {number} of {name}", fields)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{name} is not a Parquet file, or damaged: {error}.", "Write or download it again.") from error
    except (ValueError, OverflowError) as error:
        where = f"{name}, in row {number + 1} or one of the {ROWS} behind it"
        raise DataError(f"{where}: a value cannot be read: {error}.", "Leave out the column that it is in.") from error


def _with_times_as_text(batch: "RecordBatch") -> "RecordBatch":
    """Times as text, as Spark reads them: Python has none beyond the year 9999, and no nanoseconds."""
    from pyarrow import RecordBatch, string, types

    columns = [column.cast(string()) if types.is_temporal(column.type) else column for column in batch.columns]
    return RecordBatch.from_arrays(columns, names=batch.schema.names)
