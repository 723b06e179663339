"""The dashboard in CloudWatch's console: requests, errors, latency, verdicts, and what answers behind them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.aws.names import digest_of, tags_in
from sentictl.config.state import Record
from sentictl.lifecycle.cost import Use
from sentictl.lifecycle.resource import Actions, Context, Entries, LiveResource, Resource
from sentictl.services.monitoring.alarms import API, LAMBDA
from sentictl.services.monitoring.topic import COMMAND
from sentictl.services.pricing.table import prices
from sentictl.services.resources.logs import FunctionLogGroup
from sentictl.services.resources.sagemaker import has_endpoint
from sentictl.services.serving.endpoint import VARIANT, Endpoint
from sentictl.services.web.function import Function
from sentictl.services.web.rest_api import STAGE, RestApi

SAGEMAKER = "AWS/SageMaker"
WIDTH, HEIGHT = 12, 6  # of a widget, of 24 columns
VERDICTS = "sum(positive) as Positive, sum(negative) as Negative, sum(undecided) as Undecided"


class Dashboard(Resource):
    """The dashboard. CloudWatch keeps dashboards for all regions at once."""

    kind = "dashboard"
    command = COMMAND
    on_request = True
    actions = Actions(
        read="cloudwatch:GetDashboard cloudwatch:ListTagsForResource",
        create="cloudwatch:PutDashboard cloudwatch:TagResource",
        update="cloudwatch:PutDashboard",
        delete="cloudwatch:DeleteDashboards",
    )
    arn_pattern = r":dashboard/(?P<name>.+)"

    @property
    def name(self) -> str:
        return self.context.naming.name()

    @property
    def wanted(self) -> bool:
        alerts = self.context.settings.alerts
        return alerts.wanted and alerts.dashboard

    def desired(self) -> Mapping[str, Any]:
        return {"widgets": digest_of(self._body)}

    def read(self, name: str) -> LiveResource | None:
        answer = if_there(self._client.get_dashboard, DashboardName=name)
        if answer is None:
            return None
        return LiveResource(self._arn(name), fields={"widgets": digest_of(json.loads(answer["DashboardBody"]))})

    def tags(self, name: str) -> Mapping[str, str]:
        answer = if_there(self._client.list_tags_for_resource, ResourceARN=self._arn(name)) or {"Tags": []}
        return tags_in(answer["Tags"])

    def tag(self, name: str) -> None:
        self._client.tag_resource(ResourceARN=self._arn(name), Tags=self.context.naming.tag_list())

    def create(self) -> None:
        body = json.dumps(self._body)
        self._client.put_dashboard(DashboardName=self.name, DashboardBody=body, Tags=self.context.naming.tag_list())

    def update(self) -> None:
        self._client.put_dashboard(DashboardName=self.name, DashboardBody=json.dumps(self._body))

    def delete(self, record: Record) -> None:
        if_there(self._client.delete_dashboards, DashboardNames=[record.name])

    def scope(self, action: str) -> Sequence[str]:
        return [self._arn(self.name)] if action.startswith("cloudwatch:") else []

    def uses(self) -> Sequence[Use]:
        return [Use("Dashboard", "a month, after the first three", prices()["dashboard_month"])] if self.wanted else []

    def cloudformation(self) -> Entries:
        properties = {"DashboardName": self.name, "DashboardBody": json.dumps(self._body)}
        return {self.logical_id: {"Type": "AWS::CloudWatch::Dashboard", "Properties": properties}}

    @property
    def _client(self) -> Any:
        return self.context.environment.client("cloudwatch")

    def _arn(self, name: str) -> str:
        return self.context.environment.arn("cloudwatch", f"dashboard/{name}", region=False)

    @property
    def _body(self) -> dict[str, Any]:
        api = [API, "ApiName", RestApi(self.context).name, "Stage", STAGE]
        function = [LAMBDA, "FunctionName", Function(self.context).name]
        requests = [("Count", "Sum", "Requests"), ("4XXError", "Sum", "Turned away"), ("5XXError", "Sum", "Failed")]
        latency = [("Latency", "p50", "Half of them"), ("Latency", "p99", "99 of 100")]
        runs = [("Invocations", "Sum", "Runs"), ("Errors", "Sum", "Errors"), ("Throttles", "Sum", "Refused")]
        widgets = [
            self._chart("Requests", api, requests),
            self._chart("Milliseconds that a request takes", api, latency),
            self._verdicts(),
            self._chart("Function", function, runs),
            *(self._endpoint() if has_endpoint(self.context) else ()),
        ]
        placed = [
            {"x": number % 2 * WIDTH, "y": number // 2 * HEIGHT, "width": WIDTH, "height": HEIGHT, **widget}
            for number, widget in enumerate(widgets)
        ]
        return {"widgets": placed}

    def _endpoint(self) -> Sequence[dict[str, Any]]:
        name = Endpoint(self.context).name
        asked = [SAGEMAKER, "EndpointName", name, "VariantName", VARIANT]
        invocations = [("Invocations", "Sum", "Requests"), ("Invocation5XXErrors", "Sum", "Failed")]
        charts = [self._chart("Endpoint", asked, invocations)]
        if self.context.settings.deploy.serving == "instance":  # what is paid by use tells of no machines
            machine = ["/aws/sagemaker/Endpoints", "EndpointName", name, "VariantName", VARIANT]
            shares = [("CPUUtilization", "Average", "Processors"), ("MemoryUtilization", "Average", "Memory")]
            charts.append(
                self._chart("Percent of the endpoint's machines, which cost the same when idle", machine, shares)
            )
        return charts

    def _chart(self, title: str, of: Sequence[str], lines: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
        namespace, *dimensions = of
        metrics = [[namespace, metric, *dimensions, {"stat": stat, "label": label}] for metric, stat, label in lines]
        region = self.context.environment.region
        properties = {"title": title, "region": region, "view": "timeSeries", "period": 300, "metrics": metrics}
        return {"type": "metric", "properties": properties}

    def _verdicts(self) -> dict[str, Any]:
        """The verdicts of each hour, as the function's log has them: read, and paid, when somebody looks."""
        group = FunctionLogGroup(self.context).name
        query = f"SOURCE '{group}' | filter ispresent(positive) | stats {VERDICTS} by bin(1h)"
        region = self.context.environment.region
        return {"type": "log", "properties": {"title": "Verdicts", "region": region, "view": "bar", "query": query}}


def dashboard_url(context: Context) -> str:
    """Return where the dashboard is in AWS's console; empty where there is none, or no console."""
    recorded = context.state.latest(Dashboard.kind)
    return context.environment.console_url("cloudwatch", f"dashboards/dashboard/{recorded.name}") if recorded else ""
