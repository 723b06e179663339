"""Paths that the system and people give: the working directory, and what begins with `~`. Imports nothing heavy."""

import os
from pathlib import Path

from sentictl.errors import StateError


def working_directory() -> Path:
    """Return the folder that the program was started in.

    Raises:
        StateError: it was deleted, or may not be seen.
    """
    try:
        return Path.cwd()
    except OSError as problem:
        raise StateError(
            f"The working directory cannot be found: {problem.strerror}.", "Go to a folder that is there: cd ~"
        ) from None


def without_tilde(path: str) -> Path:
    """Return a path in which a leading `~` stands for a home; it stays where there is no such home."""
    return Path(os.path.expanduser(path))  # noqa: PTH111  (Path's own raises where there is no such home)
