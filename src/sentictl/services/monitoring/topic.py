"""The SNS topic that alerts go to: one that is made for mail addresses, or somebody's own."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.aws.names import tags_in
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.state import Record
from sentictl.config.tables.alerts import TOPIC
from sentictl.errors import SettingsError
from sentictl.lifecycle.cost import Use
from sentictl.lifecycle.resource import Actions, Context, Entries, LiveResource, Resource
from sentictl.services.pricing.table import prices

COMMAND = "alerts"
PENDING, DELETED = "PendingConfirmation", "Deleted"  # what SNS has in place of a subscription's ARN
TELLING = ("budgets.amazonaws.com", "cloudwatch.amazonaws.com")
RULES = "events.amazonaws.com"


class AlertTopic(Resource):
    """The topic, with a subscription of each address.

    It is not encrypted with a key of AWS KMS: CloudWatch's alarms cannot use AWS's own key for SNS, and a key of one's
    own costs a dollar a month. What it carries is how the project is, and no review.

    A subscription that nobody has confirmed cannot be deleted; SNS itself drops it after 48 hours.
    """

    kind = "alert-topic"
    command = COMMAND
    on_request = True
    actions = Actions(
        read="sns:GetTopicAttributes sns:ListSubscriptionsByTopic sns:ListTagsForResource",
        create="sns:CreateTopic sns:TagResource sns:SetTopicAttributes sns:Subscribe",
        update="sns:SetTopicAttributes sns:Subscribe sns:Unsubscribe",
        delete="sns:DeleteTopic",
        unscoped="sns:Unsubscribe",  # by the Service Authorization Reference it is on no resource
    )
    arn_pattern = r":sns:[^:]*:\d*:(?P<name>[^:]+)"

    @property
    def name(self) -> str:
        return self.context.naming.name("alerts")

    @property
    def wanted(self) -> bool:
        return bool(self.context.settings.alerts.email)

    def desired(self) -> Mapping[str, Any]:
        return {"policy": self._policy, "addresses": sorted(self.context.settings.alerts.email)}

    def read(self, name: str) -> LiveResource | None:
        topic = if_there(self._client.get_topic_attributes, TopicArn=self._arn(name))
        if topic is None:
            return None
        wanted = self.context.settings.alerts.email
        told = [address for address, arn in self._subscriptions(name) if arn != PENDING or address in wanted]
        policy = json.loads(topic["Attributes"].get("Policy") or "{}")
        return LiveResource(self._arn(name), fields={"policy": policy, "addresses": sorted(told)})

    def tags(self, name: str) -> Mapping[str, str]:
        answer = if_there(self._client.list_tags_for_resource, ResourceArn=self._arn(name)) or {"Tags": []}
        return tags_in(answer["Tags"])

    def tag(self, name: str) -> None:
        self._client.tag_resource(ResourceArn=self._arn(name), Tags=self.context.naming.tag_list())

    def create(self) -> None:
        attributes = {"DisplayName": f"sentictl {self.context.naming.name()}"}  # whom mails are from
        self._client.create_topic(Name=self.name, Attributes=attributes, Tags=self.context.naming.tag_list())
        self.update()

    def update(self) -> None:
        arn = self._arn(self.name)
        policy = json.dumps(self._policy)
        self._client.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
        known = dict(self._subscriptions(self.name))
        wanted = self.context.settings.alerts.email
        for address in wanted:
            if address not in known:
                self._client.subscribe(TopicArn=arn, Protocol="email", Endpoint=address)
        for address, subscription in known.items():
            if address not in wanted and subscription != PENDING:
                if_there(self._client.unsubscribe, SubscriptionArn=subscription)

    def delete(self, record: Record) -> None:
        """Delete the topic, and with it all subscriptions."""
        if_there(self._client.delete_topic, TopicArn=self._arn(record.name))

    def scope(self, action: str) -> Sequence[str]:
        return [self._arn(self.name)] if action.startswith("sns:") else []

    def uses(self) -> Sequence[Use]:
        return (
            [Use("Alerts", "1,000 mails after the first 1,000 a month", 1000 * prices()["mail"])] if self.wanted else []
        )

    def cloudformation(self) -> Entries:
        subscriptions = [{"Protocol": "email", "Endpoint": each} for each in self.context.settings.alerts.email]
        properties = {"TopicName": self.name, "Subscription": subscriptions}
        policy = {"Topics": [self._arn(self.name)], "PolicyDocument": self._policy}
        return {
            **self.entry("AWS::SNS::Topic", properties),
            "AlertTopicPolicy": {"Type": "AWS::SNS::TopicPolicy", "DependsOn": self.logical_id, "Properties": policy},
        }

    def unconfirmed(self) -> list[str]:
        """Return the addresses whose owners have not yet confirmed that they want the mails."""
        return [address for address, arn in self._subscriptions(self.name) if arn == PENDING]

    @property
    def _client(self) -> Any:
        return self.context.environment.client("sns")

    @property
    def _policy(self) -> dict[str, Any]:
        """Who may publish: alarms and budgets of this account, and rules.

        EventBridge takes no condition here ("Amazon SNS permissions" in its guide), so that whose rules is not said.
        """
        account, arn = self.context.environment.account, self._arn(self.name)
        publishing = {"Effect": "Allow", "Action": "sns:Publish", "Resource": arn}
        return {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "AlarmsAndBudgets",
                    **publishing,
                    "Principal": {"Service": list(TELLING)},
                    "Condition": {"StringEquals": {"aws:SourceAccount": account}},
                },
                {"Sid": "Rules", **publishing, "Principal": {"Service": RULES}},
            ],
        }

    def _subscriptions(self, name: str) -> Iterator[tuple[str, str]]:
        """Yield the address and the ARN of each mail subscription; the ARN is PENDING while nobody has confirmed it."""
        pages = self._client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=self._arn(name))
        for page in pages:
            for each in page["Subscriptions"]:
                if each["Protocol"] == "email" and each["SubscriptionArn"] != DELETED:
                    yield each["Endpoint"], each["SubscriptionArn"]

    def _arn(self, name: str) -> str:
        return self.context.environment.arn("sns", name)


def topic_arn(context: Context) -> str:
    """Return the ARN of the topic that alerts go to, somebody's own or the one that is made."""
    return context.settings.alerts.topic or context.environment.arn("sns", AlertTopic(context).name)


def check_topic(context: Context) -> None:
    """Refuse a topic of another region, which alarms cannot tell.

    Raises:
        SettingsError: it is in another region than the environment.
    """
    found = TOPIC.fullmatch(context.settings.alerts.topic)
    region = context.environment.region
    if found and found["region"] != region:
        where = env_option(context.environment.name, default=LOCAL)
        raise SettingsError(
            f"The topic of alerts.topic is in {found['region']}, and the environment {context.environment.name} in "
            f"{region}: alarms can tell topics of their own region alone.",
            f"Name a topic in {region}: sentictl config set alerts.topic ARN{where}. Or have one made for an address: "
            f"sentictl alerts --email ops@example.org{where}",
        )


def confirmation_note(context: Context) -> str:
    """Tell who has still to confirm that the mails are wanted; empty where nobody has."""
    if not context.settings.alerts.email or context.state.latest(AlertTopic.kind) is None:
        return ""
    waiting = AlertTopic(context).unconfirmed()
    if not waiting:
        return ""
    where = env_option(context.environment.name, default=LOCAL)
    return (
        f"No alert reaches {', '.join(waiting)} yet: confirm the mail that AWS sends there within 48 hours. For "
        f"another one after that: sentictl alerts{where}"
    )
