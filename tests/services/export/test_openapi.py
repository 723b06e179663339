"""The API's OpenAPI document: valid, importable, and of the same values as the API and the function themselves."""

import ast
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from sentictl.assets.installed import templates
from sentictl.aws.environment import Environment
from sentictl.config.settings import Settings
from sentictl.config.state import Record
from sentictl.services.export.openapi import ERRORS, description, importable
from sentictl.services.web.rest_api import RestApi
from tests.services.conftest import ACCOUNT, ContextOf

HANDLER = ast.parse((templates() / "lambda" / "handler.py").read_text(encoding="utf-8"))
# What API Gateway does not import, or drops: see the module's docstring.
NOT_IMPORTED = {"anyOf", "additionalProperties", "exclusiveMinimum", "discriminator", "readOnly", "example", "examples"}


def settings_of(**tables: dict[str, Any]) -> Settings:
    return Settings.model_validate(tables)


def answers(document: dict[str, Any], verb: str = "post") -> dict[str, Any]:
    responses: dict[str, Any] = document["paths"]["/"][verb]["responses"]
    return responses


def keys_of(value: Any) -> set[str]:
    if isinstance(value, list):
        return {key for member in value for key in keys_of(member)}
    return (
        set(value) | {key for member in value.values() for key in keys_of(member)} if isinstance(value, dict) else set()
    )


@pytest.mark.parametrize("publish", ["api", "s3"])
def test_it_is_valid_with_and_without_what_api_gateway_adds(context_of: ContextOf, publish: str) -> None:
    context = context_of(f'[site]\npublish = "{publish}"\n')
    validate(description(context.settings))
    validate(importable(context))


def test_the_limits_are_those_of_the_settings() -> None:
    schemas = description(settings_of(api={"max_review_characters": 700, "max_reviews": 7}))["components"]["schemas"]
    assert schemas["Review"]["maxLength"] == 700
    assert schemas["SeveralReviews"]["properties"]["reviews"]["maxItems"] == 7


def test_the_page_is_in_it_where_the_api_serves_it() -> None:
    assert set(description(settings_of())["paths"]["/"]) == {"get", "options", "post"}
    assert set(description(settings_of(site={"publish": "s3"}))["paths"]["/"]) == {"options", "post"}


def test_every_error_of_the_function_is_in_it_and_no_other() -> None:
    calls = [node for node in ast.walk(HANDLER) if isinstance(node, ast.Call) and ast.unparse(node.func) == "ApiError"]
    raised = {(ast.literal_eval(call.args[0]), ast.unparse(call.args[1]).strip("'")) for call in calls}
    own = {(status, code) for status, code in raised if code.islower() and code.isidentifier()}
    told = {(status, code) for status, (_, codes, _) in ERRORS.items() for code in codes}
    assert len(own) > 10
    assert told == own - {(405, "method_not_allowed")}  # API Gateway lets no other method through
    responses = answers(description(settings_of()))
    assert all(f"`{code}`" in responses[str(status)]["description"] for status, code in told)


def test_the_headers_of_an_answer_are_the_functions() -> None:
    assigned = {ast.unparse(node.targets[0]): node.value for node in HANDLER.body if isinstance(node, ast.Assign)}
    assert set(answers(description(settings_of()))["200"]["headers"]) == set(ast.literal_eval(assigned["HEADERS"]))


@pytest.mark.parametrize("verb", ["GET", "OPTIONS"])
def test_the_headers_of_the_gateways_own_answers_are_those_that_are_put(context_of: ContextOf, verb: str) -> None:
    context = context_of("")
    put = RestApi(context).desired()["methods"][verb]["method_responses"]
    told = answers(importable(context), verb.lower())
    refusals = {"415"} if verb == "OPTIONS" else set()  # of the gateway itself, which no method declares
    assert told.keys() - put.keys() == refusals
    assert {status: set(told[status]["headers"]) for status in put} == {
        status: {name.removeprefix("method.response.header.") for name in headers} for status, headers in put.items()
    }


def test_the_headers_of_errors_are_those_that_the_gateway_sends_too(context_of: ContextOf) -> None:
    document = importable(context_of(""))
    sent = document["x-amazon-apigateway-gateway-responses"]["DEFAULT_4XX"]["responseParameters"]
    names = {name.removeprefix("gatewayresponse.header.") for name in sent}
    for status, answer in answers(document).items():
        assert status == "200" or set(answer["headers"]) - {"Retry-After"} == names
        assert ("Retry-After" in answer["headers"]) is (status in ("429", "503", "504"))


def test_importing_it_makes_the_methods_that_sentictl_puts(context_of: ContextOf) -> None:
    context = context_of("")
    desired, document = RestApi(context).desired(), importable(context)
    assert document["x-amazon-apigateway-binary-media-types"] == desired["binary_media_types"]
    assert document["x-amazon-apigateway-gateway-responses"] == desired["gateway_responses"]
    for verb, method in desired["methods"].items():
        told = dict(document["paths"]["/"][verb.lower()]["x-amazon-apigateway-integration"])
        assert told.pop("type").upper() == method["integration"]["type"]
        assert told.pop("httpMethod", None) == method["integration"].get("integrationHttpMethod")
        responses = told.pop("responses", {})
        assert told == {k: v for k, v in method["integration"].items() if k not in ("type", "integrationHttpMethod")}
        assert {answer["statusCode"]: answer["responseParameters"] for answer in responses.values()} == {
            status: answer["responseParameters"] for status, answer in method["integration_responses"].items()
        }


def test_the_page_that_is_missing_is_told_by_the_status_of_s3(context_of: ContextOf) -> None:
    responses = importable(context_of(""))["paths"]["/"]["get"]["x-amazon-apigateway-integration"]["responses"]
    assert {pattern: answer["statusCode"] for pattern, answer in responses.items()} == {
        r"2\d{2}": "200",
        "40[34]": "404",
        "default": "502",
    }


def test_it_holds_nothing_that_api_gateway_does_not_import(context_of: ContextOf) -> None:
    document = importable(context_of(""))
    assert not keys_of(document["components"]) & NOT_IMPORTED
    assert all(name.isalnum() for name in document["components"]["schemas"])
    assert not any("$ref" in answer for verb in document["paths"]["/"] for answer in answers(document, verb).values())


def test_the_address_is_that_of_the_api_once_it_stands(context_of: ContextOf) -> None:
    context = context_of('[project]\nname = "films"\n')
    before = importable(context)
    context.state.keep(Record("rest-api", "films-local-api", "arn", {"id": "abc123"}))
    after = importable(context)
    assert before["servers"] == description(context.settings, "eu-west-1")["servers"]
    assert "abc123" in after["servers"][0]["url"]
    assert after | {"servers": before["servers"]} == before


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [
        ("ap-south-1", "aws", "amazonaws.com"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
        ("us-iso-east-1", "aws-iso", "c2s.ic.gov"),
    ],
)
def test_every_part_of_aws_has_its_own_addresses_and_arns(
    context_of: ContextOf, region: str, partition: str, suffix: str
) -> None:
    environment = Environment("prod", region)
    environment.__dict__["account"] = ACCOUNT
    context = replace(context_of(""), environment=environment)
    document = importable(context)
    (server,) = document["servers"]
    defaults = {name: variable["default"] for name, variable in server["variables"].items()}
    assert server["url"].format(**defaults) == f"https://0123456789.execute-api.{region}.{suffix}/prod"
    validate(document)
    assert set(re.findall(r"arn:([^:]+):", json.dumps(document))) == {partition}
    context.state.keep(Record("rest-api", "reviews-prod-api", "arn", {"id": "abc123"}))
    assert importable(context)["servers"] == [{"url": f"https://abc123.execute-api.{region}.{suffix}/prod"}]


def test_the_committed_document_is_that_of_the_default_settings() -> None:
    committed = json.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_text(encoding="utf-8"))
    assert committed == description(Settings())
