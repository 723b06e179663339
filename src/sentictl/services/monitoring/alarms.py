"""The alarms that tell a person: on the API's requests, and on the function behind it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.aws.names import digest_of, tags_in
from sentictl.config.state import Record
from sentictl.lifecycle.cost import Use
from sentictl.lifecycle.resource import Actions, Context, Entries, LiveResource, Resource
from sentictl.services.monitoring.texts import MINUTES, MOST_REFUSED, NEEDED, text_of
from sentictl.services.monitoring.topic import COMMAND, topic_arn
from sentictl.services.pricing.table import prices
from sentictl.services.web.function import Function
from sentictl.services.web.rest_api import STAGE, RestApi

API = "AWS/ApiGateway"
LAMBDA = "AWS/Lambda"
WATCHED = ("errors", "latency", "throttled", "refused", "idle")
COUNTED = "requests"  # the metric in an expression
DAY = int(timedelta(days=1).total_seconds())
ABOVE, BELOW = "GreaterThanThreshold", "LessThanThreshold"


class AlertAlarms(Resource):
    """All alarms of the alerts, as one: they come and go together, and tell one topic.

    Each says when it goes off, and when all is well again. A minute without requests is a good one, but for the alarm
    on requests that stay away.
    """

    kind = "alert-alarms"
    command = COMMAND
    face = True
    removed_as = "alerts"
    on_request = True
    actions = Actions(
        read="cloudwatch:DescribeAlarms cloudwatch:ListTagsForResource",
        create="cloudwatch:PutMetricAlarm cloudwatch:TagResource",
        update="cloudwatch:PutMetricAlarm cloudwatch:TagResource cloudwatch:DeleteAlarms",
        delete="cloudwatch:DeleteAlarms",
    )
    arn_pattern = r":alarm:(?P<name>.+)"

    @property
    def name(self) -> str:
        return self.context.naming.name("alert")

    @property
    def wanted(self) -> bool:
        return self.context.settings.alerts.wanted

    def desired(self) -> Mapping[str, Any]:
        return _fields(self._asked())

    def read(self, name: str) -> LiveResource | None:  # noqa: ARG002  (there is one name alone)
        live = self._live()
        if not live:
            return None
        return LiveResource(self._arn(next(iter(live))), fields=_fields(live))

    def tags(self, name: str) -> Mapping[str, str]:  # noqa: ARG002
        tagged = next(iter(self._live()), WATCHED[0])
        answer = if_there(self._client.list_tags_for_resource, ResourceARN=self._arn(tagged)) or {"Tags": []}
        return tags_in(answer["Tags"])

    def tag(self, name: str) -> None:  # noqa: ARG002
        for watched in self._live():
            self._client.tag_resource(ResourceARN=self._arn(watched), Tags=self.context.naming.tag_list())

    def create(self) -> None:
        for watched, alarm in self._asked().items():
            tags = self.context.naming.tag_list()
            self._client.put_metric_alarm(AlarmName=self._name(watched), **alarm, Tags=tags)

    def update(self) -> None:
        self.create()
        superfluous = [self._name(watched) for watched in self._live() if watched not in self._asked()]
        if superfluous:
            self._client.delete_alarms(AlarmNames=superfluous)

    def delete(self, record: Record) -> None:  # noqa: ARG002
        names = [self._name(watched) for watched in self._live()]
        if names:
            if_there(self._client.delete_alarms, AlarmNames=names)

    def summary(self) -> str:
        return f"{len(self._asked())} alarms tell {self._told}"

    def facts(self, record: Record) -> Sequence[str]:  # noqa: ARG002
        return [f"tells {self._told}"]

    def scope(self, action: str) -> Sequence[str]:
        return [self._arn("*")] if action.startswith("cloudwatch:") else []

    def uses(self) -> Sequence[Use]:
        if not self.wanted:
            return []
        month = len(self._asked()) * prices()["alarm_month"]
        return [Use("Alerts", f"a month of {len(self._asked())} alarms", month)]

    def cloudformation(self) -> Entries:
        return {
            f"{watched.capitalize()}Alert": {
                "Type": "AWS::CloudWatch::Alarm",
                "Properties": {"AlarmName": self._name(watched), **alarm, "Tags": self.context.naming.tag_list()},
            }
            for watched, alarm in self._asked().items()
        }

    @property
    def _client(self) -> Any:
        return self.context.environment.client("cloudwatch")

    @property
    def _told(self) -> str:
        alerts = self.context.settings.alerts
        return ", ".join(alerts.email) or alerts.topic.rpartition(":")[2]

    def _name(self, watched: str) -> str:
        return self.context.naming.name(f"alert-{watched}")

    def _arn(self, watched: str) -> str:
        return self.context.environment.arn("cloudwatch", f"alarm:{self._name(watched)}")

    def _live(self) -> dict[str, dict[str, Any]]:
        """Return what there is of them, by what each watches."""
        names = {self._name(watched): watched for watched in WATCHED}
        found = self._client.describe_alarms(AlarmNames=list(names))["MetricAlarms"]
        there = {names[alarm["AlarmName"]]: alarm for alarm in found}
        return {watched: there[watched] for watched in WATCHED if watched in there}

    def _asked(self) -> dict[str, dict[str, Any]]:
        """Return the alarms that the settings ask for, as PutMetricAlarm takes them, by what they watch."""
        settings = self.context.settings.alerts
        makers: dict[str, Callable[[], dict[str, Any]]] = {
            "errors": lambda: self._bad_minutes("5XXError", settings.error_percent / 100, Statistic="Average"),
            "latency": lambda: self._bad_minutes("Latency", float(settings.latency_ms), ExtendedStatistic="p99"),
            "throttled": self._throttled,
            "refused": lambda: self._bad_minutes("4XXError", MOST_REFUSED, Statistic="Average"),
            "idle": self._idle,
        }
        watched = [each for each in WATCHED if each != "idle" or settings.idle_days]
        topic = [topic_arn(self.context)]
        return {
            each: {
                "AlarmDescription": text_of(self.context, each),
                "AlarmActions": topic,
                "OKActions": topic,
                **makers[each](),
            }
            for each in watched
        }

    def _bad_minutes(self, metric: str, threshold: float, **statistic: str) -> dict[str, Any]:
        """An alarm on some of the last minutes of the API, each of which is more than a threshold."""
        return {
            **self._of_the_api(metric),
            **statistic,
            "Period": 60,
            "EvaluationPeriods": MINUTES,
            "DatapointsToAlarm": NEEDED,
            "Threshold": threshold,
            "ComparisonOperator": ABOVE,
            "TreatMissingData": "notBreaching",
        }

    def _throttled(self) -> dict[str, Any]:
        """An alarm on one minute in which Lambda refused to run the function."""
        return {
            "Namespace": LAMBDA,
            "MetricName": "Throttles",
            "Dimensions": [{"Name": "FunctionName", "Value": Function(self.context).name}],
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "DatapointsToAlarm": 1,
            "Threshold": 0.0,
            "ComparisonOperator": ABOVE,
            "TreatMissingData": "notBreaching",
        }

    def _idle(self) -> dict[str, Any]:
        """An alarm on whole days without a request, of which CloudWatch has no value at all.

        They are filled with zeros: an alarm looks further back than it says where values are missing, and would count
        what it finds there before it counts a day as breaching.
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
        """
        days = self.context.settings.alerts.idle_days
        of_a_day = {"Metric": self._of_the_api("Count"), "Period": DAY, "Stat": "Sum"}
        return {
            "Metrics": [
                {"Id": "filled", "Expression": f"FILL({COUNTED}, 0)", "Label": "Requests", "ReturnData": True},
                {"Id": COUNTED, "MetricStat": of_a_day, "ReturnData": False},
            ],
            "EvaluationPeriods": days,
            "DatapointsToAlarm": days,
            "Threshold": 1.0,
            "ComparisonOperator": BELOW,
            "TreatMissingData": "breaching",
        }

    def _of_the_api(self, metric: str) -> dict[str, Any]:
        return {"Namespace": API, "MetricName": metric, "Dimensions": api_dimensions(self.context)}


def api_dimensions(context: Context) -> list[dict[str, str]]:
    """Return the dimensions under which API Gateway tells of the API's stage."""
    dimensions = {"ApiName": RestApi(context).name, "Stage": STAGE}
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]


def _fields(alarms: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return all of the alarms that the settings decide on: what is compared, and what a plan shows."""
    lines = {watched: _line(alarm) for watched, alarm in alarms.items()}
    texts = digest_of({watched: alarm.get("AlarmDescription", "") for watched, alarm in alarms.items()})
    return {**dict.fromkeys(WATCHED), **lines, "texts": texts}


def _line(alarm: Mapping[str, Any]) -> str:
    """Tell in one line what an alarm watches, and whom it tells."""
    sign = {ABOVE: ">", BELOW: "<"}.get(alarm.get("ComparisonOperator", ""), "?")
    of = _measured(alarm)
    statistic = of.get("ExtendedStatistic") or of.get("Statistic")
    named = ", ".join(sorted(dimension["Value"] for dimension in of.get("Dimensions", ())))
    tells = sorted({*alarm.get("AlarmActions", ()), *alarm.get("OKActions", ())})
    both = alarm.get("AlarmActions") == alarm.get("OKActions") and alarm.get("ActionsEnabled", True)
    bad, count = alarm.get("DatapointsToAlarm"), alarm.get("EvaluationPeriods")
    return (
        f"{statistic} of {of.get('MetricName')} {sign} {alarm.get('Threshold')} in {bad} of {count} x "
        f"{of.get('Period')} s, {alarm.get('TreatMissingData', 'missing')}, of {named}; "
        f"{'tells' if both else 'does not fully tell'} {', '.join(tells)}"
    )


def _measured(alarm: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the metric that an alarm is on, as an alarm without an expression has it."""
    queries = alarm.get("Metrics") or ()
    told = next((query["MetricStat"] for query in queries if "MetricStat" in query), None)
    if told is None:
        return alarm
    expressions = [query["Expression"] for query in queries if query.get("Expression")]
    return {**told["Metric"], "Period": told["Period"], "Statistic": " ".join([told["Stat"], *expressions])}
