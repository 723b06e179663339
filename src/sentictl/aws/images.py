"""Addresses of AWS's PyTorch containers.

`sagemaker.core.image_uris` takes 2.4 s to import (pandas, scipy), so the table inside that package is read directly;
a test holds the two against each other.
"""

import importlib.util
import json
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
# Until when AWS patches them: https://aws.github.io/deep-learning-containers/reference/support_policy
PATCHED_UNTIL: dict[Scope, str] = {"training": "2027-01-21", "inference": "2026-06-30"}
ON_GRAVITON = "inference_graviton"  # what the table calls the images for ARM processors; SageMaker trains on none


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
    entry = _table()[ON_GRAVITON if graviton else scope]["versions"][version]
    registry = entry["registries"].get(region)
    if registry is None:
        kind = f"{scope} image for Graviton processors" if graviton else f"{scope} image"
        raise AwsError(
            f"AWS publishes no PyTorch {version} {kind} in {region}.",
            f"Choose one of these regions: {', '.join(sorted(entry['registries']))}.",
        )
    processor = "gpu" if has_gpu(instance_type) else "cpu"
    tag = f"{version}-{processor}-{entry['py_versions'][-1]}"
    if processor in entry.get("container_version", {}):
        tag += f"-{entry['container_version'][processor]}-sagemaker"
    return f"{registry}.dkr.ecr.{region}.{dns_suffix(region)}/{entry['repository']}:{tag}"


@cache
def _table() -> dict[str, Any]:
    # Not the spec of sagemaker.core itself: looking for that one imports it all.
    spec = importlib.util.find_spec("sagemaker")
    if spec is None or spec.submodule_search_locations is None:
        raise AwsError("The package sagemaker-core is not installed.", f"Install it: {pip('sagemaker-core')}")
    path = Path(next(iter(spec.submodule_search_locations))) / "core" / "image_uri_config" / "pytorch.json"
    table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return table
