"""From the setting `data.source` to the source of reviews that it means."""

import difflib
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sentictl.config.paths import without_tilde
from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.read.bucket import SCHEME, fetch
from sentictl.reviews.read.command import DATA, ReadingCommand
from sentictl.reviews.read.download import RemoteFile, download
from sentictl.reviews.read.folders.archive import TARS, ZIP_SUFFIX, ArchiveSource
from sentictl.reviews.read.folders.files import folder_of
from sentictl.reviews.read.folders.folder import FolderSource
from sentictl.reviews.read.package import PACKAGE, PackageSource
from sentictl.reviews.read.source import ACCEPTED, ReportProgress, Source, files_below
from sentictl.reviews.read.tables.folder import TableFolderSource, is_table
from sentictl.reviews.read.tables.opening import EXCEL, TABLES, inner_suffix, opened, spreadsheet
from sentictl.reviews.read.tables.table import TableSource

IMDB = "imdb"
IMDB_ARCHIVE = RemoteFile(
    "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz", "7c2ac02c03563afcf9b574c7e56c153a"
)


def open_source(
    settings: DataSettings,
    base: Path,
    cache: Path,
    report: ReportProgress,
    imdb: RemoteFile = IMDB_ARCHIVE,
    s3: Callable[[], Any] | None = None,
    command: ReadingCommand = DATA,
) -> Source:
    """The source of labelled reviews that the settings name.

    Args:
        settings: `source` says which; the other settings about reading hold for a table.
        base: what a relative path is relative to.
        cache: the folder that downloads are kept in, shared by all projects; an absolute path.
        report: told how far a download has come.
        imdb: the archive that `imdb` stands for.
        s3: gives boto3's client for `s3://` addresses.
        command: what a hint says to run again.

    Raises:
        DataError: there is no such source, it is of no known form, or it cannot be downloaded.
    """
    if settings.source == PACKAGE:
        return PackageSource()
    if settings.source == IMDB:
        return ArchiveSource(download(imdb, _kept_in(cache), report))
    if settings.source.startswith(SCHEME):
        if s3 is None:
            raise DataError(
                f"{settings.source} cannot be read here.", "Download it, and name its path on this machine."
            )
        return _in(fetch(settings.source, cache, s3(), report), settings, command)
    path = base / without_tilde(settings.source)
    if not path.exists():
        raise _missing(settings.source, path)
    return _in(path, settings, command)


def _in(path: Path, settings: DataSettings, command: ReadingCommand) -> Source:
    """The source that a file or folder is."""
    name = path.name.lower()
    if path.is_dir():
        return _in_folder(path, settings, command)
    if name.endswith(TARS) or (name.endswith(ZIP_SUFFIX) and _holds_folders(path)):
        return ArchiveSource(path)
    if name.endswith(EXCEL):
        raise spreadsheet(path)
    if inner_suffix(name) in TABLES or name.endswith(ZIP_SUFFIX):
        return TableSource(path, settings, command)
    raise DataError(f"{path} is not of a known form: its name ends in {path.suffix or 'nothing'!r}.", ACCEPTED)


def _in_folder(path: Path, settings: DataSettings, command: ReadingCommand) -> Source:
    """The source that a folder is: reviews in folders that are called for their label, else tables."""
    names = files_below(path)
    if not any(folder_of(name) for name in names) and any(map(is_table, names)):
        return TableFolderSource(path, settings, command)
    return FolderSource(path)


def _holds_folders(path: Path) -> bool:
    """Whether a zip archive holds reviews in folders that are called for their label."""
    with opened(path, one=False) as file, zipfile.ZipFile(file.raw) as archive:
        return any(folder_of(name) for name in archive.namelist() if not name.endswith("/"))


def user_cache() -> Path:
    """The folder for downloads, shared by all projects of a user: `$XDG_CACHE_HOME/sentictl` or `~/.cache/sentictl`.

    For a user without a home it is a relative path, in which nothing is to be kept.
    """
    chosen = Path(os.environ.get("XDG_CACHE_HOME", ""))
    root = chosen if chosen.is_absolute() else without_tilde("~/.cache")  # relative ones are to be ignored
    return root / "sentictl"


def _kept_in(cache: Path) -> Path:
    """The folder for downloads, where there is one."""
    if not cache.is_absolute():
        raise DataError(
            "There is no folder to keep the download in: this user has no home.",
            "Name one by the variable XDG_CACHE_HOME, or a home by HOME.",
        )
    return cache


def _missing(name: str, path: Path) -> DataError:
    close = difflib.get_close_matches(name, (PACKAGE, IMDB), n=1)
    question = f"Did you mean {close[0]}? " if close else ""
    return DataError(f"There is no {path}.", question + ACCEPTED)
