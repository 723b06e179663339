"""Deployments of UpdateEndpoint: traffic goes from the old machines to the new ones in steps, while alarms are watched.

https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sentictl.twin.cloudwatch.alarms import ALARM
from sentictl.twin.core.clock import shortened

LOOKING_SECONDS = 1.0  # between two looks at the alarms, while AWS waits
# As botocore's service model and the API reference have them: seconds, and percent of the instances.
WAIT, TERMINATION, EXECUTION = (0, 3600), (0, 3600), (600, 28_800)
SIZES = {"CANARY": ("CanarySize", 1, 50), "LINEAR": ("LinearStepSize", 10, 50)}
BATCH = ("MaximumBatchSize", 5, 50)
MOST_ALARMS = 10


class DeploymentRefusedError(Exception):
    """AWS refuses a deployment like that; the message says why."""


class RolledBackError(Exception):
    """The deployment goes back to the old machines; the message says why."""


States = Callable[[Sequence[str]], Mapping[str, str]]


@dataclass(frozen=True)
class Rollout:
    """How traffic goes over.

    Args:
        shares: of the requests that the new machines answer, after each step; the last is 1.
        wait: seconds after each step, in which the alarms are watched.
        termination: seconds for which the old machines stay at the end.
        alarms: the names of those that make it go back.
    """

    shares: tuple[float, ...] = (1.0,)
    wait: float = 0.0
    termination: float = 0.0
    alarms: tuple[str, ...] = ()

    def carry_out(self, shift: Callable[[float], None], states: States, over: Callable[[], bool]) -> None:
        """Take all steps, each followed by its wait.

        Args:
            shift: gives the new machines a share of the requests.
            states: the states of alarms, by their names.
            over: whether the endpoint is gone meanwhile.

        Raises:
            RolledBackError: an alarm went off.
        """
        self._check(states)
        for share in self.shares:
            shift(share)
            self._watch(self.wait, states, over)
        self._watch(self.termination, states, over)

    def _watch(self, seconds: float, states: States, over: Callable[[], bool]) -> None:
        end = time.monotonic() + shortened(seconds)
        while not over():
            self._check(states)
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, shortened(LOOKING_SECONDS)))

    def _check(self, states: States) -> None:
        if not self.alarms:
            return
        known = states(self.alarms)
        tripped = [name for name in self.alarms if known.get(name) == ALARM]
        if tripped:
            raise RolledBackError(
                f"The deployment was rolled back, as these alarms are in the state ALARM: {', '.join(tripped)}."
            )
        missing = [name for name in self.alarms if name not in known]
        if missing:
            raise RolledBackError(f"The deployment was rolled back, as there is no alarm {', '.join(missing)}.")


def rollout(deployment: Mapping[str, Any] | None, instances: int) -> Rollout:
    """Read UpdateEndpoint's DeploymentConfig.

    Args:
        deployment: it; None where there is none.
        instances: how many there are of the new machines, of which whole ones are turned on.

    Raises:
        DeploymentRefusedError: AWS allows no such deployment.
    """
    if not deployment:
        return Rollout()
    blue_green, rolling = deployment.get("BlueGreenUpdatePolicy"), deployment.get("RollingUpdatePolicy")
    if blue_green and rolling:
        raise DeploymentRefusedError("Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy can be specified.")
    alarms = tuple(alarm["AlarmName"] for alarm in _alarms(deployment))
    if rolling:
        _check_range(rolling, "MaximumExecutionTimeoutInSeconds", EXECUTION)
        wait = _check_range(rolling, "WaitIntervalInSeconds", WAIT)
        return Rollout(_steps(_share(rolling, *BATCH, instances)), wait, 0, alarms)
    routing = (blue_green or {}).get("TrafficRoutingConfiguration", {"Type": "ALL_AT_ONCE"})
    wait = _check_range(routing, "WaitIntervalInSeconds", WAIT)
    termination = _check_range(blue_green or {}, "TerminationWaitInSeconds", TERMINATION)
    longest = _check_range(blue_green or {}, "MaximumExecutionTimeoutInSeconds", EXECUTION)
    shares = _shares(routing, instances)
    if longest and longest <= len(shares) * wait + termination:
        raise DeploymentRefusedError("MaximumExecutionTimeoutInSeconds must be larger than the total waiting time.")
    return Rollout(shares, wait, termination, alarms)


def _shares(routing: Mapping[str, Any], instances: int) -> tuple[float, ...]:
    kind = routing["Type"]
    for name in ("CanarySize", "LinearStepSize"):
        if name in routing and SIZES.get(kind, ("",))[0] != name:
            raise DeploymentRefusedError(f"{name} cannot be specified with the traffic routing type {kind}.")
    if kind == "ALL_AT_ONCE":
        return (1.0,)
    share = _share(routing, *SIZES[kind], instances)
    return (share, 1.0) if kind == "CANARY" else _steps(share)


def _steps(share: float) -> tuple[float, ...]:
    count = math.ceil(1 / share - 1e-9)  # a third, three times, is all
    return (*(share * number for number in range(1, count)), 1.0)


def _share(policy: Mapping[str, Any], name: str, least: int, most: int, instances: int) -> float:
    """Return a step's share of the requests: that of the whole instances in it, of which there is one at least."""
    size = policy.get(name)
    if size is None:
        raise DeploymentRefusedError(f"{name} must be specified.")
    percent = size["Value"] if size["Type"] == "CAPACITY_PERCENT" else 100 * size["Value"] / instances
    if not least <= percent <= most:
        raise DeploymentRefusedError(f"{name} must be between {least} and {most} percent of the variant's instances.")
    return max(1, int(instances * percent / 100)) / instances


def _alarms(deployment: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    configuration = deployment.get("AutoRollbackConfiguration")
    if configuration is None:
        return ()
    alarms: Sequence[Mapping[str, str]] = configuration.get("Alarms", ())
    if not 1 <= len(alarms) <= MOST_ALARMS:
        raise DeploymentRefusedError(f"AutoRollbackConfiguration must name 1 to {MOST_ALARMS} alarms.")
    return alarms


def _check_range(policy: Mapping[str, Any], name: str, allowed: tuple[int, int]) -> float:
    value = policy.get(name)
    if value is not None and not allowed[0] <= value <= allowed[1]:
        raise DeploymentRefusedError(f"{name} must be between {allowed[0]} and {allowed[1]}.")
    return float(value or 0)
