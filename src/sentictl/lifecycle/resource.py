"""The shape of a resource: something kept on AWS that can be read, compared, created, updated and deleted."""

import re
from abc import ABC, abstractmethod
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol

from sentictl.aws.environment import Environment
from sentictl.aws.names import ID_TAG, Naming, digest_of
from sentictl.config.config import Config
from sentictl.config.identity import with_suffix
from sentictl.config.settings import Settings
from sentictl.config.state import Record, State
from sentictl.errors import MissingStepError
from sentictl.lifecycle.cost import Machines, Use

MISSING = "Missing"  # the state of what is recorded, and gone
Entries = dict[str, dict[str, Any]]  # of a CloudFormation template, by logical id


class Report(Protocol):
    """How a resource tells what it is doing while it takes long."""

    def __call__(self, what: str, done: float | None = None, total: float | None = None) -> None:
        """Say `what` is going on, and how much of it is done where that is known."""


@dataclass(frozen=True, eq=False)
class Context:
    """The project, the environment on AWS and a voice, for resources to work with. Each is equal to itself alone."""

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
        project = self.settings.project
        return Naming(project.name, self.environment.name, self.environment.account, project.id)

    def owns(self, tags: Mapping[str, str]) -> bool:
        """Tell whether what carries these tags is the project's in this environment.

        What has the right names and no id is the project's as long as that itself has just begun to have one.
        """
        marked = tags.get(ID_TAG, "")
        mine = marked == self.settings.project.id or (not marked and self.config.before_ids)
        return mine and self.naming.named_in(tags)

    def may_adopt(self, tags: Mapping[str, str]) -> bool:
        """Tell whether what carries these tags can be taken over: it is of no other project, as far as they say."""
        return tags.get(ID_TAG, "") in ("", self.settings.project.id)

    @property
    def another_name(self) -> str:
        """A name that the project can take where another project has its own."""
        project = self.settings.project
        return with_suffix(project.name, project.id[:4] or digest_of(str(self.config.folder.root))[:4])

    def recorded(self, resource: "type[Resource]") -> Record:
        """Return the latest confirmed record of a kind of resource.

        Raises:
            MissingStepError: there is none; it names the command that makes one.
        """
        record = self.state.latest(resource.kind)
        if record is None:
            raise MissingStepError(
                f"There is no {resource.kind} in the environment {self.environment.name} yet.",
                f"Make it with: sentictl {resource.command}",
            )
        return record

    def attribute(self, resource: "type[Resource]", name: str) -> str:
        """Return an attribute that is recorded of the latest resource of a kind, such as the id of the REST API.

        Raises:
            MissingStepError: there is no such resource, or it has yet to be made.
        """
        record = self.recorded(resource)
        if name not in record.attributes:
            raise MissingStepError(
                f"The {resource.kind} {record.name} is not made yet.", f"Make it with: sentictl {resource.command}"
            )
        return record.attributes[name]

    def rehearsal(self) -> "Context":
        """Return the same with a copy of the state: what is changed in it is not the project's."""
        return replace(self, config=self.config.rehearsal())


@dataclass(frozen=True)
class LiveResource:
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


@dataclass(frozen=True)
class Actions:
    """The IAM actions that a kind of resource takes, by step, each step's parted by spaces.

    Whoever changes a resource reads it, too. Replacing one is creating another.
    """

    read: str
    create: str = ""
    update: str = ""
    delete: str = ""
    unscoped: str = ""  # those of them that AWS allows on everything or not at all

    def of(self, step: str) -> set[str]:
        """Return the actions that a step takes; what is kept is only read."""
        taken = {"create": self.create, "replace": self.create, "update": self.update, "delete": self.delete}
        return {*self.read.split(), *taken.get(step, "").split()}

    @property
    def changes(self) -> set[str]:
        """The actions of every step that changes something, without reading."""
        return {*self.create.split(), *self.update.split(), *self.delete.split()}


class Resource(ABC):
    """One thing kept on AWS, as the settings want it.

    Subclasses say how it is read, created, updated and deleted; when that happens is the reconciler's business. They
    also say all that others have to know of it: what it needs, what it costs, how it is shown and exported.
    """

    kind: ClassVar[str]
    # The command that makes it, and so brings it back or mends it.
    command: ClassVar[str]
    # The one of its command's resources that a person has in mind, and that the next command needs.
    face: ClassVar[bool] = False
    # What `down` calls it, together with its command's other resources, where they can be taken down by themselves.
    removed_as: ClassVar[str] = ""
    # Kept when a newer one takes its place, so that one can go back to it.
    keeps_versions: ClassVar[bool] = False
    # What would be lost: reviews and trained models.
    holds_data: ClassVar[bool] = False
    # What was logged, which goes by itself after the days that logs are kept.
    holds_logs: ClassVar[bool] = False
    # Stands beside the chain, which leaves it alone. Of its permissions the chain's commands need those to read it.
    optional: ClassVar[bool] = False
    # Looked for whenever one asks what there is; False where another resource has to be found first.
    looked_for: ClassVar[bool] = True
    # Looked for, and allowed by the policy of whoever runs the commands, only where the settings ask for it.
    on_request: ClassVar[bool] = False
    # The IAM actions that it takes.
    actions: ClassVar[Actions]
    # AWS's words for its state that need no mending.
    healthy: ClassVar[frozenset[str]] = frozenset({"Active"})
    # Whether its state is worth a word while it is healthy.
    tells_state: ClassVar[bool] = False
    # Whether a CloudFormation template can hold it.
    in_template: ClassVar[bool] = True
    # Where an ARN of this kind has the name, as a group "name"; empty where AWS lists none by ARN.
    arn_pattern: ClassVar[str] = ""
    # Whether it has tags of its own. What has none belongs to what it is kept in, and has its tags.
    tagged: ClassVar[bool] = True
    # The attribute that others name it by, and what CloudFormation calls that.
    named_by: ClassVar[tuple[str, str] | None] = None

    def __init__(self, context: Context) -> None:
        self.context = context

    @property
    @abstractmethod
    def name(self) -> str:
        """The name that follows from the settings. Reading it may prepare local files, but makes no call."""

    @property
    def wanted(self) -> bool:
        """Whether the settings ask for this resource at all."""
        return True

    @property
    def gone_as(self) -> str:
        """The word for its state where it is recorded and AWS has none; any other than MISSING needs no mending."""
        return MISSING

    @abstractmethod
    def read(self, name: str) -> LiveResource | None:
        """Return what AWS has under this name, by describe and list calls only; None if there is nothing."""

    def find(self) -> LiveResource | None:
        """Return what AWS has under the name that the settings ask for, by describe and list calls only.

        Comes before all that needs the name: some can be known only by looking which are taken.
        """
        return None if self.context.environment.unseen else self.read(self.name)

    def found(self, known: Container[str] = ()) -> Iterable[tuple[str, LiveResource]]:
        """Yield all there are of this kind in the project and environment, oldest first, each with its name.

        Args:
            known: the names that need not be looked for.
        """
        looked_for = self.wanted or not self.on_request
        if looked_for and self.name not in known and (live := self.read(self.name)):
            yield self.name, live

    def is_gone(self, arn: str) -> bool:
        """Tell whether an ARN is that of a resource of this kind which is not there any more."""
        found = re.search(self.arn_pattern, arn) if self.arn_pattern else None
        return found is not None and self.read(found["name"]) is None

    @abstractmethod
    def tags(self, name: str) -> Mapping[str, str]:
        """Return the tags that AWS has for it, or for what it is kept in; none where that is gone."""

    def tag(self, name: str) -> None:
        """Put the project's tags on it; others that it has stay. Needed only by what has tags of its own."""
        raise NotImplementedError(f"{self.kind} {name} cannot be tagged")

    def foreseen(self) -> Mapping[str, str]:
        """Return the attributes that it will have, as far as they are known before it is made."""
        return {}

    def desired(self) -> Mapping[str, Any]:
        """Return the fields that the settings ask for, as a live one has them; none if they never change."""
        return {}

    @abstractmethod
    def create(self) -> None:
        """Make it under `name`. May be called again after a kill in the middle."""

    def update(self) -> None:
        """Give it the desired fields. Needed only by resources that have any."""
        raise NotImplementedError(f"{self.kind} cannot be updated")

    def wait_ready(self, live: LiveResource) -> LiveResource:
        """Wait until it can be used, and return what AWS has then; raises the reason if it never will be usable."""
        return live

    @abstractmethod
    def delete(self, record: Record) -> None:
        """Take it away and wait until it is gone. What is gone already is no error."""

    def left_to_others(self, record: Record) -> bool:  # noqa: ARG002  (most are of one project alone)
        """Tell whether others of the account need it, so that `down` leaves it and only forgets it."""
        return False

    def summary(self) -> str:
        """Return facts that a person would otherwise go and check; empty for what is a detail."""
        return ""

    def facts(self, record: Record) -> Sequence[str]:
        """Return what the picture of what stands tells of it: first its name, or where it is. Makes no call."""
        return [record.name]

    def scope(self, action: str) -> Sequence[str]:  # noqa: ARG002  (not every resource has ARNs of its own)
        """Return the ARNs that an IAM action is limited to on account of it; none for an action of other services."""
        return []

    def machines(self) -> Machines | None:
        """Return the machines that are paid by the hour; None where there are none."""
        return None

    def uses(self) -> Sequence[Use]:
        """Return what is paid by use of it."""
        return []

    def cloudformation(self) -> Entries:
        """Return the entries under `Resources` of a CloudFormation template that make it up, all values as they stand.

        Needed only by what can stand in one.
        """
        raise NotImplementedError(f"{self.kind} cannot be written as CloudFormation")

    def entry(self, type_name: str, properties: Mapping[str, Any], after: Sequence[str] = ()) -> Entries:
        """Return one tagged entry of a CloudFormation template, under the resource's logical id.

        Args:
            type_name: CloudFormation's name of the type, such as "AWS::IAM::Role".
            properties: of that type, without the tags.
            after: the logical ids of what has to be made before, where no reference says so.
        """
        order = {"DependsOn": list(after)} if after else {}
        tagged = {**properties, "Tags": self.context.naming.tag_list()}
        return {self.logical_id: {"Type": type_name, **order, "Properties": tagged}}

    @property
    def logical_id(self) -> str:
        """Its name within a CloudFormation template."""
        return type(self).__name__
