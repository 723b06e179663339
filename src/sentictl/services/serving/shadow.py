"""The shadow: another version of the model, which gets a copy of the endpoint's requests and answers nobody.

What both answer is kept in the project's bucket by SageMaker's data capture, under `captures/`, apart for each pair of
models. It goes with the shadow's model.
"""

from collections.abc import Mapping
from typing import Any

from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.state import Record
from sentictl.errors import ModelError
from sentictl.lifecycle.cost import Machines
from sentictl.lifecycle.resource import Actions, Context
from sentictl.services.iam.execution_policy import ExecutionPolicy
from sentictl.services.resources.storage import DELETING, bucket_arn, bucket_exists, delete_objects
from sentictl.services.serving.model import Model, check_model_fits, finished, named, trained

SETTING = "deploy.shadow"
SHADOW_VARIANT = "Shadow"
CAPTURES = "captures/"
ARTIFACT = "artifact"


class CaptureAccess(ExecutionPolicy):
    """The leave to write what is captured, for as long as there is a shadow."""

    kind = "capture-access"

    @property
    def name(self) -> str:
        return self.context.naming.name("captures")

    @property
    def wanted(self) -> bool:
        return bool(self.context.settings.deploy.shadow)

    def statements(self) -> list[dict[str, Any]]:
        statement = {
            "Sid": "KeepCaptures",
            "Effect": "Allow",
            "Action": "s3:PutObject",
            "Resource": f"{bucket_arn(self.context, self.context.naming.bucket)}/{CAPTURES}*",
        }
        return [statement]


class ShadowModel(Model):
    """The model of the shadow, and what was kept of the answers that it is compared by."""

    kind = "shadow-model"
    arn_type = Model.kind
    before_digest = "shadow-"
    actions = Actions(
        read=Model.actions.read,
        create=Model.actions.create,
        delete=f"{Model.actions.delete} {DELETING}",
        unscoped=Model.actions.unscoped,
    )

    @property
    def wanted(self) -> bool:
        return bool(self.context.settings.deploy.shadow)

    @property
    def version(self) -> Record:
        return finished(named(self.context, SETTING, self.context.settings.deploy.shadow))

    def delete(self, record: Record) -> None:
        super().delete(record)
        bucket = self.context.naming.bucket
        if bucket_exists(self.context, bucket):
            delete_objects(self.context, bucket, captures_of(record.name))

    def machines(self) -> Machines | None:
        deploy = self.context.settings.deploy
        return Machines("Hosting", deploy.instance_type, share=deploy.hours.share) if self.wanted else None

    def variant(self) -> dict[str, Any]:
        """Return the shadow variant: the model on one machine like the endpoint's."""
        return {
            "VariantName": SHADOW_VARIANT,
            "ModelName": self.name,
            "InstanceType": self.context.settings.deploy.instance_type,
            "InitialInstanceCount": 1,
        }

    def _recorded(self, model: Mapping[str, Any]) -> Mapping[str, str]:
        return {ARTIFACT: model["PrimaryContainer"]["ModelDataUrl"]}


def captures_of(shadow_model: str) -> str:
    """Return the prefix in the bucket of what is kept for a shadow's model."""
    return f"{CAPTURES}{shadow_model}/"


def captured(context: Context) -> str:
    """Return the prefix of what is kept of the model that is served and of its shadow."""
    return f"{captures_of(ShadowModel(context).name)}{Model(context).name}/"


def data_capture(context: Context) -> dict[str, Any]:
    """Return what SageMaker is to keep of the endpoint: all questions and answers, which are JSON."""
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{context.naming.bucket}/{captured(context).rstrip('/')}",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
    }


def standing_shadow(context: Context) -> str:
    """Return the S3 URI of the artifact of the shadow that is recorded; "" where there is none."""
    record = context.state.latest(ShadowModel.kind)
    return record.attributes.get(ARTIFACT, "") if record else ""


def check_shadow(context: Context) -> None:
    """Make sure that the shadow that the settings ask for can be one, before anything is made.

    Raises:
        MissingStepError: there is no such version.
        ModelError: it is the version that is served, or the endpoint's image cannot run it.
    """
    shadow = ShadowModel(context)
    if not shadow.wanted:
        return
    version = shadow.version
    check_model_fits(context, version)
    if version.name == trained(context).name:
        where = env_option(context.environment.name, default=LOCAL)
        raise ModelError(
            f"{version.name} cannot be the shadow of itself: it is what the endpoint is to serve.",
            f"End the shadow: sentictl deploy --shadow off{where}, or name another version: sentictl models{where}",
        )
