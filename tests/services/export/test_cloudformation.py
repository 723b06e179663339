"""The exported template: accepted by cfn-lint, whole, and deployable in another account."""

import ast
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sentictl.aws.environment import Environment
from sentictl.config.effects import COUNTS_WITH
from sentictl.config.state import Record
from sentictl.errors import MissingStepError, SettingsError
from sentictl.lifecycle.resource import Context
from sentictl.services.chain import CHAIN
from sentictl.services.export.cloudformation import template
from tests.services.conftest import ACCOUNT, ContextOf

BUCKET = f"films-local-{ACCOUNT}"
TRAINED = Record(
    "training-job",
    "films-local-0123456789ab",
    "arn:aws:sagemaker:::training-job/films-local-0123456789ab",
    {"artifact": f"s3://{BUCKET}/models/films-local-0123456789ab/output/model.tar.gz"},
)
SHADOW = Record("training-job", f"{TRAINED.name[:-1]}c", f"{TRAINED.arn[:-1]}c", TRAINED.attributes)
Lint = Callable[..., list[Any]]
LARGEST = 51_200  # bytes of a template that is not first uploaded to S3


def trained(
    context_of: ContextOf, *, publish: str = "api", region: str = "eu-west-1", ttl: str = "", more: str = ""
) -> Context:
    settings = f'[project]\nname = "films"\n[site]\npublish = "{publish}"\n[deploy]\nttl = "{ttl}"\n{more}\n'
    context = context_of(settings)
    context.state.keep(TRAINED)
    environment = Environment("local", region, endpoint="http://127.0.0.1:9")
    environment.__dict__["account"] = ACCOUNT
    return replace(context, environment=environment)


@pytest.fixture(scope="module")
def lint() -> Lint:
    """cfn-lint, which takes seconds to import."""
    from cfnlint.api import lint

    return lint  # type: ignore[no-any-return]


def exported(context: Context) -> dict[str, Any]:
    return template(context, CHAIN)


@pytest.mark.parametrize(  # every pair of values
    ("publish", "region", "ttl"),
    [("api", "us-east-1", ""), ("s3", "us-east-1", "8h"), ("api", "eu-central-1", "8h"), ("s3", "eu-central-1", "")],
)
def test_cfn_lint_finds_nothing(lint: Lint, context_of: ContextOf, publish: str, region: str, ttl: str) -> None:
    text = json.dumps(exported(trained(context_of, publish=publish, region=region, ttl=ttl)), separators=(",", ":"))
    assert len(text.encode()) < LARGEST
    assert [str(finding) for finding in lint(text, regions=[region])] == []


def test_cfn_lint_finds_nothing_where_a_rollout_is_watched(lint: Lint, context_of: ContextOf) -> None:
    context = trained(context_of)
    context.config.change({"deploy.instance_count": 2, "deploy.rollback_on": ["errors", "latency", "undecided"]})
    context.config.change({"deploy.rollout": "canary"})
    document = exported(context)
    assert [str(finding) for finding in lint(json.dumps(document, indent=1), regions=["eu-west-1"])] == []
    endpoint = document["Resources"]["Endpoint"]
    assert {"ErrorsAlarm", "LatencyAlarm", "UndecidedAlarm", "AbortAlarm"} <= set(endpoint["DependsOn"])
    errors = document["Resources"]["ErrorsAlarm"]["Properties"]["Dimensions"]
    assert {"Name": "EndpointConfigName", "Value": {"Fn::GetAtt": ["EndpointConfig", "EndpointConfigName"]}} in errors


@pytest.mark.parametrize(
    ("more", "kinds"),
    [
        (
            'max_instances = 3\nscale_on = "concurrency"\nfallback_types = ["ml.m6i.large"]',
            {"ScalableTarget", "ScalingPolicy"},
        ),
        (
            'hours.up = "mon-fri 08:00"\nhours.down = "mon-fri 19:00"\nhours.timezone = "Europe/Berlin"',
            {"Opening", "Closing"},
        ),
    ],
)
def test_cfn_lint_finds_nothing_in_what_scales_and_in_what_has_hours(
    lint: Lint, context_of: ContextOf, more: str, kinds: set[str]
) -> None:
    document = exported(trained(context_of, more=more))
    assert kinds <= set(document["Resources"])
    assert [str(finding) for finding in lint(json.dumps(document), regions=["eu-west-1"])] == []


SCALED = (
    'instance_count = 2\nmax_instances = 3\nfallback_types = ["ml.m6i.large"]\nimage = "ray-serve"\n'
    'rollout = "canary"\nrollback_on = ["errors", "latency", "undecided"]'
)
BY_HOURS = (
    f'shadow = "{SHADOW.name}"\nhours.up = "mon-fri 08:00"\nhours.down = "mon-fri 19:00"\n'
    'hours.timezone = "Europe/Berlin"'
)


@pytest.mark.parametrize(("publish", "ttl", "more"), [("s3", "8h", SCALED), ("api", "", BY_HOURS)])
def test_with_everything_switched_on_it_needs_no_bucket_yet(
    lint: Lint, context_of: ContextOf, publish: str, ttl: str, more: str
) -> None:
    context = trained(context_of, publish=publish, ttl=ttl, more=more)
    context.state.keep(SHADOW)
    context.state.keep(TRAINED)
    document = exported(context)
    assert len(json.dumps(document, separators=(",", ":")).encode()) < LARGEST
    assert [str(finding) for finding in lint(json.dumps(document), regions=["eu-west-1"])] == []


def test_cfn_lint_finds_nothing_where_people_sign_in_and_each_may_ask_so_often(
    lint: Lint, context_of: ContextOf
) -> None:
    context = trained(context_of)
    context.config.change({"api.auth": "cognito", "api.caller_rate_limit": 100})
    document = exported(context)
    assert {"UserPool", "UserPoolDomain", "UserPoolClient", "Authorizer", "WebAcl"} <= document["Resources"].keys()
    assert document["Resources"]["PostMethod"]["Properties"]["AuthorizerId"] == {"Ref": "Authorizer"}
    assert "id-of-the-user-pool" not in json.dumps(document)
    [page] = document["Resources"]["UserPoolClient"]["Properties"]["CallbackURLs"]
    assert page == {"Fn::Sub": "https://${RestApi}.execute-api.eu-west-1.amazonaws.com/prod"}
    assert [str(finding) for finding in lint(json.dumps(document), regions=["eu-west-1"])] == []


def test_cfn_lint_does_find_what_is_wrong(lint: Lint, context_of: ContextOf) -> None:
    document = exported(trained(context_of))
    document["Resources"]["Function"]["Properties"]["Runtime"] = "python2.0"
    document["Resources"]["Model"]["Properties"]["ExecutionRoleArn"] = {"Fn::GetAtt": ["Nobody", "Arn"]}
    document["Resources"]["Endpoint"]["Properties"]["Colour"] = "red"  # not in CloudFormation's schema of the resource
    document["Resources"]["Unknown"] = {"Type": "AWS::SageMaker::Nothing"}
    found = {finding.rule.id for finding in lint(json.dumps(document), regions=["eu-west-1"])}
    assert found >= {"E1010", "E3002", "E3006", "E3030"}


def test_the_settings_decide_what_is_in_it(context_of: ContextOf) -> None:
    plain = exported(trained(context_of))["Resources"]
    full = exported(trained(context_of, publish="s3", ttl="8h"))["Resources"]
    assert set(full) - set(plain) == {
        "WebsiteBucket",
        "WebsiteBucketPolicy",
        "ScheduleRole",
        "Schedule",
        *(name for name in full if name.startswith("Deployment")),
    }
    assert "GetMethod" in set(plain) - set(full)


def test_a_function_that_holds_the_model_comes_from_the_bucket_and_needs_no_endpoint(
    lint: Lint, context_of: ContextOf
) -> None:
    context = context_of('[project]\nname = "films"\n[deploy]\nserving = "lambda"\n')
    context.state.keep(TRAINED)
    document = exported(context)
    assert not {"Model", "EndpointConfig", "Endpoint", "EndpointLogGroup"} & document["Resources"].keys()
    code = document["Resources"]["Function"]["Properties"]["Code"]
    assert code["S3Bucket"] == {"Ref": "Bucket"}
    assert code["S3Key"].startswith("functions/")
    assert "function-archive" in document["Metadata"]["sentictl"]["NotInThisTemplate"]
    assert [str(finding) for finding in lint(json.dumps(document), regions=["eu-west-1"])] == []


def test_it_says_what_is_not_in_it(context_of: ContextOf) -> None:
    outside = exported(trained(context_of))["Metadata"]["sentictl"]["NotInThisTemplate"]
    assert outside == ["bucket", "dataset", "page", "source-archive", "training-job"]


def test_nothing_in_it_is_bound_to_one_account_but_a_default(context_of: ContextOf) -> None:
    document = exported(trained(context_of, publish="s3", ttl="8h"))
    assert document["Parameters"].pop("Bucket")["Default"] == BUCKET
    assert ACCOUNT not in json.dumps(document)


def test_the_model_is_in_a_bucket_that_the_stack_does_not_own(context_of: ContextOf) -> None:
    resources = exported(trained(context_of))["Resources"]
    container = resources["Model"]["Properties"]["PrimaryContainer"]
    assert container["ModelDataUrl"] == {
        "Fn::Sub": "s3://${Bucket}/models/films-local-0123456789ab/output/model.tar.gz"
    }
    assert not [entry for entry in resources.values() if entry["Type"] == "AWS::S3::Bucket"]


def test_it_can_be_made_in_the_region_of_its_image_alone(context_of: ContextOf) -> None:
    (assertion,) = exported(trained(context_of, region="eu-central-1"))["Rules"]["Region"]["Assertions"]
    assert assertion["Assert"] == {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-central-1"]}


def test_the_end_of_the_endpoint_can_be_chosen_anew(context_of: ContextOf) -> None:
    document = exported(trained(context_of, ttl="8h"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", document["Parameters"]["EndpointEnds"]["Default"])
    schedule = document["Resources"]["Schedule"]["Properties"]
    assert schedule["ScheduleExpression"] == {"Fn::Sub": "at(${EndpointEnds})"}


def test_the_function_is_the_handler_under_the_name_that_inline_code_gets(context_of: ContextOf) -> None:
    function = exported(trained(context_of))["Resources"]["Function"]["Properties"]
    file, _, name = function["Handler"].partition(".")
    assert file == "index"
    defined = [node.name for node in ast.parse(function["Code"]["ZipFile"]).body if isinstance(node, ast.FunctionDef)]
    assert name in defined


def test_a_function_of_several_files_is_refused(context_of: ContextOf) -> None:
    context = trained(context_of)
    (context.config.folder.root / "templates" / "lambda").mkdir(parents=True)
    (context.config.folder.root / "templates" / "lambda" / "more.py").touch()
    with pytest.raises(SettingsError, match="several files"):
        exported(context)


def test_another_deployment_is_another_resource(context_of: ContextOf) -> None:
    """CloudFormation never deploys again what it has deployed under the same logical id."""
    deployments = {
        name
        for publish in ("api", "s3")
        for name in exported(trained(context_of, publish=publish))["Resources"]
        if name.startswith("Deployment")
    }
    assert len(deployments) == 2


def test_exporting_changes_nothing_in_the_state(context_of: ContextOf) -> None:
    context = trained(context_of)
    exported(context)
    assert list(context.state) == [TRAINED]


def test_without_a_trained_model_it_says_what_to_do(context_of: ContextOf) -> None:
    with pytest.raises(MissingStepError, match="training-job") as refusal:
        exported(context_of('[project]\nname = "films"\n'))
    assert "sentictl train" in refusal.value.hint


# Another value than the default of each setting that has an effect with some servings alone.
OTHER = {
    "deploy.instance_type": "ml.m5.xlarge",
    "deploy.instance_count": 2,
    "deploy.hours.timezone": "Europe/Berlin",
    "deploy.min_instances": 1,
    "deploy.scale_on": "concurrency",
    "deploy.scale_target": 7,
    "deploy.rollout_percent": 30,
    "deploy.rollout_minutes": 5,
    "deploy.image": "ray-serve",
    "deploy.memory_mb": 3072,
    "deploy.max_concurrency": 7,
    "deploy.provisioned_concurrency": 1,
    "lambda.memory_mb": 512,
}


@pytest.mark.parametrize("serving", ["instance", "serverless", "lambda"])
def test_what_is_told_to_have_no_effect_changes_nothing(context_of: ContextOf, serving: str) -> None:
    assert OTHER.keys() == COUNTS_WITH.keys()
    changing = set()
    before = exported(trained(context_of, more=f'serving = "{serving}"'))
    for key, value in OTHER.items():
        context = trained(context_of, more=f'serving = "{serving}"')
        context.config.change({key: value})
        if exported(context)["Resources"] != before["Resources"]:
            changing.add(key)
    counting = {key for key in OTHER if serving in COUNTS_WITH[key]}
    only_with_others = {"deploy.min_instances", "deploy.scale_on", "deploy.scale_target", "deploy.hours.timezone"}
    only_with_others |= {"deploy.rollout_percent", "deploy.rollout_minutes"}  # with a rollout
    assert changing == counting - only_with_others
