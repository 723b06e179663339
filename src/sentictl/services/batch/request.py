"""What SageMaker is asked for: one transform job, by whoever begins it."""

from typing import Any

from sentictl.lifecycle.resource import Context
from sentictl.services.batch.model import record_form

# AWS's own for a request, and its most: a request that the container cannot answer now is sent again.
MODEL_CLIENT = {"InvocationsTimeoutInSeconds": 600, "InvocationsMaxRetries": 3}


def transform_request(
    context: Context, *, name: str, model: str, inputs: str, outputs: str, instances: int
) -> dict[str, Any]:
    """Return what CreateTransformJob is asked for.

    Args:
        context: the project and environment.
        name: the job's.
        model: the name of the model.
        inputs: the address under which the reviews lie, as JSON Lines.
        outputs: the address under which the answers go.
        instances: how many machines there are.
    """
    batch = context.settings.batch
    content_type, strategy = record_form(context)
    return {
        "TransformJobName": name,
        "ModelName": model,
        "MaxConcurrentTransforms": batch.max_concurrent,
        "MaxPayloadInMB": batch.max_payload_mb,
        "ModelClientConfig": MODEL_CLIENT,
        "BatchStrategy": strategy,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": inputs}},
            "ContentType": content_type,
            "SplitType": "Line",
        },
        "TransformOutput": {"S3OutputPath": outputs, "Accept": content_type, "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": batch.instance_type, "InstanceCount": instances},
        "Tags": context.naming.tag_list(),
    }
