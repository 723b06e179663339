"""What goes over the socket: a request with its file descriptors, then the process id, then how the process ended."""

import contextlib
import json
import os
import socket
import struct
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

MOST_DESCRIPTORS = 32
NUMBER = struct.Struct("!q")


@dataclass(frozen=True)
class Request:
    """A program to begin.

    Args:
        arguments: the command line.
        folder: its working directory.
        environment: all of its environment.
        descriptors: the numbers that the sent file descriptors have in the new process, in their order.
        session: whether it leads a session of its own.
        terminal: whether its stdin is the terminal of that session.
    """

    arguments: list[str]
    folder: str
    environment: dict[str, str]
    descriptors: list[int]
    session: bool
    terminal: bool


def send_request(connection: socket.socket, request: Request, descriptors: list[int]) -> None:
    """Send a request, and copies of these open file descriptors."""
    document = json.dumps(asdict(request)).encode()
    socket.send_fds(connection, [NUMBER.pack(len(document))], descriptors)
    connection.sendall(document)


def receive_request(connection: socket.socket) -> tuple[Request, list[int]] | None:
    """Receive a request and the file descriptors that came with it; None where the caller is gone."""
    head, descriptors, _, _ = socket.recv_fds(connection, NUMBER.size, MOST_DESCRIPTORS)
    if len(head) < NUMBER.size:
        return None
    document: dict[str, Any] = json.loads(_exactly(connection, NUMBER.unpack(head)[0]))
    return Request(**document), list(descriptors)


def send_number(connection: socket.socket, number: int) -> None:
    """Send a process id, or the status that a process ended with."""
    connection.sendall(NUMBER.pack(number))


def receive_number(connection: socket.socket) -> int:
    """Receive one.

    Raises:
        ConnectionError: the server is gone.
    """
    return int(NUMBER.unpack(_exactly(connection, NUMBER.size))[0])


def close_all_but(kept: set[int]) -> None:
    """Close every file descriptor of this process that is not kept."""
    for number in [int(path.name) for path in Path("/proc/self/fd").iterdir()]:
        if number not in kept:
            with contextlib.suppress(OSError):  # the one that listed them
                os.close(number)


def _exactly(connection: socket.socket, count: int) -> bytes:
    content = b""
    while len(content) < count:
        piece = connection.recv(count - len(content))
        if not piece:
            raise ConnectionError("the other end is gone")
        content += piece
    return content
