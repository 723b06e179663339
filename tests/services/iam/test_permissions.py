"""What a person must be allowed to do, held against the calls that `up`, an update and `down` were seen to make."""

import json
import re
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import product
from pathlib import Path
from typing import Any

import boto3
import pytest
from parliament import analyze_policy_string

from sentictl.lifecycle.reconcile import Action, Step
from sentictl.lifecycle.resource import Context
from sentictl.services.iam.documents import LONGEST_MANAGED, length, listed
from sentictl.services.iam.permissions import (
    ANY_ACCOUNT,
    BESIDES,
    every_action,
    needed,
    policies,
    policy,
    reading_actions,
)
from sentictl.services.kept import KEPT
from sentictl.services.notebook.instance import OPTIONAL
from sentictl.services.web.api_key import ApiKey
from tests.services.conftest import ACCOUNT, ContextOf

GOLDEN = Path(__file__).parents[2] / "golden"
CALL = re.compile(r"^([a-z0-9-]+) ([A-Z][A-Za-z0-9]+) ", re.MULTILINE)
PREFIXES = {"stepfunctions": "states"}  # of the permissions of a service that is called otherwise
# Where an operation and its permission have different names, by AWS's Service Authorization Reference.
ACTIONS = {
    "s3 HeadBucket": ["s3:ListBucket"],
    "s3 ListObjectsV2": ["s3:ListBucket"],
    "s3 ListObjectVersions": ["s3:ListBucketVersions"],
    "s3 HeadObject": ["s3:GetObject"],
    "s3 DeleteObjects": ["s3:DeleteObject"],
    "s3 CreateBucket": ["s3:CreateBucket", "s3:TagResource"],
    "s3 GetPublicAccessBlock": ["s3:GetBucketPublicAccessBlock"],
    "s3 PutPublicAccessBlock": ["s3:PutBucketPublicAccessBlock"],
    "s3 DeletePublicAccessBlock": ["s3:PutBucketPublicAccessBlock"],
    "iam CreateRole": ["iam:CreateRole", "iam:TagRole"],
    "sagemaker CreateTrainingJob": ["sagemaker:CreateTrainingJob", "sagemaker:AddTags", "iam:PassRole"],
    "sagemaker CreateTransformJob": ["sagemaker:CreateTransformJob", "sagemaker:AddTags"],
    "sagemaker CreateModel": ["sagemaker:CreateModel", "sagemaker:AddTags", "iam:PassRole"],
    "sagemaker CreateEndpointConfig": ["sagemaker:CreateEndpointConfig", "sagemaker:AddTags"],
    "sagemaker CreateEndpoint": ["sagemaker:CreateEndpoint", "sagemaker:AddTags"],
    "lambda GetFunction": ["lambda:GetFunction", "lambda:ListTags"],  # which has its tags in its answer
    "lambda CreateFunction": ["lambda:CreateFunction", "lambda:TagResource", "iam:PassRole"],
    "logs CreateLogGroup": ["logs:CreateLogGroup", "logs:TagResource"],
    "cloudwatch PutMetricAlarm": ["cloudwatch:PutMetricAlarm", "cloudwatch:TagResource"],
    "cloudwatch PutDashboard": ["cloudwatch:PutDashboard", "cloudwatch:TagResource"],
    "sns CreateTopic": ["sns:CreateTopic", "sns:TagResource"],
    "events PutRule": ["events:PutRule", "events:TagResource"],
    "budgets DescribeBudget": ["budgets:ViewBudget"],
    "budgets DescribeSubscribersForNotification": ["budgets:ViewBudget"],
    "budgets CreateBudget": ["budgets:ModifyBudget", "budgets:TagResource"],
    "budgets DeleteBudget": ["budgets:ModifyBudget"],
    "scheduler CreateSchedule": ["scheduler:CreateSchedule", "iam:PassRole"],
    "stepfunctions CreateStateMachine": ["states:CreateStateMachine", "states:TagResource", "iam:PassRole"],
    # By Application Auto Scaling's user guide, "Identity-based policy examples", whoever lets it scale needs these too.
    "application-autoscaling RegisterScalableTarget": [
        "application-autoscaling:RegisterScalableTarget",
        "application-autoscaling:TagResource",
        "iam:CreateServiceLinkedRole",
        "sagemaker:UpdateEndpointWeightsAndCapacities",
    ],
    "application-autoscaling PutScalingPolicy": [
        "application-autoscaling:PutScalingPolicy",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:PutMetricAlarm",
    ],
    "application-autoscaling DeleteScalingPolicy": [
        "application-autoscaling:DeleteScalingPolicy",
        "cloudwatch:DeleteAlarms",
    ],
    "cognito-idp CreateUserPool": ["cognito-idp:CreateUserPool", "cognito-idp:TagResource"],
    "wafv2 CreateWebACL": ["wafv2:CreateWebACL", "wafv2:TagResource"],
    "wafv2 AssociateWebACL": ["wafv2:AssociateWebACL", "apigateway:SetWebACL"],
    "resourcegroupstaggingapi GetResources": ["tag:GetResources"],
}
# What none of those runs does: adopting, emptying a versioned bucket, breaking off large uploads, stopping a job that
# runs or a rollout, changing a schedule, looking at a run of it, ending a confirmed subscription, putting an app client
# right that somebody changed, looking who may come to a user pool that is named.
OTHERWISE_NEEDED = {
    "s3:PutBucketTagging",
    "s3:DeleteObjectVersion",
    "s3:AbortMultipartUpload",
    "sagemaker:ListProcessingJobs",
    "sagemaker:StopProcessingJob",
    "sagemaker:StopTrainingJob",
    "sagemaker:StopHyperParameterTuningJob",
    "sagemaker:StopTransformJob",
    "scheduler:UpdateSchedule",
    "states:DescribeExecution",
    "states:StopExecution",
    "states:UpdateStateMachine",
    "cloudwatch:SetAlarmState",
    "sns:Unsubscribe",
    "cognito-idp:UpdateUserPoolClient",
    "cognito-idp:ListIdentityProviders",
}


STORIES = (
    *("up", "update", "scaling", "hours", "shadow", "tuning", "batch", "retraining"),
    *("rollout", "keys", "sign-in", "alerts", "spark", "down"),
)
READING = re.compile(r"[a-z0-9-]+:(Get|List|Describe|View|GET)")
# Each set of settings that takes permissions of its own.
MORE = ("deploy.max_instances = 3", 'train.tune.epochs = [2, 3]\ntrain.schedule.every = "day 3:00"', 'data.on = "aws"')
MORE_OR_NONE = list(product(*(("", each) for each in MORE)))


@pytest.fixture
def context(context_of: ContextOf) -> Context:
    return context_of('[project]\nname = "films"\n')


def actions_of(story: str) -> set[str]:
    """The IAM actions that the calls in a golden file take."""
    text = (GOLDEN / f"{story}.txt").read_text(encoding="utf-8")
    return {action for service, operation in CALL.findall(text) for action in actions_for(service, operation)}


def actions_for(service: str, operation: str) -> list[str]:
    """The IAM actions that one call takes."""
    if service == "apigateway":
        client = boto3.client("apigateway", region_name="us-east-1")
        return [f"apigateway:{client.meta.service_model.operation_model(operation).http['method']}"]
    return ACTIONS.get(f"{service} {operation}", [f"{PREFIXES.get(service, service)}:{operation}"])


def steps(action: Action) -> list[Step]:
    return [Step(action, kind.kind, "name", {}) for kind in KEPT if kind.looked_for]


def test_every_kind_of_resource_says_what_it_takes() -> None:
    assert len({kind.kind for kind in KEPT}) == len(KEPT)
    assert [kind.kind for kind in KEPT if not (kind.actions.read and kind.actions.create and kind.actions.delete)] == []
    assert {kind.kind for kind in KEPT if kind.optional} == {
        ApiKey.kind,
        *(kind.kind for kind in OPTIONAL),
    }


def test_no_call_is_without_its_permission_and_no_permission_without_a_call() -> None:
    called = set[str]().union(*map(actions_of, STORIES))
    assert called - set(every_action(KEPT)) == set()
    assert set(every_action(KEPT)) - called == (OTHERWISE_NEEDED | set(BESIDES)) - called


def test_a_plan_names_what_its_steps_take() -> None:
    assert actions_of("up") - set(needed(KEPT, steps(Action.CREATE))) == set()
    assert actions_of("down") - set(needed(KEPT, steps(Action.DELETE))) <= {"tag:GetResources"}
    assert "sagemaker:CreateModel" in needed(KEPT, [Step(Action.REPLACE, "model", "name", {})])


def test_what_is_kept_is_only_read() -> None:
    assert [action for action in needed(KEPT, steps(Action.KEEP)) if not READING.match(action)] == []


def test_looking_takes_no_action_that_changes_anything() -> None:
    assert set(needed(KEPT, steps(Action.KEEP))) <= set(reading_actions(KEPT)) <= set(every_action(KEPT))
    assert [action for action in reading_actions(KEPT) if not READING.match(action)] == []


@pytest.mark.parametrize("more", MORE_OR_NONE)
def test_the_policies_are_ones_that_iam_takes(context_of: ContextOf, more: tuple[str, ...]) -> None:
    for document in policies(context_of("\n".join((*more, '[project]\nname = "films"\n'))), KEPT).values():
        # These actions are younger than parliament's table.
        known = re.sub('"sagemaker:Delete(Processing|Training|HyperParameterTuning)Job", ', "", json.dumps(document))
        # Of these it asks for the ARNs of map runs and express executions besides, where AWS takes any of the kinds.
        known = re.sub('"states:(DescribeExecution|ListExecutions)", ', "", known)
        assert [(found.issue, found.detail) for found in analyze_policy_string(known).findings] == []


def test_of_an_account_that_is_not_known_it_allows_the_same_there(context: Context) -> None:
    known = policy(context, KEPT)
    context.environment.account = ANY_ACCOUNT
    document = policy(context, KEPT)
    text = json.dumps(document).replace('"sagemaker:DeleteTrainingJob", ', "")
    assert [(found.issue, found.detail) for found in analyze_policy_string(text).findings] == []
    for statement in known["Statement"]:
        for action in listed(statement["Action"]):
            assert [arn for arn in listed(statement["Resource"]) if not _allows(document, action, arn)] == []


@pytest.mark.parametrize("region", ["ap-southeast-7", "us-gov-west-1", "us-isof-south-1"])
@pytest.mark.parametrize("more", MORE_OR_NONE)
def test_with_the_longest_names_each_policy_is_as_short_as_iam_takes_and_together_they_allow_the_same(
    context_of: ContextOf, region: str, more: tuple[str, ...]
) -> None:
    context = context_of("\n".join((*more, f'[project]\nname = "{"f" * 20}"\n')))
    environment = replace(context.environment, name="e" * 20, region=region)
    environment.__dict__["account"] = ACCOUNT
    context = replace(context, environment=environment)
    found = policies(context, KEPT)
    assert list(found) == [f"{'f' * 20}-{'e' * 20}-policy-{number}" for number in range(1, len(found) + 1)]
    assert len(found) <= 10  # that a user or a role takes
    for document in found.values():
        assert length(document) <= LONGEST_MANAGED
    assert set().union(*map(allowed, found.values())) == allowed(policy(context, KEPT))


def test_what_scales_is_allowed_to_only_where_the_settings_ask_for_it(context_of: ContextOf) -> None:
    scaling = context_of('[project]\nname = "films"\n[deploy]\nmax_instances = 3\n')
    document = policy(scaling, KEPT)
    known = json.dumps(document, separators=(",", ":")).replace('"sagemaker:DeleteTrainingJob",', "")
    assert [(found.issue, found.detail) for found in analyze_policy_string(known).findings] == []
    target = f"arn:aws:application-autoscaling:eu-west-1:{ACCOUNT}:scalable-target/0123"
    role = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/AnyName"
    alarms = f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:TargetTracking-endpoint"
    for action, arn in {
        "application-autoscaling:RegisterScalableTarget": target,
        "iam:CreateServiceLinkedRole": role,
        "cloudwatch:PutMetricAlarm": f"{alarms}/films-local-endpoint/variant/AllTraffic-AlarmHigh-0123",
    }.items():
        assert _allows(document, action, arn)
        assert not _allows(policy(context_of('[project]\nname = "films"\n'), KEPT), action, arn)
    assert not _allows(document, "iam:CreateServiceLinkedRole", f"arn:aws:iam::{ACCOUNT}:role/films-local-predict")


def test_what_alerts_take_is_allowed_only_where_somebody_is_to_be_told(context_of: ContextOf) -> None:
    told = policy(context_of('[project]\nname = "films"\n[alerts]\nemail = "ops@example.org"\n'), KEPT)
    known = json.dumps(told, separators=(",", ":")).replace('"sagemaker:DeleteTrainingJob",', "")
    assert [(found.issue, found.detail) for found in analyze_policy_string(known).findings] == []
    silent = policy(context_of('[project]\nname = "films"\n'), KEPT)
    for action, arn in {
        "sns:CreateTopic": f"arn:aws:sns:eu-west-1:{ACCOUNT}:films-local-alerts",
        "cloudwatch:PutMetricAlarm": f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:films-local-alert-errors",
        "events:PutRule": f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/films-local-endpoint-fails",
        "budgets:ModifyBudget": f"arn:aws:budgets::{ACCOUNT}:budget/films-local-monthly-cost",
        "cloudwatch:PutDashboard": f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/films-local",
    }.items():
        assert _allows(told, action, arn)
        assert not _allows(told, action, arn.replace("films", "songs"))
        assert not _allows(silent, action, arn)


@pytest.mark.parametrize(
    ("action", "own", "foreign"),
    [
        ("s3:DeleteBucket", f"arn:aws:s3:::films-local-{ACCOUNT}", f"arn:aws:s3:::songs-local-{ACCOUNT}"),
        ("s3:GetObject", f"arn:aws:s3:::films-local-{ACCOUNT}/a", f"arn:aws:s3:::films-prod-{ACCOUNT}/a"),
        ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/films-local-sagemaker", f"arn:aws:iam::{ACCOUNT}:role/admin"),
        (
            "sagemaker:DeleteEndpoint",
            f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:endpoint/films-local-endpoint",
            f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:endpoint/films-prod-endpoint",
        ),
        (
            "lambda:DeleteFunction",
            f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:films-local-predict",
            f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:films-local-predict-2",
        ),
    ],
)
def test_it_is_about_this_project_and_environment_alone(context: Context, action: str, own: str, foreign: str) -> None:
    assert _allows(policy(context, KEPT), action, own)
    assert not _allows(policy(context, KEPT), action, foreign)


def test_of_the_log_that_all_training_jobs_share_only_the_projects_own_streams_may_be_deleted(context: Context) -> None:
    shared = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/sagemaker/TrainingJobs"
    document = policy(context, KEPT)
    assert _allows(document, "logs:DeleteLogStream", f"{shared}:log-stream:films-local-0123456789ab/algo-1-1")
    assert not _allows(document, "logs:DeleteLogStream", f"{shared}:log-stream:songs-prod-0123456789ab/algo-1-1")
    for action in ("logs:DeleteLogGroup", "logs:PutRetentionPolicy"):
        assert not any(_allows(document, action, arn) for arn in (shared, f"{shared}:*"))
    assert _allows(document, "logs:FilterLogEvents", f"{shared}:log-stream:")


def test_roles_are_passed_to_the_services_that_run_as_them_and_to_no_other(context: Context) -> None:
    (statement,) = [entry for entry in policy(context, KEPT)["Statement"] if "iam:PassRole" in entry["Action"]]
    assert statement["Action"] == ["iam:PassRole"]
    passed_to = statement["Condition"]["StringEquals"]["iam:PassedToService"]
    assert passed_to == [f"{name}.amazonaws.com" for name in ("apigateway", "lambda", "sagemaker", "scheduler")]


def allowed(document: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Each action that a policy allows, with the ARN and the condition that it allows it on."""
    return {
        (action, arn, json.dumps(statement.get("Condition")))
        for statement in document["Statement"]
        for action in listed(statement["Action"])
        for arn in listed(statement["Resource"])
    }


def _allows(document: dict[str, Any], action: str, arn: str) -> bool:
    return any(
        action in listed(statement["Action"])
        and any(fnmatchcase(arn, pattern) for pattern in listed(statement["Resource"]))
        for statement in document["Statement"]
    )
