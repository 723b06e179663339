"""Endpoints that really serve: CreateEndpoint, UpdateEndpoint, DeleteEndpoint and InvokeEndpoint."""

import logging
import random
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from sentictl.twin.autoscaling.targets import ScalableTargets
from sentictl.twin.cloudwatch.alarms import Alarms
from sentictl.twin.cloudwatch.logs import LogStream, LogStreams
from sentictl.twin.cloudwatch.metrics import SAGEMAKER, Metrics
from sentictl.twin.control_plane.control_plane import ACCOUNT, Call, ControlPlane, naive_utc, name_call
from sentictl.twin.core.credentials import role_of
from sentictl.twin.core.environment import Access
from sentictl.twin.core.messages import Request, Response, json_response, json_rpc_error, rest_error, unknown_operation
from sentictl.twin.core.processes import StartFailedError
from sentictl.twin.events.rules import Rules
from sentictl.twin.iam.roles import AccessDeniedError, AssumedRole, refuse_unassumable
from sentictl.twin.s3.objects import Objects
from sentictl.twin.sagemaker.fleets import (
    Fleet,
    Fleets,
    InstanceFleet,
    start_fleets,
)
from sentictl.twin.sagemaker.images.stand_ins import UnknownImageError, stand_in
from sentictl.twin.sagemaker.invocation import ask, measured
from sentictl.twin.sagemaker.model_server import (
    ModelServer,
    Variant,
)
from sentictl.twin.sagemaker.rollouts import DeploymentRefusedError, RolledBackError, Rollout, rollout
from sentictl.twin.sagemaker.scaling import kept_counts, show_count
from sentictl.twin.sagemaker.shadow.captures import Captures, capture_summary
from sentictl.twin.sagemaker.shadow.copies import Answered, Copies
from sentictl.twin.sagemaker.shadow.refusals import refuse_shadow
from sentictl.twin.sagemaker.variants import is_serverless, production_variants, shadow_variant

logger = logging.getLogger("sentictl.twin")

INVOCATION = re.compile(r"/endpoints/([^/]+)/invocations")
EVENT_STATUS = {"InService": "IN_SERVICE", "Failed": "FAILED"}  # as SageMaker's events have it
IN_PROGRESS = ("Creating", "Updating", "RollingBack")
INTERRUPTED = "The deployment was rolled back, as the local twin ended while it was on its way."
WAIT_AFTER_RESTART = 60.0
# CreateX for a name that exists: moto replaces it silently, AWS refuses.
UNIQUE = (
    ("CreateModel", "ModelName", "_models", "model"),
    ("CreateEndpointConfig", "EndpointConfigName", "endpoint_configs", "endpoint configuration"),
    ("CreateEndpoint", "EndpointName", "endpoints", "endpoint"),
)


@dataclass
class Serving:
    """What an endpoint answers with, if anything yet, and whether it has come up since a restart of the twin.

    While others take the fleets' place, those answer a share of the requests.
    """

    fleets: Fleets | None = None
    ready: threading.Event = field(default_factory=threading.Event)
    successors: Fleets | None = None
    share: float = 0.0

    def pick(self) -> tuple[Fleets, Fleet] | None:
        """Return the fleets, and that of them which a request is for."""
        chosen = self.successors if random.random() < self.share else self.fleets  # noqa: S311  (no secret)
        return (chosen, chosen.pick()) if chosen else None


@dataclass(frozen=True)
class Wanted:
    """What an endpoint is to answer with next.

    Args:
        config: the endpoint config's name.
        counts: how many instances variants keep, by name, whatever the config says.
        rollout: how the requests come to it, from what answers them.
        reason: what DescribeEndpoint then tells of a failure before; None where there was none.
        recorded: whether the endpoint is recorded as in service with it, from before a restart of the twin.
    """

    config: str
    counts: Mapping[str, int] = field(default_factory=dict)
    rollout: Rollout = field(default_factory=Rollout)
    reason: str | None = None
    recorded: bool = False


class Endpoints:
    """The data plane of SageMaker's endpoints."""

    def __init__(
        self,
        control: ControlPlane,
        scaling: ScalableTargets,
        objects: Objects,
        logs: LogStreams,
        metrics: Metrics,
        alarms: Alarms,
        rules: Rules,
        folder: Path,
        access: Access,
    ) -> None:
        self._control = control
        self._scaling = scaling
        self._objects = objects
        self._logs = logs
        self._metrics = metrics
        self._alarms = alarms
        self._rules = rules
        self._folder = folder
        self._access = access
        self._serving: dict[tuple[str, str], Serving] = {}
        # Not the control plane's lock: an upload must not hold up an invocation.
        self._swapping = threading.Lock()
        for operation, member, store, noun in UNIQUE:
            control.before["sagemaker", operation] = partial(self._refuse, member, store, noun)
        control.after["sagemaker", "CreateEndpoint"] = self._created
        control.instead["sagemaker", "UpdateEndpoint"] = self._update
        control.before["sagemaker", "DeleteEndpoint"] = self._refuse_deletion
        control.after["sagemaker", "DeleteEndpoint"] = self._deleted
        control.facts["endpoint-settled"] = self._restore

    def bring_back(self) -> None:
        """After a replay: start the servers again of all endpoints that should have one."""
        for region in self._control.regions("sagemaker"):
            for name, endpoint in self._control.backend("sagemaker", region).endpoints.items():
                if endpoint.endpoint_status != "Failed":
                    reason = INTERRUPTED if endpoint.pending_deployment_summary else None
                    recorded = endpoint.endpoint_status == "InService"
                    counts = kept_counts(endpoint)
                    wanted = Wanted(endpoint.endpoint_config_name, counts, reason=reason, recorded=recorded)
                    self._begin(region, name, Serving(), wanted)

    def invoke(self, request: Request) -> Response:
        """Answer InvokeEndpoint."""
        if request.method != "POST":
            return unknown_operation()
        call = name_call(request, time.time())
        found = INVOCATION.fullmatch(request.path)
        name = found.group(1) if found else ""
        refusal = self._refuse_caller(call, name)
        if refusal:
            return refusal
        taken = self._take(call.region, name)
        if taken is None:
            return rest_error(
                "ValidationError", f"Endpoint {name} of account {ACCOUNT} not found.", HTTPStatus.BAD_REQUEST
            )
        fleets, fleet = taken
        status, response = self._answer(call.region, name, fleets.config, fleet, request)
        if fleets.copies:
            fleets.copies.take(Answered(request, fleet.variant.name, status, response))
        return response

    def _answer_counted(
        self, region: str, name: str, config: str, fleet: Fleet, request: Request
    ) -> tuple[int, Response]:
        fleet.begin()
        return self._answer(region, name, config, fleet, request)

    def _answer(self, region: str, name: str, config: str, fleet: Fleet, request: Request) -> tuple[int, Response]:
        """Ask a fleet, in which the request is counted in, and tell CloudWatch of it."""
        begun = time.perf_counter()
        status, response = ask(fleet, request)
        whole = {"EndpointName": name, "VariantName": fleet.variant.name}
        sets = (whole, {**whole, "EndpointConfigName": config})
        self._metrics.put(region, SAGEMAKER, sets, measured(status, time.perf_counter() - begun))
        return status, response

    def fleet(self, region: str, name: str, variant: str) -> InstanceFleet | None:
        """Return the instances of a variant; None where it has none now, or is serverless."""
        serving = self._serving.get((region, name))
        fleets = serving.fleets.each if serving and serving.fleets else []
        found = (fleet for fleet in fleets if fleet.variant.name == variant)
        return next((fleet for fleet in found if isinstance(fleet, InstanceFleet)), None)

    def running(self) -> int:
        """Return how many endpoints have a server."""
        return sum(serving.fleets is not None for serving in self._serving.values())

    def close(self) -> None:
        """End all servers at once."""
        for serving in list(self._serving.values()):
            for fleets in filter(None, (serving.fleets, serving.successors)):
                fleets.stop(drain=False)

    def _refuse_caller(self, call: Call, name: str) -> Response | None:
        """Refuse a function whose role does not allow it. (The user of this machine may do everything.)"""
        name_of_role = role_of(call.key)
        if not name_of_role:
            return None
        role = AssumedRole.named(self._control, name_of_role, "function")
        try:
            role.demand("sagemaker:InvokeEndpoint", f"arn:aws:sagemaker:{call.region}:{ACCOUNT}:endpoint/{name}")
        except AccessDeniedError as error:
            return rest_error("AccessDeniedException", str(error), HTTPStatus.FORBIDDEN)
        return None

    def _take(self, region: str, name: str) -> tuple[Fleets, Fleet] | None:
        """Return the fleets, and that of them which a request is for: it is counted in."""
        serving = self._serving.get((region, name))
        if serving is None:
            return None
        if serving.fleets is None and self._endpoint(region, name).endpoint_status == "InService":
            serving.ready.wait(WAIT_AFTER_RESTART)  # in service before the twin was restarted, loading now
        with self._swapping:
            taken = serving.pick()
            if taken:
                taken[1].begin()
            return taken

    def _endpoint(self, region: str, name: str) -> Any:
        return self._control.backend("sagemaker", region).endpoints.get(name)

    def _refuse(self, member: str, store: str, noun: str, call: Call) -> Response | None:
        name = call.payload[member]
        if name not in getattr(self._control.backend("sagemaker", call.region), store):
            role = call.payload.get("ExecutionRoleArn")
            models = self._control.backend("sagemaker", call.region)._models
            refusal = refuse_unassumable(self._control, role) if role else None
            return refusal or _refuse_image(call) or refuse_shadow(call.payload, call.region, models)
        arn = f"arn:aws:sagemaker:{call.region}:{ACCOUNT}:{noun.replace('uration', '').replace(' ', '-')}/{name}"
        return json_rpc_error("ValidationException", f'Cannot create already existing {noun} "{arn}".')

    def _created(self, call: Call) -> None:
        name = call.payload["EndpointName"]
        endpoint = self._endpoint(call.region, name)
        endpoint.endpoint_status = "Creating"
        endpoint.creation_time = endpoint.last_modified_time = naive_utc(call.when)
        endpoint.pending_deployment_summary = None
        endpoint.last_deployment_config = call.payload.get("DeploymentConfig")
        if not call.replaying:
            self._begin(call.region, name, Serving(), Wanted(call.payload["EndpointConfigName"]))

    def _update(self, call: Call) -> Response:
        name, config = call.payload["EndpointName"], call.payload["EndpointConfigName"]
        endpoint = self._endpoint(call.region, name)
        arn = f"arn:aws:sagemaker:{call.region}:{ACCOUNT}"
        if endpoint is None:
            return json_rpc_error("ValidationException", f'Could not find endpoint "{arn}:endpoint/{name}".')
        backend = self._control.backend("sagemaker", call.region)
        if config not in backend.endpoint_configs:
            message = f'Could not find endpoint configuration "{arn}:endpoint-config/{config}".'
            return json_rpc_error("ValidationException", message)
        if endpoint.endpoint_status in IN_PROGRESS:
            return json_rpc_error("ValidationException", f'Cannot update in-progress endpoint "{endpoint.arn}".')
        if is_serverless(backend, config) != is_serverless(backend, endpoint.endpoint_config_name):
            message = f'Cannot update endpoint "{endpoint.arn}" between serverless and instance-based variants.'
            return json_rpc_error("ValidationException", message)
        if refusal := self._scaling.refuse_update(call.region, name, config):
            return refusal
        counts = kept_counts(endpoint) if call.payload.get("RetainAllVariantProperties") else {}
        retained = endpoint.last_deployment_config if call.payload.get("RetainDeploymentConfig") else None
        asked = call.payload.get("DeploymentConfig") or retained
        try:
            planned = Rollout() if call.replaying else self._plan(call.region, endpoint, config, counts, asked)
        except DeploymentRefusedError as refused:
            return json_rpc_error("ValidationException", str(refused))
        endpoint.endpoint_status = "Updating"
        endpoint.failure_reason = None
        endpoint.last_modified_time = naive_utc(call.when)
        endpoint.last_deployment_config = asked or endpoint.last_deployment_config
        self._note_progress(call.region, endpoint, config, "Creating", call.when)
        if not call.replaying:
            serving, wanted = self._serving[call.region, name], Wanted(config, counts, planned)
            threading.Thread(target=self._follow, args=(call.region, name, serving, wanted), daemon=True).start()
        return json_response(200, {"EndpointArn": endpoint.arn}, {"Content-Type": "application/x-amz-json-1.1"})

    def _plan(
        self, region: str, endpoint: Any, config: str, counts: Mapping[str, int], asked: dict[str, Any] | None
    ) -> Rollout:
        """Read how an endpoint is to come to another config.

        Raises:
            DeploymentRefusedError: AWS refuses that.
        """
        if not asked:
            return Rollout()
        backend = self._control.backend("sagemaker", region)
        new, old = (backend.endpoint_configs[each] for each in (config, endpoint.endpoint_config_name))
        names = [{variant["VariantName"] for variant in each.production_variants} for each in (new, old)]
        if names[0] != names[1]:
            raise DeploymentRefusedError("The old and the new endpoint configuration must have the same variant names.")
        if is_serverless(backend, config):
            raise DeploymentRefusedError("DeploymentConfig is not supported for endpoints with serverless variants.")
        variants = production_variants(backend, config, counts)
        planned = rollout(asked, min(variant.instances for variant in variants))
        role = AssumedRole(self._control, variants[0].role)
        known = self._alarms.states(region, planned.alarms)
        for alarm in planned.alarms:
            arn = f"arn:aws:cloudwatch:{region}:{ACCOUNT}:alarm:{alarm}"
            if alarm not in known:
                raise DeploymentRefusedError(f'Could not find the alarm "{arn}".')
            if not role.allows("cloudwatch:DescribeAlarms", arn):
                raise DeploymentRefusedError(
                    f'The role "{role.arn}" is not authorized to perform cloudwatch:DescribeAlarms on "{arn}".'
                )
        return planned

    def _note_progress(self, region: str, endpoint: Any, config: str, status: str, when: float) -> None:
        """Let DescribeEndpoint tell how far an update is."""
        wanted = self._control.backend("sagemaker", region).endpoint_configs[config].production_variants
        begun = (endpoint.pending_deployment_summary or {}).get("StartTime", naive_utc(when))
        stage = {"Status": status, "StartTime": naive_utc(when)}
        variants = endpoint._process_production_variants(wanted)
        endpoint.pending_deployment_summary = {
            "EndpointConfigName": config,
            "StartTime": begun,
            "ProductionVariants": [{**variant, "VariantStatus": [stage]} for variant in variants],
        }

    def _refuse_deletion(self, call: Call) -> Response | None:
        name = call.payload["EndpointName"]
        endpoint = self._endpoint(call.region, name)
        if call.replaying or endpoint is None:
            return None
        if endpoint.endpoint_status not in IN_PROGRESS:
            return self._scaling.refuse_deletion(call, name)
        return json_rpc_error("ValidationException", f'Cannot update in-progress endpoint "{endpoint.arn}".')

    def _deleted(self, call: Call) -> None:
        self._scaling.forget(call.region, call.payload["EndpointName"])
        serving = self._serving.pop((call.region, call.payload["EndpointName"]), None)
        if serving and serving.fleets:
            if serving.fleets.copies:
                serving.fleets.copies.stop(drain=False)
            threading.Thread(target=serving.fleets.stop, daemon=True).start()

    def _begin(self, region: str, name: str, serving: Serving, wanted: Wanted) -> None:
        self._serving[region, name] = serving
        threading.Thread(target=self._start, args=(region, name, serving, wanted), daemon=True).start()

    def _follow(self, region: str, name: str, serving: Serving, wanted: Wanted) -> None:
        """Start what is to follow what an endpoint answers with, which after a restart may still be coming up."""
        serving.ready.wait()
        self._start(region, name, serving, wanted)

    def _start(self, region: str, name: str, serving: Serving, wanted: Wanted) -> None:
        """Start what an endpoint is to answer with, and let it take the place of what answers now."""
        endpoint = self._endpoint(region, name)
        try:
            with self._control.lock:
                backend = self._control.backend("sagemaker", region)
                variants = production_variants(backend, wanted.config, wanted.counts)
                shadow = shadow_variant(backend, wanted.config)
            fleets = start_fleets(wanted.config, variants, partial(self._start_server, region, name), shadow)
            fleets.copies = self._copies(region, name, fleets)
            if serving.fleets:
                self._roll_out(region, endpoint, serving, fleets, wanted.rollout)
        except (StartFailedError, RolledBackError) as error:
            self._settle(region, name, serving, replace(wanted, reason=str(error)))
        except Exception as error:  # noqa: BLE001  an endpoint never stays Creating, whatever broke
            reason = f"InternalServerError: {type(error).__name__}: {error}"
            self._settle(region, name, serving, replace(wanted, reason=reason))
        else:
            self._settle(region, name, serving, wanted, fleets)

    def _roll_out(self, region: str, endpoint: Any, serving: Serving, successors: Fleets, planned: Rollout) -> None:
        """Let other fleets answer more and more of the requests.

        Raises:
            RolledBackError: an alarm went off; the old fleets answer all of them, and the new ones have ended.
        """

        def shift(share: float) -> None:
            with self._swapping:
                serving.successors, serving.share = successors, share
            with self._control.lock:
                self._note_progress(region, endpoint, successors.config, "Baking", time.time())

        def over() -> bool:
            return self._serving.get((region, endpoint.endpoint_name)) is not serving

        try:
            planned.carry_out(shift, partial(self._alarms.states, region), over)
        except BaseException:
            with self._control.lock:
                endpoint.endpoint_status = "RollingBack"
                self._tell(region, endpoint, "ROLLING_BACK")
            with self._swapping:
                serving.successors, serving.share = None, 0.0
            successors.stop()
            raise

    def _start_server(self, region: str, name: str, variant: Variant) -> ModelServer:
        role = AssumedRole(self._control, variant.role)
        if not role.may_pull(variant.image):
            raise StartFailedError(
                f"The role '{role.arn}' does not have BatchGetImage permission for the image: '{variant.image}'."
            )
        write = self._writer(region, name, f"{variant.name}/i-{secrets.token_hex(8)}", role)
        environment = self._access.child_environment(region)
        folder = self._folder / secrets.token_hex(8)
        objects = self._objects.acting_as(role)
        return ModelServer(variant, folder, objects, environment, write)

    def _writer(self, region: str, name: str, stream: str, role: AssumedRole) -> Callable[[str], None]:
        """Return what writes lines into a stream of an endpoint's log, in a role."""
        return partial(self._logs.write, LogStream(region, f"/aws/sagemaker/Endpoints/{name}", stream, role))

    def _copies(self, region: str, name: str, fleets: Fleets) -> Copies | None:
        """Return what takes the copies of an endpoint's requests; None where nothing does."""
        capturing = self._control.backend("sagemaker", region).endpoint_configs[fleets.config].data_capture_config
        if not capturing and not fleets.shadow:
            return None
        variant = (fleets.shadow or fleets.each[0]).variant
        role = AssumedRole(self._control, variant.role)
        tell = self._writer(region, name, f"{variant.name}/data-log", role)
        captures = Captures(capturing, name, self._objects.acting_as(role), tell)
        if not fleets.shadow:
            return Copies(captures, tell)
        ask = partial(self._answer_counted, region, name, fleets.config, fleets.shadow)
        return Copies(captures, tell, variant.name, ask)

    def _settle(self, region: str, name: str, serving: Serving, wanted: Wanted, fleets: Fleets | None = None) -> None:
        """Put what was started in the old one's place, or leave the old one there and say why."""
        endpoint = self._endpoint(region, name)
        if fleets and serving.fleets and serving.fleets.copies:
            serving.fleets.copies.stop(drain=True)  # all that is captured of the old one is there when it is over
        with self._control.lock:
            if self._serving.get((region, name)) is not serving:  # deleted meanwhile
                old = fleets
            else:
                with self._swapping:
                    old = serving.fleets if fleets else None
                    serving.fleets = fleets or serving.fleets
                    serving.successors, serving.share = None, 0.0
                if not (wanted.recorded and (fleets or endpoint.endpoint_status == "Updating")):
                    self._conclude(region, endpoint, serving.fleets, wanted.reason)
                serving.ready.set()
        if old:
            old.stop()

    def _conclude(self, region: str, endpoint: Any, fleets: Fleets | None, reason: str | None) -> None:
        data = {
            "when": time.time(),
            "status": "InService" if fleets else "Failed",
            "reason": reason,
            "config": fleets.config if fleets else endpoint.endpoint_config_name,
            "images": [_image(fleet.variant.image) for fleet in fleets.each] if fleets else [],
            "counts": fleets.counts if fleets else {},
        }
        self._apply(endpoint, region, data)
        self._tell(region, endpoint, EVENT_STATUS[endpoint.endpoint_status])
        self._control.record("endpoint-settled", region=region, name=endpoint.endpoint_name, data=data)

    def _tell(self, region: str, endpoint: Any, status: str) -> None:
        """Tell EventBridge of an endpoint's new status, as SageMaker does."""
        detail = {
            "EndpointName": endpoint.endpoint_name,
            "EndpointArn": endpoint.arn,
            "EndpointConfigName": endpoint.endpoint_config_name,
            "EndpointStatus": status,
        }
        self._rules.tell(region, "aws.sagemaker", "SageMaker Endpoint State Change", endpoint.arn, detail)

    def _restore(self, data: dict[str, Any], _body: bytes) -> None:
        self._apply(self._endpoint(data["region"], data["name"]), data["region"], data["data"])

    def _apply(self, endpoint: Any, region: str, data: dict[str, Any]) -> None:
        endpoint.endpoint_status = data["status"]
        endpoint.failure_reason = data["reason"]
        endpoint.pending_deployment_summary = None
        endpoint.endpoint_config_name = data["config"]
        endpoint.last_modified_time = naive_utc(data["when"])
        config = self._control.backend("sagemaker", region).endpoint_configs.get(data["config"])
        if config and data["images"]:
            endpoint.production_variants = endpoint._process_production_variants(config.production_variants)
            for variant, image in zip(endpoint.production_variants, data["images"], strict=True):
                variant["DeployedImages"] = [image]
            shadows = endpoint._process_production_variants(config.shadow_production_variants or [])
            endpoint.shadow_production_variants = shadows or None
            endpoint.data_capture_config = capture_summary(config.data_capture_config)
        for variant, count in data.get("counts", {}).items():  # entries of before have none
            show_count(endpoint, variant, count, count)


def _refuse_image(call: Call) -> Response | None:
    """Return the refusal of a model whose image nothing here stands in for; None for all else."""
    containers = [call.payload.get("PrimaryContainer"), *call.payload.get("Containers", [])]
    try:
        for container in filter(None, containers):
            stand_in(container.get("Image", ""))
    except UnknownImageError as error:
        return json_rpc_error("ValidationException", str(error))
    return None


def _image(name: str) -> dict[str, str]:
    return {"SpecifiedImage": name, "ResolvedImage": name}
