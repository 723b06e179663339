"""Bringing AWS to what the settings ask for, one resource at a time, and taking it all away again.

A resource is announced in the state before the call that creates it, and confirmed after. So a kill at any moment
leaves nothing that the next run, or `down`, would not find: names are known before the resources exist.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from sentictl.lifecycle.resource import Context, Live, Resource
from sentictl.state import Record


class Action(StrEnum):
    """What a step does to a resource. Replacing makes the new one first and deletes the old one after."""

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


def apply(resources: Iterable[Resource], context: Context, observer: Observer, *, wait: bool = True) -> list[Step]:
    """Create, update or keep each resource in order, then delete what it took the place of.

    Args:
        resources: in the order in which they need each other.
        context: the project whose state is saved after every change.
        observer: told of every step.
        wait: False returns as soon as AWS has accepted everything, without waiting for it to be ready.

    Returns:
        The steps taken.

    Raises:
        SentictlError: a resource could not be made; everything before it stands and is recorded.
    """
    resources = list(resources)
    steps = [_bring(resource, context, observer, wait=wait) for resource in resources if resource.wanted]
    if not wait:
        return steps  # what is being replaced is still in use
    superseded = [(resource, record) for resource in reversed(resources) for record in _superseded(resource, context)]
    return steps + [_remove(resource, record, context, observer) for resource, record in superseded]


def destroy(resources: Sequence[Resource], context: Context, observer: Observer) -> tuple[list[Step], list[Record]]:
    """Delete everything that is recorded for these kinds of resources, last made first.

    Returns:
        The steps taken, and the records of what AWS still has after all.
    """
    doomed = [
        (resource, record)
        for resource in reversed(resources)
        for record in reversed(context.state.of_kind(resource.kind))
    ]
    steps = [_remove(resource, record, context, observer) for resource, record in doomed]
    return steps, [record for resource, record in doomed if resource.read(record.name) is not None]


def survey(resources: Iterable[Resource], context: Context) -> Iterator[tuple[Record, Live | None]]:
    """Every recorded resource and what AWS has of it now, in the order of the chain."""
    for resource in resources:
        for record in context.state.of_kind(resource.kind):
            yield record, resource.read(record.name)


def examine(resource: Resource, live: Live | None) -> Step:
    """What has to be done with a resource, given what AWS has of it. Makes no call."""
    if live is None:
        others = any(record.name != resource.name for record in resource.context.state.of_kind(resource.kind))
        action = Action.REPLACE if others and not resource.keeps_versions else Action.CREATE
        return Step(action, resource.kind, resource.name, {})
    changes = {
        field: (live.fields.get(field), value)
        for field, value in resource.desired().items()
        if live.fields.get(field) != value
    }
    return Step(Action.UPDATE if changes else Action.KEEP, resource.kind, resource.name, changes)


def _bring(resource: Resource, context: Context, observer: Observer, *, wait: bool) -> Step:
    live = resource.read(resource.name)
    step = examine(resource, live)
    observer.started(step)
    if step.action is not Action.KEEP:
        live = _change(resource, context, step)
    if live is not None:
        _confirm(resource, context, live)
        if wait:
            _confirm(resource, context, resource.settle(live))
    observer.finished(step, resource.summary() if wait else f"{resource.name}, not waited for")
    return step


def _change(resource: Resource, context: Context, step: Step) -> Live | None:
    if step.action is Action.UPDATE:
        resource.update()
    else:
        context.state.keep(Record(resource.kind, resource.name))
        context.project.save_state()
        resource.create()
    return resource.read(resource.name)


def _confirm(resource: Resource, context: Context, live: Live) -> None:
    context.state.keep(Record(resource.kind, resource.name, live.arn, live.attributes))
    context.project.save_state()


def _superseded(resource: Resource, context: Context) -> list[Record]:
    if not resource.wanted:
        return context.state.of_kind(resource.kind)
    if resource.keeps_versions:
        return []
    return [record for record in context.state.of_kind(resource.kind) if record.name != resource.name]


def _remove(resource: Resource, record: Record, context: Context, observer: Observer) -> Step:
    step = Step(Action.DELETE, record.kind, record.name, {})
    observer.started(step)
    resource.delete(record)
    context.state.forget(record)
    context.project.save_state()
    observer.finished(step, "")
    return step
