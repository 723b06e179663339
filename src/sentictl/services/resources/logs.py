"""CloudWatch's logs of the chain's parts: the groups that are kept, and reading them."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.config.state import Record
from sentictl.lifecycle.cost import Use
from sentictl.lifecycle.resource import Actions, Context, Entries, LiveResource, Resource
from sentictl.services.pricing.table import prices
from sentictl.services.resources.sagemaker import endpoint_name, endpoint_names, has_endpoint

# On streams; these are decided on by the group.
LOG_STREAM_ACTIONS = {"logs:GetLogEvents", "logs:DeleteLogStream"}
LOG_READING_ACTIONS = {"logs:DescribeLogStreams", "logs:FilterLogEvents"}

ENDPOINT_GROUPS = "/aws/sagemaker/Endpoints/"


class LogGroup(Resource):
    """A log group, made before its service makes one that is kept for ever and that nobody deletes."""

    arn_pattern = r":log-group:(?P<name>[^:]+)"
    actions = Actions(
        read="logs:DescribeLogGroups logs:ListTagsForResource",
        create="logs:CreateLogGroup logs:TagResource logs:PutRetentionPolicy",
        update="logs:PutRetentionPolicy",
        delete="logs:DeleteLogGroup",
        unscoped="logs:DescribeLogGroups",
    )
    holds_logs = True

    def desired(self) -> Mapping[str, Any]:
        return {"retention_days": self.context.settings.logs.days}

    def read(self, name: str) -> LiveResource | None:
        client = self.context.environment.client("logs")
        pages = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
        groups = (group for page in pages for group in page["logGroups"])
        group = next((group for group in groups if group["logGroupName"] == name), None)
        return group and LiveResource(self._arn(name), fields={"retention_days": group.get("retentionInDays")})

    def tags(self, name: str) -> Mapping[str, str]:
        client = self.context.environment.client("logs")
        answer = if_there(client.list_tags_for_resource, resourceArn=self._arn(name)) or {"tags": {}}
        tags: dict[str, str] = answer["tags"]
        return tags

    def tag(self, name: str) -> None:
        client = self.context.environment.client("logs")
        client.tag_resource(resourceArn=self._arn(name), tags=self.context.naming.tags)

    def create(self) -> None:
        client = self.context.environment.client("logs")
        client.create_log_group(logGroupName=self.name, tags=self.context.naming.tags)
        self.update()

    def update(self) -> None:
        client = self.context.environment.client("logs")
        client.put_retention_policy(logGroupName=self.name, retentionInDays=self.context.settings.logs.days)

    def delete(self, record: Record) -> None:
        if_there(self.context.environment.client("logs").delete_log_group, logGroupName=record.name)

    def scope(self, action: str) -> Sequence[str]:
        """Return one ARN for all of the project's groups, with their streams: a policy has only so much room."""
        own = action.startswith("logs:") and action not in LOG_STREAM_ACTIONS
        group = f"log-group:/aws/*/{self.context.naming.name('*')}"
        return [self.context.environment.arn("logs", group)] if own else []

    def uses(self) -> Sequence[Use]:
        return [
            Use("Logs", "a GB written", prices()["logs_gb_taken_in"]),
            Use("Logs", "a GB kept for a month", prices()["logs_gb_month"]),
        ]

    def cloudformation(self) -> Entries:
        properties = {"LogGroupName": self.name, "RetentionInDays": self.context.settings.logs.days}
        return self.entry("AWS::Logs::LogGroup", properties)

    @property
    def arn(self) -> str:
        return self._arn(self.name)

    def _arn(self, name: str) -> str:
        return self.context.environment.arn("logs", f"log-group:{name}")


class ApiLogGroup(LogGroup):
    """The log group of the API's access log."""

    kind = "api-log-group"
    command = "wire-api"

    @property
    def name(self) -> str:
        return f"/aws/apigateway/{self.context.naming.name('api')}"

    @property
    def wanted(self) -> bool:
        return self.context.settings.api.access_log


class FunctionLogGroup(LogGroup):
    """The log group of the function."""

    kind = "log-group"
    command = "wire-lambda"

    @property
    def name(self) -> str:
        return f"/aws/lambda/{self.context.naming.name('predict')}"


class EndpointLogGroup(LogGroup):
    """The log group of the endpoint's containers."""

    kind = "endpoint-log-group"
    command = "deploy"

    @property
    def name(self) -> str:
        return f"{ENDPOINT_GROUPS}{endpoint_name(self.context)}"

    def found(self, known: Container[str] = ()) -> Iterable[tuple[str, LiveResource]]:
        for endpoint in endpoint_names(self.context):
            name = f"{ENDPOINT_GROUPS}{endpoint}"
            if name not in known and (live := self.read(name)):
                yield name, live

    @property
    def wanted(self) -> bool:
        return has_endpoint(self.context)


def log_scope(context: Context, group: str) -> list[str]:
    """Return the ARNs of a log group, without and with its streams."""
    return [context.environment.arn("logs", f"log-group:{group}{rest}") for rest in ("", ":*")]


def job_log_scope(context: Context, group: str, action: str) -> list[str]:
    """Limit what is done in the log of all jobs of a kind, which is not the project's, to the project's own streams.

    AWS decides on reading by the group, so that it reaches the others' streams there.

    Args:
        context: the project and environment.
        group: the log group, which AWS names.
        action: the IAM action.

    Returns:
        The ARNs; empty for an action that is not one on logs.
    """
    if action in LOG_READING_ACTIONS:
        return log_scope(context, group)
    if action in LOG_STREAM_ACTIONS:
        return [context.environment.arn("logs", f"log-group:{group}:log-stream:{context.naming.name('*')}")]
    return []


def read_events(
    context: Context,
    group: str,
    *,
    streams: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    pattern: str = "",
) -> Iterator[dict[str, Any]]:
    """Yield the events of a log group as AWS tells them, oldest first, page by page; none where it is not there.

    Args:
        context: the project and environment.
        group: its name.
        streams: what the names of the streams begin with.
        since: the time of the first event.
        until: the time of the last one.
        pattern: a filter pattern of CloudWatch's.
    """
    client = context.environment.client("logs")
    asked: dict[str, Any] = {"logGroupName": group}
    asked |= {"logStreamNamePrefix": streams} if streams else {}
    asked |= {"startTime": _milliseconds(since)} if since else {}
    asked |= {"endTime": _milliseconds(until)} if until else {}
    asked |= {"filterPattern": pattern} if pattern else {}
    while page := if_there(client.filter_log_events, **asked):
        yield from page["events"]
        if "nextToken" not in page:
            return
        asked["nextToken"] = page["nextToken"]


def delete_streams(context: Context, group: str, prefix: str) -> None:
    """Delete the streams whose names begin with `prefix`: what one resource wrote into a group that many share."""
    client = context.environment.client("logs")
    while True:
        # Asked anew each time: a page's token may not outlive the streams that were on it.
        page = if_there(client.describe_log_streams, logGroupName=group, logStreamNamePrefix=prefix)
        streams = page["logStreams"] if page else []
        for stream in streams:
            if_there(client.delete_log_stream, logGroupName=group, logStreamName=stream["logStreamName"])
        if not streams:
            return


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
