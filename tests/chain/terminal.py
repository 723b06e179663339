"""sentictl on a terminal of a given width: what it writes there, and what a person sees of it."""

import fcntl
import os
import pty
import select
import struct
import termios
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pyte

from tests.chain.shell import SENTICTL, Shell, environment
from tests.prepared import popen as prepared

ROWS = 50
SILENT_SECONDS = 60
CTRL_C = b"\x03"
UNBOUNDED = 500  # columns of a screen on which no line is broken


@dataclass
class Recording:
    """What a program wrote to its terminal.

    Attributes:
        columns: of the terminal.
        pieces: what was written, as it was read.
        times: when each was, in seconds on the monotonic clock.
        code: what it exited with.
    """

    columns: int
    pieces: list[bytes] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    code: int = -1

    @property
    def written(self) -> str:
        return b"".join(self.pieces).decode(errors="replace")  # the last piece may end inside a character

    def moments(self) -> Iterator[list[str]]:
        """What stood on the terminal after each piece."""
        screen = pyte.Screen(self.columns, ROWS)
        stream = pyte.ByteStream(screen)
        for piece in self.pieces:
            stream.feed(piece)
            yield [line.rstrip() for line in screen.display]

    def lines(self) -> list[str]:
        """The lines that were left, each whole: as on a terminal on which none is too long."""
        screen = pyte.Screen(UNBOUNDED, 2 * ROWS)
        pyte.ByteStream(screen).feed(b"".join(self.pieces))
        return "\n".join(line.rstrip() for line in screen.display).rstrip().split("\n")

    def text(self) -> str:
        """All lines as one, with single spaces."""
        return " ".join(" ".join(self.lines()).split())


def on_terminal(
    shell: Shell,
    *arguments: str,
    columns: int = 80,
    typing: Mapping[str, bytes] | None = None,
    variables: Mapping[str, str] | None = None,
) -> Recording:
    """Run sentictl on a terminal.

    Args:
        shell: where.
        arguments: of sentictl.
        columns: of the terminal.
        typing: what is typed, once, as soon as some words were written; CTRL_C is Ctrl-C.
        variables: of the environment, beside the shell's.
    """
    given = environment() | {"TERM": "xterm-256color"} | dict(shell.variables) | dict(variables or {})
    for name in ("CI", "COLUMNS", "LINES", *({"NO_COLOR"} - set(variables or {}))):
        given.pop(name, None)
    terminal, theirs = pty.openpty()
    _resize(theirs, columns)
    process = prepared.Popen(
        [SENTICTL, *arguments],
        cwd=shell.folder,
        env=given,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        terminal=True,
    )
    os.close(theirs)
    recording, pending = Recording(columns), dict(typing or {})
    for piece in _pieces(terminal):
        recording.pieces.append(piece)
        recording.times.append(time.monotonic())
        for words in [words for words in pending if words in recording.written]:
            os.write(terminal, pending.pop(words))
    os.close(terminal)
    recording.code = process.wait()
    return recording


def _resize(terminal: int, columns: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))


def _pieces(terminal: int) -> Iterator[bytes]:
    while True:
        ready, _, _ = select.select([terminal], [], [], SILENT_SECONDS)
        assert ready, "the program writes nothing and does not end: it may be waiting for an answer"
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # the program has ended
            return
        if not piece:
            return
        yield piece
