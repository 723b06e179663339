"""`sentictl` for shells: stands in the path in its place, and has a fork of the prepared process do the work.

Imports little, so that it begins in a fraction of the time that sentictl itself takes.
"""

import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

ADDRESS = "TESTS_PREPARED"  # the variable that says where the prepared process listens


def main() -> int:
    """Be the program. Returns its exit code."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from tests.prepared import protocol

    request = protocol.Request(
        arguments=["sentictl", *sys.argv[1:]],
        folder=str(Path.cwd()),
        environment={name: value for name, value in os.environ.items() if name != ADDRESS},
        descriptors=[0, 1, 2],
        session=False,
        terminal=False,
    )
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ[ADDRESS])
        protocol.send_request(connection, request, [0, 1, 2])
        pid = protocol.receive_number(connection)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda received, _frame: _pass_on(pid, received))
        return os.waitstatus_to_exitcode(protocol.receive_number(connection))


def _pass_on(pid: int, received: Any) -> None:
    os.kill(pid, received)


if __name__ == "__main__":
    sys.exit(main())
