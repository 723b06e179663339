"""What GitHub Actions gets on AWS: what IAM and CloudFormation take, for this repository alone."""

import json
from dataclasses import replace
from typing import Any

import pytest
from cfnlint.api import lint
from parliament import analyze_policy_string

from sentictl.api.stack import KEPT
from sentictl.errors import UsageError
from sentictl.lifecycle.resource import Context
from sentictl.services.export.github import ISSUER, THIS_ACCOUNT, github_template
from sentictl.services.iam.permissions import policy, together
from sentictl.services.notebook.instance import NotebookLifecycle, NotebookRole, notebook_policy
from sentictl.twin.iam.policies import decide
from tests.services.conftest import ACCOUNT, ContextOf

LARGEST = 51_200  # bytes of a template that is not first uploaded to S3
LARGEST_INLINE = 10_240  # characters of all policies within a role
NEEDED_OF_ROLES = ["iam:GetRole", "iam:GetRolePolicy"]


@pytest.fixture
def context(context_of: ContextOf) -> Context:
    context = context_of(f'[project]\nname = "{"f" * 20}"\n')
    environment = replace(context.environment, name="e" * 20, endpoint="")
    environment.__dict__["account"] = ACCOUNT
    return replace(context, environment=environment)


def role(context: Context, name: str, repository: str = "you/films") -> dict[str, Any]:
    found: dict[str, Any] = github_template(context, repository)["Resources"][name]["Properties"]
    return found


def test_cfn_lint_finds_nothing(context: Context) -> None:
    text = json.dumps(github_template(context, "you/films"), indent=2)
    assert len(text.encode()) < LARGEST
    assert [str(finding) for finding in lint(text, regions=["eu-west-1"])] == []


def test_where_the_account_is_not_known_cloudformation_puts_it_in(context: Context) -> None:
    known = github_template(context, "you/films")
    context.environment.account = THIS_ACCOUNT
    unknown = github_template(context, "you/films")
    assert [str(finding) for finding in lint(json.dumps(unknown), regions=["eu-west-1"])] == []
    assert _with_account(unknown) == known


def _with_account(value: Any) -> Any:
    """A template as CloudFormation reads it in the account."""
    if isinstance(value, dict):
        if value.keys() == {"Fn::Sub"}:
            return value["Fn::Sub"].replace("${AWS::AccountId}", ACCOUNT)
        return {key: _with_account(member) for key, member in value.items()}
    return [_with_account(member) for member in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", ["PlanRole", "UpRole"])
def test_parliament_finds_nothing_and_iam_has_room(context: Context, name: str) -> None:
    (inline,) = role(context, name)["Policies"]
    document = json.dumps(inline["PolicyDocument"], separators=(",", ":"))
    assert len(document) <= LARGEST_INLINE
    # The action is younger than parliament's table.
    known = document.replace('"sagemaker:DeleteTrainingJob",', "")
    assert [(found.issue, found.detail) for found in analyze_policy_string(known).findings] == []
    assert len(role(context, name)["RoleName"]) <= 64


@pytest.mark.parametrize(("name", "where"), [("PlanRole", "pull_request"), ("UpRole", "ref:refs/heads/main")])
@pytest.mark.parametrize("repository", ["you/films", "you@123456/films@456789"])
def test_only_this_repository_gets_in_and_only_from_there(
    context: Context, name: str, where: str, repository: str
) -> None:
    (statement,) = role(context, name, repository)["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    standing = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
    assert statement["Principal"] == {"Federated": {"Fn::If": ["MakesProvider", {"Ref": "Provider"}, standing]}}
    assert statement["Condition"] == {
        "StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com", f"{ISSUER}:sub": f"repo:{repository}:{where}"}
    }


def test_a_pull_request_may_only_look(context: Context) -> None:
    plan, up = (role(context, name)["Policies"][0]["PolicyDocument"] for name in ("PlanRole", "UpRole"))
    verbs = {action.partition(":")[2] for statement in plan["Statement"] for action in statement["Action"]}
    assert [verb for verb in verbs if not verb.startswith(("Get", "List", "Describe", "GET"))] == []
    assert up == together(policy(context, KEPT), notebook_policy(context, looking=True))


@pytest.mark.parametrize("name", ["PlanRole", "UpRole"])
def test_what_import_looks_at_is_allowed_on_the_notebook_too(context: Context, name: str) -> None:
    role_of_notebook = NotebookRole(context).arn
    lifecycle = context.environment.arn(
        "sagemaker", f"notebook-instance-lifecycle-config/{NotebookLifecycle(context).name}"
    )
    document = role(context, name)["Policies"][0]["PolicyDocument"]
    asked = {role_of_notebook: NEEDED_OF_ROLES, lifecycle: ["sagemaker:DescribeNotebookInstanceLifecycleConfig"]}
    for arn, actions in asked.items():
        assert [action for action in actions if decide([document], action, arn) != "allowed"] == []


@pytest.mark.parametrize(
    "repository", ["films", "you/films/main", "*/films", "you/*", "you/films:ref", "you@1/films", "you/films@1", ""]
)
def test_what_is_no_repository_is_refused(context: Context, repository: str) -> None:
    with pytest.raises(UsageError, match="no repository"):
        github_template(context, repository)


def test_the_twin_is_not_what_github_reaches(context_of: ContextOf) -> None:
    with pytest.raises(UsageError, match="this machine"):
        github_template(context_of('[project]\nname = "films"\n'), "you/films")
