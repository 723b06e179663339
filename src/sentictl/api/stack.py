"""The chain as commands see it: which resources each of them keeps, what it needs, and how what it made is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.state import Record
from sentictl.errors import MissingStepError
from sentictl.lifecycle import reconcile
from sentictl.lifecycle.reconcile import Action, Step, differences, is_ours, refresh
from sentictl.lifecycle.resource import MISSING, Context, LiveResource, Resource
from sentictl.services.batch.job import TransformJob
from sentictl.services.batch.model import BatchModel
from sentictl.services.batch.rule import BatchRule
from sentictl.services.batch.schedule import COMMAND as EVERY
from sentictl.services.chain import CHAIN
from sentictl.services.iam.roles import ExecutionRole, ProcessingRole
from sentictl.services.kept import KEPT
from sentictl.services.monitoring.alarms import AlertAlarms
from sentictl.services.notebook.instance import OPTIONAL, Notebook
from sentictl.services.resources.dataset import Dataset
from sentictl.services.resources.storage import Bucket
from sentictl.services.resources.training import SourceArchive
from sentictl.services.retraining.code import COMMAND as RETRAINING
from sentictl.services.retraining.rule import TrainingRule
from sentictl.services.serving.endpoint import another_stands
from sentictl.services.serving.image import ImageAccess
from sentictl.services.tuning.job import TuningJob
from sentictl.services.web.function import Function
from sentictl.services.web.function_archive import FunctionArchive
from sentictl.services.web.rest_api import RestApi
from sentictl.services.web.usage_plan import UsagePlan

FOREIGN = "Another's"  # the state of what took the place of a recorded resource
COMMANDS = tuple(dict.fromkeys(kind.command for kind in CHAIN))


def resources(context: Context, *commands: str) -> list[Resource]:
    """Return the resources of these commands, or of all, ready to be reconciled, in the order of the chain."""
    return [kind(context) for kind in KEPT if not commands or kind.command in commands]


def chosen(context: Context) -> list[str]:
    """Return the commands of the chain that keep anything here: what the settings want, or what is recorded."""
    kept = [kind.command for kind in CHAIN if kind(context).wanted or context.state.of_kind(kind.kind)]
    return [command for command in COMMANDS if command in kept]


def tuning(context: Context, *, anew: bool = False) -> list[Resource]:
    """Return what tuning keeps: the chain's role and source archive, and the tuning job.

    Args:
        context: the project and environment.
        anew: search again even where the same search is over.
    """
    return [ExecutionRole(context), SourceArchive(context), TuningJob(context, anew=anew)]


def answering(context: Context, job: TransformJob) -> list[Resource]:
    """Return what answering a batch keeps: the chain's role, the model, and the transform job."""
    return [ExecutionRole(context), *_pulling(context), BatchModel(context), job]


def scheduling(context: Context) -> list[Resource]:
    """Return what answering reviews again and again keeps: the chain's role, and all that is the schedule's."""
    return [ExecutionRole(context), *_pulling(context), *resources(context, EVERY), *_with_alerts(BatchRule(context))]


def retraining(context: Context) -> list[Resource]:
    """Return what training again and again keeps: the chain's roles and source archive, and all that is its own."""
    chain = [ProcessingRole(context), ExecutionRole(context), SourceArchive(context)]
    return [*chain, *resources(context, RETRAINING), *_with_alerts(TrainingRule(context))]


def _pulling(context: Context) -> list[Resource]:
    """Return the leave to pull the image, where no endpoint has it: before the first one, or after the last."""
    return [] if context.state.of_kind(ImageAccess.kind) else [ImageAccess(context)]


def _with_alerts(rule: Resource) -> list[Resource]:
    """Return a rule where alerts stand, or it does: without them nobody would hear of it."""
    state = rule.context.state
    return [rule] if state.of_kind(AlertAlarms.kind) or state.of_kind(rule.kind) else []


def check_ready(context: Context, command: str) -> None:
    """Refuse a command whose predecessor in the chain was never run; training also where the dataset is another now.

    Raises:
        MissingStepError: names the command that comes first.
    """
    place = COMMANDS.index(command)
    for kind in CHAIN:
        if kind.face and kind.command in COMMANDS[max(place - 1, 0) : place] and kind(context).wanted:
            context.recorded(kind)
    dataset = Dataset(context)
    if command == "train" and dataset.name not in _confirmed(context, Dataset.kind):
        raise MissingStepError(
            f"The dataset that the settings ask for is not in the environment {context.environment.name} yet.",
            "Make it with: sentictl data",
        )


def _confirmed(context: Context, kind: str) -> set[str]:
    return {record.name for record in context.state.of_kind(kind) if record.arn}


def walk(context: Context, command: str) -> list[Resource]:
    """Return the resources of a command, in the order of the chain.

    Where what the function asks moves, or what it holds, `deploy` brings the function as well: what was asked before is
    deleted last. Where an API that stands begins to take keys, its usage plan comes first.
    """
    held = FunctionArchive(context).wanted or context.state.of_kind(FunctionArchive.kind)
    stands = context.state.latest(Function.kind) is not None
    moving = command == "deploy" and stands and (held or another_stands(context))
    kept = resources(context, command, *(["wire-lambda"] if moving else []))
    if command == "wire-api" and _begins_to_take_keys(context):
        kept.sort(key=lambda resource: not isinstance(resource, UsagePlan))
    return kept


def _begins_to_take_keys(context: Context) -> bool:
    """Tell whether an API that stands is to take keys: those that were given out are let in before it asks for one."""
    begins = UsagePlan(context).wanted and context.state.latest(UsagePlan.kind) is None
    return begins and context.state.latest(RestApi.kind) is not None and RestApi(context).find() is not None


def plan(context: Context, commands: Sequence[str], *, adopt: bool = False) -> list[Step]:
    """Return what these commands would do one after the other, without a call that changes anything.

    Raises:
        SentictlError: what the first of them would raise before it changed anything.
    """
    check_ready(context, commands[0])
    rehearsal = context.rehearsal()
    return [step for command in commands for step in reconcile.plan(walk(rehearsal, command), rehearsal, adopt=adopt)]


def standing(context: Context, steps: Sequence[Step]) -> set[str]:
    """Return the kinds of what there will be after these steps."""
    deleted = {step.kind for step in steps if step.action is Action.DELETE}
    kept = {step.kind for step in steps if step.action is not Action.DELETE}
    return ({record.kind for record in context.state} - deleted) | kept


def doomed(
    context: Context, part: str | None, *, keep_data: bool, keep_logs: bool = False, keep_notebook: bool = False
) -> list[Resource]:
    """Return what `down` takes away: a part of the chain, or all.

    Args:
        context: the project and environment.
        part: one that can be taken down by itself; None: all.
        keep_data: without the reviews and the trained models.
        keep_logs: without the log groups.
        keep_notebook: without the notebook.
    """
    spared: set[type[Resource]] = set(OPTIONAL if keep_notebook else ())
    if (keep_notebook or keep_logs) and Bucket(context).holds_state:
        spared.add(Bucket)  # what is kept is recorded in it
    kinds = [kind for kind in KEPT if kind not in spared]
    chosen = [kind for kind in kinds if not part or _part_of(kind) == part]
    kept = [kind for kind in chosen if (keep_data and kind.holds_data) or (keep_logs and kind.holds_logs)]
    return [kind(context) for kind in chosen if kind not in kept]


def _part_of(kind: type[Resource]) -> str:
    """Return the part that a kind is taken down with: the one that it names, else that of its command's face."""
    named = [each.removed_as for each in KEPT if each.face and each.command == kind.command]
    return kind.removed_as or next(iter(named), "")


def has_notebook(context: Context) -> bool:
    """Tell whether AWS has the project's notebook."""
    return any(Notebook(context).found())


def command_of(kind: str) -> str:
    """Return the command that keeps a kind of resource, and so brings it back or mends it."""
    return next(resource.command for resource in KEPT if resource.kind == kind)


@dataclass(frozen=True)
class Finding:
    """One recorded resource as AWS has it.

    Args:
        record: what was recorded.
        status: AWS's word for its state, or what is wrong with it.
        changes: (is, should be) for each field that differs.
        mend: the command that makes it right; empty where nothing is wrong.
        where: what that needs besides, such as " --env prod".
        kind: what kind of resource it is.
        facts: what a person sees of it, first its name, or where it is.
    """

    record: Record
    status: str
    changes: Mapping[str, tuple[Any, Any]]
    mend: str
    where: str
    kind: type[Resource]
    facts: Sequence[str]

    @property
    def ours(self) -> bool:
        return self.status != FOREIGN

    def document(self) -> dict[str, Any]:
        return {
            "kind": self.record.kind,
            "name": self.record.name,
            "status": self.status,
            "arn": self.record.arn,
            "changes": self.changes,
            "mend": self.mend and f"sentictl {self.mend}{self.where}",
        }


def inspect(context: Context) -> list[Finding]:
    """Find out how AWS has what is recorded, in the order of the chain."""
    return [
        _finding(resource, record, live, context) for resource, record, live in refresh(resources(context), context)
    ]


def _finding(resource: Resource, record: Record, live: LiveResource | None, context: Context) -> Finding:
    where = env_option(context.environment.name, default=LOCAL)
    if live is not None and not is_ours(resource, record.name):
        return Finding(record, FOREIGN, {}, resource.command, where, type(resource), [record.name, FOREIGN])
    old_version = resource.keeps_versions and record != context.state.of_kind(resource.kind)[-1]
    changes = differences(resource, live) if live else {}
    healthy = live is not None and live.status in resource.healthy
    status = resource.gone_as if live is None else "Changed" if changes and healthy else live.status
    well = status != MISSING if live is None else healthy and not changes
    mend = "" if old_version or well else resource.command
    told = status if resource.tells_state or status not in resource.healthy else ""
    facts = [fact for fact in (*resource.facts(record), told) if fact]
    return Finding(record, status, changes, mend, where, type(resource), facts)
