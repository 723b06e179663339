"""What a job is asked to prepare: plain values, which pass through JSON to the machines that do it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from sentictl.reviews.read.command import ReadingCommand
from sentictl.reviews.read.source import files_below
from sentictl.reviews.read.tables.folder import is_table, unexpected

if TYPE_CHECKING:
    from sentictl.config.settings import DataSettings

FILE, ARCHIVE = "order.json", "code.zip"  # what lies beside the script


@dataclass(frozen=True)
class Order:
    """What is to be prepared, and how.

    Attributes:
        name: what a person calls the source: its file, or its folder.
        is_folder: whether it is a folder of tables, and not one table.
        values: the settings of `data`, by name.
        again: the command that hints say again: its `start`, its `options`, and their `defaults`.
        created_by: the program and version that the dataset says it was made by.
        address: where a person has the folder that the source lies in, such as `s3://BUCKET/FOLDER`.
        data: the same folder on each machine.
        partitions: in how many pieces reviews are tokenized; 0 for as many as are of use.
    """

    name: str
    is_folder: bool
    values: dict[str, Any]
    again: dict[str, Any]
    created_by: str
    address: str
    data: str = ""
    partitions: int = 0

    @classmethod
    def read(cls, path: Path, data: Path) -> "Order":
        """Read what `write` wrote; `data` is the folder on this machine that the source lies in."""
        return cls(**{**json.loads(path.read_text(encoding="utf-8")), "data": str(data)})

    def text(self) -> str:
        """The order as JSON, always written in the same way."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"

    @property
    def settings(self) -> "DataSettings":
        """The settings of `data`, as plain attributes."""
        return cast("DataSettings", SimpleNamespace(**self.values))

    @property
    def reading(self) -> tuple["DataSettings", ReadingCommand]:
        """How tables are read: the settings, and the command that hints say again."""
        command = ReadingCommand(self.again["start"], tuple(self.again["options"]), self.again["defaults"])
        return self.settings, command

    def path(self, name: str) -> Path:
        """Where a file of the source is on each machine."""
        return Path(self.data) / name

    def files(self) -> tuple[list[str], list[str]]:
        """Return the paths of the source's tables in their order, and of what else lies among them."""
        if not self.is_folder:
            return [self.name], []
        names = files_below(Path(self.data))
        return [name for name in names if is_table(name)], unexpected(names)
