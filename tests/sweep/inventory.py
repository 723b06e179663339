"""All there is in an account and region, as lines that can be compared with those of another account."""

import hashlib
import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3

Connect = Callable[[str], Any]  # the client of a service

REGION = "eu-west-1"
STATE_FOLDER, STATE, LEASE = "state/", "state/prod.json", "state/prod.lease"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*(Z|[+-]\d\d:\d\d)?")
SCALING_ID = re.compile(r"(:scalable-target/|:scalingPolicy:)[0-9a-f]+")  # by chance, like API Gateway's
SHARED_GROUPS = {"/aws/sagemaker/TrainingJobs"}  # made by AWS for all jobs of an account, and never deleted


def take(settings: Path) -> list[str]:
    """One line for each thing in the account and for each that is recorded, sorted.

    Times and the ids that AWS makes up are left out: two accounts with the same things give the same lines.

    Args:
        settings: a project's `sentictl.toml`, which holds its state.
    """
    connect = cache(boto3.Session(region_name=REGION).client)
    apis = {api["id"]: api["name"] for api in _pages(connect, "apigateway", "get_rest_apis", "items")}
    lines = [*_s3(connect, apis), *_iam(connect), *_sagemaker(connect), *_lambda(connect), *_logs(connect)]
    lines += [
        *_apis(connect, apis),
        *_keys(connect),
        *_pools(connect),
        *_web_acls(connect),
        *_schedules(connect),
        *_scaling(connect),
        *_alarms(connect),
        *_recorded(settings),
    ]
    named = (SCALING_ID.sub(r"\1<id>", without_ids(line, apis)) for line in lines)
    return sorted(TIME.sub("<time>", line) for line in named)


def without_ids(text: str, apis: Iterable[str]) -> str:
    """A text with `<api>` for the id of each REST API that is there, and without the port of the twin."""
    text = re.sub(r"http://127\.0\.0\.1:\d+", "<twin>", text)
    for api in apis:
        text = text.replace(api, "<api>")
    return text


def compare(expected: Iterable[str], found: Iterable[str]) -> list[str]:
    """What is missing, and what is there besides."""
    wanted, had = Counter(expected), Counter(found)
    missing = [f"missing: {line}" for line in (wanted - had).elements()]
    return missing + [f"left over: {line}" for line in (had - wanted).elements()]


def _s3(connect: Connect, apis: Iterable[str]) -> Iterator[str]:
    client = connect("s3")
    for entry in client.list_buckets()["Buckets"]:
        bucket = entry["Name"]
        yield f"bucket {bucket} {_bucket_tags(client, bucket)}"
        yield from (f"unfinished upload {bucket} {key}" for key in _uploads(client, bucket))
        for item in _pages(connect, "s3", "list_object_versions", "Versions", Bucket=bucket):
            key = item["Key"]
            if key == STATE and item["IsLatest"]:
                yield from _recorded_on_s3(client, bucket)
            if key.startswith(STATE_FOLDER) or not item["IsLatest"]:  # how often they are written is not the same
                continue
            yield f"object {bucket}/{key}" + (_digest(client, bucket, key, apis) if key.endswith(".html") else "")
        for item in _pages(connect, "s3", "list_object_versions", "DeleteMarkers", Bucket=bucket):
            yield f"delete marker {bucket}/{item['Key']}"


def _recorded_on_s3(client: Any, bucket: str) -> Iterator[str]:
    document = json.loads(client.get_object(Bucket=bucket, Key=STATE)["Body"].read())
    yield from (f"recorded {json.dumps(resource, sort_keys=True)}" for resource in document["state"]["resources"])
    lease = json.loads(client.get_object(Bucket=bucket, Key=LEASE)["Body"].read())
    yield f"the lease is {'free' if lease['free'] else 'held'}"


def _bucket_tags(client: Any, bucket: str) -> str:
    try:
        return _tags(client.get_bucket_tagging(Bucket=bucket)["TagSet"])
    except client.exceptions.ClientError:
        return "untagged"


def _uploads(client: Any, bucket: str) -> list[str]:
    return [upload["Key"] for upload in client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])]


def _digest(client: Any, bucket: str, key: str, apis: Iterable[str]) -> str:
    content = client.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    return " " + hashlib.sha256(without_ids(content, apis).encode()).hexdigest()[:12]


def _iam(connect: Connect) -> Iterator[str]:
    client = connect("iam")
    for role in _pages(connect, "iam", "list_roles", "Roles"):
        name = role["RoleName"]
        policies = client.list_role_policies(RoleName=name)["PolicyNames"]
        yield f"role {name} {_tags(client.list_role_tags(RoleName=name)['Tags'])} policies {policies}"


def _sagemaker(connect: Connect) -> Iterator[str]:
    client = connect("sagemaker")
    for job in _pages(connect, "sagemaker", "list_training_jobs", "TrainingJobSummaries"):
        yield f"training job {job['TrainingJobName']} {job['TrainingJobStatus']}{_resource_tags(client, job)}"
    for model in _pages(connect, "sagemaker", "list_models", "Models"):
        yield f"model {model['ModelName']}{_resource_tags(client, model)}"
    for config in _pages(connect, "sagemaker", "list_endpoint_configs", "EndpointConfigs"):
        yield f"endpoint config {config['EndpointConfigName']}{_resource_tags(client, config)}"
    for endpoint in _pages(connect, "sagemaker", "list_endpoints", "Endpoints"):
        name = endpoint["EndpointName"]
        config = client.describe_endpoint(EndpointName=name)["EndpointConfigName"]
        yield f"endpoint {name} {endpoint['EndpointStatus']} of {config}{_resource_tags(client, endpoint)}"


def _resource_tags(client: Any, resource: dict[str, Any]) -> str:
    arn = next(value for key, value in resource.items() if key.endswith("Arn"))
    return " " + _tags(client.list_tags(ResourceArn=arn)["Tags"])


def _lambda(connect: Connect) -> Iterator[str]:
    client = connect("lambda")
    for function in _pages(connect, "lambda", "list_functions", "Functions"):
        name = function["FunctionName"]
        tags = client.list_tags(Resource=function["FunctionArn"])["Tags"]
        yield f"function {name} {function['CodeSha256']} {json.dumps(tags, sort_keys=True)}"
        yield from (f"permission {statement}" for statement in _statements(client, name))


def _statements(client: Any, function: str) -> list[str]:
    try:
        policy = client.get_policy(FunctionName=function)["Policy"]
    except client.exceptions.ResourceNotFoundException:
        return []
    statements = json.loads(policy)["Statement"]
    return [json.dumps([statement["Sid"], statement.get("Condition")], sort_keys=True) for statement in statements]


def _logs(connect: Connect) -> Iterator[str]:
    client = connect("logs")
    for group in _pages(connect, "logs", "describe_log_groups", "logGroups"):
        name = group["logGroupName"]
        if name not in SHARED_GROUPS:
            yield f"log group {name} kept {group.get('retentionInDays')} days"
            continue
        for stream in client.describe_log_streams(logGroupName=name)["logStreams"]:
            yield f"log stream {name}/{stream['logStreamName'].partition('/')[0]}"


def _apis(connect: Connect, apis: dict[str, str]) -> Iterator[str]:
    client = connect("apigateway")
    for api, name in apis.items():
        tags = client.get_rest_api(restApiId=api).get("tags", {})
        stages = client.get_stages(restApiId=api)["item"]
        told = [f"{stage['stageName']} {stage.get('accessLogSettings')}" for stage in stages]
        yield f"rest api {name} stages {told} {json.dumps(tags, sort_keys=True)}"
    if given := client.get_account().get("cloudwatchRoleArn"):
        yield f"account's role for logs {given}"


def _keys(connect: Connect) -> Iterator[str]:
    for key in _pages(connect, "apigateway", "get_api_keys", "items"):
        yield f"api key {key['name']} {json.dumps(key.get('tags'), sort_keys=True)}"
    for plan in _pages(connect, "apigateway", "get_usage_plans", "items"):
        keys = _pages(connect, "apigateway", "get_usage_plan_keys", "items", usagePlanId=plan["id"])
        yield f"usage plan {plan['name']} of {plan['apiStages']} with {sorted(key['name'] for key in keys)}"


def _pools(connect: Connect) -> Iterator[str]:
    client = connect("cognito-idp")
    for pool in client.list_user_pools(MaxResults=60)["UserPools"]:
        told = client.describe_user_pool(UserPoolId=pool["Id"])["UserPool"]
        tags = json.dumps(told.get("UserPoolTags"), sort_keys=True)
        yield f"user pool {pool['Name']} at {told.get('Domain')} {tags}"
        clients = client.list_user_pool_clients(UserPoolId=pool["Id"], MaxResults=60)["UserPoolClients"]
        yield from (f"app client {each['ClientName']} of {pool['Name']}" for each in clients)


def _web_acls(connect: Connect) -> Iterator[str]:
    client = connect("wafv2")
    for acl in client.list_web_acls(Scope="REGIONAL")["WebACLs"]:
        stages = client.list_resources_for_web_acl(WebACLArn=acl["ARN"], ResourceType="API_GATEWAY")["ResourceArns"]
        yield f"web acl {acl['Name']} in front of {stages}"


def _schedules(connect: Connect) -> Iterator[str]:
    for schedule in _pages(connect, "scheduler", "list_schedules", "Schedules"):
        yield f"schedule {schedule['GroupName']}/{schedule['Name']}"


def _alarms(connect: Connect) -> Iterator[str]:
    client = connect("cloudwatch")
    for alarm in _pages(connect, "cloudwatch", "describe_alarms", "MetricAlarms"):
        tags = client.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
        yield f"alarm {alarm['AlarmName']} {json.dumps(alarm.get('Dimensions'), sort_keys=True)} {_tags(tags)}"


def _scaling(connect: Connect) -> Iterator[str]:
    client, service = connect("application-autoscaling"), {"ServiceNamespace": "sagemaker"}
    for target in client.describe_scalable_targets(**service)["ScalableTargets"]:
        tags = client.list_tags_for_resource(ResourceARN=target["ScalableTargetARN"])["Tags"]
        capacity = f"{target['MinCapacity']} to {target['MaxCapacity']}"
        yield f"scalable target {target['ResourceId']} {capacity} {json.dumps(tags, sort_keys=True)}"
    for policy in client.describe_scaling_policies(**service)["ScalingPolicies"]:
        yield f"scaling policy {policy['PolicyName']} of {policy['ResourceId']}"


def _recorded(settings: Path) -> Iterator[str]:
    for environment, state in tomllib.loads(settings.read_text()).get("state", {}).items():
        yield f"state of {environment}"
        yield from (f"recorded {json.dumps(resource, sort_keys=True)}" for resource in state.get("resources", []))


def _tags(entries: list[dict[str, str]]) -> str:
    return json.dumps({entry["Key"]: entry["Value"] for entry in entries}, sort_keys=True)


def _pages(connect: Connect, service: str, operation: str, listed: str, **arguments: str) -> Iterator[dict[str, Any]]:
    for page in connect(service).get_paginator(operation).paginate(**arguments):
        yield from page.get(listed, [])
