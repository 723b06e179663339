"""One container of AWS's Ray Serve image, without the container: Ray itself, and an adapter that does what AWS's does.

The adapter's contract was read in AWS's own (aws/deep-learning-containers, `sagemaker_serve.py`): POST /invocations
goes to Ray's `/` with the body as it is, and with no other headers than Content-Type, Accept and X-Amzn-SageMaker-*;
/ping is Ray's own health; an answer that takes too long is a 504, a Ray that cannot be reached a 503.
"""

import http.client
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from sentictl.twin.core import processes
from tests.conformance.conftest import Submitted
from tests.conformance.server import JSON, Server, free_ports, run_to_its_end

SECONDS = 300
READY_SECONDS = 120
PASSED_ON = "x-amzn-sagemaker-"


class Adapter(ThreadingHTTPServer):
    """AWS's adapter, in front of Ray on another port of this machine."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, ray_port: int, seconds: float = SECONDS) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.ray_port, self.seconds = ray_port, seconds


class Handler(BaseHTTPRequestHandler):
    """A request to the adapter."""

    protocol_version = "HTTP/1.1"
    server: Adapter

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/invocations":
            return self._answer(404, {}, b"")
        passed = {name: value for name, value in self.headers.items() if name.lower().startswith(PASSED_ON)}
        passed |= {name: self.headers.get(name, JSON) for name in ("Content-Type", "Accept")}
        return self._hand_on("POST", "/", body, passed)

    def do_GET(self) -> None:
        if self.path != "/ping":
            return self._answer(404, {}, b"")
        return self._hand_on("GET", "/-/healthz", b"", {})

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 (http.server's name for it)
        """Say nothing: Ray has a log."""

    def _hand_on(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.ray_port, timeout=self.server.seconds)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            kept = {"Content-Type": response.headers.get("Content-Type", headers.get("Accept", ""))}
            kept |= {name: value for name, value in response.headers.items() if name.lower().startswith(PASSED_ON)}
            self._answer(response.status, kept, response.read())
        except TimeoutError:
            self._answer(504, {"Content-Type": JSON}, b'{"error": "Request timeout"}')
        except OSError:
            self._answer(503, {"Content-Type": JSON}, b'{"error": "Service unavailable"}')
        finally:
            connection.close()

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def adapter(ray_port: int, seconds: float = SECONDS) -> Iterator[int]:
    """The port of an adapter in front of Ray's."""
    (port,) = free_ports(1)
    running = Adapter(port, ray_port, seconds)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    try:
        yield port
    finally:
        running.shutdown()
        running.server_close()


@contextmanager
def ray_serving(submitted: Submitted, folder: Path) -> Iterator[tuple[Server, int]]:
    """A server of the model that `deploy` makes, and the port of Ray behind it.

    Args:
        folder: an empty one.
    """
    container = submitted.requests["CreateModel"]["PrimaryContainer"]
    model = folder / "model"
    submitted.unpack(container["ModelDataUrl"], model)
    port = free_ports(1)[0]
    with (model / "config.yaml").open("a") as config:  # AWS's image gives Ray a port of its own by an option
        config.write(f"http_options:\n  host: 127.0.0.1\n  port: {port}\n")
    ours = Path(tempfile.mkdtemp(prefix="ray-"))  # its sockets have no long names
    here = {
        "PYTHONPATH": f"{model}{os.pathsep}{model / 'code'}",
        "RAY_TMPDIR": str(ours),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    variables = submitted.variables() | container["Environment"] | here
    process = processes.start_child(
        [str(Path(__file__).with_name("ray_run.py")), str(model / "config.yaml")], folder, variables
    )
    try:
        with adapter(port) as adapter_port, run_to_its_end(Server(adapter_port, process), grace=20) as server:
            yield server, port
    finally:
        shutil.rmtree(ours, ignore_errors=True)
