"""What happens to all projects of a soak at once, and when: whoever is met by it may fail for a moment."""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Event:
    """Something that happened.

    Args:
        what: one of the troubles.
        began: when, by the monotonic clock.
        ended: infinite while it lasts.
    """

    what: str
    began: float
    ended: float

    def overlaps(self, began: float, ended: float) -> bool:
        """Whether it happened, in part at least, between two times."""
        return self.began < ended and began < self.ended


@dataclass(frozen=True)
class Events:
    """A file to which all processes of a soak add lines."""

    file: Path

    @contextlib.contextmanager
    def lasting(self, what: str) -> Iterator[None]:
        """Note that it happens within the `with`."""
        began = time.monotonic()
        self._add({"what": what, "began": began})
        try:
            yield
        finally:
            self._add({"what": what, "began": began, "ended": time.monotonic()})

    def all(self) -> list[Event]:
        """Those so far."""
        found: dict[tuple[str, float], float] = {}
        for line in self.file.read_text().splitlines() if self.file.exists() else ():
            told = json.loads(line)
            found[told["what"], told["began"]] = told.get("ended", float("inf"))
        return [Event(what, began, ended) for (what, began), ended in found.items()]

    def between(self, began: float, ended: float) -> list[str]:
        """What happened between two times."""
        return [event.what for event in self.all() if event.overlaps(began, ended)]

    def _add(self, told: dict[str, object]) -> None:
        descriptor = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, json.dumps(told).encode() + b"\n")
        finally:
            os.close(descriptor)
