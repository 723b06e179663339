"""The authorizer of the API's POST, where people sign in for it: API Gateway's part that reads their tokens.

It has the pool's id for a name. Names of authorizers are unique in an API, so that another pool's can be made before
this one goes.
"""

from collections.abc import Mapping
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.lifecycle.resource import Context
from sentictl.services.access.cognito import SIGNED_IN
from sentictl.services.web.user_pool import pool_arn, pool_id, signs_in

FIELDS = ("name", "type", "providerARNs", "identitySource")


def wanted_authorizer(context: Context) -> dict[str, Any] | None:
    """Return what CreateAuthorizer is told; None where nobody signs in.

    Raises:
        MissingStepError: the user pool is to be made, and is not there yet.
    """
    if not signs_in(context):
        return None
    pool = pool_id(context)
    values = (pool, SIGNED_IN.authorization, [pool_arn(context, pool)], "method.request.header.Authorization")
    return dict(zip(FIELDS, values, strict=True))


def read_authorizer(client: Any, api_id: str, method: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the authorizer that a method has, as AWS tells it; None where it has none.

    Args:
        client: boto3's apigateway client.
        api_id: the API's id.
        method: as AWS tells it; empty where there is none.
    """
    used = method.get("authorizerId")
    found = if_there(client.get_authorizer, restApiId=api_id, authorizerId=used) if used else None
    return {key: found.get(key) for key in FIELDS} if found else None


def make_authorizer(client: Any, api_id: str, wanted: Mapping[str, Any] | None) -> str:
    """Make the authorizer that is wanted, where it is not there yet. Returns its id; empty where none is wanted."""
    if wanted is None:
        return ""
    for found in _authorizers(client, api_id):
        if found["name"] == wanted["name"]:
            return str(found["id"])
    return str(client.create_authorizer(restApiId=api_id, **wanted)["id"])


def delete_other_authorizers(client: Any, api_id: str, used: str) -> None:
    """Delete all authorizers but the one that is used."""
    for found in _authorizers(client, api_id):
        if found["id"] != used:
            if_there(client.delete_authorizer, restApiId=api_id, authorizerId=found["id"])


def _authorizers(client: Any, api_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get_authorizers(restApiId=api_id).get("items", [])
    return found
