"""The image table, read directly, against the SDK's own look-up."""

import pytest
from sagemaker.core import image_uris

from sentictl.aws.images import VERSIONS, pytorch_image
from sentictl.errors import AwsError


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "ap-northeast-1", "cn-north-1", "us-gov-west-1"])
@pytest.mark.parametrize(
    ("scope", "instance_type"),
    [
        ("training", "ml.m5.xlarge"),
        ("training", "ml.g5.xlarge"),
        ("inference", "ml.m5.large"),
        ("inference", "ml.p3.2xlarge"),
    ],
)
def test_the_image_is_the_one_that_the_sdk_names(scope: str, instance_type: str, region: str) -> None:
    expected = image_uris.retrieve(
        "pytorch", region, version=VERSIONS[scope], instance_type=instance_type, image_scope=scope
    )
    assert pytorch_image(scope, region, instance_type) == expected  # type: ignore[arg-type]  # parametrized


def test_a_region_without_the_image_is_named_with_those_that_have_it() -> None:
    with pytest.raises(AwsError, match="mars-1") as refusal:
        pytorch_image("training", "mars-1", "ml.m5.large")
    assert "us-east-1" in refusal.value.hint
