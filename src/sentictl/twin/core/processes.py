"""Child processes of the twin: they die with it, each with its process group, and never see the user's credentials."""

import contextlib
import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from sentictl.twin.core import die_with_parent

Process = subprocess.Popen[bytes]

BUFFER = 64 << 10  # bytes of output that are read at once


class StartFailedError(Exception):
    """A model or a notebook does not come up in its process; the message is AWS's FailureReason."""


def start_child(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], *, pass_fds: Sequence[int] = ()
) -> Process:
    """Run a Python program (`[script, …]` or `["-m", module, …]`) in `folder`, with exactly that environment."""
    return subprocess.Popen(
        [sys.executable, die_with_parent.__file__, *arguments],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=pass_fds,
        start_new_session=True,
    )


def pipes(process: Process) -> tuple[IO[bytes], IO[bytes]]:
    """Return a child's stdout and stderr."""
    if process.stdout is None or process.stderr is None:
        raise ValueError("the process was not started by start_child")
    return process.stdout, process.stderr


class OutputReader(threading.Thread):
    """Hands on a child's output line by line, and ends with it.

    Args:
        pipe: the child's stdout or stderr.
        on_line: told of each line, without its end.
    """

    def __init__(self, pipe: IO[bytes], on_line: Callable[[str], None]) -> None:
        super().__init__(daemon=True)
        self._pipe = pipe
        self._on_line = on_line
        self._reading = threading.Lock()
        self.start()

    def run(self) -> None:
        """Read until the child has closed its end."""
        waiting = select.poll()
        waiting.register(self._pipe, select.POLLIN)
        piece, left = b"-", bytearray()
        with self._pipe:
            while piece:
                waiting.poll()
                with self._reading:
                    piece = os.read(self._pipe.fileno(), BUFFER)
                    left += piece
                    if b"\n" in piece or not piece:
                        left = self._hand_on(left, to_the_end=not piece)

    def holds_more(self) -> bool:
        """Tell whether something that was written is still to be read or to be handed on."""
        with self._reading, contextlib.suppress(OSError, ValueError):  # closed already
            return bool(struct.unpack("i", fcntl.ioctl(self._pipe.fileno(), termios.FIONREAD, b"\0" * 4))[0])
        return False

    def _hand_on(self, content: bytearray, *, to_the_end: bool) -> bytearray:
        """Hand on whole lines, and at the end what has none. Returns what is left."""
        *lines, left = content.split(b"\n")
        if to_the_end and left:
            lines.append(left)
        for line in lines:
            self._on_line(line.decode("utf-8", "replace").rstrip("\r"))
        return left


def terminate(process: Process, grace: float) -> None:
    """SIGTERM the child's group, SIGKILL what is left of it after `grace` seconds, and reap it."""
    _signal_group(process, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(grace)
    _signal_group(process, signal.SIGKILL)
    process.wait()
    if process.stdin:
        process.stdin.close()


def _signal_group(process: Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # gone already
        os.killpg(process.pid, number)
