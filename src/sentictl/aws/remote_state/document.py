"""The object that holds a state: the records, and who changed them, when, from where and by which command."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sentictl.assets.installed import update_advice
from sentictl.aws.remote_state.signature import Signature
from sentictl.config.state import State
from sentictl.errors import DamagedStateError, ForeignError, StateError

FORMAT = 1
MOST_CHANGES = 200  # that one object remembers; the ones before are in its older versions
MOVED = "state move"


@dataclass(frozen=True)
class Change:
    """What one run of a command changed.

    Args:
        run: the id of its lease.
        who: as in a signature.
        user: as in a signature.
        where: as in a signature.
        command: as in a signature.
        when: the time of its last write, by S3's clock, in UTC.
        serial: the number of that write.
        added: the records that there were not before, each as "kind name".
        changed: those that say something else than before.
        removed: those that are no more.
    """

    run: str
    who: str
    user: str
    where: str
    command: str
    when: str
    serial: int
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class StateDocument:
    """A state with its history.

    Args:
        lineage: by chance; the same as long as each follows from the one before.
        serial: how often it was written.
        project: the project's name.
        project_id: the project's id.
        environment: the environment's name.
        state: the records.
        changes: newest first.
        closed: where the state was moved to; empty where it is here.
    """

    lineage: str
    serial: int
    project: str
    project_id: str
    environment: str
    state: State
    changes: tuple[Change, ...] = ()
    closed: str = ""

    @classmethod
    def begun(cls, project: str, project_id: str, environment: str) -> "StateDocument":
        """Return one without records, of a lineage of its own."""
        return cls(uuid.uuid4().hex, 0, project, project_id, environment, State())

    def followed(
        self, state: State, signed: Signature, run: str, when: str, base: Mapping[str, Any], closed: str = ""
    ) -> "StateDocument":
        """Return what comes after it.

        Args:
            state: the records from now on.
            signed: who changes them.
            run: the id of the lease under which that is done. What one run changes is one change.
            when: S3's time.
            base: the records as that run found them, as `entries` gives them.
            closed: where the state moves to; empty where it stays here.
        """
        now, serial = entries(state), self.serial + 1
        change = Change(
            run,
            **asdict(signed),
            when=when,
            serial=serial,
            added=tuple(name for name in now if name not in base),
            changed=tuple(name for name in now if name in base and now[name] != base[name]),
            removed=tuple(name for name in base if name not in now),
        )
        before = tuple(each for each in self.changes if each.run != run)
        changes = (change, *before)[:MOST_CHANGES]
        return replace(self, serial=serial, state=state.copy(), changes=changes, closed=closed)

    def to_json(self) -> bytes:
        """Write it as the object's content."""
        document = {
            "format": FORMAT,
            "lineage": self.lineage,
            "serial": self.serial,
            "project": self.project,
            "project_id": self.project_id,
            "environment": self.environment,
            "closed": self.closed,
            "changes": [asdict(change) for change in self.changes],
            "state": self.state.to_toml(),
        }
        return json.dumps(document, indent=1).encode()

    @classmethod
    def from_json(cls, body: bytes, where: str) -> "StateDocument":
        """Read what `to_json` wrote.

        Args:
            body: the content.
            where: what an error calls it.

        Raises:
            DamagedStateError: it is not in that form.
            StateError: it is of a newer version.
        """
        try:
            return cls._from_valid(json.loads(body), where)
        except (ValueError, TypeError, KeyError) as problem:
            raise DamagedStateError(
                f"{where} is damaged: {type(problem).__name__}: {problem}.",
                "Put an older version of it back (S3 keeps them), or rebuild the state from what AWS has: "
                "sentictl import",
            ) from None

    @classmethod
    def _from_valid(cls, document: Mapping[str, Any], where: str) -> "StateDocument":
        if document["format"] > FORMAT:
            raise StateError(
                f"{where} has format {document['format']}; this sentictl reads up to format {FORMAT}.", update_advice()
            )
        texts = {key: _text(document[key]) for key in ("lineage", "project", "project_id", "environment", "closed")}
        return cls(
            serial=int(document["serial"]),
            state=State.from_toml(document["state"], where),
            changes=tuple(_change(each) for each in document["changes"]),
            **texts,
        )

    def check_of(self, project: str, project_id: str, environment: str, where: str) -> None:
        """Refuse the state of another project or environment.

        Raises:
            ForeignError: it is one.
        """
        mine = (project, environment, project_id or self.project_id)
        if (self.project, self.environment, self.project_id or project_id) != mine:
            raise ForeignError(
                f"{where} is the state of the project {self.project} ({self.project_id or 'without an id'}) in "
                f"{self.environment}, not this one's.",
                "Name another prefix for this project, such as: sentictl config set project.state "
                f"s3://BUCKET/{project}",
            )


def entries(state: State) -> dict[str, Any]:
    """Return a state's records as they can be compared, by "kind name"."""
    return {f"{each.kind} {each.name}": (each.arn, dict(each.attributes)) for each in state}


def _change(entry: Mapping[str, Any]) -> Change:
    lists = {key: tuple(entry[key]) for key in ("added", "changed", "removed")}
    return Change(**{**{field.name: entry[field.name] for field in fields(Change)}, **lists})


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a text")
    return value
