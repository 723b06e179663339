"""Reviews on S3 that are answered again and again: a schedule that begins transform jobs by itself.

Each run is a job `PROJECT-ENV-run-ID`, with the id that Scheduler gives to the call, and its answers have a folder of
that id. SageMaker puts each answer into its line, as `SageMakerOutput`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any

from sentictl.aws.names import digest_of
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.state import Record
from sentictl.errors import SettingsError
from sentictl.lifecycle.cost import Machines
from sentictl.lifecycle.resource import Context
from sentictl.services.batch.job import STATUS, describe_transform_job
from sentictl.services.batch.model import PART, BatchModel
from sentictl.services.batch.request import transform_request
from sentictl.services.iam.execution_policy import ExecutionPolicy
from sentictl.services.iam.roles import Role
from sentictl.services.resources.storage import bucket_arn, bucket_may_exist
from sentictl.services.serving.hours import WeeklySchedule
from sentictl.services.serving.schedule import EXECUTION_ID

COMMAND = "predict --every"
RUN = "run"  # in the names of the jobs


class ScheduledModel(BatchModel):
    """The model that the scheduled jobs ask. Another version that is served is another model."""

    kind = "scheduled-model"
    command = COMMAND
    removed_as = ""
    before_digest = "every-"
    keeps_versions = False
    on_request = True

    @property
    def wanted(self) -> bool:
        return is_scheduled(self.context)


class ScheduledAccess(ExecutionPolicy):
    """The leave to read the reviews and to write the answers, for as long as they are scheduled."""

    kind = "scheduled-access"
    command = COMMAND
    on_request = True
    in_template = False

    @property
    def name(self) -> str:
        return self.context.naming.name(f"every-{digest_of(self.document())}")

    @property
    def wanted(self) -> bool:
        return is_scheduled(self.context)

    def statements(self) -> list[dict[str, Any]]:
        schedule = self.context.settings.batch.schedule
        (source, read), (target, written) = map(_place, (schedule.input, schedule.output))
        source, target = (bucket_arn(self.context, bucket) for bucket in (source, target))
        prefix = {"StringLike": {"s3:prefix": f"{read}*"}}
        allowed = {"Effect": "Allow"}
        return [
            {"Sid": "FindReviews", **allowed, "Action": "s3:ListBucket", "Resource": source, "Condition": prefix},
            {"Sid": "ReadReviews", **allowed, "Action": "s3:GetObject", "Resource": f"{source}/{read}*"},
            {
                "Sid": "WriteAnswers",
                **allowed,
                "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
                "Resource": f"{target}/{written}*",
            },
        ]


class BatchScheduleRole(Role):
    """The role that the schedule runs in: it may begin the project's transform jobs, and nothing else."""

    kind = "batch-schedule-role"
    command = COMMAND
    part = PART
    service = "scheduler.amazonaws.com"
    tells_account = True
    on_request = True
    in_template = False

    @property
    def wanted(self) -> bool:
        return is_scheduled(self.context)


class BatchSchedule(WeeklySchedule):
    """The schedule that begins a transform job over all that lies in the input folder then."""

    kind = "batch-schedule"
    command = COMMAND
    removed_as = PART
    face = True
    on_request = True
    in_template = False
    part = PART
    call = "createTransformJob"

    @property
    def time(self) -> str:
        return self.context.settings.batch.schedule.every

    @property
    def timezone(self) -> str:
        return self.context.settings.batch.schedule.timezone

    @property
    def role(self) -> Role:
        return BatchScheduleRole(self.context)

    def parameters(self) -> Mapping[str, Any]:
        settings = self.context.settings.batch
        return transform_request(
            self.context,
            name=self.context.naming.name(RUN, EXECUTION_ID),
            model=ScheduledModel(self.context).name,
            inputs=settings.schedule.input,
            outputs=f"{settings.schedule.output}{EXECUTION_ID}",
            instances=settings.instance_count,
        ) | {"DataProcessing": {"JoinSource": "Input"}}

    def machines(self) -> Machines | None:
        batch = self.context.settings.batch
        return Machines("Hosting", batch.instance_type, batch.instance_count, standing=False)

    def facts(self, record: Record) -> Sequence[str]:  # noqa: ARG002  (there is one)
        return [f"{self.time}, {self.timezone}", self.context.settings.batch.schedule.input]

    def summary(self) -> str:
        return f"next {self.following()}"


def schedule_note(context: Context) -> str:
    """Tell when reviews are answered next, and what came of the last time; empty where none are."""
    if not is_scheduled(context):
        return ""
    run, folder = last_run(context), context.settings.batch.schedule.input
    following = BatchSchedule(context).following()
    return f"The reviews in {folder} are answered next on {following}; last run: {_told(context, run)}"


def last_run(context: Context) -> Mapping[str, Any] | None:
    """Return what ListTransformJobs tells of the newest job that the schedule began; None where there is none."""
    prefix = context.naming.name(RUN, "")
    # Another project's name can hold this one's, so that its jobs are listed as well.
    ours = re.compile(re.escape(prefix) + r"[0-9a-z]+")
    pages = context.environment.client("sagemaker").get_paginator("list_transform_jobs")
    found = pages.paginate(NameContains=prefix, SortBy="CreationTime", SortOrder="Descending")
    jobs: Iterator[Mapping[str, Any]] = (each for page in found for each in page["TransformJobSummaries"])
    return next((each for each in jobs if ours.fullmatch(each["TransformJobName"])), None)


def _told(context: Context, run: Mapping[str, Any] | None) -> str:
    if run is None:
        return "none yet."
    told = f"{run[STATUS]}, begun {run['CreationTime'].astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if run[STATUS] != "Failed":
        return f"{told}."
    where = env_option(context.environment.name, default=LOCAL)
    job = describe_transform_job(context, run["TransformJobName"]) or run
    return f"{told} ({job.get('FailureReason') or 'no reason given'}). Its log: sentictl logs {PART}{where}"


def is_scheduled(context: Context) -> bool:
    return bool(context.settings.batch.schedule.every)


def check_folders(context: Context) -> None:
    """Refuse folders in buckets that there are not: nobody is there to be told at the time of a run.

    Raises:
        SettingsError: names the bucket.
    """
    if not is_scheduled(context):
        return
    schedule = context.settings.batch.schedule
    for option, address in (("--file", schedule.input), ("--output", schedule.output)):
        bucket, _ = _place(address)
        if not bucket_may_exist(context, bucket):
            raise SettingsError(f"There is no bucket {bucket}.", f"Make it, or choose another {option}.")


def _place(address: str) -> tuple[str, str]:
    """Return the bucket and the prefix of an address."""
    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    return bucket, prefix
