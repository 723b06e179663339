"""The image table, read directly, against the SDK's own look-up."""

import json
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import boto3
import botocore.loaders
import pytest

from sentictl.aws.images import RAY_SERVE_VERSION, VERSIONS, Scope, age_of, pytorch_image, ray_serve_image
from sentictl.config.instance_types import Use, family, usable_instance_types
from sentictl.errors import AwsError

MACHINES: dict[str, tuple[Scope, str]] = {
    "cpu": ("training", "ml.m5.xlarge"),
    "gpu": ("training", "ml.g5.xlarge"),
    "cpu to serve": ("inference", "ml.m5.xlarge"),
    "gpu to serve": ("inference", "ml.g5.xlarge"),
    "older gpu to serve": ("inference", "ml.p3.2xlarge"),
    "graviton to serve": ("inference", "ml.c7g.large"),
}
# Graviton families that the SDK names the image for x86 processors for: findings/sdk-graviton-images.sh
WRONG_IN_THE_SDK = {"c8g", "m8g", "r7gd", "r8g"}
SDK = find_spec("sagemaker")
assert SDK is not None
assert SDK.submodule_search_locations is not None
TABLES = Path(SDK.submodule_search_locations[0]) / "core" / "image_uri_config"


def regions() -> list[str]:
    """Every region that botocore, or any table of the SDK's images, knows."""
    session = boto3.Session()
    named = {
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("sagemaker", partition_name=partition)
    }
    table = json.loads((TABLES / "pytorch.json").read_text(encoding="utf-8"))
    ray = json.loads((TABLES / "ray-serve.json").read_text(encoding="utf-8"))
    for entries in (*(table[scope] for scope in get_args(Scope)), ray):
        for version in entries["versions"].values():
            named.update(version["registries"])
    return sorted(named)


@pytest.fixture(scope="module", autouse=True)
def _tables_read_once() -> object:
    """The SDK reads botocore's table of endpoints again for every image, which takes nearly all of its time."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(botocore.loaders, "create_loader", cache(botocore.loaders.create_loader))
        yield


@pytest.mark.parametrize("machine", MACHINES)
def test_in_every_region_the_image_is_the_one_that_the_sdk_names(machine: str) -> None:
    scope, instance_type = MACHINES[machine]
    found = {region: ours(scope, region, instance_type) for region in regions()}
    assert found == {region: the_sdks(scope, region, instance_type) for region in found}
    assert len(set(found.values()) - {""}) > 30


@pytest.mark.parametrize(("scope", "use"), [("training", "train"), ("inference", "deploy")])
def test_for_every_machine_the_image_is_the_one_that_the_sdk_names_or_the_right_one(scope: Scope, use: Use) -> None:
    machines = [name for name, uses in usable_instance_types().items() if use in uses]
    assert len(machines) > 150
    for name in machines:
        image = pytorch_image(scope, "eu-west-1", name)
        if family(name) in WRONG_IN_THE_SDK:
            assert "/pytorch-inference-arm64:2.6.0-cpu-" in image, name
            assert "arm64" not in the_sdks(scope, "eu-west-1", name), f"the SDK is right about {name} now"
        else:
            assert image == the_sdks(scope, "eu-west-1", name), name


def test_a_region_without_the_image_for_graviton_says_so() -> None:
    with pytest.raises(AwsError, match=r"no PyTorch 2\.6\.0 inference image for Graviton processors in mars-1"):
        pytorch_image("inference", "mars-1", "ml.c7g.large")


def test_a_region_without_the_image_is_named_with_those_that_have_it() -> None:
    with pytest.raises(AwsError, match="mars-1") as refusal:
        pytorch_image("training", "mars-1", "ml.m5.large")
    assert "us-east-1" in refusal.value.hint


def test_in_every_region_the_ray_serve_image_is_the_one_that_the_sdk_names() -> None:
    found = {region: or_nothing(ray_serve_image, region) for region in regions()}
    assert found == {region: the_sdks_ray_serve(region) for region in found}
    assert found["cn-north-1"].endswith(".amazonaws.com.cn/ray:serve-ml-sagemaker-cpu-v1.4")
    assert len(set(found.values()) - {""}) > 40


def test_a_region_without_the_ray_serve_image_is_named_with_those_that_have_it() -> None:
    with pytest.raises(AwsError, match=r"no Ray Serve 1\.4 image in mars-1") as refusal:
        ray_serve_image("mars-1")
    assert "eu-west-1" in refusal.value.hint


@pytest.mark.parametrize("machine", MACHINES)
def test_the_age_of_every_pytorch_image_is_known(machine: str) -> None:
    scope, instance_type = MACHINES[machine]
    age = age_of(pytorch_image(scope, "eu-west-1", instance_type))
    assert age is not None
    assert age.patched_until is not None
    assert age.released < age.patched_until


def test_the_age_of_the_ray_serve_image_is_known_and_of_others_not() -> None:
    assert age_of(ray_serve_image("eu-west-1")) is not None
    assert age_of("111122223333.dkr.ecr.eu-west-1.amazonaws.com/reviews:1") is None


def ours(scope: Scope, region: str, machine: str) -> str:
    """The image's URI, or nothing where it is refused."""
    return or_nothing(pytorch_image, scope, region, machine)


def or_nothing(image: Callable[..., str], *where: str) -> str:
    """What a function returns, or nothing where it refuses."""
    try:
        return image(*where)
    except AwsError:
        return ""


def the_sdks(scope: Scope, region: str, machine: str) -> str:
    """The same, from the SDK, which takes seconds to import."""
    pytorch = {"framework": "pytorch", "version": VERSIONS[scope], "instance_type": machine, "image_scope": scope}
    return retrieved(region, **pytorch)


def the_sdks_ray_serve(region: str) -> str:
    return retrieved(region, framework="ray-serve", version=RAY_SERVE_VERSION, instance_type="ml.m5.large")


def retrieved(region: str, **which: str) -> str:
    """What the SDK names; nothing where it knows no such region."""
    from sagemaker.core import image_uris

    try:
        return str(image_uris.retrieve(region=region, **which))
    except ValueError as refusal:
        if "Unsupported region" not in str(refusal):
            raise
        return ""
