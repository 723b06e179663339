"""The schedule that takes the endpoint down by itself, where `deploy.ttl` says how long it stands."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.config.settings import duration
from sentictl.config.state import Record
from sentictl.lifecycle.resource import Actions, Context, Entries, LiveResource, Resource
from sentictl.services.iam.roles import Role
from sentictl.services.serving.endpoint import Endpoint

GROUP = "default"
TOLD_ONLY = {"Arn", "CreationDate", "LastModificationDate", "ResponseMetadata"}  # what is told of one and not put
TIME = "%Y-%m-%dT%H:%M:%S"
# An endpoint that is just being changed cannot be deleted, so it is tried again. But not for Scheduler's default of a
# day: an endpoint that was taken down by hand and made again meanwhile would go as well.
RETRIES = {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 60}


class ScheduleRole(Role):
    """The role that the schedule runs in: it may delete the project's endpoint and nothing else."""

    kind = "schedule-role"
    command = "deploy"
    part = "schedule"
    service = "scheduler.amazonaws.com"

    @property
    def wanted(self) -> bool:
        return bool(self.context.settings.deploy.ttl)


class Schedule(Resource):
    """A schedule of EventBridge Scheduler that fires once, deletes the endpoint, and then itself.

    The time begins when it is made or its ttl changes; reading and keeping it leave the end where it is. Schedules have
    no tags, so the project's stand in the description, together with the ttl.
    """

    kind = "schedule"
    command = "deploy"
    actions = Actions(
        read="scheduler:GetSchedule",
        create="scheduler:CreateSchedule iam:PassRole",
        update="scheduler:UpdateSchedule iam:PassRole",
        delete="scheduler:DeleteSchedule",
    )

    @property
    def name(self) -> str:
        return self.context.naming.name("endpoint")

    @property
    def wanted(self) -> bool:
        return bool(self.context.settings.deploy.ttl)

    def desired(self) -> Mapping[str, Any]:
        return {"ttl": self.context.settings.deploy.ttl, "target": self._target(), "state": "ENABLED"}

    def read(self, name: str) -> LiveResource | None:
        schedule = self._get(name)
        if schedule is None:
            return None
        fields = {
            "ttl": _words(schedule).get("ttl"),
            "target": {key: schedule["Target"].get(key) for key in self._target()},
            "state": schedule["State"],
        }
        ends = schedule["ScheduleExpression"].removeprefix("at(").removesuffix(")")
        return LiveResource(schedule["Arn"], fields=fields, attributes={"ends": ends})

    def tags(self, name: str) -> Mapping[str, str]:
        schedule = self._get(name)
        return _words(schedule) if schedule else {}

    def tag(self, name: str) -> None:
        """Put the project's tags into the description. All else stays as it is, the end of the ttl as well."""
        schedule = self._get(name) or {}
        kept = {key: value for key, value in schedule.items() if key not in TOLD_ONLY}
        words = _words(schedule) | self.context.naming.tags
        self.context.environment.client("scheduler").update_schedule(**kept | {"Description": _description(words)})

    def create(self) -> None:
        self.context.environment.client("scheduler").create_schedule(**self.request())

    def update(self) -> None:
        self.context.environment.client("scheduler").update_schedule(**self.request())

    def delete(self, record: Record) -> None:
        if_there(self.context.environment.client("scheduler").delete_schedule, GroupName=GROUP, Name=record.name)

    def summary(self) -> str:
        ends = self.context.attribute(Schedule, "ends").replace("T", " ")
        return f"endpoint {Endpoint(self.context).name} in service until {ends} UTC"

    def scope(self, action: str) -> Sequence[str]:
        arn = self.context.environment.arn("scheduler", f"schedule/{GROUP}/{self.name}")
        return [arn] if action.startswith("scheduler:") else []

    def cloudformation(self) -> Entries:
        # CloudFormation cannot let a schedule delete itself after it has fired. Of tags it has none.
        properties = {key: value for key, value in self.request().items() if key != "ActionAfterCompletion"}
        entry = {"Type": "AWS::Scheduler::Schedule", "DependsOn": [Endpoint.__name__], "Properties": properties}
        return {self.logical_id: entry}

    def _get(self, name: str) -> dict[str, Any] | None:
        return if_there(self.context.environment.client("scheduler").get_schedule, GroupName=GROUP, Name=name)

    def request(self) -> dict[str, Any]:
        """Return the whole schedule as it is put; its time begins now."""
        ttl = self.context.settings.deploy.ttl
        words = {**self.context.naming.tags, "ttl": ttl}
        return {
            "Name": self.name,
            "GroupName": GROUP,
            "Description": _description(words),
            "ScheduleExpression": f"at({datetime.now(UTC) + duration(ttl):{TIME}})",
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "State": "ENABLED",
            "Target": self._target(),
        }

    def _target(self) -> dict[str, Any]:
        return {
            "Arn": f"arn:{self.context.environment.partition}:scheduler:::aws-sdk:sagemaker:deleteEndpoint",
            "RoleArn": ScheduleRole(self.context).arn,
            "Input": json.dumps({"EndpointName": Endpoint(self.context).name}),
            "RetryPolicy": RETRIES,
        }


def renew(context: Context) -> None:
    """Begin the endpoint's time anew. Without a schedule of the project's there is nothing to renew."""
    schedule = Schedule(context)
    if schedule.wanted and context.owns(schedule.tags(schedule.name)):
        schedule.update()


def ending(context: Context) -> str:
    """Tell when the endpoint goes, or went, by itself; empty where nothing is scheduled."""
    record = context.state.latest(Schedule.kind)
    if record is None:
        return ""
    ends = record.attributes["ends"]
    shown = f"{ends.replace('T', ' ')} UTC"
    if datetime.strptime(ends, TIME).replace(tzinfo=UTC) > datetime.now(UTC):
        return f"The endpoint is taken down by itself at {shown} (deploy.ttl)."
    return f"The endpoint was taken down by itself at {shown} (deploy.ttl)."


def _description(words: Mapping[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in words.items())


def _words(schedule: Mapping[str, Any]) -> dict[str, str]:
    """Read from the description the project's tags and the ttl."""
    words = (schedule.get("Description") or "").split()
    return dict(word.split("=", 1) for word in words if "=" in word)
