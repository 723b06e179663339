"""Refusals that AWS takes back by itself: calls of a real client, to which AWS's answers are given."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from sentictl.aws.environment import Environment
from sentictl.aws.errors import translate
from sentictl.aws.refusals import REFUSALS, Patience

ROLE = "arn:aws:iam::123456789012:role/films-local-sagemaker"
# As AWS words them, and the operation that they are about.
AT_FIRST = [
    (
        "CreateTrainingJob",
        "ValidationException",
        'No S3 objects found under S3 URL "s3://films/train/" given in input data source. Please ensure that the '
        'bucket exists in the selected region (eu-west-1), that objects exist under that S3 prefix, and that the role "'
        + ROLE
        + '" has "s3:ListBucket" permissions on bucket "films". Error message from S3: Access Denied',
    ),
    (
        "CreateTrainingJob",
        "ValidationException",
        f"Could not assume role {ROLE}. Please ensure that the role exists and allows principal "
        "'sagemaker.amazonaws.com' to assume the role.",
    ),
    (
        "CreateModel",
        "ValidationException",
        f'Could not access model data at s3://films/model.tar.gz. Please ensure that the role "{ROLE}" exists and that '
        'its trust relationship policy allows the action "sts:AssumeRole" for the service "sagemaker.amazonaws.com".',
    ),
    (
        "CreateFunction",
        "InvalidParameterValueException",
        "The role defined for the function cannot be assumed by Lambda.",
    ),
    (
        "CreateFunction",
        "InvalidParameterValueException",
        "Lambda was unable to configure access to your environment variables because the KMS key is invalid for "
        "CreateGrant. Please check your KMS key settings. KMS Exception: InvalidArnException KMS Message: ARN does not "
        f"refer to a valid principal: {ROLE}",
    ),
    (
        "CreateSchedule",
        "ValidationException",
        "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
    ),
    ("PutRolePolicy", "NoSuchEntity", "The role with name films-local-sagemaker cannot be found."),
    ("DeleteRole", "DeleteConflict", "Cannot delete entity, must delete policies first."),
    (
        "CreateEndpoint",
        "ValidationException",
        'Could not find endpoint configuration "arn:aws:sagemaker:x:1:endpoint-config/a".',
    ),
    (
        "UpdateFunctionConfiguration",
        "ResourceConflictException",
        "The operation cannot be performed at this time. An update is in progress for resource: arn:a",
    ),
    (
        "AddPermission",
        "ResourceConflictException",
        "The operation cannot be performed at this time. The function is currently in the following state: Pending",
    ),
    (
        "CreateBucket",
        "OperationAborted",
        "A conflicting conditional operation is currently in progress against this resource. Please try again.",
    ),
    ("PutBucketPolicy", "AccessDenied", "Access Denied"),
    (
        "PutBucketPolicy",
        "AccessDenied",
        'User: arn:aws:iam::1:user/a is not authorized to perform: s3:PutBucketPolicy on resource: "films" '
        "because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
    ),
    ("PutPublicAccessBlock", "NoSuchBucket", "The specified bucket does not exist"),
    ("DeleteRestApi", "TooManyRequestsException", "Too Many Requests"),
    (
        "PutMethod",
        "ConflictException",
        "Unable to complete operation due to concurrent modification. Please try again later.",
    ),
]
FOR_GOOD = [
    ("CreateTrainingJob", "ValidationException", "1 validation error detected: Value at 'trainingJobName' failed"),
    ("CreateTrainingJob", "ResourceLimitExceeded", "The account-level service limit is 0 Instances"),
    ("CreateFunction", "ResourceConflictException", "Function already exist: films-local-predict"),
    ("AddPermission", "ResourceConflictException", "The statement id (films) provided already exists."),
    ("CreateModel", "AccessDeniedException", "User is not authorized to perform: sagemaker:CreateModel"),
    ("CreateBucket", "BucketAlreadyExists", "The requested bucket name is not available."),
    (
        "PutBucketPolicy",
        "AccessDenied",
        'User: arn:aws:iam::1:user/a is not authorized to perform: s3:PutBucketPolicy on resource: "films" '
        "because no identity-based policy allows the s3:PutBucketPolicy action",
    ),
    ("GetRole", "NoSuchEntity", "The role with name films-local-sagemaker cannot be found."),
    ("PutMethod", "ConflictException", "Method already exists for this resource"),
]


class Clock:
    """Seconds that pass only when something waits in this thread; the threads of a twin of another test wait really."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self._thread = threading.get_ident()
        self._sleep = time.sleep

    def read(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        if threading.get_ident() != self._thread:
            self._sleep(seconds)
            return
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("time.sleep", clock.wait)
    return clock


@pytest.fixture
def attempts(clock: Clock) -> Any:
    """Calls IAM's DeleteRole, whose refusals are given; returns how often it was sent."""
    environment = Environment("prod", "eu-west-1", endpoint="http://127.0.0.1:9")
    client = environment.session.client("iam", endpoint_url="http://127.0.0.1:9")
    noted: list[tuple[str, str]] = []
    Patience(lambda *told: noted.append(told), clock.read).attach(client)

    def call(refusals: list[tuple[str, str]], *, last: int = 200) -> list[tuple[str, str]]:
        given = iter(refusals)

        def answer(request: Any, **_: Any) -> AWSResponse:
            code, message = next(given, ("", ""))
            body = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
            done = "<DeleteRoleResponse><ResponseMetadata/></DeleteRoleResponse>"
            return AWSResponse(request.url, 409 if code else last, {}, _Raw((body if code else done).encode()))

        client.meta.events.register("before-send", answer)
        client.delete_role(RoleName="films-local-sagemaker")
        return noted

    return call


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._body


CONFLICT = ("DeleteConflict", "Cannot delete entity, must delete policies first.")


def test_a_call_is_made_again_until_aws_takes_it(attempts: Any, clock: Clock) -> None:
    noted = attempts([CONFLICT, CONFLICT, CONFLICT])
    assert [operation for operation, _ in noted] == ["DeleteRole"] * 3
    assert clock.pauses == [0.5, 0.75, 1.125]


def test_a_refusal_that_lasts_is_told_with_what_it_must_be(attempts: Any, clock: Clock) -> None:
    with pytest.raises(ClientError) as caught:
        attempts([CONFLICT] * 100)
    assert 60 < clock.now < 70
    told = translate(caught.value)
    assert told is not None
    assert "still refuses DeleteRole after 60 s (DeleteConflict" in told.message
    assert "Detach it" in told.hint


def test_any_other_refusal_is_told_at_once(attempts: Any, clock: Clock) -> None:
    with pytest.raises(ClientError, match="UnmodifiableEntity"):
        attempts([("UnmodifiableEntity", "Cannot perform the operation on the protected role")])
    assert clock.pauses == []


@pytest.mark.parametrize(("operation", "code", "message"), AT_FIRST)
def test_what_aws_refuses_at_first_is_asked_again(operation: str, code: str, message: str) -> None:
    assert pause(operation, code, message) == 0.5


@pytest.mark.parametrize(("operation", "code", "message"), FOR_GOOD)
def test_what_aws_refuses_for_good_is_not(operation: str, code: str, message: str) -> None:
    assert pause(operation, code, message) is None


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.reason)
def test_every_refusal_that_lasts_has_a_next_step(refusal: Any) -> None:
    fault, hint = refusal.lasting
    assert fault.endswith(".")
    assert hint
    assert refusal.seconds >= 30


def pause(operation: str, code: str, message: str) -> float | None:
    class Model:
        name = operation

    answer: Any = ({}, {"Error": {"Code": code, "Message": message}})
    return Patience().pause(answer, Model, {"context": {}})
