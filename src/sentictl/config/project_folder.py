"""Where a project keeps its things on this machine. Imports nothing heavy: `predict` starts here."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sentictl.assets.atomic import remove_strays, write_atomically
from sentictl.assets.locks import open_locked
from sentictl.config.environments import env_option
from sentictl.config.paths import working_directory
from sentictl.errors import ModelError, StateError

SETTINGS_FILE = "sentictl.toml"
PID_BYTES = 20


@dataclass(frozen=True)
class ProjectFolder:
    """A project's folder: `sentictl.toml`, and beside it `.sentictl/`.

    That is a cache of what can be made or fetched again, except `.sentictl/local/`: the home of the local twin.
    """

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> "ProjectFolder | None":
        """The nearest folder at or above `start` (default: the working directory) that holds a `sentictl.toml`.

        Raises:
            StateError: the working directory was deleted.
        """
        here = (start or working_directory()).resolve()
        for folder in (here, *here.parents):
            if os.path.lexists(folder / SETTINGS_FILE):
                return cls(folder)
        return None

    @classmethod
    def open(cls, root: Path | None = None) -> "ProjectFolder":
        """The project in `root`, by default the nearest at or above the working directory.

        Raises:
            StateError: there is none.
        """
        folder = cls.find() if root is None else cls(root.resolve())
        if folder is None or not os.path.lexists(folder.settings_file):
            where = f"in {root}" if root else "in this folder or above it"
            raise StateError(
                f"There is no {SETTINGS_FILE} {where}.",
                "Begin a project here with: sentictl init, or do the whole chain at once with: sentictl up",
            )
        return folder

    @property
    def settings_file(self) -> Path:
        return self.root / SETTINGS_FILE

    @property
    def cache(self) -> Path:
        return self.root / ".sentictl"

    @property
    def datasets(self) -> Path:
        return self.cache / "datasets"

    @property
    def models(self) -> Path:
        return self.cache / "models"

    @property
    def wheels(self) -> Path:
        """Where the packages of a function that holds the model are kept."""
        return self.cache / "wheels"

    def current_model(self, environment: str) -> Path:
        """The artifact that `predict` and `evaluate` read in an environment: a link to one of the folders beside it."""
        return self.models / f"current-{environment}"

    def model_of(self, environment: str) -> Path:
        """Return an environment's current model, never another environment's.

        Raises:
            ModelError: there is none on this machine.
        """
        folder = self.current_model(environment)
        if not folder.exists():
            where = env_option(environment, default="local")
            raise ModelError(
                f"There is no model of the environment {environment} on this machine.",
                f"Train one: sentictl train{where}, fetch the one that is served: sentictl deploy{where}, "
                f"or ask it where it is: sentictl predict{where} --via api",
            )
        return folder

    def forget_models(self, environment: str, names: Iterable[str]) -> None:
        """Delete models of an environment from this machine, and which one is its current one."""
        import shutil

        with contextlib.suppress(OSError):  # another's folder stands in its place, or the disk may only be read
            self.current_model(environment).unlink(missing_ok=True)
        for name in names:
            shutil.rmtree(self.models / name, ignore_errors=True)

    @property
    def state_copies(self) -> Path:
        """Where it is noted what was seen last of states that are kept elsewhere."""
        return self.cache / "states"

    def kept_copies(self) -> dict[str, Path]:
        """Return those notes, by the environment's name."""
        return {path.stem: path for path in sorted(self.state_copies.glob("*.json"))}

    def keep_copy(self, environment: str, content: str) -> None:
        """Note the state of an environment that is kept elsewhere; an empty one leaves no note."""
        path = self.state_copies / f"{environment}.json"
        if content:
            write_atomically(path, content.encode())
        else:
            path.unlink(missing_ok=True)

    @property
    def page(self) -> Path:
        return self.cache / "site" / "index.html"

    @property
    def lock_file(self) -> Path:
        return self.cache / "lock"

    @property
    def twin_home(self) -> Path:
        return self.cache / "local"

    @property
    def twins(self) -> Path:
        """The folder of the twins of other environments than `local`, each by the environment's name."""
        return self.cache / "twins"

    def twin_homes(self) -> list[Path]:
        """Return the folders of all twins that there are or were."""
        return [self.twin_home, *(sorted(self.twins.iterdir()) if self.twins.is_dir() else [])]

    @property
    def log_file(self) -> Path:
        return self.cache / "sentictl.log"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the project's lock, so that no other command changes the project meanwhile.

        The kernel lets go of it whatever way the process ends.

        Raises:
            StateError: another command holds it, and the message says which; or the folder cannot be written.
        """
        try:
            lock = open_locked(self.lock_file, _hold)
            remove_strays(self.settings_file)
        except OSError as problem:
            raise StateError(
                f"The project's lock {self.lock_file} cannot be taken: {problem.strerror}.",
                "Make room, make the folder writable, or move away what stands in that place; then run this again.",
            ) from None
        with lock:
            yield

    def delete_cache(self) -> None:
        """Delete `.sentictl/`, under the lock, which goes last: until then nobody else begins."""
        import shutil

        for entry in self.cache.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            elif entry != self.lock_file:
                entry.unlink(missing_ok=True)
        self.lock_file.unlink()
        with contextlib.suppress(OSError):  # not empty: another command began, and its lock is there
            self.cache.rmdir()


def _hold(lock: IO[bytes]) -> None:
    """Lock a file and write into it who holds it."""
    import fcntl  # not on Windows, where the command line says so before it gets here

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read(PID_BYTES).decode(errors="replace")
        who = f"process {holder}" if holder.isdecimal() else "its process is not known"
        raise StateError(
            f"Another sentictl command is changing this project ({who}).",
            "Wait until it is done, then run this again.",
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()).encode())
