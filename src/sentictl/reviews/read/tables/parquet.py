"""The rows of Parquet files."""

from collections.abc import Iterator
from typing import IO

from sentictl.errors import DataError
from sentictl.reviews.read.tables.opening import MissingReaderError
from sentictl.reviews.read.tables.row import Row

ROWS = 500  # in memory at a time


def parquet_rows(file: IO[bytes], name: str) -> Iterator[Row]:
    """Yields the rows of a file, some at a time.

    Args:
        file: its content, which can be sought in.
        name: what it is called, for messages.

    Raises:
        DataError: pyarrow is not installed, or the file is damaged.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        hint = "Get what reads it: pip install 'sentictl[parquet]'"
        raise MissingReaderError(f"{name} is a Parquet file.", hint) from None
    number = 0
    try:
        for batch in parquet.ParquetFile(file).iter_batches(ROWS):
            for fields in batch.to_pylist():
                number += 1
                yield Row(f"row {number} of {name}", fields)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{name} is not a Parquet file, or damaged: {error}.", "Write or download it again.") from error
