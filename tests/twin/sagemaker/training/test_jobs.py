"""Training jobs, from CreateTrainingJob to the artifact."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError

from sentictl.twin import daemon
from sentictl.twin.control_plane.journal import Journal
from sentictl.twin.core.home import TwinHome
from sentictl.twin.core.messages import Request
from tests.twin.conftest import Cloud, wait_for

GROUP = "/aws/sagemaker/TrainingJobs"
FOREVER = "import time\nprint('training', flush=True)\ntime.sleep(300)"


def artifact(cloud: Cloud, job: dict[str, Any]) -> tarfile.TarFile:
    bucket, _, key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    return tarfile.open(fileobj=io.BytesIO(cloud.s3.get_object(Bucket=bucket, Key=key)["Body"].read()))


@pytest.fixture(scope="module", autouse=True)
def stubborn(cloud: Cloud) -> str:
    """A job that ignores being asked to stop. It is asked before all tests: it is killed only after some seconds."""
    name = cloud.train("import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + FOREVER)
    wait_for(lambda: cloud.lines(GROUP, name))
    cloud.sagemaker.stop_training_job(TrainingJobName=name)
    return name


@pytest.fixture(scope="module")
def completed(cloud: Cloud) -> dict[str, Any]:
    return cloud.trained(cloud.train())


def test_a_job_goes_through_the_statuses_of_aws(completed: dict[str, Any]) -> None:
    assert completed["TrainingJobStatus"] == completed["SecondaryStatus"] == "Completed"
    transitions = completed["SecondaryStatusTransitions"]
    assert [t["Status"] for t in transitions] == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert all(t["EndTime"] >= t["StartTime"] for t in transitions)
    assert completed["TrainingTimeInSeconds"] >= 1
    assert completed["BillableTimeInSeconds"] >= 1


def test_the_script_gets_what_the_toolkit_gives(cloud: Cloud, completed: dict[str, Any]) -> None:
    with artifact(cloud, completed) as archive:
        member = archive.extractfile("seen.json")
        assert member
        seen = json.load(member)
    assert (seen["note"], seen["data"]) == ("two words", "what a film")
    environment = seen["environment"]
    assert json.loads(environment["SM_HPS"]) == {"epochs": 2, "note": "two words"}
    assert json.loads(environment["SM_CHANNELS"]) == ["train"]
    assert json.loads(environment["SM_TRAINING_ENV"])["job_name"] == completed["TrainingJobName"]
    assert {"SM_MODEL_DIR", "SM_OUTPUT_DATA_DIR", "SM_CURRENT_HOST", "SM_NUM_CPUS"} <= environment.keys()


def test_logs_and_metrics(cloud: Cloud, completed: dict[str, Any]) -> None:
    name = completed["TrainingJobName"]
    streams = cloud.logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{name}/algo-1-")["logStreams"]
    assert len(streams) == 1
    events = cloud.logs.get_log_events(
        logGroupName=GROUP, logStreamName=streams[0]["logStreamName"], startFromHead=True
    )
    lines = [event["message"] for event in events["events"]]
    assert lines == ["epoch=1 validation_accuracy=0.6000", "epoch=2 validation_accuracy=0.7000"]
    assert [(m["MetricName"], m["Value"]) for m in completed["FinalMetricDataList"]] == [
        ("accuracy", pytest.approx(0.7))
    ]


def test_the_same_model_makes_the_same_archive(cloud: Cloud) -> None:
    script = "import os, pathlib\npathlib.Path(os.environ['SM_MODEL_DIR'], 'model').write_text('weights')"
    etags = set()
    for _ in range(2):
        job = cloud.trained(cloud.train(script))
        bucket, _, key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
        etags.add(cloud.s3.head_object(Bucket=bucket, Key=key)["ETag"])
    assert len(etags) == 1


def test_a_raising_script_fails_the_job_with_the_end_of_its_stderr(cloud: Cloud) -> None:
    job = cloud.trained(cloud.train("raise ValueError('no reviews in here')"))
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: ")
    assert "ValueError: no reviews in here" in job["FailureReason"]
    assert "exit code: 1" in job["FailureReason"]


def test_the_failure_file_is_the_reason(cloud: Cloud) -> None:
    script = (
        "import os, pathlib, sys\n"
        "pathlib.Path(os.environ['SM_OUTPUT_DIR'], 'failure').write_text('one class only')\n"
        "sys.exit(3)"
    )
    job = cloud.trained(cloud.train(script))
    assert job["FailureReason"] == "AlgorithmError: one class only, exit code: 3"


def test_a_full_disk_is_the_reason_also_where_the_failure_file_has_no_room(cloud: Cloud) -> None:
    script = (
        "import os, pathlib\n"
        "pathlib.Path(os.environ['SM_OUTPUT_DIR'], 'failure').touch()\n"
        "pathlib.Path(os.environ['SM_MODEL_DIR'], 'model').symlink_to('/dev/full')\n"
        "pathlib.Path(os.environ['SM_MODEL_DIR'], 'model').write_text('weights')"
    )
    job = cloud.trained(cloud.train(script))
    assert job["TrainingJobStatus"] == "Failed"
    assert "No space left on device" in job["FailureReason"]


@pytest.mark.parametrize("missing", ["source", "channel"])
def test_missing_input_is_a_client_error(cloud: Cloud, missing: str) -> None:
    nowhere = f"s3://{cloud.bucket}/nowhere"
    changes: dict[str, dict[str, Any]] = {
        "source": {"HyperParameters": {"sagemaker_program": "train.py", "sagemaker_submit_directory": nowhere}},
        "channel": {
            "InputDataConfig": [
                {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": nowhere}}}
            ]
        },
    }
    job = cloud.trained(cloud.train(**changes[missing]))
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: ")
    assert nowhere in job["FailureReason"]


def test_a_stopped_job(cloud: Cloud) -> None:
    name = cloud.train(FOREVER)
    wait_for(lambda: cloud.lines(GROUP, name))
    cloud.sagemaker.stop_training_job(TrainingJobName=name)
    assert cloud.sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] in ("Stopping", "Stopped")
    job = cloud.trained(name)
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Stopped"
    with pytest.raises(ClientError, match="ValidationException"):
        cloud.sagemaker.stop_training_job(TrainingJobName=name)


def test_running_out_of_time(cloud: Cloud) -> None:
    job = cloud.trained(cloud.train(FOREVER, StoppingCondition={"MaxRuntimeInSeconds": 1}))
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_names_are_unique_and_jobs_are_listed(cloud: Cloud, completed: dict[str, Any]) -> None:
    name = completed["TrainingJobName"]
    with pytest.raises(cloud.sagemaker.exceptions.ResourceInUse, match=name):
        cloud.train(TrainingJobName=name)
    listed = cloud.sagemaker.list_training_jobs(NameContains=name, StatusEquals="Completed")["TrainingJobSummaries"]
    assert [job["TrainingJobName"] for job in listed] == [name]


def test_lists_are_sorted_and_paged(cloud: Cloud) -> None:
    prefix = cloud.name("list")
    for number in range(3):
        cloud.train("print('done')", TrainingJobName=f"{prefix}-{number}")
    wanted = {"NameContains": prefix, "SortOrder": "Descending"}
    first = cloud.sagemaker.list_training_jobs(**wanted, MaxResults=2)
    second = cloud.sagemaker.list_training_jobs(**wanted, MaxResults=2, NextToken=first["NextToken"])
    assert "NextToken" not in second
    listed = [job["TrainingJobName"] for page in (first, second) for job in page["TrainingJobSummaries"]]
    assert listed == [f"{prefix}-2", f"{prefix}-1", f"{prefix}-0"]


def test_a_job_that_ended_can_be_deleted_and_its_name_used_again(cloud: Cloud) -> None:
    name = cloud.train(FOREVER)
    with pytest.raises(cloud.sagemaker.exceptions.ResourceInUse):
        cloud.sagemaker.delete_training_job(TrainingJobName=name)
    cloud.sagemaker.stop_training_job(TrainingJobName=name)
    cloud.trained(name)
    cloud.sagemaker.delete_training_job(TrainingJobName=name)
    with pytest.raises(ClientError, match=r"not find|not found"):
        cloud.sagemaker.describe_training_job(TrainingJobName=name)
    with pytest.raises(cloud.sagemaker.exceptions.ResourceNotFound):
        cloud.sagemaker.delete_training_job(TrainingJobName=name)


def test_jobs_are_created_one_after_the_other_also_where_the_clock_was_set_back(own_home: Path) -> None:
    """What was made at 2,000 and then at 1,000 seconds of the clock."""
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = {"Action": "CreateRole", "RoleName": "r", "AssumeRolePolicyDocument": json.dumps({"Statement": [trust]})}
    form = {"content-type": "application/x-www-form-urlencoded"}
    calls = [("iam", form, urlencode(role), 2000.0)]
    for name, when in (("first", 2000.0), ("second", 1000.0)):
        job = {
            "TrainingJobName": name,
            "RoleArn": "arn:aws:iam::123456789012:role/r",
            "AlgorithmSpecification": {"TrainingImage": "pytorch", "TrainingInputMode": "File"},
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        }
        calls.append(("sagemaker", {"x-amz-target": "SageMaker.CreateTrainingJob"}, json.dumps(job), when))
    journal = Journal(TwinHome(own_home).journal)
    for service, headers, body, when in calls:
        request = Request.make("POST", "/", "", headers, body.encode())
        with journal.room_for_call(request, "us-east-1", service, when, "1") as record:
            record({})
    journal.close()
    daemon.start(own_home)
    listed = Cloud(daemon.access(own_home)).sagemaker.list_training_jobs(SortBy="CreationTime", SortOrder="Ascending")
    assert [job["TrainingJobName"] for job in listed["TrainingJobSummaries"]] == ["first", "second"]


def test_unknown_job(cloud: Cloud) -> None:
    with pytest.raises(ClientError, match=r"ValidationException.*Could not find|not found"):
        cloud.sagemaker.describe_training_job(TrainingJobName="unknown")


def said(cloud: Cloud, name: str, host: str = "algo-1") -> list[str]:
    """The log of one of a job's hosts."""
    found = cloud.logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{name}/{host}-")["logStreams"]
    pages = [
        cloud.logs.get_log_events(logGroupName=GROUP, logStreamName=stream["logStreamName"], startFromHead=True)
        for stream in found
    ]
    return [event["message"] for page in pages for event in page["events"]]


HOSTS = """
import json, os, pathlib, socket, time
host, hosts = os.environ["SM_CURRENT_HOST"], json.loads(os.environ["SM_HOSTS"])
address = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
if host == hosts[0]:
    with socket.create_server(address) as server:
        other, _ = server.accept()
        print(host, "hears", other.recv(99).decode(), flush=True)
else:
    while True:
        try:
            with socket.create_connection(address) as connection:
                connection.sendall(host.encode())
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
"""


def many(cloud: Cloud, script: str, count: int, **options: Any) -> str:
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": count, "VolumeSizeInGB": 1}
    return cloud.train(script, ResourceConfig=resources, **options)


def test_each_host_has_a_process_and_a_log_and_they_reach_one_another(cloud: Cloud) -> None:
    name = many(cloud, HOSTS, 2)
    assert cloud.trained(name)["TrainingJobStatus"] == "Completed"
    assert said(cloud, name) == ["algo-1 hears algo-2"]


INPUTS = """
import json, os
for channel in ("DEALT", "WHOLE"):
    names = sorted(os.listdir(os.environ["SM_CHANNEL_" + channel]))
    print(channel, json.loads(os.environ["SM_INPUT_DATA_CONFIG"])[channel.lower()]["S3DistributionType"], *names)
"""


@pytest.mark.parametrize(
    ("hosts", "dealt"),
    [
        (1, [["0", "1", "2", "3", "4"]]),
        (2, [["0", "2", "4"], ["1", "3"]]),
        (6, [[str(each)] for each in range(5)] + [[]]),
    ],
)
def test_the_objects_of_a_sharded_channel_are_dealt_among_the_hosts(
    cloud: Cloud, hosts: int, dealt: list[list[str]]
) -> None:
    for number in range(5):
        cloud.s3.put_object(Bucket=cloud.bucket, Key=f"shards/{number}", Body=b"x")
    kinds = {"dealt": "ShardedByS3Key", "whole": "FullyReplicated"}
    sources = {
        name: {"S3DataType": "S3Prefix", "S3Uri": f"s3://{cloud.bucket}/shards/", "S3DataDistributionType": kind}
        for name, kind in kinds.items()
    }
    channels = [{"ChannelName": name, "DataSource": {"S3DataSource": each}} for name, each in sources.items()]
    name = many(cloud, INPUTS, hosts, InputDataConfig=channels)
    assert cloud.trained(name)["TrainingJobStatus"] == "Completed"
    for number, names in enumerate(dealt, start=1):
        kind = "ShardedByS3Key" if hosts > 1 else "FullyReplicated"
        expected = [" ".join(["DEALT", kind, *names]), "WHOLE FullyReplicated 0 1 2 3 4"]
        assert said(cloud, name, f"algo-{number}") == expected


def test_a_job_fails_with_the_host_that_fails_first(cloud: Cloud) -> None:
    script = "import os, sys\nif os.environ['SM_CURRENT_HOST'] == 'algo-2':\n    sys.exit('algo-2 is ill')\n" + FOREVER
    job = cloud.trained(many(cloud, script, 3))
    assert job["TrainingJobStatus"] == "Failed"
    assert "algo-2 is ill" in job["FailureReason"]


def test_all_hosts_of_a_job_are_stopped(cloud: Cloud) -> None:
    name = many(cloud, FOREVER, 2)
    wait_for(lambda: GROUP in [g["logGroupName"] for g in cloud.logs.describe_log_groups()["logGroups"]])
    wait_for(lambda: all(said(cloud, name, host) for host in ("algo-1", "algo-2")))
    cloud.sagemaker.stop_training_job(TrainingJobName=name)
    assert cloud.trained(name)["TrainingJobStatus"] == "Stopped"


def test_the_logs_of_all_hosts_outlast_the_twin(own_home: Path) -> None:
    daemon.start(own_home)
    cloud = Cloud(daemon.access(own_home))
    name = many(cloud, "import os\nprint('I am', os.environ['SM_CURRENT_HOST'])", 2)
    cloud.trained(name)
    wait_for(lambda: (daemon.status(own_home).details or {}).get("training_jobs") == 0)
    daemon.stop(own_home)
    daemon.start(own_home)
    again = Cloud(daemon.access(own_home))
    assert [said(again, name, host) for host in ("algo-1", "algo-2")] == [["I am algo-1"], ["I am algo-2"]]


def test_a_job_that_ignores_being_asked_is_killed(cloud: Cloud, stubborn: str) -> None:
    assert cloud.trained(stubborn)["TrainingJobStatus"] == "Stopped"
