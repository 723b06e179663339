"""A command's way to its project, and the consent that it asks for first."""

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sentictl.cli.invocation import Invocation
from sentictl.cli.questions import answer
from sentictl.config.paths import without_tilde
from sentictl.config.project_folder import ProjectFolder
from sentictl.errors import UsageError

if TYPE_CHECKING:
    from sentictl.api.project import Project
    from sentictl.config.config import Config

EVERYTHING = "everything"


@contextlib.contextmanager
def opened(invocation: Invocation, *, announced: bool = False) -> Iterator["Project"]:
    """The project of the working directory, in the environment that the command names, its progress shown.

    Args:
        invocation: how the command was called.
        announced: begin the line that names project and environment now: what it takes to find them out takes a second.

    Raises:
        StateError: there is no `sentictl.toml` at or above the working directory.
    """
    if announced:
        from sentictl import __version__

        invocation.output.announce(f"sentictl {__version__} ")
    from sentictl.api.project import Project
    from sentictl.cli.view.progress import Progress

    with Progress(invocation.output) as progress:
        yield Project(environment=invocation.environment, observer=progress, command=invocation.command)


def load_config(invocation: Invocation) -> "Config":
    """Read from `sentictl.toml` the environment that the command names, without what the project needs besides.

    Raises:
        StateError: there is no `sentictl.toml` at or above the working directory.
    """
    from sentictl.config.config import Config

    return Config.load(ProjectFolder.open(), invocation.environment)


def in_project(path: str) -> str:
    """A path given on the command line as `sentictl.toml` keeps it: relative to the project. Other words stay."""
    folder = ProjectFolder.find()
    given = without_tilde(path)
    if folder is None or given.is_absolute() or not given.exists():
        return path
    return os.path.relpath(given.parent.resolve() / given.name, folder.root)  # a link stays one


def agreed(invocation: Invocation, what: str, *, yes: bool, confirm: str | None) -> None:
    """Ask before something is deleted: a yes on a twin and for a part, the project's name for all on a real account.

    Args:
        invocation: how the command was called.
        what: a part, or "everything".
        yes: whether a yes was given on the command line.
        confirm: the project's name, if it was given there.

    Raises:
        UsageError: declined, or nobody is there to ask and the option was not given.
    """
    config = load_config(invocation)
    name, environment = config.settings.project.name, invocation.environment
    if config.on_twin or what != EVERYTHING:
        wanted, given, option = "yes", "yes" if yes else None, "--yes"
    else:
        wanted, given, option = name, confirm, f"--confirm {name}"
    if given is None:
        given = answer(invocation.output, f"Delete {what} of {name} in {environment}? Type {wanted}: ")
    if given != wanted:
        raise UsageError(
            f"Not confirmed: nothing of {name} in {environment} was deleted.", f"Confirm it with {option}."
        )


def agreed_to(invocation: Invocation, question: str, *, yes: bool) -> None:
    """Ask before something is done that cannot be taken back.

    Args:
        invocation: how the command was called.
        question: what is asked; the answer is yes.
        yes: whether a yes was given on the command line.

    Raises:
        UsageError: declined, or nobody is there to ask and the option was not given.
    """
    if not yes and answer(invocation.output, question) != "yes":
        raise UsageError("Not confirmed: nothing was done.", "Confirm it with --yes.")
