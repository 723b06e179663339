"""Training: the source archive and the SageMaker training job, followed to an artifact on this machine."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC
from functools import cached_property
from itertools import count
from typing import Any

from sentimodel.files import METADATA

from sentictl.assets import archives, installed
from sentictl.aws.images import pytorch_image
from sentictl.aws.lookup import if_there
from sentictl.aws.names import TRAINING_GROUP, digest_of
from sentictl.aws.waiters import once_role_is_known, poll
from sentictl.config.state import Record
from sentictl.errors import InterruptedByUserError, TrainingError
from sentictl.lifecycle.resource import Context, Live
from sentictl.services.iam.roles import ExecutionRole
from sentictl.services.resources.artifacts import artifact_is_there, fetch_artifact, make_current
from sentictl.services.resources.dataset import Dataset
from sentictl.services.resources.logs import delete_streams
from sentictl.services.resources.sagemaker import DigestNamed
from sentictl.services.resources.storage import StoredObject, delete_objects, list_keys, read_object
from sentictl.services.resources.training_log import TrainingLog

CHANNELS = ("train", "validation", "vocabulary")
UNLABELLED = "unlabelled"  # a channel only where the settings want it
ACCURACY = "validation_accuracy"
METRICS = ("train_loss", "validation_loss", ACCURACY)
# Hyperparameters are the [train] settings that the script takes; the rest are about its machines and channels.
OTHER_SETTINGS = {"unlabelled", "instance_type", "instance_count", "spot", "volume_gb", "max_minutes"}
CHECKPOINTS = "/opt/ml/checkpoints"  # where train.py looks for them, and SageMaker's own default
OVER = {"Completed", "Failed", "Stopped"}
SPARKS = "▁▂▃▄▅▆▇█"
SPARKLINE = 6  # bars: with two sparklines in it, the line that sums a training up fits 80 columns


class SourceArchive(StoredObject):
    """The model code that the training job runs: `sources/<digest>/sourcedir.tar.gz`."""

    kind = "source-archive"

    @cached_property
    def _packed(self) -> bytes:
        files = installed.model_code(self.context.config.folder.root)
        return archives.tar_gz({name: path.read_bytes() for name, path in files.items()})

    @property
    def digest(self) -> str:
        return digest_of(self._packed.hex())

    @property
    def name(self) -> str:
        return f"sources/{self.digest}/sourcedir.tar.gz"

    def found(self) -> Iterable[str]:
        return list_keys(self.context, self.bucket, "sources/")

    def read(self, name: str) -> Live | None:
        return Live(self.uri(name)) if read_object(self.context, self.bucket, name) else None

    def create(self) -> None:
        self.context.environment.client("s3").put_object(Bucket=self.bucket, Key=self.name, Body=self._packed)


class TrainingJob(DigestNamed):
    """The training job, named by the digest of its data, code, image, hyperparameters and number of machines.

    The same inputs again find the same job and train nothing. Names cannot be used twice, so a job that failed or was
    stopped is followed by one with a number behind its name. The jobs of one digest share their checkpoints, so that
    one that follows goes on where the one before it stopped.
    """

    kind = "training-job"
    operation, listed, listed_name = "list_training_jobs", "TrainingJobSummaries", "TrainingJobName"
    keeps_versions = True
    holds_data = True

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._dataset = Dataset(context)
        self._source = SourceArchive(context)

    @cached_property
    def checkpoints(self) -> str:
        """The key under which the checkpoints of all jobs with these inputs lie."""
        return f"checkpoints/{self._base_name}/"

    @cached_property
    def _base_name(self) -> str:
        hosts = self.context.settings.train.instance_count
        inputs = (self._source.digest, self._image, self._hyperparameters, hosts, self._channels)
        return self.context.naming.name(digest_of(*inputs))

    @cached_property
    def name(self) -> str:
        for attempt in count(1):
            name = self._base_name if attempt == 1 else f"{self._base_name}-{attempt}"
            job = self._describe(name)
            if job is None or self._usable(job):
                break
        return name

    def read(self, name: str) -> Live | None:
        job = self._describe(name)
        if job is None:
            return None
        status = job["TrainingJobStatus"]
        return Live(job["TrainingJobArn"], status, attributes=_outcome(job) if status == "Completed" else {})

    def foreseen(self) -> Mapping[str, str]:
        return {"artifact": f"s3://{self.context.naming.bucket}/models/{self.name}/output/model.tar.gz"}

    def create(self) -> None:
        self._check_channels()
        client = self.context.environment.client("sagemaker")
        once_role_is_known(lambda: client.create_training_job(**self._request()))

    def settle(self, live: Live) -> Live:
        if live.status not in OVER:
            self._follow()
        job = self._describe(self.name) or {}
        if job.get("TrainingJobStatus") != "Completed":
            raise _failure(self.name, job)
        make_current(self.context, fetch_artifact(self.context, self.name, job["ModelArtifacts"]["S3ModelArtifacts"]))
        delete_objects(self.context, self.context.naming.bucket, self.checkpoints)
        return self.read(self.name) or live

    def delete(self, record: Record) -> None:
        client = self.context.environment.client("sagemaker")
        job = self._describe(record.name)
        if job is not None:
            if job["TrainingJobStatus"] not in OVER:
                stop_training_job(self.context, record.name)
            if_there(client.delete_training_job, TrainingJobName=record.name)
            poll(lambda: self._describe(record.name), lambda job: job is None, what=record.name, timeout=120)
        # Also where the job is gone already: a run that was killed here leaves its log.
        delete_streams(self.context, TRAINING_GROUP, f"{record.name}/")

    def summary(self) -> str:
        metadata = json.loads((self.context.config.folder.models / self.name / METADATA).read_text())
        metrics = metadata["metrics"]
        loss = sparkline([epoch["train_loss"] for epoch in metrics["epochs"]])
        accuracy = sparkline([epoch["validation_accuracy"] for epoch in metrics["epochs"]])
        return (
            f"{metadata['architecture']} · loss {loss} · "
            f"validation {100 * metrics['validation_accuracy']:.1f} % {accuracy}"
        )

    def _follow(self) -> None:
        log = TrainingLog(self.context.environment.client("logs"), self.name)
        status = ""

        def look() -> Mapping[str, Any]:
            nonlocal status
            job = self._describe(self.name) or {}
            if job and job["SecondaryStatus"] != status and job["TrainingJobStatus"] not in OVER:
                status = job["SecondaryStatus"]
                self.context.report(status.lower())
            for progress in log.progress():
                self.context.report(*progress)
            return job

        # The service itself ends a job at its limit; waiting twice as long also covers the queue for machines.
        limit = 120 * self.context.settings.train.max_minutes + 1800
        try:
            poll(
                look,
                lambda job: not job or job["TrainingJobStatus"] in OVER,
                what=self.name,
                timeout=limit,
                longest=3,
            )
        except KeyboardInterrupt:
            raise InterruptedByUserError(
                f"Interrupted. The training job {self.name} runs on.",
                "Follow it with the same command again, or stop it with: sentictl train --stop",
            ) from None

    def _check_channels(self) -> None:
        manifest = self._dataset.prepared.manifest
        if UNLABELLED in self._channels and manifest.unlabelled is None:
            raise TrainingError(
                f"There are no unlabelled reviews to learn from: {manifest.source} has none.",
                "Take the IMDb archive (sentictl data --source imdb), or train without: sentictl train --no-unlabelled",
            )

    def _describe(self, name: str) -> dict[str, Any] | None:
        return describe_training_job(self.context, name)

    def _usable(self, job: Mapping[str, Any]) -> bool:
        status: str = job["TrainingJobStatus"]
        if status != "Completed":
            return status == "InProgress"
        return artifact_is_there(self.context, job["ModelArtifacts"]["S3ModelArtifacts"])

    @property
    def _channels(self) -> tuple[str, ...]:
        return (*CHANNELS, UNLABELLED) if self.context.settings.train.unlabelled else CHANNELS

    @property
    def _image(self) -> str:
        train = self.context.settings.train
        return pytorch_image("training", self.context.environment.region, train.instance_type)

    @property
    def _hyperparameters(self) -> dict[str, str]:
        settings = self.context.settings.train.model_dump(exclude=OTHER_SETTINGS)
        return {key: json.dumps(value) for key, value in settings.items()} | {"dataset": self._dataset.digest}

    def _request(self) -> dict[str, Any]:
        train = self.context.settings.train
        return {
            "TrainingJobName": self.name,
            "RoleArn": ExecutionRole(self.context).arn,
            "AlgorithmSpecification": {
                "TrainingImage": self._image,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": name, "Regex": rf"\b{name}=([0-9.]+)"} for name in METRICS],
            },
            "HyperParameters": self._hyperparameters | self._script_mode(),
            "InputDataConfig": [self._channel(name) for name in self._channels],
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.context.naming.bucket}/models"},
            "ResourceConfig": {
                "InstanceType": train.instance_type,
                "InstanceCount": train.instance_count,
                "VolumeSizeInGB": train.volume_gb,
            },
            "CheckpointConfig": {
                "S3Uri": f"s3://{self.context.naming.bucket}/{self.checkpoints}",
                "LocalPath": CHECKPOINTS,
            },
            **self._stopping(),
            "Tags": self.context.naming.tag_list(),
        }

    def _stopping(self) -> dict[str, Any]:
        """When the job ends at the latest. On spare machines that includes the time spent waiting for them."""
        train = self.context.settings.train
        limit = {"MaxRuntimeInSeconds": 60 * train.max_minutes}
        if not train.spot:
            return {"StoppingCondition": limit}
        return {
            "EnableManagedSpotTraining": True,
            "StoppingCondition": limit | {"MaxWaitTimeInSeconds": 120 * train.max_minutes},
        }

    def _script_mode(self) -> dict[str, str]:
        """What the container's training toolkit reads: which script, from where, and its own name. JSON strings."""
        values = {
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": self._source.uri(self._source.name),
            "sagemaker_region": self.context.environment.region,
            "sagemaker_job_name": self.name,
        }
        quoted = {key: json.dumps(value) for key, value in values.items()}
        return quoted | {"sagemaker_container_log_level": "20"}

    def _channel(self, name: str) -> dict[str, Any]:
        source = {
            "S3DataType": "S3Prefix",
            "S3Uri": self._dataset.uri(f"{self._dataset.name}{name}/"),
            "S3DataDistributionType": "FullyReplicated",
        }
        return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def describe_training_job(context: Context, name: str) -> dict[str, Any] | None:
    """What DescribeTrainingJob tells, or None for a name that was never used."""
    return if_there(context.environment.client("sagemaker").describe_training_job, TrainingJobName=name)


def forget_checkpoints(context: Context) -> None:
    """Make the next training job begin anew. One that runs, or has ended well, keeps what it has."""
    job = TrainingJob(context)
    if job.read(job.name) is None:
        delete_objects(context, context.naming.bucket, job.checkpoints)


def stop_training_job(context: Context, name: str) -> None:
    """Stop a running training job and wait until it has stopped."""
    client = context.environment.client("sagemaker")
    client.stop_training_job(TrainingJobName=name)
    poll(
        lambda: describe_training_job(context, name) or {"TrainingJobStatus": "Stopped"},
        lambda job: job["TrainingJobStatus"] in OVER,
        what=name,
        timeout=300,
    )


def _outcome(job: Mapping[str, Any]) -> dict[str, str]:
    """What is recorded of a job that ended well: enough to tell its model from others without the artifact.

    Of each metric SageMaker keeps the value that was logged last, and train.py ends with those of the whole model.
    """
    given = job.get("HyperParameters", {})
    metrics = {metric["MetricName"]: metric["Value"] for metric in job.get("FinalMetricDataList", [])}
    outcome = {
        "artifact": job["ModelArtifacts"]["S3ModelArtifacts"],
        "trained": job["CreationTime"].astimezone(UTC).isoformat(timespec="milliseconds"),
        "architecture": json.loads(given.get("architecture", '""')),
        "dataset": given.get("dataset", ""),
    }
    if ACCURACY in metrics:
        outcome[ACCURACY] = f"{metrics[ACCURACY]:.4f}"
    return outcome


def sparkline(values: list[float]) -> str:
    """The values as a row of bars, the lowest to the highest; of many values, some evenly among them."""
    if len(values) > SPARKLINE:
        values = [values[number * (len(values) - 1) // (SPARKLINE - 1)] for number in range(SPARKLINE)]
    low, span = min(values), (max(values) - min(values)) or 1
    return "".join(SPARKS[round((value - low) / span * (len(SPARKS) - 1))] for value in values)


def _failure(name: str, job: Mapping[str, Any]) -> TrainingError:
    if not job:
        return TrainingError(f"The training job {name} is gone: it was deleted.", "Train anew: sentictl train")
    status = job["SecondaryStatus"]
    if status in ("MaxRuntimeExceeded", "MaxWaitTimeExceeded"):
        return TrainingError(
            f"The training job {name} ran out of time.",
            "Give it more, and it goes on where it stopped: sentictl train --max-minutes MINUTES",
        )
    reason = re.sub(r"\s+", " ", job.get("FailureReason", "")).strip()
    if "No module named 'torch'" in reason:
        return TrainingError("Training on this machine needs torch.", "pip install 'sentictl[train]'")
    why = f": {reason}" if reason else "."
    return TrainingError(f"The training job {name} ended as {status}{why}", "Its whole log: sentictl logs train")


def stop_running_job(context: Context) -> str:
    """Stop the training job that is running, if one is.

    Returns:
        Its name, or "" where none was running.
    """
    for record in reversed(context.state.of_kind(TrainingJob.kind)):
        job = describe_training_job(context, record.name)
        if job and job["TrainingJobStatus"] == "InProgress":
            stop_training_job(context, record.name)
            return record.name
    return ""
