"""The Python API's part for the recorded state: its history, and the ways to it for the day when they are needed."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sentictl.api.session import Session
from sentictl.aws.remote_state.document import MOVED, Change, StateDocument, entries
from sentictl.aws.remote_state.lease import Holder
from sentictl.aws.remote_state.store import RemoteState
from sentictl.config.config import LOCAL, STATE, Config
from sentictl.config.environments import env_option
from sentictl.config.state import State
from sentictl.config.state_store import IN_FILE
from sentictl.errors import StateError, UsageError
from sentictl.lifecycle.resource import Context
from sentictl.services.resources.state_bucket import make_state_bucket, state_bucket_is_there


class ProjectState:
    """The recorded state of a project in one environment. Each method does what the command of its name does."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def history(self) -> tuple[Change, ...]:
        """Return who changed what, newest first.

        Raises:
            StateError: the state is in `sentictl.toml`, whose history version control keeps.
        """
        return self._remote(self._session.read().config).history()

    def pull(self) -> dict[str, Any]:
        """Return the whole state as a dict for JSON, with its lineage and serial."""
        config = self._session.read().config
        store = config.store
        document = store.document if isinstance(store, RemoteState) else _of_file(config)
        pulled: dict[str, Any] = json.loads(document.to_json())
        return pulled

    def push(self, document: Mapping[str, Any], *, force: bool = False) -> int:
        """Put a state that was pulled in the place of the recorded one. Returns how many resources it records.

        Args:
            document: as `pull` returns it.
            force: even if it is older than the recorded one, or does not follow from it.

        Raises:
            StateError: it is older, or of another lineage.
            ForeignError: it is of another project or environment.
        """
        given = StateDocument.from_json(json.dumps(document).encode(), "The given state")
        with self._changing() as context:
            config, store = context.config, context.config.store
            project = config.settings.project
            given.check_of(project.name, project.id, config.environment, "The given state")
            recorded = store.document if isinstance(store, RemoteState) else _of_file(config)
            if not force:
                _check_follows(given, recorded, env_option(config.environment, default=LOCAL))
            config.state = given.state.copy()
            config.settle(config.placement.region)
            config.recognize(context.environment.account)  # a state of another account's would let nobody in
            if isinstance(store, RemoteState):
                store.put(config.state, serial=max(given.serial, recorded.serial) + 1)
            else:
                config.save_state()
            return len(config.state)

    def holder(self) -> Holder | None:
        """Return who has the lease of the environment; None where nobody has."""
        store = self._session.read().config.store
        return store.holder() if isinstance(store, RemoteState) else None

    def unlock(self, agreed: Callable[[Holder], object] = lambda _: None) -> Holder | None:
        """Take the lease from whoever has it; what that one may still record is refused. Returns who it was.

        Args:
            agreed: called with who has it, before it is taken; what it raises leaves it there.

        Raises:
            StateError: the state is in `sentictl.toml`, under the project's lock, which dies with its process.
            LeaseError: the lease changed hands meanwhile.
        """
        with self._session.folder.locked():
            return self._remote(self._session.read().config).unlock(agreed)

    def move(self, to: str) -> int:
        """Move the state, together with the setting that says where it is. Returns how many resources it records.

        The new place is written and read again before the setting says so, and the old one is closed. A kill in
        between leaves one that counts, and the same call again goes on.

        Args:
            to: "file" for sentictl.toml, "s3" for the project's bucket, or an address such as "s3://bucket/prefix".

        Raises:
            SettingsError: there is no such place.
            StateError: another state is there, or it is there already.
        """
        mover = ProjectState(replace(self._session, command=MOVED))
        with mover._changing(moving=True) as context:
            config, store = context.config, context.config.store
            before = config.settings.project.state
            config.identify()
            config.change({STATE: to})
            to = config.settings.project.state
            if to == before:
                raise UsageError(f"The state is there already: {to}.", "See it: sentictl state pull")
            if to != IN_FILE:
                mover._write_there(context, to)
            if isinstance(store, RemoteState):
                store.put(config.state, closed=to)
            config.move_state(to)
            if to == IN_FILE:
                self._session.folder.keep_copy(config.environment, "")
            config.keep_copy()
            return len(config.state)

    @contextmanager
    def _changing(self, *, moving: bool = False) -> Iterator[Context]:
        """The project under its lock and, where the state is on S3, its lease.

        Args:
            moving: whether the state may be one that was being moved. One that is in the file alone, where the setting
                says something else, was never moved: it is taken from the file.
        """
        with self._session.locked() as config:
            store = config.store
            if moving and isinstance(store, RemoteState) and config.has_state_in_file and not store.is_here:
                config.keep_state_in_file()
            context = self._session.connect(config)
            context.environment.identify()
            store = config.store
            if not isinstance(store, RemoteState):
                yield context
                return
            if store.place.own:
                _make(context)
            with store.held(moving=moving):
                config.reload_state()
                yield context

    def _write_there(self, context: Context, to: str) -> None:
        """Write the state to another place on S3, and see that it is there."""
        config = context.config
        target = RemoteState(
            lambda: context.environment, config, setting=to, command=MOVED, tell=self._session.observer.remark
        )
        if target.place.own:
            _make(context)
        with target.held(moving=True):
            _check_free(target, config.state, to)
            target.put(config.state)
            if entries(target.read()) != entries(config.state):
                raise StateError(
                    f"What was written to {target.place.uri} cannot be read there again. The state is where it was.",
                    "Run this again.",
                )

    def _remote(self, config: Config) -> RemoteState:
        store = config.store
        if not isinstance(store, RemoteState):
            raise StateError(
                "The state of this environment is recorded in sentictl.toml: version control keeps its history, and "
                "the project's lock dies with the process that has it.",
                "See it: git log -p sentictl.toml. To have each change signed, and only one at a time: "
                f"sentictl state move s3{env_option(config.environment, default=LOCAL)}",
            )
        return store


def _make(context: Context) -> None:
    """Have the project's own bucket, unless it is another project's."""
    state_bucket_is_there(context)
    make_state_bucket(context)


def _of_file(config: Config) -> StateDocument:
    """Return the state of the file as others have it; it has neither lineage nor serial."""
    project = config.settings.project
    return StateDocument("", 0, project.name, project.id, config.environment, config.state)


def _check_follows(given: StateDocument, recorded: StateDocument, where: str) -> None:
    """Refuse a state that would undo what is recorded."""
    if not len(recorded.state) and not recorded.changes:
        return
    why = ""
    if given.lineage != recorded.lineage:
        why = "it does not follow from the recorded one: their lineages differ"
    elif given.serial < recorded.serial:
        why = f"it is older than the recorded one: number {given.serial}, and {recorded.serial} is recorded"
    if why:
        raise StateError(
            f"The given state was not put there: {why}.",
            f"Compare them: sentictl state pull{where}. To put it there all the same: sentictl state push FILE "
            f"--force{where}",
        )


def _check_free(target: RemoteState, moved: State, to: str) -> None:
    """Refuse to write over a state that others may work with. What an earlier move left unfinished is none."""
    there = target.document
    if there.closed or not len(there.state):
        return
    last, lost = there.changes[0], entries(there.state).keys() - entries(moved).keys()
    if last.command != MOVED or lost:
        raise StateError(
            f"There is another state in {target.place.uri}: {len(there.state)} resources, last changed by {last.user} "
            f"({last.command}) at {last.when}.",
            f"Name another place than {to}; or, if nobody works with that one, delete it: aws s3 rm {target.place.uri}",
        )
