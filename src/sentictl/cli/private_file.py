"""A new file for its user alone, for what is told only once. Imports nothing heavy."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path


@contextlib.contextmanager
def private_file(path: Path | None) -> Iterator[Callable[[str], object]]:
    """A way to write a new file for its user alone; nothing stays of it where the block fails.

    Raises:
        UsageError: there is a file of that name.
    """
    from sentictl.errors import UsageError

    if path is None:
        yield lambda _: None
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(f"There is a file {path} already, which is left as it is.", "Name another one.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        try:
            yield lambda value: print(value, file=stream, flush=True)  # a full disk is told here, and nowhere later
        except BaseException:
            path.unlink(missing_ok=True)
            raise
