"""The logs of the chain's parts, as CloudWatch keeps them."""

from collections.abc import Iterator

from sentictl.aws.lookup import if_there
from sentictl.aws.names import TRAINING_GROUP
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.errors import MissingStepError
from sentictl.lifecycle.resource import Context
from sentictl.services.resources.logs import EndpointLogGroup, FunctionLogGroup
from sentictl.services.resources.training import TrainingJob


def read_log(context: Context, part: str) -> Iterator[str]:
    """Read the lines of a part's log, oldest first.

    Args:
        context: the project and environment.
        part: "train", the latest training job; "endpoint"; or "lambda", the function.

    Raises:
        MissingStepError: that part was never made, or the settings have no endpoint.
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


def _place(context: Context, part: str) -> tuple[str, str]:
    """Return the log group, and the prefix of its streams."""
    if part == "train":
        return TRAINING_GROUP, f"{_announced(context)}/"
    if part == "lambda":
        return FunctionLogGroup(context).name, ""
    endpoint = EndpointLogGroup(context)
    if not endpoint.wanted and not context.state.of_kind(endpoint.kind):
        where = env_option(context.environment.name, default=LOCAL)
        raise MissingStepError(
            'There is no endpoint, as deploy.serving is "lambda": the model answers inside of the function.',
            f"Its log: sentictl logs lambda{where}",
        )
    return endpoint.name, ""


def _announced(context: Context) -> str:
    """Return the name of the newest training job, also of one that failed."""
    jobs = context.state.of_kind(TrainingJob.kind)
    return jobs[-1].name if jobs else context.recorded(TrainingJob).name
