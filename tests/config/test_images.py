"""The images that an endpoint can be made from, as settings name them."""

import pytest

from sentictl.config.images import EcrImage, parse, refusal, refusal_on, same_on

REGISTRY = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
DIGEST = "@sha256:" + "0" * 64


@pytest.mark.parametrize("version", [":1", ":v1.2_x-3", DIGEST])
@pytest.mark.parametrize("repository", ["reviews", "team/reviews", "a.b/c-d__e"])
def test_an_image_in_ecr_is_read(repository: str, version: str) -> None:
    uri = f"{REGISTRY}/{repository}{version}"
    assert parse(uri) == EcrImage("111122223333", "eu-west-1", "amazonaws.com", repository, version)
    assert refusal(uri) == ""


def test_china_has_another_suffix() -> None:
    image = parse("727897471807.dkr.ecr.cn-north-1.amazonaws.com.cn/reviews:1")
    assert image is not None
    assert (image.region, image.suffix) == ("cn-north-1", "amazonaws.com.cn")


@pytest.mark.parametrize(
    "image",
    [
        "",
        "tensorflow",
        "Pytorch",
        "reviews:1",
        "docker.io/library/python:3.13",
        "public.ecr.aws/team/reviews:1",
        f"https://{REGISTRY}/reviews:1",
        f"{REGISTRY}/reviews",  # which of them?
        f"{REGISTRY}/reviews:",
        f"{REGISTRY}/reviews@sha256:1234",
        f"{REGISTRY}/Reviews:1",
        f"{REGISTRY}/reviews:1 ",
        f"{REGISTRY}/reviews:1\n",
        f"11112222333.{REGISTRY.partition('.')[2]}/reviews:1",
        f"{REGISTRY}/{'a' * 250}:1",
    ],
)
def test_anything_else_is_refused_with_an_example(image: str) -> None:
    assert parse(image) is None
    assert "dkr.ecr" in refusal(image)


def test_the_names_of_aws_images_are_taken() -> None:
    assert refusal("pytorch") == refusal("ray-serve") == ""


def test_ray_serve_is_for_x86_processors_alone() -> None:
    assert "ml.c7g.large" in refusal_on("ray-serve", "ml.c7g.large")
    assert refusal_on("ray-serve", "ml.g5.xlarge") == refusal_on("pytorch", "ml.c7g.large") == ""


@pytest.mark.parametrize(
    ("image", "one", "other", "same"),
    [
        ("pytorch", "ml.m5.large", "ml.c5.xlarge", True),
        ("pytorch", "ml.m5.large", "ml.g5.xlarge", False),
        ("ray-serve", "ml.m5.large", "ml.c7g.large", False),
        (f"{REGISTRY}/reviews:1", "ml.m5.large", "ml.g5.xlarge", True),
        (f"{REGISTRY}/reviews:1", "ml.m5.large", "ml.c7g.large", False),
    ],
)
def test_machines_that_take_one_image_can_stand_in_for_each_other(
    image: str, one: str, other: str, *, same: bool
) -> None:
    assert same_on(image, one, other) is same


def test_an_image_is_as_long_as_sagemaker_takes() -> None:
    address = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/"
    longest = f"{address}{'a' * (253 - len(address))}:1"
    assert len(longest) == 255
    assert parse(longest) is not None
    assert parse(longest + "0") is None
