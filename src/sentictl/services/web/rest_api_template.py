"""The parts of a REST API as CloudFormation writes them: each an entry of its own."""

from collections.abc import Mapping
from typing import Any

from sentictl.lifecycle.resource import Entries


def parts_of_api(api: str, stage: str, desired: Mapping[str, Any]) -> Entries:
    """Return the entries of an API's methods, gateway responses, deployment and stage.

    Args:
        api: the logical id of the API.
        stage: the stage's name.
        desired: the API's desired fields.
    """
    of_api = {"RestApiId": {"Ref": api}}
    entries = {f"{verb.capitalize()}Method": _method(api, verb, method) for verb, method in desired["methods"].items()}
    for kind, response in desired["gateway_responses"].items():
        entries[f"GatewayResponse{kind.rpartition('_')[2]}"] = _gateway_response(of_api, kind, response)
    # A deployment never changes: other methods are another deployment, so its digest is in its logical id.
    deployment = f"Deployment{desired['deployed']}"
    return {
        **entries,
        deployment: {
            "Type": "AWS::ApiGateway::Deployment",
            "DependsOn": sorted(entries),
            "Properties": {**of_api, "Description": desired["deployed"]},
        },
        "Stage": _stage(of_api, stage, deployment, desired["throttling"]),
    }


def _method(api: str, verb: str, method: Mapping[str, Any]) -> dict[str, Any]:
    responses = [
        {"StatusCode": status, **_capitalized(response)} for status, response in method["integration_responses"].items()
    ]
    declared = [
        {"StatusCode": status, "ResponseParameters": headers} for status, headers in method["method_responses"].items()
    ]
    properties = {
        "RestApiId": {"Ref": api},
        "ResourceId": {"Fn::GetAtt": [api, "RootResourceId"]},
        "HttpMethod": verb,
        "AuthorizationType": "NONE",
        "Integration": {**_capitalized(method["integration"]), "IntegrationResponses": responses},
        "MethodResponses": declared,
    }
    return {"Type": "AWS::ApiGateway::Method", "Properties": properties}


def _gateway_response(of_api: Mapping[str, Any], kind: str, response: Mapping[str, Any]) -> dict[str, Any]:
    properties = {**of_api, "ResponseType": kind, **_capitalized(response)}
    return {"Type": "AWS::ApiGateway::GatewayResponse", "Properties": properties}


def _stage(of_api: Mapping[str, Any], name: str, deployment: str, throttling: Mapping[str, Any]) -> dict[str, Any]:
    limits = {f"Throttling{limit[0].upper()}{limit[1:]}": value for limit, value in throttling.items()}
    properties = {
        **of_api,
        "StageName": name,
        "DeploymentId": {"Ref": deployment},
        "MethodSettings": [{"HttpMethod": "*", "ResourcePath": "/*", **limits}],
    }
    return {"Type": "AWS::ApiGateway::Stage", "Properties": properties}


def _capitalized(members: Mapping[str, Any]) -> dict[str, Any]:
    """Spell API Gateway's members as CloudFormation does."""
    return {f"{key[0].upper()}{key[1:]}": value for key, value in members.items()}
