"""The calls that schedules make, in the role that they name: a few of SageMaker's, and the start of an execution."""

import json
import re
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from sentictl.twin.control_plane.control_plane import ACCOUNT, ControlPlane
from sentictl.twin.core.credentials import role_key
from sentictl.twin.core.messages import Request, Response, authorization
from sentictl.twin.iam.roles import AccessDeniedError, AssumedRole

SCHEDULER = "scheduler.amazonaws.com"
SDK = "arn:aws:scheduler:::aws-sdk:sagemaker:"
STATE_MACHINE = re.compile(r"arn:aws:states:[^:]+:\d{12}:stateMachine:[^:]+")
IN_PROGRESS = b"Cannot update in-progress endpoint"
Parameters = Mapping[str, Any]
Demands = list[tuple[str, str]]  # actions, each with what it is on, as the end of an ARN


class TryAgainError(Exception):
    """AWS refuses the call for the moment; Scheduler makes it again."""


def _creating(parameters: Parameters) -> Demands:
    endpoint = f"endpoint/{parameters.get('EndpointName')}"
    on = [endpoint, f"endpoint-config/{parameters.get('EndpointConfigName')}"]
    tagging = [("sagemaker:AddTags", endpoint)] if parameters.get("Tags") else []
    return [*(("sagemaker:CreateEndpoint", name) for name in on), *tagging]


def _deleting(parameters: Parameters) -> Demands:
    return [("sagemaker:DeleteEndpoint", f"endpoint/{parameters.get('EndpointName')}")]


def _transforming(parameters: Parameters) -> Demands:
    job = f"transform-job/{parameters.get('TransformJobName')}"
    tagging = [("sagemaker:AddTags", job)] if parameters.get("Tags") else []
    return [("sagemaker:CreateTransformJob", job), *tagging]


# By the end of the target's ARN: the operation, and what it takes to be allowed.
CALLS: Mapping[str, tuple[str, Callable[[Parameters], Demands]]] = {
    "createEndpoint": ("CreateEndpoint", _creating),
    "createTransformJob": ("CreateTransformJob", _transforming),
    "deleteEndpoint": ("DeleteEndpoint", _deleting),
}


def _in_context(text: str, schedule: Any, when: float) -> str:
    """Put what Scheduler knows of the call into its input: "Adding context attributes" in its user guide."""
    known = {
        "schedule-arn": schedule.arn,
        "scheduled-time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when)),
        "execution-id": secrets.token_hex(8),
        "attempt-number": "1",
    }
    for name, value in known.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def trusts(control: ControlPlane, role: str, region: str, group: str) -> bool:
    """Return whether Scheduler may assume a role for the schedules of a group."""
    arn = f"arn:aws:scheduler:{region}:{ACCOUNT}:schedule-group/{group}"
    return AssumedRole(control, role).trusts(SCHEDULER, arn)


def call_target(control: ControlPlane, region: str, schedule: Any, when: float) -> None:
    """Make a schedule's call as anybody would: it is journalled.

    Args:
        control: the twin's control plane.
        region: the schedule's.
        schedule: as moto keeps it.
        when: the time that the call was scheduled for, in seconds since the epoch.

    Raises:
        TryAgainError: the endpoint is just being changed.
        AccessDeniedError: the schedule's role cannot be assumed, or does not allow it.
        ValueError: the target is none that is known here, or AWS would refuse the call.
    """
    target = schedule.target
    given = _in_context(target.get("Input") or "{}", schedule, when)
    role = AssumedRole(control, target["RoleArn"], schedule.name)
    if not trusts(control, role.arn, region, schedule.group_name):
        raise AccessDeniedError(f"{SCHEDULER} cannot assume the role {role.arn}")
    if STATE_MACHINE.fullmatch(target["Arn"]):
        role.demand("states:StartExecution", target["Arn"])
        answer = _call(control, region, role, "AWSStepFunctions.StartExecution", _execution(target["Arn"], given))
    else:
        operation, parameters = _demanded(region, role, target["Arn"], json.loads(given))
        answer = _call(control, region, role, f"SageMaker.{operation}", parameters)
    if IN_PROGRESS in answer.get_data():
        raise TryAgainError
    if not answer.ok:
        raise ValueError(answer.get_data(as_text=True))


def _execution(machine: str, given: str) -> Parameters:
    """Return the parameters of StartExecution. Scheduler gives executions names of its own."""
    return {"stateMachineArn": machine, "input": given, "name": str(uuid.uuid4())}


def _demanded(region: str, role: AssumedRole, target: str, parameters: Parameters) -> tuple[str, Parameters]:
    """Return SageMaker's operation and its parameters, if the role allows the call."""
    name = target.removeprefix(SDK)
    if name not in CALLS:
        raise ValueError(f"the local twin does not know the target {target}")
    operation, demands = CALLS[name]
    for action, on in demands(parameters):
        role.demand(action, f"arn:aws:sagemaker:{region}:{ACCOUNT}:{on}")
    return operation, parameters


def _call(control: ControlPlane, region: str, role: AssumedRole, target: str, parameters: Parameters) -> Response:
    service = "states" if target.startswith("AWSStepFunctions.") else "sagemaker"
    headers = {
        "authorization": authorization(service, region, role_key("", role.arn.rpartition("/")[2])),
        "x-amz-target": target,
        "content-type": f"application/x-amz-json-1.{0 if service == 'states' else 1}",
    }
    return control.handle(Request.make("POST", "/", headers=headers, body=json.dumps(parameters).encode()))
