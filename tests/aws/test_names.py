"""The names of what is made on AWS: none is longer than AWS takes, whatever project and environment are called."""

from collections.abc import Iterator

import botocore.session
import pytest

from sentictl.aws.names import Naming

LONGEST = Naming("x" * 20, "y" * 20, "111122223333")
DIGEST = "0123456789ab"
LONGEST_BUCKET = (
    63  # botocore has no limit of it: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
)


def longest(service: str, operation: str, parameter: str) -> int:
    """How long AWS says that a parameter may be."""
    model = botocore.session.get_session().get_service_model(service)
    shape = model.operation_model(operation).input_shape.members[parameter]
    return int(shape.metadata["max"])


def names() -> Iterator[tuple[str, int]]:
    for part in ("sagemaker", "predict", "page", "schedule", "notebook", "github-plan"):
        yield LONGEST.name(part), longest("iam", "CreateRole", "RoleName")
    yield LONGEST.name(DIGEST, "999"), longest("sagemaker", "CreateTrainingJob", "TrainingJobName")
    yield LONGEST.name(DIGEST), longest("sagemaker", "CreateModel", "ModelName")
    yield LONGEST.name(DIGEST), longest("sagemaker", "CreateEndpointConfig", "EndpointConfigName")
    yield LONGEST.name("endpoint"), longest("sagemaker", "CreateEndpoint", "EndpointName")
    yield LONGEST.name("notebook"), longest("sagemaker", "CreateNotebookInstance", "NotebookInstanceName")
    hook = "NotebookInstanceLifecycleConfigName"
    yield LONGEST.name("notebook"), longest("sagemaker", "CreateNotebookInstanceLifecycleConfig", hook)
    for part in ("batch", "every"):
        yield LONGEST.name(part, DIGEST), longest("sagemaker", "CreateModel", "ModelName")
    for parts in (("batch", DIGEST, "99"), ("run", "d32c5kddcf5bb8c3")):
        yield LONGEST.name(*parts), longest("sagemaker", "CreateTransformJob", "TransformJobName")
    yield LONGEST.name("batch"), longest("iam", "CreateRole", "RoleName")
    yield LONGEST.name("endpoint"), longest("scheduler", "CreateSchedule", "Name")
    yield LONGEST.name("predict"), 64  # of Lambda botocore has the limit of an ARN
    yield LONGEST.name("api"), longest("lambda", "AddPermission", "StatementId")
    yield f"/aws/sagemaker/Endpoints/{LONGEST.name('endpoint')}", longest("logs", "CreateLogGroup", "logGroupName")
    yield LONGEST.bucket, LONGEST_BUCKET
    yield LONGEST.website_bucket, LONGEST_BUCKET


@pytest.mark.parametrize(("name", "limit"), list(names()))
def test_no_name_is_longer_than_aws_takes(name: str, limit: int) -> None:
    assert len(name) <= limit
