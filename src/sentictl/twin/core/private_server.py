"""A server on 127.0.0.1 that listens to one process alone: all others, and other users of this machine, are hung up on.

It is for clients that cannot be given a key, such as AWS's runtime client.
"""

from http.server import ThreadingHTTPServer
from typing import Any

import psutil

LOOKS = 5  # Linux writes its table of connections piece by piece, and may pass over one while others come and go


class PrivateServer(ThreadingHTTPServer):
    """Python's HTTP server, for connections from one process.

    Attributes:
        caller: that process; to be set before the server is run.
    """

    caller: psutil.Process

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002  the base class's name
        """Return whether a connection was opened by the caller; the base class closes it otherwise."""
        ends = client_address, self.server_address
        try:
            return any(ends in self._connections() for _ in range(LOOKS))
        except psutil.Error:  # it has ended
            return False

    def _connections(self) -> list[tuple[Any, Any]]:
        return [(each.laddr, each.raddr) for each in self.caller.net_connections("tcp4") if self.caller.is_running()]
