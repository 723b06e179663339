"""Copies of the requests that an endpoint has answered: captured, and asked again of its shadow, in the background."""

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from sentictl.twin.core.messages import Request, Response
from sentictl.twin.sagemaker.shadow.captures import Captures, Event

logger = logging.getLogger("sentictl.twin")

MOST_WAITING = 200  # copies, each with a body of some megabytes at most; those that come then are dropped
IDLE_SECONDS = 0.2  # without a request, after which what was captured is written
LAST_SECONDS = 10.0  # that the copies that wait have when the endpoint lets go of them

Ask = Callable[[Request], tuple[int, Response]]


@dataclass(frozen=True)
class Answered:
    """A request, and what a variant answered: an HTTP status, and the answer as InvokeEndpoint gave it."""

    request: Request
    variant: str
    status: int
    response: Response


class Copies:
    """One thread that takes copies as they come. Whoever asks the endpoint never waits for it.

    Args:
        captures: what is answered is kept in.
        tell: writes a line to the endpoint's log.
        shadow: the shadow variant's name.
        ask: asks the shadow; None where there is none.
    """

    def __init__(
        self, captures: Captures, tell: Callable[[str], None], shadow: str = "", ask: Ask | None = None
    ) -> None:
        self._captures = captures
        self._tell = tell
        self._shadow = shadow
        self._ask = ask
        self._waiting: queue.Queue[Answered] = queue.Queue(MOST_WAITING)
        self._dropped = 0
        self._over = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def take(self, answered: Answered) -> None:
        """Take a copy, or drop it where too many wait, or the endpoint lets go of them."""
        if self._over.is_set():
            return
        try:
            self._waiting.put_nowait(answered)
        except queue.Full:
            self._dropped += 1

    def stop(self, *, drain: bool) -> None:
        """Take no more copies, finish those that wait if `drain`, and write nothing from then on."""
        self._over.set()
        if drain:
            self._thread.join(LAST_SECONDS)
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                answered = self._waiting.get(timeout=IDLE_SECONDS)
            except queue.Empty:
                over = self._over.is_set()
                self._pause()
                if over:
                    return
            else:
                self._handle(answered)

    def _pause(self) -> None:
        dropped, self._dropped = self._dropped, 0
        if dropped:
            self._tell(f"{dropped} requests were not copied: more than {MOST_WAITING} waited")
        if self._stopped.is_set():
            return
        try:
            self._captures.flush()
        except Exception:  # the next ones are captured all the same
            logger.exception("captures were not written")

    def _handle(self, answered: Answered) -> None:
        try:
            self._copy(answered)
        except Exception:  # the caller has the answer, and others' copies follow
            logger.exception("a request to variant %s was not copied", answered.variant)

    def _copy(self, answered: Answered) -> None:
        event, captured = Event.of(answered.request), self._captures.chooses()
        if captured and answered.status == HTTPStatus.OK:
            self._captures.add(answered.variant, event, answered.response)
        if self._ask is None:
            return
        status, response = self._ask(answered.request)
        if captured and status == HTTPStatus.OK:
            self._captures.add(self._shadow, event, response)
