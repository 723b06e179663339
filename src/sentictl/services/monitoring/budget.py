"""The budget: AWS itself tells when the month's cost is over it.

It counts what carries the tag of the project, in all of its environments in this account. AWS counts by a tag only once
that is activated as a cost allocation tag, which only the account that pays can do.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.aws.names import PROJECT_TAG, tags_in
from sentictl.config.state import Record
from sentictl.lifecycle.resource import Actions, Context, Entries, LiveResource, Resource
from sentictl.services.monitoring.topic import COMMAND, topic_arn

OVER = {
    "NotificationType": "ACTUAL",
    "ComparisonOperator": "GREATER_THAN",
    "Threshold": 100.0,
    "ThresholdType": "PERCENTAGE",
}


class CostBudget(Resource):
    """A budget of a month, which tells the topic. It never changes: another amount is another budget in its place."""

    kind = "cost-budget"
    command = COMMAND
    on_request = True
    actions = Actions(
        read="budgets:ViewBudget budgets:ListTagsForResource",
        create="budgets:ModifyBudget budgets:TagResource",
        update="budgets:ModifyBudget budgets:TagResource",
        delete="budgets:ModifyBudget",
    )
    arn_pattern = r":budget/(?P<name>.+)"

    @property
    def name(self) -> str:
        return self.context.naming.name("monthly-cost")

    @property
    def wanted(self) -> bool:
        alerts = self.context.settings.alerts
        return alerts.wanted and alerts.monthly_budget > 0

    def desired(self) -> Mapping[str, Any]:
        return {
            "usd_a_month": self.context.settings.alerts.monthly_budget,
            "of": [self._tag],
            "tells": [topic_arn(self.context)],
        }

    def read(self, name: str) -> LiveResource | None:
        answer = if_there(self._client.describe_budget, AccountId=self._account, BudgetName=name)
        if answer is None:
            return None
        budget = answer["Budget"]
        asked = {"AccountId": self._account, "BudgetName": name, "Notification": OVER}
        told = if_there(self._client.describe_subscribers_for_notification, **asked) or {}
        fields = {
            "usd_a_month": float(budget["BudgetLimit"]["Amount"]),
            "of": budget.get("CostFilters", {}).get("TagKeyValue", []),
            "tells": [subscriber["Address"] for subscriber in told.get("Subscribers", [])],
        }
        return LiveResource(self._arn(name), fields=fields)

    def tags(self, name: str) -> Mapping[str, str]:
        answer = if_there(self._client.list_tags_for_resource, ResourceARN=self._arn(name)) or {}
        return tags_in(answer.get("ResourceTags", []))

    def tag(self, name: str) -> None:
        self._client.tag_resource(ResourceARN=self._arn(name), ResourceTags=self.context.naming.tag_list())

    def create(self) -> None:
        self._client.create_budget(
            AccountId=self._account,
            Budget=self._budget,
            NotificationsWithSubscribers=self._notifications,
            ResourceTags=self.context.naming.tag_list(),
        )

    def update(self) -> None:
        self._delete(self.name)
        self.create()

    def delete(self, record: Record) -> None:
        self._delete(record.name)

    def scope(self, action: str) -> Sequence[str]:
        return [self._arn(self.name)] if action.startswith("budgets:") else []

    def cloudformation(self) -> Entries:
        properties = {
            "Budget": self._budget,
            "NotificationsWithSubscribers": self._notifications,
            "ResourceTags": self.context.naming.tag_list(),
        }
        return {self.logical_id: {"Type": "AWS::Budgets::Budget", "Properties": properties}}

    @property
    def _client(self) -> Any:
        return self.context.environment.client("budgets")

    @property
    def _account(self) -> str:
        return self.context.environment.account

    @property
    def _tag(self) -> str:
        """The project's tag as Budgets writes one that a user has put: the project in all of its environments."""
        return f"user:{PROJECT_TAG}${self.context.settings.project.name}"

    @property
    def _budget(self) -> dict[str, Any]:
        return {
            "BudgetName": self.name,
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": f"{self.context.settings.alerts.monthly_budget:.2f}", "Unit": "USD"},
            "CostFilters": {"TagKeyValue": [self._tag]},
        }

    @property
    def _notifications(self) -> list[dict[str, Any]]:
        told = [{"SubscriptionType": "SNS", "Address": topic_arn(self.context)}]
        return [{"Notification": OVER, "Subscribers": told}]

    def _delete(self, name: str) -> None:
        if_there(self._client.delete_budget, AccountId=self._account, BudgetName=name)

    def _arn(self, name: str) -> str:
        environment = self.context.environment
        return environment.arn("budgets", f"budget/{name}", region=False)


def activation_note(context: Context) -> str:
    """Tell what a person has to do once so that AWS counts what the project costs; empty where there is no budget."""
    if not CostBudget(context).wanted:
        return ""
    return (
        f"The budget counts nothing before the tag {PROJECT_TAG} is a cost allocation tag: activate it once in the "
        "Billing console of the account that pays, under Cost allocation tags"
    )
