"""An exported template with every reference replaced by what it stands for."""

import re
from collections.abc import Iterator, Mapping
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


def _named(entries: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What resources can be referred to by, for those that are."""
    for name, entry in entries.items():
        properties = entry["Properties"]
        match entry["Type"]:
            case "AWS::IAM::Role":
                yield f"{name}.Arn", f"arn:aws:iam::{ACCOUNT}:role/{properties['RoleName']}"
            case "AWS::Lambda::Function":
                yield f"{name}.Arn", f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{properties['FunctionName']}"
            case "AWS::SageMaker::Model":
                yield f"{name}.ModelName", properties["ModelName"]
            case "AWS::SageMaker::EndpointConfig":
                yield f"{name}.EndpointConfigName", properties["EndpointConfigName"]
            case "AWS::ApiGateway::Deployment" | "AWS::S3::Bucket" | "AWS::ApplicationAutoScaling::ScalableTarget":
                yield name, name


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
