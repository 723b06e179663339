"""Signing in: the user pool that is made or named, its domain, the page's client and the API's authorizer."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from sentictl.aws.environment import Environment
from sentictl.errors import SettingsError
from sentictl.lifecycle.reconcile import Action, Step, apply, destroy, plan
from sentictl.lifecycle.resource import Context, Resource
from sentictl.services.chain import CHAIN
from sentictl.services.export.cloudformation import template
from sentictl.services.export.openapi import importable
from sentictl.services.iam.permissions import every_action, policy
from sentictl.services.web.rest_api import RestApi
from sentictl.services.web.user_pool import UserPool, UserPoolDomain, check_user_pool
from sentictl.services.web.user_pool_client import UserPoolClient
from sentictl.services.web.website import render_page
from sentictl.twin import daemon
from sentictl.twin.core.environment import Access
from tests.services.conftest import MOTO_ACCOUNT, ContextOf

PROJECT = '[project]\nname = "films"\nid = "0123456789ab"\n'
SIGN_IN = PROJECT + '[api]\nauth = "cognito"\naccess_log = false\n'  # the role that it takes is no part of this
KINDS = (UserPool, UserPoolDomain, RestApi, UserPoolClient)


class Quiet:
    """An observer that is told everything and says nothing."""

    def started(self, step: Step) -> None:
        """A step begins."""

    def finished(self, step: Step, summary: str) -> None:
        """A step has ended."""


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Access]:
    home = tmp_path_factory.mktemp("access") / "twin"
    daemon.start(home)
    yield daemon.access(home)
    daemon.destroy(home)


@pytest.fixture
def twin_context_of(context_of: ContextOf, twin: Access) -> Iterator[ContextOf]:
    """Makes a context whose calls go to the module's twin; what it brings there is taken away again."""
    made: list[Context] = []

    def make(settings: str) -> Context:
        environment = Environment("local", "eu-west-1", endpoint=twin.url, access_key=lambda: twin.key)
        made.append(replace(context_of(settings), environment=environment))
        return made[-1]

    yield make
    for context in made:
        destroy(resources(context), context, Quiet())


def bring(context: Context) -> list[Action]:
    return [step.action for step in apply(resources(context), context, Quiet())]


def resources(context: Context) -> list[Resource]:
    return [kind(context) for kind in KINDS]


def post(context: Context) -> dict[str, Any]:
    """The API's POST, and all of its authorizers."""
    client, api = context.environment.client("apigateway"), context.attribute(RestApi, "id")
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    method: dict[str, Any] = client.get_method(restApiId=api, resourceId=root, httpMethod="POST")
    return method | {"authorizers": client.get_authorizers(restApiId=api)["items"]}


def test_a_pool_is_made_whose_users_sign_in_for_the_api_and_come_back_to_the_page(
    twin_context_of: ContextOf, twin: Access
) -> None:
    context = twin_context_of(SIGN_IN)
    planned = plan(resources(rehearsal := context.rehearsal()), rehearsal)
    assert {step.action for step in planned} == {Action.CREATE}
    assert bring(context) == [Action.CREATE] * 4
    assert bring(context) == [Action.KEEP] * 4
    idp = context.environment.client("cognito-idp")
    pool_id, client_id = context.attribute(UserPool, "id"), context.attribute(UserPoolClient, "id")
    pool = idp.describe_user_pool(UserPoolId=pool_id)["UserPool"]
    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"]
    assert pool["UserPoolTags"] == context.naming.tags
    client = idp.describe_user_pool_client(UserPoolId=pool_id, ClientId=client_id)["UserPoolClient"]
    api = context.attribute(RestApi, "id")
    page = f"{twin.url}/restapis/{api}/prod/_user_request_/"
    assert client["CallbackURLs"] == client["LogoutURLs"] == [page]
    assert client["AllowedOAuthFlows"] == ["code"]
    assert "ClientSecret" not in client
    method = post(context)
    [authorizer] = method["authorizers"]
    assert (method["authorizationType"], method["authorizerId"]) == ("COGNITO_USER_POOLS", authorizer["id"])
    assert method["authorizationScopes"] == ["openid"]
    assert authorizer["providerARNs"] == [f"arn:aws:cognito-idp:eu-west-1:{MOTO_ACCOUNT}:userpool/{pool_id}"]
    html = render_page(context).decode()
    sign_in = f"{twin.url}/_cognito/{pool['Domain']}"
    assert f'data-sign-in-url="{sign_in}" data-sign-in-client="{client_id}"' in html
    assert f"connect-src {twin.url};" in html


def test_what_was_changed_by_hand_is_put_right(twin_context_of: ContextOf) -> None:
    context = twin_context_of(SIGN_IN)
    bring(context)
    idp = context.environment.client("cognito-idp")
    place = {"UserPoolId": context.attribute(UserPool, "id"), "ClientId": context.attribute(UserPoolClient, "id")}
    idp.update_user_pool_client(**place, CallbackURLs=["https://evil.example"])
    assert bring(context) == [Action.KEEP, Action.KEEP, Action.KEEP, Action.UPDATE]
    client = idp.describe_user_pool_client(**place)["UserPoolClient"]
    assert "https://evil.example" not in client["CallbackURLs"]
    api = context.attribute(RestApi, "id")
    gateway = context.environment.client("apigateway")
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    gateway.delete_method(restApiId=api, resourceId=root, httpMethod="POST")
    assert bring(context)[2] is Action.UPDATE
    assert post(context)["authorizationType"] == "COGNITO_USER_POOLS"


def test_the_users_outlive_another_way_of_asking_and_go_with_down(twin_context_of: ContextOf) -> None:
    context = twin_context_of(SIGN_IN)
    bring(context)
    pool_id = context.attribute(UserPool, "id")
    context.config.set({"api.auth": "none"})
    apply(resources(context), context, Quiet())
    assert post(context)["authorizationType"] == "NONE"
    assert post(context)["authorizers"] == []
    assert {record.kind for record in context.state} == {"user-pool", "rest-api"}
    idp = context.environment.client("cognito-idp")
    assert idp.list_user_pool_clients(UserPoolId=pool_id)["UserPoolClients"] == []
    context.config.set({"api.auth": "cognito"})
    bring(context)
    assert context.attribute(UserPool, "id") == pool_id
    _, left = destroy(resources(context), context, Quiet())
    assert (left, len(context.state)) == ([], 0)
    assert idp.list_user_pools(MaxResults=10)["UserPools"] == []


def test_a_named_pool_gets_a_client_and_nothing_else(twin_context_of: ContextOf) -> None:
    idp = twin_context_of(PROJECT).environment.client("cognito-idp")
    pool_id = idp.create_user_pool(PoolName="staff")["UserPool"]["Id"]
    context = twin_context_of(f'{SIGN_IN}user_pool = "{pool_id}"\n')
    with pytest.raises(SettingsError, match="has no domain"):
        check_user_pool(context)
    idp.create_user_pool_domain(Domain="staff", UserPoolId=pool_id)
    check_user_pool(context)
    bring(context)
    assert {record.kind for record in context.state} == {"rest-api", "user-pool-client"}
    assert len(idp.list_user_pools(MaxResults=10)["UserPools"]) == 1
    assert "/_cognito/staff" in render_page(context).decode()
    other = idp.create_user_pool(PoolName="guests")["UserPool"]["Id"]
    idp.create_user_pool_domain(Domain="guests", UserPoolId=other)
    context.config.change({"api.user_pool": other})
    bring(context)
    assert idp.list_user_pool_clients(UserPoolId=pool_id)["UserPoolClients"] == []
    assert len(idp.list_user_pool_clients(UserPoolId=other)["UserPoolClients"]) == 1
    assert bring(context) == [Action.KEEP] * 2
    context.config.change({"api.user_pool": pool_id})
    bring(context)
    assert idp.list_user_pool_clients(UserPoolId=other)["UserPoolClients"] == []
    idp.delete_user_pool_domain(Domain="guests", UserPoolId=other)
    idp.delete_user_pool(UserPoolId=other)
    destroy(resources(context), context, Quiet())
    assert idp.list_user_pool_clients(UserPoolId=pool_id)["UserPoolClients"] == []
    assert len(idp.list_user_pools(MaxResults=10)["UserPools"]) == 1


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (SIGN_IN + '[site]\npublish = "s3"\n', "plain HTTP"),
        (SIGN_IN + 'user_pool = "eu-central-1_AbCdEf123"\n', "not in eu-west-1"),
        (SIGN_IN + 'user_pool = "eu-west-1_AbCdEf123"\n', "There is no user pool eu-west-1_AbCdEf123"),
    ],
)
def test_what_nobody_could_sign_in_with_is_refused(twin_context_of: ContextOf, settings: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as refused:
        check_user_pool(twin_context_of(settings))
    assert "sentictl config set" in refused.value.hint


def test_a_domain_has_none_of_the_words_that_cognito_refuses(context_of: ContextOf) -> None:
    assert UserPoolDomain(context_of(SIGN_IN)).name.startswith("films-local-")
    named = UserPoolDomain(context_of(SIGN_IN.replace("films", "awsome-films"))).name
    assert named.startswith("sign-in-")
    other = UserPoolDomain(context_of(SIGN_IN.replace("0123456789ab", "ba9876543210"))).name
    assert other != UserPoolDomain(context_of(SIGN_IN)).name


def test_only_who_asks_for_it_is_allowed_to_make_pools(context_of: ContextOf) -> None:
    plain, asked = context_of(PROJECT), context_of(SIGN_IN)
    actions = [action for statement in policy(plain, CHAIN)["Statement"] for action in statement["Action"]]
    assert not any(action.startswith(("cognito-idp:", "wafv2:")) for action in actions)
    statements = policy(asked, CHAIN)["Statement"]
    of_pools = [each for each in statements if "cognito-idp:DeleteUserPool" in each["Action"]]
    assert [each["Resource"] for each in of_pools] == [["arn:aws:cognito-idp:eu-west-1:111122223333:userpool/*"]]
    assert "cognito-idp:CreateUserPool" in every_action(CHAIN)


def test_the_exports_say_who_may_ask(twin_context_of: ContextOf) -> None:
    context = twin_context_of(SIGN_IN)
    bring(context)
    document = importable(context)
    assert document["paths"]["/"]["post"]["security"] == [{"cognito": ["openid"]}]
    scheme = document["components"]["securitySchemes"]["cognito"]
    pool_id = context.attribute(UserPool, "id")
    assert scheme["x-amazon-apigateway-authorizer"]["providerARNs"][0].endswith(pool_id)
    assert template is not None
