"""The state: which resources of one environment sentictl made or was about to make, in the order it made them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sentictl.assets.installed import update_advice
from sentictl.errors import DamagedStateError, StateError

STATE_VERSION = 3
# Version 1 recorded neither account nor region, version 2 neither region nor project_id.
KNOWN_KEYS = {"version", "account", "region", "project_id", "resources"}
REGIONAL_ARN = re.compile(r"arn:[^:]+:[^:]+:(?P<region>[^:]+):")


@dataclass(frozen=True)
class Record:
    """One resource on AWS.

    Args:
        kind: what it is, such as "endpoint".
        name: its name on AWS; follows from project + environment (+ a digest for what is immutable).
        arn: its ARN; empty while its creation was announced but not yet confirmed.
        attributes: what later resources need of it, such as a training job's artifact. In the file they stand beside
            kind, name and arn, so none of them is called like that.
    """

    kind: str
    name: str
    arn: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


class State:
    """The records of one environment, kept in order of creation; a record is known by kind and name.

    Args:
        records: what is recorded, oldest first.
        account: the id of the AWS account it is in; empty until the first command that connects learns it.
        region: the AWS region it is in; empty until the first command that connects.
        project_id: the project's id, which the resources carry; empty where they were made before there were ids.
    """

    def __init__(
        self, records: Iterable[Record] = (), account: str = "", region: str = "", project_id: str = ""
    ) -> None:
        self._records = {(record.kind, record.name): record for record in records}
        self.account = account
        self.region = region
        self.project_id = project_id

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records.values())

    def __len__(self) -> int:
        return len(self._records)

    def __contains__(self, record: Record) -> bool:
        return (record.kind, record.name) in self._records

    def copy(self) -> "State":
        """The same records, account, region and project, to be changed apart from these."""
        return State(self, self.account, self.region, self.project_id)

    def of_kind(self, kind: str) -> list[Record]:
        """All records of a kind, oldest first."""
        return [record for record in self if record.kind == kind]

    def latest(self, kind: str) -> Record | None:
        """The newest confirmed record of a kind, or None."""
        confirmed = [record for record in self.of_kind(kind) if record.arn]
        return confirmed[-1] if confirmed else None

    def keep(self, record: Record) -> None:
        """Add a record as the latest of its kind, in place of one with the same kind and name."""
        newest = self.of_kind(record.kind)[-1:]
        if [each.name for each in newest] != [record.name]:
            self.forget(record)
        self._records[record.kind, record.name] = record  # the latest stays in its place: nothing to write anew

    def amend(self, record: Record) -> None:
        """Put a record in the place of the one with the same kind and name, which stays where it is in the order."""
        self._records[record.kind, record.name] = record

    def forget(self, record: Record) -> None:
        """Drop a record. Dropping what is not there changes nothing."""
        self._records.pop((record.kind, record.name), None)

    def to_toml(self) -> dict[str, Any]:
        """The state as the plain tables of `[state.<environment>]`."""
        return {
            "version": STATE_VERSION,
            "account": self.account,
            "region": self.region,
            "project_id": self.project_id,
            "resources": [{"kind": r.kind, "name": r.name, "arn": r.arn, **r.attributes} for r in self],
        }

    @classmethod
    def from_toml(cls, table: Mapping[str, Any], where: str = "the state") -> "State":
        """Read what `to_toml` of this version or an older one wrote.

        Args:
            table: the table `[state.<environment>]`.
            where: what an error calls it.

        Raises:
            DamagedStateError: not in the shape that sentictl writes; the message says why.
            StateError: of a newer version.
        """
        version = table.get("version")
        if type(version) is int and version > STATE_VERSION:
            raise StateError(
                f"{where} has version {version}; this sentictl reads up to version {STATE_VERSION}.",
                update_advice(),
            )
        try:
            return cls._from_valid(table)
        except ValueError as problem:
            raise DamagedStateError(
                f"{where} is damaged: {problem}.",
                "Correct it or restore the file from version control; or rebuild the state from what AWS has, "
                "in the same environment: sentictl import",
            ) from None

    @classmethod
    def _from_valid(cls, table: Mapping[str, Any]) -> "State":
        version, entries = table.get("version"), table.get("resources")
        texts = {key: table.get(key, "") for key in ("account", "region", "project_id")}
        _check(type(version) is int and version > 0, "its version is not a whole number from 1")
        for key, text in texts.items():
            _check(isinstance(text, str), f"its {key} is not a text")
        _check(isinstance(entries, list), "its resources are not a list of tables")
        unknown = sorted(table.keys() - KNOWN_KEYS)
        _check(not unknown, f"{''.join(unknown[:1])} means nothing in it")
        state = cls((), **texts)
        for number, entry in enumerate(entries or (), 1):
            record = _record(entry, f"resource {number}")
            _check(record not in state, f"resource {number} ({record.kind} {record.name}) is recorded twice")
            state.keep(record)
        state.region = state.region or _region_of(state)
        return state


def _region_of(state: State) -> str:
    """Return the region in which older versions recorded resources; empty where no ARN tells: S3's and IAM's do not."""
    matches = (REGIONAL_ARN.match(record.arn) for record in state)
    return next((found["region"] for found in matches if found), "")


def _record(entry: Any, what: str) -> Record:
    _check(isinstance(entry, Mapping), f"{what} is not a table")
    values = dict(entry)
    for key, value in values.items():
        _check(isinstance(value, str), f"{key} of {what} is not a text")
    kind, name, arn = (values.pop(key, "") for key in ("kind", "name", "arn"))
    _check(bool(kind), f"{what} has no kind")
    _check(bool(name), f"{what} has no name")
    return Record(kind, name, arn, values)


def _check(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
