"""The shape of a way of asking: what the API's POST takes of a caller."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Way:
    """One way of asking, as `api.auth` names them.

    Args:
        who: who may ask, as in "POST for everybody".
        authorization: API Gateway's `authorizationType` of the POST.
        scopes: those of which an access token has to have one.
        key_required: whether API Gateway lets in only requests with the API key of a usage plan.
        headers: the request headers that a caller sends for it, which a browser has to be allowed.
        schemes: how OpenAPI describes it: security schemes by name; none where nobody is asked for anything.
        about: one sentence for the API's description.
        denials: API Gateway's types of answers to who is not let in, by their status.
        refusal: the status that all others get.
    """

    who: str
    authorization: str = "NONE"
    scopes: tuple[str, ...] = ()
    key_required: bool = False
    headers: tuple[str, ...] = ()
    schemes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    about: str = ""
    denials: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    refusal: str = "403"

    def method(self) -> dict[str, Any]:
        """Return what PutMethod is told of it."""
        scopes = {"authorizationScopes": list(self.scopes)} if self.scopes else {}
        return {"authorizationType": self.authorization, "apiKeyRequired": self.key_required, **scopes}
