"""The lines of a stream as they come, without waiting for more where some are there."""

import queue
import threading
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from sentictl.errors import DataError
from sentictl.reviews.read.source import lines_or_problems

AHEAD = 2048  # lines read before they are asked for


def lines_as_they_come(stream: BinaryIO, most: int) -> Iterator[list[str | DataError]]:
    """The lines of a stream, without their ends: at each step those that are there, at most `most`.

    When there are no more for now, a step is an empty list, and the one after it waits. Invalid UTF-8 becomes U+FFFD.
    In the place of a line that is too long stands an error.

    Raises:
        DataError: the stream cannot be read, or a line of it has no end.
    """
    lines: queue.Queue[bytes | DataError | _End] = queue.Queue(AHEAD)
    threading.Thread(target=_read_into, args=(lines, stream), daemon=True).start()
    last: bytes | DataError | _End = b""
    while not isinstance(last, _End):
        taken = [lines.get()]
        while len(taken) < most and not lines.empty():
            taken.append(lines.get())
        last = taken[-1]
        decoded = [_text(line) for line in taken if not isinstance(line, _End)]
        if decoded:
            yield decoded
        if not isinstance(last, _End) and lines.empty():
            yield []
    if last.problem:
        yield []
        raise last.problem


def _text(line: bytes | DataError) -> str | DataError:
    return line if isinstance(line, DataError) else line.decode(errors="replace").rstrip("\r\n")


class _End(NamedTuple):
    """Comes after the last line: why no more could be read, if not for the end of the stream."""

    problem: DataError | None


def _read_into(lines: "queue.Queue[bytes | DataError | _End]", stream: BinaryIO) -> None:
    problem = None
    try:
        for line in lines_or_problems(stream, "stdin"):
            lines.put(line)
    except DataError as endless:
        problem = endless
    except OSError as error:
        problem = DataError(f"stdin cannot be read: {error.strerror or error}.", "Pipe reviews into it, one a line.")
    lines.put(_End(problem))
