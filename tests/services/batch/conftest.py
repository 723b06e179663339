"""A project with a model on moto, whose bucket is there."""

import pytest

from sentictl.config.state import Record
from sentictl.lifecycle.resource import Context
from tests.services.conftest import ContextOf

REGION = "eu-west-1"


@pytest.fixture
def context(moto_context_of: ContextOf) -> Context:
    made = moto_context_of('[project]\nname = "films"\nid = "0123456789ab"\n')
    made.environment.client("s3").create_bucket(
        Bucket=made.naming.bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    tags = [{"Key": key, "Value": value} for key, value in made.naming.tags.items()]
    made.environment.client("s3").put_bucket_tagging(Bucket=made.naming.bucket, Tagging={"TagSet": tags})
    attributes = {"artifact": f"s3://{made.naming.bucket}/models/a/output/model.tar.gz"}
    made.state.keep(Record("training-job", "films-local-a", "arn", attributes))
    script = made.config.folder.models / "films-local-a" / "code" / "inference.py"
    script.parent.mkdir(parents=True)
    script.write_text('JSON_LINES = "application/jsonlines"\n')
    return made
