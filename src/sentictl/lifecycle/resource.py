"""The shape of a resource: something kept on AWS that can be read, compared, created, updated and deleted."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol

from sentictl.aws.environment import Environment
from sentictl.aws.names import Naming
from sentictl.config.config import Config
from sentictl.config.settings import Settings
from sentictl.config.state import Record, State
from sentictl.errors import MissingStepError


class Report(Protocol):
    """How a resource tells what it is doing while it takes long."""

    def __call__(self, what: str, done: float | None = None, total: float | None = None) -> None:
        """Say `what` is going on, and how much of it is done where that is known."""


@dataclass(frozen=True, eq=False)
class Context:
    """What a resource works with: the project, the environment on AWS, and a voice. Each is equal to itself alone."""

    config: Config
    environment: Environment
    report: Report

    @property
    def settings(self) -> Settings:
        return self.config.settings

    @property
    def state(self) -> State:
        return self.config.state

    @property
    def naming(self) -> Naming:
        return Naming(self.settings.project.name, self.environment.name, self.environment.account)

    def recorded(self, kind: str, command: str) -> Record:
        """The latest confirmed record of a kind.

        Raises:
            MissingStepError: there is none; `command` is the one that makes it.
        """
        record = self.state.latest(kind)
        if record is None:
            raise MissingStepError(
                f"There is no {kind} in the environment {self.environment.name} yet.",
                f"Make it with: sentictl {command}",
            )
        return record

    def attribute(self, kind: str, name: str, command: str) -> str:
        """What is recorded of the latest resource of a kind, such as the id of the REST API.

        Raises:
            MissingStepError: there is no such resource, or it has yet to be made.
        """
        record = self.recorded(kind, command)
        if name not in record.attributes:
            raise MissingStepError(f"The {kind} {record.name} is not made yet.", f"Make it with: sentictl {command}")
        return record.attributes[name]

    def rehearsal(self) -> "Context":
        """The same, with a copy of the state: what is changed in it is not the project's."""
        return replace(self, config=replace(self.config, state=self.state.copy()))


@dataclass(frozen=True)
class Live:
    """A resource as AWS has it.

    Args:
        arn: its ARN.
        status: AWS's own word for its state, such as "InService".
        fields: what can be compared with the settings, by name.
        attributes: what is recorded for later resources.
    """

    arn: str
    status: str = "Active"
    fields: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)


class Resource(ABC):
    """One thing kept on AWS, as the settings want it.

    Subclasses say how it is read, created, updated and deleted; when that happens is the reconciler's business.
    """

    kind: ClassVar[str]
    # Kept when a newer one takes its place, so that one can go back to it.
    keeps_versions: ClassVar[bool] = False
    # What would be lost: reviews and trained models.
    holds_data: ClassVar[bool] = False

    def __init__(self, context: Context) -> None:
        self.context = context

    @property
    @abstractmethod
    def name(self) -> str:
        """The name that follows from the settings. Reading it may prepare local files, but changes nothing on AWS."""

    @property
    def wanted(self) -> bool:
        """Whether the settings ask for this resource at all."""
        return True

    @abstractmethod
    def read(self, name: str) -> Live | None:
        """What AWS has under this name, by describe and list calls only; None if there is nothing."""

    def found(self) -> Iterable[str]:
        """The names of all there are of this kind in the project and environment, oldest first, by list calls only."""
        return [self.name] if self.read(self.name) else []

    def tags(self, name: str) -> Mapping[str, str]:  # noqa: ARG002  (not every resource has its own)
        """The tags that AWS has for it. What has none of its own belongs to the resource that it is a part of."""
        return self.context.naming.tags

    def tag(self) -> None:
        """Put the project's tags on it. Needed only by resources that have tags of their own."""
        raise NotImplementedError(f"{self.kind} cannot be tagged")

    def foreseen(self) -> Mapping[str, str]:
        """The attributes that it will have, as far as they are known before it is made."""
        return {}

    def desired(self) -> Mapping[str, Any]:
        """The fields that the settings ask for; compared with `Live.fields`. Empty for what never changes once made."""
        return {}

    @abstractmethod
    def create(self) -> None:
        """Make it under `name`. May be called again after a kill in the middle."""

    def update(self) -> None:
        """Give it the desired fields. Needed only by resources that have any."""
        raise NotImplementedError(f"{self.kind} cannot be updated")

    def wait_ready(self, live: Live) -> Live:
        """Wait until it can be used, and return what AWS has then; raises the reason if it never will be usable."""
        return live

    @abstractmethod
    def delete(self, record: Record) -> None:
        """Take it away and wait until it is gone. What is gone already is no error."""

    def summary(self) -> str:
        """Facts that a person would otherwise go and check; empty for what is a detail."""
        return ""
