"""API Gateway's execute-api: `/restapis/<id>/<stage>/_user_request_/<path>`, as of the stage's last deployment."""

import json
import re
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from sentictl.twin.apigateway.access_log import AccessLogs
from sentictl.twin.apigateway.admission import Admission
from sentictl.twin.apigateway.gateway_responses import (
    GatewayError,
    configuration_error,
    filtered_by_waf,
    missing_authentication_token,
    request_too_large,
    throttled,
    with_defaults,
)
from sentictl.twin.apigateway.integrations import RESPONSE_HEADER, Integrations
from sentictl.twin.apigateway.openapi_import import OpenApiImports
from sentictl.twin.apigateway.routes import Deployment, Route, request_context
from sentictl.twin.apigateway.token_bucket import TokenBuckets
from sentictl.twin.cloudwatch.logs import LogStreams
from sentictl.twin.cloudwatch.metrics import API_GATEWAY, Metrics
from sentictl.twin.control_plane.control_plane import Call, ControlPlane
from sentictl.twin.core.messages import Request, Response, json_response, rest_error
from sentictl.twin.lambda_.functions import Functions
from sentictl.twin.waf.web_acls import WebAcls

EXECUTION = re.compile(r"/restapis/(?P<api>[^/]+)/(?P<stage>[^/]+)/_user_request_(?P<path>/.*)?", re.DOTALL)
MAX_BODY = 10 * 1024 * 1024  # API Gateway's payload limit


class Gateway:
    """The data plane of API Gateway's REST APIs.

    Args:
        control: the control plane, which has the APIs.
        functions: run where a method leads to one.
        admission: lets callers in.
        web_acls: stand in front of the stages.
        logs: where access logs are written.
        metrics: where requests are counted.
    """

    def __init__(
        self,
        control: ControlPlane,
        functions: Functions,
        admission: Admission,
        web_acls: WebAcls,
        logs: LogStreams,
        metrics: Metrics,
    ) -> None:
        self._control = control
        self._admission = admission
        self._web_acls = web_acls
        self._access_logs = AccessLogs(control, logs)
        self._metrics = metrics
        OpenApiImports(control)
        self._integrations = Integrations(control, functions)
        self._deployments: dict[tuple[str, str], Deployment] = {}
        self._buckets = TokenBuckets()
        self._replaced: Any = None
        control.before["apigateway", "CreateDeployment"] = self._keep_stage
        control.instead["apigateway", "GetGatewayResponses"] = self._list_gateway_responses
        control.after["apigateway", "CreateDeployment"] = self._deployed
        for operation in ("DeleteDeployment", "DeleteRestApi"):
            control.after["apigateway", operation] = self._deleted
        control.before["apigateway", "PutIntegrationResponse"] = self._refuse_undeclared_header

    def answer(self, request: Request) -> Response:
        """Answer a client of an API; every error of the gateway's own goes through the API's gateway responses."""
        found = EXECUTION.fullmatch(request.path)
        target = self._find_stage(found["api"], found["stage"]) if found else None
        if found is None or target is None or self._control.weather.meets("(request)", found["api"]):
            return json_response(403, {"message": "Forbidden"}, {"x-amzn-ErrorType": "ForbiddenException"})
        region, stage, deployment = target
        begun = time.perf_counter()
        told = request_context(request, found["api"], found["stage"], found["path"] or "/")
        try:
            if self._web_acls.blocks(request, region, found["api"], found["stage"]):
                raise filtered_by_waf()
            route = _route(request, found, region, stage, deployment, told)
            told |= route.context
            response = self._carry_out(request, stage, route, told)
        except GatewayError as error:
            response = deployment.gateway_responses.render(error, told, request)
            told |= error.details
        response.headers.add("x-amzn-RequestId", told["requestId"])
        response.headers.add("x-amz-apigw-id", found["api"])
        told |= {"status": response.status_code, "responseLength": len(response.get_data())}
        self._record(region, stage, told | {"responseLatency": round((time.perf_counter() - begun) * 1000)})
        return response

    def _list_gateway_responses(self, call: Call) -> Response:
        """List the default ones as well, which moto leaves out."""
        answer = self._control.ask_moto(call.request)
        if answer.ok:
            answer.set_data(json.dumps({"item": with_defaults(json.loads(answer.get_data())["item"])}))
        return answer

    def _carry_out(self, request: Request, stage: Any, route: Route, told: dict[str, Any]) -> Response:
        """Answer a request that may be answered; `told` takes what is known of it on the way."""
        admitted = self._admission.admit(request, route)
        told |= {f"identity.{name}": value for name, value in admitted.identity.items() if value}
        self._throttle(route.api, stage)
        try:
            return self._integrations.carry_out(request, admitted)
        finally:
            told |= route.told

    def _record(self, region: str, stage: Any, told: Mapping[str, Any]) -> None:
        """Write the access log's line of a request, and tell CloudWatch of it: also of one that is refused here."""
        if told["status"] != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:  # those may be left out, AWS says
            self._access_logs.write(region, stage, told)
        api = self._control.backend("apigateway", region).apis.get(told["apiId"])
        whole = {"ApiName": api.name if api else told["apiId"]}
        status, latencies = told["status"], {"Latency": "responseLatency", "IntegrationLatency": "integrationLatency"}
        counts = {"Count": 1.0, "4XXError": float(400 <= status < 500), "5XXError": float(status >= 500)}
        taken = {name: float(told[key]) for name, key in latencies.items() if key in told}
        self._metrics.put(region, API_GATEWAY, (whole, {**whole, "Stage": stage.name}), counts | taken)

    def _find_stage(self, api: str, stage: str) -> tuple[str, Any, Deployment] | None:
        for region in self._control.regions("apigateway"):
            found = self._control.backend("apigateway", region).apis.get(api)
            if found and stage in found.stages:
                deployed = self._deployments.get((api, found.stages[stage].deployment_id))
                return (region, found.stages[stage], deployed) if deployed else None
        return None

    def _throttle(self, api: str, stage: Any) -> None:
        settings = stage.method_settings.get("*/*")
        if not settings:
            return
        rate, burst = float(settings["throttlingRateLimit"]), int(settings["throttlingBurstLimit"])
        if not self._buckets.take((api, stage.name), rate, burst):
            raise throttled()

    def _keep_stage(self, call: Call) -> Response | None:
        """moto makes a stage anew with every deployment and forgets its settings; AWS only moves it on."""
        self._replaced = self._api(call).stages.get(call.payload.get("stageName")) if self._api(call) else None
        return None

    def _deployed(self, call: Call) -> None:
        api, name = self._api(call), call.payload.get("stageName")
        identifier = next(reversed(api.deployments))
        self._deployments[api.id, identifier] = Deployment.of(api, identifier)
        if self._replaced is not None:
            self._replaced.deployment_id = identifier
            self._replaced.variables |= call.payload.get("variables") or {}
            api.stages[name] = self._replaced

    def _deleted(self, call: Call) -> None:
        """Let go of a deployment, or of all that an API had."""
        api, identifier = call.labels["restapi_id"], call.labels.get("deployment_id")
        for key in [key for key in self._deployments if key[0] == api and identifier in (None, key[1])]:
            del self._deployments[key]

    def _refuse_undeclared_header(self, call: Call) -> Response | None:
        """moto takes any mapping; AWS refuses headers that the method's response does not declare."""
        api = self._api(call)
        if api is None or call.labels["resource_id"] not in api.resources:
            return None
        method = api.resources[call.labels["resource_id"]].resource_methods.get(call.labels["http_method"])
        declared = method.get_response(call.labels["status_code"]) if method else None
        known = (declared.response_parameters or {}) if declared else {}
        wanted = call.payload.get("responseParameters") or {}
        unknown = [name for name in wanted if name.startswith(RESPONSE_HEADER) and name not in known]
        if not unknown:
            return None
        errors = ", ".join(f"Invalid mapping expression parameter specified: {name}" for name in unknown)
        message = f"Invalid mapping expression specified: Validation Result: warnings : [], errors : [{errors}]"
        return rest_error("BadRequestException", message, 400)

    def _api(self, call: Call) -> Any:
        return self._control.backend("apigateway", call.region).apis.get(call.labels["restapi_id"])


def _route(
    request: Request, found: re.Match[str], region: str, stage: Any, deployment: Deployment, asked: dict[str, Any]
) -> Route:
    path = found["path"] or "/"
    hit = deployment.find(path, request.method) or deployment.find(path.rstrip("/"), request.method)
    if hit is None:
        raise missing_authentication_token()
    if (request.content_length or 0) > MAX_BODY:
        raise request_too_large(MAX_BODY)
    resource, method, parameters = hit
    if not method.get("methodIntegration"):
        raise configuration_error()
    return Route(
        api=found["api"],
        region=region,
        stage=found["stage"],
        deployment=deployment.identifier,
        resource=resource["path"],
        resource_id=resource["id"],
        path=path,
        method=method,
        parameters=parameters,
        stage_variables=stage.variables,
        binary_media_types=deployment.binary_media_types,
        asked=asked,
    )
