"""What the execution role may do only while the settings ask for it: an inline policy beside the role's own."""

import json
from abc import abstractmethod
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.config.state import Record
from sentictl.lifecycle.resource import Actions, Entries, LiveResource, Resource
from sentictl.services.iam.roles import ExecutionRole


class ExecutionPolicy(Resource):
    """An inline policy of the execution role."""

    command = "deploy"
    tagged = False
    actions = Actions(read="iam:GetRole iam:GetRolePolicy", create="iam:PutRolePolicy", delete="iam:DeleteRolePolicy")

    @abstractmethod
    def statements(self) -> list[dict[str, Any]]:
        """Return what it allows, as IAM takes it."""

    def document(self) -> dict[str, Any]:
        """Return the policy, as IAM takes it."""
        return {"Version": "2012-10-17", "Statement": self.statements()}

    def read(self, name: str) -> LiveResource | None:
        policy = if_there(self._iam.get_role_policy, RoleName=self._role.name, PolicyName=name)
        return LiveResource(f"{self._role.arn}/{name}") if policy else None

    def found(self, known: Container[str] = ()) -> Iterable[tuple[str, LiveResource]]:  # noqa: ARG002
        """Yield nothing: what is not recorded goes with the role, which takes all its policies along."""
        return ()

    def tags(self, name: str) -> Mapping[str, str]:  # noqa: ARG002  (the role's)
        return self._role.tags(self._role.name)

    def create(self) -> None:
        document = json.dumps(self.document())
        self._iam.put_role_policy(RoleName=self._role.name, PolicyName=self.name, PolicyDocument=document)

    def delete(self, record: Record) -> None:
        if_there(self._iam.delete_role_policy, RoleName=self._role.name, PolicyName=record.name)

    def scope(self, action: str) -> Sequence[str]:
        return [self._role.arn] if action in self.actions.of("create") | self.actions.of("delete") else []

    def cloudformation(self) -> Entries:
        properties = {"PolicyName": self.name, "PolicyDocument": self.document(), "Roles": [self._role.name]}
        return {
            self.logical_id: {
                "Type": "AWS::IAM::Policy",
                "DependsOn": [ExecutionRole.__name__],
                "Properties": properties,
            }
        }

    @property
    def _iam(self) -> Any:
        return self.context.environment.client("iam")

    @property
    def _role(self) -> ExecutionRole:
        return ExecutionRole(self.context)
