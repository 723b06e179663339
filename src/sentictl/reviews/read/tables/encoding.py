"""The encoding of a text file, decided by all of its bytes."""

import codecs
from collections.abc import Iterable
from typing import NamedTuple

MARKS = (  # the longer ones first, as UTF-32's begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
UTF8 = ("utf-8", "utf-8-sig")
WINDOWS = "cp1252"
NAMES = {WINDOWS: "Windows-1252", "latin-1": "Latin-1"}
BEGINNING = 4096  # bytes, by which UTF-16 is told
ZEROS = 3  # of one side of its pairs of bytes are zero, and a tenth: those of ASCII letters, or of blanks at least
ONE_SCRIPT = 0.6  # of that side are one byte, which says of which script a letter is
LATIN1_FOR_THE_REST = "sentictl-latin1"


class Encoding(NamedTuple):
    """How a file's bytes become text.

    Attributes:
        name: the codec, as Python calls it.
        errors: its error handler.
        damage: how many bytes of a file in UTF-8 are none.
    """

    name: str
    errors: str = "strict"
    damage: int = 0

    @property
    def spoken(self) -> str:
        """What a person calls it."""
        return NAMES.get(self.name, self.name.upper())


def detect(chunks: Iterable[bytes], chosen: str = "") -> Encoding:
    """Return the encoding of a file.

    That is what its byte-order mark says; else UTF-16 where one byte of each two is often zero; else UTF-8 where it
    has no more bytes that are not UTF-8 than it has characters of several bytes; else Windows-1252.

    Args:
        chunks: the file's content, in order.
        chosen: an encoding that a person chose.

    Raises:
        LookupError: there is no encoding of that name.
    """
    remaining = iter(chunks)
    first = next(remaining, b"")
    name = codecs.lookup(chosen).name if chosen else _at_a_glance(first)
    if name in UTF8 or not name:
        valid, invalid = _count([first], remaining)
        if name or valid >= invalid:
            return Encoding("utf-8-sig", "surrogateescape", invalid)
        name = WINDOWS
    return Encoding({"iso8859-1": "latin-1"}.get(name, name), LATIN1_FOR_THE_REST if name == WINDOWS else "strict")


def _at_a_glance(start: bytes) -> str:
    for mark, name in MARKS:
        if start.startswith(mark):
            return name
    even, odd = start[:BEGINNING:2], start[1:BEGINNING:2]
    few, many = sorted((even, odd), key=lambda side: side.count(0))
    is_wide = many.count(0) >= max(ZEROS, len(many) / 10) and few.count(0) <= many.count(0) / 10
    if not is_wide or max(map(many.count, set(many))) < ONE_SCRIPT * len(many):
        return ""
    return "utf-16-le" if many is odd else "utf-16-be"


def _count(*parts: Iterable[bytes]) -> tuple[int, int]:
    """How many characters of several bytes there are, and how many bytes that are not UTF-8."""
    valid = invalid = 0
    rest = b""
    for part in parts:
        for chunk in part:
            text, rest = _split(rest + chunk)
            if text.isascii():
                continue
            good = text.decode("utf-8", "ignore")
            valid += len(good) - len(good.encode("ascii", "ignore"))
            invalid += len(text) - len(good.encode())
    return valid, invalid + len(rest)


def _split(content: bytes) -> tuple[bytes, bytes]:
    """The content up to its last whole character, and the beginning of one that is cut at its end."""
    _, used = codecs.utf_8_decode(content, "ignore", False)
    return content[:used], content[used:]


def _as_latin1(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error(LATIN1_FOR_THE_REST, _as_latin1)
