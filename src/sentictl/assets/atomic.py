"""Writing a file so that a kill at any moment leaves the old one or the new one, never half of it."""

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO


def write_atomically(
    path: Path, content: bytes, mode: int | None = None, check: Callable[[], object] = lambda: None
) -> None:
    """Replace `path` by `content`; makes its folder where there is none.

    Args:
        path: the file.
        content: all of it.
        check: called last, right before the old file goes; what it raises leaves that as it is.
        mode: of the file; by default that of the one it replaces, or else readable for all.

    Raises:
        OSError: the folder cannot be written; the old file is untouched and no temporary file stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, mode, check) as stream:
        stream.write(content)


@contextlib.contextmanager
def replacing(path: Path, mode: int | None = None, check: Callable[[], object] = lambda: None) -> Iterator[BinaryIO]:
    """A stream whose content takes the place of `path` when the block ends well, and leaves no trace when it does not.

    Temporary file beside it, fsync, rename, fsync of the folder. Keeps the mode of the file it replaces, unless one
    is given, and links stay links. `check` is called last, and what it raises leaves the old file.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.urandom(4).hex()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            kept = target.stat().st_mode & 0o777 if target.exists() else 0o644
            os.fchmod(descriptor, kept if mode is None else mode)
            yield stream
            stream.flush()
            os.fsync(descriptor)
        check()
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def remove_strays(path: Path) -> None:
    """Delete the temporary files that killed writers of `path` left. Only while nobody can be writing it."""
    target = Path(os.path.realpath(path))
    temporary = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{8}}\.tmp")
    for entry in target.parent.iterdir():
        if temporary.fullmatch(entry.name):
            entry.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make the rename outlast a power failure. The new file is in place either way, and not every file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
