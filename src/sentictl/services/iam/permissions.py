"""The permissions of the person who runs sentictl: IAM actions, on this project's ARNs where AWS has some.

Each kind of resource says what it takes, by step. A test holds it against the calls of a whole `up` and `down`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sentictl.lifecycle.reconcile import Step
from sentictl.lifecycle.resource import Context, Resource
from sentictl.services.iam.documents import Statement, document, in_parts, together
from sentictl.services.iam.roles import Role
from sentictl.services.iam.state_access import state_statements

Kinds = Iterable[type[Resource]]

ANY_ACCOUNT = "*"  # in ARNs, where the account is not known: a policy holds in the one that it is attached in
ALWAYS = "sts:GetCallerIdentity"
# What commands do beside keeping resources, each with the commands that do it.
BESIDES = {
    "sagemaker:InvokeEndpoint": "predict --via endpoint",
    "sagemaker:StopTrainingJob": "train --stop",
    "logs:FilterLogEvents": "logs",
    "cloudwatch:GetMetricStatistics": "status and metrics",
    "cloudwatch:SetAlarmState": "deploy --abort",
    "pricing:GetProducts": "plan, status and up",
    "tag:GetResources": "down",
    "servicequotas:ListServiceQuotas": "doctor",
    "servicequotas:ListAWSDefaultServiceQuotas": "doctor",
    "iam:SimulatePrincipalPolicy": "doctor",
}
# Those of them that `plan` and `status` take.
LOOKING = ("cloudwatch:GetMetricStatistics", "pricing:GetProducts")
PASSING = "iam:PassRole"
# Those, too, that AWS allows on everything or not at all.
UNSCOPED = {
    "sts:GetCallerIdentity",
    "cloudwatch:GetMetricStatistics",
    "pricing:GetProducts",
    "tag:GetResources",
    "servicequotas:ListServiceQuotas",
    "servicequotas:ListAWSDefaultServiceQuotas",
    "iam:SimulatePrincipalPolicy",  # of the person's own identity, whose name is not the project's business
}


def asked_for(context: Context, kinds: Kinds) -> list[type[Resource]]:
    """Return those of the kinds whose permissions are asked for: all but what the settings would first have to want."""
    return [kind for kind in kinds if not kind.on_request or kind(context).wanted]


def needed(kinds: Kinds, steps: Iterable[Step]) -> list[str]:
    """List the IAM actions that a plan's steps take.

    Args:
        kinds: the kinds of resources that the project can have.
        steps: the plan; what is kept is only read.
    """
    actions = {kind.kind: kind.actions for kind in kinds}
    return sorted({ALWAYS}.union(*(actions[step.kind].of(step.action) for step in steps)))


def every_action(kinds: Kinds) -> list[str]:
    """List the IAM actions of a project's whole life, with every command.

    Args:
        kinds: the kinds of resources that the project can have. Of optional ones it is only asked whether they stand.
    """
    chain = (kind.actions.changes for kind in kinds if not kind.optional)
    return sorted({*BESIDES, *reading_actions(kinds)}.union(*chain))


def reading_actions(kinds: Kinds) -> list[str]:
    """List the IAM actions of `import`, `plan` and `status`, which change nothing."""
    return sorted({ALWAYS, *LOOKING}.union(*(kind.actions.read.split() for kind in kinds if kind.looked_for)))


def policy(context: Context, kinds: Kinds, actions: Sequence[str] | None = None) -> dict[str, Any]:
    """Make the identity policy for commands on this project in this environment, of any length.

    Args:
        context: the project and environment.
        kinds: the kinds of resources that the project can have.
        actions: what the commands take; None: what all of them do.
    """
    kinds = asked_for(context, kinds)
    resources = [kind(context) for kind in kinds if kind.looked_for]
    asked = every_action(kinds) if actions is None else actions
    statements: list[Statement] = [
        {"Effect": "Allow", "Action": [action], "Resource": list(_arns(resources, action))}
        for action in asked
        if action != PASSING
    ]
    passing = [pass_roles(resources)] if PASSING in asked else []
    kept = state_statements(context, changing=actions is None)
    return together(document([*statements, *passing, *kept]))


def policies(context: Context, kinds: Kinds) -> dict[str, dict[str, Any]]:
    """Make the identity policies for all commands, by the names that they can have: as many as IAM takes them in.

    Args:
        context: the project and environment.
        kinds: the kinds of resources that the project can have.
    """
    parts = in_parts(policy(context, kinds))
    return {context.naming.name("policy", str(number)): part for number, part in enumerate(parts, 1)}


def pass_roles(resources: Iterable[Resource]) -> Statement:
    """Allow passing roles on, only to the services that are to run as them."""
    roles = [resource for resource in resources if isinstance(resource, Role)]
    condition = {"StringEquals": {"iam:PassedToService": sorted({role.service for role in roles})}}
    return {"Effect": "Allow", "Action": [PASSING], "Resource": list(_arns(roles, PASSING)), "Condition": condition}


def _arns(resources: Sequence[Resource], action: str) -> tuple[str, ...]:
    """Return the ARNs that an action is limited to, each once."""
    if action in UNSCOPED.union(*(resource.actions.unscoped.split() for resource in resources)):
        return ("*",)
    return tuple(dict.fromkeys(arn for resource in resources for arn in resource.scope(action)))
