"""Settings by their dotted keys, such as "train.epochs": which there are, what they are, and others in their place.

What is put in their place is checked: an unknown key, or a value that is not allowed, is told with what to do about it.
"""

import difflib
import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from sentictl.config.settings import Settings
from sentictl.errors import SettingsError

Model = TypeVar("Model", bound=BaseModel)
MOST_SHOWN = 80  # characters of a value in a message
OF_ALL_LOGS = "how long all logs are kept is logs.days"
GONE = {  # settings that there were
    "train.ngram_epochs": "the linear part is trained until it fits",
    "deploy.log_days": OF_ALL_LOGS,
    "lambda.log_days": OF_ALL_LOGS,
}


def _tables(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, info in model.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            key = f"{prefix}{info.alias or name}"
            yield key, info
            yield from _tables(kind, f"{key}.")


# Every table of settings by its dotted name, each followed by those within it, in the order of the models.
TABLES = dict(_tables(Settings))


def all_keys() -> Iterator[str]:
    """Every setting's dotted key, by table."""
    for table_name, info in TABLES.items():
        table: Any = info.annotation  # a class, as every table is declared with one
        keys = (f"{table_name}.{name}" for name in table.model_fields)
        yield from (key for key in keys if key not in TABLES)


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
            raise unknown("setting", key, list(all_keys()))
        found = getattr(found, names[part])
    return found.model_dump() if isinstance(found, BaseModel) else found


def with_values(settings: Settings, changes: Mapping[str, Any], mend: Callable[[str], str]) -> Settings:
    """The settings with other values, by dotted key; a text is read as what the setting holds, such as a number."""
    if not changes:
        return settings
    known, meant, read = set(all_keys()), dict(changes), True
    for key in [key for key, value in changes.items() if key in known and isinstance(value, str)]:
        try:
            meant[key] = _meant(key, changes[key])
        except ValidationError:
            read = False  # and is refused with the others
    merged = merge(settings.model_dump(by_alias=True), _nested(meant))
    return validated(Settings, merged, mend, strict=read)


def _meant(key: str, text: str) -> Any:
    """What a text says, as the setting holds it.

    Raises:
        ValidationError: it says nothing of that kind.
    """
    table, _, name = key.rpartition(".")
    model: Any = TABLES[table].annotation  # a class, as in `all_keys`
    return TypeAdapter(model.model_fields[name].rebuild_annotation()).validate_python(text)


def validated(
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
        raise unknown("setting", key, [*all_keys(), *TABLES, "env", "state"])
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


def from_variables(variables: Mapping[str, str]) -> dict[str, Any]:
    """Settings given as SENTICTL_<TABLE>_<KEY>, such as SENTICTL_TRAIN_EPOCHS=3."""
    return {key: variables[variable(key)] for key in all_keys() if variable(key) in variables}


def give_another(key: str) -> str:
    return f"Give another value: sentictl config set {key} VALUE"


def unknown(what: str, name: str, known: list[str]) -> SettingsError:
    for key, reason in GONE.items():
        if name == key or name.endswith(f".{key}"):
            return SettingsError(f"There is no setting {name} any more: {reason}.", "Take it out of sentictl.toml.")
    name = name if len(name) <= MOST_SHOWN else f"{name[: MOST_SHOWN - 1]}…"
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {close[0]}?" if close else f"Known: {', '.join(known)}."
    return SettingsError(f"There is no {what} called {name}.", hint)


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = deepcopy(dict(base))
    for key, value in over.items():
        both_tables = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = merge(merged[key], value) if both_tables else value
    return merged


def holds(tables: Mapping[str, Any], key: str) -> bool:
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
            raise unknown("setting", key, list(all_keys()))
        *tables, name = key.split(".")
        table = nested
        for part in tables:
            table = table.setdefault(part, {})
        table[name] = value
    return nested


def variable(key: str) -> str:
    return f"SENTICTL_{key.replace('.', '_').upper()}"


def _shown(value: Any) -> str:
    """A value as TOML has it, as far as a line of a message has room."""
    try:
        text = json.dumps(value, default=str)
    except ValueError:  # a number of thousands of digits
        return "that"
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"
