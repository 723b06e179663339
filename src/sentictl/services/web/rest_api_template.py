"""The parts of a REST API as CloudFormation writes them: each an entry of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

from sentictl.lifecycle.resource import Entries


def parts_of_api(api: str, stage: str, desired: Mapping[str, Any], logged_after: Sequence[str]) -> Entries:
    """Return the entries of an API's methods, gateway responses, deployment and stage.

    Args:
        api: the logical id of the API.
        stage: the stage's name.
        desired: the API's desired fields.
        logged_after: the logical ids of what the stage's access log needs.
    """
    of_api = {"RestApiId": {"Ref": api}}
    entries = {f"{verb.capitalize()}Method": _method(api, verb, method) for verb, method in desired["methods"].items()}
    if desired["authorizer"]:
        properties = {**of_api, **capitalized(desired["authorizer"])}
        properties["ProviderARNs"] = properties.pop("ProviderARNs")
        entries["Authorizer"] = {"Type": "AWS::ApiGateway::Authorizer", "Properties": properties}
        entries["PostMethod"]["Properties"]["AuthorizerId"] = {"Ref": "Authorizer"}
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
        "Stage": _stage(of_api, stage, deployment, desired, logged_after),
    }


def _method(api: str, verb: str, method: Mapping[str, Any]) -> dict[str, Any]:
    responses = [
        {"StatusCode": status, **capitalized(response)} for status, response in method["integration_responses"].items()
    ]
    declared = [
        {"StatusCode": status, "ResponseParameters": headers} for status, headers in method["method_responses"].items()
    ]
    properties = {
        "RestApiId": {"Ref": api},
        "ResourceId": {"Fn::GetAtt": [api, "RootResourceId"]},
        "HttpMethod": verb,
        **capitalized(method["authorization"]),
        "Integration": {**capitalized(method["integration"]), "IntegrationResponses": responses},
        "MethodResponses": declared,
    }
    return {"Type": "AWS::ApiGateway::Method", "Properties": properties}


def _gateway_response(of_api: Mapping[str, Any], kind: str, response: Mapping[str, Any]) -> dict[str, Any]:
    properties = {**of_api, "ResponseType": kind, **capitalized(response)}
    return {"Type": "AWS::ApiGateway::GatewayResponse", "Properties": properties}


def _stage(
    of_api: Mapping[str, Any], name: str, deployment: str, desired: Mapping[str, Any], logged_after: Sequence[str]
) -> dict[str, Any]:
    limits = {f"Throttling{limit[0].upper()}{limit[1:]}": value for limit, value in desired["throttling"].items()}
    logged = {"AccessLogSetting": capitalized(desired["access_log"])} if desired["access_log"] else {}
    order = {"DependsOn": list(logged_after)} if logged_after else {}
    properties = {
        **of_api,
        "StageName": name,
        "DeploymentId": {"Ref": deployment},
        "MethodSettings": [{"HttpMethod": "*", "ResourcePath": "/*", **limits}],
        **logged,
    }
    return {"Type": "AWS::ApiGateway::Stage", **order, "Properties": properties}


def capitalized(members: Mapping[str, Any]) -> dict[str, Any]:
    """Spell API Gateway's members as CloudFormation does."""
    return {f"{key[0].upper()}{key[1:]}": value for key, value in members.items()}
