"""The server of `templates/container` serves the artifact that `deploy` names, as in a container made of it."""

import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sentictl.twin.core import processes
from tests.conformance.conftest import Submitted
from tests.conformance.contract import *  # noqa: F403 (its tests, run here as well)
from tests.conformance.contract import GOOD, TEXT
from tests.conformance.server import JSON, Server, free_ports, require, run_to_its_end
from tests.twin.conftest import wait_for

CHECKOUT = Path(__file__).parents[2]
CONTAINER = CHECKOUT / "templates" / "container"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@contextmanager
def container(submitted: Submitted, folder: Path, without: str = "") -> Iterator[Server]:
    """The container's program with the artifact where SageMaker puts it.

    Args:
        folder: an empty one.
        without: a file that is missing from the artifact.
    """
    require({"gunicorn": "gunicorn"})
    model, program = folder / "ml" / "model", folder / "program"
    submitted.unpack(submitted.requests["CreateModel"]["PrimaryContainer"]["ModelDataUrl"], model)
    if without:
        (model / without).unlink()
    shutil.copytree(CONTAINER, program)
    (port,) = free_ports(1)
    here = {"SAGEMAKER_BASE_DIR": str(model.parent), "SAGEMAKER_BIND_TO_PORT": str(port)}
    entrypoint = re.search(r'^ENTRYPOINT \["gunicorn", "([^"]+)"\]$', (CONTAINER / "Dockerfile").read_text(), re.M)
    assert entrypoint
    arguments = ["-m", "gunicorn", entrypoint[1], "serve"]
    process = processes.start_child(arguments, program, submitted.variables() | here)
    with run_to_its_end(Server(port, process)) as server:
        yield server


@pytest.fixture(scope="module")
def server(submitted: Submitted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with container(submitted, tmp_path_factory.mktemp("container")) as server:
        server.wait_until_healthy()
        yield server


def test_a_request_without_a_content_type_is_refused(server: Server) -> None:
    assert server.ask(b"good", None).json["error"]["code"] == "unsupported_content_type"


def test_json_that_is_not_utf8_is_answered_with_its_reason(server: Server) -> None:
    assert server.ask(b'{"review": "\xff"}', JSON).json["error"]["code"] == "not_utf8"


def test_a_body_that_comes_in_chunks_is_read_whole(server: Server, expected: Any) -> None:
    connection = server.connect()
    connection.request("POST", "/invocations", iter([GOOD[:9].encode(), GOOD[9:].encode()]), {"Content-Type": TEXT})
    assert connection.getresponse().read() == server.ask(GOOD.encode(), TEXT).body
    connection.close()


def test_the_largest_body_that_sagemaker_hands_on_is_taken(server: Server) -> None:
    assert server.ask(b"superb " * (6_291_456 // 7), TEXT).json["label"] == "positive"


def test_a_connection_is_kept(server: Server, expected: Any) -> None:
    connection = server.connect()
    for _ in range(3):
        connection.request("POST", "/invocations", GOOD.encode(), {"Content-Type": TEXT})
        assert connection.getresponse().read()
        first = connection.sock
    assert first is connection.sock is not None
    connection.close()


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/invocations"), ("POST", "/ping")])
def test_nothing_else_is_there(server: Server, method: str, path: str) -> None:
    assert server.request(method, path).status == 404


def test_a_damaged_artifact_ends_the_container_and_the_log_says_why(submitted: Submitted, tmp_path: Path) -> None:
    with container(submitted, tmp_path, without="model.onnx") as server:
        wait_for(server.has_ended, 60)
        assert any("model.onnx is missing: the artifact is incomplete" in line for line in server.log)


def test_sigterm_lets_what_is_asked_be_answered(submitted: Submitted, tmp_path: Path, expected: Any) -> None:
    with container(submitted, tmp_path) as server:
        server.wait_until_healthy()
        connection = server.connect()
        connection.putrequest("POST", "/invocations")
        connection.putheader("Content-Type", TEXT)
        connection.putheader("Content-Length", str(len(GOOD)))
        connection.putheader("Expect", "100-continue")
        connection.endheaders()
        assert connection.sock.recv(len(CONTINUE), socket.MSG_WAITALL) == CONTINUE  # a worker has the request in hand
        server.terminate()
        server.wait_until_said("Handling signal: term")
        connection.send(GOOD.encode())
        assert connection.getresponse().status == 200
        connection.close()
        wait_for(server.has_ended, 60)


def test_what_is_installed_in_it_is_what_the_tests_run_with() -> None:
    wanted = _pinned(CHECKOUT / "requirements" / "run.txt") | _pinned(CHECKOUT / "requirements" / "dev.txt")
    pinned = _pinned(CONTAINER / "requirements.txt")
    assert set(pinned) == {"gunicorn", "numpy", "onnxruntime", "packaging"}
    assert {name: version for name, version in pinned.items() if wanted.get(name) != version} == {}


def _pinned(requirements: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z]+)==(\S+)", requirements.read_text(), re.MULTILINE))


def test_every_file_that_it_is_made_of_is_copied_into_it() -> None:
    copied = re.findall(r"^COPY (.+) \./$", (CONTAINER / "Dockerfile").read_text(), re.MULTILINE)
    assert {name for line in copied for name in line.split()} == {
        path.name for path in CONTAINER.iterdir() if path.is_file() and path.name != "Dockerfile"
    }
