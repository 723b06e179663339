"""What is too large for memory: bytes in a file without a name, of which nothing stays however the program ends."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple


class Extent(NamedTuple):
    """Where some bytes begin and end."""

    start: int
    end: int


class Spilled:
    """Bytes on disk that are only ever added to, and read at any place.

    Args:
        folder: says on which disk.
    """

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - `close` closes it
        self._size = 0

    def append(self, content: Any) -> Extent:
        """Add bytes, or an array's, and return where they are."""
        rest = memoryview(content).cast("B")
        start = self._size
        while rest:
            written = self._file.write(rest)
            self._size += written
            rest = rest[written:]
        return Extent(start, self._size)

    def gather(self, extents: Iterable[tuple[int, int]]) -> bytes:
        """The bytes of some extents, one after the other."""
        file = self._file.fileno()
        return b"".join([os.pread(file, end - start, start) for start, end in extents])

    def close(self) -> None:
        """Give back what they take of the disk."""
        self._file.close()
