"""CloudFormation for GitHub Actions: its identity provider, and a role for each job of the workflow that `init` writes.

GitHub tells AWS on whose behalf a job runs in the claim `sub` of a signed token. That of a pull request may only look,
that of a push to main may do what `up` does. No key is stored anywhere.
"""

import re
from typing import Any

from sentictl.errors import UsageError
from sentictl.lifecycle.resource import Context
from sentictl.services.chain import CHAIN
from sentictl.services.iam.permissions import asked_for, policy, reading_actions, together
from sentictl.services.iam.roles import POLICY_NAME
from sentictl.services.notebook.instance import OPTIONAL, notebook_policy

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"  # what the workflow's action asks GitHub for, in every part of AWS
BRANCH = "main"  # the workflow's
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
    _check(repository)
    if context.environment.on_twin:
        raise UsageError("GitHub cannot reach this machine.", "Name an environment on AWS, such as: --env prod")
    notebook = notebook_policy(context, looking=True)  # which `import` looks at, where there is one
    kinds = asked_for(context, (*CHAIN, *OPTIONAL))
    asked = (reading_actions(kinds), None)
    looking, changing = (together(policy(context, kinds, actions), notebook) for actions in asked)
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Lets GitHub Actions of {repository} plan and bring up {context.naming.name()}",
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
            "PlanRole": _role(context, "plan", f"repo:{repository}:pull_request", looking, HOUR),
            "UpRole": _role(context, "up", f"repo:{repository}:ref:refs/heads/{BRANCH}", changing, 2 * HOUR),
        },
        "Outputs": {
            "PlanRoleArn": {
                "Description": "The repository's variable AWS_PLAN_ROLE_ARN",
                "Value": {"Fn::GetAtt": ["PlanRole", "Arn"]},
            },
            "RoleArn": {
                "Description": "The repository's variable AWS_ROLE_ARN",
                "Value": {"Fn::GetAtt": ["UpRole", "Arn"]},
            },
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


def _role(context: Context, part: str, subject: str, allowed: dict[str, Any], seconds: int) -> dict[str, Any]:
    properties = {
        "RoleName": context.naming.name("github", part),
        "AssumeRolePolicyDocument": _trust(context, subject),
        "MaxSessionDuration": seconds,
        "Policies": [{"PolicyName": POLICY_NAME, "PolicyDocument": allowed}],
    }
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def _trust(context: Context, subject: str) -> dict[str, Any]:
    """Write the trust policy of a role that GitHub's tokens of one subject open, and no others."""
    standing = context.environment.arn("iam", f"oidc-provider/{ISSUER}", region=False)
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": {"Fn::If": [MAKES_PROVIDER, {"Ref": PROVIDER}, standing]}},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": subject}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _check(repository: str) -> None:
    match = REPOSITORY.fullmatch(repository)
    if match is None or bool(match["owner"]) != bool(match["repository"]):
        raise UsageError(
            f"{repository} is no repository on GitHub.",
            "Write OWNER/REPO; or, if it was made since July 2026, OWNER@NUMBER/REPO@NUMBER, which this prints: "
            """gh api repos/OWNER/REPO --jq '"\\(.owner.login)@\\(.owner.id)/\\(.name)@\\(.id)"'""",
        )
