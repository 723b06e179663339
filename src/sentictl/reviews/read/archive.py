"""The official archive, read in one pass and never extracted."""

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from sentictl.assets.archives import ArchiveError, Counted, Limits
from sentictl.errors import DataError
from sentictl.reviews.read import layout
from sentictl.reviews.read.source import MAX_REVIEW_BYTES, file_sha256, unreadable

CHUNK_BYTES = 1024 * 1024
LIMITS = Limits(16 << 30, 5_000_000)  # fifty times the official archive's 100,000 files, and its size


class ArchiveSource(layout.LayoutSource):
    """Reviews in a `.tar.gz` of the official layout; members outside the layout are passed over.

    Args:
        path: the archive.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path.name)
        self.path = path

    def fingerprint(self) -> str:
        """The sha256 of the archive."""
        return file_sha256(self.path)

    def _files(self) -> Iterator[tuple[layout.Place, bytes]]:
        try:
            file = self.path.open("rb")
        except OSError as error:
            raise unreadable(self.path, error) from error
        with file:
            self.total = self.path.stat().st_size
            try:
                yield from self._members(file)
            except ArchiveError as error:
                raise DataError(
                    f"{self.path} is not read to its end: {error}.", "Pack the reviews alone, or split them."
                ) from error
            except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
                raise DataError(
                    f"{self.path} is cut short or damaged: {error}.", "Download or pack it again."
                ) from error

    def _members(self, file: BinaryIO) -> Iterator[tuple[layout.Place, bytes]]:
        with (
            gzip.open(file) as unzipped,
            Counted(unzipped, LIMITS) as counted,
            tarfile.open(fileobj=counted, mode="r|") as tar,
        ):
            for count, member in enumerate(tar, start=1):
                LIMITS.check_entries(count)
                self.done = file.tell()
                at = layout.place(member.name)
                self._check(member, at)
                content = tar.extractfile(member) if at else None
                if at and content:
                    yield at, content.read()
            while counted.read(CHUNK_BYTES):  # up to the checksum, which shows damage that tar does not see
                pass

    def _check(self, member: tarfile.TarInfo, at: layout.Place | None) -> None:
        if member.name.startswith("/") or ".." in member.name.split("/"):
            self._refuse(member, "escapes its folder")
        if not (member.isfile() or member.isdir()):
            self._refuse(member, "is neither a file nor a folder")
        if at and member.size > MAX_REVIEW_BYTES:
            self._refuse(member, "is too large for a review")

    def _refuse(self, member: tarfile.TarInfo, reason: str) -> None:
        raise DataError(
            f"{self.path} is not safe to read: its member {member.name!r} {reason}.",
            "Take the archive from where it was published, or pack it anew, of files and folders alone.",
        )
