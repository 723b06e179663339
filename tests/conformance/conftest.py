"""What sentictl submits to AWS: the requests that its services make, and the objects that those requests name."""

import io
import os
import tarfile
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from sentictl.aws.environment import Environment
from sentictl.config.config import Config
from sentictl.config.project_folder import ProjectFolder
from sentictl.config.state import Record
from sentictl.lifecycle.resource import Context, Resource
from sentictl.services.iam.roles import ExecutionRole, FunctionRole
from sentictl.services.resources.dataset import Dataset
from sentictl.services.resources.storage import Bucket
from sentictl.services.resources.training import SourceArchive, TrainingJob
from sentictl.services.serving.model import Model
from sentictl.services.web.function import Function
from sentictl.twin.s3.objects import pack, split_uri
from tests.chain.shell import begin

Kinds = tuple[type[Resource], ...]

REGION = "eu-west-1"
KEPT_OUT = ("AWS_", "SENTICTL_", "SAGEMAKER_", "SM_", "TS_", "TRAINING_JOB_")


@dataclass(frozen=True)
class Submitted:
    """What AWS was sent.

    Args:
        url: where its services answer.
        s3: a client of its S3.
        requests: the arguments of the calls that make something, by operation.
    """

    url: str
    s3: Any
    requests: Mapping[str, Mapping[str, Any]]

    def read(self, uri: str) -> bytes:
        """An object on S3."""
        bucket, key = split_uri(uri)
        content: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def unpack(self, uri: str, folder: Path) -> None:
        """Extract a gzipped tar archive on S3 into a folder."""
        with tarfile.open(fileobj=io.BytesIO(self.read(uri))) as archive:
            archive.extractall(folder, filter="data")

    def download(self, prefix: str, folder: Path) -> None:
        """Every object whose URI begins with `prefix`, as a channel's folder holds them in a container."""
        bucket, start = split_uri(prefix)
        for entry in self.s3.list_objects_v2(Bucket=bucket, Prefix=start)["Contents"]:
            path = folder / entry["Key"].removeprefix(start)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.read(f"s3://{bucket}/{entry['Key']}"))

    def variables(self) -> dict[str, str]:
        """The environment of a container in this account: nothing of this shell's own AWS, and AWS at `url`."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(KEPT_OUT)},
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "container",
            "AWS_SECRET_ACCESS_KEY": "container",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


# For each module anew: moto's state is the process's, and tests elsewhere that use moto empty it.
@pytest.fixture(scope="module")
def submitted(
    request: pytest.FixtureRequest, toy_artifact: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Submitted]:
    """What a project sends to AWS on its way from the reviews to the function; its model is the toy model.

    A module that has SETTINGS has these in its `sentictl.toml`.
    """
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        reset = urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")
        urllib.request.urlopen(reset).close()
        environment = Environment("local", REGION, endpoint=f"http://{host}:{port}")
        project = begin(tmp_path_factory.mktemp("submitted")).folder
        with (project / "sentictl.toml").open("a") as settings:
            settings.write(getattr(request.module, "SETTINGS", ""))
        yield Submitted(environment.endpoint_url, environment.client("s3"), submit(project, environment, toy_artifact))
    finally:
        server.stop()


def submit(project: Path, environment: Environment, artifact: Path) -> dict[str, dict[str, Any]]:
    """Make a project's resources up to the function, and return the requests that made them.

    Args:
        project: the project's folder.
        environment: where AWS answers.
        artifact: the folder of the artifact that comes out of the training job.
    """
    requests: dict[str, dict[str, Any]] = {}

    def keep(params: dict[str, Any], model: Any, **_: Any) -> None:
        requests[model.name] = params

    for service in ("sagemaker", "lambda"):
        environment.client(service).meta.events.register("before-parameter-build", keep)
    context = Context(Config.load(ProjectFolder(project)), environment, lambda *_: None)
    before: Kinds = (Bucket, Dataset, ExecutionRole, SourceArchive, TrainingJob)
    after: Kinds = (Model, FunctionRole, Function)
    for kind in before:
        resource = kind(context)
        resource.find()  # which name a training job takes
        resource.create()
    uri = store_artifact(environment.client("s3"), requests["CreateTrainingJob"], pack(artifact))
    name = requests["CreateTrainingJob"]["TrainingJobName"]
    context.state.keep(Record(TrainingJob.kind, name, f"arn:{name}", {"artifact": uri}))
    for kind in after:
        kind(context).create()
    return requests


def store_artifact(s3: Any, job: Mapping[str, Any], artifact: bytes) -> str:
    """Upload a training job's artifact to where SageMaker would, and return its URI."""
    uri = f"{job['OutputDataConfig']['S3OutputPath']}/{job['TrainingJobName']}/output/model.tar.gz"
    bucket, key = split_uri(uri)
    s3.put_object(Bucket=bucket, Key=key, Body=artifact)
    return uri
