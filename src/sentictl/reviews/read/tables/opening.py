"""Opening a file as people have it: as it is, compressed, or alone in a zip archive."""

import bz2
import gzip
import io
import lzma
import shlex
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple, cast

from sentictl.errors import DataError
from sentictl.reviews.read.source import ACCEPTED, unreadable

PACKINGS = (".gz", ".zst", ".bz2", ".xz", ".zip")
DELIMITED = (".csv", ".tsv")
JSON_LINES = (".jsonl", ".ndjson")
JSON, PARQUET = ".json", ".parquet"
TABLES = (*DELIMITED, *JSON_LINES, JSON, PARQUET)
EXCEL = (".xlsx", ".xls", ".xlsm", ".ods")

GZIP, ZSTD, BZIP2, XZ, ZIP = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ\0", b"PK\x03\x04"
OLD_EXCEL = b"\xd0\xcf\x11\xe0"  # the container of all of Microsoft's older formats
WORKBOOK = "xl/workbook.xml"
CONTENT = "content.xml"  # of LibreOffice's formats
ZSTD_CHUNK = 16 * 1024


class MissingReaderError(DataError):
    """A file is of a form whose reader is not installed."""


class OpenFile(NamedTuple):
    """A file that is open.

    Attributes:
        content: its bytes, unpacked.
        raw: the file itself, of which `tell` says how much has been read.
        name: the content's own name, such as `a.csv` for `a.csv.gz`.
    """

    content: IO[bytes]
    raw: IO[bytes]
    name: str


def inner_suffix(name: str) -> str:
    """The ending of a file's name, in small letters, without that of its packing: `.csv` for `A.CSV.gz`."""
    path = PurePosixPath(name.lower())
    return PurePosixPath(path.stem).suffix if path.suffix in PACKINGS else path.suffix


@contextmanager
def opened(path: Path, *, one: bool = True) -> Iterator[OpenFile]:
    """Open a file; how it is packed is told by its content.

    Args:
        path: the file.
        one: of a zip archive, open the one table in it.

    Raises:
        DataError: it cannot be read or unpacked, is empty, or is a spreadsheet; also when that shows in the block.
    """
    if path.is_fifo():
        raise DataError(f"{path} is a pipe, and a table is read twice.", "Write it to a file first.")
    try:
        with path.open("rb") as raw:
            start = raw.peek(8)
            if not start:
                raise DataError(f"{path} is empty.", ACCEPTED)
            if start.startswith(OLD_EXCEL):
                raise spreadsheet(path)
            yield _unpacked(path, raw, start, one=one)
    except (gzip.BadGzipFile, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, NotImplementedError) as error:
        raise DataError(f"{path} is cut short or damaged: {error}.", "Download or pack it again.") from error
    except OSError as error:
        raise unreadable(path, error) from error


def spreadsheet(path: Path) -> DataError:
    """The error for a file of Excel, with the line that converts it."""
    made = path.with_suffix(".csv").name
    code = f"import pandas; pandas.read_excel({str(path)!r}).to_csv({made!r}, index=False)"
    return DataError(
        f"{path} is a spreadsheet, and tables of text are read.",
        f"Save it as CSV there, or convert it: pip install pandas openpyxl && python -c {shlex.quote(code)}",
    )


def table_members(archive: zipfile.ZipFile) -> list[str]:
    """The names of the tables in a zip archive."""
    return [name for name in archive.namelist() if inner_suffix(name) in TABLES and not is_hidden(name)]


def is_hidden(name: str) -> bool:
    """Whether a file in a folder or an archive is one that nobody put there: `.DS_Store`, `__MACOSX/…`."""
    return any((part.startswith(".") and part != "..") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def _unpacked(path: Path, raw: io.BufferedReader, start: bytes, *, one: bool) -> OpenFile:
    name = path.name
    bare = name[: -len(path.suffix)] if path.suffix.lower() in PACKINGS else name
    if start.startswith(GZIP):
        return OpenFile(cast(IO[bytes], gzip.GzipFile(fileobj=raw)), raw, bare)
    if start.startswith(BZIP2):
        return OpenFile(bz2.BZ2File(raw), raw, bare)
    if start.startswith(XZ):
        return OpenFile(lzma.LZMAFile(raw), raw, bare)
    if start.startswith(ZSTD):
        return OpenFile(io.BufferedReader(_Zstd(path, raw)), raw, bare)
    if start.startswith(ZIP) and one:
        return _member(path, raw)
    return OpenFile(raw, raw, bare)


class _Zstd(io.RawIOBase):
    """What is packed by Zstandard, in one frame or in several; its errors are those of `zlib`."""

    def __init__(self, path: Path, raw: IO[bytes]) -> None:
        try:
            import zstandard
        except ImportError:
            hint = "Get what unpacks it: pip install 'sentictl[zstd]'"
            raise MissingReaderError(f"{path} is packed by Zstandard.", hint) from None
        self._library = zstandard
        self._raw = raw
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._begun = False
        self._waiting = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._waiting and self._unpack_more():
            pass
        content, self._waiting = self._waiting[: len(buffer)], self._waiting[len(buffer) :]
        buffer[: len(content)] = content
        return len(content)

    def _unpack_more(self) -> bool:
        packed = b""
        if self._frame.eof:
            packed = self._frame.unused_data
            self._frame, self._begun = self._library.ZstdDecompressor().decompressobj(), False
        packed = packed or self._raw.read(ZSTD_CHUNK)
        if not packed and self._begun:
            raise EOFError("it ends within a frame")
        self._begun = self._begun or bool(packed)
        try:
            self._waiting = self._frame.decompress(packed) if packed else b""
        except self._library.ZstdError as error:
            raise zlib.error(str(error)) from error
        return bool(packed)


def _member(path: Path, raw: IO[bytes]) -> OpenFile:
    archive = zipfile.ZipFile(raw)
    if {WORKBOOK, CONTENT} & set(archive.namelist()):
        raise spreadsheet(path)
    members = table_members(archive)
    if len(members) != 1:
        there = ", ".join(members[:10]) or "none"
        raise DataError(
            f"{path} holds {len(members)} tables, not one: {there}.",
            f"Unpack it (unzip {shlex.quote(str(path))}), and name one of its files.",
        )
    try:
        return OpenFile(archive.open(members[0]), raw, PurePosixPath(members[0]).name)
    except RuntimeError as error:
        raise DataError(f"{path} is encrypted: {error}.", "Pack it again, without a password.") from error
