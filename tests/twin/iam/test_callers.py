"""Who may call the twin, and what everybody else is answered."""

import socket
from pathlib import Path
from typing import Any

import boto3
import pytest
import urllib3
from botocore import UNSIGNED
from botocore.config import Config

from sentictl.twin import daemon
from sentictl.twin.core.credentials import role_key
from tests.twin.conftest import Cloud, code_of

HTTP = urllib3.PoolManager()
UNKNOWN: list[tuple[str, str, dict[str, Any], str]] = [  # a call, and the code that an unknown key gets
    ("s3", "list_buckets", {}, "InvalidAccessKeyId"),
    ("sts", "get_caller_identity", {}, "InvalidClientTokenId"),
    ("iam", "list_roles", {}, "InvalidClientTokenId"),
    ("sagemaker", "list_endpoints", {}, "UnrecognizedClientException"),
    ("logs", "describe_log_groups", {}, "UnrecognizedClientException"),
    ("cloudwatch", "list_metrics", {}, "UnrecognizedClientException"),
    ("lambda", "list_functions", {}, "UnrecognizedClientException"),
    ("apigateway", "get_rest_apis", {}, "UnrecognizedClientException"),
    ("scheduler", "list_schedules", {}, "UnrecognizedClientException"),
    ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "x", "Body": b""}, "UnrecognizedClientException"),
]
WITHOUT = [  # a call, and the code that it gets without a key
    ("s3", "list_buckets", "AccessDenied"),
    ("sts", "get_caller_identity", "MissingAuthenticationToken"),
    ("sagemaker", "list_endpoints", "MissingAuthenticationTokenException"),
    ("cloudwatch", "list_metrics", "MissingAuthenticationTokenException"),
]


def client(cloud: Cloud, service: str, key: str, **config: Any) -> Any:
    session = boto3.Session(key, "local", region_name="us-east-1")
    once = Config(retries={"total_max_attempts": 1}, **config)
    return session.client(service, endpoint_url=cloud.url, config=once)


@pytest.mark.parametrize(("service", "call", "arguments", "code"), UNKNOWN, ids=[call[0] for call in UNKNOWN])
def test_an_unknown_key_gets_the_services_own_refusal(
    cloud: Cloud, service: str, call: str, arguments: dict[str, Any], code: str
) -> None:
    assert code_of(getattr(client(cloud, service, "local"), call), **arguments) == code


@pytest.mark.parametrize(("service", "call", "code"), WITHOUT, ids=[call[0] for call in WITHOUT])
def test_a_call_without_a_signature_is_refused(cloud: Cloud, service: str, call: str, code: str) -> None:
    assert code_of(getattr(client(cloud, service, "x", signature_version=UNSIGNED), call)) == code


def test_a_functions_key_names_its_role_and_cannot_be_made_up(cloud: Cloud) -> None:
    assert client(cloud, "s3", role_key(cloud.key, "reader")).list_buckets()
    made_up = role_key(cloud.key, "reader").replace("reader", "admin")
    assert code_of(client(cloud, "s3", made_up).list_buckets) == "InvalidAccessKeyId"


def test_keys_that_the_twin_gave_out_are_known(cloud: Cloud) -> None:
    cloud.iam.create_user(UserName="colleague")
    key = cloud.iam.create_access_key(UserName="colleague")["AccessKey"]["AccessKeyId"]
    session = cloud.sts.assume_role(RoleArn=cloud.role("lambda.amazonaws.com"), RoleSessionName="monday")
    for given in (key, session["Credentials"]["AccessKeyId"]):
        assert client(cloud, "s3", given).list_buckets()
    cloud.iam.delete_access_key(UserName="colleague", AccessKeyId=key)
    assert code_of(client(cloud, "s3", key).list_buckets) == "InvalidAccessKeyId"


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_addresses_work_and_leave_no_key_behind(cloud: Cloud, home: Path, version: str) -> None:
    s3 = client(cloud, "s3", cloud.key, signature_version=version)
    place = {"Bucket": cloud.bucket, "Key": f"presigned-{version}"}
    url = s3.generate_presigned_url("put_object", Params=place)
    assert cloud.key in url
    assert HTTP.request("PUT", url, body=b"content").status == 200
    url = s3.generate_presigned_url("get_object", Params=place)
    assert HTTP.request("GET", url).data == b"content"
    assert HTTP.request("GET", url.replace(cloud.key, "local")).status == 403
    assert cloud.key not in (home / "journal" / "calls.jsonl").read_text()


def test_each_start_has_a_key_of_its_own(own_home: Path) -> None:
    daemon.start(own_home)
    first = daemon.access(own_home)
    daemon.stop(own_home)
    daemon.start(own_home)
    again = Cloud(daemon.access(own_home))
    assert again.url == first.url
    assert code_of(client(again, "s3", first.key).list_buckets) == "InvalidAccessKeyId"


@pytest.mark.parametrize("path", ["/", "/_twin/status", "/restapis/x/prod/_user_request_/", "/_website/x/"])
@pytest.mark.parametrize(
    ("hosts", "status"),
    [
        ([], 400),
        ([""], 400),
        (["a b"], 400),
        (["127.0.0.1:port"], 400),
        (["127.0.0.1/"], 400),
        (["user@127.0.0.1"], 400),
        (["127.0.0.1", "127.0.0.1"], 400),
        (["evil.example"], 403),
        (["localhost.evil.example"], 403),
        (["[::1]:80"], 403),
        (["127.0.0.1."], 403),
    ],
)
def test_hosts_that_are_none_or_another_machines(cloud: Cloud, path: str, hosts: list[str], status: int) -> None:
    lines = [f"GET {path} HTTP/1.1", *(f"Host: {host}" for host in hosts), "Connection: close", "", ""]
    with socket.create_connection(("127.0.0.1", int(cloud.url.rpartition(":")[2]))) as connection:
        connection.sendall("\r\n".join(lines).encode())
        answer = connection.makefile("rb").readline()
    assert int(answer.split()[1]) == status


@pytest.mark.parametrize(
    "path", ["/endpoints/any/invocations", "/2015-03-31/functions/any/invocations"], ids=["endpoint", "function"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_invocations_take_nothing_but_post(cloud: Cloud, path: str, method: str) -> None:
    scope = f"{cloud.key}/20260101/us-east-1/lambda/aws4_request"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none"}
    answer = HTTP.request(method, cloud.url + path, headers=headers)
    assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (404, "UnknownOperationException")
