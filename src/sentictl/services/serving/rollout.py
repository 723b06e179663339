"""How another model takes the live one's place: in which steps, and which alarms make AWS go back by itself."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, get_args

from sentictl.config.tables.deploy import Watched, rollout_steps
from sentictl.lifecycle.resource import Context

ABORT = "abort"  # the alarm that nothing sets off but `deploy --abort`
ALARMS = (*get_args(Watched), ABORT)
ALARM = "ALARM"  # CloudWatch's word for the state of one that went off
TRAFFIC = {"all-at-once": "ALL_AT_ONCE", "canary": "CANARY", "linear": "LINEAR"}
STEP = {"canary": "CanarySize", "linear": "LinearStepSize"}
# How long the old machines stay when all is over: for the requests that are under way on them.
TERMINATION = timedelta(minutes=1)
STARTING = timedelta(minutes=30)  # that the new machines take at most, as the endpoint's own time-out has it
# What SageMaker's API reference of BlueGreenUpdatePolicy allows.
SHORTEST, LONGEST = timedelta(minutes=10), timedelta(hours=8)


def alarm_name(context: Context, watched: str) -> str:
    """Return the name of the alarm on what is watched, or of the one that is there to abort."""
    return context.naming.name(f"rollback-{watched}")


def alarm_logical_id(watched: str) -> str:
    """Return an alarm's name within a CloudFormation template."""
    return f"{watched.capitalize()}Alarm"


def rollback_alarms(context: Context) -> list[str]:
    """Return what has an alarm that makes AWS go back."""
    deploy = context.settings.deploy
    return [*deploy.watched, ABORT] if deploy.guarded else []


def waits(context: Context) -> timedelta:
    """Return how long a rollout waits in all, where the settings ask for one."""
    deploy = context.settings.deploy
    if not deploy.guarded:
        return timedelta()
    fewest, most = deploy.machine_counts  # it stands on any number between them when it begins
    counts = range(fewest, most + 1)
    steps = max(len(rollout_steps(deploy.rollout, deploy.rollout_percent, count)) for count in counts)
    return steps * timedelta(minutes=deploy.rollout_minutes) + TERMINATION


def deployment_config(context: Context) -> dict[str, Any]:
    """Return how UpdateEndpoint is to change the endpoint; empty where it is changed at once and nothing is watched."""
    deploy = context.settings.deploy
    if not deploy.guarded:
        return {}
    routing: dict[str, Any] = {
        "Type": TRAFFIC[deploy.rollout],
        "WaitIntervalInSeconds": 60 * deploy.rollout_minutes,
    }
    if deploy.rollout in STEP:
        routing[STEP[deploy.rollout]] = {"Type": "CAPACITY_PERCENT", "Value": deploy.rollout_percent}
    longest = min(max(waits(context) + STARTING, SHORTEST), LONGEST)
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": _seconds(TERMINATION),
            "MaximumExecutionTimeoutInSeconds": _seconds(longest),
        },
        "AutoRollbackConfiguration": {
            "Alarms": [{"AlarmName": alarm_name(context, watched)} for watched in rollback_alarms(context)]
        },
    }


def live_alarms(context: Context) -> dict[str, Mapping[str, Any]]:
    """Return the alarms that there are, as CloudWatch describes them, by what they watch."""
    names = {alarm_name(context, watched): watched for watched in ALARMS}
    found = context.environment.client("cloudwatch").describe_alarms(AlarmNames=list(names))["MetricAlarms"]
    return {names[alarm["AlarmName"]]: alarm for alarm in found}


def gone_off(context: Context) -> str:
    """Tell which alarms have gone off, and why; empty where none has, or none was asked for."""
    if not context.settings.deploy.guarded:
        return ""
    tripped = [alarm for alarm in live_alarms(context).values() if alarm["StateValue"] == ALARM]
    return ", ".join(f"{alarm['AlarmName']} ({alarm.get('StateReason', 'no reason given')})" for alarm in tripped)


def _seconds(time: timedelta) -> int:
    return int(time.total_seconds())
