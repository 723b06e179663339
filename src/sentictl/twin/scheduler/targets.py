"""The calls that schedules make: SageMaker's CreateEndpoint and DeleteEndpoint, in the role that the schedule names."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from sentictl.twin.control_plane.control_plane import ACCOUNT, ControlPlane
from sentictl.twin.core.credentials import role_key
from sentictl.twin.core.messages import Request, authorization
from sentictl.twin.iam.roles import AccessDeniedError, AssumedRole

SCHEDULER = "scheduler.amazonaws.com"
SDK = "arn:aws:scheduler:::aws-sdk:sagemaker:"
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


# By the end of the target's ARN: the operation, and what it takes to be allowed.
CALLS: Mapping[str, tuple[str, Callable[[Parameters], Demands]]] = {
    "createEndpoint": ("CreateEndpoint", _creating),
    "deleteEndpoint": ("DeleteEndpoint", _deleting),
}


def trusts(control: ControlPlane, role: str, region: str, group: str) -> bool:
    """Return whether Scheduler may assume a role for the schedules of a group."""
    arn = f"arn:aws:scheduler:{region}:{ACCOUNT}:schedule-group/{group}"
    return AssumedRole(control, role).trusts(SCHEDULER, arn)


def call_target(control: ControlPlane, region: str, schedule: Any) -> None:
    """Make a schedule's call as anybody would: it is journalled.

    Args:
        control: the twin's control plane.
        region: the schedule's.
        schedule: as moto keeps it.

    Raises:
        TryAgainError: the endpoint is just being changed.
        AccessDeniedError: the schedule's role cannot be assumed, or does not allow it.
        ValueError: the target is none that is known here, or AWS would refuse the call.
    """
    target = schedule.target
    name = target["Arn"].removeprefix(SDK)
    if name not in CALLS:
        raise ValueError(f"the local twin does not know the target {target['Arn']}")
    operation, demands = CALLS[name]
    parameters = json.loads(target.get("Input") or "{}")
    role = AssumedRole(control, target["RoleArn"], schedule.name)
    if not trusts(control, role.arn, region, schedule.group_name):
        raise AccessDeniedError(f"{SCHEDULER} cannot assume the role {role.arn}")
    for action, on in demands(parameters):
        role.demand(action, f"arn:aws:sagemaker:{region}:{ACCOUNT}:{on}")
    headers = {
        "authorization": authorization("sagemaker", region, role_key("", role.arn.rpartition("/")[2])),
        "x-amz-target": f"SageMaker.{operation}",
        "content-type": "application/x-amz-json-1.1",
    }
    answer = control.handle(Request.make("POST", "/", headers=headers, body=json.dumps(parameters).encode()))
    if IN_PROGRESS in answer.get_data():
        raise TryAgainError
    if not answer.ok:
        raise ValueError(answer.get_data(as_text=True))
