"""Whether the endpoint is used at all: one that nobody asks costs as much as one that everybody does."""

from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sentictl.aws.lookup import if_there
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.lifecycle.resource import Context
from sentictl.services.chain import CHAIN
from sentictl.services.pricing.estimate import estimate
from sentictl.services.serving.endpoint import VARIANT, Endpoint

LOOKED_BACK = timedelta(days=14)
PERIOD = timedelta(hours=1)  # one answer of CloudWatch's holds 1,440 periods, enough for the 14 days
IDLE_DAYS = 2


def idle_days(context: Context) -> float | None:
    """Days since the endpoint answered last, or since it was made; 14 at most, as no further is looked back.

    Returns:
        None where there is no endpoint that is paid by the hour, or its metrics cannot be read.
    """
    if context.settings.deploy.serving != "instance":  # what is paid by use costs nothing while nobody asks
        return None
    name = Endpoint(context).name
    try:
        endpoint = if_there(context.environment.client("sagemaker").describe_endpoint, EndpointName=name)
        if endpoint is None:
            return None
        now = datetime.now(UTC)
        last = _last_invocation(context, name, now)
    except (BotoCoreError, ClientError):
        return None
    made: datetime = endpoint["CreationTime"]
    idle = now - max(made, last or now - LOOKED_BACK)
    return max(idle, timedelta()) / timedelta(days=1)


def idle_warning(context: Context) -> str:
    """Tell what an endpoint costs that was not asked for days, and how it is stopped; empty for one that is in use."""
    days = idle_days(context)
    if days is None or days < IDLE_DAYS:
        return ""
    cost = estimate(context, CHAIN)
    verb = "costs" if cost.billed else "would cost on AWS"
    daily = "" if cost.hourly is None else f" and {verb} about ${24 * cost.hourly:,.2f} a day"
    where = env_option(context.environment.name, default=LOCAL)
    return f"The endpoint has had no request for {int(days)} days{daily}: sentictl down endpoint{where}"


def _last_invocation(context: Context, name: str, now: datetime) -> datetime | None:
    answer: dict[str, Any] = context.environment.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Dimensions=[{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": VARIANT}],
        StartTime=now - LOOKED_BACK,
        EndTime=now,
        Period=int(PERIOD.total_seconds()),
        Statistics=["Sum"],
    )
    # A period is known by its beginning; the request may have come at its end.
    return max((point["Timestamp"] + PERIOD for point in answer["Datapoints"] if point["Sum"] > 0), default=None)
