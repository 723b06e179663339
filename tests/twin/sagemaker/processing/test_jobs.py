"""Processing jobs, from CreateProcessingJob to what they wrote; those here run Python alone."""

from pathlib import Path
from typing import Any

import pytest

from sentictl.twin import daemon
from tests.twin.conftest import Cloud, code_of, wait_for

GROUP = "/aws/sagemaker/ProcessingJobs"
IN, OUT, CODE = (f"/opt/ml/processing/{name}" for name in ("input/data", "output", "input/code"))
SCRIPT = """
import os, pathlib, sys
data, output, message = map(pathlib.Path, sys.argv[1:])
text = (data / "more" / "reviews.txt").read_text()
print("stage=reading", os.environ["WORD"], flush=True)
(output / "made").mkdir()
(output / "made" / "upper.txt").write_text(text.upper())
message.write_text("done with " + text)
"""
FOREVER = "import time\nprint('working', flush=True)\ntime.sleep(300)"


def request(cloud: Cloud, script: str = SCRIPT, **changes: Any) -> dict[str, Any]:
    """What is asked for: one script, one input, one output."""
    name = cloud.name("process")
    code = cloud.upload(f"{name}/code/script.py", script.encode()).rpartition("/")[0]
    data = cloud.upload(f"{name}/data/more/reviews.txt", b"what a film").rpartition("/more/")[0]

    def given(name: str, uri: str, path: str) -> dict[str, Any]:
        s3 = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
        return {"InputName": name, "S3Input": s3}

    output = {"S3Uri": f"s3://{cloud.bucket}/{name}/out", "LocalPath": OUT, "S3UploadMode": "EndOfJob"}
    return {
        "ProcessingJobName": name,
        "RoleArn": cloud.execution_role,
        "AppSpecification": {
            "ImageUri": "python",
            "ContainerEntrypoint": ["python3", f"{CODE}/script.py"],
            "ContainerArguments": [IN, OUT, "/opt/ml/output/message"],
        },
        "ProcessingInputs": [given("data", data, IN), given("code", code, CODE)],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": output}]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
        "Environment": {"WORD": "one"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "Tags": [{"Key": "owner", "Value": "me"}],
        **changes,
    }


def begin(cloud: Cloud, script: str = SCRIPT, **changes: Any) -> str:
    asked = request(cloud, script, **changes)
    cloud.sagemaker.create_processing_job(**asked)
    return str(asked["ProcessingJobName"])


def describe(cloud: Cloud, name: str) -> dict[str, Any]:
    found: dict[str, Any] = cloud.sagemaker.describe_processing_job(ProcessingJobName=name)
    return found


def over(cloud: Cloud, name: str) -> dict[str, Any]:
    """Wait until a job has ended, and describe it."""

    def ended() -> dict[str, Any] | None:
        found = describe(cloud, name)
        return found if found["ProcessingJobStatus"] in ("Completed", "Failed", "Stopped") else None

    found: dict[str, Any] = wait_for(ended)
    return found


def lines(cloud: Cloud, name: str) -> list[str]:
    events = cloud.logs.filter_log_events(logGroupName=GROUP, logStreamNamePrefix=f"{name}/algo-1-")["events"]
    return [event["message"] for event in events]


@pytest.fixture(scope="module")
def completed(cloud: Cloud) -> dict[str, Any]:
    return over(cloud, begin(cloud))


def test_a_job_reads_its_inputs_and_its_outputs_are_uploaded(cloud: Cloud, completed: dict[str, Any]) -> None:
    assert completed["ProcessingJobStatus"] == "Completed"
    assert completed["ExitMessage"] == "done with what a film"
    assert completed["ProcessingEndTime"] >= completed["ProcessingStartTime"] >= completed["CreationTime"]
    name = completed["ProcessingJobName"]
    made = cloud.s3.get_object(Bucket=cloud.bucket, Key=f"{name}/out/made/upper.txt")["Body"].read()
    assert made == b"WHAT A FILM"
    assert lines(cloud, name) == ["stage=reading one"]


def test_what_was_asked_for_is_told(cloud: Cloud, completed: dict[str, Any]) -> None:
    assert completed["AppSpecification"]["ContainerArguments"][0] == IN
    assert completed["ProcessingResources"]["ClusterConfig"]["InstanceType"] == "ml.m5.large"
    tags = cloud.sagemaker.list_tags(ResourceArn=completed["ProcessingJobArn"])["Tags"]
    assert tags == [{"Key": "owner", "Value": "me"}]
    listed = cloud.sagemaker.list_processing_jobs(NameContains=completed["ProcessingJobName"])
    assert [job["ProcessingJobStatus"] for job in listed["ProcessingJobSummaries"]] == ["Completed"]


def test_a_script_that_fails_fails_the_job_with_its_exit_code(cloud: Cloud) -> None:
    job = over(cloud, begin(cloud, "raise ValueError('no reviews in here')"))
    assert job["ProcessingJobStatus"] == "Failed"
    assert "exit code: 1" in job["FailureReason"]
    assert "ValueError: no reviews in here" in job["FailureReason"]


def test_packages_that_the_image_lacks_are_not_there(cloud: Cloud) -> None:
    job = over(cloud, begin(cloud, "import pydantic"))
    assert "No module named 'pydantic' in AWS's Spark image" in job["FailureReason"]


def test_a_job_can_be_stopped_and_then_deleted(cloud: Cloud) -> None:
    name = begin(cloud, FOREVER)
    wait_for(lambda: lines(cloud, name))
    assert code_of(cloud.sagemaker.delete_processing_job, ProcessingJobName=name) == "ResourceInUse"
    cloud.sagemaker.stop_processing_job(ProcessingJobName=name)
    assert over(cloud, name)["ProcessingJobStatus"] == "Stopped"
    assert code_of(cloud.sagemaker.stop_processing_job, ProcessingJobName=name) == "ValidationException"
    cloud.sagemaker.delete_processing_job(ProcessingJobName=name)
    assert code_of(cloud.sagemaker.describe_processing_job, ProcessingJobName=name) == "ValidationException"


def test_a_job_ends_at_its_limit(cloud: Cloud) -> None:
    job = over(cloud, begin(cloud, FOREVER, StoppingCondition={"MaxRuntimeInSeconds": 1}))
    assert job["ProcessingJobStatus"] == "Stopped"
    assert "MaxRuntimeInSeconds" in job["FailureReason"]


def test_names_are_used_once(cloud: Cloud, completed: dict[str, Any]) -> None:
    again = request(cloud, ProcessingJobName=completed["ProcessingJobName"])
    assert code_of(cloud.sagemaker.create_processing_job, **again) == "ResourceInUse"


@pytest.mark.parametrize("lacking", ["s3:GetObject", "s3:PutObject", "ecr:BatchGetImage"])
def test_the_role_decides(cloud: Cloud, lacking: str) -> None:
    statement = {"Effect": "Allow", "NotAction": lacking, "Resource": "*"}
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sagemaker-spark-processing:3.5"
    application = request(cloud)["AppSpecification"] | {"ImageUri": image}
    role = cloud.role("sagemaker.amazonaws.com", policy=statement)
    job = over(cloud, begin(cloud, RoleArn=role, AppSpecification=application))
    assert job["ProcessingJobStatus"] == "Failed"
    assert "AccessDenied" in job["FailureReason"]


def test_a_restart_keeps_what_ended_and_fails_what_ran(own_home: Path) -> None:
    daemon.start(own_home)
    cloud = Cloud(daemon.access(own_home))
    done = over(cloud, begin(cloud))
    running = begin(cloud, FOREVER)
    wait_for(lambda: lines(cloud, running))
    daemon.stop(own_home)
    daemon.start(own_home)
    again = Cloud(daemon.access(own_home))
    assert describe(again, done["ProcessingJobName"])["ExitMessage"] == done["ExitMessage"]
    assert lines(again, done["ProcessingJobName"]) == ["stage=reading one"]
    assert "The local twin was ended" in describe(again, running)["FailureReason"]
