"""CloudWatch's logs of the chain's parts: the groups that are kept, and reading them."""

from abc import abstractmethod
from collections.abc import Container, Iterable, Mapping, Sequence
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

    @property
    @abstractmethod
    def retention_days(self) -> int:
        """How long the settings want log events to be kept."""

    def desired(self) -> Mapping[str, Any]:
        return {"retention_days": self.retention_days}

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
        client.put_retention_policy(logGroupName=self.name, retentionInDays=self.retention_days)

    def delete(self, record: Record) -> None:
        if_there(self.context.environment.client("logs").delete_log_group, logGroupName=record.name)

    def scope(self, action: str) -> Sequence[str]:
        own = action.startswith("logs:") and action not in LOG_STREAM_ACTIONS
        return log_scope(self.context, self.name) if own else []

    def uses(self) -> Sequence[Use]:
        return [
            Use("Logs", "a GB written", prices()["logs_gb_taken_in"]),
            Use("Logs", "a GB kept for a month", prices()["logs_gb_month"]),
        ]

    def cloudformation(self) -> Entries:
        properties = {"LogGroupName": self.name, "RetentionInDays": self.retention_days}
        return self.entry("AWS::Logs::LogGroup", properties)

    def _arn(self, name: str) -> str:
        return self.context.environment.arn("logs", f"log-group:{name}")


class FunctionLogGroup(LogGroup):
    """The log group of the function."""

    kind = "log-group"
    command = "wire-lambda"

    @property
    def name(self) -> str:
        return f"/aws/lambda/{self.context.naming.name('predict')}"

    @property
    def retention_days(self) -> int:
        return self.context.settings.lambda_.log_days


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

    def scope(self, action: str) -> Sequence[str]:
        """Return one ARN for the groups of all endpoints that there can be: a policy has only so much room."""
        group = f"log-group:{ENDPOINT_GROUPS}{self.context.naming.name('*')}"
        return [self.context.environment.arn("logs", group)] if super().scope(action) else []

    @property
    def retention_days(self) -> int:
        return self.context.settings.deploy.log_days


def log_scope(context: Context, group: str) -> list[str]:
    """Return the ARNs of a log group, without and with its streams."""
    return [context.environment.arn("logs", f"log-group:{group}{rest}") for rest in ("", ":*")]


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
