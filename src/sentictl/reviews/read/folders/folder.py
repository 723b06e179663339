"""A folder of reviews."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from sentictl.errors import DataError
from sentictl.reviews.read.folders import layout
from sentictl.reviews.read.folders.files import FilesSource, folder_of
from sentictl.reviews.read.source import ACCEPTED, MAX_REVIEW_BYTES, file_sha256, files_below, unreadable


class FolderSource(FilesSource):
    """Reviews in the files of a folder.

    Args:
        path: the folder; it may hold the top folder of the official archive.

    Raises:
        DataError: there is no folder called `pos` or `neg` in it.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path.resolve().name)
        self.root = _root(path)
        if not any(folder_of(name) for name in self._names()):
            raise DataError(f"{path} has no files in folders called pos and neg, and no tables.", ACCEPTED)

    def fingerprint(self) -> str:
        """The sha256 over the names and contents of the files that are read."""
        digest = hashlib.sha256()
        for name in self._names():
            if layout.place(name) or folder_of(name):
                digest.update(f"{name}\0{file_sha256(self.root / name)}\n".encode())
        return digest.hexdigest()

    def _contents(self) -> Iterator[tuple[str, bytes]]:
        names = [name for name in self._names() if self._is_review(name)]
        self.total = len(names)
        for number, name in enumerate(names, start=1):
            self.done = number
            yield name, self._content(name)

    def _content(self, name: str) -> bytes:
        path = self.root / name
        try:
            with path.open("rb") as file:
                content = file.read(MAX_REVIEW_BYTES + 1)
        except OSError as error:
            raise unreadable(path, error) from error
        if len(content) > MAX_REVIEW_BYTES:
            raise DataError(
                f"{path} is too large for a review.", "Take it out, or see whether it is what it should be."
            )
        return content

    def _names(self) -> list[str]:
        """The paths of all files in the folder."""
        return files_below(self.root)


def _root(path: Path) -> Path:
    """The folder that holds the official layout: this one, or the only one in it that holds reviews; else this one."""
    try:
        inner = sorted(child for child in path.iterdir() if child.is_dir())
    except OSError as error:
        raise unreadable(path, error) from error
    if _is_official(path):
        return path
    holding = [child for child in inner if any(folder_of(f"{child.name}/{name}") for name in files_below(child))]
    return holding[0] if len(holding) == 1 and _is_official(holding[0]) else path


def _is_official(folder: Path) -> bool:
    return any((folder / group).is_dir() for group in layout.LABELS)
