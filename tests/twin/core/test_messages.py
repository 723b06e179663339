"""Requests that come in, and requests that the twin makes itself."""

import pytest

from sentictl.twin.core.messages import Request
from tests.twin.conftest import Cloud


def test_unusual_keys_and_metadata_survive(cloud: Cloud) -> None:
    key = "a b+c/é%2F.txt"
    cloud.s3.put_object(Bucket=cloud.bucket, Key=key, Body=b"x", Metadata={"sha256": "1", "two-words": "2"})
    assert cloud.s3.head_object(Bucket=cloud.bucket, Key=key)["Metadata"] == {"sha256": "1", "two-words": "2"}
    listed = cloud.s3.list_objects_v2(Bucket=cloud.bucket, Prefix="a b")["Contents"]
    assert [entry["Key"] for entry in listed] == [key]


@pytest.mark.parametrize(
    ("target", "path"), [("/", "/"), ("/a%20b/c%2Fd", "/a b/c/d"), ("/b/x//y", "/b/x//y"), ("/%C3%A9%25", "/é%")]
)
def test_a_target_stays_as_it_is(target: str, path: str) -> None:
    request = Request.make("PUT", target, "a=%20&b", {"x-amz-meta-a": "b"}, b"\x00\xff")
    again = Request.make(request.method, request.target, request.query, request.headers, request.get_data())
    for made in (request, again):
        assert (made.target, made.path, made.query, made.get_data()) == (target, path, "a=%20&b", b"\x00\xff")


@pytest.mark.parametrize("uri", ["http://127.0.0.1:4599/a%2Fb?c", "/a%2Fb?c", "//a%2Fb?c=/"])
def test_a_target_is_the_path_alone(uri: str) -> None:
    environ = Request.make("GET", "/").environ | {"REQUEST_URI": uri}
    assert Request(environ).target == "/a%2Fb"
