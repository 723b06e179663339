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
from typing import IO, TYPE_CHECKING, Any

from sentictl.assets.atomic import write_atomically
from sentictl.assets.locks import open_locked
from sentictl.errors import TwinError

if TYPE_CHECKING:
    import psutil

RECORD_BYTES = 4096  # many times what a record has
PORTS = 1 << 16


@dataclass(frozen=True)
class TwinHome:
    """A twin's folder."""

    folder: Path

    @property
    def record_file(self) -> Path:
        return self.folder / "twin.json"

    @property
    def lock_file(self) -> Path:
        return self.folder / "twin.lock"

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
    def signing_key(self) -> Path:
        """The private key that signs the tokens of user pools: who signed in before a restart stays so after it."""
        return self.folder / "signing-key.pem"

    @property
    def weather(self) -> Path:
        """Names the twin's weather, see `sentictl.twin.control_plane.weather`."""
        return self.folder / "weather"

    @property
    def mail(self) -> Path:
        """The mails that it sent, see `sentictl.twin.sns.mailbox`."""
        return self.folder / "mail"

    @property
    def run(self) -> Path:
        """Files that the running twin unpacks; they are of no use when it has ended."""
        return self.folder / "run"

    def read_record(self) -> dict[str, Any]:
        """`pid`, `port` and `key` of the twin that runs or ran last; empty if there was none or the record is damaged.

        Raises:
            TwinError: the folder is another user's.
        """
        try:
            return self._read_record()
        except PermissionError:
            raise TwinError(
                f"The local twin in {self.folder} is another user's, and open to nobody else.",
                "Work as that user, or in a copy of the project.",
            ) from None
        except (OSError, ValueError, RecursionError):
            return {}

    def _read_record(self) -> dict[str, Any]:
        if not self.record_file.is_file():
            return {}
        with self.record_file.open("rb") as stream:
            record = json.loads(stream.read(RECORD_BYTES))
        return record if _is_whole(record) else {}

    def write_record(self, pid: int, port: int, key: str) -> None:
        """Write down which process runs, on which port, and its key."""
        record = {"pid": pid, "port": port, "key": key}
        write_atomically(self.record_file, json.dumps(record).encode(), mode=0o600)

    def hold(self) -> IO[bytes] | None:
        """Take the twin's lock for as long as the returned file is open; None if a twin has it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)  # an earlier version left it open
        stream = self.lock_file.open("ab")
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

    def holder(self) -> "psutil.Process | None":
        """Return the process that has the lock open, as the kernel knows it: the record may name anybody's."""
        import psutil  # an extra's, and only needed to end a twin

        recorded = self.read_record().get("pid")
        everybody = sorted(psutil.process_iter(), key=lambda process: process.pid != recorded)
        return next(filter(self._is_holder, everybody), None)

    def _is_holder(self, process: "psutil.Process") -> bool:
        import psutil

        with contextlib.suppress(psutil.Error, OSError):
            opened = [Path(file.path) for file in process.open_files()]
            return any(path.name == self.lock_file.name and path.samefile(self.lock_file) for path in opened)
        return False

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


def _is_whole(record: Any) -> bool:
    if not isinstance(record, dict) or not isinstance(record.get("key", ""), str):
        return False
    return _is_number(record.get("pid")) and _is_number(record.get("port"), PORTS)


def _is_number(value: Any, below: int = 1 << 31) -> bool:
    return type(value) is int and 0 < value < below


def _hold(stream: IO[bytes]) -> None:
    fcntl.flock(stream, fcntl.LOCK_EX)
