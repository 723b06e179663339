"""Scratch: numbers that are kept in a file while a training runs, so that memory does not grow with the reviews."""

import tempfile
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Scratch:
    """A row of numbers in a file without a name, which is gone as soon as nobody uses it, after a kill as well.

    It is in the folder for temporary files (`TMPDIR`). Reading copies: a mapped file would count as memory in use.

    Args:
        dtype: of the numbers.
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self._dtype = np.dtype(dtype)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  (it is closed with the last reference)
        self._length = 0

    def __len__(self) -> int:
        """How many numbers there are."""
        return self._length

    def append(self, values: NDArray[Any]) -> None:
        """Write numbers behind those that there are. Raises OSError if the disk is full."""
        self._file.seek(self._length * self._dtype.itemsize)
        self._file.write(np.ascontiguousarray(values, dtype=self._dtype).data)
        self._file.flush()
        self._length += values.size

    def read(self, first: int, last: int) -> NDArray[Any]:
        """Read the numbers from one on, up to another, which is left out."""
        values = np.empty(max(0, min(last, self._length) - first), dtype=self._dtype)
        self._file.seek(first * self._dtype.itemsize)
        self._file.readinto(values.data)
        return values

    def close(self) -> None:
        """Give back what it takes of the disk, before the last reference is gone."""
        self._file.close()

    def mapped(self) -> NDArray[Any]:
        """Return all numbers as an array whose pages the system reads when they are used, and may drop."""
        if not self._length:
            return np.zeros(0, dtype=self._dtype)
        return np.memmap(self._file, dtype=self._dtype, mode="r", shape=(self._length,))
