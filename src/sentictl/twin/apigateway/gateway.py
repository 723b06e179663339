"""API Gateway's execute-api: `/restapis/<id>/<stage>/_user_request_/<path>`, as of the stage's last deployment."""

import re
import threading
import time
from typing import Any

from sentictl.twin.apigateway.gateway_responses import (
    GatewayError,
    configuration_error,
    missing_authentication_token,
    request_too_large,
    throttled,
)
from sentictl.twin.apigateway.integrations import RESPONSE_HEADER, Integrations
from sentictl.twin.apigateway.openapi_import import OpenApiImports
from sentictl.twin.apigateway.routes import Deployment, Route
from sentictl.twin.control_plane.control_plane import Call, ControlPlane
from sentictl.twin.core.messages import Request, Response, json_response, rest_error
from sentictl.twin.lambda_.functions import Functions

EXECUTION = re.compile(r"/restapis/(?P<api>[^/]+)/(?P<stage>[^/]+)/_user_request_(?P<path>/.*)?", re.DOTALL)
MAX_BODY = 10 * 1024 * 1024  # API Gateway's payload limit


class Gateway:
    """The data plane of API Gateway's REST APIs."""

    def __init__(self, control: ControlPlane, functions: Functions) -> None:
        self._control = control
        OpenApiImports(control)
        self._integrations = Integrations(control, functions)
        self._deployments: dict[tuple[str, str], Deployment] = {}
        self._buckets: dict[tuple[str, str], TokenBucket] = {}
        self._replaced: Any = None
        control.before["apigateway", "CreateDeployment"] = self._keep_stage
        control.after["apigateway", "CreateDeployment"] = self._deployed
        control.before["apigateway", "PutIntegrationResponse"] = self._refuse_undeclared_header

    def answer(self, request: Request) -> Response:
        """Answer a client of an API; every error of the gateway's own goes through the API's gateway responses."""
        found = EXECUTION.fullmatch(request.path)
        target = self._find_stage(found["api"], found["stage"]) if found else None
        if found is None or target is None or self._control.weather.meets("(request)", found["api"]):
            return json_response(403, {"message": "Forbidden"}, {"x-amzn-ErrorType": "ForbiddenException"})
        region, stage, deployment = target
        context: dict[str, Any] = {"apiId": found["api"], "stage": found["stage"]}
        try:
            route = _route(request, found, region, stage, deployment)
            context = route.context
            self._throttle(found["api"], stage)
            response = self._integrations.carry_out(request, route)
        except GatewayError as error:
            response = deployment.gateway_responses.render(error, context)
        response.headers.add("x-amzn-RequestId", str(context.get("requestId", "")))
        response.headers.add("x-amz-apigw-id", found["api"])
        return response

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
        bucket = self._buckets.get((api, stage.name))
        if bucket is None or (bucket.rate, bucket.burst) != (rate, burst):
            bucket = self._buckets[api, stage.name] = TokenBucket(rate, burst)
        if not bucket.take():
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


class TokenBucket:
    """`burst` tokens at most, `rate` new ones a second; thread-safe."""

    def __init__(self, rate: float, burst: int) -> None:
        self.rate = rate
        self.burst = burst
        self._tokens = float(burst)
        self._filled = time.monotonic()
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take a token, if there is one."""
        with self._lock:
            now = time.monotonic()
            self._tokens = min(self.burst, self._tokens + (now - self._filled) * self.rate)
            self._filled = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True


def _route(request: Request, found: re.Match[str], region: str, stage: Any, deployment: Deployment) -> Route:
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
    )
