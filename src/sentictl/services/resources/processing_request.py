"""What is asked of SageMaker for a processing job: which folders of the container come from where, and go where."""

from typing import Any

from sentictl.aws.images import spark_image
from sentictl.lifecycle.resource import Context
from sentictl.services.iam.roles import ProcessingRole
from sentictl.services.resources.processing_code import SCRIPT, ProcessingCode, source_on_s3

CONTAINER = "/opt/ml/processing"
DATA, CODE, DATASETS, RESULT = (f"{CONTAINER}/{name}" for name in ("input/data", "input/code", "datasets", "result"))
MESSAGE = "/opt/ml/output/message"  # of which DescribeProcessingJob tells the beginning as ExitMessage


def request(code: ProcessingCode, name: str, source: str = "") -> dict[str, Any]:
    """Return what CreateProcessingJob takes.

    Args:
        code: what the job is given.
        name: the job's.
        source: the address of what it reads; by default what is there now of `data.source`.
    """
    context, bucket = code.context, code.bucket
    data = context.settings.data
    folders = {"data": DATA, "datasets": DATASETS, "result": RESULT, "message": MESSAGE}
    return {
        "ProcessingJobName": name,
        "RoleArn": ProcessingRole(context).arn,
        "AppSpecification": {
            "ImageUri": spark_image(context.environment.region),
            "ContainerEntrypoint": ["smspark-submit", f"{CODE}/{SCRIPT}"],
            "ContainerArguments": [word for name, path in folders.items() for word in (f"--{name}", path)],
        },
        "ProcessingInputs": [
            _input("data", source or _source_uri(context), DATA),
            _input("code", code.uri(code.code), CODE),
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                _output("datasets", f"s3://{bucket}/datasets", DATASETS),
                _output("result", code.uri(f"{code.name}{name}"), RESULT),
            ]
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": data.instance_count,
                "InstanceType": data.instance_type,
                "VolumeSizeInGB": data.volume_gb,
            }
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 60 * data.max_minutes},
        "Tags": context.naming.tag_list(),
    }


def _source_uri(context: Context) -> str:
    found = source_on_s3(context)
    first = found.files[0]
    return f"s3://{found.bucket}/{first.key.removesuffix(first.path) if found.is_folder else first.key}"


def _input(name: str, uri: str, path: str) -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": path,
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated",
        },
    }


def _output(name: str, uri: str, path: str) -> dict[str, Any]:
    return {"OutputName": name, "S3Output": {"S3Uri": uri, "LocalPath": path, "S3UploadMode": "EndOfJob"}}
