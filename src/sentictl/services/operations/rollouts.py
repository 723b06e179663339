"""A rollout that is on its way: how far it is, stopping it, and keeping another one from beginning meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.tables.deploy import rollout_steps
from sentictl.errors import EndpointError, MissingStepError
from sentictl.lifecycle.resource import Context
from sentictl.services.serving.alarms import SAGEMAKER, RollbackAlarms
from sentictl.services.serving.endpoint import VARIANT, Endpoint, EndpointConfig
from sentictl.services.serving.rollout import ABORT, ALARM, STEP, TRAFFIC, alarm_name, live_alarms

LOOKED_BACK = timedelta(minutes=5)  # SageMaker tells its metrics once a minute
GOING_BACK = "RollingBack"
CHANGING = ("Updating", GOING_BACK)


@dataclass(frozen=True)
class RolloutProgress:
    """How far a rollout is.

    Args:
        kind: "all-at-once", "canary" or "linear".
        endpoint_config: what the endpoint comes to.
        served: what it comes from.
        since: when it began, in ISO 8601.
        going_back: whether AWS is going back to what was served before.
        share: of the requests of the last five minutes that the new machines answered; None where there were none.
        step: which one it is, from 1; None where that cannot be told yet.
        steps: how many there are.
        minutes_left: until all is over; None where that cannot be told yet.
        alarms: the state of each alarm, by what it watches.
    """

    kind: str
    endpoint_config: str
    served: str
    since: str
    going_back: bool
    share: float | None
    step: int | None
    steps: int
    minutes_left: int | None
    alarms: Mapping[str, str]

    @property
    def stopped(self) -> bool:
        """Whether AWS is going back, or is about to: an alarm has gone off."""
        return self.going_back or ALARM in self.alarms.values()

    def __str__(self) -> str:
        began = f"{self.since[:16].replace('T', ' ')} UTC"
        if self.stopped:
            gone_off = [watched for watched, state in self.alarms.items() if state == ALARM]
            because = f", on account of: {', '.join(gone_off)}" if gone_off else ""
            return f"The rollout of {began} is going back to {self.served}{because}."
        share = "no requests yet" if self.share is None else f"{100 * self.share:.0f} % of the requests"
        step = "" if self.step is None else f", step {self.step} of {self.steps}"
        left = "" if self.minutes_left is None else f", about {self.minutes_left} minutes left"
        states = ", ".join(f"{watched} {state}" for watched, state in self.alarms.items() if watched != ABORT)
        watched = f" Alarms: {states}." if states else ""
        return (
            f"A rollout ({self.kind}) to {self.endpoint_config} is on its way since {began}: "
            f"{share}{step}{left}.{watched}"
        )

    def document(self) -> dict[str, Any]:
        return asdict(self)


def progress(context: Context) -> RolloutProgress | None:
    """Find out how far a rollout is; None where none is on its way."""
    client = context.environment.client("sagemaker")
    endpoint = if_there(client.describe_endpoint, EndpointName=Endpoint(context).name) or {"EndpointStatus": ""}
    pending = endpoint.get("PendingDeploymentSummary")
    if endpoint["EndpointStatus"] not in CHANGING or not pending:
        return None
    policy = endpoint.get("LastDeploymentConfig", {}).get("BlueGreenUpdatePolicy", {})
    routing = policy.get("TrafficRoutingConfiguration", {"Type": TRAFFIC["all-at-once"], "WaitIntervalInSeconds": 0})
    kind = next(kind for kind, traffic in TRAFFIC.items() if traffic == routing["Type"])
    (variant, *_) = pending["ProductionVariants"]
    percent = routing[STEP[kind]]["Value"] if kind in STEP else 100
    shares = rollout_steps(kind, percent, variant.get("DesiredInstanceCount", 1))
    share = _measured_share(context, pending["EndpointConfigName"])
    step = _step(share, shares)
    left = _left(variant, routing, policy, len(shares) - step) if step else None
    return RolloutProgress(
        kind=kind,
        endpoint_config=pending["EndpointConfigName"],
        served=endpoint["EndpointConfigName"],
        since=pending["StartTime"].astimezone(UTC).isoformat(timespec="seconds"),
        going_back=endpoint["EndpointStatus"] == GOING_BACK,
        share=share,
        step=step,
        steps=len(shares),
        minutes_left=left,
        alarms={watched: alarm["StateValue"] for watched, alarm in live_alarms(context).items()},
    )


def check_none_under_way(context: Context) -> None:
    """Refuse to begin a rollout while another one is on its way; one to the same endpoint config is gone on with.

    Raises:
        EndpointError: another one is on its way, or this one is going back.
    """
    if context.state.latest(RollbackAlarms.kind) is None:  # nothing was ever rolled out with a net here
        return
    found = progress(context)
    if found is None or (found.endpoint_config == EndpointConfig(context).name and not found.stopped):
        return
    where = env_option(context.environment.name, default=LOCAL)
    stop = "" if found.stopped else f"Stop it: sentictl deploy --abort{where}. "
    raise EndpointError(f"{found}", f"{stop}Or wait until it is over, and run this again; see: sentictl status{where}")


def abort(context: Context, *, wait: bool = True) -> str:
    """Have AWS go back to what was served before: an alarm of the rollout's is set off that nothing else sets off.

    UpdateEndpoint and DeleteEndpoint are refused while an endpoint is updated, and there is no call that stops it.

    Args:
        context: the project and environment.
        wait: until it has gone back.

    Returns:
        The endpoint config that is served.

    Raises:
        MissingStepError: no rollout is on its way, or it was begun without alarms.
        EndpointError: it was over before it could be stopped.
    """
    found = progress(context)
    where = env_option(context.environment.name, default=LOCAL)
    if found is None or ABORT not in found.alarms:
        raise MissingStepError(
            f"No rollout that could be stopped is on its way in the environment {context.environment.name}.",
            f"See what is served: sentictl models{where}",
        )
    context.environment.client("cloudwatch").set_alarm_state(
        AlarmName=alarm_name(context, ABORT), StateValue=ALARM, StateReason="sentictl deploy --abort"
    )
    if not wait:
        return found.served
    context.report(f"going back to {found.served}")
    served = str(Endpoint(context).settled()["EndpointConfigName"])
    if served != found.served:
        raise EndpointError(
            f"The rollout was over before it could be stopped: {served} is served.",
            f"Serve another version: sentictl models{where}",
        )
    return served


def _measured_share(context: Context, endpoint_config: str) -> float | None:
    every = _invocations(context)
    return _invocations(context, EndpointConfigName=endpoint_config) / every if every else None


def _invocations(context: Context, **dimensions: str) -> float:
    """Return how many requests there were in the last minutes."""
    of = {"EndpointName": Endpoint(context).name, "VariantName": VARIANT, **dimensions}
    now = datetime.now(UTC)
    points = context.environment.client("cloudwatch").get_metric_statistics(
        Namespace=SAGEMAKER,
        MetricName="Invocations",
        Dimensions=[{"Name": name, "Value": value} for name, value in of.items()],
        StartTime=now - LOOKED_BACK,
        EndTime=now,
        Period=int(LOOKED_BACK.total_seconds()),
        Statistics=["Sum"],
    )["Datapoints"]
    return float(sum(point["Sum"] for point in points))


def _step(share: float | None, shares: Sequence[float]) -> int | None:
    """Return the step that a measured share comes nearest to; None before the first one is seen."""
    if not share:
        return None
    return min(range(len(shares)), key=lambda number: abs(shares[number] - share)) + 1


def _left(variant: Mapping[str, Any], routing: Mapping[str, Any], policy: Mapping[str, Any], steps: int) -> int:
    """Return the minutes that are left, of this step's wait and of the steps after it."""
    (stage, *_) = variant.get("VariantStatus") or [{"StartTime": datetime.now(UTC)}]
    gone: timedelta = datetime.now(UTC) - stage["StartTime"]
    wait = timedelta(seconds=routing["WaitIntervalInSeconds"])
    termination = timedelta(seconds=policy.get("TerminationWaitInSeconds", 0))
    return ceil((max(wait - gone, timedelta()) + steps * wait + termination) / timedelta(minutes=1))
