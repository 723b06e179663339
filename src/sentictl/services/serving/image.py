"""What the endpoint's container is made from, and the leave of the execution role to pull it."""

from typing import Any

from sentictl.aws.images import pytorch_image, ray_serve_image
from sentictl.aws.names import digest_of
from sentictl.aws.regions import dns_suffix
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.images import PYTORCH, RAY_SERVE, EcrImage, parse
from sentictl.errors import SettingsError
from sentictl.lifecycle.resource import Context
from sentictl.services.iam.execution_policy import ExecutionPolicy
from sentictl.services.resources.sagemaker import has_endpoint

PULLING = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
SERVERLESS_MACHINE = "ml.m5.large"  # its like: serverless inference has no GPUs and no Graviton processors


class ImageAccess(ExecutionPolicy):
    """The leave to pull the image that the endpoint is made from.

    The role's own policy has AWS's PyTorch images. Another image is another policy, so that the endpoint that is being
    replaced can pull its own for as long as it stands.
    """

    kind = "image-access"

    @property
    def name(self) -> str:
        return self.context.naming.name(f"image-{digest_of(self.document())}")

    @property
    def wanted(self) -> bool:
        return has_endpoint(self.context) and self.context.settings.deploy.image != PYTORCH

    def statements(self) -> list[dict[str, Any]]:
        image = _in_registry(image_uri(self.context))
        place = f"{self.context.environment.partition}:ecr:{image.region}:{image.account}"
        statement = {
            "Sid": "PullTheImage",
            "Effect": "Allow",
            "Action": PULLING,
            "Resource": f"arn:{place}:repository/{image.repository}",
        }
        return [statement]


def image_uri(context: Context) -> str:
    """Return the URI of the image that the settings ask for.

    Raises:
        AwsError: AWS publishes no such image in the environment's region.
        SettingsError: the image is one in another region.
    """
    image, region = context.settings.deploy.image, context.environment.region
    if image == PYTORCH:
        return pytorch_image("inference", region, machine(context))
    if image == RAY_SERVE:
        return ray_serve_image(region)
    _check_region(context, _in_registry(image))
    return image


def machine(context: Context) -> str:
    """Return the instance type that the container is made for."""
    deploy = context.settings.deploy
    return SERVERLESS_MACHINE if deploy.serving == "serverless" else deploy.instance_type


def account_warning(context: Context) -> str:
    """Tell that the image is another account's, which has to share it; empty where it is this one's, or AWS's."""
    image = parse(context.settings.deploy.image)
    if image is None or image.account == context.environment.account:
        return ""
    return (
        f"The image is in the registry of the account {image.account}: the policy of its repository "
        f"{image.repository} has to let the account {context.environment.account} pull it"
    )


def _check_region(context: Context, image: EcrImage) -> None:
    region, environment = context.environment.region, context.environment.name
    if (image.region, image.suffix) == (region, dns_suffix(region)):
        return
    there = f"{image.account}.dkr.ecr.{region}.{dns_suffix(region)}/{image.repository}{image.version}"
    raise SettingsError(
        f"The image {context.settings.deploy.image} cannot be pulled in {region}, the region of the environment "
        f"{environment}: SageMaker takes images from the endpoint's own region.",
        f"Push it to {there} as well, then: sentictl deploy --image {there}{env_option(environment, default=LOCAL)}",
    )


def _in_registry(uri: str) -> EcrImage:
    image = parse(uri)
    if image is None:
        raise ValueError(f"{uri} is no image in a registry of Amazon ECR")
    return image
