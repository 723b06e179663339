"""The files by which a twin and those who look for it meet. Imports nothing heavy.

The running twin holds a lock on `twin.lock`, which the kernel releases however the process ends: whoever gets the lock
knows that no twin runs. `twin.json` says which process it is and on which port.
"""

import contextlib
import fcntl
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sentictl.assets.atomic import write_atomically
from sentictl.assets.locks import open_locked


@dataclass(frozen=True)
class TwinHome:
    """A twin's folder."""

    folder: Path

    @property
    def record_file(self) -> Path:
        return self.folder / "twin.json"

    @property
    def log_file(self) -> Path:
        return self.folder / "twin.log"

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    @property
    def notebooks(self) -> Path:
        """The volumes of notebook instances: what is written in a notebook outlives a stop."""
        return self.folder / "notebooks"

    @property
    def weather(self) -> Path:
        """Names the twin's weather, see `sentictl.twin.core.weather`."""
        return self.folder / "weather"

    @property
    def run(self) -> Path:
        """Files that the running twin unpacks; they are of no use when it has ended."""
        return self.folder / "run"

    def read_record(self) -> dict[str, Any]:
        """`pid` and `port` of the twin that runs or ran last; empty if there was none."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            record: dict[str, Any] = json.loads(self.record_file.read_text())
            return record
        return {}

    def write_record(self, pid: int, port: int) -> None:
        """Write down which process runs, and on which port."""
        write_atomically(self.record_file, json.dumps({"pid": pid, "port": port}).encode())

    def hold(self) -> IO[bytes] | None:
        """Take the twin's lock for as long as the returned file is open; None if a twin has it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        stream = (self.folder / "twin.lock").open("ab")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.close()
            return None
        return stream

    def is_held(self) -> bool:
        """Return whether a twin lives in this folder."""
        if not self.folder.is_dir():
            return False
        stream = self.hold()
        if stream:
            stream.close()
        return stream is None

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """One starter or stopper at a time. The lock lies beside the folder, which may be deleted meanwhile."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        path = self.folder.with_name(f".{self.folder.name}.lock")
        with open_locked(path, _hold):
            try:
                yield
            finally:
                if not self.folder.exists():
                    path.unlink()


def _hold(stream: IO[bytes]) -> None:
    fcntl.flock(stream, fcntl.LOCK_EX)
