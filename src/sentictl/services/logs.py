"""The logs of the chain's parts, as CloudWatch keeps them."""

from collections.abc import Iterator

from sentictl.aws.lookup import look_up
from sentictl.lifecycle.resource import Context

PARTS = ("train", "endpoint", "lambda")


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
        page = look_up(client.filter_log_events, **arguments)
        if page is None:
            return  # nothing was logged yet
        yield from (event["message"].rstrip() for event in page["events"])
        if "nextToken" not in page:
            return
        arguments["nextToken"] = page["nextToken"]


def _place(context: Context, part: str) -> tuple[str, str]:
    """The log group, and the prefix of its streams."""
    if part == "train":
        return "/aws/sagemaker/TrainingJobs", f"{_announced(context)}/"
    if part == "endpoint":
        return f"/aws/sagemaker/Endpoints/{context.naming.name('endpoint')}", ""
    return f"/aws/lambda/{context.naming.name('predict')}", ""


def _announced(context: Context) -> str:
    """The newest training job, also one that failed."""
    jobs = context.state.of_kind("training-job")
    return jobs[-1].name if jobs else context.recorded("training-job", "train").name
