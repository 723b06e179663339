"""The files by which a twin and those who look for it meet. Imports nothing heavy.

The running twin holds a lock on `twin.lock`, which the kernel releases however the process ends: whoever gets the lock
knows that no twin runs. `twin.json` says which process it is, on which port, and by which key it is asked. The folder
is its user's alone.
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
from sentictl.errors import TwinError


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
        """`pid`, `port` and `key` of the twin that runs or ran last; empty if there was none.

        Raises:
            TwinError: the folder is another user's.
        """
        try:
            record: dict[str, Any] = json.loads(self.record_file.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        except PermissionError:
            raise TwinError(
                f"The local twin in {self.folder} is another user's, and open to nobody else.",
                "Work as that user, or in a copy of the project.",
            ) from None
        return record

    def write_record(self, pid: int, port: int, key: str) -> None:
        """Write down which process runs, on which port, and its key."""
        record = {"pid": pid, "port": port, "key": key}
        write_atomically(self.record_file, json.dumps(record).encode(), mode=0o600)

    def hold(self) -> IO[bytes] | None:
        """Take the twin's lock for as long as the returned file is open; None if a twin has it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)  # an earlier version left it open
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
        """One starter or stopper at a time. The lock lies beside the folder, which may be deleted meanwhile.

        Raises:
            TwinError: the folder is another user's.
        """
        self.read_record()  # it is refused here where it is another user's
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
