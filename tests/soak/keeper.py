"""Keeps a twin alive, as systemd keeps a service: it begins again whenever it ends."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterable

from tests.soak.account import Account
from tests.soak.troubles import TWIN_KILLED
from tests.sweep import process

GOING_SECONDS = 20.0  # within which a twin and all that it began end
LOOK_SECONDS = 0.1
RECENTLY = 5.0


class Keeper:
    """The parent of a twin, and of others.

    Args:
        account: whose twin begins.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._pid = account.begin()
        self._problems: list[str] = []
        account.wait()

    def look(self) -> list[tuple[int, int]]:
        """Return the children that have ended since the last look, with their exit codes; begin a twin that ended."""
        ended: list[tuple[int, int]] = []
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return ended
            if pid != self._pid:
                ended.append((pid, os.waitstatus_to_exitcode(status)))
                continue
            now = time.monotonic()
            if TWIN_KILLED not in self._account.events.between(now - RECENTLY, now):
                self._problems.append(f"the twin ended by itself: {self._said()}")
            self._pid = self._account.begin()

    def end(self) -> list[str]:
        """End the twin. Returns what was wrong with its lives, and what is left of it."""
        os.kill(self._pid, signal.SIGTERM)
        code = process.wait(self._pid, GOING_SECONDS)
        problems = [*self._problems, *([f"the twin ends with {code}: {self._said()}"] if code else [])]
        limit = time.monotonic() + GOING_SECONDS
        while (left := self._account.processes()) and time.monotonic() < limit:
            time.sleep(LOOK_SECONDS)
        problems += [f"a process is left: {each}" for each in left]
        if (self._account.home / "run").exists():
            problems.append(f"left by the twin: {self._account.home / 'run'}")
        with socket.socket() as other:
            other.settimeout(LOOK_SECONDS)
            if other.connect_ex(("127.0.0.1", self._account.port)) == 0:
                problems.append(f"something still answers on port {self._account.port}")
        return problems

    def abandon(self, others: Iterable[int]) -> None:
        """Kill the twin and the other children, where they have not ended."""
        for pid in (*others, self._pid):
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                process.kill(pid)

    def _said(self) -> str:
        return (self._account.home / "twin.log.err").read_text()[-2000:]
