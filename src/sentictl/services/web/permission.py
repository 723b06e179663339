"""The permission to call the function, which its own policy holds."""

import json
from collections.abc import Mapping
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.config.state import Record
from sentictl.lifecycle.resource import Actions, Entries, LiveResource, Resource
from sentictl.services.web.function import Function
from sentictl.services.web.rest_api import method_arn


class Permission(Resource):
    """API Gateway's permission to call the function: from this API's POST on the root and from nowhere else."""

    kind = "permission"
    command = "wire-api"
    tagged = False
    actions = Actions(
        read="lambda:GetPolicy lambda:GetFunction lambda:ListTags",
        create="lambda:AddPermission",
        update="lambda:RemovePermission lambda:AddPermission",
        delete="lambda:RemovePermission",
    )

    @property
    def name(self) -> str:
        return self.context.naming.name("api")

    def desired(self) -> Mapping[str, Any]:
        return {"source_arn": self._source_arn()}

    def read(self, name: str) -> LiveResource | None:
        client = self.context.environment.client("lambda")
        answer = if_there(client.get_policy, FunctionName=self.context.naming.name("predict"))
        statements = json.loads(answer["Policy"])["Statement"] if answer else []
        for statement in statements:
            if statement["Sid"] == name:
                source = statement.get("Condition", {}).get("ArnLike", {}).get("AWS:SourceArn")
                return LiveResource(statement["Resource"], fields={"source_arn": source})
        return None

    def tags(self, name: str) -> Mapping[str, str]:  # noqa: ARG002  (the function's)
        function = Function(self.context)
        return function.tags(function.name)

    def create(self) -> None:
        self.context.environment.client("lambda").add_permission(
            FunctionName=self.context.naming.name("predict"),
            StatementId=self.name,
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=self._source_arn(),
        )

    def update(self) -> None:
        self._remove(self.name)
        self.create()

    def delete(self, record: Record) -> None:
        self._remove(record.name)

    def cloudformation(self) -> Entries:
        properties = {
            "FunctionName": Function(self.context).arn,
            "Action": "lambda:InvokeFunction",
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": self._source_arn(),
        }
        return {self.logical_id: {"Type": "AWS::Lambda::Permission", "Properties": properties}}

    def _remove(self, name: str) -> None:
        remove = self.context.environment.client("lambda").remove_permission
        if_there(remove, FunctionName=self.context.naming.name("predict"), StatementId=name)

    def _source_arn(self) -> str:
        return method_arn(self.context)
