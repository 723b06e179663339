"""The model: the artifact with what serves it."""

import pytest

from sentictl.config.state import Record
from sentictl.errors import AwsError, ModelError, SettingsError
from sentictl.lifecycle.resource import Context
from sentictl.services.serving.model import Model, check_images, check_model_fits
from tests.services.conftest import ACCOUNT, ContextOf

JOB = Record("training-job", "films-local-a", "arn", {"artifact": "s3://films/model.tar.gz"})
PYTORCH = {"SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY", "SAGEMAKER_CONTAINER_LOG_LEVEL", "SAGEMAKER_REGION"}
OWN = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/reviews:1"


def with_image(context_of: ContextOf, image: str) -> Context:
    context = context_of(f'[project]\nname = "films"\n[deploy]\nimage = "{image}"\n')
    context.state.keep(JOB)
    return context


@pytest.mark.parametrize(
    ("image", "variables"),
    [
        ("pytorch", PYTORCH),
        ("ray-serve", {"RAY_USAGE_STATS_ENABLED", "RAY_DEDUP_LOGS"}),
        (OWN, set()),
    ],
)
def test_each_image_is_told_what_it_needs(context_of: ContextOf, image: str, variables: set[str]) -> None:
    container = Model(with_image(context_of, image)).container()
    assert container["ModelDataUrl"] == JOB.attributes["artifact"]
    assert set(container["Environment"]) == variables


def test_another_image_is_another_model(context_of: ContextOf) -> None:
    assert len({Model(with_image(context_of, image)).name for image in ("pytorch", "ray-serve", OWN)}) == 3


def test_images_are_looked_for_before_anything_is_trained(context_of: ContextOf) -> None:
    check_images(with_image(context_of, "ray-serve"))
    with pytest.raises(SettingsError, match="cannot be pulled in eu-west-1"):
        check_images(with_image(context_of, OWN.replace("eu-west-1", "us-east-1")))


def test_a_function_that_has_the_model_needs_no_image_for_an_endpoint(context_of: ContextOf) -> None:
    context = with_image(context_of, OWN.replace("eu-west-1", "us-east-1"))
    context.config.change({"deploy.serving": "lambda"})
    check_images(context)


def test_a_model_from_before_ray_serve_is_refused_for_it_alone(context_of: ContextOf) -> None:
    context = with_image(context_of, "ray-serve")
    artifact = context.config.folder.models / JOB.name
    artifact.mkdir(parents=True)
    with pytest.raises(ModelError, match=r"films-local-a has no deployment\.py") as refusal:
        check_model_fits(context)
    assert "sentictl deploy --image pytorch" in refusal.value.hint
    (artifact / "deployment.py").touch()
    check_model_fits(context)
    check_model_fits(with_image(context_of, "pytorch"))


def test_a_region_without_the_image_is_told(context_of: ContextOf) -> None:
    context = with_image(context_of, "ray-serve")
    context.environment.region = "mars-1"
    with pytest.raises(AwsError, match="mars-1"):
        check_images(context)
