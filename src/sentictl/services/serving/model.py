"""The model: a training job's artifact together with the container that serves it."""

from collections.abc import Mapping
from typing import Any

from sentictl.aws.images import pytorch_image
from sentictl.aws.lookup import if_there
from sentictl.aws.names import digest_of
from sentictl.config.images import PYTORCH, RAY_SERVE
from sentictl.config.state import Record
from sentictl.errors import MissingStepError, ModelError
from sentictl.lifecycle.resource import Actions, Context, Entries, LiveResource
from sentictl.services.iam.roles import ExecutionRole
from sentictl.services.resources.artifacts import fetch_artifact
from sentictl.services.resources.sagemaker import MADE_OF, DigestNamed, has_endpoint
from sentictl.services.resources.training import TrainingJob, version_of
from sentictl.services.serving.image import image_uri

# What does without a version that a setting names and that there is not.
WITHOUT = {
    "deploy.model": "serve the newest: sentictl deploy --model latest",
    "deploy.shadow": "do without a shadow: sentictl deploy --shadow off",
}
DEPLOYMENT = "deployment.py"  # what the Ray Serve image runs of an artifact, as its config.yaml says


class Model(DigestNamed):
    """The artifact together with the container that serves it. Never changes: another artifact is another model."""

    kind = "model"
    command = "deploy"
    actions = Actions(
        read="sagemaker:DescribeModel sagemaker:ListModels sagemaker:ListTags",
        create="sagemaker:CreateModel sagemaker:AddTags iam:PassRole",
        delete="sagemaker:DeleteModel",
        unscoped="sagemaker:ListModels",
    )
    named_by = ("name", "ModelName")
    operation, listed, listed_name = "list_models", "Models", "ModelName"

    @property
    def name(self) -> str:
        return self.named_for(digest_of(self.container()))

    @property
    def wanted(self) -> bool:
        return has_endpoint(self.context)

    def read(self, name: str) -> LiveResource | None:
        model = if_there(self.context.environment.client("sagemaker").describe_model, ModelName=name)
        if model is None:
            return None
        made_of = {MADE_OF: digest_of(_container_of(model))} if self.of_schedule(name) else {}
        return LiveResource(model["ModelArn"], attributes={**self._recorded(model), **made_of})

    def create(self) -> None:
        self.context.environment.client("sagemaker").create_model(
            ModelName=self.name,
            PrimaryContainer=self.container(),
            ExecutionRoleArn=ExecutionRole(self.context).arn,
            Tags=self.context.naming.tag_list(),
        )

    def delete(self, record: Record) -> None:
        if_there(self.context.environment.client("sagemaker").delete_model, ModelName=record.name)

    def cloudformation(self) -> Entries:
        properties = {
            "ModelName": self.name,
            "PrimaryContainer": self.container(),
            "ExecutionRoleArn": ExecutionRole(self.context).arn,
        }
        return self.entry("AWS::SageMaker::Model", properties)

    @property
    def version(self) -> Record:
        """The record of the training job whose artifact it has."""
        return trained(self.context)

    @property
    def image(self) -> str:
        """The URI of its image."""
        return image_uri(self.context)

    def container(self) -> dict[str, Any]:
        """Return the image, the artifact, and what the image is told besides."""
        return {
            "Image": self.image,
            "ModelDataUrl": self.version.attributes["artifact"],
            "Environment": self._variables(),
        }

    def _recorded(self, model: Mapping[str, Any]) -> Mapping[str, str]:  # noqa: ARG002  (nothing of the served one)
        """Return what is recorded of it, from its description."""
        return {}

    def _variables(self) -> dict[str, str]:
        image = self.context.settings.deploy.image if has_endpoint(self.context) else PYTORCH
        if image == PYTORCH:  # how it finds the script in the artifact
            return {
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
                "SAGEMAKER_REGION": self.context.environment.region,
            }
        # Ray reports its use to its makers unless it is told not to, and of lines of several replicas that differ in
        # numbers alone it shows one: https://docs.ray.io/en/latest, cluster/usage-stats, ray-observability/ray-logging.
        return {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0"} if image == RAY_SERVE else {}


def _container_of(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return of a described model what `container` says of one."""
    told = model["PrimaryContainer"]
    return {"Image": told["Image"], "ModelDataUrl": told["ModelDataUrl"], "Environment": told.get("Environment", {})}


def check_images(context: Context) -> None:
    """Make sure that the region has what the whole chain runs in, before a model is trained that nothing there serves.

    Raises:
        AwsError: AWS publishes no image for training, or none for the endpoint, in that region.
        SettingsError: the endpoint's image is one in another region.
    """
    settings, region = context.settings, context.environment.region
    pytorch_image("training", region, settings.train.instance_type)
    if has_endpoint(context):
        image_uri(context)


def check_model_fits(context: Context, version: Record | None = None) -> None:
    """Refuse to serve a model from AWS's Ray Serve image that was trained before there was anything in it to run there.

    Args:
        context: the project and environment.
        version: the record of its training job; by default that of the model that is to be served.

    Raises:
        ModelError: says so, and what serves it.
        MissingStepError: nothing was trained yet.
    """
    if context.settings.deploy.image != RAY_SERVE or not has_endpoint(context):
        return
    record = version or trained(context)
    if not (fetch_artifact(context, record.name, record.attributes["artifact"]) / DEPLOYMENT).is_file():
        raise ModelError(
            f"The model {record.name} has no {DEPLOYMENT}, which AWS's Ray Serve image runs: it is from before there "
            "was one, or made by a sentimodel of the project's own.",
            f"Serve it from another image: sentictl deploy --image {PYTORCH}, or train it again: sentictl train",
        )


def trained(context: Context) -> Record:
    """Return the record of the training job whose artifact is to be served.

    Raises:
        MissingStepError: nothing was trained yet, the job was not followed to its end, or the settings name one that
            there is not.
    """
    chosen = context.settings.deploy.model
    return finished(named(context, "deploy.model", chosen) if chosen else context.recorded(TrainingJob))


def finished(record: Record) -> Record:
    """Return the record of a training job, if it has made an artifact.

    Raises:
        MissingStepError: it was not followed to its end.
    """
    if "artifact" not in record.attributes:
        raise MissingStepError(
            f"The training job {record.name} has not finished.", "Follow it to its end with: sentictl train"
        )
    return record


def named(context: Context, setting: str, name: str) -> Record:
    """Return the record of the training job that a setting names.

    Raises:
        MissingStepError: there is none.
    """
    jobs = {record.name: record for record in context.state.of_kind(TrainingJob.kind)}
    record = jobs.get(name) or version_of(context.state, name)
    if record:
        return record
    raise MissingStepError(
        f"The setting {setting} names {name}, which is no model of the environment {context.environment.name}.",
        f"See which there are: sentictl models, or {WITHOUT[setting]}",
    )
