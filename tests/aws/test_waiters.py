"""Waiting with patience and with an end."""

import pytest
from botocore.exceptions import ClientError

from sentictl.aws.waiters import once_not_throttled, once_role_is_known, poll
from sentictl.errors import AwsError


def refusal(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "CreateFunction")


def test_polling_ends_with_the_value_that_is_done_and_slows_down() -> None:
    answers = iter(["a", "b", "c", "done"])
    pauses: list[float] = []
    found = poll(
        lambda: next(answers), lambda v: v == "done", what="x", timeout=9, interval=1, longest=2, sleep=pauses.append
    )
    assert found == "done"
    assert pauses == [1, 1.5, 2]


def test_polling_gives_up_and_names_what_it_waited_for() -> None:
    with pytest.raises(AwsError, match="The endpoint x is not ready"):
        poll(lambda: 1, lambda _: False, what="The endpoint x", timeout=-1, sleep=lambda _: None)


@pytest.mark.parametrize(
    "message",
    [
        "The role defined for the function cannot be assumed by Lambda.",
        "Could not assume role arn:aws:iam::1:role/x. Please ensure that the role exists",
        "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
    ],
)
def test_a_role_that_is_not_known_yet_is_waited_for(message: str) -> None:
    outcomes: list[object] = [
        refusal("InvalidParameterValueException", message),
        refusal("ValidationException", message),
    ]

    def call() -> str:
        if outcomes:
            raise outcomes.pop()  # type: ignore[misc]  # all are exceptions
        return "made"

    assert once_role_is_known(call, sleep=lambda _: None) == "made"


@pytest.mark.parametrize("code", ["AccessDenied", "ValidationException"])
def test_any_other_refusal_is_not_waited_for(code: str) -> None:
    def call() -> None:
        raise refusal(code, "1 validation error detected")

    with pytest.raises(ClientError, match="validation error"):
        once_role_is_known(call, sleep=lambda _: pytest.fail("waited"))


def test_a_role_that_never_becomes_known_ends_the_waiting() -> None:
    def call() -> None:
        raise refusal("ValidationException", "Could not assume role x")

    with pytest.raises(ClientError, match="assume role"):
        once_role_is_known(call, timeout=-1, sleep=lambda _: None)


def test_what_is_throttled_is_tried_again_and_nothing_else_is() -> None:
    outcomes: list[object] = [refusal("AccessDenied", "no"), refusal("TooManyRequestsException", "slow down")]

    def call() -> None:
        raise outcomes.pop()  # type: ignore[misc]  # all are exceptions

    with pytest.raises(ClientError, match="AccessDenied"):
        once_not_throttled(call, sleep=lambda _: None)
    assert outcomes == []
