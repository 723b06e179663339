"""WAF in front of the API: the web ACL that counts the requests of each address, and the stage behind it."""

from typing import Any

import boto3
import pytest

from sentictl.config.state import Record
from sentictl.errors import ForeignError, SettingsError
from sentictl.lifecycle.reconcile import Action, Step, apply, destroy
from sentictl.lifecycle.resource import Context, Resource
from sentictl.services.chain import CHAIN
from sentictl.services.iam.permissions import policy
from sentictl.services.pricing.estimate import estimate
from sentictl.services.web.rest_api import RestApi
from sentictl.services.web.rest_api_definition import gateway_responses
from sentictl.services.web.web_acl import WebAcl, WebAclAssociation
from tests.services.conftest import ContextOf

PROJECT = '[project]\nname = "films"\nid = "0123456789ab"\n[api]\n'
LIMITED = PROJECT + "caller_rate_limit = 250\n"
KINDS = (WebAcl, WebAclAssociation)
VISIBLE = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "other"}


class Quiet:
    """An observer that is told everything and says nothing."""

    def started(self, step: Step) -> None:
        """A step begins."""

    def finished(self, step: Step, summary: str) -> None:
        """A step has ended."""


def resources(context: Context) -> list[Resource]:
    return [kind(context) for kind in KINDS]


def bring(context: Context) -> list[Action]:
    return [step.action for step in apply(resources(context), context, Quiet())]


@pytest.fixture
def limited(moto_context_of: ContextOf) -> Context:
    """A project with an API whose stage stands, as `wire-api` has it when it comes to the web ACL."""
    context = moto_context_of(LIMITED)
    gateway = context.environment.client("apigateway")
    api = gateway.create_rest_api(name="films-local-api", tags=context.naming.tags)
    place = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "GET"}
    gateway.put_method(**place, authorizationType="NONE")
    gateway.put_integration(**place, type="MOCK")
    gateway.create_deployment(restApiId=api["id"], stageName="prod")
    context.state.keep(Record(RestApi.kind, "films-local-api", "arn", {"id": api["id"]}))
    return context


def waf() -> Any:
    return boto3.client("wafv2", region_name="eu-west-1")


def acl(context: Context) -> dict[str, Any]:
    told: dict[str, Any] = waf().get_web_acl(ARN=context.recorded(WebAcl).arn)["WebACL"]
    return told


def test_predictions_of_an_address_are_counted_and_blocked_with_an_answer_of_the_apis_own(limited: Context) -> None:
    assert bring(limited) == [Action.CREATE, Action.CREATE]
    assert bring(limited) == [Action.KEEP, Action.KEEP]
    [rule] = acl(limited)["Rules"]
    rate = rule["Statement"]["RateBasedStatement"]
    assert (rate["Limit"], rate["AggregateKeyType"], rate["EvaluationWindowSec"]) == (250, "IP", 300)
    assert rate["ScopeDownStatement"]["ByteMatchStatement"]["SearchString"] == b"POST"
    assert rule["Action"] == {"Block": {}}
    stage = limited.recorded(WebAclAssociation).arn
    assert waf().get_web_acl_for_resource(ResourceArn=stage)["WebACL"]["Name"] == "films-local-api"
    blocked = gateway_responses(limited)["WAF_FILTERED"]
    assert blocked["statusCode"] == "429"
    assert blocked["responseParameters"]["gatewayresponse.header.Retry-After"] == "'300'"
    assert blocked["responseParameters"]["gatewayresponse.header.Access-Control-Allow-Origin"] == "'*'"


def test_another_limit_changes_the_rule_and_none_takes_all_of_it_away(limited: Context) -> None:
    bring(limited)
    limited.config.set({"api.caller_rate_limit": 500})
    assert bring(limited) == [Action.UPDATE, Action.KEEP]
    assert acl(limited)["Rules"][0]["Statement"]["RateBasedStatement"]["Limit"] == 500
    limited.config.set({"api.caller_rate_limit": 0})
    assert bring(limited) == [Action.DELETE, Action.DELETE]
    assert waf().list_web_acls(Scope="REGIONAL")["WebACLs"] == []
    assert "WAF_FILTERED" not in gateway_responses(limited)


def test_one_that_was_made_to_block_all_others_is_put_right(limited: Context) -> None:
    bring(limited)
    told = acl(limited)
    kept = {name: told[name] for name in ("Name", "Id", "Rules", "VisibilityConfig")}
    token = waf().list_web_acls(Scope="REGIONAL")["WebACLs"][0]["LockToken"]
    waf().update_web_acl(Scope="REGIONAL", LockToken=token, DefaultAction={"Block": {}}, **kept)
    assert bring(limited) == [Action.UPDATE, Action.KEEP]
    assert acl(limited)["DefaultAction"] == {"Allow": {}}


def test_down_finds_what_is_not_recorded(limited: Context) -> None:
    bring(limited)
    for record in [record for kind in KINDS for record in limited.state.of_kind(kind.kind)]:
        limited.state.forget(record)
    _, left = destroy(resources(limited), limited, Quiet())
    assert left == []
    assert waf().list_web_acls(Scope="REGIONAL")["WebACLs"] == []


def test_a_stage_behind_somebody_elses_web_acl_is_left_there(limited: Context) -> None:
    other = waf().create_web_acl(
        Name="company", Scope="REGIONAL", DefaultAction={"Allow": {}}, Rules=[], VisibilityConfig=VISIBLE
    )["Summary"]
    api = limited.attribute(RestApi, "id")
    stage = f"arn:aws:apigateway:eu-west-1::/restapis/{api}/stages/prod"
    waf().associate_web_acl(WebACLArn=other["ARN"], ResourceArn=stage)
    with pytest.raises(ForeignError):
        bring(limited)
    assert waf().get_web_acl_for_resource(ResourceArn=stage)["WebACL"]["Name"] == "company"


def test_it_is_priced_and_allowed_where_it_is_asked_for(context_of: ContextOf) -> None:
    context = context_of(LIMITED)
    uses = {str(use) for use in estimate(context, CHAIN).uses}
    assert "WAF: $6 for a month of the web ACL and its rule" in uses
    assert "WAF: $0.0006 for 1,000 predictions" in uses
    statements = policy(context, CHAIN)["Statement"]
    [made] = [each["Resource"] for each in statements if "wafv2:CreateWebACL" in each["Action"]]
    assert made == ["arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/films-local-api/*"]


@pytest.mark.parametrize("limit", ["9", "-1", "2000000001", '"many"'])
def test_a_limit_that_waf_does_not_have_is_refused(context_of: ContextOf, limit: str) -> None:
    with pytest.raises(SettingsError, match=r"api\.caller_rate_limit"):
        _ = context_of(f"{PROJECT}caller_rate_limit = {limit}\n").settings
