"""What the REST API is made of: its methods on the stage's root, and the answers that API Gateway gives by itself."""

import math
from collections.abc import Mapping
from typing import Any

from sentictl.lifecycle.resource import Context
from sentictl.services.access.cors import cors, cors_of_errors, preflight, preflight_template
from sentictl.services.access.none import OPEN
from sentictl.services.access.ways import way_of
from sentictl.services.iam.roles import PageRole
from sentictl.services.page.render import HEADERS
from sentictl.services.web.function import Function

JSON = "application/json"
PAGE_KEY = "site/index.html"
# Where Lambda refuses to run the function, because too many of its invocations run, API Gateway would answer 500; of
# which type that is, its users tell differently (https://stackoverflow.com/questions/36363280, and AWS re:Post). A new
# permission is an API_CONFIGURATION_ERROR for its first minutes, too.
FOR_THE_MOMENT = ("INTEGRATION_FAILURE", "API_CONFIGURATION_ERROR")
AGAIN_SECONDS = 1
# What WAF blocks, which would be a 403: the one rule there is counts the requests of an address in these seconds.
FILTERED = "WAF_FILTERED"
CALLER_WINDOW_SECONDS = 300
# The same shape as the errors of the function, so that a page needs to understand only one.
ERROR_TEMPLATE = (
    '{"error":{"code":"$context.error.responseType","message":$context.error.messageString,'
    '"request_id":"$context.requestId"}}'
)
EXPOSED = "Retry-After, x-amzn-RequestId"  # headers that pages on other addresses may read


def methods(context: Context) -> dict[str, Any]:
    """Return the methods by verb, each with what it takes of a caller, its integration and its responses.

    Only who posts is asked for anything: a browser's preflight never carries credentials, and the page is what asks.
    """
    page = context.settings.site.publish == "api"
    wanted = {"POST": _function_method(context), "OPTIONS": _preflight_method(context)}
    return wanted | ({"GET": _page_method(context)} if page else {})


def gateway_responses(context: Context) -> dict[str, Any]:
    """Return the gateway responses by type."""
    headers, api = cors_of_errors(context), context.settings.api
    # A bucket gets `throttle_rate` new tokens a second, or `key_rate`: so long does one take to come.
    next_token = math.ceil(1 / min(api.throttle_rate, api.key_rate if api.auth == "key" else math.inf))
    too_often = {"statusCode": "429", **_gateway_response(headers, {"Retry-After": f"'{CALLER_WINDOW_SECONDS}'"})}
    unavailable = {"statusCode": "503", **_gateway_response(headers, {"Retry-After": f"'{AGAIN_SECONDS}'"})}
    return {
        "DEFAULT_4XX": _gateway_response(headers),
        "DEFAULT_5XX": _gateway_response(headers),
        "THROTTLED": _gateway_response(headers, {"Retry-After": f"'{next_token}'"}),
        **dict.fromkeys(FOR_THE_MOMENT, unavailable),
        **({FILTERED: too_often} if context.settings.api.caller_rate_limit else {}),
    }


def _function_method(context: Context) -> dict[str, Any]:
    environment = context.environment
    path = f"path/2015-03-31/functions/{Function(context).arn}/invocations"
    integration = {
        "type": "AWS_PROXY",
        "integrationHttpMethod": "POST",
        "uri": f"arn:{environment.partition}:apigateway:{environment.region}:lambda:{path}",
    }
    return {
        "authorization": way_of(context.settings).method(),
        "integration": integration,
        "method_responses": {},
        "integration_responses": {},
    }


def _preflight_method(context: Context) -> dict[str, Any]:
    headers, template = preflight(context), preflight_template(context)
    integration = {
        "type": "MOCK",
        "requestTemplates": {JSON: '{"statusCode": 200}'},
        "contentHandling": "CONVERT_TO_TEXT",  # the template needs text where all media types count as binary
        "passthroughBehavior": "WHEN_NO_TEMPLATES",  # a body of another type is a 415; passed on, it would be a 500
    }
    response = {"responseParameters": _method_headers(headers)}
    return {
        "authorization": OPEN.method(),
        "integration": integration,
        "method_responses": {"200": _declared(headers)},
        "integration_responses": {"200": response | ({"responseTemplates": {JSON: template}} if template else {})},
    }


def _page_method(context: Context) -> dict[str, Any]:
    environment, bucket = context.environment, context.naming.bucket
    integration = {
        "type": "AWS",
        "integrationHttpMethod": "GET",
        "uri": f"arn:{environment.partition}:apigateway:{environment.region}:s3:path/{bucket}/{PAGE_KEY}",
        "credentials": PageRole(context).arn,
    }
    passed_on = {header: f"integration.response.header.{header}" for header in ("Content-Type", "Cache-Control")}
    headers = cors(context)
    found = headers | {header: f"'{value}'" for header, value in HEADERS.items()} | passed_on
    failed = headers | {"Content-Type": passed_on["Content-Type"]}
    return {
        "authorization": OPEN.method(),
        "integration": integration,
        "method_responses": {"200": _declared(found), "404": _declared(failed), "502": _declared(failed)},
        # By what S3 answers. It says 403 of a missing object to those who may not list the bucket; the one without a
        # pattern is for all else: S3's own failures, and redirects, which API Gateway does not follow.
        "integration_responses": {
            "200": {"responseParameters": _method_headers(found), "selectionPattern": r"2\d{2}"},
            "404": {"responseParameters": _method_headers(failed), "selectionPattern": "40[34]"},
            "502": {"responseParameters": _method_headers(failed)},
        },
    }


def _gateway_response(headers: Mapping[str, str], more: Mapping[str, str] | None = None) -> dict[str, Any]:
    sent = {**headers, "Access-Control-Expose-Headers": f"'{EXPOSED}'", **(more or {})}
    return {
        "responseParameters": {f"gatewayresponse.header.{header}": value for header, value in sent.items()},
        "responseTemplates": {JSON: ERROR_TEMPLATE},
    }


def _method_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {f"method.response.header.{header}": value for header, value in headers.items()}


def _declared(headers: Mapping[str, str]) -> dict[str, bool]:
    return dict.fromkeys(_method_headers(headers), False)
