"""Archives of reviews, read in one pass and never extracted."""

import io
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from sentictl.assets.archives import ArchiveError, Counted, Limits
from sentictl.errors import DataError
from sentictl.reviews.read.folders.files import FilesSource
from sentictl.reviews.read.source import MAX_REVIEW_BYTES, file_sha256
from sentictl.reviews.read.tables.opening import opened

CHUNK_BYTES = 1024 * 1024
LIMITS = Limits(16 << 30, 5_000_000)  # fifty times the official archive's 100,000 files, and its size
ZIP_SUFFIX = ".zip"
ENCRYPTED = 1  # of the flags of a zip's member
TARS = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.bz2", ".tar.xz")


class ArchiveSource(FilesSource):
    """Reviews in a tar or zip archive.

    Args:
        path: the archive.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path.name)
        self.path = path

    def fingerprint(self) -> str:
        """The sha256 of the archive."""
        return file_sha256(self.path)

    def _contents(self) -> Iterator[tuple[str, bytes]]:
        with opened(self.path, one=False) as file:
            self.total = self.path.stat().st_size
            try:
                if self.path.suffix.lower() == ZIP_SUFFIX:
                    yield from self._zipped(file.raw)
                else:
                    yield from self._tarred(file.content, file.raw)
            except ArchiveError as error:
                raise DataError(
                    f"{self.path} is not read to its end: {error}.", "Pack the reviews alone, or split them."
                ) from error
            except tarfile.TarError as error:
                raise DataError(
                    f"{self.path} is cut short or damaged: {error}.", "Download or pack it again."
                ) from error

    def _tarred(self, content: IO[bytes], raw: IO[bytes]) -> Iterator[tuple[str, bytes]]:
        with (
            Counted(cast(io.BufferedIOBase, content), LIMITS) as counted,
            tarfile.open(fileobj=counted, mode="r|") as tar,
        ):
            count = 0
            while member := tar.next():
                tar.members.clear()  # type: ignore[attr-defined]  # it grows with the archive, and is for going back in it
                count += 1
                LIMITS.check_entries(count)
                self.done = raw.tell()
                self._check(member.name)
                if not (member.isfile() or member.isdir()):
                    self._refuse(member.name, "is neither a file nor a folder")
                review = tar.extractfile(member) if self._is_read(member.name, member.size, member.isdir()) else None
                if review:
                    yield member.name, review.read()
            while counted.read(CHUNK_BYTES):  # up to the checksum, which shows damage that tar does not see
                pass

    def _zipped(self, raw: IO[bytes]) -> Iterator[tuple[str, bytes]]:
        with zipfile.ZipFile(raw) as archive:
            LIMITS.check_entries(len(archive.infolist()))
            size = 0
            for member in archive.infolist():
                self.done = raw.tell()
                self._check(member.filename)
                if member.flag_bits & ENCRYPTED:
                    self._refuse(member.filename, "is encrypted")
                if self._is_read(member.filename, member.file_size, member.is_dir()):
                    content = archive.read(member)
                    size += len(content)
                    LIMITS.check_size(size)
                    yield member.filename, content

    def _check(self, name: str) -> None:
        if name.startswith("/") or ".." in name.split("/"):
            self._refuse(name, "escapes its folder")

    def _is_read(self, name: str, size: int, is_folder: bool) -> bool:
        """Whether a member is a review, or says something of reviews."""
        if is_folder or not self._is_review(name):
            return False
        if size > MAX_REVIEW_BYTES:
            self._refuse(name, "is too large for a review")
        return True

    def _refuse(self, name: str, reason: str) -> None:
        raise DataError(
            f"{self.path} is not safe to read: its member {name!r} {reason}.",
            "Take the archive from where it was published, or pack it anew, of files and folders alone.",
        )
