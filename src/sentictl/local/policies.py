"""Who may do what: the parts of IAM's evaluation that the data plane asks for."""

import json
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any


def document(policy: str | bytes | dict[str, Any]) -> dict[str, Any]:
    """A policy as a dict."""
    parsed: dict[str, Any] = policy if isinstance(policy, dict) else json.loads(policy)
    return parsed


def allows(policies: Sequence[Mapping[str, Any]], action: str, resource: str) -> bool:
    """IAM's evaluation for one identity: an explicit Deny wins, and without an Allow there is none."""
    statements = [statement for policy in policies for statement in _as_list(policy.get("Statement"))]
    hits = [s for s in statements if _matches(action, s.get("Action")) and _matches(resource, s.get("Resource"))]
    effects = {statement.get("Effect") for statement in hits}
    return "Allow" in effects and "Deny" not in effects


def public_part(policy: Mapping[str, Any]) -> dict[str, Any]:
    """The statements of a resource policy that are about everybody."""
    statements = [
        s for s in _as_list(policy.get("Statement")) if s.get("Principal") in ("*", {"AWS": "*"}, {"AWS": ["*"]})
    ]
    return {"Statement": statements}


def lets_gateway_in(statement: Mapping[str, Any], source: str) -> bool:
    """Whether a statement of a function's resource policy lets API Gateway invoke it on behalf of `source` (an ARN)."""
    principal = statement.get("Principal")
    services = _as_list(principal.get("Service")) if isinstance(principal, dict) else [principal]
    if not {"apigateway.amazonaws.com", "*"} & set(services):
        return False
    if statement.get("Effect") != "Allow" or not _matches("lambda:InvokeFunction", statement.get("Action")):
        return False
    conditions = (statement.get("Condition") or {}).values()
    patterns = [value for operator in conditions for key, value in operator.items() if key.lower() == "aws:sourcearn"]
    return not patterns or any(_matches(source, pattern) for pattern in patterns)


def _matches(value: str, patterns: Any) -> bool:
    # IAM knows * and ?, and no brackets.
    return any(fnmatchcase(value.lower(), str(p).lower().replace("[", "[[]")) for p in _as_list(patterns))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
