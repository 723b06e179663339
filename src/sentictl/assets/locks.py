"""Locks that are files. The kernel lets go of one whatever way its process ends."""

import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO


def open_locked(path: Path, hold: Callable[[IO[bytes]], object]) -> IO[bytes]:
    """Return the file at `path`, open and locked; begin again if whoever held it has deleted it meanwhile.

    Args:
        path: the file, which is made, as is its folder.
        hold: locks an open file, or raises what says why it cannot; then the file is closed.

    Raises:
        OSError: the file cannot be made.
    """
    while True:
        with contextlib.suppress(FileExistsError):
            path.parent.mkdir()
        if path.parent.is_symlink() and not path.parent.exists():  # it would never be there
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path.parent))
        with contextlib.suppress(FileNotFoundError), contextlib.ExitStack() as stack:
            stream = stack.enter_context(path.open("a+b", buffering=0))
            hold(stream)
            if os.path.samestat(path.stat(), os.fstat(stream.fileno())):
                stack.pop_all()
                return stream
