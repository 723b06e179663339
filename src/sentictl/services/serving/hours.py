"""The endpoint's opening hours: the schedules that bring it up and take it down again, week after week."""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sentictl.config.hours import WeeklyTime, minute_of_week
from sentictl.lifecycle.resource import Context
from sentictl.services.serving.endpoint import Endpoint, EndpointConfig
from sentictl.services.serving.schedule import EndpointDeletion, SageMakerSchedule

TIMING = ("ScheduleExpression", "ScheduleExpressionTimezone")


class WeeklySchedule(SageMakerSchedule):
    """A schedule that fires at the same time on some days of each week."""

    @property
    @abstractmethod
    def time(self) -> str:
        """The days and the time of day, as the settings have them; empty where they ask for none."""

    @property
    def timezone(self) -> str:
        """The time zone of that."""
        return self.context.settings.deploy.hours.timezone

    @property
    def wanted(self) -> bool:
        return bool(self.time)

    def chosen(self) -> Mapping[str, Any]:
        return self.timing()

    def found_in(self, schedule: Mapping[str, Any]) -> Mapping[str, Any]:
        return {key: schedule.get(key) for key in TIMING}

    def timing(self) -> Mapping[str, str]:
        return dict(zip(TIMING, (WeeklyTime.parse(self.time).cron, self.timezone), strict=True))

    def following(self) -> str:
        """Return the day and the time at which it fires next, such as "Mon 03:00, UTC"."""
        minute = minute_of_week(datetime.now(ZoneInfo(self.timezone)))
        return f"{WeeklyTime.parse(self.time).following(minute)}, {self.timezone}"


class Opening(WeeklySchedule):
    """The schedule that makes the endpoint, with the project's tags, of the endpoint config that stands."""

    kind = "opening"
    part = "opening"
    call = "createEndpoint"

    @property
    def time(self) -> str:
        return self.context.settings.deploy.hours.up

    def parameters(self) -> Mapping[str, Any]:
        return {
            "EndpointName": Endpoint(self.context).name,
            "EndpointConfigName": EndpointConfig(self.context).name,
            "Tags": self.context.naming.tag_list(),
        }


class Closing(EndpointDeletion, WeeklySchedule):
    """The schedule that deletes the endpoint."""

    kind = "closing"
    part = "closing"

    @property
    def time(self) -> str:
        return self.context.settings.deploy.hours.down

    def summary(self) -> str:
        return f"endpoint {Endpoint(self.context).name} in service, {opened(self.context)}"


def opened(context: Context) -> str:
    """Tell until when the endpoint is open, or closed; empty where it has no hours that are both.

    By the settings: what somebody brought up or took down at another time stays so until then.
    """
    hours = context.settings.deploy.hours
    if hours.week is None:
        return ""
    minute = hours.minute(datetime.now(UTC))
    if hours.week.is_open(minute):
        return f"open until {hours.week.down.following(minute)}, {hours.timezone}"
    return f"closed until {hours.week.up.following(minute)}, {hours.timezone}"


def opening_note(context: Context) -> str:
    """Tell when the endpoint comes or goes by itself next; empty where it does not."""
    told = opened(context)
    return f"The endpoint is {told} (deploy.hours)." if told else ""
