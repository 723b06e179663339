"""Training: the source archive and the SageMaker training job, followed to an artifact on this machine."""

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import UTC
from functools import cached_property
from itertools import count
from math import ceil
from typing import Any

from sentimodel.files import METADATA

from sentictl.assets import archives, installed
from sentictl.assets.installed import install_command
from sentictl.aws.images import pytorch_image
from sentictl.aws.lookup import if_there
from sentictl.aws.names import TRAINING_GROUP, digest_of
from sentictl.aws.waiters import poll
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.state import Record, State
from sentictl.config.tables.train import MOST_MINUTES
from sentictl.errors import InterruptedByUserError, TrainingError
from sentictl.lifecycle.cost import Machines
from sentictl.lifecycle.resource import Actions, Context, LiveResource
from sentictl.services.iam.roles import ExecutionRole
from sentictl.services.resources.artifacts import artifact_is_there, fetch_artifact, make_current
from sentictl.services.resources.dataset import Dataset
from sentictl.services.resources.logs import delete_streams, job_log_scope
from sentictl.services.resources.sagemaker import OVER, DigestNamed, because, served_configs, stop_job
from sentictl.services.resources.storage import (
    DELETING,
    StoredObject,
    bucket_tags,
    delete_objects,
    list_keys,
    read_object,
)
from sentictl.services.resources.training_log import TrainingLog

CHANNELS = ("train", "validation", "vocabulary")
UNLABELLED = "unlabelled"  # a channel only where the settings want it
DEALT = ("train", UNLABELLED)  # among the machines; all need the others whole
ACCURACY = "validation_accuracy"
METRICS = ("train_loss", "validation_loss", ACCURACY)
# Of a scheduled training: the channel with the model that is served, and what comes of the comparison with it.
SERVED, TOLERANCE = "served", "tolerance"
NEW_ACCURACY, SERVED_ACCURACY, NOT_WORSE = "new_accuracy", "served_accuracy", "not_worse"
SERVED_TAG = "sentictl:served"  # the tag that its run gives the job once the endpoint has the model
# Hyperparameters are the [train] settings that the script takes; the rest are about its machines and channels.
MACHINE_SETTINGS = {"instance_type", "instance_count", "spot", "volume_gb", "max_minutes"}
OTHER_SETTINGS = MACHINE_SETTINGS | {"unlabelled", "tune", "schedule"}
# How the names begin of those that are the container's toolkit's own; a tuning job gives its trials the second one.
RESERVED = ("sagemaker_", "_tuning_objective_metric")
TUNED_BY = "tuning_job"  # the attribute that names the tuning job whose trial a version is
PRUNED = "pruned"  # the attribute that says when `prune` deleted a version's artifact
# What a token to learn from takes of the disk while n-grams are counted, and with an LSTM while pairs of words are
# (docs/scale.md, "Memory": 4 and 14 kB for a review of 235 words).
NGRAM_SCRATCH_BYTES, LSTM_SCRATCH_BYTES = 18, 60
GB = 10**9
MODELS, CHECKPOINTS_FOLDER = "models/", "checkpoints/"  # in the bucket
CHECKPOINTS = "/opt/ml/checkpoints"  # where train.py looks for them, and SageMaker's own default
SPARKS = "▁▂▃▄▅▆▇█"
SPARKLINE = 6  # bars: with two sparklines in it, the line that sums a training up fits 80 columns


class SourceArchive(StoredObject):
    """The model code that the training job runs: `sources/<digest>/sourcedir.tar.gz`."""

    kind = "source-archive"
    command = "train"
    actions = Actions(read="s3:ListBucket s3:GetObject s3:GetBucketTagging", create="s3:PutObject", delete=DELETING)

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

    def found(self, known: Container[str] = ()) -> Iterable[tuple[str, LiveResource]]:
        names = list_keys(self.context, self.bucket, "sources/")
        return ((name, LiveResource(self.uri(name))) for name in names if name not in known)

    def read(self, name: str) -> LiveResource | None:
        return LiveResource(self.uri(name)) if read_object(self.context, self.bucket, name) else None

    def create(self) -> None:
        self.context.environment.client("s3").put_object(Bucket=self.bucket, Key=self.name, Body=self._packed)


class TrainingJob(DigestNamed):
    """The training job, named by the digest of its data, code, image, hyperparameters and number of machines.

    The same inputs again find the same job and train nothing. Names cannot be used twice, so a job that failed or was
    stopped is followed by one with a number behind its name. The jobs of one digest share their checkpoints, so that
    one that follows goes on where the one before it stopped.

    A version that is a tuning job's trial has a name of SageMaker's. It is known by what it was given, so that the
    settings of the best trial train nothing either.
    """

    kind = "training-job"
    command = "train"
    face = True
    in_template = False  # CloudFormation has no type for it
    healthy = frozenset({"Completed"})
    actions = Actions(
        read="sagemaker:DescribeTrainingJob sagemaker:ListTrainingJobs sagemaker:ListTags s3:GetObject",
        create="sagemaker:CreateTrainingJob sagemaker:AddTags iam:PassRole "
        f"logs:DescribeLogStreams logs:GetLogEvents {DELETING}",
        delete="sagemaker:StopTrainingJob sagemaker:DeleteTrainingJob logs:DescribeLogStreams logs:DeleteLogStream",
        unscoped="sagemaker:ListTrainingJobs",
    )
    operation, listed, listed_name = "list_training_jobs", "TrainingJobSummaries", "TrainingJobName"
    keeps_versions = True
    holds_data = True

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._dataset = Dataset(context)
        self._source = SourceArchive(context)
        self._name: str | None = None

    @cached_property
    def checkpoints(self) -> str:
        """The key under which the checkpoints of all jobs with these inputs lie."""
        return f"{CHECKPOINTS_FOLDER}{self._base_name}/"

    @cached_property
    def _base_name(self) -> str:
        return self.context.naming.name(self.digest_with(self.hyperparameters))

    def digest_with(self, hyperparameters: Mapping[str, str]) -> str:
        """Return the digest of all that a job learns from, with these hyperparameters."""
        hosts = self.context.settings.train.instance_count
        return digest_of(self._source.digest, self._image, hyperparameters, hosts, self.channels)

    @property
    def name(self) -> str:
        """The name that `find` chose, by which names were used already."""
        if self._name is None:
            raise RuntimeError("Which name a training job takes is known only after find()")
        return self._name

    def find(self) -> LiveResource | None:
        trial = None if self.context.environment.unseen else self._find_trial()
        if trial is not None:
            self._name = trial["TrainingJobName"]
            return _live(trial)
        for attempt in count(1):
            self._name = self._base_name if attempt == 1 else f"{self._base_name}-{attempt}"
            job = None if self.context.environment.unseen else self._describe(self._name)
            if job is None or self._usable(job):
                break
        return _live(job)

    def is_of_kind(self, name: str) -> bool:
        """Tell whether a job is a version: of scheduled trainings those are that were served, or are now."""
        return not self.of_schedule(name) or SERVED_TAG in self.tags(name) or name in self.served_configs[0]

    @cached_property
    def served_configs(self) -> tuple[set[str], set[str]]:
        """The endpoint configs that are served, and those that an endpoint is going over to."""
        return served_configs(self.context)

    def read(self, name: str) -> LiveResource | None:
        return _live(self._describe(name))

    def foreseen(self) -> Mapping[str, str]:
        return {"artifact": f"s3://{self.context.naming.bucket}/{MODELS}{self.name}/output/model.tar.gz"}

    def create(self) -> None:
        self.check_inputs()
        self.context.environment.client("sagemaker").create_training_job(**self._request())

    def wait_ready(self, live: LiveResource) -> LiveResource:
        job = self._follow() if live.status not in OVER else self._describe(self.name) or {}
        if job.get("TrainingJobStatus") != "Completed":
            raise _failure(self.name, job)
        make_current(self.context, fetch_artifact(self.context, self.name, job["ModelArtifacts"]["S3ModelArtifacts"]))
        delete_objects(self.context, self.context.naming.bucket, self.checkpoints)
        return _live(job) or live

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

    def facts(self, record: Record) -> Sequence[str]:
        accuracy = record.attributes.get(ACCURACY)
        measured = f"validation {100 * float(accuracy):.1f} %" if accuracy else ""
        return [record.name, record.attributes.get("architecture", ""), measured]

    def scope(self, action: str) -> Sequence[str]:
        return job_log_scope(self.context, TRAINING_GROUP, action) or super().scope(action)

    def machines(self) -> Machines:
        train = self.context.settings.train
        return Machines("Training", train.instance_type, train.instance_count, standing=False)

    def _follow(self) -> Mapping[str, Any]:
        """Report how the job goes until it is over. Returns what AWS tells of it then; nothing if it is gone."""
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
            return poll(
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

    def _describe(self, name: str) -> dict[str, Any] | None:
        return describe_training_job(self.context, name)

    def _usable(self, job: Mapping[str, Any]) -> bool:
        status: str = job["TrainingJobStatus"]
        if status != "Completed":
            return status == "InProgress"
        return artifact_is_there(self.context, job["ModelArtifacts"]["S3ModelArtifacts"])

    def _find_trial(self) -> dict[str, Any] | None:
        """Return what AWS tells of the recorded trial, or scheduled training, that has these very inputs."""
        for record in reversed(versions_of(self.context.state)):
            if TUNED_BY in record.attributes or self.of_schedule(record.name):
                job = self._describe(record.name)
                if job and self._is_given_the_same(job) and self._usable(job):
                    return job
        return None

    def _is_given_the_same(self, job: Mapping[str, Any]) -> bool:
        given = job["HyperParameters"]
        besides = (*RESERVED, TOLERANCE)
        own = {name: json.loads(value) for name, value in given.items() if not name.startswith(besides)}
        return (
            own == {name: json.loads(value) for name, value in self.hyperparameters.items()}
            and json.loads(given["sagemaker_submit_directory"]) == self._source.uri(self._source.name)
            and job["AlgorithmSpecification"]["TrainingImage"] == self._image
            and job["ResourceConfig"]["InstanceCount"] == self.context.settings.train.instance_count
            and {channel["ChannelName"] for channel in job["InputDataConfig"]} - {SERVED} == set(self.channels)
        )

    @property
    def channels(self) -> tuple[str, ...]:
        """The names of the channels that it learns from."""
        return (*CHANNELS, UNLABELLED) if self.context.settings.train.unlabelled else CHANNELS

    @property
    def _image(self) -> str:
        train = self.context.settings.train
        return pytorch_image("training", self.context.environment.region, train.instance_type)

    @property
    def hyperparameters(self) -> dict[str, str]:
        """The settings that the script takes, and the dataset's digest, each as JSON."""
        return self.plain_hyperparameters | {"dataset": json.dumps(self._dataset.digest)}

    @property
    def plain_hyperparameters(self) -> dict[str, str]:
        """The settings that the script takes, each as JSON, whatever the dataset."""
        settings = self.context.settings.train.model_dump(exclude=OTHER_SETTINGS)
        # As JSON, all of them: the container's toolkit decodes each, and an undecided digest could be a number to it.
        return {key: json.dumps(value) for key, value in settings.items()}

    def definition(self) -> dict[str, Any]:
        """Return what runs, as whom, on what and for how long: what a tuning job's trials have in common with a job."""
        return {**self.terms(), "InputDataConfig": [self._channel(name) for name in self.channels]}

    def terms(self, metrics: Iterable[str] = METRICS) -> dict[str, Any]:
        """Return the same without what is learned from.

        Args:
            metrics: what is to be read in the log.
        """
        train = self.context.settings.train
        return {
            "RoleArn": ExecutionRole(self.context).arn,
            "AlgorithmSpecification": {
                "TrainingImage": self._image,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": name, "Regex": rf"\b{name}=([0-9.]+)"} for name in metrics],
            },
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.context.naming.bucket}/models"},
            "ResourceConfig": {
                "InstanceType": train.instance_type,
                "InstanceCount": train.instance_count,
                "VolumeSizeInGB": train.volume_gb,
            },
            **self._stopping(),
        }

    def script_mode(self, job: str) -> dict[str, str]:
        """Return what the container's toolkit reads: which script, from where, and the job's name. JSON strings."""
        values = {
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": self._source.uri(self._source.name),
            "sagemaker_region": self.context.environment.region,
            "sagemaker_job_name": job,
        }
        quoted = {key: json.dumps(value) for key, value in values.items()}
        return quoted | {"sagemaker_container_log_level": "20"}

    def check_inputs(self) -> None:
        """Refuse what a job could not learn from.

        Raises:
            TrainingError: the source has no unlabelled reviews, or the machines' disks are too small for it.
        """
        self._check_unlabelled()
        self._check_volume()

    def _check_unlabelled(self) -> None:
        manifest = self._dataset.prepared.manifest
        if UNLABELLED in self.channels and manifest.unlabelled is None:
            raise TrainingError(
                f"There are no unlabelled reviews to learn from: {manifest.source} has none.",
                "Take the IMDb archive (sentictl data --source imdb), or train without: sentictl train --no-unlabelled",
            )

    def _check_volume(self) -> None:
        train, manifest = self.context.settings.train, self._dataset.prepared.manifest
        parts = [manifest.splits["train"], *([manifest.unlabelled] if train.unlabelled and manifest.unlabelled else [])]
        each = NGRAM_SCRATCH_BYTES if train.architecture == "ngram" else LSTM_SCRATCH_BYTES
        scratch = each * sum(part.tokens for part in parts)
        files = sum(facts.bytes for facts in manifest.files.values())
        needed = ceil((scratch / train.instance_count + files) / GB)
        if needed > train.volume_gb:
            where = env_option(self.context.environment.name, default=LOCAL)
            raise TrainingError(
                f"Learning from {sum(part.reviews for part in parts):,} reviews takes up to {needed} GB of each "
                f"machine's disk, and train.volume_gb is {train.volume_gb}.",
                f"sentictl config set train.volume_gb {needed}{where}, or more machines: sentictl train "
                f"--instance-count {train.instance_count + 1}{where}",
            )

    def _request(self) -> dict[str, Any]:
        return {
            "TrainingJobName": self.name,
            "HyperParameters": self.hyperparameters | self.script_mode(self.name),
            "CheckpointConfig": {
                "S3Uri": f"s3://{self.context.naming.bucket}/{self.checkpoints}",
                "LocalPath": CHECKPOINTS,
            },
            **self.definition(),
            "Tags": self.context.naming.tag_list(),
        }

    def _stopping(self) -> dict[str, Any]:
        """Return when the job ends at the latest. On spare machines that includes the time spent waiting for them."""
        train = self.context.settings.train
        limit = {"MaxRuntimeInSeconds": 60 * train.max_minutes}
        if not train.spot:
            return {"StoppingCondition": limit}
        return {
            "EnableManagedSpotTraining": True,
            "StoppingCondition": limit | {"MaxWaitTimeInSeconds": 120 * train.max_minutes},
        }

    def _channel(self, name: str) -> dict[str, Any]:
        source = {
            "S3DataType": "S3Prefix",
            "S3Uri": self._dataset.uri(f"{self._dataset.name}{name}/"),
            "S3DataDistributionType": "ShardedByS3Key" if self._is_dealt(name) else "FullyReplicated",
        }
        return {"ChannelName": name, "DataSource": {"S3DataSource": source}}

    def _is_dealt(self, channel: str) -> bool:
        """Whether each machine gets shards of its own. All get all where there are not enough, and share the rows."""
        machines = self.context.settings.train.instance_count
        shards = sum(name.startswith(f"{channel}/") for name in self._dataset.prepared.manifest.files)
        return channel in DEALT and 1 < machines <= shards


def describe_training_job(context: Context, name: str) -> dict[str, Any] | None:
    """Return what DescribeTrainingJob tells, or None for a name that was never used."""
    return if_there(context.environment.client("sagemaker").describe_training_job, TrainingJobName=name)


def forget_checkpoints(context: Context) -> None:
    """Make the next training job begin anew. One that runs, or has ended well, keeps what it has."""
    job = TrainingJob(context)
    if job.find() is None and context.owns(bucket_tags(context, context.naming.bucket)):
        delete_objects(context, context.naming.bucket, job.checkpoints)


def stop_training_job(context: Context, name: str) -> None:
    """Stop a training job and wait until it has stopped. One that has just ended by itself is left as it is."""
    client = context.environment.client("sagemaker")
    stop_job(
        lambda: client.stop_training_job(TrainingJobName=name),
        lambda: (describe_training_job(context, name) or {"TrainingJobStatus": "Stopped"})["TrainingJobStatus"],
        name,
    )


def _live(job: Mapping[str, Any] | None) -> LiveResource | None:
    """Read what AWS tells of a job; None where there is none."""
    if not job:
        return None
    status = job["TrainingJobStatus"]
    return LiveResource(job["TrainingJobArn"], status, attributes=_outcome(job) if status == "Completed" else {})


def versions_of(state: State) -> list[Record]:
    """Return the trainings that ended well, in the order in which they were begun: version 1 comes first."""
    finished = [record for record in state.of_kind(TrainingJob.kind) if "artifact" in record.attributes]
    return sorted(finished, key=lambda record: (record.attributes.get("trained", ""), record.name))


def version_of(state: State, given: str) -> Record | None:
    """Return the version that a person names by its name or number, or None where there is no such version."""
    known = versions_of(state)
    by_name = {str(number): record for number, record in enumerate(known, 1)} | {each.name: each for each in known}
    return by_name.get(given)


def dataset_of(job: Mapping[str, Any]) -> str:
    """Return the digest of the dataset that a job learns from, given what AWS tells of the job."""
    digest: str = job.get("HyperParameters", {}).get("dataset", "")
    return digest.strip('"')  # jobs of sentictl 0.1 have it without quotes


def _outcome(job: Mapping[str, Any]) -> dict[str, str]:
    """Return what is recorded of a job that ended well: enough to tell its model from others without the artifact.

    Of each metric SageMaker keeps the value that was logged last, and train.py ends with those of the whole model.
    """
    given = job.get("HyperParameters", {})
    metrics = {metric["MetricName"]: metric["Value"] for metric in job.get("FinalMetricDataList", [])}
    outcome = {
        "artifact": job["ModelArtifacts"]["S3ModelArtifacts"],
        "trained": job["CreationTime"].astimezone(UTC).isoformat(timespec="milliseconds"),
        "architecture": json.loads(given.get("architecture", '""')),
        "dataset": dataset_of(job),
    }
    if "TuningJobArn" in job:
        outcome[TUNED_BY] = job["TuningJobArn"].rpartition("/")[2]
    if ACCURACY in metrics:
        outcome[ACCURACY] = f"{metrics[ACCURACY]:.4f}"
    return outcome


def sparkline(values: list[float]) -> str:
    """Draw the values as a row of bars, the lowest to the highest; of many values, some evenly among them."""
    if len(values) > SPARKLINE:
        values = [values[number * (len(values) - 1) // (SPARKLINE - 1)] for number in range(SPARKLINE)]
    low, span = min(values), (max(values) - min(values)) or 1
    return "".join(SPARKS[round((value - low) / span * (len(SPARKS) - 1))] for value in values)


def _failure(name: str, job: Mapping[str, Any]) -> TrainingError:
    if not job:
        return TrainingError(f"The training job {name} is gone: it was deleted.", "Train anew: sentictl train")
    status = job["SecondaryStatus"]
    if status in ("MaxRuntimeExceeded", "MaxWaitTimeExceeded"):
        more = min(2 * job["StoppingCondition"]["MaxRuntimeInSeconds"] // 60, MOST_MINUTES)
        return TrainingError(
            f"The training job {name} ran out of time.",
            f"Give it more, and it goes on where it stopped: sentictl train --max-minutes {more}",
        )
    why = because(job.get("FailureReason", ""))
    if "No module named 'torch'" in why:
        return TrainingError("Training on this machine needs torch.", install_command("train"))
    return TrainingError(f"The training job {name} ended as {status}{why}", "Its whole log: sentictl logs train")


def stop_running_job(context: Context) -> str:
    """Stop the training job that is running, if one is.

    Returns:
        Its name, or "" where none was running.
    """
    for record in reversed(context.state.of_kind(TrainingJob.kind)):
        job = describe_training_job(context, record.name)
        if job and job["TrainingJobStatus"] == "InProgress" and context.owns(TrainingJob(context).tags(record.name)):
            stop_training_job(context, record.name)
            return record.name
    return ""
