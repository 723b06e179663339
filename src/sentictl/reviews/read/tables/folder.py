"""Labelled reviews in all tables of a folder."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from sentictl.reviews.read.command import DATA, ReadingCommand
from sentictl.reviews.read.source import Review, Source, files_below, json_sha256
from sentictl.reviews.read.tables.opening import TABLES, inner_suffix, is_hidden
from sentictl.reviews.read.tables.table import TableSource

if TYPE_CHECKING:
    from sentictl.config.settings import DataSettings

NO_TABLE = "file that is no table skipped"
ZIP = ".zip"


class TableFolderSource(Source):
    """Labelled reviews in the tables of a folder and of those in it, one after the other in the order of their paths.

    Each is read as it would be by itself: its form, its columns and the spellings of its labels are its own.

    Args:
        path: the folder.
        settings: as of a `TableSource`; they hold for every table.
        command: what a hint says to run again.
    """

    def __init__(self, path: Path, settings: "DataSettings", command: ReadingCommand = DATA) -> None:
        super().__init__(path.resolve().name)
        names = files_below(path)
        self.tables = {name: TableSource(path / name, settings, command) for name in names if is_table(name)}
        self.others = unexpected(names)

    def fingerprint(self) -> str:
        """The sha256 over the names and fingerprints of the tables."""
        return folder_fingerprint((name, table.fingerprint()) for name, table in self.tables.items())

    def _all(self) -> Iterator[Review]:
        for name in self.others:
            self.warnings.note(NO_TABLE, name)
        self.total = sum(table.path.stat().st_size for table in self.tables.values())
        before = 0
        for table in self.tables.values():
            table.warnings = self.warnings
            for review in table._all():
                self.where, self.done = table.where, before + table.done
                yield review
            before += table.total


def is_table(name: str) -> bool:
    """Tell by a file's path whether it is a table, packed or not, that somebody put there."""
    return _ends_as_table(name) and not is_hidden(name) and not _is_mark(name)


def unexpected(names: Sequence[str]) -> list[str]:
    """Return the files among these that are no tables, without those that programs leave beside tables.

    A table whose name, or folder, begins with an underscore is among them: Spark and its kin pass it over.
    """
    marks = (_is_mark(name) and not _ends_as_table(name) for name in names)
    return [name for name, mark in zip(names, marks, strict=True) if not (is_table(name) or is_hidden(name) or mark)]


def folder_fingerprint(tables: Iterable[tuple[str, str]]) -> str:
    """Return the fingerprint of a folder of tables, given the path and the fingerprint of each."""
    return json_sha256([list(table) for table in tables])


def _ends_as_table(name: str) -> bool:
    return inner_suffix(name) in TABLES or name.lower().endswith(ZIP)


def _is_mark(name: str) -> bool:
    """Whether a file is one that Spark, Hive and their kin write beside tables, such as `_SUCCESS`."""
    return any(part.startswith("_") for part in PurePosixPath(name).parts)
