"""A twin for the tests of one xdist worker, and the small scripts that run in it."""

import io
import json
import shutil
import tarfile
import tempfile
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sentictl.twin import daemon
from sentictl.twin.core.environment import Access

TRAIN = """
import argparse, json, os, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int)
parser.add_argument("--note")
arguments = parser.parse_args()
data = pathlib.Path(os.environ["SM_CHANNEL_TRAIN"], "reviews.txt").read_text()
for epoch in range(1, arguments.epochs + 1):
    print(f"epoch={epoch} validation_accuracy={0.5 + epoch / 10:.4f}", flush=True)
model = pathlib.Path(os.environ["SM_MODEL_DIR"])
environment = {k: v for k, v in os.environ.items() if k.startswith("SM_")}
seen = {"note": arguments.note, "data": data, "environment": environment}
model.joinpath("seen.json").write_text(json.dumps(seen))
model.joinpath("code").mkdir()
model.joinpath("code", "inference.py").write_text(pathlib.Path("inference.py").read_text())
"""
INFERENCE = """
import json, os, time
def model_fn(model_dir):
    time.sleep(float(os.environ.get("SECONDS_TO_LOAD", "0")))
    if os.environ.get("BROKEN"):
        raise ValueError("weights are missing")
    print("loaded", os.environ.get("WORD", "one"))
    return os.environ.get("WORD", "one")
def input_fn(body, content_type):
    return body, content_type
def predict_fn(data, model):
    body, content_type = data
    if body == b"raise":
        raise RuntimeError("cannot predict")
    return {"model": model, "kind": type(body).__name__, "text": body if isinstance(body, str) else body.decode()}
def output_fn(prediction, accept):
    return json.dumps({**prediction, "accept": accept}), "application/json"
"""
LOGGING = {
    "Effect": "Allow",
    "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": "arn:aws:logs:*:*:log-group:/aws/lambda/*",
}
Wait = Callable[[Callable[[], Any]], Any]


def wait_for(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """The first true answer of `condition`; fails after a while."""
    limit = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < limit, "it never came true"
        time.sleep(0.02)
    return answer


def code_of(call: Any, **arguments: Any) -> str:
    """With which code AWS refuses a call."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def tarball(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


class Cloud:
    """boto3 clients of one twin, and the calls that many tests begin with."""

    def __init__(self, access: Access) -> None:
        self.url, self.key = access.url, access.key
        self._session = boto3.Session(access.key, "local", region_name="us-east-1")
        self.bucket = self.name("bucket")
        self.s3.create_bucket(Bucket=self.bucket)

    def __getattr__(self, service: str) -> Any:
        config = Config(retries={"total_max_attempts": 1})
        client = self._session.client(service.replace("_", "-"), endpoint_url=self.url, config=config)
        setattr(self, service, client)
        return client

    @cached_property
    def execution_role(self) -> str:
        """A role in which jobs and endpoints may do everything."""
        return self.role("sagemaker.amazonaws.com", policy={"Effect": "Allow", "Action": "*", "Resource": "*"})

    @cached_property
    def function_role(self) -> str:
        """A role in which functions may log."""
        return self.role("lambda.amazonaws.com", policy=LOGGING)

    @staticmethod
    def name(kind: str) -> str:
        return f"{kind}-{uuid.uuid4().hex[:10]}"

    def upload(self, key: str, content: bytes) -> str:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)
        return f"s3://{self.bucket}/{key}"

    def role(self, *services: str, policy: dict[str, Any] | None = None) -> str:
        name = self.name("role")
        trust = {"Effect": "Allow", "Principal": {"Service": list(services)}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        arn: str = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        if policy:
            statement = {"Version": "2012-10-17", "Statement": [policy]}
            self.iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=json.dumps(statement))
        return arn

    def train(self, script: str = TRAIN, **changes: Any) -> str:
        """Begin a training job and return its name."""
        name = self.name("job")
        source = self.upload(f"{name}/source.tar.gz", tarball({"train.py": script, "inference.py": INFERENCE}))
        data = self.upload(f"{name}/train/reviews.txt", b"what a film").rpartition("/")[0]
        channel = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": data}}
        request: dict[str, Any] = {
            "TrainingJobName": name,
            "RoleArn": self.execution_role,
            "AlgorithmSpecification": {
                "TrainingImage": "pytorch",
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "accuracy", "Regex": r"validation_accuracy=([0-9.]+)"}],
            },
            "HyperParameters": {
                "sagemaker_program": '"train.py"',
                "sagemaker_submit_directory": json.dumps(source),
                "epochs": "2",
                "note": '"two words"',
            },
            "InputDataConfig": [{"ChannelName": "train", "DataSource": channel}],
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/models"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        }
        self.sagemaker.create_training_job(**(request | changes))
        return name

    def trained(self, name: str) -> dict[str, Any]:
        """Wait for a training job to end, and describe it."""

        def ended() -> dict[str, Any] | None:
            job: dict[str, Any] = self.sagemaker.describe_training_job(TrainingJobName=name)
            return job if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None

        job: dict[str, Any] = wait_for(ended)
        return job

    def lines(self, group: str, prefix: str = "") -> list[str]:
        """All log lines of a group, by stream."""
        if not self.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            return []
        keywords = {"logStreamNamePrefix": prefix} if prefix else {}
        found = self.logs.filter_log_events(logGroupName=group, **keywords)["events"]
        return [event["message"] for event in found]

    def endpoint_config(
        self,
        files: dict[str, str] | None = None,
        *,
        image: str = "pytorch-inference",
        serverless: dict[str, int] | None = None,
        instances: int = 1,
        **environment: str,
    ) -> str:
        """A model and an endpoint config of the same name."""
        name = self.name("model")
        contents = {"code/inference.py": INFERENCE} if files is None else files
        data = self.upload(f"{name}/model.tar.gz", tarball(contents)) if contents else f"s3://{self.bucket}/nothing"
        container = {"Image": image, "ModelDataUrl": data, "Environment": environment}
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=self.execution_role, PrimaryContainer=container)
        machine = {"InitialInstanceCount": instances, "InstanceType": "ml.m5.large"}
        served_by = {"ServerlessConfig": serverless} if serverless else machine
        variant = {"VariantName": "AllTraffic", "ModelName": name, **served_by}
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        return name

    def endpoint(self, config: str) -> str:
        name = self.name("endpoint")
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        return name

    def settled(self, endpoint: str) -> dict[str, Any]:
        """Wait until an endpoint is neither creating nor updating, and describe it."""

        def settled() -> dict[str, Any] | None:
            found: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=endpoint)
            return found if found["EndpointStatus"] in ("InService", "Failed") else None

        found: dict[str, Any] = wait_for(settled)
        return found

    def ask(self, endpoint: str, body: bytes = b"good", content_type: str = "text/plain") -> Any:
        answer = self.sagemaker_runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType=content_type)
        return json.loads(answer["Body"].read())

    def function(self, code: str, **changes: Any) -> str:
        """A function whose module is `code` and whose handler is `handle`; returns its ARN."""
        request: dict[str, Any] = {
            "FunctionName": self.name("function"),
            "Runtime": "python3.13",
            "Role": self.function_role,
            "Handler": "handler.handle",
            "Code": {"ZipFile": zipped({"handler.py": code})},
            "Timeout": 10,
        }
        arn: str = getattr(self, "lambda").create_function(**(request | changes))["FunctionArn"]
        return arn


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    # Not pytest's tmp_path: its folders are kept after the run.
    folder = Path(tempfile.mkdtemp(prefix="twin-"))
    yield folder / "local"
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def cloud(home: Path) -> Iterator[Cloud]:
    """The worker's twin. Tests share it and so name everything anew."""
    daemon.start(home)
    yield Cloud(daemon.access(home))
    daemon.destroy(home)


@pytest.fixture
def own_home(tmp_path: Path) -> Iterator[Path]:
    """A home for a twin of the test's own."""
    folder = tmp_path / "local"
    yield folder
    daemon.destroy(folder)
