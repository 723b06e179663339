"""Ray Serve, as in AWS's image, serves the artifact that `deploy` names. It is started once: that takes its time."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.conformance.conftest import Submitted
from tests.conformance.contract import *  # noqa: F403 (its tests, run here as well)
from tests.conformance.contract import GOOD, TEXT
from tests.conformance.ray_serve import READY_SECONDS, adapter, ray_serving
from tests.conformance.server import JSON, Server, free_ports
from tests.peers import require_ray

require_ray()

STARTS = 3  # that are tried: Ray gives up one where an agent of its own takes more than 15 s, as on a busy machine
SETTINGS = '\n[deploy]\nimage = "ray-serve"\n'
Started = tuple[Server, int]


@pytest.fixture(scope="module")
def started(submitted: Submitted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    with ExitStack() as running:
        for _ in range(STARTS):
            started = running.enter_context(ray_serving(submitted, tmp_path_factory.mktemp("ray")))
            if started[0].comes_up(READY_SECONDS):
                break
            running.pop_all().close()
        assert not started[0].has_ended()
        yield started


@pytest.fixture(scope="module")
def server(started: Started) -> Server:
    return started[0]


def test_a_request_without_a_content_type_is_one_of_json_to_the_adapter(server: Server) -> None:
    assert server.ask(b"good", None).json["error"]["code"] == "not_json"


def test_json_that_is_not_utf8_is_answered_with_its_reason(server: Server) -> None:
    assert server.ask(b'{"review": "\xff"}', JSON).json["error"]["code"] == "not_utf8"


def test_what_the_model_is_served_with_reports_nothing_to_its_makers(server: Server, submitted: Submitted) -> None:
    environment = submitted.requests["CreateModel"]["PrimaryContainer"]["Environment"]
    assert environment == {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0"}
    assert not [line for line in server.log if "Usage stats collection is enabled" in line]


def test_ray_has_nothing_else_to_ask_for(started: Started) -> None:
    server, port = started
    assert server.request("GET", "/execution-parameters").status == 404
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/-/routes")
    assert connection.getresponse().read() == b'{"/":"sentimodel"}'
    connection.close()


def test_an_answer_that_takes_too_long_is_a_504() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, adapter(silent.getsockname()[1], seconds=0.2) as port:
        assert ask(port) == 504


def test_a_ray_that_is_not_there_is_a_503() -> None:
    with adapter(free_ports(1)[0]) as port:
        assert ask(port) == 503


def ask(port: int) -> int:
    """The status that an adapter answers with."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/invocations", GOOD.encode(), {"Content-Type": TEXT})
    status = connection.getresponse().status
    connection.close()
    return status
