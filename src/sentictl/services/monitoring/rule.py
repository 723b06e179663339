"""Rules of EventBridge: what AWS's services tell of by themselves goes to the topic, as a text that says what to do."""

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sentictl.aws.lookup import if_there
from sentictl.aws.names import tags_in
from sentictl.config.state import Record
from sentictl.lifecycle.resource import Actions, Entries, LiveResource, Resource
from sentictl.services.monitoring.texts import text_of
from sentictl.services.monitoring.topic import COMMAND, topic_arn

TARGET = "alerts"


class FaultRule(Resource):
    """A rule with the topic as its one target."""

    command = COMMAND
    on_request = True
    # What its name ends with.
    part: ClassVar[str]
    # The key of the text that is told, in texts.py.
    text: ClassVar[str]
    # Who says what the last line has.
    says: ClassVar[str]
    # Where the event has that, as a JSONPath.
    status: ClassVar[str]
    actions = Actions(
        read="events:DescribeRule events:ListTargetsByRule events:ListTagsForResource",
        create="events:PutRule events:PutTargets events:TagResource",
        update="events:PutRule events:PutTargets",
        delete="events:RemoveTargets events:DeleteRule",
    )

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.arn_pattern = rf":rule/(?P<name>[^/]+{cls.part})$"

    @property
    def name(self) -> str:
        return self.context.naming.name(self.part)

    @abstractmethod
    def pattern(self) -> dict[str, Any]:
        """Return the pattern of the events."""

    def desired(self) -> Mapping[str, Any]:
        return {"pattern": self.pattern(), "target": self._target, "state": "ENABLED"}

    def read(self, name: str) -> LiveResource | None:
        rule = if_there(self._client.describe_rule, Name=name)
        if rule is None:
            return None
        targets = (if_there(self._client.list_targets_by_rule, Rule=name) or {"Targets": []})["Targets"]
        target = next((each for each in targets if each["Id"] == TARGET), None)
        fields = {"pattern": json.loads(rule.get("EventPattern", "{}")), "target": target, "state": rule["State"]}
        return LiveResource(self._arn(name), fields=fields)

    def tags(self, name: str) -> Mapping[str, str]:
        answer = if_there(self._client.list_tags_for_resource, ResourceARN=self._arn(name)) or {"Tags": []}
        return tags_in(answer["Tags"])

    def tag(self, name: str) -> None:
        self._client.tag_resource(ResourceARN=self._arn(name), Tags=self.context.naming.tag_list())

    def create(self) -> None:
        self._put(Tags=self.context.naming.tag_list())

    def update(self) -> None:
        self._put()

    def delete(self, record: Record) -> None:
        if_there(self._client.remove_targets, Rule=record.name, Ids=[TARGET])
        if_there(self._client.delete_rule, Name=record.name)

    def scope(self, action: str) -> Sequence[str]:
        return [self._arn(self.name)] if action.startswith("events:") else []

    def cloudformation(self) -> Entries:
        properties = {
            "Name": self.name,
            "EventPattern": self.pattern(),
            "State": "ENABLED",
            "Targets": [self._target],
        }
        return {self.logical_id: {"Type": "AWS::Events::Rule", "Properties": properties}}

    @property
    def _client(self) -> Any:
        return self.context.environment.client("events")

    @property
    def _target(self) -> dict[str, Any]:
        lines = [*text_of(self.context, self.text).split("\n"), f"{self.says} says: <status>"]
        # In a template of text each line is in quotes, which the mail has, too; inside of them a line end stays a \\n.
        template = "\n".join(map(json.dumps, lines))
        transformer = {"InputPathsMap": {"status": self.status}, "InputTemplate": template}
        return {"Id": TARGET, "Arn": topic_arn(self.context), "InputTransformer": transformer}

    def _put(self, **more: Any) -> None:
        self._client.put_rule(Name=self.name, EventPattern=json.dumps(self.pattern()), State="ENABLED", **more)
        self._client.put_targets(Rule=self.name, Targets=[self._target])

    def _arn(self, name: str) -> str:
        return self.context.environment.arn("events", f"rule/{name}")
