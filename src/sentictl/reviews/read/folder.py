"""The official archive as a folder, unpacked."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from sentictl.errors import DataError
from sentictl.reviews.read import layout
from sentictl.reviews.read.source import ACCEPTED, MAX_REVIEW_BYTES, file_sha256, unreadable

HALVES = ("train", "test")


class FolderSource(layout.LayoutSource):
    """Reviews in a folder of the official layout, with or without the archive's own top folder.

    Args:
        path: the folder.

    Raises:
        DataError: the folder has neither the layout nor one folder in it that has.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path.resolve().name)
        self.root = _root(path)

    def fingerprint(self) -> str:
        """The sha256 over the names and contents of the layout's files."""
        digest = hashlib.sha256()
        for name in self._names():
            digest.update(f"{name}\0{file_sha256(self.root / name)}\n".encode())
        return digest.hexdigest()

    def _files(self) -> Iterator[tuple[layout.Place, bytes]]:
        names = self._names()
        self.total = len(names)
        for number, name in enumerate(names, start=1):
            self.done = number
            at = layout.place(name)
            if at:
                yield at, self._content(name)

    def _content(self, name: str) -> bytes:
        path = self.root / name
        try:
            with path.open("rb") as file:
                content = file.read(MAX_REVIEW_BYTES + 1)
        except OSError as error:
            raise unreadable(path, error) from error
        if len(content) > MAX_REVIEW_BYTES:
            raise DataError(f"{path} is too large for a review.", ACCEPTED)
        return content

    def _names(self) -> list[str]:
        folders = (self.root / group for group in (*layout.LABELS, layout.UNLABELLED))
        reviews = (file for folder in folders for file in folder.glob("*.txt"))
        addresses = (file for half in HALVES for file in (self.root / half).glob("urls_*.txt"))
        names = (file.relative_to(self.root).as_posix() for file in (*addresses, *reviews))
        return sorted(name for name in names if layout.place(name))


def _root(path: Path) -> Path:
    try:
        inner = sorted(child for child in path.iterdir() if child.is_dir())
    except OSError as error:
        raise unreadable(path, error) from error
    for folder in (path, *inner):
        if any((folder / group).is_dir() for group in layout.LABELS):
            return folder
    raise DataError(f"{path} has no train/pos, train/neg, test/pos or test/neg.", ACCEPTED)
