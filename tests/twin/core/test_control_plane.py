"""The control plane: who may ask, and where it makes up for moto."""

import json

import pytest
import urllib3
from botocore.exceptions import ClientError

from tests.twin.conftest import Cloud

HTTP = urllib3.PoolManager()


def test_web_pages_and_foreign_hosts_are_refused(cloud: Cloud) -> None:
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}):
        assert HTTP.request("GET", f"{cloud.url}/", headers=headers).status == 403
    assert HTTP.request("GET", f"{cloud.url}/").status == 200


def test_motos_reset_is_out_of_reach(cloud: Cloud) -> None:
    assert HTTP.request("POST", f"{cloud.url}/moto-api/reset").status == 404
    cloud.s3.head_bucket(Bucket=cloud.bucket)


def test_the_status_page(cloud: Cloud) -> None:
    status = HTTP.request("GET", f"{cloud.url}/_twin/status").json()
    assert cloud.url.endswith(f":{status['port']}")
    assert status["uptime"] >= 0


def test_unusual_keys_and_metadata_survive(cloud: Cloud) -> None:
    key = "a b+c/é%2F.txt"
    cloud.s3.put_object(Bucket=cloud.bucket, Key=key, Body=b"x", Metadata={"sha256": "1", "two-words": "2"})
    assert cloud.s3.head_object(Bucket=cloud.bucket, Key=key)["Metadata"] == {"sha256": "1", "two-words": "2"}
    listed = cloud.s3.list_objects_v2(Bucket=cloud.bucket, Prefix="a b")["Contents"]
    assert [entry["Key"] for entry in listed] == [key]


def test_a_policy_that_demands_tls_locks_nobody_out(cloud: Cloud) -> None:
    bucket = cloud.name("tls")
    cloud.s3.create_bucket(Bucket=bucket)
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    cloud.s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    cloud.s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    assert json.loads(cloud.s3.get_bucket_policy(Bucket=bucket)["Policy"]) == json.loads(policy)


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
