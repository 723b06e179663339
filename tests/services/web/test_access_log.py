"""The API's access log: the account's role for it, and whose that is."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sentictl.config.state import Record
from sentictl.errors import ForeignError
from sentictl.lifecycle import reconcile
from sentictl.lifecycle.resource import Context
from sentictl.services.iam.permissions import policy
from sentictl.services.resources.logs import ApiLogGroup
from sentictl.services.web.access_log import FORMAT, SHARED_TAG, LogAccess, access_note
from sentictl.services.web.rest_api import RestApi
from tests.services.conftest import ContextOf

FILMS = '[project]\nname = "films"\nid = "0123456789ab"\n'
ROLE = "sentictl-api-logs-eu-west-1"
OURS = f"arn:aws:iam::123456789012:role/{ROLE}"
ANOTHER = "arn:aws:iam::123456789012:role/the-accounts-own"


class Silent:
    """Nobody who is told."""

    def started(self, step: Any) -> None: ...

    def finished(self, step: Any, summary: str) -> None: ...


@pytest.fixture
def context(moto_context_of: ContextOf) -> Context:
    return moto_context_of(FILMS)


def client(service: str) -> Any:
    return boto3.client(service, region_name="eu-west-1")


def given() -> str:
    return client("apigateway").get_account().get("cloudwatchRoleArn") or ""


def give(role: str) -> None:
    operation = {"op": "replace", "path": "/cloudwatchRoleArn", "value": role}
    client("apigateway").update_account(patchOperations=[operation])


def up(context: Context) -> list[str]:
    kinds = [ApiLogGroup(context), LogAccess(context)]
    return [f"{step.action} {step.kind}" for step in reconcile.apply(kinds, context, Silent())]


def down(context: Context) -> tuple[list[str], list[str]]:
    deleted, left = reconcile.destroy([ApiLogGroup(context), LogAccess(context)], context, Silent())
    return [record.kind for record in deleted], [record.kind for record in left]


def roles() -> list[str]:
    return [role["RoleName"] for role in client("iam").list_roles()["Roles"]]


def api_of_another(**stage: Any) -> str:
    """A REST API of somebody else's; its stage is changed by patch operations, path by path."""
    apis = client("apigateway")
    api = apis.create_rest_api(name="theirs")
    place = {"restApiId": api["id"], "resourceId": apis.get_resources(restApiId=api["id"])["items"][0]["id"]}
    apis.put_method(**place, httpMethod="GET", authorizationType="NONE")
    apis.put_integration(**place, httpMethod="GET", type="MOCK")
    apis.create_deployment(restApiId=api["id"], stageName="live")
    operations = [{"op": "replace", "path": path, "value": value} for path, value in stage.items()]
    apis.update_stage(restApiId=api["id"], stageName="live", patchOperations=operations)
    return str(api["id"])


def test_where_the_account_has_no_role_one_is_made_for_all_and_taken_away_again(context: Context) -> None:
    assert ROLE in access_note(context)
    assert up(context) == ["create api-log-group", "create api-log-access"]
    assert given() == OURS
    role = client("iam").get_role(RoleName=ROLE)["Role"]
    assert {tag["Key"]: tag["Value"] for tag in role["Tags"]} == SHARED_TAG  # and no project's
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "apigateway.amazonaws.com"}
    assert access_note(context) == ""
    assert up(context) == ["keep api-log-group", "keep api-log-access"]
    assert down(context) == (["api-log-access", "api-log-group"], [])
    assert (given(), roles()) == ("", [])


def test_how_to_do_without_a_role_is_told_for_the_environment(context: Context) -> None:
    assert access_note(context).endswith("sentictl config set api.access_log false")
    context.environment.name = "prod"
    assert access_note(context).endswith("sentictl config set api.access_log false --env prod")


def test_a_role_that_the_account_has_is_used_and_never_touched(context: Context) -> None:
    give(ANOTHER)
    assert "the-accounts-own" in access_note(context)
    assert up(context) == ["create api-log-group", "keep api-log-access"]
    assert (given(), roles()) == (ANOTHER, [])
    planned = reconcile.plan_destruction([ApiLogGroup(context), LogAccess(context)], context)
    assert [step.kind for step in planned] == ["api-log-group"]
    assert down(context) == (["api-log-group"], [])
    assert given() == ANOTHER
    assert len(context.state) == 0


@pytest.mark.parametrize(
    "stage",
    [
        {"/accessLogSettings/destinationArn": "arn:x", "/accessLogSettings/format": "$context.requestId"},
        {"/*/*/logging/loglevel": "ERROR"},
    ],
)
def test_our_role_stays_as_long_as_another_api_writes_logs_in_it(context: Context, stage: dict[str, str]) -> None:
    up(context)
    theirs = api_of_another(**stage)
    assert down(context) == (["api-log-group"], [])
    assert (given(), roles()) == (OURS, [ROLE])
    assert len(context.state) == 0
    up(context)  # takes it on again
    client("apigateway").delete_rest_api(restApiId=theirs)
    assert down(context) == (["api-log-access", "api-log-group"], [])
    assert (given(), roles()) == ("", [])


def test_an_api_that_begins_to_write_logs_while_our_role_goes_keeps_it(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    up(context)
    apis = context.environment.client("apigateway")
    change = apis.update_account

    def change_late(**asked: Any) -> None:
        monkeypatch.setattr(apis, "update_account", change)
        api_of_another(**{"/accessLogSettings/destinationArn": "arn:x", "/accessLogSettings/format": "any"})
        change(**asked)

    monkeypatch.setattr(apis, "update_account", change_late)
    assert down(context)[1] == []
    assert (given(), roles()) == (OURS, [ROLE])


def test_a_role_that_another_project_takes_away_between_two_looks_is_nobody_elses(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    up(context)
    apis = context.environment.client("apigateway")
    look, looks = apis.get_account, iter([True])

    def look_and_lose() -> Any:
        """Its first answer is true no more when it comes."""
        found = look()
        if next(looks, False):
            give("")
        return found

    monkeypatch.setattr(apis, "get_account", look_and_lose)
    assert up(context) == ["keep api-log-group", "keep api-log-access"]
    assert up(context) == ["keep api-log-group", "create api-log-access"]
    assert given() == OURS


def test_a_stage_whose_role_another_project_just_took_away_gets_it_again(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    up(context)
    apis = context.environment.client("apigateway")
    change, refused = apis.update_stage, []

    def refuse_without_role(**asked: Any) -> Any:
        """As the twin and AWS do; moto alone takes it."""
        if not given():
            refused.append(asked)
            message = "CloudWatch Logs role ARN must be set in account settings to enable logging"
            raise ClientError({"Error": {"Code": "BadRequestException", "Message": message}}, "UpdateStage")
        return change(**asked)

    monkeypatch.setattr(apis, "update_stage", refuse_without_role)
    give("")
    RestApi(context).create()
    assert (len(refused), given()) == (1, OURS)


def test_an_api_without_logs_does_not_hold_our_role(context: Context) -> None:
    up(context)
    api_of_another(**{"/description": "quiet"})
    assert down(context)[0] == ["api-log-access", "api-log-group"]
    assert given() == ""


def test_it_goes_on_after_a_kill_between_role_and_account(context: Context) -> None:
    up(context)
    give("")
    context.state.forget(context.recorded(LogAccess))
    assert up(context)[1] == "create api-log-access"
    assert given() == OURS
    give("")
    assert down(context) == (["api-log-access", "api-log-group"], [])
    assert roles() == []


def test_a_role_that_was_deleted_or_changed_by_hand_is_mended(context: Context) -> None:
    up(context)
    less = {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [less]})
    client("iam").put_role_policy(RoleName=ROLE, PolicyName="sentictl", PolicyDocument=document)
    assert up(context)[1] == "update api-log-access"
    client("iam").delete_role_policy(RoleName=ROLE, PolicyName="sentictl")
    client("iam").delete_role(RoleName=ROLE)
    assert up(context)[1] == "create api-log-access"
    assert roles() == [ROLE]


def test_a_role_of_that_name_that_is_somebody_elses_is_refused(context: Context) -> None:
    client("iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument="{}")
    with pytest.raises(ForeignError, match="sentictl did not make it"):
        up(context)
    assert given() == ""


def test_without_state_it_is_found_where_the_project_has_an_access_log(context: Context) -> None:
    up(context)
    for record in list(context.state):
        context.state.forget(record)
    assert [record.kind for record in reconcile.import_([ApiLogGroup(context), LogAccess(context)], context)] == [
        "api-log-group",
        "api-log-access",
    ]
    down(context)
    give(OURS)
    assert list(LogAccess(context).found()) == []


def test_switched_off_it_goes_and_the_stage_has_no_log(moto_context_of: ContextOf) -> None:
    context = moto_context_of(FILMS)
    up(context)
    off = moto_context_of(f"{FILMS}[api]\naccess_log = false\n")
    for record in context.state:
        off.state.keep(record)
    assert up(off) == ["delete api-log-access", "delete api-log-group"]
    assert (given(), access_note(off)) == ("", "")
    assert RestApi(off).desired()["access_log"] is None
    assert RestApi(context).desired()["access_log"] == {"destinationArn": ApiLogGroup(context).arn, "format": FORMAT}


def test_a_line_is_json_and_names_nobody_and_no_text() -> None:
    fields = json.loads(FORMAT)
    assert fields["request_id"] == "$context.requestId"
    told = " ".join(fields.values())
    for personal in ("sourceIp", "userAgent", "claims", "$input", "identity.apiKey ", "requestOverride"):
        assert personal not in told
    assert "identity.apiKey" not in told.replace("identity.apiKeyId", "")


def test_the_permissions_are_of_that_role_and_the_accounts_settings(context: Context) -> None:
    actions = ["apigateway:PATCH", "iam:CreateRole", "iam:PassRole", "logs:CreateLogGroup"]
    document = policy(context, [ApiLogGroup, LogAccess], actions)
    allowed = {action: each["Resource"] for each in document["Statement"] for action in _listed(each["Action"])}
    assert allowed["apigateway:PATCH"] == ["arn:aws:apigateway:eu-west-1::/account"]
    assert allowed["iam:CreateRole"] == allowed["iam:PassRole"] == [OURS]
    assert allowed["logs:CreateLogGroup"] == ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/*/films-local-*"]


def test_a_template_has_it_only_where_the_account_has_no_other(context: Context) -> None:
    exported = LogAccess(context).cloudformation()
    assert [entry["Type"] for entry in exported.values()] == ["AWS::IAM::Role", "AWS::ApiGateway::Account"]
    assert {entry["DeletionPolicy"] for entry in exported.values()} == {"Retain"}
    context.state.keep(Record(LogAccess.kind, ROLE, ANOTHER))
    assert LogAccess(context).cloudformation() == {}


def test_a_refusal_of_the_account_is_raised(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "UpdateAccount")

    def refuse(**_: Any) -> None:
        raise refusal

    monkeypatch.setattr(context.environment.client("apigateway"), "update_account", refuse)
    with pytest.raises(ClientError, match="no"):
        up(context)


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
