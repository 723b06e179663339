"""The calls that states of the type Task make: some of SageMaker's and S3's, in the state machine's role."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from sentictl.twin.control_plane.control_plane import ACCOUNT, ControlPlane
from sentictl.twin.core.credentials import role_key
from sentictl.twin.core.messages import Request, Response, authorization
from sentictl.twin.iam.roles import SAGEMAKER, AccessDeniedError, AssumedRole

SDK = "arn:aws:states:::aws-sdk:"
Parameters = Mapping[str, Any]
# SageMaker's exceptions that botocore's model has: by these names states can catch them, all others are one.
MODELLED = ("ResourceInUse", "ResourceNotFound", "ResourceLimitExceeded", "ConflictException")
# What of a request is tagged as it is made, by the operation.
MADE = {
    "CreateProcessingJob": ("processing-job", "ProcessingJobName"),
    "CreateTrainingJob": ("training-job", "TrainingJobName"),
    "CreateModel": ("model", "ModelName"),
    "CreateEndpointConfig": ("endpoint-config", "EndpointConfigName"),
}
LOOKED_AT = {
    "DescribeEndpoint": ("endpoint", "EndpointName"),
    "DescribeEndpointConfig": ("endpoint-config", "EndpointConfigName"),
    "DescribeModel": ("model", "ModelName"),
    "DescribeProcessingJob": ("processing-job", "ProcessingJobName"),
    "DescribeTrainingJob": ("training-job", "TrainingJobName"),
}
DELETED = {
    "DeleteEndpointConfig": ("endpoint-config", "EndpointConfigName"),
    "DeleteModel": ("model", "ModelName"),
}
PASSED = ("RoleArn", "ExecutionRoleArn")  # the parameters that pass a role on


class TaskError(Exception):
    """A call failed, as a state sees it.

    Args:
        name: the error's, such as "SageMaker.SageMakerException".
        cause: what the service said.
    """

    def __init__(self, name: str, cause: str) -> None:
        super().__init__(cause)
        self.name = name
        self.cause = cause


@dataclass(frozen=True)
class TaskRole:
    """Who makes the calls of an execution, and where."""

    control: ControlPlane
    region: str
    role: AssumedRole

    def authorization(self, service: str) -> str:
        """Return the header by which a call is the role's."""
        return authorization(service, self.region, role_key("", self.role.arn.rpartition("/")[2]))


def call(caller: TaskRole, resource: str, parameters: Parameters) -> Any:
    """Make a task's call as anybody would: it is journalled.

    Returns:
        What the service answers.

    Raises:
        TaskError: the role does not allow it, or the service refuses it.
    """
    return TASKS[resource](caller, parameters)


def _sagemaker(operation: str) -> Callable[[TaskRole, Parameters], Any]:
    def make(caller: TaskRole, parameters: Parameters) -> Any:
        try:
            for action, resource, context in _demands(caller, operation, parameters):
                caller.role.demand(action, resource, context)
        except AccessDeniedError as refusal:
            raise TaskError("SageMaker.SageMakerException", _told("SageMaker", str(refusal), 400)) from refusal
        answer = _asked(caller, operation, parameters)
        told = json.loads(answer.get_data() or b"{}")
        if answer.ok:
            return told
        code = str(told.get("__type", "")).rpartition("#")[2]
        name = f"{code.removesuffix('Exception')}Exception" if code in MODELLED else "SageMakerException"
        message = str(told.get("message") or told.get("Message", ""))  # moto writes it large, as some services do
        raise TaskError(f"SageMaker.{name}", _told("SageMaker", message, answer.status_code))

    return make


def _asked(caller: TaskRole, operation: str, parameters: Parameters) -> Response:
    headers = {
        "authorization": caller.authorization("sagemaker"),
        "x-amz-target": f"SageMaker.{operation}",
        "content-type": "application/x-amz-json-1.1",
    }
    return caller.control.handle(Request.make("POST", "/", headers=headers, body=json.dumps(parameters).encode()))


def _demands(
    caller: TaskRole, operation: str, parameters: Parameters
) -> Iterator[tuple[str, str, Mapping[str, str] | None]]:
    """Yield the actions that a call takes, each with what it is on and the condition keys."""
    arn = f"arn:aws:sagemaker:{caller.region}:{ACCOUNT}"
    action = f"sagemaker:{operation}"
    if operation == "AddTags":
        yield action, str(parameters.get("ResourceArn")), None
        return
    if operation == "UpdateEndpoint":
        yield action, f"{arn}:endpoint/{parameters.get('EndpointName')}", None
        yield action, f"{arn}:endpoint-config/{parameters.get('EndpointConfigName')}", None
        return
    kind, parameter = (MADE | LOOKED_AT | DELETED)[operation]
    made = f"{arn}:{kind}/{parameters.get(parameter)}"
    yield action, made, _tags(caller, made) if operation in DELETED else None
    if parameters.get("Tags"):
        yield "sagemaker:AddTags", made, None
    for role in (parameters[name] for name in PASSED if name in parameters):
        yield "iam:PassRole", role, {"iam:PassedToService": SAGEMAKER}


def _tags(caller: TaskRole, arn: str) -> dict[str, str]:
    """Return the condition keys by which a policy asks for tags of what is there already."""
    told = _asked(caller, "ListTags", {"ResourceArn": arn})
    tags = json.loads(told.get_data())["Tags"] if told.ok else []
    return {f"aws:ResourceTag/{tag['Key']}": tag["Value"] for tag in tags}


def _copy_object(caller: TaskRole, parameters: Parameters) -> Any:
    source, target = parameters["CopySource"], f"{parameters['Bucket']}/{parameters['Key']}"
    try:
        caller.role.demand("s3:GetObject", f"arn:aws:s3:::{source}")
        caller.role.demand("s3:PutObject", f"arn:aws:s3:::{target}")
    except AccessDeniedError as refusal:
        raise TaskError("S3.S3Exception", _told("S3", str(refusal), 403)) from refusal
    headers = {"authorization": caller.authorization("s3"), "x-amz-copy-source": quote(source)}
    answer = caller.control.handle(Request.make("PUT", f"/{quote(target)}", headers=headers))
    if not answer.ok:
        code, message = _s3_refusal(answer)
        raise TaskError("S3.NoSuchKeyException" if code == "NoSuchKey" else "S3.S3Exception", message)
    return {}


def _s3_refusal(answer: Response) -> tuple[str, str]:
    document = ElementTree.fromstring(answer.get_data())  # noqa: S314  (the twin's own answer)
    return document.findtext("Code", ""), _told("S3", document.findtext("Message", ""), answer.status_code)


def _told(service: str, message: str, status: int) -> str:
    return f"{message} (Service: {service}, Status Code: {status})"


# By the resource of a state, as "Integrating with AWS SDK services" in the Step Functions guide names them.
TASKS: Mapping[str, Callable[[TaskRole, Parameters], Any]] = {
    **{
        f"{SDK}sagemaker:{operation[0].lower()}{operation[1:]}": _sagemaker(operation)
        for operation in (*MADE, *LOOKED_AT, *DELETED, "UpdateEndpoint", "AddTags")
    },
    f"{SDK}s3:copyObject": _copy_object,
}
