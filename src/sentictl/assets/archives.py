"""Archives: packed byte for byte the same for the same files, whoever packs them and when; unpacked within limits."""

import gzip
import io
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a ZIP archive can hold
CHUNK_BYTES = 1 << 20
# What Python's modules raise at archives that are damaged, encrypted, or packed in ways that they do not know.
DAMAGE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError)
# tarfile's own guard: no links that lead out of the folder, no devices, no odd modes. Python has it from 3.11.4 on.
# Debian 12's own is older, and there nothing but files and folders is unpacked.
FILTER: Mapping[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}


class ArchiveError(Exception):
    """An archive is damaged, leads out of its folder, or is larger than its limits; the message says which."""


@dataclass(frozen=True)
class Limits:
    """How much an archive may hold, so that a small one does not fill the disk.

    Args:
        size: of all its files together, in bytes.
        entries: how many files and folders.
    """

    size: int
    entries: int

    def check_entries(self, count: int) -> None:
        """Check how many entries there are.

        Raises:
            ArchiveError: too many.
        """
        if count > self.entries:
            raise ArchiveError(f"it holds more than {self.entries:,} files and folders")

    def check_size(self, size: int) -> None:
        """Check how many bytes have come out so far.

        Raises:
            ArchiveError: too many.
        """
        if size > self.size:
            raise ArchiveError(f"unpacked it is larger than {self.size >> 20:,} MiB")


ARTIFACTS = Limits(4 << 30, 100_000)  # model artifacts and source archives: hundreds of times what sentictl's own hold


class Counted(io.RawIOBase):
    """A stream that ends in an error where it gives more than an archive may hold."""

    def __init__(self, stream: io.BufferedIOBase, limits: Limits) -> None:
        self._stream = stream
        self._limits = limits
        self._size = 0

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, all of them where `size` is negative.

        Raises:
            ArchiveError: with them it is too much.
        """
        content = self._stream.read(size)
        self._size += len(content)
        self._limits.check_size(self._size)
        return content


def unpack_tar_gz(stream: IO[bytes], folder: Path, limits: Limits = ARTIFACTS) -> None:
    """Unpack a gzipped tar archive; links and paths that lead out of the folder are refused.

    Raises:
        ArchiveError: it cannot be unpacked, or not within the limits.
    """
    try:
        with gzip.open(stream) as unzipped:
            counted = Counted(unzipped, limits)
            with tarfile.open(fileobj=counted, mode="r|") as archive:
                for count, member in enumerate(archive, start=1):
                    limits.check_entries(count)
                    if not FILTER:
                        _check_plain(member, folder)
                    archive.extract(member, folder, **FILTER)
            while counted.read(CHUNK_BYTES):  # up to the checksum, which shows damage that tar does not see
                pass
    except DAMAGE as problem:
        raise ArchiveError(str(problem)) from problem


def _check_plain(member: tarfile.TarInfo, folder: Path) -> None:
    if not (member.isfile() or member.isdir()):
        raise ArchiveError(f"{member.name!r} is neither a file nor a folder")
    _inside(folder, member.name)
    member.mode = 0o755 if member.isdir() else 0o644
    member.uid = member.gid = os.getuid() if hasattr(os, "getuid") else 0


def unpack_zip(content: bytes, folder: Path, limits: Limits) -> None:
    """Unpack a ZIP archive; paths that lead out of the folder are refused. Sizes are counted, and not read in headers.

    Raises:
        ArchiveError: it cannot be unpacked, or not within the limits.
    """
    size = 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            limits.check_entries(len(archive.infolist()))
            for member in archive.infolist():
                path = _inside(folder, member.filename)
                if member.is_dir():
                    path.mkdir(parents=True, exist_ok=True)
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as packed, path.open("wb") as file:
                    while chunk := packed.read(CHUNK_BYTES):
                        size += len(chunk)
                        limits.check_size(size)
                        file.write(chunk)
    except DAMAGE as problem:
        raise ArchiveError(str(problem)) from problem


def _inside(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ArchiveError(f"{name!r} leads out of its folder")
    return path


def tar_gz(files: Mapping[str, bytes]) -> bytes:
    """A gzipped tar archive of files, by their path inside it: sorted, without dates or owners."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as stream, tarfile.open(fileobj=stream, mode="w") as archive:
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size = len(files[name])
            archive.addfile(member, io.BytesIO(files[name]))
    return packed.getvalue()


def zip_stored(files: Mapping[str, bytes]) -> bytes:
    """A ZIP archive of files, by their path inside it: sorted, one date, not compressed (compressors differ)."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, EPOCH)
            member.external_attr = 0o644 << 16  # readable for the Lambda runtime's user
            archive.writestr(member, files[name])
    return packed.getvalue()
