"""The twin's HTTP server: waitress, with bounds on what a connection may take of it.

waitress reads all connections in one thread and hands whole requests to others, so that a slow client costs no more
than its connection. What it leaves open is how long a client may be slow, and what happens when there are many of them.
"""

import math
import re
import resource
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from copy import copy
from typing import TYPE_CHECKING, Any

import waitress
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import WSGITask

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

MAX_HEADER = 32 << 10  # bytes; API Gateway takes 10,240, and the longest that boto3 sends are a third of that
MAX_BODY = 1 << 30
FIRST_SECONDS = 5.0  # from the connection, or a request's first byte, until the request is whole
SLOWEST = 64 << 10  # bytes: for each that came of it, a request may take a second more
IDLE_SECONDS = 120.0  # from an answer to the next request, and for a client that reads nothing of its answer
MOST_CONNECTIONS = 512  # beyond that, a new one takes the place of the one that has asked nothing for longest
DESCRIPTORS = 4096  # for the connections, and for the pipes of child processes

Server = Any  # waitress has no types


def create(
    application: "WSGIApplication", listener: socket.socket, threads: int, body_limit: Callable[[str], int]
) -> Server:
    """Return a server that answers with `application` once it is run.

    Args:
        listener: a socket that listens.
        threads: how many requests are answered at once.
        body_limit: how many bytes a body may have, by the path that it is sent to.
    """
    _allow_descriptors()
    server = waitress.create_server(
        application,
        sockets=[listener],
        threads=threads,
        connection_limit=2 * MOST_CONNECTIONS,  # waitress accepts none beyond it: `_Channel` keeps below
        asyncore_use_poll=True,  # select knows no descriptor above 1,023
        channel_timeout=int(IDLE_SECONDS),
        cleanup_interval=5,
        channel_request_lookahead=1,  # reads on while it answers, and so learns that a client has gone
        max_request_header_size=MAX_HEADER,
        max_request_body_size=MAX_BODY,
        ident="sentictl-local-twin",
        clear_untrusted_proxy_headers=False,
    )
    server.adj.body_limit = body_limit
    server.channel_class = _Channel
    return server


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


class _Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """A connection, which is closed where its client is too slow."""

    task_class = _Task
    parser_class = _Parser

    def __init__(self, server: Server, *arguments: Any, **keywords: Any) -> None:
        super().__init__(server, *arguments, **keywords)
        self._begin_to_wait(FIRST_SECONDS)
        if len(server.active_channels) > MOST_CONNECTIONS:
            _close_longest_idle(server.active_channels.values())

    def received(self, data: bytes) -> bool:
        before = self.request
        taken: bool = super().received(data)
        if self.request is not None and self.request is not before:
            self._begin_to_wait(FIRST_SECONDS)
        self._received += len(data)
        return taken

    def service(self) -> None:
        self._since = math.inf  # nothing is waited for while the request is answered
        super().service()
        self._begin_to_wait(IDLE_SECONDS if self.request is None else FIRST_SECONDS)

    def writable(self) -> bool:
        """Ask, as the server's loop does every second, whether there is something to do here."""
        if self._is_overdue(time.time()):
            self.will_close = True
        return bool(super().writable())

    def _begin_to_wait(self, seconds: float) -> None:
        """Allow the client so long for its next request, and longer for what is large."""
        self._since, self._allowed, self._received = time.time(), seconds, 0

    def _is_overdue(self, now: float) -> bool:
        if self.total_outbufs_len:
            return bool(now - self.last_activity > IDLE_SECONDS)
        return not self.requests and now - self._since > self._allowed + self._received / SLOWEST


def _close_longest_idle(channels: Any) -> None:
    idle = [channel for channel in channels if not channel.requests and not channel.will_close]
    if idle:
        min(idle, key=lambda channel: channel.last_activity).will_close = True
