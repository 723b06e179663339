"""A rollout that is on its way, as AWS tells of it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from sentictl.config.state import Record
from sentictl.errors import EndpointError, MissingStepError
from sentictl.lifecycle.resource import Context
from sentictl.services.operations.rollouts import RolloutProgress, abort, check_none_under_way, progress
from sentictl.services.serving.endpoint import EndpointConfig
from sentictl.services.serving.rollout import deployment_config
from tests.services.conftest import ContextOf
from tests.services.serving.test_endpoint import OLD, told

CANARY = '[project]\nname = "films"\n[deploy]\ninstance_count = 4\nrollout = "canary"\nrollback_on = ["errors"]\n'


@pytest.fixture
def context(context_of: ContextOf) -> Context:
    context = context_of(CANARY)
    context.state.keep(Record("training-job", "films-local-a", "arn", {"artifact": "s3://films/model.tar.gz"}))
    context.state.keep(Record("alarms", "films-local-rollback", "arn"))
    return context


def under_way(context: Context, status: str = "Updating", config: str = "") -> dict[str, Any]:
    """What DescribeEndpoint tells six minutes after a rollout began, one minute after its first step."""
    now = datetime.now(UTC)
    variant = {
        "VariantName": "AllTraffic",
        "DesiredInstanceCount": 4,
        "VariantStatus": [{"Status": "Baking", "StartTime": now - timedelta(minutes=1)}],
    }
    pending = {
        "EndpointConfigName": config or EndpointConfig(context).name,
        "StartTime": now - timedelta(minutes=6),
        "ProductionVariants": [variant],
    }
    return {
        **told(OLD, status),
        "PendingDeploymentSummary": pending,
        "LastDeploymentConfig": deployment_config(context),
    }


@contextmanager
def aws(
    context: Context, *endpoints: dict[str, Any], shares: tuple[int, int] = (30, 100), **alarms: str
) -> Iterator[None]:
    """AWS that tells of the endpoint, of invocations (of the new machines, of all), and of alarms by their states."""
    with ExitStack() as stack:
        sagemaker, cloudwatch = (
            stack.enter_context(Stubber(context.environment.client(service))) for service in ("sagemaker", "cloudwatch")
        )
        for endpoint in endpoints:
            sagemaker.add_response("describe_endpoint", endpoint)
        if "PendingDeploymentSummary" in endpoints[0]:
            for count in (shares[1], shares[0]) if shares[1] else (0,):
                cloudwatch.add_response("get_metric_statistics", {"Datapoints": [{"Sum": float(count)}]})
            states = {"errors": "OK", "abort": "OK"} | alarms
            described = [
                {"AlarmName": f"films-local-rollback-{watched}", "StateValue": state}
                for watched, state in states.items()
            ]
            cloudwatch.add_response("describe_alarms", {"MetricAlarms": described})
        cloudwatch.add_response("set_alarm_state", {})
        yield


def found(context: Context, **changes: Any) -> RolloutProgress:
    with aws(context, under_way(context), **changes):
        told_of = progress(context)
    assert told_of is not None
    return told_of


def test_without_one_there_is_none(context: Context) -> None:
    with aws(context, told(OLD)):
        assert progress(context) is None


def test_how_far_it_is_follows_from_the_requests_that_the_new_machines_answer(context: Context) -> None:
    rollout = found(context)
    assert (rollout.kind, rollout.share, rollout.step, rollout.steps) == ("canary", 0.3, 1, 2)
    assert rollout.minutes_left == 9 + 10 + 1  # this wait, the next one, and the old machines' end
    assert rollout.alarms == {"errors": "OK", "abort": "OK"}
    text = str(rollout)
    assert "30 % of the requests, step 1 of 2, about 20 minutes left. Alarms: errors OK." in text
    assert rollout.document()["endpoint_config"] == EndpointConfig(context).name


def test_later_it_is_the_second_step(context: Context) -> None:
    assert found(context, shares=(95, 100)).step == 2


def test_without_requests_the_step_is_not_known(context: Context) -> None:
    rollout = found(context, shares=(0, 0))
    assert (rollout.share, rollout.step, rollout.minutes_left) == (None, None, None)
    assert "no requests yet" in str(rollout)


def test_one_whose_alarm_has_gone_off_is_going_back(context: Context) -> None:
    rollout = found(context, errors="ALARM")
    assert rollout.stopped
    assert f"is going back to {OLD}, on account of: errors" in str(rollout)


def test_the_same_rollout_is_gone_on_with(context: Context) -> None:
    with aws(context, under_way(context)):
        check_none_under_way(context)


def test_another_rollout_is_refused(context: Context) -> None:
    with (
        aws(context, under_way(context, config="films-local-fedcba987654")),
        pytest.raises(EndpointError, match="to films-local-fedcba987654 is on its way since") as caught,
    ):
        check_none_under_way(context)
    assert "sentictl deploy --abort" in caught.value.hint


def test_the_same_one_is_refused_while_it_is_going_back(context: Context) -> None:
    with (
        aws(context, under_way(context, "RollingBack")),
        pytest.raises(EndpointError, match="is going back to") as caught,
    ):
        check_none_under_way(context)
    assert "--abort" not in caught.value.hint


def test_where_nothing_was_ever_watched_aws_is_not_asked(context_of: ContextOf) -> None:
    check_none_under_way(context_of('[project]\nname = "films"\n'))


def test_nothing_can_be_stopped_where_nothing_is_on_its_way(context: Context) -> None:
    with aws(context, told(OLD)), pytest.raises(MissingStepError, match="No rollout that could be stopped"):
        abort(context)


def test_it_is_stopped(context: Context) -> None:
    with aws(context, under_way(context), told(OLD)):
        assert abort(context) == OLD


def test_one_that_was_over_before_cannot_be_stopped(context: Context) -> None:
    with (
        aws(context, under_way(context), told(EndpointConfig(context).name)),
        pytest.raises(EndpointError, match="over before it could be stopped"),
    ):
        abort(context)
