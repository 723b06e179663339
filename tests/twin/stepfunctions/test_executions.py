"""Step Functions on the twin: executions that really call its services, in the role of their machine."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sentictl.twin import daemon
from tests.twin.conftest import Cloud, wait_for

SDK = "arn:aws:states:::aws-sdk:"
LOOK: dict[str, Any] = {
    "Type": "Task",
    "Resource": f"{SDK}sagemaker:describeEndpoint",
    "Parameters": {"EndpointName.$": "States.Format('{}-endpoint', $.name)"},
    "ResultSelector": {"status.$": "$.EndpointStatus"},
    "ResultPath": "$.endpoint",
    "End": True,
}


def machine(cloud: Cloud, states: dict[str, Any], *actions: str, start: str = "Look") -> str:
    """Make a state machine that may do these actions. Returns its ARN."""
    allowed = {"Effect": "Allow", "Action": list(actions) or "sagemaker:DescribeEndpoint", "Resource": "*"}
    request = {
        "name": cloud.name("machine"),
        "definition": json.dumps({"StartAt": start, "States": states}),
        "roleArn": cloud.role("states.amazonaws.com", policy=allowed),
    }
    return str(cloud.stepfunctions.create_state_machine(**request)["stateMachineArn"])


def ended(cloud: Cloud, arn: str, given: Any) -> dict[str, Any]:
    """Describe an execution of a machine when it is over."""
    execution = cloud.stepfunctions.start_execution(stateMachineArn=arn, input=json.dumps(given))["executionArn"]

    def over() -> dict[str, Any] | None:
        found: dict[str, Any] = cloud.stepfunctions.describe_execution(executionArn=execution)
        return found if found["status"] != "RUNNING" else None

    found: dict[str, Any] = wait_for(over)
    return found


def test_a_task_calls_its_service_and_says_what_it_answered(cloud: Cloud) -> None:
    name = cloud.name("made")
    config = cloud.endpoint_config()
    cloud.sagemaker.create_endpoint(EndpointName=f"{name}-endpoint", EndpointConfigName=config)
    cloud.settled(f"{name}-endpoint")
    found = ended(cloud, machine(cloud, {"Look": LOOK}), {"name": name})
    assert found["status"] == "SUCCEEDED"
    assert json.loads(found["output"]) == {"name": name, "endpoint": {"status": "InService"}}


def test_what_the_role_does_not_allow_fails_the_execution(cloud: Cloud) -> None:
    found = ended(cloud, machine(cloud, {"Look": LOOK}, "sagemaker:DescribeModel"), {"name": "any"})
    assert (found["status"], found["error"]) == ("FAILED", "SageMaker.SageMakerException")
    assert "is not authorized to perform: sagemaker:DescribeEndpoint" in found["cause"]


def test_what_a_state_catches_is_told_to_the_next(cloud: Cloud) -> None:
    catch = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "IsGone"}]
    gone = {"Variable": "$.error.Cause", "StringMatches": "*Could not find endpoint*", "Next": "Gone"}
    states = {
        "Look": LOOK | {"Catch": catch, "Retry": [{"ErrorEquals": ["States.TaskFailed"], "MaxAttempts": 1}]},
        "IsGone": {"Type": "Choice", "Choices": [gone], "Default": "Other"},
        "Gone": {"Type": "Pass", "Parameters": {"outcome": "gone", "of.$": "$.name"}, "End": True},
        "Other": {"Type": "Fail", "ErrorPath": "$.error.Error", "CausePath": "$.error.Cause"},
    }
    found = ended(cloud, machine(cloud, states), {"name": "no"})
    assert found["status"] == "SUCCEEDED", (found["error"], found["cause"])
    assert json.loads(found["output"]) == {"outcome": "gone", "of": "no"}


@pytest.mark.parametrize(("metrics", "end"), [([0.0, 1.0], "Good"), ([1.0, 0.0], "Bad")])
def test_a_choice_reads_the_metric_that_a_filter_finds(cloud: Cloud, metrics: list[float], end: str) -> None:
    found = "States.ArrayGetItem($.metrics[?(@.Name == 'good')].Value, 0)"
    rule = {"Variable": "$.good", "NumericGreaterThanEquals": 0.5, "Next": "Good"}
    states = {
        "Read": {"Type": "Pass", "Parameters": {"good.$": found}, "Next": "Choose"},
        "Choose": {"Type": "Choice", "Choices": [rule], "Default": "Bad"},
        "Good": {"Type": "Pass", "Result": "Good", "End": True},
        "Bad": {"Type": "Fail", "Error": "Bad", "CausePath": "States.Format('it is {}', $.good)"},
    }
    given = [{"Name": name, "Value": value} for name, value in zip(("other", "good"), metrics, strict=True)]
    told = ended(cloud, machine(cloud, states, start="Read"), {"metrics": given})
    assert (told.get("output"), told.get("error"), told.get("cause")) == (
        ('"Good"', None, None) if end == "Good" else (None, "Bad", "it is 0.0")
    )


def test_a_text_is_split_at_any_of_some_characters(cloud: Cloud) -> None:
    split = {"parts.$": "States.StringSplit($.time, '-:TZ')"}
    states = {"Look": {"Type": "Pass", "Parameters": split, "End": True}}
    told = ended(cloud, machine(cloud, states), {"time": "2026-12-06T02:00:00Z"})
    assert json.loads(told["output"]) == {"parts": ["2026", "12", "06", "02", "00", "00"]}


def test_a_policy_can_ask_for_the_tags_of_what_is_deleted(cloud: Cloud) -> None:
    """Tags that a state puts on it count from then on."""
    model = {"ModelName": cloud.name("model")}
    arn = cloud.sagemaker.create_model(**model, ExecutionRoleArn=cloud.execution_role)["ModelArn"]
    delete = {"Type": "Task", "Resource": f"{SDK}sagemaker:deleteModel", "Parameters": model}
    tag = {"Key": "owner", "Value": "me"}
    put = {"Type": "Task", "Resource": f"{SDK}sagemaker:addTags", "Parameters": {"ResourceArn": arn, "Tags": [tag]}}
    role = cloud.role(
        "states.amazonaws.com",
        policy={
            "Effect": "Allow",
            "Action": "sagemaker:DeleteModel",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:ResourceTag/owner": "me"}},
        },
    )
    tagging = {"Effect": "Allow", "Action": "sagemaker:AddTags", "Resource": arn}
    cloud.iam.put_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyName="tags",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [tagging]}),
    )

    def carried_out(states: dict[str, Any]) -> dict[str, Any]:
        definition = json.dumps({"StartAt": "Look", "States": states})
        request = {"name": cloud.name("machine"), "definition": definition, "roleArn": role}
        return ended(cloud, cloud.stepfunctions.create_state_machine(**request)["stateMachineArn"], {})

    assert (
        "is not authorized to perform: sagemaker:DeleteModel" in carried_out({"Look": delete | {"End": True}})["cause"]
    )
    done = carried_out({"Look": put | {"ResultPath": None, "Next": "Delete"}, "Delete": delete | {"End": True}})
    assert done["status"] == "SUCCEEDED", done


def test_an_object_is_copied_by_who_may_read_it_and_write_it(cloud: Cloud) -> None:
    cloud.upload("from/a b", b"content")
    copy = {
        "Type": "Task",
        "Resource": f"{SDK}s3:copyObject",
        "Parameters": {"Bucket": cloud.bucket, "Key": "to/a b", "CopySource": f"{cloud.bucket}/from/a b"},
        "End": True,
    }
    refused = ended(cloud, machine(cloud, {"Look": copy}, "s3:GetObject"), {})
    assert (refused["status"], refused["error"]) == ("FAILED", "S3.S3Exception")
    assert ended(cloud, machine(cloud, {"Look": copy}, "s3:GetObject", "s3:PutObject"), {})["status"] == "SUCCEEDED"
    assert cloud.s3.get_object(Bucket=cloud.bucket, Key="to/a b")["Body"].read() == b"content"


def test_a_role_is_passed_on_only_by_who_may(cloud: Cloud) -> None:
    make = {
        "Type": "Task",
        "Resource": f"{SDK}sagemaker:createModel",
        "Parameters": {"ModelName": cloud.name("model"), "ExecutionRoleArn": cloud.execution_role},
        "End": True,
    }
    found = ended(cloud, machine(cloud, {"Look": make}, "sagemaker:CreateModel"), {})
    assert "is not authorized to perform: iam:PassRole" in found["cause"]


def test_an_execution_that_is_stopped_goes_no_further(cloud: Cloud) -> None:
    wait = {"Type": "Wait", "Seconds": 60, "Next": "Wait"}
    arn = machine(cloud, {"Wait": wait}, start="Wait")
    execution = cloud.stepfunctions.start_execution(stateMachineArn=arn)["executionArn"]
    cloud.stepfunctions.stop_execution(executionArn=execution)
    listed = cloud.stepfunctions.list_executions(stateMachineArn=arn, statusFilter="ABORTED")["executions"]
    assert [each["executionArn"] for each in listed] == [execution]
    cloud.stepfunctions.delete_state_machine(stateMachineArn=arn)
    with pytest.raises(ClientError, match="ExecutionDoesNotExist"):
        cloud.stepfunctions.describe_execution(executionArn=execution)


def test_a_schedule_starts_an_execution(cloud: Cloud) -> None:
    arn = machine(cloud, {"Look": {"Type": "Succeed"}})
    policy = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": arn}
    when = datetime.fromtimestamp(time.time() - 60, UTC)
    cloud.scheduler.create_schedule(
        Name=cloud.name("schedule"),
        ScheduleExpression=f"at({when:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": arn,
            "RoleArn": cloud.role("scheduler.amazonaws.com", policy=policy),
            "Input": '{"run": "<aws.scheduler.execution-id>", "time": "<aws.scheduler.scheduled-time>"}',
        },
    )
    listed = wait_for(
        lambda: cloud.stepfunctions.list_executions(stateMachineArn=arn, statusFilter="SUCCEEDED")["executions"]
    )
    found = cloud.stepfunctions.describe_execution(executionArn=listed[0]["executionArn"])
    given = json.loads(found["output"])
    assert len(given["run"]) == 16
    assert given["time"] == f"{when:%Y-%m-%dT%H:%M:%SZ}"  # the one that was asked for, whenever that is


def test_what_ran_when_the_twin_ended_has_failed(own_home: Path) -> None:
    daemon.start(own_home)
    cloud = Cloud(daemon.access(own_home))
    over = machine(cloud, {"Look": {"Type": "Succeed"}})
    assert ended(cloud, over, {"a": 1})["status"] == "SUCCEEDED"
    arn = machine(cloud, {"Wait": {"Type": "Wait", "Seconds": 60, "Next": "Wait"}}, start="Wait")
    cloud.stepfunctions.start_execution(stateMachineArn=arn)
    daemon.stop(own_home)
    daemon.start(own_home)
    again = Cloud(daemon.access(own_home))
    states = [again.stepfunctions.list_executions(stateMachineArn=each)["executions"][0] for each in (over, arn)]
    assert [each["status"] for each in states] == ["SUCCEEDED", "FAILED"]


@pytest.mark.parametrize(
    ("states", "why"),
    [
        ({"Look": LOOK | {"Next": "Nowhere", "End": False}}, "Missing 'Next' target: Nowhere"),
        ({"Look": {key: value for key, value in LOOK.items() if key != "End"}}, "One of 'Next' and 'End' is required"),
        ({"Look": LOOK, "Apart": {"Type": "Succeed"}}, "is not reachable"),
        ({"Look": LOOK | {"Parametres": {}}}, "The field 'Parametres' is not supported"),
        ({"Look": LOOK | {"Resource": f"{SDK}sagemaker:deleteApp"}}, "does not know the resource"),
        ({"Look": LOOK | {"ResultSelector": {"a.$": "$.EndpointStatus["}}}, "is no path"),
        ({"Look": {"Type": "Parallel", "End": True}}, "does not know states of the type Parallel"),
    ],
)
def test_definitions_that_cannot_run_are_refused(cloud: Cloud, states: dict[str, Any], why: str) -> None:
    with pytest.raises(ClientError, match="InvalidDefinition") as caught:
        machine(cloud, states)
    assert why in str(caught.value)


def test_a_role_that_step_functions_cannot_assume_is_refused(cloud: Cloud) -> None:
    definition = json.dumps({"StartAt": "Look", "States": {"Look": {"Type": "Succeed"}}})
    with pytest.raises(ClientError, match="AccessDeniedException"):
        cloud.stepfunctions.create_state_machine(name="any", definition=definition, roleArn=cloud.execution_role)
