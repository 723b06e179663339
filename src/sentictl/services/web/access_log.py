"""The API's access log: what a line of it says, and the role in which API Gateway writes it.

That role is a setting of the account, one in each region for all of its APIs. An account that has one keeps it. Where
there is none, sentictl makes one that belongs to no project: the last to need it takes it away.
"""

import json
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from sentictl.aws.lookup import if_there, says_taken
from sentictl.aws.names import tags_in
from sentictl.aws.waiters import poll
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.state import Record
from sentictl.errors import ForeignError
from sentictl.lifecycle.resource import Actions, Context, Entries, LiveResource
from sentictl.services.iam.roles import POLICY_NAME, Role
from sentictl.services.resources.logs import ApiLogGroup

SHARED_TAG = {"sentictl:shared": "api-logs"}
ROLE_SETTING = "/cloudwatchRoleArn"
OFF = "OFF"
NO_ROLE = "CloudWatch Logs role ARN must be set"  # in what API Gateway says where the account has none
APPEARS_SECONDS = 60  # IAM calls itself eventually consistent, and says of no longer time
# By name, the variables of API Gateway's that a line has. None of them is the text of a review, the address of whoever
# sent it, or what their browser is called. All are quoted: one that a request has none of is written as a hyphen.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
FIELDS = {
    "request_id": "requestId",
    "started": "requestTimeEpoch",
    "method": "httpMethod",
    "path": "resourcePath",
    "status": "status",
    "bytes": "responseLength",
    "milliseconds": "responseLatency",
    "integration_status": "integrationStatus",
    "integration_milliseconds": "integrationLatency",
    "invocation": "awsEndpointRequestId",
    "error": "error.responseType",
    "key": "identity.apiKeyId",
    "caller": "identity.caller",
}
FORMAT = json.dumps({name: f"$context.{variable}" for name, variable in FIELDS.items()}, separators=(",", ":"))


class LogAccess(Role):
    """The account's leave for API Gateway to write logs: another's role as it is, or one of sentictl's."""

    kind = "api-log-access"
    command = "wire-api"
    part = "logging"
    service = "apigateway.amazonaws.com"
    tagged = False
    actions = Actions(
        read="apigateway:GET iam:GetRole iam:GetRolePolicy",
        create="iam:CreateRole iam:TagRole iam:PutRolePolicy iam:PassRole apigateway:PATCH",
        update="iam:UpdateAssumeRolePolicy iam:PutRolePolicy",
        delete="apigateway:PATCH iam:ListRolePolicies iam:DeleteRolePolicy iam:DeleteRole",
    )

    @property
    def name(self) -> str:
        return f"sentictl-api-logs-{self.context.environment.region}"

    @property
    def wanted(self) -> bool:
        return self.context.settings.api.access_log

    def read(self, name: str) -> LiveResource | None:
        given = self._given()
        if given == self.arn:
            return super().read(name)
        return LiveResource(given, fields=self.desired()) if given else None

    def found(self, known: Container[str] = ()) -> Iterable[tuple[str, LiveResource]]:
        """Look for it where the project has an access log: it belongs to no project, and tells none."""
        group = ApiLogGroup(self.context)
        return super().found(known) if group.read(group.name) else ()

    def tags(self, name: str) -> Mapping[str, str]:  # noqa: ARG002  (there is one in a region)
        """Return the project's own: it is every project's, also where another's `down` has just taken it away."""
        return self.context.naming.tags

    def create(self) -> None:
        self._make_role()
        self._put_policy()
        self._give(self.arn)

    def left_to_others(self, record: Record) -> bool:  # noqa: ARG002  (there is one in a region)
        given = self._given()
        if given == self.arn:
            return any(self._logs_of_others())
        return bool(given) and super().read(self.name) is None

    def delete(self, record: Record) -> None:
        """Take it away. Another project that began to write its log just then keeps it, or gives it again."""
        if self._given() == self.arn:
            self._give("")
            if any(self._logs_of_others()):
                self._give(self.arn)
        if self._given() != self.arn:
            super().delete(record)

    def summary(self) -> str:
        given, region = self._given(), self.context.environment.region
        whose = "all APIs of the account" if given == self.arn else "the account's own"
        return f"{given.rpartition('/')[2]} writes the logs of APIs in {region}: {whose}"

    def facts(self, record: Record) -> Sequence[str]:
        return [record.arn.rpartition("/")[2] or record.name]

    def scope(self, action: str) -> Sequence[str]:
        account = self.context.environment.api_gateway_arn("/account")
        # Of every action, so that the policy has one statement for API Gateway: the account knows GET and PATCH alone.
        return [account] if action.startswith("apigateway:") else super().scope(action)

    def cloudformation(self) -> Entries:
        """Leave it out where the account has another's. Other stacks may come to need it, so that it stays."""
        if not self.is_sentictls:
            return {}
        stays = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
        documents = self.desired()
        role = {
            "RoleName": self.name,
            "AssumeRolePolicyDocument": documents["trust"],
            "Policies": [{"PolicyName": POLICY_NAME, "PolicyDocument": documents["policy"]}],
            "Tags": _tag_list(),
        }
        return {
            self.logical_id: {"Type": "AWS::IAM::Role", **stays, "Properties": role},
            "ApiAccount": {"Type": "AWS::ApiGateway::Account", **stays, "Properties": {"CloudWatchRoleArn": self.arn}},
        }

    @property
    def is_sentictls(self) -> bool:
        """Whether the account's role is, or would be, the one that sentictl makes, by what is recorded."""
        record = self.context.state.latest(self.kind)
        return record is None or "/" not in record.arn or record.arn == self.arn

    def _given(self) -> str:
        """Return the ARN of the role that the account has for all logs of API Gateway; empty where it has none."""
        answer: dict[str, Any] = self.context.environment.client("apigateway").get_account()
        return str(answer.get("cloudwatchRoleArn") or "")

    def _give(self, arn: str) -> None:
        operation = {"op": "replace", "path": ROLE_SETTING, "value": arn}
        self.context.environment.client("apigateway").update_account(patchOperations=[operation])

    def _make_role(self) -> None:
        """Make the role, unless an earlier try, or another project just now, has made it."""
        client = self.context.environment.client("iam")
        try:
            client.create_role(
                RoleName=self.name,
                AssumeRolePolicyDocument=json.dumps(self._trust()),
                Description="Made by sentictl for the logs of all APIs of the account in a region",
                Tags=_tag_list(),
            )
        except ClientError as refusal:
            if not says_taken(refusal):
                raise
            self._check_made_by_sentictl()

    def _check_made_by_sentictl(self) -> None:
        """Refuse a role of that name that is somebody else's. One that was made just now is told of some seconds late.

        Raises:
            ForeignError: it lacks the tag.
        """
        client = self.context.environment.client("iam")
        found = poll(
            lambda: if_there(client.get_role, RoleName=self.name) or {},
            bool,
            what=f"The role {self.name}",
            timeout=APPEARS_SECONDS,
        )
        if not tags_in(found["Role"].get("Tags", [])).items() >= SHARED_TAG.items():
            raise ForeignError(
                f"There is a role called {self.name} already, and sentictl did not make it.",
                "Delete it in the IAM console, or do without access logs: sentictl config set api.access_log false",
            )

    def _logs_of_others(self) -> Iterable[bool]:
        """Tell of each stage of an API that is not this project's whether it writes logs."""
        client = self.context.environment.client("apigateway")
        for page in client.get_paginator("get_rest_apis").paginate():
            for api in page["items"]:
                if not self.context.owns(api.get("tags", {})):
                    answer = if_there(client.get_stages, restApiId=api["id"]) or {"item": []}
                    yield from map(_writes_logs, answer["item"])


def says_no_role(refusal: ClientError) -> bool:
    """Whether API Gateway refused an access log because the account has no role for it."""
    return NO_ROLE in str(refusal)


def access_note(context: Context) -> str:
    """Tell in which role of the account's API Gateway will write the access log; empty where nothing is to be told."""
    access = LogAccess(context)
    if not access.wanted or context.environment.unseen:
        return ""
    live, region = access.find(), context.environment.region
    if live is None:
        where = env_option(context.environment.name, default=LOCAL)
        return (
            f"API Gateway has no role for logs in {region} yet: {access.name} is made for it, and is of all APIs of "
            f"the account there. Without it: sentictl config set api.access_log false{where}"
        )
    if live.arn != access.arn:
        return f"API Gateway writes logs in the role {live.arn.rpartition('/')[2]}, which the account has: it stays."
    return ""


def _writes_logs(stage: Mapping[str, Any]) -> bool:
    levels = [settings.get("loggingLevel", OFF) for settings in stage.get("methodSettings", {}).values()]
    return bool(stage.get("accessLogSettings")) or any(level != OFF for level in levels)


def _tag_list() -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in SHARED_TAG.items()]
