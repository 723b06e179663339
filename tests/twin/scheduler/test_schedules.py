"""EventBridge Scheduler on the twin: an endpoint that is deleted at its time, by a role that may."""

import json
import math
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sentictl.twin import daemon
from tests.twin.conftest import INFERENCE, Cloud, wait_for

SDK = "arn:aws:scheduler:::aws-sdk:sagemaker:"
ARN = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/"


def endpoint(cloud: Cloud) -> str:
    name = cloud.endpoint(cloud.endpoint_config())
    cloud.settled(name)
    return name


def deleter(cloud: Cloud, endpoint: str) -> str:
    """A role in which the scheduler may delete an endpoint."""
    policy = {"Effect": "Allow", "Action": "sagemaker:DeleteEndpoint", "Resource": ARN + endpoint}
    return cloud.role("scheduler.amazonaws.com", policy=policy)


def request(endpoint: str, role: str, when: float, **changes: Any) -> dict[str, Any]:
    """Return the parameters of CreateSchedule and UpdateSchedule; the schedule has the endpoint's name."""
    target = {
        "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint",
        "RoleArn": role,
        "Input": json.dumps({"EndpointName": endpoint}),
    }
    wanted = {
        "Name": endpoint,
        "ScheduleExpression": f"at({datetime.fromtimestamp(when, UTC):%Y-%m-%dT%H:%M:%S})",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE",
        "Target": target,
    }
    return wanted | changes


def opener(cloud: Cloud, *actions: str) -> str:
    """A role in which the scheduler may do this to any endpoint."""
    return cloud.role("scheduler.amazonaws.com", policy={"Effect": "Allow", "Action": list(actions), "Resource": "*"})


def opening(endpoint: str, config: str, role: str, expression: str) -> dict[str, Any]:
    """Return the parameters of CreateSchedule for a schedule that makes an endpoint, and stays."""
    parameters = {"EndpointName": endpoint, "EndpointConfigName": config, "Tags": [{"Key": "of", "Value": "ours"}]}
    target = {
        "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:createEndpoint",
        "RoleArn": role,
        "Input": json.dumps(parameters),
    }
    changes = {"ActionAfterCompletion": "NONE", "Target": target, "ScheduleExpression": expression}
    return request(endpoint, role, 0, **changes)


def endpoints(cloud: Cloud) -> list[str]:
    return [entry["EndpointName"] for entry in cloud.sagemaker.list_endpoints(MaxResults=100)["Endpoints"]]


def schedules(cloud: Cloud) -> list[str]:
    return [entry["Name"] for entry in cloud.scheduler.list_schedules()["Schedules"]]


def test_an_endpoint_is_deleted_at_its_time_and_the_schedule_with_it(cloud: Cloud) -> None:
    name, other = endpoint(cloud), endpoint(cloud)
    due = math.ceil(time.time() + 0.5)
    cloud.scheduler.create_schedule(**request(name, deleter(cloud, name), due))
    cloud.scheduler.create_schedule(**request(other, deleter(cloud, other), due + 3600))
    wait_for(lambda: name not in endpoints(cloud))
    assert time.time() >= due
    wait_for(lambda: name not in schedules(cloud))
    assert other in endpoints(cloud)
    assert other in schedules(cloud)


def test_a_schedule_can_be_put_off_and_forward(cloud: Cloud) -> None:
    name = endpoint(cloud)
    role = deleter(cloud, name)
    cloud.scheduler.create_schedule(**request(name, role, time.time() + 3600))
    cloud.scheduler.update_schedule(**request(name, role, time.time(), State="DISABLED"))
    assert cloud.scheduler.get_schedule(Name=name)["State"] == "DISABLED"
    new_york = f"at({datetime.now(UTC).year + 1}-06-01T12:00:00)"
    later = request(name, role, 0, ScheduleExpression=new_york, ScheduleExpressionTimezone="America/New_York")
    cloud.scheduler.update_schedule(**later)
    assert name in endpoints(cloud)
    cloud.scheduler.update_schedule(**request(name, role, time.time(), ActionAfterCompletion="NONE"))
    wait_for(lambda: name not in endpoints(cloud))
    assert name in schedules(cloud)


def test_an_endpoint_that_is_just_being_made_is_deleted_afterwards(cloud: Cloud) -> None:
    code = "import time\ntime.sleep(0.7)\n" + INFERENCE
    name = cloud.endpoint(cloud.endpoint_config({"code/inference.py": code}))
    cloud.scheduler.create_schedule(**request(name, deleter(cloud, name), time.time()))
    wait_for(lambda: name not in endpoints(cloud))
    wait_for(lambda: name not in schedules(cloud))
    assert "loaded one" in cloud.lines(f"/aws/sagemaker/Endpoints/{name}")


def test_nothing_happens_that_the_role_does_not_allow(cloud: Cloud, home: Path) -> None:
    name = endpoint(cloud)
    cloud.scheduler.create_schedule(**request(name, deleter(cloud, "another"), time.time()))
    wait_for(lambda: name not in schedules(cloud))
    assert name in endpoints(cloud)
    assert "is not authorized to perform: sagemaker:DeleteEndpoint" in daemon.log_file(home).read_text()


def test_a_recurring_schedule_makes_the_endpoint_with_its_tags_and_goes_on(own_home: Path) -> None:
    daemon.start(own_home)
    cloud = Cloud(daemon.access(own_home))
    config, name = cloud.endpoint_config(), cloud.name("endpoint")
    role = opener(cloud, "sagemaker:CreateEndpoint", "sagemaker:AddTags")
    cloud.scheduler.create_schedule(**opening(name, config, role, "rate(1 day)"))
    wait_for(lambda: name in endpoints(cloud))
    found = cloud.settled(name)
    assert found["EndpointConfigName"] == config
    assert cloud.sagemaker.list_tags(ResourceArn=found["EndpointArn"])["Tags"] == [{"Key": "of", "Value": "ours"}]
    cloud.sagemaker.delete_endpoint(EndpointName=name)
    daemon.stop(own_home)
    daemon.start(own_home)
    again = Cloud(daemon.access(own_home))
    assert schedules(again) == [name]
    assert endpoints(again) == []  # it was carried out already, today
    rest = opening(name, config, role, "rate(1 day)")
    again.scheduler.update_schedule(**rest)  # a change begins anew
    wait_for(lambda: name in endpoints(again))


@pytest.mark.parametrize("allowed", ["sagemaker:CreateEndpoint", "sagemaker:AddTags"])
def test_an_endpoint_with_tags_is_made_only_by_who_may_do_both(cloud: Cloud, home: Path, allowed: str) -> None:
    name = cloud.name("endpoint")
    cloud.scheduler.create_schedule(**opening(name, cloud.endpoint_config(), opener(cloud, allowed), "rate(1 day)"))
    wait_for(lambda: f"schedule {name}: " in daemon.log_file(home).read_text())
    assert name not in endpoints(cloud)
    assert "is not authorized to perform: sagemaker:" in daemon.log_file(home).read_text()


def test_a_transform_job_is_begun_under_the_id_of_the_call(cloud: Cloud) -> None:
    name = cloud.name("schedule")
    cloud.upload(f"{name}/in/a", b"good\n")
    job = {
        "TransformJobName": f"{name}-<aws.scheduler.execution-id>",
        "ModelName": cloud.endpoint_config(),
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{cloud.bucket}/{name}/in/"}}
        },
        "TransformOutput": {"S3OutputPath": f"s3://{cloud.bucket}/{name}/<aws.scheduler.execution-id>"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    wanted = opening(name, "", opener(cloud, "sagemaker:CreateTransformJob"), "rate(1 day)")
    target = wanted["Target"] | {"Arn": f"{SDK}createTransformJob", "Input": json.dumps(job)}
    cloud.scheduler.create_schedule(**wanted | {"Target": target})

    def completed() -> list[str]:
        found = cloud.sagemaker.list_transform_jobs(NameContains=name, StatusEquals="Completed")
        return [each["TransformJobName"] for each in found["TransformJobSummaries"]]

    (begun,) = wait_for(completed)
    execution = begun.removeprefix(f"{name}-")
    assert len(execution) == 16
    assert cloud.s3.head_object(Bucket=cloud.bucket, Key=f"{name}/{execution}/a.out")


def test_a_cron_expression_waits_for_its_time(cloud: Cloud) -> None:
    name = endpoint(cloud)
    yearly = request(name, deleter(cloud, name), 0, ScheduleExpression="cron(0 8 29 2 ? *)")
    cloud.scheduler.create_schedule(**yearly | {"ScheduleExpressionTimezone": "Europe/Berlin"})
    assert cloud.scheduler.get_schedule(Name=name)["ScheduleExpression"] == "cron(0 8 29 2 ? *)"
    assert name in endpoints(cloud)
    cloud.scheduler.delete_schedule(Name=name)


def test_a_role_that_the_scheduler_cannot_assume_is_refused(cloud: Cloud) -> None:
    with pytest.raises(ClientError, match="must allow AWS EventBridge Scheduler to assume the role"):
        cloud.scheduler.create_schedule(**request("any", cloud.execution_role, time.time() + 3600))


@pytest.mark.parametrize(
    "changes",
    [
        {"ScheduleExpression": "at(2030-13-01T00:00:00)"},
        {"ScheduleExpression": "in 8 hours"},
        {"ScheduleExpression": "cron(0 8 * * * *)"},
        {"ScheduleExpression": "rate(5 weeks)"},
        {"ScheduleExpressionTimezone": "Europe/Springfield"},
    ],
)
def test_times_that_there_are_not_are_refused(cloud: Cloud, changes: dict[str, str]) -> None:
    wanted = request("any", deleter(cloud, "any"), time.time() + 3600)
    with pytest.raises(ClientError, match=r"ValidationException.*Invalid Schedule Expression"):
        cloud.scheduler.create_schedule(**wanted | changes)


def test_a_schedule_that_was_made_while_the_clock_was_ahead_is_carried_out_all_the_same(own_home: Path) -> None:
    daemon.start(own_home)
    cloud = Cloud(daemon.access(own_home))
    config, name = cloud.endpoint_config(), cloud.name("endpoint")
    role = opener(cloud, "sagemaker:CreateEndpoint", "sagemaker:AddTags")
    cloud.scheduler.create_schedule(**opening(name, config, role, "rate(1 day)"), State="DISABLED")
    daemon.stop(own_home)
    journal = own_home / "journal" / "calls.jsonl"
    header, *entries = map(json.loads, journal.read_text().splitlines())
    for entry in entries:
        entry["time"] += 3 * 86_400
        if "/schedules/" in entry["call"]["target"]:
            entry["call"]["body"] = entry["call"]["body"].replace("DISABLED", "ENABLED")
    journal.write_text("".join(f"{json.dumps(line)}\n" for line in (header, *entries)))
    daemon.start(own_home)
    again = Cloud(daemon.access(own_home))
    wait_for(lambda: name in endpoints(again))


def test_what_became_due_while_the_twin_was_down_is_made_up_for(own_home: Path) -> None:
    daemon.start(own_home)
    cloud = Cloud(daemon.access(own_home))
    names = [endpoint(cloud) for _ in range(2)]
    due = time.time() + 1.5
    for name, when in zip(names, (due, due + 3600), strict=True):
        cloud.scheduler.create_schedule(**request(name, deleter(cloud, name), when))
    daemon.stop(own_home)
    wait_for(lambda: time.time() > due)
    daemon.start(own_home)
    again = Cloud(daemon.access(own_home))
    wait_for(lambda: endpoints(again) == names[1:])
    wait_for(lambda: schedules(again) == names[1:])
    daemon.stop(own_home)
    daemon.start(own_home)
    last = Cloud(daemon.access(own_home))
    assert endpoints(last) == schedules(last) == names[1:]
