"""EventBridge Scheduler's schedules: what moto keeps, carried out when it is due."""

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sentictl.twin.control_plane.control_plane import Call, ControlPlane
from sentictl.twin.core.messages import Response, rest_error
from sentictl.twin.scheduler.expressions import Expression, parse
from sentictl.twin.scheduler.targets import TryAgainError, call_target, trusts

logger = logging.getLogger("sentictl.twin")

SECONDS_BETWEEN_TRIES = 1.0
LONGEST_SLEEP = 3600.0


@dataclass(frozen=True)
class Waiting:
    """A schedule that is still to be carried out.

    Args:
        region: where it is.
        schedule: as moto keeps it.
        expression: when it fires.
        since: up to when it was carried out, or from when on it counts (seconds since the epoch).
    """

    region: str
    schedule: Any
    expression: Expression
    since: float

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what tells it apart from other schedules, and from itself at another time."""
        return self.region, self.schedule.arn, self.schedule.schedule_expression

    def due(self, now: float) -> float | None:
        """Return the last time at which it should have been carried out; None where there is none."""
        return self.expression.latest(self.since, now)


class Schedules:
    """A thread that sleeps until the next schedule is due.

    What came due several times while the twin was down, or the machine slept, is carried out once. Where this machine's
    clock was ahead and is set back, what is done again and again goes on from there.
    """

    def __init__(self, control: ControlPlane) -> None:
        self._control = control
        self._made: dict[tuple[str, ...], float] = {}  # when each was made or changed last, by region and ARN
        self._carried_out: dict[tuple[str, ...], float] = {}
        self._again: dict[tuple[str, ...], float] = {}  # when to try those again whose call was refused
        self._changed = threading.Event()
        for operation in ("CreateSchedule", "UpdateSchedule"):
            control.before["scheduler", operation] = self._refuse
        control.after["scheduler", "CreateSchedule"] = self._wake
        control.after["scheduler", "UpdateSchedule"] = self._updated
        control.facts["schedule-over"] = self._restore_end
        control.facts["schedule-carried-out"] = self._restore

    def start(self) -> None:
        """After a replay: begin to carry out schedules, first those that came due while the twin was down."""
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            self._changed.clear()
            with self._control.lock:
                now = time.time()
                self._forget_future(now)
                due = [(when, each) for each in self._waiting() if (when := each.due(now)) is not None]
                for when, each in sorted(due, key=lambda entry: entry[0]):
                    if self._again.get(each.key, now) <= now:
                        self._carry_out(each, when)
                ahead = list(self._ahead(now))
            # A clock that is set, or a machine that slept, is noticed within the hour.
            self._changed.wait(min(max(0.0, min(ahead) - time.time()), LONGEST_SLEEP) if ahead else None)

    def _forget_future(self, now: float) -> None:
        """Take what was done at times that are still to come, by a clock that was ahead, for done just now."""
        for times in (self._made, self._carried_out, self._again):
            for key in [key for key, when in times.items() if when > now + SECONDS_BETWEEN_TRIES]:
                times[key] = now

    def _waiting(self) -> list[Waiting]:
        return [
            waiting
            for region in self._control.regions("scheduler")
            for group in self._control.backend("scheduler", region).schedule_groups.values()
            for schedule in group.schedules.values()
            if schedule.state == "ENABLED"
            for waiting in self._found(region, schedule)
        ]

    def _found(self, region: str, schedule: Any) -> Iterator[Waiting]:
        made = self._made.get((region, schedule.arn), 0.0)
        expression = parse(schedule.schedule_expression, schedule.schedule_expression_timezone, made)
        carried_out = self._carried_out.get((region, schedule.arn, schedule.schedule_expression))
        if expression.recurs:
            yield Waiting(region, schedule, expression, max(made - 1, carried_out or 0.0))  # a rate begins at once
        elif carried_out is None:  # also one whose time was past when it was made
            yield Waiting(region, schedule, expression, 0.0)

    def _ahead(self, now: float) -> Iterator[float]:
        for each in self._waiting():
            following = self._again.get(each.key) if each.due(now) else each.expression.following(now)
            if following is not None:
                yield following

    def _carry_out(self, waiting: Waiting, when: float) -> None:
        schedule = waiting.schedule
        try:
            call_target(self._control, waiting.region, schedule, when)
        except TryAgainError:
            self._again[waiting.key] = time.time() + SECONDS_BETWEEN_TRIES
            return
        except Exception as error:  # noqa: BLE001  whatever broke, the schedules after it are carried out
            logger.warning("schedule %s: %s", schedule.name, error)
        self._again.pop(waiting.key, None)
        if waiting.expression.recurs:
            self._control.record("schedule-carried-out", key=waiting.key, name=schedule.name, when=when)
            self._carried_out[waiting.key] = when
        else:
            self._control.record("schedule-over", key=waiting.key, group=schedule.group_name, name=schedule.name)
            self._end(waiting.region, waiting.key, schedule)

    def _end(self, region: str, key: tuple[str, str, str], schedule: Any) -> None:
        self._carried_out[key] = time.time()
        if schedule.action_after_completion == "DELETE":
            groups = self._control.backend("scheduler", region).schedule_groups
            groups[schedule.group_name].schedules.pop(schedule.name, None)
            del self._carried_out[key]

    def _restore_end(self, data: dict[str, Any], _body: bytes) -> None:
        region, arn, expression = data["key"]
        group = self._control.backend("scheduler", region).schedule_groups[data["group"]]
        self._end(region, (region, arn, expression), group.schedules[data["name"]])

    def _restore(self, data: dict[str, Any], _body: bytes) -> None:
        region, arn, expression = data["key"]
        self._carried_out[region, arn, expression] = data["when"]

    def _refuse(self, call: Call) -> Response | None:
        """Refuse what AWS refuses: moto takes every role and every expression."""
        wanted = call.payload
        expression = wanted.get("ScheduleExpression", "")
        try:
            parse(expression, wanted.get("ScheduleExpressionTimezone"), call.when)
        except ValueError:
            return rest_error("ValidationException", f"Invalid Schedule Expression {expression}.", 400)
        if trusts(self._control, wanted.get("Target", {}).get("RoleArn", ""), call.region, _group(call)):
            return None
        message = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
        return rest_error("ValidationException", message, 400)

    def _updated(self, call: Call) -> None:
        """Set what moto does not: defaults of what the call leaves out, and another ActionAfterCompletion."""
        schedule = self._schedule(call)
        schedule.state = call.payload.get("State") or "ENABLED"
        schedule.action_after_completion = call.payload.get("ActionAfterCompletion") or "NONE"
        self._wake(call)

    def _wake(self, call: Call) -> None:
        self._made[call.region, self._schedule(call).arn] = call.when
        self._changed.set()

    def _schedule(self, call: Call) -> Any:
        groups = self._control.backend("scheduler", call.region).schedule_groups
        return groups[_group(call)].schedules[call.labels["Name"]]


def _group(call: Call) -> str:
    return str(call.payload.get("GroupName") or "default")
