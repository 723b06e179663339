"""Which pages may ask: the headers of each kind of answer, for any, one and several origins."""

from typing import Any

import pytest

from sentictl.services.web.function import Function
from sentictl.services.web.rest_api import RestApi
from sentictl.services.web.rest_api_definition import gateway_responses, methods
from tests.services.conftest import ContextOf

ORIGIN = "Access-Control-Allow-Origin"
A, B = "https://a.example", "http://localhost:8000"


def of_preflight(definition: dict[str, Any]) -> dict[str, Any]:
    response: dict[str, Any] = definition["OPTIONS"]["integration_responses"]["200"]
    return response


@pytest.mark.parametrize(
    ("setting", "preflight", "error", "several"),
    [
        ("", "'*'", "'*'", False),
        (f"[api]\ncors_origins = ['{A}']", f"'{A}'", f"'{A}'", False),
        (f"[api]\ncors_origins = ['{A}', '{B}']", f"'{A}'", "method.request.header.Origin", True),
    ],
)
def test_one_origin_is_a_constant_and_several_are_compared(
    context_of: ContextOf, setting: str, preflight: str, error: str, several: bool
) -> None:
    context = context_of(setting)
    response = of_preflight(methods(context))
    assert response["responseParameters"][f"method.response.header.{ORIGIN}"] == preflight
    assert (f'$origin == "{B}"' in response.get("responseTemplates", {}).get("application/json", "")) is several
    for kind in gateway_responses(context).values():
        assert kind["responseParameters"][f"gatewayresponse.header.{ORIGIN}"] == error
        assert ("gatewayresponse.header.Vary" in kind["responseParameters"]) is bool(setting)
    variables = Function(context).desired()["Environment"]["Variables"]
    assert variables.get("CORS_ORIGINS") == ({True: f"{A} {B}"}.get(several, A) if setting else None)


def test_a_page_on_a_host_of_its_own_may_ask(context_of: ContextOf) -> None:
    context = context_of(f"[api]\ncors_origins = ['{A}']\n[site]\npublish = 's3'")
    page = context.environment.website_url(context.naming.website_bucket)
    listed = Function(context).desired()["Environment"]["Variables"]["CORS_ORIGINS"].split()
    assert listed[0] == A
    assert page.startswith(f"{listed[1]}/")


@pytest.mark.parametrize(
    ("auth", "headers"), [("none", ""), ("key", ",x-api-key"), ("iam", ",Authorization,X-Amz-Date")]
)
def test_what_lets_in_may_be_sent_by_pages_and_only_the_post_takes_it(
    context_of: ContextOf, auth: str, headers: str
) -> None:
    definition = RestApi(context_of(f"[api]\nauth = '{auth}'")).desired()["methods"]
    sent = of_preflight(definition)["responseParameters"]["method.response.header.Access-Control-Allow-Headers"]
    assert sent.startswith(f"'Content-Type,Accept{headers}")
    told = {verb: method["authorization"] for verb, method in definition.items()}
    assert told["OPTIONS"] == told["GET"] == {"authorizationType": "NONE", "apiKeyRequired": False}
    assert told["POST"] == {
        "authorizationType": {"iam": "AWS_IAM"}.get(auth, "NONE"),
        "apiKeyRequired": auth == "key",
    }
