"""Budgets: the tags and the subscribers, which moto keeps nothing of or does not tell."""

from typing import Any

from sentictl.twin.control_plane.control_plane import Call, ControlPlane
from sentictl.twin.core.messages import Response, json_response, json_rpc_error

TYPE = {"Content-Type": "application/x-amz-json-1.1"}


class Budgets:
    """What is asked of budgets beside moto's answers."""

    def __init__(self, control: ControlPlane) -> None:
        self._control = control
        self._tags: dict[str, dict[str, str]] = {}  # by the budget's name
        control.after["budgets", "CreateBudget"] = self._created
        control.after["budgets", "DeleteBudget"] = lambda call: self._forget(call.payload["BudgetName"])
        control.instead["budgets", "TagResource"] = self._tag
        control.instead["budgets", "ListTagsForResource"] = self._list_tags
        control.instead["budgets", "DescribeSubscribersForNotification"] = self._subscribers

    def _created(self, call: Call) -> None:
        tags = {tag["Key"]: tag["Value"] for tag in call.payload.get("ResourceTags", [])}
        self._tags[call.payload["Budget"]["BudgetName"]] = tags

    def _forget(self, name: str) -> None:
        self._tags.pop(name, None)

    def _tag(self, call: Call) -> Response:
        known = self._tags.get(_name(call))
        if known is None:
            return _missing(_name(call))
        known.update({tag["Key"]: tag["Value"] for tag in call.payload["ResourceTags"]})
        return json_response(200, {}, TYPE)

    def _list_tags(self, call: Call) -> Response:
        known = self._tags.get(_name(call))
        if known is None:
            return _missing(_name(call))
        return json_response(200, {"ResourceTags": [{"Key": key, "Value": known[key]} for key in known]}, TYPE)

    def _subscribers(self, call: Call) -> Response:
        budgets: dict[str, Any] = self._control.backend("budgets").budgets.get(call.payload["AccountId"], {})
        budget = budgets.get(call.payload["BudgetName"])
        if budget is None:
            return _missing(call.payload["BudgetName"])
        asked = call.payload["Notification"]
        found = (each for each in budget.notifications if asked.items() <= each.details.items())
        notification = next(found, None)
        if notification is None:
            return json_rpc_error("NotFoundException", "There is no such notification of the budget.")
        return json_response(200, {"Subscribers": notification.subscribers}, TYPE)


def _name(call: Call) -> str:
    return str(call.payload["ResourceARN"]).rpartition("budget/")[2]


def _missing(name: str) -> Response:
    return json_rpc_error("NotFoundException", f"Unable to get budget: {name} - the budget doesn't exist.")
