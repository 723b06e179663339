"""CloudWatch's logs of the chain's parts: the groups that are kept, and reading them."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.aws.names import TRAINING_GROUP
from sentictl.config.state import Record
from sentictl.lifecycle.resource import Context, Live, Resource

PARTS = ("train", "endpoint", "lambda")


class LogGroup(Resource):
    """A log group, made before its service makes one that is kept for ever and that nobody deletes."""

    @property
    @abstractmethod
    def retention_days(self) -> int:
        """How long the settings want log events to be kept."""

    def desired(self) -> Mapping[str, Any]:
        return {"retention_days": self.retention_days}

    def read(self, name: str) -> Live | None:
        client = self.context.environment.client("logs")
        pages = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
        groups = (group for page in pages for group in page["logGroups"])
        group = next((group for group in groups if group["logGroupName"] == name), None)
        return group and Live(self._arn(name), fields={"retention_days": group.get("retentionInDays")})

    def tags(self, name: str) -> Mapping[str, str]:
        client = self.context.environment.client("logs")
        answer = if_there(client.list_tags_for_resource, resourceArn=self._arn(name)) or {"tags": {}}
        tags: dict[str, str] = answer["tags"]
        return tags

    def tag(self) -> None:
        client = self.context.environment.client("logs")
        client.tag_resource(resourceArn=self._arn(self.name), tags=self.context.naming.tags)

    def create(self) -> None:
        client = self.context.environment.client("logs")
        client.create_log_group(logGroupName=self.name, tags=self.context.naming.tags)
        self.update()

    def update(self) -> None:
        client = self.context.environment.client("logs")
        client.put_retention_policy(logGroupName=self.name, retentionInDays=self.retention_days)

    def delete(self, record: Record) -> None:
        if_there(self.context.environment.client("logs").delete_log_group, logGroupName=record.name)

    def _arn(self, name: str) -> str:
        return self.context.environment.arn("logs", f"log-group:{name}")


class FunctionLogGroup(LogGroup):
    """What the function logs."""

    kind = "log-group"

    @property
    def name(self) -> str:
        return f"/aws/lambda/{self.context.naming.name('predict')}"

    @property
    def retention_days(self) -> int:
        return self.context.settings.lambda_.log_days


class EndpointLogGroup(LogGroup):
    """What the endpoint's containers log."""

    kind = "endpoint-log-group"

    @property
    def name(self) -> str:
        return f"/aws/sagemaker/Endpoints/{self.context.naming.name('endpoint')}"

    @property
    def retention_days(self) -> int:
        return self.context.settings.deploy.log_days


def read_log(context: Context, part: str) -> Iterator[str]:
    """The lines of a part's log, oldest first.

    Args:
        context: the project and environment.
        part: one of `PARTS`: the latest training job, the endpoint, or the function.

    Raises:
        MissingStepError: that part was never made.
    """
    group, streams = _place(context, part)
    client = context.environment.client("logs")
    arguments = {"logGroupName": group, **({"logStreamNamePrefix": streams} if streams else {})}
    while True:
        page = if_there(client.filter_log_events, **arguments)
        if page is None:
            return  # nothing was logged yet
        yield from (event["message"].rstrip() for event in page["events"])
        if "nextToken" not in page:
            return
        arguments["nextToken"] = page["nextToken"]


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


def _place(context: Context, part: str) -> tuple[str, str]:
    """The log group, and the prefix of its streams."""
    if part == "train":
        return TRAINING_GROUP, f"{_announced(context)}/"
    return (EndpointLogGroup(context) if part == "endpoint" else FunctionLogGroup(context)).name, ""


def _announced(context: Context) -> str:
    """The newest training job, also one that failed."""
    jobs = context.state.of_kind("training-job")
    return jobs[-1].name if jobs else context.recorded("training-job", "train").name
