"""Each of the stack's resources as CloudFormation writes it."""

from collections.abc import Mapping
from functools import singledispatch
from typing import Any

from sentictl.errors import SettingsError
from sentictl.lifecycle.resource import Resource
from sentictl.services.iam.roles import POLICY_NAME, ExecutionRole, Role
from sentictl.services.resources.endpoint import Endpoint, EndpointConfig, Model
from sentictl.services.resources.function import HANDLER, Function
from sentictl.services.resources.logs import EndpointLogGroup, FunctionLogGroup, LogGroup
from sentictl.services.resources.rest_api import STAGE, Permission, RestApi
from sentictl.services.resources.schedule import Schedule
from sentictl.services.resources.website import WebsiteBucket

Entries = dict[str, dict[str, Any]]


def logical_id(resource: Resource) -> str:
    """What a resource is called within a template."""
    return type(resource).__name__


@singledispatch
def entries_of(resource: Resource) -> Entries:
    """The entries under `Resources` that make up a resource, by their logical ids, all values as they stand.

    Raises:
        TypeError: nobody has said how that kind of resource is written.
    """
    raise TypeError(f"{resource.kind} cannot be written as CloudFormation")


@entries_of.register
def _(role: Role) -> Entries:
    documents = role.desired()
    properties = {
        "RoleName": role.name,
        "AssumeRolePolicyDocument": documents["trust"],
        "Policies": [{"PolicyName": POLICY_NAME, "PolicyDocument": documents["policy"]}],
    }
    return _entry(role, "AWS::IAM::Role", properties)


@entries_of.register
def _(model: Model) -> Entries:
    properties = {
        "ModelName": model.name,
        "PrimaryContainer": model.container(),
        "ExecutionRoleArn": ExecutionRole(model.context).arn,
    }
    return _entry(model, "AWS::SageMaker::Model", properties)


@entries_of.register
def _(config: EndpointConfig) -> Entries:
    properties = {"EndpointConfigName": config.name, "ProductionVariants": [config.variant()]}
    return _entry(config, "AWS::SageMaker::EndpointConfig", properties)


@entries_of.register
def _(endpoint: Endpoint) -> Entries:
    properties = {"EndpointName": endpoint.name, "EndpointConfigName": EndpointConfig(endpoint.context).name}
    return _entry(endpoint, "AWS::SageMaker::Endpoint", properties, after=[EndpointLogGroup.__name__])


@entries_of.register
def _(schedule: Schedule) -> Entries:
    # CloudFormation cannot let a schedule delete itself after it has fired.
    properties = {key: value for key, value in schedule.request().items() if key != "ActionAfterCompletion"}
    entry = {"Type": "AWS::Scheduler::Schedule", "DependsOn": [Endpoint.__name__], "Properties": properties}
    return {logical_id(schedule): entry}


@entries_of.register
def _(group: LogGroup) -> Entries:
    properties = {"LogGroupName": group.name, "RetentionInDays": group.retention_days}
    return _entry(group, "AWS::Logs::LogGroup", properties)


@entries_of.register
def _(function: Function) -> Entries:
    (code, *others) = function.sources().values()
    if others:
        raise SettingsError(
            "The function's code has several files, and a template holds one.",
            "Put all of it into templates/lambda/handler.py, or leave the function to sentictl.",
        )
    configuration = {key: value for key, value in function.desired().items() if key != "CodeSha256"}
    properties = {
        "FunctionName": function.name,
        "Code": {"ZipFile": code.read_text(encoding="utf-8")},
        **configuration,
        "Handler": f"index.{HANDLER.partition('.')[2]}",  # the file that inline code is put in is index.py
    }
    return _entry(function, "AWS::Lambda::Function", properties, after=[FunctionLogGroup.__name__])


@entries_of.register
def _(api: RestApi) -> Entries:
    desired = api.desired()
    properties = {
        "Name": api.name,
        "EndpointConfiguration": {"Types": ["REGIONAL"]},
        "BinaryMediaTypes": desired["binary_media_types"],
    }
    entries = {f"{verb.capitalize()}Method": _method(verb, method) for verb, method in desired["methods"].items()}
    for kind, response in desired["gateway_responses"].items():
        entries[f"GatewayResponse{kind.rpartition('_')[2]}"] = _gateway_response(kind, response)
    # A deployment never changes: other methods are another deployment, so its digest is in its logical id.
    deployment = f"Deployment{desired['deployed']}"
    return {
        **_entry(api, "AWS::ApiGateway::RestApi", properties),
        **entries,
        deployment: {
            "Type": "AWS::ApiGateway::Deployment",
            "DependsOn": sorted(entries),
            "Properties": {**_of_the_api(), "Description": desired["deployed"]},
        },
        "Stage": _stage(deployment, desired["throttling"]),
    }


@entries_of.register
def _(permission: Permission) -> Entries:
    properties = {
        "FunctionName": Function(permission.context).arn,
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": permission.desired()["source_arn"],
    }
    return {logical_id(permission): {"Type": "AWS::Lambda::Permission", "Properties": properties}}


@entries_of.register
def _(bucket: WebsiteBucket) -> Entries:
    desired = bucket.desired()
    private = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    properties = {
        "BucketName": bucket.name,
        "PublicAccessBlockConfiguration": dict.fromkeys(private, False),
        "WebsiteConfiguration": {"IndexDocument": desired["website"]["IndexDocument"]["Suffix"]},
    }
    policy = {"Bucket": {"Ref": logical_id(bucket)}, "PolicyDocument": desired["policy"]}
    return {
        **_entry(bucket, "AWS::S3::Bucket", properties),
        "WebsiteBucketPolicy": {"Type": "AWS::S3::BucketPolicy", "Properties": policy},
    }


def _entry(resource: Resource, kind: str, properties: Mapping[str, Any], after: list[str] | None = None) -> Entries:
    tagged = {**properties, "Tags": resource.context.naming.tag_list()}
    order = {"DependsOn": after} if after else {}
    return {logical_id(resource): {"Type": kind, **order, "Properties": tagged}}


def _of_the_api() -> dict[str, Any]:
    return {"RestApiId": {"Ref": RestApi.__name__}}


def _method(verb: str, method: Mapping[str, Any]) -> dict[str, Any]:
    responses = [
        {"StatusCode": status, **_capitalized(response)} for status, response in method["integration_responses"].items()
    ]
    declared = [
        {"StatusCode": status, "ResponseParameters": headers} for status, headers in method["method_responses"].items()
    ]
    properties = {
        **_of_the_api(),
        "ResourceId": {"Fn::GetAtt": [RestApi.__name__, "RootResourceId"]},
        "HttpMethod": verb,
        "AuthorizationType": "NONE",
        "Integration": {**_capitalized(method["integration"]), "IntegrationResponses": responses},
        "MethodResponses": declared,
    }
    return {"Type": "AWS::ApiGateway::Method", "Properties": properties}


def _gateway_response(kind: str, response: Mapping[str, Any]) -> dict[str, Any]:
    properties = {**_of_the_api(), "ResponseType": kind, **_capitalized(response)}
    return {"Type": "AWS::ApiGateway::GatewayResponse", "Properties": properties}


def _stage(deployment: str, throttling: Mapping[str, Any]) -> dict[str, Any]:
    limits = {f"Throttling{limit[0].upper()}{limit[1:]}": value for limit, value in throttling.items()}
    properties = {
        **_of_the_api(),
        "StageName": STAGE,
        "DeploymentId": {"Ref": deployment},
        "MethodSettings": [{"HttpMethod": "*", "ResourcePath": "/*", **limits}],
    }
    return {"Type": "AWS::ApiGateway::Stage", "Properties": properties}


def _capitalized(members: Mapping[str, Any]) -> dict[str, Any]:
    """API Gateway's members as CloudFormation spells them."""
    return {f"{key[0].upper()}{key[1:]}": value for key, value in members.items()}
