"""The schedules that bring the endpoint up and take it down by themselves."""

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from sentictl.aws.lookup import if_there
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.state import Record
from sentictl.config.tables.deploy import duration
from sentictl.lifecycle.resource import Actions, Context, Entries, LiveResource, Resource
from sentictl.services.iam.roles import Role
from sentictl.services.serving.endpoint import Endpoint
from sentictl.services.serving.rollout import waits as rollout_waits

GROUP = "default"
TOLD_ONLY = {"Arn", "CreationDate", "LastModificationDate", "ResponseMetadata"}  # what is told of one and not put
TARGET = ("Arn", "RoleArn", "Input", "RetryPolicy")
TIME = "%Y-%m-%dT%H:%M:%S"
# An endpoint that is just being changed cannot be deleted, so it is tried again: for an hour, and for as long as a
# rollout waits. But not for Scheduler's default of a day: an endpoint that was taken down by hand and made again
# meanwhile would go as well.
RETRY_SECONDS, MOST_RETRIES = 3600, 185
# What Scheduler puts something in the place of: 16 letters and digits, others at each attempt; and the time that the
# call was scheduled for, such as 2026-03-22T18:59:00Z.
EXECUTION_ID, SCHEDULED_TIME = "<aws.scheduler.execution-id>", "<aws.scheduler.scheduled-time>"


class ScheduleRole(Role):
    """The role that the schedules run in: it may do to the project's endpoint what they do, and nothing else."""

    kind = "schedule-role"
    command = "deploy"
    part = "schedule"
    more = ("scaling", "opening")
    service = "scheduler.amazonaws.com"
    tells_account = True

    @property
    def wanted(self) -> bool:
        deploy = self.context.settings.deploy
        return bool(deploy.ttl or deploy.hours.up or deploy.hours.down)

    def _policy(self) -> dict[str, Any]:
        statements = [statement for part in self._parts() for statement in self._read_policy(part)["Statement"]]
        return {"Version": "2012-10-17", "Statement": statements}

    def _parts(self) -> list[str]:
        """The policies that its own is made of. Who deletes what scales has to be allowed to end the scaling, too."""
        deploy = self.context.settings.deploy
        creates = bool(deploy.hours.up)
        deletes = bool(deploy.hours.down) or not creates
        needed = {"schedule": deletes, "scaling": deletes and deploy.scales, "opening": creates}
        return [part for part, wanted in needed.items() if wanted]


class SageMakerSchedule(Resource):
    """A schedule of EventBridge Scheduler that calls SageMaker.

    Schedules have no tags, so the project's stand in the description.
    """

    command = "deploy"
    part: ClassVar[str]
    # Scheduler's name of the call.
    call: ClassVar[str]
    actions = Actions(
        read="scheduler:GetSchedule",
        create="scheduler:CreateSchedule iam:PassRole",
        update="scheduler:UpdateSchedule iam:PassRole",
        delete="scheduler:DeleteSchedule",
    )

    @property
    def name(self) -> str:
        return self.context.naming.name(self.part)

    def desired(self) -> Mapping[str, Any]:
        return {**self.chosen(), "target": self.target(), "state": self.state}

    def read(self, name: str) -> LiveResource | None:
        schedule = self._get(name)
        if schedule is None:
            return None
        fields = {
            **self.found_in(schedule),
            "target": {key: schedule["Target"].get(key) for key in TARGET},
            "state": schedule["State"],
        }
        return LiveResource(schedule["Arn"], fields=fields, attributes=self.recorded_of(schedule))

    @abstractmethod
    def chosen(self) -> Mapping[str, Any]:
        """Return the fields by which the settings say when it fires."""

    @abstractmethod
    def found_in(self, schedule: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the same fields of one that AWS has."""

    @abstractmethod
    def timing(self) -> Mapping[str, str]:
        """Return the expression, and its time zone, as they are put."""

    @abstractmethod
    def parameters(self) -> Mapping[str, Any]:
        """Return the parameters of the call."""

    @property
    def target_arn(self) -> str:
        """What it calls, as Scheduler names it."""
        return f"arn:{self.context.environment.partition}:scheduler:::aws-sdk:sagemaker:{self.call}"

    @property
    def role(self) -> Role:
        """The role in which it calls."""
        return ScheduleRole(self.context)

    @property
    def state(self) -> str:
        """Whether it fires: Scheduler's word, ENABLED or DISABLED."""
        return "ENABLED"

    @property
    def waits(self) -> timedelta:
        """For how long what it calls may have to wait before it can be done."""
        return timedelta()

    def words(self) -> Mapping[str, str]:
        """Return what stands in the description."""
        return self.context.naming.tags

    def recorded_of(self, schedule: Mapping[str, Any]) -> Mapping[str, str]:  # noqa: ARG002  (not each has some)
        """Return the attributes that are recorded of one that AWS has."""
        return {}

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

    def scope(self, action: str) -> Sequence[str]:
        arn = self.context.environment.arn("scheduler", f"schedule/{GROUP}/{self.context.naming.name('*')}")
        return [arn] if action.startswith("scheduler:") else []

    def cloudformation(self) -> Entries:
        # CloudFormation cannot let a schedule delete itself after it has fired. Of tags it has none.
        properties = {key: value for key, value in self.request().items() if key != "ActionAfterCompletion"}
        entry = {"Type": "AWS::Scheduler::Schedule", "DependsOn": [Endpoint.__name__], "Properties": properties}
        return {self.logical_id: entry}

    def request(self) -> dict[str, Any]:
        """Return the whole schedule as it is put."""
        return {
            "Name": self.name,
            "GroupName": GROUP,
            "Description": _description(self.words()),
            **self.timing(),
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": self.state,
            "Target": self.target(),
        }

    def _get(self, name: str) -> dict[str, Any] | None:
        return if_there(self.context.environment.client("scheduler").get_schedule, GroupName=GROUP, Name=name)

    def target(self) -> dict[str, Any]:
        """Return what it calls, as whom, and with what."""
        return {
            "Arn": self.target_arn,
            "RoleArn": self.role.arn,
            "Input": json.dumps(self.parameters()),
            "RetryPolicy": {
                "MaximumEventAgeInSeconds": RETRY_SECONDS + int(self.waits.total_seconds()),
                "MaximumRetryAttempts": MOST_RETRIES,
            },
        }


class EndpointDeletion(SageMakerSchedule):
    """A schedule that deletes the endpoint. What that is made of stays."""

    call = "deleteEndpoint"

    @property
    def waits(self) -> timedelta:
        return rollout_waits(self.context)

    def parameters(self) -> Mapping[str, Any]:
        return {"EndpointName": Endpoint(self.context).name}


class Schedule(EndpointDeletion):
    """The schedule that fires once, where `deploy.ttl` says how long the endpoint stands: deletes it, and then itself.

    The time begins when it is made or its ttl changes; reading and keeping it leave the end where it is. The ttl
    stands in the description, too.
    """

    kind = "schedule"
    part = "endpoint"

    @property
    def wanted(self) -> bool:
        return bool(self.context.settings.deploy.ttl)

    def chosen(self) -> Mapping[str, Any]:
        return {"ttl": self.context.settings.deploy.ttl}

    def found_in(self, schedule: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"ttl": _words(schedule).get("ttl")}

    def recorded_of(self, schedule: Mapping[str, Any]) -> Mapping[str, str]:
        return {"ends": schedule["ScheduleExpression"].removeprefix("at(").removesuffix(")")}

    def words(self) -> Mapping[str, str]:
        return {**super().words(), "ttl": self.context.settings.deploy.ttl}

    def timing(self) -> Mapping[str, str]:
        """Return when it fires; its time begins now."""
        ends = datetime.now(UTC) + duration(self.context.settings.deploy.ttl)
        return {
            "ScheduleExpression": f"at({ends:{TIME}})",
            "ScheduleExpressionTimezone": "UTC",
            "ActionAfterCompletion": "DELETE",
        }

    def summary(self) -> str:
        ends = self.context.attribute(Schedule, "ends").replace("T", " ")
        return f"endpoint {Endpoint(self.context).name} in service until {ends} UTC"


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
    if Endpoint(context).find() is not None:
        where = env_option(context.environment.name, default=LOCAL)
        return (
            f"The endpoint was to be taken down by itself at {shown} (deploy.ttl), and stands: "
            f"sentictl down endpoint{where}"
        )
    return f"The endpoint was taken down by itself at {shown} (deploy.ttl)."


def _description(words: Mapping[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in words.items())


def _words(schedule: Mapping[str, Any]) -> dict[str, str]:
    """Read from the description the project's tags and the ttl."""
    words = (schedule.get("Description") or "").split()
    return dict(word.split("=", 1) for word in words if "=" in word)
