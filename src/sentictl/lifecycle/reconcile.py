"""Bringing AWS to what the settings ask for, one resource at a time, and taking it all away again.

A resource is announced in the state before the call that creates it, and confirmed after. So a kill at any moment
leaves nothing that the next run, or `down`, would not find: names are known before the resources exist.

A plan and its execution are one walk over the resources: both read what there is and decide by `diff`. Only what is
then done with a step differs.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from botocore.exceptions import ClientError

from sentictl.aws.lookup import says_taken
from sentictl.aws.names import ID_TAG, PROJECT_TAG
from sentictl.aws.waiters import poll
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.state import Record
from sentictl.errors import AwsError, ForeignError, MissingStepError
from sentictl.lifecycle.resource import Context, LiveResource, Resource

APPEARS_SECONDS = 60  # IAM and S3 call themselves eventually consistent, and say of no longer times
TO_COME = "(known when it is made)"


class Action(StrEnum):
    """An action that a step takes on a resource. Replacing makes the new one first and deletes the old one after."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    KEEP = "keep"


@dataclass(frozen=True)
class Step:
    """One resource and what is to be done with it; `changes` gives (was, becomes) for each field that differs."""

    action: Action
    kind: str
    name: str
    changes: Mapping[str, tuple[Any, Any]]


class Observer(Protocol):
    """Told of every step, as it begins and as it ends."""

    def started(self, step: Step) -> None: ...

    def finished(self, step: Step, summary: str) -> None: ...


class Walk(Protocol):
    """The taker of the steps of a walk over the resources."""

    def bring(self, resource: Resource) -> Step: ...

    def remove(self, resource: Resource, record: Record) -> Step: ...

    def forget(self, record: Record) -> None: ...


def plan(resources: Iterable[Resource], context: Context, *, adopt: bool = False) -> list[Step]:
    """Tell what `apply` would do. Makes no call that changes anything.

    Args:
        resources: in the order in which they need each other.
        context: a rehearsal, in whose state the resources are noted as they would be.
        adopt: whether what is there and is no other project's would be taken over.

    Raises:
        SentictlError: what `apply` would raise before it changed anything.
    """
    return _walk(list(resources), context, _Rehearsal(context, adopt))


def apply(
    resources: Iterable[Resource], context: Context, observer: Observer, *, wait: bool = True, adopt: bool = False
) -> list[Step]:
    """Create, update or keep each resource in order, then delete what it took the place of.

    Args:
        resources: in the order in which they need each other.
        context: the project whose state is saved after every change.
        observer: told of every step.
        wait: False returns as soon as AWS has accepted everything, without waiting for it to be ready. What is being
            replaced stands until then.
        adopt: take over what has the name of a resource and is no other project's.

    Returns:
        The steps taken.

    Raises:
        SentictlError: a resource could not be made; everything before it stands and is recorded.
    """
    return _walk(list(resources), context, _Execution(context, observer, wait=wait, adopt=adopt), replacing=wait)


def plan_destruction(resources: Sequence[Resource], context: Context) -> list[Step]:
    """Tell what `destroy` would delete."""
    doomed = _doomed(resources, context)
    gone = [record for resource, record in doomed if not resource.left_to_others(record)]
    return [Step(Action.DELETE, record.kind, record.name, {}) for record in gone]


def destroy(resources: Sequence[Resource], context: Context, observer: Observer) -> tuple[list[Record], list[Record]]:
    """Delete everything of these kinds that is recorded, or that AWS has for the project, last made first.

    Returns:
        What was deleted, and what AWS still has of it after all.
    """
    execution = _Execution(context, observer)
    removed = []
    for resource, record in _doomed(resources, context):
        if resource.left_to_others(record):
            execution.forget(record)
        else:
            execution.remove(resource, record)
            removed.append((resource, record))
    left = [
        record
        for resource, record in removed
        # What others share with the project may be theirs again meanwhile.
        if resource.read(record.name) is not None and not resource.left_to_others(record)
    ]
    return [record for _, record in removed if record not in left], left


def remove(resource: Resource, records: Sequence[Record], context: Context, observer: Observer) -> None:
    """Delete what is recorded as these, last made first."""
    execution = _Execution(context, observer)
    for record in reversed(records):
        execution.remove(resource, record)


def import_(resources: Iterable[Resource], context: Context) -> list[Record]:
    """Record everything that AWS has for the project and that is not recorded. Returns what was recorded.

    Raises:
        ForeignError: some of it is of another project of that name.
    """
    found = [record for resource in resources for record in _unrecorded(resource, context, refuse_foreign=True)]
    for record in found:
        context.state.keep(record)
    context.config.save_state()
    return found


def claim(resources: Iterable[Resource], context: Context) -> None:
    """Put the project's id on what was recorded before the project had one."""
    if context.state.project_id:
        return
    for resource in resources:
        for record in context.state.of_kind(resource.kind) if resource.tagged else ():
            tags = resource.tags(record.name)
            if context.owns(tags):
                _complete_tags(resource, record.name, tags)
    context.state.project_id = context.settings.project.id
    context.config.save_state()


def refresh(resources: Iterable[Resource], context: Context) -> Iterator[tuple[Resource, Record, LiveResource | None]]:
    """Yield every recorded resource and what AWS has of it now, in the order of the chain."""
    for resource in resources:
        for record in context.state.of_kind(resource.kind):
            yield resource, record, resource.read(record.name)


def diff(resource: Resource, live: LiveResource | None) -> Step:
    """Decide what has to be done with a resource, given what AWS has of it. Makes no call."""
    if live is None:
        others = any(record.name != resource.name for record in resource.context.state.of_kind(resource.kind))
        action = Action.REPLACE if others and not resource.keeps_versions else Action.CREATE
        return Step(action, resource.kind, resource.name, {})
    changes = differences(resource, live)
    return Step(Action.UPDATE if changes else Action.KEEP, resource.kind, resource.name, changes)


def differences(resource: Resource, live: LiveResource) -> dict[str, tuple[Any, Any]]:
    """(is, should be) for each field in which a resource is not as the settings want it."""
    try:
        desired = resource.desired()
    except MissingStepError:
        return {field: (value, TO_COME) for field, value in live.fields.items()}
    return {
        field: (live.fields.get(field), value) for field, value in desired.items() if live.fields.get(field) != value
    }


class _Rehearsal:
    """Notes what would be there after each step. Where no account is looked at, there is nothing yet."""

    def __init__(self, context: Context, adopt: bool) -> None:
        self._state = context.state
        self._unseen = context.environment.unseen
        self._adopt = adopt

    def bring(self, resource: Resource) -> Step:
        live = resource.find()
        step = diff(resource, live)
        if not self._unseen:
            _check_ours(resource, live, adopt=self._adopt)
        attributes = dict(resource.foreseen()) | dict(live.attributes if live else {})
        self._state.keep(Record(resource.kind, resource.name, live.arn if live else TO_COME, attributes))
        return step

    def remove(self, resource: Resource, record: Record) -> Step:
        self.forget(record)
        return Step(Action.DELETE, resource.kind, record.name, {})

    def forget(self, record: Record) -> None:
        self._state.forget(record)


class _Execution:
    """Does it, and records it."""

    def __init__(self, context: Context, observer: Observer, *, wait: bool = True, adopt: bool = False) -> None:
        self._context = context
        self._observer = observer
        self._wait = wait
        self._adopt = adopt

    def bring(self, resource: Resource) -> Step:
        live = resource.find()
        step = diff(resource, live)
        self._take(resource, live)
        self._observer.started(step)
        if live is None or step.action is not Action.KEEP:
            self._context.config.store.check()
            live = self._change(resource, step)
        _confirm(resource, self._context, live)
        if self._wait:
            _confirm(resource, self._context, resource.wait_ready(live))
        self._observer.finished(step, resource.summary() if self._wait else f"{resource.name}, not waited for")
        return step

    def remove(self, resource: Resource, record: Record) -> Step:
        step = Step(Action.DELETE, record.kind, record.name, {})
        self._observer.started(step)
        # What somebody else made in the place of ours is not ours to delete. What is gone may have left something.
        if is_ours(resource, record.name) or resource.read(record.name) is None:
            self._context.config.store.check()
            resource.delete(record)
        self.forget(record)
        self._observer.finished(step, "")
        return step

    def forget(self, record: Record) -> None:
        """Drop a record, whatever AWS has of it."""
        self._context.state.forget(record)
        self._context.config.save_state()

    def _take(self, resource: Resource, live: LiveResource | None) -> None:
        tags = _check_ours(resource, live, adopt=self._adopt)
        if live is not None:
            _complete_tags(resource, resource.name, tags)

    def _change(self, resource: Resource, step: Step) -> LiveResource:
        try:
            if step.action is Action.UPDATE:
                resource.update()
            else:
                self._context.state.keep(Record(resource.kind, resource.name))
                self._context.config.save_state()
                resource.create()
        except ClientError as refusal:
            if not says_taken(refusal):
                raise
            self._finish(resource, refusal)
        return _read_again(resource)

    def _finish(self, resource: Resource, refusal: ClientError) -> None:
        """Do what is left after an answer was lost here and the repeated call met what the first had done."""
        try:
            live = _read_again(resource)
        except AwsError:
            raise refusal from None
        self._take(resource, live)
        if differences(resource, live):
            resource.update()


def _walk(resources: list[Resource], context: Context, walk: Walk, *, replacing: bool = True) -> list[Step]:
    steps = [walk.bring(resource) for resource in resources if resource.wanted]
    if not replacing:
        return steps
    superseded = [(resource, record) for resource in reversed(resources) for record in _superseded(resource, context)]
    for resource, record in superseded:
        if resource.left_to_others(record):
            walk.forget(record)
        else:
            steps.append(walk.remove(resource, record))
    return steps


def _superseded(resource: Resource, context: Context) -> list[Record]:
    if not resource.wanted:
        return context.state.of_kind(resource.kind)
    if resource.keeps_versions:
        return []
    return [record for record in context.state.of_kind(resource.kind) if record.name != resource.name]


def _doomed(resources: Sequence[Resource], context: Context) -> Iterator[tuple[Resource, Record]]:
    """Yield what is to go. Each kind is looked for when its turn has come: what went before makes no more of it.

    But for kinds that are found by another resource, which goes before they do.
    """
    found_by_others = {each: _unrecorded(each, context) for each in resources if not each.looked_for}
    for resource in reversed(resources):
        recorded = context.state.of_kind(resource.kind)
        unrecorded = found_by_others[resource] if resource in found_by_others else _unrecorded(resource, context)
        for record in reversed([*recorded, *unrecorded]):
            yield resource, record


def _unrecorded(resource: Resource, context: Context, *, refuse_foreign: bool = False) -> list[Record]:
    known = {record.name for record in context.state.of_kind(resource.kind)}
    found = []
    for name, live in resource.found(known):
        tags = resource.tags(name)
        if context.owns(tags):
            found.append(Record(resource.kind, name, live.arn, live.attributes))
        elif refuse_foreign and context.naming.named_in(tags):
            raise _foreign(resource, name, tags)
    return found


def _read_again(resource: Resource) -> LiveResource:
    """Read what was just made or changed: for some seconds AWS may know nothing of what is new."""
    found = poll(
        lambda: list(filter(None, [resource.read(resource.name)])),
        bool,
        what=f"The {resource.kind} {resource.name}",
        timeout=APPEARS_SECONDS,
    )
    return found[0]


def _confirm(resource: Resource, context: Context, live: LiveResource) -> None:
    context.state.keep(Record(resource.kind, resource.name, live.arn, live.attributes))
    context.config.save_state()


def _check_ours(resource: Resource, live: LiveResource | None, *, adopt: bool) -> Mapping[str, str]:
    """Refuse what has the name of a resource and is not the project's. Returns the tags of what is there.

    Args:
        resource: what is to be brought to what the settings ask for.
        live: what AWS has of it. What has yet to be made in something that is there would be an intruder in that.
        adopt: whether what belongs to nobody we know may be taken over.
    """
    if live is None and resource.tagged:
        return {}
    tags = resource.tags(resource.name)
    there = live is not None or bool(tags)
    if there and not resource.context.owns(tags) and not (adopt and resource.context.may_adopt(tags)):
        raise _foreign(resource, resource.name, tags)
    return tags


def _complete_tags(resource: Resource, name: str, tags: Mapping[str, str]) -> None:
    if resource.tagged and not tags.items() >= resource.context.naming.tags.items():
        resource.tag(name)


def _foreign(resource: Resource, name: str, tags: Mapping[str, str]) -> ForeignError:
    context, same_names = resource.context, resource.context.naming.named_in(tags)
    where = env_option(context.environment.name, default=LOCAL)
    hints = [f"Give this project another name: sentictl config set project.name {context.another_name}{where}"]
    if len(context.state):  # the name stays while something has it
        hints.insert(0, f"Take down what this project has: sentictl down{where}")
    if context.may_adopt(tags):
        why = "it has no project's id, and is not recorded here" if same_names else "it lacks the project's tags"
        hints.append(f"Or take that one over: sentictl up --adopt{where}")
    else:
        owner = tags[ID_TAG]
        why = f"it belongs to another project called {tags.get(PROJECT_TAG)}, with the id {owner}"
        if same_names:
            hints.append(
                f"If it is this one, whose sentictl.toml was lost: sentictl config set project.id {owner}{where}"
            )
    return ForeignError(
        f"There is a {resource.kind} called {name} already, and it is not this project's: {why}.", ". ".join(hints)
    )


def is_ours(resource: Resource, name: str) -> bool:
    """Tell whether what AWS has under a name is the project's; False where it has nothing."""
    return resource.context.owns(resource.tags(name))
