"""The twin's HTTP server: a thread for each connection, around waitress's parser and its WSGI task.

A thread that waits costs little, and a request is read, answered and sent by the same one: handing requests from one
thread to another would cost more than most answers. A connection may take only so much time, and there are only so
many of them.
"""

import logging
import re
import resource
import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from copy import copy
from typing import TYPE_CHECKING, Any

from waitress.adjustments import Adjustments
from waitress.parser import HTTPRequestParser
from waitress.task import ErrorTask, WSGITask

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

logger = logging.getLogger("sentictl.twin")

MAX_HEADER = 32 << 10  # bytes; API Gateway takes 10,240, and the longest that boto3 sends are a third of that
MAX_BODY = 1 << 30
FIRST_SECONDS = 5.0  # from the connection, or a request's first byte, until the request is whole
SLOWEST = 64 << 10  # bytes: for each that came of it, a request may take a second more
IDLE_SECONDS = 120.0  # from an answer to the next request, and for a client that reads nothing of its answer
MOST_CONNECTIONS = 512  # beyond that, a new one takes the place of the one that has asked nothing for longest
BACKLOG = 1024  # connections that wait to be accepted
BUFFER = 64 << 10  # bytes that are received or sent at once
DESCRIPTORS = 4096  # for the connections, and for the pipes of child processes

FAILED = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Server:
    """Answers with a WSGI application.

    Args:
        application: it.
        listener: a socket that listens.
        body_limit: how many bytes a body may have, by the path that it is sent to.
    """

    def __init__(
        self, application: "WSGIApplication", listener: socket.socket, body_limit: Callable[[str], int]
    ) -> None:
        self.application = application
        self.server_name, self.effective_port = listener.getsockname()
        self.adj: Any = Adjustments(
            max_request_header_size=MAX_HEADER, max_request_body_size=MAX_BODY, ident="sentictl-local-twin"
        )
        self.adj.body_limit = body_limit
        self._listener = listener
        self._connections: set[_Connection] = set()
        self._lock = threading.Lock()

    def run(self) -> None:
        """Serve until an exception ends it, such as that of a signal's handler."""
        _allow_descriptors()
        self._listener.listen(BACKLOG)
        while True:
            try:
                accepted, address = self._listener.accept()
            except OSError as problem:  # gone already, or there are too many files
                logger.warning("no connection: %s", problem)
                time.sleep(0.05)
                continue
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = _Connection(self, accepted, address)
            with self._lock:
                self._connections.add(connection)
                if len(self._connections) > MOST_CONNECTIONS:
                    _close_longest_idle(self._connections)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: "_Connection") -> None:
        try:
            connection.serve()
        finally:
            with self._lock:
                self._connections.discard(connection)


def _allow_descriptors() -> None:
    """Raise this process's own limit, which is 256 on macOS, where the system's allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class _Parser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """Refuses a body that is too large for where it goes before it is read, and waits for none that is empty."""

    adj: Any

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        self.adj = copy(self.adj)
        self.adj.max_request_body_size = self.adj.body_limit(self.path)
        if self.body_rcv is None:  # waitress would tell the client to go on, and wait: boto3 puts empty objects so
            self.expect_continue = False


class _Task(WSGITask):  # type: ignore[misc]  # waitress has no types
    """waitress capitalizes all header names; S3 has those of user metadata in lower case, and boto3 shows them so."""

    def build_response_header(self) -> bytes:
        header: bytes = super().build_response_header()
        return re.sub(rb"(?mi)^x-amz-meta-[^:]+", lambda found: found.group().lower(), header)


class _Connection:
    """A connection, which is closed where its client is too slow. It is the "channel" of waitress's tasks."""

    def __init__(self, server: Server, connected: socket.socket, address: tuple[str, int]) -> None:
        self.server = server
        self.adj = server.adj
        self.addr = address
        self.waiting_since: float | None = time.monotonic()  # None while a request is answered
        self._socket = connected
        self._sending = bytearray()

    def serve(self) -> None:
        """Answer one request after the other."""
        patience, received = FIRST_SECONDS, b""
        with self._socket, suppress(OSError):
            while read := self._read(received, patience):
                request, received = read
                self.waiting_since = None
                if not self._answer(request):
                    return
                self.waiting_since = time.monotonic()
                patience = IDLE_SECONDS

    def close(self) -> None:
        """Hang up on a client that asks nothing."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def write_soon(self, data: bytes) -> int:
        """Take a piece of an answer, as waitress's tasks write it: small ones leave together."""
        self._sending += data
        if len(self._sending) > BUFFER:
            self._flush()
        return len(data)

    def check_client_disconnected(self) -> bool:
        """Tell whether the client has hung up while its request is answered."""
        with suppress(OSError, ValueError):
            waiting = select.poll()
            waiting.register(self._socket, select.POLLIN)
            return bool(waiting.poll(0)) and self._socket.recv(1, socket.MSG_PEEK) == b""
        return True

    def _read(self, received: bytes, patience: float) -> tuple[Any, bytes] | None:
        """Wait for a request.

        Args:
            received: what has come of it already.
            patience: the seconds until its first byte.

        Returns:
            The request, and what has come after it; None where the client has hung up.

        Raises:
            TimeoutError: the client is too slow.
        """
        request = _Parser(self.adj)
        limit = time.monotonic() + (FIRST_SECONDS if received else patience)
        begun = bool(received)
        while not request.completed:
            if not received:
                self._socket.settimeout(max(limit - time.monotonic(), 0.001))
                received = self._socket.recv(BUFFER)
                if not received:
                    return None
                limit = (limit if begun else time.monotonic() + FIRST_SECONDS) + len(received) / SLOWEST
                begun = True
            received = received[request.received(received) :]
            if request.empty:  # a blank line
                request = _Parser(self.adj)
            elif request.expect_continue and request.headers_finished and not request.completed:
                request.expect_continue = False
                self._socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        return request, received

    def _answer(self, request: Any) -> bool:
        """Answer a request, and return whether the connection stays open."""
        task = ErrorTask(self, request) if request.error else _Task(self, request)
        try:
            task.service()
        except Exception:
            logger.exception("%s %s", request.command, request.path)
            task.close_on_finish = True
            if not task.wrote_header:
                self._sending += FAILED
        finally:
            request.close()
        self._flush()
        return not task.close_on_finish

    def _flush(self) -> None:
        self._socket.settimeout(IDLE_SECONDS)
        left, self._sending = memoryview(self._sending), bytearray()
        while left:
            left = left[self._socket.send(left) :]


def _close_longest_idle(connections: set[_Connection]) -> None:
    idle = [(each.waiting_since, each) for each in connections if each.waiting_since is not None]
    if idle:
        min(idle, key=lambda pair: pair[0])[1].close()
