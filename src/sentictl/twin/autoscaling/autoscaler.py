"""The thread that watches what is registered to scale, and changes how many instances it has."""

import logging
import math
import threading
import time
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sentictl.twin.autoscaling.targets import Key, RegisteredVariant, ScalableTargets
from sentictl.twin.autoscaling.tracking import CONCURRENCY, METRICS, wanted
from sentictl.twin.core.clock import shortened

logger = logging.getLogger("sentictl.twin")

TICK_SECONDS = 1.0  # between two looks at how many requests are under way
SHORTEST_TICK = 0.01  # of these, however quick the twin's clock is
COOLDOWN_SECONDS = 300.0  # AWS's default for variants, where a policy names none


class Scalable(Protocol):
    """The variants of endpoints, as far as they are scaled."""

    def instances(self, key: Key) -> int | None:
        """Return how many instances a variant has; None while it cannot be scaled."""

    def invocations(self, key: Key) -> int:
        """Return how many requests a variant was sent since the twin was started."""

    def under_way(self, key: Key) -> int:
        """Return how many requests a variant is answering."""

    def scale(self, key: Key, count: int) -> None:
        """Bring a variant to another number of instances, and wait until they run."""


@dataclass
class Watch:
    """What was seen of a variant on behalf of one policy.

    Args:
        began: when the metric's present period began, by the monotonic clock.
        invocations: how many there had been until then.
        samples: how many requests were under way, at each look in this period.
        values: the metric's, oldest first.
    """

    began: float
    invocations: int
    samples: list[int] = field(default_factory=list)
    values: deque[float] = field(default_factory=lambda: deque(maxlen=max(each.in_after for each in METRICS.values())))


class Autoscaler:
    """Scales by target tracking: where several policies disagree, the one that asks for most prevails."""

    def __init__(self, targets: ScalableTargets, variants: Scalable) -> None:
        self._targets = targets
        self._variants = variants
        self._watches: dict[tuple[Key, str], Watch] = {}
        self._scaled_out: dict[Key, float] = {}
        self._scaled: dict[Key, float] = {}  # either way

    def start(self) -> None:
        """Begin to watch, as soon as there is something."""
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            self._targets.any.wait()
            time.sleep(max(SHORTEST_TICK, shortened(TICK_SECONDS)))
            targets = self._targets.all()
            known = {(target.key, name) for target in targets for name in target.policies}
            self._watches = {place: watch for place, watch in self._watches.items() if place in known}
            for target in targets:
                try:
                    self._look(target)
                except Exception as error:  # noqa: BLE001  whatever broke, the others are scaled
                    logger.warning("scaling %s: %s", "/".join(target.key), error)

    def _look(self, target: RegisteredVariant) -> None:
        count = self._variants.instances(target.key)
        if count is None:  # scaling is blocked while the endpoint is updated
            return
        asked = [self._asked(target, policy, count) for policy in list(target.policies.values())]
        goal = max(target.least, min(target.most, max(asked, default=count)))
        if goal != count:
            self._scale(target, count, goal)

    def _asked(self, target: RegisteredVariant, policy: Mapping[str, Any], count: int) -> int:
        """How many instances a policy asks for now."""
        tracking = policy["TargetTrackingScalingPolicyConfiguration"]
        kind = tracking["PredefinedMetricSpecification"]["PredefinedMetricType"]
        self._measure(target.key, policy["PolicyName"], kind, count)
        values = list(self._watches[target.key, policy["PolicyName"]].values)
        goal = wanted(values, tracking["TargetValue"], count, METRICS[kind])
        now = time.monotonic()
        if goal > count:
            cooldown = shortened(tracking.get("ScaleOutCooldown", COOLDOWN_SECONDS))
            return goal if now - self._scaled_out.get(target.key, -math.inf) >= cooldown else count
        if goal < count and not tracking.get("DisableScaleIn"):
            cooldown = shortened(tracking.get("ScaleInCooldown", COOLDOWN_SECONDS))
            return goal if now - self._scaled.get(target.key, -math.inf) >= cooldown else count
        return count

    def _measure(self, key: Key, policy: str, kind: str, count: int) -> None:
        """Look once more, and add a value of the metric where a period of it is over."""
        now, total = time.monotonic(), self._variants.invocations(key)
        watch = self._watches.setdefault((key, policy), Watch(now, total))
        watch.samples.append(self._variants.under_way(key))
        if now - watch.began < shortened(METRICS[kind].seconds):
            return
        mean = sum(watch.samples) / len(watch.samples)
        watch.values.append((mean if kind == CONCURRENCY else total - watch.invocations) / count)
        watch.began, watch.invocations, watch.samples = now, total, []

    def _scale(self, target: RegisteredVariant, count: int, goal: int) -> None:
        within = target.least <= count <= target.most
        begun = time.time()
        try:
            self._variants.scale(target.key, goal)
        except Exception as error:  # noqa: BLE001  AWS tells it as an activity that failed
            status, message = "Failed", f"Failed to set desired instance count to {goal}. Reason: {error}"
        else:
            message = f"Successfully set desired instance count to {goal}. Change successfully fulfilled by sagemaker."
            status = "Successful"
        now = time.monotonic()
        self._scaled[target.key] = now
        if goal > count:
            self._scaled_out[target.key] = now
        for place in [place for place in self._watches if place[0] == target.key]:
            del self._watches[place]  # its values were those of another number of instances
        activity = {
            "ActivityId": str(uuid.uuid4()),
            **target.place,
            "Description": f"Setting desired instance count to {goal}.",
            "Cause": "target tracking" if within else "minimum or maximum capacity was set",
            "StartTime": begun,
            "EndTime": time.time(),
            "StatusCode": status,
            "StatusMessage": message,
        }
        self._targets.note(target, activity)
