"""What we ask of AWS in a whole `up`, in an `up` after changes, for more and fewer machines, for hours, to serve from
another image, for a rollout, to tune, for a batch, to train again and again, for a shadow, to let in only who has a key
or signs in, for alerts, and in a `down`.

Every request is one that AWS's own models allow, and one of those recorded in the `.txt` files beside this one. After a
change that is meant, rewrite these and read the difference: `SENTICTL_GOLDEN=write pytest tests/golden`.
The template that `export` writes asks for the same.
"""

import difflib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from sentictl.cli.app import app
from sentictl.twin import daemon
from sentictl.twin.core.clock import SPEED_VARIABLE
from tests.chain.shell import begin
from tests.golden.requests import Request, complaints, complaints_of_answer, record
from tests.golden.template import resolved
from tests.golden.writer import ACCOUNT, Writer

FOLDER = Path(__file__).parent
REWRITE = "SENTICTL_GOLDEN=write pytest tests/golden"
WRITING = os.environ.get("SENTICTL_GOLDEN") == "write"
STORIES = (
    *("up", "update", "scaling", "hours", "ray-serve", "rollout", "tuning", "batch"),
    *("retraining", "shadow"),
    *("keys", "sign-in", "alerts", "down"),
)
CHANGES = """
[deploy]
instance_count = 2
ttl = "8h"

[lambda]
memory_mb = 512

[logs]
days = 7

[api]
throttle_rate = 5

[site]
publish = "s3"
"""
SCALING = {"deploy.max_instances": "3", "deploy.fallback_types": "ml.m6i.large"}
ON_S3 = {"data.source": "s3://raw-reviews/2026/", "data.on": "aws"}
HERE = {"data.source": "reviews.csv", "data.on": "here"}
HOURS = {
    "deploy.ttl": "off",
    "deploy.max_instances": "0",
    "deploy.hours.up": "mon-fri 08:00",
    "deploy.hours.down": "mon-fri 19:00",
    "deploy.hours.timezone": "Europe/Berlin",
}
AS_BEFORE = {"deploy.hours.up": "", "deploy.hours.down": "", "deploy.ttl": "8h", "deploy.fallback_types": ""}
ROLLOUT = {
    "deploy.instance_type": "ml.m5.xlarge",
    "deploy.rollout": "canary",
    "deploy.rollout_minutes": "0",
    "deploy.rollback_on": "errors,latency,undecided,probability",
}
TUNING = {
    "train.tune.ngrams": "[2000, 3000]",
    "train.tune.strategy": "grid",
    "train.tune.max_trials": "2",
    "train.tune.parallel_trials": "1",
}
AT_ONCE = {"deploy.rollback_on": "", "deploy.rollout": "all-at-once"}
KEYS = {"api.auth": "key", "api.cors_origins": "https://a.example,https://b.example"}
SIGN_IN = {"api.auth": "cognito", "api.cors_origins": "*", "api.caller_rate_limit": "300", "site.publish": "api"}
ALERTS = {"alerts.email": "ops@example.org", "alerts.monthly_budget": "50"}
OTHER_ALERTS = {
    "alerts.email": "me@example.org",
    "alerts.error_percent": "1",
    "alerts.idle_days": "0",
    "alerts.monthly_budget": "20",
}
Properties = list[dict[str, Any]]


@dataclass
class Stories:
    """What was asked in each story, and what was exported after it: properties by CloudFormation's types."""

    requests: dict[str, list[Request]] = field(default_factory=dict)
    exported: dict[str, dict[str, Properties]] = field(default_factory=dict)

    def asked(self, story: str, operation: str) -> Properties:
        """The parameters of all requests for an operation."""
        return [dict(request.parameters) for request in self.requests[story] if request.operation == operation]


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stories]:
    """The stories, told one after the other in one project. After the hours and the other image, all is as before."""
    folder = begin(tmp_path_factory.mktemp("golden") / "toy").folder
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "SENTICTL_"))]:
            monkeypatch.delenv(name)
        monkeypatch.chdir(folder)
        monkeypatch.setenv(SPEED_VARIABLE, "600")  # the old machines stay a minute
        unrecorded = boto3.Session
        requests = record(monkeypatch)
        told = Stories()
        try:
            _bring_up(told, "up", requests)
            _change(folder, unrecorded)
            _bring_up(told, "update", requests)
            _deploy(told, "scaling", requests, SCALING)
            _deploy(told, "hours", requests, HOURS)
            _set(AS_BEFORE)
            _sentictl("deploy")
            requests.clear()
            _sentictl("deploy", "--image", "ray-serve")
            _keep(told, "ray-serve", requests)
            _sentictl("deploy", "--image", "pytorch")
            requests.clear()
            _set(ROLLOUT)
            _bring_up(told, "rollout", requests)
            _set(TUNING)
            _sentictl("train", "--tune")
            _keep(told, "tuning", requests)
            _put_reviews(folder, unrecorded)
            _sentictl("predict", "--via", "batch", "--file", "reviews.csv", "--output", "answers.csv")
            for when in ("day 03:00", "off"):
                _sentictl("predict", "--every", when, "--file", "s3://others/in", "--output", "s3://others/out")
            _keep(told, "batch", requests)
            _set(AT_ONCE)
            _set(ON_S3)
            for when in ("sunday 02:00", "off"):
                _sentictl("train", "--every", when)
            _set(HERE)
            _keep(told, "retraining", requests)
            _sentictl("deploy", "--model", "1", "--shadow", "2")
            _keep(told, "shadow", requests)
            _set(KEYS)
            requests.clear()
            for command in (("keys", "create", "alice"), ("wire-lambda",), ("wire-api",)):
                _sentictl(*command)
            _keep(told, "keys", requests)
            _set(SIGN_IN)
            requests.clear()
            _sentictl("wire-api")
            for asked in (("add", "ada@example.com"), ("list",), ("remove", "ada@example.com")):
                _sentictl("users", *asked)
            _set({"api.caller_rate_limit": "400"})
            _sentictl("wire-api")
            _keep(told, "sign-in", requests)
            _set(ALERTS)
            _sentictl("alerts")
            _keep(told, "alerts", requests)
            _set(OTHER_ALERTS)
            _sentictl("alerts")
            told.requests["alerts"] += requests
            requests.clear()
        finally:
            _sentictl("down", "--yes")
        told.requests["down"] = list(requests)
        yield told


@pytest.mark.parametrize("story", STORIES)
def test_every_request_is_one_that_the_service_model_allows(stories: Stories, story: str) -> None:
    assert stories.requests[story]
    refused = {f"{request.service} {request.operation}": complaints(request) for request in stories.requests[story]}
    assert {request: why for request, why in refused.items() if why} == {}


# What moto answers and the models do not allow: empty maps and texts, or nothing, for what is not set. And where the
# models are narrower than what is: Cognito's attribute phone_number_verified has 21 letters, and a domain has dots.
NOT_AS_MODELLED = (
    'Missing required parameter in DataCaptureConfig: "',
    'Missing required parameter in VpcConfig: "',
    'Missing required parameter in ScalableTargets[0]: "RoleARN"',
    "Description, value: 0, valid min length: 1",
    "SchemaAttributes[17].Name is 21, more than 20",
    "CreateUserPoolDomain.CloudFrontDomain is ",
)


@pytest.mark.parametrize("story", STORIES)
def test_every_answer_is_one_that_the_service_model_allows(stories: Stories, story: str) -> None:
    answered = [request for request in stories.requests[story] if request.answer]
    assert len(answered) > len(stories.requests[story]) / 2
    wrong = {line for request in answered for why in complaints_of_answer(request) for line in why.splitlines()}
    assert {line for line in wrong if not any(known in line for known in NOT_AS_MODELLED)} == set()


def test_the_requests_are_the_recorded_ones(stories: Stories) -> None:
    writer = Writer()
    found = {story: writer.write(stories.requests[story]) for story in STORIES}
    if WRITING:
        for story, text in found.items():
            _file(story).write_text(text, encoding="utf-8")
    differences = "".join(_difference(story, text) for story, text in found.items())
    assert not differences, f"\n{differences}\nIf that is meant: {REWRITE}"


def test_the_exported_roles_are_the_requested_ones(stories: Stories) -> None:
    policies = {
        asked["RoleName"]: [{"PolicyName": asked["PolicyName"], "PolicyDocument": json.loads(asked["PolicyDocument"])}]
        for story in ("up", "update")
        for asked in stories.asked(story, "PutRolePolicy")
    }
    roles = [
        {
            "RoleName": asked["RoleName"],
            "AssumeRolePolicyDocument": json.loads(asked["AssumeRolePolicyDocument"]),
            "Policies": policies[asked["RoleName"]],
            "Tags": asked["Tags"],
        }
        for story in ("up", "update")
        for asked in stories.asked(story, "CreateRole")
    ]
    assert _by("RoleName", stories.exported["update"]["AWS::IAM::Role"]) == _by("RoleName", roles)


@pytest.mark.parametrize("what", ["Model", "EndpointConfig", "Endpoint"])
def test_the_exported_endpoint_is_the_requested_one(stories: Stories, what: str) -> None:
    assert stories.exported["up"][f"AWS::SageMaker::{what}"] == stories.asked("up", f"Create{what}")


def test_the_exported_leave_to_pull_another_image_is_the_requested_one(stories: Stories) -> None:
    (exported,) = stories.exported["ray-serve"]["AWS::IAM::Policy"]
    (asked,) = stories.asked("ray-serve", "PutRolePolicy")
    assert exported["Roles"] == [asked["RoleName"]]
    assert (exported["PolicyName"], exported["PolicyDocument"]) == (
        asked["PolicyName"],
        json.loads(asked["PolicyDocument"]),
    )
    assert stories.exported["ray-serve"]["AWS::SageMaker::Model"] == stories.asked("ray-serve", "CreateModel")
    assert "AWS::IAM::Policy" not in stories.exported["up"]


def test_the_exported_endpoint_config_follows_the_settings(stories: Stories) -> None:
    changed = stories.asked("update", "CreateEndpointConfig")
    assert stories.exported["update"]["AWS::SageMaker::EndpointConfig"] == changed
    assert changed != stories.asked("up", "CreateEndpointConfig")


def test_the_exported_rollout_is_the_requested_one(stories: Stories) -> None:
    (asked,) = stories.asked("rollout", "UpdateEndpoint")
    (exported,) = stories.exported["rollout"]["AWS::SageMaker::Endpoint"]
    assert exported["DeploymentConfig"] == asked["DeploymentConfig"]
    alarms = _by("AlarmName", stories.exported["rollout"]["AWS::CloudWatch::Alarm"])
    asked_alarms = _by("AlarmName", stories.asked("rollout", "PutMetricAlarm"))
    assert alarms.keys() == asked_alarms.keys()
    measured_anew = {"toy-local-rollback-probability"}
    assert {alarms[name] == asked_alarms[name] for name in alarms.keys() - measured_anew} == {True}


def test_the_exported_shadow_is_the_requested_one(stories: Stories) -> None:
    exported = stories.exported["shadow"]
    assert exported["AWS::SageMaker::EndpointConfig"] == stories.asked("shadow", "CreateEndpointConfig")
    (asked,) = stories.asked("shadow", "CreateModel")
    assert asked in exported["AWS::SageMaker::Model"]
    (leave,) = exported["AWS::IAM::Policy"]
    (put,) = stories.asked("shadow", "PutRolePolicy")
    assert (leave["PolicyName"], leave["PolicyDocument"]) == (put["PolicyName"], json.loads(put["PolicyDocument"]))


def test_the_exported_alerts_are_the_requested_ones(stories: Stories) -> None:
    exported = stories.exported["alerts"]
    alarms, asked = _by("AlarmName", exported["AWS::CloudWatch::Alarm"]), stories.asked("alerts", "PutMetricAlarm")
    first = {alarm["AlarmName"]: alarm for alarm in reversed(asked)}  # before they were changed
    assert len(first) == 5
    assert {name: alarms[name] for name in first} == first
    budget, dashboard, rule, targets = (
        stories.asked("alerts", operation)[0] for operation in ("CreateBudget", "PutDashboard", "PutRule", "PutTargets")
    )
    assert exported["AWS::Budgets::Budget"] == [{key: budget[key] for key in budget.keys() - {"AccountId"}}]
    assert exported["AWS::CloudWatch::Dashboard"] == [{key: dashboard[key] for key in dashboard.keys() - {"Tags"}}]
    (exported_rule,) = exported["AWS::Events::Rule"]
    assert (exported_rule["Name"], exported_rule["EventPattern"]) == (rule["Name"], json.loads(rule["EventPattern"]))
    assert exported_rule["Targets"] == targets["Targets"]
    (topic,), (policy,) = exported["AWS::SNS::Topic"], exported["AWS::SNS::TopicPolicy"]
    (subscription,) = topic["Subscription"]
    put, subscribed = (stories.asked("alerts", operation)[0] for operation in ("SetTopicAttributes", "Subscribe"))
    assert (subscription["Protocol"], subscription["Endpoint"]) == (subscribed["Protocol"], subscribed["Endpoint"])
    assert policy["PolicyDocument"] == json.loads(put["AttributeValue"])


def test_the_exported_schedule_is_the_requested_one(stories: Stories) -> None:
    (exported,) = stories.exported["update"]["AWS::Scheduler::Schedule"]
    (asked,) = stories.asked("update", "CreateSchedule")
    counted_from_now = {"ScheduleExpression"}
    unknown_to_cloudformation = {"ActionAfterCompletion"}
    assert asked.keys() - exported.keys() == unknown_to_cloudformation
    assert {key: asked[key] for key in exported.keys() - counted_from_now} == {
        key: exported[key] for key in exported.keys() - counted_from_now
    }


def test_the_exported_schedules_of_the_hours_are_the_requested_ones(stories: Stories) -> None:
    assert _by("Name", stories.exported["hours"]["AWS::Scheduler::Schedule"]) == _by(
        "Name", stories.asked("hours", "CreateSchedule")
    )


def test_the_exported_scaling_is_the_requested_one(stories: Stories) -> None:
    (target,) = stories.exported["scaling"]["AWS::ApplicationAutoScaling::ScalableTarget"]
    (asked,) = stories.asked("scaling", "RegisterScalableTarget")
    assert target == {key: asked[key] for key in asked.keys() - {"Tags"}}  # of tags CloudFormation knows nothing here
    (policy,) = stories.exported["scaling"]["AWS::ApplicationAutoScaling::ScalingPolicy"]
    (put,) = stories.asked("scaling", "PutScalingPolicy")
    same = ("PolicyName", "PolicyType", "TargetTrackingScalingPolicyConfiguration")
    assert {key: policy[key] for key in same} == {key: put[key] for key in same}
    assert policy["ScalingTargetId"] == "ScalableTarget"


@pytest.mark.parametrize("story", ["up", "update"])
def test_the_exported_log_groups_are_the_requested_ones(stories: Stories, story: str) -> None:
    asked = {entry["logGroupName"]: entry["retentionInDays"] for entry in stories.asked(story, "PutRetentionPolicy")}
    exported = stories.exported[story]["AWS::Logs::LogGroup"]
    assert {entry["LogGroupName"]: entry["RetentionInDays"] for entry in exported} == asked


def test_the_exported_function_is_the_requested_one(stories: Stories) -> None:
    (exported,) = stories.exported["up"]["AWS::Lambda::Function"]
    (asked,) = stories.asked("up", "CreateFunction")
    packed_otherwise = {"Code", "Handler"}
    assert exported.keys() == asked.keys()
    assert _tags(exported) == asked["Tags"]
    for key in exported.keys() - packed_otherwise - {"Tags"}:
        assert exported[key] == asked[key]


def test_the_exported_function_follows_the_settings(stories: Stories) -> None:
    (exported,) = stories.exported["update"]["AWS::Lambda::Function"]
    (asked,) = stories.asked("update", "UpdateFunctionConfiguration")
    assert {key: exported[key] for key in asked.keys() - {"Handler"}} == {
        key: asked[key] for key in asked.keys() - {"Handler"}
    }


def test_the_exported_permission_is_the_requested_one(stories: Stories) -> None:
    (exported,) = stories.exported["up"]["AWS::Lambda::Permission"]
    (asked,) = stories.asked("up", "AddPermission")
    assert exported.pop("FunctionName").endswith(f":function:{asked['FunctionName']}")
    assert exported == {key: asked[key] for key in ("Action", "Principal", "SourceArn")}


def test_the_exported_methods_are_the_requested_ones(stories: Stories) -> None:
    exported = {method["HttpMethod"]: method for method in stories.exported["up"]["AWS::ApiGateway::Method"]}
    asked = {entry["httpMethod"]: entry for entry in stories.asked("up", "PutIntegration")}
    assert exported.keys() == asked.keys() == {"POST", "OPTIONS", "GET"}
    for verb, method in exported.items():
        integration = dict(method["Integration"])
        responses = integration.pop("IntegrationResponses")
        assert integration == _capitalized(asked[verb])
        assert responses == _responses(stories, "PutIntegrationResponse", verb)
        assert method["MethodResponses"] == _responses(stories, "PutMethodResponse", verb)


def test_the_exported_api_is_the_requested_one(stories: Stories) -> None:
    (exported,) = stories.exported["up"]["AWS::ApiGateway::RestApi"]
    (asked,) = stories.asked("up", "CreateRestApi")
    assert exported["EndpointConfiguration"]["Types"] == asked["endpointConfiguration"]["types"]
    assert (exported["Name"], exported["BinaryMediaTypes"]) == (asked["name"], asked["binaryMediaTypes"])
    assert _tags(exported) == asked["tags"]
    responses = [_capitalized(entry) for entry in stories.asked("up", "PutGatewayResponse")]
    exported_responses = [
        {key: value for key, value in response.items() if key != "RestApiId"}
        for response in stories.exported["up"]["AWS::ApiGateway::GatewayResponse"]
    ]
    assert exported_responses == responses


@pytest.mark.parametrize("story", ["up", "update"])
def test_the_exported_stage_is_the_requested_one(stories: Stories, story: str) -> None:
    (exported,) = stories.exported[story]["AWS::ApiGateway::Stage"]
    (asked,) = stories.asked(story, "UpdateStage")
    given = {entry["path"]: entry["value"] for entry in asked["patchOperations"]}
    limits = {path.rpartition("/")[2]: float(value) for path, value in given.items() if "/throttling/" in path}
    assert exported["AccessLogSetting"] == {
        "DestinationArn": given["/accessLogSettings/destinationArn"],
        "Format": given["/accessLogSettings/format"],
    }
    assert exported["StageName"] == asked["stageName"]
    assert exported["MethodSettings"] == [
        {
            "HttpMethod": "*",
            "ResourcePath": "/*",
            "ThrottlingRateLimit": limits["rateLimit"],
            "ThrottlingBurstLimit": limits["burstLimit"],
        }
    ]
    (deployment,) = stories.exported[story]["AWS::ApiGateway::Deployment"]
    assert deployment["Description"] == stories.asked(story, "CreateDeployment")[0]["description"]


def test_the_exported_usage_plan_is_the_requested_one(stories: Stories) -> None:
    (exported,) = stories.exported["keys"]["AWS::ApiGateway::UsagePlan"]
    (asked,) = stories.asked("keys", "CreateUsagePlan")
    (stage,) = asked["apiStages"]
    assert exported["UsagePlanName"] == asked["name"]
    assert _tags(exported) == asked["tags"]
    assert [each["Stage"] for each in exported["ApiStages"]] == [stage["stage"]]
    assert (exported["Throttle"], exported["Quota"]) == (_capitalized(asked["throttle"]), _capitalized(asked["quota"]))
    (post,) = [each for each in stories.exported["keys"]["AWS::ApiGateway::Method"] if each["HttpMethod"] == "POST"]
    assert (post["AuthorizationType"], post["ApiKeyRequired"]) == ("NONE", True)


def test_the_exported_user_pool_client_and_web_acl_are_the_requested_ones(stories: Stories) -> None:
    exported = stories.exported["sign-in"]
    (pool,), (asked,) = exported["AWS::Cognito::UserPool"], stories.asked("sign-in", "CreateUserPool")
    assert pool == {"UserPoolName": asked.pop("PoolName"), **asked}
    (client,), (told,) = exported["AWS::Cognito::UserPoolClient"], stories.asked("sign-in", "CreateUserPoolClient")
    pages = ("CallbackURLs", "LogoutURLs", "UserPoolId")
    assert {name: client[name] for name in client if name not in pages} == {
        name: told[name] for name in told if name not in pages
    }
    (acl,), (wanted,) = exported["AWS::WAFv2::WebACL"], stories.asked("sign-in", "CreateWebACL")
    (rate,) = (rule["Statement"]["RateBasedStatement"] for rule in acl["Rules"])
    (limit,) = (rule["Statement"]["RateBasedStatement"] for rule in wanted["Rules"])
    assert (acl["Name"], rate["Limit"], rate["AggregateKeyType"]) == (wanted["Name"], 400, limit["AggregateKeyType"])
    (post,) = [each for each in exported["AWS::ApiGateway::Method"] if each["HttpMethod"] == "POST"]
    assert (post["AuthorizationType"], post["AuthorizationScopes"]) == ("COGNITO_USER_POOLS", ["openid"])
    assert len(exported["AWS::WAFv2::WebACLAssociation"]) == len(exported["AWS::ApiGateway::Authorizer"]) == 1


def test_the_exported_role_for_logs_becomes_the_accounts(stories: Stories) -> None:
    (exported,) = stories.exported["up"]["AWS::ApiGateway::Account"]
    (asked,) = stories.asked("up", "UpdateAccount")
    (given,) = [entry["value"] for entry in asked["patchOperations"]]
    assert exported["CloudWatchRoleArn"] == given
    (taken,) = stories.asked("down", "UpdateAccount")
    assert [entry["value"] for entry in taken["patchOperations"]] == [""]


def test_the_exported_website_is_the_requested_one(stories: Stories) -> None:
    (bucket,) = stories.exported["update"]["AWS::S3::Bucket"]
    (policy,) = stories.exported["update"]["AWS::S3::BucketPolicy"]
    (asked,) = stories.asked("update", "CreateBucket")
    (website,) = stories.asked("update", "PutBucketWebsite")
    assert bucket["BucketName"] == asked["Bucket"]
    assert bucket["Tags"] == asked["CreateBucketConfiguration"]["Tags"]
    index = website["WebsiteConfiguration"]["IndexDocument"]["Suffix"]
    assert bucket["WebsiteConfiguration"] == {"IndexDocument": index}
    assert policy["PolicyDocument"] == json.loads(stories.asked("update", "PutBucketPolicy")[0]["Policy"])


def _sentictl(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def _bring_up(told: Stories, story: str, requests: list[Request]) -> None:
    _sentictl("up")
    told.requests[story] = list(requests)
    _keep(told, story, requests)


def _deploy(told: Stories, story: str, requests: list[Request], settings: Mapping[str, str]) -> None:
    _set(settings)
    _sentictl("deploy")
    _keep(told, story, requests)


def _set(settings: Mapping[str, str]) -> None:
    for key, value in settings.items():
        _sentictl("config", "set", key, value)


def _keep(told: Stories, story: str, requests: list[Request]) -> None:
    told.requests[story] = list(requests)
    api_id = next((entry["restApiId"] for entry in told.asked("up", "GetResources")), "")
    told.exported[story] = _exported(api_id)
    requests.clear()


def _exported(api_id: str = "") -> dict[str, Properties]:
    answer = json.loads(_sentictl("export", "--cloudformation", "--output", "stack.json", "--json"))
    return resolved(json.loads(Path(answer["file"]).read_text(encoding="utf-8")), api_id)


def _put_reviews(folder: Path, session: Any) -> None:
    """Put the reviews where a schedule can have them prepared, and make the bucket of those that are answered."""
    access = daemon.access(folder / ".sentictl" / "local")
    s3 = session(access.key, "local", region_name="us-east-1").client("s3", endpoint_url=access.url)
    for bucket in ("raw-reviews", "others"):
        s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket="raw-reviews", Key="2026/a.csv", Body=(folder / "reviews.csv").read_bytes())


def _change(folder: Path, session: Any) -> None:
    """Change settings that change resources in place, and by hand what no setting changes."""
    settings = folder / "sentictl.toml"
    settings.write_text(settings.read_text() + CHANGES)
    access = daemon.access(folder / ".sentictl" / "local")
    clients = session(access.key, "local", region_name="us-east-1")
    iam, s3 = (clients.client(service, endpoint_url=access.url) for service in ("iam", "s3"))
    iam.delete_role_policy(RoleName="toy-local-sagemaker", PolicyName="sentictl")
    s3.delete_public_access_block(Bucket=f"toy-local-{ACCOUNT}")


def _file(story: str) -> Path:
    return FOLDER / f"{story}.txt"


def _difference(story: str, text: str) -> str:
    path = _file(story)
    recorded = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = recorded.splitlines(keepends=True), text.splitlines(keepends=True)
    return "".join(difflib.unified_diff(*lines, f"recorded {path.name}", "asked now", n=8))


def _by(name: str, entries: Properties) -> dict[str, dict[str, Any]]:
    return {entry[name]: entry for entry in entries}


def _tags(properties: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in properties["Tags"]}


def _responses(stories: Stories, operation: str, verb: str) -> Properties:
    return [_capitalized(entry) for entry in stories.asked("up", operation) if entry["httpMethod"] == verb]


def _capitalized(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A request's parameters as CloudFormation spells them, without those that say where it goes."""
    place = {"restApiId", "resourceId", "httpMethod"}
    return {f"{key[0].upper()}{key[1:]}": value for key, value in parameters.items() if key not in place}
