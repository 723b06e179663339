"""The same model from AWS's other image, and an image that a local twin cannot run."""

import shutil
from typing import Any

from tests.chain.shell import Shell

OWN = "123456789012.dkr.ecr.us-east-1.amazonaws.com/reviews:1"
REVIEWS = ("superb, a delight", "dreadful and boring", "Très superb — 🎬")


def answers(live: Shell) -> list[Any]:
    return [live.json("predict", review, "--via", "endpoint", "--explain") for review in REVIEWS]


def image(live: Shell) -> str:
    """The image that the endpoint was made from, as SageMaker tells it."""
    (variant,) = live.client("sagemaker").describe_endpoint(EndpointName="toy-local-endpoint")["ProductionVariants"]
    return str(variant["DeployedImages"][0]["SpecifiedImage"])


def policies(live: Shell) -> list[str]:
    names: list[str] = live.client("iam").list_role_policies(RoleName="toy-local-sagemaker")["PolicyNames"]
    return names


def test_the_endpoint_moves_to_ray_serve_and_back_and_answers_the_same(live: Shell) -> None:
    before = answers(live)
    first, second, *_ = live.json("deploy", "--image", "ray-serve", "--dry-run")["steps"]
    assert (first["action"], first["kind"]) == ("create", "image-access")
    assert (second["action"], second["kind"]) == ("replace", "model")
    live.run("deploy", "--image", "ray-serve")
    assert "/ray:serve-ml-sagemaker-cpu-v1.4" in image(live)
    assert len(policies(live)) == 2
    assert answers(live) == before
    assert {step["action"] for step in live.json("plan")["steps"]} == {"keep"}
    live.run("deploy", "--image", "pytorch")
    assert "/pytorch-inference:" in image(live)
    assert policies(live) == ["sentictl"]
    assert answers(live) == before


def test_a_model_from_before_there_was_ray_serve_is_refused_before_anything_changes(live: Shell) -> None:
    artifact = (live.folder / ".sentictl" / "models" / "current-local").resolve()
    shutil.move(artifact / "deployment.py", live.folder / "kept.py")
    before = live.journal(), (live.folder / "sentictl.toml").read_bytes()
    error = live.json("deploy", "--image", "ray-serve", expect=1)["error"]
    assert "has no deployment.py" in error["message"]
    assert "sentictl deploy --image pytorch" in error["hint"]
    assert (live.journal(), (live.folder / "sentictl.toml").read_bytes()) == before
    shutil.move(live.folder / "kept.py", artifact / "deployment.py")


def test_an_image_in_another_region_is_refused_before_anything_changes(live: Shell) -> None:
    before = live.journal(), (live.folder / "sentictl.toml").read_bytes()
    error = live.json("deploy", "--image", OWN.replace("us-east-1", "eu-west-1"), expect=2)["error"]
    assert "us-east-1" in error["message"]
    assert OWN in error["hint"]
    live.run("deploy", "--image", "reviews:1", expect=2)
    assert (live.journal(), (live.folder / "sentictl.toml").read_bytes()) == before


def test_an_image_of_ones_own_is_refused_by_the_twin_and_the_endpoint_stays(live: Shell) -> None:
    error = live.json("deploy", "--image", OWN, expect=1)["error"]
    assert "a local twin runs no containers" in error["message"]
    assert "/pytorch-inference:" in image(live)
    live.run("deploy", "--image", "pytorch")
    assert policies(live) == ["sentictl"]
