"""A command's session: the project, its settings as the flags want them, and the environment it talks to."""

import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import tomlkit

from sentictl.aws.environment import Environment
from sentictl.cli.invocation import Invocation
from sentictl.cli.progress import Progress
from sentictl.errors import StateError, UsageError
from sentictl.folder import ProjectFolder
from sentictl.lifecycle.resource import Context
from sentictl.local import daemon
from sentictl.project import LOCAL, Project


def open_project(invocation: Invocation) -> Project:
    """The project of the working directory.

    Raises:
        StateError: there is no `sentictl.toml` at or above the working directory.
    """
    folder = ProjectFolder.find()
    if folder is None:
        raise StateError(
            "There is no sentictl.toml in this folder or above it.",
            "Begin a project here with: sentictl init, or do the whole chain at once with: sentictl up",
        )
    return Project.load(folder, invocation.environment)


def connect(project: Project, invocation: Invocation) -> Environment:
    """The environment's clients. In `local` the twin is started if it does not run, on the port it had before.

    Raises:
        TwinError: the local twin does not start.
    """
    placement = project.placement
    if project.environment != LOCAL:
        return Environment(project.environment, placement.region, placement.profile)
    twin = daemon.start(project.folder.twin_home)
    if twin.port_changed:
        invocation.output.say(
            f"  The twin's port was taken: it is {twin.port} now. The page learns of it from: sentictl up"
        )
    return Environment(LOCAL, placement.region, endpoint_url=twin.url or "")


@contextlib.contextmanager
def changing(
    invocation: Invocation,
    flags: Mapping[str, Any] | None = None,
    check: Callable[[Context, Progress], object] | None = None,
) -> Iterator[tuple[Context, Progress]]:
    """A session that changes things: under the project's lock, and with progress shown.

    Args:
        invocation: how the command was called.
        flags: settings by dotted key that change what the project is; those that are not None are written to
            `sentictl.toml`, and the command says so.
        check: called with these settings in force before they are written; what it raises leaves the file as it was.
    """
    project = open_project(invocation)
    with project.locked():
        project = open_project(invocation)  # as the command that held the lock before left it
        changes = project.change({key: value for key, value in (flags or {}).items() if value is not None})
        with Progress(invocation.output) as progress:
            progress.opening(project)
            context = Context(project, connect(project, invocation), progress.report)
            progress.connected(context)
            if check:
                check(context, progress)
            for key, value in project.write(changes).items():
                progress.remark(f"  wrote {key} = {tomlkit.item(value).as_string()} to sentictl.toml")
            yield context, progress


def looking(invocation: Invocation) -> Context:
    """A session that only looks."""
    project = open_project(invocation)
    return Context(project, connect(project, invocation), lambda *_: None)


def in_project(path: str) -> str:
    """A path given on the command line as `sentictl.toml` keeps it: relative to the project. Other words stay."""
    folder = ProjectFolder.find()
    given = Path(path).expanduser()
    if folder is None or given.is_absolute() or not given.exists():
        return path
    return os.path.relpath(given.resolve(), folder.root)


def agreed(invocation: Invocation, project: Project, *, yes: bool, confirm: str | None) -> None:
    """Ask before everything is deleted: a yes in `local`, the project's name on a real account.

    Raises:
        UsageError: declined, or nobody is there to ask and the option was not given.
    """
    name = project.settings.project.name
    if project.environment == LOCAL:
        wanted, given, option = "yes", "yes" if yes else None, "--yes"
    else:
        wanted, given, option = name, confirm, f"--confirm {name}"
    if given is None and sys.stdin.isatty() and not invocation.json:
        sys.stderr.write(f"Delete everything of {name} in {project.environment}? Type {wanted}: ")
        sys.stderr.flush()
        given = sys.stdin.readline().strip()
    if given != wanted:
        raise UsageError(
            f"Not confirmed: nothing of {name} in {project.environment} was deleted.", f"Confirm it with {option}."
        )


def leave(project: Project) -> None:
    """After everything is deleted: end the twin, and drop the cache unless another environment still uses it."""
    if project.environment == LOCAL:
        daemon.destroy(project.folder.twin_home)
    if not project.stands_somewhere():
        shutil.rmtree(project.folder.cache, ignore_errors=True)
