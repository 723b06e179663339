"""An exported template with every reference replaced by what it stands for."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.golden.writer import ACCOUNT

REFERENCE = re.compile(r"\$\{([\w:.]+)\}")


def resolved(template: Mapping[str, Any], api_id: str) -> dict[str, list[dict[str, Any]]]:
    """The properties of a template's resources by their types, as CloudFormation would use them.

    Args:
        template: the template, made with its parameters' defaults.
        api_id: the id that API Gateway would give the REST API.
    """
    values = {"AWS::AccountId": ACCOUNT, "RestApi": api_id, "RestApi.RootResourceId": "/"}
    values |= {name: parameter["Default"] for name, parameter in template["Parameters"].items()}
    values |= dict(_named(template["Resources"]))
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in template["Resources"].values():
        found.setdefault(entry["Type"], []).append(_replaced(entry["Properties"], values))
    return found


# By type: the attribute that others refer to, empty for the resource itself; and what stands for it.
NAMED: Mapping[str, tuple[str, Callable[[str, Mapping[str, Any]], str]]] = {
    "AWS::IAM::Role": ("Arn", lambda _, told: f"arn:aws:iam::{ACCOUNT}:role/{told['RoleName']}"),
    "AWS::Lambda::Function": (
        "Arn",
        lambda _, told: f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{told['FunctionName']}",
    ),
    "AWS::WAFv2::WebACL": (
        "Arn",
        lambda _, told: f"arn:aws:wafv2:us-east-1:{ACCOUNT}:regional/webacl/{told['Name']}/id",
    ),
    "AWS::SageMaker::Model": ("ModelName", lambda _, told: str(told["ModelName"])),
    "AWS::SageMaker::EndpointConfig": ("EndpointConfigName", lambda _, told: str(told["EndpointConfigName"])),
    "AWS::Cognito::UserPool": ("", lambda *_: "us-east-1_Pool"),
    "AWS::ApiGateway::Authorizer": ("", lambda name, _: name),
    "AWS::ApiGateway::Deployment": ("", lambda name, _: name),
    "AWS::ApplicationAutoScaling::ScalableTarget": ("", lambda name, _: name),
    "AWS::S3::Bucket": ("", lambda name, _: name),
}


def _named(entries: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What resources can be referred to by, for those that are."""
    for name, entry in entries.items():
        if entry["Type"] in NAMED:
            attribute, stands = NAMED[entry["Type"]]
            yield f"{name}.{attribute}".rstrip("."), stands(name, entry["Properties"])


def _replaced(value: Any, values: Mapping[str, str]) -> Any:
    match value:
        case {"Ref": name}:
            return values[name]
        case {"Fn::GetAtt": [name, attribute]}:
            return values[f"{name}.{attribute}"]
        case {"Fn::Sub": text}:
            return REFERENCE.sub(lambda reference: values[reference[1]], text)
        case dict():
            return {key: _replaced(member, values) for key, member in value.items()}
        case list():
            return [_replaced(member, values) for member in value]
    return value
