"""What keys, signing in and the limit for each caller take: no action and no ARN of it could be taken away.

Held against the calls that were seen to be made; each is decided on as IAM would decide, with the whole policy and with
each part of it left out.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest

from sentictl.aws.environment import Environment
from sentictl.lifecycle.resource import Resource
from sentictl.services.iam.documents import listed
from sentictl.services.iam.permissions import policy
from sentictl.services.web.api_key import ApiKey
from sentictl.services.web.usage_plan import UsagePlan
from sentictl.services.web.user_pool import UserPool, UserPoolDomain
from sentictl.services.web.user_pool_client import UserPoolClient
from sentictl.services.web.web_acl import WebAcl, WebAclAssociation
from sentictl.twin.iam.policies import decide
from tests.services.conftest import MOTO_ACCOUNT, ContextOf

GOLDEN = Path(__file__).parents[2] / "golden"
REGION = "us-east-1"
KINDS: dict[str, tuple[type[Resource], ...]] = {
    '[api]\nauth = "key"\n': (ApiKey, UsagePlan),
    '[api]\nauth = "cognito"\n': (UserPool, UserPoolDomain, UserPoolClient),
    "[api]\ncaller_rate_limit = 300\n": (WebAcl, WebAclAssociation),
}
# What no story does: putting an app client right that somebody changed, and looking who may come to a named pool.
IN_NO_STORY = {"cognito-idp:UpdateUserPoolClient", "cognito-idp:ListIdentityProviders"}
Need = tuple[str, str]  # an action, and what it is about


@cache
def needs() -> set[Need]:
    """What the calls of the stories took of IAM."""
    found = set()
    for story in ("keys", "sign-in", "down"):
        for block in (GOLDEN / f"{story}.txt").read_text(encoding="utf-8").split("\n\n"):
            service, operation, parameters = block.split(maxsplit=2)
            if service in NEEDS:
                found |= set(NEEDS[service](operation, parameters))
    return found


def of_pools(operation: str, parameters: str) -> Iterator[Need]:
    pool = json.loads(parameters).get("UserPoolId")
    arn = f"arn:aws:cognito-idp:{REGION}:{MOTO_ACCOUNT}:userpool/{pool}"
    yield f"cognito-idp:{operation}", arn if pool else "*"
    if operation == "CreateUserPool":
        yield "cognito-idp:TagResource", f"arn:aws:cognito-idp:{REGION}:{MOTO_ACCOUNT}:userpool/new"


def of_web_acls(operation: str, parameters: str) -> Iterator[Need]:
    """By the Service Authorization Reference, of a stage that is put behind a web ACL both have to allow it."""
    told = json.loads(parameters)
    named = f"arn:aws:wafv2:{REGION}:{MOTO_ACCOUNT}:regional/webacl/{told.get('Name')}/id"
    given = [told[name] for name in ("WebACLArn", "ResourceArn", "ResourceARN") if name in told]
    about = given or ([named] if "Name" in told else ["*"])
    yield from ((f"wafv2:{operation}", arn) for arn in about)
    if operation == "CreateWebACL":
        yield "wafv2:TagResource", named
    if operation in ("AssociateWebACL", "DisassociateWebACL"):
        yield "apigateway:SetWebACL", told["ResourceArn"]


def of_keys(operation: str, _: str) -> Iterator[Need]:
    http = gateway().operation_model(operation).http
    path = re.sub(r"\{\w+\}", "id", http["requestUri"].partition("?")[0])
    if path.startswith(("/apikeys", "/usageplans")):
        yield f"apigateway:{http['method']}", f"arn:aws:apigateway:{REGION}::{path}"


@cache
def gateway() -> Any:
    return boto3.client("apigateway", region_name=REGION).meta.service_model


NEEDS: dict[str, Callable[[str, str], Iterator[Need]]] = {
    "cognito-idp": of_pools,
    "wafv2": of_web_acls,
    "apigateway": of_keys,
}


@pytest.fixture(params=KINDS, ids=lambda settings: settings.split("\n")[1])
def statements(context_of: ContextOf, request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """What the policy allows on account of one way of asking."""
    context = context_of(f'[project]\nname = "toy"\nid = "0123456789ab"\n{request.param}')
    environment = Environment("local", REGION, endpoint="http://127.0.0.1:9")
    environment.__dict__["account"] = MOTO_ACCOUNT
    found = policy(replace(context, environment=environment), KINDS[request.param])["Statement"]
    actions = {action for kind in KINDS[request.param] for action in kind.actions.of("") | kind.actions.changes}
    return [each | {"Action": sorted(actions & set(each["Action"]))} for each in found if actions & set(each["Action"])]


def without(statements: list[dict[str, Any]], member: str, left_out: str) -> list[dict[str, Any]]:
    """The statements without an action, or without an ARN."""
    return [each | {member: [value for value in listed(each[member]) if value != left_out]} for each in statements]


def denied(statements: list[dict[str, Any]]) -> set[Need]:
    """What IAM would not allow of what the actions of these statements were seen to do."""
    return {need for need in needs() if decide([{"Statement": statements}], *need) != "allowed"}


def test_no_action_and_no_arn_can_be_spared(statements: list[dict[str, Any]]) -> None:
    enough = denied(statements)
    actions = {action for each in statements for action in each["Action"]}
    assert {need for need in enough if need[0] in actions and not need[0].startswith("apigateway:")} == set()
    spared = {action for action in actions if denied(without(statements, "Action", action)) == enough}
    assert spared <= IN_NO_STORY
    arns = {arn for each in statements for arn in listed(each["Resource"])}
    assert {arn for arn in arns if denied(without(statements, "Resource", arn)) == enough} == set()


def test_the_stories_ask_for_every_way_of_asking() -> None:
    assert {action.partition(":")[0] for action, _ in needs()} == {"apigateway", "cognito-idp", "wafv2"}
    assert {"wafv2:UpdateWebACL", "cognito-idp:AdminCreateUser"} <= {action for action, _ in needs()}
