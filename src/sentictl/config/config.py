"""`sentictl.toml`: a project's folder, its settings in one environment, and what was recorded there."""

import difflib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from sentictl.config.environments import env_option
from sentictl.config.identity import new_id
from sentictl.config.project_folder import ProjectFolder
from sentictl.config.settings import EnvironmentSettings, Settings
from sentictl.config.settings_file import SettingsFile
from sentictl.config.state import State
from sentictl.errors import AccessError, DamagedStateError, SettingsError, UndescribedEnvironmentError

Model = TypeVar("Model", bound=BaseModel)
LOCAL = "local"
WEATHER = "SENTICTL_TWIN_WEATHER"
MOST_SHOWN = 80  # characters of a value in a message
ENVIRONMENT_NAME = re.compile(r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?")  # part of every name on AWS, as the project's is


def _tables(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, info in model.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            key = f"{prefix}{info.alias or name}"
            yield key, info
            yield from _tables(kind, f"{key}.")


# Every table of settings by its dotted name, each followed by those within it, in the order of the models.
TABLES = dict(_tables(Settings))
IDENTITY = ("project.name", "project.id")
PLACE = re.compile(r"env\.(?P<environment>[^.]+)\.(?P<name>[^.]+)")  # the key of an environment's own setting
GONE = {"train.ngram_epochs": "the linear part is trained until it fits"}  # settings that there were
OF_ONE_ENVIRONMENT = {"deploy.model", "deploy.shadow"}  # a model trained in one is not there in another


@dataclass
class Config:
    """A loaded `sentictl.toml`.

    Args:
        folder: where it lives.
        environment: the environment the settings and the state are for.
        settings: all settings, with the environment's overrides and SENTICTL_* variables applied.
        placement: the environment's own settings: region, which is empty until it is settled, and profile.
        state: what was recorded in that environment.
        before_ids: whether the project had no id yet when this was loaded, or what is recorded was made before it had.
    """

    folder: ProjectFolder
    environment: str
    settings: Settings
    placement: EnvironmentSettings
    state: State = field(default_factory=State)
    before_ids: bool = False

    def __post_init__(self) -> None:
        self._saved: Mapping[str, Any] | None = self._recorded()

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
        placement = {key: overrides.pop(key) for key in EnvironmentSettings.model_fields if key in overrides}
        _check_weather(environment, placement, source)
        if (environment == LOCAL or placement.get("twin")) and (weather := os.environ.get(WEATHER)):
            placement["weather"] = weather
        base = {key: value for key, value in document.items() if key not in ("env", "state")}

        def mend(key: str) -> str:
            of_a_variable = key == f"env.{environment}.weather" and WEATHER in os.environ
            return f"Correct the variable {WEATHER}." if of_a_variable else f"Correct it in {source}."

        settings = _validated(Settings, _merge(base, overrides), mend)
        config = cls(
            folder,
            environment,
            _changed(settings, _from_variables(os.environ), lambda key: f"Correct the variable {_variable(key)}."),
            _validated(EnvironmentSettings, placement, mend, f"env.{environment}."),
        )
        if environment in states:
            config._restore(_table(states, environment, source, "state."), forget_damage)
        if not len(config.state):
            config.state.project_id = config.settings.project.id
        config.before_ids = not (config.settings.project.id and config.state.project_id)
        return config

    @property
    def on_twin(self) -> bool:
        """Whether the environment is on a local twin, not on AWS."""
        return self.environment == LOCAL or self.placement.twin

    @property
    def twin_home(self) -> Path:
        """The folder of the twin that the environment is on, if it is on one."""
        return self.folder.twin_home if self.environment == LOCAL else self.folder.twins / self.environment

    def settle(self, region: str) -> None:
        """Take a region for the one that the environment is in, and make sure that the recorded resources are there.

        Raises:
            SettingsError: they are in another one.
        """
        if self.state.region not in ("", region):
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
        if self.state.account in ("", account):
            self.state.account, self.state.region = account, self.placement.region
            return
        profile = self.placement.profile or os.environ.get("AWS_PROFILE", "")
        credentials = f"those of the profile {profile}" if profile else "the default ones"
        raise AccessError(
            f"What is recorded of the environment {self.environment} is in the account {self.state.account}, "
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
        self.settings = _changed(before, changes, _another)
        values = {key: get(self.settings, key) for key in changes}
        return {key: value for key, value in values.items() if value != get(before, key)}

    def write(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Write settings to `sentictl.toml`, for all environments.

        In another environment than `local`, where a value can mean nothing elsewhere, and where the environment has a
        value of its own already, as the environment's override.

        Returns:
            What was written, by the key as the file has it.

        Raises:
            SettingsError: it would change what the project is known by on AWS, where something of it stands.
        """
        if not changes:
            return {}
        document = self._file.read()
        overrides = document.get("env", {}).get(self.environment, {})
        written = {self._place(key, overrides): value for key, value in changes.items()}
        for key in written.keys() & {*IDENTITY, *(f"env.{self.environment}.{name}" for name in IDENTITY)}:
            _check_nothing_stands(key, self.environment, document)
        self._file.put(written)
        return written

    def set(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change settings and write those that differ, as `change` and `write` do.

        A key can be one of an environment's own, such as "env.prod.region": an environment that is not there is made.
        """
        places = {key: value for key, value in changes.items() if PLACE.fullmatch(key)}
        changed = self.change({key: value for key, value in changes.items() if key not in places})
        source = self.folder.settings_file
        checked = {key: checked_place(key, value, source, self._own(key)) for key, value in places.items()}
        moved = {key: value for key, value in checked.items() if value != self.get(key)}
        if moved:
            self._file.put(moved)
        return self.write(changed) | moved

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
            StateError: the file cannot be written; it is as it was before.
        """
        current = self._recorded()
        if current != self._saved:
            self._file.put_state(self.environment, current)
            self._saved = current

    @property
    def current_model(self) -> Path:
        """The place of the artifact that `predict` and `evaluate` read in this environment."""
        return self.folder.current_model(self.environment)

    def states(self) -> dict[str, State]:
        """Return what is recorded in each environment, by its name; of this one as it is in force.

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
        return {**others, self.environment: self.state}

    def stands_somewhere(self) -> bool:
        """Whether anything is recorded in any environment."""
        return bool(self._file.read().get("state"))

    def _own(self, key: str) -> dict[str, Any]:
        """The table, as the file has it, of the environment that a key such as "env.prod.region" names."""
        environments = _table(self._file.read(), "env", self.folder.settings_file)
        return _table(environments, key.split(".")[1], self.folder.settings_file, "env.")

    @property
    def _file(self) -> SettingsFile:
        return SettingsFile(self.folder.settings_file)

    def _recorded(self) -> Mapping[str, Any]:
        return self.state.to_toml() if len(self.state) else {}

    def _restore(self, recorded: Mapping[str, Any], forget_damage: bool) -> None:
        self._saved = None
        try:
            self.state = State.from_toml(recorded, f"[state.{self.environment}] in {self.folder.settings_file}")
            self._saved = recorded
        except DamagedStateError:
            if not forget_damage:
                raise

    def _place(self, key: str, overrides: Mapping[str, Any]) -> str:
        own = self.environment != LOCAL or key in OF_ONE_ENVIRONMENT or _holds(overrides, key)
        return f"env.{self.environment}.{key}" if own else key


def get(settings: Settings, key: str) -> Any:
    """The value of a dotted key, such as "train.epochs", or a whole table as a dict.

    Raises:
        SettingsError: there is no such key.
    """
    found: Any = settings
    for part in key.split("."):
        fields = type(found).model_fields if isinstance(found, BaseModel) else {}
        names = {info.alias or name: name for name, info in fields.items()}
        if part not in names:
            raise _unknown("setting", key, list(all_keys()))
        found = getattr(found, names[part])
    return found.model_dump() if isinstance(found, BaseModel) else found


def all_keys() -> Iterator[str]:
    """Every setting's dotted key, by table."""
    for table_name, info in TABLES.items():
        table: Any = info.annotation  # a class, as every table is declared with one
        keys = (f"{table_name}.{name}" for name in table.model_fields)
        yield from (key for key in keys if key not in TABLES)


def _check_environment(name: str, environments: Mapping[str, Any], source: Path) -> None:
    if name != LOCAL and name not in environments:
        problem = _unknown("environment", name, list(dict.fromkeys([LOCAL, *environments])))
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


def _check_weather(environment: str, placement: Mapping[str, Any], source: Path) -> None:
    if environment != LOCAL and not placement.get("twin") and placement.get("weather"):
        raise SettingsError(
            f"env.{environment}.weather in {source} is not a setting: only a local twin's weather can be chosen.",
            f"Take it out, or have the environment on a twin: sentictl config set env.{environment}.twin true",
        )


def _check_nothing_stands(key: str, environment: str, document: Mapping[str, Any]) -> None:
    """Refuse to change a part of the project's identity where resources are recorded that carry it.

    Args:
        key: it, as the file has it.
        environment: the one that is worked in.
        document: what the file says.
    """
    states, own = document.get("state", {}), document.get("env", {})
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
        raise _unknown("setting", key, [f"env.{environment}.{known}" for known in EnvironmentSettings.model_fields])
    if not value:
        return value
    given = {name: value}
    checked = getattr(
        _validated(EnvironmentSettings, given, mend or _another, f"env.{environment}.", strict=False), name
    )
    _check_weather(environment, {**(own or {}), name: checked}, source)
    return checked


def _table(tables: Mapping[str, Any], name: str, source: Path, prefix: str = "") -> dict[str, Any]:
    table = tables.get(name, {})
    if not isinstance(table, Mapping):
        raise SettingsError(f"{prefix}{name} in {source} is not a table.", "Correct that line, or take it out.")
    return dict(table)


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = deepcopy(dict(base))
    for key, value in over.items():
        both_tables = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merge(merged[key], value) if both_tables else value
    return merged


def _holds(tables: Mapping[str, Any], key: str) -> bool:
    """Tell whether a dotted key has a value in nested tables."""
    for part in key.split("."):
        if not isinstance(tables, Mapping) or part not in tables:
            return False
        tables = tables[part]
    return True


def _nested(changes: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, value in changes.items():
        if key not in set(all_keys()):
            raise _unknown("setting", key, list(all_keys()))
        *tables, name = key.split(".")
        table = nested
        for part in tables:
            table = table.setdefault(part, {})
        table[name] = value
    return nested


def _from_variables(variables: Mapping[str, str]) -> dict[str, Any]:
    """Settings given as SENTICTL_<TABLE>_<KEY>, such as SENTICTL_TRAIN_EPOCHS=3."""
    return {key: variables[_variable(key)] for key in all_keys() if _variable(key) in variables}


def _variable(key: str) -> str:
    return f"SENTICTL_{key.replace('.', '_').upper()}"


def _changed(settings: Settings, changes: Mapping[str, Any], mend: Callable[[str], str]) -> Settings:
    """The settings with other values, by dotted key; a text is read as what the setting holds, such as a number."""
    texts = {key: value for key, value in changes.items() if isinstance(value, str)}
    others = {key: value for key, value in changes.items() if key not in texts}
    for given, strict in ((others, True), (texts, False)):
        if given:
            merged = _merge(settings.model_dump(by_alias=True), _nested(given))
            settings = _validated(Settings, merged, mend, strict=strict)
    return settings


def _validated(
    model: type[Model], values: Mapping[str, Any], mend: Callable[[str], str], prefix: str = "", *, strict: bool = True
) -> Model:
    """A model of these values; a strict one takes nothing for what it is not, such as `true` for a number.

    Args:
        model: the model's class.
        values: by its fields' names.
        mend: what to do about one that is not allowed, by its key.
        prefix: what its fields' names begin with.
        strict: whether numbers and booleans may not be given as text.
    """
    try:
        return model.model_validate(values, strict=strict)
    except ValidationError as problem:
        first = problem.errors()[0]
    key = prefix + ".".join(part for part in first["loc"] if isinstance(part, str))
    if first["type"] == "extra_forbidden":
        raise _unknown("setting", key, [*all_keys(), *TABLES, "env", "state"])
    if first["type"] == "model_type":
        raise SettingsError(f"{key} is not a table.", mend(key))
    told, value = first.get("ctx", {}), first["input"]
    if first["type"] == "contradiction":  # of two settings, told as a fault of one
        key, value = f"{key}.{told['setting']}", told["value"]
    shown, why = _shown(value), first["msg"][:1].lower() + first["msg"][1:]
    instead = told.get("instead", "")  # one that was perhaps meant
    near = f"Did you mean {instead}? " if instead else ""
    hint = near + mend(key).replace("VALUE", instead or "VALUE")
    raise SettingsError(f"The setting {key} cannot be {shown}: {why}.", hint)


def _another(key: str) -> str:
    return f"Give another value: sentictl config set {key} VALUE"


def _shown(value: Any) -> str:
    """A value as TOML has it, as far as a line of a message has room."""
    try:
        text = json.dumps(value, default=str)
    except ValueError:  # a number of thousands of digits
        return "that"
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"


def _unknown(what: str, name: str, known: list[str]) -> SettingsError:
    for key, reason in GONE.items():
        if name == key or name.endswith(f".{key}"):
            return SettingsError(f"There is no setting {name} any more: {reason}.", "Take it out of sentictl.toml.")
    name = name if len(name) <= MOST_SHOWN else f"{name[: MOST_SHOWN - 1]}…"
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {close[0]}?" if close else f"Known: {', '.join(known)}."
    return SettingsError(f"There is no {what} called {name}.", hint)
