"""Where the state of an environment is kept: in `sentictl.toml`, or in whatever else can read and write it whole."""

from typing import Protocol

from sentictl.config.settings_file import SettingsFile
from sentictl.config.state import State

IN_FILE = "file"  # the setting `project.state` of a state that is recorded in sentictl.toml


class StateStore(Protocol):
    """A place that holds the state of one environment."""

    def read(self) -> State:
        """Return the state that is kept; an empty one where none is.

        Raises:
            StateError: it cannot be read.
        """

    def check(self) -> None:
        """Make sure that what it records may be changed still, before that is done.

        Raises:
            StateError: somebody else does that by now.
        """

    def write(self, state: State) -> None:
        """Keep a state in place of the one before. Where it raises, the one before is kept still.

        Raises:
            StateError: it cannot be written, or somebody else has changed what is kept.
        """

    def release(self) -> None:
        """Let others change it, where they were kept from it. Releasing twice changes nothing."""


class StateInFile:
    """The state as the table `[state.<environment>]` of `sentictl.toml`; an empty one leaves no trace.

    Args:
        file: the file.
        environment: the environment's name.
    """

    def __init__(self, file: SettingsFile, environment: str) -> None:
        self._file = file
        self._environment = environment

    def read(self) -> State:
        table = self._file.read().get("state", {}).get(self._environment)
        return State() if table is None else State.from_toml(table, f"[state.{self._environment}] in {self._file.path}")

    def check(self) -> None:
        """Nobody else can, under the project's lock."""

    def write(self, state: State) -> None:
        self._file.put_state(self._environment, state.to_toml() if len(state) else {})

    def release(self) -> None:
        """Nobody is kept from a file but by the project's lock, which the kernel lets go of."""
