"""Methods that ask for a token: which one lets in, and what those are told whom none does."""

import json
import time
from typing import Any

import pytest
import urllib3

from sentictl.twin.cognito.tokens import TokenSigner
from sentictl.twin.core.home import TwinHome
from tests.twin.apigateway.test_gateway import ECHO, Api
from tests.twin.cognito.conftest import Browser, Pool, pool
from tests.twin.conftest import Cloud

HTTP = urllib3.PoolManager(retries=False)
__all__ = ["pool"]


@pytest.fixture(scope="module")
def api(cloud: Cloud, pool: Pool) -> Api:
    """An API whose POST takes access tokens, and whose PUT takes ID tokens."""
    made = Api.make(cloud)
    function = cloud.function(ECHO)
    authorizer = cloud.apigateway.create_authorizer(
        restApiId=made.id,
        name="users",
        type="COGNITO_USER_POOLS",
        providerARNs=[pool.arn],
        identitySource="method.request.header.Authorization",
    )["id"]
    for verb, scopes in (("POST", ["openid"]), ("PUT", [])):
        made.function(function, verb=verb)
        where = {"restApiId": made.id, "resourceId": made.root, "httpMethod": verb}
        integration = cloud.apigateway.get_integration(**where)
        cloud.apigateway.delete_method(**where)
        cloud.apigateway.put_method(
            **where, authorizationType="COGNITO_USER_POOLS", authorizerId=authorizer, authorizationScopes=scopes
        )
        cloud.apigateway.put_integration(
            **where, type="AWS_PROXY", integrationHttpMethod="POST", uri=integration["uri"]
        )
    cloud.apigateway.create_deployment(restApiId=made.id, stageName="prod")
    return made


@pytest.fixture(scope="module")
def tokens(pool: Pool) -> dict[str, str]:
    code = pool.sign_in(Browser(), pool.user()).told["code"]
    told: dict[str, str] = json.loads(pool.redeem(code).text)
    return told


def ask(api: Api, token: str, verb: str = "POST") -> Any:
    return HTTP.request(verb, api.url, headers={"Authorization": token} if token else {}, body=b"x")


def test_a_token_of_the_right_kind_lets_in_and_the_function_is_told_whose_it_is(
    api: Api, pool: Pool, tokens: dict[str, str]
) -> None:
    for header in (f"Bearer {tokens['access_token']}", tokens["access_token"]):
        answer = ask(api, header)
        assert answer.status == 201
        claims = json.loads(answer.data)["requestContext"]["authorizer"]["claims"]
        assert (claims["client_id"], claims["token_use"]) == (pool.client, "access")
    assert ask(api, tokens["id_token"], "PUT").status == 201


def test_all_else_is_told_no_more_than_that_it_is_not_let_in(
    api: Api, pool: Pool, tokens: dict[str, str], cloud: Cloud
) -> None:
    head, payload, signature = tokens["access_token"].split(".")
    other = Pool.make(cloud)
    foreign = json.loads(other.redeem(other.sign_in(Browser(), other.user()).told["code"]).text)["access_token"]
    unsigned = "eyJhbGciOiJub25lIn0." + payload + "."
    wrong = ["", "Bearer", "a.b.c", f"{head}.{payload}.{signature[:-8]}AAAAAAAA", unsigned, foreign, tokens["id_token"]]
    for token in wrong:
        answer = ask(api, token)
        assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (401, "UnauthorizedException"), token
        assert json.loads(answer.data) == {"message": "Unauthorized"}
    assert ask(api, tokens["access_token"], "PUT").status == 401


def test_a_token_that_has_expired_is_told_so(api: Api, pool: Pool, home: Any) -> None:
    signer = TokenSigner(TwinHome(home).signing_key)
    issuer = f"https://cognito-idp.us-east-1.amazonaws.com/{pool.id}"
    claims = {"iss": issuer, "token_use": "access", "scope": "openid email", "client_id": pool.client, "sub": "x"}
    good = ask(api, signer.sign(claims | {"exp": int(time.time()) + 60}))
    assert good.status == 201
    late = ask(api, signer.sign(claims | {"exp": int(time.time()) - 1}))
    assert (late.status, json.loads(late.data)) == (401, {"message": "The incoming token has expired"})
    narrow = ask(api, signer.sign(claims | {"scope": "email", "exp": int(time.time()) + 60}))
    assert narrow.status == 401
