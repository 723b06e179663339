"""A command's session: the project, its settings as the flags want them, and the environment it talks to."""

import contextlib
import os
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

EVERYTHING = "everything"


def open_project(invocation: Invocation, *, forget_damage: bool = False) -> Project:
    """The project of the working directory; `forget_damage` takes a damaged state for an empty one.

    Raises:
        StateError: there is no `sentictl.toml` at or above the working directory.
    """
    return Project.load(_folder(), invocation.environment, forget_damage=forget_damage)


def _folder() -> ProjectFolder:
    folder = ProjectFolder.find()
    if folder is None:
        raise StateError(
            "There is no sentictl.toml in this folder or above it.",
            "Begin a project here with: sentictl init, or do the whole chain at once with: sentictl up",
        )
    return folder


@contextlib.contextmanager
def holding(invocation: Invocation, *, forget_damage: bool = False) -> Iterator[Project]:
    """The project under its lock, as the command that held it before left it.

    Raises:
        StateError: another command holds it.
    """
    with _folder().locked():
        yield open_project(invocation, forget_damage=forget_damage)


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
    *,
    forget_damage: bool = False,
) -> Iterator[tuple[Context, Progress]]:
    """A session that changes things: under the project's lock, and with progress shown.

    Args:
        invocation: how the command was called.
        flags: settings by dotted key that change what the project is; those that are not None are written to
            `sentictl.toml`, and the command says so.
        check: called with these settings in force before they are written; what it raises leaves the file as it was.
        forget_damage: whether a damaged state is taken for an empty one.
    """
    with holding(invocation, forget_damage=forget_damage) as project:
        changes = project.change(_given(flags))
        with _session(invocation, project, check) as (context, progress):
            write(project, changes, progress)
            yield context, progress


def write(project: Project, changes: Mapping[str, Any], progress: Progress) -> None:
    """Write settings to `sentictl.toml`, and say so."""
    for key, value in project.write(changes).items():
        progress.remark(f"  wrote {key} = {tomlkit.item(value).as_string()} to sentictl.toml")


@contextlib.contextmanager
def rehearsing(
    invocation: Invocation,
    flags: Mapping[str, Any] | None = None,
    check: Callable[[Context, Progress], object] | None = None,
) -> Iterator[tuple[Context, Progress]]:
    """A session like `changing`, with the same settings and checks, in which nothing is written."""
    project = open_project(invocation)
    project.change(_given(flags))
    with _session(invocation, project, check) as opened:
        yield opened


def looking(invocation: Invocation, *, as_anyone: bool = False) -> Context:
    """A session that only looks; `as_anyone` at what is public, for which no credentials are needed."""
    project = open_project(invocation)
    environment = connect(project, invocation)
    if not as_anyone:
        project.recognize(environment.account)
    return Context(project, environment, lambda *_: None)


@contextlib.contextmanager
def _session(
    invocation: Invocation, project: Project, check: Callable[[Context, Progress], object] | None
) -> Iterator[tuple[Context, Progress]]:
    with Progress(invocation.output) as progress:
        progress.opening(project)
        context = Context(project, connect(project, invocation), progress.report)
        progress.connected(context)
        project.recognize(context.environment.account)
        if check:
            check(context, progress)
        yield context, progress


def _given(flags: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (flags or {}).items() if value is not None}


def in_project(path: str) -> str:
    """A path given on the command line as `sentictl.toml` keeps it: relative to the project. Other words stay."""
    folder = ProjectFolder.find()
    given = Path(path).expanduser()
    if folder is None or given.is_absolute() or not given.exists():
        return path
    return os.path.relpath(given.resolve(), folder.root)


def agreed(invocation: Invocation, project: Project, what: str, *, yes: bool, confirm: str | None) -> None:
    """Ask before something is deleted: a yes in `local` and for a part, the project's name for all on a real account.

    Args:
        invocation: how the command was called.
        project: whose.
        what: a part, or "everything".
        yes: whether a yes was given on the command line.
        confirm: the project's name, if it was given there.

    Raises:
        UsageError: declined, or nobody is there to ask and the option was not given.
    """
    name = project.settings.project.name
    if project.environment == LOCAL or what != EVERYTHING:
        wanted, given, option = "yes", "yes" if yes else None, "--yes"
    else:
        wanted, given, option = name, confirm, f"--confirm {name}"
    if given is None and sys.stdin.isatty() and not invocation.json:
        sys.stderr.write(f"Delete {what} of {name} in {project.environment}? Type {wanted}: ")
        sys.stderr.flush()
        given = sys.stdin.readline().strip()
    if given != wanted:
        raise UsageError(
            f"Not confirmed: nothing of {name} in {project.environment} was deleted.", f"Confirm it with {option}."
        )


def leave(project: Project) -> None:
    """After everything is deleted, under the lock: end the twin, and drop the cache that no other environment uses."""
    if project.environment == LOCAL:
        daemon.destroy(project.folder.twin_home)
    if not project.stands_somewhere():
        project.folder.delete_cache()
