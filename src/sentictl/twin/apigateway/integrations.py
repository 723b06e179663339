"""The integrations of an API's methods: a Lambda function, a mock, or an object in S3."""

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from http import HTTPStatus
from typing import Any

from werkzeug.datastructures import Headers

from sentictl.twin.apigateway.gateway_responses import (
    bad_integration_answer,
    configuration_error,
    integration_failure,
    integration_timeout,
    render_template,
    request_too_large,
    static_value,
    unsupported_media_type,
)
from sentictl.twin.apigateway.mapping_templates import MappingTemplate, TemplateError
from sentictl.twin.apigateway.proxy_event import proxy_event, proxy_response
from sentictl.twin.apigateway.routes import Route
from sentictl.twin.control_plane.control_plane import ACCOUNT, ControlPlane
from sentictl.twin.core.messages import Request, Response, authorization, s3_error
from sentictl.twin.iam import policies
from sentictl.twin.iam.roles import AssumedRole
from sentictl.twin.lambda_.functions import MAX_PAYLOAD, PATIENCE, Functions, UnknownFunctionError
from sentictl.twin.lambda_.line import Abandoned, TooManyCallersError
from sentictl.twin.lambda_.runtime import Outcome
from sentictl.twin.s3.objects import split_uri

LAMBDA_URI = re.compile(r"arn:aws:apigateway:[^:]+:lambda:path/2015-03-31/functions/(?P<arn>.+)/invocations")
S3_URI = re.compile(r"arn:aws:apigateway:[^:]+:s3:path/(?P<path>.+)")
MAX_SECONDS = 29.0  # API Gateway's limit
GATEWAY = "apigateway.amazonaws.com"
RESPONSE_HEADER = "method.response.header."


class Integrations:
    """Carries out a method's integration."""

    def __init__(self, control: ControlPlane, functions: Functions) -> None:
        self._control = control
        self._functions = functions

    def carry_out(self, request: Request, route: Route) -> Response:
        """Answer a request.

        Raises:
            GatewayError: the gateway answers, not the integration.
        """
        kind, uri = route.integration.get("type"), route.integration.get("uri") or ""
        if kind == "MOCK":
            return self._mock(request, route)
        begun = time.perf_counter()
        try:
            if kind == "AWS_PROXY" and (found := LAMBDA_URI.fullmatch(uri)):
                return self._lambda(request, route, found["arn"])
            if kind == "AWS" and (found := S3_URI.fullmatch(uri)):
                return self._s3(request, route, found["path"])
        finally:
            milliseconds = round((time.perf_counter() - begun) * 1000)
            route.told.update(dict.fromkeys(("integrationLatency", "integration.latency"), milliseconds))
        raise configuration_error()

    def _lambda(self, request: Request, route: Route, arn: str) -> Response:
        try:
            function = self._functions.function(arn, route.region)
        except UnknownFunctionError as error:
            raise configuration_error() from error
        if not route.integration.get("credentials") and not _may_invoke(function, request, route):
            raise configuration_error()
        if self._control.weather.meets("(invocation)", function.function_name):
            raise configuration_error()
        event = json.dumps(proxy_event(request, route)).encode()
        if len(event) > MAX_PAYLOAD:
            raise request_too_large(MAX_PAYLOAD)
        outcome = self._invoke(function, event, route, request.abandoned)
        route.told.update(dict.fromkeys(("awsEndpointRequestId", "integration.requestId"), outcome.request_id))
        if outcome.error:
            raise bad_integration_answer()
        response = proxy_response(outcome.payload, request.headers.get("accept", ""), route.binary_media_types)
        _tell_status(route, response.status_code)
        return response

    def _invoke(self, function: Any, event: bytes, route: Route, abandoned: Abandoned) -> Outcome:
        limit = min(MAX_SECONDS, float(route.integration.get("timeoutInMillis") or MAX_SECONDS * 1000) / 1000)
        run = partial(self._functions.invoke, function.function_arn, event, route.region, abandoned)
        try:
            return run() if PATIENCE + float(function.timeout) < limit else _within(limit, run)
        except TooManyCallersError as error:
            raise integration_failure() from error
        except TimeoutError as error:
            raise integration_timeout() from error
        except UnknownFunctionError as error:  # deleted meanwhile
            raise configuration_error() from error

    def _mock(self, request: Request, route: Route) -> Response:
        template = _request_template(request, route)
        try:
            status = str(json.loads(render_template(template, route.context))["statusCode"])
        except (ValueError, KeyError, TypeError) as error:
            raise configuration_error() from error
        return _integration_response(request, route, Response(status=int(status)))

    def _s3(self, request: Request, route: Route, path: str) -> Response:
        for name, source in (route.integration.get("requestParameters") or {}).items():
            value = _request_value(source, request, route)
            path = path.replace("{" + name.removeprefix("integration.request.path.") + "}", value)
        bucket, key = split_uri(f"s3://{path}")
        if not self._may_read(route, bucket, key):
            return _integration_response(
                request, route, s3_error("AccessDenied", "Access Denied", HTTPStatus.FORBIDDEN)
            )
        method = route.integration.get("httpMethod") or "GET"
        headers = {"authorization": authorization("s3", route.region)}
        answer = self._control.handle(Request.make(method, f"/{bucket}/{key}", headers=headers))
        _tell_status(route, answer.status_code)
        return _integration_response(request, route, answer)

    def _may_read(self, route: Route, bucket: str, key: str) -> bool:
        """Whether the integration's role allows it. API Gateway breaks on a role that does not trust it."""
        role = AssumedRole(self._control, str(route.integration.get("credentials") or ""))
        if not role.trusts(GATEWAY) or self._control.weather.meets("(page)", role.arn.rpartition("/")[2]):
            raise configuration_error()
        return role.allows("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")


def _tell_status(route: Route, status: int) -> None:
    route.told.update(dict.fromkeys(("integrationStatus", "integration.status"), status))


def _within(limit: float, run: Callable[[], Outcome]) -> Outcome:
    """Give up after a time; the function runs on, as on AWS."""
    future: Future[Outcome] = Future()

    def carry_out() -> None:
        try:
            future.set_result(run())
        except Exception as error:  # noqa: BLE001  whoever waits for the result gets it
            future.set_exception(error)

    threading.Thread(target=carry_out, daemon=True).start()
    return future.result(limit)


def _may_invoke(function: Any, request: Request, route: Route) -> bool:
    """Whether the function's resource policy lets API Gateway call it for this method (AddPermission)."""
    path = route.resource.lstrip("/")
    method = route.method.get("httpMethod", request.method)
    source = f"arn:aws:execute-api:{route.region}:{ACCOUNT}:{route.api}/{route.stage}/{method}/{path}"
    context = {"aws:SourceArn": source, "aws:SourceAccount": ACCOUNT}
    return any(policies.lets_in(s, GATEWAY, "lambda:InvokeFunction", context) for s in function.policy.statements)


def _request_template(request: Request, route: Route) -> str:
    """Return the mapping template for the request's content type, by the integration's passthrough behavior."""
    templates = route.integration.get("requestTemplates") or {}
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type in templates:
        return str(templates[media_type])
    behavior = route.integration.get("passthroughBehavior") or "WHEN_NO_MATCH"
    if behavior == "NEVER" or (behavior == "WHEN_NO_TEMPLATES" and templates):
        raise unsupported_media_type()
    return request.get_data(as_text=True)


def _request_value(source: str, request: Request, route: Route) -> str:
    kind, _, name = source.removeprefix("method.request.").partition(".")
    if kind == "path":
        return route.parameters.get(name, "")
    if kind == "querystring":
        return request.args.getlist(name)[-1] if name in request.args else ""
    if kind == "header":
        return request.headers.get(name, "")
    return static_value(source) or ""


def _integration_response(request: Request, route: Route, answer: Response) -> Response:
    """Map an integration's answer to the method's by the first selection pattern that matches its status."""
    choices = list((route.integration.get("integrationResponses") or {}).values())
    matching = [
        c for c in choices if c.get("selectionPattern") and re.fullmatch(c["selectionPattern"], str(answer.status_code))
    ]
    chosen = next(iter(matching + [c for c in choices if not c.get("selectionPattern")]), None)
    if chosen is None:
        raise configuration_error()
    status = str(chosen["statusCode"])
    headers = Headers({"Content-Type": "application/json"})
    for target, source in (chosen.get("responseParameters") or {}).items():
        value = _response_value(source, answer.headers)
        if target.startswith(RESPONSE_HEADER) and value is not None:
            headers.set(target.removeprefix(RESPONSE_HEADER), value)
    body, content_type, overrides = _response_body(request, chosen, answer, route)
    if content_type:
        headers.setdefault("Content-Type", content_type)
    for name, value in overrides.items():
        headers.set(name, value)
    return Response(body, int(status), headers)


def _response_value(source: str, received: Headers) -> str | None:
    prefix = "integration.response.header."
    if source.startswith(prefix):
        return received.get(source.removeprefix(prefix))
    return static_value(source)


def _response_body(
    request: Request, chosen: Mapping[str, Any], answer: Response, route: Route
) -> tuple[bytes | str, str | None, Mapping[str, str]]:
    """Return the body, its type where a template makes it, and the headers that the template sets."""
    templates = chosen.get("responseTemplates") or {}
    if not templates:
        return answer.get_data(), None, {}
    content_type, text = next(iter(templates.items()))
    context = {**route.context, "status": answer.status_code}
    template = MappingTemplate(text or "", context, lambda name: request.headers.get(name, request.args.get(name, "")))
    try:
        return template.render(), content_type, template.headers
    except TemplateError as problem:
        raise configuration_error() from problem
