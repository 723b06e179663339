"""Which images the twin stands in for."""

from pathlib import Path

import pytest

from sentictl.aws.images import pytorch_image, ray_serve_image
from sentictl.twin.sagemaker.images.stand_ins import UnknownImageError, stand_in

MIRROR = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("image", "program"),
    [
        (pytorch_image("inference", "eu-west-1", "ml.m5.large"), "pytorch_inference.py"),
        (pytorch_image("inference", "eu-west-1", "ml.c7g.large"), "pytorch_inference.py"),
        (f"{MIRROR}/mirror/pytorch-inference@sha256:{'0' * 64}", "pytorch_inference.py"),
        (ray_serve_image("cn-north-1"), "ray_serve.py"),
        (f"{MIRROR}/mirror/ray:serve-ml-sagemaker-cpu-v1", "ray_serve.py"),
    ],
)
def test_aws_images_are_stood_in_for_from_whichever_registry(image: str, program: str) -> None:
    assert Path(stand_in(image)).name == program


@pytest.mark.parametrize("image", ["", f"{MIRROR}/reviews:1", f"{MIRROR}/ray:2.60", f"{MIRROR}/my-pytorch:1"])
def test_others_are_refused_with_what_to_do(image: str) -> None:
    with pytest.raises(UnknownImageError, match=r"runs no containers.*sentictl config set deploy\.image pytorch"):
        stand_in(image)
