"""Reviews in files under folders that are called for their label, in the official layout or in any other."""

import codecs
import re
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from sentictl.errors import DataError
from sentictl.reviews.read.folders import layout
from sentictl.reviews.read.source import Review, SplitName
from sentictl.reviews.read.tables.encoding import detect
from sentictl.reviews.read.tables.opening import is_hidden
from sentictl.reviews.read.tables.table import MOST_DAMAGE, OTHER_ENCODING, OWN_SPLITS

LABELS = {"pos": 1, "positive": 1, "neg": 0, "negative": 0}
GROUPS = {1: "train/pos", 0: "train/neg"}
NO_FILM = -1
WIDE = ("utf-16", "utf-32")
REST = re.compile(r"README|urls_(pos|neg|unsup)\.txt|imdb\.vocab|imdbEr\.txt|\w+Bow\.feat")  # of the official archive
NOT_READ = "file that is no review skipped"


class Folder(NamedTuple):
    """What the folders above a file say of the review in it."""

    label: int
    split: SplitName | None


def folder_of(name: str) -> Folder | None:
    """Return what the folders of a file say of it, or None where none is called for a label.

    Args:
        name: the file's path, with `/` between its parts.
    """
    *folders, _ = (part.casefold() for part in PurePosixPath(name).parts)
    labels = [LABELS[part] for part in folders if part in LABELS]
    splits = [OWN_SPLITS[part] for part in folders if part in OWN_SPLITS]
    if not labels or is_hidden(name):
        return None
    return Folder(labels[-1], splits[-1] if splits else None)


class FilesSource(layout.LayoutSource):
    """Reviews in the files of a folder or an archive.

    Files of the official layout are read as it says, with their films. Any other file under a folder called `pos` or
    `neg` (or `positive`, `negative`) is a review as well; a folder above it may be called for a split.
    """

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self._folder: Folder | None = None
        self._damage = 0

    def _all(self) -> Iterator[Review]:
        self._damage = 0
        for review in super()._all():
            yield review._replace(split=self._folder.split, film=None) if self._folder else review

    def _files(self) -> Iterator[tuple[layout.Place, bytes]]:
        for name, content in self._contents():
            place = layout.place(name)
            self._folder = None if place else folder_of(name)
            self.where = name
            if place:
                yield place, self._as_utf8(content)
            elif self._folder and b"\0" in content and not detect([content]).name.startswith(WIDE):
                self.warnings.note(NOT_READ, name)  # a picture, or another file that is no text
            elif self._folder:
                yield layout.Place(GROUPS[self._folder.label], NO_FILM), self._as_utf8(content)

    def _as_utf8(self, content: bytes) -> bytes:
        """A file's content in UTF-8, whatever it is in; a little damage is left in it for its readers to count."""
        encoding = detect([content])
        if encoding.errors == "surrogateescape":
            self._damage += encoding.damage
            if self._damage > MOST_DAMAGE:
                raise DataError(
                    f"{self.description} is damaged: {self.where}, and files before it, hold bytes that are not UTF-8.",
                    "Get it again where it comes from, or save its files as UTF-8.",
                )
            return content.removeprefix(codecs.BOM_UTF8)
        text = content.decode(encoding.name, encoding.errors)
        self.warnings.note(OTHER_ENCODING.format(encoding.spoken), f"{self.where}: {text}")
        return text.encode()

    def _is_review(self, name: str) -> bool:
        """Whether a file is of use; one that is not, and that nobody would expect there, is counted."""
        if layout.place(name) or folder_of(name):
            return True
        if not REST.fullmatch(PurePosixPath(name).name) and not is_hidden(name):
            self.warnings.note(NOT_READ, name)
        return False

    @abstractmethod
    def _contents(self) -> Iterator[tuple[str, bytes]]:
        """Yields the name and content of every file that `_is_review`."""
