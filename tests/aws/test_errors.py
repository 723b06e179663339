"""AWS's refusals in a person's words."""

import pytest
from boto3.exceptions import S3UploadFailedError
from botocore import exceptions

from sentictl.aws.errors import translate
from sentictl.errors import AccessError, AwsError


@pytest.mark.parametrize(
    ("code", "kind", "exit_code", "words"),
    [
        ("ExpiredToken", AccessError, 4, "expired"),
        ("InvalidClientTokenId", AccessError, 4, "does not know these credentials"),
        ("AccessDeniedException", AccessError, 4, "does not allow CreateEndpoint"),
        ("403", AccessError, 4, "does not allow"),
        ("400", AccessError, 4, "expired"),
        ("ResourceLimitExceeded", AwsError, 1, "quota"),
        ("ThrottlingException", AwsError, 1, "throttling"),
        ("SomethingNew", AwsError, 1, "SomethingNew"),
    ],
)
def test_a_refusal_says_what_happened_and_what_to_do(
    code: str, kind: type[AwsError], exit_code: int, words: str
) -> None:
    error = translate(exceptions.ClientError({"Error": {"Code": code, "Message": "why"}}, "CreateEndpoint"))
    assert isinstance(error, kind)
    assert error.exit_code == exit_code
    assert words in error.message
    assert error.hint


@pytest.mark.parametrize(
    ("problem", "exit_code"),
    [
        (exceptions.NoCredentialsError(), 4),
        (exceptions.ProfileNotFound(profile="work"), 4),
        (exceptions.EndpointConnectionError(endpoint_url="https://x"), 1),
        (exceptions.ReadTimeoutError(endpoint_url="https://x"), 1),
    ],
)
def test_what_never_reached_aws_is_translated_too(problem: Exception, exit_code: int) -> None:
    error = translate(problem)
    assert error is not None
    assert error.exit_code == exit_code


@pytest.mark.parametrize(
    ("address", "starts"), [("http://127.0.0.1:4566", True), ("https://sagemaker.eu-west-1.amazonaws.com", False)]
)
def test_a_twin_is_only_to_be_started_where_one_could_have_answered(address: str, starts: bool) -> None:
    error = translate(exceptions.EndpointConnectionError(endpoint_url=address))
    assert error is not None
    assert ("sentictl local start" in error.hint) is starts


def test_an_upload_that_failed_says_what_it_failed_of() -> None:
    refusal = exceptions.ClientError({"Error": {"Code": "ExpiredToken", "Message": "why"}}, "PutObject")
    failure = S3UploadFailedError(f"Failed to upload: {refusal}")
    failure.__context__ = refusal  # as it is when raised while the refusal is being handled
    error = translate(failure)
    assert isinstance(error, AccessError)
    assert "expired" in error.message


def test_what_is_not_aws_is_left_alone() -> None:
    assert translate(ValueError("x")) is None
