"""How long the endpoint has not been asked, held against moto's CloudWatch and SageMaker."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.sagemaker.models import sagemaker_backends

from sentictl.lifecycle.resource import Context
from sentictl.services.operations.usage import idle_days, idle_warning
from sentictl.services.serving.endpoint import VARIANT
from tests.services.conftest import MOTO_ACCOUNT, ContextOf

NAME = "films-local-endpoint"


@pytest.fixture
def context(moto_context_of: ContextOf) -> Context:
    return moto_context_of('[project]\nname = "films"\n')


def make_endpoint(context: Context, days_ago: float = 0, name: str = NAME) -> None:
    client = context.environment.client("sagemaker")
    role = f"arn:aws:iam::{MOTO_ACCOUNT}:role/x"
    client.create_model(
        ModelName="m", ExecutionRoleArn=role, PrimaryContainer={"Image": "i", "ModelDataUrl": "s3://b/m"}
    )
    variant = {"VariantName": VARIANT, "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    client.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    client.create_endpoint(EndpointName=name, EndpointConfigName="c")
    endpoint = sagemaker_backends[MOTO_ACCOUNT]["eu-west-1"].endpoints[name]
    endpoint.creation_time = (datetime.now(UTC) - timedelta(days=days_ago)).replace(tzinfo=None)


def invoke(context: Context, days_ago: float, *, count: int = 1, name: str = NAME) -> None:
    """Note a request in CloudWatch, as SageMaker does."""
    metric = {
        "MetricName": "Invocations",
        "Dimensions": [{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": VARIANT}],
        "Timestamp": datetime.now(UTC) - timedelta(days=days_ago),
        "Value": count,
    }
    context.environment.client("cloudwatch").put_metric_data(Namespace="AWS/SageMaker", MetricData=[metric])


def test_without_an_endpoint_nothing_is_idle(context: Context) -> None:
    assert idle_days(context) is None
    assert idle_warning(context) == ""


def test_a_new_endpoint_is_not_idle_yet(context: Context) -> None:
    make_endpoint(context)
    assert idle_days(context) == pytest.approx(0, abs=0.01)
    assert idle_warning(context) == ""


def test_an_endpoint_that_was_never_asked_is_idle_since_it_was_made(context: Context) -> None:
    make_endpoint(context, days_ago=5.2)
    assert idle_days(context) == pytest.approx(5.2, abs=0.01)
    assert idle_warning(context) == (
        "The endpoint has had no request for 5 days and costs about $2.76 a day: sentictl down endpoint"
    )


def test_the_last_request_is_what_counts(context: Context) -> None:
    make_endpoint(context, days_ago=20)
    for days in (12, 3):
        invoke(context, days)
    assert idle_days(context) == pytest.approx(3, abs=1 / 24)  # CloudWatch answers by the hour
    invoke(context, 0.5)
    assert idle_warning(context) == ""


def test_periods_without_a_request_and_other_endpoints_do_not_count(context: Context) -> None:
    make_endpoint(context, days_ago=4)
    invoke(context, 1, count=0)
    invoke(context, 1, name="another-endpoint")
    assert idle_days(context) == pytest.approx(4, abs=0.01)


def test_two_weeks_are_as_far_as_one_looks_back(context: Context) -> None:
    make_endpoint(context, days_ago=90)
    invoke(context, 30)
    assert idle_days(context) == pytest.approx(14, abs=0.01)


def test_metrics_that_may_not_be_read_are_no_reason_to_warn(context: Context) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetMetricStatistics")

    make_endpoint(context, days_ago=9)
    context.environment.client("cloudwatch").meta.events.register("before-call.cloudwatch", refuse)
    assert idle_days(context) is None
    assert idle_warning(context) == ""


def test_the_command_names_the_environment_that_costs(context: Context) -> None:
    context.environment.name = "prod"
    make_endpoint(context, days_ago=3, name="films-prod-endpoint")
    assert idle_warning(context).endswith(": sentictl down endpoint --env prod")


def test_the_warning_does_without_a_price_that_nobody_knows(moto_context_of: ContextOf) -> None:
    context = moto_context_of('[project]\nname = "films"\n[deploy]\ninstance_type = "ml.p5.48xlarge"\n')
    make_endpoint(context, days_ago=3)
    assert idle_warning(context) == "The endpoint has had no request for 3 days: sentictl down endpoint"
