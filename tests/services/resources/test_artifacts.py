"""Model artifacts on their way to this machine."""

import pytest

from sentictl.errors import ModelError
from sentictl.services.resources.artifacts import fetch_artifact
from tests.services.conftest import ContextOf

FILMS = '[project]\nname = "films"\n'


def test_an_artifact_that_is_no_archive_leaves_nothing_behind(moto_context_of: ContextOf) -> None:
    context = moto_context_of(FILMS)
    s3 = context.environment.client("s3")
    s3.create_bucket(Bucket="films", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="films", Key="model.tar.gz", Body=b"no archive")
    with pytest.raises(ModelError, match=r"s3://films/model\.tar\.gz cannot be unpacked: Not a gzipped file") as caught:
        fetch_artifact(context, "films-1", "s3://films/model.tar.gz")
    assert "sentictl models" in caught.value.hint
    assert list(context.config.folder.models.iterdir()) == []
