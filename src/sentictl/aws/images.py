"""Addresses of AWS's containers for training and serving, and until when AWS patches them.

`sagemaker.core.image_uris` takes 2.4 s to import (pandas, scipy), so the tables inside that package are read directly;
a test holds the two against each other.
"""

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

from sentictl.assets.installed import pip
from sentictl.aws.regions import dns_suffix
from sentictl.config.instance_types import has_gpu, is_graviton
from sentictl.errors import AwsError

Scope = Literal["training", "inference"]

# The newest versions that both toolkits' script mode knows, pinned to the patch release so that a job can be repeated.
VERSIONS: dict[Scope, str] = {"training": "2.10.0", "inference": "2.6.0"}
# The newest in the table. AWS puts its patches under the tag of a minor version, whose packages stay what they are.
RAY_SERVE_VERSION = "1.4"
# The newest in the table, by the version of Spark and of Python; AWS puts its patches under the same tag.
SPARK_VERSION, SPARK_PYTHON = "3.5", "py312"
ON_GRAVITON = "inference_graviton"  # what the table calls the images for ARM processors; SageMaker trains on none


@dataclass(frozen=True)
class Age:
    """How old an image of AWS's is.

    Attributes:
        released: the day of its version.
        patched_until: the day until which AWS mends holes in it; None where AWS names none.
    """

    released: date
    patched_until: date | None


# By the beginning of what follows an image's registry.
# https://aws.github.io/deep-learning-containers/reference/support_policy, read on 2026-11-29, which has no Ray Serve;
# the day of that is in the news of https://github.com/aws/deep-learning-containers.
AGES = {
    "pytorch-training:2.10.": Age(date(2026, 1, 21), date(2027, 1, 21)),
    "pytorch-inference:2.6.": Age(date(2025, 1, 29), date(2026, 6, 30)),
    "pytorch-inference-arm64:2.6.": Age(date(2025, 1, 29), date(2026, 6, 30)),
    "ray:serve-ml-sagemaker-cpu-v1.4": Age(date(2026, 8, 12), None),
}


def pytorch_image(scope: Scope, region: str, instance_type: str) -> str:
    """The image URI of AWS's PyTorch container.

    Args:
        scope: what the container is for.
        region: the AWS region that it is pulled in.
        instance_type: the machine, such as "ml.m5.large"; those with a GPU or a Graviton processor get images of their
            own. It is one that the settings allow for this.

    Raises:
        AwsError: AWS publishes no such image in that region.
    """
    version = VERSIONS[scope]
    graviton = is_graviton(instance_type)
    entry = _table("pytorch")[ON_GRAVITON if graviton else scope]["versions"][version]
    kind = f"PyTorch {version} {scope} image{' for Graviton processors' if graviton else ''}"
    processor = "gpu" if has_gpu(instance_type) else "cpu"
    tag = f"{version}-{processor}-{entry['py_versions'][-1]}"
    if processor in entry.get("container_version", {}):
        tag += f"-{entry['container_version'][processor]}-sagemaker"
    return f"{_repository(entry, region, kind)}:{tag}"


def ray_serve_image(region: str) -> str:
    """The image URI of AWS's Ray Serve container for x86 processors, on which the model answers on every machine.

    Args:
        region: the AWS region that it is pulled in.

    Raises:
        AwsError: AWS publishes no such image in that region.
    """
    entry = _table("ray-serve")["versions"][RAY_SERVE_VERSION]
    repository = _repository(entry, region, f"Ray Serve {RAY_SERVE_VERSION} image")
    return f"{repository}:{entry['tag_prefix']}-{entry['container_version']['cpu']}"


def spark_image(region: str) -> str:
    """The image URI of AWS's Spark container for processing jobs.

    Args:
        region: the AWS region that it is pulled in.

    Raises:
        AwsError: AWS publishes no such image in that region.
    """
    entry = _table("spark")["processing"]["versions"][SPARK_VERSION]
    repository = _repository(entry, region, f"Spark {SPARK_VERSION} image")
    return f"{repository}:{SPARK_VERSION}-cpu-{SPARK_PYTHON}"


def age_of(image: str) -> Age | None:
    """Return how old an image is, given its URI; None where it is none of AWS's that are known here."""
    named = image.partition("/")[2]
    return next((age for start, age in AGES.items() if named.startswith(start)), None)


def _repository(entry: Mapping[str, Any], region: str, kind: str) -> str:
    """Return where the images of an entry of a table are in a region.

    Args:
        entry: a version's.
        region: the AWS region.
        kind: what the images are, for the refusal where there are none.
    """
    registry = entry["registries"].get(region)
    if registry is None:
        raise AwsError(
            f"AWS publishes no {kind} in {region}.",
            f"Choose one of these regions: {', '.join(sorted(entry['registries']))}.",
        )
    return f"{registry}.dkr.ecr.{region}.{dns_suffix(region)}/{entry['repository']}"


@cache
def _table(name: str) -> dict[str, Any]:
    # Not the spec of sagemaker.core itself: looking for that one imports it all.
    spec = importlib.util.find_spec("sagemaker")
    if spec is None or spec.submodule_search_locations is None:
        raise AwsError("The package sagemaker-core is not installed.", f"Install it: {pip('sagemaker-core')}")
    path = Path(next(iter(spec.submodule_search_locations))) / "core" / "image_uri_config" / f"{name}.json"
    table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return table
