"""The project's bucket, against moto."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from sentictl.errors import AccessError, AwsError
from sentictl.lifecycle.resource import Context
from sentictl.services.resources.storage import (
    Bucket,
    bucket_exists,
    create_bucket,
    delete_bucket,
    delete_objects,
    list_keys,
    tag_bucket,
)
from tests.services.conftest import ContextOf

NAME = "films-local-123456789012"


@pytest.fixture
def context(moto_context_of: ContextOf) -> Context:
    return moto_context_of('[project]\nname = "films"\n')


@pytest.fixture
def s3(context: Context) -> Any:
    return context.environment.client("s3")


def test_what_is_deleted_leaves_no_older_version_wherever_the_state_is(context: Context, s3: Any) -> None:
    """A bucket in which the state was goes on keeping versions: reviews that were captured, say."""
    create_bucket(context, NAME)
    s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})
    for key in ("captures/a", "models/a"):
        s3.put_object(Bucket=NAME, Key=key, Body=b"a review")
    delete_objects(context, NAME, "captures/")
    assert [each["Key"] for each in s3.list_object_versions(Bucket=NAME)["Versions"]] == ["models/a"]
    assert "DeleteMarkers" not in s3.list_object_versions(Bucket=NAME)


def test_a_versioned_bucket_is_emptied_of_all_versions_and_deleted(context: Context, s3: Any) -> None:
    create_bucket(context, NAME)
    s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})
    for number in range(3):
        s3.put_object(Bucket=NAME, Key="models/a", Body=str(number).encode())
    s3.delete_object(Bucket=NAME, Key="models/a")  # which leaves a marker on top of the versions
    delete_bucket(context, NAME)
    assert not bucket_exists(context, NAME)
    delete_bucket(context, NAME)  # gone already


def test_objects_that_are_not_deleted_are_an_error_that_names_one(context: Context, s3: Any) -> None:
    versions = {"Versions": [{"Key": "models/a", "VersionId": "1"}]}
    refused = {"Errors": [{"Key": "models/a", "Code": "AccessDenied", "Message": "the object is locked"}]}
    with Stubber(s3) as stubber:
        stubber.add_response("head_bucket", {})
        stubber.add_response("list_object_versions", versions)
        stubber.add_response("delete_objects", refused)
        with pytest.raises(AwsError, match="models/a: the object is locked"):
            delete_bucket(context, NAME)


def test_a_bucket_has_the_tags_from_the_first_request_on(context: Context, s3: Any) -> None:
    tags = context.naming.tag_list()
    with Stubber(s3) as stubber:
        expected = {"Bucket": NAME, "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1", "Tags": tags}}
        stubber.add_response("create_bucket", {}, expected)
        create_bucket(context, NAME)


def test_tags_that_a_bucket_has_besides_stay(context: Context, s3: Any) -> None:
    create_bucket(context, NAME)
    s3.put_bucket_tagging(Bucket=NAME, Tagging={"TagSet": [{"Key": "team", "Value": "film"}]})
    tag_bucket(context, NAME)
    assert Bucket(context).tags(NAME) == {"team": "film", **context.naming.tags}


def test_a_name_that_another_account_has_is_told_before_anything_is_made(context: Context, s3: Any) -> None:
    with Stubber(s3) as stubber:
        stubber.add_client_error("head_bucket", "403", "Forbidden", 403)
        with pytest.raises(AccessError, match="taken by another AWS account"):
            bucket_exists(context, NAME)


def test_any_other_refusal_is_not_taken_for_an_absence(context: Context, s3: Any) -> None:
    with Stubber(s3) as stubber:
        stubber.add_client_error("head_bucket", "503", "Slow Down", 503)
        with pytest.raises(ClientError, match="503"):
            bucket_exists(context, NAME)


def test_keys_are_listed_and_a_bucket_that_is_not_there_has_none(context: Context, s3: Any) -> None:
    assert list(list_keys(context, NAME, "datasets/")) == []
    create_bucket(context, NAME)
    s3.put_object(Bucket=NAME, Key="datasets/1/manifest.json", Body=b"{}")
    s3.put_object(Bucket=NAME, Key="models/1", Body=b"")
    assert list(list_keys(context, NAME, "datasets/")) == ["datasets/1/manifest.json"]
