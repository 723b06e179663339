"""S3 static websites, and buckets that stay private."""

import json
from typing import Any

import pytest
import urllib3
from botocore.exceptions import ClientError

from tests.twin.conftest import Cloud

HTTP = urllib3.PoolManager()


def public_read(bucket: str) -> str:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def get(url: str) -> urllib3.BaseHTTPResponse:
    return HTTP.request("GET", url, redirect=False)


@pytest.fixture
def bucket(cloud: Cloud) -> str:
    name = cloud.name("site")
    cloud.s3.create_bucket(Bucket=name)
    configuration: dict[str, Any] = {"IndexDocument": {"Suffix": "index.html"}, "ErrorDocument": {"Key": "error.html"}}
    cloud.s3.put_bucket_website(Bucket=name, WebsiteConfiguration=configuration)
    for key in ("index.html", "error.html", "about/index.html"):
        cloud.s3.put_object(Bucket=name, Key=key, Body=key.encode(), ContentType="text/html")
    return name


@pytest.fixture
def site(cloud: Cloud, bucket: str) -> str:
    cloud.s3.delete_public_access_block(Bucket=bucket)
    cloud.s3.put_bucket_policy(Bucket=bucket, Policy=public_read(bucket))
    return f"{cloud.url}/_website/{bucket}/"


def test_index_documents(site: str) -> None:
    assert (get(site).data, get(site).headers["Content-Type"]) == (b"index.html", "text/html")
    assert get(site + "about/").data == b"about/index.html"
    assert get(site.rstrip("/")).headers["Location"].endswith("/")
    assert get(site + "about").headers["Location"].endswith("/about/")


def test_the_error_document(cloud: Cloud, site: str) -> None:
    answer = get(site + "nowhere")
    assert (answer.status, answer.data) == (404, b"error.html")
    assert HTTP.request("POST", site).status == 405
    assert get(f"{cloud.url}/_website/unknown/").status == 404


def test_a_private_bucket_is_not_served(cloud: Cloud, bucket: str) -> None:
    answer = get(f"{cloud.url}/_website/{bucket}/")
    assert answer.status == 403
    assert b"AccessDenied" in answer.data


def test_new_buckets_refuse_public_policies(cloud: Cloud, bucket: str) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        cloud.s3.put_bucket_policy(Bucket=bucket, Policy=public_read(bucket))


def test_a_bucket_without_a_website(cloud: Cloud) -> None:
    answer = get(f"{cloud.url}/_website/{cloud.bucket}/")
    assert answer.status == 404
    assert b"NoSuchWebsiteConfiguration" in answer.data
