"""The keys with which callers ask an API that takes one: made and revoked one by one, and deleted with the project.

AWS makes their values. sentictl hands a value on once, when the key is made, and keeps it nowhere.
"""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.aws.redaction import remember
from sentictl.config.state import Record
from sentictl.errors import UsageError
from sentictl.lifecycle.resource import Actions, Context, LiveResource, Resource

COMMAND = "keys create"
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class ApiKey(Resource):
    """A key of the API, under the name that a person gave it.

    Args:
        context: the project and environment.
        label: that name; empty for what is asked of all keys.

    Attributes:
        value: the key itself, once it is made; it is never read again.
    """

    kind = "api-key"
    command = COMMAND
    optional = True
    face = True
    keeps_versions = True  # one key does not take the place of another
    on_request = True
    in_template = False  # a template would tell the value to whoever reads it
    healthy = frozenset({"Active", "Disabled"})
    tells_state = True
    actions = Actions(read="apigateway:GET", create="apigateway:POST", delete="apigateway:DELETE")

    def __init__(self, context: Context, label: str = "") -> None:
        super().__init__(context)
        self._label = label
        self.value = ""

    @property
    def name(self) -> str:
        return f"{self._prefix}{self._label}"

    @property
    def wanted(self) -> bool:
        asked_for = self.context.settings.api.auth == "key" or self.context.state.of_kind(self.kind)
        return bool(self._label or asked_for)

    def label_of(self, name: str) -> str:
        """Return what people call a key, given its name on AWS."""
        return name.removeprefix(self._prefix)

    def read(self, name: str) -> LiveResource | None:
        found = self.listed(name)
        return _live(self.context, found[-1]) if found else None

    def found(self, known: Container[str] = ()) -> Iterable[tuple[str, LiveResource]]:
        every = {key["name"]: key for key in self.listed()} if self.wanted else {}
        yield from ((name, _live(self.context, key)) for name, key in every.items() if name not in known)

    def listed(self, name: str = "") -> list[dict[str, Any]]:
        """Return the project's keys as AWS tells them, without their values, oldest first.

        Args:
            name: of those that are meant; by default all. Names are not unique.
        """
        wanted = {"nameQuery": name} if name else {}
        pages = self._client.get_paginator("get_api_keys").paginate(includeValues=False, **wanted)
        every = [key for page in pages for key in page["items"] if key["name"].startswith(self._prefix)]
        mine = [key for key in every if name in ("", key["name"]) and self.context.owns(key.get("tags") or {})]
        return sorted(mine, key=lambda key: key["createdDate"])

    def tags(self, name: str) -> Mapping[str, str]:
        found = self.listed(name)
        return dict(found[-1].get("tags") or {}) if found else {}

    def tag(self, name: str) -> None:
        for key in self.listed(name):
            self._client.tag_resource(resourceArn=_arn(self.context, key["id"]), tags=self.context.naming.tags)

    def is_gone(self, arn: str) -> bool:
        found = re.search(r"/apikeys/(\w+)", arn)  # its ARN has the id, and not the name
        return found is not None and if_there(self._client.get_api_key, apiKey=found[1]) is None

    def create(self) -> None:
        """Make it. One of that name that nobody knows, since the answer to a first call was lost, goes."""
        made = self._client.create_api_key(
            name=self.name,
            description=f"Made by sentictl for the project {self.context.settings.project.name}",
            enabled=True,
            tags=self.context.naming.tags,
        )
        self.value = made["value"]
        remember(self.value)
        for other in self.listed(self.name):
            if other["id"] != made["id"]:
                if_there(self._client.delete_api_key, apiKey=other["id"])

    def delete(self, record: Record) -> None:
        for key in self.listed(record.name):
            if_there(self._client.delete_api_key, apiKey=key["id"])

    def facts(self, record: Record) -> Sequence[str]:
        recorded = self.context.state.of_kind(self.kind)
        return [self.label_of(each.name) for each in recorded or [record]]

    def scope(self, action: str) -> list[str]:
        """Name all keys: their ids are API Gateway's own, as those of APIs are."""
        arns = map(self.context.environment.api_gateway_arn, ("/apikeys", "/apikeys/*"))
        return list(arns) if action.startswith("apigateway:") else []

    @property
    def _prefix(self) -> str:
        return self.context.naming.name("key", "")

    @property
    def _client(self) -> Any:
        return self.context.environment.client("apigateway")


def check_label(label: str) -> None:
    """Refuse what cannot be a key's name.

    Raises:
        UsageError: it cannot.
    """
    if not LABEL.fullmatch(label):
        raise UsageError(
            f"{label!r} cannot be a key's name.",
            "1 to 64 letters, digits, - and _, a letter or digit first: sentictl keys create alice",
        )


def _live(context: Context, key: Mapping[str, Any]) -> LiveResource:
    status = "Active" if key["enabled"] else "Disabled"
    return LiveResource(_arn(context, key["id"]), status, attributes={"id": key["id"]})


def _arn(context: Context, key_id: str) -> str:
    return context.environment.api_gateway_arn(f"/apikeys/{key_id}")
