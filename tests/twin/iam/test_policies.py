"""IAM's evaluation, as far as the twin knows it."""

from typing import Any

import pytest

from sentictl.twin.iam.policies import decide, lets_in

KEY = "cloudwatch:namespace"


def statement(effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "s3:Get*", "Resource": "arn:aws:s3:::mine/*", **more}


def decision(*statements: dict[str, Any], resource: str = "arn:aws:s3:::mine/a", **context: str) -> str:
    return decide(
        [{"Statement": list(statements)}], "s3:GetObject", resource, {KEY: context["value"]} if context else {}
    )


def test_nothing_is_allowed_that_no_statement_allows() -> None:
    assert decision() == "implicitDeny"
    assert decision(statement()) == "allowed"
    assert decision(statement(), resource="arn:aws:s3:::other/a") == "implicitDeny"
    assert decision({"Effect": "Allow", "NotAction": "s3:Put*", "Resource": "*"}) == "implicitDeny"
    assert decide([{"Statement": statement()}], "S3:getobject", "arn:aws:s3:::mine/a") == "allowed"


def test_a_deny_wins() -> None:
    assert decision(statement(), statement("Deny")) == "explicitDeny"
    assert decision(statement("Deny"), statement()) == "explicitDeny"


@pytest.mark.parametrize(
    ("operator", "wanted", "value", "met"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", ["b", "a"], "a", True),
        ("StringEquals", "A", "a", False),
        ("StringEquals", "a*", "ab", False),
        ("StringLike", "a*", "ab", True),
        ("StringLike", "[ab]", "a", False),
        ("StringLike", "a?", "a", False),
        ("ArnLike", "arn:aws:s3:::*", "arn:aws:s3:::x", True),
    ],
)
def test_conditions(operator: str, wanted: Any, value: str, met: bool) -> None:
    condition = {operator: {KEY.upper(): wanted}}
    assert decision(statement(Condition=condition), value=value) == ("allowed" if met else "implicitDeny")
    denied = decision(statement(), statement("Deny", Condition=condition), value=value)
    assert denied == ("explicitDeny" if met else "allowed")


def test_a_condition_on_what_is_not_told_is_not_met() -> None:
    assert decision(statement(Condition={"StringEquals": {"aws:Other": "a"}}), value="a") == "implicitDeny"


def test_conditions_that_are_not_known_allow_nothing() -> None:
    condition = {"IpAddress": {KEY: "10.0.0.0/8"}}
    assert decision(statement(Condition=condition), value="10.0.0.1") == "implicitDeny"
    assert decision(statement(), statement("Deny", Condition=condition), value="10.0.0.1") == "explicitDeny"


def test_who_is_let_in() -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": ["a.amazonaws.com"]}, "Action": "sts:AssumeRole"}
    mine = {"aws:SourceAccount": "1"}
    assert lets_in(trust, "a.amazonaws.com", "sts:AssumeRole", {})
    assert not lets_in(trust, "b.amazonaws.com", "sts:AssumeRole", {})
    assert not lets_in(trust, "a.amazonaws.com", "lambda:InvokeFunction", {})
    guarded = trust | {"Condition": {"StringEquals": mine}}
    assert lets_in(guarded, "a.amazonaws.com", "sts:AssumeRole", mine)
    assert not lets_in(guarded, "a.amazonaws.com", "sts:AssumeRole", {"aws:SourceAccount": "2"})
