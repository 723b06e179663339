"""Variants of endpoints as Application Auto Scaling sees them: how many instances they have, and how much to do."""

import threading
from collections.abc import Callable
from typing import Any

from sentictl.twin.autoscaling.targets import Key
from sentictl.twin.cloudwatch.metrics import SAGEMAKER, Metrics
from sentictl.twin.control_plane.control_plane import Call, ControlPlane
from sentictl.twin.sagemaker.fleets import InstanceFleet


class ScalableVariants:
    """All of them.

    Args:
        control: the twin's control plane.
        fleet: returns the instances of a variant, by its region, endpoint and name; None where it has none now.
        metrics: tell how often each was invoked.
    """

    def __init__(
        self, control: ControlPlane, fleet: Callable[[str, str, str], InstanceFleet | None], metrics: Metrics
    ) -> None:
        self._control = control
        self._fleet = fleet
        self._metrics = metrics
        control.facts["variant-scaled"] = self._restore
        control.after["sagemaker", "UpdateEndpointWeightsAndCapacities"] = self._asked

    def instances(self, key: Key) -> int | None:
        """Return how many instances a variant has; None while it cannot be scaled."""
        endpoint, fleet = self._endpoint(key), self._fleet(*key)
        return fleet.count if fleet and endpoint and endpoint.endpoint_status == "InService" else None

    def invocations(self, key: Key) -> int:
        """Return how many requests a variant was sent since the twin was started."""
        region, endpoint, variant = key
        dimensions = {"EndpointName": endpoint, "VariantName": variant}
        return int(self._metrics.total(region, SAGEMAKER, "Invocations", dimensions))

    def under_way(self, key: Key) -> int:
        """Return how many requests a variant is answering."""
        fleet = self._fleet(*key)
        return fleet.under_way if fleet else 0

    def scale(self, key: Key, count: int) -> None:
        """Bring a variant to another number of instances, and wait until they run. Meanwhile the endpoint is updating.

        Raises:
            StartFailedError: one of them does not come up; the variant has as many as before.
        """
        region, name, variant = key
        with self._control.lock:
            before, endpoint, fleet = self.instances(key), self._endpoint(key), self._fleet(*key)
            if before is None or fleet is None:
                return
            show_count(endpoint, variant, before, count)
            endpoint.endpoint_status = "Updating"
        reached = before
        try:
            fleet.scale(count)
            reached = count
        finally:
            with self._control.lock:
                fleet.count = reached
                show_count(endpoint, variant, reached, reached)
                endpoint.endpoint_status = "InService"
                self._control.record("variant-scaled", region=region, name=name, variant=variant, count=reached)

    def _asked(self, call: Call) -> None:
        """Bring variants to the numbers that a call asks for. Of weights nothing is done: there is one variant."""
        name = call.payload["EndpointName"]
        for each in () if call.replaying else call.payload["DesiredWeightsAndCapacities"]:
            if count := each.get("DesiredInstanceCount"):
                key = call.region, name, each["VariantName"]
                threading.Thread(target=self.scale, args=(key, count), daemon=True).start()

    def _endpoint(self, key: Key) -> Any:
        region, name, _ = key
        return self._control.backend("sagemaker", region).endpoints.get(name)

    def _restore(self, data: dict[str, Any], _body: bytes) -> None:
        endpoint = self._endpoint((data["region"], data["name"], data["variant"]))
        show_count(endpoint, data["variant"], data["count"], data["count"])


def show_count(endpoint: Any, variant: str, current: int, desired: int) -> None:
    """Let DescribeEndpoint tell how many instances a variant has, and how many it is to have."""
    for each in endpoint.production_variants:
        if each["VariantName"] == variant:
            each |= {"CurrentInstanceCount": current, "DesiredInstanceCount": desired}


def kept_counts(endpoint: Any) -> dict[str, int]:
    """Return how many instances the variants of an endpoint are to have, by name, as DescribeEndpoint tells."""
    variants = endpoint.production_variants or []
    return {each["VariantName"]: each["DesiredInstanceCount"] for each in variants if each.get("DesiredInstanceCount")}
