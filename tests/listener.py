"""A server on this machine that remembers what it was asked, and answers all alike: a proxy, or a refusing AWS."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Listener(ThreadingHTTPServer):
    """The server.

    Attributes:
        asked: the method and the target of each request; that of a proxy names the host.
        received: the headers and the body of each request.
    """

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.body, self.headers = status, body, headers
        self.asked: list[str] = []
        self.received: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Listener

    def _answer(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.received.append(f"{self.headers}{body.decode(errors='replace')}")
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_CONNECT = _answer  # noqa: N815  (names of the base class)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def listening(status: int, body: bytes = b"", **headers: str) -> Iterator[Listener]:
    """Run a server that answers every request with this; `x_header` is the header `x-header`."""
    server = Listener(status, body, {name.replace("_", "-"): value for name, value in headers.items()})
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
