"""The program's three streams: there whatever it was started with, and clear about what cannot be written."""

import errno
import io
import os
import sys
from typing import Any

from sentictl.errors import StreamError


class ReaderGoneError(Exception):
    """Nobody reads stdout any more, as with `| head`. No `OSError`: libraries have their own ways to end at that."""


def open_streams(errors: str) -> None:
    """Put streams of ours in the place of Python's; to be called before anything is opened or written.

    A stream that is closed gets its number back: the next file to be opened would have it else, and what is written to
    the stream would land in that file. What is said on a stderr that is closed or full is lost, and the command goes
    on. An answer that is lost on stdout is an error: `StreamError`, or `ReaderGoneError`.

    Args:
        errors: how characters are written that a stream cannot take: the name of a codec error handler.
    """
    _reopen(0, os.O_RDONLY)
    _reopen(1, os.O_RDONLY)  # so that writing to it fails
    _reopen(2, os.O_WRONLY)
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), encoding="utf-8")
    sys.stdout = _text(_Answers(1, "w", closefd=False), sys.stdout, errors)
    sys.stderr = _text(_Remarks(2, "w", closefd=False), sys.stderr, errors, eager=True)


def abandon_stdout() -> None:
    """Let what stdout holds back go nowhere: Python would try to write it once more at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


class _Answers(io.FileIO):
    """The bytes of stdout."""

    def write(self, content: Any, /) -> int:
        try:
            return super().write(content)
        except BrokenPipeError:
            raise ReaderGoneError from None
        except OSError as problem:
            reason = "it is closed" if problem.errno == errno.EBADF else problem.strerror
            raise StreamError(
                f"The answer cannot be written to stdout: {reason}.",
                "Make room where it goes, or send it elsewhere; then run the same command again.",
            ) from None


class _Remarks(io.FileIO):
    """The bytes of stderr."""

    def write(self, content: Any, /) -> int:
        try:
            return super().write(content)
        except OSError:
            return len(content)


def _reopen(number: int, flags: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        opened = os.open(os.devnull, flags)  # gets the lowest number that is free: this one
        os.set_inheritable(opened, True)


def _text(raw: io.FileIO, before: Any, errors: str, *, eager: bool = False) -> io.TextIOWrapper:
    """A stream of text, with the encoding of the one before it; an eager one is written line by line."""
    encoding = before.encoding if before is not None else "utf-8"
    eager = eager or raw.isatty()
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding, errors=errors, line_buffering=eager)
