"""The topic that alerts go to, brought about by the reconciler and held against moto's SNS."""

import json
from typing import Any

import pytest

from sentictl.errors import SettingsError
from sentictl.lifecycle.reconcile import Action, apply, destroy
from sentictl.lifecycle.resource import Context
from sentictl.services.monitoring.topic import AlertTopic, check_topic, topic_arn
from tests.services.conftest import MOTO_ACCOUNT, ContextOf
from tests.services.serving.test_alarms import Silent

SETTINGS = '[project]\nname = "films"\nid = "0123456789ab"\n[alerts]\nemail = "ops@example.org"\n'
ARN = f"arn:aws:sns:eu-west-1:{MOTO_ACCOUNT}:films-local-alerts"


def bring(context: Context) -> list[Action]:
    return [step.action for step in apply([AlertTopic(context)], context, Silent())]


def told(context: Context) -> set[str]:
    found = context.environment.client("sns").list_subscriptions_by_topic(TopicArn=ARN)["Subscriptions"]
    return {each["Endpoint"] for each in found}


def test_it_is_made_once_and_changed_in_place(moto_context_of: ContextOf) -> None:
    context = moto_context_of(SETTINGS)
    assert (bring(context), bring(context)) == ([Action.CREATE], [Action.KEEP])
    assert (topic_arn(context), told(context)) == (ARN, {"ops@example.org"})
    context.config.change({"alerts.email": "me@example.org,you@example.org"})
    assert (bring(context), bring(context)) == ([Action.UPDATE], [Action.KEEP])
    assert told(context) == {"me@example.org", "you@example.org"}
    destroy([AlertTopic(context)], context, Silent())
    assert context.environment.client("sns").list_topics()["Topics"] == []


def test_only_this_accounts_alarms_and_budgets_and_the_projects_rules_may_publish(moto_context_of: ContextOf) -> None:
    context = moto_context_of(SETTINGS)
    bring(context)
    attributes = context.environment.client("sns").get_topic_attributes(TopicArn=ARN)["Attributes"]
    statements: list[dict[str, Any]] = json.loads(attributes["Policy"])["Statement"]
    assert {(each["Effect"], each["Action"], each["Resource"]) for each in statements} == {
        ("Allow", "sns:Publish", ARN)
    }
    alarms, rules = statements
    assert alarms["Principal"] == {"Service": ["budgets.amazonaws.com", "cloudwatch.amazonaws.com"]}
    assert alarms["Condition"] == {"StringEquals": {"aws:SourceAccount": MOTO_ACCOUNT}}
    assert rules["Principal"] == {"Service": "events.amazonaws.com"}
    assert "Condition" not in rules  # EventBridge meets none


def test_a_policy_that_somebody_changed_is_mended(moto_context_of: ContextOf) -> None:
    context = moto_context_of(SETTINGS)
    bring(context)
    open_ = json.dumps({"Version": "2012-10-17", "Statement": []})
    client = context.environment.client("sns")
    client.set_topic_attributes(TopicArn=ARN, AttributeName="Policy", AttributeValue=open_)
    assert (bring(context), bring(context)) == ([Action.UPDATE], [Action.KEEP])


def test_a_topic_of_ones_own_is_told_instead_and_none_is_made(moto_context_of: ContextOf) -> None:
    own = f"arn:aws:sns:eu-west-1:{MOTO_ACCOUNT}:ops"
    context = moto_context_of(f'[project]\nname = "films"\n[alerts]\ntopic = "{own}"\n')
    check_topic(context)
    assert (bring(context), topic_arn(context)) == ([], own)


def test_one_of_another_region_is_refused(moto_context_of: ContextOf) -> None:
    other = f"arn:aws:sns:us-east-1:{MOTO_ACCOUNT}:ops"
    context = moto_context_of(f'[project]\nname = "films"\n[alerts]\ntopic = "{other}"\n')
    with pytest.raises(SettingsError, match=r"alerts\.topic is in us-east-1, and the environment local in eu-west-1"):
        check_topic(context)


def test_it_costs_nothing_and_is_nowhere_until_somebody_is_to_be_told(context_of: ContextOf) -> None:
    topic = AlertTopic(context_of('[project]\nname = "films"\n'))
    assert (topic.wanted, list(topic.uses())) == (False, [])
