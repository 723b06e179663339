"""Budgets: whom they tell, and their tags, which moto keeps nothing of."""

from typing import Any

from tests.twin.conftest import Cloud, code_of

ACCOUNT = "123456789012"
OVER = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 100.0}
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:ops"


def made(cloud: Cloud) -> dict[str, Any]:
    """A budget, as the calls about it name it."""
    name = cloud.name("budget")
    budget = {
        "BudgetName": name,
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": "5", "Unit": "USD"},
    }
    told = [{"SubscriptionType": "SNS", "Address": TOPIC}]
    cloud.budgets.create_budget(
        AccountId=ACCOUNT,
        Budget=budget,
        NotificationsWithSubscribers=[{"Notification": OVER, "Subscribers": told}],
        ResourceTags=[{"Key": "whose", "Value": "ours"}],
    )
    return {"AccountId": ACCOUNT, "BudgetName": name}


def test_it_tells_its_subscribers_and_its_tags(cloud: Cloud) -> None:
    budget = made(cloud)
    arn = f"arn:aws:budgets::{ACCOUNT}:budget/{budget['BudgetName']}"
    told = cloud.budgets.describe_subscribers_for_notification(**budget, Notification=OVER)["Subscribers"]
    assert told == [{"SubscriptionType": "SNS", "Address": TOPIC}]
    cloud.budgets.tag_resource(ResourceARN=arn, ResourceTags=[{"Key": "id", "Value": "1"}])
    tags = cloud.budgets.list_tags_for_resource(ResourceARN=arn)["ResourceTags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"whose": "ours", "id": "1"}
    other = {**OVER, "NotificationType": "FORECASTED"}
    asked = cloud.budgets.describe_subscribers_for_notification
    assert code_of(asked, **budget, Notification=other) == "NotFoundException"


def test_of_one_that_is_gone_nothing_is_left(cloud: Cloud) -> None:
    budget = made(cloud)
    cloud.budgets.delete_budget(**budget)
    arn = f"arn:aws:budgets::{ACCOUNT}:budget/{budget['BudgetName']}"
    assert code_of(cloud.budgets.list_tags_for_resource, ResourceARN=arn) == "NotFoundException"
    asked = cloud.budgets.describe_subscribers_for_notification
    assert code_of(asked, **budget, Notification=OVER) == "NotFoundException"
