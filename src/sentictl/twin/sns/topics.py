"""SNS's topics: what moto keeps, and the mails, which go to those who have confirmed that they want them.

As on AWS, a subscription by mail is pending until somebody follows the link in the mail that asks for it.
"""

import hashlib
import re
from http import HTTPStatus
from typing import Any

from sentictl.twin.control_plane.control_plane import ACCOUNT, Call, ControlPlane
from sentictl.twin.core.messages import Request, Response, query_error
from sentictl.twin.iam import policies
from sentictl.twin.sns.mailbox import Mailbox

CONFIRMATION = re.compile(r"/_sns/confirm/(?P<token>[0-9a-f]{64})")
RULES = "events.amazonaws.com"
PENDING = "PendingConfirmation"
ALWAYS_PENDING = ("email", "email-json")
INVALID = "Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements, not 1"
LONGEST_SUBJECT = 100  # characters, by botocore's description of Publish


class Topics:
    """The data plane of SNS."""

    def __init__(self, control: ControlPlane, mailbox: Mailbox, url: str) -> None:
        self._control = control
        self._mailbox = mailbox
        self._url = url
        self._confirmed: set[str] = set()
        control.after["sns", "Subscribe"] = self._subscribed
        control.after["sns", "Publish"] = self._published
        control.before["sns", "Unsubscribe"] = self._refuse_pending
        for operation in ("ListSubscriptionsByTopic", "ListSubscriptions"):
            control.instead["sns", operation] = self._list
        control.facts["subscription-confirmed"] = lambda data, _: self._confirmed.add(data["arn"])

    def publish(self, arn: str, service: str, source: str, subject: str, text: str) -> bool:
        """Send a message of an AWS service to a topic. Returns whether the topic lets it.

        Args:
            arn: the topic's ARN.
            service: whose message it is, such as `cloudwatch.amazonaws.com`.
            source: the ARN of what sends it, such as an alarm's.
            subject: of the mails.
            text: of the mails.
        """
        with self._control.lock:
            topic = self._topic(arn)
            # EventBridge tells nothing of itself: its guide has no conditions in the policies of topics.
            told = {"aws:SourceArn": source, "aws:SourceAccount": ACCOUNT}
            context = {} if service == RULES else told
            allowing = policies.statements(topic._policy_json) if topic else []
            if not any(policies.lets_in(each, service, "sns:Publish", context) for each in allowing):
                return False
            self._send(topic, subject, text)
            return True

    def confirm(self, request: Request) -> Response:
        """Answer the link in a mail that asks for confirmation."""
        found = CONFIRMATION.fullmatch(request.path)
        with self._control.lock:
            pending = {_token(each.arn): each for each in self._pending()}
            subscription = pending.get(found["token"]) if found else None
            if subscription is None:
                text = "This link is of no subscription that waits for it. It may be confirmed already, or gone.\n"
                return Response(text, HTTPStatus.NOT_FOUND, {"Content-Type": "text/plain; charset=utf-8"})
            self._confirmed.add(subscription.arn)
            self._control.record("subscription-confirmed", arn=subscription.arn)
            text = f"Confirmed: mails of {subscription.topic.name} go to {subscription.endpoint}.\n"
            return Response(text, HTTPStatus.OK, {"Content-Type": "text/plain; charset=utf-8"})

    def _topic(self, arn: str) -> Any:
        region = arn.split(":")[3] if arn.count(":") == 5 else ""
        backend = self._control.backend("sns", region) if region else None
        return backend.topics.get(arn) if backend else None

    def _pending(self) -> list[Any]:
        return [
            subscription
            for region in self._control.regions("sns")
            for subscription in self._control.backend("sns", region).subscriptions.values()
            if subscription.protocol in ALWAYS_PENDING and subscription.arn not in self._confirmed
        ]

    def _subscribed(self, call: Call) -> None:
        """Ask the owner of an address; the twin's own replay asks nobody again."""
        if call.replaying or call.request.form_parameter("Protocol") not in ALWAYS_PENDING:
            return
        arn, address = (call.request.form_parameter(name) for name in ("TopicArn", "Endpoint"))
        subscription = next(
            (each for each in self._pending() if (each.topic.arn, each.endpoint) == (arn, address)), None
        )
        if subscription:
            link = f"{self._url}/_sns/confirm/{_token(subscription.arn)}"
            text = f"Somebody wants mails of this topic to be sent to you:\n{arn}\n\nIf you want them, open:\n{link}\n"
            self._mailbox.send(address, "AWS Notification - Subscription Confirmation", text)

    def _published(self, call: Call) -> None:
        names = ("TopicArn", "TargetArn", "Subject", "Message")
        arn, target, subject, message = (call.request.form_parameter(name) for name in names)
        topic = self._topic(arn or target)
        if topic and not call.replaying:
            self._send(topic, subject or "AWS Notification Message", message)

    def _send(self, topic: Any, subject: str, text: str) -> None:
        for subscription in topic.sns_backend.subscriptions.values():
            if subscription.topic.arn == topic.arn and subscription.arn in self._confirmed:
                self._mailbox.send(subscription.endpoint, subject[:LONGEST_SUBJECT], text, topic.display_name)

    def _refuse_pending(self, call: Call) -> Response | None:
        if call.request.form_parameter("SubscriptionArn") != PENDING:
            return None
        return query_error("InvalidParameter", INVALID, HTTPStatus.BAD_REQUEST)

    def _list(self, call: Call) -> Response:
        """moto tells the ARN of what nobody has confirmed, too."""
        answer = self._control.ask_moto(call.request)
        body = answer.get_data()
        for subscription in self._pending():
            body = body.replace(subscription.arn.encode(), PENDING.encode())
        answer.set_data(body)
        return answer


def _token(arn: str) -> str:
    """Return what the link of a subscription has: its ARN, which nobody else is told, made unreadable."""
    return hashlib.sha256(arn.encode()).hexdigest()
