"""What GitHub Actions gets on AWS: what IAM and CloudFormation take, for this repository alone."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from cfnlint.api import lint
from parliament import analyze_policy_string

from sentictl.errors import UsageError
from sentictl.lifecycle.resource import Context
from sentictl.services.export.github import ISSUER, THIS_ACCOUNT, github_template, previews_template
from sentictl.services.iam.documents import LONGEST_MANAGED, in_parts, length, together
from sentictl.services.iam.permissions import policy
from sentictl.services.kept import KEPT
from sentictl.services.notebook.instance import NotebookLifecycle, NotebookRole, notebook_policy
from sentictl.services.tuning.job import TuningJob
from sentictl.twin.iam.policies import decide
from tests.services.conftest import ACCOUNT, ContextOf

LARGEST = 51_200  # bytes of a template that is not first uploaded to S3
EVERYTHING = {"deploy.max_instances": 3, "train.tune.epochs": [2, 3]}  # that takes permissions of its own
STAND_IN = "1" * len(THIS_ACCOUNT)  # an account's id as long, so that policies are parted at the same places
NEEDED_OF_ROLES = ["iam:GetRole", "iam:GetRolePolicy"]
PASSED_TO = "sagemaker.amazonaws.com"
# What has no environment in its name: see docs/ci.md.
SHARED = {
    "*",
    "arn:aws:apigateway:eu-west-1::/account",
    "arn:aws:apigateway:eu-west-1::/restapis",
    "arn:aws:apigateway:eu-west-1::/restapis/*",
    "arn:aws:apigateway:eu-west-1::/tags/*",
    f"arn:aws:iam::{STAND_IN}:role/sentictl-api-logs-eu-west-1",
    f"arn:aws:logs:eu-west-1:{STAND_IN}:log-group:/aws/sagemaker/TrainingJobs",
    f"arn:aws:logs:eu-west-1:{STAND_IN}:log-group:/aws/sagemaker/TrainingJobs:*",
    f"arn:aws:logs:eu-west-1:{STAND_IN}:log-group:/aws/sagemaker/TransformJobs",
    f"arn:aws:logs:eu-west-1:{STAND_IN}:log-group:/aws/sagemaker/TransformJobs:*",
}


@pytest.fixture
def context(context_of: ContextOf) -> Context:
    context = context_of(f'[project]\nname = "{"f" * 20}"\n')
    environment = replace(context.environment, name="e" * 20, endpoint="")
    environment.__dict__["account"] = ACCOUNT
    return replace(context, environment=environment)


def role(context: Context, name: str, repository: str = "you/films") -> dict[str, Any]:
    found: dict[str, Any] = github_template(context, repository)["Resources"][name]["Properties"]
    return found


def policies(context: Context, part: str) -> list[dict[str, Any]]:
    """The documents of the managed policies of a role."""
    resources = github_template(context, "you/films")["Resources"]
    attached = [arn["Ref"] for arn in resources[f"{part}Role"]["Properties"]["ManagedPolicyArns"]]
    assert attached == [name for name in resources if name.startswith(f"{part}Policy")]
    return [resources[name]["Properties"]["PolicyDocument"] for name in attached]


@pytest.mark.parametrize("more", [{}, EVERYTHING])
def test_cfn_lint_finds_nothing(context: Context, more: dict[str, Any]) -> None:
    context.config.change(more)
    text = json.dumps(github_template(context, "you/films"), indent=2)
    assert len(text.encode()) < LARGEST
    assert [str(finding) for finding in lint(text, regions=["eu-west-1"])] == []


def test_where_the_account_is_not_known_cloudformation_puts_it_in(context: Context) -> None:
    context.environment.account = STAND_IN
    known = github_template(context, "you/films")
    context.environment.account = THIS_ACCOUNT
    unknown = github_template(context, "you/films")
    assert [str(finding) for finding in lint(json.dumps(unknown), regions=["eu-west-1"])] == []
    assert _with_account(unknown) == known


def _with_account(value: Any) -> Any:
    """A template as CloudFormation reads it in the account."""
    if isinstance(value, dict):
        if value.keys() == {"Fn::Sub"}:
            return value["Fn::Sub"].replace("${AWS::AccountId}", STAND_IN)
        return {key: _with_account(member) for key, member in value.items()}
    return [_with_account(member) for member in value] if isinstance(value, list) else value


@pytest.mark.parametrize("part", ["Plan", "Up"])
@pytest.mark.parametrize("more", [{}, EVERYTHING])
def test_parliament_finds_nothing_and_iam_has_room(context: Context, part: str, more: dict[str, Any]) -> None:
    context.config.change(more)
    documents = policies(context, part)
    assert len(documents) <= 10  # that a role takes
    for document in documents:
        assert length(document) <= LONGEST_MANAGED
        # These actions are younger than parliament's table.
        known = re.sub('"sagemaker:Delete(Training|HyperParameterTuning)Job", ', "", json.dumps(document))
        assert [(found.issue, found.detail) for found in analyze_policy_string(known).findings] == []
    assert len(role(context, f"{part}Role")["RoleName"]) <= 64


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
        "StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com", f"{ISSUER}:sub": [f"repo:{repository}:{where}"]}
    }


@pytest.mark.parametrize("more", [{}, EVERYTHING])
def test_a_pull_request_may_only_look(context: Context, more: dict[str, Any]) -> None:
    context.config.change(more)
    plan, up = (policies(context, part) for part in ("Plan", "Up"))
    verbs = {
        action.partition(":")[2] for document in plan for each in document["Statement"] for action in each["Action"]
    }
    assert [verb for verb in verbs if not verb.startswith(("Get", "List", "Describe", "GET"))] == []
    assert up == in_parts(together(policy(context, KEPT), notebook_policy(context, looking=True)))


@pytest.mark.parametrize("part", ["Plan", "Up"])
def test_what_import_looks_at_is_allowed_on_the_notebook_and_on_tuning_jobs_too(context: Context, part: str) -> None:
    context.config.change(EVERYTHING)
    role_of_notebook = NotebookRole(context).arn
    lifecycle = context.environment.arn(
        "sagemaker", f"notebook-instance-lifecycle-config/{NotebookLifecycle(context).name}"
    )
    tuning_job = context.environment.arn("sagemaker", f"{TuningJob.kind}/{context.naming.name('0' * 8)}")
    asked = {
        role_of_notebook: NEEDED_OF_ROLES,
        lifecycle: ["sagemaker:DescribeNotebookInstanceLifecycleConfig"],
        tuning_job: ["sagemaker:DescribeHyperParameterTuningJob"],
        "*": ["sagemaker:ListHyperParameterTuningJobs"],
    }
    for arn, actions in asked.items():
        assert [action for action in actions if decide(policies(context, part), action, arn) != "allowed"] == []


@pytest.mark.parametrize("more", [{}, EVERYTHING])
def test_iam_and_cloudformation_take_the_role_of_previews(context: Context, more: dict[str, Any]) -> None:
    context.config.change(more)
    template = previews_template(context, "you/films")
    assert [str(finding) for finding in lint(json.dumps(template), regions=["eu-west-1"])] == []
    for document in previewing(context):
        assert length(document) <= LONGEST_MANAGED
        text = json.dumps(document).replace(STAND_IN, ACCOUNT)
        known = re.sub('"sagemaker:Delete(Training|HyperParameterTuning)Job", ', "", text)
        assert [(found.issue, found.detail) for found in analyze_policy_string(known).findings] == []


def test_previews_are_made_by_pull_requests_and_old_ones_taken_down_from_main(context: Context) -> None:
    resources = _with_account(previews_template(context, "you/films"))["Resources"]
    (statement,) = resources["PreviewRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    subjects = ["repo:you/films:pull_request", "repo:you/films:ref:refs/heads/main"]
    assert statement["Condition"] == {"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com", f"{ISSUER}:sub": subjects}}


@pytest.mark.parametrize("state", ["file", "s3", "s3://our-bucket/films"])
@pytest.mark.parametrize("more", [{}, EVERYTHING])
def test_the_role_of_previews_reaches_all_of_them_and_no_other_environment(
    context: Context, more: dict[str, Any], state: str
) -> None:
    context.config.change({"project.state": state})
    context.config.change(more)
    documents = previewing(context)

    def decided(environment: str) -> set[str]:
        asked = {(action, arn) for action, arn in _asked_in(context, environment) if environment in arn}
        assert len(asked) > 100
        return {decide(documents, *each, {"iam:PassedToService": PASSED_TO}) for each in asked}

    for preview in ("pr-1", "pr-12345"):
        assert decided(preview) == {"allowed"}
    for other in ("prod", "preview", "staging", "local"):
        assert decided(other) == {"implicitDeny"}


def test_what_previews_share_with_the_rest_of_their_account_is_known(context: Context) -> None:
    arns = {arn for document in previewing(context) for each in document["Statement"] for arn in each["Resource"]}
    assert {arn for arn in arns if "-pr-*" not in arn} == SHARED


def previewing(context: Context) -> list[dict[str, Any]]:
    """The documents of the managed policies of the role that makes previews."""
    resources = _with_account(previews_template(context, "you/films"))["Resources"]
    return [resources[name]["Properties"]["PolicyDocument"] for name in resources if name.startswith("PreviewPolicy")]


def _asked_in(context: Context, environment: str) -> set[tuple[str, str]]:
    """Actions, and an ARN that each is taken on in an environment."""
    there = replace(context, environment=replace(context.environment, name=environment))
    there.environment.account = STAND_IN
    statements = policy(there, KEPT)["Statement"]
    return {
        (action, arn.replace("*", "a-1"))
        for each in statements
        for action in each["Action"]
        for arn in each["Resource"]
    }


@pytest.mark.parametrize(
    "repository", ["films", "you/films/main", "*/films", "you/*", "you/films:ref", "you@1/films", "you/films@1", ""]
)
def test_what_is_no_repository_is_refused(context: Context, repository: str) -> None:
    with pytest.raises(UsageError, match="no repository"):
        github_template(context, repository)


def test_the_twin_is_not_what_github_reaches(context_of: ContextOf) -> None:
    with pytest.raises(UsageError, match="this machine"):
        github_template(context_of('[project]\nname = "films"\n'), "you/films")
