"""The IAM roles that AWS's services run in: who may assume them, and what their policies allow at this moment."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sentictl.twin.control_plane.control_plane import ACCOUNT, ControlPlane
from sentictl.twin.core.messages import Response, json_rpc_error
from sentictl.twin.iam import policies

IMAGE = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[^.]+)\.[a-z.]+/(?P<repository>[^:@]+)([:@].+)?")
SAGEMAKER = "sagemaker.amazonaws.com"
PULLING = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


class AccessDeniedError(Exception):
    """A role does not allow it; the message is AWS's."""


class AssumedRole:
    """A role that an AWS service acts in, by its ARN. Each question is answered by the role as it is at that moment.

    Args:
        control: the twin's control plane.
        arn: the role's ARN.
        session: the session name that AWS's messages tell, such as `SageMaker`.
    """

    def __init__(self, control: ControlPlane, arn: str, session: str = "SageMaker") -> None:
        self._control = control
        self.arn = arn
        self._session = session

    @classmethod
    def named(cls, control: ControlPlane, name: str, session: str) -> "AssumedRole":
        """Return the role of a name; its ARN may have a path, which the name does not tell."""
        with control.lock:
            arns = (role.arn for role in control.backend("iam").roles.values() if role.name == name)
            return cls(control, next(arns, f"arn:aws:iam::{ACCOUNT}:role/{name}"), session)

    def exists(self) -> bool:
        """Return whether there is such a role."""
        with self._control.lock:
            return self._found() is not None

    def trusts(self, service: str, source: str = "") -> bool:
        """Return whether there is such a role and a service, such as `sagemaker.amazonaws.com`, may assume it.

        Args:
            service: the service's principal.
            source: the ARN of what it would assume the role for, where the service tells.
        """
        with self._control.lock:
            role = self._found()
            trust = policies.document(role.assume_role_policy_document) if role else {}
        context = {"aws:SourceAccount": ACCOUNT} | ({"aws:SourceArn": source} if source else {})
        return any(policies.lets_in(s, service, "sts:AssumeRole", context) for s in policies.statements(trust))

    def allows(self, action: str, resource: str, context: Mapping[str, str] | None = None) -> bool:
        """Return whether the role's policies allow an action on a resource (an ARN), given condition keys."""
        return policies.decide(self.policies(), action, resource, context) == "allowed"

    def demand(self, action: str, resource: str, context: Mapping[str, str] | None = None) -> None:
        """Check that the role allows an action.

        Raises:
            AccessDeniedError: it does not.
        """
        decision = policies.decide(self.policies(), action, resource, context)
        if decision == "allowed":
            return
        user = f"arn:aws:sts::{ACCOUNT}:assumed-role/{self.arn.rpartition('/')[2]}/{self._session}"
        why = (
            "with an explicit deny in an identity-based policy"
            if decision == "explicitDeny"
            else f"because no identity-based policy allows the {action} action"
        )
        raise AccessDeniedError(f'User: {user} is not authorized to perform: {action} on resource: "{resource}" {why}')

    def may_pull(self, image: str) -> bool:
        """Return whether the role may pull a container image; outside ECR's private registries anybody may."""
        found = IMAGE.fullmatch(image)
        if not found:
            return True
        repository = f"arn:aws:ecr:{found['region']}:{found['account']}:repository/{found['repository']}"
        return self.allows("ecr:GetAuthorizationToken", "*") and all(self.allows(p, repository) for p in PULLING)

    def policies(self) -> list[dict[str, Any]]:
        """Return the role's identity policies: inline and attached."""
        with self._control.lock:
            return list(self._policies())

    def _policies(self) -> Iterator[dict[str, Any]]:
        role = self._found()
        if role:
            yield from map(policies.document, role.policies.values())
            yield from (policies.document(policy.document) for policy in role.managed_policies.values())

    def _found(self) -> Any:
        return next((role for role in self._control.backend("iam").roles.values() if role.arn == self.arn), None)


def refuse_unassumable(control: ControlPlane, arn: str) -> Response | None:
    """Return SageMaker's refusal of a request whose role it cannot assume; None if it can."""
    if AssumedRole(control, arn).trusts(SAGEMAKER):
        return None
    message = (
        f"Could not assume role {arn}. Please ensure that the role exists and allows principal '{SAGEMAKER}' "
        "to assume the role."
    )
    return json_rpc_error("ValidationException", message)
