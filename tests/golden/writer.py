"""Requests as text that is the same in every run: what differs by chance is replaced by a name."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from tests.golden.requests import Request

ACCOUNT = "123456789012"  # the twin's
# Ids that AWS gives, by the parameters that carry them.
IDS = {
    "restApiId": "api",
    "resourceId": "resource",
    "deploymentId": "deployment",
    "usagePlanId": "plan",
    "keyId": "key",
    "authorizerId": "authorizer",
    "UserPoolId": "pool",
    "ClientId": "client",
    "LockToken": "lock",
    "Id": "acl",
}
# Where a list goes on: how many pages there are is chance.
PAGES = {"nextToken", "NextToken", "position", "Marker", "ContinuationToken", "KeyMarker", "VersionIdMarker"}
# Registries have account numbers, which are no digests.
DIGEST = re.compile(rf"\b(?!{ACCOUNT}\b|\d{{12}}(?:\.dkr|:repository)\b)[0-9a-f]{{12,64}}\b")
BY_CHANCE = {"TemporaryPassword": "<password>"}  # what is made up anew in each run
BY_NAME = {"Objects"}  # lists in the order of names that digests are part of
WIDTH, INDENT = 110, 2
CHANCE = {
    r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b": "<uuid>",
    r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?": "<time>",
    r"(?<=/i-)[0-9a-f]{16}-\d+": "<machine>",  # in a transform job's log stream
    r"(?<=/algo-\d-)\d+": "<time>",  # the end of a training job's log stream
    r"(?<=-local-)[0-9a-f]{8}\b": "<search>",  # a tuning job, which has a shorter digest
    r"(?<=-\d{3}-)[0-9a-f]{8}\b": "<trial>",
    r"\bhttp://127\.0\.0\.1:\d+": "<twin>",
}


class Writer:
    """Writes requests as text. Digests and ids are numbered as they appear, over everything that one writer writes."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def write(self, requests: Iterable[Request]) -> str:
        """One block for each request, in order.

        Of equal requests that only ask, with no change between them, the first is written: the rest is waiting.
        """
        blocks: list[str] = []
        asked: set[str] = set()
        for request in requests:
            block = f"{request.service} {request.operation} {_laid_out(self._named(request.parameters))}\n"
            if not request.reads:
                asked.clear()
            elif block in asked:
                continue
            asked.add(block)
            blocks.append(block)
        return "\n".join(blocks)

    def _named(self, value: Any, key: str = "") -> Any:
        if isinstance(value, Mapping):
            return {name: self._named(value[name], name) for name in sorted(value) if name not in PAGES}
        if isinstance(value, list):
            named = [self._named(member, key) for member in value]
            return sorted(named, key=str) if key in BY_NAME else named
        if isinstance(value, str):
            return self._named_text(value, key)
        return value if isinstance(value, bool | int | float) else f"<{_kind(value)}>"

    def _named_text(self, text: str, key: str) -> Any:
        document = _document(text)
        if document is not None:
            return {"(JSON)": self._named(document)}
        if key in BY_CHANCE:
            return BY_CHANCE[key]
        if key in IDS:
            self._names.setdefault(text, f"<{IDS[key]} {self._count(IDS[key])}>")
        for pattern, name in CHANCE.items():
            text = re.sub(pattern, name, text)
        for chance, name in self._names.items():
            text = text.replace(chance, name)
        return DIGEST.sub(self._digest, text)

    def _digest(self, match: re.Match[str]) -> str:
        return self._names.setdefault(match[0], f"<digest {self._count('digest')}>")

    def _count(self, kind: str) -> int:
        return 1 + sum(name.startswith(f"<{kind} ") for name in self._names.values())


def _document(text: str) -> Any:
    """What a text says that is a JSON object, such as a policy; None for any other text."""
    try:
        return json.loads(text) if text.startswith("{") else None
    except ValueError:  # a template of one
        return None


def _laid_out(value: Any, indent: int = 0) -> str:
    """As JSON, on one line where it fits."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or indent + len(flat) <= WIDTH:
        return flat
    inner = indent + INDENT
    if isinstance(value, dict):
        members = [f"{json.dumps(key)}: {_laid_out(member, inner)}" for key, member in value.items()]
    else:
        members = [_laid_out(member, inner) for member in value]
    separator = ",\n" + " " * inner
    return f"{flat[0]}\n{' ' * inner}{separator.join(members)}\n{' ' * indent}{flat[-1]}"


def _kind(value: Any) -> str:
    return "bytes" if isinstance(value, bytes) or hasattr(value, "read") else type(value).__name__
