"""The stack as a CloudFormation template, made of the very values that sentictl's own requests are made of.

Each resource is written with its values as they stand. What they name of one another, and of what differs between
accounts, then becomes a reference, from which CloudFormation also learns the order.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sentictl import __version__
from sentictl.config.state import Record
from sentictl.lifecycle.resource import Context, Entries, Resource
from sentictl.services.resources.sagemaker import has_endpoint
from sentictl.services.serving.schedule import Schedule
from sentictl.services.web.rest_api import STAGE, RestApi
from sentictl.services.web.user_pool import UserPool, makes_pool, pool_arn
from sentictl.services.web.website import WebsiteBucket

BUCKET = "Bucket"
ENDS = "EndpointEnds"
POOL_ID = "id-of-the-user-pool"  # likewise of Cognito's
API_ID = "id-of-the-rest-api"  # stands for the id that API Gateway has yet to give, until it becomes a reference
REFERENCE = re.compile(r"\$\{([\w:]+)(?:\.(\w+))?\}")


def template(context: Context, kinds: Iterable[type[Resource]]) -> dict[str, Any]:
    """Write the template of everything that the settings ask for, as far as it can stand in one.

    Args:
        context: the project and environment; a model must have been trained.
        kinds: the kinds of resources that the stack is made of.

    Raises:
        MissingStepError: nothing was trained yet.
    """
    rehearsal = context.rehearsal()
    rehearsal.state.keep(Record(RestApi.kind, RestApi(rehearsal).name, API_ID, {"id": API_ID}))
    if makes_pool(rehearsal):
        pool = UserPool(rehearsal).name
        rehearsal.state.keep(Record(UserPool.kind, pool, pool_arn(rehearsal, POOL_ID), {"id": POOL_ID}))
    wanted = [kind(rehearsal) for kind in kinds]
    inside = [resource for resource in wanted if resource.wanted and resource.in_template]
    entries = {name: entry for resource in inside for name, entry in resource.cloudformation().items()}
    ends = _end(entries)
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"The sentiment web app {context.naming.name()}, exported by sentictl {__version__}",
        "Metadata": {"sentictl": _metadata(context, wanted)},
        "Parameters": {BUCKET: _bucket_parameter(context), **({ENDS: _end_parameter(ends)} if ends else {})},
        "Rules": {"Region": _region_rule(context)},
        "Resources": _linked_entries(entries, _references(context, inside, ends)),
        "Outputs": _outputs(inside),
    }


def _metadata(context: Context, wanted: Iterable[Resource]) -> dict[str, Any]:
    stored = "the model's ModelDataUrl" if has_endpoint(context) else "the function's S3Key"
    outside = sorted({resource.kind for resource in wanted if resource.wanted and not resource.in_template})
    return {
        "Config": context.settings.project.name,
        "Environment": context.environment.name,
        "Region": context.environment.region,
        "NotInThisTemplate": outside,
        "ModelArtifact": f"The object at {stored} has to be in {BUCKET} before the stack is made.",
    }


def _bucket_parameter(context: Context) -> dict[str, Any]:
    return {
        "Type": "String",
        "Default": context.naming.bucket,
        "AllowedPattern": "[a-z0-9][a-z0-9.-]{1,56}[a-z0-9]",  # 5 characters fewer than S3 allows: "-site" is added
        "ConstraintDescription": "must be the name of an S3 bucket, of at most 58 characters",
        "Description": "The private bucket that holds the model artifact and the page. It is not part of the stack",
    }


def _end(entries: Entries) -> str:
    """Return when the endpoint is to be taken down, counted from now; empty where it is to stay."""
    schedule = entries.get(Schedule.__name__, {"Properties": {"ScheduleExpression": ""}})
    return str(schedule["Properties"]["ScheduleExpression"]).removeprefix("at(").removesuffix(")")


def _end_parameter(ends: str) -> dict[str, Any]:
    return {
        "Type": "String",
        "Default": ends,
        "AllowedPattern": r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}",
        "ConstraintDescription": "must be a time such as 2030-12-31T18:00:00",
        "Description": "When the endpoint is deleted, in UTC. It has to be in the future when the stack is made",
    }


def _region_rule(context: Context) -> dict[str, Any]:
    region = context.environment.region
    needed = "container image is pulled from" if has_endpoint(context) else "function's archive is in a bucket in"
    return {
        "Assertions": [
            {
                "Assert": {"Fn::Equals": [{"Ref": "AWS::Region"}, region]},
                "AssertDescription": f"The {needed} {region}: make the stack in that region",
            }
        ]
    }


def _outputs(inside: Iterable[Resource]) -> dict[str, Any]:
    address = f"https://${{RestApi}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/{STAGE}"
    outputs = {"ApiUrl": {"Description": "Where reviews are posted", "Value": {"Fn::Sub": address}}}
    if any(isinstance(resource, WebsiteBucket) for resource in inside):
        website = {"Fn::GetAtt": [WebsiteBucket.__name__, "WebsiteURL"]}
        outputs["PageUrl"] = {"Description": "Where the page is, once it is uploaded", "Value": website}
    return outputs


def _references(context: Context, inside: Iterable[Resource], ends: str) -> dict[str, str]:
    """Values, and what stands for them between `${` and `}`."""
    ids = {API_ID: RestApi.__name__, **({POOL_ID: UserPool.__name__} if makes_pool(context) else {})}
    others = {context.naming.bucket: BUCKET, context.naming.account: "AWS::AccountId", **ids}
    named = [(resource, *resource.named_by) for resource in inside if resource.named_by]
    return (
        others
        | ({ends: ENDS} if ends else {})
        | {getattr(resource, attribute): f"{resource.logical_id}.{called}" for resource, attribute, called in named}
    )


def _linked_entries(entries: Entries, references: Mapping[str, str]) -> Entries:
    """Return the entries, in which every value that stands for another resource refers to it; none refers to itself."""
    return {
        name: _linked(entry, {value: ref for value, ref in references.items() if ref.partition(".")[0] != name})
        for name, entry in entries.items()
    }


def _linked(value: Any, references: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _linked(member, references) for key, member in value.items()}
    if isinstance(value, list):
        return [_linked(member, references) for member in value]
    return _linked_text(value, references) if isinstance(value, str) else value


def _linked_text(value: str, references: Mapping[str, str]) -> Any:
    text = value.replace("${", "${!")  # a `${` of its own, for Fn::Sub
    for literal in sorted(references, key=len, reverse=True):  # an ARN before the account that is in it
        text = text.replace(literal, f"${{{references[literal]}}}")
    if not REFERENCE.search(text):
        return value
    whole = REFERENCE.fullmatch(text)
    if not whole:
        return {"Fn::Sub": text}
    name, attribute = whole.groups()
    return {"Fn::GetAtt": [name, attribute]} if attribute else {"Ref": name}
