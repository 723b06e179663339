"""Where the twin makes up for moto: lists, tags, logs, what is there already and what is gone."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sentictl.twin import daemon
from tests.twin.conftest import Cloud, code_of

ARN = "arn:aws:sagemaker:us-east-1:123456789012"
NOW = int(time.time() * 1000)


@pytest.fixture(scope="module")
def family(cloud: Cloud) -> str:
    """The beginning of the names of three models, endpoint configs and endpoints, made one after the other."""
    prefix = cloud.name("family")
    for number in range(3):
        name = f"{prefix}-{number}"
        cloud.sagemaker.create_model(ModelName=name, ExecutionRoleArn=cloud.execution_role)
        variant = {"VariantName": "A", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
        cloud.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        cloud.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    cloud.sagemaker.create_model(ModelName=cloud.name("another"), ExecutionRoleArn=cloud.execution_role)
    return prefix


@pytest.mark.parametrize("noun", ["Model", "EndpointConfig", "Endpoint"])
@pytest.mark.parametrize("order", ["Ascending", "Descending"])
def test_lists_are_filtered_sorted_and_paged(cloud: Cloud, family: str, noun: str, order: str) -> None:
    operation = {"Model": "list_models", "EndpointConfig": "list_endpoint_configs", "Endpoint": "list_endpoints"}[noun]
    pages = cloud.sagemaker.get_paginator(operation).paginate(
        NameContains=f"{family}-", SortBy="CreationTime", SortOrder=order, PaginationConfig={"PageSize": 2}
    )
    names = [[entry[f"{noun}Name"] for entry in page[f"{noun}s"]] for page in pages]
    wanted = [f"{family}-{number}" for number in (range(3) if order == "Ascending" else reversed(range(3)))]
    assert names == [wanted[:2], wanted[2:]]


def test_endpoints_may_have_every_instance_type_that_aws_lists_and_no_other(cloud: Cloud) -> None:
    listed = cloud.sagemaker.meta.service_model.shape_for("ProductionVariantInstanceType").enum
    name = cloud.name("types")
    cloud.sagemaker.create_model(ModelName=name, ExecutionRoleArn=cloud.execution_role)
    variants = [
        {"VariantName": f"V{number}", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": instance_type}
        for number, instance_type in enumerate(listed)
    ]
    cloud.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
    told = cloud.sagemaker.describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"]
    assert [variant["InstanceType"] for variant in told] == listed
    with pytest.raises(ClientError, match=r"ValidationException.*ml\.m5\.huge.*enum value set.*ml\.c7g\.large"):
        cloud.sagemaker.create_endpoint_config(
            EndpointConfigName=f"{name}-unknown", ProductionVariants=[variants[0] | {"InstanceType": "ml.m5.huge"}]
        )


def test_notebooks_may_have_every_instance_type_that_aws_lists_and_no_other(cloud: Cloud) -> None:
    pytest.importorskip("jupyterlab")
    wanted = {"RoleArn": cloud.execution_role, "NotebookInstanceName": cloud.name("types")}
    with pytest.raises(ClientError, match=r"ValidationException.*ml\.m5\.huge.*enum value set.*ml\.m7i\.large"):
        cloud.sagemaker.create_notebook_instance(**wanted, InstanceType="ml.m5.huge")


def test_sagemakers_tags(cloud: Cloud, family: str) -> None:
    job = cloud.train("print('done')")
    cloud.trained(job)
    arns = [f"{ARN}:{kind}/{family}-0" for kind in ("model", "endpoint-config", "endpoint")]
    for arn in (*arns, f"{ARN}:training-job/{job}"):
        cloud.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
        cloud.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["b"])
        assert cloud.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
        with pytest.raises(ClientError, match=r"ValidationException.*Could not find"):
            cloud.sagemaker.list_tags(ResourceArn=arn + "-gone")


def test_tags_of_a_log_group(cloud: Cloud) -> None:
    group = cloud.name("group")
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{group}"
    cloud.logs.create_log_group(logGroupName=group, tags={"a": "1"})
    cloud.logs.tag_resource(resourceArn=arn, tags={"b": "2"})
    assert cloud.logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "1", "b": "2"}
    for unknown in (f"{arn}:*", f"{arn}-gone"):
        assert code_of(cloud.logs.list_tags_for_resource, resourceArn=unknown) == "ResourceNotFoundException"


def test_tags_of_roles_and_functions(cloud: Cloud) -> None:
    role = cloud.role("lambda.amazonaws.com").rpartition("/")[2]
    cloud.iam.tag_role(RoleName=role, Tags=[{"Key": "a", "Value": "1"}])
    assert cloud.iam.list_role_tags(RoleName=role)["Tags"] == [{"Key": "a", "Value": "1"}]
    client, function = getattr(cloud, "lambda"), cloud.function("def handle(event, context): pass", Tags={"a": "1"})
    client.tag_resource(Resource=function, Tags={"b": "2"})
    assert client.list_tags(Resource=function)["Tags"] == {"a": "1", "b": "2"}


@pytest.fixture(scope="module")
def group(cloud: Cloud) -> str:
    """A log group with three streams, of which two begin alike, that were written by turns."""
    name = cloud.name("group")
    cloud.logs.create_log_group(logGroupName=name)
    for stream in ("job-1/a", "job-1/b", "job-2/a"):
        cloud.logs.create_log_stream(logGroupName=name, logStreamName=stream)
        events = [{"timestamp": NOW + turn, "message": f"{stream} {turn}"} for turn in range(2)]
        cloud.logs.put_log_events(logGroupName=name, logStreamName=stream, logEvents=events)
    return name


def test_log_events_of_streams_that_begin_alike(cloud: Cloud, group: str) -> None:
    pages = cloud.logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, logStreamNamePrefix="job-1/", PaginationConfig={"PageSize": 3}
    )
    told = [event["message"] for page in pages for event in page["events"]]
    assert told == ["job-1/a 0", "job-1/b 0", "job-1/a 1", "job-1/b 1"]
    assert cloud.logs.filter_log_events(logGroupName=group, logStreamNamePrefix="job-3/")["events"] == []


def test_a_deleted_log_stream_is_gone(cloud: Cloud, group: str) -> None:
    cloud.logs.delete_log_stream(logGroupName=group, logStreamName="job-2/a")
    assert cloud.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="job-2/")["logStreams"] == []
    gone = code_of(cloud.logs.delete_log_stream, logGroupName=group, logStreamName="job-2/a")
    assert gone == "ResourceNotFoundException"


def test_what_is_there_already_cannot_be_made(cloud: Cloud, family: str, group: str) -> None:
    name, sagemaker = f"{family}-0", cloud.sagemaker
    variant = {"VariantName": "A", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    again: list[tuple[Any, dict[str, Any]]] = [
        (sagemaker.create_model, {"ModelName": name, "ExecutionRoleArn": cloud.execution_role}),
        (sagemaker.create_endpoint_config, {"EndpointConfigName": name, "ProductionVariants": [variant]}),
        (sagemaker.create_endpoint, {"EndpointName": name, "EndpointConfigName": name}),
    ]
    for create, arguments in again:
        with pytest.raises(ClientError, match=r"ValidationException.*Cannot create already existing"):
            create(**arguments)
    function = cloud.function("def handle(event, context): pass").rpartition(":")[2]
    with pytest.raises(ClientError, match=r"ResourceConflictException.*Function already exist"):
        cloud.function("def handle(event, context): pass", FunctionName=function)
    role = cloud.execution_role.rpartition("/")[2]
    assert code_of(cloud.iam.create_role, RoleName=role, AssumeRolePolicyDocument="{}") == "EntityAlreadyExists"
    assert code_of(cloud.logs.create_log_group, logGroupName=group) == "ResourceAlreadyExistsException"


def test_what_is_gone_cannot_be_deleted(cloud: Cloud) -> None:
    sagemaker, client = cloud.sagemaker, getattr(cloud, "lambda")
    for delete, name in (
        (sagemaker.delete_model, "ModelName"),
        (sagemaker.delete_endpoint_config, "EndpointConfigName"),
        (sagemaker.delete_endpoint, "EndpointName"),
    ):
        with pytest.raises(ClientError, match=r"ValidationException.*Could not find"):
            delete(**{name: "gone"})
    assert code_of(client.delete_function, FunctionName="gone") == "ResourceNotFoundException"
    assert code_of(client.remove_permission, FunctionName="gone", StatementId="s") == "ResourceNotFoundException"
    assert code_of(cloud.iam.delete_role, RoleName="gone") == "NoSuchEntity"
    assert code_of(cloud.logs.delete_log_group, logGroupName="gone") == "ResourceNotFoundException"
    assert code_of(cloud.s3.delete_bucket, Bucket="gone-for-good") == "NoSuchBucket"


def test_tags_are_found_across_services(cloud: Cloud) -> None:
    value = cloud.name("project")
    tags = [{"Key": "project", "Value": value}]
    job = cloud.train("print('done')", Tags=tags)
    cloud.trained(job)
    config = cloud.endpoint_config()
    endpoint = cloud.name("endpoint")
    cloud.sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=config, Tags=tags)
    api = cloud.apigateway.create_rest_api(name="api", tags={"project": value})["id"]
    filters = [{"Key": "project", "Values": [value]}]
    client = cloud.resourcegroupstaggingapi
    found = {entry["ResourceARN"] for entry in client.get_resources(TagFilters=filters)["ResourceTagMappingList"]}
    assert found == {
        f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{job}",
        f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{endpoint}",
        f"arn:aws:apigateway:us-east-1::/restapis/{api}",
    }
    only = client.get_resources(TagFilters=filters, ResourceTypeFilters=["sagemaker:endpoint"])
    assert [entry["ResourceARN"] for entry in only["ResourceTagMappingList"]] == [
        f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{endpoint}"
    ]


def test_tags_of_an_api(cloud: Cloud) -> None:
    api = cloud.apigateway.create_rest_api(name="api", tags={"a": "1"}, binaryMediaTypes=["image/png"])["id"]
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{api}"
    cloud.apigateway.tag_resource(resourceArn=arn, tags={"b": "2"})
    cloud.apigateway.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert cloud.apigateway.get_tags(resourceArn=arn)["tags"] == {"b": "2"}
    patch = {"op": "add", "path": "/binaryMediaTypes/image~1jpeg"}
    cloud.apigateway.update_rest_api(restApiId=api, patchOperations=[patch])
    assert cloud.apigateway.get_rest_api(restApiId=api)["binaryMediaTypes"] == ["image/png", "image/jpeg"]


def test_what_aws_refuses_is_refused(cloud: Cloud) -> None:
    gateway = cloud.apigateway
    with pytest.raises(gateway.exceptions.NotFoundException):
        gateway.delete_rest_api(restApiId="unknown")
    api = gateway.create_rest_api(name="api")
    where = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "POST"}
    gateway.put_method(**where, authorizationType="NONE")
    with pytest.raises(gateway.exceptions.NotFoundException):
        gateway.get_integration(**where)
    with pytest.raises(gateway.exceptions.ConflictException):
        gateway.put_method(**where, authorizationType="NONE")
    gateway.put_method_response(**where, statusCode="200")
    with pytest.raises(gateway.exceptions.ConflictException):
        gateway.put_method_response(**where, statusCode="200")


def test_statement_ids_are_unique(cloud: Cloud) -> None:
    client = getattr(cloud, "lambda")
    statement = {
        "FunctionName": cloud.function("def handle(event, context): pass"),
        "StatementId": "api",
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
    }
    client.add_permission(**statement)
    with pytest.raises(client.exceptions.ResourceConflictException):
        client.add_permission(**statement)


def test_managed_policies_are_known(cloud: Cloud) -> None:
    role = cloud.role("sagemaker.amazonaws.com").rpartition("/")[2]
    policy = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
    cloud.iam.attach_role_policy(RoleName=role, PolicyArn=policy)
    attached = cloud.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert [entry["PolicyArn"] for entry in attached] == [policy]


def test_tagging_again_replaces(cloud: Cloud) -> None:
    config = cloud.endpoint_config()
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:model/{config}"
    for value in ("one", "two"):
        cloud.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": value}])
    assert cloud.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "two"}]
    with pytest.raises(ClientError, match="already existing model"):
        cloud.sagemaker.create_model(ModelName=config, ExecutionRoleArn="arn:aws:iam::123456789012:role/r")


def test_apis_keys_and_user_pools_were_made_when_they_were_also_after_a_restart(own_home: Path) -> None:
    daemon.start(own_home)
    cloud = Cloud(daemon.access(own_home))
    cloud.apigateway.create_rest_api(name="a")
    cloud.apigateway.create_api_key(name="k")
    cloud.cognito_idp.create_user_pool(PoolName="p")
    daemon.stop(own_home)
    journal = own_home / "journal" / "calls.jsonl"
    header, *entries = map(json.loads, journal.read_text().splitlines())
    for entry in entries:
        entry["time"] -= 3 * 86_400
    journal.write_text("".join(f"{json.dumps(line)}\n" for line in (header, *entries)))
    daemon.start(own_home)
    again = Cloud(daemon.access(own_home))
    (api,), (key,) = (again.apigateway.get_rest_apis()["items"], again.apigateway.get_api_keys()["items"])
    (pool,) = again.cognito_idp.list_user_pools(MaxResults=9)["UserPools"]
    made = [api["createdDate"], key["createdDate"], pool["CreationDate"]]
    assert all(2 < (time.time() - each.timestamp()) / 86_400 < 4 for each in made)
