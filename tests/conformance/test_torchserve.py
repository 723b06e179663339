"""AWS's own serving toolkit with TorchServe, as in SageMaker's containers, serves the artifact that `deploy` names."""

import select
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.conftest import Submitted
from tests.conformance.contract import *  # noqa: F403 (its tests, run here as well)
from tests.conformance.contract import GOOD, TEXT, check
from tests.conformance.server import JSON, Server, require_the_toolkit, serving


@pytest.fixture(scope="module")
def server(submitted: Submitted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    require_the_toolkit()
    with serving(submitted, tmp_path_factory.mktemp("torchserve"), workers=2) as server:
        server.wait_until_healthy()
        yield server


def test_a_request_without_a_content_type_is_refused(server: Server) -> None:
    assert server.ask(b"good", None).json["error"]["code"] == "unsupported_content_type"


def test_json_that_is_not_utf8_fails_in_the_toolkit_and_harms_nobody_else(server: Server, expected: Any) -> None:
    answer = server.ask(b'{"review": "\xff"}', JSON)
    assert answer.status == 500  # decoded before input_fn is asked, which is why the function looks first
    assert b"UnicodeDecodeError" in answer.body
    check(server.ask(GOOD.encode(), TEXT).json, expected[GOOD])


def test_a_damaged_artifact_never_answers_and_the_log_says_why(submitted: Submitted, tmp_path: Path) -> None:
    require_the_toolkit()
    with serving(submitted, tmp_path, workers=1, without="model.pt") as server:
        server.wait_until_healthy()  # TorchServe is, whatever becomes of its workers
        connection = server.connect()
        connection.request("POST", "/invocations", GOOD.encode(), {"Content-Type": TEXT})
        server.wait_until_said("model.pt is missing: the artifact is incomplete")
        server.wait_until_said("Retry worker")
        assert not select.select([connection.sock], [], [], 0)[0]
        connection.close()
