"""Policy documents as IAM takes them: everything said once, and none longer than a policy may be."""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

# "IAM and AWS STS quotas" in the IAM User Guide, which counts the characters of a policy without white space.
LONGEST_MANAGED = 6_144  # of one managed policy, of which a user or a role takes ten
LONGEST_INLINE = 10_240  # of all inline policies of a role together

Statement = dict[str, Any]


def document(statements: Iterable[Statement]) -> dict[str, Any]:
    """Make a policy document of statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def length(policy: Mapping[str, Any]) -> int:
    """Count the characters of a policy document as IAM counts them."""
    return len(json.dumps(policy, separators=(",", ":")))


def listed(value: str | Sequence[str]) -> Sequence[str]:
    """Return the actions or ARNs of a statement, of which a single one can stand without a list."""
    return [value] if isinstance(value, str) else value


def together(*policies: Mapping[str, Any]) -> dict[str, Any]:
    """Join policies that only allow to one, as short as can be: each ARN is named once, with all that is allowed on it.

    ARNs are far longer than actions. Statements are in the order of their services, so that `in_parts` keeps what is of
    one service together, with those of several services first.
    """
    allowed: dict[str, dict[str, set[str]]] = {}  # the actions, by condition and ARN
    for statement in (each for policy in policies for each in policy["Statement"]):
        on = allowed.setdefault(json.dumps(statement.get("Condition", {}), sort_keys=True), {})
        for arn in listed(statement["Resource"]):
            on.setdefault(arn, set()).update(listed(statement["Action"]))
    statements = [each for condition, on in allowed.items() for each in _statements(on, json.loads(condition))]
    return document(sorted(statements, key=_service))


def in_parts(policy: Mapping[str, Any], longest: int = LONGEST_MANAGED) -> list[dict[str, Any]]:
    """Part a policy into documents that together allow the same, each no longer than it may be.

    What is of one service stands in one document, unless that alone is too much for one.

    Args:
        policy: as `together` makes it.
        longest: characters of a document, without white space.
    """
    parts: list[list[Statement]] = [[]]
    for _, group in groupby(policy["Statement"], _service):
        statements = list(group)
        whole = length(document(statements)) <= longest
        for piece in [statements] if whole else [[cut] for each in statements for cut in _cut(each, longest)]:
            if length(document([*parts[-1], *piece])) > longest:
                parts.append([])
            parts[-1] += piece
    return [document(part) for part in parts]


def _statements(on: Mapping[str, set[str]], condition: Mapping[str, Any]) -> list[Statement]:
    """Make a statement of all ARNs on which the same is allowed."""
    scopes: dict[tuple[str, ...], list[str]] = {}
    for arn, actions in on.items():
        scopes.setdefault(tuple(sorted(actions)), []).append(arn)
    where = {"Condition": condition} if condition else {}
    return [{"Effect": "Allow", "Action": list(names), "Resource": arns, **where} for names, arns in scopes.items()]


def _service(statement: Statement) -> str:
    """Return the service that a statement is about; "" where it is about several."""
    services = {action.partition(":")[0] for action in statement["Action"]}
    return services.pop() if len(services) == 1 else ""


def _cut(statement: Statement, longest: int) -> list[Statement]:
    """Part a statement into ones that are short enough, by its ARNs or, where it has but one, by its actions."""
    if length(document([statement])) <= longest:
        return [statement]
    by = max(("Resource", "Action"), key=lambda name: len(statement[name]) > 1)
    half = len(statement[by]) // 2
    return [
        each
        for members in (statement[by][:half], statement[by][half:])
        for each in _cut({**statement, by: members}, longest)
    ]
