"""A model's server without its container, and that of AWS's PyTorch image: toolkit, TorchServe (Java), workers."""

import http.client
import json
import os
import random
import shutil
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from sentictl.twin.core import processes
from tests.conformance.conftest import Submitted
from tests.twin.conftest import wait_for

JSON = "application/json"
# Below the ports that systems give to whoever asks for any, so that nobody gets these before Java binds them.
PORTS = range(20_000, 32_000)
PACKAGES = {
    "pkg_resources": "setuptools<82",
    "sagemaker_pytorch_serving_container": "sagemaker-pytorch-inference",
    "ts": "torchserve",
    "yaml": "pyyaml",
}
READY_SECONDS = 120
ANSWER_SECONDS = 60


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    reason: str
    content_type: str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """A model server that may still be starting."""

    def __init__(self, port: int, process: processes.Process) -> None:
        self._port = port
        self._process = process
        self.log: list[str] = []
        for pipe in processes.pipes(process):
            processes.OutputReader(pipe, self.log.append)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=ANSWER_SECONDS)

    def ask(
        self, body: bytes, content_type: str | None, accept: str | None = JSON, attributes: str | None = None
    ) -> Answer:
        """Invoke the model as SageMaker does; `attributes` are InvokeEndpoint's CustomAttributes."""
        headers = {"Content-Type": content_type, "Accept": accept, "X-Amzn-SageMaker-Custom-Attributes": attributes}
        return self.request("POST", "/invocations", body, {name: text for name, text in headers.items() if text})

    def wait_until_healthy(self, seconds: float = READY_SECONDS) -> None:
        """Wait for the first /ping that is answered with 200, which is all that SageMaker waits for."""
        wait_for(self._healthy, seconds)

    def comes_up(self, seconds: float) -> bool:
        """Wait for that as well, or for the end of the process. Returns which it was."""
        wait_for(lambda: self.has_ended() or self._healthy(), seconds)
        return not self.has_ended()

    def wait_until_said(self, text: str) -> None:
        """Wait until a line of the log holds a text."""
        wait_for(lambda: self._runs() and any(text in line for line in list(self.log)), READY_SECONDS)

    def describe(self) -> Any:
        """What TorchServe tells of its model."""
        return self.request("GET", "/models/model").json[0]

    def has_ended(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    def terminate(self) -> None:
        """Ask the process to end, as SageMaker does."""
        self._process.terminate()

    def end(self, grace: float) -> None:
        """End the process and its group, of which nothing is left afterwards; at once, or so many seconds later."""
        processes.terminate(self._process, grace=grace)
        wait_for(lambda: not alive(self._process.pid))

    def _runs(self) -> bool:
        assert self._process.poll() is None, "the server has ended"
        return True

    def _healthy(self) -> bool:
        self._runs()
        try:
            return self.request("GET", "/ping").status == 200
        except ConnectionRefusedError:
            return False

    def request(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Ask for anything."""
        connection = self.connect()
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.reason, response.headers.get("Content-Type", ""), response.read())
        finally:
            connection.close()


def require_the_toolkit() -> None:
    """Skip the test where AWS's serving toolkit cannot run; with CI set, fail it."""
    java = bool(os.environ.get("JAVA_HOME")) or shutil.which("java") is not None
    require(PACKAGES, () if java else ("Java 17 (Debian: openjdk-17-jre-headless)",))


def require(packages: Mapping[str, str], missing: Iterable[str] = ()) -> None:
    """Skip the test where something is missing; with CI set, fail it.

    Args:
        packages: what has to be installed, by the name of a module in it.
        missing: what else is needed and not there.
    """
    lacking = [*(package for module, package in packages.items() if find_spec(module) is None), *missing]
    if lacking:
        reason = f"this server cannot run here without {', '.join(lacking)}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@contextmanager
def run_to_its_end(server: Server, grace: float = 0) -> Iterator[Server]:
    """A server that is ended with the test, whose log pytest then shows if it failed."""
    try:
        yield server
    finally:
        print(*server.log, sep="\n")  # noqa: T201
        server.end(grace)


@contextmanager
def serving(
    submitted: Submitted,
    folder: Path,
    *,
    workers: int,
    without: str = "",
    script: str = "",
    variables: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """A server of the model that `deploy` makes, in a process group of which nothing is left afterwards.

    Args:
        folder: an empty one.
        workers: processes that predict.
        without: a file that is missing from the artifact.
        script: the text of another `inference.py`.
        variables: of the model's environment, beside those that `deploy` gives it.
    """
    container = submitted.requests["CreateModel"]["PrimaryContainer"]
    model, run = folder / "ml" / "model", folder / "run"
    submitted.unpack(container["ModelDataUrl"], model)
    run.mkdir()
    if without:
        (model / without).unlink()
    if script:
        (model / "code" / "inference.py").write_text(script)
    port, grpc, grpc_management = free_ports(3)
    here = {
        "SAGEMAKER_BASE_DIR": str(model.parent),
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "SAGEMAKER_MODEL_SERVER_WORKERS": str(workers),
        # Nothing that a second server on this machine, or its network, would meet.
        "TS_INFERENCE_ADDRESS": f"http://127.0.0.1:{port}",
        "TS_MANAGEMENT_ADDRESS": f"http://127.0.0.1:{port}",
        "TS_GRPC_INFERENCE_PORT": str(grpc),
        "TS_GRPC_MANAGEMENT_PORT": str(grpc_management),
        "TS_ENABLE_METRICS_API": "false",
        "TEMP": str(run),
        "TMPDIR": str(run),
        "PIP_NO_INDEX": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    script = str(Path(__file__).with_name("serve.py"))
    process = processes.start_child(
        [script], run, {**submitted.variables(), **container["Environment"], **here, **(variables or {})}
    )
    with run_to_its_end(Server(port, process)) as server:
        yield server


def free_ports(count: int) -> list[int]:
    """TCP ports that nobody listens on."""
    found = []
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
        if len(found) == count:
            break
    return found


def alive(group: int) -> bool:
    """Whether a process group has members that have not ended."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, pgid = path.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):  # ended meanwhile
            continue
        if int(pgid) == group and state not in "ZX":
            return True
    return False
