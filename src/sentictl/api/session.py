"""A session with a project: its `sentictl.toml`, its lock where something changes, and the environment it talks to."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import tomlkit
from botocore.exceptions import BotoCoreError, ClientError

from sentictl.api import stack
from sentictl.api.observer import ProjectObserver
from sentictl.aws.endpoints import ServiceEndpoints
from sentictl.aws.environment import Environment
from sentictl.aws.redaction import redacted
from sentictl.aws.regions import settle_region
from sentictl.aws.remote_state.store import RemoteState
from sentictl.config.config import LOCAL, Config
from sentictl.config.effects import without_effect
from sentictl.config.environments import env_option
from sentictl.config.project_folder import ProjectFolder
from sentictl.config.state import State
from sentictl.errors import SentictlError
from sentictl.lifecycle.reconcile import claim
from sentictl.lifecycle.resource import Context
from sentictl.services.resources.state_bucket import make_state_bucket, state_bucket_is_there
from sentictl.services.retraining.jobs import absorb
from sentictl.twin import daemon

UNSEEN = "ACCOUNT"  # in names, for the id of an account that nobody has looked at
Precondition = Callable[[Context], object]


@dataclass(frozen=True)
class Session:
    """One way to work on a project in one environment.

    Args:
        folder: where its `sentictl.toml` is.
        environment: the environment's name.
        observer: told of what goes on.
        command: what signs the changes of a state that is kept on S3, such as "up".
    """

    folder: ProjectFolder
    environment: str
    observer: ProjectObserver
    command: str = "python"

    def load(self, *, forget_damage: bool = False) -> Config:
        """Read `sentictl.toml`; `forget_damage` takes a damaged state for an empty one.

        Raises:
            SettingsError: it cannot be read, or holds what is no setting.
        """
        config = Config.load(self.folder, self.environment, forget_damage=forget_damage)
        if config.is_state_remote:
            self.keep_remotely(config, cache(partial(self._connected, config)), forget_damage=forget_damage)
        return config

    def keep_remotely(
        self, config: Config, connect: Callable[[], Environment], *, forget_damage: bool = False
    ) -> RemoteState:
        """Have a config read its state from S3, and write it there.

        Args:
            config: it.
            connect: gives the environment, when the state is first asked for.
            forget_damage: whether a damaged state counts as an empty one.
        """
        store = RemoteState(
            connect, config, command=self.command, tell=self.observer.remark, forget_damage=forget_damage
        )
        config.store = store
        return store

    @contextlib.contextmanager
    def locked(self, *, forget_damage: bool = False) -> Iterator[Config]:
        """The config under the project's lock, as the command that held it before left it.

        Raises:
            StateError: another command holds it.
        """
        with self.folder.locked():
            yield self.load(forget_damage=forget_damage)

    @contextlib.contextmanager
    def change(
        self,
        settings: Mapping[str, Any] | None = None,
        check: Precondition | None = None,
        *,
        forget_damage: bool = False,
        only_here: bool = False,
        removing: bool = False,
    ) -> Iterator[Context]:
        """Change things, under the project's lock. A project of before there were ids gets one.

        Args:
            settings: by dotted key; those that are not None are written to `sentictl.toml`, and the observer is told.
            check: called with these settings in force before they are written; what it raises leaves the file as it
                was.
            forget_damage: whether a damaged state is taken for an empty one.
            only_here: change nothing on AWS, so that the project gets no id yet.
            removing: where there is no place for the state there is nothing to be removed that it would name: none is
                made.
        """
        with self.locked(forget_damage=forget_damage) as config:
            changes = config.change(_given(settings))
            remote = config.is_state_remote
            context = self._open(config, None if remote else check, forget_damage=forget_damage, absorbing=not remote)
            context.environment.identify()  # what cannot be reached leaves the settings as they were
            with self._leased(context, check, removing=removing):
                self.write(config, changes)
                if not only_here:
                    self._claim(context)
                yield context
                self._tell_refused(context.environment)

    @contextlib.contextmanager
    def _leased(self, context: Context, check: Precondition | None, *, removing: bool) -> Iterator[None]:
        """Have the lease of an environment whose state others change as well, and the state as they left it.

        The bucket that both are in comes first: nothing can be recorded before there is one. It has the name and the
        tags that it would be found by.
        """
        config, store = context.config, context.config.store
        if not isinstance(store, RemoteState):
            yield
            return
        is_new = store.place.own and not state_bucket_is_there(context)
        if check and is_new:
            check(context)  # for what cannot be used no bucket is made
        if is_new and removing:
            yield
            return
        if store.place.own:
            make_state_bucket(context)
        with store.held():
            config.reload_state()
            absorb(context)
            if check and not (is_new and not len(config.state)):
                check(context)
            try:
                yield
            finally:
                if self.folder.cache.is_dir():
                    config.keep_copy()

    def _tell_refused(self, environment: Environment) -> None:
        """Say what AWS took only when it was asked again: nobody should take those minutes for a fault."""
        if environment.refused:
            counts = sorted(environment.refused.items())
            times = ", ".join(operation if count == 1 else f"{operation} {count} times" for operation, count in counts)
            self.observer.remark(f"  AWS refused at first, and took when asked again: {times}")

    def read(
        self,
        settings: Mapping[str, Any] | None = None,
        check: Precondition | None = None,
        *,
        announced: bool = False,
        anonymous: bool = False,
        new: bool = False,
    ) -> Context:
        """Only look: nothing is written and nothing is locked. The environment is asked when something needs it.

        Args:
            settings: by dotted key, in force in what is returned.
            check: called with these settings in force.
            announced: tell the observer whose project and account it is, and what takes long.
            anonymous: look at what is public alone, for which no credentials are needed.
            new: where nobody is logged in and nothing is recorded, look at no account: there is nothing yet.

        Raises:
            SentictlError: the account cannot be found out, or is not the one that the project stands in.
        """
        config = self.load()
        changes = config.change(_given(settings))
        context = self._open(config, check, announced=announced, anonymous=anonymous, new=new)
        self.tell_without_effect(config, changes)
        return context

    def connect(self, config: Config) -> Context:
        """Return a config that was loaded, with the environment that it is for, which is announced."""
        return self._open(config, None)

    def describe(self, any_account: str) -> Context:
        """Only describe the project, for which nobody has to be logged in.

        The account is the recorded one, else the one that the credentials belong to.

        Args:
            any_account: what is written for the account where neither tells it.
        """
        context = self.read(anonymous=True)
        environment, remote = context.environment, context.config.is_state_remote
        if not remote and context.state.account:
            environment.account = context.state.account
            return context
        try:
            environment.identify()
            _ = context.state
        except (SentictlError, BotoCoreError, ClientError) as problem:
            context.config.state = State() if remote else context.state
            reason = problem.message if isinstance(problem, SentictlError) else redacted(str(problem))
            self.observer.remark(f"  The account is not known, so it holds in any: {reason}")
            environment.account = any_account
        return context

    def write(self, config: Config, changes: Mapping[str, Any]) -> None:
        """Write settings to `sentictl.toml`, and say so."""
        for key, value in config.write(changes).items():
            self.observer.remark(f"  wrote {key} = {tomlkit.item(value).as_string()} to sentictl.toml")
        self.tell_without_effect(config, changes)

    def tell_without_effect(self, config: Config, changed: Iterable[str]) -> None:
        """Tell the observer which settings that were just changed do nothing, as the model is served now."""
        for idle in without_effect(config.settings, changed):
            self.observer.remark(f"  {idle}")

    def leave(self, config: Config) -> None:
        """After everything is deleted, under the lock: end the twin, and drop the cache if no environment uses it."""
        config.store.release()
        self.folder.keep_copy(config.environment, "")
        if config.on_twin:
            daemon.destroy(config.twin_home)
        if not config.stands_somewhere():
            for home in self.folder.twin_homes():  # one may run that holds nothing
                daemon.destroy(home)
            self.folder.delete_cache()

    def _claim(self, context: Context) -> None:
        """Have the project's id in `sentictl.toml`, and on all that is recorded: there were none once."""
        if context.config.identify():
            self.observer.remark(f"  wrote project.id = {context.settings.project.id} to sentictl.toml: commit it")
        claim(stack.resources(context), context)

    def _open(
        self,
        config: Config,
        check: Precondition | None,
        *,
        announced: bool = True,
        anonymous: bool = False,
        new: bool = False,
        forget_damage: bool = False,
        absorbing: bool = True,
    ) -> Context:
        settle_region(config)
        environment = self._environment(config, None if anonymous else config.recognize)
        if config.is_state_remote:
            self.keep_remotely(config, lambda: environment, forget_damage=forget_damage)
        if not announced:
            context = Context(config, environment, lambda *_: None)
        else:
            self.observer.opening(config)
            if new and (config.is_state_remote or not len(config.state)) and environment.look_at_none(UNSEEN):
                self.observer.remark(
                    "  No account was looked at, since there are no AWS credentials: this is the plan of a new project."
                )
            context = Context(config, environment, self.observer.report)
            if not environment.unseen:
                self.observer.connected(context)
        if not anonymous and config.state.account:
            environment.identify()  # before anything is said of what is recorded
        if not anonymous and absorbing:
            absorb(context)
        if check:
            check(context)
        return context

    def _connected(self, config: Config) -> Environment:
        settle_region(config)
        return self._environment(config, config.recognize)

    def _environment(self, config: Config, recognize: Callable[[str], None] | None) -> Environment:
        """Return the environment's clients. On a twin the first call starts the twin if it does not run."""
        placement = config.placement
        if config.on_twin:
            return Environment(
                config.environment,
                placement.region,
                endpoint=partial(self._start_twin, config.twin_home, placement.weather),
                access_key=lambda: daemon.access(config.twin_home).key,
                recognize=recognize,
            )
        endpoints = ServiceEndpoints(placement.endpoint_url, placement.endpoint_urls, config.ca_bundle)
        return Environment(
            config.environment, placement.region, placement.profile, recognize=recognize, endpoints=endpoints
        )

    def _start_twin(self, home: Path, weather: str) -> str:
        """Start the twin if it does not run, on the port it had before. Returns its address.

        Raises:
            TwinError: the local twin does not start.
        """
        twin = daemon.start(home, weather=weather)
        if twin.port_changed:
            self.observer.remark(
                f"  The twin has another port than before: {twin.port}. The page learns of it from: "
                f"sentictl up{env_option(self.environment, default=LOCAL)}"
            )
        return twin.url or ""


def _given(settings: Mapping[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (settings or {}).items() if value is not None}
