"""The command that reads reviews, so that a hint can say it once more with what was missing."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sentictl.config.settings import DataSettings


@dataclass(frozen=True)
class ReadingCommand:
    """A command as it was given.

    Args:
        start: its beginning, such as `sentictl evaluate --data a.csv`.
        options: the settings of `data` that it takes as options.
        defaults: the values that need not be given, by setting; None for those of `DataSettings`.
    """

    start: str
    options: tuple[str, ...]
    defaults: Mapping[str, Any] | None = None

    def again(self, settings: "DataSettings", **changes: str) -> str:
        """The command with the options that the settings come from, quoted for a shell.

        Args:
            settings: those that were in force.
            changes: other values for some of them.
        """
        values = {name: changes.get(name, getattr(settings, name)) for name in self.options}
        defaults = _defaults() if self.defaults is None else self.defaults
        given = {name: value for name, value in values.items() if name in changes or value != defaults[name]}
        return self.start + "".join(f" {_option(name, value)}" for name, value in given.items())


@cache
def _defaults() -> Mapping[str, Any]:
    from sentictl.config.settings import DataSettings  # which needs pydantic, and that is not wherever reviews are read

    return DataSettings().model_dump()


def _option(name: str, value: str) -> str:
    option = f"--{name.replace('_', '-')}"
    return f"{option}={shlex.quote(value)}" if value.startswith("-") else f"{option} {shlex.quote(value)}"


FORM = ("delimiter", "encoding")
LABELLED = ("columns", *FORM, "review_column", "label_column", "positive", "negative", "ignore")
DATA = ReadingCommand("sentictl data", ("source", "on", *LABELLED))


def evaluate_command(data: str) -> ReadingCommand:
    """The command that measures the model on these reviews."""
    return ReadingCommand(f"sentictl evaluate --data {shlex.quote(data)}", LABELLED)


def predict_command(file: str) -> ReadingCommand:
    """The command that predicts the reviews of this file."""
    return ReadingCommand(f"sentictl predict --file {shlex.quote(file)}", (*FORM, "review_column"))
