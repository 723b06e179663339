"""CloudFormation for GitHub Actions: its identity provider, and a role for each job of the workflow that `init` writes.

GitHub tells AWS on whose behalf a job runs in the claim `sub` of a signed token. That of a pull request may only look,
that of a push to main may do what `up` does. Where previews are wanted, a pull request may do so in environments of
their own. No key is stored anywhere.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sentictl.errors import UsageError
from sentictl.lifecycle.resource import Context
from sentictl.services.iam.documents import in_parts, together
from sentictl.services.iam.permissions import asked_for, policy, reading_actions
from sentictl.services.kept import KEPT
from sentictl.services.notebook.instance import notebook_policy

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"  # what the workflow's action asks GitHub for, in every part of AWS
BRANCH = "main"  # the workflow's
PULL_REQUEST, PUSH = "pull_request", f"ref:refs/heads/{BRANCH}"  # the ends of subjects; schedules run on the branch
PREVIEWS = "pr-*"  # in ARNs, the environments of all previews: the workflow calls that of pull request 12 pr-12
# Repositories made since July 2026 have the numbers of their owner and themselves in their tokens, which nobody else
# gets who takes over a name: https://docs.github.com/actions/reference/security/oidc
REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(?P<owner>@\d+)?/[A-Za-z0-9._-]+(?P<repository>@\d+)?")
THIS_ACCOUNT = "${AWS::AccountId}"  # in ARNs, where the account is not known: CloudFormation puts in its own
HOUR = 3600  # seconds; the shortest that a role's sessions may be limited to
PROVIDER, MAKES_PROVIDER, ANSWER = "Provider", "MakesProvider", "MakeProvider"


def github_template(context: Context, repository: str) -> dict[str, Any]:
    """Write a CloudFormation template of GitHub's identity provider and the workflow's two roles.

    Args:
        context: the project and environment that the roles are for.
        repository: OWNER/REPO or, for repositories whose tokens have numbers, OWNER@NUMBER/REPO@NUMBER.

    Raises:
        UsageError: it is not written like that, or the environment is on this machine.
    """
    _check(context, repository)
    looking, changing = _allowed(context, looking=True), _allowed(context)
    plan, up = (context.naming.name("github", part) for part in ("plan", "up"))
    return _template(
        f"Lets GitHub Actions of {repository} plan and bring up {context.naming.name()}",
        {
            **_role("Plan", plan, _trust(context, repository, [PULL_REQUEST]), looking, HOUR),
            **_role("Up", up, _trust(context, repository, [PUSH]), changing, 2 * HOUR),
        },
        {"PlanRole": "AWS_PLAN_ROLE_ARN", "UpRole": "AWS_ROLE_ARN"},
    )


def previews_template(context: Context, repository: str) -> dict[str, Any]:
    """Write a CloudFormation template of GitHub's identity provider and the role of the workflow's previews.

    It holds in whichever account it is deployed in, which is better one of its own: the role can make roles.

    Args:
        context: the project, in an environment on AWS whose settings and region the previews have.
        repository: as for `github_template`.

    Raises:
        UsageError: as from `github_template`.
    """
    _check(context, repository)
    previews = replace(context, environment=replace(context.environment, name=PREVIEWS))
    previews.environment.account = THIS_ACCOUNT
    project = context.settings.project.name
    trust = _trust(previews, repository, [PULL_REQUEST, PUSH])  # by schedule, old ones are taken down
    return _template(
        f"Lets GitHub Actions of {repository} make previews of {project}",
        _role("Preview", f"{project}-github-preview", trust, _allowed(previews), 2 * HOUR),
        {"PreviewRole": "AWS_PREVIEW_ROLE_ARN"},
    )


def _allowed(context: Context, *, looking: bool = False) -> dict[str, Any]:
    """Write what the workflow may do in an environment: all that sentictl does there, or only look."""
    kinds = asked_for(context, KEPT)
    actions = reading_actions(kinds) if looking else None
    # `import` looks at the notebook, where there is one.
    return together(policy(context, kinds, actions), notebook_policy(context, looking=True))


def _template(description: str, roles: dict[str, Any], variables: dict[str, str]) -> dict[str, Any]:
    """Write the template of roles, and of the provider that they trust.

    Args:
        description: what it is for.
        roles: the roles and their policies.
        variables: the repository's variables that the roles' ARNs are for, by the roles.
    """
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": description,
        "Parameters": {
            ANSWER: {
                "Type": "String",
                "Default": "yes",
                "AllowedValues": ["yes", "no"],
                "Description": "no where the account has GitHub's identity provider already: it can have one",
            }
        },
        "Conditions": {MAKES_PROVIDER: {"Fn::Equals": [{"Ref": ANSWER}, "yes"]}},
        "Resources": {
            PROVIDER: {
                "Type": "AWS::IAM::OIDCProvider",
                "Condition": MAKES_PROVIDER,
                "DeletionPolicy": "Retain",  # others may have come to use it
                "UpdateReplacePolicy": "Retain",
                "Properties": {"Url": f"https://{ISSUER}", "ClientIdList": [AUDIENCE]},
            },
            **roles,
        },
        "Outputs": {
            f"{role}Arn": {
                "Description": f"The repository's variable {variable}",
                "Value": {"Fn::GetAtt": [role, "Arn"]},
            }
            for role, variable in variables.items()
        },
    }
    substituted: dict[str, Any] = _substituted(template)
    return substituted


def _substituted(value: Any) -> Any:
    """Have CloudFormation put the account into every text that lacks it."""
    if isinstance(value, dict):
        return {key: _substituted(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_substituted(member) for member in value]
    return {"Fn::Sub": value} if isinstance(value, str) and THIS_ACCOUNT in value else value


def _role(part: str, name: str, trust: dict[str, Any], allowed: dict[str, Any], seconds: int) -> dict[str, Any]:
    """Write a role, and as many managed policies as IAM takes all in that it may do."""
    policies = {
        f"{part}Policy{number}": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"ManagedPolicyName": f"{name}-{number}", "PolicyDocument": document},
        }
        for number, document in enumerate(in_parts(allowed), 1)
    }
    properties = {
        "RoleName": name,
        "AssumeRolePolicyDocument": trust,
        "MaxSessionDuration": seconds,
        "ManagedPolicyArns": [{"Ref": policy} for policy in policies],
    }
    return {f"{part}Role": {"Type": "AWS::IAM::Role", "Properties": properties}, **policies}


def _trust(context: Context, repository: str, ends: Sequence[str]) -> dict[str, Any]:
    """Write the trust policy of a role that GitHub's tokens of a repository's subjects open, and no others."""
    standing = context.environment.arn("iam", f"oidc-provider/{ISSUER}", region=False)
    subjects = [f"repo:{repository}:{end}" for end in ends]
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": {"Fn::If": [MAKES_PROVIDER, {"Ref": PROVIDER}, standing]}},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": subjects}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _check(context: Context, repository: str) -> None:
    if context.environment.on_twin:
        raise UsageError("GitHub cannot reach this machine.", "Name an environment on AWS, such as: --env prod")
    match = REPOSITORY.fullmatch(repository)
    if match is None or bool(match["owner"]) != bool(match["repository"]):
        raise UsageError(
            f"{repository} is no repository on GitHub.",
            "Write OWNER/REPO; or, if it was made since July 2026, OWNER@NUMBER/REPO@NUMBER, which this prints: "
            """gh api repos/OWNER/REPO --jq '"\\(.owner.login)@\\(.owner.id)/\\(.name)@\\(.id)"'""",
        )
