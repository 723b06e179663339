"""`sentictl.toml`: a project's folder, its settings in one environment, and what was recorded there."""

import copy
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sentictl.config.dotted_keys import (
    from_variables,
    get,
    give_another,
    holds,
    merge,
    unknown,
    validated,
    variable,
    with_values,
)
from sentictl.config.environments import env_option
from sentictl.config.identity import new_id
from sentictl.config.project_folder import ProjectFolder
from sentictl.config.settings import EnvironmentSettings, Settings
from sentictl.config.settings_file import SettingsFile
from sentictl.config.state import State
from sentictl.config.state_store import IN_FILE, StateInFile, StateStore
from sentictl.errors import AccessError, DamagedStateError, SettingsError, UndescribedEnvironmentError

LOCAL = "local"
BUCKET = "bucket"  # the kind of the project's bucket
WEATHER = "SENTICTL_TWIN_WEATHER"
ENVIRONMENT_NAME = re.compile(r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?")  # part of every name on AWS, as the project's is
IDENTITY = ("project.name", "project.id")
STATE = "project.state"
PLACE = re.compile(r"env\.(?P<environment>[^.]+)\.(?P<name>[^.]+)")  # the key of an environment's own setting
ELSEWHERE = ("endpoint_url", "endpoint_urls", "ca_bundle")  # the settings of where AWS's services are asked instead
OF_ONE_ENVIRONMENT = {"deploy.model", "deploy.shadow"}  # a model trained in one is not there in another


@dataclass
class Config:
    """A loaded `sentictl.toml`.

    Args:
        folder: where it lives.
        environment: the environment the settings and the state are for.
        settings: all settings, with the environment's overrides and SENTICTL_* variables applied.
        placement: the environment's own settings: region, which is empty until it is settled, and profile.
    """

    folder: ProjectFolder
    environment: str
    settings: Settings
    placement: EnvironmentSettings

    def __post_init__(self) -> None:
        self.store: StateStore = StateInFile(self._file, self.environment)
        # Whether the project had no id yet when this was loaded, or what is recorded was made before it had.
        self.before_ids = False
        self._state: State | None = None
        self._saved: Mapping[str, Any] | None = {}
        self._account = ""

    @classmethod
    def load(cls, folder: ProjectFolder, environment: str = LOCAL, *, forget_damage: bool = False) -> "Config":
        """Read `sentictl.toml`.

        Args:
            folder: where it is.
            environment: the environment to read it for.
            forget_damage: whether a damaged state counts as an empty one, which the next save puts in its place.

        Raises:
            SettingsError: not TOML, an unknown key, a value that is not allowed, or an unknown environment.
            DamagedStateError: the recorded state is not readable.
            StateError: it is of a newer version.
        """
        source = folder.settings_file
        document = SettingsFile(source).read()
        environments, states = (_table(document, name, source) for name in ("env", "state"))
        _check_environment(environment, environments, source)
        overrides = _table(environments, environment, source, "env.")
        named = {key: overrides.pop(key) for key in EnvironmentSettings.model_fields if key in overrides}
        placement = {key: value for key, value in named.items() if value != ""}  # an empty one is none
        _check_placement(environment, placement, source)
        if (environment == LOCAL or placement.get("twin")) and (weather := os.environ.get(WEATHER)):
            placement["weather"] = weather
        base = {key: value for key, value in document.items() if key not in ("env", "state")}

        def mend(key: str) -> str:
            of_a_variable = key == f"env.{environment}.weather" and WEATHER in os.environ
            return f"Correct the variable {WEATHER}." if of_a_variable else f"Correct it in {source}."

        settings = validated(Settings, merge(base, overrides), mend)
        config = cls(
            folder,
            environment,
            with_values(settings, from_variables(os.environ), lambda key: f"Correct the variable {variable(key)}."),
            validated(EnvironmentSettings, placement, mend, f"env.{environment}."),
        )
        if not config.is_state_remote:
            recorded = _table(states, environment, source, "state.") if environment in states else None
            config._restore(recorded, forget_damage)
        return config

    @property
    def state(self) -> State:
        """What was recorded in the environment. One that is kept elsewhere is read when it is first asked for."""
        return self._state if self._state is not None else self._take(self.store.read())

    @state.setter
    def state(self, state: State) -> None:
        self._state = state

    @property
    def is_state_remote(self) -> bool:
        """Whether the state is kept elsewhere than in `sentictl.toml`."""
        return self.settings.project.state != IN_FILE

    @property
    def has_state_in_file(self) -> bool:
        """Whether `sentictl.toml` has a state of this environment, whether it is kept there or not."""
        return self.environment in _table(self._file.read(), "state", self.folder.settings_file)

    def keep_state_in_file(self) -> None:
        """Take the state from `sentictl.toml` and keep it there in this run, whatever the setting says."""
        self.change({STATE: IN_FILE})
        self.store = StateInFile(self._file, self.environment)
        self.reload_state()

    def reload_state(self) -> None:
        """Read the state again, as whoever changed it last left it."""
        self._take(self.store.read())

    def rehearsal(self) -> "Config":
        """Return the same with a copy of the state: what is changed in it is not the project's."""
        rehearsed = copy.copy(self)
        rehearsed.state = self.state.copy()
        return rehearsed

    @property
    def on_twin(self) -> bool:
        """Whether the environment is on a local twin, not on AWS."""
        return self.environment == LOCAL or self.placement.twin

    @property
    def twin_home(self) -> Path:
        """The folder of the twin that the environment is on, if it is on one."""
        return self.folder.twin_home if self.environment == LOCAL else self.folder.twins / self.environment

    @property
    def ca_bundle(self) -> str:
        """The path of the file of certificates that the environment names; empty where it names none.

        Raises:
            SettingsError: there is no such file.
        """
        if not self.placement.ca_bundle:
            return ""
        path = self.folder.root / self.placement.ca_bundle
        if not path.is_file():
            key = f"env.{self.environment}.ca_bundle"
            raise SettingsError(
                f"There is no file {path} of certificates, which {key} names.",
                f"Correct it in {self.folder.settings_file}, from that file's folder, or take it out.",
            )
        return str(path)

    def settle(self, region: str) -> None:
        """Take a region for the one that the environment is in, and make sure that the recorded resources are there.

        Raises:
            SettingsError: they are in another one.
        """
        if self._state is not None and self._state.region not in ("", region):
            here = self.environment
            raise SettingsError(
                f"What is recorded of the environment {here} is in the region {self.state.region}, "
                f"but [env.{here}] in {self.folder.settings_file} says {region}.",
                f"Set it back: sentictl config set env.{here}.region {self.state.region}. To move to another region, "
                f"do that, and then first: sentictl down{env_option(here)}; or use another environment's name.",
            )
        self.placement = self.placement.model_copy(update={"region": region})

    def recognize(self, account: str) -> None:
        """Make sure that the credentials lead to the account that the recorded resources are in.

        The first account and region that an environment is seen in are recorded along with its first resource.

        Args:
            account: the id of the account that the credentials belong to.

        Raises:
            AccessError: it is another one.
        """
        self._account = account
        if self._state is None:  # it is looked at when the state is read
            return
        if self._state.account in ("", account):
            self._state.account, self._state.region = account, self.placement.region
            return
        profile = self.placement.profile or os.environ.get("AWS_PROFILE", "")
        credentials = f"those of the profile {profile}" if profile else "the default ones"
        raise AccessError(
            f"What is recorded of the environment {self.environment} is in the account {self._state.account}, "
            f"but the credentials, {credentials}, belong to the account {account}.",
            f"Use the right profile (profile under [env.{self.environment}] in sentictl.toml, or AWS_PROFILE). "
            f"To move to another account, first: sentictl down{env_option(self.environment)}; "
            "or use another environment's name.",
        )

    def identify(self) -> bool:
        """Give the project an id, for all environments, unless it has one. Returns whether it had none.

        Raises:
            SettingsError: the file is written in a form in which it cannot be set.
            StateError: it cannot be written.
        """
        if self.settings.project.id:
            return False
        project = {"project.id": self.state.project_id or new_id()}  # the recorded one, where its line was taken out
        self.change(project)
        self._file.put(project)
        return True

    def change(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change settings for this run, without writing them.

        Args:
            changes: values by dotted key, such as {"train.epochs": 3}.

        Returns:
            Those that differ from the settings that were in force.

        Raises:
            SettingsError: an unknown key or a value that is not allowed.
        """
        before = self.settings
        self.settings = with_values(before, changes, give_another)
        values = {key: get(self.settings, key) for key in changes}
        return {key: value for key, value in values.items() if value != get(before, key)}

    def write(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Write settings to `sentictl.toml`, for all environments.

        In another environment than `local`, where a value can mean nothing elsewhere, and where the environment has a
        value of its own already, as the environment's override.

        Returns:
            What was written, by the key as the file has it.

        Raises:
            SettingsError: it would change what the project is known by on AWS, or where its state is kept, where
                something of it stands.
        """
        if not changes:
            return {}
        document = self._file.read()
        overrides = document.get("env", {}).get(self.environment, {})
        written = {self._place(key, overrides): value for key, value in changes.items()}
        for key in written.keys() & {*IDENTITY, *(f"env.{self.environment}.{name}" for name in IDENTITY)}:
            _check_nothing_stands(key, self.environment, document, self.folder.kept_copies())
        if any(key in (STATE, f"env.{self.environment}.{STATE}") for key in written):
            self._check_state_stays(document, str(changes[STATE]))
        self._file.put(written)
        return written

    def move_state(self, place: str) -> None:
        """Write where the state of this environment is kept, together with the state or without it: at once.

        Args:
            place: the value of `project.state`.

        Raises:
            SettingsError: the file is written in a form in which that cannot be set.
            StateError: it cannot be written; it is as it was before.
        """
        recorded = self._recorded() if place == IN_FILE else {}
        self._file.put_with_state({f"env.{self.environment}.{STATE}": place}, self.environment, recorded)
        self._saved = recorded

    def set(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change settings and write those that differ, as `change` and `write` do.

        A key can be one of an environment's own, such as "env.prod.region": an environment that is not there is made.
        """
        places = {key: value for key, value in changes.items() if PLACE.fullmatch(key)}
        others = {key: value for key, value in changes.items() if key not in places}
        changed = self.change(others)
        # What a variable says is in force, and not what the file has.
        changed |= {key: get(self.settings, key) for key in others if variable(key) in os.environ}
        source = self.folder.settings_file
        checked = {key: checked_place(key, value, source, self._own(key)) for key, value in places.items()}
        moved = {key: value for key, value in checked.items() if value != self.get(key)}
        if moved:
            self._file.put(moved)
        return self.write(changed) | moved

    def set_place(self, key: str, value: str, more: Mapping[str, Any]) -> bool:
        """Write one of an environment's own keys, such as "env.prod.region", and other keys at once with it.

        Args:
            key: it.
            value: what it is to be.
            more: others, by the key as the file has it.

        Returns:
            Whether it was something else before; where it was not, nothing is written.

        Raises:
            SettingsError: there is no such key, or the value is not allowed.
        """
        checked = checked_place(key, value, self.folder.settings_file, self._own(key))
        if checked == self.get(key):
            return False
        self._file.put({key: checked, **more})
        return True

    def get(self, key: str) -> Any:
        """Return the value of a dotted key: of a setting in force, or of an environment's own, as the file has it.

        Raises:
            SettingsError: there is no such key.
        """
        place = PLACE.fullmatch(key)
        if place is None:
            return get(self.settings, key)
        own = self._own(key)
        checked_place(key, "", self.folder.settings_file, own)
        return own.get(place["name"], "")

    def save_state(self) -> None:
        """Record the state, if it changed since it was loaded or saved last. An empty one leaves no trace.

        Raises:
            SettingsError: the file cannot be read any more.
            StateError: it cannot be written; what is kept is as it was before.
        """
        current = self._recorded()
        if current != self._saved:
            self.store.write(self.state)
            self._saved = current

    @property
    def current_model(self) -> Path:
        """The place of the artifact that `predict` and `evaluate` read in this environment."""
        return self.folder.current_model(self.environment)

    def states(self) -> dict[str, State]:
        """Return what is recorded in each environment, by its name; of this one as it is in force.

        Of another one whose state is not in `sentictl.toml` it is what was seen of that here last.

        Raises:
            StateError: that of another environment cannot be read.
        """
        source = self.folder.settings_file
        tables = _table(self._file.read(), "state", source)
        others = {
            name: State.from_toml(_table(tables, name, source, "state."), f"[state.{name}] in {source}")
            for name in tables
            if name != self.environment
        }
        copies = {name: _copied(path) for name, path in self.folder.kept_copies().items() if name not in tables}
        return {**copies, **others, self.environment: self.state}

    def keep_copy(self) -> None:
        """Note on this machine what was seen last of a state that is kept elsewhere."""
        if self.is_state_remote and self._state is not None:
            self.folder.keep_copy(self.environment, json.dumps(self._recorded()) if len(self.state) else "")

    def stands_somewhere(self) -> bool:
        """Whether anything is recorded in any environment, as far as it is known here."""
        return bool(self._file.read().get("state") or self.folder.kept_copies())

    def _own(self, key: str) -> dict[str, Any]:
        """The table, as the file has it, of the environment that a key such as "env.prod.region" names."""
        environments = _table(self._file.read(), "env", self.folder.settings_file)
        return _table(environments, key.split(".")[1], self.folder.settings_file, "env.")

    @property
    def _file(self) -> SettingsFile:
        return SettingsFile(self.folder.settings_file)

    def _recorded(self) -> Mapping[str, Any]:
        return self.state.to_toml() if len(self.state) else {}

    def _restore(self, recorded: Mapping[str, Any] | None, forget_damage: bool) -> None:
        """Take what the file records; of a damaged one that is forgotten, nothing."""
        state, damaged = State(), False
        try:
            if recorded is not None:
                state = State.from_toml(recorded, f"[state.{self.environment}] in {self.folder.settings_file}")
        except DamagedStateError:
            if not forget_damage:
                raise
            damaged = True
        self._take(state)
        self._saved = None if damaged else recorded or {}

    def _take(self, state: State) -> State:
        """Have a state that was read, if it is of the account and the region that this environment is in."""
        self._state, self._saved = state, state.to_toml() if len(state) else {}
        if not len(state):
            state.project_id = self.settings.project.id
        self.before_ids = not (self.settings.project.id and state.project_id)
        self._check_name(state)
        if self.placement.region and self.is_state_remote:
            self.settle(self.placement.region)
        if self._account:
            self.recognize(self._account)
        return state

    def _check_name(self, state: State) -> None:
        """Refuse a project that was renamed by hand while something stands: that would be lost track of."""
        name, environment = self.settings.project.name, self.environment
        known = re.compile(rf"(?P<project>.+)-{re.escape(environment)}-\d{{12}}")  # of the bucket, which is made first
        found = [each for record in state.of_kind(BUCKET) if (each := known.fullmatch(record.name))]
        if found and all(each["project"] != name for each in found):
            old = found[0]["project"]
            raise SettingsError(
                f"The project is called {name}, and what stands in the environment {environment} belongs to {old}.",
                f"Call it {old} again in {self.folder.settings_file}. In a copy of that project: take the table "
                f"[state.{environment}] out of the copy.",
            )

    def _check_state_stays(self, document: Mapping[str, Any], place: str) -> None:
        """Refuse to write another place for the state where there is one: it would be lost track of."""
        before = merge({"project": document.get("project", {})}, document.get("env", {}).get(self.environment, {}))
        is_remote = before["project"].get("state", IN_FILE) != IN_FILE
        if is_remote or document.get("state"):
            raise SettingsError(
                f"{STATE} cannot be set by itself: what is recorded would stay where it is.",
                f"Move it: sentictl state move {place}{env_option(self.environment, default=LOCAL)}",
            )

    def _place(self, key: str, overrides: Mapping[str, Any]) -> str:
        own = self.environment != LOCAL or key in OF_ONE_ENVIRONMENT or holds(overrides, key)
        return f"env.{self.environment}.{key}" if own else key


def _check_environment(name: str, environments: Mapping[str, Any], source: Path) -> None:
    if name != LOCAL and name not in environments:
        problem = unknown("environment", name, list(dict.fromkeys([LOCAL, *environments])))
        if not ENVIRONMENT_NAME.fullmatch(name):
            raise problem
        hint = f"{problem.hint} A new one: sentictl init --env {name} --region eu-west-1"
        raise UndescribedEnvironmentError(problem.message, hint, environment=name)
    _check_name(name, f"Rename it in {source}.")


def _check_name(name: str, mend: str) -> None:
    if not ENVIRONMENT_NAME.fullmatch(name):
        raise SettingsError(
            f"{name} cannot be an environment's name.",
            f"1 to 20 lower-case letters, digits and hyphens, a letter first. {mend}",
        )


def _check_placement(environment: str, placement: Mapping[str, Any], source: Path) -> None:
    """Refuse what only a twin can have where there is none, and what only AWS can have on a twin."""
    on_twin = environment == LOCAL or placement.get("twin")
    if not on_twin and placement.get("weather"):
        raise SettingsError(
            f"env.{environment}.weather in {source} is not a setting: only a local twin's weather can be chosen.",
            f"Take it out, or have the environment on a twin: sentictl config set env.{environment}.twin true",
        )
    elsewhere = next((name for name in ELSEWHERE if placement.get(name)), None)
    if on_twin and elsewhere:
        raise SettingsError(
            f"env.{environment}.{elsewhere} in {source} is not a setting: that environment is on a local twin.",
            "Take it out, or give it to an environment of its own: "
            "sentictl config set env.emulated.endpoint_url http://127.0.0.1:4566",
        )


def _copied(path: Path) -> State:
    return State.from_toml(json.loads(path.read_bytes()), str(path))


def _check_nothing_stands(
    key: str, environment: str, document: Mapping[str, Any], elsewhere: Mapping[str, Path]
) -> None:
    """Refuse to change a part of the project's identity where resources are recorded that carry it.

    Args:
        key: it, as the file has it.
        environment: the one that is worked in.
        document: what the file says.
        elsewhere: the environments whose state is kept elsewhere, and is not empty as far as it is known here.
    """
    states, own = {**elsewhere, **document.get("state", {})}, document.get("env", {})
    part = key.removeprefix(f"env.{environment}.")
    name = part.rpartition(".")[2]
    others = [each for each in states if name not in own.get(each, {}).get("project", {})]
    standing = [each for each in ([environment] if key != part else others) if each in states]
    if standing:
        raise SettingsError(
            f"{part} cannot be changed while resources are recorded that carry it, in: {', '.join(standing)}.",
            f"Delete them first: sentictl down{env_option(standing[0], default=LOCAL)}. If this folder is a copy, and "
            "they are the other project's, take the tables [state.*] out of sentictl.toml instead.",
        )


def checked_place(
    key: str,
    value: str,
    source: Path,
    own: Mapping[str, Any] | None = None,
    mend: Callable[[str], str] | None = None,
) -> Any:
    """Return the value of an environment's own setting, such as "env.prod.region"; an empty one is none.

    Args:
        key: the setting.
        value: what it is to be.
        source: the file that it would stand in.
        own: what else the environment's table says.
        mend: what to do about a value that is not allowed, by its key; by default to set another one.

    Raises:
        SettingsError: there is no such setting, or the value is not allowed.
    """
    _, environment, name = key.split(".")
    _check_name(environment, "Give another name.")
    if name not in EnvironmentSettings.model_fields:
        raise unknown("setting", key, [f"env.{environment}.{known}" for known in EnvironmentSettings.model_fields])
    if not value:
        return value
    given = {name: value}
    checked = getattr(
        validated(EnvironmentSettings, given, mend or give_another, f"env.{environment}.", strict=False), name
    )
    _check_placement(environment, {**(own or {}), name: checked}, source)
    return checked


def _table(tables: Mapping[str, Any], name: str, source: Path, prefix: str = "") -> dict[str, Any]:
    table = tables.get(name, {})
    if not isinstance(table, Mapping):
        raise SettingsError(f"{prefix}{name} in {source} is not a table.", "Correct that line, or take it out.")
    return dict(table)
