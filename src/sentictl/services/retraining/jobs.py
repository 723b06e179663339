"""What scheduled trainings made, and the project's record of it."""

from collections.abc import Container, Iterable

from sentictl.config.state import Record
from sentictl.lifecycle.resource import Context, LiveResource
from sentictl.services.resources.processing import ProcessingJob
from sentictl.services.resources.sagemaker import DigestNamed
from sentictl.services.resources.training import TrainingJob
from sentictl.services.retraining.code import COMMAND, PART
from sentictl.services.retraining.machine import RetrainingMachine
from sentictl.services.serving.endpoint import EndpointConfig
from sentictl.services.serving.model import Model


class JobOfRun(DigestNamed):
    """A job that a run began. No settings ask for it; it goes with the schedule."""

    command = COMMAND
    removed_as = PART

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._may_have_runs = _is_scheduled(context)

    @property
    def wanted(self) -> bool:
        return False

    def found(self, known: Container[str] = ()) -> Iterable[tuple[str, LiveResource]]:
        return DigestNamed.found(self, known) if self._may_have_runs else ()


class UnservedTraining(JobOfRun, TrainingJob):
    """A training job of a run that made no version: it was refused, failed, or is not over."""

    kind = "unserved-training-job"
    arn_type = TrainingJob.kind
    face = False
    on_request = True
    holds_data = False

    def is_of_kind(self, name: str) -> bool:
        """Leave a job alone whose model an endpoint is just going over to: it may become a version."""
        return self.of_schedule(name) and not super().is_of_kind(name) and name not in self.served_configs[1]


class ScheduledPreparation(JobOfRun, ProcessingJob):
    """A processing job of a run."""

    kind = "scheduled-processing-job"
    arn_type = ProcessingJob.kind

    def is_of_kind(self, name: str) -> bool:
        return self.of_schedule(name)


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
        if not resource.holds_data:
            _forget_replaced(context, resource)


def _forget_replaced(context: Context, resource: DigestNamed) -> None:
    """Forget what is gone, where what a run made stands in its place."""
    records = context.state.of_kind(resource.kind)
    if len(records) < 2 or not any(resource.of_schedule(record.name) for record in records):
        return
    gone = [record for record in records if resource.read(record.name) is None]
    for record in gone if len(gone) < len(records) else ():
        context.state.forget(record)


def _is_scheduled(context: Context) -> bool:
    """Tell whether there may be runs. Asked before anything is deleted, as the state machine goes before its jobs."""
    return bool(context.settings.train.schedule.every or context.state.of_kind(RetrainingMachine.kind))
