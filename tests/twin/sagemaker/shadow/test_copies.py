"""Copies for a shadow that is slow, or fails: nobody waits for it."""

import threading

from sentictl.twin.core.messages import Request, Response
from sentictl.twin.sagemaker.shadow.captures import Captures
from sentictl.twin.sagemaker.shadow.copies import MOST_WAITING, Answered, Copies, logger
from tests.twin.conftest import wait_for

REQUEST = Request.make("POST", "/endpoints/films/invocations", body=b"good")
ANSWERED = Answered(REQUEST, "AllTraffic", 200, Response(b"one"))


class Shadow:
    """A shadow that answers when it may."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.asked = 0

    def ask(self, _request: Request) -> tuple[int, Response]:
        self.asked += 1
        self.may.wait()
        return 200, Response(b"two")


def copies(shadow: Shadow, said: list[str]) -> Copies:
    captures = Captures({}, "films", None, said.append)  # type: ignore[arg-type]  # nothing is captured
    return Copies(captures, said.append, "Shadow", shadow.ask)


def test_what_a_slow_shadow_cannot_follow_is_dropped_and_counted() -> None:
    shadow, said = Shadow(), list[str]()
    taking = copies(shadow, said)
    taking.take(ANSWERED)
    wait_for(lambda: shadow.asked == 1)
    for _ in range(MOST_WAITING + 7):
        taking.take(ANSWERED)
    shadow.may.set()
    taking.stop(drain=True)
    assert shadow.asked == MOST_WAITING + 1
    assert said == [f"7 requests were not copied: more than {MOST_WAITING} waited"]


def test_a_copy_that_fails_ends_no_others() -> None:
    asked: list[Request] = []

    def ask(request: Request) -> tuple[int, Response]:
        asked.append(request)
        raise RuntimeError("cannot predict")

    captures = Captures({}, "films", None, print)  # type: ignore[arg-type]  # nothing is captured
    taking = Copies(captures, print, "Shadow", ask)
    logger.disabled = True  # it tells of it
    taking.take(ANSWERED)
    taking.take(ANSWERED)
    taking.stop(drain=True)
    logger.disabled = False
    assert len(asked) == 2
