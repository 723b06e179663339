"""Listening to boto3 in a process of our own: its calls are named and written down, and faults happen to them."""

import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse

from tests.sweep.calls import Call, CallNames
from tests.sweep.faults import Fault, Moment


@dataclass(frozen=True)
class Strike:
    """A fault, and the call that it is for."""

    fault: Fault
    target: Call


class Watch:
    """Follows every request of every boto3 session made from now on, by botocore's events.

    Args:
        record: the file that gets one JSON line a call, at once, so that a kill loses none.
        strike: what is to happen, if anything.
    """

    def __init__(self, record: Path, strike: Strike | None) -> None:
        self._record = record
        self._strike = strike
        self._names = CallNames()
        self._lock = threading.Lock()
        self._local = threading.local()  # a thread makes one call after the other, s3transfer's threads too
        self._met = 0  # how often the target was reached

    def install(self) -> None:
        """Take the place of `boto3.Session`."""
        watch = self

        class Session(boto3.Session):  # type: ignore[misc]  # boto3 has no types
            def __init__(self, *arguments: Any, **options: Any) -> None:
                super().__init__(*arguments, **options)
                self.events.register("before-parameter-build", watch._begin)
                self.events.register("before-send", watch._send)
                self.events.register("after-call", watch._end)

        boto3.Session = Session

    def _begin(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        with self._lock:
            call = self._names.name(model.service_model.service_name, model.name, params)
            self._met += self._is_target(call)
            self._local.call = call
            self._local.first = self._met == 1 and self._is_target(call)
            with self._record.open("a") as record:
                record.write(json.dumps({"call": str(call), "about": _about(params)}) + "\n")

    def _send(self, request: Any, **_: Any) -> AWSResponse | None:
        if self._strike is None:
            return None
        moment = self._moment(self._strike)
        self._local.first = False  # whatever comes now is another attempt
        return self._strike.fault.before(moment, request)

    def _end(self, **_: Any) -> None:
        if self._strike is not None:
            self._strike.fault.after(self._moment(self._strike))

    def _moment(self, strike: Strike) -> Moment:
        return Moment(self._local.call, strike.target, self._met > 0, self._local.first)

    def _is_target(self, call: Call) -> bool:
        return self._strike is not None and call == self._strike.target


def _about(parameters: dict[str, Any]) -> str:
    """What a call is about, for a person."""
    return " ".join(value for value in parameters.values() if isinstance(value, str) and len(value) < 100)
