"""IAM roles: who may do what. Each allows this project's own ARNs and nothing else."""

import json
from collections.abc import Mapping, Sequence
from string import Template
from typing import Any, ClassVar

from sentictl.assets.installed import template_files
from sentictl.aws.lookup import if_there
from sentictl.aws.names import tags_in
from sentictl.config.state import Record
from sentictl.errors import SettingsError
from sentictl.lifecycle.resource import Actions, Entries, LiveResource, Resource
from sentictl.reviews.read.tables.folder import is_table

POLICY_NAME = "sentictl"


class Role(Resource):
    """A role that one AWS service assumes, with one inline policy from `templates/policies/`."""

    actions = Actions(
        read="iam:GetRole iam:GetRolePolicy",
        create="iam:CreateRole iam:TagRole iam:PutRolePolicy",
        update="iam:UpdateAssumeRolePolicy iam:PutRolePolicy",
        delete="iam:ListRolePolicies iam:DeleteRolePolicy iam:DeleteRole",
    )
    named_by = ("arn", "Arn")
    part: ClassVar[str]
    # More policies, which are part of its own where the settings ask for what they allow.
    more: ClassVar[tuple[str, ...]] = ()
    # The service's principal is no host name: it ends alike in every part of AWS, the European Union's among them
    # (https://github.com/pulumi/pulumi-eks/issues/2341).
    service: ClassVar[str]
    # Whether the service tells for whose account it assumes the role, so that nobody else's can be let in by it:
    # "The confused deputy problem" in the IAM guide, and the guides of Scheduler and Step Functions.
    tells_account: ClassVar[bool] = False

    @property
    def name(self) -> str:
        return self.context.naming.name(self.part)

    @property
    def arn(self) -> str:
        return self.context.environment.arn("iam", f"role/{self.name}", region=False)

    def desired(self) -> Mapping[str, Any]:
        return {"trust": self._trust(), "policy": self._policy()}

    def read(self, name: str) -> LiveResource | None:
        client = self.context.environment.client("iam")
        role = if_there(client.get_role, RoleName=name)
        if role is None:
            return None
        policy = if_there(client.get_role_policy, RoleName=name, PolicyName=POLICY_NAME) or {"PolicyDocument": None}
        fields = {"trust": role["Role"]["AssumeRolePolicyDocument"], "policy": policy["PolicyDocument"]}
        return LiveResource(role["Role"]["Arn"], fields=fields)

    def tags(self, name: str) -> Mapping[str, str]:
        answer = if_there(self.context.environment.client("iam").get_role, RoleName=name) or {"Role": {}}
        return tags_in(answer["Role"].get("Tags", []))

    def tag(self, name: str) -> None:
        self.context.environment.client("iam").tag_role(RoleName=name, Tags=self.context.naming.tag_list())

    def create(self) -> None:
        client = self.context.environment.client("iam")
        client.create_role(
            RoleName=self.name,
            AssumeRolePolicyDocument=json.dumps(self._trust()),
            Description=f"Made by sentictl for the project {self.context.settings.project.name}",
            Tags=self.context.naming.tag_list(),
        )
        self._put_policy()

    def update(self) -> None:
        client = self.context.environment.client("iam")
        client.update_assume_role_policy(RoleName=self.name, PolicyDocument=json.dumps(self._trust()))
        self._put_policy()

    def delete(self, record: Record) -> None:
        client = self.context.environment.client("iam")
        policies = if_there(client.list_role_policies, RoleName=record.name) or {"PolicyNames": []}
        for policy in policies["PolicyNames"]:
            if_there(client.delete_role_policy, RoleName=record.name, PolicyName=policy)
        if_there(client.delete_role, RoleName=record.name)

    def scope(self, action: str) -> Sequence[str]:
        own = action.startswith("iam:") and action != "iam:CreateServiceLinkedRole"  # which is of AWS's own roles
        return [self.arn] if own else []

    def cloudformation(self) -> Entries:
        documents = self.desired()
        properties = {
            "RoleName": self.name,
            "AssumeRolePolicyDocument": documents["trust"],
            "Policies": [{"PolicyName": POLICY_NAME, "PolicyDocument": documents["policy"]}],
        }
        return self.entry("AWS::IAM::Role", properties)

    def _put_policy(self) -> None:
        self.context.environment.client("iam").put_role_policy(
            RoleName=self.name, PolicyName=POLICY_NAME, PolicyDocument=json.dumps(self._policy())
        )

    def _trust(self) -> dict[str, Any]:
        statement: dict[str, Any] = {
            "Effect": "Allow",
            "Principal": {"Service": self.service},
            "Action": "sts:AssumeRole",
        }
        if self.tells_account:
            statement["Condition"] = {"StringEquals": {"aws:SourceAccount": self.context.environment.account}}
        return {"Version": "2012-10-17", "Statement": [statement]}

    def _policy(self) -> dict[str, Any]:
        return self._read_policy(self.part)

    def _read_policy(self, name: str) -> dict[str, Any]:
        path = template_files("policies", self.context.config.folder.root)[f"{name}.json"]
        try:
            policy: dict[str, Any] = json.loads(Template(path.read_text(encoding="utf-8")).substitute(self._names()))
        except (ValueError, KeyError) as problem:
            raise SettingsError(
                f"{path} is no policy: {problem}.",
                f"It must be JSON in which a $ begins one of {', '.join(self._names())}, or is doubled: $$.",
            ) from None
        return policy

    def _names(self) -> dict[str, str]:
        """Return what a policy can name, and its value."""
        environment, naming = self.context.environment, self.context.naming
        return {
            "partition": environment.partition,
            "region": environment.region,
            "account": environment.account,
            "project": naming.project,
            "environment": naming.environment,
            "name": naming.name(),
            "bucket": naming.bucket,
        }


class ExecutionRole(Role):
    """The role that the training job and the endpoint run in."""

    kind = "execution-role"
    command = "train"
    part = "sagemaker"
    service = "sagemaker.amazonaws.com"


class ProcessingRole(Role):
    """The role that a processing job runs in: it may read the source, and write the dataset and what came of it."""

    kind = "processing-role"
    command = "data"
    part = "processing"
    service = "sagemaker.amazonaws.com"
    on_request = True
    in_template = False  # what the template makes prepares no data

    @property
    def wanted(self) -> bool:
        return self.context.settings.data.on == "aws"

    def _names(self) -> dict[str, str]:
        bucket, _, key = self.context.settings.data.source.removeprefix("s3://").partition("/")
        if not is_table(key.rpartition("/")[2]):  # a folder, and not what else begins with its name
            key = f"{key.removesuffix('/')}/" if key else ""
        return super()._names() | {"source_bucket": _in_json(bucket), "source_key": _in_json(key)}


class FunctionRole(Role):
    """The role that the Lambda function runs in: it may invoke the endpoint, write its own log, and nothing else."""

    kind = "function-role"
    command = "wire-lambda"
    part = "predict"
    service = "lambda.amazonaws.com"


class PageRole(Role):
    """The role in which API Gateway reads the web page: that one object and nothing else."""

    kind = "page-role"
    command = "wire-api"
    part = "page"
    service = "apigateway.amazonaws.com"


def _in_json(text: str) -> str:
    """A text as it stands between the quotes of a string in JSON; IAM takes * and ? in it for themselves."""
    literal = "".join(f"${{{letter}}}" if letter in "*?$" else letter for letter in text)
    return json.dumps(literal)[1:-1]
