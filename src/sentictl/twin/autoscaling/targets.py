"""What is registered to scale, and by which policies: Application Auto Scaling's API, for variants of endpoints."""

import hashlib
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sentictl.twin.autoscaling.tracking import METRICS
from sentictl.twin.control_plane.control_plane import ACCOUNT, Call, ControlPlane
from sentictl.twin.control_plane.pagination import JSON_RPC
from sentictl.twin.core.credentials import role_of
from sentictl.twin.core.messages import Response, json_response, json_rpc_error
from sentictl.twin.iam.roles import AssumedRole

SERVICE = "application-autoscaling"
NAMESPACE = "sagemaker"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
VARIANT = re.compile(r"endpoint/(?P<endpoint>[^/]+)/variant/(?P<variant>[^/]+)")
CAPACITY = ("MinCapacity", "MaxCapacity")
BURSTABLE = "ml.t2."
MOST_ACTIVITIES = 100  # that are remembered of a target
Key = tuple[str, str, str]  # region, endpoint and variant


@dataclass
class RegisteredVariant:
    """A variant that is registered.

    Args:
        key: its region, endpoint and name.
        arn: its ARN.
        least: the fewest instances that it may have.
        most: the most.
        made: when it was registered, in seconds since the epoch.
        tags: by key.
        policies: AWS's descriptions of its scaling policies, by name.
        activities: AWS's descriptions of what was done, the latest first.
    """

    key: Key
    arn: str
    least: int
    most: int
    made: float
    tags: dict[str, str]
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)
    activities: list[dict[str, Any]] = field(default_factory=list)

    @property
    def place(self) -> dict[str, str]:
        """What AWS calls it."""
        _, endpoint, variant = self.key
        resource = f"endpoint/{endpoint}/variant/{variant}"
        return {"ServiceNamespace": NAMESPACE, "ResourceId": resource, "ScalableDimension": DIMENSION}

    def description(self) -> dict[str, Any]:
        """Return what DescribeScalableTargets tells."""
        capacity = {"MinCapacity": self.least, "MaxCapacity": self.most}
        return {**self.place, **capacity, "ScalableTargetARN": self.arn, "CreationTime": self.made}


class _RefusedError(Exception):
    """AWS refuses the call, with this code."""

    def __init__(self, message: str, code: str = "ValidationException") -> None:
        super().__init__(message)
        self.code = code


class ScalableTargets:
    """All that is registered."""

    def __init__(self, control: ControlPlane) -> None:
        self._control = control
        self._targets: dict[Key, RegisteredVariant] = {}
        self.any = threading.Event()  # whether there are some
        answers: Mapping[str, Callable[[Call], dict[str, Any]]] = {
            "RegisterScalableTarget": self._register,
            "DeregisterScalableTarget": self._deregister,
            "DescribeScalableTargets": self._describe_targets,
            "PutScalingPolicy": self._put_policy,
            "DeleteScalingPolicy": self._delete_policy,
            "DescribeScalingPolicies": self._describe_policies,
            "DescribeScalingActivities": self._describe_activities,
            "ListTagsForResource": self._list_tags,
            "TagResource": self._tag,
            "UntagResource": self._untag,
        }
        for operation, answer in answers.items():
            control.instead[SERVICE, operation] = _answering(answer)
        control.facts["scaling-activity"] = self._restore_activity

    def all(self) -> list[RegisteredVariant]:
        """Return all of them."""
        with self._control.lock:
            return list(self._targets.values())

    def note(self, target: RegisteredVariant, activity: dict[str, Any]) -> None:
        """Remember what was done to a variant."""
        region, name, variant = target.key
        with self._control.lock:
            self._add(target.key, activity)
            self._control.record("scaling-activity", region=region, name=name, variant=variant, activity=activity)

    def refuse_update(self, region: str, endpoint: str, config: str) -> Response | None:
        """Refuse to update an endpoint so that a registered variant goes, or gets other instances.

        Args:
            region: the endpoint's.
            endpoint: its name.
            config: the name of the endpoint config that it would get.
        """
        now, then = self._machines(region, self._config_of(region, endpoint)), self._machines(region, config)
        changed = [name for name in self._variants(region, endpoint) if now.get(name) != then.get(name)]
        if not changed:
            return None
        named = ",".join(changed)
        message = (
            f'The variant(s) "[{named}]" must be deregistered as scalable targets with AWS Application Auto Scaling '
            "before they can be removed or have their instance type updated."
        )
        return json_rpc_error("ValidationException", message)

    def refuse_deletion(self, call: Call, endpoint: str) -> Response | None:
        """Refuse to delete an endpoint that scales for whoever may not deregister it."""
        role, context = role_of(call.key), {"application-autoscaling:service-namespace": NAMESPACE}
        action = "application-autoscaling:DeregisterScalableTarget"
        arns = [t.arn for t in self._targets.values() if t.key[:2] == (call.region, endpoint)] if role else []
        assumed = AssumedRole.named(self._control, role, "SageMaker")
        if all(assumed.allows(action, arn, context) for arn in arns):
            return None
        message = (
            "An Application AutoScaling scalable target exists for a variant being deleted, and the IAM identity used "
            f"to invoke DeleteEndpoint does not have {action} permission to deregister the scalable target."
        )
        return json_rpc_error("ValidationException", message)

    def forget(self, region: str, endpoint: str) -> None:
        """Deregister the variants of an endpoint that was deleted."""
        for variant in self._variants(region, endpoint):
            del self._targets[region, endpoint, variant]
        self._tell()

    def _tell(self) -> None:
        if self._targets:
            self.any.set()
        else:
            self.any.clear()

    def _variants(self, region: str, endpoint: str) -> list[str]:
        return [variant for where, name, variant in self._targets if (where, name) == (region, endpoint)]

    def _machines(self, region: str, config: str) -> dict[str, Any]:
        """What the variants of an endpoint config say of their instances, by name."""
        found = self._control.backend("sagemaker", region).endpoint_configs.get(config)
        variants = found.production_variants if found else []
        return {each["VariantName"]: (each.get("InstanceType"), each.get("InstancePools")) for each in variants}

    def _config_of(self, region: str, endpoint: str) -> str:
        return str(self._control.backend("sagemaker", region).endpoints[endpoint].endpoint_config_name)

    def _register(self, call: Call) -> dict[str, Any]:
        wanted, key = call.payload, _key(call)
        target = self._targets.get(key)
        self._check_variant(key)
        before = {"MinCapacity": target.least, "MaxCapacity": target.most} if target else {}
        least, most = _capacity(before | {key: wanted[key] for key in CAPACITY if key in wanted})
        if target is None:
            digest = hashlib.sha256(f"{key} {call.when}".encode()).hexdigest()
            arn = f"arn:aws:{SERVICE}:{key[0]}:{ACCOUNT}:scalable-target/{digest[:28]}"
            target = self._targets[key] = RegisteredVariant(key, arn, least, most, call.when, wanted.get("Tags") or {})
        target.least, target.most = least, most
        self._tell()
        return {"ScalableTargetARN": target.arn}

    def _check_variant(self, key: Key) -> None:
        region, endpoint, variant = key
        if endpoint not in self._control.backend("sagemaker", region).endpoints:
            raise _RefusedError(f'Could not find endpoint "arn:aws:sagemaker:{region}:{ACCOUNT}:endpoint/{endpoint}".')
        machines = self._machines(region, self._config_of(region, endpoint))
        if variant not in machines:
            raise _RefusedError(f"Could not find the variant {variant} of the endpoint {endpoint}.")
        name, pools = machines[variant]
        names = [name] if name else [pool["InstanceType"] for pool in pools or []]
        if not names:
            raise _RefusedError(f"The variant {variant} is serverless, and has no instances.")
        if any(each.startswith(BURSTABLE) for each in names):
            raise _RefusedError(f"Auto scaling is not supported for burstable instances such as {', '.join(names)}.")

    def _deregister(self, call: Call) -> dict[str, Any]:
        del self._targets[self._found(call).key]
        self._tell()
        return {}

    def _describe_targets(self, call: Call) -> dict[str, Any]:
        return {"ScalableTargets": [target.description() for target in self._chosen(call)]}

    def _put_policy(self, call: Call) -> dict[str, Any]:
        target, wanted = self._found(call), call.payload
        name, kind = wanted["PolicyName"], wanted.get("PolicyType")
        if kind != "TargetTrackingScaling":
            raise NotImplementedError(f"It scales by TargetTrackingScaling alone, not by {kind}.")
        _check_tracking(wanted.get("TargetTrackingScalingPolicyConfiguration") or {})
        told = {key: wanted[key] for key in ("PolicyType", "TargetTrackingScalingPolicyConfiguration")}
        before = target.policies.get(name, {})
        place = f"resource/{NAMESPACE}/{target.place['ResourceId']}:policyName/{name}"
        arn = f"arn:aws:autoscaling:{call.region}:{ACCOUNT}:scalingPolicy:{target.arn.rpartition('/')[2]}:{place}"
        made = before.get("CreationTime", call.when)
        target.policies[name] = {"PolicyARN": arn, "PolicyName": name, **target.place, **told, "CreationTime": made}
        return {"PolicyARN": arn, "Alarms": []}

    def _delete_policy(self, call: Call) -> dict[str, Any]:
        target, name = self._found(call), call.payload["PolicyName"]
        if name not in target.policies:
            raise _RefusedError(
                f"No scaling policy found for {_told(call)}, policy name: {name}", "ObjectNotFoundException"
            )
        del target.policies[name]
        return {}

    def _describe_policies(self, call: Call) -> dict[str, Any]:
        names = call.payload.get("PolicyNames")
        policies = (policy for target in self._chosen(call) for policy in target.policies.values())
        return {"ScalingPolicies": [policy for policy in policies if not names or policy["PolicyName"] in names]}

    def _describe_activities(self, call: Call) -> dict[str, Any]:
        return {"ScalingActivities": [each for target in self._chosen(call) for each in target.activities]}

    def _list_tags(self, call: Call) -> dict[str, Any]:
        return {"Tags": self._by_arn(call).tags}

    def _tag(self, call: Call) -> dict[str, Any]:
        self._by_arn(call).tags.update(call.payload["Tags"])
        return {}

    def _untag(self, call: Call) -> dict[str, Any]:
        for key in call.payload["TagKeys"]:
            self._by_arn(call).tags.pop(key, None)
        return {}

    def _by_arn(self, call: Call) -> RegisteredVariant:
        arn = call.payload["ResourceARN"]
        found = next((target for target in self._targets.values() if target.arn == arn), None)
        if found is None:
            raise _RefusedError(f"The specified resource {arn} doesn't exist.", "ResourceNotFoundException")
        return found

    def _found(self, call: Call) -> RegisteredVariant:
        target = self._targets.get(_key(call))
        if target is None:
            raise _RefusedError(f"No scalable target registered for {_told(call)}", "ObjectNotFoundException")
        return target

    def _chosen(self, call: Call) -> Iterable[RegisteredVariant]:
        """Those of a region that a Describe call asks for; all where it names none."""
        asked = call.payload
        names = asked.get("ResourceIds") or ([asked["ResourceId"]] if asked.get("ResourceId") else [])
        in_region = [target for key, target in self._targets.items() if key[0] == call.region]
        return [target for target in in_region if not names or target.place["ResourceId"] in names]

    def _add(self, key: Key, activity: dict[str, Any]) -> None:
        if key in self._targets:
            self._targets[key].activities = [activity, *self._targets[key].activities][:MOST_ACTIVITIES]

    def _restore_activity(self, data: dict[str, Any], _body: bytes) -> None:
        self._add((data["region"], data["name"], data["variant"]), data["activity"])


def _answering(answer: Callable[[Call], dict[str, Any]]) -> Callable[[Call], Response]:
    def handle(call: Call) -> Response:
        if call.payload.get("ServiceNamespace", NAMESPACE) != NAMESPACE:
            raise NotImplementedError("It scales what is of SageMaker's.")
        try:
            return json_response(200, answer(call), JSON_RPC)
        except _RefusedError as refused:
            return json_rpc_error(refused.code, str(refused))

    return handle


def _key(call: Call) -> Key:
    found = VARIANT.fullmatch(call.payload["ResourceId"])
    if found is None or call.payload["ScalableDimension"] != DIMENSION:
        raise _RefusedError("Unsupported service namespace, resource type or scalable dimension")
    return call.region, found["endpoint"], found["variant"]


def _told(call: Call) -> str:
    place = call.payload
    return (
        f"service namespace: {NAMESPACE}, resource ID: {place['ResourceId']}, "
        f"scalable dimension: {place['ScalableDimension']}"
    )


def _capacity(given: Mapping[str, int]) -> tuple[int, int]:
    if len(given) < len(CAPACITY):
        raise _RefusedError("MinCapacity and MaxCapacity are required when registering a new scalable target")
    least, most = (given[name] for name in CAPACITY)
    if least < 1:  # of instances, unlike inference components
        raise _RefusedError(f"Minimum capacity {least} is less than the minimum of 1 for {DIMENSION}")
    if most < least:
        raise _RefusedError(f"Maximum capacity cannot be less than minimum capacity: {most} < {least}")
    return least, most


def _check_tracking(tracking: Mapping[str, Any]) -> None:
    metric = tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
    if tracking.get("CustomizedMetricSpecification"):
        raise NotImplementedError("It scales by predefined metrics alone.")
    if metric not in METRICS:
        raise _RefusedError(f"Invalid predefined metric type {metric} for {DIMENSION}")
    if not tracking.get("TargetValue", 0) > 0:
        raise _RefusedError("The target value must be greater than 0")
