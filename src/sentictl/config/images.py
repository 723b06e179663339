"""What an endpoint's container is made from: one of AWS's images, or one of somebody's own in Amazon ECR."""

import re
from dataclasses import dataclass

from sentictl.config.instance_types import has_gpu, is_graviton

PYTORCH, RAY_SERVE = "pytorch", "ray-serve"  # AWS's own, by the names that settings have for them
LONGEST = 255  # characters of an image in CreateModel, as botocore's model of it says
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html, and the names that docker takes.
URI = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.(?P<suffix>[a-z0-9.-]+)/"
    r"(?P<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
    r"(?P<version>:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})"
)


@dataclass(frozen=True)
class EcrImage:
    """Where an image is.

    Attributes:
        account: the id of the account whose registry it is in.
        region: that of the registry.
        suffix: the end of the registry's host name, such as "amazonaws.com".
        repository: its name there.
        version: the tag or the digest, with what begins it, such as ":1".
    """

    account: str
    region: str
    suffix: str
    repository: str
    version: str


def parse(uri: str) -> EcrImage | None:
    """Read the URI of an image in a private registry of Amazon ECR, with a tag or a digest; None where it is none."""
    found = URI.fullmatch(uri) if len(uri) <= LONGEST else None
    return EcrImage(**found.groupdict()) if found else None


def refusal(image: str) -> str:
    """Return why an endpoint cannot have this image; empty where it can."""
    if image in (PYTORCH, RAY_SERVE) or parse(image):
        return ""
    return (
        f"it is {PYTORCH}, {RAY_SERVE}, or the URI of an image in Amazon ECR with a tag or a digest, such as "
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com/reviews:1"
    )


def refusal_on(image: str, instance_type: str) -> str:
    """Return why an image does not run on a machine, such as "ml.m5.large"; empty where it does, or nobody can know."""
    if image == RAY_SERVE and is_graviton(instance_type):
        return f"AWS has no such image for ARM processors, as {instance_type} has"
    return ""


def same_on(image: str, one: str, other: str) -> bool:
    """Return whether two machines take one container: AWS has another for GPUs, and nobody one for all processors."""
    alike = image not in (PYTORCH, RAY_SERVE) or has_gpu(one) == has_gpu(other)
    return alike and is_graviton(one) == is_graviton(other)
