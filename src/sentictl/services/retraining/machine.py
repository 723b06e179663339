"""The state machine of scheduled training, and its executions: the runs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.aws.names import digest_of, tags_in
from sentictl.aws.waiters import poll
from sentictl.config.state import Record
from sentictl.lifecycle.cost import Machines
from sentictl.lifecycle.resource import Actions, LiveResource, Resource
from sentictl.services.resources.training import TrainingJob
from sentictl.services.retraining.code import COMMAND, PART
from sentictl.services.retraining.definition import definition
from sentictl.services.retraining.fitness import obstacle
from sentictl.services.retraining.roles import RetrainingRole

RUNNING = "RUNNING"
ON_EXECUTIONS = ("states:DescribeExecution", "states:StopExecution")
GONE_SECONDS = 300  # Step Functions deletes a state machine when its executions have ended


class RetrainingMachine(Resource):
    """The state machine: each execution of it is one run."""

    kind = "training-state-machine"
    command = COMMAND
    removed_as = PART
    on_request = True
    in_template = False
    actions = Actions(
        read="states:DescribeStateMachine states:ListTagsForResource states:ListExecutions states:DescribeExecution",
        create="states:CreateStateMachine states:TagResource iam:PassRole",
        update="states:UpdateStateMachine states:TagResource iam:PassRole",
        delete="states:DeleteStateMachine states:StopExecution",
    )
    arn_pattern = r":stateMachine:(?P<name>.+)"

    @property
    def name(self) -> str:
        return self.context.naming.name("retrain")

    @property
    def wanted(self) -> bool:
        return bool(self.context.settings.train.schedule.every)

    def desired(self) -> Mapping[str, Any]:
        if obstacle(self.context):  # it is not started until that is gone
            return {}
        return {"definition": digest_of(definition(self.context)), "role": RetrainingRole(self.context).arn}

    def read(self, name: str) -> LiveResource | None:
        found = if_there(self._client.describe_state_machine, stateMachineArn=self.arn(name))
        if found is None:
            return None
        fields = {"definition": digest_of(json.loads(found["definition"])), "role": found["roleArn"]}
        return LiveResource(found["stateMachineArn"], found["status"].capitalize(), fields)

    def tags(self, name: str) -> Mapping[str, str]:
        answer = if_there(self._client.list_tags_for_resource, resourceArn=self.arn(name)) or {"tags": []}
        return tags_in({"Key": tag["key"], "Value": tag["value"]} for tag in answer["tags"])

    def tag(self, name: str) -> None:
        self._client.tag_resource(resourceArn=self.arn(name), tags=self.context.naming.tag_list("key", "value"))

    def create(self) -> None:
        self._client.create_state_machine(
            name=self.name,
            definition=json.dumps(definition(self.context)),
            roleArn=RetrainingRole(self.context).arn,
            tags=self.context.naming.tag_list("key", "value"),
        )

    def update(self) -> None:
        self._client.update_state_machine(
            stateMachineArn=self.arn(self.name),
            definition=json.dumps(definition(self.context)),
            roleArn=RetrainingRole(self.context).arn,
        )

    def delete(self, record: Record) -> None:
        """Stop its runs, and delete it. The jobs that they began are deleted as what they are."""
        arn = self.arn(record.name)
        if self.read(record.name) is None:
            return
        for each in self.runs(record.name):
            if each["status"] == RUNNING:
                if_there(self._client.stop_execution, executionArn=each["executionArn"])
        if_there(self._client.delete_state_machine, stateMachineArn=arn)
        poll(lambda: self.read(record.name), lambda found: found is None, what=record.name, timeout=GONE_SECONDS)

    def runs(self, name: str = "") -> Iterator[Mapping[str, Any]]:
        """Yield what ListExecutions tells of its runs, newest first; none where there is no state machine."""
        asked = {"stateMachineArn": self.arn(name or self.name)}
        while page := if_there(self._client.list_executions, **asked):
            yield from page["executions"]
            if "nextToken" not in page:
                return
            asked["nextToken"] = page["nextToken"]

    def run(self, arn: str) -> Mapping[str, Any]:
        """Return what DescribeExecution tells of a run; nothing where it is gone."""
        return if_there(self._client.describe_execution, executionArn=arn) or {}

    def arn(self, name: str) -> str:
        """Return the ARN of a state machine of that name."""
        return self.context.environment.arn("states", f"stateMachine:{name}")

    def machines(self) -> Machines | None:
        return TrainingJob(self.context).machines()

    def scope(self, action: str) -> Sequence[str]:
        if action in ON_EXECUTIONS:
            return [self.context.environment.arn("states", f"execution:{self.name}:*")]
        return [self.arn(self.name)] if action.startswith("states:") else []

    @property
    def _client(self) -> Any:
        return self.context.environment.client("stepfunctions")
