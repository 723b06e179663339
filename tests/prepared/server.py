"""The prepared process: `python -m tests.prepared.server SOCKET OWNER`. It ends with its owner, a process.

One thread, no locks: a fork of a process with several could find one of them held for ever.
"""

import contextlib
import os
import selectors
import signal
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.prepared import popen, programs
from tests.prepared.protocol import receive_request, send_number


@dataclass
class Server:
    """Forks for each request, and tells how each fork ended."""

    listener: socket.socket
    owner: int
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def run(self) -> None:
        """Serve until the owner ends."""
        self._selector.register(self.listener, selectors.EVENT_READ, self._accept)
        self._selector.register(os.pidfd_open(self.owner), selectors.EVENT_READ, sys.exit)
        while True:
            for key, _ in self._selector.select():
                key.data()

    def _accept(self) -> None:
        connection, _ = self.listener.accept()
        received = receive_request(connection)
        if received is None:
            connection.close()
            return
        request, descriptors = received
        pid = os.fork()
        if pid == 0:
            programs.become(request, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        ended = os.pidfd_open(pid)
        self._selector.register(ended, selectors.EVENT_READ, lambda: self._tell(connection, pid, ended))
        with contextlib.suppress(OSError):  # who asked is gone already
            send_number(connection, pid)

    def _tell(self, connection: socket.socket, pid: int, ended: int) -> None:
        self._selector.unregister(ended)
        os.close(ended)
        _, status = os.waitpid(pid, 0)
        with connection, contextlib.suppress(OSError):
            send_number(connection, status)


def main() -> None:
    """Import everything, then serve."""
    address, owner = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests
    programs.prepare()
    popen.use(address)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)  # whoever started it may end before it does, and is waited for by its streams
    Server(listener, int(owner)).run()


if __name__ == "__main__":
    main()
