"""A project: its folder, its settings in one environment, and what was recorded there.

`sentictl.toml` is edited by people and by sentictl alike. Every write reads the file again, changes only its own keys,
keeps comments and order (tomlkit), and replaces the file atomically; commands that change something hold a lock.
"""

import contextlib
import difflib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, TypeVar

import tomlkit
from pydantic import BaseModel, ValidationError
from tomlkit.exceptions import TOMLKitError

from sentictl.errors import SettingsError, StateError
from sentictl.files import write_atomically
from sentictl.folder import ProjectFolder
from sentictl.settings import EnvironmentSettings, Settings
from sentictl.state import State

Model = TypeVar("Model", bound=BaseModel)
LOCAL = "local"
TABLES = {info.alias or name: info for name, info in Settings.model_fields.items()}


@dataclass
class Project:
    """A loaded project.

    Args:
        folder: where it lives.
        environment: the environment the settings and the state are for.
        settings: all settings, with the environment's overrides and SENTICTL_* variables applied.
        placement: the environment's own settings: region, profile.
        state: what was recorded in that environment.
    """

    folder: ProjectFolder
    environment: str
    settings: Settings
    placement: EnvironmentSettings
    state: State = field(default_factory=State)

    def __post_init__(self) -> None:
        self._saved = self.state.to_toml()

    @classmethod
    def load(cls, folder: ProjectFolder, environment: str = LOCAL) -> "Project":
        """Read `sentictl.toml`.

        Raises:
            SettingsError: not TOML, an unknown key, a value that is not allowed, or an unknown environment.
            StateError: the recorded state is not readable.
        """
        document = _read(folder).unwrap()
        base = {key: value for key, value in document.items() if key not in ("env", "state")}
        environments = document.get("env", {})
        if environment != LOCAL and environment not in environments:
            raise _unknown("environment", environment, [LOCAL, *environments])
        overrides = dict(environments.get(environment, {}))
        placement = {key: overrides.pop(key) for key in EnvironmentSettings.model_fields if key in overrides}
        merged = _merge(_merge(base, overrides), _from_variables(os.environ))
        return cls(
            folder,
            environment,
            _validated(Settings, merged),
            _validated(EnvironmentSettings, placement),
            State.from_toml(document.get("state", {}).get(environment, {})),
        )

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
        self.settings = _validated(Settings, _merge(before.model_dump(by_alias=True), _nested(changes)))
        values = {key: get(self.settings, key) for key in changes}
        return {key: value for key, value in values.items() if value != get(before, key)}

    def write(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Write settings to `sentictl.toml`; in another environment than `local`, as that environment's override.

        Returns:
            What was written, by the key as the file has it.
        """
        prefix = "" if self.environment == LOCAL else f"env.{self.environment}."
        written = {prefix + key: value for key, value in changes.items()}
        if written:
            document = _read(self.folder)
            for key, value in written.items():
                _put(document, key, value)
            _write(self.folder, document)
        return written

    def set(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change settings and write those that differ, as `change` and `write` do."""
        return self.write(self.change(changes))

    def save_state(self) -> None:
        """Record the state, if it changed since it was loaded or saved last.

        Raises:
            StateError: the file cannot be written; it is as it was before.
        """
        current = self.state.to_toml()
        if current == self._saved:
            return
        document = _read(self.folder)
        if len(self.state):
            _put_state(document, self.environment, current)
        else:
            _drop_state(document, self.environment)
        _write(self.folder, document)
        self._saved = current

    def stands_somewhere(self) -> bool:
        """Whether anything is recorded in any environment."""
        return bool(_read(self.folder).get("state"))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the project's lock, so that no other command changes the project meanwhile.

        Raises:
            StateError: another command holds it; the message says which.
        """
        self.folder.cache.mkdir(parents=True, exist_ok=True)
        with self.folder.lock_file.open("a+", encoding="utf-8") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                stream.seek(0)
                holder = stream.read() or "unknown"
                raise StateError(
                    f"Another sentictl command is changing this project (process {holder}).",
                    "Wait until it is done, then run this again.",
                ) from None
            stream.truncate(0)
            stream.write(str(os.getpid()))
            stream.flush()
            yield


def get(settings: Settings, key: str) -> Any:
    """The value of a dotted key, such as "train.epochs", or a whole table as a dict.

    Raises:
        SettingsError: there is no such key.
    """
    table_name, _, name = key.partition(".")
    if table_name not in TABLES:
        raise _unknown("setting", key, list(all_keys()))
    table: BaseModel = getattr(settings, table_name if table_name in Settings.model_fields else f"{table_name}_")
    if not name:
        return table.model_dump()
    if name not in type(table).model_fields:
        raise _unknown("setting", key, list(all_keys()))
    return getattr(table, name)


def all_keys() -> Iterator[str]:
    """Every setting's dotted key, in the order of the models."""
    for table_name, info in TABLES.items():
        table: Any = info.annotation  # a class, as every field of Settings is declared with one
        yield from (f"{table_name}.{name}" for name in table.model_fields)


def _read(folder: ProjectFolder) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(folder.settings_file.read_text(encoding="utf-8"))
    except (TOMLKitError, UnicodeDecodeError) as problem:
        raise SettingsError(f"{folder.settings_file} is not valid TOML: {problem}", "Correct that line.") from None
    except OSError as problem:
        raise SettingsError(
            f"{folder.settings_file} cannot be read: {problem.strerror}.", "Write one with: sentictl init"
        ) from None


def _write(folder: ProjectFolder, document: tomlkit.TOMLDocument) -> None:
    try:
        write_atomically(folder.settings_file, tomlkit.dumps(document).encode())
    except OSError as problem:
        raise StateError(
            f"{folder.settings_file} cannot be written: {problem.strerror}. It is as it was before.",
            "Make room or make the folder writable, then run this again: it goes on from here.",
        ) from None


def _put(document: tomlkit.TOMLDocument, key: str, value: Any) -> None:
    *tables, name = key.split(".")
    table: Any = document
    for part in tables:
        if part not in table:
            table[part] = tomlkit.table(is_super_table=part != tables[-1])
        table = table[part]
    table[name] = value


def _put_state(document: tomlkit.TOMLDocument, environment: str, state: Mapping[str, Any]) -> None:
    if "state" not in document:
        document["state"] = tomlkit.table(is_super_table=True)
    table = tomlkit.table()
    table["version"] = tomlkit.item(state["version"]).comment("recorded by sentictl, not for editing")
    resources = tomlkit.aot()
    for resource in state["resources"]:
        resources.append(tomlkit.item(resource))
    table["resources"] = resources
    states: Any = document["state"]
    states[environment] = table


def _drop_state(document: tomlkit.TOMLDocument, environment: str) -> None:
    states: Any = document.get("state", {})
    states.pop(environment, None)
    if "state" in document and not states:
        del document["state"]


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = deepcopy(dict(base))
    for key, value in over.items():
        both_tables = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merge(merged[key], value) if both_tables else value
    return merged


def _nested(changes: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, value in changes.items():
        if key not in set(all_keys()):
            raise _unknown("setting", key, list(all_keys()))
        table, name = key.split(".")
        nested.setdefault(table, {})[name] = value
    return nested


def _from_variables(variables: Mapping[str, str]) -> dict[str, Any]:
    """Settings given as SENTICTL_<TABLE>_<KEY>, such as SENTICTL_TRAIN_EPOCHS=3."""
    by_name = {f"SENTICTL_{key.replace('.', '_').upper()}": key for key in all_keys()}
    return _nested({key: variables[name] for name, key in by_name.items() if name in variables})


def _validated(model: type[Model], values: Mapping[str, Any]) -> Model:
    try:
        return model.model_validate(values)
    except ValidationError as problem:
        first = problem.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = [*all_keys(), *TABLES, "env", "state"]
            raise _unknown("setting", key, known) from None
        shown = json.dumps(first["input"], default=str)
        raise SettingsError(
            f"The setting {key} cannot be {shown}: {first['msg'].lower()}.",
            f"Change it with: sentictl config set {key} VALUE",
        ) from None


def _unknown(what: str, name: str, known: list[str]) -> SettingsError:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {close[0]}?" if close else f"Known: {', '.join(known)}."
    return SettingsError(f"There is no {what} called {name}.", hint)
