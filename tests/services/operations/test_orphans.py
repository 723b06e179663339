"""What is left with the project's tags, against moto."""

import pytest
from botocore.stub import Stubber

from sentictl.config.state import Record
from sentictl.lifecycle.resource import Context
from sentictl.services.operations.orphans import find_orphans
from sentictl.services.resources.endpoint import Endpoint
from sentictl.services.resources.storage import Bucket
from tests.services.conftest import MOTO_ACCOUNT, ContextOf


@pytest.fixture
def context(moto_context_of: ContextOf) -> Context:
    return moto_context_of('[project]\nname = "films"\n')


def tagged_bucket(context: Context, name: str, project: str) -> str:
    client = context.environment.client("s3")
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    tags = context.naming.tags | {"sentictl:project": project}
    tag_set = [{"Key": key, "Value": value} for key, value in tags.items()]
    client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_set})
    return f"arn:aws:s3:::{name}"


def test_what_carries_the_tags_is_told_and_nothing_else_is(context: Context) -> None:
    arn = tagged_bucket(context, "forgotten", "films")
    tagged_bucket(context, "somebody-elses", "songs")
    assert find_orphans(context, [Bucket(context)], []) == [{"kind": "s3", "name": "forgotten", "arn": arn}]


def test_what_was_deleted_just_now_is_not_told(context: Context) -> None:
    arn = tagged_bucket(context, "gone", "films")
    assert find_orphans(context, [Bucket(context)], [Record("bucket", "gone", arn)]) == []


def test_what_the_service_of_tags_remembers_and_sagemaker_does_not_have_is_not_told(context: Context) -> None:
    arn = f"arn:aws:sagemaker:eu-west-1:{MOTO_ACCOUNT}:endpoint/films-local-endpoint"
    remembered = {"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": []}]}
    with Stubber(context.environment.client("resourcegroupstaggingapi")) as stubber:
        stubber.add_response("get_resources", remembered)
        assert find_orphans(context, [Endpoint(context)], []) == []
