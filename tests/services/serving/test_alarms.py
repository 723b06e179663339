"""A rollout's alarms, brought about by the reconciler and held against moto's CloudWatch."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sentictl.config.state import Record
from sentictl.errors import ForeignError
from sentictl.lifecycle.reconcile import Action, Step, apply, destroy
from sentictl.lifecycle.resource import Context
from sentictl.services.serving.alarms import RollbackAlarms, measures_answers
from sentictl.services.serving.endpoint import EndpointConfig
from sentictl.services.web.function import Function
from tests.services.conftest import ContextOf

CANARY = '[project]\nname = "films"\n[deploy]\ninstance_count = 2\nrollout = "canary"\n'
ALL = CANARY + 'rollback_on = ["errors", "latency", "undecided", "probability"]\n'


class Silent:
    """An observer that is told everything and says nothing."""

    def started(self, step: Step) -> None:
        """A step begins."""

    def finished(self, step: Step, summary: str) -> None:
        """A step has ended."""


def with_model(context: Context) -> Context:
    context.state.keep(Record("training-job", "films-local-a", "arn", {"artifact": "s3://films/a/model.tar.gz"}))
    return context


def train_another(context: Context) -> None:
    context.state.keep(Record("training-job", "films-local-b", "arn", {"artifact": "s3://films/b/model.tar.gz"}))


@pytest.fixture
def context(moto_context_of: ContextOf) -> Context:
    return with_model(moto_context_of(CANARY))


@pytest.fixture
def watchful(moto_context_of: ContextOf) -> Context:
    """A context whose rollouts watch all there is."""
    return with_model(moto_context_of(ALL))


def bring(context: Context) -> list[Action]:
    return [step.action for step in apply([RollbackAlarms(context)], context, Silent())]


def alarms(context: Context) -> dict[str, dict[str, Any]]:
    found = context.environment.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return {alarm["AlarmName"]: alarm for alarm in found}


def values(alarm: dict[str, Any]) -> dict[str, str]:
    return {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}


def expression(alarm: dict[str, Any]) -> str:
    return str(next(query["Expression"] for query in alarm["Metrics"] if query["ReturnData"]))


def test_a_canary_watches_errors_and_latency_of_the_new_machines(context: Context) -> None:
    assert bring(context) == [Action.CREATE]
    found = alarms(context)
    assert set(found) == {f"films-local-rollback-{watched}" for watched in ("errors", "latency", "abort")}
    errors, latency = (found[f"films-local-rollback-{watched}"] for watched in ("errors", "latency"))
    assert (errors["MetricName"], errors["Statistic"]) == ("Invocation5XXErrors", "Average")
    assert (latency["MetricName"], latency["ExtendedStatistic"]) == ("ModelLatency", "p99")
    new = EndpointConfig(context).name
    for alarm in (errors, latency):
        watched = {"EndpointName": "films-local-endpoint", "VariantName": "AllTraffic", "EndpointConfigName": new}
        assert values(alarm) == watched
        assert alarm["TreatMissingData"] == "notBreaching"
    assert found["films-local-rollback-abort"]["TreatMissingData"] == "ignore"
    assert bring(context) == [Action.KEEP]


def test_by_default_there_are_none(moto_context_of: ContextOf) -> None:
    context = with_model(moto_context_of('[project]\nname = "films"\n'))
    assert bring(context) == []
    assert RollbackAlarms(context).uses() == []
    assert "METRICS_NAMESPACE" not in Function(context).desired()["Environment"]["Variables"]


def test_they_follow_the_model_that_is_rolled_out(watchful: Context) -> None:
    bring(watchful)
    before = EndpointConfig(watchful).name
    train_another(watchful)
    assert EndpointConfig(watchful).name != before
    assert bring(watchful) == [Action.UPDATE]
    found = alarms(watchful)
    assert values(found["films-local-rollback-errors"])["EndpointConfigName"] == EndpointConfig(watchful).name
    metrics = [query["MetricStat"]["Metric"] for query in found["films-local-rollback-undecided"]["Metrics"][1:]]
    assert all(values(metric) == {"Endpoint": "films-local-endpoint", "Model": "films-local-b"} for metric in metrics)
    assert bring(watchful) == [Action.KEEP]


def test_one_that_has_gone_off_is_reset_before_the_next_rollout(context: Context) -> None:
    bring(context)
    name = "films-local-rollback-abort"
    client = context.environment.client("cloudwatch")
    client.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="sentictl deploy --abort")
    assert bring(context) == [Action.UPDATE]
    assert alarms(context)[name]["StateValue"] == "OK"


def test_the_mean_is_compared_with_that_of_the_last_week(watchful: Context) -> None:
    now = datetime.now(UTC)
    for days, value, count in ((1, 0.8, 30), (3, 0.4, 10), (9, 0.1, 500)):
        datum = {
            "MetricName": "Probability",
            "Dimensions": [{"Name": "Endpoint", "Value": "films-local-endpoint"}],
            "Timestamp": now - timedelta(days=days, minutes=-5),
            "StatisticValues": {"SampleCount": count, "Sum": value * count, "Minimum": value, "Maximum": value},
        }
        watchful.environment.client("cloudwatch").put_metric_data(Namespace="sentictl", MetricData=[datum])
    bring(watchful)
    assert expression(alarms(watchful)["films-local-rollback-probability"]) == (
        "IF(requests >= 20, ABS(value - 0.700))"
    )
    assert bring(watchful) == [Action.KEEP]  # though the week is another one by now


def test_without_a_last_week_it_never_goes_off_and_says_so(watchful: Context) -> None:
    assert [bring(watchful), bring(watchful)] == [[Action.CREATE], [Action.KEEP]]
    alarm = alarms(watchful)["films-local-rollback-probability"]
    assert expression(alarm) == "IF(requests >= 20, ABS(value - value))"
    assert "nothing was answered" in alarm["AlarmDescription"]


def test_the_function_tells_of_its_answers_where_they_are_watched(context: Context, watchful: Context) -> None:
    assert measures_answers(watchful)
    assert Function(watchful).desired()["Environment"]["Variables"]["METRICS_NAMESPACE"] == "sentictl"


def test_what_is_watched_no_longer_goes(watchful: Context) -> None:
    bring(watchful)
    watchful.config.change({"deploy.rollback_on": ["errors"]})
    assert bring(watchful) == [Action.UPDATE]
    assert set(alarms(watchful)) == {"films-local-rollback-errors", "films-local-rollback-abort"}
    watchful.config.change({"deploy.rollout": "all-at-once", "deploy.rollback_on": []})
    assert bring(watchful) == [Action.DELETE]
    assert alarms(watchful) == {}


def test_an_alarm_that_is_gone_is_made_again(context: Context) -> None:
    bring(context)
    context.environment.client("cloudwatch").delete_alarms(AlarmNames=["films-local-rollback-abort"])
    assert bring(context) == [Action.UPDATE]
    assert "films-local-rollback-abort" in alarms(context)


def test_another_projects_are_left_alone(context: Context) -> None:
    bring(context)
    client = context.environment.client("cloudwatch")
    for name, alarm in alarms(context).items():
        client.delete_alarms(AlarmNames=[name])
        client.untag_resource(ResourceARN=alarm["AlarmArn"], TagKeys=["sentictl:project", "sentictl:environment"])
    client.put_metric_alarm(
        AlarmName="films-local-rollback-errors",
        Namespace="theirs",
        MetricName="M",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    with pytest.raises(ForeignError):
        bring(context)
    deleted, left = destroy([RollbackAlarms(context)], context, Silent())
    assert (deleted, [record.kind for record in left]) == ([], ["alarms"])
    assert list(alarms(context)) == ["films-local-rollback-errors"]


def test_they_are_paid_by_the_metrics_that_they_watch(context: Context) -> None:
    (alarms_use,) = RollbackAlarms(context).uses()
    assert alarms_use.price == pytest.approx(0.3)
    context.config.change({"deploy.rollback_on": ["errors", "undecided"]})
    alarms_use, metrics_use = RollbackAlarms(context).uses()
    assert [alarms_use.price, metrics_use.price] == pytest.approx([0.4, 1.2])
