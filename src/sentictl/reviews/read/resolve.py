"""From the setting `data.source` to the source of reviews that it means."""

import difflib
import os
from pathlib import Path

from sentictl.config.paths import without_tilde
from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.read.archive import ArchiveSource
from sentictl.reviews.read.download import RemoteFile, download
from sentictl.reviews.read.folder import FolderSource
from sentictl.reviews.read.package import PACKAGE, PackageSource
from sentictl.reviews.read.source import ACCEPTED, ReportProgress, Source
from sentictl.reviews.read.table import TABLE_SUFFIXES, TableSource

IMDB = "imdb"
IMDB_ARCHIVE = RemoteFile(
    "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz", "7c2ac02c03563afcf9b574c7e56c153a"
)
ARCHIVE_SUFFIXES = (".tar.gz", ".tgz")


def open_source(
    settings: DataSettings, base: Path, cache: Path, report: ReportProgress, imdb: RemoteFile = IMDB_ARCHIVE
) -> Source:
    """The source of labelled reviews that the settings name.

    Args:
        settings: `source` says which; the columns and label values hold for a CSV or JSON-lines file.
        base: what a relative path is relative to.
        cache: the folder that downloads are kept in, shared by all projects; an absolute path.
        report: told how far a download has come.
        imdb: the archive that `imdb` stands for.

    Raises:
        DataError: there is no such source, it is of no known form, or it cannot be downloaded.
    """
    if settings.source == PACKAGE:
        return PackageSource()
    if settings.source == IMDB:
        if not cache.is_absolute():
            raise DataError(
                "There is no folder to keep the download in: this user has no home.",
                "Name one by the variable XDG_CACHE_HOME, or a home by HOME.",
            )
        return ArchiveSource(download(imdb, cache, report))
    path = base / without_tilde(settings.source)
    if path.is_dir():
        return FolderSource(path)
    if not path.exists():
        raise _missing(settings.source, path)
    if path.name.lower().endswith(ARCHIVE_SUFFIXES):
        return ArchiveSource(path)
    if path.suffix.lower() in TABLE_SUFFIXES:
        return TableSource(path, settings)
    raise DataError(f"{path} is not of a known form: its name ends in {path.suffix or 'nothing'!r}.", ACCEPTED)


def user_cache() -> Path:
    """The folder for downloads, shared by all projects of a user: `$XDG_CACHE_HOME/sentictl` or `~/.cache/sentictl`.

    For a user without a home it is a relative path, in which nothing is to be kept.
    """
    chosen = Path(os.environ.get("XDG_CACHE_HOME", ""))
    root = chosen if chosen.is_absolute() else without_tilde("~/.cache")  # relative ones are to be ignored
    return root / "sentictl"


def _missing(name: str, path: Path) -> DataError:
    close = difflib.get_close_matches(name, (PACKAGE, IMDB), n=1)
    question = f"Did you mean {close[0]}? " if close else ""
    return DataError(f"There is no {path}.", question + ACCEPTED)
