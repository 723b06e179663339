"""The training job as it is asked for, held against moto's SageMaker and S3."""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber
from moto import mock_aws
from moto.sagemaker.models import sagemaker_backends

from sentictl.aws.environment import Environment
from sentictl.config.config import Config
from sentictl.config.project_folder import ProjectFolder
from sentictl.errors import TrainingError
from sentictl.lifecycle.resource import Context
from sentictl.services.resources import training
from sentictl.services.resources.dataset import Dataset
from sentictl.services.resources.storage import create_bucket, tag_bucket
from sentictl.services.resources.training import TrainingJob, forget_checkpoints, stop_training_job
from tests.services.conftest import ACCOUNT

mapping = pytest.importorskip("sagemaker_training.mapping")
MOTO_ACCOUNT = "123456789012"
REGION = "eu-west-1"
WORDS = (("pos", "lovely"), ("neg", "dreadful"))


class Cloud:
    """A project with few reviews, and what moto has of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._source = "reviews.csv"
        self.shard_reviews = 50_000
        with (folder / "reviews.csv").open("w", newline="") as stream:
            rows = [(f"A {('dreadful', 'lovely')[i % 2]} film, number {i}.", i % 2) for i in range(60)]
            csv.writer(stream).writerows([("review", "label"), *rows])

    def use_archive_layout(self) -> None:
        """From now on the reviews are a folder in the official archive's layout, one unlabelled review among them."""
        self._source = "aclImdb"
        texts = {f"train/{label}/{i}_5.txt": f"A {word} film, number {i}." for label, word in WORDS for i in range(60)}
        texts |= {f"test/{label}/{i}_5.txt": f"A {word} one, number {i}." for label, word in WORDS for i in range(4)}
        for name, text in {**texts, "train/unsup/0_0.txt": "Nobody said what this is."}.items():
            path = self._folder / "aclImdb" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def context(self, train: str = "") -> Context:
        """The project with these lines in [train], as a command of its own would see it."""
        data = f'source = "{self._source}"\nshard_reviews = {self.shard_reviews}'
        settings = f'[project]\nname = "films"\n[data]\n{data}\n[train]\n{train}\n'
        (self._folder / "sentictl.toml").write_text(settings)
        environment = Environment("local", REGION)
        environment.__dict__["account"] = ACCOUNT  # as if AWS had told it
        return Context(Config.load(ProjectFolder(self._folder)), environment, lambda *_: None)

    def request(self, train: str = "") -> dict[str, Any]:
        """Create the job; what SageMaker was asked for."""
        job = TrainingJob(self.context(train))
        job.find()
        job.create()
        found: dict[str, Any] = job.context.environment.client("sagemaker").describe_training_job(
            TrainingJobName=job.name
        )
        return found

    def end(self, name: str, status: str) -> None:
        """Make a job end with this status."""
        sagemaker_backends[MOTO_ACCOUNT][REGION].training_jobs[name].training_job_status = status

    def forget(self, name: str) -> None:
        """Let a job be gone."""
        sagemaker_backends[MOTO_ACCOUNT][REGION].training_jobs.pop(name, None)

    def keys(self, prefix: str) -> list[str]:
        """What the bucket holds under a prefix."""
        context = self.context()
        client = context.environment.client("s3")
        listed = client.list_objects_v2(Bucket=context.naming.bucket, Prefix=prefix)
        return [entry["Key"] for entry in listed.get("Contents", [])]

    def put(self, uri: str) -> None:
        """Put something at a place in the bucket."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        self.context().environment.client("s3").put_object(Bucket=bucket, Key=key, Body=b"x")


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with mock_aws():
        cloud = Cloud(tmp_path)
        context = cloud.context()
        create_bucket(context, context.naming.bucket)
        tag_bucket(context, context.naming.bucket)  # moto takes no tags along
        yield cloud


def test_each_hyperparameter_goes_to_the_script_and_what_the_machine_is_does_not(cloud: Cloud) -> None:
    request = cloud.request('accumulation = 4\nmixed_precision = false\ninstance_type = "ml.m5.large"')
    values = {name: json.loads(value) for name, value in request["HyperParameters"].items()}
    assert (values["accumulation"], values["mixed_precision"]) == (4, False)
    assert not {"instance_type", "instance_count", "spot", "volume_gb", "max_minutes"} & values.keys()
    assert request["ResourceConfig"]["InstanceType"] == "ml.m5.large"


@pytest.mark.parametrize("digest", ["90e339455353", "123456789012", "000000000000", "0e0000000000", "abcdefabcdef"])
def test_every_hyperparameter_comes_out_of_the_toolkit_as_it_was_set(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, digest: str
) -> None:
    monkeypatch.setattr(Dataset, "digest", digest)
    request = cloud.request("learning_rate = 1e-5")
    train = cloud.context("learning_rate = 1e-5").settings.train.model_dump()
    for name, sent in request["HyperParameters"].items():
        if not name.startswith("sagemaker_"):
            words = mapping.to_cmd_args({name: json.loads(sent)})  # what sagemaker-training does with it
            assert words == [f"--{name}", str(train.get(name, digest))]


@pytest.mark.parametrize("sent", ["90e339455353", '"90e339455353"'], ids=["0.1.0", "now"])
def test_the_dataset_of_a_job_is_recorded_without_quotes(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, sent: str
) -> None:
    name = cloud.request()["TrainingJobName"]
    job = sagemaker_backends[MOTO_ACCOUNT][REGION].training_jobs[name]
    job.hyper_parameters["dataset"] = sent
    cloud.end(name, "Completed")
    live = TrainingJob(cloud.context()).read(name)
    assert live
    assert live.attributes["dataset"] == "90e339455353"


def test_a_job_on_ordinary_machines_has_checkpoints_too(cloud: Cloud) -> None:
    request = cloud.request("max_minutes = 7")
    assert request["CheckpointConfig"]["LocalPath"] == "/opt/ml/checkpoints"
    assert request["CheckpointConfig"]["S3Uri"].endswith(f"/checkpoints/{request['TrainingJobName']}/")
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 420}
    assert not request.get("EnableManagedSpotTraining")


def test_spot_says_how_long_to_wait_for_machines(cloud: Cloud) -> None:
    request = cloud.request("max_minutes = 7\nspot = true")
    assert request["EnableManagedSpotTraining"] is True
    condition = request["StoppingCondition"]
    assert condition["MaxWaitTimeInSeconds"] >= condition["MaxRuntimeInSeconds"] == 420


def test_the_number_of_machines_makes_another_model_and_spot_does_not(cloud: Cloud) -> None:
    one, spot, two = cloud.request(), cloud.context("spot = true"), cloud.request("instance_count = 2")
    assert two["ResourceConfig"]["InstanceCount"] == 2
    assert two["TrainingJobName"] != one["TrainingJobName"]
    cloud.end(one["TrainingJobName"], "InProgress")
    again = TrainingJob(spot)
    assert again.find()
    assert again.name == one["TrainingJobName"]


def distribution(job: dict[str, Any]) -> dict[str, str]:
    """By the channel's name, how its objects reach the machines."""
    sources = {each["ChannelName"]: each["DataSource"]["S3DataSource"] for each in job["InputDataConfig"]}
    return {name: source["S3DataDistributionType"] for name, source in sources.items()}


def test_each_machine_gets_shards_of_its_own_where_there_are_enough(cloud: Cloud) -> None:
    cloud.use_archive_layout()
    whole = {"train": "FullyReplicated", "validation": "FullyReplicated", "vocabulary": "FullyReplicated"}
    assert distribution(cloud.request("instance_count = 2")) == whole
    cloud.shard_reviews = 60  # two shards of the training split, and one of the unlabelled review
    assert distribution(cloud.request("instance_count = 1")) == whole
    assert distribution(cloud.request("instance_count = 2\nunlabelled = true")) == {
        **whole, "train": "ShardedByS3Key", "unlabelled": "FullyReplicated",
    }  # fmt: skip
    assert distribution(cloud.request("instance_count = 3")) == whole


def test_unlabelled_reviews_are_a_channel_and_make_another_model(cloud: Cloud) -> None:
    cloud.use_archive_layout()
    without, having = cloud.request(), cloud.request("unlabelled = true")
    channels = [[channel["ChannelName"] for channel in job["InputDataConfig"]] for job in (without, having)]
    assert channels[0] == ["train", "validation", "vocabulary"]
    assert channels[1] == [*channels[0], "unlabelled"]
    assert having["TrainingJobName"] != without["TrainingJobName"]
    assert "unlabelled" not in having["HyperParameters"]


def test_unlabelled_reviews_that_the_source_lacks_are_asked_for_in_vain(cloud: Cloud) -> None:
    with pytest.raises(TrainingError, match="no unlabelled reviews") as refusal:
        cloud.request("unlabelled = true")
    assert "sentictl data --source imdb" in str(refusal.value.hint)


@pytest.mark.parametrize(("settings", "more"), [("", ""), ('architecture = "ngram"', "instance_count = 2")])
def test_disks_that_cannot_hold_what_is_counted_are_refused(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, settings: str, more: str
) -> None:
    monkeypatch.setattr(training, "GB", 1_000)  # as if there were a million times as many reviews
    with pytest.raises(TrainingError, match=r"and train.volume_gb is 1\.") as refusal:
        cloud.request(f"{settings}\n{more}\nvolume_gb = 1")
    found = re.search(r"sentictl config set train.volume_gb (\d+), or more machines", str(refusal.value.hint))
    assert found
    cloud.request(f"{settings}\n{more}\nvolume_gb = {found[1]}")


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_the_next_job_of_the_same_inputs_has_the_same_checkpoints(cloud: Cloud, status: str) -> None:
    first = cloud.request()
    cloud.end(first["TrainingJobName"], status)
    second = cloud.request()
    assert second["TrainingJobName"] == f"{first['TrainingJobName']}-2"
    assert second["CheckpointConfig"] == first["CheckpointConfig"]
    assert cloud.request("epochs = 9")["CheckpointConfig"] != first["CheckpointConfig"]


@pytest.mark.parametrize(("status", "left"), [("Failed", 0), ("Stopped", 0), ("InProgress", 1)])
def test_checkpoints_can_be_forgotten_unless_a_job_uses_them(cloud: Cloud, status: str, left: int) -> None:
    first = cloud.request()
    cloud.put(first["CheckpointConfig"]["S3Uri"] + "training.checkpoint")
    cloud.put(f"s3://{cloud.context().naming.bucket}/checkpoints/films-local-other/training.checkpoint")
    cloud.end(first["TrainingJobName"], status)
    forget_checkpoints(cloud.context())
    assert len(cloud.keys(f"checkpoints/{first['TrainingJobName']}/")) == left
    assert len(cloud.keys("checkpoints/films-local-other/")) == 1


def test_a_job_that_is_deleted_while_it_is_followed_is_told_as_gone(cloud: Cloud) -> None:
    name = cloud.request()["TrainingJobName"]
    cloud.end(name, "InProgress")
    job = TrainingJob(replace(cloud.context(), report=lambda *_: cloud.forget(name)))
    live = job.find()
    assert live
    with pytest.raises(TrainingError, match=f"{name} is gone"):
        job.wait_ready(live)


def test_a_job_that_has_just_ended_by_itself_needs_no_stopping(cloud: Cloud) -> None:
    context = cloud.context()
    name = cloud.request()["TrainingJobName"]
    refusal = "The request was rejected because the training job is in status Completed."
    client = context.environment.client("sagemaker")
    with Stubber(client) as stubber:
        stubber.add_client_error("stop_training_job", "ValidationException", refusal)
        stubber.add_client_error("describe_training_job", "ValidationException", "Requested resource not found.")
        stop_training_job(context, name)
