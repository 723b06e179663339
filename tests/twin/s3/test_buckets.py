"""Buckets on the twin, where moto does otherwise than AWS."""

import json
from typing import Any

import boto3
import pytest
import urllib3

from sentictl.twin.core.messages import authorization
from tests.twin.conftest import Cloud

TAGS = [{"Key": "sentictl:project", "Value": "films & more"}, {"Key": "Ä", "Value": "1"}]


def by_key(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_a_bucket_has_its_tags_from_the_first_moment(cloud: Cloud, region: str) -> None:
    bucket = cloud.name("tagged")
    client = boto3.Session(cloud.key, "local", region_name=region).client("s3", endpoint_url=cloud.url)
    where: dict[str, Any] = {} if region == "us-east-1" else {"LocationConstraint": region}
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={**where, "Tags": TAGS})
    assert by_key(client.get_bucket_tagging(Bucket=bucket)["TagSet"]) == by_key(TAGS)


def test_creating_a_bucket_again_leaves_its_tags(cloud: Cloud) -> None:
    bucket = cloud.name("tagged")
    cloud.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"Tags": TAGS})
    cloud.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"Tags": TAGS[:1]})
    assert by_key(cloud.s3.get_bucket_tagging(Bucket=bucket)["TagSet"]) == by_key(TAGS)


def test_a_quiet_deletion_tells_of_nothing_that_was_deleted(cloud: Cloud) -> None:
    def delete(**how: Any) -> Any:
        for key in ("a", "b"):
            cloud.s3.put_object(Bucket=cloud.bucket, Key=f"deleted/{key}", Body=b"x")
        keys = [{"Key": "deleted/a"}, {"Key": "deleted/b"}]
        answer = cloud.s3.delete_objects(Bucket=cloud.bucket, Delete={"Objects": keys, **how})
        assert cloud.s3.list_objects_v2(Bucket=cloud.bucket, Prefix="deleted/")["KeyCount"] == 0
        return answer

    assert "Deleted" not in delete(Quiet=True)
    assert [each["Key"] for each in delete()["Deleted"]] == ["deleted/a", "deleted/b"]
    assert len(delete(Quiet=False)["Deleted"]) == 2


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


def test_a_body_that_need_not_be_there_is_not_missed(cloud: Cloud) -> None:
    cloud.s3.put_bucket_acl(Bucket=cloud.bucket, ACL="private")


def test_an_object_comes_by_a_form(cloud: Cloud) -> None:
    def post(**fields: str) -> int:
        signed = {"authorization": authorization("s3", "us-east-1", cloud.key)}
        return urllib3.request("POST", f"{cloud.url}/{cloud.bucket}", fields=fields, headers=signed).status

    assert post(file="text") == 400
    assert post(key="by-form", file="text") < 300
    assert cloud.s3.get_object(Bucket=cloud.bucket, Key="by-form")["Body"].read() == b"text"
