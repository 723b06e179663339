"""Names of AWS's operations, as REST requests are told apart."""

from urllib.parse import quote

import pytest

from sentictl.twin.control_plane.operations import find_operation
from sentictl.twin.core.messages import Request

ARN = "arn:aws:apigateway:us-east-1::/restapis/abc"


@pytest.mark.parametrize(
    ("service", "method", "target", "query", "operation", "labels"),
    [
        ("s3", "GET", "/", "", "ListBuckets", {}),
        ("s3", "PUT", "/films", "", "CreateBucket", {"Bucket": "films"}),
        ("s3", "PUT", "/films/", "", "CreateBucket", {"Bucket": "films"}),
        ("s3", "PUT", "/films", "policy", "PutBucketPolicy", {"Bucket": "films"}),
        ("s3", "GET", "/films", "policy=", "GetBucketPolicy", {"Bucket": "films"}),
        ("s3", "GET", "/films", "list-type=2&prefix=a", "ListObjectsV2", {"Bucket": "films"}),
        ("s3", "GET", "/films", "list-type=1", "ListObjects", {"Bucket": "films"}),
        ("s3", "PUT", "/films/a%20b%2Fc/d", "", "PutObject", {"Bucket": "films", "Key": "a b/c/d"}),
        ("s3", "PUT", "/films/a", "x-id=PutObject", "PutObject", {"Bucket": "films", "Key": "a"}),
        ("s3", "PUT", "/films/a", "partNumber=1&uploadId=u", "UploadPart", {"Bucket": "films", "Key": "a"}),
        ("s3", "POST", "/films/a", "uploads", "CreateMultipartUpload", {"Bucket": "films", "Key": "a"}),
        ("apigateway", "POST", "/restapis", "", "CreateRestApi", {}),
        ("apigateway", "POST", "/restapis", "mode=import", "ImportRestApi", {}),
        ("apigateway", "GET", f"/tags/{quote(ARN, safe='')}", "", "GetTags", {"resource_arn": ARN}),
        ("lambda", "POST", "/2015-03-31/functions/f/policy", "", "AddPermission", {"FunctionName": "f"}),
        ("scheduler", "PUT", "/schedules/s", "", "UpdateSchedule", {"Name": "s"}),
        ("scheduler", "PUT", "/schedules/s/t", "", "", {}),
    ],
)
def test_operations_are_told_apart_as_by_aws(
    service: str, method: str, target: str, query: str, operation: str, labels: dict[str, str]
) -> None:
    assert find_operation(service, Request.make(method, target, query)) == (operation, labels)


def test_a_copy_is_known_by_its_header() -> None:
    copy = Request.make("PUT", "/films/a", headers={"x-amz-copy-source": "films/b"})
    assert find_operation("s3", copy) == ("CopyObject", {"Bucket": "films", "Key": "a"})
