"""How the twin and a model's process talk: over socket pairs, whose ends no other program can reach.

One pair is there from the start. Over it the process says that its model is loaded, and is then handed its end of
another pair for each connection. A connection carries one request after the other, each with its answer: a JSON list,
a line feed, and the body. The standard library's `Connection` parts them from each other.
"""

import json
import socket
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

HANDING_OVER = b"+"  # a descriptor travels beside at least one byte
MOST_DESCRIPTORS = 1


def send(connection: Connection, head: Sequence[Any], body: bytes) -> None:
    """Send a request (its content type, what its client accepts, its custom attributes) or an answer (status, type)."""
    connection.send_bytes(json.dumps(head).encode() + b"\n" + body)


def receive(connection: Connection) -> tuple[list[Any], bytes]:
    """Wait for what `send` sends.

    Raises:
        EOFError: the other side has closed the connection, or ended.
    """
    head, _, body = connection.recv_bytes().partition(b"\n")
    return json.loads(head), body


def open_connection(control: socket.socket) -> Connection:
    """Return the twin's end of a new connection, whose other end is handed over.

    Raises:
        OSError: the process has ended.
    """
    ours, theirs = socket.socketpair()
    with ours, theirs:
        socket.send_fds(control, [HANDING_OVER], [theirs.fileno()])
        return Connection(ours.detach())


def accept_connection(control: socket.socket) -> Connection | None:
    """Wait for the model's end of the next connection; None when there will be no more."""
    _, descriptors, _, _ = socket.recv_fds(control, len(HANDING_OVER), MOST_DESCRIPTORS)
    return Connection(descriptors[0]) if descriptors else None
