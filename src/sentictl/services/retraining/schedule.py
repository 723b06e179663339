"""The schedule that starts the state machine, and what is told of its runs."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.state import Record
from sentictl.lifecycle.resource import Context
from sentictl.services.iam.roles import Role
from sentictl.services.resources.processing import describe_processing_job
from sentictl.services.resources.sagemaker import OF_SCHEDULE, because
from sentictl.services.resources.training import describe_training_job
from sentictl.services.retraining import definition
from sentictl.services.retraining.code import COMMAND, PART
from sentictl.services.retraining.fitness import obstacle
from sentictl.services.retraining.machine import RUNNING, RetrainingMachine
from sentictl.services.retraining.roles import TrainScheduleRole
from sentictl.services.serving.hours import WeeklySchedule
from sentictl.services.serving.schedule import SCHEDULED_TIME

TOLD = 3  # runs, the newest first
# What comes of a run, for a person, by the word in its output.
OUTCOMES = {
    definition.SERVES: "the new model is served",
    definition.WORSE: "the new model is worse, and is not served",
    definition.NO_ENDPOINT: "there was no endpoint, so nothing was done",
    definition.BUSY: "the endpoint was just being changed, so nothing was served",
    definition.CHANGED: "another model was served meanwhile, so that the new one is not",
}


class TrainSchedule(WeeklySchedule):
    """The schedule. It pauses while something stands in its way, such as a version that is pinned."""

    kind = "train-schedule"
    command = COMMAND
    removed_as = PART
    face = True
    on_request = True
    in_template = False
    part = "train"

    @property
    def time(self) -> str:
        return self.context.settings.train.schedule.every

    @property
    def timezone(self) -> str:
        return self.context.settings.train.schedule.timezone

    @property
    def target_arn(self) -> str:
        machine = RetrainingMachine(self.context)
        return machine.arn(machine.name)

    @property
    def role(self) -> Role:
        return TrainScheduleRole(self.context)

    @property
    def state(self) -> str:
        return "DISABLED" if obstacle(self.context) else "ENABLED"

    def parameters(self) -> Mapping[str, Any]:
        return {"time": SCHEDULED_TIME}

    def facts(self, record: Record) -> Sequence[str]:  # noqa: ARG002  (there is one)
        return [f"{self.time}, {self.timezone}", self.context.settings.data.source]

    def summary(self) -> str:
        return f"next {self.following()}"


def training_note(context: Context) -> str:
    """Tell when the next run begins, or why none does, and what came of the last ones; empty without a schedule."""
    if not context.settings.train.schedule.every:
        return ""
    found = obstacle(context)
    begins = (
        f"The training schedule pauses, as {found[0]}. {found[1]}"
        if found
        else f"The model is trained next on {TrainSchedule(context).following()}"
    )
    machine = RetrainingMachine(context)
    runs = [machine.run(each["executionArn"]) for _, each in zip(range(TOLD), machine.runs(), strict=False)]
    told = "; ".join(_told(context, run) for run in runs if run) or "none yet"
    return f"{begins.rstrip('.')}; last runs: {told}."


def _told(context: Context, run: Mapping[str, Any]) -> str:
    """Tell of a run when it began and what came of it."""
    begun = f"{run['startDate'].astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if run["status"] == RUNNING:
        return f"{begun}: under way"
    if run["status"] != "SUCCEEDED":
        return f"{begun}: {run['status'].lower()}{because(_reason(context, run)).rstrip('.')}"
    output = json.loads(run["output"])
    outcome = OUTCOMES.get(output["outcome"], output["outcome"])
    figures = f" ({output['new']:.1%} right, served {output['served']:.1%})" if "new" in output else ""
    return f"{begun}: {outcome}{figures}"


def _reason(context: Context, run: Mapping[str, Any]) -> str:
    """Return why a run failed: the job's own reason, where a job of its failed."""
    cause, where = str(run.get("cause", "")), env_option(context.environment.name, default=LOCAL)
    name = context.naming.name(f"{OF_SCHEDULE}{definition.run_of(run)}")
    if run.get("error") == "PreparationFailed":
        job = describe_processing_job(context, name) or {}
        return f"{job.get('FailureReason') or cause} Its log: sentictl logs data{where}"
    if run.get("error") == "TrainingFailed":
        job = describe_training_job(context, name) or {}
        return f"{job.get('FailureReason') or cause} Its log: sentictl logs train{where}"
    if run.get("error") == "SourceUnusable":
        return str(json.loads(cause).get("message", cause)) if cause.endswith("}") else cause
    return cause


def last_training(context: Context) -> str:
    """Return the name of the jobs of the newest run; empty where there is none."""
    if context.state.latest(RetrainingMachine.kind) is None:
        return ""
    machine = RetrainingMachine(context)
    newest = next(iter(machine.runs()), None)
    run = definition.run_of(machine.run(newest["executionArn"])) if newest else ""
    return context.naming.name(f"{OF_SCHEDULE}{run}") if run else ""
