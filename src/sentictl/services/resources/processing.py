"""The processing job that prepares the dataset on AWS, followed to its end, and what came of it."""

import json
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

from sentictl.assets.installed import install_command
from sentictl.aws.lookup import if_there
from sentictl.aws.names import PROCESSING_GROUP
from sentictl.aws.waiters import poll
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.state import Record
from sentictl.config.tables.train import MOST_MINUTES
from sentictl.errors import DataError, InterruptedByUserError
from sentictl.lifecycle.cost import Machines
from sentictl.lifecycle.resource import Actions, Context, LiveResource
from sentictl.reviews.prepare.manifest import MANIFEST, Manifest
from sentictl.reviews.spark.job import OUTCOME_FILE, SKIPPED
from sentictl.services.pricing.estimate import preparation_price
from sentictl.services.resources.logs import delete_streams, job_log_scope
from sentictl.services.resources.processing_code import AWS, ProcessingCode
from sentictl.services.resources.processing_log import ProcessingLog
from sentictl.services.resources.processing_request import request
from sentictl.services.resources.sagemaker import OVER, DigestNamed, because, stop_job

STATUS = "ProcessingJobStatus"
DATASET = "dataset"  # the attribute, and the member of the outcome, that has the digest of what was made
NO_SPARK = "needs PySpark"
_made: WeakKeyDictionary[Context, Manifest] = WeakKeyDictionary()


class ProcessingJob(DigestNamed):
    """The job, named by the digest of what it prepares, how, and with which code.

    The same again finds the finished job and runs nothing. Names cannot be used twice, so a job that failed or was
    stopped is followed by one with a number behind its name.
    """

    kind = "processing-job"
    command = "data"
    on_request = True
    in_template = False  # CloudFormation has no type for it
    healthy = frozenset({"Completed"})
    keeps_versions = True
    actions = Actions(
        read="sagemaker:DescribeProcessingJob sagemaker:ListProcessingJobs sagemaker:ListTags s3:GetObject",
        create="sagemaker:CreateProcessingJob sagemaker:AddTags iam:PassRole logs:DescribeLogStreams logs:GetLogEvents",
        delete="sagemaker:StopProcessingJob sagemaker:DeleteProcessingJob logs:DescribeLogStreams logs:DeleteLogStream",
        unscoped="sagemaker:ListProcessingJobs",
    )
    operation, listed, listed_name = "list_processing_jobs", "ProcessingJobSummaries", "ProcessingJobName"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._code = ProcessingCode(context)
        self._name: str | None = None

    @property
    def wanted(self) -> bool:
        return self.context.settings.data.on == AWS

    @property
    def name(self) -> str:
        """The name that `find` chose, by which names were used already."""
        if self._name is None:
            raise RuntimeError("Which name a processing job takes is known only after find()")
        return self._name

    def find(self) -> LiveResource | None:
        base = self.context.naming.name(self._code.digest)
        for attempt in count(1):
            self._name = base if attempt == 1 else f"{base}-{attempt}"
            job = None if self.context.environment.unseen else self._describe(self._name)
            if job is None or self._usable(job):
                break
        return _live(job)

    def found(self, known: Container[str] = ()) -> Iterable[tuple[str, LiveResource]]:
        if self.wanted or self.context.state.of_kind(self.kind):
            yield from super().found(known)

    def is_of_kind(self, name: str) -> bool:
        return not self.of_schedule(name)

    def read(self, name: str) -> LiveResource | None:
        return _live(self._describe(name))

    def create(self) -> None:
        self.context.report(str(preparation_price(self.context)))
        self.context.environment.client("sagemaker").create_processing_job(**request(self._code, self.name))

    def wait_ready(self, live: LiveResource) -> LiveResource:
        job = self._follow() if live.status not in OVER else self._describe(self.name) or {}
        if job.get(STATUS) != "Completed":
            raise self._failure(job)
        outcome = self._outcome()
        if DATASET not in outcome:
            raise DataError(outcome["message"], outcome["hint"])
        return LiveResource(live.arn, job[STATUS], attributes={DATASET: outcome[DATASET]})

    def delete(self, record: Record) -> None:
        client = self.context.environment.client("sagemaker")
        job = self._describe(record.name)
        if job is not None:
            if job[STATUS] not in OVER:
                stop_processing_job(self.context, record.name)
            if_there(client.delete_processing_job, ProcessingJobName=record.name)
            poll(lambda: self._describe(record.name), lambda job: job is None, what=record.name, timeout=120)
        delete_streams(self.context, PROCESSING_GROUP, f"{record.name}/")

    def facts(self, record: Record) -> Sequence[str]:
        return [record.name, record.attributes.get(DATASET, "")]

    def scope(self, action: str) -> Sequence[str]:
        return job_log_scope(self.context, PROCESSING_GROUP, action) or super().scope(action)

    def machines(self) -> Machines | None:
        data = self.context.settings.data
        machines = Machines("Processing", data.instance_type, data.instance_count, standing=False)
        return machines if self.wanted else None

    def manifest(self) -> Manifest | None:
        """Return the manifest of the dataset that the job made; None where it did not, or is not over."""
        live = self.find()
        content = self._result(MANIFEST) if live and live.status == "Completed" else b""
        return Manifest.parse(content) if content else None

    def address_of(self, name: str) -> str:
        """Return the address of a file that the job left; its name is known after `find`."""
        return self._code.uri(self._key(name))

    def _outcome(self) -> dict[str, str]:
        """What came of the job: the dataset's digest, or why the source cannot be used."""
        content = self._result(OUTCOME_FILE)
        if content:
            outcome: dict[str, str] = json.loads(content)
            return outcome
        where = env_option(self.context.environment.name, default=LOCAL)
        return {
            "message": f"The job {self.name} has ended well, and left nothing in {self._code.uri(self._code.name)}.",
            "hint": f"Run it anew: sentictl data{where}",
        }

    def _key(self, name: str) -> str:
        return f"{self._code.name}{self.name}/{name}"

    def _result(self, name: str) -> bytes:
        client = self.context.environment.client("s3")
        answer = if_there(client.get_object, Bucket=self._code.bucket, Key=self._key(name))
        content: bytes = answer["Body"].read() if answer else b""
        return content

    def _describe(self, name: str) -> dict[str, Any] | None:
        return describe_processing_job(self.context, name)

    def _usable(self, job: Mapping[str, Any]) -> bool:
        if job[STATUS] != "Completed":
            return bool(job[STATUS] == "InProgress")
        return bool(self._result(OUTCOME_FILE))

    def _follow(self) -> Mapping[str, Any]:
        """Report how the job goes until it is over. Returns what AWS tells of it then; nothing if it is gone."""
        log = ProcessingLog(self.context.environment.client("logs"), self.name)
        self.context.report("starting the machines")

        def look() -> Mapping[str, Any]:
            job = self._describe(self.name) or {}
            for stage in log.stages():
                self.context.report(stage)
            return job

        limit = 120 * self.context.settings.data.max_minutes + 1800
        try:
            return poll(look, lambda job: not job or job[STATUS] in OVER, what=self.name, timeout=limit, longest=3)
        except KeyboardInterrupt:
            raise InterruptedByUserError(
                f"Interrupted. The processing job {self.name} runs on.",
                "Follow it with the same command again, or stop it with: sentictl data --stop",
            ) from None

    def _failure(self, job: Mapping[str, Any]) -> DataError:
        where = env_option(self.context.environment.name, default=LOCAL)
        if not job:
            return DataError(
                f"The processing job {self.name} is gone: it was deleted.", f"Run it anew: sentictl data{where}"
            )
        why = because(job.get("FailureReason", ""))
        if NO_SPARK in why:
            return DataError("Preparing reviews with Spark on this machine needs PySpark.", install_command("spark"))
        began, ended = job.get("ProcessingStartTime"), job.get("ProcessingEndTime")
        limit = job["StoppingCondition"]["MaxRuntimeInSeconds"]
        if job[STATUS] == "Stopped" and began and ended and (ended - began).total_seconds() >= limit:
            more = min(2 * limit // 60, MOST_MINUTES)
            return DataError(
                f"The processing job {self.name} ran out of time.",
                f"Give it more, or more machines: sentictl data --max-minutes {more}{where}",
            )
        return DataError(
            f"The processing job {self.name} ended as {job[STATUS]}{why}", f"Its whole log: sentictl logs data{where}"
        )


def prepared_on_aws(context: Context) -> Manifest | None:
    """Return the manifest of the dataset that AWS has made of the source; None where there is none yet.

    Once there is one, it is not asked for again in this run.
    """
    if context not in _made and not context.environment.unseen:
        manifest = ProcessingJob(context).manifest()
        if manifest is not None:
            _made[context] = manifest
    return _made.get(context)


def skipped_rows(context: Context) -> str:
    """Return the address of the list of what the job did not use as it stands: a JSON object for each row."""
    job = ProcessingJob(context)
    job.find()
    return job.address_of(SKIPPED)


def describe_processing_job(context: Context, name: str) -> dict[str, Any] | None:
    """Return what DescribeProcessingJob tells, or None for a name that was never used."""
    return if_there(context.environment.client("sagemaker").describe_processing_job, ProcessingJobName=name)


def stop_processing_job(context: Context, name: str) -> None:
    """Stop a processing job and wait until it has stopped. One that has just ended by itself is left as it is."""
    client = context.environment.client("sagemaker")
    stop_job(
        lambda: client.stop_processing_job(ProcessingJobName=name),
        lambda: (describe_processing_job(context, name) or {STATUS: "Stopped"})[STATUS],
        name,
    )


def stop_running_preparation(context: Context) -> str:
    """Stop the processing job that is running, if one is.

    Returns:
        Its name, or "" where none was running.
    """
    for record in reversed(context.state.of_kind(ProcessingJob.kind)):
        job = describe_processing_job(context, record.name)
        if job and job[STATUS] == "InProgress" and context.owns(ProcessingJob(context).tags(record.name)):
            stop_processing_job(context, record.name)
            return record.name
    return ""


def _live(job: Mapping[str, Any] | None) -> LiveResource | None:
    if not job:
        return None
    made = re.search(rf'"{DATASET}": "([0-9a-f]+)"', job.get("ExitMessage", ""))
    return LiveResource(job["ProcessingJobArn"], job[STATUS], attributes={DATASET: made[1]} if made else {})
