"""A local twin for one cell of the sweep, forked from this process: it is there at once and has an account of its own.

It is the real one but for one thing: a training job whose name was trained before gets the same model again (see
`tests.prepared.recall`). The name is a digest of everything that shapes the model, so the sweep trains once, for real,
and not a thousand times. What a job downloads and uploads, its log, its life and its failures are the real ones.
"""

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from sentictl.twin import server
from sentictl.twin.core.clock import SPEED_VARIABLE
from sentictl.twin.core.credentials import KEY_VARIABLE, new_key
from sentictl.twin.core.environment import Access
from sentictl.twin.core.home import TwinHome
from tests.prepared.programs import MEMORY
from tests.sweep import process

SPEED = "600"  # a minute of a rollout takes a tenth of a second


@contextlib.contextmanager
def twin(home: Path, memory: Path, weather: str) -> Iterator[Access]:
    """A twin that runs within the `with`.

    Args:
        home: its folder; what an earlier twin left there is there again.
        memory: where trained models are remembered.
        weather: "calm" or "rough".

    Yields:
        Its address and its key.
    """
    home.mkdir(parents=True, exist_ok=True)
    memory.mkdir(exist_ok=True)
    TwinHome(home).weather.write_text(weather)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        access = Access(f"http://127.0.0.1:{listener.getsockname()[1]}", new_key())
        pid = begin(home, str(memory), listener, access.key)
    try:
        yield access
    finally:
        process.kill(pid)  # what it started dies with it


def begin(home: Path, memory: str, listener: socket.socket, key: str) -> int:
    """Begin a twin. Returns its process id.

    Args:
        home: its folder, which is there.
        memory: where trained models are remembered; empty: every job trains.
        listener: where it answers. It has a copy of it.
        key: by which it is asked.
    """
    return process.fork(lambda: _serve(home, memory, listener, key), home / "twin.log")


def _serve(home: Path, memory: str, listener: socket.socket, key: str) -> None:
    process.set_environment(**{MEMORY: memory, KEY_VARIABLE: key, SPEED_VARIABLE: SPEED})
    port, descriptor = listener.getsockname()[1], os.dup(listener.fileno())
    sys.argv = ["twin", "--home", str(home), "--port", str(port), "--listener", str(descriptor)]
    server.main()
