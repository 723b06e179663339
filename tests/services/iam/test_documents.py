"""Policies joined and parted: what they allow stays the same, and none is longer than it may be."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentictl.services.iam.documents import document, in_parts, length, together

ACTIONS = st.sampled_from(
    [f"{service}:{verb}Thing" for service in ("s3", "iam", "logs") for verb in ("Get", "Put", "")]
)
ARNS = st.sampled_from(["*", *(f"arn:aws:s3:::{'f' * size}" for size in range(1, 40, 3))])
CONDITIONS = st.sampled_from([{}, {"StringEquals": {"iam:PassedToService": ["lambda.amazonaws.com"]}}])
STATEMENTS = st.builds(
    lambda actions, arns, where: {
        "Effect": "Allow",
        "Action": sorted(actions),
        "Resource": sorted(arns),
        **({"Condition": where} if where else {}),
    },
    st.sets(ACTIONS, min_size=1),
    st.sets(ARNS, min_size=1),
    CONDITIONS,
)
POLICIES = st.lists(STATEMENTS, min_size=1, max_size=12).map(document)


def allowed(*policies: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {
        (action, arn, str(statement.get("Condition")))
        for policy in policies
        for statement in policy["Statement"]
        for action in statement["Action"]
        for arn in statement["Resource"]
    }


@given(POLICIES, POLICIES)
def test_joined_they_allow_the_same_and_name_each_arn_once(one: dict[str, Any], other: dict[str, Any]) -> None:
    joined = together(one, other)
    assert allowed(joined) == allowed(one, other)
    named = [(arn, str(each.get("Condition"))) for each in joined["Statement"] for arn in each["Resource"]]
    assert len(named) == len(set(named))
    assert together(joined) == joined


@given(POLICIES, st.integers(min_value=320, max_value=2_000))
def test_parted_they_allow_the_same_and_each_is_short_enough(policy: dict[str, Any], longest: int) -> None:
    joined = together(policy)
    parts = in_parts(joined, longest)
    assert allowed(*parts) == allowed(policy)
    assert [length(part) for part in parts if length(part) > longest] == []
    assert [part for part in parts if not part["Statement"]] == []


def test_what_fits_stays_whole() -> None:
    policy = together(document([{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["*"]}]))
    assert in_parts(policy) == [policy]


@pytest.mark.parametrize("longest", [250, 400])
def test_what_is_of_one_service_stays_together_where_it_fits(longest: int) -> None:
    policy = together(
        document(
            {"Effect": "Allow", "Action": [f"{service}:{verb}"], "Resource": [f"arn:aws:{service}:::{verb}"]}
            for service in ("s3", "logs")
            for verb in ("Get", "Put")
        )
    )
    services = [
        {action[:2] for each in part["Statement"] for action in each["Action"]} for part in in_parts(policy, longest)
    ]
    assert services == ([{"lo"}, {"s3"}] if longest == 250 else [{"lo", "s3"}])
