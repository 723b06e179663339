"""Notes which hosts a program looks up or connects to, where a test asks for it."""

import os
import sys
from pathlib import Path
from typing import Any

WATCHED = "TESTS_WATCHED"  # the file that hosts are noted in, one a line


def begin() -> None:
    """Note the hosts of this process from now on, if its variables ask for it."""
    file = os.environ.get(WATCHED)
    if not file:
        return

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("socket.getaddrinfo", "socket.gethostbyname"):
            _write(Path(file), arguments[0])
        elif event == "socket.connect":
            address = arguments[1]
            _write(Path(file), address[0] if isinstance(address, tuple) else "unix")

    sys.addaudithook(note)


def _write(file: Path, host: Any) -> None:
    with file.open("a") as hosts:
        hosts.write(f"{host}\n")
