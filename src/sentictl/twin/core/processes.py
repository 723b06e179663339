"""Child processes of the twin: they die with it, each with its process group, and never see the user's credentials."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from sentictl.twin.core import die_with_parent

Process = subprocess.Popen[bytes]


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


def pump(stream: IO[bytes], on_line: Callable[[str], None]) -> threading.Thread:
    """Hand on a child's output line by line, in a thread that ends with the output."""

    def read() -> None:
        with stream:
            for line in stream:
                on_line(line.decode("utf-8", "replace").rstrip("\r\n"))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


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
