"""A project in moto with more than anything serves."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sagemaker.models import sagemaker_backends

from sentictl.config.state import Record
from sentictl.lifecycle.resource import Context
from sentictl.reviews.prepare.manifest import Manifest
from sentictl.services.operations.unused import survey
from sentictl.services.resources.storage import create_bucket, list_keys, tag_bucket
from sentictl.services.serving.endpoint import Endpoint, EndpointConfig
from sentictl.services.serving.model import Model
from tests.services.conftest import ContextOf

FILMS = '[project]\nname = "films"\nid = "0123456789ab"\n[env.prod]\nregion = "eu-west-1"\n'
VERSIONS = "abcde"


class Shop:
    """A project in moto: versions a to e, each of a dataset of its own, all of it in the bucket and on this machine."""

    def __init__(self, context: Context, dataset: Path, artifact: Path) -> None:
        self.context, self._dataset, self._artifact = context, dataset, artifact
        create_bucket(context, context.naming.bucket)
        tag_bucket(context, context.naming.bucket)  # moto takes no tags with a new one
        for day, letter in enumerate(VERSIONS, 1):
            self.data(digest_of(letter))
            self.train(letter, day)
        self.serve("c")

    def put(self, key: str, size: int = 100) -> None:
        self.context.environment.client("s3").put_object(Bucket=self.context.naming.bucket, Key=key, Body=b"x" * size)

    def data(self, digest: str) -> None:
        """A dataset was prepared here and put on S3."""
        self.prepare(digest)
        self.put(f"datasets/{digest}/train/reviews-00000.npz")
        self.put(f"datasets/{digest}/manifest.json")
        self.context.state.keep(Record("dataset", f"datasets/{digest}/", f"s3://{digest}"))

    def prepare(self, digest: str) -> Path:
        manifest = Manifest.parse((self._dataset / "manifest.json").read_bytes())
        folder = self.context.config.folder.datasets / digest
        folder.mkdir(parents=True)
        replace(manifest, digest=digest, files={}).write(folder)
        return folder

    def train(self, letter: str, day: int) -> None:
        """A training job made this version on that day."""
        name, bucket = name_of(letter), self.context.naming.bucket
        self.put(f"models/{name}/output/model.tar.gz")
        attributes = {
            "artifact": f"s3://{bucket}/models/{name}/output/model.tar.gz",
            "trained": f"2026-11-{day:02}T10:00:00.000+00:00",
            "dataset": digest_of(letter),
        }
        self.context.state.keep(Record("training-job", name, f"arn:{name}", attributes))
        shutil.copytree(self._artifact, self.context.config.folder.models / name)

    def begin_training(self, letter: str, status: str) -> None:
        """A training job of which no end is recorded, with checkpoints."""
        name, bucket = name_of(letter), self.context.naming.bucket
        self.put(f"checkpoints/{name}/checkpoint.pt")
        client = self.context.environment.client("sagemaker")
        client.create_training_job(
            TrainingJobName=name,
            HyperParameters={"dataset": f'"{digest_of(letter)}"'},
            AlgorithmSpecification={"TrainingImage": "image", "TrainingInputMode": "File"},
            RoleArn="arn:aws:iam::123456789012:role/films",
            OutputDataConfig={"S3OutputPath": f"s3://{bucket}/models"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            StoppingCondition={"MaxRuntimeInSeconds": 60},
            CheckpointConfig={"S3Uri": f"s3://{bucket}/checkpoints/{name}/"},
        )
        sagemaker_backends[DEFAULT_ACCOUNT_ID]["eu-west-1"].training_jobs[name].training_job_status = status
        self.context.state.keep(Record("training-job", name, f"arn:{name}"))

    def serve(self, letter: str) -> None:
        """The endpoint serves this version."""
        self.choose(name_of(letter))
        for part in (Model, EndpointConfig, Endpoint):
            part(self.context).create()
        self.choose("")

    def choose(self, name: str) -> None:
        settings = self.context.settings  # checked anew they would take a second
        deploy = settings.deploy.model_copy(update={"model": name})
        self.context.config.settings = settings.model_copy(update={"deploy": deploy})

    def unused(self, kind: str, keep: int = 1) -> list[str]:
        return [each.name for each in survey(self.context, keep).unused if each.kind == kind]

    def listing(self) -> str:
        return "\n".join(list_keys(self.context, self.context.naming.bucket, ""))


def name_of(letter: str) -> str:
    return f"films-local-{letter * 12}"


def digest_of(letter: str) -> str:
    return letter * 16


def names(letters: str) -> list[str]:
    return [name_of(letter) for letter in letters]


@pytest.fixture
def shop(moto_context_of: ContextOf, toy_dataset: Path, toy_artifact: Path) -> Shop:
    return Shop(moto_context_of(FILMS), toy_dataset, toy_artifact)
