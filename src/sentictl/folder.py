"""Where a project keeps its things on this machine. Imports nothing heavy: `predict` starts here."""

from dataclasses import dataclass
from pathlib import Path

SETTINGS_FILE = "sentictl.toml"


@dataclass(frozen=True)
class ProjectFolder:
    """A project's folder: `sentictl.toml`, and beside it `.sentictl/`, a cache that can be made or fetched again."""

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> "ProjectFolder | None":
        """The nearest folder at or above `start` (default: the working directory) that holds a `sentictl.toml`."""
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if (folder / SETTINGS_FILE).is_file():
                return cls(folder)
        return None

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
    def current_model(self) -> Path:
        """The artifact that `predict` and `evaluate` read: a link to one of the folders beside it."""
        return self.models / "current"

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
    def log_file(self) -> Path:
        return self.cache / "sentictl.log"
