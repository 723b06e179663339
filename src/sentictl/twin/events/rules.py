"""EventBridge's rules: those that moto keeps, carried out where a topic is their target."""

import json
import logging
import re
import time
import uuid
from collections.abc import Mapping
from typing import Any

from sentictl.twin.control_plane.control_plane import ACCOUNT, ControlPlane
from sentictl.twin.sns.topics import Topics

logger = logging.getLogger("sentictl.twin")

SERVICE = "events.amazonaws.com"
SUBJECT = "AWS Notification Message"
PLACEHOLDER = re.compile(r"<([A-Za-z0-9_-]+)>")


class Rules:
    """What happens, on its way to the targets of the rules that it matches."""

    def __init__(self, control: ControlPlane, topics: Topics) -> None:
        self._control = control
        self._topics = topics

    def tell(self, region: str, source: str, kind: str, resource: str, detail: Mapping[str, Any]) -> None:
        """Tell of something that happened.

        Args:
            region: where.
            source: the service that tells, such as `aws.sagemaker`.
            kind: the event's `detail-type`.
            resource: the ARN of what it happened to.
            detail: more of it.
        """
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": kind,
            "source": source,
            "account": ACCOUNT,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "region": region,
            "resources": [resource],
            "detail": dict(detail),
        }
        with self._control.lock:
            for rule in self._control.backend("events", region)._get_event_bus("default").rules.values():
                if (
                    rule.state == "ENABLED"
                    and rule.event_pattern.get_pattern()
                    and rule.event_pattern.matches_event(event)
                ):
                    self._carry_out(rule, event)

    def _carry_out(self, rule: Any, event: Mapping[str, Any]) -> None:
        for target in rule.targets:
            if ":sns:" not in target["Arn"]:
                logger.warning("rule %s: the local twin tells topics alone, and not %s", rule.name, target["Arn"])
            elif not self._topics.publish(target["Arn"], SERVICE, rule.arn, SUBJECT, _text(target, event)):
                logger.warning("rule %s: %s lets no rule publish", rule.name, target["Arn"])


def _text(target: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    """Return what a target is sent: the event, or what its transformer makes of it."""
    transformer = target.get("InputTransformer")
    if not transformer:
        return json.dumps(event)
    values = {name: _at(event, path) for name, path in transformer.get("InputPathsMap", {}).items()}
    return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), transformer["InputTemplate"])


def _at(event: Mapping[str, Any], path: str) -> str:
    """Return what is at a path such as `$.detail.EndpointStatus`; empty where there is nothing."""
    value: Any = event
    for name in path.removeprefix("$.").split("."):
        value = value.get(name, "") if isinstance(value, Mapping) else ""
    return str(value)
