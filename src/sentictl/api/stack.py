"""The chain on one page: which resources each command keeps, in the order in which they need each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sentictl.config.state import Record
from sentictl.lifecycle import reconcile
from sentictl.lifecycle.reconcile import Action, Step, differences, survey
from sentictl.lifecycle.resource import Context, Live, Resource
from sentictl.services.iam.roles import ExecutionRole, FunctionRole, PageRole
from sentictl.services.notebook.instance import Notebook, NotebookLifecycle, NotebookRole
from sentictl.services.resources.dataset import Dataset
from sentictl.services.resources.endpoint import Endpoint, EndpointConfig, Model
from sentictl.services.resources.function import Function
from sentictl.services.resources.logs import EndpointLogGroup, FunctionLogGroup
from sentictl.services.resources.rest_api import Permission, RestApi
from sentictl.services.resources.schedule import Schedule, ScheduleRole
from sentictl.services.resources.storage import Bucket
from sentictl.services.resources.training import SourceArchive, TrainingJob
from sentictl.services.resources.website import Page, WebsiteBucket

CHAIN: dict[str, tuple[type[Resource], ...]] = {
    "data": (Bucket, Dataset),
    "train": (ExecutionRole, SourceArchive, TrainingJob),
    "deploy": (Model, EndpointConfig, EndpointLogGroup, Endpoint, ScheduleRole, Schedule),
    "wire-lambda": (FunctionRole, FunctionLogGroup, Function),
    "wire-api": (PageRole, RestApi, Permission),
    "site": (WebsiteBucket, Page),
}
# What stands beside the chain: `up` and `plan` leave it alone, while `status`, `import` and `down` know it.
BESIDE: dict[str, tuple[type[Resource], ...]] = {"notebook create": (NotebookRole, NotebookLifecycle, Notebook)}
KEPT = CHAIN | BESIDE
# What can be taken down by itself, and the command that brings it back.
PARTS = {"endpoint": "deploy", "lambda": "wire-lambda", "api": "wire-api", "site": "site"}

# AWS's words for what needs no mending.
HEALTHY = {"Active", "Completed", "InService"}
RESTING = {(Notebook.kind, "Stopped")}  # it starts when it is opened
# What each command needs, and the command that makes it.
NEEDED = {
    "train": (Dataset.kind, "data"),
    "deploy": (TrainingJob.kind, "train"),
    "wire-lambda": (Endpoint.kind, "deploy"),
    "wire-api": (Function.kind, "wire-lambda"),
    "site": (RestApi.kind, "wire-api"),
}


def resources(context: Context, *commands: str) -> list[Resource]:
    """The resources of these commands, or of all, ready to be reconciled."""
    return [resource(context) for command in commands or KEPT for resource in KEPT[command]]


def check_ready(context: Context, command: str) -> None:
    """Refuse a command whose predecessor in the chain was never run.

    Raises:
        MissingStepError: names the command that comes first.
    """
    if command in NEEDED:
        context.recorded(*NEEDED[command])


def plan(context: Context, commands: Sequence[str], *, adopt: bool = False) -> list[Step]:
    """Return what these commands would do one after the other, without a call that changes anything.

    Raises:
        SentictlError: what the first of them would raise before it changed anything.
    """
    check_ready(context, commands[0])
    rehearsal = context.rehearsal()
    return [
        step for command in commands for step in reconcile.plan(resources(rehearsal, command), rehearsal, adopt=adopt)
    ]


def standing(context: Context, steps: Sequence[Step]) -> set[str]:
    """The kinds of what there will be after these steps."""
    deleted = {step.kind for step in steps if step.action is Action.DELETE}
    kept = {step.kind for step in steps if step.action is not Action.DELETE}
    return ({record.kind for record in context.state} - deleted) | kept


def doomed(context: Context, part: str | None, *, keep_data: bool, keep_notebook: bool = False) -> list[Resource]:
    """Return what `down` takes away: a part of the chain, or all, with or without reviews, models and the notebook."""
    commands = [PARTS[part]] if part else CHAIN if keep_notebook else KEPT
    chosen = resources(context, *commands)
    return [resource for resource in chosen if not (keep_data and resource.holds_data)]


def has_notebook(context: Context) -> bool:
    """Whether AWS has the project's notebook."""
    return bool(Notebook(context).found())


def command_of(kind: str) -> str:
    """The command that keeps a kind of resource, and so brings it back or mends it."""
    return next(command for command, kept in KEPT.items() if any(resource.kind == kind for resource in kept))


@dataclass(frozen=True)
class Finding:
    """One recorded resource as AWS has it.

    Args:
        record: what was recorded.
        status: AWS's word for its state, or what is wrong with it.
        changes: (is, should be) for each field that differs.
        mend: the command that makes it right; empty where nothing is wrong.
    """

    record: Record
    status: str
    changes: Mapping[str, tuple[Any, Any]]
    mend: str

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.record.kind,
            "name": self.record.name,
            "status": self.status,
            "arn": self.record.arn,
            "changes": self.changes,
            "mend": self.mend and f"sentictl {self.mend}",
        }


def inspect(context: Context) -> list[Finding]:
    """Return what is recorded, as AWS has it now, in the order of the chain."""
    return [_finding(resource, record, live, context) for resource, record, live in survey(resources(context), context)]


def _finding(resource: Resource, record: Record, live: Live | None, context: Context) -> Finding:
    old_version = resource.keeps_versions and record != context.state.of_kind(resource.kind)[-1]
    changes = differences(resource, live) if live else {}
    healthy = live is not None and (live.status in HEALTHY or (resource.kind, live.status) in RESTING)
    status = "Missing" if live is None else "Changed" if changes and healthy else live.status
    wrong = not old_version and (not healthy or bool(changes))
    return Finding(record, status, changes, command_of(resource.kind) if wrong else "")
