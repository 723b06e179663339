"""The web page served on this machine, for as long as somebody looks at it, under an address that nobody can guess."""

import contextlib
import secrets
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sentictl.errors import SentictlError, UsageError
from sentictl.services.page.render import HEADERS

HOST = "127.0.0.1"
PATHS = ("", "index.html")


@contextlib.contextmanager
def serving(render: Callable[[], bytes], port: int = 0) -> Iterator[str]:
    """Serve a page on 127.0.0.1, in a thread, until the block ends.

    Args:
        render: gives the page; called for each request, so that a reload shows a changed template. What it raises of
            `SentictlError` is shown in the page's place.
        port: 0 is any free one.

    Yields:
        The page's address.

    Raises:
        UsageError: the port is taken, or this user may not have it.
    """
    folder = f"/{secrets.token_urlsafe(16)}/"
    handler = type("PageHandler", (_Handler,), {"render": staticmethod(render), "folder": folder})
    try:
        server = ThreadingHTTPServer((HOST, port), handler)
    except OSError as problem:
        raise UsageError(
            f"The page cannot be served on port {port}: {problem.strerror}.",
            "Give another port, or none for a free one.",
        ) from None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}{folder}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    timeout = 5  # seconds that a connection may say nothing
    render: Callable[[], bytes]
    folder: str

    def do_GET(self) -> None:
        """The page, with the headers that it has from the API."""
        if self.path.partition("?")[0] not in [self.folder + name for name in PATHS]:
            self._answer(
                HTTPStatus.NOT_FOUND, b"There is only the page here, at the address that was told.\n", "text/plain"
            )
            return
        try:
            page = self.render()
        except SentictlError as problem:
            said = f"{problem.message}\n{problem.hint}\n".encode()
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, said, "text/plain")
            return
        self._answer(HTTPStatus.OK, page, "text/html")

    def do_HEAD(self) -> None:
        """The same headers."""
        self.do_GET()

    def _answer(self, status: HTTPStatus, body: bytes, media_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{media_type}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Requests are not worth a line."""
