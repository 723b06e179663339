"""What is left with the project's tags, against moto."""

import pytest
from botocore.stub import Stubber

from sentictl.api import stack
from sentictl.lifecycle.resource import Context
from sentictl.services.operations.orphans import find_orphans
from tests.services.conftest import MOTO_ACCOUNT, ContextOf

OURS = "0123456789ab"


@pytest.fixture
def context(moto_context_of: ContextOf) -> Context:
    return moto_context_of(f'[project]\nname = "films"\nid = "{OURS}"\n')


def tagged_bucket(context: Context, name: str, project: str, project_id: str = OURS) -> str:
    client = context.environment.client("s3")
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    tags = context.naming.tags | {"sentictl:project": project, "sentictl:project-id": project_id}
    tag_set = [{"Key": key, "Value": value} for key, value in tags.items()]
    client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_set})
    return f"arn:aws:s3:::{name}"


def test_what_carries_the_tags_is_told_and_nothing_else_is(context: Context) -> None:
    arn = tagged_bucket(context, "forgotten", "films")
    tagged_bucket(context, "somebody-elses", "songs")
    tagged_bucket(context, "of-the-same-name", "films", "ba9876543210")
    assert find_orphans(context, stack.resources(context)) == [{"kind": "s3", "name": "forgotten", "arn": arn}]


@pytest.mark.parametrize(
    "resource",
    [
        "sagemaker:eu-west-1:{account}:endpoint/films-local-endpoint",
        "sagemaker:eu-west-1:{account}:endpoint-config/films-local-0123456789ab",
        "sagemaker:eu-west-1:{account}:model/films-local-0123456789ab",
        "sagemaker:eu-west-1:{account}:training-job/films-local-0123456789ab",
        "sagemaker:eu-west-1:{account}:notebook-instance/films-local-notebook",
        "lambda:eu-west-1:{account}:function:films-local-predict",
        "logs:eu-west-1:{account}:log-group:/aws/lambda/films-local-predict",
        "logs:eu-west-1:{account}:log-group:/aws/sagemaker/Endpoints/films-local-endpoint:*",
        "apigateway:eu-west-1::/restapis/a1b2c3d4e5",
        "apigateway:eu-west-1::/restapis/a1b2c3d4e5/stages/prod",
        "s3:::films-local-{account}",
        "s3:::films-local-{account}-site",
    ],
)
def test_what_is_gone_and_listed_for_hours_still_is_not_called_left(context: Context, resource: str) -> None:
    arn = f"arn:aws:{resource.format(account=MOTO_ACCOUNT)}"
    listed = {"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": context.naming.tag_list()}]}
    with Stubber(context.environment.client("resourcegroupstaggingapi")) as stubber:
        stubber.add_response("get_resources", listed)
        assert find_orphans(context, stack.resources(context)) == []


def test_what_is_of_a_kind_that_sentictl_never_makes_is_left(context: Context) -> None:
    arn = f"arn:aws:dynamodb:eu-west-1:{MOTO_ACCOUNT}:table/films"
    listed = {"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": context.naming.tag_list()}]}
    with Stubber(context.environment.client("resourcegroupstaggingapi")) as stubber:
        stubber.add_response("get_resources", listed)
        assert [left["arn"] for left in find_orphans(context, stack.resources(context))] == [arn]
