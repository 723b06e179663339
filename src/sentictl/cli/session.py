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
from sentictl.config import LOCAL, Config
from sentictl.errors import StateError, UsageError
from sentictl.folder import ProjectFolder
from sentictl.lifecycle.resource import Context
from sentictl.local import daemon

EVERYTHING = "everything"


def load_config(invocation: Invocation, *, forget_damage: bool = False) -> Config:
    """The project of the working directory; `forget_damage` takes a damaged state for an empty one.

    Raises:
        StateError: there is no `sentictl.toml` at or above the working directory.
    """
    return Config.load(_folder(), invocation.environment, forget_damage=forget_damage)


def _folder() -> ProjectFolder:
    folder = ProjectFolder.find()
    if folder is None:
        raise StateError(
            "There is no sentictl.toml in this folder or above it.",
            "Begin a project here with: sentictl init, or do the whole chain at once with: sentictl up",
        )
    return folder


@contextlib.contextmanager
def holding(invocation: Invocation, *, forget_damage: bool = False) -> Iterator[Config]:
    """The project under its lock, as the command that held it before left it.

    Raises:
        StateError: another command holds it.
    """
    with _folder().locked():
        yield load_config(invocation, forget_damage=forget_damage)


def connect(config: Config, invocation: Invocation) -> Environment:
    """The environment's clients. In `local` the twin is started if it does not run, on the port it had before.

    Raises:
        TwinError: the local twin does not start.
    """
    placement = config.placement
    if config.environment != LOCAL:
        return Environment(config.environment, placement.region, placement.profile)
    twin = daemon.start(config.folder.twin_home)
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
    with holding(invocation, forget_damage=forget_damage) as config:
        changes = config.change(_given(flags))
        with _session(invocation, config, check) as (context, progress):
            write(config, changes, progress)
            yield context, progress


def write(config: Config, changes: Mapping[str, Any], progress: Progress) -> None:
    """Write settings to `sentictl.toml`, and say so."""
    for key, value in config.write(changes).items():
        progress.remark(f"  wrote {key} = {tomlkit.item(value).as_string()} to sentictl.toml")


@contextlib.contextmanager
def rehearsing(
    invocation: Invocation,
    flags: Mapping[str, Any] | None = None,
    check: Callable[[Context, Progress], object] | None = None,
) -> Iterator[tuple[Context, Progress]]:
    """A session like `changing`, with the same settings and checks, in which nothing is written."""
    config = load_config(invocation)
    config.change(_given(flags))
    with _session(invocation, config, check) as opened:
        yield opened


def looking(invocation: Invocation, *, as_anyone: bool = False) -> Context:
    """A session that only looks; `as_anyone` at what is public, for which no credentials are needed."""
    config = load_config(invocation)
    environment = connect(config, invocation)
    if not as_anyone:
        config.recognize(environment.account)
    return Context(config, environment, lambda *_: None)


@contextlib.contextmanager
def _session(
    invocation: Invocation, config: Config, check: Callable[[Context, Progress], object] | None
) -> Iterator[tuple[Context, Progress]]:
    with Progress(invocation.output) as progress:
        progress.opening(config)
        context = Context(config, connect(config, invocation), progress.report)
        progress.connected(context)
        config.recognize(context.environment.account)
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


def agreed(invocation: Invocation, config: Config, what: str, *, yes: bool, confirm: str | None) -> None:
    """Ask before something is deleted: a yes in `local` and for a part, the project's name for all on a real account.

    Args:
        invocation: how the command was called.
        config: whose project.
        what: a part, or "everything".
        yes: whether a yes was given on the command line.
        confirm: the project's name, if it was given there.

    Raises:
        UsageError: declined, or nobody is there to ask and the option was not given.
    """
    name = config.settings.project.name
    if config.environment == LOCAL or what != EVERYTHING:
        wanted, given, option = "yes", "yes" if yes else None, "--yes"
    else:
        wanted, given, option = name, confirm, f"--confirm {name}"
    if given is None and sys.stdin.isatty() and not invocation.json:
        sys.stderr.write(f"Delete {what} of {name} in {config.environment}? Type {wanted}: ")
        sys.stderr.flush()
        given = sys.stdin.readline().strip()
    if given != wanted:
        raise UsageError(
            f"Not confirmed: nothing of {name} in {config.environment} was deleted.", f"Confirm it with {option}."
        )


def leave(config: Config) -> None:
    """After everything is deleted, under the lock: end the twin, and drop the cache that no other environment uses."""
    if config.environment == LOCAL:
        daemon.destroy(config.folder.twin_home)
    if not config.stands_somewhere():
        config.folder.delete_cache()
