"""Transform jobs, which really ask a model about every record of their inputs."""

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sentictl.twin import daemon
from tests.twin.conftest import Cloud, code_of, wait_for

# Answers each line by itself, as fits a request of many records; what is bad costs its whole request.
ECHO = """
import json, os, pathlib, time
def model_fn(model_dir):
    print("loaded", flush=True)
    return os.environ.get("WORD", "one")
def input_fn(body, content_type):
    return (body if isinstance(body, str) else body.decode()), content_type
def predict_fn(data, model):
    body, content_type = data
    lines = body.split("\\n")
    if any("bad" in line for line in lines):
        raise RuntimeError("cannot predict")
    hold = [json.loads(line)["hold"] for line in lines if "hold" in line]
    while hold and not pathlib.Path(hold[0]).exists():
        time.sleep(0.02)
    return [{"line": line, "of": len(lines), "model": model, "type": content_type} for line in lines]
def output_fn(prediction, accept):
    return "\\n".join(map(json.dumps, prediction)), accept
"""


def create(cloud: Cloud, inputs: dict[str, bytes], *, code: str = ECHO, **changes: Any) -> str:
    """Begin a job over these inputs; its outputs stand under `<job>/out/`."""
    name = cloud.name("transform")
    for key, content in inputs.items():
        cloud.upload(f"{name}/in/{key}", content)
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{cloud.bucket}/{name}/in/"}
    request: dict[str, Any] = {
        "TransformJobName": name,
        "ModelName": cloud.endpoint_config({"code/inference.py": code}),
        "MaxConcurrentTransforms": 2,
        "MaxPayloadInMB": 1,
        "BatchStrategy": "MultiRecord",
        "TransformInput": {
            "DataSource": {"S3DataSource": source},
            "ContentType": "application/jsonlines",
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": f"s3://{cloud.bucket}/{name}/out",
            "Accept": "application/jsonlines",
            "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "Tags": [{"Key": "owner", "Value": "me"}],
    }
    for member, value in changes.items():
        request[member] = {**request[member], **value} if isinstance(request.get(member), dict) else value
    cloud.sagemaker.create_transform_job(**{key: value for key, value in request.items() if value is not None})
    return name


def ended(cloud: Cloud, name: str) -> dict[str, Any]:
    def over() -> Any:
        job = cloud.sagemaker.describe_transform_job(TransformJobName=name)
        return job if job["TransformJobStatus"] in ("Completed", "Failed", "Stopped") else None

    found: dict[str, Any] = wait_for(over)
    return found


def outputs(cloud: Cloud, name: str) -> dict[str, bytes]:
    prefix = f"{name}/out/"
    found = cloud.s3.list_objects_v2(Bucket=cloud.bucket, Prefix=prefix).get("Contents", [])
    return {
        entry["Key"].removeprefix(prefix): cloud.s3.get_object(Bucket=cloud.bucket, Key=entry["Key"])["Body"].read()
        for entry in found
    }


def lines(output: bytes) -> list[Any]:
    return [json.loads(line) for line in output.splitlines()]


def log(cloud: Cloud, name: str) -> str:
    return "\n".join(cloud.lines("/aws/sagemaker/TransformJobs", f"{name}/"))


def test_each_input_has_an_output_in_the_order_of_its_records(cloud: Cloud) -> None:
    many = b"".join(b'{"review": "%06d %s"}\n' % (number, b"x" * 500) for number in range(5_000))
    name = create(
        cloud,
        {"a.jsonl": many, "deep/b.jsonl": b'{"review": "only"}\n\n'},
        Environment={"WORD": "two"},
        TransformResources={"InstanceCount": 2},
    )
    job = ended(cloud, name)
    assert job["TransformJobStatus"] == "Completed"
    assert job["TransformEndTime"] >= job["TransformStartTime"] >= job["CreationTime"]
    found = outputs(cloud, name)
    assert list(found) == ["a.jsonl.out", "deep/b.jsonl.out"]
    answers = lines(found["a.jsonl.out"])
    assert [json.loads(answer["line"])["review"][:6] for answer in answers] == [f"{each:06d}" for each in range(5_000)]
    sizes = {answer["of"] for answer in answers}
    assert max(sizes) * 520 <= 1024 * 1024 < (max(sizes) + 1) * 530
    assert {answer["model"] for answer in answers} == {"two"}
    assert lines(found["deep/b.jsonl.out"])[0]["of"] == 1
    assert "MaxConcurrentTransforms=2, MaxPayloadInMB=1, BatchStrategy=MULTI_RECORD" in log(cloud, name)
    assert log(cloud, name).count("loaded") == 2  # one on each machine


def test_a_record_each_a_whole_object_and_gzip(cloud: Cloud) -> None:
    single = create(cloud, {"a": b"one\ntwo\n"}, BatchStrategy="SingleRecord")
    whole = create(
        cloud, {"a": b"one\ntwo\n"}, BatchStrategy=None, TransformInput={"SplitType": "None"}, MaxPayloadInMB=0
    )
    packed = create(cloud, {"a.gz": gzip.compress(b"one\ntwo\n")}, TransformInput={"CompressionType": "Gzip"})
    found = [
        lines(*outputs(cloud, ended(cloud, name)["TransformJobName"]).values()) for name in (single, whole, packed)
    ]
    assert [[(answer["line"], answer["of"]) for answer in answers] for answers in found] == [
        [("one", 1), ("two", 1)],
        [("one", 3), ("two", 3), ("", 3)],
        [("one", 2), ("two", 2)],
    ]


def test_answers_are_put_beside_their_records_where_that_is_asked_for(cloud: Cloud) -> None:
    name = create(cloud, {"a": b'{"id": 1}\n{"id": 2}\n'}, DataProcessing={"JoinSource": "Input"})
    assert ended(cloud, name)["TransformJobStatus"] == "Completed"
    (output,) = outputs(cloud, name).values()
    assert [(each["id"], each["SageMakerOutput"]["line"]) for each in lines(output)] == [
        (1, '{"id": 1}'),
        (2, '{"id": 2}'),
    ]


def test_an_input_that_cannot_be_joined_fails_the_job_and_costs_no_other_its_output(cloud: Cloud) -> None:
    """One of two inputs is nested deeper than can be read."""
    inputs = {"a": b"[" * 100_000, "b": b'{"id": 1}'}
    name = create(cloud, inputs, DataProcessing={"JoinSource": "Input"})
    assert ended(cloud, name)["TransformJobStatus"] == "Failed"
    assert list(outputs(cloud, name)) == ["b.out"]
    assert "Fail to join" in log(cloud, name)


def test_a_job_whose_disk_is_gone_is_not_completed(own_home: Path, tmp_path: Path) -> None:
    daemon.start(own_home)
    cloud = Cloud(daemon.access(own_home))
    name = create(cloud, {"a": json.dumps({"hold": str(tmp_path / "flag")}).encode()})
    wait_for(lambda: "loaded" in log(cloud, name))
    for folder in own_home.rglob(f"*/{name}"):
        shutil.rmtree(folder)
    (tmp_path / "flag").touch()
    failed = ended(cloud, name)
    assert (failed["TransformJobStatus"], outputs(cloud, name)) == ("Failed", {})
    assert "disk cannot be used" in failed["FailureReason"]


def test_a_manifest_names_the_inputs(cloud: Cloud) -> None:
    place = cloud.name("manifest")
    for key in ("x", "y", "z"):
        cloud.upload(f"{place}/{key}", key.encode())
    manifest = [{"prefix": f"s3://{cloud.bucket}/{place}/"}, "z", "x"]
    uri = cloud.upload(f"{place}.manifest", json.dumps(manifest).encode())
    source = {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": uri}}
    name = create(cloud, {}, TransformInput={"DataSource": source})
    assert ended(cloud, name)["TransformJobStatus"] == "Completed"
    assert list(outputs(cloud, name)) == ["x.out", "z.out"]


def test_a_bad_record_costs_its_file_the_output_and_fails_the_job_but_not_the_other_files(cloud: Cloud) -> None:
    name = create(
        cloud,
        {"a": b"good\n", "b": b"good\nbad\n", "c": b"good\n"},
        ModelClientConfig={
            "InvocationsMaxRetries": 1,
            "InvocationsTimeoutInSeconds": 60,
        },
    )
    job = ended(cloud, name)
    assert (job["TransformJobStatus"], job["FailureReason"]) == (
        "Failed",
        "AlgorithmError: See job logs for more information",
    )
    assert list(outputs(cloud, name)) == ["a.out", "c.out"]
    assert f"{cloud.bucket}/{name}/in/b: Bad HTTP status received from algorithm: 500" in log(cloud, name)
    assert log(cloud, name).count('/invocations HTTP/1.1" 500') == 2  # once more, as it was told


def test_a_record_that_is_larger_than_a_request_may_be_fails_its_file(cloud: Cloud) -> None:
    name = create(cloud, {"a": b"x" * (1024 * 1024 + 1) + b"\n", "b": b"good"})
    assert ended(cloud, name)["TransformJobStatus"] == "Failed"
    assert list(outputs(cloud, name)) == ["b.out"]
    assert "exceeds MaxPayloadInMB" in log(cloud, name)


def test_an_answer_that_takes_too_long_is_none(cloud: Cloud, tmp_path: Path) -> None:
    patience = {"InvocationsTimeoutInSeconds": 1, "InvocationsMaxRetries": 0}
    hold = json.dumps({"hold": str(tmp_path / "never")}).encode()
    name = create(cloud, {"a": hold}, ModelClientConfig=patience)
    assert ended(cloud, name)["TransformJobStatus"] == "Failed"
    assert "did not respond" in log(cloud, name)


def test_a_job_that_is_stopped_stores_nothing(cloud: Cloud, tmp_path: Path) -> None:
    hold = json.dumps({"hold": str(tmp_path / "never")}).encode()
    name = create(cloud, {"a": b"good", "b": hold})
    wait_for(lambda: "loaded" in log(cloud, name))
    cloud.sagemaker.stop_transform_job(TransformJobName=name)
    described = cloud.sagemaker.describe_transform_job(TransformJobName=name)
    assert described["TransformJobStatus"] in ("Stopping", "Stopped")
    assert ended(cloud, name)["TransformJobStatus"] == "Stopped"
    assert outputs(cloud, name) == {}
    assert code_of(cloud.sagemaker.stop_transform_job, TransformJobName=name) == "ValidationException"


def test_what_cannot_begin_fails(cloud: Cloud) -> None:
    job = ended(cloud, create(cloud, {"a": b"good"}, code="def model_fn(model_dir): raise ValueError('weights')"))
    assert job["TransformJobStatus"] == "Failed"
    assert "ping" in job["FailureReason"]


def test_of_an_empty_folder_there_is_no_job(cloud: Cloud) -> None:
    """As on AWS, so that no event tells of it."""
    with pytest.raises(ClientError, match="No S3 objects found under S3 URL"):
        create(cloud, {})


def test_the_role_decides_what_is_read_and_written(cloud: Cloud) -> None:
    may = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket", "logs:*", "ecr:*"], "Resource": "*"}
    role = cloud.role("sagemaker.amazonaws.com", policy=may)
    model = cloud.endpoint_config({"code/inference.py": ECHO})
    described = cloud.sagemaker.describe_model(ModelName=model)["PrimaryContainer"]
    reader = cloud.name("reader")
    cloud.sagemaker.create_model(ModelName=reader, ExecutionRoleArn=role, PrimaryContainer=described)
    job = ended(cloud, create(cloud, {"a": b"good"}, ModelName=reader))
    assert "s3:PutObject" in job["FailureReason"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ModelName": "none"}, "Could not find model"),
        ({"MaxConcurrentTransforms": 20, "MaxPayloadInMB": 6}, "must not exceed 100 MB"),
        ({"MaxPayloadInMB": 101}, "less than or equal to 100"),
        ({"TransformInput": {"SplitType": "None"}}, "BatchStrategy can only be set"),
        ({"TransformInput": {"SplitType": "RecordIO"}}, "does not know TransformInput.SplitType RecordIO"),
        ({"TransformResources": {"InstanceType": "ml.m9.huge"}}, "transformResources.instanceType"),
        ({"TransformResources": {"InstanceCount": 101}}, "less than or equal to 100"),
        ({"TransformResources": {"InstanceCount": 5}}, "for transform job usage' is 4 Instances"),
        ({"ModelClientConfig": {"InvocationsMaxRetries": 4}}, "less than or equal to 3"),
        ({"DataProcessing": {"OutputFilter": "$.id"}}, "does not know DataProcessing.OutputFilter"),
        ({"DataProcessing": {"JoinSource": "Input"}, "TransformInput": {"ContentType": "text/csv"}}, "joins JSON"),
    ],
)
def test_what_is_refused(cloud: Cloud, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError) as refused:
        create(cloud, {}, **changes)
    assert words in refused.value.response["Error"]["Message"]


def test_jobs_are_listed_and_their_names_are_not_used_twice(cloud: Cloud) -> None:
    name = create(cloud, {"a": b"good"})
    ended(cloud, name)
    listed = cloud.sagemaker.list_transform_jobs(NameContains=name)["TransformJobSummaries"]
    assert [(each["TransformJobName"], each["TransformJobStatus"]) for each in listed] == [(name, "Completed")]
    arn = cloud.sagemaker.describe_transform_job(TransformJobName=name)["TransformJobArn"]
    assert cloud.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "owner", "Value": "me"}]
    with pytest.raises(ClientError) as refused:
        create(cloud, {}, TransformJobName=name)
    assert refused.value.response["Error"]["Code"] == "ResourceInUse"
    assert code_of(cloud.sagemaker.describe_transform_job, TransformJobName="none") == "ValidationException"
    assert code_of(cloud.sagemaker.stop_transform_job, TransformJobName="none") == "ResourceNotFound"


def test_a_restart_keeps_what_ended_and_fails_what_ran(own_home: Path, tmp_path: Path) -> None:
    daemon.start(own_home)
    cloud = Cloud(daemon.access(own_home))
    done = create(cloud, {"a": b"good"})
    before = ended(cloud, done)
    told = log(cloud, done)
    cut = create(cloud, {"a": json.dumps({"hold": str(tmp_path / "never")}).encode()})
    wait_for(lambda: "loaded" in log(cloud, cut))
    daemon.stop(own_home)
    daemon.start(own_home)
    again = Cloud(daemon.access(own_home))
    after = ended(again, done)
    assert {key: after[key] for key in before if key != "ResponseMetadata"} == {
        key: before[key] for key in before if key != "ResponseMetadata"
    }
    assert log(again, done) == told
    failed = ended(again, cut)
    assert (failed["TransformJobStatus"], failed["FailureReason"][:21]) == ("Failed", "InternalServerError: ")
