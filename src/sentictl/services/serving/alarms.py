"""The alarms that a rollout is watched by: CloudWatch's own of the endpoint, and those on what the answers say."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.aws.names import tags_in
from sentictl.config.state import Record
from sentictl.lifecycle.cost import Use
from sentictl.lifecycle.resource import Actions, Context, Entries, LiveResource, Resource
from sentictl.services.pricing.table import prices
from sentictl.services.serving.endpoint import VARIANT, Endpoint, EndpointConfig
from sentictl.services.serving.model import trained
from sentictl.services.serving.rollout import ABORT, ALARM, ALARMS, alarm_logical_id, alarm_name, live_alarms

SAGEMAKER = "AWS/SageMaker"
ANSWERS = "sentictl"  # the namespace of what the function tells of the answers, in its log
MOST_ERRORS = 0.01  # share of the requests
SLOWEST = 1_000_000  # microseconds: of 100 requests 99 are answered in less
MOST_UNDECIDED = 0.2  # share of the reviews
FARTHEST = 0.15  # from the last week's mean probability
FEWEST = 20  # requests of which a mean says something
WEEK = timedelta(days=7)
DAY = timedelta(days=1)
ABOVE = {"ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching"}
OF_ANSWERS = ("undecided", "probability")
PAID = {**dict.fromkeys(ALARMS, 1), **dict.fromkeys(OF_ANSWERS, 2)}  # metrics of each alarm: CloudWatch bills by those
MEASURED = re.compile(r"- [\w.]+")  # the last week's mean in an expression: it holds for one rollout


class RollbackAlarms(Resource):
    """All alarms of the endpoint, as one: they come and go together, and with the endpoint config that they watch.

    They watch the new machines alone. After a rollback they are put again, so that the next rollout begins with none
    that has gone off.
    """

    kind = "alarms"
    command = "deploy"
    actions = Actions(
        read="cloudwatch:DescribeAlarms cloudwatch:ListTagsForResource",
        create="cloudwatch:PutMetricAlarm cloudwatch:TagResource cloudwatch:GetMetricStatistics",
        update="cloudwatch:PutMetricAlarm cloudwatch:SetAlarmState cloudwatch:DeleteAlarms "
        "cloudwatch:TagResource cloudwatch:GetMetricStatistics",
        delete="cloudwatch:DeleteAlarms",
        unscoped="cloudwatch:GetMetricStatistics",
    )

    arn_pattern = r":alarm:(?P<name>.+)"

    @property
    def name(self) -> str:
        return self.context.naming.name("rollback")

    @property
    def wanted(self) -> bool:
        return self.context.settings.deploy.guarded

    def desired(self) -> Mapping[str, Any]:
        asked = {watched: _told(alarm) for watched, alarm in self._asked(mean=0.0).items()}
        return {**dict.fromkeys(ALARMS), **asked, "gone_off": []}

    def read(self, name: str) -> LiveResource | None:  # noqa: ARG002  (there is one name alone)
        live = live_alarms(self.context)
        if not live:
            return None
        told = {watched: _told(alarm) for watched, alarm in live.items()}
        gone_off = [watched for watched, alarm in live.items() if alarm["StateValue"] == ALARM]
        return LiveResource(self._arn(ABORT), fields={**dict.fromkeys(ALARMS), **told, "gone_off": gone_off})

    def tags(self, name: str) -> Mapping[str, str]:  # noqa: ARG002
        client = self.context.environment.client("cloudwatch")
        tagged = next(iter(live_alarms(self.context)), ABORT)
        answer = if_there(client.list_tags_for_resource, ResourceARN=self._arn(tagged)) or {"Tags": []}
        return tags_in(answer["Tags"])

    def tag(self, name: str) -> None:  # noqa: ARG002
        client = self.context.environment.client("cloudwatch")
        for watched in live_alarms(self.context):
            client.tag_resource(ResourceARN=self._arn(watched), Tags=self.context.naming.tag_list())

    def create(self) -> None:
        client = self.context.environment.client("cloudwatch")
        for watched, alarm in self._asked(self._last_weeks_mean()).items():
            name = alarm_name(self.context, watched)
            client.put_metric_alarm(AlarmName=name, **alarm, Tags=self.context.naming.tag_list())

    def update(self) -> None:
        self.create()
        client = self.context.environment.client("cloudwatch")
        asked = self._asked(mean=0.0)
        for watched in asked:  # one that went off would end the next rollout as it begins
            name = alarm_name(self.context, watched)
            client.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="Watches another rollout")
        superfluous = [alarm["AlarmName"] for each, alarm in live_alarms(self.context).items() if each not in asked]
        if superfluous:
            client.delete_alarms(AlarmNames=superfluous)

    def delete(self, record: Record) -> None:  # noqa: ARG002
        names = [alarm["AlarmName"] for alarm in live_alarms(self.context).values()]
        if names:
            if_there(self.context.environment.client("cloudwatch").delete_alarms, AlarmNames=names)

    def scope(self, action: str) -> Sequence[str]:
        return [self._arn("*")] if action.startswith("cloudwatch:") else []

    def uses(self) -> Sequence[Use]:
        if not self.wanted:
            return []
        paid = sum(PAID[watched] for watched in (*self._watched, ABORT))
        alarms = Use("Alarms", "a month of all of them", paid * prices()["alarm_month"])
        if not measures_answers(self.context):
            return [alarms]
        # For the endpoint, and for the model that answers.
        return [alarms, Use("Metrics of the answers", "a month", 2 * len(OF_ANSWERS) * prices()["metric_month"])]

    def cloudformation(self) -> Entries:
        return {
            alarm_logical_id(watched): {
                "Type": "AWS::CloudWatch::Alarm",
                "Properties": {
                    "AlarmName": alarm_name(self.context, watched),
                    **alarm,
                    "Tags": self.context.naming.tag_list(),
                },
            }
            for watched, alarm in self._asked(self._last_weeks_mean()).items()
        }

    @property
    def _watched(self) -> tuple[str, ...]:
        return self.context.settings.deploy.watched

    def _asked(self, mean: float | None) -> dict[str, dict[str, Any]]:
        """Return the alarms that the settings ask for, as PutMetricAlarm takes them, by what they watch.

        Args:
            mean: the last week's mean probability; None where nothing was answered in it.
        """
        makers: dict[str, Callable[[], dict[str, Any]]] = {
            "errors": self._errors,
            "latency": self._latency,
            "undecided": self._undecided,
            "probability": partial(self._probability, mean),
        }
        return {**{watched: makers[watched]() for watched in self._watched}, ABORT: self._abort()}

    def _errors(self) -> dict[str, Any]:
        return {
            "AlarmDescription": f"Over {MOST_ERRORS:.0%} of the requests fail on the new machines",
            **self._of_the_new_machines("Invocation5XXErrors"),
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": MOST_ERRORS,
            **ABOVE,
        }

    def _latency(self) -> dict[str, Any]:
        return {
            "AlarmDescription": f"One request in 100 takes the new machines over {SLOWEST / 1e6:.0f} s",
            **self._of_the_new_machines("ModelLatency"),
            "ExtendedStatistic": "p99",
            "Period": 60,
            "EvaluationPeriods": 2,
            "Threshold": float(SLOWEST),
            **ABOVE,
        }

    def _undecided(self) -> dict[str, Any]:
        return {
            "AlarmDescription": f"The new model knows no word of over {MOST_UNDECIDED:.0%} of the reviews",
            "Metrics": self._of_the_new_model("Undecided", "value"),
            "EvaluationPeriods": 1,
            "Threshold": MOST_UNDECIDED,
            **ABOVE,
        }

    def _probability(self, mean: float | None) -> dict[str, Any]:
        before = "nothing was answered" if mean is None else f"the mean was {mean:.3f}"
        expected = "value" if mean is None else f"{mean:.3f}"
        return {
            "AlarmDescription": f"The new model's mean probability is not that of the week before, in which {before}",
            "Metrics": self._of_the_new_model("Probability", f"ABS(value - {expected})"),
            "EvaluationPeriods": 1,
            "Threshold": FARTHEST,
            **ABOVE,
        }

    def _abort(self) -> dict[str, Any]:
        """An alarm without data, which keeps the state that it is set to."""
        return {
            "AlarmDescription": "Set off by: sentictl deploy --abort",
            "Namespace": ANSWERS,
            "MetricName": "Abort",
            "Dimensions": _dimensions(Endpoint=Endpoint(self.context).name),
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 0.0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "ignore",
        }

    def _of_the_new_machines(self, metric: str) -> dict[str, Any]:
        dimensions = _dimensions(
            EndpointName=Endpoint(self.context).name,
            VariantName=VARIANT,
            EndpointConfigName=EndpointConfig(self.context).name,
        )
        return {"Namespace": SAGEMAKER, "MetricName": metric, "Dimensions": dimensions}

    def _of_the_new_model(self, metric: str, expression: str) -> list[dict[str, Any]]:
        """Return an expression of a metric's mean, called `value`; without a result where it is of too few requests."""
        dimensions = _dimensions(Endpoint=Endpoint(self.context).name, Model=trained(self.context).name)
        of = {"Namespace": ANSWERS, "MetricName": metric, "Dimensions": dimensions}
        queries = {"value": "Average", "requests": "SampleCount"}
        return [
            {"Id": "watched", "Expression": f"IF(requests >= {FEWEST}, {expression})", "ReturnData": True},
            *(
                {"Id": name, "MetricStat": {"Metric": of, "Period": 300, "Stat": statistic}, "ReturnData": False}
                for name, statistic in queries.items()
            ),
        ]

    def _last_weeks_mean(self) -> float | None:
        if "probability" not in self._watched:
            return None
        now = datetime.now(UTC)
        points = self.context.environment.client("cloudwatch").get_metric_statistics(
            Namespace=ANSWERS,
            MetricName="Probability",
            Dimensions=_dimensions(Endpoint=Endpoint(self.context).name),
            StartTime=now - WEEK,
            EndTime=now,
            Period=int(DAY.total_seconds()),
            Statistics=["Average", "SampleCount"],
        )["Datapoints"]
        requests = sum(point["SampleCount"] for point in points)
        return sum(point["Average"] * point["SampleCount"] for point in points) / requests if requests else None

    def _arn(self, watched: str) -> str:
        return self.context.environment.arn("cloudwatch", f"alarm:{alarm_name(self.context, watched)}")


def measures_answers(context: Context) -> bool:
    """Tell whether the function has to tell CloudWatch what the answers say."""
    deploy = context.settings.deploy
    return deploy.guarded and not set(OF_ANSWERS).isdisjoint(deploy.watched)


def _dimensions(**values: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


def _told(alarm: Mapping[str, Any]) -> str:
    """Tell in one line what an alarm watches: what is compared, and what a plan shows where it differs.

    Args:
        alarm: one of ours, or of that name and whatever kind.
    """
    statistics = [query["MetricStat"] for query in alarm.get("Metrics") or () if "MetricStat" in query]
    expressions = [MEASURED.sub("- MEAN", query.get("Expression", "")) for query in alarm.get("Metrics") or ()]
    metrics = [statistic["Metric"] for statistic in statistics] or [alarm]
    names = sorted({dimension["Value"] for metric in metrics for dimension in metric.get("Dimensions", ())})
    what = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "".join(expressions)
    period = alarm.get("Period") or (statistics[0]["Period"] if statistics else "?")
    return (
        f"{what} of {metrics[0].get('MetricName')} > {alarm.get('Threshold')} for {alarm.get('EvaluationPeriods')} x "
        f"{period} s, {alarm.get('TreatMissingData', 'missing')}, of {', '.join(names)}"
    )
