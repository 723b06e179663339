"""The model: a training job's artifact together with the container that serves it."""

from typing import Any

from sentictl.aws.images import pytorch_image
from sentictl.aws.lookup import if_there
from sentictl.aws.names import digest_of
from sentictl.config.state import Record
from sentictl.errors import MissingStepError
from sentictl.lifecycle.resource import Actions, Context, Entries, LiveResource
from sentictl.services.iam.roles import ExecutionRole
from sentictl.services.resources.sagemaker import DigestNamed, has_endpoint
from sentictl.services.resources.training import TrainingJob, version_of

SERVERLESS_MACHINE = "ml.m5.large"  # its like: serverless inference has no GPUs and no Graviton processors


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
        return self.context.naming.name(digest_of(self.container()))

    @property
    def wanted(self) -> bool:
        return has_endpoint(self.context)

    def read(self, name: str) -> LiveResource | None:
        model = if_there(self.context.environment.client("sagemaker").describe_model, ModelName=name)
        return LiveResource(model["ModelArn"]) if model else None

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

    def container(self) -> dict[str, Any]:
        """Return the image, the artifact and how the one finds the script in the other."""
        region = self.context.environment.region
        return {
            "Image": pytorch_image("inference", region, machine(self.context)),
            "ModelDataUrl": trained(self.context).attributes["artifact"],
            "Environment": {
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
                "SAGEMAKER_REGION": region,
            },
        }


def check_images(context: Context) -> None:
    """Make sure that the region has what the whole chain runs in, before a model is trained that nothing there serves.

    Raises:
        AwsError: AWS publishes no image for training, or none for the endpoint, in that region.
    """
    settings, region = context.settings, context.environment.region
    pytorch_image("training", region, settings.train.instance_type)
    if has_endpoint(context):
        pytorch_image("inference", region, machine(context))


def machine(context: Context) -> str:
    """Return the instance type that the container is made for."""
    deploy = context.settings.deploy
    return SERVERLESS_MACHINE if deploy.serving == "serverless" else deploy.instance_type


def trained(context: Context) -> Record:
    """Return the record of the training job whose artifact is to be served.

    Raises:
        MissingStepError: nothing was trained yet, the job was not followed to its end, or the settings name one that
            there is not.
    """
    chosen = context.settings.deploy.model
    record = _named(context, chosen) if chosen else context.recorded(TrainingJob)
    if "artifact" not in record.attributes:
        raise MissingStepError(
            f"The training job {record.name} has not finished.", "Follow it to its end with: sentictl train"
        )
    return record


def _named(context: Context, name: str) -> Record:
    jobs = {record.name: record for record in context.state.of_kind(TrainingJob.kind)}
    record = jobs.get(name) or version_of(context.state, name)
    if record:
        return record
    raise MissingStepError(
        f"The setting deploy.model names {name}, which is no model of the environment {context.environment.name}.",
        "See which there are: sentictl models, or serve the newest: sentictl deploy --model latest",
    )
