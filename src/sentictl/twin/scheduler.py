"""EventBridge Scheduler's one-time schedules: what moto keeps, carried out when it is due.

One kind of target is known: SageMaker's DeleteEndpoint, called in the role that the schedule names.
"""

import json
import logging
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sentictl.twin.control_plane.control_plane import ACCOUNT, Call, ControlPlane
from sentictl.twin.core.messages import Request, Response, authorization, rest_error
from sentictl.twin.iam.roles import AccessDeniedError, AssumedRole

logger = logging.getLogger("sentictl.twin")

AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
DELETE_ENDPOINT = "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint"
IN_PROGRESS = b"Cannot update in-progress endpoint"
SECONDS_BETWEEN_TRIES = 1.0
LONGEST_SLEEP = 3600.0
SCHEDULER = "scheduler.amazonaws.com"


class TryAgainError(Exception):
    """AWS refuses the call for the moment; Scheduler makes it again."""


@dataclass(frozen=True)
class Due:
    """A schedule that is still to be carried out, and when (seconds since the epoch)."""

    when: float
    region: str
    schedule: Any

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what tells it apart from other schedules, and from itself at another time."""
        return self.region, self.schedule.arn, self.schedule.schedule_expression


class Schedules:
    """A thread that sleeps until the next schedule is due."""

    def __init__(self, control: ControlPlane) -> None:
        self._control = control
        self._done: set[tuple[str, str, str]] = set()
        self._again: dict[tuple[str, str, str], float] = {}  # when to try those again whose call was refused
        self._changed = threading.Event()
        for operation in ("CreateSchedule", "UpdateSchedule"):
            control.before["scheduler", operation] = self._refuse
        control.after["scheduler", "CreateSchedule"] = self._wake
        control.after["scheduler", "UpdateSchedule"] = self._updated
        control.facts["schedule-over"] = self._restore

    def start(self) -> None:
        """After a replay: begin to carry out schedules, first those that came due while the twin was down."""
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            self._changed.clear()
            with self._control.lock:
                now = time.time()
                for due in [due for due in self._waiting() if due.when <= now]:
                    self._carry_out(due)
                ahead = [due.when for due in self._waiting()]
            # A clock that is set, or a machine that slept, is noticed within the hour.
            self._changed.wait(min(max(0.0, min(ahead) - time.time()), LONGEST_SLEEP) if ahead else None)

    def _waiting(self) -> list[Due]:
        every = [
            Due(self._again.get((region, schedule.arn, schedule.schedule_expression), when), region, schedule)
            for region in self._control.regions("scheduler")
            for group in self._control.backend("scheduler", region).schedule_groups.values()
            for schedule in group.schedules.values()
            for when in _times(schedule)
        ]
        return [due for due in every if due.key not in self._done]

    def _carry_out(self, due: Due) -> None:
        schedule = due.schedule
        try:
            self._call_target(due)
        except TryAgainError:
            self._again[due.key] = time.time() + SECONDS_BETWEEN_TRIES
            return
        except Exception as error:  # noqa: BLE001  whatever broke, the schedules after it are carried out
            logger.warning("schedule %s: %s", schedule.name, error)
        self._control.record("schedule-over", key=due.key, group=schedule.group_name, name=schedule.name)
        self._end(due.region, due.key, schedule)

    def _call_target(self, due: Due) -> None:
        """Call DeleteEndpoint as anybody would: it is journalled.

        Raises:
            TryAgainError: the endpoint is just being changed.
            AccessDeniedError: the schedule's role cannot be assumed, or does not allow it.
            ValueError: the target is none that is known here, or AWS would refuse the call.
        """
        target = due.schedule.target
        if target["Arn"] != DELETE_ENDPOINT:
            raise ValueError(f"the local twin does not know the target {target['Arn']}")
        name = json.loads(target.get("Input") or "{}").get("EndpointName")
        role = AssumedRole(self._control, target["RoleArn"], due.schedule.name)
        if not role.trusts(SCHEDULER, _group_arn(due.region, due.schedule.group_name)):
            raise AccessDeniedError(f"{SCHEDULER} cannot assume the role {role.arn}")
        role.demand("sagemaker:DeleteEndpoint", f"arn:aws:sagemaker:{due.region}:{ACCOUNT}:endpoint/{name}")
        headers = {
            "authorization": authorization("sagemaker", due.region),
            "x-amz-target": "SageMaker.DeleteEndpoint",
            "content-type": "application/x-amz-json-1.1",
        }
        body = json.dumps({"EndpointName": name}).encode()
        answer = self._control.handle(Request.make("POST", "/", headers=headers, body=body))
        if IN_PROGRESS in answer.get_data():
            raise TryAgainError
        if not answer.ok:
            raise ValueError(answer.get_data(as_text=True))

    def _end(self, region: str, key: tuple[str, str, str], schedule: Any) -> None:
        self._done.add(key)
        backend = self._control.backend("scheduler", region)
        if schedule.action_after_completion == "DELETE":
            backend.schedule_groups[schedule.group_name].schedules.pop(schedule.name, None)
            self._done.discard(key)

    def _restore(self, data: dict[str, Any], _body: bytes) -> None:
        region, arn, expression = data["key"]
        group = self._control.backend("scheduler", region).schedule_groups[data["group"]]
        self._end(region, (region, arn, expression), group.schedules[data["name"]])

    def _refuse(self, call: Call) -> Response | None:
        """Refuse what AWS refuses: moto takes every role and every expression."""
        wanted = call.payload
        try:
            _time(wanted.get("ScheduleExpression", ""), wanted.get("ScheduleExpressionTimezone"))
        except (ValueError, ZoneInfoNotFoundError):
            message = f"Invalid Schedule Expression {wanted.get('ScheduleExpression')}."
            return rest_error("ValidationException", message, 400)
        group = _group_arn(call.region, wanted.get("GroupName") or "default")
        if AssumedRole(self._control, wanted.get("Target", {}).get("RoleArn", "")).trusts(SCHEDULER, group):
            return None
        message = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
        return rest_error("ValidationException", message, 400)

    def _updated(self, call: Call) -> None:
        """Set what moto does not: defaults of what the call leaves out, and another ActionAfterCompletion."""
        group = self._control.backend("scheduler", call.region).schedule_groups[
            call.payload.get("GroupName") or "default"
        ]
        schedule = group.schedules[call.labels["Name"]]
        schedule.state = call.payload.get("State") or "ENABLED"
        schedule.action_after_completion = call.payload.get("ActionAfterCompletion") or "NONE"
        self._wake(call)

    def _wake(self, _call: Call) -> None:
        self._changed.set()


def _times(schedule: Any) -> Iterator[float]:
    """When a schedule is due: once, or never for one that is off or recurs (which is unknown here)."""
    when = _time(schedule.schedule_expression, schedule.schedule_expression_timezone)
    if when is not None and schedule.state == "ENABLED":
        yield when


def _time(expression: str, zone: str | None) -> float | None:
    """When a one-time expression is due, in seconds since the epoch; None if it is of another kind.

    Raises:
        ValueError: there is no such time.
        ZoneInfoNotFoundError: there is no such time zone.
    """
    found = AT.fullmatch(expression)
    if found:
        return datetime.fromisoformat(found[1]).replace(tzinfo=ZoneInfo(zone or "UTC")).timestamp()
    if expression.startswith(("rate(", "cron(")):
        return None
    raise ValueError(expression)


def _group_arn(region: str, group: str) -> str:
    return f"arn:aws:scheduler:{region}:{ACCOUNT}:schedule-group/{group}"
