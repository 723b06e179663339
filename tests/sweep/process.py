"""Forks of this process that run something of their own: everything heavy is imported once, before."""

import contextlib
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

BROKEN = 99  # the exit code of a child that raised something


def fork(work: Callable[[], object], log: Path) -> int:
    """Begin a child that does `work` in place of what this process would go on with.

    Args:
        work: may end with SystemExit, as programs do.
        log: the file that gets its stdout; its stderr goes to `<log>.err`.

    Returns:
        Its process id.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _become(work, log)
    return pid


def wait(pid: int, seconds: float) -> int | None:
    """Wait for a child.

    Returns:
        Its exit code, negative for the signal that ended it; None if it had to be killed after so many seconds.
    """
    descriptor = os.pidfd_open(pid)
    try:
        ended, _, _ = select.select([descriptor], [], [], seconds)
    finally:
        os.close(descriptor)
    if not ended:
        kill(pid)
        return None
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def kill(pid: int) -> None:
    """End a child whatever it does, and wait until it has ended."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def set_environment(**variables: str) -> None:
    """Leave nothing of AWS and sentictl in the environment but these variables."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "MOTO_", "SENTICTL_"))]:
        del os.environ[name]
    os.environ.update(variables)


def _become(work: Callable[[], object], log: Path) -> NoReturn:
    """Never returns into the caller's stack, whose clean-up is the parent's business."""
    code = BROKEN
    try:
        _redirect(log)
        work()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  this is the end of a process
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _redirect(log: Path) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for descriptor, source in (
        (0, os.open(os.devnull, os.O_RDONLY)),
        (1, os.open(log, flags, 0o600)),
        (2, os.open(f"{log}.err", flags, 0o600)),
    ):
        os.dup2(source, descriptor)
        os.close(source)
