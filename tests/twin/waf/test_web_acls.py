"""Web ACLs are carried out: the requests of each address are counted, whatever they say of themselves."""

from typing import Any

import boto3
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from sentictl.twin.waf.web_acls import MOST_ADDRESSES, WINDOW, Counts
from tests.twin.apigateway.test_gateway import Api
from tests.twin.conftest import Cloud, code_of

HTTP = urllib3.PoolManager(retries=False)
VISIBLE = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "requests"}
ALLOW: dict[str, Any] = {"Scope": "REGIONAL", "DefaultAction": {"Allow": {}}, "VisibilityConfig": VISIBLE}
POSTS = {
    "ByteMatchStatement": {
        "SearchString": b"POST",
        "FieldToMatch": {"Method": {}},
        "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
        "PositionalConstraint": "EXACTLY",
    }
}


def rule(limit: int = 10, **changes: Any) -> dict[str, Any]:
    rate = {"Limit": limit, "AggregateKeyType": "IP", "ScopeDownStatement": POSTS} | changes
    return {
        "Name": "rate",
        "Priority": 0,
        "Action": {"Block": {}},
        "Statement": {"RateBasedStatement": rate},
        "VisibilityConfig": VISIBLE,
    }


@pytest.fixture
def api(cloud: Cloud) -> Api:
    """An API that answers POST and GET by itself."""
    made = Api.make(cloud)
    for verb in ("POST", "GET"):
        where = made.method(verb, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
        made.answer(where, "200", {})
    cloud.apigateway.create_deployment(restApiId=made.id, stageName="prod")
    return made


def stage(api: Api) -> str:
    return f"arn:aws:apigateway:us-east-1::/restapis/{api.id}/stages/prod"


def statuses(api: Api, verb: str, count: int) -> list[int]:
    headers = [{"X-Forwarded-For": f"10.0.0.{number}"} for number in range(count)]
    return [HTTP.request(verb, api.url, headers=each).status for each in headers]


def test_more_than_the_limit_is_blocked_until_the_web_acl_is_taken_away(cloud: Cloud, api: Api) -> None:
    acl = cloud.wafv2.create_web_acl(Name=cloud.name("acl"), Rules=[rule()], **ALLOW)["Summary"]
    cloud.wafv2.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=stage(api))
    assert statuses(api, "POST", 12) == [200] * 10 + [403] * 2
    assert statuses(api, "GET", 12) == [200] * 12  # the rule is about the other method
    told = HTTP.request("POST", api.url)
    assert (told.json(), told.headers["x-amzn-ErrorType"]) == ({"message": "Forbidden"}, "ForbiddenException")
    place = {"Name": acl["Name"], "Scope": "REGIONAL", "Id": acl["Id"]}
    deleting = place | {"LockToken": acl["LockToken"]}
    assert code_of(cloud.wafv2.delete_web_acl, **deleting) == "WAFAssociatedItemException"
    cloud.wafv2.update_web_acl(LockToken=acl["LockToken"], Rules=[rule(1000)], **ALLOW | place)
    assert statuses(api, "POST", 1) == [200]
    cloud.wafv2.disassociate_web_acl(ResourceArn=stage(api))
    token = cloud.wafv2.get_web_acl(**place)["LockToken"]
    cloud.wafv2.delete_web_acl(**place, LockToken=token)
    assert statuses(api, "POST", 12) == [200] * 12


def test_a_stage_has_one_web_acl_and_has_to_be_there(cloud: Cloud, api: Api) -> None:
    first, second = (
        cloud.wafv2.create_web_acl(Name=cloud.name("acl"), Rules=[rule(limit)], **ALLOW)["Summary"]["ARN"]
        for limit in (10, 1000)
    )
    for acl in (first, second):
        cloud.wafv2.associate_web_acl(WebACLArn=acl, ResourceArn=stage(api))
    assert cloud.wafv2.get_web_acl_for_resource(ResourceArn=stage(api))["WebACL"]["ARN"] == second
    assert statuses(api, "POST", 12) == [200] * 12
    gone = stage(api).replace(api.id, "nothing")
    assert code_of(cloud.wafv2.associate_web_acl, WebACLArn=first, ResourceArn=gone) == "WAFNonexistentItemException"


@pytest.mark.parametrize("changes", [{"limit": 9}, {"limit": 10, "EvaluationWindowSec": 7}])
def test_what_aws_refuses_is_refused(cloud: Cloud, changes: dict[str, Any]) -> None:
    unchecked = Config(parameter_validation=False)  # botocore would refuse the first of them itself
    session = boto3.Session(cloud.key, "local", region_name="us-east-1")
    create = session.client("wafv2", endpoint_url=cloud.url, config=unchecked).create_web_acl
    request = ALLOW | {"Name": cloud.name("acl"), "Rules": [rule(**changes)]}
    assert code_of(create, **request) == "WAFInvalidParameterException"


def test_a_rule_that_the_twin_would_not_carry_out_is_not_taken(cloud: Cloud) -> None:
    geo = rule() | {"Statement": {"GeoMatchStatement": {"CountryCodes": ["AQ"]}}}
    with pytest.raises(ClientError, match="rate-based"):
        cloud.wafv2.create_web_acl(Name=cloud.name("acl"), Rules=[geo], **ALLOW)


def test_each_address_is_counted_for_itself_and_the_window_slides() -> None:
    counts = Counts()
    assert [counts.add("192.0.2.1", 1000.0, WINDOW) for _ in range(3)] == [1, 2, 3]
    assert counts.add("192.0.2.2", 1000.0, WINDOW) == 1
    assert counts.add("192.0.2.1", 1200.0, WINDOW) == 4
    assert counts.add("192.0.2.1", 1310.0, WINDOW) == 2  # the first three are out of it
    assert counts.add("192.0.2.1", 1310.0 + 2 * WINDOW, WINDOW) == 1


def test_addresses_without_number_do_not_fill_the_memory() -> None:
    counts = Counts()
    for number in range(MOST_ADDRESSES + 5):
        counts.add(str(number), 1000.0, WINDOW)
    assert counts.add("0", 1000.0, WINDOW) == 1  # forgotten: it was not seen for longest
    assert counts.add(str(MOST_ADDRESSES), 1000.0, WINDOW) == 2
