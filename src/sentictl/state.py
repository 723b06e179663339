"""What sentictl recorded of one environment: the resources it made or was about to make, in the order it made them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sentictl.errors import StateError

STATE_VERSION = 1


@dataclass(frozen=True)
class Record:
    """One resource on AWS.

    Args:
        kind: what it is, such as "endpoint".
        name: its name on AWS; follows from project + environment (+ a digest for what is immutable).
        arn: its ARN; empty while its creation was announced but not yet confirmed.
        attributes: what later resources need of it, such as a training job's artifact.
    """

    kind: str
    name: str
    arn: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


class State:
    """The records of one environment, kept in order of creation; a record is known by kind and name."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._records = {(record.kind, record.name): record for record in records}

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records.values())

    def __len__(self) -> int:
        return len(self._records)

    def of_kind(self, kind: str) -> list[Record]:
        """All records of a kind, oldest first."""
        return [record for record in self if record.kind == kind]

    def latest(self, kind: str) -> Record | None:
        """The newest confirmed record of a kind, or None."""
        confirmed = [record for record in self.of_kind(kind) if record.arn]
        return confirmed[-1] if confirmed else None

    def keep(self, record: Record) -> None:
        """Add a record as the latest of its kind, in place of one with the same kind and name."""
        self.forget(record)
        self._records[record.kind, record.name] = record

    def forget(self, record: Record) -> None:
        """Drop a record. Dropping what is not there changes nothing."""
        self._records.pop((record.kind, record.name), None)

    def to_toml(self) -> dict[str, Any]:
        """The state as the plain tables of `[state.<environment>]`."""
        return {
            "version": STATE_VERSION,
            "resources": [{"kind": r.kind, "name": r.name, "arn": r.arn, **dict(r.attributes)} for r in self],
        }

    @classmethod
    def from_toml(cls, table: Mapping[str, Any]) -> "State":
        """Read what `to_toml` wrote.

        Raises:
            StateError: another version, or not in the shape that sentictl writes.
        """
        version = table.get("version", STATE_VERSION)
        if version != STATE_VERSION:
            raise StateError(
                f"The recorded state has version {version}; this sentictl reads version {STATE_VERSION}.",
                "Update sentictl: pip install --upgrade sentictl",
            )
        return cls(_record(entry) for entry in table.get("resources", []))


def _record(entry: Mapping[str, Any]) -> Record:
    values = {str(key): str(value) for key, value in entry.items()}
    try:
        return Record(values.pop("kind"), values.pop("name"), values.pop("arn", ""), values)
    except KeyError as missing:
        raise StateError(
            f"A recorded resource has no {missing}.", "Restore sentictl.toml from version control or a backup."
        ) from None
