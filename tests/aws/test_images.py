"""The image table, read directly, against the SDK's own look-up."""

import json
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import boto3
import botocore.loaders
import pytest
import sagemaker.core
from sagemaker.core import image_uris

from sentictl.aws.images import VERSIONS, pytorch_image
from sentictl.errors import AwsError

Scope = Literal["training", "inference"]
MACHINES = {"cpu": "ml.m5.xlarge", "gpu": "ml.g5.xlarge", "older gpu": "ml.p3.2xlarge"}
TABLES = Path(next(iter(sagemaker.core.__path__))) / "image_uri_config"


def regions() -> list[str]:
    """Every region that botocore, or any table of the SDK's images, knows."""
    session = boto3.Session()
    named = {
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("sagemaker", partition_name=partition)
    }
    table = json.loads((TABLES / "pytorch.json").read_text(encoding="utf-8"))
    for scope in get_args(Scope):
        for version in table[scope]["versions"].values():
            named.update(version["registries"])
    return sorted(named)


@pytest.fixture(scope="module", autouse=True)
def _tables_read_once() -> object:
    """The SDK reads botocore's table of endpoints again for every image, which takes nearly all of its time."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(botocore.loaders, "create_loader", cache(botocore.loaders.create_loader))
        yield


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("scope", get_args(Scope))
def test_in_every_region_the_image_is_the_one_that_the_sdk_names(scope: Scope, machine: str) -> None:
    found = {region: ours(scope, region, MACHINES[machine]) for region in regions()}
    assert found == {region: the_sdks(scope, region, MACHINES[machine]) for region in found}
    assert len(set(found.values()) - {""}) > 30


def test_a_region_without_the_image_is_named_with_those_that_have_it() -> None:
    with pytest.raises(AwsError, match="mars-1") as refusal:
        pytorch_image("training", "mars-1", "ml.m5.large")
    assert "us-east-1" in refusal.value.hint


def ours(scope: Scope, region: str, machine: str) -> str:
    """The image's URI, or nothing where it is refused."""
    try:
        return pytorch_image(scope, region, machine)
    except AwsError:
        return ""


def the_sdks(scope: Scope, region: str, machine: str) -> str:
    """The same, from the SDK."""
    try:
        found = image_uris.retrieve(
            "pytorch", region, version=VERSIONS[scope], instance_type=machine, image_scope=scope
        )
    except ValueError as refusal:
        if "Unsupported region" not in str(refusal):
            raise
        return ""
    return str(found)
