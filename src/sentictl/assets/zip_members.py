"""ZIP archives of files as other archives have them packed: no compressor runs, so the bytes are always the same."""

import struct
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from zlib import crc32

from sentictl.assets.archives import DAMAGE, ArchiveError

# The records of https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.7, 4.3.12 and 4.3.16.
LOCAL = struct.Struct("<4s5H3I2H")
CENTRAL = struct.Struct("<4s6H3I5H2I")
END = struct.Struct("<4s4H2IH")
VERSION = 20  # of the format: what a file that is deflated needs
UNIX = 3 << 8  # the system whose permissions a file has
READABLE = 0o100644 << 16  # for the Lambda runtime's user
UTF8 = 0x800  # the flag of names in UTF-8
TIME, DATE = 0, 1 << 5 | 1  # midnight of 1 January 1980
MOST_FILES = 0xFFFF


@dataclass(frozen=True)
class Member:
    """A file in a ZIP archive.

    Args:
        name: its path in the archive.
        method: how it is packed: `zipfile.ZIP_STORED` or `zipfile.ZIP_DEFLATED`.
        checksum: the CRC-32 of its content.
        size: of its content, in bytes.
        packed: the content as it is packed.
    """

    name: str
    method: int
    checksum: int
    size: int
    packed: bytes

    @classmethod
    def stored(cls, name: str, content: bytes) -> "Member":
        """Return a file that is not compressed."""
        return cls(name, zipfile.ZIP_STORED, crc32(content), len(content), content)


def members_of(archive: Path) -> Iterator[Member]:
    """Yield the files in a ZIP archive as they are packed in it.

    Raises:
        ArchiveError: it is damaged, or packed in a way that not every reader knows.
    """
    try:
        with zipfile.ZipFile(archive) as opened, archive.open("rb") as stream:
            for entry in opened.infolist():
                if entry.is_dir():
                    continue
                if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or entry.flag_bits & 1:
                    raise ArchiveError(f"{entry.filename!r} is encrypted, or packed in an unusual way")
                stream.seek(entry.header_offset)
                *_, name_length, extra_length = LOCAL.unpack(stream.read(LOCAL.size))
                stream.seek(name_length + extra_length, 1)
                packed = stream.read(entry.compress_size)
                yield Member(entry.filename, entry.compress_type, entry.CRC, entry.file_size, packed)
    except DAMAGE as problem:
        raise ArchiveError(str(problem)) from problem


def zip_members(members: Iterable[Member]) -> bytes:
    """Return a ZIP archive of files, sorted, each once, all with one date and readable for everybody.

    Raises:
        ArchiveError: there are too many, or two of one name.
    """
    ordered = sorted(members, key=lambda member: member.name)
    twice = next((one.name for one, other in pairwise(ordered) if one.name == other.name), None)
    if twice is not None or len(ordered) > MOST_FILES:
        raise ArchiveError(f"it has two files {twice!r}" if twice else f"it has more than {MOST_FILES:,} files")
    files, directory, place = [], [], 0
    for member in ordered:
        header, entry = _headers(member, place)
        files += [header, member.packed]
        directory.append(entry)
        place += len(header) + len(member.packed)
    listed = b"".join(directory)
    end = END.pack(b"PK\5\6", 0, 0, len(ordered), len(ordered), len(listed), place, 0)
    return b"".join([*files, listed, end])


def _headers(member: Member, place: int) -> tuple[bytes, bytes]:
    """Return a file's header and its entry in the archive's directory."""
    name = member.name.encode()
    facts = (UTF8, member.method, TIME, DATE, member.checksum, len(member.packed), member.size, len(name), 0)
    header = LOCAL.pack(b"PK\3\4", VERSION, *facts) + name
    entry = CENTRAL.pack(b"PK\1\2", UNIX | VERSION, VERSION, *facts, 0, 0, 0, READABLE, place) + name
    return header, entry
