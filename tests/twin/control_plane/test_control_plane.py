"""The control plane's handlers, and the times of its calls."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sentictl.twin.control_plane.control_plane import Call, ControlPlane, Handlers
from sentictl.twin.control_plane.journal import Journal
from sentictl.twin.control_plane.weather import Weather
from sentictl.twin.core.messages import Request, Response, authorization


def test_an_operation_has_one_handler_of_a_kind() -> None:
    handlers: Handlers[str] = Handlers()
    handlers["s3", "PutObject"] = "one"
    handlers["s3", "GetObject"] = "another"
    with pytest.raises(ValueError, match="s3:PutObject has a handler already"):
        handlers["s3", "PutObject"] = "a third"
    assert handlers == {("s3", "PutObject"): "one", ("s3", "GetObject"): "another"}


class Models:
    """Models in a control plane of their own, which is begun again as often as one likes, and when each was made."""

    def __init__(self, folder: Path, clock: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._clock = clock
        self._begin()

    def begin_again(self) -> None:
        """Begin the control plane anew, from its journal without what is gone."""
        self._journal.close()
        self._begin()

    def create(self, name: str, when: float) -> None:
        """Create a model at a time of this machine's clock, in seconds since the epoch."""
        self._call("CreateModel", name, when)

    def delete(self, name: str, when: float) -> None:
        self._call("DeleteModel", name, when)

    def close(self) -> None:
        self._journal.close()

    def _begin(self) -> None:
        self.made: dict[str, float] = {}
        self._journal = Journal(self._folder)
        self._control = ControlPlane(self._journal, Weather(self._folder / "weather"))
        self._control.in_order.add(("sagemaker", "CreateModel"))
        for operation, handler in (("CreateModel", self._created), ("DeleteModel", self._deleted)):
            self._control.instead["sagemaker", operation] = handler
        self._journal.compact()
        self._control.replay()

    def _created(self, call: Call) -> Response:
        self.made[call.payload["ModelName"]] = call.when
        return Response("{}")

    def _deleted(self, call: Call) -> Response:
        del self.made[call.payload["ModelName"]]
        return Response("{}")

    def _call(self, operation: str, name: str, when: float) -> None:
        self._clock.setattr(time, "time", lambda: when)
        arguments = {"ModelName": name, "ExecutionRoleArn": "arn:aws:iam::123456789012:role/r"}
        headers = {
            "authorization": authorization("sagemaker", "us-east-1"),
            "x-amz-target": f"SageMaker.{operation}",
            "content-type": "application/x-amz-json-1.1",
        }
        answer = self._control.handle(Request.make("POST", "/", "", headers, json.dumps(arguments).encode()))
        assert answer.ok, answer.get_data()


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Models]:
    found = Models(tmp_path, monkeypatch)
    yield found
    found.close()


def test_what_has_an_order_keeps_it_where_the_clock_was_set_back_and_the_twin_began_anew(models: Models) -> None:
    models.create("another", when=3000.0)
    models.create("first", when=1000.0)
    known = models.made["first"]
    assert known > models.made["another"]
    models.delete("another", when=1001.0)
    models.begin_again()
    assert models.made == {"first": known}
    models.create("second", when=1002.0)
    assert models.made["second"] > known


def test_what_has_an_order_comes_after_what_is_gone(models: Models) -> None:
    models.create("gone", when=3000.0)
    models.delete("gone", when=3001.0)
    for _ in range(2):
        models.begin_again()
    models.create("next", when=1000.0)
    assert models.made["next"] > 3000.0


def test_what_has_an_order_has_the_clocks_time_while_that_goes_on(models: Models) -> None:
    for name, when in (("first", 1000.0), ("second", 1000.5)):
        models.create(name, when)
    models.begin_again()
    assert models.made == {"first": 1000.0, "second": 1000.5}
