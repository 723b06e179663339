"""Rough weather: the refusals that AWS gives in the first seconds of a thing's life, which calm weather leaves out.

What is made, allowed or deleted raises refusals for the calls that need to know of it, and each is given once. A call
that is repeated gets through, as it does on AWS after a while. `sentictl.aws.refusals` has the sources of the words.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote_plus

from sentictl.twin.core.messages import Request, Response, json_rpc_error, query_error, rest_error, s3_error

ROUGH = "rough"


class _Call(Protocol):
    """A control-plane call, as far as the weather has to do with it."""

    @property
    def request(self) -> Request: ...
    @property
    def service(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def operation(self) -> str: ...
    @property
    def labels(self) -> Mapping[str, str]: ...
    @property
    def payload(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Refusal:
    """What a call is answered while something has not spread yet; `{}` in the message is the thing's name."""

    code: str
    message: str
    status: int = 400


@dataclass(frozen=True)
class Rule:
    """What one operation does to those that come after it.

    Args:
        after: the operation that begins it.
        thing: what it made or changed, read from its call.
        calls: the operations that are refused if they name that thing.
        refusals: given to each of them, one after the other.
    """

    after: str
    thing: Callable[[_Call], str]
    calls: tuple[str, ...]
    refusals: tuple[Refusal, ...]


def _form(name: str) -> Callable[[_Call], str]:
    """Read a parameter of IAM's form."""
    return lambda call: call.request.form_parameter(name)


def _member(name: str) -> Callable[[_Call], str]:
    return lambda call: str(call.payload.get(name, ""))


def _label(name: str) -> Callable[[_Call], str]:
    return lambda call: call.labels.get(name, "")


NO_ROLE = Refusal("NoSuchEntity", "The role with name {} cannot be found.", 404)
NO_BUCKET = Refusal("NoSuchBucket", "The specified bucket does not exist", 404)
CONFLICT = Refusal(
    "OperationAborted",
    "A conflicting conditional operation is currently in progress against this resource. Please try again.",
    409,
)
THROTTLED = Refusal("TooManyRequestsException", "Too Many Requests", 429)
NOT_ASSUMED = Refusal(
    "ValidationException",
    "Could not assume role {}. Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' to "
    "assume the role.",
)
RULES = (
    Rule("CreateRole", _form("RoleName"), ("GetRole", "PutRolePolicy"), (NO_ROLE,)),
    Rule("CreateRole", _form("RoleName"), ("CreateProcessingJob",), (NOT_ASSUMED,)),
    Rule(
        "CreateRole",
        _form("RoleName"),
        ("CreateTrainingJob",),
        (
            NOT_ASSUMED,
            Refusal(
                "ValidationException",
                "No S3 objects found under S3 URL given in input data source. Please ensure that the bucket exists in "
                "the selected region, that objects exist under that S3 prefix, and that the role {} has "
                '"s3:ListBucket" permissions on the bucket. Error message from S3: Access Denied',
            ),
        ),
    ),
    Rule(
        "CreateRole",
        _form("RoleName"),
        ("CreateModel",),
        (
            Refusal(
                "ValidationException",
                "Could not access model data. Please ensure that the role {} exists and that its trust relationship "
                'policy allows the action "sts:AssumeRole" for the service principal "sagemaker.amazonaws.com". Also '
                'ensure that the role has "s3:GetObject" permissions and that the object is located in the region.',
            ),
        ),
    ),
    Rule("CreateRole", _form("RoleName"), ("CreateHyperParameterTuningJob",), (NOT_ASSUMED,)),
    Rule("CreateRole", _form("RoleName"), ("CreateNotebookInstance",), (NOT_ASSUMED,)),
    Rule(
        "CreateRole",
        _form("RoleName"),
        ("CreateFunction",),
        (
            Refusal("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda."),
            Refusal(
                "InvalidParameterValueException",
                "Lambda was unable to configure access to your environment variables because the KMS key is invalid "
                "for CreateGrant. Please check your KMS key settings. KMS Exception: InvalidArnException KMS Message: "
                "ARN does not refer to a valid principal: {}",
            ),
        ),
    ),
    Rule(
        "CreateRole",
        _form("RoleName"),
        ("CreateSchedule",),
        (
            Refusal(
                "ValidationException",
                "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
            ),
        ),
    ),
    Rule(
        "CreateRole",
        _form("RoleName"),
        ("UpdateAccount",),
        (
            Refusal(
                "BadRequestException",
                "The role ARN does not have required permissions configured. Please grant trust permission for API "
                "Gateway and add the required role policy.",
            ),
            Refusal(
                "BadRequestException",
                "API Gateway could not successfully write to CloudWatch Logs using the ARN specified. This account may "
                "have reached a limit in CloudWatch Logs.",
            ),
        ),
    ),
    # The first two pages that API Gateway shall read in the role.
    Rule("CreateRole", _form("RoleName"), ("(page)",), (NO_ROLE, NO_ROLE)),
    Rule(
        "DeleteRolePolicy",
        _form("RoleName"),
        ("DeleteRole",),
        (Refusal("DeleteConflict", "Cannot delete entity, must delete policies first.", 409),) * 2,
    ),
    Rule(
        "CreateEndpointConfig",
        _member("EndpointConfigName"),
        ("CreateEndpoint", "UpdateEndpoint"),
        (Refusal("ValidationException", 'Could not find endpoint configuration "{}".'),) * 2,
    ),
    Rule(
        "RegisterScalableTarget",
        _member("ResourceId"),
        ("PutScalingPolicy",),
        (
            Refusal(
                "ObjectNotFoundException",
                "No scalable target registered for service namespace: sagemaker, resource ID: {}, scalable dimension: "
                "sagemaker:variant:DesiredInstanceCount",
            ),
        ),
    ),
    Rule("CreateBucket", _label("Bucket"), ("HeadBucket", "PutPublicAccessBlock", "PutBucketVersioning"), (NO_BUCKET,)),
    Rule("DeleteBucket", _label("Bucket"), ("CreateBucket",), (CONFLICT, CONFLICT)),
    Rule(
        "DeletePublicAccessBlock",
        _label("Bucket"),
        ("PutBucketPolicy",),
        (Refusal("AccessDenied", "Access Denied", 403),) * 2,
    ),
    Rule(
        "UpdateFunctionCode",
        _label("FunctionName"),
        ("UpdateFunctionConfiguration",),
        (
            Refusal(
                "ResourceConflictException",
                "The operation cannot be performed at this time. An update is in progress for resource: {}",
                409,
            ),
        ),
    ),
    # The first two requests that the API shall hand to the function.
    Rule("AddPermission", _label("FunctionName"), ("(invocation)",), (Refusal("AccessDenied", "", 500),) * 2),
    Rule("CreateDeployment", _label("restapi_id"), ("(request)",), (Refusal("Forbidden", "", 403),)),
    Rule("CreateDeployment", _label("restapi_id"), ("CreateDeployment", "DeleteRestApi"), (THROTTLED,)),
    Rule(
        "CreateWebACL",
        _member("Name"),
        ("AssociateWebACL",),
        (
            Refusal(
                "WAFUnavailableEntityException",
                "AWS WAF couldn't retrieve the resource that you requested. Retry your request.",
            ),
        ),
    ),
    Rule(
        "DeleteLogGroup",
        _member("logGroupName"),
        ("CreateLogGroup",),
        (
            Refusal(
                "OperationAbortedException",
                "A conflicting operation is currently in progress against this resource. Please try again.",
            ),
        ),
    ),
)


class Weather:
    """The weather of a twin: calm, or rough where its file says so.

    Args:
        file: holds the weather's name; it may change while the twin runs.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._to_come: dict[tuple[str, str], list[Refusal]] = {}
        self._ghosts: dict[str, dict[str, dict[str, str]]] = {}
        # The tags of all there is in a region, by ARN.
        self.tagged: Callable[[str], dict[str, dict[str, str]]] = lambda _region: {}

    @property
    def rough(self) -> bool:
        """Whether it is rough now."""
        try:
            return self._file.read_text(errors="replace").strip() == ROUGH
        except OSError:
            return False

    def refuse(self, call: _Call) -> Response | None:
        """Return the refusal that a call meets, in the shape of its service; None if it gets through."""
        if not self.rough:
            return None
        names = [name for operation, name in self._to_come if operation == call.operation and _is_named(name, call)]
        refusal = next((found for name in names if (found := self._take(call.operation, name))), None)
        return _answer(call.service, refusal, names[0]) if refusal else None

    def meets(self, operation: str, name: str) -> bool:
        """Whether something that is no call of AWS's API fails because a thing has not spread yet."""
        return self.rough and self._take(operation, name) is not None

    def before(self, call: _Call) -> Mapping[str, dict[str, str]]:
        """Return the tags of what a deletion may take away."""
        return self.tagged(call.region) if call.operation.startswith("Delete") and self.rough else {}

    def after(self, call: _Call, before: Mapping[str, dict[str, str]]) -> None:
        """Take note of a call that succeeded; `before` is what `before` returned ahead of it."""
        if not self.rough:
            return
        for rule in RULES:
            if rule.after == call.operation:
                for operation in rule.calls:
                    self._to_come[operation, rule.thing(call)] = list(rule.refusals)
        if before:
            there = self.tagged(call.region)
            gone = {arn: tags for arn, tags in before.items() if arn not in there}
            self._ghosts.setdefault(call.region, {}).update(gone)

    def ghosts(self, region: str) -> Mapping[str, dict[str, str]]:
        """Return the tags, by ARN, of what is gone and listed still."""
        return self._ghosts.get(region, {}) if self.rough else {}

    def _take(self, operation: str, name: str) -> Refusal | None:
        waiting = self._to_come.get((operation, name))
        return waiting.pop(0) if waiting else None


def _is_named(name: str, call: _Call) -> bool:
    """Whether a call names a thing: in its path or in its body, and not as the beginning of a longer name."""
    text = f"{call.request.target} {unquote_plus(call.request.get_data(as_text=True))}"
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text) is not None


def _answer(service: str, refusal: Refusal, name: str) -> Response:
    message = refusal.message.format(name)
    if service == "s3":
        return s3_error(refusal.code, message, refusal.status)
    if service == "iam":
        return query_error(refusal.code, message, refusal.status)
    if service in ("sagemaker", "logs", "application-autoscaling", "wafv2"):
        return json_rpc_error(refusal.code, message, refusal.status)
    return rest_error(refusal.code, message, refusal.status)
