"""The transform job, followed until it is over: its inputs go to the project's bucket, its answers come from there.

All of one batch, which is the same reviews and the same model, lies under `batch/<digest>/`. What is answered there is
not asked again.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.aws.names import TRANSFORM_GROUP, digest_of
from sentictl.aws.waiters import poll
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.state import Record
from sentictl.errors import BatchError, InterruptedByUserError
from sentictl.lifecycle.cost import Machines
from sentictl.lifecycle.resource import Actions, Context, LiveResource
from sentictl.services.batch.model import COMMAND, PART, BatchModel
from sentictl.services.batch.records import BatchRecords, Section
from sentictl.services.batch.request import transform_request
from sentictl.services.resources.logs import delete_streams, job_log_scope
from sentictl.services.resources.sagemaker import OVER, SageMakerResource, because, stop_job
from sentictl.services.resources.storage import (
    DELETING,
    bucket_exists,
    bucket_scope,
    delete_objects,
    folder_sizes,
    list_keys,
)

FOLDER = "batch/"  # in the bucket
DAY_SECONDS = 24 * 3600  # for which a job is followed; SageMaker itself has no limit for it
STATUS = "TransformJobStatus"


@dataclass(frozen=True)
class BatchRequest:
    """What a transform job is to answer.

    Args:
        records: the reviews.
        instances: how many machines are to answer them.
    """

    records: BatchRecords
    instances: int


class TransformJob(SageMakerResource):
    """The transform job, named by the digest of its reviews and its model.

    The same batch again finds the same job. Names cannot be used twice, so a job that failed or was stopped is followed
    by one with a number behind its name, for the reviews that have no answer yet. SageMaker deletes no transform job:
    one that is over, and of which nothing is left in the bucket, counts as gone.

    Args:
        context: the project and environment.
        batch: what it is to answer; None for what is asked of all jobs.
    """

    kind = "transform-job"
    command = COMMAND
    removed_as = PART
    face = True
    in_template = False  # CloudFormation has no type for it
    healthy = frozenset({"Completed", "InProgress", "Stopping", "Stopped", "Failed"})
    tells_state = True
    keeps_versions = True
    actions = Actions(
        read="sagemaker:DescribeTransformJob sagemaker:ListTransformJobs sagemaker:ListTags s3:ListBucket",
        create=f"sagemaker:CreateTransformJob sagemaker:AddTags s3:PutObject s3:GetObject {DELETING}",
        delete=f"sagemaker:StopTransformJob {DELETING} logs:DescribeLogStreams logs:DeleteLogStream",
        unscoped="sagemaker:ListTransformJobs",
    )

    def __init__(self, context: Context, batch: BatchRequest | None = None) -> None:
        super().__init__(context)
        self._batch = batch
        self._model = BatchModel(context)
        self._name: str | None = None

    @property
    def wanted(self) -> bool:
        return self._batch is not None

    @property
    def name(self) -> str:
        """The name that `find` chose, by which names were used already."""
        if self._name is None:
            raise RuntimeError("Which name a transform job takes is known only after find()")
        return self._name

    @property
    def batch(self) -> BatchRequest:
        """What it is to answer."""
        if self._batch is None:
            raise RuntimeError("This stands for all transform jobs, and answers nothing")
        return self._batch

    @property
    def folder(self) -> str:
        """The key under which all of the batch lies."""
        return folder_of(self._base_name)

    @property
    def _base_name(self) -> str:
        digest = digest_of(self.batch.records.digest, self._model.container())
        return self.context.naming.name(PART, digest)

    def find(self) -> LiveResource | None:
        for attempt in count(1):
            self._name = self._base_name if attempt == 1 else f"{self._base_name}-{attempt}"
            job = None if self.context.environment.unseen else describe_transform_job(self.context, self._name)
            if job is None or self._usable(job):
                break
        return _live(job)

    def read(self, name: str) -> LiveResource | None:
        job = describe_transform_job(self.context, name)
        return _live(job) if job and (job[STATUS] not in OVER or self._left(name)) else None

    def found(self, known: Container[str] = ()) -> Iterable[tuple[str, LiveResource]]:
        prefix = self.context.naming.name("")
        # Another environment's name can begin with this one's: only what such a name follows is of this one.
        ours = re.compile(re.escape(prefix) + r"(batch-[0-9a-f]{12}(-\d+)?|run-[0-9a-z]+)")
        pages = self.context.environment.client("sagemaker").get_paginator("list_transform_jobs")
        found = pages.paginate(NameContains=prefix, SortBy="CreationTime", SortOrder="Ascending")
        jobs = [each for page in found for each in page["TransformJobSummaries"]]
        left = folder_sizes(self.context, self.context.naming.bucket, FOLDER) if jobs else {}  # once, not for each
        for each in jobs:
            name = str(each["TransformJobName"])
            gone = each[STATUS] in OVER and folder_of(name) not in left
            if ours.fullmatch(name) and not gone and name not in known and (live := self.read(name)):
                yield name, live

    def create(self) -> None:
        """Bring the reviews that have no answer to the bucket, and begin."""
        records = self.batch.records
        sections = records.unanswered(self.answered(), self.batch.instances)
        inputs = f"{self.folder}in/"
        delete_objects(self.context, self.context.naming.bucket, inputs)
        for number, section in enumerate(sections):
            self.context.report("uploading", number, len(sections))
            key = f"{inputs}{section.name}"
            client = self.context.environment.client("s3")
            client.put_object(Bucket=self.context.naming.bucket, Key=key, Body=records.content(section))
        request = transform_request(
            self.context,
            name=self.name,
            model=self._model.name,
            inputs=self._uri(inputs),
            outputs=self._uri(f"{self.folder}out"),
            instances=min(self.batch.instances, len(sections)),
        )
        self.context.environment.client("sagemaker").create_transform_job(**request)

    def wait_ready(self, live: LiveResource) -> LiveResource:
        job = self._follow()
        answered = sum(len(section) for section in self.answered())
        if not job or answered < len(self.batch.records):
            raise self._failure(job, answered)
        return _live(job) or live

    def answered(self) -> list[Section]:
        """Return the sections whose answers are in the bucket."""
        return sorted(self.answer_keys())

    def answer_keys(self) -> dict[Section, str]:
        """Return where the answers to each section are in the bucket.

        AWS puts them under the output path; its documents disagree on how much of an input's key stands before its
        name there.
        """
        keys = list_keys(self.context, self.context.naming.bucket, f"{self.folder}out/")
        return {section: key for key in keys if key.endswith(".out") and (section := Section.named(key))}

    def delete(self, record: Record) -> None:
        stop_transform_job(self.context, record.name)
        bucket = self.context.naming.bucket
        if bucket_exists(self.context, bucket):
            delete_objects(self.context, bucket, folder_of(record.name))
        delete_streams(self.context, TRANSFORM_GROUP, f"{record.name}/")

    def facts(self, record: Record) -> Sequence[str]:
        return [record.name]

    def summary(self) -> str:
        return f"{len(self.batch.records):,} reviews answered"

    def machines(self) -> Machines:
        """Return what is paid for while a job runs: an hour of a machine costs what it costs behind an endpoint."""
        batch = self.context.settings.batch
        instances = self._batch.instances if self._batch else batch.instance_count
        return Machines("Hosting", batch.instance_type, instances, standing=False)

    def scope(self, action: str) -> Sequence[str]:
        if scope := job_log_scope(self.context, TRANSFORM_GROUP, action):
            return scope
        return [*super().scope(action), *bucket_scope(self.context, self.context.naming.bucket, action)]

    def of_batch(self) -> list[Record]:
        """Return the records of all jobs that had a part in the batch."""
        records = self.context.state.of_kind(self.kind)
        return [record for record in records if folder_of(record.name) == self.folder]

    def _usable(self, job: Mapping[str, Any]) -> bool:
        """Tell whether a job runs, or has answered all that it is asked."""
        if job[STATUS] not in OVER:
            return True
        return job[STATUS] == "Completed" and sum(map(len, self.answered())) == len(self.batch.records)

    def _left(self, name: str) -> bool:
        return any(True for _ in list_keys(self.context, self.context.naming.bucket, folder_of(name)))

    def _uri(self, key: str) -> str:
        return f"s3://{self.context.naming.bucket}/{key}"

    def _follow(self) -> Mapping[str, Any]:
        """Report how many reviews are answered until the job is over. Returns what AWS tells then; nothing if gone."""
        every, begun = len(self.batch.records), False

        def look() -> Mapping[str, Any]:
            nonlocal begun
            job = describe_transform_job(self.context, self.name) or {}
            if job and job[STATUS] not in OVER and "TransformStartTime" in job:
                if not begun:
                    self.context.report("answering")
                begun = True
                self.context.report("answering", sum(map(len, self.answered())), every)
            return job

        try:
            self.context.report(f"starting machines for {self.name}")
            return poll(look, lambda job: not job or job[STATUS] in OVER, what=self.name, timeout=DAY_SECONDS)
        except KeyboardInterrupt:
            where = env_option(self.context.environment.name, default=LOCAL)
            raise InterruptedByUserError(
                f"Interrupted. The transform job {self.name} runs on.",
                f"Get its answers with the same command again, or stop it with: sentictl down {PART}{where}",
            ) from None

    def _failure(self, job: Mapping[str, Any], answered: int) -> BatchError:
        where = env_option(self.context.environment.name, default=LOCAL)
        every = len(self.batch.records)
        if not job:
            return BatchError(f"The transform job {self.name} is gone.", "Begin again with the same command.")
        return BatchError(
            f"The transform job {self.name} ended as {job[STATUS]}{because(job.get('FailureReason', ''))}",
            f"Its log: sentictl logs {PART}{where}. {answered:,} of {every:,} reviews are answered; the same command "
            "again asks about the others alone.",
        )


def folder_of(name: str) -> str:
    """Return the key under which all of the batch of a transform job lies, given the job's name."""
    found = re.search(rf"-{PART}-(?P<digest>[0-9a-f]{{12}})(-\d+)?$", name)
    return f"{FOLDER}{found['digest']}/" if found else f"{FOLDER}{name}/"


def describe_transform_job(context: Context, name: str) -> dict[str, Any] | None:
    """Return what DescribeTransformJob tells, or None for a name that was never used."""
    return if_there(context.environment.client("sagemaker").describe_transform_job, TransformJobName=name)


def stop_transform_job(context: Context, name: str) -> None:
    """Stop a transform job and wait until it has stopped. One that is over is left as it is."""
    client = context.environment.client("sagemaker")
    job = describe_transform_job(context, name)
    if job is None or job[STATUS] in OVER:
        return
    stop_job(
        lambda: client.stop_transform_job(TransformJobName=name),
        lambda: (describe_transform_job(context, name) or {STATUS: "Stopped"})[STATUS],
        name,
    )


def going_on(context: Context) -> Iterator[tuple[Record, Mapping[str, Any]]]:
    """Yield the recorded jobs, each with what AWS tells of it; nothing of one that AWS does not know."""
    for record in context.state.of_kind(TransformJob.kind):
        yield record, describe_transform_job(context, record.name) or {}


def _live(job: Mapping[str, Any] | None) -> LiveResource | None:
    return LiveResource(job["TransformJobArn"], job[STATUS]) if job else None
