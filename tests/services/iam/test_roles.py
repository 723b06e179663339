"""The policies allow this project's own things and nothing else."""

import json
import re
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from parliament import analyze_policy_string

from sentictl.assets.installed import templates
from sentictl.aws.environment import Environment
from sentictl.aws.images import Scope, pytorch_image
from sentictl.config.instance_types import Use, usable_instance_types
from sentictl.errors import SettingsError
from sentictl.lifecycle.resource import Context
from sentictl.services.batch.schedule import BatchScheduleRole
from sentictl.services.iam.roles import ExecutionRole, FunctionRole, PageRole, ProcessingRole, Role
from sentictl.services.notebook.instance import NotebookRole
from sentictl.services.resources.logs import EndpointLogGroup
from sentictl.services.retraining.roles import RetrainingRole, TrainScheduleRole
from sentictl.services.serving.schedule import ScheduleRole
from sentictl.services.web.access_log import LogAccess
from tests.services.conftest import ACCOUNT, ContextOf

KINDS: dict[type[Role], str] = {
    ProcessingRole: "sagemaker",
    ExecutionRole: "sagemaker",
    FunctionRole: "lambda",
    PageRole: "apigateway",
    ScheduleRole: "scheduler",
    BatchScheduleRole: "scheduler",
    RetrainingRole: "states",
    TrainScheduleRole: "scheduler",
}
# What parliament finds all the same. A token for the registry is what pulling an image begins with; it opens nothing by
# itself, and the repositories are named in the statement that follows.
FINDINGS: dict[type[Role], list[tuple[str, str]]] = {
    kind: [("CREDENTIALS_EXPOSURE", "ecr:getauthorizationtoken")] for kind in (ProcessingRole, ExecutionRole)
}
FINDINGS[RetrainingRole] = [
    ("PERMISSIONS_MANAGEMENT_ACTIONS", "iam:passrole")
]  # of the two roles of its jobs, to SageMaker
# What the resources of statements name: the project's own things, AWS's images, and the groups of all jobs' logs.
NAMED = (
    *("films-local", "repository/pytorch-", "repository/sagemaker-spark-processing"),
    *("TrainingJobs", "ProcessingJobs", "TransformJobs"),
)
# Calls that AWS lets nobody restrict to a resource.
UNSCOPED = {"ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"}


@pytest.fixture
def context(context_of: ContextOf) -> Context:
    return context_of('[project]\nname = "films"\n[data]\nsource = "s3://films-local-raw/2026/"\n')


def statements(role: Role) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = role.desired()["policy"]["Statement"]
    return found


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def allowed(role: Role, action: str, arn: str) -> bool:
    return any(
        action in as_list(statement["Action"]) and any(fnmatchcase(arn, r) for r in as_list(statement["Resource"]))
        for statement in statements(role)
    )


def test_every_policy_belongs_to_a_role() -> None:
    # The notebook's goes with the policy of the commands, and is looked at with the notebook. That for API Gateway's
    # logs is of all APIs of the account, and so of no project's things alone.
    kinds: list[type[Role]] = [*KINDS, NotebookRole, LogAccess]
    assert {part for kind in kinds for part in (kind.part, *kind.more)} == {
        policy.stem for policy in (templates() / "policies").glob("*.json")
    }


@pytest.mark.parametrize("kind", KINDS)
def test_parliament_finds_nothing_wrong(context: Context, kind: type[Role]) -> None:
    policy = json.dumps(kind(context).desired()["policy"])
    findings = analyze_policy_string(policy, include_community_auditors=True).findings
    told = [(found.issue, action) for found in findings for action in found.location.get("actions", [found.detail])]
    assert told == FINDINGS.get(kind, [])


@pytest.mark.parametrize(
    ("deploy", "actions"),
    [
        ('ttl = "8h"', {"sagemaker:DeleteEndpoint"}),
        (
            'ttl = "8h"\nmax_instances = 2',
            {"sagemaker:DeleteEndpoint", "application-autoscaling:DeregisterScalableTarget"},
        ),
        ('hours.up = "daily 8:00"', {"sagemaker:CreateEndpoint", "sagemaker:AddTags"}),
        (
            'hours.up = "daily 8:00"\nhours.down = "daily 9:00"',
            {"sagemaker:DeleteEndpoint", "sagemaker:CreateEndpoint", "sagemaker:AddTags"},
        ),
    ],
)
def test_the_schedules_may_do_what_they_do(context_of: ContextOf, deploy: str, actions: set[str]) -> None:
    role = ScheduleRole(context_of(f'[project]\nname = "films"\n[deploy]\n{deploy}\n'))
    assert role.wanted
    assert {statement["Action"] for statement in statements(role)} == actions
    text = json.dumps(role.desired()["policy"])
    assert [found.issue for found in analyze_policy_string(text, include_community_auditors=True).findings] == []


@pytest.mark.parametrize(("scope", "use"), [("training", "train"), ("inference", "deploy")])
def test_the_image_of_every_machine_may_be_pulled(context: Context, scope: Scope, use: Use) -> None:
    role, region = ExecutionRole(context), context.environment.region
    for name, uses in usable_instance_types().items():
        if use in uses:
            repository = pytorch_image(scope, region, name).partition("/")[2].partition(":")[0]
            arn = f"arn:aws:ecr:{region}:763104351884:repository/{repository}"
            assert allowed(role, "ecr:BatchGetImage", arn), name


@pytest.mark.parametrize("kind", KINDS)
def test_no_policy_has_a_wildcard_where_a_name_can_stand(context: Context, kind: type[Role]) -> None:
    for statement in statements(kind(context)):
        assert statement["Effect"] == "Allow"
        actions = as_list(statement["Action"])
        assert not [action for action in actions if "*" in action]
        if not set(actions) <= UNSCOPED:
            for resource in as_list(statement["Resource"]):
                assert any(name in resource for name in NAMED), resource


def test_the_function_may_ask_its_endpoint_and_no_other(context: Context) -> None:
    endpoint = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:endpoint/films-local-endpoint"
    assert allowed(FunctionRole(context), "sagemaker:InvokeEndpoint", endpoint)
    assert not allowed(FunctionRole(context), "sagemaker:InvokeEndpoint", endpoint + "-2")
    assert not allowed(FunctionRole(context), "s3:GetObject", f"arn:aws:s3:::films-local-{ACCOUNT}/models/x")


@pytest.mark.parametrize("serving", ["instance", "serverless"])
def test_an_endpoint_may_write_its_log(context_of: ContextOf, serving: str) -> None:
    context = context_of(f'[project]\nname = "films"\n[deploy]\nserving = "{serving}"\n')
    stream = f"{EndpointLogGroup(context).arn}:log-stream:AllTraffic/i-0123"
    (statement,) = [each for each in statements(ExecutionRole(context)) if each["Sid"] == "WriteTheEndpointsLog"]
    assert any(fnmatchcase(stream, pattern) for pattern in statement["Resource"])


def test_the_page_is_all_that_api_gateway_may_read(context: Context) -> None:
    bucket = f"arn:aws:s3:::films-local-{ACCOUNT}"
    assert allowed(PageRole(context), "s3:GetObject", f"{bucket}/site/index.html")
    assert not allowed(PageRole(context), "s3:GetObject", f"{bucket}/models/x/model.tar.gz")


def test_preparing_may_read_its_source_alone_and_write_datasets(context: Context) -> None:
    role, bucket = ProcessingRole(context), f"arn:aws:s3:::films-local-{ACCOUNT}"
    assert allowed(role, "s3:GetObject", "arn:aws:s3:::films-local-raw/2026/a.csv")
    assert not allowed(role, "s3:GetObject", "arn:aws:s3:::films-local-raw/2025/a.csv")
    assert not allowed(role, "s3:PutObject", "arn:aws:s3:::films-local-raw/2026/a.csv")
    assert allowed(role, "s3:PutObject", f"{bucket}/datasets/d/train/reviews-00000.npz")
    assert not allowed(role, "s3:GetObject", f"{bucket}/models/job/output/model.tar.gz")
    image = "arn:aws:ecr:eu-west-1:571004829621:repository/sagemaker-spark-processing"
    assert allowed(role, "ecr:BatchGetImage", image)


@pytest.mark.parametrize(
    ("source", "read", "not_read"),
    [
        ("s3://raw/reviews", "raw/reviews/a.csv", "raw/reviews-of-others/a.csv"),
        ("s3://raw/reviews/", "raw/reviews/2026/a.csv", "raw/reviews"),
        ("s3://raw/reviews.csv", "raw/reviews.csv", "raw/others.csv"),
        ("s3://raw/reviews.csv", "raw/reviews.csv/part-0000.csv", "raw/others.csv"),
        ("s3://raw", "raw/reviews/a.csv", "others/reviews/a.csv"),
    ],
)
def test_preparing_may_read_the_folder_that_is_its_source(
    context_of: ContextOf, source: str, read: str, not_read: str
) -> None:
    role = ProcessingRole(context_of(f'[project]\nname = "films"\n[data]\nsource = "{source}"\n'))
    assert allowed(role, "s3:GetObject", f"arn:aws:s3:::{read}")
    assert not allowed(role, "s3:GetObject", f"arn:aws:s3:::{not_read}")


def test_a_source_of_any_name_makes_a_policy(context_of: ContextOf) -> None:
    role = ProcessingRole(context_of('[project]\nname = "films"\n[data]\nsource = "s3://raw/a \\"b\\" *$/c.csv"\n'))
    read = next(each for each in statements(role) if each["Sid"] == "ReadTheSourceAndTheCode")
    assert read["Resource"][0] == 'arn:aws:s3:::raw/a "b" ${*}${$}/c.csv*'


def test_training_may_read_and_write_checkpoints(context: Context) -> None:
    checkpoint = f"arn:aws:s3:::films-local-{ACCOUNT}/checkpoints/films-local-0123456789ab/training.checkpoint"
    assert allowed(ExecutionRole(context), "s3:PutObject", checkpoint)
    assert allowed(ExecutionRole(context), "s3:GetObject", checkpoint)
    assert not allowed(FunctionRole(context), "s3:GetObject", checkpoint)


def test_training_may_write_models_but_neither_data_nor_code(context: Context) -> None:
    bucket = f"arn:aws:s3:::films-local-{ACCOUNT}"
    role = ExecutionRole(context)
    assert allowed(role, "s3:PutObject", f"{bucket}/models/job/output/model.tar.gz")
    assert allowed(role, "s3:GetObject", f"{bucket}/datasets/d/train/reviews-00000.npz")
    assert not allowed(role, "s3:PutObject", f"{bucket}/datasets/d/train/reviews-00000.npz")
    assert not allowed(role, "s3:PutObject", f"{bucket}/sources/s/sourcedir.tar.gz")
    assert not allowed(role, "s3:GetObject", "arn:aws:s3:::another-bucket/models/x")


@pytest.mark.parametrize(("kind", "service"), KINDS.items())
def test_one_service_assumes_each_role(context: Context, kind: type[Role], service: str) -> None:
    (statement,) = kind(context).desired()["trust"]["Statement"]
    assert statement["Principal"] == {"Service": f"{service}.amazonaws.com"}


def test_a_policy_of_the_projects_own_is_the_roles(context: Context) -> None:
    own_policy(context, '{"Statement": [{"Resource": "arn:$partition:s3:::$bucket/$${aws:username}"}]}')
    assert statements(FunctionRole(context)) == [{"Resource": f"arn:aws:s3:::films-local-{ACCOUNT}/${{aws:username}}"}]


@pytest.mark.parametrize("text", ["{", '{"Statement": "$nothing"}', '{"Statement": "${aws:username}"}'])
def test_what_is_no_policy_is_refused_by_its_file(context: Context, text: str) -> None:
    path = own_policy(context, text)
    with pytest.raises(SettingsError, match=str(path)):
        FunctionRole(context).desired()


def own_policy(context: Context, text: str) -> Path:
    """Give the project a policy of its own for its function."""
    path = context.config.folder.root / "templates" / "policies" / "predict.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("eusc-de-east-1", "aws-eusc")]
)
@pytest.mark.parametrize("kind", [*KINDS, NotebookRole])
def test_arns_are_of_the_part_of_aws_and_principals_of_all(
    context: Context, kind: type[Role], region: str, partition: str
) -> None:
    environment = Environment("prod", region)
    environment.__dict__["account"] = ACCOUNT
    role = kind(replace(context, environment=environment))
    documents = role.desired()
    assert set(re.findall(r"arn:([^:]+):", json.dumps([role.arn, documents]))) == {partition}
    (statement,) = documents["trust"]["Statement"]
    assert statement["Principal"]["Service"].endswith(".amazonaws.com")
