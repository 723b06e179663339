"""A server on 127.0.0.1 that listens to programs of its own user alone: other users of this machine are hung up on.

It is for clients that cannot be given a key, such as AWS's runtime client. Imports the standard library alone.
"""

import os
import socket
import sys
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

CONNECTIONS = Path("/proc/net/tcp")  # all IPv4 connections of this machine, each with the user of its end (proc(5))
LOOKS = 5  # the kernel writes that file piece by piece, and may pass over a line while others come and go


class OwnUserServer(ThreadingHTTPServer):
    """Python's HTTP server, for connections from the user that it runs as."""

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002  the base class's name
        """Return whether a connection was opened by this user; the base class closes it otherwise."""
        near, far = _address(client_address), _address(self.server_address)
        return any(_user(near, far) == os.getuid() for _ in range(LOOKS))


def _user(local: str, remote: str) -> int | None:
    """Return the number of the user at the `local` end of a connection."""
    for line in CONNECTIONS.read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1:3] == [local, remote]:
            return int(fields[7])
    return None


def _address(address: Any) -> str:
    """Return a host and port as the kernel writes them: `0100007F:1F90` is 127.0.0.1:8080."""
    host, port = address
    number = int.from_bytes(socket.inet_aton(host), sys.byteorder)
    return f"{number:08X}:{port:04X}"
