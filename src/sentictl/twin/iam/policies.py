"""Who may do what: the parts of IAM's evaluation that the twin asks for."""

import json
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

# Condition operators, and whether * and ? are wildcards in them. A condition of any other operator is unknown.
OPERATORS = {
    "stringequals": False,
    "stringlike": True,
    "arnequals": True,
    "arnlike": True,
}


def document(policy: str | bytes | dict[str, Any]) -> dict[str, Any]:
    """Return a policy as a dict, which others may have as well."""
    return policy if isinstance(policy, dict) else _parsed(policy)


@lru_cache
def _parsed(policy: str | bytes) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(policy)
    return parsed


def is_document(text: str | bytes) -> bool:
    """Return whether a text is a policy: JSON, with statements that are objects."""
    try:
        policy = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(policy, dict) and all(isinstance(statement, dict) for statement in statements(policy))


def decide(
    policies: Iterable[Mapping[str, Any]], action: str, resource: str, context: Mapping[str, str] | None = None
) -> str:
    """Return IAM's decision for one identity: an explicit Deny wins, and what no Allow covers is denied.

    Args:
        policies: identity policies. Statements with `NotAction` or `NotResource` allow nothing here.
        action: such as `s3:GetObject`.
        resource: the ARN it is about.
        context: the request's condition keys, such as `s3:prefix`.

    Returns:
        `allowed`, `explicitDeny` or `implicitDeny`.
    """
    about = [
        statement
        for policy in policies
        for statement in statements(policy)
        if _matches(action, statement.get("Action")) and _matches(resource, statement.get("Resource"))
    ]
    met = [(statement.get("Effect"), _meets(statement, context or {})) for statement in about]
    if any(effect == "Deny" and holds is not False for effect, holds in met):
        return "explicitDeny"
    return "allowed" if any(effect == "Allow" and holds for effect, holds in met) else "implicitDeny"


def lets_in(statement: Mapping[str, Any], service: str, action: str, context: Mapping[str, str]) -> bool:
    """Return whether a statement of a resource or trust policy lets an AWS service do something.

    Args:
        statement: with a `Principal`.
        service: such as `apigateway.amazonaws.com`.
        action: such as `lambda:InvokeFunction` or `sts:AssumeRole`.
        context: the request's condition keys, such as `aws:SourceArn`.
    """
    principal = statement.get("Principal")
    services = _as_list(principal.get("Service")) if isinstance(principal, dict) else [principal]
    if not {service, "*"} & set(services):
        return False
    allowed = statement.get("Effect") == "Allow" and _matches(action, statement.get("Action"))
    return allowed and _meets(statement, context) is True


def statements(policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a policy's statements as a list, even if it has a single one without a list."""
    return _as_list(policy.get("Statement"))


def public_part(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Return a policy of those statements of a resource policy that are about everybody."""
    everybody = ("*", {"AWS": "*"}, {"AWS": ["*"]})
    return {"Statement": [s for s in statements(policy) if s.get("Principal") in everybody]}


def _meets(statement: Mapping[str, Any], context: Mapping[str, str]) -> bool | None:
    """Whether a request meets a statement's conditions; None where one of them is not known here."""
    given = {key.lower(): value for key, value in context.items()}
    met: bool | None = True
    for operator, keys in (statement.get("Condition") or {}).items():
        if operator.lower() not in OPERATORS:
            met = None
            continue
        like = OPERATORS[operator.lower()]
        if not all(key.lower() in given and _has(given[key.lower()], wanted, like) for key, wanted in keys.items()):
            return False
    return met


def _has(value: str, wanted: Any, like: bool) -> bool:
    patterns = [str(pattern) for pattern in _as_list(wanted)]
    return any(fnmatchcase(value, _literal_brackets(p)) if like else value == p for p in patterns)


def _matches(value: str, patterns: Any) -> bool:
    return any(_covers(str(pattern), value) for pattern in _as_list(patterns))


@lru_cache(maxsize=1024)
def _covers(pattern: str, value: str) -> bool:
    return fnmatchcase(value.lower(), _literal_brackets(pattern.lower()))


def _literal_brackets(pattern: str) -> str:
    """IAM knows * and ?, and no brackets."""
    return pattern.replace("[", "[[]")


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
