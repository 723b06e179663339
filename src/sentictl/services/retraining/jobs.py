"""What scheduled trainings made, and the project's record of it."""

from collections.abc import Container, Iterable

from sentictl.config.state import Record
from sentictl.lifecycle.resource import Context, LiveResource
from sentictl.services.resources.processing import ProcessingJob
from sentictl.services.resources.sagemaker import DigestNamed
from sentictl.services.resources.training import GATE, PASSED, TrainingJob
from sentictl.services.retraining.code import COMMAND, PART
from sentictl.services.retraining.machine import RetrainingMachine
from sentictl.services.serving.endpoint import EndpointConfig
from sentictl.services.serving.model import Model


class UnservedTraining(TrainingJob):
    """A training job of a run that made no version: it was refused, failed, or is not over."""

    kind = "unserved-training-job"
    arn_type = TrainingJob.kind
    command = COMMAND
    removed_as = PART
    face = False
    on_request = True
    holds_data = False

    @property
    def wanted(self) -> bool:
        return False

    def found(self, known: Container[str] = ()) -> Iterable[tuple[str, LiveResource]]:
        if not _is_scheduled(self.context):
            return
        for name, live in DigestNamed.found(self, known):
            if self.of_schedule(name) and live.attributes.get(GATE) != PASSED:
                yield name, live


class ScheduledPreparation(ProcessingJob):
    """A processing job of a run."""

    kind = "scheduled-processing-job"
    arn_type = ProcessingJob.kind
    command = COMMAND
    removed_as = PART

    @property
    def wanted(self) -> bool:
        return False

    def found(self, known: Container[str] = ()) -> Iterable[tuple[str, LiveResource]]:
        if _is_scheduled(self.context):
            found = DigestNamed.found(self, known)
            yield from ((name, live) for name, live in found if self.of_schedule(name))


def absorb(context: Context) -> None:
    """Record what the runs have trained and served since: their versions, and the model that the endpoint has now.

    Where nothing was scheduled, nothing is looked at. What a run replaced, and deleted, is forgotten.
    """
    if context.environment.unseen or context.state.latest(RetrainingMachine.kind) is None:
        return
    for kind in (TrainingJob, Model, EndpointConfig):
        resource = kind(context)
        known = {record.name for record in context.state.of_kind(kind.kind)}
        found = [each for each in resource.found(known) if resource.of_schedule(each[0])]
        ours = [(name, live) for name, live in found if context.owns(resource.tags(name))]
        for name, live in ours:
            context.state.keep(Record(kind.kind, name, live.arn, live.attributes))
        if ours and not resource.holds_data:
            _forget_gone(context, resource)


def _forget_gone(context: Context, resource: DigestNamed) -> None:
    for record in context.state.of_kind(resource.kind):
        if resource.read(record.name) is None:
            context.state.forget(record)


def _is_scheduled(context: Context) -> bool:
    return bool(context.settings.train.schedule.every or context.state.of_kind(RetrainingMachine.kind))
